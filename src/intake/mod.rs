//! Intake: what a site is like before it enters a plan, and whether it may.
//!
//! May use: `model`, `plan`, `playbook`, `inventory`, `snapshot` for its values. Invariants: pure; what is looked at was
//! captured before, so nothing runs on the host; a finding says where, why and what to do; its excerpt is bounded and
//! harmless; what could not be looked at is said.

mod judge;
mod scanner;
mod structure;

pub use judge::{Judged, Seen, judge, missed};
pub use scanner::{MAX_SCANNED_BYTES, Place, RulesError, Scanner};
pub use structure::structure;

use crate::inventory::Inventory;
use crate::model::{ComponentId, RunId, SiteName, Version, clean_line};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most findings that are kept.
pub const MAX_FINDINGS: usize = 1_000;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Somebody else has power over the site, or it does not work: it can't be taken on.
    Critical,
    /// It has to be put in order first.
    High,
    /// It has to be looked at, or agreed upon.
    Medium,
    /// Worth knowing.
    Low,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// As rules write it; none for another word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// As rules write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// A text in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
}

impl Texts {
    /// Of these two.
    pub fn new(en: &str, fr: &str) -> Self {
        Self { en: en.to_owned(), fr: fr.to_owned() }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The rule that found it.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where: a path, a table, a component; cleaned.
    pub place: String,
    /// The line in a file, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What stands there, cut and cleaned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// What is wrong with it.
    pub why: Texts,
    /// What to do.
    pub todo: Texts,
}

impl Finding {
    /// A finding about a whole place, without an excerpt.
    pub fn new(rule: &str, severity: Severity, place: &str, why: Texts, todo: Texts) -> Self {
        Self { rule: rule.to_owned(), severity, place: clean_line(place, 300), line: None, excerpt: None, why, todo }
    }
}

/// Whether a site may enter its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may.
    Accept,
    /// It may when what was found is put in order, or agreed upon.
    AcceptWithConditions,
    /// Not as it is.
    Refuse,
}

impl Verdict {
    /// In a word, as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::AcceptWithConditions => "accept-with-conditions",
            Self::Refuse => "refuse",
        }
    }

    /// What follows from findings.
    pub fn of(findings: &[Finding]) -> Self {
        match findings.iter().map(|finding| finding.severity).min() {
            Some(Severity::Critical) => Self::Refuse,
            Some(Severity::High | Severity::Medium) => Self::AcceptWithConditions,
            Some(Severity::Low) | None => Self::Accept,
        }
    }
}

/// How much was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Scanned {
    /// Files.
    pub files: u64,
    /// Tables and other objects of the database.
    pub objects: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Rules.
    pub rules: u64,
    /// Things that are so long that only their beginning was looked at.
    pub cut: u64,
}

/// An update that is behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Behind {
    /// What.
    pub component: ComponentId,
    /// What the administration calls it.
    pub title: String,
    /// What is installed; none where that can't be read.
    pub from: Option<Version>,
    /// What is offered.
    pub to: Version,
    /// Whether that is a step into another release train.
    pub major: bool,
}

/// All that an intake showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Assessment {
    /// The version of this format: [`Assessment::FORMAT`].
    pub intake: u32,
    /// Its id, to which a plan refers; sorts by time.
    pub id: RunId,
    /// The site.
    pub site: SiteName,
    /// Its address.
    pub url: String,
    /// When.
    pub at: Timestamp,
    /// Who ran it, and where.
    pub by: String,
    /// The version of the program.
    pub program: String,
    /// The snapshot that was looked at: the first state with which drift is compared.
    pub snapshot: String,
    /// What the site said of itself.
    pub inventory: Inventory,
    /// How many extensions count, and how many the plan covers.
    pub extensions: (u32, Option<u32>),
    /// How much was looked at.
    pub scanned: Scanned,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// How many there are, if not all are kept.
    pub count: u64,
    /// Updates that are behind.
    pub behind: Vec<Behind>,
    /// The work that the major ones among them take, in minutes; a rule of thumb.
    pub estimate_min: u32,
    /// What could not be looked at, and why.
    pub unknown: Vec<String>,
    /// Whether it may enter its plan.
    pub verdict: Verdict,
}

impl Assessment {
    /// The version of the format.
    pub const FORMAT: u32 = 1;

    /// Reads what was kept; none of another version.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|one: &Self| one.intake == Self::FORMAT)
    }
}

#[cfg(test)]
mod tests;
