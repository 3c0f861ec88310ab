//! Whether what a run installed is still there after restores that people asked for.
//!
//! May use: `document`, `model`, `snapshot` for its names. Invariants: pure; what was read back goes before what can be
//! concluded, and what can't be concluded is not known.

use crate::model::{ComponentId, Version};
use crate::report::document::{Job, Report};
use crate::snapshot::SnapshotName;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The versions of a component in the month, by the moments from which on a snapshot has them; none: it is not known.
#[derive(Debug, Default)]
pub(super) struct Standing(Vec<(Timestamp, Option<Version>)>);

impl Standing {
    /// A run installed a version, and kept it.
    pub(super) fn installed(&mut self, run: &Report, version: &Version) {
        // The snapshot after the updates has them, and is older than the run's end.
        let after = run.snapshots.iter().rev().find(|snapshot| snapshot.after).and_then(|one| taken(&one.name));
        self.0.push((after.unwrap_or_else(|| end(run)), Some(version.clone())));
    }

    /// A person had a snapshot put back. Returns the version that is there now, as far as it is known.
    pub(super) fn put_back(&mut self, restored: &Restored<'_>, component: &ComponentId) -> Option<&Version> {
        let version = match restored.versions.get(component) {
            Some(version) => Some(version.clone()),
            None => restored.taken.and_then(|taken| self.at(taken)).cloned(),
        };
        // What broke off in the middle left something of both states.
        let version = version.filter(|version| restored.whole || self.at(restored.at) == Some(version));
        self.0.push((restored.at, version));
        self.0.last().and_then(|(_, version)| version.as_ref())
    }

    /// What a snapshot of then has.
    fn at(&self, taken: Timestamp) -> Option<&Version> {
        let (_, version) = self.0.iter().rev().find(|(from, _)| *from <= taken)?;
        version.as_ref()
    }
}

/// What a restore that a person asked for did.
#[derive(Debug)]
pub(super) struct Restored<'a> {
    at: Timestamp,
    /// When the snapshot was taken; none where only a part of the site was put back, or nobody knows.
    taken: Option<Timestamp>,
    /// Whether it came to its end.
    whole: bool,
    /// What was read back then.
    versions: &'a BTreeMap<ComponentId, Version>,
}

impl<'a> Restored<'a> {
    /// None where the run was none, or overwrote nothing.
    pub(super) fn of(run: &'a Report) -> Option<Self> {
        let Job::Restore { snapshot, only } = &run.job else { return None };
        let whole = run.restores.iter().any(|restore| restore.done);
        let begun = whole || run.restores.iter().any(|restore| restore.overwritten.is_some());
        let taken = if only.is_empty() { taken(snapshot) } else { None };
        begun.then(|| Self { at: end(run), taken, whole, versions: &run.versions })
    }
}

fn end(run: &Report) -> Timestamp {
    run.ended.unwrap_or(run.began)
}

/// The time in a snapshot's name.
fn taken(name: &str) -> Option<Timestamp> {
    name.parse::<SnapshotName>().ok()?.taken()
}
