//! Prune: drops snapshots, then removes packs that no snapshot needs and packs again those that
//! are mostly dead.
//!
//! May use: `error`, `manifest` and its siblings. Invariants: a pack is removed only while nobody
//! else reads or writes, only after the manifests that came meanwhile were looked at, and only
//! when every blob of it that a snapshot needs was read, with the right bytes, from another pack
//! that stays; its index goes before it; a manifest that can't be read stops everything.

use super::super::capture::joined;
use super::super::error::{Result, SnapshotError};
use super::super::manifest::Chunk;
use super::super::{Phase, Progress};
use super::backend::Backend;
use super::blobs::{BlobReader, Catalog, read_index};
use super::index::Frame;
use super::needs::{Short, needs_file};
use super::pack::{Packer, index_file, pack_file};
use super::{SnapshotName, Store, manifest_file};
use crate::model::{Digest, SiteName};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Held by the one process that prunes or repairs.
pub(super) const PRUNE_LOCK: &str = "locks/prune";
/// A pack with fewer bytes than this is small: many of these are made one.
const SMALL_PACK_BYTES: u64 = 8 << 20;
/// How many small packs a store may have.
const MANY_SMALL: usize = 16;

/// What was pruned, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Snapshots that were dropped.
    pub snapshots: u64,
    /// Packs that were removed.
    pub packs_removed: u64,
    /// How many of them were packed again, without what is dead.
    pub packs_repacked: u64,
    /// Bytes by which the store is smaller; estimated where nothing is done.
    pub bytes_freed: u64,
    /// Packs that should have gone and stay, with the reason.
    pub left: Vec<String>,
}

/// Drops these snapshots and frees their room. The newest snapshot of a site is never dropped.
/// With `dry_run` nothing is done and the answer says what would be.
///
/// # Errors
/// When the store can't be read or written, or another process works in it for very long. What
/// was done until then is good; run it again.
pub async fn prune(
    store: &Arc<Store>,
    drop: Vec<(SiteName, SnapshotName)>,
    dry_run: bool,
    progress: &Arc<dyn Progress>,
) -> Result<Pruned> {
    let (store, progress) = (store.clone(), progress.clone());
    let how = if dry_run { How::DryRun } else { How::Prune };
    joined(tokio::task::spawn_blocking(move || run(&store, drop, how, &*progress)).await)
}

/// What is done besides dropping snapshots.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Nothing, not even that.
    DryRun,
    /// Room is freed where it is worth it.
    Prune,
    /// All that is needed is written again.
    Rewrite,
}

pub(super) fn run(
    store: &Store,
    drop: Vec<(SiteName, SnapshotName)>,
    how: How,
    progress: &dyn Progress,
) -> Result<Pruned> {
    let backend = &*store.backend;
    let dry_run = how == How::DryRun;
    // Who can't read an encrypted store packs nothing again.
    let reads = match store.readable() {
        Ok(()) => true,
        // There may be nothing that is encrypted to those of before; else it shows.
        Err(SnapshotError::Locked { .. }) if how == How::Rewrite => backend.readable_now().map(|()| true)?,
        Err(SnapshotError::Locked { .. }) => false,
        Err(error) => return Err(error),
    };
    let locking = SnapshotError::store(backend.shown(PRUNE_LOCK), "locking");
    let alone = match dry_run {
        true => None,
        false => backend
            .lock(PRUNE_LOCK, false)
            .map_err(locking)?
            .map(Some)
            .ok_or_else(|| SnapshotError::StoreBusy { path: backend.shown(PRUNE_LOCK) })?,
    };
    // Whoever only looks must not have packs removed meanwhile; nobody else prunes otherwise.
    let _looking = dry_run.then(|| store.reading()).transpose()?;
    let drop = droppable(store, drop)?;
    let before = store.packs()?;
    let mut view = View::default();
    view.update(store, &drop, progress)?;
    let mut choice = view.choose(how == How::Rewrite);
    if !reads {
        choice.only_the_dead(&view);
    }
    let mut pruned = Pruned { snapshots: drop.len() as u64, ..Pruned::default() };
    if dry_run {
        pruned.packs_removed = choice.doomed.len() as u64;
        pruned.packs_repacked = choice.moving.len() as u64;
        pruned.bytes_freed = choice.doomed.iter().map(|pack| view.would_free(pack, &choice)).sum();
        pruned.bytes_freed += view.unindexed.values().sum::<u64>();
        return Ok(pruned);
    }
    let mut dropped: Vec<String> = drop.iter().map(|(site, name)| manifest_file(site, name)).collect();
    if backend.has_sealed() {
        dropped.extend(drop.iter().map(|(site, name)| needs_file(site, name)));
    }
    backend.remove(&dropped).map_err(SnapshotError::store(backend.shown("sites"), "dropping snapshots"))?;
    if reads {
        store.seal_manifests(how == How::Rewrite)?;
    }
    let written = repack(store, &view, &choice, progress)?;
    view.update(store, &drop, progress)?;
    let proved = view.prove(store, &choice.doomed, progress)?;
    {
        let _nobody_else = store.lock(false)?;
        view.update(store, &drop, progress)?;
        view.keep_needed(&mut choice.doomed, &proved, &mut pruned, backend);
        view.remove(backend, &choice, &mut pruned)?;
        store.remove_needs_of_nothing()?;
        if how == How::Rewrite {
            store.forget_former(&before)?;
        }
    }
    pruned.bytes_freed = pruned.bytes_freed.saturating_sub(written);
    std::mem::drop(alone);
    Ok(pruned)
}

/// Those that are there and not the newest of their sites.
fn droppable(store: &Store, drop: Vec<(SiteName, SnapshotName)>) -> Result<BTreeSet<(SiteName, SnapshotName)>> {
    let wanted: BTreeSet<(SiteName, SnapshotName)> = drop.into_iter().collect();
    let mut found = BTreeSet::new();
    for site in wanted.iter().map(|(site, _)| site).collect::<BTreeSet<_>>() {
        let mut all: Vec<SnapshotName> = store.list(site)?.into_iter().map(|one| one.name).collect();
        all.pop();
        found.extend(all.into_iter().map(|name| (site.clone(), name)).filter(|one| wanted.contains(one)));
    }
    Ok(found)
}

/// A pack whose index can be read.
struct Pack {
    /// Of the pack and its index.
    bytes: u64,
    frames: Vec<Frame>,
}

impl Pack {
    fn blobs(&self) -> impl Iterator<Item = Chunk> {
        let members = self.frames.iter().flat_map(|frame| &frame.members);
        members.map(|member| Chunk { digest: member.blake3, size: member.size })
    }
}

/// Which packs go.
#[derive(Default)]
struct Choice {
    /// All that go.
    doomed: BTreeSet<String>,
    /// Those of them that hold blobs which are nowhere else, with these blobs.
    moving: BTreeMap<String, HashSet<Digest>>,
}

impl Choice {
    /// Leaves only packs of which nothing is needed: nothing has to be read for that.
    fn only_the_dead(&mut self, view: &View) {
        self.moving.clear();
        let is_dead = |name: &String| {
            let pack = view.packs.get(name);
            pack.is_some_and(|pack| !pack.blobs().any(|blob| view.live.contains(&blob.digest)))
        };
        self.doomed.retain(is_dead);
    }
}

/// What the store holds, as far as it was read.
#[derive(Default)]
struct View {
    packs: BTreeMap<String, Pack>,
    /// Packs without an index, of writers that were interrupted, with their bytes.
    unindexed: BTreeMap<String, u64>,
    manifests: HashSet<(SiteName, SnapshotName)>,
    /// The blobs that snapshots need.
    live: HashSet<Digest>,
    /// The beginnings of others that are needed by snapshots that can't be read.
    shorts: HashSet<Short>,
}

impl View {
    /// Reads what is new since the last time. What is dropped needs nothing.
    fn update(
        &mut self,
        store: &Store,
        dropped: &BTreeSet<(SiteName, SnapshotName)>,
        progress: &dyn Progress,
    ) -> Result<()> {
        // Manifests first: what they need was packed before them.
        let mut new = Vec::new();
        for site in store.sites()? {
            let all = store.list(&site)?.into_iter().map(|summary| (site.clone(), summary.name));
            new.extend(all.filter(|one| !dropped.contains(one) && !self.manifests.contains(one)));
        }
        if !new.is_empty() {
            let mut blobs = BlobReader::new(store.backend.clone(), store.catalog()?, None);
            for one in new {
                let loaded = match store.load_with(&mut blobs, &one.0, &one.1) {
                    Err(SnapshotError::NoSnapshot { .. }) => continue,
                    Err(locked @ SnapshotError::Locked { .. }) => {
                        self.shorts.extend(match store.needs(&one.0, &one.1) {
                            // Without its list, only who reads it knows what it needs.
                            Err(error) if error.is_missing() => return Err(locked),
                            needs => needs?,
                        });
                        self.manifests.insert(one);
                        continue;
                    }
                    other => other?,
                };
                self.live.extend(loaded.blobs());
                self.manifests.insert(one);
                progress.at(Phase::Comparing, self.manifests.len() as u64, 0, 0);
            }
        }
        self.update_packs(&*store.backend)?;
        if !self.shorts.is_empty() {
            let all = self.packs.values().flat_map(Pack::blobs);
            let needed = all.filter(|blob| self.shorts.contains(&Short::from(&blob.digest)));
            self.live.extend(needed.map(|blob| blob.digest));
        }
        Ok(())
    }

    fn update_packs(&mut self, backend: &dyn Backend) -> Result<()> {
        let failed = SnapshotError::store(backend.shown("packs"), "listing packs");
        let sizes: BTreeMap<String, u64> = backend.list("packs").map_err(failed)?.into_iter().collect();
        let size = |pack: &str, end: &str| sizes.get(&format!("{pack}{end}")).copied();
        self.unindexed.clear();
        for pack in sizes.keys().filter_map(|name| name.strip_suffix(".tar.zst")) {
            let bytes = size(pack, ".tar.zst").unwrap_or(0);
            let Some(index_bytes) = size(pack, ".index") else {
                self.unindexed.insert(pack.to_owned(), bytes);
                continue;
            };
            if self.packs.contains_key(pack) {
                continue;
            }
            match read_index(backend, pack) {
                Ok(frames) => {
                    self.packs.insert(pack.to_owned(), Pack { bytes: bytes + index_bytes, frames });
                }
                Err(error @ SnapshotError::FormatVersion { .. }) => return Err(error),
                Err(error) if error.is_unanswered() => return Err(error),
                // Nobody knows what is in it, so it stays.
                Err(error) => tracing::warn!(%error, "a pack is left alone"),
            }
        }
        Ok(())
    }

    /// Each blob that is needed gets one home, in the pack with the smallest share of dead bytes.
    /// Of `all` packs what is needed is written again.
    fn choose(&self, all: bool) -> Choice {
        let total = |pack: &Pack| pack.blobs().map(|blob| u64::from(blob.size)).sum::<u64>();
        let dead = |pack: &Pack| {
            let dead: u64 =
                pack.blobs().filter(|blob| !self.live.contains(&blob.digest)).map(|b| u64::from(b.size)).sum();
            dead.saturating_mul(1000) / total(pack).max(1)
        };
        let mut order: Vec<(&String, &Pack)> = self.packs.iter().collect();
        order.sort_by_cached_key(|(name, pack)| (dead(pack), *name));
        let mut choice = Choice::default();
        let (mut homes, mut small) = (HashSet::new(), Vec::new());
        for (name, pack) in order {
            let here = |blob: &Chunk| self.live.contains(&blob.digest) && homes.insert(blob.digest);
            let here: Vec<Chunk> = pack.blobs().filter(here).collect();
            let used: u64 = here.iter().map(|blob| u64::from(blob.size)).sum();
            let here: HashSet<Digest> = here.into_iter().map(|blob| blob.digest).collect();
            if here.is_empty() {
                choice.doomed.insert(name.clone());
            } else if all || used.saturating_mul(2) < total(pack) {
                choice.doomed.insert(name.clone());
                choice.moving.insert(name.clone(), here);
            } else if pack.bytes < SMALL_PACK_BYTES {
                small.push((name, here));
            }
        }
        if small.len() > MANY_SMALL {
            for (name, here) in small {
                choice.doomed.insert(name.clone());
                choice.moving.insert(name.clone(), here);
            }
        }
        choice
    }

    /// An estimate: what is packed again takes its share of the room.
    fn would_free(&self, name: &str, choice: &Choice) -> u64 {
        let Some(pack) = self.packs.get(name) else { return 0 };
        let moving = choice.moving.get(name);
        let (mut all, mut stays) = (0, 0);
        for blob in pack.blobs() {
            all += u64::from(blob.size);
            if moving.is_some_and(|moving| moving.contains(&blob.digest)) {
                stays += u64::from(blob.size);
            }
        }
        let rest = u128::from(pack.bytes) * u128::from(stays) / u128::from(all.max(1));
        pack.bytes.saturating_sub(u64::try_from(rest).unwrap_or(u64::MAX))
    }

    /// Reads, from packs that stay, all needed blobs of those that go; returns those that are good.
    fn prove(&self, store: &Store, doomed: &BTreeSet<String>, progress: &dyn Progress) -> Result<HashSet<Digest>> {
        let mut stays = Catalog::default();
        for (name, pack) in self.packs.iter().filter(|(name, _)| !doomed.contains(*name)) {
            stays.add(name, &pack.frames);
        }
        let mut reader = BlobReader::new(store.backend.clone(), Arc::new(stays), Some(store.reading()?));
        let going = self.packs.iter().filter(|(name, _)| doomed.contains(*name)).flat_map(|(_, pack)| pack.blobs());
        let wanted: BTreeMap<Digest, Chunk> =
            going.filter(|blob| self.live.contains(&blob.digest)).map(|blob| (blob.digest, blob)).collect();
        let mut wanted: Vec<Chunk> = wanted.into_values().collect();
        wanted.sort_by_cached_key(|blob| reader.place(&blob.digest));
        let mut proved = HashSet::new();
        for (done, blob) in wanted.iter().enumerate() {
            match reader.read(blob) {
                Err(error) if error.is_unanswered() => return Err(error),
                Err(_) => {}
                Ok(_) => {
                    proved.insert(blob.digest);
                }
            }
            progress.at(Phase::Verifying, done as u64 + 1, wanted.len() as u64, 0);
        }
        Ok(proved)
    }

    /// Spares what holds a blob that is needed and was not found elsewhere.
    fn keep_needed(
        &self,
        doomed: &mut BTreeSet<String>,
        proved: &HashSet<Digest>,
        pruned: &mut Pruned,
        backend: &dyn Backend,
    ) {
        doomed.retain(|name| {
            let needed = |blob: Chunk| self.live.contains(&blob.digest) && !proved.contains(&blob.digest);
            let count = self.packs.get(name).map_or(0, |pack| pack.blobs().filter(|blob| needed(*blob)).count());
            if count > 0 {
                let pack = backend.shown(&pack_file(name));
                pruned.left.push(format!("{pack}: {count} blobs that snapshots need have no other good copy"));
            }
            count == 0
        });
    }

    fn remove(&self, backend: &dyn Backend, choice: &Choice, pruned: &mut Pruned) -> Result<()> {
        let failed = || SnapshotError::store(backend.shown("packs"), "removing packs");
        let indexes: Vec<String> = choice.doomed.iter().map(|name| index_file(name)).collect();
        let mut packs: Vec<String> = choice.doomed.iter().map(|name| pack_file(name)).collect();
        // A pack without its index may hold what is missing elsewhere; otherwise nobody needs it.
        let here: HashSet<Digest> = self.packs.values().flat_map(Pack::blobs).map(|blob| blob.digest).collect();
        let shorts: HashSet<Short> = match self.shorts.is_empty() {
            true => HashSet::new(),
            false => here.iter().map(Short::from).collect(),
        };
        if self.live.is_subset(&here) && self.shorts.is_subset(&shorts) {
            packs.extend(self.unindexed.keys().map(|name| pack_file(name)));
            pruned.bytes_freed += self.unindexed.values().sum::<u64>();
        }
        backend.remove(&indexes).map_err(failed())?;
        backend.remove(&packs).map_err(failed())?;
        backend.clean().map_err(failed())?;
        pruned.packs_removed = packs.len() as u64;
        pruned.packs_repacked = choice.moving.keys().filter(|name| choice.doomed.contains(*name)).count() as u64;
        pruned.bytes_freed +=
            choice.doomed.iter().filter_map(|name| self.packs.get(name)).map(|pack| pack.bytes).sum::<u64>();
        Ok(())
    }
}

/// Packs again what is needed of the packs that go; returns the bytes that were written. What
/// can't be read stays where it is: then so does its pack.
fn repack(store: &Store, view: &View, choice: &Choice, progress: &dyn Progress) -> Result<u64> {
    let moving: HashSet<Digest> = choice.moving.values().flatten().copied().collect();
    if moving.is_empty() {
        return Ok(0);
    }
    let mut reader = store.blobs()?;
    let sources = choice.moving.keys().filter_map(|name| view.packs.get(name)).flat_map(Pack::blobs);
    let blobs: BTreeMap<Digest, Chunk> =
        sources.filter(|blob| moving.contains(&blob.digest)).map(|blob| (blob.digest, blob)).collect();
    let mut blobs: Vec<Chunk> = blobs.into_values().collect();
    blobs.sort_by_cached_key(|blob| reader.place(&blob.digest));
    let mut packer = Packer::new(store.backend.clone());
    for (done, blob) in blobs.iter().enumerate() {
        match reader.read(blob) {
            Ok(bytes) => packer.add(blob.digest, &bytes)?,
            Err(error) if error.is_unanswered() => return Err(error),
            Err(error) => tracing::warn!(%error, "a blob can't be packed again"),
        }
        progress.at(Phase::Writing, done as u64 + 1, blobs.len() as u64, 0);
    }
    Ok(packer.finish()?.iter().map(|pack| pack.bytes).sum())
}
