//! Whether an extension without published checksums is still as it was: its fingerprint is its files in the state that
//! we last left or saw.

use super::compare::fingerprint;
use super::{Drift, DriftKind, Rules, State};
use crate::inventory::{Checksum, ChecksumState, Inventory};
use crate::model::{ComponentId, Digest, Version};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most files that are kept by name.
const MAX_FILES: usize = 50;

/// A component that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Modification {
    /// The version that has this fingerprint.
    pub version: Version,
    /// A digest of all its files, as they were.
    pub fingerprint: Digest,
    /// Some of those that differ.
    pub files: Vec<String>,
}

/// Modified components.
pub type Originals = BTreeMap<ComponentId, Modification>;

/// The components whose files are not those of their fingerprint. `known`: those of the last time, which stay modified
/// until their files are as they were, another version is there, or somebody accepts it.
pub fn originals(then: State<'_>, now: State<'_>, drifts: &[Drift], known: &Originals, rules: Rules<'_>) -> Originals {
    let mut found = Originals::new();
    let Some(inventory) = now.inventory else { return known.clone() };
    for extension in &inventory.extensions {
        let id = &extension.id;
        let Some(version) = extension.version.as_ref().filter(|_| !is_published(inventory, id)) else { continue };
        let new = drifts.iter().filter(|drift| drift.component.as_ref() == Some(id) && changes_files(drift.kind));
        let new: BTreeSet<String> = new.map(|drift| drift.subject.clone()).collect();
        let known = known.get(id).filter(|known| known.version == *version);
        let modification = match known {
            Some(known) if fingerprint(now.manifest, id, rules) == known.fingerprint => continue,
            Some(known) => {
                let files: BTreeSet<String> = known.files.iter().cloned().chain(new).collect();
                Modification { files: files.into_iter().take(MAX_FILES).collect(), ..known.clone() }
            }
            None if new.is_empty() => continue,
            None => Modification {
                version: version.clone(),
                fingerprint: fingerprint(then.manifest, id, rules),
                files: new.into_iter().take(MAX_FILES).collect(),
            },
        };
        found.insert(id.clone(), modification);
    }
    found
}

/// Whether published checksums say already what it is.
fn is_published(inventory: &Inventory, id: &ComponentId) -> bool {
    let state = inventory.checksums.get(id).map(|checksum| checksum.state);
    matches!(state, Some(ChecksumState::Verified | ChecksumState::Modified))
}

fn changes_files(kind: DriftKind) -> bool {
    matches!(kind, DriftKind::FileAdded | DriftKind::FileRemoved | DriftKind::FileChanged)
}

/// Enters into an inventory what is modified, and what somebody accepted to be overwritten.
pub fn mark(inventory: &mut Inventory, modified: &Originals, accepts: impl Fn(&ComponentId) -> bool) {
    for (id, modification) in modified {
        let checksum = Checksum {
            state: ChecksumState::Modified,
            files: modification.files.clone(),
            why: Some("not as it was at the end of the last run, or at intake".into()),
        };
        inventory.checksums.insert(id.clone(), checksum);
    }
    for (id, checksum) in &mut inventory.checksums {
        if checksum.state == ChecksumState::Modified && accepts(id) {
            checksum.state = ChecksumState::Accepted;
        }
    }
}
