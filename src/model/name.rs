//! Names of sites, runs and extensions: short, printable, safe as one file name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Why a text is not a usable name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only white space.
    #[error("a name can't be empty")]
    Empty,
    /// Longer than the limit, in bytes.
    #[error("a name has at most {max} bytes, this one has {len}")]
    Long {
        /// The limit.
        max: usize,
        /// What was found.
        len: usize,
    },
    /// A character outside the allowed set, or in a place where it is not allowed.
    #[error("{shown:?} can't stand there: a name has letters, digits and {allowed}, and begins with a letter or digit")]
    Character {
        /// The character.
        shown: char,
        /// The allowed punctuation.
        allowed: &'static str,
    },
    /// `..` or an empty path segment.
    #[error("a name has no empty part and no '..'")]
    Path,
}

fn check(text: &str, max: usize, allowed: &'static str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > max {
        return Err(NameError::Long { max, len: text.len() });
    }
    for (index, c) in text.char_indices() {
        let punctuation = index > 0 && allowed.contains(c);
        if !(c.is_ascii_alphanumeric() || punctuation || (c == '_' && allowed.contains('_'))) {
            return Err(NameError::Character { shown: c, allowed });
        }
    }
    if text.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(NameError::Path);
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $format:literal, $max:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The checked name.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check(&text, $max, $allowed)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "format": $format, "minLength": 1, "maxLength": $max
                })
            }
        }

        impl super::CheckedText for $type {
            const FORMAT: &'static str = $format;
            fn check(text: &str) -> Result<(), super::TextError> {
                check(text, $max, $allowed).map_err(|error| {
                    super::TextError::new("this is not a valid name", error.to_string())
                })
            }
        }
    };
}

name!(
    /// The name of one site, as its plan gives it; also a folder name in the snapshot store.
    SiteName, "site-name", 64, "-_."
);
name!(
    /// The name of an extension within its kind, as its CMS gives it: `akismet`,
    /// `drupal/token`, `com_banners`. Checked, because it comes from the site and ends in an
    /// argument of a command.
    Slug, "slug", 128, "-_./@+ "
);

/// One execution of a procedure. Sorts by time of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// A new id for a run that begins at `now`.
    pub fn new(now: Timestamp) -> Self {
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
        Self(Uuid::new_v7(time))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hyphenated())
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Ok(Self(Uuid::parse_str(text)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        for bad in ["", "../../etc", "x; rm -rf ~", "-rf", "a//b", "a/../b", "x\ny", "$(id)", "é", ".hidden"] {
            assert!(Slug::new(bad).is_err(), "{bad:?} was taken");
        }
        for good in ["akismet", "drupal/token", "com_banners", "hello.php", "_s"] {
            assert!(Slug::new(good).is_ok(), "{good:?} was refused");
        }
        assert!(SiteName::new("boutique-laval").is_ok());
        assert!(SiteName::new("a/b").is_err());
        assert!(Slug::new("x".repeat(129)).is_err());
    }

    #[test]
    fn run_ids_sort_by_time() {
        let early = RunId::new("2026-01-01T00:00:00Z".parse().unwrap());
        let late = RunId::new("2026-01-01T00:00:01Z".parse().unwrap());
        assert!(early < late);
        assert_eq!(early.to_string().parse::<RunId>().unwrap(), early);
    }
}
