//! From the merged document of facts to a checked inventory. Pure.

use super::shape::{DocumentKind, flaws};
use super::{
    Administrator, Core, DatabaseVersion, EndOfLife, Extension, Inventory, Offer, Requirements, Source, Trace,
    Unusable, Versions,
};
use crate::model::{ComponentId, Kind, NameError, PagePath, SiteName, Version, clean_line};
use crate::playbook::{MergeError, RelativePath};
use crate::site::SiteError;
use crate::vulnerability::{Draft, Record};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most extensions of one site.
const MAX_EXTENSIONS: usize = 20_000;
/// The most accounts that are told of.
const MAX_ADMINISTRATORS: usize = 5_000;
/// The longest title, in characters.
const MAX_TITLE: usize = 120;
/// The most vulnerabilities of which a site's own tools tell.
const MAX_VULNERABILITIES: usize = 20_000;
/// The most pages that are visited besides the front page.
const MAX_PAGES: usize = 20;
/// The most folders that are elsewhere.
const MAX_PLACES: usize = 20;
/// Who told of those.
const OWN_TOOLS: &str = "the site's own tools";

/// Why there is no inventory.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A fact could not be observed.
    #[error(transparent)]
    Site(SiteError),
    /// The facts contradict each other.
    #[error("{site}: the facts of the playbook can't be merged")]
    Merge {
        /// The site.
        site: SiteName,
        /// Why.
        #[source]
        source: MergeError,
    },
    /// The document has another shape.
    #[error("{site}: the inventory is not what the playbook promises: {what}")]
    Shape {
        /// The site.
        site: SiteName,
        /// What is wrong.
        what: String,
    },
}

/// How an installed component compares with what its publisher published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChecksumState {
    /// The same.
    Verified,
    /// Different.
    Modified,
    /// Nothing was published, or it could not be had.
    Unknown,
    /// Different, and somebody accepted that an update overwrites that.
    Accepted,
}

/// A comparison with published checksums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// The verdict.
    pub state: ChecksumState,
    /// Some of the files that differ, cleaned.
    pub files: Vec<String>,
    /// Why it is unknown.
    pub why: Option<String>,
}

#[derive(Deserialize, Default, schemars::JsonSchema)]
#[schemars(title = "an inventory")]
#[serde(default)]
pub(super) struct RawDocument {
    core: RawCore,
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    platform: BTreeMap<String, Value>,
    database: Option<RawDatabase>,
    #[schemars(with = "Vec<RawExtension>")]
    extensions: Vec<Value>,
    sources: Vec<RawSource>,
    #[schemars(with = "Vec<RawChecksum>")]
    checksums: Vec<Value>,
    busy: Vec<RawTrace>,
    leftovers: Vec<RawTrace>,
    administrators: Option<Vec<RawAdministrator>>,
    error_log: Option<String>,
    address: Option<String>,
    #[schemars(with = "Option<Vec<RawVulnerability>>")]
    vulnerabilities: Option<Vec<Value>>,
    unsupported: Option<String>,
    #[schemars(with = "Vec<String>")]
    pages: Vec<Value>,
    #[schemars(with = "BTreeMap<String, String>")]
    places: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default, schemars::JsonSchema)]
#[schemars(title = "a core")]
#[serde(default)]
struct RawCore {
    title: Option<String>,
    version: Option<String>,
    offers: Vec<RawOffer>,
    unwritable: Option<String>,
    end_of_life: Option<RawEndOfLife>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "an end of life")]
struct RawEndOfLife {
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    date: Option<Date>,
    why: String,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "a database")]
struct RawDatabase {
    code: String,
    data: String,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "an update service")]
struct RawSource {
    name: String,
    reachable: bool,
    #[serde(default)]
    why: Option<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "a trace")]
struct RawTrace {
    what: String,
    #[serde(default)]
    since: Option<i64>,
    #[serde(default)]
    lift: Option<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "an account")]
struct RawAdministrator {
    name: String,
    #[serde(default)]
    contact: Option<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "an extension")]
struct RawExtension {
    kind: String,
    slug: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    shipped: bool,
    #[serde(default)]
    requires: RawRequirements,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    offer: Option<RawOffer>,
    #[serde(default)]
    unwritable: Option<String>,
    #[serde(default)]
    abandoned: Option<String>,
}

#[derive(Deserialize, Default, schemars::JsonSchema)]
#[schemars(title = "an offer")]
struct RawOffer {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    package: bool,
    #[serde(default)]
    manual: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    requires: RawRequirements,
}

/// `core` and `extensions` are named; every other key is a platform part.
#[derive(Deserialize, Default, schemars::JsonSchema)]
#[schemars(title = "requirements")]
#[serde(default)]
struct RawRequirements {
    core: Option<String>,
    extensions: Vec<String>,
    #[serde(flatten)]
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    platform: BTreeMap<String, Value>,
}

/// What is read again.
#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "what is read again")]
pub(super) struct RawVersions {
    // What has none is not read back.
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    versions: BTreeMap<String, Value>,
    #[serde(default)]
    database: Option<RawDatabase>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "a vulnerability")]
struct RawVulnerability {
    component: String,
    #[serde(flatten)]
    draft: Draft,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(title = "a checksum")]
struct RawChecksum {
    component: String,
    // Only people accept.
    #[schemars(with = "String", extend("enum" = ["verified", "modified", "unknown"]))]
    state: ChecksumState,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    why: Option<String>,
}

fn component(text: &str) -> Result<ComponentId, NameError> {
    let (kind, slug) = text.split_once(':').unwrap_or(("", text));
    ComponentId::new(kind, slug)
}

/// A least version; what is not one asks for nothing that could be checked.
fn least(text: Option<String>) -> Option<Version> {
    text.and_then(|text| Version::new(text.trim()).ok())
}

fn requirements(raw: RawRequirements) -> Result<Requirements, NameError> {
    let part = |(name, value): (String, Value)| Some((name, least(value.as_str().map(str::to_owned))?));
    Ok(Requirements {
        core: least(raw.core),
        platform: raw.platform.into_iter().filter_map(part).collect(),
        extensions: raw.extensions.iter().map(|text| component(text)).collect::<Result<_, _>>()?,
    })
}

fn offer(raw: RawOffer) -> Result<Offer, NameError> {
    Ok(Offer {
        version: Version::new(raw.version.unwrap_or_default())?,
        package: raw.package,
        manual: raw.manual.map(|why| clean_line(&why, 300)),
        source: raw.source.map(|source| clean_line(&source, MAX_TITLE)),
        // What is no time says nothing.
        published: raw.published.and_then(|published| published.parse().ok()),
        requires: requirements(raw.requires)?,
    })
}

/// An extension, and why something of it can't be used: it is there all the same, so that it counts, and so that what is known of it
/// is told. Without a version every vulnerability is taken to be its own.
fn extension(raw: RawExtension) -> Result<(Extension, Option<NameError>), NameError> {
    let id = ComponentId::new(&raw.kind, &raw.slug)?;
    let mut odd = None;
    let mut note = |error| odd = Some(error);
    let version = raw.version.map(Version::new).transpose().unwrap_or_else(|error| {
        note(error);
        None
    });
    let offer = raw.offer.map(offer).transpose().unwrap_or_else(|error| {
        note(error);
        None
    });
    let title = raw.title.as_deref().map(|title| clean_line(title, MAX_TITLE)).filter(|title| !title.is_empty());
    let extension = Extension {
        title: title.unwrap_or_else(|| id.slug.to_string()),
        // A version that can't be written down can't be read back either.
        version,
        active: raw.active,
        shipped: raw.shipped,
        requires: requirements(raw.requires)?,
        parent: raw.parent.as_deref().map(component).transpose()?,
        offer,
        unwritable: raw.unwritable.map(|path| clean_line(&path, 200)),
        abandoned: raw.abandoned.map(|why| clean_line(&why, 200)),
        id,
    };
    Ok((extension, odd))
}

fn trace(raw: RawTrace) -> Trace {
    Trace {
        what: clean_line(&raw.what, MAX_TITLE),
        since: raw.since,
        lift: raw.lift.map(|lift| clean_line(&lift, MAX_TITLE)),
    }
}

/// Sorted; a list that is too long would be a wrong one, and is an error.
fn administrators(raw: Option<Vec<RawAdministrator>>) -> Result<Option<Vec<Administrator>>, String> {
    let Some(raw) = raw else { return Ok(None) };
    if raw.len() > MAX_ADMINISTRATORS {
        return Err(format!("{} administrators are more than {MAX_ADMINISTRATORS}", raw.len()));
    }
    let one = |raw: RawAdministrator| Administrator {
        name: clean_line(&raw.name, MAX_TITLE),
        contact: raw.contact.map(|contact| clean_line(&contact, 64)),
    };
    let mut all: Vec<_> = raw.into_iter().map(one).collect();
    all.sort();
    all.dedup();
    Ok(Some(all))
}

/// The raw form of a document, or what is wrong with it, and where.
fn typed<'a, T: Deserialize<'a>>(kind: DocumentKind, document: &'a Value) -> Result<T, String> {
    T::deserialize(document).map_err(|error| {
        let wrong = flaws(kind, document).into_iter().find(|flaw| !flaw.unread);
        wrong.map_or_else(|| error.to_string(), |flaw| flaw.to_string())
    })
}

pub(super) fn read(site: &SiteName, document: Value) -> Result<Inventory, InventoryError> {
    let shape = |what: String| InventoryError::Shape { site: site.clone(), what: clean_line(&what, 300) };
    let raw: RawDocument = typed(DocumentKind::Inventory, &document).map_err(shape)?;
    if raw.extensions.len() > MAX_EXTENSIONS {
        return Err(shape(format!("{} extensions are more than {MAX_EXTENSIONS}", raw.extensions.len())));
    }
    let mut unusable = Vec::new();
    let mut extensions = BTreeMap::new();
    for value in raw.extensions {
        let shown = clean_line(value["slug"].as_str().unwrap_or("(no name)"), 80);
        let mut refuse = |why: String| {
            unusable.push(Unusable { shown: shown.clone(), why: clean_line(&why, 200) });
        };
        match serde_json::from_value::<RawExtension>(value)
            .map_err(|e| e.to_string())
            .and_then(|raw| extension(raw).map_err(|e| e.to_string()))
        {
            Ok((extension, odd)) => {
                odd.into_iter().for_each(|error| refuse(error.to_string()));
                match extensions.entry(extension.id.clone()) {
                    std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(extension)),
                    std::collections::btree_map::Entry::Occupied(_) => refuse("there are two of this name".into()),
                }
            }
            Err(why) => refuse(why),
        }
    }
    let version = raw.core.version.clone().unwrap_or_default();
    let version = Version::new(version).map_err(|error| shape(format!("the core's version: {error}")))?;
    let mut offers = Vec::new();
    for raw in raw.core.offers {
        let shown = format!("core {}", clean_line(raw.version.as_deref().unwrap_or("(no version)"), 80));
        match offer(raw) {
            Ok(offer) => offers.push(offer),
            Err(error) => unusable.push(Unusable { shown, why: error.to_string() }),
        }
    }
    let platform =
        raw.platform.into_iter().filter_map(|(name, value)| Some((name, least(value.as_str().map(str::to_owned))?)));
    Ok(Inventory {
        core: Core {
            title: clean_line(raw.core.title.as_deref().unwrap_or(Kind::CORE), MAX_TITLE),
            version,
            offers,
            unwritable: raw.core.unwritable.map(|path| clean_line(&path, 200)),
            end_of_life: raw.core.end_of_life.map(|end| EndOfLife { date: end.date, why: clean_line(&end.why, 200) }),
        },
        platform: platform.collect(),
        database: raw.database.map(database),
        extensions: extensions.into_values().collect(),
        sources: raw.sources.into_iter().map(source).collect(),
        checksums: checksums(raw.checksums, &mut unusable),
        busy: raw.busy.into_iter().map(trace).collect(),
        leftovers: raw.leftovers.into_iter().map(trace).collect(),
        administrators: administrators(raw.administrators).map_err(shape)?,
        error_log: raw
            .error_log
            .filter(|path| path.starts_with('/') && path.len() <= 4096 && !path.contains(['\0', '\n'])),
        address: raw.address.map(|address| clean_line(&address, 300)),
        vulnerabilities: raw.vulnerabilities.map(|raw| vulnerabilities(raw, &mut unusable)),
        unsupported: raw.unsupported.map(|why| clean_line(&why, 300)),
        pages: pages(raw.pages, &mut unusable),
        places: places(raw.places, &mut unusable),
        unusable,
    })
}

fn source(raw: RawSource) -> Source {
    Source {
        name: clean_line(&raw.name, MAX_TITLE),
        reachable: raw.reachable,
        why: raw.why.map(|why| clean_line(&why, 200)),
    }
}

/// The first of them, each once.
fn pages(raw: Vec<Value>, unusable: &mut Vec<Unusable>) -> Vec<PagePath> {
    let mut all: Vec<PagePath> = Vec::new();
    for value in raw.into_iter().take(MAX_PAGES) {
        let text = value.as_str().unwrap_or_default();
        match PagePath::new(text) {
            Ok(page) if !all.contains(&page) => all.push(page),
            Ok(_) => {}
            Err(error) => {
                unusable.push(Unusable { shown: format!("page {}", clean_line(text, 80)), why: error.problem })
            }
        }
    }
    all
}

/// Folders below the site's own; the names are those of the playbook, and others mean nothing.
fn places(raw: BTreeMap<String, Value>, unusable: &mut Vec<Unusable>) -> BTreeMap<String, RelativePath> {
    let mut all = BTreeMap::new();
    for (name, value) in raw.into_iter().take(MAX_PLACES) {
        let text = value.as_str().unwrap_or_default();
        // Patterns are made of it.
        match RelativePath::new(text) {
            Ok(place) if !text.contains(['*', '?', '[', ']', '{', '}']) => drop(all.insert(name, place)),
            _ => unusable.push(Unusable {
                shown: format!("folder {}", clean_line(text, 80)),
                why: format!("{} can't be there", clean_line(&name, 80)),
            }),
        }
    }
    all
}

fn database(raw: RawDatabase) -> DatabaseVersion {
    DatabaseVersion { code: clean_line(&raw.code, 64), data: clean_line(&raw.data, 64) }
}

fn checksums(raw: Vec<Value>, unusable: &mut Vec<Unusable>) -> BTreeMap<ComponentId, Checksum> {
    let mut all: BTreeMap<ComponentId, Checksum> = BTreeMap::new();
    for value in raw.into_iter().take(MAX_EXTENSIONS) {
        let shown = clean_line(value["component"].as_str().unwrap_or("(no name)"), 80);
        let read = serde_json::from_value::<RawChecksum>(value).map_err(|error| error.to_string());
        match read.and_then(|raw| Ok((component(&raw.component).map_err(|error| error.to_string())?, raw))) {
            Ok((id, raw)) => {
                // Only people accept.
                let state = if raw.state == ChecksumState::Accepted { ChecksumState::Unknown } else { raw.state };
                let entry = all.entry(id).or_insert(Checksum { state, files: Vec::new(), why: None });
                if state == ChecksumState::Modified {
                    entry.state = ChecksumState::Modified;
                }
                let files = raw.files.iter().map(|file| clean_line(file, 200));
                entry.files.extend(files.take(50_usize.saturating_sub(entry.files.len())));
                entry.why = entry.why.take().or(raw.why.map(|why| clean_line(&why, 200)));
            }
            Err(why) => unusable.push(Unusable { shown, why: clean_line(&why, 200) }),
        }
    }
    all
}

fn vulnerabilities(raw: Vec<Value>, unusable: &mut Vec<Unusable>) -> Vec<Record> {
    let mut all = Vec::new();
    for value in raw.into_iter().take(MAX_VULNERABILITIES) {
        let shown = clean_line(value["id"].as_str().unwrap_or("(a vulnerability without an id)"), 80);
        let read = serde_json::from_value::<RawVulnerability>(value).map_err(|error| error.to_string());
        match read.and_then(|raw| Ok((component(&raw.component).map_err(|error| error.to_string())?, raw))) {
            Ok((id, raw)) => all.push(raw.draft.record(id, OWN_TOOLS)),
            Err(why) => unusable.push(Unusable { shown, why: clean_line(&why, 200) }),
        }
    }
    all
}

pub(super) fn read_versions(site: &SiteName, document: Value) -> Result<Versions, InventoryError> {
    let raw: RawVersions = typed(DocumentKind::Versions, &document)
        .map_err(|what| InventoryError::Shape { site: site.clone(), what: clean_line(&what, 300) })?;
    // Names that can't be used are not in any procedure, so nobody asks for them here.
    let usable = |(id, version): (String, Value)| Some((component(&id).ok()?, Version::new(version.as_str()?).ok()?));
    Ok(Versions {
        versions: raw.versions.into_iter().filter_map(usable).collect(),
        database: raw.database.map(database),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name() -> SiteName {
        SiteName::new("shop").unwrap()
    }

    #[test]
    fn hostile_names_become_unusable_and_nothing_else() {
        let document = json!({
            "core": {"title": "W\u{1b}[31m", "version": "6.1.9", "offers": [{"version": "$(id)", "package": true}]},
            "extensions": [
                {"kind": "plugin", "slug": "x; rm -rf ~", "version": "1"},
                {"kind": "plugin", "slug": "../../etc", "version": "1"},
                {"kind": "plugin", "slug": "good", "version": "1", "offer": {"version": "2", "package": true, "requires": {"php": "8.0", "core": "6.0"}}},
                {"kind": "plugin", "slug": "good", "version": "1"},
                {"kind": "plugin", "slug": "evil", "version": "1", "offer": {"version": "<script>", "package": true}},
                17
            ]
        });
        let inventory = Inventory::from_document(&name(), document).unwrap();
        assert_eq!(inventory.core.title, "W·[31m");
        // What can be named is there, so that it counts and is looked up; of what it said odd things about itself nothing is used.
        let [evil, good] = inventory.extensions.as_slice() else { panic!("{:#?}", inventory.extensions) };
        assert_eq!((evil.id.slug.as_str(), &evil.offer, good.id.slug.as_str()), ("evil", &None, "good"));
        assert_eq!(inventory.unusable.len(), 6, "{:#?}", inventory.unusable);
        let requires = &good.offer.as_ref().unwrap().requires;
        assert_eq!(requires.platform["php"].as_str(), "8.0");
        assert_eq!(requires.core.as_ref().unwrap().as_str(), "6.0");
    }

    #[test]
    fn pages_and_places_are_paths_below_the_site() {
        let mut pages: Vec<Value> = (0..30).map(|number| json!(format!("/site-{number}/"))).collect();
        pages.splice(
            0..0,
            [json!("/nord/"), json!("/nord/"), json!("//evil.example/"), json!("https://evil.example/"), json!(7)],
        );
        let document = json!({
            "core": {"version": "6.1.9"},
            "pages": pages,
            "places": {"content": "app", "uploads": "../x", "plugins": "a*", "themes": "/etc", "mu-plugins": ["x"]}
        });
        let inventory = Inventory::from_document(&name(), document).unwrap();
        assert_eq!(inventory.pages[0].as_str(), "/nord/");
        assert_eq!(inventory.pages[1].as_str(), "/site-0/");
        assert_eq!(inventory.pages.len(), MAX_PAGES - 4);
        let places: Vec<(&str, &str)> =
            inventory.places.iter().map(|(name, to)| (name.as_str(), to.as_str())).collect();
        assert_eq!(places, [("content", "app")]);
        assert_eq!(inventory.unusable.len(), 7, "{:#?}", inventory.unusable);
    }

    #[test]
    fn a_document_without_a_core_version_is_no_inventory() {
        assert!(Inventory::from_document(&name(), json!({})).is_err());
        assert!(Inventory::from_document(&name(), json!([1])).is_err());
    }

    #[test]
    fn what_can_not_be_read_is_named_by_its_path() {
        let document =
            json!({"core": {"version": "1.4", "offers": [{"version": "1.5", "package": "yes"}]}, "sorces": []});
        let error = Inventory::from_document(&name(), document).unwrap_err().to_string();
        let place = "core.offers[0].package: here is \"yes\" where true or false should be";
        assert_eq!(error, format!("shop: the inventory is not what the playbook promises: {place}"));
        // A key that nothing reads hinders no run.
        let document =
            json!({"core": {"version": "1.4"}, "sorces": [], "extensions": [{"kind": "a", "slug": "b", "c": 1}]});
        assert_eq!(Inventory::from_document(&name(), document).unwrap().extensions.len(), 1);
    }
}
