//! One look at a host: the site's folder, programs, room, clock; and the private folder.

use super::{SCRATCH, SiteAddress, SiteError, leftovers};
use crate::model::RunId;
use crate::playbook::{Mark, Playbook, Script};
use crate::remote::{Command, RawInput, Shell};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What was seen of a host.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct HostFacts {
    /// The site's folder, links resolved.
    pub root: String,
    /// The private folder that holds the playbook's scripts.
    pub folder: String,
    /// The account's home folder.
    pub home: String,
    /// The account's name.
    pub user: String,
    /// The account that owns the site's folder.
    pub owner: String,
    /// Which of the playbook's marks exist below the root.
    pub present: Vec<String>,
    /// Absolute paths of programs, by name.
    pub programs: BTreeMap<String, String>,
    /// Free bytes below the root.
    pub free_bytes: Option<u64>,
    /// Free inodes below the root.
    pub free_inodes: Option<u64>,
    /// The host's clock, in seconds since 1970.
    pub clock_seconds: Option<i64>,
    /// The first lines of `find --version` and `tar --version`, and of `busybox`.
    pub versions: BTreeMap<String, String>,
}

/// `$1` root, then marks, `--`, program names. The scripts come as a tar archive on stdin.
/// Prints pairs, each part ended by NUL. Private folders that a killed runner left a day ago go, as
/// many as twenty seconds are enough for.
const LOOK: &str = r#"umask 077
PATH=$PATH:/usr/local/bin:$HOME/bin:$HOME/.local/bin:/usr/sbin
say() { printf '%s\0%s\0' "$1" "$2"; }
cd -- "$1" 2>/dev/null || { say refused root; exit 0; }
say root "$(pwd -P)"; shift
while [ "$1" != -- ]; do if [ -e "./$1" ]; then say present "$1"; fi; shift; done; shift
for name; do p=$(command -v -- "$name") && say "program $name" "$p"; done
say user "$(id -un)"; say owner "$(stat -c %U . 2>/dev/null)"; say home "$HOME"; say clock "$(date +%s)"
say room "$(df -Pk . | tail -n 1)"; say inodes "$(df -Pi . | tail -n 1)"
say "version find" "$(find --version 2>/dev/null | head -n 1)"
say "version tar" "$(tar --version 2>/dev/null | head -n 1)"
say "version busybox" "$(busybox 2>/dev/null | head -n 1)"
t=; if command -v timeout >/dev/null 2>&1; then t='timeout 20'; fi
$t find "${TMPDIR:-/tmp}" -maxdepth 1 -type d -name 'intendant.??????????' -user "$(id -u)" -mmin +1440 -exec rm -rf -- {} + 2>/dev/null
d=$(mktemp -d "${TMPDIR:-/tmp}/intendant.XXXXXXXXXX") || { say refused folder; exit 0; }
tar -xmf - -C "$d" && say folder "$d" || { rm -rf -- "$d"; say refused scripts; }
"#;

/// Programs that the program itself uses on a host, for the record and for `doctor`.
const OWN_PROGRAMS: [&str; 14] = [
    "tar",
    "find",
    "timeout",
    "busybox",
    "mariadb",
    "mysql",
    "mariadb-dump",
    "mysqldump",
    "psql",
    "pg_dump",
    "sqlite3",
    "python3",
    "zstd",
    "setsid",
];

pub(super) async fn look(
    shell: &dyn Shell,
    address: &SiteAddress,
    playbook: &Playbook,
    scripts: &[Script],
) -> Result<HostFacts, SiteError> {
    let failed = |said: String| SiteError::Host { site: address.name.clone(), host: shell.host().to_owned(), said };
    let archive = private_archive(scripts, address.run).map_err(|error| failed(error.to_string()))?;
    let mut values = vec![address.root.clone()];
    let others = playbook.instead.iter().flat_map(|other| &other.detect);
    values.extend(playbook.detect.iter().chain(others).flat_map(Mark::paths).map(|path| path.as_str().to_owned()));
    values.push("--".into());
    let tools = playbook.tools.values().flat_map(|tool| tool.find.iter());
    values.extend(tools.map(|name| name.as_str().to_owned()));
    values.extend(OWN_PROGRAMS.map(String::from));
    let command = Command::script(LOOK, values)
        .reading(RawInput::Bytes(archive))
        .within(Duration::from_secs(60))
        .printing_at_most(1 << 20);
    let output = shell.run(&command).await?;
    let facts = read(&output.stdout);
    match facts {
        Ok(facts) if output.ok() => Ok(facts),
        Err("root") => Err(SiteError::NoRoot {
            site: address.name.clone(),
            root: address.root.clone(),
            host: shell.host().to_owned(),
        }),
        Err("folder") => {
            Err(failed(format!("no private folder could be made in its temporary folder\n{}", output.tail())))
        }
        Err("scripts") => Err(failed(format!("the scripts could not be placed there\n{}", output.tail()))),
        _ => Err(failed(output.tail())),
    }
}

/// Pairs of NUL-ended texts → facts, or the part that was refused.
fn read(stdout: &[u8]) -> Result<HostFacts, &'static str> {
    let parts: Vec<String> =
        stdout.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    let mut facts = HostFacts::default();
    for pair in parts.chunks_exact(2) {
        let (key, value) = (pair[0].as_str(), pair[1].trim());
        let column = |index: usize| value.split_whitespace().nth(index).and_then(|text| text.parse::<u64>().ok());
        match key {
            "refused" if value == "root" => return Err("root"),
            "refused" if value == "folder" => return Err("folder"),
            "refused" => return Err("scripts"),
            "root" => facts.root = value.to_owned(),
            "folder" => facts.folder = value.to_owned(),
            "user" => facts.user = crate::model::clean_line(value, 100),
            "owner" => facts.owner = crate::model::clean_line(value, 100),
            "home" => facts.home = value.to_owned(),
            "present" => facts.present.push(value.to_owned()),
            "clock" => facts.clock_seconds = value.parse().ok(),
            "room" => facts.free_bytes = column(3).map(|kib| kib.saturating_mul(1024)),
            "inodes" => facts.free_inodes = column(3),
            _ => match key.split_once(' ') {
                // A function or an alias has no path, and would not be what a command runs.
                Some(("program", name)) if usable(value) => {
                    facts.programs.insert(name.to_owned(), value.to_owned());
                }
                Some(("version", name)) if !value.is_empty() => {
                    facts.versions.insert(name.to_owned(), crate::model::clean_line(value, 100));
                }
                _ => {}
            },
        }
    }
    let home = facts.home.is_empty() || usable(&facts.home);
    if home && usable(&facts.folder) && usable(&facts.root) { Ok(facts) } else { Err("answer") }
}

/// Whether it is an absolute path that can be used and shown.
fn usable(path: &str) -> bool {
    path.starts_with('/') && path.len() <= 4096 && !path.contains(char::is_control)
}

/// What the private folder holds at first: the scripts, the tools' own folder, the folder of records,
/// and the name of the run.
fn private_archive(scripts: &[Script], run: Option<RunId>) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    if let Some(run) = run {
        append(&mut archive, leftovers::RUN, format!("{run}\n").as_bytes())?;
    }
    for folder in [SCRATCH, leftovers::RECORDS] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o700);
        header.set_size(0);
        archive.append_data(&mut header, folder, std::io::empty())?;
    }
    for script in scripts {
        append(&mut archive, script.name.as_str(), &script.bytes)?;
    }
    archive.into_inner()
}

/// Adds one private file to an archive.
pub(super) fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o600);
    header.set_entry_type(tar::EntryType::Regular);
    archive.append_data(&mut header, name, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_nonsense_is_refused() {
        let text = b"root\0/srv/x\0home\0/home/x\0present\0wp-load.php\0program php\0/usr/bin/php\0program ll\0alias ll=x\0room\0/dev/vda 10 5 7 50% /\0folder\0/tmp/intendant.abc\0";
        let facts = read(text).unwrap();
        assert_eq!(facts.free_bytes, Some(7168));
        assert_eq!(facts.programs.get("php").map(String::as_str), Some("/usr/bin/php"));
        assert!(!facts.programs.contains_key("ll"));
        let lies = b"root\0/srv/\x1b[31mx\0home\0/home/x\0folder\0/tmp/intendant.abc\0";
        assert!(read(lies).is_err());
        assert_eq!(read(b"refused\0root\0").unwrap_err(), "root");
        assert!(read(b"<html>").is_err());
    }
}
