//! The fleet at a glance: one row per site.
//!
//! May use: `model`, `update`. Invariants: pure; what is not known is none, never nought.

use super::{Audit, Counts, Facts, Finding};
use crate::model::{Outcome, RunId, SiteName};
use crate::update::{is_due, next_window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The version of this format.
    pub status: u32,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Site by site, by name.
    pub sites: Vec<StatusRow>,
    /// What could not be looked at, and why: findings about it are missing.
    pub unknown: Vec<String>,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StatusRow {
    /// Which.
    pub site: SiteName,
    /// Whose it is; none where it has no plan.
    pub client: Option<String>,
    /// Its last run; none where there was none.
    pub last_run: Option<LastRun>,
    /// When somebody last looked at what is installed.
    #[schemars(with = "Option<String>")]
    pub looked: Option<Timestamp>,
    /// Whether a window is open now.
    pub window_open: bool,
    /// When the next window opens; none where the plan has none.
    #[schemars(with = "Option<String>")]
    pub next_window: Option<Timestamp>,
    /// How many updates wait; none where nobody looked.
    pub holds: Option<u64>,
    /// When its newest snapshot was taken.
    #[schemars(with = "Option<String>")]
    pub newest_backup: Option<Timestamp>,
    /// How many notices wait for an answer.
    pub notices: u64,
    /// Findings of the audit.
    pub findings: Counts,
}

/// The last run of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LastRun {
    /// Which.
    #[schemars(with = "String")]
    pub run: RunId,
    /// When it was opened.
    #[schemars(with = "String")]
    pub opened: Timestamp,
    /// How it ended; none while it is open.
    #[schemars(with = "Option<String>")]
    pub outcome: Option<Outcome>,
}

impl Status {
    /// The version of the format.
    pub const FORMAT: u32 = 1;
}

/// The fleet at a glance, of these sites.
pub fn status(facts: &Facts, audit: &Audit, keep: impl Fn(&SiteName) -> bool) -> Status {
    let rows = facts.names().into_iter().filter(|site| keep(site)).map(|site| row(facts, audit, site));
    Status { status: Status::FORMAT, at: facts.now, sites: rows.collect(), unknown: facts.unknown.clone() }
}

fn row(facts: &Facts, audit: &Audit, site: &SiteName) -> StatusRow {
    let (plan, known) = (facts.plans.get(site), facts.of(site));
    let last = known.runs.first();
    let mine = |finding: &&Finding| finding.site.as_ref() == Some(site);
    let waits = facts
        .notices
        .iter()
        .filter(|notice| notice.site == *site && notice.answer.is_none() && notice.in_force(facts.now));
    StatusRow {
        site: site.clone(),
        client: plan.map(|plan| plan.client.name.clone()),
        last_run: last.map(|ran| LastRun { run: ran.run, opened: ran.opened, outcome: ran.outcome }),
        looked: known.look.as_ref().map(|look| look.at),
        window_open: plan.is_some_and(|plan| is_due(plan, facts.now)),
        next_window: plan.and_then(|plan| next_window(plan, facts.now)),
        holds: known.look.as_ref().filter(|look| look.run.is_some()).map(|look| look.holds.len() as u64),
        newest_backup: known.backups.as_ref().and_then(|all| all.last()).map(|one| one.taken),
        notices: waits.count() as u64,
        findings: Counts::of(audit.findings.iter().filter(mine)),
    }
}
