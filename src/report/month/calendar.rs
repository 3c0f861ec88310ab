//! A month of the calendar.
//!
//! May use: nothing of this crate. Invariant: years are those of four digits.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A month: `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Month {
    first: Date,
}

/// A text that names no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a month; write the year and the month: 2026-10")]
pub struct NotAMonth {
    text: String,
}

impl Month {
    /// Its first day.
    pub fn first(self) -> Date {
        self.first
    }

    /// Whether a moment lies in it, in a zone.
    pub fn holds(self, at: Timestamp, zone: &TimeZone) -> bool {
        at.to_zoned(zone.clone()).date().first_of_month() == self.first
    }

    /// Whether it is not over yet at a moment, in a zone.
    pub fn runs_at(self, at: Timestamp, zone: &TimeZone) -> bool {
        at.to_zoned(zone.clone()).date().first_of_month() <= self.first
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let wrong = || NotAMonth { text: crate::model::clean_line(text, 40) };
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(wrong());
        }
        let (year, month) = (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
        Date::new(year, month, 1).map(|first| Self { first }).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Month {
    type Error = NotAMonth;

    fn try_from(text: String) -> Result<Self, NotAMonth> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_and_their_days_are_those_of_the_zone() {
        let october: Month = "2026-10".parse().unwrap();
        assert_eq!(october.to_string(), "2026-10");
        for wrong in
            ["", "2026", "2026-13", "2026-00", "26-10", "2026-1", "2026-10-01", "+026-10", "2026-+1", "२०२६-१०"]
        {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let toronto = TimeZone::get("America/Toronto").unwrap();
        assert!(
            october.holds(at("2026-11-01T03:59:59Z"), &toronto) && !october.holds(at("2026-11-01T04:00:00Z"), &toronto)
        );
        assert!(
            october.holds(at("2026-10-01T04:00:00Z"), &toronto) && !october.holds(at("2026-10-01T03:59:59Z"), &toronto)
        );
        assert!(
            october.runs_at(at("2026-11-01T03:00:00Z"), &toronto)
                && !october.runs_at(at("2026-11-01T04:00:00Z"), &toronto)
        );
        assert!(october.runs_at(at("2026-09-01T03:00:00Z"), &toronto), "it has not begun");
    }
}
