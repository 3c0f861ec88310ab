//! The way from a state to a goal: what has to be sent, sending it, and looking whether it is there.
//!
//! May use: `model`, and its siblings. Invariants: it is not known here whether the state is a site
//! or a scratch folder; who makes a [`Work`] answers for what is overwritten.

use super::super::capture::{CaptureRequest, Previous, joined, take};
use super::super::database::{Import, Portion, import};
use super::super::diff::{Aspect, Change, Diff, diff};
use super::super::error::Result;
use super::super::item::{Item, ItemPath, ObjectKind, ObjectName};
use super::super::manifest::{Content, Entry, Manifest};
use super::super::store::{BlobReader, Store};
use super::super::verify::hurt_among;
use super::super::walk::{Account, look_again};
use super::super::{Phase, Progress, Source};
use super::Only;
use super::files::{FileWork, write_files};
use super::goal::{self, Goal};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A state, a goal, and the difference.
pub(super) struct Work {
    pub(super) source: Source,
    pub(super) store: Arc<Store>,
    pub(super) present: Arc<Manifest>,
    pub(super) goal: Arc<Manifest>,
    pub(super) diff: Diff,
    /// What the account can't set, and what the goal leaves alone.
    pub(super) left: Diff,
    pub(super) account: Account,
    /// Something of ours that lies in the state and is no part of it.
    pub(super) aside: Option<Item>,
    /// Whether other programs wrote the target's definitions than will be asked now: they may spell them otherwise.
    respelled: bool,
    /// Tables that are made anew in any case, and at first only so many bytes of their SQL.
    pub(super) held_back: BTreeMap<ObjectName, (Content, u64)>,
}

/// What a second look found.
pub(super) struct Compared {
    /// What is not as it should be.
    pub(super) wrong: Diff,
    /// What had to stay different.
    pub(super) left: Diff,
}

impl Work {
    /// The way from `present` to `target`, as far as `account` can go it.
    pub(super) fn new(
        source: Source,
        store: &Arc<Store>,
        present: Arc<Manifest>,
        target: &Manifest,
        only: &[Only],
        account: Account,
    ) -> Self {
        let own = source.database.as_ref().map_or_else(Vec::new, |access| access.paths_below(&source.root));
        let Goal { manifest: goal, mut left } = goal::goal(&present, target, only, &account, &own);
        let diff = diff(&present, &goal);
        // A database's file that is made anew: no snapshot knows whose it was.
        let made = |item: &&Item| matches!(item, Item::Object(object) if object.kind() == ObjectKind::DatabaseFile);
        let made = diff.changes.iter().map(|(item, _)| item).filter(made);
        let made = made.filter(|item| !present.entries.contains_key(item) && goal.entries.contains_key(item));
        left.changes.extend(made.map(|item| (item.clone(), Change::Changed(vec![Aspect::Mode, Aspect::Owner]))));
        let by = |manifest: &Manifest| {
            let facts = manifest.header.database.as_ref();
            facts.map(|facts| (facts.server.clone(), facts.dumped_by.clone()))
        };
        let respelled = by(&present) != by(target);
        let (store, goal) = (store.clone(), Arc::new(goal));
        Self { source, store, present, goal, diff, left, account, aside: None, respelled, held_back: BTreeMap::new() }
    }

    pub(super) async fn blobs(&self) -> Result<BlobReader> {
        let store = self.store.clone();
        joined(tokio::task::spawn_blocking(move || store.blobs()).await)
    }

    /// What has to be sent.
    fn sent(&self) -> impl Iterator<Item = (&Item, &Content)> {
        self.diff.changes.iter().filter_map(|(item, _)| Some((item, self.goal.entry(item)?.content()?)))
    }

    /// What will be overwritten or removed.
    fn overwritten(&self) -> impl Iterator<Item = (&Item, &Content)> {
        let content = |manifest: &Manifest, item: &Item| manifest.entry(item).and_then(Entry::content).cloned();
        let goes = move |item: &&Item| content(&self.present, item) != content(&self.goal, item);
        let items = self.diff.changes.iter().map(|(item, _)| item).filter(goes);
        items.filter_map(|item| Some((item, self.present.entry(item)?.content()?)))
    }

    /// Items that have to be sent and are not in the store with all their bytes.
    pub(super) fn missing(&self, blobs: &BlobReader) -> Vec<String> {
        let hurt = |(item, content): (&Item, &Content)| {
            let missing = content
                .chunks
                .iter()
                .any(|chunk| blobs.place(&chunk.digest).is_none_or(|place| place.size() != chunk.size));
            missing.then(|| item.to_string())
        };
        self.sent().filter_map(hurt).collect()
    }

    /// Items that can't be read from the store, every byte of them: those that have to be sent, and those
    /// that will be overwritten or removed.
    pub(super) async fn hurt(&self, progress: &Arc<dyn Progress>) -> Result<[Vec<String>; 2]> {
        let owned = |(item, content): (&Item, &Content)| (item.clone(), content.clone());
        let lists = [self.sent().map(owned).collect::<Vec<_>>(), self.overwritten().map(owned).collect()];
        let (store, progress) = (self.store.clone(), progress.clone());
        let read = move || {
            let mut blobs = store.blobs()?;
            let [sent, overwritten] = lists.map(|items| hurt_among(&items, &mut blobs, &*progress));
            Ok([sent?, overwritten?])
        };
        joined(tokio::task::spawn_blocking(read).await)
    }

    /// The files of the first pass, and those that come last.
    pub(super) fn file_work(&self, last: &[ItemPath]) -> (FileWork, FileWork) {
        let changed = self.diff.changes.iter().filter_map(|(item, _)| match item {
            Item::Path(path) => Some(path.clone()),
            Item::Object(_) => None,
        });
        let is_last = |path: &ItemPath| last.iter().any(|last| path.is_within(last));
        let (last, first): (Vec<_>, Vec<_>) = changed.partition(is_last);
        let plan = |changed: &[ItemPath]| FileWork::plan(&self.present, &self.goal, changed, &self.account);
        (plan(&first), plan(&last))
    }

    pub(super) fn import_work(&self) -> Import {
        let all = self.goal.objects().map(|(object, content)| (object.clone(), content.clone())).collect();
        let mut work = Import { all, ..Import::default() };
        for (item, _) in &self.diff.changes {
            let Item::Object(object) = item else { continue };
            match self.goal.entry(item).and_then(Entry::content) {
                Some(content) => work.make.push((object.clone(), content.clone())),
                None => work.drop.push(object.clone()),
            }
        }
        for (object, (content, until)) in &self.held_back {
            if !work.make.iter().any(|(other, _)| other == object) {
                work.make.push((object.clone(), content.clone()));
            }
            work.parts.insert(object.clone(), Portion { before: String::new(), bytes: 0..*until });
        }
        work
    }

    /// Writes files; returns the bytes that were sent.
    pub(super) async fn send_files(&self, work: FileWork, progress: &Arc<dyn Progress>) -> Result<u64> {
        write_files(&self.source, &self.account, work, &self.goal, self.blobs().await?, progress).await
    }

    /// Imports the database objects that differ; returns the bytes that were sent.
    pub(super) async fn send_objects(&self, progress: &Arc<dyn Progress>) -> Result<u64> {
        let work = self.import_work();
        match self.source.database.as_ref().filter(|_| !work.is_empty()) {
            Some(access) => import(&self.source, access, work, self.blobs().await?, progress).await,
            None => Ok(0),
        }
    }

    /// Walks and dumps again and compares with the goal. `at_hand`: the snapshot of the state, if it is one.
    pub(super) async fn look(
        &self,
        at_hand: Previous,
        now: Timestamp,
        progress: &Arc<dyn Progress>,
    ) -> Result<Compared> {
        progress.at(Phase::Comparing, 0, 1, 0);
        let request = CaptureRequest { now, tolerate_unreadable: true };
        let mut now = take(&self.source, &self.store, &request, async { Ok(at_hand) }, progress).await?;
        if let Some(aside) = &self.aside {
            now.manifest.entries.remove(aside);
        }
        let remaining = diff(&now.manifest, &self.goal).retain(|item, change| !self.is_databases_own(item, change));
        let must_match = |item: &Item, change: &Change| {
            !self.holds_what_is_left_out(&now.manifest, item, change) && self.must_match(&now.manifest, item, change)
        };
        let wrong = remaining.clone().retain(must_match);
        progress.at(Phase::Comparing, 1, 1, 0);
        let mut left = self.left.clone();
        left.changes.extend(remaining.retain(|item, change| !must_match(item, change)).changes);
        left.changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        left.changes.dedup_by(|(a, _), (b, _)| a == b);
        Ok(Compared { wrong, left })
    }

    /// Looks at paths that were removed, and the folders that they were in; returns what is not as it should be.
    pub(super) async fn look_at_removed(&self, removed: &[&ItemPath]) -> Result<Diff> {
        let folders = removed.iter().filter_map(|path| path.parent()).filter(|path| self.goal.path(path).is_some());
        let paths: BTreeSet<ItemPath> = removed.iter().map(|path| (*path).clone()).chain(folders).collect();
        let paths: Vec<ItemPath> = paths.into_iter().collect();
        let mut seen = look_again(&self.source, self.account.tools.find, &paths).await?;
        let mut now = Manifest::clone(&self.goal);
        for path in paths {
            let entry = seen.remove(&path).map(|seen| match seen.kind {
                'd' => Entry::Dir { facts: seen.facts },
                kind => Entry::Other { facts: seen.facts, kind },
            });
            match entry {
                Some(entry) => now.entries.insert(Item::Path(path), Arc::new(entry)),
                None => now.entries.remove(&Item::Path(path)),
            };
        }
        Ok(diff(&now, &self.goal).retain(|item, change| self.must_match(&now, item, change)))
    }

    /// Whether it is a folder that was to go, and in which nothing lies but what snapshots leave out: an empty one would be gone.
    fn holds_what_is_left_out(&self, now: &Manifest, item: &Item, change: &Change) -> bool {
        let Item::Path(path) = item else { return false };
        let is_folder = |manifest: &Manifest| manifest.path(path).is_some_and(Entry::is_dir);
        *change == Change::Removed
            && is_folder(&self.present)
            && is_folder(now)
            && now.paths().filter(|(other, _)| other.is_within(path)).all(|(other, entry)| {
                entry.is_dir() && self.present.path(other).is_some_and(Entry::is_dir) && self.goal.path(other).is_none()
            })
    }

    /// Whether it is the time of the folder in which a database's file lies: whoever opens the database changes it.
    fn is_databases_own(&self, item: &Item, change: &Change) -> bool {
        let folder = self.source.database.as_ref().and_then(|access| access.folder_below(&self.source.root));
        let only_time = matches!(change, Change::Changed(aspects) if aspects == &[Aspect::Mtime]);
        matches!((item, folder), (Item::Path(path), Some(folder)) if *path == folder && only_time)
    }

    /// Only root sets owners, and keeps the setgid bit of a group that it is not in; a foreign
    /// folder's time changes when something in it does; BusyBox sets times to the second. Another version of
    /// PostgreSQL's programs may spell definitions otherwise.
    fn must_match(&self, now: &Manifest, item: &Item, change: &Change) -> bool {
        let (Item::Path(path), Change::Changed(aspects)) = (item, change) else {
            let defined = matches!(item, Item::Object(object) if object.kind() == ObjectKind::Definitions);
            return !(defined && self.respelled && matches!(change, Change::Changed(_)));
        };
        let (Some(found), Some(wanted)) = (now.path(path), self.goal.path(path)) else {
            return true;
        };
        let (Some(now), Some(goal)) = (found.facts(), wanted.facts()) else {
            return true;
        };
        let setgid_lost = now.mode | 0o2000 == goal.mode && !self.account.groups.contains(&now.gid);
        let allowed = |aspect: &Aspect| match aspect {
            Aspect::Mtime if self.account.tools.is_near(now.mtime, goal.mtime) => true,
            // Not every filesystem takes those of the owner. Access lists are set, or the restore has failed.
            Aspect::Attributes => now.attributes.same_access_lists(&goal.attributes),
            _ if self.account.is_root() => false,
            Aspect::Owner => true,
            Aspect::Mtime => goal.uid != self.account.uid && wanted.is_dir(),
            Aspect::Mode => setgid_lost,
            _ => false,
        };
        !aspects.iter().all(allowed)
    }
}
