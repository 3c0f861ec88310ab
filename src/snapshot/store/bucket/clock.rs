//! The service's clock, as its answers tell it. Nothing here believes the clock of this machine.
//!
//! May use: nothing of this crate. Invariant: what it says is never later than the service's own clock,
//! as long as that one does not jump; a machine that slept believes too early a time, never too late a one.

use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A step of the service's clock that is not taken for a delay, in milliseconds.
const STEP: i64 = 2_000;

/// The service's clock.
#[derive(Default)]
pub(super) struct Clock(Mutex<Option<(i64, Instant)>>);

impl Clock {
    /// The time in milliseconds; before anything was heard, that of this machine, which only signs with it.
    pub(super) fn now(&self) -> i64 {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.map_or_else(|| Timestamp::now().as_millisecond(), after)
    }

    /// Whether the service said a time.
    pub(super) fn is_known(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Takes the time of an answer that came right now, in milliseconds.
    pub(super) fn hear(&self, said: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let thought = known.map(after).filter(|thought| (said - thought).abs() <= STEP);
        *known = Some((thought.map_or(said, |thought| thought.max(said)), Instant::now()));
    }
}

fn after((said, at): (i64, Instant)) -> i64 {
    said.saturating_add(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX))
}

/// The time of a `Date` or `Last-Modified`, in milliseconds.
pub(super) fn of_header(text: &str) -> Option<i64> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    parsed.ok().map(|time| time.as_millisecond())
}

/// The time of a listing, in milliseconds, cut to the second as headers are.
pub(super) fn of_listing(text: &str) -> Option<i64> {
    let time: Timestamp = text.parse().ok()?;
    Some(time.as_second().saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_service() {
        let clock = Clock::default();
        assert!(!clock.is_known());
        clock.hear(1_000_000);
        assert!(clock.is_known());
        // A date is cut to the second: what is known better stays, what is known worse goes.
        clock.hear(999_100);
        assert!((1_000_000..1_000_900).contains(&clock.now()));
        clock.hear(1_001_500);
        assert!((1_001_500..1_002_400).contains(&clock.now()));
        clock.hear(1_000);
        assert!((1_000..1_900).contains(&clock.now()), "a step back is believed");
        assert_eq!(of_header("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(of_listing("1994-11-06T08:49:37.900Z"), Some(784_111_777_000));
        assert_eq!((of_header("yesterday"), of_listing("")), (None, None));
    }
}
