//! What an audit expects of every site, and what somebody answers for meanwhile.
//!
//! May use: `model`. Invariants: every choice has a default; a waiver has an owner, a reason and a last day.

use crate::model::{Period, SiteName};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeMap;

const DAY_SECS: u32 = 86_400;

/// What an audit expects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AuditRules {
    /// How old the newest verified backup of a site may be.
    pub backups_within: Period,
    /// How long ago the last proven restore of a site may be.
    pub rehearsals_within: Period,
    /// How long before its last day a contract is said to end.
    pub contracts_end_within: Period,
    /// How long before its last day a version is said to reach its end of life.
    pub end_of_life_within: Period,
    /// How long a notice may wait for its answer.
    pub notices_answered_within: Period,
    /// How long a client may wait for the answer to an anomaly.
    pub anomalies_answered_within: Period,
    /// The last days of release trains, by what they are of (a CMS, or a part such as `php`) and by train. They go before
    /// the shipped ones; `never` takes one of those away.
    pub end_of_life: BTreeMap<String, BTreeMap<String, LastDay>>,
    /// What each machine hosts, where that is known.
    pub hosted: Vec<Hosted>,
    /// What somebody answers for until a day.
    pub waivers: Vec<Waiver>,
}

impl Default for AuditRules {
    fn default() -> Self {
        let days = |days: u32| Period::from_secs(days * DAY_SECS);
        Self {
            backups_within: days(31),
            rehearsals_within: days(365),
            contracts_end_within: days(30),
            end_of_life_within: days(90),
            notices_answered_within: days(14),
            anomalies_answered_within: days(3),
            end_of_life: BTreeMap::new(),
            hosted: Vec::new(),
            waivers: Vec::new(),
        }
    }
}

/// The last day of a release train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastDay {
    /// It gets fixes up to this day.
    On(Date),
    /// Somebody else keeps mending it, such as a distribution.
    Never,
}

impl<'de> Deserialize<'de> for LastDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "never" => Ok(Self::Never),
            day => day.parse().map(Self::On).map_err(|_| {
                serde::de::Error::custom(format!("{:?} is neither a day such as 2026-12-31 nor never", clean(day)))
            }),
        }
    }
}

fn clean(text: &str) -> String {
    crate::model::clean_line(text, 40)
}

/// What one machine hosts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hosted {
    /// The machine, as plans name it in `host.ssh`, without the account; `local` for this one.
    pub host: String,
    /// The folders of the sites on it.
    pub sites: Vec<String>,
}

/// Somebody answers for what a rule finds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Waiver {
    /// The rule.
    pub rule: String,
    /// The site; all, and what is of no site, unless given.
    #[serde(default)]
    pub site: Option<SiteName>,
    /// What the finding is about, as the audit writes it; whatever it is unless given.
    #[serde(default)]
    pub subject: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub why: String,
    /// The last day.
    pub until: Date,
}
