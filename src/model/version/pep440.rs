//! Versions of Python packages, as PEP 440 orders them.
//!
//! May use: nothing. Invariants: a total order; what is no such version comes before all that are.

use regex::Regex;
use std::cmp::Ordering;
use std::sync::LazyLock;

#[expect(clippy::expect_used, reason = "the pattern is a constant, and a test compiles it")]
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)^ v? (?:(?<epoch>[0-9]+)!)? (?<release>[0-9]+(?:\.[0-9]+)*)
        (?:[-_.]? (?<pre>alpha|a|beta|b|preview|pre|c|rc) [-_.]? (?<pre_n>[0-9]+)? )?
        (?<post> -(?<post_n1>[0-9]+) | [-_.]? (?:post|rev|r) [-_.]? (?<post_n2>[0-9]+)? )?
        (?<dev> [-_.]? dev [-_.]? (?<dev_n>[0-9]+)? )?
        (?: \+ (?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*) )? $";
    Regex::new(pattern).expect("a constant pattern")
});

/// A number of any length: the digits without leading zeros, the longer ones being larger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Number(usize, String);

impl Number {
    fn new(digits: &str) -> Self {
        let digits = digits.trim_start_matches('0');
        Self(digits.len(), digits.to_owned())
    }
}

/// Alpha, beta, or candidate.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    /// Only `dev`, which comes before every alpha.
    OnlyDev,
    Alpha(Number),
    Beta(Number),
    Candidate(Number),
    /// A release, or what follows one.
    Final,
}

/// `dev` comes before what it leads to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dev {
    Of(Number),
    Not,
}

/// A part of a local version: words come before numbers.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Word(String),
    Number(Number),
}

/// All that decides, in the order in which it does.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    epoch: Number,
    release: Vec<Number>,
    pre: Pre,
    post: Option<Number>,
    dev: Dev,
    local: Option<Vec<Local>>,
}

/// The order of two versions.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (key(a), key(b)) {
        (None, None) => a.cmp(b),
        (a, b) => a.cmp(&b),
    }
}

/// Whether it comes before its release.
pub(super) fn is_special(version: &str) -> bool {
    key(version).is_some_and(|key| key.pre != Pre::Final || key.dev != Dev::Not)
}

/// The numbers of the release, after the epoch.
pub(super) fn parts(version: &str) -> Vec<String> {
    let Some(found) = VERSION.captures(version) else {
        return vec![version.to_owned()];
    };
    let release = found.name("release").map_or("", |part| part.as_str());
    let epoch = found.name("epoch").map(|part| format!("{}!", part.as_str())).unwrap_or_default();
    let mut parts: Vec<String> = release.split('.').map(|digits| Number::new(digits).1).collect();
    if let Some(first) = parts.first_mut() {
        first.insert_str(0, &epoch);
    }
    parts
}

fn key(version: &str) -> Option<Key> {
    let found = VERSION.captures(version)?;
    let text = |name: &str| found.name(name).map(|part| part.as_str());
    let number = |name: &str| Number::new(text(name).unwrap_or("0"));
    let mut release: Vec<Number> = text("release")?.split('.').map(Number::new).collect();
    while release.last().is_some_and(|number| number.0 == 0) {
        release.pop();
    }
    let post = text("post").map(|_| text("post_n1").or(text("post_n2")).map_or(Number::new("0"), Number::new));
    let dev = text("dev").map_or(Dev::Not, |_| Dev::Of(number("dev_n")));
    let pre = match text("pre").map(str::to_ascii_lowercase).as_deref() {
        Some("a" | "alpha") => Pre::Alpha(number("pre_n")),
        Some("b" | "beta") => Pre::Beta(number("pre_n")),
        Some(_) => Pre::Candidate(number("pre_n")),
        None if post.is_none() && dev != Dev::Not => Pre::OnlyDev,
        None => Pre::Final,
    };
    let part = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Local::Number(Number::new(text)),
        false => Local::Word(text.to_ascii_lowercase()),
    };
    let local = text("local").map(|local| local.split(['-', '_', '.']).map(part).collect());
    Some(Key { epoch: number("epoch"), release, pre, post, dev, local })
}
