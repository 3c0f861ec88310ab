//! Repair: packs that are not what they were are packed again as far as their blobs are good, and
//! then count for nothing, so that the next captures store what is missing.
//!
//! May use: `model`, `error` and its siblings. Invariants: only indexes are removed, each after
//! every good blob of its pack was synced in another one, and while nobody else reads or writes;
//! the hurt packs themselves stay for whoever can read more of them, until a prune that misses nothing.

use super::super::capture::joined;
use super::super::error::{Result, SnapshotError};
use super::super::{Phase, Progress};
use super::Store;
use super::backend::Backend;
use super::blobs::{END_BYTES, read_index};
use super::index::MAX_FRAME_BYTES;
use super::pack::{Packer, index_file, pack_file};
use super::prune::PRUNE_LOCK;
use crate::model::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

/// What was repaired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Packs that were hurt and count for nothing now.
    pub set_aside: Vec<String>,
    /// Blobs of them that are good, and were packed again.
    pub blobs_kept: u64,
}

/// Looks at every pack, byte by byte, and sets aside those that are hurt.
///
/// # Errors
/// When the store can't be read or written, or another process works in it for very long. What
/// was done until then does no harm; run it again.
pub async fn repair(store: &Arc<Store>, progress: &Arc<dyn Progress>) -> Result<Repaired> {
    let (store, progress) = (store.clone(), progress.clone());
    joined(tokio::task::spawn_blocking(move || run(&store, &*progress)).await)
}

fn run(store: &Store, progress: &dyn Progress) -> Result<Repaired> {
    let backend = &*store.backend;
    let shown = backend.shown(PRUNE_LOCK);
    let locking = SnapshotError::store(shown.clone(), "locking");
    let alone = backend.lock(PRUNE_LOCK, false).map_err(locking)?;
    let _alone = alone.ok_or(SnapshotError::StoreBusy { path: shown })?;
    // What can't be read for want of an identity must not be taken for hurt.
    store.readable()?;
    store.afresh();
    let reading = store.reading()?;
    let packs = packs(backend)?;
    let mut hurt = BTreeMap::new();
    for (done, (name, size)) in packs.iter().enumerate() {
        let mut good = BTreeSet::new();
        let count = |digest, _: &[u8]| {
            good.insert(digest);
            Ok(())
        };
        if !each_good(backend, name, *size, count)? {
            hurt.insert(name.as_str(), good);
        }
        progress.at(Phase::Verifying, done as u64 + 1, packs.len() as u64, 0);
    }
    let mut repaired = Repaired::default();
    if hurt.is_empty() {
        return Ok(repaired);
    }
    let mut packer = Packer::new(store.backend.clone());
    for (name, mut good) in hurt.clone() {
        let size = packs.get(name).copied().flatten();
        each_good(backend, name, size, |digest, bytes| {
            repaired.blobs_kept += u64::from(good.remove(&digest));
            packer.add(digest, bytes)
        })?;
        if !good.is_empty() {
            let shown = backend.shown(&pack_file(name));
            return Err(SnapshotError::damaged(shown, "it reads differently each time; look at the disk first"));
        }
    }
    packer.finish()?;
    drop(reading);
    let _nobody_else = store.lock(false)?;
    let indexes: Vec<String> = hurt.keys().map(|name| index_file(name)).collect();
    let failed = SnapshotError::store(backend.shown("packs"), "setting packs aside");
    backend.remove(&indexes).map_err(failed)?;
    repaired.set_aside = hurt.keys().map(|name| backend.shown(&pack_file(name))).collect();
    Ok(repaired)
}

/// All packs that have an index, with their sizes where they themselves are there.
fn packs(backend: &dyn Backend) -> Result<BTreeMap<String, Option<u64>>> {
    let failed = SnapshotError::store(backend.shown("packs"), "listing packs");
    let sizes: BTreeMap<String, u64> = backend.list("packs").map_err(failed)?.into_iter().collect();
    let indexed = sizes.keys().filter_map(|name| name.strip_suffix(".index"));
    Ok(indexed.map(|pack| (pack.to_owned(), sizes.get(&format!("{pack}.tar.zst")).copied())).collect())
}

/// Hands out every good blob of a pack; returns whether all of it is as it was.
fn each_good(
    backend: &dyn Backend,
    pack: &str,
    size: Option<u64>,
    mut take: impl FnMut(Digest, &[u8]) -> Result<()>,
) -> Result<bool> {
    let Some(size) = size else { return Ok(false) };
    let (mut whole, mut at) = (true, 0);
    let mut frames = match read_index(backend, pack) {
        Ok(frames) => Some(frames.into_iter().map(|frame| (frame.frame, u64::from(frame.length)))),
        Err(SnapshotError::Damaged { .. }) => {
            whole = false;
            None
        }
        // Another program knows more of it, or it can't be read now.
        Err(error) => return Err(error),
    };
    loop {
        let next = match &mut frames {
            Some(frames) => frames.next(),
            None => frame_at(backend, pack, at, size)?,
        };
        let Some((from, length)) = next else { break };
        at = from.saturating_add(length);
        match unpack(backend, pack, from, length, MAX_FRAME_BYTES)? {
            Some(raw) => whole &= each_member(&raw, &mut take)?,
            None => whole = false,
        }
    }
    let end = unpack(backend, pack, at, size.saturating_sub(at), END_BYTES)?;
    Ok(whole && end.is_some_and(|end| end == [0; END_BYTES]))
}

/// Where the frame that begins at a place ends, from its own words.
fn frame_at(backend: &dyn Backend, pack: &str, at: u64, size: u64) -> Result<Option<(u64, u64)>> {
    let most = size.saturating_sub(at).min(2 * MAX_FRAME_BYTES as u64);
    let head = part(backend, pack, at, most)?.unwrap_or_default();
    let length = zstd::zstd_safe::find_frame_compressed_size(&head).ok().filter(|length| *length > 0);
    Ok(length.map(|length| (at, length as u64)))
}

fn unpack(backend: &dyn Backend, pack: &str, from: u64, length: u64, most: usize) -> Result<Option<Vec<u8>>> {
    let packed = part(backend, pack, from, length)?;
    Ok(packed.and_then(|packed| zstd::bulk::decompress(&packed, most).ok()))
}

/// A part of a pack; none where the pack ends before it, or the disk can't read it, twice. Whatever
/// else keeps it from being read says nothing about the pack.
fn part(backend: &dyn Backend, pack: &str, from: u64, length: u64) -> Result<Option<Vec<u8>>> {
    /// What Linux says of a sector that can't be read.
    const EIO: i32 = 5;
    let file = pack_file(pack);
    let Some(length) = usize::try_from(length).ok().filter(|length| *length <= 2 * MAX_FRAME_BYTES) else {
        return Ok(None);
    };
    let is_hurt = |error: &std::io::Error| {
        error.kind() == std::io::ErrorKind::UnexpectedEof
            || error.raw_os_error() == Some(EIO)
            || SnapshotError::is_damage(error)
    };
    match backend.range(&file, from, length).or_else(|_| backend.range(&file, from, length)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_hurt(&error) => Ok(None),
        Err(error) => Err(SnapshotError::store(backend.shown(&file), "reading a pack")(error)),
    }
}

/// The members of a frame that are what their names say; returns whether all are.
fn each_member(raw: &[u8], take: &mut impl FnMut(Digest, &[u8]) -> Result<()>) -> Result<bool> {
    let mut archive = tar::Archive::new(raw);
    let Ok(members) = archive.entries() else { return Ok(false) };
    let mut whole = true;
    for member in members.raw(true) {
        let Ok(mut member) = member else { return Ok(false) };
        let name = std::str::from_utf8(&member.path_bytes()).ok().and_then(|name| name.parse::<Digest>().ok());
        let mut bytes = Vec::new();
        // A frame holds all of it, so this is bounded.
        let read = member.read_to_end(&mut bytes).is_ok();
        match name {
            Some(digest) if read && Digest::of(&bytes) == digest => take(digest, &bytes)?,
            _ => whole = false,
        }
    }
    Ok(whole)
}
