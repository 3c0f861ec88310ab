//! Semantic Versioning 2.0.0, as packages of npm have it. Numbers that are left out are zeros, and a `v` before them
//! counts for nothing: `v1.2` is `1.2.0`.
//!
//! May use: nothing. Invariants: a total order; what follows a plus sign is about the build and orders nothing; what is no
//! such version comes before all that are.

use semver::Version;
use std::cmp::Ordering;

/// The order of two versions.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (read(a), read(b)) {
        (Some(a), Some(b)) => a.cmp_precedence(&b),
        (None, None) => a.cmp(b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Whether it comes before its release.
pub(super) fn is_special(version: &str) -> bool {
    read(version).is_some_and(|version| !version.pre.is_empty())
}

/// The three numbers.
pub(super) fn parts(version: &str) -> Vec<String> {
    match read(version) {
        Some(version) => [version.major, version.minor, version.patch].map(|number| number.to_string()).into(),
        None => vec![version.to_owned()],
    }
}

fn read(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let missing = 3_usize.checked_sub(numbers.split('.').count())?;
    Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(missing))).ok()
}
