//! Service levels.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The service level of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Small sites: at most 10 extensions.
    Base,
    /// Shops and medium sites: at most 25 extensions.
    Advanced,
    /// Large or customised sites: the plan's own cap, or none.
    Custom,
}

impl Tier {
    /// The number of third-party extensions that the tier covers; none means no limit.
    pub fn cap(self) -> Option<u32> {
        match self {
            Self::Base => Some(10),
            Self::Advanced => Some(25),
            Self::Custom => None,
        }
    }

    /// The lowest tier that covers `extensions`.
    pub fn covering(extensions: u32) -> Self {
        match extensions {
            0..=10 => Self::Base,
            11..=25 => Self::Advanced,
            _ => Self::Custom,
        }
    }
}

/// How a number of extensions stands to a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// There is room.
    Enough,
    /// At most a tenth of the cap is left, or none.
    Near,
    /// There are more than the cap.
    Over,
}

impl Room {
    /// How many `extensions` stand to `cap`.
    pub fn of(extensions: u32, cap: u32) -> Self {
        match cap.checked_sub(extensions) {
            None => Self::Over,
            Some(left) if left <= cap / 10 => Self::Near,
            Some(_) => Self::Enough,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "base",
            Self::Advanced => "advanced",
            Self::Custom => "custom",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_is_near() {
        let rooms = |cap| (0..=cap + 1).map(|extensions| Room::of(extensions, cap)).collect::<Vec<_>>();
        assert_eq!(rooms(2), [Room::Enough, Room::Enough, Room::Near, Room::Over]);
        assert_eq!(rooms(10)[8..], [Room::Enough, Room::Near, Room::Near, Room::Over]);
        assert_eq!(Room::of(23, 25), Room::Near);
        assert_eq!(Room::of(22, 25), Room::Enough);
    }
}
