//! Texts, numbers, dates and times in one language.
//!
//! May use: nothing of this crate but `model`. Invariants: every text and every form of a number
//! or date stands in a locale file, so that a third language is one file; texts from outside
//! enter as arguments only, and are never read as messages.

// The loader's generated code stands in this file.
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used)]

use crate::model::clean_line;
use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, static_loader};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::collections::HashMap;

static_loader! {
    static LOCALES = {
        locales: "./src/report/locales",
        fallback_language: "en",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// How many characters of a text from outside stand in a sentence.
const OUTSIDE_CHARS: usize = 200;

/// A language that reports can be written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(LanguageIdentifier);

impl Language {
    /// The language of a tag such as `fr` or `fr-CA`; English where there is none of it.
    pub fn of(tag: &str) -> Self {
        let wanted: Option<LanguageIdentifier> = tag.trim().parse().ok();
        let found = Self::all().into_iter().find(|known| Some(known.0.language) == wanted.as_ref().map(|w| w.language));
        found.unwrap_or(Self(fluent_templates::langid!("en")))
    }

    /// All of them.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = LOCALES.locales().cloned().map(Self).collect();
        all.sort_by_key(Self::tag);
        all
    }

    /// The tag: `fr`.
    pub fn tag(&self) -> String {
        self.0.to_string()
    }
}

/// What is put into a text.
pub(super) type Args<'a> = [(&'static str, FluentValue<'a>)];

/// A text from outside, made fit to stand in a sentence.
pub(super) fn outside(text: &str) -> FluentValue<'static> {
    FluentValue::from(clean_line(text, OUTSIDE_CHARS))
}

/// A text of our own: already formatted, or a key that a message selects by.
pub(super) fn own(text: impl Into<String>) -> FluentValue<'static> {
    FluentValue::from(text.into())
}

/// One language and one zone.
#[derive(Debug, Clone)]
pub(super) struct Words {
    language: Language,
    zone: TimeZone,
}

impl Words {
    /// Times are shown in `zone`; in UTC where there is no such zone.
    pub(super) fn new(language: Language, zone: &str) -> Self {
        Self { language, zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC) }
    }

    /// The same language in another zone.
    pub(super) fn of_zone(&self, zone: &str) -> Self {
        Self::new(self.language.clone(), zone)
    }

    /// The language's tag.
    pub(super) fn tag(&self) -> String {
        self.language.tag()
    }

    /// A text without arguments.
    pub(super) fn say(&self, key: &str) -> String {
        self.tell(key, &[])
    }

    /// A text. A missing one shows as its key: a report fails open, and a test finds it.
    pub(super) fn tell(&self, key: &str, args: &Args<'_>) -> String {
        let args: HashMap<Cow<'static, str>, FluentValue<'_>> =
            args.iter().map(|(name, value)| (Cow::Borrowed(*name), value.clone())).collect();
        LOCALES.try_lookup_with_args(&self.language.0, key, &args).unwrap_or_else(|| key.to_owned())
    }

    /// A text that depends on a number: `$count` selects the form, `$shown` is what is read.
    pub(super) fn count(&self, key: &str, count: u64) -> String {
        self.tell(key, &[("count", plural(count)), ("shown", own(self.number(count)))])
    }

    /// A whole number.
    pub(super) fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        if digits.len() <= 4 {
            return digits;
        }
        let mut out = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                out.push_str(&self.say("number-group"));
            }
            out.push(digit);
        }
        out
    }

    /// A number with one decimal, or none from ten on.
    fn decimal(&self, number: f64) -> String {
        let text = if number < 9.95 { format!("{number:.1}") } else { format!("{number:.0}") };
        text.replace('.', &self.say("number-decimal"))
    }

    /// A number of bytes in decimal units.
    pub(super) fn bytes(&self, bytes: u64) -> String {
        const UNITS: [&str; 4] = ["size-kb", "size-mb", "size-gb", "size-tb"];
        if bytes < 1000 {
            return self.tell("size-b", &[("n", own(bytes.to_string()))]);
        }
        let mut value = bytes as f64 / 1000.0;
        let mut unit = 0;
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1000.0;
            unit += 1;
        }
        self.tell(UNITS[unit], &[("n", own(self.decimal(value)))])
    }

    /// A length of time.
    pub(super) fn duration(&self, millis: u64) -> String {
        let seconds = millis / 1000;
        let two = |number: u64| own(format!("{number:02}"));
        match seconds {
            0 => self.tell("duration-ms", &[("n", own(millis.to_string()))]),
            1..60 => self.tell("duration-s", &[("n", own(self.decimal(millis as f64 / 1000.0)))]),
            60..3600 => {
                self.tell("duration-min", &[("min", own((seconds / 60).to_string())), ("s", two(seconds % 60))])
            }
            _ => {
                let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
                self.tell("duration-h", &[("h", own(self.number(hours))), ("min", two(minutes))])
            }
        }
    }

    /// A whole number of hours, in days where it is long.
    pub(super) fn hours(&self, hours: u64) -> String {
        match hours {
            0..=48 => self.count("hours", hours),
            _ => self.count("days", hours / 24),
        }
    }

    /// A month of a year.
    pub(super) fn month(&self, first: Date) -> String {
        let month = self.say(&format!("month-{}", first.month()));
        self.tell("month-year", &[("month", own(month)), ("year", own(first.year().to_string()))])
    }

    /// A day.
    pub(super) fn day(&self, day: Date) -> String {
        let month = self.say(&format!("month-{}", day.month()));
        let number = plural(u64::try_from(day.day()).unwrap_or(0));
        let args = [
            ("day", number),
            ("shown", own(day.day().to_string())),
            ("month", own(month)),
            ("year", own(day.year().to_string())),
        ];
        self.tell("date", &args)
    }

    /// The day of a moment, in the zone.
    pub(super) fn date(&self, at: Timestamp) -> String {
        self.day(at.to_zoned(self.zone.clone()).date())
    }

    /// The time of day of a moment, in the zone.
    pub(super) fn time(&self, at: Timestamp) -> String {
        let time = at.to_zoned(self.zone.clone()).time();
        let hour = time.hour();
        let args = [
            ("hour", own(hour.to_string())),
            ("hour12", own(((hour + 11) % 12 + 1).to_string())),
            ("half", own(if hour < 12 { "am" } else { "pm" })),
            ("minute", own(format!("{:02}", time.minute()))),
        ];
        self.tell("time", &args)
    }

    /// Day and time of a moment, in the zone.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        self.tell("date-time", &[("date", own(self.date(at))), ("time", own(self.time(at)))])
    }

    /// The zone's name, with its abbreviation at a moment.
    pub(super) fn zone(&self, at: Timestamp) -> String {
        let name = self.zone.iana_name().unwrap_or("UTC").replace('_', " ");
        let info = self.zone.to_offset_info(at);
        let short = info.abbreviation();
        if short == name || !short.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return name;
        }
        // The same letters mean another zone elsewhere.
        let american = ["America/", "Canada/", "US/"].iter().any(|start| name.starts_with(start));
        let said = american.then(|| self.tell("zone-short", &[("short", own(short))]));
        format!("{name} ({})", said.as_deref().unwrap_or(short))
    }

    /// A name after “of”, which some languages join to it.
    pub(super) fn of_name(&self, name: &str) -> String {
        let begins = if begins_with_vowel(name) { "vowel" } else { "consonant" };
        self.tell("of-name", &[("begins", own(begins)), ("name", outside(name))])
    }
}

/// Whether the first letter of a name is a vowel, as French sees it; of `h` and `y` that depends on the word.
fn begins_with_vowel(name: &str) -> bool {
    let first = name.chars().find(|c| c.is_alphanumeric()).and_then(|c| c.to_lowercase().next());
    first.is_some_and(|c| "aàâäáãåæeéèêëiîïíìoôöóòõøœuùûüú".contains(c))
}

/// A number that a message selects a plural form by.
fn plural(count: u64) -> FluentValue<'static> {
    FluentValue::from(count as f64)
}

/// A message of exactly this language, with something for each of its arguments; for tests.
#[cfg(test)]
pub(super) fn lookup(language: &Language, key: &str, arguments: &[&str]) -> Option<String> {
    let args: HashMap<_, _> = arguments.iter().map(|name| (Cow::Owned((*name).to_owned()), plural(2))).collect();
    LOCALES.lookup_no_default_fallback(&language.0, key, Some(&args))
}
