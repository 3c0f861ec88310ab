//! Verdicts and their reasons, as values that a report can put into any language.
//!
//! May use: `spec`, `observe`. Invariant: a reason carries all that its text needs.

use super::observe::{Failure, Observation};
use super::spec::{Check, StatusRule};
use serde::{Deserialize, Serialize};

/// A check that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// What came of it.
    pub verdict: Verdict,
    /// What the last attempt saw.
    pub observation: Observation,
    /// How often it was tried.
    pub attempts: u32,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Not as it should be, for these reasons, the most telling first.
    Failed(Vec<Reason>),
    /// Nobody can tell: neither passed nor failed.
    Unknown(String),
}

/// Why a check failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// There is no complete answer.
    NoAnswer(Failure),
    /// The wrong status.
    Status {
        /// What was expected.
        expected: StatusRule,
        /// What it was before the run.
        before: Option<u16>,
        /// What came.
        got: u16,
    },
    /// A text is not there.
    Missing {
        /// The text.
        text: String,
    },
    /// A forbidden text is there.
    Forbidden {
        /// The text.
        text: String,
        /// What stands around it.
        excerpt: String,
    },
    /// The request ended somewhere else than the check says.
    EndsElsewhere {
        /// Where it should.
        expected: String,
        /// Where it did.
        got: String,
    },
    /// The request ends on another page of the site than before the run.
    Moved {
        /// Where it ended before.
        before: String,
        /// Where it ended now.
        got: String,
    },
    /// Too slow.
    Slow {
        /// The limit in milliseconds.
        limit_ms: u64,
        /// How long it took.
        took_ms: u64,
    },
    /// The page has no content.
    Empty,
    /// The page is much smaller than before the run.
    Shrunk {
        /// Its size before, in bytes.
        before: u64,
        /// Its size now.
        got: u64,
        /// The smallest share, in percent.
        min_percent: u8,
    },
    /// The page stops in its middle; before the run it was whole.
    CutShort,
    /// What visitors get from a cache is right, what stands behind it is not.
    HiddenByCache(Box<Reason>),
    /// The command was stopped at a limit.
    Stopped {
        /// The limit.
        limit: String,
    },
    /// The wrong exit status.
    Exit {
        /// What was expected.
        expected: Vec<i32>,
        /// What came.
        got: i32,
        /// The end of what it printed.
        tail: String,
    },
    /// The command printed something else.
    Printed {
        /// What it should have printed.
        expected: String,
        /// The end of what it printed.
        got: String,
    },
    /// The error log has new fatal errors.
    FatalLogged {
        /// The first of them.
        line: String,
        /// How many lines there are in all.
        count: u32,
    },
}

impl CheckResult {
    /// Whether it failed.
    pub fn failed(&self) -> bool {
        matches!(self.verdict, Verdict::Failed(_))
    }

    /// Why it failed; empty when it did not.
    pub fn reasons(&self) -> &[Reason] {
        match &self.verdict {
            Verdict::Failed(reasons) => reasons,
            Verdict::Passed | Verdict::Unknown(_) => &[],
        }
    }
}
