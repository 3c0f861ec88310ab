//! Capture: walk, compare with the previous manifest, stream what is new, dump, commit.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: nothing is committed before the
//! closing status of every stream was read; a truncated stream never becomes a snapshot.

use super::attributes::{self, Attributes};
use super::database;
use super::diff::{Diff, diff};
use super::error::{Result, SnapshotError};
use super::item::{Item, ItemPath};
use super::manifest::{CHUNKER, Content, DatabaseFacts, Entry, Facts, Header, Manifest, Problem};
use super::store::{SnapshotName, Store, Writer};
use super::stream::{Arrived, Wanted, read_files};
use super::walk::{Account, Seen, Tools, Walk, look_again, walk};
use super::{Phase, Progress, Source};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// How a capture is done.
#[derive(Debug, Clone)]
pub struct CaptureRequest {
    /// Now, by the runner's clock.
    pub now: Timestamp,
    /// Whether unreadable files, views and tables make the capture fail (they should), or are only recorded.
    pub tolerate_unreadable: bool,
}

/// How much was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaptureStats {
    /// Files whose content was already known by their size, times and inode.
    pub files_known: u64,
    /// Files that were read.
    pub files_read: u64,
    /// Their bytes.
    pub bytes_read: u64,
    /// Bytes of SQL that were dumped.
    pub sql_bytes: u64,
    /// Bytes of contents that were added to the store, before compression.
    pub bytes_new: u64,
    /// Bytes that were added to the store in packs, compressed.
    pub bytes_stored: u64,
}

/// A committed snapshot.
#[derive(Debug, Clone)]
pub struct Captured {
    /// Its name in the store.
    pub name: SnapshotName,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// What changed since the site's previous snapshot, if there is one.
    pub since_previous: Option<Diff>,
    /// How much was done.
    pub stats: CaptureStats,
}

/// Takes a snapshot of a site and commits it to the store.
///
/// # Errors
/// Anything that makes the snapshot less than complete and exact; then nothing is committed.
pub async fn capture(
    source: &Source,
    store: &Arc<Store>,
    request: &CaptureRequest,
    progress: &Arc<dyn Progress>,
) -> Result<Captured> {
    take(source, store, request, async { Ok(None) }, progress).await?.commit(progress).await
}

/// A site's state that was read and is not committed: dropped, it never was.
pub(super) struct Taken {
    pub(super) manifest: Manifest,
    /// The account on the host.
    pub(super) account: Account,
    previous: Previous,
    stats: CaptureStats,
    writer: Writer,
}

/// Reads a site's state. `at_hand`: a snapshot of the site that is read, or being read.
pub(super) async fn take(
    source: &Source,
    store: &Arc<Store>,
    request: &CaptureRequest,
    at_hand: impl Future<Output = Result<Previous>>,
    progress: &Arc<dyn Progress>,
) -> Result<Taken> {
    // While the host walks, this machine reads what it knows.
    let begun = async { begin(source, store, at_hand.await?).await };
    let (begun, walked) = tokio::join!(begun, walk(source, &**progress));
    let ((writer, previous), Walk { began, account, seen, problems }) = (begun?, walked?);
    let mut work = Work {
        source,
        progress,
        entries: BTreeMap::new(),
        stats: CaptureStats::default(),
        problems,
        tools: account.tools,
    };
    let to_read = work.compare(seen, previous.as_ref().map(|(_, manifest)| &**manifest), &writer);
    let (writer, attributes) = work.read(to_read, writer).await?;
    work.judge_problems(request)?;
    let known = previous.as_ref().map(|(_, manifest)| &**manifest);
    let (writer, database) = work.dump(writer, known, request.tolerate_unreadable).await?;
    let header = Header {
        site: source.site.clone(),
        taken: request.now,
        walked: began,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        root: source.root.clone(),
        exclude: source.exclude.clone(),
        chunker: CHUNKER.to_owned(),
        database,
        previous: previous.as_ref().map(|(name, _)| name.to_string()),
        problems: work.problems,
        attributes,
    };
    Ok(Taken { manifest: Manifest { header, entries: work.entries }, account, previous, stats: work.stats, writer })
}

impl Taken {
    /// Makes it a snapshot.
    pub(super) async fn commit(self, progress: &Arc<dyn Progress>) -> Result<Captured> {
        let Self { manifest, previous, mut stats, writer, .. } = self;
        progress.at(Phase::Committing, 0, 1, 0);
        let committing =
            tokio::task::spawn_blocking(move || writer.commit(&manifest).map(|committed| (committed, manifest)));
        let (committed, manifest) = joined(committing.await)?;
        progress.at(Phase::Committing, 1, 1, committed.bytes_stored);
        stats.bytes_new = committed.bytes_new;
        stats.bytes_stored = committed.bytes_stored;
        Ok(Captured {
            name: committed.name,
            since_previous: previous.map(|(_, previous)| diff(&previous, &manifest)),
            manifest: Arc::new(manifest),
            stats,
        })
    }
}

/// How often files that change while they are read are read.
const MAX_ROUNDS: usize = 3;
/// A file whose ctime is not older than this before the previous walk is read again: its
/// clock may be too coarse to show a change right after the walk.
const FRESH_NANOSECONDS: i64 = 2_000_000_000;
/// How many unreadable files an error names.
const SHOWN: usize = 5;

/// The answer of a blocking task.
pub(super) fn joined<T>(result: Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    result.unwrap_or(Err(SnapshotError::Worker { doing: "writing to the store" }))
}

/// A snapshot of the site that is read, with its name.
pub(super) type Previous = Option<(SnapshotName, Arc<Manifest>)>;

/// The lock, the catalog and the site's previous manifest. A previous manifest that can't be
/// read is as none: then everything is read again, and nothing is stored twice.
pub(super) async fn begin(source: &Source, store: &Arc<Store>, at_hand: Previous) -> Result<(Writer, Previous)> {
    let (store, site) = (store.clone(), source.site.clone());
    let task = tokio::task::spawn_blocking(move || {
        let mut writer = store.writer(&site)?;
        let previous = match store.latest(&site)? {
            Some(name) if at_hand.as_ref().is_some_and(|(at_hand, _)| *at_hand == name) => at_hand,
            Some(name) => match writer.load(&site, &name) {
                Ok(manifest) => Some((name, manifest)),
                // Who may write and not read compares with nothing: that is no fault.
                Err(SnapshotError::Locked { .. }) => None,
                Err(error) => {
                    tracing::warn!(%error, %site, "the previous snapshot can't be read; everything is read again");
                    None
                }
            },
            None => None,
        };
        Ok((writer, previous))
    });
    joined(task.await)
}

/// A site's state while it is read.
pub(super) struct Work<'a> {
    pub(super) source: &'a Source,
    pub(super) progress: &'a Arc<dyn Progress>,
    pub(super) entries: BTreeMap<Item, Arc<Entry>>,
    pub(super) stats: CaptureStats,
    pub(super) problems: Vec<Problem>,
    pub(super) tools: Tools,
}

impl Work<'_> {
    /// Enters all that needs no reading; returns what does.
    pub(super) fn compare(
        &mut self,
        all: BTreeMap<ItemPath, Seen>,
        previous: Option<&Manifest>,
        writer: &Writer,
    ) -> BTreeMap<ItemPath, Seen> {
        let mut to_read = BTreeMap::new();
        for (path, seen) in all {
            let item = Item::Path(path);
            let untouched = previous.and_then(|previous| untouched(&item, &seen, previous));
            let content = untouched.and_then(|(_, before)| known(&seen, before, writer));
            if seen.kind == 'f' && content.is_none() {
                let Item::Path(path) = item else { continue };
                to_read.insert(path, seen);
                continue;
            }
            self.stats.files_known += u64::from(content.is_some());
            let entry = entry(seen, content, untouched.map(|(_, before)| &**before));
            // Most is as it was, and is kept once.
            let (item, entry) = match untouched {
                Some((item, before)) if **before == entry => (item.clone(), before.clone()),
                _ => (item, Arc::new(entry)),
            };
            self.entries.insert(item, entry);
        }
        to_read
    }

    /// Reads files and attributes, looks at the files again, and reads again what changed meanwhile. Tells whether all
    /// attributes are known: on a host that can't tell, none is.
    pub(super) async fn read(
        &mut self,
        mut to_read: BTreeMap<ItemPath, Seen>,
        mut writer: Writer,
    ) -> Result<(Writer, bool)> {
        let mut found = Some(BTreeMap::new());
        let mut unknown = self.unknown();
        for round in 1.. {
            unknown.extend(to_read.keys().cloned());
            if unknown.is_empty() {
                break;
            }
            let (files, attributes) = tokio::join!(self.read_files(&to_read, writer), self.read_attributes(&unknown));
            let (back, arrived, now) = files?;
            writer = back;
            self.stats.bytes_read += arrived.bytes;
            to_read = self.settle(to_read, arrived, now, round == MAX_ROUNDS);
            // What is read again may have other ones now.
            found = found.zip(attributes).map(|(mut found, new)| {
                unknown.iter().for_each(|path| drop(found.remove(path)));
                found.extend(new);
                found
            });
            unknown.clear();
        }
        Ok((writer, self.enter_attributes(found)))
    }

    /// Reads files, and looks at them again.
    async fn read_files(
        &self,
        to_read: &BTreeMap<ItemPath, Seen>,
        writer: Writer,
    ) -> Result<(Writer, Arrived, BTreeMap<ItemPath, Seen>)> {
        if to_read.is_empty() {
            return Ok((writer, Arrived::default(), BTreeMap::new()));
        }
        let want = |(path, seen): (&ItemPath, &Seen)| {
            let wanted = Wanted { size: seen.size, mtime: seen.facts.mtime, inode: seen.facts.inode };
            (path.clone(), wanted)
        };
        let wanted = to_read.iter().map(want).collect();
        let (writer, arrived) = read_files(self.source, self.tools.tar, wanted, writer, self.progress).await?;
        let paths: Vec<ItemPath> = to_read.keys().cloned().collect();
        let now = look_again(self.source, self.tools.find, &paths).await?;
        Ok((writer, arrived, now))
    }

    /// Enters what arrived and stayed as it was; returns what must be read again.
    fn settle(
        &mut self,
        asked: BTreeMap<ItemPath, Seen>,
        mut arrived: Arrived,
        now: BTreeMap<ItemPath, Seen>,
        last: bool,
    ) -> BTreeMap<ItemPath, Seen> {
        let different: HashSet<ItemPath> = arrived.different.drain(..).collect();
        let mut again = BTreeMap::new();
        for (path, seen) in asked {
            // What has gone meanwhile is not part of the snapshot.
            let Some(now) = now.get(&path) else { continue };
            let content = arrived.contents.remove(&path);
            let stable = *now == seen && !different.contains(&path);
            match content {
                Some(content) if stable => {
                    self.stats.files_read += 1;
                    self.enter(path, seen.facts, content);
                }
                Some(content) if last => {
                    self.problem(&path, "it changed each time while it was read");
                    self.enter(path, seen.facts, content);
                }
                None if stable => self.problem(&path, "it can't be read"),
                _ if last || now.kind != 'f' => self.problem(&path, "it became something else while it was read"),
                _ => {
                    again.insert(path, now.clone());
                }
            }
        }
        again
    }

    /// Enters a file that was read.
    fn enter(&mut self, path: ItemPath, facts: Facts, content: Content) {
        self.entries.insert(Item::Path(path), Arc::new(Entry::File { facts, content }));
    }

    /// What was entered without its attributes.
    fn unknown(&self) -> Vec<ItemPath> {
        let unknown = |(item, entry): (&Item, &Arc<Entry>)| match item {
            Item::Path(path) if entry.facts().is_some_and(|facts| facts.attributes.is_unknown()) => Some(path.clone()),
            _ => None,
        };
        self.entries.iter().filter_map(unknown).collect()
    }

    /// The attributes of these paths; none where the host can't tell.
    async fn read_attributes(&self, paths: &[ItemPath]) -> Option<BTreeMap<ItemPath, Attributes>> {
        let read = attributes::read(self.source, self.tools.attributes?, paths.iter()).await;
        read.inspect_err(|error| {
            tracing::warn!(%error, site = %self.source.site, "extended attributes and access lists are left out");
        })
        .ok()
    }

    /// Enters attributes that were read. Whether all are known now.
    fn enter_attributes(&mut self, mut found: Option<BTreeMap<ItemPath, Attributes>>) -> bool {
        for (item, entry) in &mut self.entries {
            let (Item::Path(path), Some(facts)) = (item, entry.facts()) else { continue };
            let attributes = match &mut found {
                Some(found) if facts.attributes.is_unknown() => found.remove(path).unwrap_or(Attributes::None),
                Some(_) => continue,
                None => Attributes::Unknown,
            };
            if facts.attributes != attributes
                && let Some(facts) = Arc::make_mut(entry).facts_mut()
            {
                facts.attributes = attributes;
            }
        }
        found.is_some()
    }

    fn problem(&mut self, path: &ItemPath, what: &str) {
        self.problems.push(Problem { path: path.clone(), what: what.to_owned() });
    }

    fn judge_problems(&mut self, request: &CaptureRequest) -> Result<()> {
        if self.problems.is_empty() || request.tolerate_unreadable {
            return Ok(());
        }
        let shown = self.problems.iter().take(SHOWN);
        let shown: Vec<String> = shown.map(|problem| format!("{} ({})", problem.path, problem.what)).collect();
        Err(SnapshotError::Incomplete {
            site: self.source.site.clone(),
            host: self.source.shell.host().to_owned(),
            count: self.problems.len(),
            examples: shown.join(", "),
        })
    }

    async fn dump(
        &mut self,
        writer: Writer,
        previous: Option<&Manifest>,
        tolerant: bool,
    ) -> Result<(Writer, Option<DatabaseFacts>)> {
        let Some(access) = &self.source.database else {
            return Ok((writer, None));
        };
        let (writer, dumped) = database::dump(self.source, access, writer, previous, tolerant, self.progress).await?;
        self.stats.sql_bytes += dumped.bytes;
        for (object, content) in dumped.objects {
            self.entries.insert(Item::Object(object), Arc::new(Entry::Object { content }));
        }
        Ok((writer, Some(dumped.facts)))
    }
}

/// What the previous snapshot has of a path that has not been touched since.
fn untouched<'a>(item: &Item, seen: &Seen, previous: &'a Manifest) -> Option<(&'a Item, &'a Arc<Entry>)> {
    let (item, entry) = previous.entries.get_key_value(item).filter(|(_, entry)| entry.letter() == seen.kind)?;
    let facts = entry.facts()?;
    let same = facts.mtime == seen.facts.mtime && facts.ctime == seen.facts.ctime && facts.inode == seen.facts.inode;
    let settled = facts.ctime < previous.header.walked.saturating_mul(1_000_000_000) - FRESH_NANOSECONDS;
    (same && settled).then_some((item, entry))
}

/// What the walk saw, with the content of a file and the attributes of what was not touched `before`.
fn entry(seen: Seen, content: Option<Content>, before: Option<&Entry>) -> Entry {
    let mut facts = seen.facts;
    facts.attributes = match (seen.kind, before.and_then(Entry::facts)) {
        (_, Some(before)) => before.attributes.clone(),
        // Nothing else has any, or gets it back.
        ('f' | 'd', None) => Attributes::Unknown,
        _ => Attributes::None,
    };
    match (seen.kind, content) {
        (_, Some(content)) => Entry::File { facts, content },
        ('d', None) => Entry::Dir { facts },
        ('l', None) => Entry::Link { facts, target: seen.target },
        (kind, None) => Entry::Other { facts, kind },
    }
}

/// The content of a file that has not been touched, if the store has it.
fn known(seen: &Seen, before: &Entry, writer: &Writer) -> Option<Content> {
    let content = before.content().filter(|content| content.size == seen.size && writer.has(content))?;
    Some(content.clone())
}
