//! Versions as Composer orders them: made normal (`VersionParser::normalize` of composer/semver), then compared as
//! PHP does. `8.x-1.2`, as Drupal's own site writes what Composer calls `1.2.0`, is the latter.
//!
//! May use: `php`. Invariants: agrees with composer/semver on what that can read; what it can't read is compared as
//! it stands. Branches (`dev-main`) come before every number, so a range without a lower end holds them.

use super::php;
use regex::Regex;
use std::cmp::Ordering;
use std::sync::LazyLock;

/// What may follow the numbers: a stability with its number, and `dev`.
const MODIFIER: &str = r"[._-]?(?:(stable|beta|b|RC|alpha|a|patch|pl|p)((?:[.-]?\d+)*)?)?([.-]?dev)?";

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static CLASSICAL: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?i)^v?(\d{{1,5}})(\.\d+)?(\.\d+)?(\.\d+)?{MODIFIER}$")));
static DATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(?i)^v?(\d{{4}}(?:[.:-]?\d{{2}}){{1,6}}(?:[.:-]?\d{{1,3}}){{0,2}}){MODIFIER}$"))
});
static BRANCH: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^v?(\d+)(\.(?:\d+|[x*]))?(\.(?:\d+|[x*]))?(\.(?:\d+|[x*]))?[.-]?dev$"));
static FOR_CORE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d+\.x-(\d.*)$"));

/// The order of two versions.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    php::compare(&normal(a), &normal(b))
}

/// The parts of the normal form.
pub(super) fn parts(version: &str) -> Vec<String> {
    php::parts(&normal(version))
}

fn normal(version: &str) -> String {
    let version = FOR_CORE.captures(version).and_then(|found| found.get(1)).map_or(version, |rest| rest.as_str());
    if matches!(version, "master" | "trunk" | "default") {
        return format!("dev-{version}");
    }
    if version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("dev-")) {
        return format!("dev-{}", &version[4..]);
    }
    // What follows a plus sign is about the build.
    let build = version.split_once('+').filter(|(version, build)| !version.is_empty() && !build.is_empty());
    let bare = build.map_or(version, |(version, _)| version);
    numbered(bare).or_else(|| branch(bare)).unwrap_or_else(|| version.to_owned())
}

fn numbered(version: &str) -> Option<String> {
    let (found, numbers, modifier) = match CLASSICAL.captures(version) {
        Some(found) => {
            let part = |index: usize, default: &'static str| found.get(index).map_or(default, |part| part.as_str());
            let numbers = [part(1, "0"), part(2, ".0"), part(3, ".0"), part(4, ".0")].concat();
            (found, numbers, 5)
        }
        None => {
            let found = DATED.captures(version)?;
            let numbers = found.get(1)?.as_str().replace(|c: char| !c.is_ascii_digit(), ".");
            (found, numbers, 2)
        }
    };
    let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
    let mut normal = numbers;
    match part(modifier) {
        "stable" => return Some(normal),
        "" => {}
        stability => {
            let number = part(modifier + 1).trim_start_matches(['.', '-']);
            normal.push_str(&format!("-{}{number}", expanded(stability)));
        }
    }
    if !part(modifier + 2).is_empty() {
        normal.push_str("-dev");
    }
    Some(normal)
}

/// The whole word of a stability.
fn expanded(stability: &str) -> String {
    match stability.to_ascii_lowercase().as_str() {
        "a" => "alpha".into(),
        "b" => "beta".into(),
        "p" | "pl" => "patch".into(),
        "rc" => "RC".into(),
        other => other.to_owned(),
    }
}

/// `1.x-dev`: a branch of numbers comes after all that it holds.
fn branch(version: &str) -> Option<String> {
    const ANY: &str = ".9999999";
    let found = BRANCH.captures(version)?;
    let first = found.get(1)?.as_str();
    let rest = (2..5).map(|index| match found.get(index).map(|part| part.as_str()) {
        Some(part) if part.ends_with(|c: char| c.is_ascii_digit()) => part,
        _ => ANY,
    });
    Some(format!("{first}{}-dev", rest.collect::<String>()))
}
