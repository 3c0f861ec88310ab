//! Notices: what needs an answer of a person, and the answer.
//!
//! May use: `model`. Invariants: of one matter of a site there is one notice that can still be answered or is in
//! force; an answer to a notice that has one already replaces it, so the last one counts.

use super::{Decision, Ledger};
use crate::model::{ComponentId, Period, SiteName, Version, VersionScheme};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum About {
    /// An update that moves only with an approval.
    Update {
        /// What would move.
        component: ComponentId,
        /// What the site's administration calls it.
        title: String,
        /// What is installed.
        from: Version,
        /// Where it would go.
        to: Version,
        /// Whether it is a step into another release train; else the plan asks for the approval.
        major: bool,
    },
}

/// An answer to a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may be done.
    Approved,
    /// It may not.
    Declined,
}

/// Who answered a notice, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// How.
    pub verdict: Verdict,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Option<String>,
}

/// A notice with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// Its number.
    pub number: u64,
    /// The site.
    pub site: SiteName,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// When it was written.
    pub opened: Timestamp,
    /// The answer, if there is one.
    pub answer: Option<Answer>,
    /// When it loses its force: unanswered or approved, this long after. What was declined stays declined.
    pub expires: Option<Timestamp>,
}

impl Notice {
    /// Whether it still counts at `now`.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

impl Ledger {
    /// All notices, oldest first. They expire `after` their opening, or their approval.
    pub fn notices(&self, after: Period) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        for entry in self.entries() {
            match &entry.decision {
                Decision::Noticed { site, about } => notices.push(Notice {
                    number: entry.number,
                    site: site.clone(),
                    about: about.clone(),
                    opened: entry.at,
                    answer: None,
                    expires: expiry(entry.at, after),
                }),
                Decision::Answered { notice, verdict, why } => {
                    let Ok(place) = notices.binary_search_by_key(notice, |one| one.number) else { continue };
                    notices[place].expires = match verdict {
                        Verdict::Approved => expiry(entry.at, after),
                        Verdict::Declined => None,
                    };
                    let (by, why) = (entry.by.clone(), why.clone());
                    notices[place].answer = Some(Answer { verdict: *verdict, by, at: entry.at, why });
                }
                _ => {}
            }
        }
        notices
    }
}

fn expiry(at: Timestamp, after: Period) -> Option<Timestamp> {
    at.checked_add(after.as_duration()).ok()
}

/// The newest notice in force on bringing `component` of `site` to `to`. An answer for a version covers later ones of
/// the same release train, whose numbers begin with the same `train_parts` ones: a fix to what was approved is
/// approved.
pub fn covering<'a>(
    notices: &'a [Notice],
    site: &SiteName,
    component: &ComponentId,
    to: &Version,
    versions: (VersionScheme, usize),
    now: Timestamp,
) -> Option<&'a Notice> {
    notices.iter().rev().find(|notice| {
        let About::Update { component: of, to: noticed, .. } = &notice.about;
        notice.site == *site && of == component && notice.in_force(now) && covers(noticed, to, versions)
    })
}

/// Whether a decision on a version holds for `version`: it is the same one, or a later one of its train.
pub fn covers(decided: &Version, version: &Version, (scheme, train_parts): (VersionScheme, usize)) -> bool {
    scheme.compare(decided, version).is_le()
        && scheme.step(decided, version, train_parts) != crate::model::VersionStep::Major
}
