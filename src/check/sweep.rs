//! Runs many checks: patience first, then the verdict, then a bounded number of further tries.

use super::error::CheckError;
use super::observe::{Baseline, Observation};
use super::prober::Prober;
use super::spec::Check;
use super::verdict::CheckResult;
use crate::remote::Shell;
use serde::{Deserialize, Serialize};

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
    _checks: &[Check],
    _patience: Patience,
    _means: Means<'_>,
) -> Result<(Baseline, Vec<CheckResult>), CheckError> {
    todo!()
}

/// Waits, runs the checks of this depth against the baseline, and tries failing ones again until
/// they pass or the time is over. Results are in the order of `checks`.
///
/// # Errors
/// [`CheckError::Host`] when the connection to the host broke.
pub async fn run_checks(
    _checks: &[Check],
    _depth: Depth,
    _baseline: &Baseline,
    _patience: Patience,
    _means: Means<'_>,
) -> Result<Vec<CheckResult>, CheckError> {
    todo!()
}

/// Where the error logs end now, to be absorbed into the baseline: what a half-copied tree wrote
/// while files were being replaced says nothing about the site after it.
///
/// # Errors
/// [`CheckError::Host`] when the connection to the host broke.
pub async fn mark_logs(
    _checks: &[Check],
    _baseline: &Baseline,
    _shell: &dyn Shell,
) -> Result<Vec<(String, Observation)>, CheckError> {
    todo!()
}
