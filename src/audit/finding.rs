//! What is found, as values: its words stand in the reports' locale files.
//!
//! May use: `model`, `intake` for the severity. Invariant: every text in a finding is cleaned and bounded here.

use crate::intake::Severity;
use crate::model::{SiteName, clean_line};
use jiff::Timestamp;
use jiff::civil::Date;

/// The longest text in a finding, in characters.
const MOST_CHARS: usize = 160;

/// One thing that falls short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The site; none where it is the fleet's.
    pub site: Option<SiteName>,
    /// What of it: a component, a pool, a file; empty where it is the whole site.
    pub subject: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// Who answers for it.
    pub waived: Option<Waived>,
}

/// Somebody answers for a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// Who.
    pub owner: String,
    /// Why.
    pub why: String,
    /// The last day.
    pub until: Date,
}

/// One sentence of proof: a message and what is put into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The key of the message.
    pub key: &'static str,
    /// Its arguments.
    pub values: Vec<(&'static str, Value)>,
}

/// What is put into a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, cleaned.
    Text(String),
    /// A word that the message selects by.
    Word(&'static str),
    /// A number.
    Count(u64),
    /// A day.
    Day(Date),
    /// A moment.
    Moment(Timestamp),
}

impl Finding {
    /// By what findings are ordered: the worst first, then by site, rule and subject.
    pub fn order(&self) -> (Severity, Option<&SiteName>, &'static str, &str) {
        (self.severity, self.site.as_ref(), self.rule, &self.subject)
    }
}

/// What a rule finds of one site, before anybody knows whether it is waived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The site, where a rule about the fleet knows of which it is.
    pub(super) site: Option<SiteName>,
    pub(super) subject: String,
    pub(super) evidence: Vec<Evidence>,
}

impl Found {
    /// Something of the site or the fleet: `subject` is empty for the whole site.
    pub(super) fn new(subject: impl std::fmt::Display, evidence: Vec<Evidence>) -> Self {
        Self { site: None, subject: line(subject), evidence }
    }

    /// The whole site.
    pub(super) fn site(evidence: Vec<Evidence>) -> Self {
        Self { site: None, subject: String::new(), evidence }
    }

    /// The same of a site.
    pub(super) fn of(self, site: Option<&SiteName>) -> Self {
        Self { site: site.cloned(), ..self }
    }
}

/// A sentence.
pub(super) fn told<const N: usize>(key: &'static str, values: [(&'static str, Value); N]) -> Evidence {
    Evidence { key, values: values.into() }
}

/// As a text from outside stands in a finding.
pub(super) fn line(text: impl std::fmt::Display) -> String {
    clean_line(&text.to_string(), MOST_CHARS)
}

/// A text from outside.
pub(super) fn text(text: impl std::fmt::Display) -> Value {
    Value::Text(line(text))
}

/// A number of things.
pub(super) fn count(number: usize) -> Value {
    Value::Count(number as u64)
}
