//! Fleet immunity: a version that broke one site is held on every similar one.
//!
//! May use: `model`. Invariants: what was lifted is held again only after it broke a site again; similar is what has
//! the same CMS, and the same release trains of its core and of PHP as far as both are known.

use super::{Decision, Ledger};
use crate::model::{ComponentId, RunId, SiteName, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a site runs on, as far as it decides whether an update works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stack {
    /// The CMS.
    pub cms: String,
    /// The release train of its core, once the run is over.
    pub core: String,
    /// The release trains of platform parts, such as `php`, that are known.
    pub platform: BTreeMap<String, String>,
}

impl Stack {
    /// Whether what happened on `other` is to be expected here.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |(part, train): (&String, &String)| other.platform.get(part).is_none_or(|theirs| theirs == train);
        self.cms == other.cms && self.core == other.core && self.platform.iter().all(same)
    }
}

/// A version that broke a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Immunity {
    /// What.
    pub component: ComponentId,
    /// The version.
    pub version: Version,
    /// Where it broke one.
    pub site: SiteName,
    /// In which run.
    pub run: RunId,
    /// When that was written down.
    pub since: Timestamp,
    /// On what.
    pub stack: Stack,
    /// How it showed.
    pub why: String,
}

impl Ledger {
    /// What is held fleet-wide, oldest first.
    pub fn immunities(&self) -> Vec<Immunity> {
        let mut all: Vec<Immunity> = Vec::new();
        for entry in self.entries() {
            match &entry.decision {
                Decision::Broke { site, run, component, version, stack, why } => all.push(Immunity {
                    component: component.clone(),
                    version: version.clone(),
                    site: site.clone(),
                    run: *run,
                    since: entry.at,
                    stack: stack.clone(),
                    why: why.clone(),
                }),
                Decision::Lifted { component, version, .. } => {
                    all.retain(|one| one.component != *component || one.version != *version);
                }
                _ => {}
            }
        }
        all
    }
}
