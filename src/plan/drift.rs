//! Changes that no run made: which ones matter, and which ones keep a run from beginning.

use super::scalars::PathPattern;
use serde::{Deserialize, Serialize};

/// What becomes of changes that somebody else made since the last run. All are reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DriftRules {
    /// Sorts of changes with which no run begins until somebody accepts them; none unless given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub breaking: Vec<DriftPart>,
    /// Files below the site's folder that others change, and nobody wants to hear of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub ignore: Vec<PathPattern>,
}

impl DriftRules {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A part of a site that somebody else may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftPart {
    /// The core: its version and its files.
    Core,
    /// Extensions: which there are, their versions, whether they run, and their files.
    Extensions,
    /// Accounts with an administrator's rights.
    Administrators,
    /// What the database is made of: tables, their columns and keys, triggers, routines.
    Tables,
    /// All other files outside of content folders, and programs in these.
    Files,
    /// The site's address.
    Address,
    /// What the site runs on, such as PHP.
    Platform,
}

impl DriftPart {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Core, Self::Extensions, Self::Administrators, Self::Tables, Self::Files, Self::Address, Self::Platform];

    /// As plans write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Extensions => "extensions",
            Self::Administrators => "administrators",
            Self::Tables => "tables",
            Self::Files => "files",
            Self::Address => "address",
            Self::Platform => "platform",
        }
    }
}
