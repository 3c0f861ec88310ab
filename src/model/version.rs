//! Versions, and how each world of software orders them.

use super::name::NameError;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// A version as a site or an update service writes it: 1 to 64 printable ASCII characters from
/// `A-Z a-z 0-9 . - + _ ~ : ( )`. It comes from the site, so it is checked when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

impl Version {
    /// A checked version.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        const ALLOWED: &str = ".-+_~:";
        let text: String = text.into();
        match text.chars().find(|c| !c.is_ascii_alphanumeric() && !ALLOWED.contains(*c)) {
            _ if text.is_empty() => Err(NameError::Empty),
            _ if text.len() > 64 => Err(NameError::Long { max: 64, len: text.len() }),
            _ if text.starts_with('-') => Err(NameError::Character { shown: '-', allowed: ALLOWED }),
            Some(shown) => Err(NameError::Character { shown, allowed: ALLOWED }),
            None => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Version {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl schemars::JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "version", "pattern": "^[A-Za-z0-9._+~:][A-Za-z0-9._+~:-]{0,63}$" })
    }
}

impl super::CheckedText for Version {
    const FORMAT: &'static str = "version";
    fn check(text: &str) -> Result<(), super::TextError> {
        Self::new(text).map(drop).map_err(|_| super::TextError::new("this is not a version", "a version such as 7.1.1"))
    }
}

/// How large a step from one version to another is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Not newer at all.
    None,
    /// Within the same train.
    Minor,
    /// Into another train.
    Major,
}

/// How versions are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VersionScheme {
    /// PHP's `version_compare`: <https://www.php.net/manual/en/function.version-compare.php>.
    Php,
}

impl VersionScheme {
    /// The order of two versions.
    pub fn compare(self, a: &Version, b: &Version) -> Ordering {
        match self {
            Self::Php => php_compare(a.as_str(), b.as_str()),
        }
    }

    /// How large the step is, where the first `train_parts` numbers name a train (2 for
    /// WordPress's core, whose 6.1 and 6.2 are different trains; 1 for semantic versions).
    pub fn step(self, from: &Version, to: &Version, train_parts: usize) -> Step {
        if self.compare(from, to) != Ordering::Less {
            return Step::None;
        }
        let train = |version: &Version| -> Vec<String> {
            let mut parts: Vec<String> = php_parts(version.as_str()).into_iter().take(train_parts).collect();
            parts.resize(train_parts, "0".into());
            parts
        };
        if train(from) == train(to) { Step::Minor } else { Step::Major }
    }
}

/// PHP's canonical form: `_`, `-`, `+` become dots, and a dot stands wherever digits and
/// non-digits meet (source: `php_canonicalize_version` in ext/standard/versioning.c).
fn php_parts(version: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut last: Option<char> = None;
    for c in version.chars() {
        let separator = matches!(c, '-' | '_' | '+' | '.') || !c.is_ascii_alphanumeric();
        let turn = last.is_some_and(|l| l.is_ascii_alphanumeric() && l.is_ascii_digit() != c.is_ascii_digit());
        if (separator || turn) && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(String::new());
        }
        if !separator && let Some(part) = parts.last_mut() {
            part.push(c);
        }
        last = Some(c);
    }
    if parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    parts
}

/// The rank of a non-numeric part (source: `compare_special_version_forms`).
fn php_rank(part: &str) -> i32 {
    const FORMS: [(&str, i32); 11] = [
        ("dev", 0),
        ("alpha", 1),
        ("a", 1),
        ("beta", 2),
        ("b", 2),
        ("RC", 3),
        ("rc", 3),
        ("#", 4),
        ("pl", 5),
        ("p", 5),
        ("", -1),
    ];
    let found = FORMS.iter().find(|(name, _)| !name.is_empty() && part.starts_with(name));
    found.map_or(-1, |(_, rank)| *rank)
}

fn php_compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (php_parts(a), php_parts(b));
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let number = |part: &str| part.parse::<u128>().unwrap_or(u128::MAX);
    for (x, y) in a.iter().zip(&b) {
        let order = match (is_number(x), is_number(y)) {
            (true, true) => number(x).cmp(&number(y)),
            (false, false) => php_rank(x).cmp(&php_rank(y)),
            (true, false) => php_rank("#").cmp(&php_rank(y)),
            (false, true) => php_rank(x).cmp(&php_rank("#")),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    // What is left over decides: a number makes it newer, `rc` and the like make it older.
    let rest = |parts: &[String]| -> Ordering {
        parts.first().map_or(Ordering::Equal, |part| {
            if is_number(part) { Ordering::Greater } else { php_rank(part).cmp(&php_rank("#")) }
        })
    };
    let shared = a.len().min(b.len());
    match a.len().cmp(&b.len()) {
        Ordering::Greater => rest(&a[shared..]),
        Ordering::Less => rest(&b[shared..]).reverse(),
        Ordering::Equal => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        VersionScheme::Php.compare(&Version::new(a).unwrap(), &Version::new(b).unwrap())
    }

    #[test]
    fn orders_as_php_does() {
        use Ordering::*;
        for (a, b, expected) in [
            ("6.1.9", "7.1.1", Less),
            ("5.0.2", "5.7.2", Less),
            ("1.0", "1.0.0", Less),
            ("1.0rc1", "1.0", Less),
            ("1.0-beta2", "1.0RC1", Less),
            ("1.0pl1", "1.0", Greater),
            ("1.10", "1.9", Greater),
            ("1.0.0", "1.0.0", Equal),
            ("1.0-dev", "1.0alpha", Less),
        ] {
            assert_eq!(order(a, b), expected, "{a} against {b}");
            assert_eq!(order(b, a), expected.reverse(), "{b} against {a}");
        }
    }

    #[test]
    fn steps_follow_the_train() {
        let step = |a: &str, b: &str, parts| {
            VersionScheme::Php.step(&Version::new(a).unwrap(), &Version::new(b).unwrap(), parts)
        };
        assert_eq!(step("6.1.9", "6.1.10", 2), Step::Minor);
        assert_eq!(step("6.1.9", "6.2", 2), Step::Major);
        assert_eq!(step("5.0.2", "5.7.2", 1), Step::Minor);
        assert_eq!(step("5.0.2", "5.0.2", 1), Step::None);
    }

    #[test]
    fn hostile_versions_are_refused() {
        for bad in ["", "1; rm", "<b>", "-x", "1\n2", &"9".repeat(65)] {
            assert!(Version::new(bad).is_err(), "{bad:?} was taken");
        }
    }
}
