//! An audit in words: the document that all its forms are made of.
//!
//! May use: `audit` and `journal` for their values, `words`. Invariants: every text stands in a locale file; what a site
//! or a person said was cleaned where it was found; the document is the JSON form, and has a schema.

use super::error::ReportError;
use super::words::{Language, Words, outside, own};
use crate::audit::{Audit, Counts, Evidence, Finding, RULES, Status, Value};
use crate::intake::Severity;
use crate::journal::Audited;
use crate::model::SiteName;
use fluent_templates::fluent_bundle::FluentValue;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// An audit in one language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AuditReport {
    /// The version of this format: [`AuditReport::FORMAT`].
    pub audit: u32,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The version of the program.
    pub program: String,
    /// The language of its texts: `en` or `fr`.
    pub language: String,
    /// The score of the whole fleet, 0 to 100.
    pub score: u32,
    /// How many sites the fleet has, with a plan or without.
    pub sites: u64,
    /// How many findings there are.
    pub counts: Counts,
    /// What was found, the worst first.
    pub findings: Vec<FindingLine>,
    /// What could not be looked at, and why: findings about it are missing.
    pub unknown: Vec<String>,
    /// The rules that looked.
    pub rules: Vec<RuleLine>,
    /// What audits of before came to, oldest first; this one last.
    pub history: Vec<Point>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FindingLine {
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// The site; none where it is the fleet's.
    pub site: Option<SiteName>,
    /// What of it: a component, a pool, a file; none where it is the whole site.
    pub subject: Option<String>,
    /// What shows it.
    pub evidence: Vec<String>,
    /// Who answers for it.
    pub waived: Option<WaivedLine>,
}

/// Somebody answers for a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WaivedLine {
    /// Who.
    pub owner: String,
    /// Why.
    pub why: String,
    /// The last day.
    #[schemars(with = "String")]
    pub until: Date,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RuleLine {
    /// Its id.
    pub rule: String,
    /// How bad it is what it finds.
    pub severity: Severity,
    /// What it finds, in a few words.
    pub title: String,
    /// What that means.
    pub meaning: String,
    /// What to do.
    pub remedy: String,
    /// How many findings it has here.
    pub findings: u64,
}

/// A score at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Point {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The score.
    pub score: u32,
}

impl AuditReport {
    /// The version of the format.
    pub const FORMAT: u32 = 1;

    /// An audit in words. `rules`: the ids of those that looked, all where there is none; `before`: what audits of
    /// before came to, newest first.
    pub fn of(audit: &Audit, rules: &[String], before: &[Audited], language: &Language) -> Self {
        let words = Words::new(language.clone(), "UTC");
        let mut history: Vec<Point> = before.iter().map(|one| Point { at: one.at, score: one.score }).rev().collect();
        history.push(Point { at: audit.at, score: audit.score });
        let chosen = RULES.iter().filter(|rule| rules.is_empty() || rules.iter().any(|id| id == rule.id));
        let rules = chosen.map(|rule| RuleLine {
            rule: rule.id.to_owned(),
            severity: rule.severity,
            title: words.say(&format!("audit-rule-{}", rule.id)),
            meaning: words.say(&format!("audit-means-{}", rule.id)),
            remedy: words.say(&format!("audit-todo-{}", rule.id)),
            findings: audit.findings.iter().filter(|finding| finding.rule == rule.id).count() as u64,
        });
        Self {
            audit: Self::FORMAT,
            at: audit.at,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            language: words.tag(),
            score: audit.score,
            sites: audit.sites,
            counts: audit.counts(),
            findings: audit.findings.iter().map(|finding| line(finding, &words)).collect(),
            unknown: audit.unknown.clone(),
            rules: rules.collect(),
            history,
        }
    }

    /// The JSON form, with a final line break.
    ///
    /// # Errors
    /// [`ReportError::AuditJson`]; plain values give no reason for it.
    pub fn to_json(&self) -> Result<String, ReportError> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|source| ReportError::AuditJson { source })
    }

    /// The rule of a finding.
    pub(super) fn rule(&self, finding: &FindingLine) -> Option<&RuleLine> {
        self.rules.iter().find(|rule| rule.rule == finding.rule)
    }
}

/// The JSON Schema of audits, as it is committed.
pub fn audit_schema() -> serde_json::Value {
    schemars::schema_for!(AuditReport).to_value()
}

/// The JSON Schema of what `status` prints, as it is committed.
pub fn status_schema() -> serde_json::Value {
    schemars::schema_for!(Status).to_value()
}

fn line(finding: &Finding, words: &Words) -> FindingLine {
    FindingLine {
        rule: finding.rule.to_owned(),
        severity: finding.severity,
        site: finding.site.clone(),
        subject: (!finding.subject.is_empty()).then(|| finding.subject.clone()),
        evidence: finding.evidence.iter().map(|one| sentence(one, words)).collect(),
        waived: finding.waived.as_ref().map(|waived| WaivedLine {
            owner: waived.owner.clone(),
            why: waived.why.clone(),
            until: waived.until,
        }),
    }
}

fn sentence(evidence: &Evidence, words: &Words) -> String {
    let args: Vec<(&'static str, FluentValue<'_>)> =
        evidence.values.iter().map(|(name, value)| (*name, argument(value, words))).collect();
    words.tell(evidence.key, &args)
}

fn argument(value: &Value, words: &Words) -> FluentValue<'static> {
    match value {
        Value::Text(text) => outside(text),
        Value::Word(word) => own(*word),
        Value::Count(count) => FluentValue::from(*count as f64),
        Value::Day(day) => own(words.day(*day)),
        Value::Moment(at) => own(utc(*at, words)),
    }
}

/// A moment with the zone in which an audit tells it.
pub(super) fn utc(at: Timestamp, words: &Words) -> String {
    format!("{} UTC", words.moment(at))
}
