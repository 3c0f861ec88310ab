//! The store: packs and manifests in a folder or a bucket.
//!
//! May use: `model`, and `snapshot`'s item, manifest, codec. Invariants: a pack is synced before
//! its index, the index before the manifest that needs it; an object is visible whole or not at
//! all; one writer per site; while anybody reads or writes, no pack is removed.

mod backend;
mod blobs;
mod bucket;
#[cfg(feature = "encryption")]
mod cipher;
mod content;
mod encrypt;
mod folder;
mod index;
mod needs;
#[cfg(not(feature = "encryption"))]
mod no_cipher;
mod pack;
mod prune;
mod recipients;
mod repair;
mod sealed;
#[cfg(test)]
mod tests;
mod writer;

pub(super) use backend::{Object, Upload};
pub(super) use blobs::{BlobReader, Place};
pub use bucket::{BucketKeys, BucketPlace, BucketUse};
pub(super) use content::ContentWriter;
pub use encrypt::{Encrypted, Encryption, encrypt};
#[cfg(not(feature = "encryption"))]
use no_cipher as cipher;
pub use prune::{Pruned, prune};
pub use repair::{Repaired, repair};
pub use sealed::Identities;
pub(super) use writer::Writer;

use super::codec::{self, Loaded};
use super::error::{Result, SnapshotError};
use super::manifest::{Header, Manifest};
use crate::model::SiteName;
use backend::{Backend, Held};
use blobs::Catalog;
use bucket::Bucket;
use folder::Folder;
use jiff::Timestamp;
use recipients::{STORE_FILE, StoreLine};
use sealed::Sealed;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shared among all who read or write; what removes packs takes it alone.
const STORE_LOCK: &str = "locks/store";
/// How long one waits for another to let go of the store.
const LOCK_WAIT: Duration = Duration::from_secs(10 * 60);
/// How soon one looks whether it did; then less and less often.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_LOCK_PAUSE: Duration = Duration::from_secs(2);
/// What may lie where a store was begun and has no file of its own yet.
const IS_LEFT: [&str; 2] = ["unfinished", "locks"];
const OPENING: &str = "opening the store";
/// What a manifest's file name ends with.
const MANIFEST_SUFFIX: &str = ".manifest";

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
pub struct Store {
    backend: Arc<Sealed>,
    catalog: Mutex<Arc<Catalog>>,
}

/// Somebody reads: packs stay.
pub(super) struct Reading(#[expect(dead_code, reason = "held, never looked at")] Option<Box<dyn Held>>);

/// Somebody rehearses restores of a site, as long as this is not dropped.
pub struct Rehearsing(#[expect(dead_code, reason = "held, never looked at")] Box<dyn Held>);

impl Store {
    /// Opens the store in a folder, and begins one where there is nothing or an empty folder. Nothing
    /// that is encrypted is read.
    ///
    /// # Errors
    /// When the folder holds something else, or a store of an unknown version.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_with(folder, Identities::none("no identity is given"))
    }

    /// The same, to read what is encrypted to these identities.
    ///
    /// # Errors
    /// As those of [`Store::open`]: whether the identities are the right ones shows when they are needed.
    pub fn open_with(folder: &Path, identities: Identities) -> Result<Self> {
        let shown = folder.display().to_string();
        std::fs::create_dir_all(folder).map_err(SnapshotError::store(shown, OPENING))?;
        Self::begin(Box::new(Folder::new(folder)), identities)
    }

    /// Opens the store in a bucket, as [`Store::open_with`] does one in a folder.
    ///
    /// # Errors
    /// Also when the bucket can't be reached or used, or its service can't keep two writers apart.
    pub fn open_bucket(usage: &BucketUse, identities: Identities) -> Result<Self> {
        let bucket = Bucket::new(usage, bucket::Patience::default());
        let bucket = bucket.map_err(SnapshotError::store(usage.place.to_string(), OPENING))?;
        Self::begin(Box::new(bucket), identities)
    }

    /// Opens what a backend holds, and begins a store where there is nothing.
    fn begin(backend: Box<dyn Backend>, identities: Identities) -> Result<Self> {
        let shown = backend.shown("");
        let failed = || SnapshotError::store(shown.clone(), OPENING);
        let is_new = match StoreLine::read(&*backend) {
            Err(error) if error.is_missing() => true,
            other => other.map(|_| false)?,
        };
        if is_new {
            let names = backend.list("").map_err(failed())?;
            if names.iter().any(|(name, _)| !IS_LEFT.contains(&name.as_str())) {
                return Err(SnapshotError::NotAStore { path: shown });
            }
        }
        backend.probe().map_err(failed())?;
        if is_new {
            StoreLine::plain().begin(&*backend).map_err(failed())?;
            StoreLine::read(&*backend)?;
        }
        Ok(Self::with(backend, identities))
    }

    fn with(backend: Box<dyn Backend>, identities: Identities) -> Self {
        Self { backend: Arc::new(Sealed::new(backend, identities)), catalog: Mutex::default() }
    }

    /// Whether all that is encrypted in the store can be read with the identities at hand. A store in
    /// which nothing is encrypted can.
    ///
    /// # Errors
    /// [`SnapshotError::Locked`] says to whom it is encrypted, and what to do.
    pub fn readable(&self) -> Result<()> {
        self.backend.readable()
    }

    /// Whether everything of a snapshot can be read with the identities at hand, as far as these go.
    ///
    /// # Errors
    /// [`SnapshotError::Locked`] names a file that can't be opened.
    pub(super) fn check_locked(&self, blobs: &BlobReader, manifest: &Manifest) -> Result<()> {
        match self.backend.has_sealed() {
            true => blobs.check_locked(manifest.entries.values().filter_map(|entry| entry.content())),
            false => Ok(()),
        }
    }

    /// Tries what a run needs of the service where the store is, and says what it found; nothing of a disk.
    ///
    /// # Errors
    /// What does not work, and what to do.
    pub fn tried(&self) -> Result<Option<String>> {
        self.backend.tried().map_err(SnapshotError::store(self.place(), "trying the store"))
    }

    /// To whom the store encrypts what is written now.
    pub fn recipients(&self) -> Result<Vec<String>> {
        Ok(self.backend.line()?.recipients)
    }

    /// Opens a file that may be encrypted to the same identities.
    pub(super) fn open_other(&self, file: &Path) -> std::io::Result<Box<dyn Object>> {
        self.backend.open_other(&file.display().to_string(), Box::new(std::fs::File::open(file)?))
    }

    /// Encrypts what is written to `out` to the store's recipients.
    pub(super) fn seal(&self, out: Box<dyn Upload>) -> Result<Box<dyn Upload>> {
        let line = self.backend.line()?;
        if line.recipients.is_empty() {
            return Err(SnapshotError::NoRecipients { path: self.place() });
        }
        cipher::seal(&line.recipients, out).map_err(SnapshotError::store(self.backend.shown(STORE_FILE), "encrypting"))
    }

    /// The sites that have snapshots.
    pub fn sites(&self) -> Result<Vec<SiteName>> {
        let failed = SnapshotError::store(self.backend.shown("sites"), "listing sites");
        let names = self.backend.list("sites").map_err(failed)?;
        Ok(names.into_iter().filter_map(|(name, _)| SiteName::new(name).ok()).collect())
    }

    /// The snapshots of a site, oldest first.
    pub fn list(&self, site: &SiteName) -> Result<Vec<SnapshotSummary>> {
        let folder = format!("sites/{site}");
        let failed = SnapshotError::store(self.backend.shown(&folder), "listing snapshots");
        let names = self.backend.list(&folder).map_err(failed)?;
        let summary = |(file, manifest_bytes): (String, u64)| {
            let name: SnapshotName = file.strip_suffix(MANIFEST_SUFFIX)?.parse().ok()?;
            let taken = name.taken()?;
            Some(SnapshotSummary { site: site.clone(), name, taken, manifest_bytes })
        };
        Ok(names.into_iter().filter_map(summary).collect())
    }

    /// The newest snapshot of a site.
    pub fn latest(&self, site: &SiteName) -> Result<Option<SnapshotName>> {
        Ok(self.list(site)?.pop().map(|summary| summary.name))
    }

    /// Reads a manifest, whole and checked: its digests, its order, its site and its name.
    pub fn load(&self, site: &SiteName, name: &SnapshotName) -> Result<Manifest> {
        Ok(self.load_with(&mut self.blobs()?, site, name)?.manifest)
    }

    /// What a manifest says before its entries: nothing proves it until the manifest is loaded.
    pub(super) fn header(&self, site: &SiteName, name: &SnapshotName) -> Result<Header> {
        let (shown, input) = self.open_manifest(site, name)?;
        codec::read_head(&shown, input)
    }

    /// The same, with packs that are known already.
    pub(super) fn load_with(&self, blobs: &mut BlobReader, site: &SiteName, name: &SnapshotName) -> Result<Loaded> {
        let (shown, input) = self.open_manifest(site, name)?;
        let loaded = codec::read(&shown, input, |content| Ok(Box::new(blobs.stream(content))))?;
        let header = &loaded.manifest.header;
        if header.site != *site || SnapshotName::of(header.taken, &loaded.id) != *name {
            return Err(SnapshotError::damaged(shown, "its content belongs to another snapshot"));
        }
        Ok(loaded)
    }

    /// A manifest's file, and its name in errors.
    fn open_manifest(&self, site: &SiteName, name: &SnapshotName) -> Result<(String, Box<dyn Object>)> {
        let file = manifest_file(site, name);
        let shown = self.backend.shown(&file);
        let input = self.backend.open(&file).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => SnapshotError::NoSnapshot { site: site.clone(), name: name.to_string() },
            _ => SnapshotError::store(&shown, "reading a manifest")(source),
        })?;
        Ok((shown, input))
    }

    /// A reader of blobs, with all packs that are there now.
    pub(super) fn blobs(&self) -> Result<BlobReader> {
        let reading = self.reading()?;
        let catalog = self.catalog()?;
        Ok(BlobReader::new(self.backend.clone(), catalog, Some(reading)))
    }

    /// As long as this is held, no pack is removed. A store that may not be written to, such as a
    /// copy on a read-only disk, is read without: every byte is checked whenever it is read.
    pub(super) fn reading(&self) -> Result<Arc<Reading>> {
        match self.lock(true) {
            Ok(held) => Ok(Arc::new(Reading(Some(held)))),
            Err(SnapshotError::Store { source, .. })
                if matches!(
                    source.kind(),
                    std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(Arc::new(Reading(None)))
            }
            Err(SnapshotError::Bucket { kind: std::io::ErrorKind::PermissionDenied, .. }) => {
                Ok(Arc::new(Reading(None)))
            }
            Err(error) => Err(error),
        }
    }

    /// Where the store is, links resolved: the same for all processes of this machine that use it.
    pub fn place(&self) -> String {
        let shown = self.backend.shown("");
        std::fs::canonicalize(&shown).map_or(shown, |path| path.display().to_string())
    }

    /// Holds the site's rehearsals; none while another process that uses the store has them. One that is
    /// killed holds nothing any more: in a folder at once, in a bucket as soon as its lock has run out.
    pub fn rehearsing(&self, site: &SiteName) -> Result<Option<Rehearsing>> {
        let name = format!("locks/rehearsals/{site}");
        let failed = SnapshotError::store(self.backend.shown(&name), "locking");
        Ok(self.backend.lock(&name, false).map_err(failed)?.map(Rehearsing))
    }

    /// The store's own lock; waits for it.
    fn lock(&self, shared: bool) -> Result<Box<dyn Held>> {
        let shown = || self.backend.shown(STORE_LOCK);
        let (begun, mut pause) = (Instant::now(), LOCK_PAUSE);
        loop {
            let taken = self.backend.lock(STORE_LOCK, shared);
            if let Some(held) = taken.map_err(SnapshotError::store(shown(), "locking"))? {
                return Ok(held);
            }
            if begun.elapsed() > LOCK_WAIT {
                return Err(SnapshotError::StoreBusy { path: shown() });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_LOCK_PAUSE);
        }
    }

    /// Files of the store that are damaged, as far as opening them shows.
    pub(super) fn damaged(&self) -> Result<Vec<String>> {
        Ok(self.catalog()?.damaged.clone())
    }

    /// Reads everything from where it is, from now on: nothing is believed that was read before, or that this
    /// machine keeps copies of.
    pub(super) fn afresh(&self) {
        self.backend.afresh();
        *self.catalog.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// The catalog with all packs that are there now.
    fn catalog(&self) -> Result<Arc<Catalog>> {
        let mut held = self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        // Where a reader still holds it, this makes a copy for itself.
        Arc::make_mut(&mut held).refresh(&*self.backend)?;
        Ok(held.clone())
    }
}

fn manifest_file(site: &SiteName, name: &SnapshotName) -> String {
    format!("sites/{site}/{name}{MANIFEST_SUFFIX}")
}

impl SnapshotName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the snapshot with this id that was taken then.
    pub(super) fn of(taken: Timestamp, id: &crate::model::Digest) -> Self {
        Self(format!("{}-{}", taken.strftime("%Y%m%dT%H%M%S.%3fZ"), id.short()))
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
