//! What a run asks of people: each thing once, and no more once it is out of the way.
//!
//! May use: `journal`, `ledger`, `procedure`, `update`, `model`. Invariants: of one matter there is one open notice; only
//! what the run looked at itself is called done.

use super::drive::Driver;
use super::{Job, RunError};
use crate::journal::Event;
use crate::ledger::{self, About, Decision, Notice, Verdict};
use crate::model::{Hold, HoldReason, Lifter, SiteName, VersionScheme, VersionStep};
use crate::playbook::Versions;
use crate::procedure::Procedure;
use crate::update::Known;
use jiff::Timestamp;

/// An update that waits for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Which, and for what.
    pub about: About,
    /// The notice that asks for it; a run writes one where there is none.
    pub notice: Option<u64>,
}

/// The updates that wait for a person, and the notices that ask for it.
pub(super) fn pending(job: &Job, known: &Known, procedure: &Procedure, now: Timestamp) -> Vec<Pending> {
    procedure.holds.iter().filter_map(|hold| pending_on(job, known, hold, now)).collect()
}

fn pending_on(job: &Job, known: &Known, hold: &Hold, now: Timestamp) -> Option<Pending> {
    let (component, site) = (hold.component.clone(), &job.plan.site);
    let (title, from, to) = (hold.title.clone(), hold.installed.clone(), hold.offered.clone()?);
    if hold.reason.is_task() {
        let notice = ledger::asked(&known.notices, site, &component, &hold.reason, now);
        let about = About::Task { component, title, from, to, reason: hold.reason.clone() };
        return Some(Pending { about, notice: notice.map(|notice| notice.number) });
    }
    if hold.reason != HoldReason::Approval {
        return None;
    }
    let versions = &job.playbook.versions;
    let parts = versions.train_parts(&component.kind);
    let notice = ledger::covering(&known.notices, site, &component, &to, (versions.scheme, parts), now);
    let major = versions.scheme.step(&from, &to, parts) == VersionStep::Major;
    let about = About::Update { component, title, from, to, major };
    Some(Pending { about, notice: notice.map(|notice| notice.number) })
}

/// Notices of a site that are out of the way: what they ask for is not what the update waits for any more.
fn out_of_the_way(
    notices: &[Notice],
    site: &SiteName,
    versions: &Versions,
    holds: &[Hold],
    now: Timestamp,
) -> Vec<Decision> {
    let open = notices.iter().filter(|notice| notice.site == *site && notice.answer.is_none() && notice.in_force(now));
    let waits = |notice: &&Notice| {
        let component = notice.about.component();
        let parts = (versions.scheme, versions.train_parts(&component.kind));
        holds.iter().any(|hold| hold.component == *component && still_asks(&notice.about, hold, parts))
    };
    let done = open.filter(|notice| !waits(notice));
    done.map(|notice| Decision::Answered {
        notice: notice.number,
        verdict: Verdict::Done,
        why: Some("a run found nothing that waits for it".into()),
    })
    .collect()
}

/// Whether a notice still asks for what this hold of its component waits for, or may again once the hold is over.
fn still_asks(about: &About, hold: &Hold, versions: (VersionScheme, usize)) -> bool {
    match (about, &hold.reason) {
        (About::Task { reason, .. }, held) if held.is_task() => reason.is_same_task(held),
        // Whatever else holds it comes before the task.
        (About::Task { .. }, _) => true,
        (About::Update { to, .. }, HoldReason::Approval) => {
            hold.offered.as_ref().is_some_and(|offered| ledger::covers(to, offered, versions))
        }
        // It passes by itself, or is of a run that does only what is urgent.
        (About::Update { .. }, held) => held.lifter() == Lifter::Time || matches!(held, HoldReason::Lapsed { .. }),
    }
}

impl Driver<'_> {
    /// Asks for what waits for a person, each once; ends what nobody has to do any more.
    pub(super) async fn notice(&mut self, pending: Vec<Pending>) -> Result<(), RunError> {
        let site = self.job.plan.site.clone();
        for Pending { about, notice } in pending {
            let component = about.component().clone();
            let notice = match notice {
                Some(notice) => notice,
                None => self.decide(Decision::Noticed { site: site.clone(), about }).await?,
            };
            self.write(Event::Noticed { notice, component }).await?;
        }
        let looked = self.state.attempt().filter(|attempt| attempt.planned.inventory.is_some());
        let Some(attempt) = looked else { return Ok(()) };
        let journal = |source| RunError::Journal { site: site.clone(), source };
        let ledger = self.runner.journal.ledger().await.map_err(journal)?;
        let notices = ledger.notices(self.runner.rules.notices_expire_after);
        let now = self.runner.clock.now();
        for decision in
            out_of_the_way(&notices, &site, &self.job.playbook.versions, &attempt.planned.procedure.holds, now)
        {
            self.decide(decision).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ComponentId, LicenceProblem, Version};

    fn version(text: &str) -> Version {
        Version::new(text).unwrap()
    }

    fn cache() -> ComponentId {
        ComponentId::new("plugin", "cache").unwrap()
    }

    fn hold(offered: &str, reason: HoldReason) -> Hold {
        Hold {
            component: cache(),
            title: "Cache".into(),
            installed: version("1.0"),
            offered: Some(version(offered)),
            reason,
        }
    }

    fn update(to: &str) -> About {
        let (from, to) = (version("1.0"), version(to));
        About::Update { component: cache(), title: "Cache".into(), from, to, major: true }
    }

    fn task(reason: HoldReason) -> About {
        let (from, to) = (version("1.0"), version("2.0"));
        About::Task { component: cache(), title: "Cache".into(), from, to, reason }
    }

    fn pool(problem: LicenceProblem) -> HoldReason {
        HoldReason::LicencePool { pool: "pool".into(), problem }
    }

    #[test]
    fn a_notice_that_asks_for_something_else_than_what_is_needed_is_out_of_the_way() {
        let asks = |about: &About, hold: &Hold| still_asks(about, hold, (VersionScheme::Php, 1));
        let (approval, window) = (|to| hold(to, HoldReason::Approval), hold("2.0", HoldReason::NextWindow));
        assert!(asks(&update("2.0"), &approval("2.0")) && asks(&update("2.0"), &approval("2.1")));
        assert!(!asks(&update("2.0"), &approval("3.0")), "another notice asks for that");
        assert!(asks(&update("2.0"), &window), "a run that does only what is urgent");
        let lapsed = HoldReason::Lapsed { until: "2026-10-31".parse().unwrap() };
        assert!(asks(&update("2.0"), &hold("2.0", lapsed.clone())));
        assert!(!asks(&update("2.0"), &hold("2.0", pool(LicenceProblem::NoSeat))), "it is approved in the plan");
        let no_seat = task(pool(LicenceProblem::NoSeat));
        assert!(asks(&no_seat, &hold("2.0", pool(LicenceProblem::NoSeat))));
        assert!(!asks(&no_seat, &hold("2.0", pool(LicenceProblem::ByHand))), "a seat was given; another task");
        assert!(asks(&no_seat, &window) && asks(&no_seat, &hold("2.0", lapsed)));
        assert!(asks(&no_seat, &approval("2.0")), "that comes first, and the task after it");
    }
}
