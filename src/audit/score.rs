//! How findings are counted, and the score.
//!
//! May use: `model`, `intake` for the severity. Invariant: pure.

use super::Finding;
use crate::intake::Severity;
use crate::model::SiteName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many findings there are of each severity. Those that somebody answers for are counted by themselves.
///
/// The score is the mean over all sites of what each has left of 100: a critical finding takes 100, one of high severity
/// 40, of medium 15, of low 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Critical ones.
    pub critical: u64,
    /// Of high severity.
    pub high: u64,
    /// Of medium severity.
    pub medium: u64,
    /// Of low severity.
    pub low: u64,
    /// Those that somebody answers for.
    pub waived: u64,
}

impl Counts {
    /// Of these findings.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            let place = match (&finding.waived, finding.severity) {
                (Some(_), _) => &mut counts.waived,
                (None, Severity::Critical) => &mut counts.critical,
                (None, Severity::High) => &mut counts.high,
                (None, Severity::Medium) => &mut counts.medium,
                (None, Severity::Low) => &mut counts.low,
            };
            *place += 1;
        }
        counts
    }

    /// The number of one severity.
    pub fn get(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
        }
    }
}

/// What a finding takes of a site's 100.
fn weight(severity: Severity) -> u64 {
    match severity {
        Severity::Critical => 100,
        Severity::High => 40,
        Severity::Medium => 15,
        Severity::Low => 3,
    }
}

/// The score of a fleet; that of one without sites is 100.
pub(super) fn score(findings: &[Finding], sites: &[&SiteName]) -> u32 {
    let mut taken: BTreeMap<&SiteName, u64> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.waived.is_none()) {
        if let Some(site) = &finding.site {
            *taken.entry(site).or_default() += weight(finding.severity);
        }
    }
    let left: u64 = sites.iter().map(|site| 100 - taken.get(site).copied().unwrap_or(0).min(100)).sum();
    let mean = left.checked_div(sites.len() as u64).unwrap_or(100);
    u32::try_from(mean).unwrap_or(0)
}
