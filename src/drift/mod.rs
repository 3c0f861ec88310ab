//! Drift: what somebody else changed on a site since the state that we last left or saw.
//!
//! May use: `model`, `plan`, `playbook`, `inventory`, `snapshot`. Invariants: pure; the same two states give the same
//! drifts in the same order; a change of content is no drift, and a program among the content is; what could not be
//! compared is said, never taken for unchanged.

mod compare;
mod original;
mod owners;
mod places;

pub use compare::{Compared, Rules, State, compare, not_compared};
pub use original::{Modification, Originals, mark, originals};
pub use owners::Owners;

use crate::model::{ComponentId, Digest};
use crate::plan::DriftPart;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most drifts that are kept by name.
pub const MAX_DRIFTS: usize = 500;

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// Another version of the core, or of what the site runs on.
    Version,
    /// An extension that was not there.
    ExtensionAdded,
    /// An extension that is gone.
    ExtensionRemoved,
    /// An extension with another version.
    ExtensionVersion,
    /// An extension that was switched on.
    ExtensionActivated,
    /// An extension that was switched off.
    ExtensionDeactivated,
    /// An account that has an administrator's rights now.
    AdministratorAdded,
    /// An account that no longer has them.
    AdministratorRemoved,
    /// An administrator's address changed, to which a new password would be sent.
    AdministratorContact,
    /// A table, view, trigger or routine that was not there.
    TableAdded,
    /// One that is gone.
    TableRemoved,
    /// One that is made otherwise.
    TableChanged,
    /// A file, folder or link that was not there.
    FileAdded,
    /// One that is gone.
    FileRemoved,
    /// One with another content or target, or that became something else.
    FileChanged,
    /// One with another mode or owner.
    FileRights,
    /// The site calls itself otherwise.
    Address,
    /// A part of the site that could not be compared, and on which the plan relies.
    NotCompared,
}

impl DriftKind {
    /// As it stands in JSON and in the tables of words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::ExtensionAdded => "extension-added",
            Self::ExtensionRemoved => "extension-removed",
            Self::ExtensionVersion => "extension-version",
            Self::ExtensionActivated => "extension-activated",
            Self::ExtensionDeactivated => "extension-deactivated",
            Self::AdministratorAdded => "administrator-added",
            Self::AdministratorRemoved => "administrator-removed",
            Self::AdministratorContact => "administrator-contact",
            Self::TableAdded => "table-added",
            Self::TableRemoved => "table-removed",
            Self::TableChanged => "table-changed",
            Self::FileAdded => "file-added",
            Self::FileRemoved => "file-removed",
            Self::FileChanged => "file-changed",
            Self::FileRights => "file-rights",
            Self::Address => "address",
            Self::NotCompared => "not-compared",
        }
    }
}

/// One change that no run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Drift {
    /// The part of the site.
    pub part: DriftPart,
    /// What happened.
    pub kind: DriftKind,
    /// To what: a path, a component, an account, a table; cleaned.
    pub subject: String,
    /// The component that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentId>,
    /// What it was, where that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How many files of the component changed with it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub files: u64,
    /// Names just this change: another one of the same thing has another mark.
    pub mark: Digest,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.subject)?;
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, " ({from} → {to})")?,
            (Some(one), None) | (None, Some(one)) => write!(f, " ({one})")?,
            (None, None) => {}
        }
        if let Some(component) = self.component.as_ref().filter(|component| component.to_string() != self.subject) {
            write!(f, ", of {component}")?;
        }
        match self.files {
            0 => Ok(()),
            1 => f.write_str(", with 1 file"),
            files => write!(f, ", with {files} files"),
        }
    }
}

/// Who took note of drift, and when: from then on it keeps no run from beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Acceptance {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Found {
    /// The snapshot of the state that this one was compared with; none where that was not possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The first ones.
    pub drifts: Vec<Drift>,
    /// How many there are.
    pub count: u64,
    /// Those of them that somebody accepted, by their marks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepted: BTreeMap<Digest, Acceptance>,
    /// Components without published checksums whose files are not those of their fingerprint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modified: Originals,
    /// What could not be compared, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

impl Found {
    /// Those that nobody accepted and that are of one of these parts: they are kept by name before all others.
    pub fn breaking<'a>(&'a self, parts: &'a [DriftPart]) -> impl Iterator<Item = &'a Drift> {
        self.drifts.iter().filter(|drift| parts.contains(&drift.part) && !self.accepted.contains_key(&drift.mark))
    }
}

#[cfg(test)]
mod tests;
