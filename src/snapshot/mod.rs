//! Snapshots: a site's state as one manifest, captured, stored, verified, compared, restored.
//!
//! May use: `model`, `plan` (what is kept), `remote`. Invariants: a snapshot is visible only when every byte of it is
//! synced; content is named by its BLAKE3 digest and checked whenever it is read; nothing is
//! overwritten on a site before the present state is itself a snapshot; remote commands are
//! constant scripts, paths reach them only as NUL-separated input or inside `tar`; memory does
//! not grow with the size of files or tables.

mod adopt;
mod attributes;
mod bounded;
mod busybox;
mod capture;
mod codec;
mod database;
mod diff;
mod error;
mod export;
mod import;
mod item;
mod look;
mod manifest;
mod restore;
mod retention;
mod store;
mod stream;
mod tarball;
mod verify;
mod walk;

pub use adopt::adopt;
pub use capture::{CaptureRequest, CaptureStats, Captured, capture};
pub use database::{
    DatabaseAccess, Engine, ScratchDatabase, SelectTables, TableRule, WholeDump, let_requests_end, whole_dump,
};
pub use diff::{Aspect, Change, Diff, DiffCounts, diff};
pub use error::{Result, SnapshotError};
pub use export::{export, export_encrypted};
pub use import::{Imported, import};
pub use item::{Item, ItemError, ItemPath, MAX_OBJECT_NAME_BYTES, MAX_PATH_BYTES, ObjectKind, ObjectName};
pub use look::{Present, look, read_each};
pub use manifest::{
    CHUNKER, Chunk, Content, DatabaseFacts, Entry, Facts, Header, MANIFEST_VERSION, Manifest, Problem, Totals,
};
pub use restore::{
    KeepRows, LeftReason, Only, Prepared, Proof, RehearseRequest, Rehearsed, RestoreRequest, Restored, Rows, TableRows,
    prepare, rehearsal_room, rehearse, small_file,
};
pub use retention::{Reason, retain};
pub use store::{
    BucketKeys, BucketPlace, BucketUse, Encrypted, Encryption, Identities, Pruned, Rehearsing, Repaired, SnapshotName,
    SnapshotSummary, Store, encrypt, prune, repair,
};
pub use verify::{Depth, HurtSnapshot, Verified, verify, verify_snapshot};
pub use walk::exclusions;

use crate::model::SiteName;
use crate::remote::Shell;
use std::sync::Arc;

/// A site as this module needs it: where it is and what of it is captured.
#[derive(Clone)]
pub struct Source {
    /// The host.
    pub shell: Arc<dyn Shell>,
    /// The site.
    pub site: SiteName,
    /// Its root on the host: an absolute path.
    pub root: String,
    /// Patterns of paths below the root that are left out, as `find -path` understands them:
    /// `wp-content/cache`, `*.log`; `*` also matches `/`. A folder that matches is left out
    /// with all that is in it.
    pub exclude: Vec<String>,
    /// Its database, if it has one.
    pub database: Option<DatabaseAccess>,
}

/// What is going on, for those who show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The paths of the site are listed.
    Walking,
    /// Files come from the site.
    Reading,
    /// The database is dumped.
    Dumping,
    /// The manifest is written and synced.
    Committing,
    /// Files go to the site or are removed from it.
    Writing,
    /// The database is imported.
    Importing,
    /// The site is compared with what it should be.
    Comparing,
    /// Stored bytes are read and hashed.
    Verifying,
}

/// Hears how the work goes. Called often and from several threads: be quick.
pub trait Progress: Send + Sync {
    /// `items` of `of` (0: unknown) are done in this phase, with `bytes` so far.
    fn at(&self, phase: Phase, items: u64, of: u64, bytes: u64);
}

/// Hears nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn at(&self, _: Phase, _: u64, _: u64, _: u64) {}
}
