//! Capture: walk, compare with the previous manifest, stream what is new, dump, commit.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: nothing is committed before the
//! closing status of every stream was read; a truncated stream never becomes a snapshot.

use super::diff::Diff;
use super::error::Result;
use super::manifest::Manifest;
use super::store::{SnapshotName, Store};
use super::{Progress, Source};
use jiff::Timestamp;
use std::sync::Arc;

/// How a capture is done.
#[derive(Debug, Clone)]
pub struct CaptureRequest {
    /// Now, by the runner's clock.
    pub now: Timestamp,
    /// Whether unreadable files make the capture fail (they should), or are only recorded.
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
    /// Bytes that were added to the store, before compression.
    pub bytes_new: u64,
    /// Bytes that were added to the store, compressed.
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
    let _ = (source, store, request, progress);
    todo!()
}
