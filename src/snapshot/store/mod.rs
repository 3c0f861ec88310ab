//! The store: packs and manifests in a folder (later: a bucket).
//!
//! May use: `model`, and `snapshot`'s item, manifest, codec. Invariants: a pack is synced before
//! its index, the index before the manifest that needs it; an object is visible whole or not at
//! all; one writer per site.

use super::error::Result;
use super::manifest::{Manifest, Totals};
use crate::model::SiteName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// The name of a snapshot within its site: `20260114T020000.123Z-0123456789ab`. Sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotName(String);

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line of a list of snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// The site.
    pub site: SiteName,
    /// The snapshot.
    pub name: SnapshotName,
    /// When it was taken, by its name.
    pub taken: Timestamp,
    /// The bytes of its manifest.
    pub manifest_bytes: u64,
}

/// A snapshot store.
pub struct Store {}

impl Store {
    /// Opens the store in a folder, and begins one where there is nothing or an empty folder.
    pub fn open(folder: &Path) -> Result<Self> {
        let _ = folder;
        todo!()
    }

    /// The sites that have snapshots.
    pub fn sites(&self) -> Result<Vec<SiteName>> {
        todo!()
    }

    /// The snapshots of a site, oldest first.
    pub fn list(&self, site: &SiteName) -> Result<Vec<SnapshotSummary>> {
        let _ = site;
        todo!()
    }

    /// The newest snapshot of a site.
    pub fn latest(&self, site: &SiteName) -> Result<Option<SnapshotName>> {
        let _ = site;
        todo!()
    }

    /// Reads a manifest, whole and checked.
    pub fn load(&self, site: &SiteName, name: &SnapshotName) -> Result<Manifest> {
        let _ = (site, name);
        todo!()
    }

    /// Counts of a manifest, from its footer.
    pub fn totals(&self, site: &SiteName, name: &SnapshotName) -> Result<Totals> {
        Ok(self.load(site, name)?.totals())
    }
}

impl SnapshotName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the snapshot with this id that was taken then.
    pub(super) fn of(taken: Timestamp, id: &crate::model::Digest) -> Self {
        Self(format!(
            "{}-{}",
            taken.strftime("%Y%m%dT%H%M%S.%3fZ"),
            id.short()
        ))
    }

    /// The time in the name.
    pub fn taken(&self) -> Option<Timestamp> {
        let (time, id) = self.0.split_once('-')?;
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if id.len() != 12 || !id.chars().all(hex) || time.len() != 20 {
            return None;
        }
        jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S.%fZ", time)
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    }
}

impl TryFrom<String> for SnapshotName {
    type Error = super::item::ItemError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let name = Self(text);
        match name.taken() {
            Some(_) => Ok(name),
            None => Err(super::item::ItemError::BAD_SNAPSHOT_NAME),
        }
    }
}

impl std::str::FromStr for SnapshotName {
    type Err = super::item::ItemError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl From<SnapshotName> for String {
    fn from(name: SnapshotName) -> Self {
        name.0
    }
}
