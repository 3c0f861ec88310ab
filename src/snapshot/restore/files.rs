//! Writing files: makes folders writable, removes what is too much, sends one `tar` stream.
//!
//! May use: `remote`, `store`, `walk`, and its siblings. Invariants: what is removed or replaced is
//! what the walk has just seen; an existing file is replaced, never written through; folders
//! get their modes and times last, deepest first; run again after an interruption, it ends
//! the same.

use super::super::attributes;
use super::super::error::{Result, SnapshotError};
use super::super::item::ItemPath;
use super::super::manifest::{Entry, Facts, Manifest};
use super::super::store::BlobReader;
use super::super::tarball::{Tarball, Zeros, holes_bytes};
use super::super::walk::{Account, Maker};
use super::super::{Phase, Progress, Source};
use super::settle::Settling;
use crate::remote::{Command, RawInput, Writer as Pipe};
use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;

const OPEN: &str = "exec xargs -0 -r chmod u+rwx --";
const REMOVE: &str = "exec xargs -0 -r rm -f --";
/// Empty folders. Never what lies in them: that was listed before, or is left out of snapshots, or is new. A folder in which
/// something lies stays; the second look says whether it may.
const REMOVE_FOLDERS: &str = r#"exec xargs -0 -r sh -c 's=0; rmdir -- "$@" 2>/dev/null
for p; do if [ -d "$p" ] && [ ! -L "$p" ] && [ -z "$(ls -A -- "$p")" ]; then rmdir -- "$p" || s=1; fi; done
exit "$s"' sh"#;
/// GNU tar unlinks an existing file and makes a new one. `-P`: links are made as they are; our
/// names are relative and checked. Folders get their facts when all else is done.
/// Owners are those that the account may set: see `goal`.
const WRITE: &str = "LC_ALL=C; export LC_ALL; umask 077
exec tar --delay-directory-restore --warning=no-timestamp --same-owner --numeric-owner -xpPf - >/dev/null";
/// So does BusyBox's tar, which makes links as they are too. Only for root (`$1`) it sets modes and owners.
const WRITE_BUSYBOX: &str = r#"LC_ALL=C; export LC_ALL
if [ "$1" = root ]; then umask 077; exec busybox tar -xf - >/dev/null; fi
umask 0; exec busybox tar -xof - >/dev/null"#;
const DOING: &str = "writing the site's files";
const WRITE_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
const REMOVE_TIMEOUT: Duration = Duration::from_secs(30 * 60);
const BUFFER_BYTES: usize = 256 << 10;

/// What one pass does to the files.
#[derive(Debug, Clone, Default)]
pub(super) struct FileWork {
    /// Folders of the present that the account can't write in yet.
    open: BTreeSet<ItemPath>,
    remove_files: BTreeSet<ItemPath>,
    remove_folders: BTreeSet<ItemPath>,
    /// Folders of the goal that get their facts.
    folders: BTreeSet<ItemPath>,
    /// Those of them that are not there yet, or only after something else was removed.
    new_folders: BTreeSet<ItemPath>,
    /// Files and links of the goal.
    send: BTreeSet<ItemPath>,
    /// What tar can't set, and is set afterwards.
    settling: Settling,
    /// What gives paths their attributes, when all else is done.
    attributes: Vec<Vec<u8>>,
    /// What is made anew and gets an access list.
    shut: BTreeSet<ItemPath>,
    /// The bytes of the files.
    pub(super) bytes: u64,
}

impl FileWork {
    /// The way from `present` to `goal` for those changed paths that `take` accepts.
    pub(super) fn plan(present: &Manifest, goal: &Manifest, changed: &[ItemPath], account: &Account) -> Self {
        let can_set = |facts: &Facts| account.can_set(facts);
        // Where holes are written, they need room.
        let spared = |content| if account.tools.tar == Maker::Gnu { holes_bytes(content) } else { 0 };
        let mut work = Self::default();
        for path in changed {
            let (before, after) = (present.path(path), goal.path(path));
            let other_kind = before.map(Entry::letter) != after.map(Entry::letter);
            let becomes_folder = after.is_some_and(Entry::is_dir);
            match before {
                Some(Entry::Dir { .. }) if other_kind => {
                    work.remove_folders.insert(path.clone());
                }
                Some(_) if other_kind => {
                    work.remove_files.insert(path.clone());
                }
                _ => {}
            }
            if becomes_folder {
                work.folders.insert(path.clone());
            } else if let Some(after) = after {
                work.bytes += after.content().map_or(0, |content| content.size - spared(content));
                work.send.insert(path.clone());
            }
            // Its folder is written in, unless only its own facts change.
            if (!becomes_folder || other_kind)
                && let Some(parent) = path.parent()
            {
                work.touch(present, goal, parent, can_set);
            }
        }
        work.folders.retain(|path| match present.path(path) {
            Some(Entry::Dir { facts }) => can_set(facts),
            _ => true,
        });
        let is_new = |path: &&ItemPath| !present.path(path).is_some_and(Entry::is_dir);
        if account.tools.tar == Maker::BusyBox {
            work.new_folders = work.folders.iter().filter(is_new).cloned().collect();
            work.settling = Settling::plan(present, goal, &work.folders, &work.send, account);
        }
        if account.tools.attributes.is_some() {
            work.attributes = work.attribute_words(present, goal);
            let has_list = |path: &&ItemPath| {
                goal.path(path).and_then(Entry::facts).is_some_and(|facts| facts.attributes.has_access_list())
            };
            let made = work.send.iter().chain(work.folders.iter().filter(is_new));
            work.shut = made.filter(has_list).cloned().collect();
        }
        work
    }

    /// For those paths that have attributes, shall have some, or get some from a folder above them when they
    /// are made.
    fn attribute_words(&self, present: &Manifest, goal: &Manifest) -> Vec<Vec<u8>> {
        let any = |manifest: &Manifest| manifest.paths().any(|(_, entry)| has_attributes(Some(entry)));
        if !any(present) && !any(goal) {
            return Vec::new();
        }
        let below = |path: &ItemPath| {
            let folders = std::iter::successors(path.parent(), ItemPath::parent);
            folders.into_iter().any(|folder| [present, goal].iter().any(|of| has_attributes(of.path(&folder))))
        };
        let concerned = self.folders.iter().chain(&self.send).filter_map(|path| {
            let facts = goal.path(path).filter(|entry| !matches!(entry, Entry::Link { .. }))?.facts()?;
            // A folder that stays keeps what it has; everything else is made anew.
            let stays =
                present.path(path).filter(|before| before.is_dir() && goal.path(path).is_some_and(Entry::is_dir));
            let before = stays.and_then(Entry::facts).map(|facts| &facts.attributes);
            let wanted = before.is_some() || facts.attributes.is_some() || below(path);
            (wanted && !facts.attributes.is_unknown()).then(|| attributes::words(path, before, &facts.attributes))
        });
        concerned.flatten().collect()
    }

    fn touch(&mut self, present: &Manifest, goal: &Manifest, folder: ItemPath, can_set: impl Fn(&Facts) -> bool) {
        if let Some(Entry::Dir { facts }) = present.path(&folder)
            && facts.mode & 0o300 != 0o300
            && can_set(facts)
        {
            self.open.insert(folder.clone());
        }
        if goal.path(&folder).is_some_and(Entry::is_dir) {
            self.folders.insert(folder);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.remove_files.is_empty()
            && self.remove_folders.is_empty()
            && self.folders.is_empty()
            && self.send.is_empty()
    }

    /// The folders of the present that are written in.
    pub(super) fn written_in(&self) -> impl Iterator<Item = ItemPath> {
        let all = self.remove_files.iter().chain(&self.remove_folders).chain(&self.send);
        let folders: BTreeSet<ItemPath> = all.filter_map(ItemPath::parent).collect();
        folders.into_iter()
    }
}

fn has_attributes(entry: Option<&Entry>) -> bool {
    entry.and_then(Entry::facts).is_some_and(|facts| facts.attributes.is_some())
}

/// Does the work; returns the bytes that were sent.
pub(super) async fn write_files(
    source: &Source,
    account: &Account,
    work: FileWork,
    goal: &Arc<Manifest>,
    blobs: BlobReader,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    if work.is_empty() {
        return Ok(0);
    }
    paths_command(source, OPEN, work.open.iter().map(ItemPath::dotted)).await?;
    let mut folders: Vec<&ItemPath> = work.remove_folders.iter().collect();
    folders.sort_by_key(|path| std::cmp::Reverse(path.depth()));
    paths_command(source, REMOVE, work.remove_files.iter().map(ItemPath::dotted)).await?;
    paths_command(source, REMOVE_FOLDERS, folders.into_iter().map(ItemPath::dotted)).await?;
    let (settling, attributes) = (work.settling.lines(), work.attributes.clone());
    // An empty archive is an error to BusyBox.
    let nothing = account.tools.tar == Maker::BusyBox && work.new_folders.is_empty() && work.send.is_empty();
    let sent = if nothing { 0 } else { send(source, account, work, goal, blobs, progress).await? };
    paths_command(source, super::settle::SETTLE, settling.into_iter()).await?;
    if let Some(tool) = account.tools.attributes {
        paths_command(source, attributes::writer(tool), attributes.into_iter()).await?;
    }
    Ok(sent)
}

/// Runs a command that reads these, each ended by NUL.
async fn paths_command(source: &Source, script: &'static str, words: impl Iterator<Item = Vec<u8>>) -> Result<()> {
    let mut list = Vec::new();
    for word in words {
        list.extend_from_slice(&word);
        list.push(0);
    }
    if list.is_empty() {
        return Ok(());
    }
    let host = source.shell.host();
    let command =
        Command::script(script, [""; 0]).in_folder(&source.root).reading(RawInput::Bytes(list)).within(REMOVE_TIMEOUT);
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    if output.ok() {
        return Ok(());
    }
    Err(SnapshotError::Host {
        host: host.to_owned(),
        doing: DOING,
        detail: format!("{}; prepare the restore again and repeat it", output.tail()),
    })
}

async fn send(
    source: &Source,
    account: &Account,
    work: FileWork,
    goal: &Arc<Manifest>,
    blobs: BlobReader,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    let host = source.shell.host();
    let command = match account.tools.tar {
        Maker::Gnu => Command::script(WRITE, [""; 0]),
        Maker::BusyBox => Command::script(WRITE_BUSYBOX, [if account.is_root() { "root" } else { "" }]),
    };
    let command = command.in_folder(&source.root).reading(RawInput::Pipe).within(WRITE_TIMEOUT);
    let started = source.shell.start(&command).await;
    let mut process = started.map_err(SnapshotError::remote(host, DOING))?;
    let stdin: Pipe = process.stdin.take().unwrap_or_else(|| Box::pin(tokio::io::sink()));
    let (goal, listener, tar) = (goal.clone(), progress.clone(), account.tools.tar);
    let sending = tokio::task::spawn_blocking(move || {
        let out = BufWriter::with_capacity(BUFFER_BYTES, SyncIoBridge::new(stdin));
        let mut tarball = match tar {
            Maker::Gnu => Tarball::new(out, blobs, Zeros::Holes),
            Maker::BusyBox => Tarball::simple(out, blobs),
        };
        let written = write_all(&mut tarball, &work, &goal, &*listener);
        let (sent, failed) = (tarball.sent, tarball.failed.take());
        let ended = written.and_then(|()| tarball.finish()).and_then(|out| {
            let mut bridge = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            bridge.shutdown()
        });
        (ended, sent, failed)
    });
    let sent = sending.await;
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    let (ended, bytes, failed) = sent.map_err(|_| SnapshotError::Worker { doing: "sending files" })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let says = |detail: String| SnapshotError::Host { host: host.to_owned(), doing: DOING, detail };
    match output.status {
        0 => {}
        status => {
            let tail = output.tail();
            return Err(says(format!("tar ended with status {status}: {tail}; repair that and repeat the restore")));
        }
    }
    ended.map_err(|error| says(format!("{error}; repeat the restore")))?;
    Ok(bytes)
}

fn write_all(
    tarball: &mut Tarball<impl Write>,
    work: &FileWork,
    goal: &Manifest,
    progress: &dyn Progress,
) -> io::Result<()> {
    // Files in the order in which they lie in packs, so that each frame is unpacked once.
    let mut order: Vec<&ItemPath> = work.send.iter().collect();
    order.sort_by_cached_key(|path| {
        let chunk = goal.path(path)?.content()?.chunks.first()?;
        tarball.blobs.place(&chunk.digest)
    });
    let (of, mut done) = (order.len() as u64, 0);
    // Folders that are there already keep their facts until all else is done.
    let folders = if work.settling.is_empty() { &work.folders } else { &work.new_folders };
    for path in folders.iter().chain(order) {
        if let Some((entry, facts)) = goal.path(path).and_then(|entry| Some((entry, entry.facts()?))) {
            let mut facts = work.settling.meanwhile(path, entry, facts);
            // Until its access list is set, the owning group has no rights that only the list's mask has.
            if work.shut.contains(path) {
                facts.mode &= !0o070;
            }
            tarball.entry_with(&path.dotted(), entry, &facts)?;
        }
        done += 1;
        if done % 200 == 0 {
            progress.at(Phase::Writing, done.min(of), of, tarball.sent);
        }
    }
    progress.at(Phase::Writing, of, of, tarball.sent);
    Ok(())
}
