//! What is there: facts (command + pure parser) merged into one checked [`Inventory`].
//!
//! May use: `model`, `playbook`, `remote`, `site`. Invariants: everything that a site says is
//! bounded and checked here, once; what can't be used is kept as [`Unusable`] and never as a
//! name; an update service that was not reached is never the same as "nothing is offered".

mod document;

pub use document::{Checksum, ChecksumState, InventoryError};

use crate::model::{ComponentId, SiteName, Version};
use crate::site::{Site, SiteError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// All that was observed of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// The core.
    pub core: Core,
    /// Platform parts by name, such as `php` and `database`.
    pub platform: BTreeMap<String, Version>,
    /// The database's version as the code wants it and as the data has it.
    pub database: Option<DatabaseVersion>,
    /// Every extension of every kind.
    pub extensions: Vec<Extension>,
    /// The update services that were asked.
    pub sources: Vec<Source>,
    /// Comparison with published checksums.
    pub checksums: BTreeMap<ComponentId, Checksum>,
    /// What somebody else is doing on the site right now.
    pub busy: Vec<Trace>,
    /// What an interrupted update left behind; harmless by itself.
    pub leftovers: Vec<Trace>,
    /// PHP's error log on the host.
    pub error_log: Option<String>,
    /// What the site says of its own address.
    pub address: Option<String>,
    /// What could not be used, cleaned for display.
    pub unusable: Vec<Unusable>,
}

/// The core of the CMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// Its name.
    pub title: String,
    /// What is installed.
    pub version: Version,
    /// What is offered.
    pub offers: Vec<Offer>,
    /// The first thing that the account can't replace.
    pub unwritable: Option<String>,
}

/// One extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its kind and name.
    pub id: ComponentId,
    /// What the administration calls it.
    pub title: String,
    /// What is installed; some kinds have no version.
    pub version: Option<Version>,
    /// Whether it runs.
    pub active: bool,
    /// Whether it ships with the core, and so never counts.
    pub shipped: bool,
    /// What the installed version needs.
    pub requires: Requirements,
    /// The extension that it is a child of.
    pub parent: Option<ComponentId>,
    /// What is offered.
    pub offer: Option<Offer>,
    /// The first thing that the account can't replace, if an update is offered.
    pub unwritable: Option<String>,
}

/// An update that a service offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The version.
    pub version: Version,
    /// Whether there is a package to install; without one, a licence is missing.
    pub package: bool,
    /// Where it came from.
    pub source: Option<String>,
    /// What it needs.
    pub requires: Requirements,
}

/// What a version needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirements {
    /// The least version of the core.
    pub core: Option<Version>,
    /// The least versions of platform parts.
    pub platform: BTreeMap<String, Version>,
    /// Other extensions.
    pub extensions: Vec<ComponentId>,
}

/// The database's version, in the CMS's own counting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseVersion {
    /// What the code wants.
    pub code: String,
    /// What the data has.
    pub data: String,
}

/// An update service and whether it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Whether it gave a usable answer.
    pub reachable: bool,
    /// Why not.
    pub why: Option<String>,
}

/// Something that shows that an update is, or was, under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// What it is.
    pub what: String,
    /// Since when, in seconds since 1970.
    pub since: Option<i64>,
    /// The command that lifts it.
    pub lift: Option<String>,
}

/// Something that a site says and that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusable {
    /// What it calls itself, cleaned.
    pub shown: String,
    /// What is wrong with it.
    pub why: String,
}

/// The versions as they are on disk, read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// By component.
    pub versions: BTreeMap<ComponentId, Version>,
    /// The database's.
    pub database: Option<DatabaseVersion>,
}

impl Extension {
    /// Whether it counts against a cap: third-party ones of every kind do, active or not; language files belong to
    /// what they translate and don't count by themselves.
    pub fn counts(&self) -> bool {
        !self.shipped && self.id.kind.as_str() != "language"
    }
}

impl Inventory {
    /// Reads a merged document of facts. Pure.
    pub fn from_document(site: &SiteName, document: Value) -> Result<Self, InventoryError> {
        document::read(site, document)
    }

    /// The extension with this id.
    pub fn extension(&self, id: &ComponentId) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.id == *id)
    }

    /// The number of extensions that count against a cap.
    pub fn counted(&self) -> u32 {
        u32::try_from(self.extensions.iter().filter(|extension| extension.counts()).count()).unwrap_or(u32::MAX)
    }
}

/// Observes a site: every fact of its playbook, at most four at once, merged.
///
/// # Errors
/// A fact's command failed, or what the site says can't be an inventory.
pub async fn take(site: &Site) -> Result<Inventory, InventoryError> {
    use futures::stream::{StreamExt, TryStreamExt};
    let facts = site.playbook.facts.iter();
    // In the playbook's order, so that equal sites give equal inventories.
    let documents: Vec<Value> = futures::stream::iter(facts)
        .map(|(name, fact)| async move { site.observe(name.as_str(), fact).await })
        .buffered(4)
        .try_collect()
        .await?;
    let name = &site.address.name;
    let merged = documents.into_iter().try_fold(Value::Object(Default::default()), crate::playbook::merge);
    let merged = merged.map_err(|source| InventoryError::Merge { site: name.clone(), source })?;
    Inventory::from_document(name, merged)
}

/// Reads the versions again.
pub async fn read_versions(site: &Site) -> Result<Versions, InventoryError> {
    let document = site.observe("read", &site.playbook.read).await?;
    document::read_versions(&site.address.name, document)
}

impl From<SiteError> for InventoryError {
    fn from(source: SiteError) -> Self {
        Self::Site(source)
    }
}
