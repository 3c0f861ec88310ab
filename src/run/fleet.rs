//! What one site's run says to the rest of the fleet: which versions broke it.
//!
//! May use: `journal`, `ledger`, `procedure`, `update`, `model`. Invariants: pure; only what a check of the site caught counts, never
//! a download or a line that failed; what is known already is not said again.

use super::Job;
use crate::check::CheckResult;
use crate::journal::{AttemptState, RunState};
use crate::ledger::{Decision, Immunity, MAX_REASON};
use crate::model::{RunId, clean_line};
use crate::update::{Update, stack};

/// What broke the site in this run and is not known of similar ones.
pub(super) fn broke(state: &RunState, job: &Job, run: RunId, known: &[Immunity]) -> Vec<Decision> {
    let mut all: Vec<Decision> = Vec::new();
    for attempt in state.attempts.iter().filter(|attempt| attempt.undone()) {
        let Some((update, why)) = culprit(attempt).filter(|(update, _)| !is_kept(state, update)) else { continue };
        all.extend(decision(attempt, update, why, job, run).filter(|decision| is_new(decision, known)));
    }
    all
}

/// Whether an attempt of the run has it, and works.
fn is_kept(state: &RunState, update: &Update) -> bool {
    state.attempts.iter().filter(|attempt| attempt.kept()).any(|attempt| {
        attempt.planned.procedure.updates.iter().any(|kept| kept.component == update.component && kept.to == update.to)
    })
}

/// The update that a check caught, where nothing else can have been it: it was alone in its group, or alone at all.
fn culprit(attempt: &AttemptState) -> Option<(&Update, &str)> {
    let procedure = &attempt.planned.procedure;
    let (step, failure) = attempt.failure().filter(|(_, failure)| failure.results.iter().any(CheckResult::failed))?;
    let groups = procedure.groups();
    let suspects = match procedure.steps.get(step)?.action.group() {
        Some(group) => groups.get(group)?.clone(),
        None if procedure.has_languages() => return None,
        None => groups.concat(),
    };
    let [only] = suspects.as_slice() else { return None };
    let update = procedure.updates.iter().find(|update| update.component == *only)?;
    Some((update, &failure.why))
}

fn decision(attempt: &AttemptState, update: &Update, why: &str, job: &Job, run: RunId) -> Option<Decision> {
    let inventory = attempt.planned.inventory.as_ref()?;
    let updates = &attempt.planned.procedure.updates;
    let core = updates.iter().find(|update| update.component.kind.is_core()).map(|update| &update.to);
    let core = core.unwrap_or(&inventory.core.version);
    Some(Decision::Broke {
        site: job.plan.site.clone(),
        run,
        component: update.component.clone(),
        version: update.to.clone(),
        stack: stack(&job.plan, &job.playbook.versions, inventory, core),
        why: clean_line(why, MAX_REASON),
    })
}

fn is_new(decision: &Decision, known: &[Immunity]) -> bool {
    let Decision::Broke { component, version, stack, .. } = decision else { return false };
    !known.iter().any(|one| one.component == *component && one.version == *version && stack.is_like(&one.stack))
}
