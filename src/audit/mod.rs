//! The audit: whether every site has a plan, and whether each plan is kept.
//!
//! May use: `model`, `ledger`, `plan`, `vulnerability`, `inventory`, `drift`, `intake`, `update`, `journal`.
//! Invariants: pure; the same facts give the same findings in the same order; what is not known is said and is no
//! finding; each rule is one function and one line of [`RULES`]; what a site said is cleaned before it stands in a finding.

mod end_of_life;
mod facts;
mod finding;
mod rules;
mod score;
mod status;
mod waivers;

pub use end_of_life::{EndOfLife, EndOfLifeError};
pub use facts::{Applied, Backup, Facts, Job, Look, PutBack, Ran, SiteFacts, Unreadable};
pub use finding::{Evidence, Finding, Value, Waived};
pub use rules::{RULES, Rule};
pub use score::Counts;
pub use status::{LastRun, Status, StatusRow, status};

use crate::intake::Severity;
use crate::model::SiteName;
use jiff::Timestamp;

/// What an audit came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// When.
    pub at: Timestamp,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// What could not be looked at, and why.
    pub unknown: Vec<String>,
    /// How many sites there are, with a plan or without.
    pub sites: u64,
    /// The score, 0 to 100: see [`Counts`].
    pub score: u32,
}

impl Audit {
    /// How many findings there are of each severity.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.findings)
    }

    /// Whether something is found that nobody answers for, and that is at least so bad.
    pub fn fails(&self, least: Severity) -> bool {
        self.findings.iter().any(|finding| finding.waived.is_none() && finding.severity <= least)
    }

    /// The same with the findings alone that `keep` keeps. The score stays that of all. A plan that can't be read may be
    /// of a site that is kept, and no rule looked at that: where it is not told as a finding, it is as not known.
    pub fn only(mut self, unreadable: &[Unreadable], keep: impl Fn(&Finding) -> bool) -> Self {
        self.findings.retain(keep);
        let told = |file: &Unreadable| {
            self.findings
                .iter()
                .any(|one| one.rule == rules::PLAN_UNREADABLE && one.subject == finding::line(&file.file))
        };
        let silent = unreadable.iter().filter(|file| !told(file));
        let silent: Vec<String> =
            silent.map(|file| format!("the site of the plan {}: {}", file.file, file.why)).collect();
        self.unknown.extend(silent);
        self
    }
}

/// Looks at everything that is known, with every rule.
pub fn audit(facts: &Facts) -> Audit {
    let sites: Vec<&SiteName> = facts.names();
    let mut findings = rules::find(facts, &sites);
    let wrong = waivers::apply(facts, &mut findings);
    findings.extend(wrong);
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    let score = score::score(&findings, &sites);
    Audit { at: facts.now, findings, unknown: facts.unknown.clone(), sites: sites.len() as u64, score }
}

#[cfg(test)]
mod tests;
