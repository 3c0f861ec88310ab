//! Fold: from a run's entries to where it stands. Strict: an event that can't come next is an
//! error.

use super::Entry;
use super::event::{Event, Opened, Planned, StepFailure, StepResult};
use crate::check::Baseline;
use crate::model::Outcome;
use crate::procedure::{Action, SnapshotMoment, Step};
use crate::snapshot::Rows;
use crate::update::Refusal;
use jiff::Timestamp;

/// An event that can't follow those before it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("entry {sequence} of the journal ({event}) can't come there: {why}")]
pub struct Illegal {
    /// The entry.
    pub sequence: u64,
    /// Its event's name.
    pub event: String,
    /// Why not.
    pub why: &'static str,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq)]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Begun; whether it was done is not known.
    Begun,
    /// Done.
    Done(Box<StepResult>),
    /// Failed.
    Failed(Box<StepFailure>),
}

/// Where an unwinding stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unwind {
    /// Why.
    pub why: String,
    /// Restores that were begun.
    pub tries: u32,
    /// Why the last one failed.
    pub last_failure: Option<String>,
    /// Snapshots of what its tries overwrote, oldest first. Rows that visitors wrote may be in the first alone.
    pub overwritten: Vec<String>,
    /// Those rows, as far as they are known.
    pub rows: Option<Rows>,
    /// Whether the last try had begun to overwrite.
    pub overwriting: bool,
    /// How many tries failed after they had begun to overwrite. One that was interrupted did not fail.
    pub failures: u32,
    /// Whether the site is what the snapshot says.
    pub restored: bool,
    /// Whether something differs from it still, because it could not be set.
    pub left: bool,
    /// Whether it was checked afterwards, and was good.
    pub checked: Option<bool>,
}

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptState {
    /// What it set out to do.
    pub planned: Planned,
    /// Step by step.
    pub steps: Vec<StepState>,
    /// Its undoing, if it came to that.
    pub unwind: Option<Unwind>,
    /// What the host did by itself, if it did: then the attempt is over.
    pub healed: Option<String>,
    /// Snapshots of what the host overwrote then.
    pub overwritten_by_host: Vec<String>,
    /// When it was planned.
    pub planned_at: Timestamp,
}

impl AttemptState {
    /// What the site looked like before.
    pub fn baseline(&self) -> Option<&Baseline> {
        self.steps.iter().find_map(|step| match step {
            StepState::Done(result) => match result.as_ref() {
                StepResult::Baseline { baseline, .. } => Some(baseline),
                _ => None,
            },
            _ => None,
        })
    }

    /// The snapshot that was taken before.
    pub fn snapshot(&self, wanted: SnapshotMoment) -> Option<&super::SnapshotRecord> {
        let steps = self.planned.procedure.steps.iter().zip(&self.steps);
        steps.into_iter().find_map(|(step, state)| match (&step.action, state) {
            (Action::Snapshot { moment }, StepState::Done(result)) if *moment == wanted => match result.as_ref() {
                StepResult::Snapshot { snapshot } => Some(snapshot),
                _ => None,
            },
            _ => None,
        })
    }

    /// Whether what it did stays: all of it is done, but for a lock that may not have been given back.
    pub fn kept(&self) -> bool {
        let steps = self.planned.procedure.steps.iter().zip(&self.steps);
        let done = |(step, state): (&Step, &StepState)| {
            matches!(state, StepState::Done(_))
                || matches!((&step.action, state), (Action::Unlock, StepState::Failed(_)))
        };
        self.unwind.is_none() && self.healed.is_none() && steps.into_iter().all(done)
    }

    /// Whether it was undone, and the site was as good as before then.
    pub fn undone(&self) -> bool {
        self.unwind.as_ref().and_then(|unwind| unwind.checked) == Some(true)
    }

    /// Whether anything that changes the site was begun.
    pub fn touched(&self) -> bool {
        let steps = self.planned.procedure.steps.iter().zip(&self.steps);
        steps.into_iter().any(|(step, state)| step.action.changes_site() && *state != StepState::Waiting)
    }

    /// Whether the lock may be held.
    pub fn locked(&self) -> bool {
        let steps = self.planned.procedure.steps.iter().zip(&self.steps);
        let mut locked = false;
        for (step, state) in steps {
            match (&step.action, state) {
                (Action::Lock, StepState::Begun | StepState::Done(_)) => locked = true,
                (Action::Unlock, StepState::Done(_)) => locked = false,
                _ => {}
            }
        }
        locked
    }

    /// Whether the lock was taken and not given back: it is not only in doubt.
    pub fn has_locked(&self) -> bool {
        let steps = self.planned.procedure.steps.iter().zip(&self.steps);
        let taken =
            |(step, state): (&Step, &StepState)| matches!((&step.action, state), (Action::Lock, StepState::Done(_)));
        self.locked() && steps.into_iter().any(taken)
    }

    /// The step that failed, with the reason.
    pub fn failure(&self) -> Option<(usize, &StepFailure)> {
        self.steps.iter().enumerate().find_map(|(index, step)| match step {
            StepState::Failed(failure) => Some((index, failure.as_ref())),
            _ => None,
        })
    }
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunState {
    /// The first entry.
    pub opened: Option<Opened>,
    /// Why it could not begin.
    pub refused: Vec<Refusal>,
    /// Its attempts; the last one is the present one.
    pub attempts: Vec<AttemptState>,
    /// Whether a runner took over since the last step was begun.
    pub in_doubt: bool,
    /// The end.
    pub closed: Option<(Outcome, String)>,
    /// The number of entries.
    pub entries: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the last entry was written.
    pub at: Timestamp,
}

impl RunState {
    /// Folds a whole journal.
    pub fn fold(entries: &[Entry]) -> Result<Self, Illegal> {
        let mut state = Self::default();
        for entry in entries {
            state.apply(entry)?;
        }
        Ok(state)
    }

    /// The present attempt.
    pub fn attempt(&self) -> Option<&AttemptState> {
        self.attempts.last()
    }

    /// Adds one entry.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Illegal> {
        let illegal = |why| Illegal { sequence: entry.sequence, event: name(&entry.event), why };
        if entry.sequence != self.entries + 1 {
            return Err(illegal("its number is not the next one"));
        }
        self.follow(entry).map_err(illegal)?;
        self.entries = entry.sequence;
        self.at = entry.at;
        Ok(())
    }

    fn follow(&mut self, entry: &Entry) -> Result<(), &'static str> {
        let event = &entry.event;
        if self.closed.is_some() {
            return Err("the run is over");
        }
        if self.opened.is_none() != matches!(event, Event::Opened(_)) {
            return Err("a run is opened once, first");
        }
        match event {
            Event::Opened(opened) => {
                self.opened = Some(opened.as_ref().clone());
                self.opened_at = entry.at;
            }
            Event::Planned(planned) => self.plan(planned, entry.at)?,
            Event::Refused { reasons } => {
                if self.attempts.iter().any(|attempt| attempt.touched() && attempt.unwind.is_none() && !attempt.kept())
                {
                    return Err("the site was touched");
                }
                self.refused.extend(reasons.iter().cloned());
            }
            Event::StepBegun { step } => {
                self.in_doubt = false;
                self.step(*step, |state| match state {
                    StepState::Waiting | StepState::Begun => Ok(StepState::Begun),
                    _ => Err("the step is over"),
                })?;
            }
            Event::StepDone { step, result } => self.step(*step, |state| match state {
                StepState::Begun => Ok(StepState::Done(result.clone())),
                _ => Err("the step was not begun"),
            })?,
            Event::StepFailed { step, failure } => self.step(*step, |state| match state {
                StepState::Begun => Ok(StepState::Failed(failure.clone())),
                _ => Err("the step was not begun"),
            })?,
            Event::Recovered { .. } => self.in_doubt = true,
            Event::Noted { .. } | Event::Noticed { .. } => {}
            Event::Healed { overwritten, .. } => self.healed(event, overwritten.clone())?,
            Event::Closed { outcome, summary, .. } => self.closed = Some((*outcome, summary.clone())),
            unwinding => self.unwind(unwinding)?,
        }
        Ok(())
    }

    fn plan(&mut self, planned: &Planned, planned_at: Timestamp) -> Result<(), &'static str> {
        let number = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        if planned.attempt != number {
            return Err("its number is not the next one");
        }
        if self.attempts.last().is_some_and(|last| !last.undone() && !last.kept()) {
            return Err("the attempt before it was neither finished nor undone");
        }
        let steps = vec![StepState::Waiting; planned.procedure.steps.len()];
        self.attempts.push(AttemptState {
            planned: planned.clone(),
            steps,
            unwind: None,
            healed: None,
            overwritten_by_host: Vec::new(),
            planned_at,
        });
        Ok(())
    }

    fn step(
        &mut self,
        index: usize,
        next: impl FnOnce(&StepState) -> Result<StepState, &'static str>,
    ) -> Result<(), &'static str> {
        let attempt = self.attempts.last_mut().ok_or("there is no procedure yet")?;
        let unlock =
            matches!(attempt.planned.procedure.steps.get(index).map(|step| &step.action), Some(Action::Unlock));
        if attempt.unwind.is_some() && !unlock {
            return Err("the attempt is being undone");
        }
        if !unlock && attempt.steps.iter().take(index).any(|step| !matches!(step, StepState::Done(_))) {
            return Err("an earlier step is not done");
        }
        let state = attempt.steps.get_mut(index).ok_or("there is no such step")?;
        *state = next(state)?;
        Ok(())
    }

    /// What was restored before is to be restored again: rows that were put back then are in what was overwritten.
    fn healed(&mut self, event: &Event, overwritten: Option<String>) -> Result<(), &'static str> {
        let attempt = self.attempts.last_mut().ok_or("there is no procedure yet")?;
        attempt.healed = event.healed();
        match &mut attempt.unwind {
            Some(unwind) => {
                unwind.overwritten.extend(overwritten);
                unwind.restored = false;
                unwind.checked = None;
            }
            None => attempt.overwritten_by_host.extend(overwritten),
        }
        Ok(())
    }

    fn unwind(&mut self, event: &Event) -> Result<(), &'static str> {
        let attempt = self.attempts.last_mut().ok_or("there is no procedure yet")?;
        if let Event::UnwindBegun { why } = event {
            if attempt.unwind.is_some() {
                return Err("it was begun already");
            }
            let overwritten = std::mem::take(&mut attempt.overwritten_by_host);
            attempt.unwind = Some(Unwind { why: why.clone(), overwritten, ..Unwind::default() });
            return Ok(());
        }
        let unwind = attempt.unwind.as_mut().ok_or("nothing is being undone")?;
        match event {
            Event::RestoreBegun { attempt, .. } => {
                unwind.tries = *attempt;
                unwind.restored = false;
                unwind.overwriting = false;
            }
            Event::RestorePrepared { overwrites, rows } => {
                if unwind.tries == 0 || unwind.restored {
                    return Err("no restore was begun");
                }
                unwind.overwriting = true;
                unwind.overwritten.push(overwrites.clone());
                unwind.rows = rows.as_deref().cloned().or(unwind.rows.take());
            }
            Event::RestoreDone { rows, left, .. } => {
                unwind.restored = true;
                unwind.left = !left.is_empty();
                unwind.rows = rows.as_deref().cloned();
            }
            Event::RestoreFailed { why } => {
                unwind.last_failure = Some(why.clone());
                unwind.failures = unwind.failures.saturating_add(u32::from(unwind.overwriting));
            }
            Event::UnwindChecked { good, .. } => {
                if !unwind.restored {
                    return Err("the site was not restored");
                }
                unwind.checked = Some(*good);
            }
            _ => return Err("this event has no place in an unwinding"),
        }
        Ok(())
    }
}

fn name(event: &Event) -> String {
    let value = serde_json::to_value(event).ok();
    let name = value.as_ref().and_then(|value| value["event"].as_str().map(str::to_owned));
    name.unwrap_or_else(|| "event".into())
}
