//! What is there: facts (command + pure parser) merged into one checked [`Inventory`].
//!
//! May use: `model`, `playbook`, `remote`, `site`, `vulnerability`. Invariants: everything that a site says is
//! bounded and checked here, once; what can't be used is kept as [`Unusable`] and never as a
//! name; an update service that was not reached is never the same as "nothing is offered".

mod document;
mod shape;

pub use document::{Checksum, ChecksumState, InventoryError};
pub use shape::{DocumentKind, Flaw, flaws};

use crate::model::{ComponentId, PagePath, SiteName, Version};
use crate::playbook::RelativePath;
use crate::site::{Site, SiteError};
use crate::vulnerability::{Installed, Record, Subject};
use jiff::civil::Date;
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
    /// Every extension of every kind, in the order of their ids, each once.
    pub extensions: Vec<Extension>,
    /// The update services that were asked.
    pub sources: Vec<Source>,
    /// Comparison with published checksums.
    pub checksums: BTreeMap<ComponentId, Checksum>,
    /// What somebody else is doing on the site right now.
    pub busy: Vec<Trace>,
    /// What an interrupted update left behind; harmless by itself.
    pub leftovers: Vec<Trace>,
    /// Accounts with an administrator's rights; none where the playbook does not tell of them.
    #[serde(default)]
    pub administrators: Option<Vec<Administrator>>,
    /// PHP's error log on the host.
    pub error_log: Option<String>,
    /// What the site says of its own address.
    pub address: Option<String>,
    /// Vulnerabilities of which the site's own tools tell; none if they were not asked, which is not the same as an
    /// empty list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vulnerabilities: Option<Vec<Record>>,
    /// Why a site of this making can't be updated, in the playbook's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// Pages that have to be as good as the front page, such as those of a network's other sites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PagePath>,
    /// Where the site has the folders of the playbook's `files.places`, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, RelativePath>,
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
    /// Its publisher mends it no more, or soon will not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_of_life: Option<EndOfLife>,
}

/// The end of a publisher's care for a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOfLife {
    /// The last day with mends, where it is known.
    pub date: Option<Date>,
    /// What its publisher says.
    pub why: String,
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
    /// Why nobody mends it any more, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<String>,
}

/// An update that a service offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The version.
    pub version: Version,
    /// Whether there is a package to install; without one, a licence is missing.
    pub package: bool,
    /// Why it can only be installed by hand: the site's own configuration forbids it, or there is no command for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<String>,
    /// Where it came from.
    pub source: Option<String>,
    /// When it was published, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<jiff::Timestamp>,
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

/// An account with an administrator's rights.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Administrator {
    /// The name with which it logs in.
    pub name: String,
    /// A digest of the address to which a new password would be sent, where the site tells it.
    pub contact: Option<String>,
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
        let place = self.extensions.binary_search_by(|extension| extension.id.cmp(id)).ok()?;
        self.extensions.get(place)
    }

    /// The site, as vulnerabilities are matched with it.
    pub fn subject(&self) -> Subject<'_> {
        Subject { installed: self.installed(), own: self.vulnerabilities.as_deref() }
    }

    /// The core and every extension, with the versions that can be installed.
    fn installed(&self) -> Vec<Installed> {
        let versions = |offers: &[Offer]| -> Vec<Version> {
            offers.iter().filter(|offer| offer.package).map(|offer| offer.version.clone()).collect()
        };
        let core = ComponentId::core().map(|id| Installed {
            id,
            title: self.core.title.clone(),
            version: Some(self.core.version.clone()),
            active: true,
            offers: versions(&self.core.offers),
        });
        let extensions = self.extensions.iter().map(|extension| Installed {
            id: extension.id.clone(),
            title: extension.title.clone(),
            version: extension.version.clone(),
            active: extension.active,
            offers: versions(extension.offer.as_slice()),
        });
        core.into_iter().chain(extensions).collect()
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
    // What its playbook's author would mend is no reason to leave a site alone.
    for flaw in flaws(DocumentKind::Inventory, &merged).into_iter().filter(|flaw| flaw.unread) {
        tracing::warn!(site = %name, %flaw, "a fact gives something that nothing reads");
    }
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
