//! The last days of release trains: shipped as data, the fleet's settings go before it.
//!
//! May use: `model`, `plan`. Invariants: pure; a version that is in no known train has no last day.

use crate::model::Version;
use crate::plan::LastDay;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeMap;

const SHIPPED: &str = include_str!("../../playbooks/end-of-life.yaml");

/// By what it is of, by train.
type Trains = BTreeMap<String, BTreeMap<String, LastDay>>;

/// The shipped file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    end_of_life: u32,
    as_of: Date,
    trains: Trains,
}

/// The last days that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndOfLife {
    /// The day of which the shipped ones tell.
    pub as_of: Date,
    shipped: Trains,
    own: Trains,
}

/// Why they can't be read.
#[derive(Debug, thiserror::Error)]
pub enum EndOfLifeError {
    /// The shipped file.
    #[error("the days of end of life that belong to this program can't be read; it is damaged: reinstall it")]
    Shipped(#[source] Box<serde_yaml::Error>),
    /// Its format.
    #[error("the days of end of life have format {0}, and this program knows 1")]
    Format(u32),
}

impl EndOfLife {
    /// Those in the program, with those of the fleet's settings before them.
    ///
    /// # Errors
    /// When the program is damaged.
    pub fn with(own: &Trains) -> Result<Self, EndOfLifeError> {
        let read: File = serde_yaml::from_str(SHIPPED).map_err(|error| EndOfLifeError::Shipped(Box::new(error)))?;
        match read.end_of_life {
            1 => Ok(Self { as_of: read.as_of, shipped: read.trains, own: own.clone() }),
            other => Err(EndOfLifeError::Format(other)),
        }
    }

    /// The train of a version and its last day. `told`: what the site itself says, which goes before what is shipped.
    pub fn last_day(&self, of: &str, version: &Version, told: Option<Date>) -> Option<(String, Date)> {
        let day = |trains: &Trains| {
            let (train, day) = trains.get(of)?.iter().filter(|(train, _)| is_of(train, version)).max_by_key(longest)?;
            Some((train.clone(), *day))
        };
        let (train, day) = match (day(&self.own), told) {
            (Some(own), _) => own,
            (None, Some(told)) => (version.to_string(), LastDay::On(told)),
            (None, None) => day(&self.shipped)?,
        };
        match day {
            LastDay::On(day) => Some((train, day)),
            LastDay::Never => None,
        }
    }
}

fn longest((train, _): &(&String, &LastDay)) -> usize {
    train.len()
}

/// Whether a version belongs to a train: it begins with it, and no number goes on there.
fn is_of(train: &str, version: &Version) -> bool {
    let rest = version.as_str().strip_prefix(train);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(known: &EndOfLife, of: &str, version: &str, told: Option<Date>) -> Option<(String, String)> {
        let version = Version::new(version).unwrap();
        known.last_day(of, &version, told).map(|(train, day)| (train, day.to_string()))
    }

    #[test]
    fn the_longest_train_that_a_version_begins_with_counts() {
        let known = EndOfLife::with(&Trains::new()).unwrap();
        let is = |train: &str, day: &str| Some((train.to_owned(), day.to_owned()));
        assert_eq!(day(&known, "php", "8.2.36-1+deb12u1", None), is("8.2", "2026-12-31"));
        assert_eq!(day(&known, "php", "8.20.1", None), None, "another train");
        assert_eq!(day(&known, "drupal", "8.9.20", None), is("8.9", "2021-11-02"));
        assert_eq!(day(&known, "drupal", "8.2.1", None), is("8", "2021-11-02"));
        assert_eq!(day(&known, "nowhere", "1.0", None), None);
        let told = "2030-01-01".parse().ok();
        assert_eq!(day(&known, "joomla", "4.4.1", told), is("4.4.1", "2030-01-01"), "the site's own word");
    }

    #[test]
    fn settings_go_before_all_and_may_take_a_day_away() {
        let own: Trains = serde_yaml::from_str("php: { \"7.4\": never, \"8.1\": 2027-06-30 }").unwrap();
        let known = EndOfLife::with(&own).unwrap();
        assert_eq!(day(&known, "php", "7.4.33", None), None);
        assert_eq!(day(&known, "php", "8.1.2", "2020-01-01".parse().ok()).unwrap().1, "2027-06-30");
        assert_eq!(day(&known, "php", "8.0.30", None).unwrap().1, "2023-11-26");
        assert!(serde_yaml::from_str::<Trains>("php: { \"7.4\": soon }").is_err());
    }
}
