//! What a runner leaves on the host: the commands that still run for it, and its private folder,
//! which tells both whose it is and which commands these are.

use super::{Site, SiteError};
use crate::model::RunId;
use crate::remote::Command;
use std::time::Duration;

/// The file, within the private folder, that names the run it was made for.
pub(super) const RUN: &str = ".run";
/// The folder, within the private one, where commands are on record while they run.
pub(super) const RECORDS: &str = ".records";

/// `$1` our own private folder, `$2` the run (empty: none), `$3` whether ours goes too. Ends the process
/// groups on record in ours, but for this script's own, and in every other private folder of that
/// run, politely, then not; after that the folders go, which nothing can make anew any more. Folders
/// of other accounts are not believed, nor records of a process that began at another time than the one that
/// has its id now. No `--` after the signal: dash and BusyBox refuse it.
pub(super) const CLEAR: &str = r#"b=; read -r b 2>/dev/null </proc/sys/kernel/random/boot_id
others() { find "${TMPDIR:-/tmp}" -maxdepth 1 -type d -name 'intendant.??????????' -user "$(id -u)" |
while IFS= read -r d; do r=; read -r r 2>/dev/null <"$d/.run"; if [ "$r" = "$2" ] && [ "$d" != "$1" ]; then printf '%s\n' "$d"; fi; done; }
found=; if [ -n "$2" ]; then found=$(others "$@"); fi
began() { shift 19; echo "$1"; }
same() { w=; read -r w 2>/dev/null <"/proc/$1/stat"; [ -z "$w" ] || [ "$(began ${w##*) } 2>/dev/null)" = "$2" ]; }
signal() { printf '%s\n' "$2" "$found" | { n=1; while IFS= read -r d; do [ -n "$d" ] || continue; for r in "$d"/.records/*; do
p= o= t=; read -r p o t 2>/dev/null <"$r"; case $p in ''|*[!0-9]*|$$|$PPID) continue;; esac
[ "$o" = "$b" ] && same "$p" "$t" && kill "-$1" "-$p" 2>/dev/null && n=0; done; done; exit "$n"; }; }
i=0 s=TERM; while signal "$s" "$1"; do
i=$((i+1)); case $i in 20) s=KILL;; 50) exit 5;; *) s=0;; esac; sleep 0.2; done
if [ "$3" = leave ]; then case $1 in */intendant.*) rm -rf -- "$1" || exit 4;; esac; fi
printf '%s\n' "$found" | while IFS= read -r d; do [ -z "$d" ] || rm -rf -- "$d" || exit 4; done"#;
/// How long ending commands and removing folders may take.
const CLEAR_TIMEOUT: Duration = Duration::from_secs(30);

impl Site {
    /// Ends whatever still runs on the host for `run`, for this runner or another, and removes the
    /// private folders of others. What the account itself or other runs do there is left alone.
    ///
    /// # Errors
    /// The host can't be asked, a command does not end within ten seconds, a folder stays.
    pub async fn clear_leftovers(&self, run: RunId) -> Result<(), SiteError> {
        self.clear(&run.to_string(), "stay").await
    }

    /// Ends what still runs on the host for this runner, and removes the private folder. The connection
    /// stays open.
    pub async fn close(&self) {
        if let Err(error) = self.clear("", "leave").await {
            tracing::warn!(%error, folder = %self.host.folder, "the private folder stays on the host");
        }
    }

    async fn clear(&self, run: &str, own: &str) -> Result<(), SiteError> {
        let values = [self.host.folder.as_str(), run, own];
        let mut command = Command::script(CLEAR, values).within(CLEAR_TIMEOUT);
        if run.is_empty() {
            // What is ours alone goes also when the lease is lost; what is the run's is then another runner's.
            command = command.without_lease();
        }
        let output = self.shell.run(&command).await?;
        let what = match output.status {
            0 => return Ok(()),
            5 => "a command of the run does not end there",
            _ => "what the run left there could not be removed",
        };
        Err(SiteError::Host {
            site: self.address.name.clone(),
            host: self.shell.host().to_owned(),
            said: format!("{what}\n{}", output.tail()),
        })
    }
}
