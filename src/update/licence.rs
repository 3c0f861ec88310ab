//! Whether the licence that an update needs can be had: the plan says from which pool, the pool says for whom and how.
//!
//! May use: `model`, `plan`, `inventory`. Invariants: pure; what is over, over-used or given to somebody else is not
//! offered; what nobody can enter by itself is a task of a person.

use super::Inputs;
use crate::model::{ComponentId, HoldReason, LicenceProblem};
use crate::plan::{Activation, BY_COMMAND, Tag};
use serde::{Deserialize, Serialize};

/// A licence that is entered before an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Licensed {
    /// The pool that it comes from.
    pub pool: Tag,
    /// How it is entered.
    pub activate: Activation,
}

/// The licence with which this component can be updated although its offer has no package; else why there is none.
pub(super) fn licence(inputs: &Inputs<'_>, id: &ComponentId) -> Result<Licensed, HoldReason> {
    let named = inputs.plan.licences.iter().find(|licence| licence.extension.names(id));
    let Some(name) = named.map(|licence| &licence.from) else { return Err(HoldReason::Licence) };
    let none = |problem| HoldReason::LicencePool { pool: name.to_string(), problem };
    let site = &inputs.plan.site;
    let pool = inputs.pools.pools.get(name).ok_or_else(|| none(LicenceProblem::Unknown))?;
    if let Some(problem) = pool.problem(site, inputs.today()) {
        return Err(none(problem));
    }
    let known = |way: &&Activation| way.by.as_str() == BY_COMMAND || inputs.ways.contains(way.by.as_str());
    let way = pool.activate.as_ref().filter(|_| !pool.offline).filter(known);
    let Some(activate) = way.cloned() else { return Err(none(LicenceProblem::ByHand)) };
    let mut refusals = inputs.known.refused_licences.iter();
    if let Some(refused) = refusals.find(|one| one.pool == name.as_str() && one.site == *site && one.component == *id) {
        return Err(none(LicenceProblem::Refused { since: refused.since }));
    }
    match inputs.known.unreadable_keys.get(name) {
        Some(why) => Err(none(LicenceProblem::Key { why: why.clone() })),
        None => Ok(Licensed { pool: name.clone(), activate }),
    }
}
