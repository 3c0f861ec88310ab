//! Reading blobs: where they are, and their bytes, hashed before anyone gets them.
//!
//! May use: `model`, `error`, `index`, `backend`, `pack`. Invariant: bytes that do not have
//! their digest are never handed out.

use super::super::error::{Result, SnapshotError};
use super::super::manifest::{Chunk, Content};
use super::Reading;
use super::backend::Backend;
use super::index::{self, Frame};
use super::pack::{index_file, pack_file};
use crate::model::Digest;
use std::collections::hash_map::{Entry, HashMap};
use std::collections::{HashSet, VecDeque};
use std::io::{self, Cursor, Read};
use std::sync::Arc;

/// How many bytes of unpacked frames a reader keeps besides the last one.
const KEPT_BYTES: usize = 8 << 20;

/// The two empty blocks at the end of an archive.
pub(super) const END_BYTES: usize = 1024;

/// Where a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) struct Place {
    pack: u32,
    frame: u64,
    at: u32,
    size: u32,
    length: u32,
    raw: u32,
}

/// All blobs of a store.
#[derive(Clone, Default)]
pub(super) struct Catalog {
    packs: Vec<String>,
    /// For each pack where its last frame with members ends.
    ends: Vec<u64>,
    known: HashSet<String>,
    places: HashMap<Digest, Place>,
    /// Further copies: two captures at once may store the same, and so does an interrupted repack.
    spare: HashMap<Digest, Vec<Place>>,
    /// Indexes that can't be read: their packs count as missing.
    pub(super) damaged: Vec<String>,
}

impl Catalog {
    pub(super) fn place(&self, digest: &Digest) -> Option<Place> {
        self.places.get(digest).copied()
    }

    /// The digests of all blobs.
    pub(super) fn digests(&self) -> impl Iterator<Item = &Digest> {
        self.places.keys()
    }

    pub(super) fn add(&mut self, pack: &str, frames: &[Frame]) {
        if !self.known.insert(pack.to_owned()) {
            return;
        }
        let number = self.packs.len() as u32;
        self.packs.push(pack.to_owned());
        self.ends.push(frames.last().map_or(0, |last| last.frame + u64::from(last.length)));
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
                match self.places.entry(member.blake3) {
                    Entry::Occupied(_) => self.spare.entry(member.blake3).or_default().push(place),
                    Entry::Vacant(free) => {
                        free.insert(place);
                    }
                }
            }
        }
    }

    /// Reads the indexes that are new since the last time.
    pub(super) fn refresh(&mut self, backend: &dyn Backend) -> Result<()> {
        let failed = SnapshotError::store(backend.shown("packs"), "listing packs");
        let names = backend.list("packs").map_err(failed)?;
        let sizes: HashMap<&str, u64> = names.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        let there = |pack: &String| {
            [".tar.zst", ".index"].iter().all(|end| sizes.contains_key(format!("{pack}{end}").as_str()))
        };
        if !self.known.iter().all(there) {
            *self = Self::default();
        }
        self.damaged.clear();
        let new = names.iter().filter_map(|(name, _)| name.strip_suffix(".index"));
        let new: Vec<String> = new.filter(|pack| !self.known.contains(*pack)).map(index_file).collect();
        backend.soon(&new);
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
                Err(error @ (SnapshotError::FormatVersion { .. } | SnapshotError::Bucket { .. })) => return Err(error),
                Err(error) => self.damaged.push(error.to_string()),
            }
        }
        Ok(())
    }

    /// All blobs with all their places, in the order in which they lie in packs.
    pub(super) fn by_frame(&self) -> Vec<(Place, Digest)> {
        let first = self.places.iter().map(|(digest, place)| (*place, *digest));
        let spare = self.spare.iter().flat_map(|(digest, places)| places.iter().map(|place| (*place, *digest)));
        let mut all: Vec<(Place, Digest)> = first.chain(spare).collect();
        all.sort_unstable_by_key(|(place, _)| *place);
        all
    }
}

pub(super) fn read_index(backend: &dyn Backend, pack: &str) -> Result<Vec<Frame>> {
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
    /// How many bytes of frames are kept besides the last one.
    kept_bytes: usize,
    reading: Option<Arc<Reading>>,
}

impl BlobReader {
    /// `reading` keeps the packs where they are.
    pub(super) fn new(backend: Arc<dyn Backend>, catalog: Arc<Catalog>, reading: Option<Arc<Reading>>) -> Self {
        Self { backend, catalog, frames: VecDeque::new(), kept_bytes: KEPT_BYTES, reading }
    }

    /// A reader of the same packs with frames of its own.
    pub(in super::super) fn another(&self) -> Self {
        Self::new(self.backend.clone(), self.catalog.clone(), self.reading.clone())
    }

    /// Another reader, for one who takes frame after frame and never goes back.
    pub(in super::super) fn onwards(&self) -> Self {
        Self { kept_bytes: 0, ..self.another() }
    }

    /// Where a blob is; none when the store has not got it.
    pub(in super::super) fn place(&self, digest: &Digest) -> Option<Place> {
        self.catalog.place(digest)
    }

    /// All blobs in the order in which they lie in packs.
    pub(in super::super) fn all(&self) -> Vec<(Place, Digest)> {
        self.catalog.by_frame()
    }

    /// Where the first copies of these blobs are, in the order in which they lie in packs.
    pub(in super::super) fn places(&self, digests: impl IntoIterator<Item = Digest>) -> Vec<(Place, Digest)> {
        let there = digests.into_iter().filter_map(|digest| Some((self.place(&digest)?, digest)));
        let mut places: Vec<(Place, Digest)> = there.collect();
        places.sort_unstable_by_key(|(place, _)| *place);
        places
    }

    /// Packs that do not end as archives do; no blob is hurt by that.
    pub(in super::super) fn bad_ends(&self) -> Result<Vec<String>> {
        let failed = SnapshotError::store(self.backend.shown("packs"), "listing packs");
        let sizes: HashMap<String, u64> = self.backend.list("packs").map_err(failed)?.into_iter().collect();
        let ends = self.catalog.packs.iter().zip(&self.catalog.ends);
        let bad = ends.filter_map(|(pack, end)| {
            let file = pack_file(pack);
            let size = sizes.get(file.strip_prefix("packs/")?)?;
            let length = usize::try_from(size.checked_sub(*end)?).ok().filter(|length| *length <= END_BYTES);
            let packed = length.map(|length| self.backend.range(&file, *end, length));
            let packed = match packed.transpose().map_err(SnapshotError::store(&file, "reading a pack")) {
                Err(error) if error.is_unanswered() => return Some(Err(error)),
                other => other.ok().flatten(),
            };
            let unpacked = packed.and_then(|packed| zstd::bulk::decompress(&packed, END_BYTES).ok());
            let good = unpacked.is_some_and(|zeros| zeros == [0; END_BYTES]);
            let bad = || Ok(format!("{}: the end of the archive is not what it was", self.backend.shown(&file)));
            (!good).then(bad)
        });
        bad.collect()
    }

    /// Whether, for want of an identity, some of these contents can't be read: then that error. Opens each
    /// pack once, and reads next to nothing of it; what is damaged shows elsewhere.
    pub(super) fn check_locked<'a>(&self, contents: impl Iterator<Item = &'a Content>) -> Result<()> {
        let mut packs: HashMap<u32, Option<SnapshotError>> = HashMap::new();
        for chunk in contents.flat_map(|content| &content.chunks) {
            let spare = self.catalog.spare.get(&chunk.digest).into_iter().flatten();
            let mut locked = None;
            for place in self.catalog.places.get(&chunk.digest).into_iter().chain(spare) {
                let is_locked = packs.entry(place.pack).or_insert_with(|| self.why_locked(place)).is_some();
                locked = is_locked.then_some(place.pack);
                if !is_locked {
                    break;
                }
            }
            if let Some(error) = locked.and_then(|pack| packs.remove(&pack)).flatten() {
                return Err(error);
            }
        }
        Ok(())
    }

    fn why_locked(&self, place: &Place) -> Option<SnapshotError> {
        let file = pack_file(self.catalog.packs.get(place.pack as usize)?);
        let error = self.backend.range(&file, place.frame, 1).err()?;
        match SnapshotError::store(file, "reading a pack")(error) {
            locked @ SnapshotError::Locked { .. } => Some(locked),
            _ => None,
        }
    }

    /// The name of the pack that holds a place, for messages.
    pub(in super::super) fn pack(&self, place: &Place) -> String {
        let pack = self.catalog.packs.get(place.pack as usize);
        self.backend.shown(&pack.map_or_else(|| "packs".into(), |pack| pack_file(pack)))
    }

    /// The bytes of a blob: of its first copy that is good.
    pub(in super::super) fn read(&mut self, chunk: &Chunk) -> Result<Vec<u8>> {
        let what = || format!("blob {}", chunk.digest.short());
        let first = self.place(&chunk.digest).ok_or_else(|| SnapshotError::damaged(what(), "no pack holds it"))?;
        let spare = self.catalog.spare.get(&chunk.digest).cloned().unwrap_or_default();
        let mut answer = self.read_at(&first, chunk);
        for place in spare {
            if answer.is_ok() {
                break;
            }
            answer = self.read_at(&place, chunk);
        }
        answer
    }

    /// The bytes of one copy of a blob.
    fn read_at(&mut self, place: &Place, chunk: &Chunk) -> Result<Vec<u8>> {
        self.hold_at(place, chunk)?;
        Ok(self.held(place).to_vec())
    }

    /// Has the frame of one copy of a blob at hand, in which the blob's bytes are right.
    fn hold_at(&mut self, place: &Place, chunk: &Chunk) -> Result<()> {
        let what = || format!("blob {}", chunk.digest.short());
        if place.size != chunk.size {
            return Err(SnapshotError::damaged(what(), "its length is not what the snapshot says"));
        }
        self.fetch(place)?;
        if Digest::of(self.held(place)) == chunk.digest {
            return Ok(());
        }
        // How a pack is called may have to be asked of a bucket.
        let what = format!("{} in {}", what(), self.pack(place));
        Err(SnapshotError::damaged(what, "its bytes are not what its name says"))
    }

    /// What the frame that was fetched last has at a place.
    fn held(&self, place: &Place) -> &[u8] {
        let at = place.at as usize;
        self.frames.back().and_then(|(_, _, frame)| frame.get(at..at + place.size as usize)).unwrap_or_default()
    }

    /// Whether the bytes at a place are the blob's; an error only where nobody can say, for want of an
    /// identity or of an answer.
    pub(in super::super) fn matches(&mut self, place: &Place, digest: &Digest) -> Result<bool> {
        let chunk = Chunk { digest: *digest, size: place.size };
        match self.hold_at(place, &chunk) {
            Err(error @ (SnapshotError::Locked { .. } | SnapshotError::Bucket { .. })) => Err(error),
            other => Ok(other.is_ok()),
        }
    }

    /// Every chunk of a content, in order.
    pub(in super::super) fn each(
        &mut self,
        content: &Content,
        mut take: impl FnMut(Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        content.chunks.iter().try_for_each(|chunk| take(self.read(chunk)?))
    }

    /// A content as a stream; a blob that can't be read is an error of it.
    pub(super) fn stream(&mut self, content: Content) -> impl Read {
        Stream { blobs: self, chunks: content.chunks.into_iter(), now: Cursor::default() }
    }

    /// Puts the frame of a place last.
    fn fetch(&mut self, place: &Place) -> Result<()> {
        let same = |kept: &(u32, u64, Vec<u8>)| kept.0 == place.pack && kept.1 == place.frame;
        let found = self.frames.iter().position(same);
        let kept = match found.and_then(|index| self.frames.remove(index)) {
            Some(kept) => kept,
            None => {
                let mut kept: usize = self.frames.iter().map(|(_, _, frame)| frame.len()).sum();
                while kept > self.kept_bytes {
                    kept -= self.frames.pop_front().map_or(kept, |(_, _, frame)| frame.len());
                }
                (place.pack, place.frame, self.unpack(place)?)
            }
        };
        // The one that was used last goes last.
        self.frames.push_back(kept);
        Ok(())
    }

    fn unpack(&self, place: &Place) -> Result<Vec<u8>> {
        let pack = &self.catalog.packs[place.pack as usize];
        let packed = self
            .backend
            .range(&pack_file(pack), place.frame, place.length as usize)
            .map_err(|error| SnapshotError::store(self.pack(place), "reading a pack")(error))?;
        // The index bounds `raw`; a frame that unpacks to more is an error of zstd.
        let unpacked = zstd::bulk::decompress(&packed, place.raw as usize);
        unpacked.map_err(|error| SnapshotError::damaged(self.pack(place), error.to_string()))
    }
}

struct Stream<'a> {
    blobs: &'a mut BlobReader,
    chunks: std::vec::IntoIter<Chunk>,
    now: Cursor<Vec<u8>>,
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.now.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let Some(chunk) = self.chunks.next() else { return Ok(0) };
            self.now = Cursor::new(self.blobs.read(&chunk).map_err(io::Error::other)?);
        }
    }
}

impl Place {
    /// Where its frame begins in its pack.
    #[cfg(test)]
    pub(super) fn frame_at(&self) -> u64 {
        self.frame
    }

    /// Whether both lie in one frame of one pack.
    pub(in super::super) fn same_frame(&self, other: &Self) -> bool {
        (self.pack, self.frame) == (other.pack, other.frame)
    }

    /// The blob's length.
    pub(in super::super) fn size(&self) -> u32 {
        self.size
    }
}
