//! (`Plan`, `Inventory`, today) → [`UpdateGraph`]: which components go to which version, in what
//! order and why; which wait, why, and who can change that.
//!
//! May use: `model`, `ledger`, `plan`, `playbook`, `inventory`. Invariants: pure; the same inputs give the
//! same graph; nothing is ordered before what it needs; every offer ends in the graph or among
//! the holds.

mod coverage;
mod graph;
mod known;
mod licence;
mod policy;
mod refusal;

pub use graph::{Because, Group, Update, UpdateGraph};
pub use refusal::{Moment, Refusal, is_due, lane, next_window, past_windows, refusals, window_end};

pub use known::{Closed, Fix, Known};
pub use licence::Licensed;

use crate::inventory::Inventory;
use crate::ledger::Stack;
use crate::model::{ComponentId, HoldReason, Kind, Version};
use crate::plan::{LicencePools, Plan};
use crate::playbook::Versions;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// All that decides what moves.
pub struct Inputs<'a> {
    /// The contract.
    pub plan: &'a Plan,
    /// How versions compare.
    pub versions: &'a Versions,
    /// The kinds that the playbook can update one by one.
    pub updatable: &'a BTreeSet<Kind>,
    /// What is there.
    pub inventory: &'a Inventory,
    /// The time.
    pub now: Timestamp,
    /// What broke the site earlier in this run, and how.
    pub failed: &'a BTreeMap<ComponentId, String>,
    /// What is known besides the site and its plan.
    pub known: &'a Known,
    /// The licences that there are.
    pub pools: &'a LicencePools,
    /// The ways in which the playbook can enter one.
    pub ways: &'a BTreeSet<String>,
    /// What may move at all.
    pub lane: Lane,
    /// What this attempt is limited to, while the run searches for what breaks the site.
    pub trial: Option<&'a BTreeSet<ComponentId>>,
}

impl Inputs<'_> {
    /// The day, in the site's zone.
    fn today(&self) -> Date {
        self.plan.day(self.now)
    }
}

/// What may move at all, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lane {
    /// Whatever the plan allows.
    All,
    /// What closes known vulnerabilities; the rest waits for this reason.
    Security(HoldReason),
    /// Nothing, for this reason.
    Nothing(HoldReason),
}

/// Decides what moves, in which order, and what waits.
pub fn decide(inputs: &Inputs<'_>) -> UpdateGraph {
    let decision = policy::decide(inputs);
    graph::order(inputs, decision)
}

/// Platform parts that say little of whether an extension works.
const NOT_IN_STACK: [&str; 1] = ["database"];
/// How many numbers name a train of a platform part: PHP 8.1 and 8.2 are two.
const PLATFORM_TRAIN: usize = 2;

/// What a site runs on, with this version of its core.
pub fn stack(plan: &Plan, versions: &Versions, inventory: &Inventory, core: &Version) -> Stack {
    let scheme = versions.scheme;
    let core_parts = Kind::new(Kind::CORE).map_or(1, |kind| versions.train_parts(&kind));
    let parts = inventory.platform.iter().filter(|(part, _)| !NOT_IN_STACK.contains(&part.as_str()));
    Stack {
        cms: plan.cms.to_string(),
        core: scheme.train(core, core_parts),
        platform: parts.map(|(part, version)| (part.clone(), scheme.train(version, PLATFORM_TRAIN))).collect(),
    }
}

#[cfg(test)]
mod tests;
