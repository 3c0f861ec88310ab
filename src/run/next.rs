//! What comes next, decided from where the run stands. Pure: a fresh run and a recovered one are
//! the same decisions over the same journal.

use super::search::Search;
use crate::check::CheckResult;
use crate::journal::{AttemptState, Purpose, RunState, StepState};
use crate::model::Outcome;
use crate::procedure::{Action, FORMAT, Step};
use jiff::Timestamp;

/// What decides besides the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether a failing group is left out and the rest tried again.
    pub isolate: bool,
    /// The most attempts of one run.
    pub max_attempts: u32,
    /// The most tries to put a snapshot back.
    pub max_restores: u32,
    /// When no attempt may be under way any more: the end of the window, or soon where the run began outside of one.
    pub until: Option<Timestamp>,
}

impl Policy {
    /// Four restores; one attempt, or twelve when culprits are left out.
    pub fn new(isolate: bool) -> Self {
        Self { isolate, max_attempts: if isolate { 12 } else { 1 }, max_restores: 4, until: None }
    }

    /// Whether there is another attempt: the search has something left to try, and another attempt as long as the last
    /// one ends within the window.
    fn tries_again(self, state: &RunState) -> bool {
        let attempts = u32::try_from(state.attempts.len()).unwrap_or(u32::MAX);
        let began = state.attempt().map_or(state.at, |attempt| attempt.planned_at);
        let ends = state.at.checked_add(began.duration_until(state.at)).unwrap_or(Timestamp::MAX);
        self.isolate
            && attempts < self.max_attempts
            && self.until.is_none_or(|until| ends <= until)
            && Search::of(&state.attempts).goes_on()
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
        None => forward(state, attempt, policy),
    }
}

/// The end of a run whose present attempt left nothing: what earlier ones did is kept, or undone already.
fn untouched(state: &RunState) -> Outcome {
    match () {
        () if keeps_something(state) => Outcome::CompletedWithHolds,
        () if state.attempts.iter().any(|attempt| attempt.unwind.is_some()) => Outcome::Restored,
        () => Outcome::Refused,
    }
}

/// Whether an attempt changed the site, and its changes stay.
fn keeps_something(state: &RunState) -> bool {
    state.attempts.iter().any(|attempt| attempt.kept() && attempt.planned.procedure.changes_site())
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

fn forward(state: &RunState, attempt: &AttemptState, policy: Policy) -> Next {
    if let Some(healed) = &attempt.healed {
        return Next::Unwind(healed.clone());
    }
    let steps = &attempt.planned.procedure.steps;
    let open = attempt.steps.iter().position(|step| !matches!(step, StepState::Done(_)));
    let Some(index) = open else {
        return match policy.tries_again(state) {
            true => Next::Plan,
            false => Next::Close(finished(state, attempt)),
        };
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
            // What an earlier attempt did passed its checks then, and is not this one's to undo.
            Action::Baseline { .. } if keeps_something(state) && failure.results.iter().any(CheckResult::failed) => {
                Next::Close(Outcome::Stuck)
            }
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
        Some(true) if policy.tries_again(state) => Next::Plan,
        Some(true) => release(state, attempt, untouched(state)),
    }
}

fn finished(state: &RunState, attempt: &AttemptState) -> Outcome {
    if state.attempts.len() > 1 && !keeps_something(state) {
        // All that could be applied broke the site, and was undone.
        return Outcome::Restored;
    }
    match attempt.planned.procedure.holds.is_empty() {
        true => Outcome::Completed,
        false => Outcome::CompletedWithHolds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Entry, Event, Opened, PlanExtract, Planned, SnapshotRecord, StepResult};
    use crate::model::{Digest, SiteName};
    use crate::procedure::{Procedure, SnapshotMoment, Step};

    fn opened() -> Event {
        let plan = PlanExtract {
            digest: Digest::of(b""),
            client: "Shop".into(),
            language: "en".into(),
            tier: "base".into(),
            cap: None,
            url: "https://shop.example/".into(),
            zone: "UTC".into(),
        };
        let site = SiteName::new("shop").unwrap();
        Event::Opened(Box::new(Opened {
            site,
            purpose: Purpose::Update,
            any_time: false,
            by: "a".into(),
            program: "1".into(),
            plan,
            accept_modified: Vec::new(),
        }))
    }

    fn planned() -> Event {
        let actions = [
            Action::Lock,
            Action::Snapshot { moment: SnapshotMoment::Before },
            Action::Arm { after_s: 60, flush: Vec::new(), restart: Vec::new() },
            Action::Unlock,
        ];
        let steps = actions.into_iter().map(|action| Step { name: "step".into(), action }).collect();
        let procedure = Procedure {
            format: FORMAT,
            site: SiteName::new("shop").unwrap(),
            cms: "nanocms".into(),
            playbook: Digest::of(b""),
            updates: Vec::new(),
            holds: Vec::new(),
            checks: Vec::new(),
            maintenance_files: Vec::new(),
            waiting: None,
            steps,
        };
        let digest = procedure.digest();
        Event::Planned(Box::new(Planned { attempt: 1, inventory: None, drift: None, procedure, digest }))
    }

    fn healed(overwritten: &str) -> Event {
        let at = "2026-11-22T02:00:00Z".parse().unwrap();
        Event::Healed { at, whole: true, failed: Vec::new(), overwritten: Some(overwritten.into()), files: None }
    }

    #[test]
    fn what_the_host_put_back_is_restored_with_all_that_it_overwrote() {
        let mut state = RunState::default();
        let write = |state: &mut RunState, event: Event| {
            let at = "2026-11-22T02:00:00Z".parse().unwrap();
            state.apply(&Entry { sequence: state.entries + 1, at, event }).unwrap();
            next(state, Policy::new(false))
        };
        let snapshot = SnapshotRecord {
            name: "before".into(),
            id: Digest::of(b""),
            files: 1,
            bytes: 1,
            objects: 1,
            stored_bytes: 1,
            changed: Vec::new(),
            changed_count: 0,
        };
        write(&mut state, opened());
        write(&mut state, planned());
        for (step, result) in [(0, StepResult::Done), (1, StepResult::Snapshot { snapshot })] {
            write(&mut state, Event::StepBegun { step });
            write(&mut state, Event::StepDone { step, result: Box::new(result) });
        }
        write(&mut state, Event::StepBegun { step: 2 });
        // The runner died while it armed; nothing of the site was touched, and the host acted nevertheless.
        let recovered = || Event::Recovered { by: "b".into(), program: "1".into() };
        assert_eq!(write(&mut state, recovered()), Next::Do(2));
        let Next::Unwind(why) = write(&mut state, healed("first")) else { panic!("it is to be undone") };
        assert!(why.contains("by itself at 2026-11-22T02:00:00Z"), "{why}");
        assert_eq!(write(&mut state, Event::UnwindBegun { why }), Next::Restore(1));
        write(&mut state, Event::RestoreBegun { snapshot: "before".into(), attempt: 1 });
        write(&mut state, Event::RestorePrepared { overwrites: "second".into(), rows: None });
        let done = Event::RestoreDone {
            overwritten: "second".into(),
            undone: Vec::new(),
            undone_count: 0,
            suspects_changed: Vec::new(),
            bytes_sent: 0,
            left: Vec::new(),
            rows: None,
        };
        assert_eq!(write(&mut state, done), Next::CheckRestored);
        // It died again, and so did the rows that it had put back.
        write(&mut state, recovered());
        assert_eq!(write(&mut state, healed("third")), Next::Restore(2));
        let unwind = state.attempt().and_then(|attempt| attempt.unwind.clone()).unwrap();
        assert_eq!(unwind.overwritten, ["first", "second", "third"]);
    }
}
