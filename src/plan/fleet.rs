//! The provider's choices for the whole fleet, from its settings.
//!
//! May use: `model`. Invariant: every choice has a default.

use super::{AuditRules, LicencePools};
use crate::model::{Period, Tiers};
use serde::Deserialize;

/// What holds for every site, whatever its plan says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FleetRules {
    /// Sites whose contract is over.
    pub lapsed: Lapsed,
    /// How long a notice waits for its answer, and an approval for its update.
    pub notices_expire_after: Period,
    /// Tiers of the provider's own: how many extensions each covers.
    pub tiers: Tiers,
    /// What an audit expects.
    pub audit: AuditRules,
    /// The licences that there are. They stand in a file of their own.
    #[serde(skip)]
    pub pools: LicencePools,
}

impl Default for FleetRules {
    fn default() -> Self {
        Self {
            lapsed: Lapsed::default(),
            notices_expire_after: Period::from_secs(90 * 86_400),
            tiers: Tiers::default(),
            audit: AuditRules::default(),
            pools: LicencePools::default(),
        }
    }
}

/// What is done for a site whose contract is over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Lapsed {
    /// How long after its last day a contract is treated as if it went on.
    pub grace: Period,
    /// Whether updates that close known vulnerabilities are applied after that.
    pub security: LapsedSecurity,
}

/// Security updates of sites whose contract is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LapsedSecurity {
    /// They wait like all others.
    #[default]
    Hold,
    /// They are applied.
    Apply,
}
