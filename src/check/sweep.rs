//! Runs many checks: patience first, then the verdict, then a bounded number of further tries.
//!
//! May use: `remote`, and everything of this module. Invariants: error logs are read after the
//! pages and commands that may write to them; the first page of a round comes alone; a sweep ends
//! within its patience plus one round.

use super::error::CheckError;
use super::host;
use super::judge::judge;
use super::observe::{Baseline, LogState, Observation};
use super::prober::Prober;
use super::spec::{Check, CheckKind, HttpCheck};
use super::verdict::{CheckResult, Reason};
use crate::remote::{RemoteError, Shell};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

/// How many of the checks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// Those that are marked quick: after every group.
    Quick,
    /// All of them.
    Full,
}

/// How long to wait and to try again; part of a procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Patience {
    /// How long to wait before the first try, in milliseconds: as long as an opcode cache may
    /// serve what is no longer on disk.
    pub settle_ms: u64,
    /// For how long failing checks are tried again after that, in milliseconds.
    pub retry_for_ms: u64,
    /// The pause between two tries, in milliseconds.
    pub retry_every_ms: u64,
}

impl Patience {
    /// After a change: waits for an opcode cache, then tries again for twelve seconds.
    pub fn after_change(settle: Duration) -> Self {
        Self {
            settle_ms: u64::try_from(settle.as_millis()).unwrap_or(u64::MAX),
            retry_for_ms: 12_000,
            retry_every_ms: 2_000,
        }
    }

    /// Before a run: begins at once, tries again for six seconds.
    pub fn before_run() -> Self {
        Self { settle_ms: 0, retry_for_ms: 6_000, retry_every_ms: 1_500 }
    }

    /// One try, at once.
    pub fn none() -> Self {
        Self { settle_ms: 0, retry_for_ms: 0, retry_every_ms: 0 }
    }
}

/// What checks are run with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Asks for pages.
    pub prober: &'a Prober,
    /// Runs commands and reads logs.
    pub shell: &'a dyn Shell,
}

/// Runs every check by itself, trying again for a short time, and keeps what it saw. A result
/// that failed means: the site fails its own checks before the run.
///
/// # Errors
/// [`CheckError::Host`] when the connection to the host broke.
pub async fn take_baseline(
    checks: &[Check],
    patience: Patience,
    means: Means<'_>,
) -> Result<(Baseline, Vec<CheckResult>), CheckError> {
    let checks: Vec<&Check> = checks.iter().collect();
    let results = sweep(&checks, &Baseline::default(), patience, means).await?;
    let seen = results.iter().map(|result| (result.check.id.clone(), result.observation.clone()));
    let mut baseline = Baseline::default();
    baseline.absorb(seen);
    Ok((baseline, results))
}

/// Waits, runs the checks of this depth against the baseline, and tries failing ones again until
/// they pass or the time is over. Results are in the order of `checks`.
///
/// # Errors
/// [`CheckError::Host`] when the connection to the host broke.
pub async fn run_checks(
    checks: &[Check],
    depth: Depth,
    baseline: &Baseline,
    patience: Patience,
    means: Means<'_>,
) -> Result<Vec<CheckResult>, CheckError> {
    let chosen = |check: &&Check| check.quick || depth == Depth::Full;
    let checks: Vec<&Check> = checks.iter().filter(chosen).collect();
    sweep(&checks, baseline, patience, means).await
}

/// Where the error logs end now, to be absorbed into the baseline: what a half-copied tree wrote
/// while files were being replaced says nothing about the site after it.
///
/// # Errors
/// [`CheckError::Host`] when the connection to the host broke.
pub async fn mark_logs(
    checks: &[Check],
    baseline: &Baseline,
    shell: &dyn Shell,
) -> Result<Vec<(String, Observation)>, CheckError> {
    let mut marks = Vec::new();
    for check in checks {
        let CheckKind::Log(log) = &check.kind else {
            continue;
        };
        let now = host::read_log(log, None, shell).await.map_err(|source| lost(check, shell, source))?;
        // Only the place moves: an error that is new since the baseline stays new.
        let fatal = match baseline.get(&check.id) {
            Some(Observation::Log(before)) => before.fatal.clone(),
            _ => Vec::new(),
        };
        marks.push((check.id.clone(), Observation::Log(LogState { fatal, ..now })));
    }
    Ok(marks)
}

async fn sweep(
    checks: &[&Check],
    baseline: &Baseline,
    patience: Patience,
    means: Means<'_>,
) -> Result<Vec<CheckResult>, CheckError> {
    tokio::time::sleep(Duration::from_millis(patience.settle_ms)).await;
    let until = Instant::now() + Duration::from_millis(patience.retry_for_ms);
    let pause = Duration::from_millis(patience.retry_every_ms);
    let mut results = round(checks, baseline, means, 1).await?;
    let mut attempt = 1;
    while can_heal(&results) && Instant::now() + pause < until {
        tokio::time::sleep(pause).await;
        attempt += 1;
        let again: Vec<&Check> = checks
            .iter()
            .zip(&results)
            .filter(|(check, result)| result.failed() || matches!(check.kind, CheckKind::Log(_)))
            .map(|(check, _)| *check)
            .collect();
        for newer in round(&again, baseline, means, attempt).await? {
            let place = results.iter_mut().find(|result| result.check.id == newer.check.id);
            if let Some(place) = place {
                *place = newer;
            }
        }
    }
    Ok(results)
}

/// Whether another try can change the verdict: something failed, and no log has a new fatal
/// error, which no try takes away.
fn can_heal(results: &[CheckResult]) -> bool {
    let mut reasons = results.iter().flat_map(CheckResult::reasons).peekable();
    reasons.peek().is_some() && !reasons.any(|reason| matches!(reason, Reason::FatalLogged { .. }))
}

/// One try of each check: pages, then commands, then logs. One page comes by itself, before the others come side by side: the
/// first load after an update is what makes many an extension change its tables, and two loads at once would both do it.
async fn round(
    checks: &[&Check],
    baseline: &Baseline,
    means: Means<'_>,
    attempts: u32,
) -> Result<Vec<CheckResult>, CheckError> {
    let mut seen: Vec<Option<Observation>> = vec![None; checks.len()];
    let http = |(place, check): (usize, &&Check)| match &check.kind {
        CheckKind::Http(http) => Some((place, http.clone())),
        _ => None,
    };
    let mut pages: Vec<(usize, HttpCheck)> = checks.iter().enumerate().filter_map(http).collect();
    if !pages.is_empty() {
        let past_caches = pages.iter().position(|(_, http)| http.bypass_cache);
        let (place, http) = pages.remove(past_caches.unwrap_or(0));
        seen[place] = Some(means.prober.observe(&http).await);
    }
    let pages = pages.iter().map(|(place, http)| async move { (*place, means.prober.observe(http).await) });
    let mut pages = futures::stream::iter(pages).buffer_unordered(means.prober.at_once());
    while let Some((place, observation)) = pages.next().await {
        seen[place] = Some(observation);
    }
    for (place, check) in checks.iter().enumerate() {
        if let CheckKind::Command(command) = &check.kind {
            let ran = host::run_command(command, means.shell).await;
            let ran = ran.map_err(|source| lost(check, means.shell, source))?;
            seen[place] = Some(Observation::Command(ran));
        }
    }
    for (place, check) in checks.iter().enumerate() {
        if let CheckKind::Log(log) = &check.kind {
            let before = match baseline.get(&check.id) {
                Some(Observation::Log(before)) => Some(before),
                _ => None,
            };
            let state = host::read_log(log, before, means.shell).await;
            let state = state.map_err(|source| lost(check, means.shell, source))?;
            seen[place] = Some(Observation::Log(state));
        }
    }
    let judged = checks.iter().zip(seen).filter_map(|(check, observation)| {
        let observation = observation?;
        Some(CheckResult {
            verdict: judge(check, &observation, baseline.get(&check.id)),
            check: (*check).clone(),
            observation,
            attempts,
        })
    });
    Ok(judged.collect())
}

fn lost(check: &Check, shell: &dyn Shell, source: RemoteError) -> CheckError {
    CheckError::Host { check: check.id.clone(), host: shell.host().to_owned(), source: Box::new(source) }
}
