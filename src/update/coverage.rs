//! Which extensions a plan covers, where a site has more than its cap.
//!
//! May use: `model`, `plan`, `inventory`. Invariants: pure; what counts is said by
//! [`Extension::counts`]; the core and what does not count is always covered; exactly as many
//! extensions are covered as the cap says.

use super::Inputs;
use crate::inventory::Extension;
use crate::model::{ComponentId, Tier};
use std::collections::BTreeSet;

/// What lies outside a plan.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    outside: BTreeSet<ComponentId>,
    /// The lowest tier that would cover the site.
    tier: Option<Tier>,
}

impl Coverage {
    /// Those that the plan names in `covers` come first, in that order; then what is active, then the rest, by name.
    pub(super) fn of(inputs: &Inputs<'_>) -> Self {
        let counted = inputs.inventory.counted();
        let Some(cap) = inputs.plan.extension_cap().filter(|cap| counted > *cap) else {
            return Self::default();
        };
        let named = |extension: &Extension| {
            inputs.plan.covers.iter().position(|name| name.names(&extension.id)).unwrap_or(usize::MAX)
        };
        let mut extensions: Vec<&Extension> = inputs.inventory.extensions.iter().filter(|e| e.counts()).collect();
        extensions.sort_by_key(|extension| (named(extension), !extension.active, &extension.id));
        let outside = extensions.into_iter().skip(usize::try_from(cap).unwrap_or(usize::MAX));
        Self {
            outside: outside.map(|extension| extension.id.clone()).collect(),
            tier: Some(inputs.plan.tiers.covering(counted)),
        }
    }

    /// The tier that would cover this extension, if the plan does not.
    pub(super) fn lacking(&self, id: &ComponentId) -> Option<Tier> {
        self.tier.clone().filter(|_| self.outside.contains(id))
    }
}
