//! What has to be true of every case, whatever went wrong in it.

use super::case::{Case, Visitors};
use super::runner::Run;
use super::shape::{ASKED, Shape, Wanted};
use super::world::{Holder, MAINTENANCE, Rows, World};
use intendant::journal::{AttemptState, Unwind};
use intendant::model::Outcome;
use intendant::procedure::{Action, Procedure};
use intendant::run::Policy;
use intendant::update::Update;
use std::collections::BTreeMap;

/// Runs a case and judges it.
pub(crate) fn judged(case: &Case) -> Result<Outcome, String> {
    let mut run = Run::new(case.clone());
    let outcome = run.ended()?;
    let verdict = match outcome {
        Outcome::Completed | Outcome::CompletedWithHolds => updated(&run, outcome),
        Outcome::Restored => restored(&run),
        Outcome::Refused => refused(&run),
        Outcome::Stuck => return stuck(run).map(|()| outcome),
    };
    verdict.and_then(|()| rows(&run)).and_then(|()| lock(&run)).map_err(|why| format!("{outcome}: {why}"))?;
    Ok(outcome)
}

fn must(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// The parts of the site are these, and nobody is asked to wait.
fn parts_are(run: &Run, wanted: &BTreeMap<String, String>) -> Result<(), String> {
    let is = &run.world.site.parts;
    must(is == wanted, || format!("the site is {is:?} and should be {wanted:?}"))
}

/// Every update of the procedure is there, and nothing else has moved.
fn updated(run: &Run, outcome: Outcome) -> Result<(), String> {
    must(run.case.shape.wanted == Wanted::Update, || "a restore that completed".into())?;
    let mut wanted = run.case.shape.before();
    let offered = run.case.shape.procedure();
    for attempt in run.state.attempts.iter().filter(|attempt| attempt.kept()) {
        add(&mut wanted, &attempt.planned.procedure);
    }
    parts_are(run, &wanted)?;
    let waits = |update: &Update| wanted[&update.component.to_string()] != update.to.as_str();
    let left_out = !offered.holds.is_empty() || offered.updates.iter().any(waits);
    must((outcome == Outcome::CompletedWithHolds) == left_out, || format!("what was left out: {wanted:?}"))?;
    must(run.state.attempts.len() == 1 || run.case.isolate, || "tried again without being told to".into())
}

/// What a procedure makes of a site.
fn add(parts: &mut BTreeMap<String, String>, procedure: &Procedure) {
    for update in &procedure.updates {
        parts.insert(update.component.to_string(), update.to.to_string());
    }
    for step in &procedure.steps {
        match step.action {
            Action::Migrate { .. } => drop(parts.insert("database".into(), parts["core:core"].clone())),
            Action::Languages { .. } => drop(parts.insert("languages".into(), "new".into())),
            Action::Flush { .. } => drop(parts.insert("cache".into(), "empty".into())),
            _ => {}
        }
    }
}

fn restored(run: &Run) -> Result<(), String> {
    let mut wanted = run.case.shape.before();
    let asked = &run.store[ASKED].parts;
    match run.case.shape.wanted {
        Wanted::Update => {}
        Wanted::Restore | Wanted::RestoreExactly => wanted.clone_from(asked),
        Wanted::RestorePart => drop(wanted.insert("plugin:a".into(), asked["plugin:a"].clone())),
    }
    must(run.state.attempts.iter().any(|attempt| attempt.unwind.is_some()), || "nothing was restored".into())?;
    parts_are(run, &wanted)
}

fn refused(run: &Run) -> Result<(), String> {
    must(!run.state.attempts.iter().any(AttemptState::touched), || "the site was touched".into())?;
    must(run.state.attempts.iter().all(|attempt| attempt.unwind.is_none()), || "the site was restored".into())?;
    parts_are(run, &run.case.shape.before())
}

/// What visitors were told was accepted is there, unless a person asked for the exact old state, or restores failed
/// so often that the rows stayed in the evidence.
fn rows(run: &Run) -> Result<(), String> {
    let lost: Rows = run.world.accepted.difference(&run.world.site.rows).copied().collect();
    if lost.is_empty() {
        return Ok(());
    }
    let shown = || format!("rows {lost:?} of {} are not on the site", run.world.accepted.len());
    match run.case.shape.wanted {
        Wanted::RestoreExactly => must(lost.is_subset(&kept(run)), shown),
        _ => must(run.rows_given_up && lost.is_subset(&run.evidence), shown),
    }
}

/// All rows that are in a snapshot which the journal names, in the evidence, or on the site.
fn kept(run: &Run) -> Rows {
    let unwinds = run.state.attempts.iter().filter_map(|attempt| attempt.unwind.as_ref());
    let named = unwinds.flat_map(|unwind| &unwind.overwritten).map(|name| &run.store[name].rows);
    let left = run.left.iter().map(|name| &run.store[name].rows);
    named.chain(left).chain([&run.world.site.rows, &run.evidence]).flatten().copied().collect()
}

fn lock(run: &Run) -> Result<(), String> {
    match run.world.lock {
        None => must(!run.case.taken, || "another's lock was taken away".into()),
        Some(Holder::Another) => Ok(()),
        Some(Holder::Us) => must(run.lock_may_stay(), || "the lock stays".into()),
    }
}

/// It had reasons to get stuck, and what its text asks a person to do brings the site back.
fn stuck(run: Run) -> Result<(), String> {
    let unwind =
        run.state.attempt().and_then(|attempt| attempt.unwind.clone()).ok_or("stuck, and nothing was undone")?;
    let lost: Rows = run.world.accepted.difference(&kept(&run)).copied().collect();
    must(lost.is_empty(), || format!("stuck: rows {lost:?} are nowhere"))?;
    must(!unwind.why.is_empty(), || "stuck, and nobody knows why".into())?;
    let (name, ..) = run.target().ok_or("stuck, and there is no snapshot to name")?;
    match unwind.checked {
        Some(false) => {
            must(run.case.unhealthy > 0, || "stuck after good checks".into())?;
            restored(&run)
        }
        _ => {
            let tries = Policy::new(run.case.isolate).max_restores;
            must(unwind.tries >= tries, || format!("stuck after {} restores", unwind.tries))?;
            by_hand(run, &name, &unwind)
        }
    }
}

/// `intendant restore` of the snapshot that the text names, when the cause is mended.
fn by_hand(stuck: Run, name: &str, unwind: &Unwind) -> Result<(), String> {
    let wanted = if stuck.case.shape.wanted == Wanted::Update { Wanted::Restore } else { stuck.case.shape.wanted };
    let shape = Shape { wanted, ..stuck.case.shape };
    let case = Case { visitors: Visitors::Many, isolate: stuck.case.isolate, ..Case::plain(shape) };
    let Run { mut store, mut world, .. } = stuck;
    world.site_of_a_stuck_run();
    let before = store[name].clone();
    store.insert(ASKED.into(), before.clone());
    let parts = world.site.parts.clone();
    let mut run = Run::over(case, world, store, unwind.overwritten.clone());
    let outcome = run.ended()?;
    must(outcome == Outcome::Restored, || format!("stuck, and the restore by hand ended as {outcome}"))?;
    let mut goal = before.parts;
    if wanted == Wanted::RestorePart {
        goal = BTreeMap::from_iter(parts.into_iter().filter(|(part, _)| part != MAINTENANCE));
        goal.insert("plugin:a".into(), run.store[ASKED].parts["plugin:a"].clone());
    }
    parts_are(&run, &goal).and_then(|()| rows(&run)).and_then(|()| lock(&run)).map_err(|why| format!("by hand: {why}"))
}

impl World {
    /// A lock of a run that is over is taken over by the next one.
    fn site_of_a_stuck_run(&mut self) {
        if self.lock == Some(Holder::Us) {
            self.lock = None;
        }
    }
}
