//! Reading blobs: where they are, and their bytes, hashed before anyone gets them.
//!
//! May use: `model`, `error`, `index`, `folder`, `pack`. Invariant: bytes that do not have
//! their digest are never handed out.

use super::super::error::{Result, SnapshotError};
use super::super::manifest::{Chunk, Content};
use super::folder::Backend;
use super::index::{self, Frame};
use super::pack::{index_file, pack_file};
use crate::model::Digest;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// How many unpacked frames a reader keeps.
const FRAMES_KEPT: usize = 4;

/// Where a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Place {
    pack: u32,
    frame: u64,
    at: u32,
    size: u32,
    length: u32,
    raw: u32,
}

/// All blobs of a store.
#[derive(Default)]
pub(super) struct Catalog {
    packs: Vec<String>,
    known: HashSet<String>,
    places: HashMap<Digest, Place>,
    /// Indexes that can't be read: their packs count as missing.
    pub(super) damaged: Vec<String>,
}

impl Catalog {
    pub(super) fn place(&self, digest: &Digest) -> Option<Place> {
        self.places.get(digest).copied()
    }

    pub(super) fn add(&mut self, pack: &str, frames: &[Frame]) {
        if !self.known.insert(pack.to_owned()) {
            return;
        }
        let number = self.packs.len() as u32;
        self.packs.push(pack.to_owned());
        for frame in frames {
            for member in &frame.members {
                let place = Place {
                    pack: number,
                    frame: frame.frame,
                    at: member.at,
                    size: member.size,
                    length: frame.length,
                    raw: frame.raw,
                };
                self.places.entry(member.blake3).or_insert(place);
            }
        }
    }

    /// Reads the indexes that are new since the last time.
    pub(super) fn refresh(&mut self, backend: &dyn Backend) -> Result<()> {
        let failed = SnapshotError::store(backend.shown("packs"), "listing packs");
        let names = backend.list("packs").map_err(failed)?;
        let sizes: HashMap<&str, u64> = names.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        self.damaged.clear();
        for (name, _) in &names {
            let Some(pack) = name.strip_suffix(".index") else {
                continue;
            };
            if self.known.contains(pack) {
                continue;
            }
            let Some(size) = sizes.get(format!("{pack}.tar.zst").as_str()) else {
                self.damaged.push(format!("{}: missing", backend.shown(&pack_file(pack))));
                continue;
            };
            match read_index(backend, pack) {
                Ok(frames) if frames.last().is_none_or(|last| last.frame + u64::from(last.length) <= *size) => {
                    self.add(pack, &frames);
                }
                Ok(_) => self.damaged.push(format!("{}: cut off", backend.shown(&pack_file(pack)))),
                Err(error @ SnapshotError::FormatVersion { .. }) => return Err(error),
                Err(error) => self.damaged.push(error.to_string()),
            }
        }
        Ok(())
    }

    /// All packs with the blobs that are found in them, for reading every byte.
    pub(super) fn by_frame(&self) -> Vec<(Place, Digest)> {
        let mut all: Vec<(Place, Digest)> = self.places.iter().map(|(digest, place)| (*place, *digest)).collect();
        all.sort_unstable_by_key(|(place, _)| *place);
        all
    }
}

fn read_index(backend: &dyn Backend, pack: &str) -> Result<Vec<Frame>> {
    let name = index_file(pack);
    let shown = backend.shown(&name);
    let input = backend.open(&name).map_err(SnapshotError::store(&shown, "reading an index"))?;
    index::read(&shown, pack, input)
}

/// Reads blobs; keeps the last few frames, because neighbours are read together.
pub(in super::super) struct BlobReader {
    backend: Arc<dyn Backend>,
    catalog: Arc<Catalog>,
    frames: VecDeque<(u32, u64, Vec<u8>)>,
}

impl BlobReader {
    pub(super) fn new(backend: Arc<dyn Backend>, catalog: Arc<Catalog>) -> Self {
        Self { backend, catalog, frames: VecDeque::new() }
    }

    /// A reader of the same packs with frames of its own.
    pub(in super::super) fn another(&self) -> Self {
        Self::new(self.backend.clone(), self.catalog.clone())
    }

    /// Where a blob is; none when the store has not got it.
    pub(in super::super) fn place(&self, digest: &Digest) -> Option<Place> {
        self.catalog.place(digest)
    }

    /// All blobs in the order in which they lie in packs.
    pub(in super::super) fn all(&self) -> Vec<(Place, Digest)> {
        self.catalog.by_frame()
    }

    /// The name of the pack that holds a place, for messages.
    pub(in super::super) fn pack(&self, place: &Place) -> String {
        let pack = self.catalog.packs.get(place.pack as usize);
        self.backend.shown(&pack.map_or_else(|| "packs".into(), |pack| pack_file(pack)))
    }

    /// The bytes of a blob.
    pub(in super::super) fn read(&mut self, chunk: &Chunk) -> Result<Vec<u8>> {
        let what = format!("blob {}", chunk.digest.short());
        let place = self.place(&chunk.digest).ok_or_else(|| SnapshotError::damaged(&what, "no pack holds it"))?;
        if place.size != chunk.size {
            return Err(SnapshotError::damaged(what, "its length is not what the snapshot says"));
        }
        let at = place.at as usize;
        let pack = self.pack(&place);
        let frame = self.frame(&place)?;
        let bytes = frame.get(at..at + place.size as usize);
        match bytes {
            Some(bytes) if Digest::of(bytes) == chunk.digest => Ok(bytes.to_vec()),
            _ => Err(SnapshotError::damaged(format!("{what} in {pack}"), "its bytes are not what its name says")),
        }
    }

    /// The digest of the blob at a place, as its bytes are.
    pub(in super::super) fn matches(&mut self, place: &Place, digest: &Digest) -> bool {
        let chunk = Chunk { digest: *digest, size: place.size };
        self.read(&chunk).is_ok()
    }

    /// Every chunk of a content, in order.
    pub(in super::super) fn each(
        &mut self,
        content: &Content,
        mut take: impl FnMut(Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        content.chunks.iter().try_for_each(|chunk| take(self.read(chunk)?))
    }

    fn frame(&mut self, place: &Place) -> Result<&[u8]> {
        let same = |kept: &(u32, u64, Vec<u8>)| kept.0 == place.pack && kept.1 == place.frame;
        let found = self.frames.iter().position(same);
        let kept = match found {
            Some(index) => index,
            None => {
                let unpacked = self.unpack(place)?;
                if self.frames.len() >= FRAMES_KEPT {
                    self.frames.pop_front();
                }
                self.frames.push_back((place.pack, place.frame, unpacked));
                self.frames.len() - 1
            }
        };
        Ok(&self.frames[kept].2)
    }

    fn unpack(&self, place: &Place) -> Result<Vec<u8>> {
        let shown = self.pack(place);
        let pack = &self.catalog.packs[place.pack as usize];
        let packed = self
            .backend
            .range(&pack_file(pack), place.frame, place.length as usize)
            .map_err(SnapshotError::store(&shown, "reading a pack"))?;
        // The index bounds `raw`; a frame that unpacks to more is an error of zstd.
        let unpacked = zstd::bulk::decompress(&packed, place.raw as usize);
        unpacked.map_err(|error| SnapshotError::damaged(shown, error.to_string()))
    }
}

impl Place {
    /// The blob's length.
    pub(in super::super) fn size(&self) -> u32 {
        self.size
    }
}
