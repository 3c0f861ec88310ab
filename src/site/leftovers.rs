//! What a runner leaves on the host: the commands that still run for it, and its private folder,
//! which tells both whose it is and which commands these are.

use super::{Site, SiteError};
use crate::model::RunId;
use crate::remote::{Command, Output, RemoteError};
use std::time::Duration;

/// The file, within the private folder, that names the run it was made for.
pub(super) const RUN: &str = ".run";
/// The folder, within the private one, where commands are on record while they run.
pub(super) const RECORDS: &str = ".records";

/// `$1` our own private folder, `$2` the run (empty: none), `$3` whether ours goes too. Ends the process
/// groups on record in ours, but for this script's own, and in every other private folder of that
/// run, politely, then not; after that the folders go, which nothing can make anew any more, and last of each what tells whose it is: a removal that is
/// broken off is gone on with. Folders
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
away() { find "$1" -mindepth 1 -maxdepth 1 ! -name .run ! -name .records -exec rm -rf -- {} +; rm -rf -- "$1"; }
if [ "$3" = leave ]; then case $1 in */intendant.*) away "$1" || exit 4;; esac; fi
printf '%s\n' "$found" | while IFS= read -r d; do [ -z "$d" ] || away "$d" || exit 4; done"#;
/// The same arguments. Prints how many files and folders are still to go.
const COUNT: &str = r#"{ if [ "$3" = leave ]; then case $1 in */intendant.*) find "$1";; esac; fi
if [ -n "$2" ]; then find "${TMPDIR:-/tmp}" -maxdepth 1 -type d -name 'intendant.??????????' -user "$(id -u)" |
while IFS= read -r d; do r=; read -r r <"$d/.run"; if [ "$r" = "$2" ] && [ "$d" != "$1" ]; then find "$d"; fi; done; fi; } 2>/dev/null | wc -l"#;
/// How long ending commands and removing folders may take at once.
const CLEAR_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is gone on with where there are so many files that it takes longer: half an hour in all.
const MOST_TIMES: usize = 60;

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
        let output = self.as_long_as_it_gets_less(&command, &values).await?;
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

    /// Runs it again after its limit, while each time leaves fewer files than the one before.
    async fn as_long_as_it_gets_less(&self, command: &Command, values: &[&str; 3]) -> Result<Output, SiteError> {
        let mut left = u64::MAX;
        for _ in 0..MOST_TIMES {
            let late = match self.shell.run(command).await {
                Err(late @ RemoteError::TimedOut { .. }) => late,
                ended => return Ok(ended?),
            };
            let mut count = Command::script(COUNT, *values).within(CLEAR_TIMEOUT);
            count.needs_lease = command.needs_lease;
            let now = self.shell.run(&count).await?.text().trim().parse().unwrap_or(u64::MAX);
            if now >= left {
                return Err(late.into());
            }
            left = now;
        }
        Err(SiteError::Host {
            site: self.address.name.clone(),
            host: self.shell.host().to_owned(),
            said: format!("{left} files that the run left there could not be removed in time"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Library;
    use crate::remote::{Guard, LocalShell, Process, Shell};
    use crate::site::{HostFacts, SiteAddress};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A host on which a removal takes away `each` files, and is stopped then.
    struct Slow {
        folder: PathBuf,
        each: usize,
        times: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl Shell for Slow {
        fn host(&self) -> &str {
            "slow.example"
        }
        async fn start(&self, command: &Command) -> Result<Process, RemoteError> {
            let files = || std::fs::read_dir(self.folder.join("many")).into_iter().flatten().flatten();
            if command.argv.iter().any(|argument| argument == CLEAR) && files().count() > self.each {
                self.times.fetch_add(1, Ordering::SeqCst);
                files().take(self.each).for_each(|file| std::fs::remove_file(file.path()).unwrap());
                let limit = command.timeout;
                return Err(RemoteError::TimedOut { host: self.host().into(), command: command.shown(), limit });
            }
            LocalShell.start(command).await
        }
        async fn close(&self) {}
    }

    fn folder_with(files: usize) -> (tempfile::TempDir, PathBuf) {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("intendant.0123456789");
        std::fs::create_dir_all(folder.join("many")).unwrap();
        std::fs::create_dir_all(folder.join(RECORDS)).unwrap();
        (0..files).for_each(|number| std::fs::write(folder.join(format!("many/{number}")), "").unwrap());
        (around, folder)
    }

    fn site(folder: &Path, each: usize) -> (Site, Arc<Slow>) {
        let shell = Arc::new(Slow { folder: folder.to_owned(), each, times: AtomicUsize::new(0) });
        let (playbook, _) = Library::shipped().load("files").unwrap();
        let address = SiteAddress {
            name: crate::model::SiteName::new("shop").unwrap(),
            root: "/srv/www".into(),
            url: "https://shop.example/".into(),
            run: None,
            guard: Guard::default(),
        };
        let host = HostFacts { folder: folder.display().to_string(), ..HostFacts::default() };
        let site = Site {
            address,
            shell: shell.clone(),
            playbook: Arc::new(playbook),
            host,
            tools: Default::default(),
            values: Default::default(),
        };
        (site, shell)
    }

    #[tokio::test]
    async fn a_folder_of_very_many_files_is_removed_as_long_as_they_get_fewer() {
        let (_around, folder) = folder_with(1_000);
        let (site, shell) = site(&folder, 300);
        site.clear("", "leave").await.unwrap();
        assert!(!folder.exists());
        assert_eq!(shell.times.load(Ordering::SeqCst), 3, "300 at a time");
    }

    #[tokio::test]
    async fn a_removal_that_gets_nowhere_ends() {
        let (_around, folder) = folder_with(5);
        let (site, shell) = site(&folder, 0);
        let error = site.clear("", "leave").await.unwrap_err();
        assert!(matches!(error, SiteError::Remote(RemoteError::TimedOut { .. })), "{error:?}");
        assert_eq!((shell.times.load(Ordering::SeqCst), folder.exists()), (2, true));
    }

    /// What tells whose it is goes last, so that the next removal finds it.
    #[tokio::test]
    async fn what_tells_whose_a_folder_is_outlasts_the_rest() {
        let (_around, folder) = folder_with(3);
        std::fs::write(folder.join(RUN), "x").unwrap();
        // The shell's own `rm` takes away what is left at the end; `find` begins the program.
        let stuck = format!("rm() {{ :; }}\n{CLEAR}");
        let values = ["sh", "-c", &stuck, "sh", &folder.display().to_string(), "", "leave"].map(str::to_owned);
        let output = LocalShell.run(&Command::new(values)).await;
        assert!(output.is_ok_and(|output| output.ok()));
        assert!(folder.join(RUN).exists() && folder.join(RECORDS).exists() && !folder.join("many").exists());
    }
}
