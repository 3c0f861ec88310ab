//! A look: the site's present state beside a snapshot of it, stored nowhere.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: nothing is stored, and nobody who writes to the store has to
//! wait; only files that may have changed since the snapshot are read; of the database only what it is made of is asked.

use super::capture::{CaptureStats, Work, joined};
use super::database;
use super::error::Result;
use super::item::{Item, ObjectName};
use super::manifest::{CHUNKER, Entry, Header, Manifest};
use super::store::Store;
use super::walk::{Walk, walk};
use super::{Progress, Source};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A site's present state.
#[derive(Debug, Clone)]
pub struct Present {
    /// Its files, without their attributes. Of the database there is only what stands in the header.
    pub manifest: Manifest,
    /// Files that were read, and their bytes.
    pub read: (u64, u64),
}

/// Looks at a site whose files were once as `reference` says. What can't be read is among the manifest's problems.
///
/// # Errors
/// The host or the database can't be asked, or the store can't be read.
pub async fn look(
    source: &Source,
    store: &Arc<Store>,
    reference: &Manifest,
    progress: &Arc<dyn Progress>,
) -> Result<Present> {
    let Walk { began, account, seen, problems } = walk(source, &**progress).await?;
    let mut tools = account.tools;
    tools.attributes = None;
    let (entries, stats) = (BTreeMap::new(), CaptureStats::default());
    let mut work = Work { source, progress, entries, stats, problems, tools };
    let opened = store.clone();
    let hashing = joined(tokio::task::spawn_blocking(move || opened.hashing()).await)?;
    let to_read = work.compare(seen, Some(reference), &hashing);
    let (hashing, _) = work.read(to_read, hashing).await?;
    let database = match &source.database {
        Some(access) => database::structure(source, access, hashing).await?,
        None => None,
    };
    let header = Header {
        site: source.site.clone(),
        taken: Timestamp::UNIX_EPOCH,
        walked: began,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        root: source.root.clone(),
        exclude: source.exclude.clone(),
        chunker: CHUNKER.to_owned(),
        database,
        previous: None,
        problems: work.problems,
        attributes: false,
    };
    let read = (work.stats.files_read, work.stats.bytes_read);
    Ok(Present { manifest: Manifest { header, entries: work.entries }, read })
}

/// Reads the beginnings of what a snapshot holds, in its order: of each item as many bytes as `wanted` says, if any.
///
/// # Errors
/// The store can't be read, or `take` says so.
pub fn read_each(
    store: &Arc<Store>,
    manifest: &Manifest,
    wanted: impl Fn(&Item, &Entry) -> Option<u64>,
    mut take: impl FnMut(&Item, &Entry, &[u8]),
) -> Result<()> {
    let mut blobs = store.blobs()?;
    let mut bytes = Vec::new();
    for (item, entry) in &manifest.entries {
        let Some((most, content)) = wanted(item, entry).zip(entry.content()) else { continue };
        bytes.clear();
        for chunk in &content.chunks {
            let room = most.saturating_sub(bytes.len() as u64);
            if room == 0 {
                break;
            }
            let read = blobs.read(chunk)?;
            bytes.extend_from_slice(&read[..read.len().min(usize::try_from(room).unwrap_or(usize::MAX))]);
        }
        take(item, entry, &bytes);
    }
    Ok(())
}

impl Manifest {
    /// This state with what `other` has in the places that `chosen` says: what a restore in part leaves.
    pub fn with(mut self, other: &Self, chosen: impl Fn(&Item) -> bool) -> Self {
        if let (Some(ours), Some(theirs)) = (&mut self.header.database, &other.header.database) {
            let is_chosen = |object: &ObjectName| chosen(&Item::Object(object.clone()));
            ours.structure.retain(|object, _| !is_chosen(object));
            let theirs = theirs.structure.iter().filter(|(object, _)| is_chosen(object));
            ours.structure.extend(theirs.map(|(object, digest)| (object.clone(), *digest)));
        }
        self.entries.retain(|item, _| !chosen(item));
        let theirs = other.entries.iter().filter(|(item, _)| chosen(item));
        self.entries.extend(theirs.map(|(item, entry): (&Item, &Arc<Entry>)| (item.clone(), entry.clone())));
        self
    }
}
