//! When a run may begin: windows, and days on which none opens.

use crate::model::{Period, TextError, checked_text, one_line};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// A time of the week in which a run may begin, and by whose end it must be over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// The days on which it opens; every day unless given.
    #[serde(default = "Weekday::all")]
    #[schemars(length(min = 1, max = 7))]
    pub on: Vec<Weekday>,
    /// The time of day in its zone: `"02:00"`.
    #[schemars(with = "super::scalars::TimeOfDay")]
    pub at: Time,
    /// How long it is open: more than nothing, at most 24 hours, however the clocks change.
    #[serde(rename = "for")]
    pub length: Period,
    /// The zone of `at`: `America/Toronto`.
    pub zone: Zone,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// All of them, Monday first.
    pub fn all() -> Vec<Self> {
        vec![Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun]
    }
}

impl From<Weekday> for jiff::civil::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Monday,
            Weekday::Tue => Self::Tuesday,
            Weekday::Wed => Self::Wednesday,
            Weekday::Thu => Self::Thursday,
            Weekday::Fri => Self::Friday,
            Weekday::Sat => Self::Saturday,
            Weekday::Sun => Self::Sunday,
        }
    }
}

/// Days on which no window opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Blackout {
    /// The first day.
    #[schemars(with = "super::scalars::Day")]
    pub from: Date,
    /// The last day.
    #[schemars(with = "super::scalars::Day")]
    pub until: Date,
    /// The reason, as reports show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub why: Option<String>,
}

impl Blackout {
    /// Whether `day` is one of its days, the first and the last included.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }
}

checked_text!(
    /// The IANA name of a time zone that is known here.
    Zone,
    "time-zone",
    |text| {
        one_line(text, 64)?;
        if text == "UTC" || jiff::tz::db().get(text).is_ok() {
            return Ok(());
        }
        Err(TextError::new(
            format!("there is no time zone {text:?}"),
            nearest_zone(text),
        ))
    }
);

impl Zone {
    /// The zone itself.
    pub fn time_zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::db().get(self.as_str()).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

fn nearest_zone(text: &str) -> String {
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let best = crate::model::nearest(text, names.iter().map(String::as_str)).or_else(|| {
        let wanted = city(&text.replace(' ', "_"));
        names.iter().map(String::as_str).find(|name| city(name) == wanted)
    });
    match best {
        Some(name) => format!("did you mean {name}?"),
        None => "a name such as America/Toronto, Europe/Paris or UTC".to_owned(),
    }
}
