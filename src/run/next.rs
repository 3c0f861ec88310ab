//! What comes next, decided from where the run stands. Pure: a fresh run and a recovered one are
//! the same decisions over the same journal.

use crate::journal::{AttemptState, Purpose, RunState, StepState};
use crate::model::Outcome;
use crate::procedure::{Action, FORMAT, Step};

/// What decides besides the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether a failing group is left out and the rest tried again.
    pub isolate: bool,
    /// The most attempts of one run.
    pub max_attempts: u32,
    /// The most tries to put a snapshot back.
    pub max_restores: u32,
}

impl Policy {
    /// Four restores; one attempt, or eight when culprits are left out.
    pub fn new(isolate: bool) -> Self {
        Self { isolate, max_attempts: if isolate { 8 } else { 1 }, max_restores: 4 }
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Look at the site and make a procedure.
    Plan,
    /// Do this step.
    Do(usize),
    /// Begin to undo, for this reason.
    Unwind(String),
    /// Put the snapshot back; tries are counted from 1.
    Restore(u32),
    /// Check the restored site.
    CheckRestored,
    /// Close with this outcome.
    Close(Outcome),
    /// Nothing: it is over.
    Over,
}

/// Decides.
pub fn next(state: &RunState, policy: Policy) -> Next {
    if state.closed.is_some() {
        return Next::Over;
    }
    let Some(attempt) = state.attempt() else {
        return if state.refused.is_empty() { Next::Plan } else { Next::Close(Outcome::Refused) };
    };
    if !state.refused.is_empty() {
        return release(state, attempt, untouched(state));
    }
    match &attempt.unwind {
        Some(_) => unwinding(state, attempt, policy),
        None => forward(state, attempt),
    }
}

/// The end of an attempt that touched nothing: what an earlier one did is undone already.
fn untouched(state: &RunState) -> Outcome {
    match state.attempts.iter().any(|attempt| attempt.unwind.is_some()) {
        true => Outcome::Restored,
        false => Outcome::Refused,
    }
}

/// Gives the lock back if it may be held, perhaps since an earlier attempt, then closes.
fn release(state: &RunState, attempt: &AttemptState, outcome: Outcome) -> Next {
    let locked = state.attempts.iter().any(AttemptState::locked);
    let steps = &attempt.planned.procedure.steps;
    let unlock = steps.iter().position(|step| matches!(step.action, Action::Unlock));
    match unlock {
        Some(index) if locked && !matches!(attempt.steps[index], StepState::Done(_) | StepState::Failed(_)) => {
            Next::Do(index)
        }
        _ => Next::Close(outcome),
    }
}

fn forward(state: &RunState, attempt: &AttemptState) -> Next {
    let steps = &attempt.planned.procedure.steps;
    let open = attempt.steps.iter().position(|step| !matches!(step, StepState::Done(_)));
    let Some(index) = open else {
        return Next::Close(finished(state, attempt));
    };
    let given_back =
        |(step, state): (&Step, &StepState)| matches!(step.action, Action::Unlock) && *state != StepState::Waiting;
    if steps.iter().zip(&attempt.steps).skip(index + 1).any(given_back) {
        // It was given up before it touched anything.
        return release(state, attempt, untouched(state));
    }
    let step = &steps[index];
    if let StepState::Failed(failure) = &attempt.steps[index] {
        return match &step.action {
            // The work is done and proven; a lock that could not be given back is only noted.
            Action::Unlock => Next::Close(finished(state, attempt)),
            _ if attempt.touched() => Next::Unwind(format!("{}: {}", step.name, failure.why)),
            _ => release(state, attempt, untouched(state)),
        };
    }
    let restore_wanted = matches!(state.opened.as_ref().map(|opened| &opened.purpose), Some(Purpose::Restore { .. }));
    if restore_wanted && matches!(step.action, Action::Unlock) {
        return Next::Unwind("asked for".into());
    }
    let begun = attempt.steps[index] == StepState::Begun;
    let foreign =
        || attempt.planned.procedure.format != FORMAT || attempt.planned.procedure.digest() != attempt.planned.digest;
    match () {
        () if begun && !step.action.repeatable() => {
            Next::Unwind(format!("{}: interrupted, and nobody knows how far it came", step.name))
        }
        () if state.in_doubt && attempt.touched() && foreign() => {
            Next::Unwind("the procedure was made by another version of the program".into())
        }
        () if state.in_doubt && foreign() => release(state, attempt, untouched(state)),
        () => Next::Do(index),
    }
}

fn unwinding(state: &RunState, attempt: &AttemptState, policy: Policy) -> Next {
    let Some(unwind) = &attempt.unwind else {
        return Next::Over;
    };
    if !unwind.restored {
        return match unwind.tries < policy.max_restores {
            true => Next::Restore(unwind.tries + 1),
            false => Next::Close(Outcome::Stuck),
        };
    }
    match unwind.checked {
        None => Next::CheckRestored,
        Some(false) => Next::Close(Outcome::Stuck),
        Some(true) => {
            let attempts = u32::try_from(state.attempts.len()).unwrap_or(u32::MAX);
            let blamed = attempt.failure().is_some_and(|(_, failure)| failure.blamed.is_some());
            match policy.isolate && blamed && attempts < policy.max_attempts {
                true => Next::Plan,
                false => release(state, attempt, Outcome::Restored),
            }
        }
    }
}

fn finished(state: &RunState, attempt: &AttemptState) -> Outcome {
    if !attempt.planned.procedure.changes_site() && state.attempts.len() > 1 {
        // All that could be applied broke the site, and was undone.
        return Outcome::Restored;
    }
    match attempt.planned.procedure.holds.is_empty() {
        true => Outcome::Completed,
        false => Outcome::CompletedWithHolds,
    }
}
