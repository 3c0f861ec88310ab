//! (`Plan`, `Inventory`, today) → [`UpdateGraph`]: which components go to which version, in what
//! order and why; which wait, why, and who can change that.
//!
//! May use: `model`, `plan`, `playbook`, `inventory`. Invariants: pure; the same inputs give the
//! same graph; nothing is ordered before what it needs; every offer ends in the graph or among
//! the holds.

mod coverage;
mod graph;
mod policy;
mod refusal;

pub use graph::{Because, Group, Update, UpdateGraph};
pub use refusal::{Moment, Refusal, is_due, refusals};

use crate::inventory::Inventory;
use crate::model::{ComponentId, Kind};
use crate::plan::Plan;
use crate::playbook::Versions;
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
    /// The day, in the site's zone.
    pub today: Date,
    /// What broke the site earlier in this run, and how.
    pub failed: &'a BTreeMap<ComponentId, String>,
}

/// Decides what moves, in which order, and what waits.
pub fn decide(inputs: &Inputs<'_>) -> UpdateGraph {
    let decision = policy::decide(inputs);
    graph::order(inputs, decision)
}

#[cfg(test)]
mod tests;
