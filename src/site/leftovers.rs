//! What a runner that died left on the host: the commands that still run for it, and its private
//! folder, which tells both whose it is and which commands these are.

use super::{Site, SiteError};
use crate::model::RunId;
use crate::remote::Command;

/// The file, within the private folder, that names the run it was made for.
pub(super) const RUN: &str = ".run";
/// The folder, within the private one, where commands are on record while they run.
pub(super) const RECORDS: &str = ".records";

/// `$1` our own private folder, `$2` the run. Ends the process groups on record in every other private
/// folder of that run, politely, then not; after that the folders go, which nothing can make
/// anew any more. Folders of other accounts are not believed. No `--` after the signal: dash and
/// BusyBox refuse it.
const CLEAR: &str = r#"b=; read -r b 2>/dev/null </proc/sys/kernel/random/boot_id
others() { find "${TMPDIR:-/tmp}" -maxdepth 1 -type d -name 'intendant.??????????' -user "$(id -u)" |
while IFS= read -r d; do r=; read -r r 2>/dev/null <"$d/.run"; if [ "$r" = "$2" ] && [ "$d" != "$1" ]; then printf '%s\n' "$d"; fi; done; }
found=$(others "$@"); [ -n "$found" ] || exit 0
signal() { printf '%s\n' "$found" | { n=1; while IFS= read -r d; do for r in "$d"/.records/*; do
p= o=; read -r p o 2>/dev/null <"$r"; case $p in ''|*[!0-9]*) continue;; esac
[ "$o" = "$b" ] && kill "-$1" "-$p" 2>/dev/null && n=0; done; done; exit "$n"; }; }
i=0 s=TERM; while signal "$s"; do
i=$((i+1)); case $i in 20) s=KILL;; 50) exit 5;; *) s=0;; esac; sleep 0.2; done
printf '%s\n' "$found" | while IFS= read -r d; do rm -rf -- "$d" || exit 4; done"#;

impl Site {
    /// Ends whatever other runners left running on the host for `run`, and removes their private
    /// folders. What the account itself or other runs do there is left alone.
    ///
    /// # Errors
    /// The host can't be asked, a command does not end within ten seconds, a folder stays.
    pub async fn clear_leftovers(&self, run: RunId) -> Result<(), SiteError> {
        let values = [self.host.folder.clone(), run.to_string()];
        let output = self.shell.run(&Command::script(CLEAR, values)).await?;
        if output.ok() {
            return Ok(());
        }
        let what = match output.status {
            5 => "a command of the interrupted run does not end there",
            _ => "what the interrupted run left there could not be removed",
        };
        Err(SiteError::Host {
            site: self.address.name.clone(),
            host: self.shell.host().to_owned(),
            said: format!("{what}\n{}", output.tail()),
        })
    }
}
