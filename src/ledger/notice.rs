//! Notices: what needs an answer of a person, and the answer.
//!
//! May use: `model`. Invariants: of one matter of a site there is one notice that can still be answered or is in
//! force; an answer to a notice that has one already replaces it, so the last one counts.

use super::{Decision, Ledger};
use crate::model::{ComponentId, HoldReason, Period, SiteName, Version, VersionScheme};
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
    /// An update that moves only once a person has done something.
    Task {
        /// What would move.
        component: ComponentId,
        /// What the site's administration calls it.
        title: String,
        /// What is installed.
        from: Version,
        /// Where it would go.
        to: Version,
        /// What has to be done.
        reason: HoldReason,
    },
}

impl About {
    /// What would move.
    pub fn component(&self) -> &ComponentId {
        match self {
            Self::Update { component, .. } | Self::Task { component, .. } => component,
        }
    }

    /// What the site's administration calls it.
    pub fn title(&self) -> &str {
        match self {
            Self::Update { title, .. } | Self::Task { title, .. } => title,
        }
    }

    /// What is installed, and where it would go.
    pub fn step(&self) -> (&Version, &Version) {
        match self {
            Self::Update { from, to, .. } | Self::Task { from, to, .. } => (from, to),
        }
    }

    /// Why it waits.
    pub fn reason(&self) -> &HoldReason {
        match self {
            Self::Update { .. } => &HoldReason::Approval,
            Self::Task { reason, .. } => reason,
        }
    }

    /// Whether it is something to do, not to decide.
    pub fn is_task(&self) -> bool {
        matches!(self, Self::Task { .. })
    }
}

/// An answer to a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may be done.
    Approved,
    /// It may not.
    Declined,
    /// It is done, says who answered; the next run looks.
    Done,
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
    /// When it was sent to who must act, if it was.
    pub sent: Option<Timestamp>,
    /// The messages that it is in, as the queue of mail calls them.
    #[serde(skip)]
    pub messages: Vec<String>,
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
                    sent: None,
                    messages: Vec::new(),
                }),
                Decision::Answered { notice, verdict, why } => {
                    let Ok(place) = notices.binary_search_by_key(notice, |one| one.number) else { continue };
                    notices[place].expires = match verdict {
                        Verdict::Approved => expiry(entry.at, after),
                        Verdict::Declined | Verdict::Done => None,
                    };
                    let (by, why) = (entry.by.clone(), why.clone());
                    notices[place].answer = Some(Answer { verdict: *verdict, by, at: entry.at, why });
                }
                Decision::Sent { notices: sent, messages } => {
                    for notice in notices.iter_mut().filter(|notice| sent.contains(&notice.number)) {
                        notice.sent = notice.sent.or(Some(entry.at));
                        notice.messages.extend(messages.iter().cloned());
                    }
                }
                _ => {}
            }
        }
        notices
    }
}

impl Ledger {
    /// Messages that were about to be written down, with the notices that each was to hold, where nobody noted that it was:
    /// whoever did it may have died in between.
    pub fn messages_begun(&self) -> Vec<(&str, &[u64])> {
        let mut begun: Vec<(&str, &[u64])> = Vec::new();
        for entry in self.entries() {
            match &entry.decision {
                Decision::Sending { notices, message } => begun.push((message, notices)),
                Decision::Sent { messages, .. } => {
                    begun.retain(|(message, _)| !messages.iter().any(|one| one == message))
                }
                _ => {}
            }
        }
        begun
    }
}

fn expiry(at: Timestamp, after: Period) -> Option<Timestamp> {
    at.checked_add(after.as_duration()).ok()
}

/// The newest notice in force, and not out of the way, on bringing `component` of `site` to `to`. An answer for a version covers later ones of
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
        let About::Update { component: of, to: noticed, .. } = &notice.about else { return false };
        let over = notice.answer.as_ref().is_some_and(|answer| answer.verdict == Verdict::Done);
        notice.site == *site && of == component && notice.in_force(now) && !over && covers(noticed, to, versions)
    })
}

/// The newest notice that asks for just this task and is not done: it waits, or nobody is going to do it.
pub fn asked<'a>(
    notices: &'a [Notice],
    site: &SiteName,
    component: &ComponentId,
    reason: &HoldReason,
    now: Timestamp,
) -> Option<&'a Notice> {
    let done = |notice: &Notice| notice.answer.as_ref().is_some_and(|answer| answer.verdict == Verdict::Done);
    notices.iter().rev().find(|notice| {
        let About::Task { component: of, reason: asked, .. } = &notice.about else { return false };
        notice.site == *site && of == component && asked.is_same_task(reason) && notice.in_force(now) && !done(notice)
    })
}

/// Whether a decision on a version holds for `version`: it is the same one, or a later one of its train.
pub fn covers(decided: &Version, version: &Version, (scheme, train_parts): (VersionScheme, usize)) -> bool {
    scheme.compare(decided, version).is_le()
        && scheme.step(decided, version, train_parts) != crate::model::VersionStep::Major
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::LedgerEntry;
    use crate::model::LicenceProblem;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_760_000_000 + day * 86_400).unwrap()
    }

    /// A ledger with a task of one component, and what came after it.
    fn after(decisions: Vec<Decision>) -> Vec<Notice> {
        let about = About::Task {
            component: ComponentId::new("plugin", "cache").unwrap(),
            title: "Cache".into(),
            from: Version::new("1.0").unwrap(),
            to: Version::new("2.0").unwrap(),
            reason: HoldReason::LicencePool { pool: "pool".into(), problem: LicenceProblem::NoSeat },
        };
        let first = Decision::Noticed { site: SiteName::new("shop").unwrap(), about };
        let entry = |(number, decision): (u64, Decision)| LedgerEntry {
            number,
            at: at(i64::try_from(number).unwrap()),
            by: "anne".into(),
            decision,
        };
        let entries = (1..).zip(std::iter::once(first).chain(decisions)).map(entry).collect();
        Ledger::new(entries).notices(Period::from_secs(90 * 86_400))
    }

    fn is_asked(notices: &[Notice], slug: &str, problem: LicenceProblem, day: i64) -> bool {
        let component = ComponentId::new("plugin", slug).unwrap();
        let reason = HoldReason::LicencePool { pool: "pool".into(), problem };
        asked(notices, &SiteName::new("shop").unwrap(), &component, &reason, at(day)).is_some()
    }

    #[test]
    fn a_task_is_asked_for_once_until_it_is_called_done() {
        let answered = |verdict| vec![Decision::Answered { notice: 1, verdict, why: None }];
        let open = after(Vec::new());
        assert!(is_asked(&open, "cache", LicenceProblem::NoSeat, 5));
        assert!(!is_asked(&open, "cache", LicenceProblem::ByHand, 5), "another task");
        assert!(!is_asked(&open, "forms", LicenceProblem::NoSeat, 5), "another component");
        assert!(!is_asked(&open, "cache", LicenceProblem::NoSeat, 95), "it has expired");
        let done = after(answered(Verdict::Done));
        assert!(!is_asked(&done, "cache", LicenceProblem::NoSeat, 5), "if it waits still, it was not done");
        assert_eq!(done[0].answer.as_ref().unwrap().by, "anne");
        let declined = after(answered(Verdict::Declined));
        assert!(is_asked(&declined, "cache", LicenceProblem::NoSeat, 500), "nobody is asked again");
    }

    #[test]
    fn what_was_sent_is_known_and_survives_json() {
        let sent = Decision::Sent { notices: vec![1, 7], messages: vec!["5f0c".into()] };
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), sent);
        assert_eq!(after(vec![sent])[0].sent, Some(at(2)));
        assert_eq!(after(Vec::new())[0].sent, None);
    }

    #[test]
    fn a_message_that_nobody_saw_to_its_end_is_known() {
        let sending = |message: &str| Decision::Sending { notices: vec![1], message: message.into() };
        let sent = Decision::Sent { notices: vec![1], messages: vec!["a".into()] };
        let entry = |(number, decision)| LedgerEntry { number, at: at(1), by: "ops".into(), decision };
        let ledger = Ledger::new((1..).zip([sending("a"), sent, sending("b")]).map(entry).collect());
        assert_eq!(ledger.messages_begun(), [("b", &[1_u64][..])]);
    }

    #[test]
    fn what_is_out_of_the_way_covers_nothing() {
        let component = ComponentId::new("plugin", "cache").unwrap();
        let (from, to) = (Version::new("1.0").unwrap(), Version::new("2.0").unwrap());
        let title = "Cache".into();
        let about = About::Update { component: component.clone(), title, from, to: to.clone(), major: true };
        let site = SiteName::new("shop").unwrap();
        let asked = |verdict| {
            let decisions = [
                Decision::Noticed { site: site.clone(), about: about.clone() },
                Decision::Answered { notice: 1, verdict, why: None },
            ];
            let entry = |(number, decision)| LedgerEntry { number, at: at(1), by: "ops".into(), decision };
            let ledger = Ledger::new((1..).zip(decisions).map(entry).collect());
            let notices = ledger.notices(Period::from_secs(90 * 86_400));
            covering(&notices, &site, &component, &to, (VersionScheme::Php, 1), at(2)).is_some()
        };
        assert!(asked(Verdict::Approved) && asked(Verdict::Declined));
        assert!(!asked(Verdict::Done), "if it waits again, it is asked again");
    }
}
