//! Restore: prepare (capture the present, diff, check room and rights), then apply.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: `apply` needs a `Prepared`, which
//! only exists when the present state is itself a committed snapshot; idempotent; ends with a
//! second walk and dump whose diff must be empty.

mod files;
mod goal;
mod settle;

use super::capture::{CaptureRequest, Captured, joined, take};
use super::database::{Import, import};
use super::diff::{Aspect, Change, Diff, diff};
use super::error::{Result, SnapshotError};
use super::item::{Item, ItemPath, ObjectName};
use super::manifest::{Content, Entry, Manifest};
use super::store::{BlobReader, Reading, SnapshotName, Store};
use super::verify::verify_snapshot;
use super::walk::Account;
use super::{Phase, Progress, Source};
use crate::model::{SiteName, clean_line};
use crate::remote::{Command, RawInput};
use files::{FileWork, write_files};
use goal::Goal;
use jiff::Timestamp;
use std::sync::Arc;

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
}

/// A restore that can be applied: the present state is kept in the store.
pub struct Prepared {
    source: Source,
    store: Arc<Store>,
    request: RestoreRequest,
    target: Arc<Manifest>,
    before: Captured,
    goal: Arc<Manifest>,
    diff: Diff,
    left: Diff,
    account: Account,
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
    let (reading, target) = load(store, &source.site, &request.target).await?;
    let source = Source {
        // What the target left out can't be compared with it, whatever the plan says today.
        exclude: target.header.exclude.clone(),
        ..source.clone()
    };
    let wants_objects = target.objects().next().is_some()
        && (request.only.is_empty() || request.only.iter().any(|only| matches!(only, Only::Object(_))));
    if wants_objects && source.database.is_none() {
        return Err(SnapshotError::NoDatabase { site: source.site, name: request.target.to_string() });
    }
    let capture = CaptureRequest { now: request.now, tolerate_unreadable: true };
    let at_hand = Some((request.target.clone(), target.clone()));
    let taken = take(&source, store, &capture, at_hand, progress).await?;
    let account = taken.account.clone();
    let before = taken.commit(progress).await?;
    let Goal { manifest: goal, left } = goal::goal(&before.manifest, &target, &request.only, &account);
    let diff = diff(&before.manifest, &goal);
    let mut prepared = Prepared {
        source,
        store: store.clone(),
        request,
        target,
        before,
        goal: Arc::new(goal),
        diff,
        left,
        account,
        bytes: 0,
        _reading: reading,
    };
    prepared.check().await?;
    Ok(prepared)
}

async fn load(store: &Arc<Store>, site: &SiteName, name: &SnapshotName) -> Result<(Arc<Reading>, Arc<Manifest>)> {
    let (store, site, name) = (store.clone(), site.clone(), name.clone());
    joined(tokio::task::spawn_blocking(move || Ok((store.reading()?, Arc::new(store.load(&site, &name)?)))).await)
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
        &self.diff
    }

    /// Bytes that will be sent to the host.
    pub fn bytes(&self) -> u64 {
        self.bytes
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
    pub async fn apply(self, progress: &Arc<dyn Progress>) -> Result<Restored> {
        let sent = match self.send(progress).await {
            Err(error @ SnapshotError::Damaged { .. }) => return Err(self.hurt(error, progress).await),
            other => other?,
        };
        let left = self.prove(progress).await?;
        Ok(Restored { before: self.before.name.clone(), undone: self.diff, left, bytes_sent: sent })
    }

    /// Says which items of the target are hurt.
    async fn hurt(&self, error: SnapshotError, progress: &Arc<dyn Progress>) -> SnapshotError {
        let (site, name) = (&self.source.site, &self.request.target);
        let verified = verify_snapshot(&self.store, site, name, progress).await;
        let Some(hurt) = verified.ok().and_then(|mut verified| verified.hurt.pop()) else {
            return error;
        };
        let detail = format!("{} items can't be read, among them {}", hurt.count, shown(&hurt.items));
        SnapshotError::HurtMidway { site: site.clone(), name: name.clone(), before: self.before.name.clone(), detail }
    }

    async fn send(&self, progress: &Arc<dyn Progress>) -> Result<u64> {
        let (first, last) = self.file_work();
        let mut sent =
            write_files(&self.source, &self.account, first, &self.goal, self.blobs().await?, progress).await?;
        let import_work = self.import_work();
        if let Some(access) = self.source.database.as_ref().filter(|_| !import_work.is_empty()) {
            sent += import(&self.source, access, import_work, self.blobs().await?, progress).await?;
        }
        sent += write_files(&self.source, &self.account, last, &self.goal, self.blobs().await?, progress).await?;
        Ok(sent)
    }

    /// Walks and dumps again and compares with the goal; returns what had to stay different.
    async fn prove(&self, progress: &Arc<dyn Progress>) -> Result<Diff> {
        progress.at(Phase::Comparing, 0, 1, 0);
        let request = CaptureRequest { now: self.request.now, tolerate_unreadable: true };
        let at_hand = Some((self.before.name.clone(), self.before.manifest.clone()));
        let now = take(&self.source, &self.store, &request, at_hand, progress).await?;
        let remaining = diff(&now.manifest, &self.goal);
        // Only root sets owners, and keeps the setgid bit of a group that it is not in; a foreign
        // folder's time changes when something in it does; BusyBox sets times to the second.
        let must_match = |item: &Item, change: &Change| {
            let (Item::Path(path), Change::Changed(aspects)) = (item, change) else {
                return true;
            };
            let (Some(found), Some(wanted)) = (now.manifest.path(path), self.goal.path(path)) else {
                return true;
            };
            let (Some(now), Some(goal)) = (found.facts(), wanted.facts()) else {
                return true;
            };
            let setgid_lost = now.mode | 0o2000 == goal.mode && !self.account.groups.contains(&now.gid);
            let allowed = |aspect: &Aspect| match aspect {
                Aspect::Mtime if self.account.tools.is_near(now.mtime, goal.mtime) => true,
                _ if self.account.is_root() => false,
                Aspect::Owner => true,
                Aspect::Mtime => goal.uid != self.account.uid && wanted.is_dir(),
                Aspect::Mode => setgid_lost,
                _ => false,
            };
            !aspects.iter().all(allowed)
        };
        let wrong = remaining.clone().retain(must_match);
        if !wrong.is_empty() {
            return Err(SnapshotError::StillDiffers {
                site: self.source.site.clone(),
                host: self.source.shell.host().to_owned(),
                name: self.request.target.to_string(),
                differences: wrong.to_string(),
            });
        }
        progress.at(Phase::Comparing, 1, 1, 0);
        let mut left = self.left.clone();
        left.changes.extend(remaining.changes);
        left.changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        left.changes.dedup_by(|(a, _), (b, _)| a == b);
        Ok(left)
    }

    async fn blobs(&self) -> Result<BlobReader> {
        let store = self.store.clone();
        joined(tokio::task::spawn_blocking(move || store.blobs()).await)
    }

    /// The files of the first pass, and those that come last.
    fn file_work(&self) -> (FileWork, FileWork) {
        let changed = self.diff.changes.iter().filter_map(|(item, _)| match item {
            Item::Path(path) => Some(path.clone()),
            Item::Object(_) => None,
        });
        let is_last = |path: &ItemPath| self.request.last.iter().any(|last| path.is_within(last));
        let (last, first): (Vec<_>, Vec<_>) = changed.partition(is_last);
        let plan = |changed: &[ItemPath]| FileWork::plan(&self.before.manifest, &self.goal, changed, &self.account);
        (plan(&first), plan(&last))
    }

    fn import_work(&self) -> Import {
        let mut work = Import::default();
        for (item, _) in &self.diff.changes {
            let Item::Object(object) = item else { continue };
            match self.goal.entries.get(item).and_then(Entry::content) {
                Some(content) => work.make.push((object.clone(), content.clone())),
                None => work.drop.push(object.clone()),
            }
        }
        work
    }

    /// Bytes, room and rights.
    async fn check(&mut self) -> Result<()> {
        let blobs = self.blobs().await?;
        let hurt = |(item, content): &(&Item, &Content)| {
            let missing = content
                .chunks
                .iter()
                .any(|chunk| blobs.place(&chunk.digest).is_none_or(|place| place.size() != chunk.size));
            missing.then(|| item.to_string())
        };
        let needed =
            self.diff.changes.iter().filter_map(|(item, _)| Some((item, self.goal.entries.get(item)?.content()?)));
        let needed: Vec<(&Item, &Content)> = needed.collect();
        let hurt: Vec<String> = needed.iter().filter_map(hurt).collect();
        if !hurt.is_empty() {
            return Err(SnapshotError::Hurt {
                site: self.source.site.clone(),
                name: self.request.target.clone(),
                detail: format!("{} items can't be read, among them {}", hurt.len(), shown(&hurt)),
            });
        }
        let (first, last) = self.file_work();
        let file_bytes = first.bytes + last.bytes;
        let sql_bytes: u64 = self.import_work().make.iter().map(|(_, content)| content.size).sum();
        self.check_room(file_bytes).await?;
        self.check_rights(&[first, last]).await?;
        self.bytes = file_bytes + sql_bytes;
        Ok(())
    }

    async fn check_room(&self, bytes: u64) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        const DOING: &str = "looking for room";
        let host = self.source.shell.host();
        let command = Command::script(FREE, [""; 0]).in_folder(&self.source.root);
        let output = self.source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
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
        if self.account.is_root() {
            return Ok(());
        }
        const DOING: &str = "looking at permissions";
        let host = self.source.shell.host();
        let foreign = |path: &ItemPath| match self.before.manifest.path(path) {
            Some(Entry::Dir { facts }) => facts.uid != self.account.uid,
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
            Command::script(NOT_WRITABLE, [""; 0]).in_folder(&self.source.root).reading(RawInput::Bytes(list));
        let output = self.source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
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
