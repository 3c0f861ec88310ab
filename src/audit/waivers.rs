//! Waivers: what somebody answers for until a day.
//!
//! May use: `plan`, `model`. Invariants: pure; what is waived stays in the list and is marked; a waiver that is over or
//! that fits nothing is a finding itself, and no waiver covers that.

use super::finding::{Found, text, told};
use super::rules::{self, WAIVER_EXPIRED, WAIVER_UNUSED};
use super::{Facts, Finding, Value, Waived};
use crate::model::clean_line;
use crate::plan::Waiver;

const MOST_CHARS: usize = 200;

/// Marks the findings that somebody answers for, and gives what is wrong with the waivers.
pub(super) fn apply(facts: &Facts, findings: &mut [Finding]) -> Vec<Finding> {
    let today = facts.today();
    let mut wrong = Vec::new();
    for waiver in &facts.rules.audit.waivers {
        let is_over = waiver.until < today;
        let mut used = false;
        for finding in findings.iter_mut().filter(|finding| covers(waiver, finding)) {
            used = true;
            if !is_over && finding.waived.is_none() {
                finding.waived = Some(waived(waiver));
            }
        }
        match (is_over, used) {
            (true, _) => wrong.push(finding(WAIVER_EXPIRED, waiver, "audit-waiver-over")),
            (false, false) if rules::rule(&waiver.rule).is_none() => {
                wrong.push(finding(WAIVER_UNUSED, waiver, "audit-waiver-no-rule"));
            }
            // What could not be looked at may be what it is for.
            (false, false) if facts.unknown.is_empty() => {
                wrong.push(finding(WAIVER_UNUSED, waiver, "audit-waiver-idle"));
            }
            (false, _) => {}
        }
    }
    wrong
}

fn covers(waiver: &Waiver, finding: &Finding) -> bool {
    waiver.rule == finding.rule
        && waiver.site.as_ref().is_none_or(|site| finding.site.as_ref() == Some(site))
        && waiver.subject.as_ref().is_none_or(|subject| finding.subject == *subject)
}

fn waived(waiver: &Waiver) -> Waived {
    let line = |text: &str| clean_line(text, MOST_CHARS);
    Waived { owner: line(&waiver.owner), why: line(&waiver.why), until: waiver.until }
}

fn finding(rule: &'static str, waiver: &Waiver, key: &'static str) -> Finding {
    let subject = match (&waiver.site, &waiver.subject) {
        (None, None) => waiver.rule.clone(),
        (Some(site), None) => format!("{} {site}", waiver.rule),
        (None, Some(subject)) => format!("{} {subject}", waiver.rule),
        (Some(site), Some(subject)) => format!("{} {site} {subject}", waiver.rule),
    };
    let values = [("owner", text(&waiver.owner)), ("why", text(&waiver.why)), ("day", Value::Day(waiver.until))];
    rules::finding(rule, None, Found::new(subject, vec![told(key, values)]))
}
