//! Export: one snapshot as a self-contained `.tar.zst` that needs no Intendant to be read.
//!
//! May use: `model` and its siblings. Invariant: reads the store only.

use super::Progress;
use super::error::Result;
use super::store::{SnapshotName, Store};
use crate::model::SiteName;
use std::path::Path;
use std::sync::Arc;

/// Writes a snapshot to `to`: files under `files/`, the database as `database.sql`. The file
/// appears only when it is complete. Returns its size in bytes.
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
    let _ = (store, site, name, to, progress);
    todo!()
}
