//! Rules about runs: whether they took place, and whether somebody saw to those that did not end well.

use super::Case;
use super::fleet::last_run;
use crate::audit::finding::{Evidence, Found, count, text, told};
use crate::audit::{Job, Ran, Value};
use crate::model::Outcome;
use crate::update::past_windows;
use jiff::{SignedDuration, Timestamp};

/// How far back windows are looked at, in days.
const WINDOW_DAYS: u16 = 35;
/// A run that is open for longer was interrupted.
const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(24);
/// How many reasons of a refusal are shown.
const MOST_REASONS: usize = 3;

/// The last window is over, and no run has begun since it opened.
pub(super) fn window_missed(case: &Case<'_>) -> Vec<Found> {
    let Some(since) = case.since().filter(|_| case.known.was_seen()) else { return Vec::new() };
    let mut windows = past_windows(case.plan, case.now(), WINDOW_DAYS);
    windows.retain(|(opens, _)| *opens >= since && is_covered(case, *opens));
    let worked = case.known.runs.iter().find(|ran| ran.worked());
    let missed = |(opens, _): &&(Timestamp, Timestamp)| worked.is_none_or(|ran| ran.opened < *opens);
    let missed = windows.iter().rev().take_while(missed).count();
    let Some((opens, _)) = windows.last().filter(|_| missed > 0) else { return Vec::new() };
    let mut evidence = vec![told("audit-window", [("at", Value::Moment(*opens)), ("count", count(missed))])];
    evidence.push(worked.map_or_else(|| told("audit-no-run", []), last_run));
    let refused = case.known.runs.iter().find(|ran| ran.outcome == Some(Outcome::Refused) && ran.opened >= *opens);
    evidence.extend(refused.into_iter().flat_map(reasons));
    vec![Found::site(evidence)]
}

/// Whether the contract asked for a run then.
fn is_covered(case: &Case<'_>, at: Timestamp) -> bool {
    case.plan.contract.as_ref().is_none_or(|contract| contract.covers(case.plan.day(at)))
}

fn reasons(ran: &Ran) -> Vec<Evidence> {
    ran.refused.iter().take(MOST_REASONS).map(|why| told("audit-refused", [("why", text(why))])).collect()
}

/// The last run that began, whatever it was for.
fn last<'a>(case: &'a Case<'_>) -> Option<&'a Ran> {
    case.known.runs.iter().find(|ran| ran.outcome != Some(Outcome::Refused))
}

fn ended(case: &Case<'_>, outcome: Outcome, job: Option<Job>) -> Vec<Found> {
    let ran = last(case).filter(|ran| ran.outcome == Some(outcome) && (job.is_none() || ran.job == job));
    ran.map(|ran| Found::site(vec![last_run(ran)])).into_iter().collect()
}

/// The site could not be put back, and nothing was done since.
pub(super) fn run_stuck(case: &Case<'_>) -> Vec<Found> {
    ended(case, Outcome::Stuck, None)
}

/// An update was undone, and nothing was done since.
pub(super) fn run_restored(case: &Case<'_>) -> Vec<Found> {
    ended(case, Outcome::Restored, Some(Job::Update))
}

/// A run that was interrupted, and that nobody finished.
pub(super) fn run_open(case: &Case<'_>) -> Vec<Found> {
    let open = case.known.runs.iter().filter(|ran| ran.outcome.is_none());
    let long = |ran: &&Ran| case.now().duration_since(ran.opened) > LONGEST_RUN;
    open.filter(long).take(1).map(|ran| Found::site(vec![last_run(ran)])).collect()
}
