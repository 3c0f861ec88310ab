//! The rules: one line of [`RULES`] each, with the function that finds what it is about.
//!
//! May use: what `audit` may. Invariants: an id is never used for something else; the words of a rule stand in the
//! reports' locale files under its id, and in the guide.

mod backups;
mod fleet;
mod promises;
mod runs;
mod software;

use super::facts::{Facts, SiteFacts};
use super::finding::{Finding, Found};
use crate::intake::Severity::{self, Critical, High, Low, Medium};
use crate::model::SiteName;
use crate::plan::Plan;
use jiff::Timestamp;
use jiff::civil::Date;

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its id, which never changes.
    pub id: &'static str,
    /// How bad it is what it finds.
    pub severity: Severity,
    look: Look,
}

#[derive(Debug, Clone, Copy)]
enum Look {
    /// At one site that has a plan.
    Site(fn(&Case<'_>) -> Vec<Found>),
    /// At one site, with a plan or without.
    Known(fn(&Facts, &SiteName) -> Vec<Found>),
    /// At what no single site has.
    Fleet(fn(&Facts) -> Vec<Found>),
    /// At the waivers, when all else is found.
    Waivers,
}

pub(super) const PLAN_UNREADABLE: &str = "plan-unreadable";
pub(super) const WAIVER_EXPIRED: &str = "waiver-expired";
pub(super) const WAIVER_UNUSED: &str = "waiver-unused";

const fn site(id: &'static str, severity: Severity, look: fn(&Case<'_>) -> Vec<Found>) -> Rule {
    Rule { id, severity, look: Look::Site(look) }
}

const fn known(id: &'static str, severity: Severity, look: fn(&Facts, &SiteName) -> Vec<Found>) -> Rule {
    Rule { id, severity, look: Look::Known(look) }
}

const fn fleet(id: &'static str, severity: Severity, look: fn(&Facts) -> Vec<Found>) -> Rule {
    Rule { id, severity, look: Look::Fleet(look) }
}

const fn waivers(id: &'static str, severity: Severity) -> Rule {
    Rule { id, severity, look: Look::Waivers }
}

/// All rules, in the order of the guide.
pub const RULES: &[Rule] = &[
    fleet(PLAN_UNREADABLE, High, fleet::plan_unreadable),
    known("no-plan", High, fleet::no_plan),
    site("never-seen", High, fleet::never_seen),
    fleet("neighbour-without-plan", Medium, fleet::neighbour_without_plan),
    site("no-intake", Medium, promises::no_intake),
    site("over-cap", Medium, promises::over_cap),
    site("near-cap", Low, promises::near_cap),
    site("contract-lapsed", High, promises::contract_lapsed),
    site("contract-ending", Low, promises::contract_ending),
    site("licence-missing", Medium, promises::licence_missing),
    site("licence-expired", Medium, promises::licence_expired),
    fleet("licence-over-used", Medium, promises::licence_over_used),
    site("hold-past-end", Low, promises::hold_past_end),
    site("notice-unanswered", Medium, promises::notice_unanswered),
    site("notice-expired", Medium, promises::notice_expired),
    site("anomaly-unanswered", Medium, promises::anomaly_unanswered),
    site("window-missed", High, runs::window_missed),
    site("run-stuck", Critical, runs::run_stuck),
    site("run-restored", Medium, runs::run_restored),
    site("run-open", High, runs::run_open),
    site("security-late", Critical, software::security_late),
    site("vulnerable", High, software::vulnerable),
    site("core-end-of-life", High, software::core_end_of_life),
    site("platform-end-of-life", High, software::platform_end_of_life),
    site("end-of-life-near", Low, software::end_of_life_near),
    site("abandoned", Medium, software::abandoned),
    site("modified", Medium, software::modified),
    site("drift", Medium, software::drift),
    site("no-backup", Critical, backups::no_backup),
    site("backup-old", High, backups::backup_old),
    site("backup-unverified", Medium, backups::backup_unverified),
    site("restore-unproven", Medium, backups::restore_unproven),
    waivers(WAIVER_EXPIRED, Medium),
    waivers(WAIVER_UNUSED, Low),
];

/// The rule with this id.
pub(super) fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// One site that has a plan, and what is known of it.
pub(super) struct Case<'a> {
    facts: &'a Facts,
    site: &'a SiteName,
    plan: &'a Plan,
    known: &'a SiteFacts,
    /// The day in the site's zone.
    today: Date,
}

impl Case<'_> {
    fn now(&self) -> Timestamp {
        self.facts.now
    }

    /// Since when we answer for the site: the first day of its contract or of its acceptance, whichever is later; else
    /// the first time that it was looked at.
    fn since(&self) -> Option<Timestamp> {
        let days = [self.plan.contract.as_ref().map(|one| one.from), self.plan.intake.as_ref().map(|one| one.accepted)];
        let day = days.into_iter().flatten().max();
        let start = day.and_then(|day| day.to_zoned(self.plan.zone()).ok()).map(|day| day.timestamp());
        let seen = || {
            let run = self.known.runs.last().map(|ran| ran.opened);
            run.or_else(|| self.known.look.as_ref().map(|look| look.at))
        };
        start.or_else(seen)
    }
}

/// A finding of a rule.
pub(super) fn finding(id: &'static str, site: Option<&SiteName>, found: Found) -> Finding {
    let severity = rule(id).map_or(Low, |rule| rule.severity);
    let Found { site: own, subject, evidence } = found;
    Finding { rule: id, severity, site: site.cloned().or(own), subject, evidence, waived: None }
}

/// All that the rules find.
pub(super) fn find(facts: &Facts, sites: &[&SiteName]) -> Vec<Finding> {
    let mut all = Vec::new();
    for rule in RULES {
        if let Look::Fleet(look) = rule.look {
            all.extend(look(facts).into_iter().map(|found| finding(rule.id, None, found)));
        }
    }
    for name in sites.iter().copied() {
        let plan = facts.plans.get(name);
        let case = plan.map(|plan| Case { facts, site: name, plan, known: facts.of(name), today: plan.day(facts.now) });
        for rule in RULES {
            let found = match (rule.look, &case) {
                (Look::Site(look), Some(case)) => look(case),
                (Look::Known(look), _) => look(facts, name),
                _ => continue,
            };
            all.extend(found.into_iter().map(|found| finding(rule.id, Some(name), found)));
        }
    }
    all
}
