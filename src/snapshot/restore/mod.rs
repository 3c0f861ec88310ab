//! Restore: prepare (capture the present, diff, check room and rights), then apply.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: `apply` needs a `Prepared`, which
//! only exists when the present state is itself a committed snapshot, and the rows that visitors
//! wrote since the target are kept in files; idempotent; ends with a second walk and dump whose
//! diff from the target, with the rows that were put back, must be empty.

mod compare;
mod evidence;
mod files;
mod found;
mod goal;
mod putback;
mod rehearse;
mod settle;
mod visitors;
mod work;

pub use found::{LeftReason, Rows, TableRows};
pub use rehearse::{Proof, RehearseRequest, Rehearsed, rehearsal_room, rehearse, small_file};
pub use visitors::KeepRows;

use super::capture::{CaptureRequest, Captured, joined, take};
use super::database::{DatabaseAccess, Engine};
use super::diff::Diff;
use super::error::{Result, SnapshotError};
use super::item::{Item, ItemPath, ObjectName};
use super::manifest::{Entry, Header, Manifest};
use super::store::{Reading, SnapshotName, Store};
use super::verify::verify_snapshot;
use super::{Progress, Source};
use crate::model::{SiteName, clean_line};
use crate::remote::{Command, RawInput};
use files::FileWork;
use jiff::Timestamp;
use std::sync::Arc;
use visitors::Found;
use work::Work;

/// What a restore is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Only {
    /// This path and what lies below it.
    Path(ItemPath),
    /// This database object.
    Object(ObjectName),
}

/// How a restore is done.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// Now, by the runner's clock.
    pub now: Timestamp,
    /// Which snapshot.
    pub target: SnapshotName,
    /// Nothing else than these; empty: everything.
    pub only: Vec<Only>,
    /// Paths that are put in order at the very end, after the database: `.maintenance`.
    pub last: Vec<ItemPath>,
    /// How rows that visitors wrote since are kept; none: the tables are put back as they were.
    pub rows: Option<KeepRows>,
}

/// A restore that can be applied: the present state is kept in the store.
pub struct Prepared {
    work: Work,
    request: RestoreRequest,
    target: Arc<Manifest>,
    before: Captured,
    found: Option<Found>,
    bytes: u64,
    /// The target's bytes stay in the store, also if its snapshot is dropped meanwhile.
    _reading: Arc<Reading>,
}

/// A restore that was applied and proven.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The snapshot that was taken before anything was overwritten.
    pub before: SnapshotName,
    /// What was undone: from the state before to the state now.
    pub undone: Diff,
    /// Differences that remain because the account may not set them (owners, folders of others).
    pub left: Diff,
    /// Bytes that were sent.
    pub bytes_sent: u64,
    /// What became of visitors' rows, where they were looked for.
    pub rows: Option<Rows>,
}

/// Captures the present state, compares it with the target, checks room and rights on the host
/// and that every needed byte is in the store. Changes nothing on the site.
///
/// # Errors
/// Everything that would stop the restore halfway, as far as it can be known.
pub async fn prepare(
    source: &Source,
    store: &Arc<Store>,
    request: RestoreRequest,
    progress: &Arc<dyn Progress>,
) -> Result<Prepared> {
    let header = head(store, &source.site, &request.target).await?;
    // What the target left out can't be compared with it, whatever the plan says today; and the database's own files
    // are never written as files, whatever they were when the target was taken.
    let mut exclude = header.exclude.clone();
    let own = source.database.iter().flat_map(|access| access.files_below(&source.root));
    exclude.extend(own.filter(|pattern| !header.exclude.contains(pattern)));
    let source = Source { exclude, ..source.clone() };
    let capture = CaptureRequest { now: request.now, tolerate_unreadable: true };
    // While the host walks, the target is read.
    let mut loaded = None;
    let at_hand = async {
        let (reading, target) = load(store, &source.site, &request.target).await?;
        if target.header != header {
            return Err(SnapshotError::damaged(request.target.to_string(), "its manifest changed while it was read"));
        }
        let wants_objects = wants_objects(&source, &request, &target)?;
        loaded = Some((reading, target.clone(), wants_objects));
        Ok(Some((request.target.clone(), target)))
    };
    let taken = take(&source, store, &capture, at_hand, progress).await?;
    let account = taken.account.clone();
    let before = taken.commit(progress).await?;
    let (reading, target, wants_objects) = loaded.ok_or(SnapshotError::Worker { doing: "reading a snapshot" })?;
    let found = match wants_objects {
        true => look_for_rows(&source, store, &request, &target, &before).await?,
        false => None,
    };
    let work = Work::new(source, store, before.manifest.clone(), &target, &request.only, account);
    let mut prepared = Prepared { work, request, target, before, found, bytes: 0, _reading: reading };
    prepared.check(progress).await?;
    Ok(prepared)
}

/// Whether database objects are to be restored, and whether they can be.
fn wants_objects(source: &Source, request: &RestoreRequest, target: &Manifest) -> Result<bool> {
    let wants_objects = target.objects().next().is_some()
        && (request.only.is_empty() || request.only.iter().any(|only| matches!(only, Only::Object(_))));
    if !wants_objects {
        return Ok(false);
    }
    let site = source.site.clone();
    let Some(access) = &source.database else {
        return Err(SnapshotError::NoDatabase { site, name: request.target.to_string() });
    };
    same_engine(&site, &request.target, target, access)?;
    if !access.engine.restores_parts() && !request.only.is_empty() {
        return Err(SnapshotError::WholeOnly { site, engine: access.engine.name() });
    }
    Ok(true)
}

/// One engine's objects are nothing to another.
fn same_engine(site: &SiteName, name: &SnapshotName, target: &Manifest, access: &DatabaseAccess) -> Result<()> {
    let facts = target.header.database.as_ref();
    if Engine::of(facts) == Some(access.engine) {
        return Ok(());
    }
    let found = facts.map_or_else(String::new, |facts| clean_line(&facts.engine, 40));
    let wanted = access.engine.word();
    Err(SnapshotError::OtherEngine { site: site.clone(), name: name.to_string(), found, wanted })
}

/// Looks for rows that visitors wrote since the target, in the state before and in those that earlier
/// tries have overwritten.
async fn look_for_rows(
    source: &Source,
    store: &Arc<Store>,
    request: &RestoreRequest,
    target: &Arc<Manifest>,
    before: &Captured,
) -> Result<Option<Found>> {
    let access = source.database.as_ref().filter(|access| access.engine.keeps_rows());
    let protect = access.and_then(|access| access.protect.clone());
    let (Some(keep), Some(protect)) = (request.rows.clone(), protect) else {
        return Ok(None);
    };
    let (mut states, mut unread) = (Vec::new(), Vec::new());
    for name in keep.earlier.iter().filter(|name| **name != before.name) {
        match load(store, &source.site, name).await {
            Ok((_, manifest)) => states.push((name.clone(), manifest)),
            Err(error) => unread.push(clean_line(&format!("snapshot {name} of an earlier try: {error}"), 300)),
        }
    }
    states.push((before.name.clone(), before.manifest.clone()));
    let (store, name, target, only) = (store.clone(), request.target.clone(), target.clone(), request.only.clone());
    let (put_back, folder) = (keep.put_back, keep.folder.clone());
    let finding = tokio::task::spawn_blocking(move || {
        visitors::find(&keep, &protect, (&name, &target), &states, &only, &mut store.blobs()?)
    });
    let mut found = match joined(finding.await) {
        // Their snapshots have them. A site that works comes first.
        Err(error @ SnapshotError::Evidence { .. }) if !put_back => Found::nothing(&folder, &error),
        found => found?,
    };
    unread.append(&mut found.unread);
    found.unread = unread;
    Ok(Some(found))
}

async fn head(store: &Arc<Store>, site: &SiteName, name: &SnapshotName) -> Result<Header> {
    let (store, site, name) = (store.clone(), site.clone(), name.clone());
    joined(tokio::task::spawn_blocking(move || store.header(&site, &name)).await)
}

async fn load(store: &Arc<Store>, site: &SiteName, name: &SnapshotName) -> Result<(Arc<Reading>, Arc<Manifest>)> {
    let (store, site, name) = (store.clone(), site.clone(), name.clone());
    let work = move || {
        let (reading, manifest) = (store.reading()?, store.load(&site, &name)?);
        // Before anything is done: what can't be read to the end is not begun.
        store.check_locked(&store.blobs()?, &manifest)?;
        Ok((reading, Arc::new(manifest)))
    };
    joined(tokio::task::spawn_blocking(work).await)
}

/// Prints the free kilobytes of the filesystem that holds the root, as POSIX has it.
const FREE: &str = "LC_ALL=C; export LC_ALL; exec df -Pk .";
/// Reads NUL-separated folders; prints those that the account can't write in.
const NOT_WRITABLE: &str =
    r#"exec xargs -0 -r sh -c 'for p; do [ -w "$p" ] && [ -x "$p" ] || printf "%s\0" "$p"; done' sh"#;
/// Room that must stay free besides the bytes that are sent.
const ROOM_BYTES: u64 = 16 << 20;
/// How many items an error names.
const SHOWN: usize = 5;

impl Prepared {
    /// The snapshot of the present state, which the restore will overwrite.
    pub fn before(&self) -> &Captured {
        &self.before
    }

    /// What will change on the site: from the present state to the target. What it lists as
    /// removed or changed is what will be lost (and is kept in [`Prepared::before`]).
    pub fn diff(&self) -> &Diff {
        &self.work.diff
    }

    /// Bytes that will be sent to the host.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Rows that visitors wrote since the target, where they were looked for.
    pub fn rows(&self) -> Option<Rows> {
        self.found.as_ref().map(Found::rows)
    }

    /// The target.
    pub fn target(&self) -> &Manifest {
        &self.target
    }

    /// Restores, then walks and dumps again.
    ///
    /// # Errors
    /// [`super::SnapshotError::StillDiffers`] when the site is not what it should be afterwards.
    /// After any error, prepare and apply again: it ends at the same place.
    pub async fn apply(mut self, progress: &Arc<dyn Progress>) -> Result<Restored> {
        let sent = match self.send(progress).await {
            Err(error @ SnapshotError::Damaged { .. }) => return Err(self.hurt(error, progress).await),
            other => other?,
        };
        let (sent, left) = match self.finish(sent, progress).await {
            Err(error @ SnapshotError::Damaged { .. }) => return Err(self.hurt(error, progress).await),
            other => other?,
        };
        let rows = self.rows();
        Ok(Restored { before: self.before.name.clone(), undone: self.work.diff, left, bytes_sent: sent, rows })
    }

    /// Says which items of the target are hurt.
    async fn hurt(&self, error: SnapshotError, progress: &Arc<dyn Progress>) -> SnapshotError {
        let (site, name) = (&self.work.source.site, &self.request.target);
        let verified = verify_snapshot(&self.work.store, site, name, progress).await;
        let Some(hurt) = verified.ok().and_then(|mut verified| verified.hurt.pop()) else {
            return error;
        };
        let detail = format!("{} items can't be read, among them {}", hurt.count, shown(&hurt.items));
        SnapshotError::HurtMidway { site: site.clone(), name: name.clone(), before: self.before.name.clone(), detail }
    }

    /// Sends all but what comes last.
    async fn send(&mut self, progress: &Arc<dyn Progress>) -> Result<u64> {
        let (first, _) = self.work.file_work(&self.request.last);
        let mut sent = self.work.send_files(first, progress).await?;
        let put_back = self.request.rows.as_ref().is_some_and(|keep| keep.put_back);
        if let Some(found) = self.found.as_ref().filter(|_| put_back) {
            found.hold_back(&mut self.work);
        }
        sent += self.work.send_objects(progress).await?;
        match &mut self.found {
            Some(found) if put_back => found.put_back(&mut self.work, progress).await?,
            Some(found) => found.give_up(),
            None => {}
        }
        Ok(sent)
    }

    /// Proves what was sent, and sends what comes last. What keeps visitors out goes only when all else is
    /// proven: from then on they write again.
    async fn finish(&self, sent: u64, progress: &Arc<dyn Progress>) -> Result<(u64, Diff)> {
        let is_last = |path: &ItemPath| self.request.last.iter().any(|last| path.is_within(last));
        let changed = self.work.diff.changes.iter().filter_map(|(item, _)| match item {
            Item::Path(path) => Some(path),
            Item::Object(_) => None,
        });
        let gone: Vec<&ItemPath> = changed.filter(|path| is_last(path)).collect();
        let only_removed = gone.iter().all(|path| self.work.goal.path(path).is_none());
        let (_, last) = self.work.file_work(&self.request.last);
        if gone.is_empty() || !only_removed {
            let sent = sent + self.work.send_files(last, progress).await?;
            return Ok((sent, self.prove(progress, |_| true).await?));
        }
        let left = self.prove(progress, |item| !matches!(item, Item::Path(path) if is_last(path))).await?;
        let sent = sent + self.work.send_files(last, progress).await?;
        let wrong = self.work.look_at_removed(&gone).await?;
        if wrong.is_empty() { Ok((sent, left)) } else { Err(self.still_differs(&wrong)) }
    }

    /// Walks and dumps again and compares these items with the goal; returns what had to stay different.
    async fn prove(&self, progress: &Arc<dyn Progress>, these: impl Fn(&Item) -> bool) -> Result<Diff> {
        let at_hand = Some((self.before.name.clone(), self.before.manifest.clone()));
        let found = self.work.look(at_hand, self.request.now, progress).await?;
        let wrong = found.wrong.retain(|item, _| these(item));
        if wrong.is_empty() { Ok(found.left) } else { Err(self.still_differs(&wrong)) }
    }

    fn still_differs(&self, wrong: &Diff) -> SnapshotError {
        let source = &self.work.source;
        SnapshotError::StillDiffers {
            site: source.site.clone(),
            host: source.shell.host().to_owned(),
            name: self.request.target.to_string(),
            differences: wrong.to_string(),
        }
    }

    /// Bytes, room and rights.
    async fn check(&mut self, progress: &Arc<dyn Progress>) -> Result<()> {
        let [hurt, lost] = self.work.hurt(progress).await?;
        let site = || self.work.source.site.clone();
        let detail = |items: &[String]| format!("{} items can't be read, among them {}", items.len(), shown(items));
        if !hurt.is_empty() {
            return Err(SnapshotError::Hurt { site: site(), name: self.request.target.clone(), detail: detail(&hurt) });
        }
        if !lost.is_empty() {
            let name = self.before.name.clone();
            return Err(SnapshotError::NotKept { site: site(), name, detail: detail(&lost) });
        }
        let (first, last) = self.work.file_work(&self.request.last);
        let file_bytes = first.bytes + last.bytes;
        let sql_bytes: u64 = self.work.import_work().make.iter().map(|(_, content)| content.size).sum();
        let work = [first, last];
        tokio::try_join!(self.check_room(file_bytes), self.check_rights(&work))?;
        self.bytes = file_bytes + sql_bytes;
        Ok(())
    }

    async fn check_room(&self, bytes: u64) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        const DOING: &str = "looking for room";
        let host = self.work.source.shell.host();
        let command = Command::script(FREE, [""; 0]).in_folder(&self.work.source.root);
        let output = self.work.source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
        let text = output.text().into_owned();
        let free = text
            .lines()
            .last()
            .and_then(|line| line.split_whitespace().nth(3))
            .and_then(|word| word.parse::<u64>().ok());
        let free = free.ok_or_else(|| SnapshotError::Host {
            host: host.to_owned(),
            doing: DOING,
            detail: format!("df says: {}", output.tail()),
        })?;
        let (free, needed) = (free.saturating_mul(1024), bytes + ROOM_BYTES);
        if free < needed {
            return Err(SnapshotError::NoRoom { host: host.to_owned(), free, needed });
        }
        Ok(())
    }

    /// Folders of others that are written in must be writable.
    async fn check_rights(&self, work: &[FileWork]) -> Result<()> {
        if self.work.account.is_root() {
            return Ok(());
        }
        const DOING: &str = "looking at permissions";
        let host = self.work.source.shell.host();
        let foreign = |path: &ItemPath| match self.before.manifest.path(path) {
            Some(Entry::Dir { facts }) => facts.uid != self.work.account.uid,
            _ => false,
        };
        let mut list = Vec::new();
        for path in work.iter().flat_map(FileWork::written_in).filter(foreign) {
            list.extend_from_slice(&path.dotted());
            list.push(0);
        }
        if list.is_empty() {
            return Ok(());
        }
        let command =
            Command::script(NOT_WRITABLE, [""; 0]).in_folder(&self.work.source.root).reading(RawInput::Bytes(list));
        let output = self.work.source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
        let refused = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        let refused: Vec<String> = refused.map(|path| clean_line(&String::from_utf8_lossy(path), 200)).collect();
        if refused.is_empty() {
            return Ok(());
        }
        Err(SnapshotError::NotWritable { host: host.to_owned(), count: refused.len(), examples: shown(&refused) })
    }
}

fn shown(names: &[String]) -> String {
    names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ")
}
