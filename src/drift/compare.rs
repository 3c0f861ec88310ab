//! Two states of a site, compared.

use super::places::{Places, is_content, is_placed, places};
use super::{Drift, DriftKind};
use crate::inventory::{Extension, Inventory};
use crate::model::{ComponentId, Digest, Version, clean_line, lies_in};
use crate::plan::DriftPart;
use crate::playbook::Files;
use crate::snapshot::{Aspect, Change, DatabaseFacts, Entry, Item, ItemPath, Manifest, diff};
use std::collections::{BTreeMap, BTreeSet};

/// A site at one moment.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// Its files, and what its database is made of.
    pub manifest: &'a Manifest,
    /// What it said of itself; none where nobody asked.
    pub inventory: Option<&'a Inventory>,
    /// Versions that were read later than that inventory.
    pub versions: Option<&'a BTreeMap<ComponentId, Version>>,
}

/// What counts.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Whose files lie where, and what is content.
    pub files: &'a Files,
    /// Patterns of files that nobody wants to hear of.
    pub ignore: &'a [String],
}

impl Rules<'_> {
    fn ignores(&self, path: &str) -> bool {
        self.ignore.iter().any(|pattern| lies_in(pattern, path))
    }

    /// Whether a change of a path counts.
    pub(super) fn counts(&self, path: &str) -> bool {
        !is_content(self.files, path) && !self.ignores(path)
    }
}

impl State<'_> {
    fn version(&self, extension: &Extension) -> Option<Version> {
        let read = self.versions.and_then(|versions| versions.get(&extension.id));
        read.or(extension.version.as_ref()).cloned()
    }

    fn core(&self) -> Option<Version> {
        let id = ComponentId::core()?;
        let read = self.versions.and_then(|versions| versions.get(&id)).cloned();
        read.or_else(|| self.inventory.map(|inventory| inventory.core.version.clone()))
    }
}

/// What a comparison came to.
pub struct Compared {
    /// What somebody changed, sorted by part and subject.
    pub drifts: Vec<Drift>,
    /// What could not be compared, and why.
    pub unknown: Vec<String>,
    /// The parts of which nothing could be compared.
    pub parts: BTreeSet<DriftPart>,
}

/// What somebody changed between two states.
pub fn compare(then: State<'_>, now: State<'_>, rules: Rules<'_>) -> Compared {
    let (unknown, parts) = (Vec::new(), BTreeSet::new());
    let mut work = Work { then, now, rules, found: Vec::new(), unknown, parts };
    let mut files = work.files();
    work.versions(&mut files);
    work.found.extend(files);
    work.administrators();
    work.tables();
    work.found.sort_by(|a, b| (a.part, &a.subject, a.kind).cmp(&(b.part, &b.subject, b.kind)));
    Compared { drifts: work.found, unknown: work.unknown, parts: work.parts }
}

/// That a part could not be compared, as a drift: so it is told, and can be accepted.
pub fn not_compared(part: DriftPart) -> Drift {
    drift(part, DriftKind::NotCompared, part.as_str(), [None, None], b"")
}

struct Work<'a> {
    then: State<'a>,
    now: State<'a>,
    rules: Rules<'a>,
    found: Vec<Drift>,
    unknown: Vec<String>,
    parts: BTreeSet<DriftPart>,
}

/// A drift of this; `identity` is what else makes it another one.
fn drift(part: DriftPart, kind: DriftKind, subject: &str, change: [Option<String>; 2], identity: &[u8]) -> Drift {
    let [from, to] = change;
    let words = [kind.as_str(), subject, from.as_deref().unwrap_or(""), to.as_deref().unwrap_or("")];
    let mut text = words.join("\0").into_bytes();
    text.extend_from_slice(identity);
    Drift {
        part,
        kind,
        subject: clean_line(subject, 300),
        component: None,
        from,
        to,
        files: 0,
        mark: Digest::of(&text),
    }
}

impl Work<'_> {
    fn say(&mut self, part: DriftPart, kind: DriftKind, subject: &str, from: Option<&str>, to: Option<&str>) {
        let owned = |text: Option<&str>| text.map(|text| clean_line(text, 120));
        self.found.push(drift(part, kind, subject, [owned(from), owned(to)], b""));
    }

    /// Files that somebody changed, each with its component.
    fn files(&mut self) -> Vec<Drift> {
        let unread = |manifest: &Manifest| manifest.header.problems.iter().map(|one| one.path.clone()).collect();
        let unread: BTreeSet<ItemPath> =
            [self.then.manifest, self.now.manifest].into_iter().flat_map(unread as fn(_) -> Vec<_>).collect();
        for path in &unread {
            self.unknown.push(format!("{path} could not be read"));
        }
        let places = Places::of(self.rules.files, [self.then.inventory, self.now.inventory].into_iter().flatten());
        let mut found = Vec::new();
        let mut folders = Vec::new();
        // What lies below a folder comes after it: so the other way round, what is in a new folder is known first.
        let mut told: BTreeSet<ItemPath> = BTreeSet::new();
        for (item, change) in diff(self.then.manifest, self.now.manifest).changes.into_iter().rev() {
            let Item::Path(path) = &item else { continue };
            if unread.iter().any(|other| path.is_within(other)) {
                continue;
            }
            let text = String::from_utf8_lossy(path.as_bytes()).into_owned();
            let Some(kind) = sort(&change).filter(|_| !path.is_root() && self.rules.counts(&text)) else { continue };
            let before = self.then.manifest.entry(&item);
            let after = self.now.manifest.entry(&item);
            let is_folder =
                before.or(after).is_some_and(Entry::is_dir) && matches!(change, Change::Added | Change::Removed);
            if is_folder && told.contains(path) {
                continue;
            }
            let mut above = path.parent();
            while let Some(folder) = above.filter(|folder| told.insert(folder.clone())) {
                above = folder.parent();
            }
            let list = if is_folder { &mut folders } else { &mut found };
            list.push(self.file(&text, kind, before, after, &places));
        }
        found.append(&mut folders);
        found
    }

    fn file(
        &self,
        path: &str,
        kind: DriftKind,
        before: Option<&Entry>,
        after: Option<&Entry>,
        places: &Places,
    ) -> Drift {
        let owner = places.owner(path);
        let part = match owner {
            Some(id) if id.kind.is_core() => DriftPart::Core,
            Some(_) => DriftPart::Extensions,
            None => DriftPart::Files,
        };
        let words = match kind {
            DriftKind::FileRights => [before.map(rights), after.map(rights)],
            _ => [None, None],
        };
        Drift { component: owner.cloned(), ..drift(part, kind, path, words, &identity(after)) }
    }

    /// Versions and extensions. The files that changed with a component are told with it.
    fn versions(&mut self, files: &mut Vec<Drift>) {
        let (Some(then), Some(now)) = (self.then.inventory, self.now.inventory) else {
            self.unknown.push("versions and extensions: nobody asked for them then".into());
            self.parts.extend([DriftPart::Core, DriftPart::Extensions, DriftPart::Address, DriftPart::Platform]);
            return;
        };
        if let (Some(from), Some(to), Some(id)) = (self.then.core(), self.now.core(), ComponentId::core())
            && from != to
            // The files are the truth here too: a run that could not read the versions back said what they were before it.
            && (!is_placed(self.rules.files, &id.kind) || files.iter().any(|drift| drift.component.as_ref() == Some(&id)))
        {
            self.component(DriftPart::Core, DriftKind::Version, &id, [Some(from), Some(to)], files);
        }
        let ids: BTreeSet<&ComponentId> = then.extensions.iter().chain(&now.extensions).map(|one| &one.id).collect();
        for id in ids {
            if is_placed(self.rules.files, &id.kind) {
                self.extension(id, then.extension(id), now.extension(id), files);
            }
        }
        for (part, to) in &now.platform {
            if let Some(from) = then.platform.get(part).filter(|from| *from != to) {
                self.say(DriftPart::Platform, DriftKind::Version, part, Some(from.as_str()), Some(to.as_str()));
            }
        }
        if let (Some(from), Some(to)) = (&then.address, &now.address)
            && from != to
        {
            self.say(DriftPart::Address, DriftKind::Address, "address", Some(from), Some(to));
        }
    }

    /// The files are the truth: without a change in its place nobody added, removed or updated an extension. What the site
    /// says of it may differ because a run changed it after the site was asked.
    fn extension(
        &mut self,
        id: &ComponentId,
        then: Option<&Extension>,
        now: Option<&Extension>,
        files: &mut Vec<Drift>,
    ) {
        let from = then.and_then(|extension| self.then.version(extension));
        let to = now.and_then(|extension| self.now.version(extension));
        let changed = files.iter().any(|drift| drift.component.as_ref() == Some(id));
        let kind = match (then, now) {
            (None, Some(_)) => DriftKind::ExtensionAdded,
            (Some(_), None) => DriftKind::ExtensionRemoved,
            _ => DriftKind::ExtensionVersion,
        };
        if changed && (then.is_none() || now.is_none() || from != to) {
            self.component(DriftPart::Extensions, kind, id, [from, to], files);
        }
        if let (Some(then), Some(now)) = (then, now)
            && then.active != now.active
        {
            let kind = if now.active { DriftKind::ExtensionActivated } else { DriftKind::ExtensionDeactivated };
            self.say(DriftPart::Extensions, kind, &id.to_string(), None, None);
            if let Some(last) = self.found.last_mut() {
                last.component = Some(id.clone());
            }
        }
    }

    fn component(
        &mut self,
        part: DriftPart,
        kind: DriftKind,
        id: &ComponentId,
        versions: [Option<Version>; 2],
        files: &mut Vec<Drift>,
    ) {
        let own: Vec<Drift> = files.extract_if(.., |drift| drift.component.as_ref() == Some(id)).collect();
        // Another change of its files is another drift.
        let marks: Vec<u8> = own.iter().flat_map(|drift| *drift.mark.as_bytes()).collect();
        let words = versions.map(|version| version.map(|version| version.to_string()));
        self.found.push(Drift {
            component: Some(id.clone()),
            files: own.len() as u64,
            ..drift(part, kind, &id.to_string(), words, &marks)
        });
    }

    fn administrators(&mut self) {
        let people = |state: State<'_>| state.inventory.and_then(|inventory| inventory.administrators.clone());
        let (Some(then), Some(now)) = (people(self.then), people(self.now)) else {
            self.unknown.push("administrators: they were not known then, or are not now".into());
            self.parts.insert(DriftPart::Administrators);
            return;
        };
        let by_name = |list: Vec<crate::inventory::Administrator>| -> BTreeMap<String, Option<String>> {
            list.into_iter().map(|one| (one.name, one.contact)).collect()
        };
        let (then, now) = (by_name(then), by_name(now));
        for (name, contact) in &now {
            let kind = match then.get(name) {
                None => DriftKind::AdministratorAdded,
                Some(before) if before.is_some() && contact.is_some() && before != contact => {
                    DriftKind::AdministratorContact
                }
                Some(_) => continue,
            };
            let identity = contact.clone().unwrap_or_default();
            self.found.push(drift(DriftPart::Administrators, kind, name, [None, None], identity.as_bytes()));
        }
        for name in then.keys().filter(|name| !now.contains_key(*name)) {
            self.say(DriftPart::Administrators, DriftKind::AdministratorRemoved, name, None, None);
        }
    }

    /// What tables were made of then and are made of now; why not, where that can't be compared.
    fn structures(&self) -> Result<Option<[DatabaseFacts; 2]>, String> {
        let facts = |manifest: &Manifest| manifest.header.database.clone();
        let (Some(then), Some(now)) = (facts(self.then.manifest), facts(self.now.manifest)) else {
            return match self.then.manifest.header.database.is_some() {
                true => Err("tables: this sort of database does not tell them from their rows".into()),
                false => Ok(None),
            };
        };
        if then.structure.is_empty() && self.then.manifest.objects().next().is_some() {
            return Err("tables: the snapshot of then does not say what they were made of".into());
        }
        // Another version of the server or of its programs words the same definition otherwise.
        match (&then.server, &then.dumped_by) == (&now.server, &now.dumped_by) {
            true => Ok(Some([then, now])),
            false => {
                Err(format!("tables: the database's server or programs changed ({} → {})", then.server, now.server))
            }
        }
    }

    fn tables(&mut self) {
        let [then, now] = match self.structures() {
            Ok(Some(both)) => both,
            Ok(None) => return,
            Err(why) => {
                self.unknown.push(why);
                self.parts.insert(DriftPart::Tables);
                return;
            }
        };
        for (name, digest) in &now.structure {
            let kind = match then.structure.get(name) {
                None => DriftKind::TableAdded,
                Some(before) if before != digest => DriftKind::TableChanged,
                Some(_) => continue,
            };
            self.found.push(drift(DriftPart::Tables, kind, &name.to_string(), [None, None], digest.as_bytes()));
        }
        for name in then.structure.keys().filter(|name| !now.structure.contains_key(*name)) {
            self.say(DriftPart::Tables, DriftKind::TableRemoved, &name.to_string(), None, None);
        }
    }
}

/// What a change of a path is; none where it says nothing: a folder's times, or a file that was only touched.
fn sort(change: &Change) -> Option<DriftKind> {
    match change {
        Change::Added => Some(DriftKind::FileAdded),
        Change::Removed => Some(DriftKind::FileRemoved),
        Change::Changed(aspects) => {
            let has = |wanted: &[Aspect]| aspects.iter().any(|aspect| wanted.contains(aspect));
            match () {
                () if has(&[Aspect::Kind, Aspect::Content, Aspect::Target]) => Some(DriftKind::FileChanged),
                () if has(&[Aspect::Mode, Aspect::Owner]) => Some(DriftKind::FileRights),
                () => None,
            }
        }
    }
}

/// Mode and owner, for people.
fn rights(entry: &Entry) -> String {
    entry.facts().map_or_else(String::new, |facts| format!("{:o} {}:{}", facts.mode, facts.uid, facts.gid))
}

/// What a restore would give back of a path, but its times.
pub(super) fn identity(entry: Option<&Entry>) -> Vec<u8> {
    let Some(entry) = entry else { return Vec::new() };
    let mut bytes = vec![entry.letter() as u8];
    if let Some(content) = entry.content() {
        bytes.extend_from_slice(content.digest.as_bytes());
    }
    if let Entry::Link { target, .. } = entry {
        bytes.extend_from_slice(target);
    }
    bytes
}

/// A digest of all files of a component that count.
pub(super) fn fingerprint(manifest: &Manifest, id: &ComponentId, rules: Rules<'_>) -> Digest {
    let mut bytes = Vec::new();
    for place in places(rules.files, id) {
        let Ok(root) = ItemPath::new(place.into_bytes()) else { continue };
        let from = Item::Path(root.clone());
        // All that lies in a folder stands after it, but what stands between begins with its name too.
        let begins = |path: &ItemPath| path.as_bytes().starts_with(root.as_bytes());
        for (item, entry) in manifest.entries.range(from..) {
            let Item::Path(path) = item else { break };
            if !begins(path) {
                break;
            }
            let text = String::from_utf8_lossy(path.as_bytes());
            if path.is_within(&root) && !entry.is_dir() && rules.counts(&text) {
                bytes.extend_from_slice(path.as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(Digest::of(&identity(Some(&**entry))).as_bytes());
            }
        }
    }
    Digest::of(&bytes)
}
