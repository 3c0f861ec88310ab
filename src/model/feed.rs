//! The formats in which vulnerabilities are published.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A format of a feed of vulnerabilities. Playbooks say what its names mean, settings where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeedFormat {
    /// Wordfence Intelligence, version 3: one map of records. Its kinds are `core`, `plugin` and `theme`.
    Wordfence,
    /// OSV: a record, a list or lines of records, or a folder of them. Its kinds are ecosystems, such as `PyPI`.
    Osv,
    /// The Vulnerable Extensions List. Its kinds are types of extensions, such as `component`.
    Vel,
    /// Advisories as Composer lists them (`composer audit --format=json`). Its one kind is `package`.
    Composer,
}

impl FeedFormat {
    /// The name, as settings and playbooks write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wordfence => "wordfence",
            Self::Osv => "osv",
            Self::Vel => "vel",
            Self::Composer => "composer",
        }
    }

    /// The kinds that its records have; of OSV, the ecosystems of packages that a site may be made of.
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Wordfence => &["core", "plugin", "theme"],
            Self::Osv => &[
                "npm",
                "Packagist",
                "PyPI",
                "RubyGems",
                "Bitnami",
                "CRAN",
                "Go",
                "Hackage",
                "Hex",
                "Julia",
                "Maven",
                "NuGet",
                "Pub",
            ],
            Self::Vel => &["component", "module", "plugin", "template", "library", "language", "file", "package"],
            Self::Composer => &["package"],
        }
    }
}

impl fmt::Display for FeedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
