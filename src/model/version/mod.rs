//! Versions, and how each world of software orders them.
//!
//! May use: `name`. Invariants: a version is bounded and printable when it is made; every scheme orders every version.

mod composer;
mod pep440;
mod php;
mod semver;

use super::name::NameError;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// A version as a site or an update service writes it: 1 to 64 printable ASCII characters from
/// `A-Z a-z 0-9 . - + _ ~ : !`. It comes from the site, so it is checked when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

impl Version {
    /// A checked version.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        const ALLOWED: &str = ".-+_~:!";
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
        schemars::json_schema!({ "type": "string", "format": "version", "pattern": "^[A-Za-z0-9._+~:!][A-Za-z0-9._+~:!-]{0,63}$" })
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
    /// Composer's, also for versions that begin with the branch of a core, such as `8.x-1.2`:
    /// <https://getcomposer.org/doc/articles/versions.md>.
    Composer,
    /// That of Python packages: <https://peps.python.org/pep-0440/>.
    Pep440,
    /// Semantic versions, as packages of npm have them: <https://semver.org/>.
    Semver,
}

impl VersionScheme {
    /// The order of two versions.
    pub fn compare(self, a: &Version, b: &Version) -> Ordering {
        match self {
            Self::Php => php::compare(a.as_str(), b.as_str()),
            Self::Composer => composer::compare(a.as_str(), b.as_str()),
            Self::Pep440 => pep440::compare(a.as_str(), b.as_str()),
            Self::Semver => semver::compare(a.as_str(), b.as_str()),
        }
    }

    /// The parts that are compared one by one, numbers first.
    fn parts(self, version: &Version) -> Vec<String> {
        match self {
            Self::Php => php::parts(version.as_str()),
            Self::Composer => composer::parts(version.as_str()),
            Self::Pep440 => pep440::parts(version.as_str()),
            Self::Semver => semver::parts(version.as_str()),
        }
    }

    /// How large the step is, where the first `train_parts` numbers name a train (2 where 6.1 and 6.2 are
    /// different trains; 1 for semantic versions).
    pub fn step(self, from: &Version, to: &Version, train_parts: usize) -> Step {
        if self.compare(from, to) != Ordering::Less {
            return Step::None;
        }
        if self.train(from, train_parts) == self.train(to, train_parts) { Step::Minor } else { Step::Major }
    }

    /// The name of a version's release train: its first `train_parts` numbers, such as `6.1`.
    pub fn train(self, version: &Version, train_parts: usize) -> String {
        // The `v` of `v1.9` is no number.
        let numbers =
            self.parts(version).into_iter().skip_while(|part| !part.starts_with(|c: char| c.is_ascii_digit()));
        let mut parts: Vec<String> = numbers.take(train_parts).collect();
        parts.resize(train_parts, "0".into());
        parts.join(".")
    }

    /// Whether it is no ordinary release: a development, alpha, beta or candidate version.
    pub fn is_special(self, version: &Version) -> bool {
        // Not single letters: where they mean nothing of this kind, many an ordinary release is called 1.2b.
        const WORDS: [&str; 9] = ["dev", "alpha", "beta", "rc", "nightly", "canary", "snapshot", "pre", "preview"];
        let is_word = |part: &String| WORDS.iter().any(|word| part.eq_ignore_ascii_case(word));
        match self {
            Self::Php | Self::Composer => self.parts(version).iter().any(is_word),
            Self::Pep440 => pep440::is_special(version.as_str()),
            Self::Semver => semver::is_special(version.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
