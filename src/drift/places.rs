//! Whose a path is, and whether it is content.
//!
//! May use: `model`, `playbook`, `inventory`, `snapshot`. Invariants: pure; a component's name that comes from a site
//! never reaches out of the place that the playbook gives it.

use crate::inventory::Inventory;
use crate::model::{ComponentId, Kind, fits};
use crate::playbook::Files;
use std::collections::BTreeMap;

/// The components of a site by the places of their files.
pub(super) struct Places {
    owners: BTreeMap<String, ComponentId>,
}

impl Places {
    /// The places of all components of these inventories.
    pub(super) fn of<'a>(files: &Files, inventories: impl IntoIterator<Item = &'a Inventory>) -> Self {
        let mut owners = BTreeMap::new();
        let core = ComponentId::core();
        let known = inventories.into_iter().flat_map(|inventory| inventory.extensions.iter().map(|one| one.id.clone()));
        for id in known.chain(core) {
            for place in places(files, &id) {
                owners.entry(place).or_insert_with(|| id.clone());
            }
        }
        Self { owners }
    }

    /// Whose a path is: that of the longest place that it is, or lies in.
    pub(super) fn owner(&self, path: &str) -> Option<&ComponentId> {
        let mut ends = std::iter::once(path.len()).chain(path.rmatch_indices('/').map(|(at, _)| at));
        ends.find_map(|end| self.owners.get(&path[..end]))
    }
}

/// Where a component's files lie, without a `/` at the end.
pub(super) fn places(files: &Files, id: &ComponentId) -> impl Iterator<Item = String> {
    let places = files.of.get(&id.kind).into_iter().flatten();
    places.map(|place| place.as_str().replace("{{slug}}", id.slug.as_str()).trim_end_matches('/').to_owned())
}

/// Whether a kind's versions are in files that we know.
pub(super) fn is_placed(files: &Files, kind: &Kind) -> bool {
    files.of.get(kind).is_some_and(|places| !places.is_empty())
}

/// Whether a path is content, that says nothing of its own when it changes.
pub(super) fn is_content(files: &Files, path: &str) -> bool {
    if !files.is_among_content(path) {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    !files.programs.iter().any(|pattern| fits(&pattern.as_str().to_lowercase(), &name))
}
