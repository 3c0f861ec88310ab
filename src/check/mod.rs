//! Smoke checks: what a visitor would see of a site, against what it was before the run.
//!
//! May use: `model`, `remote`. Invariants: a verdict is a pure function of check, observation and
//! baseline; a probe never leaves the site's own host, reads a bounded part of what it is sent,
//! and ends in bounded time; a secret that passes the maintenance page goes to the site only.

mod address;
mod error;
mod host;
mod judge;
mod observe;
mod prober;
mod spec;
mod sweep;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

pub use error::CheckError;
pub use judge::judge;
pub use observe::{Baseline, Failure, FailureKind, Fatal, Hit, Hop, LogState, Observation, Page, Ran};
pub use prober::{Pass, Prober, ProberSettings, install_tls_provider};
pub use spec::{Check, CheckKind, CommandCheck, HttpCheck, LogCheck, MIN_PERCENT, StatusRule};
pub use sweep::{Depth, Means, Patience, mark_logs, run_checks, take_baseline};
pub use verdict::{CheckResult, Reason, Verdict};
