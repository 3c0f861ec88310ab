//! Restore: prepare (capture the present, diff, check room and rights), then apply.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: `apply` needs a `Prepared`, which
//! only exists when the present state is itself a committed snapshot; idempotent; ends with a
//! second walk and dump whose diff must be empty.

use super::capture::Captured;
use super::diff::Diff;
use super::error::Result;
use super::item::{ItemPath, ObjectName};
use super::manifest::Manifest;
use super::store::{SnapshotName, Store};
use super::{Progress, Source};
use jiff::Timestamp;
use std::sync::Arc;

/// What a restore is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Only {
    /// This path and what lies below it.
    Path(ItemPath),
    /// This database object.
    Object(ObjectName),
}

/// How a restore is done.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// Now, by the runner's clock.
    pub now: Timestamp,
    /// Which snapshot.
    pub target: SnapshotName,
    /// Nothing else than these; empty: everything.
    pub only: Vec<Only>,
    /// Paths that are put in order at the very end, after the database: `.maintenance`.
    pub last: Vec<ItemPath>,
}

/// A restore that can be applied: the present state is kept in the store.
pub struct Prepared {
    source: Source,
    store: Arc<Store>,
    request: RestoreRequest,
    target: Manifest,
    before: Captured,
    diff: Diff,
    bytes: u64,
}

/// A restore that was applied and proven.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The snapshot that was taken before anything was overwritten.
    pub before: SnapshotName,
    /// What was undone: from the state before to the state now.
    pub undone: Diff,
    /// Differences that remain because the account may not set them (owners, folders of others).
    pub left: Diff,
    /// Bytes that were sent.
    pub bytes_sent: u64,
}

/// Captures the present state, compares it with the target, checks room and rights on the host
/// and that every needed byte is in the store. Changes nothing on the site.
///
/// # Errors
/// Everything that would stop the restore halfway, as far as it can be known.
pub async fn prepare(
    source: &Source,
    store: &Arc<Store>,
    request: RestoreRequest,
    progress: &Arc<dyn Progress>,
) -> Result<Prepared> {
    let _ = (source, store, request, progress);
    todo!()
}

impl Prepared {
    /// The snapshot of the present state, which the restore will overwrite.
    pub fn before(&self) -> &Captured {
        &self.before
    }

    /// What will change on the site: from the present state to the target. What it lists as
    /// removed or changed is what will be lost (and is kept in [`Prepared::before`]).
    pub fn diff(&self) -> &Diff {
        &self.diff
    }

    /// Bytes that will be sent to the host.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The target.
    pub fn target(&self) -> &Manifest {
        &self.target
    }

    /// Restores, then walks and dumps again.
    ///
    /// # Errors
    /// [`super::SnapshotError::StillDiffers`] when the site is not what it should be afterwards.
    /// After any error, prepare and apply again: it ends at the same place.
    pub async fn apply(self, progress: &Arc<dyn Progress>) -> Result<Restored> {
        let _ = (progress, self.source, self.store, self.request);
        todo!()
    }
}
