//! A restore that a person asked for: the same loop, the same journal, the same undo.

use super::drive::begin;
use super::{Ended, Job, RunError, Runner, WorkError, in_words};
use crate::journal::{Entry, Event, JournalError, Purpose, RunState};
use crate::ledger::Decision;
use crate::model::{Outcome, RunId, SiteName};
use crate::snapshot::{ItemPath, ObjectKind, ObjectName, Only, SnapshotName};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct RestoreAsked {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// Paths below the root, or `table:name`; empty: everything.
    pub only: Vec<String>,
    /// Whether rows that visitors wrote since are taken off, too.
    pub exact: bool,
    /// The anomaly because of which it is asked for: what came of it is written beside that.
    pub anomaly: Option<u64>,
}

/// Puts a snapshot back and checks the site.
pub async fn restore(runner: &Runner, job: &Job, asked: &RestoreAsked) -> Result<Ended, RunError> {
    only(&asked.only)?;
    let RestoreAsked { snapshot, only, exact, anomaly } = asked.clone();
    let purpose = Purpose::Restore { snapshot: snapshot.to_string(), only, exact, anomaly };
    begin(runner, job, purpose).await
}

/// Writes down beside an anomaly what came of the restore that it led to, whoever brought that to its end: once. What can't
/// be written down changes no outcome.
pub(super) async fn tell_anomaly(runner: &Runner, state: &RunState, run: RunId, outcome: Outcome) {
    let purpose = state.opened.as_ref().map(|opened| &opened.purpose);
    let Some(Purpose::Restore { anomaly: Some(anomaly), .. }) = purpose else { return };
    if let Err(error) = tell_once(runner, *anomaly, run, outcome).await {
        tracing::warn!(error = in_words(&error), "the anomaly does not know of the restore that it led to");
    }
}

async fn tell_once(runner: &Runner, anomaly: u64, run: RunId, outcome: Outcome) -> Result<(), JournalError> {
    if !runner.journal.ledger().await?.knows_of_restore(run) {
        let told = Decision::AnomalyPutBack { anomaly, run, outcome };
        runner.journal.decide(runner.clock.now(), &runner.by, &told).await?;
    }
    Ok(())
}

/// How many earlier runs are looked at.
const MOST_RUNS: u32 = 100;

/// Snapshots of what earlier runs of the site overwrote and did not put in order, oldest first: rows that
/// visitors wrote before may be in them alone.
pub(super) async fn left_by_earlier_runs(
    runner: &Runner,
    site: &SiteName,
    but: RunId,
) -> Result<Vec<String>, WorkError> {
    let mut left = Vec::new();
    for run in runner.journal.runs(Some(site), false, MOST_RUNS).await?.into_iter().filter(|run| run.run != but) {
        match run.outcome {
            // It changed nothing.
            Some(Outcome::Refused) => {}
            Some(Outcome::Stuck) => {
                let state = RunState::fold(&runner.journal.entries(run.run).await?).unwrap_or_default();
                let unwind = state.attempt().and_then(|attempt| attempt.unwind.clone()).unwrap_or_default();
                if unwind.restored {
                    break;
                }
                left.splice(0..0, unwind.overwritten);
            }
            // What was put in order was not the database, or not all of it.
            Some(Outcome::Restored) if limited(&runner.journal.entries(run.run).await?) => {}
            _ => break,
        }
    }
    Ok(left)
}

/// Whether a run was a restore of some paths or tables only.
fn limited(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| match &entry.event {
        Event::Opened(opened) => matches!(&opened.purpose, Purpose::Restore { only, .. } if !only.is_empty()),
        _ => false,
    })
}

/// Reads what a restore is limited to.
pub(super) fn only(texts: &[String]) -> Result<Vec<Only>, WorkError> {
    texts
        .iter()
        .map(|text| match text.strip_prefix("table:") {
            Some(table) => {
                ObjectName::new(ObjectKind::Table, table).map(Only::Object).map_err(|error| error.to_string())
            }
            None => ItemPath::new(text.as_bytes()).map(Only::Path).map_err(|error| error.to_string()),
        })
        .collect::<Result<_, _>>()
        .map_err(|why| WorkError::Unexpected { what: format!("a restore can't be limited so: {why}") })
}
