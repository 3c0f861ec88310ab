//! Service levels.

use super::{CheckedText, TextError, one_line};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The service level of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Tier {
    /// Small sites: at most 10 extensions.
    Base,
    /// Shops and medium sites: at most 25 extensions.
    Advanced,
    /// Large or customised sites: the plan's own cap, or none.
    Custom,
    /// One of the fleet's settings, by its name.
    Own(String),
}

impl Tier {
    /// Those that every fleet has.
    pub const NAMES: [&str; 3] = ["base", "advanced", "custom"];

    /// Its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Base => "base",
            Self::Advanced => "advanced",
            Self::Custom => "custom",
            Self::Own(name) => name,
        }
    }
}

impl CheckedText for Tier {
    const FORMAT: &'static str = "tier";
    fn check(text: &str) -> Result<(), TextError> {
        one_line(text, 40)?;
        let fine = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        match fine {
            true => Ok(()),
            false => {
                Err(TextError::new("this is not the name of a tier", "lowercase letters, digits and -: large-shop"))
            }
        }
    }
}

impl TryFrom<String> for Tier {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::check(&text)?;
        Ok(match text.as_str() {
            "base" => Self::Base,
            "advanced" => Self::Advanced,
            "custom" => Self::Custom,
            _ => Self::Own(text),
        })
    }
}

impl From<Tier> for String {
    fn from(tier: Tier) -> Self {
        tier.to_string()
    }
}

impl schemars::JsonSchema for Tier {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tier".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "format": "tier", "minLength": 1, "examples": ["base", "advanced", "custom"],
            "description": "base (10 extensions), advanced (25), custom, or one of the fleet's settings."
        })
    }
}

/// How many third-party extensions each tier covers: those that every fleet has, and its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tiers {
    own: BTreeMap<String, u32>,
}

impl Tiers {
    /// The largest cap.
    pub const MAX_CAP: u32 = 10_000;

    /// With own ones, by their names.
    ///
    /// # Errors
    /// What is wrong with a name or a cap, in words.
    pub fn with(own: BTreeMap<String, u32>) -> Result<Self, String> {
        for (name, cap) in &own {
            let shown = super::clean_line(name, 60);
            if Tier::NAMES.contains(&name.as_str()) {
                return Err(format!("the tier {shown} is there already, and always the same; choose another name"));
            }
            Tier::check(name).map_err(|error| format!("the tier {shown:?}: {error}"))?;
            if !(1..=Self::MAX_CAP).contains(cap) {
                return Err(format!("the tier {shown} can't cover {cap} extensions: from 1 to {}", Self::MAX_CAP));
            }
        }
        Ok(Self { own })
    }

    /// Whether there is such a tier.
    pub fn has(&self, tier: &Tier) -> bool {
        !matches!(tier, Tier::Own(name) if !self.own.contains_key(name))
    }

    /// The names of all.
    pub fn names(&self) -> Vec<&str> {
        Tier::NAMES.into_iter().chain(self.own.keys().map(String::as_str)).collect()
    }

    /// The number of extensions that a tier covers; none means no limit, or no such tier.
    pub fn cap(&self, tier: &Tier) -> Option<u32> {
        match tier {
            Tier::Base => Some(10),
            Tier::Advanced => Some(25),
            Tier::Custom => None,
            Tier::Own(name) => self.own.get(name).copied(),
        }
    }

    /// The lowest tier that covers so many.
    pub fn covering(&self, extensions: u32) -> Tier {
        let all = [Tier::Base, Tier::Advanced].into_iter().chain(self.own.keys().cloned().map(Tier::Own));
        let enough = all.filter_map(|tier| Some((self.cap(&tier)?, tier))).filter(|(cap, _)| *cap >= extensions);
        enough.min().map_or(Tier::Custom, |(_, tier)| tier)
    }
}

impl<'de> Deserialize<'de> for Tiers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::with(BTreeMap::deserialize(deserializer)?).map_err(serde::de::Error::custom)
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
        f.write_str(self.as_str())
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

    #[test]
    fn the_lowest_tier_that_is_enough_covers() {
        let tiers =
            Tiers::with([("shop".to_owned(), 15), ("large".to_owned(), 60), ("small".to_owned(), 10)].into()).unwrap();
        let covering = |extensions| tiers.covering(extensions).to_string();
        assert_eq!(
            [0, 10, 11, 15, 16, 25, 26, 60, 61].map(covering),
            ["base", "base", "shop", "shop", "advanced", "advanced", "large", "large", "custom"]
        );
        assert_eq!(tiers.cap(&Tier::Own("shop".into())), Some(15));
        assert_eq!(Tiers::default().covering(26), Tier::Custom);
        assert!(
            tiers.has(&Tier::Custom) && tiers.has(&Tier::Own("shop".into())) && !tiers.has(&Tier::Own("none".into()))
        );
        let with = |name: &str, cap| Tiers::with([(name.to_owned(), cap)].into());
        assert!(with("base", 12).is_err() && with("Large", 12).is_err() && with("large", 0).is_err());
    }
}
