//! Typed reasons in words: why an update waits, why a run did not begin, why a check failed.
//!
//! May use: `words`, and the types of the reasons. Invariant: every variant has its own text in
//! every language; texts from a site enter through `outside` only.

use super::words::{Args, Words, outside, own};
use crate::check::{FailureKind, Reason};
use crate::model::{HoldReason, Kind, LicenceProblem, Lifter};
use crate::update::Refusal;
use fluent_templates::fluent_bundle::FluentValue;
use serde::Serialize;

/// How many files stand in the text about modified files.
const FILES_SHOWN: usize = 3;

/// The kebab-case name of a value, by which a message selects.
pub(super) fn name_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Who can lift a hold on a component of this kind.
pub(super) fn lifter(words: &Words, lifter: Lifter, kind: &Kind) -> String {
    words.tell("lifter", &[("who", own(who(lifter, kind)))])
}

/// By what a message about who acts selects: a core is no extension, and so has no author of one.
pub(super) fn who(lifter: Lifter, kind: &Kind) -> &'static str {
    match lifter {
        Lifter::Vendor if kind.is_core() => "publisher",
        lifter => lifter.as_str(),
    }
}

/// The name of a tier.
pub(super) fn tier(words: &Words, tier: &str) -> String {
    words.tell("plan-line", &[("tier", outside(tier))])
}

/// Why an update waits; `notice` is the number of the notice that asks for an answer.
pub(super) fn hold(words: &Words, reason: &HoldReason, notice: Option<u64>) -> String {
    let tell = |key: &str, args: &Args<'_>| words.tell(key, args);
    match reason {
        HoldReason::Policy { key, allows } => {
            tell("hold-policy", &[("key", outside(key)), ("allows", outside(allows))])
        }
        HoldReason::Approval => match notice {
            Some(notice) => tell("hold-approval-notice", &[("notice", own(notice.to_string()))]),
            None => tell("hold-approval", &[]),
        },
        HoldReason::Declined { .. } => tell("hold-declined", &[]),
        HoldReason::Manual { what, .. } => tell("hold-manual", &[("what", sentence(what))]),
        HoldReason::Special => tell("hold-special", &[]),
        HoldReason::Immune { .. } => tell("hold-immune", &[]),
        HoldReason::Reported { anomaly, until } => {
            let args = [("anomaly", own(anomaly.to_string())), ("until", own(words.day(*until)))];
            tell("hold-reported", &args)
        }
        HoldReason::NextWindow => tell("hold-next-window", &[]),
        HoldReason::Lapsed { until } => tell("hold-lapsed", &[("until", own(words.day(*until)))]),
        HoldReason::Postponed => tell("hold-postponed", &[]),
        HoldReason::Planned { why, until: None } => tell("hold-planned", &[("why", sentence(why))]),
        HoldReason::Planned { why, until: Some(until) } => {
            tell("hold-planned-until", &[("why", sentence(why)), ("until", own(words.day(*until)))])
        }
        HoldReason::Platform { part, needs, has } => {
            let part = ("part", own(part_name(part)));
            let needs = ("needs", outside(needs.as_str()));
            match has {
                Some(has) => tell("hold-platform", &[part, needs, ("has", outside(has.as_str()))]),
                None => tell("hold-platform-unknown", &[part, needs]),
            }
        }
        HoldReason::Core { needs, has } => {
            tell("hold-core", &[("needs", outside(needs.as_str())), ("has", outside(has.as_str()))])
        }
        HoldReason::Dependency { on } => tell("hold-dependency", &[("on", outside(on))]),
        HoldReason::With { other } => tell("hold-with", &[("other", outside(other.slug.as_str()))]),
        HoldReason::Licence => tell("hold-licence", &[]),
        HoldReason::LicencePool { problem, .. } => licence(words, problem),
        HoldReason::Modified { files } => modified(words, files),
        HoldReason::OutsidePlan { tier: wanted } => {
            tell("hold-outside-plan", &[("tier", own(tier(words, &wanted.to_string())))])
        }
        HoldReason::TooYoung { from } => tell("hold-too-young", &[("from", own(words.day(*from)))]),
        HoldReason::Unusable { why } => tell("hold-unusable", &[("why", sentence(why))]),
        HoldReason::NotWritable { path } => tell("hold-not-writable", &[("path", outside(path))]),
        HoldReason::Failed { .. } => tell("hold-failed", &[]),
    }
}

/// Why a pool gives no licence. What a pool is called, and where its key is, is no affair of clients.
fn licence(words: &Words, problem: &LicenceProblem) -> String {
    match problem {
        LicenceProblem::Ended { until } => words.tell("hold-licence-ended", &[("until", own(words.day(*until)))]),
        LicenceProblem::OverUsed { .. } => words.say("hold-licence-over-used"),
        LicenceProblem::Full { .. } => words.say("hold-licence-full"),
        LicenceProblem::Unknown | LicenceProblem::NoSeat => words.say("hold-licence-no-seat"),
        LicenceProblem::ByHand => words.say("hold-licence-by-hand"),
        LicenceProblem::Key { .. } => words.say("hold-licence-key"),
        LicenceProblem::Refused { .. } => words.say("hold-licence-refused"),
    }
}

fn modified(words: &Words, files: &[String]) -> String {
    if files.is_empty() {
        return words.say("hold-modified-unknown");
    }
    let count = files.len() as f64;
    let shown = own(words.number(files.len() as u64));
    let named = files.iter().take(FILES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    words.tell("hold-modified", &[("count", FluentValue::from(count)), ("shown", shown), ("files", outside(&named))])
}

/// A part of a sentence of ours: without a full stop of its own.
fn sentence(text: &str) -> FluentValue<'static> {
    outside(text.trim_end_matches(['.', ' ', '\n']))
}

/// What a platform part is called by everybody.
pub(super) fn part_name(part: &str) -> String {
    match part {
        "php" => "PHP".into(),
        "mysql" => "MySQL".into(),
        "mariadb" => "MariaDB".into(),
        "python" => "Python".into(),
        "django" => "Django".into(),
        "postgresql" => "PostgreSQL".into(),
        "sqlite" => "SQLite".into(),
        other => crate::model::clean_line(other, 40),
    }
}

/// Why a run did not begin.
fn refusal(words: &Words, refusal: &Refusal) -> String {
    let tell = |key: &str, args: &Args<'_>| words.tell(key, args);
    match refusal {
        Refusal::NoWindow { next: None } => tell("refusal-no-window", &[]),
        Refusal::NoWindow { next: Some(next) } => tell("refusal-no-window-next", &[("next", own(words.moment(*next)))]),
        Refusal::Blackout { until, why } => {
            tell("refusal-blackout", &[("until", own(words.day(*until))), ("why", sentence(why))])
        }
        Refusal::Contract { number, until: Some(until) } => {
            tell("refusal-contract-ended", &[("number", outside(number)), ("until", own(words.day(*until)))])
        }
        Refusal::Contract { number, until: None } => tell("refusal-contract-not-begun", &[("number", outside(number))]),
        Refusal::OverCap { extensions, cap, tier: wanted } => {
            let number = |number: u32| own(words.number(u64::from(number)));
            let wanted = own(tier(words, &wanted.to_string()));
            tell("refusal-over-cap", &[("extensions", number(*extensions)), ("cap", number(*cap)), ("tier", wanted)])
        }
        Refusal::SourceDown { source, .. } => tell("refusal-source-down", &[("source", outside(service(source)))]),
        Refusal::Busy { what, since: None, .. } => tell("refusal-busy", &[("what", sentence(what))]),
        Refusal::Busy { what, since: Some(since), .. } => {
            tell("refusal-busy-since", &[("what", sentence(what)), ("since", own(words.moment(*since)))])
        }
        Refusal::Drift { unknown: Some(_), .. } => tell("refusal-drift-unknown", &[]),
        Refusal::Drift { count, .. } => words.count("refusal-drift", *count),
        Refusal::Unsupported { why } => tell("refusal-unsupported", &[("why", sentence(why))]),
        Refusal::Failed { .. } => tell("refusal-failed", &[]),
    }
}

/// Where a service of updates is. What playbooks call one (`core at api.wordpress.org`) begins with what it offers.
fn service(source: &str) -> &str {
    source.rsplit_once(" at ").map_or(source, |(_, place)| place)
}

/// Why a run did not begin, each reason once: services at one place are one.
pub(super) fn refusals(words: &Words, all: &[Refusal]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for text in all.iter().map(|one| refusal(words, one)) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told
}

/// Whether a later window can do better without anybody's help.
pub(super) fn passes_by_itself(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::NoWindow { .. } | Refusal::Blackout { .. } | Refusal::SourceDown { .. })
}

/// Why a check failed.
pub(super) fn check(words: &Words, reason: &Reason) -> String {
    let tell = |key: &str, args: &Args<'_>| words.tell(key, args);
    match reason {
        Reason::NoAnswer(failure) => no_answer(words, failure.kind),
        Reason::Status { got, .. } if *got >= 500 => tell("reason-server-error", &[("got", number(*got))]),
        Reason::Status { before: Some(before), got, .. } if before != got => {
            tell("reason-status-before", &[("got", number(*got)), ("before", number(*before))])
        }
        Reason::Status { got, .. } => tell("reason-status", &[("got", number(*got))]),
        Reason::Missing { text } => tell("reason-missing", &[("text", outside(text))]),
        Reason::Forbidden { text, .. } => tell("reason-forbidden", &[("text", outside(text))]),
        Reason::EndsElsewhere { expected, got } => {
            tell("reason-ends-elsewhere", &[("expected", outside(expected)), ("got", outside(got))])
        }
        Reason::Moved { before, got } => tell("reason-moved", &[("before", outside(before)), ("got", outside(got))]),
        Reason::Slow { limit_ms, took_ms } => {
            let args = [("limit", own(words.duration(*limit_ms))), ("took", own(words.duration(*took_ms)))];
            tell("reason-slow", &args)
        }
        Reason::Empty => tell("reason-empty", &[]),
        Reason::Shrunk { before, got, .. } => {
            tell("reason-shrunk", &[("before", own(words.bytes(*before))), ("got", own(words.bytes(*got)))])
        }
        Reason::CutShort => tell("reason-cut-short", &[]),
        Reason::HiddenByCache(inner) => tell("reason-hidden", &[("reason", own(check(words, inner)))]),
        Reason::Stopped { .. } => tell("reason-stopped", &[]),
        Reason::Exit { got, .. } => tell("reason-exit", &[("got", own(got.to_string()))]),
        Reason::Printed { .. } => tell("reason-printed", &[]),
        Reason::FatalLogged { count, .. } => words.count("reason-fatal", u64::from(*count)),
    }
}

fn no_answer(words: &Words, kind: FailureKind) -> String {
    words.tell("reason-no-answer", &[("failure", own(name_of(&kind)))])
}

fn number(status: u16) -> FluentValue<'static> {
    own(status.to_string())
}
