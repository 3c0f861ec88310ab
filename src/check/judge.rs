//! The verdict: a pure function of check, observation and baseline.

use super::observe::Observation;
use super::spec::Check;
use super::verdict::Verdict;

/// What to think of `observation`. Without a `before`, the check is judged by itself.
pub fn judge(_check: &Check, _observation: &Observation, _before: Option<&Observation>) -> Verdict {
    todo!()
}
