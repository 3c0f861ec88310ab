//! What a run asks of people: each thing once, and no more once it is out of the way.
//!
//! May use: `journal`, `ledger`, `procedure`, `update`, `model`. Invariants: of one matter there is one open notice; only
//! what the run looked at itself is called done.

use super::drive::Driver;
use super::{Job, RunError};
use crate::journal::Event;
use crate::ledger::{self, About, Decision, Notice, Verdict};
use crate::model::{Hold, HoldReason, SiteName, VersionStep};
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

/// Tasks of a site that are out of the way: what they were about does not wait any more.
fn out_of_the_way(notices: &[Notice], site: &SiteName, procedure: &Procedure, now: Timestamp) -> Vec<Decision> {
    let open = notices.iter().filter(|notice| {
        notice.site == *site && notice.answer.is_none() && notice.in_force(now) && notice.about.is_task()
    });
    let waits = |notice: &&Notice| procedure.holds.iter().any(|hold| hold.component == *notice.about.component());
    let done = open.filter(|notice| !waits(notice));
    done.map(|notice| Decision::Answered {
        notice: notice.number,
        verdict: Verdict::Done,
        why: Some("a run found nothing that waits for it".into()),
    })
    .collect()
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
        for decision in out_of_the_way(&notices, &site, &attempt.planned.procedure, now) {
            self.decide(decision).await?;
        }
        Ok(())
    }
}
