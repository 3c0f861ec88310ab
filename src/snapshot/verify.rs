//! Verify: reads what is stored and says which snapshots and which items are hurt.
//!
//! May use: `model` and its siblings. Invariant: reads only.

use super::error::{Result, SnapshotError};
use super::item::Item;
use super::manifest::{Chunk, Content, Entry, Manifest};
use super::store::{BlobReader, Place, SnapshotName, Store};
use super::{Phase, Progress};
use crate::model::{Digest, SiteName};
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How deep to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Manifests and indexes: is everything that is named there, with the right lengths?
    Metadata,
    /// Every byte, hashed.
    EveryByte,
}

/// A snapshot that is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HurtSnapshot {
    /// The site.
    pub site: SiteName,
    /// The snapshot.
    pub name: SnapshotName,
    /// How many items are hurt.
    pub count: usize,
    /// The first of them, or the reason why the manifest can't be read; fit to be shown.
    pub items: Vec<String>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Snapshots that were looked at.
    pub snapshots: u64,
    /// Blobs that were looked at.
    pub blobs: u64,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Snapshots that are hurt.
    pub hurt: Vec<HurtSnapshot>,
    /// Files of the store that are damaged, also where no snapshot needs them.
    pub damaged: Vec<String>,
}

impl Verified {
    /// Whether all is well.
    pub fn ok(&self) -> bool {
        self.hurt.is_empty() && self.damaged.is_empty()
    }
}

/// Verifies all snapshots of a site, or of all sites.
///
/// # Errors
/// Only when the store itself can't be read; damage is in the answer.
pub async fn verify(
    store: &Arc<Store>,
    site: Option<&SiteName>,
    depth: Depth,
    progress: &Arc<dyn Progress>,
) -> Result<Verified> {
    let (store, site, progress) = (store.clone(), site.cloned(), progress.clone());
    let task = tokio::task::spawn_blocking(move || all(&store, site.as_ref(), depth, &*progress));
    super::capture::joined(task.await)
}

/// Verifies one snapshot, every byte of it, and nothing else.
///
/// # Errors
/// Only when the store itself can't be read; damage is in the answer.
pub async fn verify_snapshot(
    store: &Arc<Store>,
    site: &SiteName,
    name: &SnapshotName,
    progress: &Arc<dyn Progress>,
) -> Result<Verified> {
    let (store, site, name, progress) = (store.clone(), site.clone(), name.clone(), progress.clone());
    let task = tokio::task::spawn_blocking(move || one(&store, &site, &name, &*progress));
    super::capture::joined(task.await)
}

fn one(store: &Store, site: &SiteName, name: &SnapshotName, progress: &dyn Progress) -> Result<Verified> {
    let mut blobs = store.blobs()?;
    let loaded = store.load_with(&mut blobs, site, name)?;
    store.check_locked(&blobs, &loaded.manifest)?;
    let needed: HashSet<Digest> = loaded.blobs().collect();
    let wanted: Vec<_> = blobs.all().into_iter().filter(|(_, digest)| needed.contains(digest)).collect();
    let mut verified = Verified { snapshots: 1, ..Verified::default() };
    let bad = read_all(&mut blobs, &wanted, &mut verified, progress)?;
    let (count, items) = hurt_items(&loaded.manifest, &blobs, &bad);
    if count > 0 {
        verified.hurt.push(HurtSnapshot { site: site.clone(), name: name.clone(), count, items });
    }
    Ok(verified)
}

/// Those of these items that can't be read, every byte of them.
pub(super) fn hurt_among(
    items: &[(Item, Content)],
    blobs: &mut BlobReader,
    progress: &dyn Progress,
) -> Result<Vec<String>> {
    let needed: HashSet<Digest> =
        items.iter().flat_map(|(_, content)| &content.chunks).map(|chunk| chunk.digest).collect();
    let wanted = blobs.places(needed);
    let bad = read_all(blobs, &wanted, &mut Verified::default(), progress)?;
    let mut is_hurt = |chunk: &Chunk| match blobs.place(&chunk.digest) {
        Some(place) if place.size() == chunk.size => bad.contains(&chunk.digest) && blobs.read(chunk).is_err(),
        _ => true,
    };
    let hurt = items.iter().filter(|(_, content)| content.chunks.iter().any(&mut is_hurt));
    Ok(hurt.map(|(item, _)| item.to_string()).collect())
}

/// How many items are named for each snapshot.
const SHOWN: usize = 20;

fn all(store: &Store, site: Option<&SiteName>, depth: Depth, progress: &dyn Progress) -> Result<Verified> {
    if depth == Depth::EveryByte {
        store.readable()?;
        store.afresh();
    }
    // What is written meanwhile is not looked at: packs that are listed after the manifests hold
    // all that these need.
    let sites = match site {
        Some(site) => vec![site.clone()],
        None => store.sites()?,
    };
    let mut listed = Vec::new();
    for site in sites {
        listed.extend(store.list(&site)?.into_iter().map(|summary| (site.clone(), summary.name)));
    }
    let mut blobs = store.blobs()?;
    let mut verified = Verified { damaged: store.damaged()?, ..Verified::default() };
    let bad = match depth {
        Depth::Metadata => HashSet::new(),
        Depth::EveryByte => {
            let all = blobs.all();
            verified.damaged.extend(blobs.bad_ends()?);
            read_all(&mut blobs, &all, &mut verified, progress)?
        }
    };
    for (site, name) in listed {
        let (count, items) = match store.load_with(&mut blobs, &site, &name) {
            Ok(loaded) => {
                verified.damaged.extend(store.wrong_needs(&site, &name, &loaded)?);
                hurt_items(&loaded.manifest, &blobs, &bad)
            }
            // What it needs is known, and no more.
            Err(SnapshotError::Locked { .. }) => match store.lacks(&site, &name) {
                Ok(missing) => {
                    let shown = missing.iter().take(SHOWN).map(|blob| format!("blob {blob} is in no pack"));
                    (missing.len(), shown.collect())
                }
                Err(error) if error.is_unanswered() => return Err(error),
                Err(error) => (1, vec![error.to_string()]),
            },
            // It was dropped meanwhile.
            Err(SnapshotError::NoSnapshot { .. }) => continue,
            Err(error) if error.is_unanswered() => return Err(error),
            Err(error) => (1, vec![error.to_string()]),
        };
        verified.snapshots += 1;
        if count > 0 {
            verified.hurt.push(HurtSnapshot { site, name, count, items });
        }
    }
    Ok(verified)
}

/// Threads that read, at most.
const MAX_WORKERS: usize = 8;
/// How many frames a thread takes at once: neighbours, so that a disk is read in long strides.
const FRAMES_AT_ONCE: usize = 8;

/// What the threads found together.
#[derive(Default)]
struct Found {
    bad: HashSet<(Place, Digest)>,
    blobs: u64,
    bytes: u64,
    /// What keeps it from being read at all.
    locked: Option<SnapshotError>,
}

/// Reads and hashes these blobs on all processors; returns those of which no copy is good. Tar's
/// own bytes in between are covered by the checksum of their frame.
fn read_all(
    blobs: &mut BlobReader,
    all: &[(Place, Digest)],
    verified: &mut Verified,
    progress: &dyn Progress,
) -> Result<HashSet<Digest>> {
    let frames: Vec<&[(Place, Digest)]> = all.chunk_by(|(a, _), (b, _)| a.same_frame(b)).collect();
    let jobs: Vec<&[&[(Place, Digest)]]> = frames.chunks(FRAMES_AT_ONCE).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Found::default()));
    let work = |mut blobs: BlobReader| {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let read: Vec<(Place, Digest)> = job.iter().flat_map(|frame| frame.iter().copied()).collect();
            let mut bad = Vec::new();
            for (place, digest) in &read {
                match blobs.matches(place, digest) {
                    Ok(true) => {}
                    Ok(false) => bad.push((*place, *digest)),
                    Err(error) => {
                        found.lock().unwrap_or_else(PoisonError::into_inner).locked = Some(error);
                        return;
                    }
                }
            }
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.bad.extend(bad);
            found.blobs += read.len() as u64;
            found.bytes += read.iter().map(|(place, _)| u64::from(place.size())).sum::<u64>();
            progress.at(Phase::Verifying, found.blobs, all.len() as u64, found.bytes);
        }
    };
    let count = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS).min(jobs.len());
    std::thread::scope(|scope| {
        for _ in 0..count {
            let reader = blobs.onwards();
            scope.spawn(|| work(reader));
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = found.locked {
        return Err(error);
    }
    verified.blobs += found.blobs;
    verified.bytes += found.bytes;
    let packs: BTreeSet<String> = found.bad.iter().map(|(place, _)| blobs.pack(place)).collect();
    verified.damaged.extend(packs.into_iter().map(|pack| format!("{pack}: bytes are not what they were")));
    let bad: HashSet<Digest> = found.bad.iter().map(|(_, digest)| *digest).collect();
    let good = all.iter().filter(|one| bad.contains(&one.1) && !found.bad.contains(one));
    let good: HashSet<Digest> = good.map(|(_, digest)| *digest).collect();
    Ok(bad.difference(&good).copied().collect())
}

fn hurt_items(manifest: &Manifest, blobs: &BlobReader, bad: &HashSet<Digest>) -> (usize, Vec<String>) {
    let is_hurt = |entry: &Entry| {
        entry.content().is_some_and(|content| {
            content.chunks.iter().any(|chunk| {
                let there = blobs.place(&chunk.digest).is_some_and(|place| place.size() == chunk.size);
                !there || bad.contains(&chunk.digest)
            })
        })
    };
    let hurt: Vec<&Item> = manifest.entries.iter().filter(|(_, entry)| is_hurt(entry)).map(|(item, _)| item).collect();
    (hurt.len(), hurt.iter().take(SHOWN).map(ToString::to_string).collect())
}
