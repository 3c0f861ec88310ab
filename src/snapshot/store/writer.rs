//! Writing: blobs that are new go into packs, then the manifest makes the snapshot visible.
//!
//! May use: `model`, `codec`, `manifest`, `error` and its siblings. Invariants: one writer per
//! site; nothing is stored twice; the manifest comes last.

use super::super::codec::{self, Loaded};
use super::super::error::{Result, SnapshotError};
use super::super::manifest::{Chunk, Content, Manifest};
use super::backend::{Backend, Held};
use super::blobs::{BlobReader, Catalog};
use super::pack::Packer;
use super::{ContentWriter, Reading, SnapshotName, Store, content, manifest_file};
use crate::model::{Digest, SiteName};
use std::collections::HashSet;
use std::sync::Arc;

/// Writes one snapshot of one site.
pub(in super::super) struct Writer {
    store: Arc<Store>,
    catalog: Arc<Catalog>,
    /// What is in the store already.
    stored: BlobReader,
    /// Blobs of entries that were read from it a moment ago.
    read: HashSet<Digest>,
    /// The snapshot that they belong to, with its id and its entries as they are stored.
    loaded: Option<(Arc<Manifest>, Digest, Content)>,
    packer: Packer,
    new: HashSet<Digest>,
    new_bytes: u64,
    /// A buffer for the next content: giving memory back and asking for it anew costs more
    /// than most files.
    spare: Vec<u8>,
    _held: Vec<Box<dyn Held>>,
    _reading: Option<Arc<Reading>>,
}

/// What a commit tells.
pub(in super::super) struct Committed {
    /// The snapshot's name.
    pub(in super::super) name: SnapshotName,
    /// Bytes of new contents.
    pub(in super::super) bytes_new: u64,
    /// Bytes that were written: these and the entries of the manifest, compressed.
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
        let catalog = self.catalog()?;
        Ok(Writer {
            store: self.clone(),
            stored: BlobReader::new(self.backend.clone(), catalog.clone(), None),
            read: HashSet::new(),
            loaded: None,
            catalog,
            packer: Packer::new(self.backend.clone()),
            new: HashSet::new(),
            new_bytes: 0,
            spare: Vec::new(),
            _held: vec![held, store],
            _reading: None,
        })
    }

    /// What only names contents: nothing is stored, nobody is kept from writing, and it can't be committed.
    pub(in super::super) fn hashing(self: &Arc<Self>) -> Result<Writer> {
        let reading = self.reading()?;
        let catalog = self.catalog()?;
        Ok(Writer {
            store: self.clone(),
            stored: BlobReader::new(self.backend.clone(), catalog.clone(), Some(reading.clone())),
            read: HashSet::new(),
            loaded: None,
            catalog,
            packer: Packer::nowhere(),
            new: HashSet::new(),
            new_bytes: 0,
            spare: Vec::new(),
            _held: Vec::new(),
            _reading: Some(reading),
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

    /// Stores a blob of a manifest's entries, unless it is there already and can be read: without them
    /// the whole snapshot is lost. Who may not read it believes the index.
    pub(super) fn put_entries(&mut self, data: &[u8]) -> Result<Digest> {
        let chunk = Chunk { digest: Digest::of(data), size: data.len() as u32 };
        let there = self.new.contains(&chunk.digest) || self.read.contains(&chunk.digest);
        if !there && !matches!(self.stored.read(&chunk), Ok(_) | Err(SnapshotError::Locked { .. })) {
            self.new.insert(chunk.digest);
            self.packer.add_entries(chunk.digest, data)?;
        }
        Ok(chunk.digest)
    }

    /// Reads a snapshot of the site that is written.
    pub(in super::super) fn load(&mut self, site: &SiteName, name: &SnapshotName) -> Result<Arc<Manifest>> {
        let Loaded { manifest, id, entries } = self.store.load_with(&mut self.stored, site, name)?;
        let manifest = Arc::new(manifest);
        if let Some(entries) = entries {
            self.read.extend(entries.chunks.iter().map(|chunk| chunk.digest));
            self.loaded = Some((manifest.clone(), id, entries));
        }
        Ok(manifest)
    }

    /// Begins a content.
    pub(in super::super) fn content(&mut self) -> ContentWriter {
        ContentWriter::new(content::CONTENTS, std::mem::take(&mut self.spare))
    }

    /// Keeps a content's buffer for the next one.
    pub(super) fn take_back(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.spare = buffer;
    }

    /// Whether all blobs of a content are in the store.
    pub(in super::super) fn has(&self, content: &Content) -> bool {
        let has = |chunk: &Chunk| {
            self.new.contains(&chunk.digest)
                || self.catalog.place(&chunk.digest).is_some_and(|place| place.size() == chunk.size)
        };
        content.chunks.iter().all(has)
    }

    /// Stores the manifest's entries, syncs all packs and their indexes, then makes the snapshot
    /// visible.
    pub(in super::super) fn commit(mut self, manifest: &Manifest) -> Result<Committed> {
        let same = |(loaded, ..): &(Arc<Manifest>, Digest, Content)| {
            loaded.header.site == manifest.header.site && loaded.entries == manifest.entries
        };
        let known = self.loaded.take().filter(same).map(|(_, id, entries)| (id, entries));
        let (id, known) = known.map_or_else(|| (manifest.id(), None), |(id, entries)| (id, Some(entries)));
        let name = SnapshotName::of(manifest.header.taken, &id);
        let file = manifest_file(&manifest.header.site, &name);
        let backend = self.store.backend.clone();
        let failed = || SnapshotError::store(backend.shown(&file), "writing a manifest");
        let entries = match known {
            Some(known) => known,
            None => {
                let mut entries = ContentWriter::new(content::ENTRIES, std::mem::take(&mut self.spare));
                for line in codec::lines(manifest) {
                    entries.take(&mut self, &line.map_err(failed())?)?;
                }
                entries.finish(&mut self)?
            }
        };
        let written = self.packer.finish()?;
        let bytes_stored = written.iter().map(|pack| pack.bytes).sum();
        let contents = manifest.entries.values().filter_map(|entry| entry.content()).chain([&entries]);
        let blobs = contents.flat_map(|content| &content.chunks).map(|chunk| chunk.digest);
        self.store.note_needs(&manifest.header.site, &name, blobs)?;
        let write = || codec::write(manifest, &entries, id, backend.create(&file)?)?.commit();
        write().map_err(failed())?;
        Ok(Committed { name, bytes_new: self.new_bytes, bytes_stored })
    }
}
