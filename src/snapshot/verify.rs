//! Verify: reads what is stored and says which snapshots and which items are hurt.
//!
//! May use: `model` and its siblings. Invariant: reads only.

use super::Progress;
use super::error::Result;
use super::store::{SnapshotName, Store};
use crate::model::SiteName;
use std::sync::Arc;

/// How deep to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Manifests and indexes: is everything that is named there, with the right lengths?
    Metadata,
    /// Every byte, hashed.
    EveryByte,
}

/// A snapshot that is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HurtSnapshot {
    /// The site.
    pub site: SiteName,
    /// The snapshot.
    pub name: SnapshotName,
    /// How many items are hurt.
    pub count: usize,
    /// The first of them, or the reason why the manifest can't be read; fit to be shown.
    pub items: Vec<String>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Snapshots that were looked at.
    pub snapshots: u64,
    /// Blobs that were looked at.
    pub blobs: u64,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Snapshots that are hurt.
    pub hurt: Vec<HurtSnapshot>,
    /// Files of the store that are damaged, also where no snapshot needs them.
    pub damaged: Vec<String>,
}

impl Verified {
    /// Whether all is well.
    pub fn ok(&self) -> bool {
        self.hurt.is_empty() && self.damaged.is_empty()
    }
}

/// Verifies all snapshots of a site, or of all sites.
///
/// # Errors
/// Only when the store itself can't be read; damage is in the answer.
pub async fn verify(
    store: &Arc<Store>,
    site: Option<&SiteName>,
    depth: Depth,
    progress: &Arc<dyn Progress>,
) -> Result<Verified> {
    let _ = (store, site, depth, progress);
    todo!()
}
