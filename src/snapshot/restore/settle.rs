//! Facts that BusyBox's tar does not set: those of folders and links, special bits and groups where the
//! account is not root, times that old archives can't say.
//!
//! May use: `item`, `manifest`, `walk`. Invariants: deepest first, so that a folder that gets shut has
//! nothing more to be set in it; what waits for its group is open to nobody else meanwhile.

use super::super::item::ItemPath;
use super::super::manifest::{Entry, Facts, Manifest};
use super::super::stream::TAR_TIMES;
use super::super::walk::{Account, NANOSECONDS};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Reads words such as `m755 ./path`, each ended by NUL: `o` owner, `m` mode, `t` time in seconds.
/// Neighbours that get the same are set together.
pub(super) const SETTLE: &str = r#"LC_ALL=C TZ=UTC0; export LC_ALL TZ
exec busybox xargs -0 -r sh -c 's=0 k=
set_all() { case $k in "") return;; o*) busybox chown -h -- "${k#o}" "$@";; m*) busybox chmod -- "${k#m}" "$@";;
*) busybox touch -h -c -d "@${k#t}" -- "$@";; esac || s=1; }
for w; do if [ "${w%% *}" != "$k" ]; then set_all "$@"; set --; k=${w%% *}; fi; set -- "$@" "${w#* }"; done
set_all "$@"; exit "$s"' sh"#;

/// What is set when all files are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Settling {
    owners: BTreeMap<ItemPath, (u32, u32)>,
    modes: BTreeMap<ItemPath, u32>,
    /// In seconds.
    times: BTreeMap<ItemPath, i64>,
}

impl Settling {
    /// For these folders, files and links of the goal.
    pub(super) fn plan(
        present: &Manifest,
        goal: &Manifest,
        folders: &BTreeSet<ItemPath>,
        send: &BTreeSet<ItemPath>,
        account: &Account,
    ) -> Self {
        let mut settling = Self::default();
        for path in folders.iter().chain(send) {
            let Some((entry, facts)) = goal.path(path).and_then(|entry| Some((entry, entry.facts()?))) else {
                continue;
            };
            let (is_file, is_link) = (matches!(entry, Entry::File { .. }), matches!(entry, Entry::Link { .. }));
            let seconds = account.tools.settable(facts.mtime).div_euclid(NANOSECONDS);
            if !is_file || !TAR_TIMES.contains(&seconds) {
                settling.times.insert(path.clone(), seconds);
            }
            // A file in a folder with setgid gets that folder's group.
            let inherits = path.parent().is_some_and(|parent| {
                let setgid =
                    |of: &Manifest| of.path(&parent).and_then(Entry::facts).is_some_and(|f| f.mode & 0o2000 != 0);
                setgid(present) || setgid(goal)
            });
            let own_group = account.groups.first() == Some(&facts.gid) && !inherits;
            let by_tar = is_file && (account.is_root() || own_group && facts.mode <= 0o777);
            if !by_tar {
                settling.owners.insert(path.clone(), (facts.uid, facts.gid));
                if !is_link {
                    settling.modes.insert(path.clone(), facts.mode);
                }
            }
        }
        settling
    }

    /// Whether there is nothing to be set.
    pub(super) fn is_empty(&self) -> bool {
        self.owners.is_empty() && self.modes.is_empty() && self.times.is_empty()
    }

    /// The facts that the archive says of an entry.
    pub(super) fn meanwhile(&self, path: &ItemPath, entry: &Entry, facts: &Facts) -> Facts {
        let mut facts = facts.clone();
        if self.times.contains_key(path) {
            facts.mtime = 0;
        }
        if self.modes.contains_key(path) {
            // A folder has to be written in.
            facts.mode = if entry.is_dir() { facts.mode & 0o755 | 0o700 } else { facts.mode & 0o700 };
        }
        facts
    }

    /// The words that [`SETTLE`] reads. Owners come before modes: to change an owner takes special bits away.
    pub(super) fn lines(&self) -> Vec<Vec<u8>> {
        let owners = self.owners.iter().map(|(path, (uid, gid))| (path, 0, format!("o{uid}:{gid}")));
        let modes = self.modes.iter().map(|(path, mode)| (path, 1, format!("m{mode:o}")));
        let times = self.times.iter().map(|(path, seconds)| (path, 2, format!("t{seconds}")));
        let mut all: Vec<(&ItemPath, u8, String)> = owners.chain(modes).chain(times).collect();
        all.sort_by(|(a, a_step, a_word), (b, b_step, b_word)| {
            (Reverse(a.depth()), a_step, a_word).cmp(&(Reverse(b.depth()), b_step, b_word))
        });
        all.into_iter().map(|(path, _, word)| [word.as_bytes(), b" ", &path.dotted()].concat()).collect()
    }
}
