//! Writing: blobs that are new go into packs, then the manifest makes the snapshot visible.
//!
//! May use: `model`, `codec`, `manifest`, `error` and its siblings. Invariants: one writer per
//! site; nothing is stored twice; the manifest comes last.

use super::super::codec;
use super::super::error::{Result, SnapshotError};
use super::super::manifest::{CHUNK_BYTES, Chunk, Content, Manifest};
use super::blobs::Catalog;
use super::folder::Held;
use super::pack::Packer;
use super::{SnapshotName, Store, manifest_file};
use crate::model::{Digest, SiteName};
use std::collections::HashSet;
use std::sync::Arc;

/// Writes one snapshot of one site.
pub(in super::super) struct Writer {
    store: Arc<Store>,
    catalog: Arc<Catalog>,
    packer: Packer,
    new: HashSet<Digest>,
    new_bytes: u64,
    _site: Box<dyn Held>,
    _store: Box<dyn Held>,
}

/// What a commit tells.
pub(in super::super) struct Committed {
    /// The snapshot's name.
    pub(in super::super) name: SnapshotName,
    /// Bytes of new blobs.
    pub(in super::super) bytes_new: u64,
    /// The same, as they were written.
    pub(in super::super) bytes_stored: u64,
}

impl Store {
    /// Begins to write a snapshot.
    pub(in super::super) fn writer(self: &Arc<Self>, site: &SiteName) -> Result<Writer> {
        let store = self.lock(true)?;
        let name = format!("locks/sites/{site}");
        let failed = SnapshotError::store(self.backend.shown(&name), "locking");
        let held = self.backend.lock(&name, false).map_err(failed)?;
        let held =
            held.ok_or_else(|| SnapshotError::Busy { site: site.to_string(), path: self.backend.shown(&name) })?;
        let failed = SnapshotError::store(self.backend.shown("unfinished"), "cleaning up");
        self.backend.clean().map_err(failed)?;
        Ok(Writer {
            store: self.clone(),
            catalog: self.catalog()?,
            packer: Packer::new(self.backend.clone()),
            new: HashSet::new(),
            new_bytes: 0,
            _site: held,
            _store: store,
        })
    }
}

impl Writer {
    /// Stores a blob of at most a chunk's size, unless it is there already.
    pub(in super::super) fn put(&mut self, data: &[u8]) -> Result<Digest> {
        let digest = Digest::of(data);
        if self.catalog.place(&digest).is_none() && self.new.insert(digest) {
            self.new_bytes += data.len() as u64;
            self.packer.add(digest, data)?;
        }
        Ok(digest)
    }

    /// Whether all blobs of a content are in the store.
    pub(in super::super) fn has(&self, content: &Content) -> bool {
        let has = |chunk: &Chunk| {
            self.new.contains(&chunk.digest)
                || self.catalog.place(&chunk.digest).is_some_and(|place| place.size() == chunk.size)
        };
        content.chunks.iter().all(has)
    }

    /// Syncs all packs and their indexes, then makes the snapshot visible.
    pub(in super::super) fn commit(self, manifest: &Manifest) -> Result<Committed> {
        let written = self.packer.finish()?;
        let bytes_stored = written.iter().map(|pack| pack.bytes).sum();
        let name = SnapshotName::of(manifest.header.taken, &manifest.id());
        let file = manifest_file(&manifest.header.site, &name);
        let backend = &self.store.backend;
        let write = || codec::write(manifest, backend.create(&file)?)?.commit();
        write().map_err(SnapshotError::store(backend.shown(&file), "writing a manifest"))?;
        Ok(Committed { name, bytes_new: self.new_bytes, bytes_stored })
    }
}

/// Takes bytes of unknown length and stores them in chunks, in constant memory.
#[derive(Default)]
pub(in super::super) struct ContentWriter {
    buffer: Vec<u8>,
    whole: blake3::Hasher,
    chunks: Vec<Chunk>,
    size: u64,
}

impl ContentWriter {
    /// Takes the next bytes.
    pub(in super::super) fn take(&mut self, writer: &mut Writer, mut bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = CHUNK_BYTES - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CHUNK_BYTES {
                self.whole.update(&self.buffer);
                self.cut(writer)?;
            }
        }
        Ok(())
    }

    fn cut(&mut self, writer: &mut Writer) -> Result<()> {
        let digest = writer.put(&self.buffer)?;
        self.chunks.push(Chunk { digest, size: self.buffer.len() as u32 });
        self.buffer.clear();
        Ok(())
    }

    /// Stores the rest and names the whole.
    pub(in super::super) fn finish(mut self, writer: &mut Writer) -> Result<Content> {
        if !self.buffer.is_empty() {
            // A single chunk is the whole: its digest is not computed twice.
            if !self.chunks.is_empty() {
                self.whole.update(&self.buffer);
            }
            self.cut(writer)?;
        }
        let digest = match self.chunks.as_slice() {
            [only] => only.digest,
            _ => self.whole.finalize().into(),
        };
        Ok(Content { digest, size: self.size, chunks: self.chunks })
    }
}
