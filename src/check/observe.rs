//! What a probe saw: values that are journaled, small and cleaned, whatever the site sent.
//!
//! May use: `model`. Invariants: no text here is longer than a few hundred characters; nothing
//! here depends on the verdict.

use crate::model::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one check saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    /// Of a page.
    Http {
        /// As a visitor gets it, caches included.
        plain: Box<Page>,
        /// Past every cache; none where the check does not ask for it.
        fresh: Option<Box<Page>>,
    },
    /// Of a command.
    Command(Ran),
    /// Of an error log.
    Log(LogState),
}

/// One answer to one request, redirects within the site followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Page {
    /// The address that was asked for, without what was added to pass caches.
    pub asked: String,
    /// The redirects, in order; the last one may lead away from the site and not be followed.
    pub hops: Vec<Hop>,
    /// The status of the last answer; none when there was no answer.
    pub status: Option<u16>,
    /// The address of the last answer.
    pub url: String,
    /// Why there is no complete answer.
    pub failure: Option<Failure>,
    /// The size of the body in bytes, unpacked; at most the prober's limit.
    pub bytes: u64,
    /// Whether the body was longer than the prober's limit.
    pub cut: bool,
    /// Whether it is HTML that ends as HTML ends: `</html>` near its end.
    pub closed: bool,
    /// The page's title, cleaned.
    pub title: Option<String>,
    /// The digest of the body that was read.
    #[schemars(with = "String")]
    pub digest: Digest,
    /// From the request to the last byte, redirects included, in milliseconds.
    pub elapsed_ms: u64,
    /// Whether the site redirected to the same address without what was added to pass caches, so that one may have
    /// answered after all.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cacheable: bool,
    /// Which of the check's required texts are not on the page.
    pub missing: Vec<String>,
    /// Which of the check's forbidden texts are on the page.
    pub hits: Vec<Hit>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One redirect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Hop {
    /// Its status.
    pub status: u16,
    /// Where it leads.
    pub to: String,
}

/// A forbidden text that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Hit {
    /// The text.
    pub text: String,
    /// What stands around it on the page, without tags, cleaned.
    pub excerpt: String,
}

/// Why there is no complete answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// What was seen, cleaned.
    pub detail: String,
}

/// Kinds of failing answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The name does not resolve.
    NoSuchHost,
    /// The name resolves to an address that is never asked: link-local or a cloud's metadata.
    ForbiddenAddress,
    /// Nothing answers at the address.
    Unreachable,
    /// The certificate is wrong, or there is no common TLS.
    Tls,
    /// The whole answer did not come in time.
    TimedOut,
    /// The answer broke off, or is not HTTP.
    Broken,
    /// More redirects than the limit, or in a circle.
    TooManyRedirects,
    /// A redirect away from the site, which is not followed.
    LeavesSite,
    /// A redirect from an encrypted address to one that is not, which is not followed.
    Downgrade,
    /// A redirect without a usable address.
    BadRedirect,
}

/// A command that ended, or did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Ran {
    /// The exit status; none when it was stopped at a limit.
    pub status: Option<i32>,
    /// The limit at which it was stopped, in words.
    pub stopped: Option<String>,
    /// The end of what it printed, cleaned.
    pub tail: String,
    /// Whether it printed exactly what the check says; none where it says nothing.
    pub equals: Option<bool>,
    /// Which of the check's required texts it did not print.
    pub missing: Vec<String>,
    /// Which of the check's forbidden texts it printed.
    pub forbidden: Vec<String>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// An error log at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LogState {
    /// What names the file across renames (its inode); none when there is no file.
    pub file: Option<u64>,
    /// Its size in bytes.
    pub size: u64,
    /// Why it can't be read.
    pub unreadable: Option<String>,
    /// The distinct fatal errors in the part that was read: its end at the baseline, what it
    /// gained after that.
    pub fatal: Vec<Fatal>,
    /// Whether there was more to read than the limit.
    pub cut: bool,
}

/// A fatal error in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Fatal {
    /// Its first line, cleaned, without the time.
    pub line: String,
    /// Names the same error at another time: the line without its numbers.
    #[schemars(with = "String")]
    pub key: Digest,
    /// How often it was seen.
    pub count: u32,
}

/// What the checks saw before the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Baseline {
    /// By the check's id.
    pub observations: BTreeMap<String, Observation>,
}

impl Baseline {
    /// What this check saw.
    pub fn get(&self, id: &str) -> Option<&Observation> {
        self.observations.get(id)
    }

    /// Replaces what some checks saw: log positions that were marked again.
    pub fn absorb(&mut self, observations: impl IntoIterator<Item = (String, Observation)>) {
        self.observations.extend(observations);
    }
}
