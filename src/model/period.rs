//! Lengths of time as people write them in plans and playbooks: `24h`, `3d`, `2h30m`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time: whole numbers with units `d`, `h`, `m`, `s`, `ms`, the larger ones first,
/// each at most once. A day is 24 hours. At most ten years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    millis: u64,
}

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not numbers with units at all.
    #[error("a length of time is written like 90s, 24h, 3d or 2h30m")]
    Form,
    /// A number without a unit.
    #[error("the number {0} has no unit: d, h, m, s or ms")]
    Unit(String),
    /// Units twice or in the wrong order.
    #[error("larger units come first, each at most once: 1d2h30m")]
    Order,
    /// More than the limit.
    #[error("at most ten years (3650d)")]
    Long,
}

/// Units from the largest to the smallest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const MAX_MILLIS: u64 = 3650 * 86_400_000;

impl Period {
    /// No time at all.
    pub const ZERO: Self = Self { millis: 0 };

    /// This many seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        Self { millis: seconds as u64 * 1000 }
    }

    /// As the standard library has it.
    pub fn as_duration(self) -> Duration {
        Duration::from_millis(self.millis)
    }

    /// Whole seconds.
    pub fn as_secs(self) -> u64 {
        self.millis / 1000
    }

    /// Milliseconds.
    pub fn as_millis(self) -> u64 {
        self.millis
    }

    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        self.millis == 0
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let (mut rest, mut next_unit, mut millis) = (text, 0, 0u64);
        if text.is_empty() {
            return Err(PeriodError::Form);
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(letters);
            match (digits, letters) {
                (0, _) => return Err(PeriodError::Form),
                (_, 0) if tail.is_empty() => return Err(PeriodError::Unit(number.to_owned())),
                _ => {}
            }
            let at = UNITS.iter().position(|(name, _)| *name == unit);
            let at = at.ok_or(PeriodError::Form)?;
            if at < next_unit {
                return Err(PeriodError::Order);
            }
            let number: u64 = number.parse().map_err(|_| PeriodError::Long)?;
            millis = number
                .checked_mul(UNITS[at].1)
                .and_then(|part| millis.checked_add(part))
                .filter(|sum| *sum <= MAX_MILLIS)
                .ok_or(PeriodError::Long)?;
            (next_unit, rest) = (at + 1, tail);
        }
        Ok(Self { millis })
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;
    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0s");
        }
        let mut left = self.millis;
        for (unit, size) in UNITS {
            if left >= size {
                write!(f, "{}{unit}", left / size)?;
                left %= size;
            }
        }
        Ok(())
    }
}

impl schemars::JsonSchema for Period {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Period".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A length of time: 90s, 24h, 3d, 2h30m.",
            "type": "string",
            "format": "period",
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
        })
    }
}

impl super::CheckedText for Period {
    const FORMAT: &'static str = "period";
    fn check(text: &str) -> Result<(), super::TextError> {
        text.parse::<Self>()
            .map(drop)
            .map_err(|error| super::TextError::new("this is not a length of time", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, seconds) in [("24h", 86_400), ("3d", 259_200), ("2h30m", 9_000), ("0s", 0)] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.as_secs(), seconds, "{text}");
        }
        assert_eq!("36h".parse::<Period>().unwrap().to_string(), "1d12h");
        assert_eq!("1s500ms".parse::<Period>().unwrap().as_millis(), 1500);
        for (bad, error) in [
            ("", PeriodError::Form),
            ("h", PeriodError::Form),
            ("-2h", PeriodError::Form),
            ("2 h", PeriodError::Form),
            ("24", PeriodError::Unit("24".into())),
            ("2w", PeriodError::Form),
            ("30m2h", PeriodError::Order),
            ("2h2h", PeriodError::Order),
            ("99999d", PeriodError::Long),
            ("99999999999999999999999d", PeriodError::Long),
        ] {
            assert_eq!(bad.parse::<Period>(), Err(error), "{bad}");
        }
    }
}
