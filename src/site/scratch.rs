//! The folder on the host in which a restore is rehearsed: made, found again after a kill, removed.
//!
//! May use: `model`, `remote`. Invariants: mode 0700; never below the site's folder, nor below a
//! folder with a page of a website in it; what is removed is a folder of our own name in the place for
//! them; its record, which says what else was made, is there before anything else is.

use super::Site;
use crate::model::{Digest, RunId, clean_line};
use crate::remote::{Command, RawInput, RemoteError};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version of the record.
const RECORD: u32 = 1;
/// The most bytes of the list of what was left.
const MAX_LIST_BYTES: usize = 1 << 20;
/// How long removing may take.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// What a rehearsal wrote down on the host before it made anything else there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScratchRecord {
    /// The version of this format.
    rehearsal: u32,
    /// The rehearsal: its commands are on record in private folders of this id.
    pub run: RunId,
    /// The database that it uses; empty: none.
    pub database: String,
    /// Whether it makes and drops that database; else it empties it.
    pub made: bool,
}

impl ScratchRecord {
    /// What the rehearsal `run` is going to use.
    pub fn new(run: RunId, database: Option<(&str, bool)>) -> Self {
        let (database, made) = database.unwrap_or_default();
        Self { rehearsal: RECORD, run, database: database.to_owned(), made }
    }
}

/// Where a site's scratch folders are.
pub struct ScratchPlace<'a> {
    site: &'a Site,
    base: String,
    /// Whether the place is ours: made where it is not there, removed when it is empty.
    own: bool,
    prefix: String,
}

/// Room that has to be there.
#[derive(Debug, Clone, Copy)]
pub struct Needed {
    /// Bytes.
    pub bytes: u64,
    /// Files and folders.
    pub files: u64,
}

/// A scratch folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    name: String,
    /// The folder around it: nothing is restored there.
    pub around: String,
    /// The folder that is restored into; links resolved.
    pub folder: String,
}

/// A scratch folder that another rehearsal left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    name: String,
    /// What it wrote down; none where it did not come to that.
    pub record: Option<ScratchRecord>,
}

/// Why there is no scratch folder, or why one stays.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The connection.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// It can't be there.
    #[error("{site}: no restore can be rehearsed in {place} on {host}: {why}")]
    Place {
        /// The site.
        site: String,
        /// The host.
        host: String,
        /// The folder.
        place: String,
        /// Why, and what to do.
        why: String,
    },
    /// What is there can't be removed.
    #[error("{site}: what a rehearsal left in {place} on {host} can't be removed: {said}; remove it by hand")]
    Stays {
        /// The site.
        site: String,
        /// The host.
        host: String,
        /// The folder.
        place: String,
        /// What was said.
        said: String,
    },
}

/// `$1` place, `$2` whether it is made, `$3` the site's folder, `$4` the name, `$5` kilobytes and `$6` files that
/// are needed. The record comes on stdin. Prints the real path. A folder with a page in it may be a web root.
const MAKE: &str = r#"umask 077; LC_ALL=C; export LC_ALL
e=$1; while [ -n "$e" ] && [ ! -d "$e" ]; do e=${e%/*}; done
case $(cd -P -- "${e:-/}" && pwd -P)/ in "$3"/*) exit 5;; esac
if [ "$2" = own ]; then mkdir -p -- "$1" || exit 3; fi
cd -P -- "$1" || exit 3
b=$(pwd -P)
undo() { cd / && if [ "$2" = own ]; then rmdir -- "$1" "${1%/*}" 2>/dev/null; fi; exit "$3"; }
case $b/ in "$3"/*) undo "$1" "$2" 5;; esac
d=$b; while [ -n "$d" ]; do
for f in index.php index.html index.htm; do if [ -e "$d/$f" ]; then printf '%s' "$d/$f"; undo "$1" "$2" 6; fi; done
d=${d%/*}; done
free() { df "$1" . 2>/dev/null | tail -n 1 | { read -r _ _ _ f _; printf '%s' "$f"; }; }
k=$(free -Pk); case $k in ''|*[!0-9]*) k=;; esac
if [ -n "$k" ] && [ "$k" -lt "$5" ]; then printf '%s' "$k"; undo "$1" "$2" 7; fi
i=$(free -Pi); case $i in ''|0|*[!0-9]*) i=;; esac
if [ -n "$i" ] && [ "$i" -lt "$6" ]; then printf '%s' "$i"; undo "$1" "$2" 8; fi
mkdir -- "$4" && cd -- "$4" && cat >record && mkdir files && printf 'Require all denied\n' >.htaccess || exit 4
pwd -P"#;

/// `$1` place, `$2` the beginning of names of this site and runner, `$3` of this site. Prints name and
/// record of each, each part ended by NUL. Those of other runners only when they are a day old.
const LIST: &str = r#"cd -P -- "$1" 2>/dev/null || exit 0
for d in "$3".*; do
if [ -L "$d" ] || [ ! -d "$d" ] || [ ! -O "$d" ]; then continue; fi
case $d in "$2".*) ;; *) [ -n "$(find "$d" -maxdepth 0 -mmin +1440)" ] || continue;; esac
printf '%s\0' "$d"; head -c 4096 -- "$d/record" 2>/dev/null; printf '\0'; done"#;

/// `$1` place, `$2` whether it is ours, `$3` name. What was restored may be closed to its owner.
const REMOVE: &str = r#"LC_ALL=C; export LC_ALL
cd -P -- "$1" 2>/dev/null || exit 0
case $3 in */*|.*|-*|'') exit 4;; esac
if [ -L "$3" ] || { [ -e "$3" ] && [ ! -O "$3" ]; }; then exit 4; fi
if [ -d "$3" ]; then find "./$3" -type d ! -perm -700 -exec chmod u+rwx {} \; ; rm -rf -- "./$3" || exit 4; fi
cd / && if [ "$2" = own ]; then rmdir -- "$1" "${1%/*}" 2>/dev/null; fi; exit 0"#;

impl<'a> ScratchPlace<'a> {
    /// The place: the plan's folder, or one of ours in the account's home. `runner`: who and where, so that
    /// what another one works in is left alone.
    pub fn new(site: &'a Site, folder: Option<&str>, runner: Digest) -> Self {
        let home = site.host.home.trim_end_matches('/');
        let base = folder.map_or_else(|| format!("{home}/.intendant/rehearsals"), str::to_owned);
        let prefix = format!("rehearsal.{}.{}", Digest::of(site.root().as_bytes()).short(), runner.short());
        Self { site, base, own: folder.is_none(), prefix }
    }

    /// Makes a folder for `record.run`, when there is room.
    ///
    /// # Errors
    /// [`ScratchError::Place`] with the reason; nothing stays then.
    pub async fn make(&self, record: &ScratchRecord, needed: Needed) -> Result<Scratch, ScratchError> {
        let name = format!("{}.{}", self.prefix, record.run);
        let kilobytes = needed.bytes.div_ceil(1024).to_string();
        let values = [&self.base, self.whose(), self.site.root(), &name, &kilobytes, &needed.files.to_string()]
            .map(str::to_owned);
        let json = serde_json::to_vec(record).unwrap_or_default();
        let output = self.site.shell.run(&Command::script(MAKE, values).reading(RawInput::Bytes(json))).await?;
        let said = output.text().into_owned();
        let number = || said.parse::<u64>().unwrap_or(0);
        let human = crate::model::human_bytes;
        let other = "name another folder in the plan under snapshots.rehearsal.folder";
        let why = match output.status {
            0 if said.starts_with('/') => {
                return Ok(Scratch { name, folder: format!("{said}/files"), around: said });
            }
            3 => format!("the account can't enter it ({}); {other}", output.tail()),
            5 => format!("it lies in the site's own folder, where visitors could reach it; {other}"),
            6 => format!("visitors could reach it, for there is {}; {other}", clean_line(&said, 200)),
            7 => {
                let free = human(number().saturating_mul(1024));
                format!("it has {free} free, and a rehearsal needs {}; make room, or {other}", human(needed.bytes))
            }
            8 => format!("its disk takes {} more files, and a rehearsal needs {}; {other}", number(), needed.files),
            _ => format!("it can't be made there ({}); {other}", output.tail()),
        };
        // A folder that was begun goes again.
        self.remove_named(&name).await?;
        Err(ScratchError::Place {
            site: self.site.address.name.to_string(),
            host: self.site.shell.host().to_owned(),
            place: self.base.clone(),
            why,
        })
    }

    /// What this runner's rehearsals of the site left there, and those of others that are a day old.
    /// Call it only while no other rehearsal of this runner can be under way.
    pub async fn leftovers(&self) -> Result<Vec<Leftover>, ScratchError> {
        let site = self.prefix.rsplit_once('.').map_or(self.prefix.as_str(), |(site, _)| site);
        let values = [&self.base, &self.prefix, site].map(str::to_owned);
        let command = Command::script(LIST, values).printing_at_most(MAX_LIST_BYTES);
        let output = self.site.shell.run(&command).await?;
        let parts: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
        let read = |pair: &[&[u8]]| {
            let name = std::str::from_utf8(pair[0]).ok()?.to_owned();
            let record = serde_json::from_slice::<ScratchRecord>(pair[1]).ok();
            Some(Leftover { name, record: record.filter(|record| record.rehearsal == RECORD) })
        };
        Ok(parts.chunks_exact(2).filter_map(read).collect())
    }

    /// Removes what another rehearsal left.
    pub async fn clear(&self, leftover: &Leftover) -> Result<(), ScratchError> {
        self.remove_named(&leftover.name).await
    }

    /// Removes a folder that was made here.
    pub async fn remove(&self, scratch: &Scratch) -> Result<(), ScratchError> {
        self.remove_named(&scratch.name).await
    }

    async fn remove_named(&self, name: &str) -> Result<(), ScratchError> {
        let values = [&self.base, self.whose(), name].map(str::to_owned);
        let output = self.site.shell.run(&Command::script(REMOVE, values).within(REMOVE_TIMEOUT)).await?;
        if output.ok() {
            return Ok(());
        }
        Err(ScratchError::Stays {
            site: self.site.address.name.to_string(),
            host: self.site.shell.host().to_owned(),
            place: format!("{}/{name}", self.base),
            said: output.tail(),
        })
    }

    fn whose(&self) -> &'static str {
        if self.own { "own" } else { "given" }
    }
}
