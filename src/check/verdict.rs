//! Verdicts and their reasons, as values that a report can put into any language.
//!
//! May use: `spec`, `observe`. Invariant: a reason carries all that its text needs.

use super::observe::{Failure, FailureKind, Observation};
use super::spec::{Check, StatusRule};
use crate::model::{clean_line, human_bytes};
use serde::{Deserialize, Serialize};
use std::fmt;

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

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.check.id)?;
        match &self.verdict {
            Verdict::Passed => f.write_str("passed"),
            Verdict::Unknown(why) => write!(f, "nobody can tell: {why}"),
            Verdict::Failed(reasons) => {
                let texts: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join("; "))
            }
        }
    }
}

impl fmt::Display for StatusRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("200 to 299"),
            Self::SameAsBefore => f.write_str("the same as before the run"),
            Self::OneOf(list) => {
                let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(" or "))
            }
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchHost => "the host's name does not resolve",
            Self::ForbiddenAddress => {
                "the host's name leads to an address that is never asked (link-local or metadata)"
            }
            Self::Unreachable => "nothing answers there",
            Self::Tls => "no secure connection",
            Self::TimedOut => "no complete answer in time",
            Self::Broken => "the answer broke off or is not HTTP",
            Self::TooManyRedirects => "too many redirects",
            Self::LeavesSite => {
                "it redirects away from the site's address, which is not followed; if that is the site's real address, correct `url` in the plan"
            }
            Self::Downgrade => "it redirects from https to http, which is not followed",
            Self::BadRedirect => "it redirects to no usable address",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |text: &str| clean_line(text, 200);
        match self {
            Self::NoAnswer(failure) => write!(f, "{} ({})", failure.kind, failure.detail),
            Self::Status { expected, before, got } => {
                write!(f, "status {got}, expected {expected}")?;
                match before {
                    Some(before) => write!(f, ", before the run {before}")?,
                    None if *got == 503 => f.write_str(" (in maintenance, or overloaded)")?,
                    None => {}
                }
                Ok(())
            }
            Self::Missing { text } => write!(f, "{:?} is not there", line(text)),
            Self::Forbidden { text, excerpt } => {
                write!(f, "{:?} is there: {excerpt}", line(text))
            }
            Self::EndsElsewhere { expected, got } => {
                write!(f, "it ends at {got}, expected {expected}")
            }
            Self::Moved { before, got } => {
                write!(f, "it ends at {got}, before the run at {before}")
            }
            Self::Slow { limit_ms, took_ms } => {
                write!(f, "it took {took_ms} ms, at most {limit_ms} ms are allowed")
            }
            Self::Empty => f.write_str("the page is empty"),
            Self::Shrunk { before, got, min_percent } => write!(
                f,
                "the page has {}, before the run {}; at least {min_percent} % must remain",
                human_bytes(*got),
                human_bytes(*before)
            ),
            Self::CutShort => f.write_str("the page stops in its middle"),
            Self::HiddenByCache(reason) => {
                write!(f, "a cache hides it from visitors: {reason}")
            }
            Self::Stopped { limit } => write!(f, "it was stopped at {limit}"),
            Self::Exit { expected, got, tail } => write!(f, "exit status {got}, expected {expected:?}: {}", line(tail)),
            Self::Printed { expected, got } => {
                write!(f, "it printed {:?}, expected {:?}", line(got), line(expected))
            }
            Self::FatalLogged { line, count } => {
                write!(f, "the error log has {count} new fatal error(s): {line}")
            }
        }
    }
}
