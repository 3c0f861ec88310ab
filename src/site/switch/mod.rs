//! The dead man's switch: what a run leaves on the host before its first change, so that the host puts the site back by
//! itself when nothing is heard of the runner any more.
//!
//! May use: `model`, `remote`. Invariants: what the script on the host overwrites it has kept before; it acts only while
//! its run holds the site's lease, and takes that over first, so that the runner can do no more; while it is armed,
//! and no longer, the folder holds the database's credentials (mode 0700, the file 0600).

use super::lease::leases_folder;
use super::{Site, SiteError, host, leftovers};
use crate::model::{Digest, RunId, clean_line};
use crate::remote::{Command, Output, Process, RawInput, RemoteError};
use jiff::Timestamp;
use std::time::Duration;

/// The script that does all of it on the host.
const SWITCH: &str = include_str!("switch.sh");
/// How long keeping the state before may take.
const ARM_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// How long it may take to hand out what was kept.
const SHOW_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// Status of the script where the host can't do it; its output says why.
const UNABLE: i32 = 5;
/// The most reasons of a failure that are read.
const MOST_FAILURES: usize = 20;

/// `$1` folder, `$2` the private folder, whose scripts are kept too, then what the script is given. The archive comes on
/// standard input.
const ARM: &str = r#"(umask 077; rm -rf -- "$1"; mkdir -p -- "$1/scripts" && tar -xmf - -C "$1" && cd -- "$2" || exit 1
for f in ./*; do if [ -f "$f" ]; then cp -p -- "$f" "$1/scripts/" || exit 1; fi; done) || exit 4
p=$1; shift 2; exec sh "$p/switch.sh" arm "$p" "$@" "#;
/// `$1` folder, then what the script is given.
const START: &str = r#"exec sh "$1/switch.sh" start "$@" "#;
/// `$1` folder, `$2` whether it goes. Ends the process that watches, with all that it has begun; a process that began at another
/// time than the one on record is another one.
const STOP: &str = r#"b=; read -r b 2>/dev/null </proc/sys/kernel/random/boot_id
began() { shift 19; echo "$1"; }
same() { w=; read -r w 2>/dev/null <"/proc/$1/stat"; [ -n "$w" ] && [ "$(began ${w##*) } 2>/dev/null)" = "$2" ]; }
p= o= t=; read -r p o t 2>/dev/null <"$1/pid"
case $p in ''|*[!0-9]*) p=;; esac
if [ -n "$p" ] && [ "$o" = "$b" ] && same "$p" "$t"; then
i=0; while kill -KILL "-$p" 2>/dev/null; do i=$((i+1))
# Where nobody takes leave of the dead, as in many a container, they stay, and do nothing.
w=; read -r w 2>/dev/null <"/proc/$p/stat"; if [ "$i" -ge 5 ]; then case ${w##*) } in Z*) break;; esac; fi
[ "$i" -lt 50 ] || exit 5; sleep 0.2; done; fi
if [ "$2" = goes ]; then rm -rf -- "$1" || exit 4; rmdir -p -- "${1%/*}" 2>/dev/null; fi; exit 0"#;
/// `$1` folder. Prints whether it is armed, when healing began and ended, whether all was kept and with a database, whether files
/// were, and what failed, each ended by NUL. That a file is there counts: what stood in it may be lost on a full disk.
const LOOK: &str = r#"for f in armed began ended kept present.sql present.tar failed; do
if [ -e "$1/$f" ]; then case $f in kept|present.*) printf 1;; began|ended) if [ -s "$1/$f" ]; then head -c 4096 -- "$1/$f"; else date -r "$1/$f" +%s || printf 0; fi;;
*) head -c 4096 -- "$1/$f";; esac; fi; printf '\0'; done"#;
/// `$1` folder, `$2` the file.
const SHOW: &str = r#"exec sh "$1/switch.sh" show "$1" '' '' '' 60 '' "$2" "#;

/// What is armed.
#[derive(Debug, Clone)]
pub struct Arming {
    /// The run.
    pub run: RunId,
    /// After how long without a sign of life of its runner the host acts.
    pub after: Duration,
    /// What of the site's folder is left alone, as words for `find`.
    pub exclude: Vec<String>,
    /// Files that only the maintenance switch makes.
    pub maintenance: Vec<String>,
    /// The command that asks visitors to wait.
    pub on: Option<Command>,
    /// The command that ends that, where its doing so is no part of the files and of the database.
    pub off: Option<Command>,
    /// Commands that empty caches.
    pub flush: Vec<Command>,
    /// Commands that have what serves the site take the files up.
    pub restart: Vec<Command>,
    /// The database, where there is one.
    pub database: Option<SwitchedDatabase>,
}

/// A database that the host dumps and puts back by itself.
#[derive(Debug, Clone)]
pub struct SwitchedDatabase {
    /// Its name.
    pub name: String,
    /// The command that prints the client's option file.
    pub credentials: Vec<String>,
    /// The dump program's arguments; of a shared database without its tables.
    pub dump: Vec<String>,
    /// The site's tables in a shared database; else none.
    pub tables: Vec<String>,
}

/// What the host has done by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healed {
    /// When it began, by its own clock.
    pub began: Timestamp,
    /// When it ended; none when it was interrupted.
    pub ended: Option<Timestamp>,
    /// Whether the database that it overwrote is kept there.
    pub database: bool,
    /// Whether the files that it overwrote or removed are kept there.
    pub files: bool,
    /// What did not work.
    pub failed: Vec<String>,
}

/// Where a switch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchState {
    /// There is none.
    None,
    /// It is armed.
    Armed,
    /// It has acted.
    Healed(Healed),
}

/// The switch of one site.
pub struct Switch<'a> {
    site: &'a Site,
    folder: String,
}

impl<'a> Switch<'a> {
    /// That of `site`.
    pub fn new(site: &'a Site) -> Self {
        let name = Digest::of(site.root().as_bytes()).short();
        Self { site, folder: format!("{}/.intendant/switches/{name}", site.host.home.trim_end_matches('/')) }
    }

    /// Its folder on the host.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The folder on the host in which the scripts of the playbook are for it.
    pub fn scripts(&self) -> String {
        format!("{}/scripts", self.folder)
    }

    /// Why the host can't do it; nothing where it can. `database`: whether there is one.
    pub async fn unable(&self, database: bool) -> Result<Option<String>, SiteError> {
        let database = if database { "some" } else { "" };
        let values = ["able", "", "", "", self.site.root(), "60", database];
        let output = self.site.shell.run(&Command::script(SWITCH, values)).await?;
        let why = clean_line(&output.text(), 200);
        Ok((!why.is_empty()).then_some(why))
    }

    /// Keeps the state before and begins to watch. The kilobytes that it takes, or why the host can't do it; then nothing stays.
    pub async fn arm(&self, arming: &Arming) -> Result<Result<u64, String>, SiteError> {
        self.disarm().await?;
        let failed = |said: String| self.failed("armed", said);
        let archive = archive(arming).map_err(|error| failed(error.to_string()))?;
        let credentials = arming.database.iter().flat_map(|database| database.credentials.iter().cloned());
        let values = [self.folder.clone(), self.site.host.folder.clone()].into_iter();
        let database = arming.database.as_ref().map(|database| &*database.name);
        let values = values.chain(self.values(arming.run, arming.after, database)).chain(credentials);
        let command = Command::script(ARM, values).reading(RawInput::Bytes(archive)).within(ARM_TIMEOUT);
        let why = match self.site.shell.run(&command).await {
            Ok(output) => match (output.status, output.text().parse::<u64>()) {
                (0, Ok(kilobytes)) => return Ok(Ok(kilobytes)),
                (UNABLE, _) => clean_line(&output.text(), 300),
                _ => clean_line(&output.tail(), 300),
            },
            Err(RemoteError::TimedOut { limit, .. }) => {
                format!("keeping the state before took more than {} s", limit.as_secs())
            }
            Err(error) => return Err(error.into()),
        };
        self.disarm().await?;
        Ok(Err(why))
    }

    /// What the script is given besides its folder.
    fn values(&self, run: RunId, after: Duration, database: Option<&str>) -> [String; 5] {
        let (after, database) = (after.as_secs().max(1).to_string(), database.unwrap_or_default().to_owned());
        [leases_folder(self.site), run.to_string(), self.site.root().to_owned(), after, database]
    }

    /// Begins to watch again, where it is armed and was stopped.
    pub async fn start(&self, run: RunId, after: Duration, database: Option<&str>) -> Result<(), SiteError> {
        let values = [self.folder.clone()].into_iter().chain(self.values(run, after, database));
        let output = self.site.shell.run(&Command::script(START, values)).await?;
        if output.ok() { Ok(()) } else { Err(self.failed("started again", output.tail())) }
    }

    /// Ends whatever it does.
    pub async fn stop(&self) -> Result<(), SiteError> {
        self.end("stays", "stopped").await
    }

    /// Ends it and removes all that it keeps.
    pub async fn disarm(&self) -> Result<(), SiteError> {
        self.end("goes", "disarmed").await
    }

    async fn end(&self, goes: &str, what: &str) -> Result<(), SiteError> {
        let output = self.site.shell.run(&Command::script(STOP, [&self.folder, goes])).await?;
        if output.ok() { Ok(()) } else { Err(self.failed(what, output.tail())) }
    }

    /// Where it stands. While it is not stopped only that there is none is sure.
    pub async fn state(&self) -> Result<SwitchState, SiteError> {
        let output = self.site.shell.run(&Command::script(LOOK, [self.folder.clone()])).await?;
        read(&output).ok_or_else(|| self.failed("looked at", output.tail()))
    }

    /// The dump of the database that it has overwritten.
    pub async fn kept_database(&self) -> Result<Process, SiteError> {
        self.show("present.sql").await
    }

    /// An archive of the files that it has overwritten or removed.
    pub async fn kept_files(&self) -> Result<Process, SiteError> {
        self.show("present.tar").await
    }

    async fn show(&self, file: &str) -> Result<Process, SiteError> {
        let command = Command::script(SHOW, [&self.folder, file]).within(SHOW_TIMEOUT);
        Ok(self.site.shell.start(&command).await?)
    }

    fn failed(&self, what: &str, said: String) -> SiteError {
        SiteError::Host {
            site: self.site.address.name.clone(),
            host: self.site.shell.host().to_owned(),
            said: format!("the dead man's switch in {} could not be {what}\n{said}", self.folder),
        }
    }
}

/// What the folder holds at first.
fn archive(arming: &Arming) -> std::io::Result<Vec<u8>> {
    let words = |words: &[String]| words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect::<Vec<u8>>();
    let standing = |command: &Command| {
        let limit = format!("{}\0", command.timeout.as_secs().max(1));
        [limit.into_bytes(), words(&command.argv)].concat()
    };
    let database = arming.database.as_ref();
    let tables = database.map_or(&[][..], |database| &database.tables);
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [
        ("switch.sh", SWITCH.as_bytes().to_vec()),
        ("clear.sh", leftovers::CLEAR.as_bytes().to_vec()),
        ("exclude", words(&arming.exclude)),
        ("maintenance", words(&arming.maintenance)),
        ("on", arming.on.as_ref().map_or_else(Vec::new, standing)),
        ("off", arming.off.as_ref().map_or_else(Vec::new, standing)),
        ("dump", words(database.map_or(&[][..], |database| &database.dump))),
        ("tables", tables.iter().map(|table| format!("{table}\n")).collect::<String>().into_bytes()),
    ] {
        host::append(&mut archive, name, &content)?;
    }
    for (what, commands) in [("flush", &arming.flush), ("restart", &arming.restart)] {
        for (number, command) in commands.iter().enumerate() {
            host::append(&mut archive, &format!("{what}.{number:03}"), &standing(command))?;
        }
    }
    archive.into_inner()
}

fn read(output: &Output) -> Option<SwitchState> {
    let parts: Vec<_> = output.stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let [armed, began, ended, kept, database, files, failed, _] = &parts[..] else { return None };
    let second = |text: &str| Timestamp::from_second(text.trim().parse().ok()?).ok();
    let is = |text: &str| !text.trim().is_empty();
    // A time that can't be read says nevertheless that it came.
    let came = |text: &str| is(text).then(|| second(text).unwrap_or(Timestamp::UNIX_EPOCH));
    Some(match came(began) {
        None if is(armed) => SwitchState::Armed,
        None => SwitchState::None,
        Some(began) => SwitchState::Healed(Healed {
            began,
            ended: came(ended),
            // What was not kept whole was not overwritten.
            database: is(kept) && is(database),
            files: is(kept) && is(files),
            failed: failed.lines().take(MOST_FAILURES).map(|line| clean_line(line, 100)).collect(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(stdout: &[u8]) -> Option<SwitchState> {
        read(&Output { status: 0, stdout: stdout.to_vec(), stderr: Vec::new() })
    }

    #[test]
    fn what_the_host_did_is_read_and_nonsense_is_refused() {
        assert_eq!(state(b"\0\0\0\0\0\0\0"), Some(SwitchState::None));
        assert_eq!(state(b"armed\n\0\0\0\0\0\0\0"), Some(SwitchState::Armed));
        assert_eq!(state(b"<html>"), None);
        let Some(SwitchState::Healed(healed)) =
            state(b"armed\n\x001000\n\x001060\n\0kept\n\x001\0\0some files differ still\n\0")
        else {
            panic!("it has acted")
        };
        assert_eq!((healed.began.as_second(), healed.ended.map(Timestamp::as_second)), (1000, Some(1060)));
        assert!(healed.database && !healed.files);
        assert_eq!(healed.failed, ["some files differ still"]);
        let Some(SwitchState::Healed(unreadable)) = state(b"armed\n\0?\0?\x001\0\0\0\0") else {
            panic!("a time that can't be read says that it came")
        };
        assert!(unreadable.ended.is_some());
        let Some(SwitchState::Healed(early)) = state(b"armed\n\x001000\n\0\0\x001\x001\0\0") else {
            panic!("it has begun")
        };
        assert!(!early.database && !early.files, "what was not kept whole does not count");
    }

    /// Runs a script as a host does.
    fn sh(text: &str, arguments: &[&str], path: Option<&str>) -> Output {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", text, "sh"]).args(arguments);
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let output = command.output().unwrap();
        let status = output.status.code().unwrap_or(-1);
        Output { status, stdout: output.stdout, stderr: output.stderr }
    }

    #[test]
    fn what_began_on_a_full_disk_has_begun() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap();
        assert_eq!(read(&sh(LOOK, &[at], None)), Some(SwitchState::None));
        std::fs::write(folder.path().join("armed"), "armed\n").unwrap();
        assert_eq!(read(&sh(LOOK, &[at], None)), Some(SwitchState::Armed));
        for name in ["began", "kept", "present.tar", "ended"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let Some(SwitchState::Healed(healed)) = read(&sh(LOOK, &[at], None)) else { panic!("it has begun") };
        assert!(healed.files && healed.ended.is_some() && healed.began > Timestamp::UNIX_EPOCH, "{healed:?}");
    }

    #[test]
    fn a_host_that_can_not_tell_processes_apart_is_not_armed() {
        let able = |script: &str| sh(script, &["able", "", "", "", "/srv/nowhere", "60", ""], None).text().into_owned();
        assert!(!able(SWITCH).contains("/proc"), "{}", able(SWITCH));
        let without = SWITCH.replace("/proc/self/stat", "/nowhere/self/stat");
        assert!(able(&without).starts_with("it has no /proc"), "{}", able(&without));
    }

    /// A `tar` before which a file goes, or which can't read one.
    fn armed_with(wrong: &str) -> (Output, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for name in ["bin", "site", "switch"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["stays", "goes", "more"] {
            std::fs::write(folder.path().join("site").join(name), name).unwrap();
        }
        for name in ["exclude", "maintenance", "dump", "tables"] {
            std::fs::write(folder.path().join("switch").join(name), "").unwrap();
        }
        std::fs::write(folder.path().join("switch/switch.sh"), SWITCH).unwrap();
        let real = sh("command -v tar", &[], None).text().into_owned();
        let tar = format!("#!/bin/sh\ncase \"$*\" in *'/names') {wrong};; esac\nexec {real} \"$@\"\n");
        std::fs::write(folder.path().join("bin/tar"), tar).unwrap();
        assert!(sh("chmod 755 \"$1\"", &[&path("bin/tar")], None).ok());
        let tools = format!("{}:{}", path("bin"), std::env::var("PATH").unwrap());
        let arguments = ["arm", &path("switch"), &path("locks"), "run", &path("site"), "10", ""];
        let output = sh(SWITCH, &arguments, Some(&tools));
        let before = std::fs::read(folder.path().join("switch/before")).unwrap_or_default();
        assert!(sh(STOP, &[&path("switch"), "goes"], None).ok());
        (output, before)
    }

    #[test]
    fn a_busy_site_is_armed_although_a_file_goes_before_it_is_archived() {
        let (output, before) = armed_with("rm -f goes");
        assert!(output.ok() && output.text().parse::<u64>().is_ok(), "{output:?}");
        let before = String::from_utf8_lossy(&before).into_owned();
        assert!(before.contains("./stays") && !before.contains("./goes"), "{before}");
        let (output, _) = armed_with("echo 'tar: ./more: Cannot open: Permission denied' >&2; exit 2");
        assert_eq!(output.status, UNABLE, "{output:?}");
        assert!(output.text().contains("Permission denied"), "{output:?}");
    }

    #[test]
    fn commands_stand_with_their_limits_and_in_their_order() {
        let command = |word: &str| Command::new([word, "a b"]).within(Duration::from_secs(120));
        let arming = Arming {
            run: RunId::new(Timestamp::UNIX_EPOCH),
            after: Duration::from_secs(60),
            exclude: Vec::new(),
            maintenance: vec![".maintenance".into()],
            on: Some(command("on")),
            off: None,
            flush: vec![command("one"), command("two")],
            restart: vec![command("again")],
            database: None,
        };
        let archive = archive(&arming).unwrap();
        let mut files = std::collections::BTreeMap::new();
        for entry in tar::Archive::new(&*archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut content = String::new();
            std::io::Read::read_to_string(&mut entry, &mut content).unwrap();
            files.insert(name, content);
        }
        for (name, content) in [
            ("on", "120\0on\0a b\0"),
            ("off", ""),
            ("flush.000", "120\0one\0a b\0"),
            ("flush.001", "120\0two\0a b\0"),
            ("restart.000", "120\0again\0a b\0"),
            ("maintenance", ".maintenance\0"),
        ] {
            assert_eq!(files[name], content, "{name}");
        }
    }
}
