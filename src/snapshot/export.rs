//! Export: one snapshot as a self-contained `.tar.zst` that needs no Intendant to be read.
//!
//! May use: `model` and its siblings. Invariants: reads the store only; the file appears when
//! it is complete.

use super::codec;
use super::database::{Engine, write_sql};
use super::error::{Result, SnapshotError};
use super::item::{ItemPath, ObjectName};
use super::manifest::{Content, Manifest};
use super::store::{BlobReader, SnapshotName, Store, Upload};
use super::tarball::{Tarball, Zeros};
use super::{Phase, Progress};
use crate::model::SiteName;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// zstd's level for exports.
const LEVEL: i32 = 3;
/// How much is copied at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The members of an export besides `files/`, in their order.
pub(super) const HEADER: &str = "snapshot.json";
pub(super) const MANIFEST: &str = "snapshot.manifest";

/// Writes a snapshot to `to`: `snapshot.json`, the manifest, files under `files/`, and the
/// database, where there is one, as `database.sql` or `database.sqlite3`. Returns its size in bytes.
///
/// # Errors
/// When content is missing or damaged, or the file can't be written.
pub async fn export(
    store: &Arc<Store>,
    site: &SiteName,
    name: &SnapshotName,
    to: &Path,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    begin(store, site, name, to, false, progress).await
}

/// The same, encrypted to the store's recipients.
///
/// # Errors
/// The same, and when the store has no recipients.
pub async fn export_encrypted(
    store: &Arc<Store>,
    site: &SiteName,
    name: &SnapshotName,
    to: &Path,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    begin(store, site, name, to, true, progress).await
}

async fn begin(
    store: &Arc<Store>,
    site: &SiteName,
    name: &SnapshotName,
    to: &Path,
    sealed: bool,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    let (store, site, name) = (store.clone(), site.clone(), name.clone());
    let (to, progress) = (to.to_owned(), progress.clone());
    let task = tokio::task::spawn_blocking(move || {
        let manifest = store.load(&site, &name)?;
        let blobs = store.blobs()?;
        store.check_locked(&blobs, &manifest)?;
        Export { store: &store, manifest, blobs, to, sealed, progress: &*progress }.run()
    });
    super::capture::joined(task.await)
}

struct Export<'a> {
    store: &'a Store,
    manifest: Manifest,
    blobs: BlobReader,
    to: PathBuf,
    sealed: bool,
    progress: &'a dyn Progress,
}

/// The file of an export, which appears when it is complete.
struct File {
    file: NamedTempFile,
    to: PathBuf,
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Upload for File {
    fn commit(self: Box<Self>) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.to).map(|_| ()).map_err(|error| error.error)
    }
}

impl Export<'_> {
    fn run(self) -> Result<u64> {
        let to = self.to.clone();
        let failed = |source| SnapshotError::Export { path: to.display().to_string(), source };
        let folder = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let file = NamedTempFile::new_in(&folder).map_err(failed)?;
        let mut out: Box<dyn Upload> = Box::new(File { file, to: to.clone() });
        if self.sealed {
            out = self.store.seal(out)?;
        }
        let mut encoder = zstd::Encoder::new(out, LEVEL).map_err(failed)?;
        encoder.include_checksum(true).map_err(failed)?;
        let mut tarball = Tarball::new(encoder, self.blobs, Zeros::Written);
        let written = write(&self.manifest, &mut tarball, &folder, self.progress);
        if let Some(error) = tarball.failed.take() {
            return Err(error);
        }
        let encoder = written.and_then(|()| tarball.finish()).map_err(failed)?;
        encoder.finish().and_then(Upload::commit).map_err(failed)?;
        Ok(std::fs::metadata(&to).map_err(failed)?.len())
    }
}

fn write(
    manifest: &Manifest,
    tarball: &mut Tarball<impl Write>,
    folder: &Path,
    progress: &dyn Progress,
) -> io::Result<()> {
    let header = serde_json::to_vec_pretty(&manifest.header)?;
    tarball.plain(HEADER.as_bytes(), header.len() as u64, &mut header.as_slice())?;
    let packed = codec::write_whole(manifest, manifest.id(), Vec::new())?;
    tarball.plain(MANIFEST.as_bytes(), packed.len() as u64, &mut packed.as_slice())?;
    let of = manifest.entries.len() as u64;
    for (done, (path, entry)) in manifest.paths().enumerate() {
        tarball.entry(&below(path), entry)?;
        progress.at(Phase::Reading, done as u64 + 1, of, tarball.sent);
    }
    let mut objects: Vec<_> = manifest.objects().map(|(name, content)| (name.clone(), content.clone())).collect();
    if objects.is_empty() {
        return Ok(());
    }
    objects.sort_by_key(|(name, _)| name.kind());
    let facts = manifest.header.database.as_ref();
    let unknown = || io::Error::other("its database is of a sort that this program does not know");
    let engine = Engine::of(facts).ok_or_else(unknown)?;
    write_beside(engine, manifest, tarball)?;
    // Its length must be known before it is written.
    let mut sql = tempfile::tempfile_in(folder)?;
    write_sql(engine, &mut sql, &objects, &mut tarball.blobs).map_err(|error| tarball.store_failed(error))?;
    let size = sql.stream_position()?;
    sql.rewind()?;
    tarball.plain(engine.member().as_bytes(), size, &mut BufReader::with_capacity(BUFFER_BYTES, sql).take(size))
}

/// What an export has beside the database: with SQL, the views as they are stored, of which it has two parts.
pub(super) fn beside(engine: Engine, manifest: &Manifest) -> impl Iterator<Item = (&ObjectName, &Content)> {
    manifest.objects().filter(move |(name, _)| name.kind() == engine.beside().0)
}

fn write_beside(engine: Engine, manifest: &Manifest, tarball: &mut Tarball<impl Write>) -> io::Result<()> {
    let mut text = Vec::new();
    for (_, content) in beside(engine, manifest) {
        let read = tarball.blobs.each(content, |bytes| {
            text.extend_from_slice(&bytes);
            Ok(())
        });
        read.map_err(|error| tarball.store_failed(error))?;
    }
    match text.is_empty() {
        true => Ok(()),
        false => tarball.plain(engine.beside().1.as_bytes(), text.len() as u64, &mut text.as_slice()),
    }
}

/// `files/` and the path.
pub(super) fn below(path: &ItemPath) -> Vec<u8> {
    let mut name = b"files".to_vec();
    if !path.is_root() {
        name.push(b'/');
        name.extend_from_slice(path.as_bytes());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_folder_itself() {
        assert_eq!(below(&ItemPath::root()), b"files");
        assert_eq!(below(&ItemPath::new("a").unwrap()), b"files/a");
    }
}
