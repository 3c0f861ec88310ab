//! Rules about what is installed: vulnerabilities, ends of life, abandoned and modified components, drift.

use super::Case;
use super::promises::{between, days, listed};
use crate::audit::facts::offered;
use crate::audit::finding::{Evidence, Found, count, text, told};
use crate::audit::{Applied, Look, Value};
use crate::inventory::ChecksumState;
use crate::model::{ComponentId, Period};
use crate::vulnerability::{Match, Verdict};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How many vulnerabilities, files or changes of one component are named.
const SHOWN: usize = 5;

/// Known vulnerabilities that apply, by component.
fn open<'a>(case: &'a Case<'_>) -> BTreeMap<&'a ComponentId, Vec<&'a Match>> {
    let mut by_component: BTreeMap<&ComponentId, Vec<&Match>> = BTreeMap::new();
    let matches = case.known.vulnerabilities.iter().flat_map(|known| &known.matches);
    for one in matches.filter(|one| one.applies()) {
        by_component.entry(&one.record.component).or_default().push(one);
    }
    by_component
}

/// Sentences about the first ones, and how many more there are.
fn first(mut evidence: Vec<Evidence>) -> Vec<Evidence> {
    let more = evidence.len().saturating_sub(SHOWN);
    if more > 0 {
        evidence.truncate(SHOWN);
        evidence.push(told("audit-more", [("count", count(more))]));
    }
    evidence
}

/// A component that has known vulnerabilities.
pub(super) fn vulnerable(case: &Case<'_>) -> Vec<Found> {
    let one = |known: &&Match| {
        let name = ("name", text(known.record.name()));
        match &known.verdict {
            Verdict::FixedBy { version } => told("audit-vulnerability-fixed", [name, ("version", text(version))]),
            _ => told("audit-vulnerability-open", [name]),
        }
    };
    let found = open(case).into_iter();
    found.map(|(component, known)| Found::new(component, first(known.iter().map(one).collect()))).collect()
}

/// Seconds from when an update could be applied, and we answered for that, to `until`; none if nobody knows.
fn exposed(case: &Case<'_>, published: Option<Timestamp>, offered: Option<Timestamp>, until: Timestamp) -> Option<u64> {
    let from = published?.max(offered.unwrap_or(Timestamp::MIN)).max(case.since()?);
    u64::try_from(until.as_second().saturating_sub(from.as_second())).ok()
}

/// A security update that is not applied, or was, later than the plan promises.
pub(super) fn security_late(case: &Case<'_>) -> Vec<Found> {
    let (Some(security), Some(look)) = (&case.plan.updates.security, &case.known.look) else { return Vec::new() };
    let mut late: BTreeMap<&ComponentId, Vec<Evidence>> = BTreeMap::new();
    for (component, known) in open(case) {
        let waits = known.iter().filter_map(|known| still_waits(case, look, component, known, security.within));
        let waits: Vec<Evidence> = waits.collect();
        if !waits.is_empty() {
            late.entry(component).or_default().extend(waits.into_iter().chain(held(look, component)));
        }
    }
    for applied in &look.applied {
        let was_late = was_late(case, applied, security.within);
        if !was_late.is_empty() {
            late.entry(&applied.component).or_default().extend(was_late);
        }
    }
    late.into_iter().map(|(component, evidence)| Found::new(component, first(evidence))).collect()
}

/// The sentence, where more seconds have passed than were promised.
fn lateness(key: &'static str, name: &str, seconds: u64, within: Period) -> Option<Evidence> {
    let hours = |seconds: u64| Value::Count(seconds / 3600);
    let promised = ("within", Value::Count(within.as_secs().div_ceil(3600)));
    (seconds > within.as_secs()).then(|| told(key, [("name", text(name)), ("count", hours(seconds)), promised]))
}

fn still_waits(case: &Case<'_>, look: &Look, of: &ComponentId, known: &Match, within: Period) -> Option<Evidence> {
    let Verdict::FixedBy { version } = &known.verdict else { return None };
    let seconds = exposed(case, known.record.published, offered(&look.inventory, of, version), case.now())?;
    lateness("audit-late-open", known.record.name(), seconds, within)
}

/// Why its update waits, as far as the last look says.
fn held(look: &Look, component: &ComponentId) -> Option<Evidence> {
    let hold = look.holds.iter().find(|hold| hold.component == *component)?;
    Some(told("audit-held", [("who", Value::Word(hold.reason.lifter().as_str()))]))
}

fn was_late(case: &Case<'_>, applied: &Applied, within: Period) -> Vec<Evidence> {
    let late = applied.closes.iter().filter_map(|closed| {
        let seconds = exposed(case, closed.published, applied.published, applied.at)?;
        lateness("audit-late-closed", &closed.name, seconds, within)
    });
    late.collect()
}

/// A train and its last day.
struct Train {
    what: String,
    name: String,
    day: Date,
}

fn core_train(case: &Case<'_>) -> Option<Train> {
    let core = &case.known.look.as_ref()?.inventory.core;
    let (name, day) = case.facts.end_of_life.last_day(
        case.plan.cms.as_str(),
        &core.version,
        core.end_of_life.as_ref().and_then(|end| end.date),
    )?;
    Some(Train { what: format!("core {}", core.version), name, day })
}

fn platform_trains(case: &Case<'_>) -> Vec<Train> {
    let parts = case.known.look.iter().flat_map(|look| &look.inventory.platform);
    let train = |(part, version): (&String, &crate::model::Version)| {
        let (name, day) = case.facts.end_of_life.last_day(part, version, None)?;
        Some(Train { what: format!("{part} {version}"), name, day })
    };
    parts.filter_map(train).collect()
}

fn train_found(train: &Train, key: &'static str) -> Found {
    Found::new(&train.what, vec![told(key, [("train", text(&train.name)), ("day", Value::Day(train.day))])])
}

/// A core that nobody mends any more.
pub(super) fn core_end_of_life(case: &Case<'_>) -> Vec<Found> {
    let over = core_train(case).filter(|train| train.day < case.today);
    over.iter().map(|train| train_found(train, "audit-train-ended")).collect()
}

/// A part of the platform, such as PHP, that nobody mends any more.
pub(super) fn platform_end_of_life(case: &Case<'_>) -> Vec<Found> {
    let trains = platform_trains(case);
    let over = trains.iter().filter(|train| train.day < case.today);
    over.map(|train| train_found(train, "audit-train-ended")).collect()
}

/// A core or a part of the platform that will soon not be mended any more.
pub(super) fn end_of_life_near(case: &Case<'_>) -> Vec<Found> {
    let within = days(case.facts.rules.audit.end_of_life_within);
    let near = |train: &Train| (0..=within).contains(&between(case.today, train.day));
    let trains = core_train(case).into_iter().chain(platform_trains(case));
    trains.filter(near).map(|train| train_found(&train, "audit-train-ends")).collect()
}

/// An extension that its author gave up.
pub(super) fn abandoned(case: &Case<'_>) -> Vec<Found> {
    let extensions = case.known.look.iter().flat_map(|look| &look.inventory.extensions);
    let gone = extensions.filter_map(|extension| {
        let why = extension.abandoned.as_ref()?;
        Some(Found::new(&extension.id, vec![told("audit-why", [("why", text(why))])]))
    });
    gone.collect()
}

/// A component whose files are not the published ones, or not those that we left.
pub(super) fn modified(case: &Case<'_>) -> Vec<Found> {
    let checksums = case.known.look.iter().flat_map(|look| &look.inventory.checksums);
    let modified = checksums.filter(|(_, checksum)| checksum.state == ChecksumState::Modified);
    modified.map(|(component, sum)| Found::new(component, vec![listed("audit-files", &sum.files, 3)])).collect()
}

/// What somebody else changed, and nobody took note of.
pub(super) fn drift(case: &Case<'_>) -> Vec<Found> {
    let Some((look, found)) = case.known.look.as_ref().and_then(|look| Some((look, look.drift.as_ref()?))) else {
        return Vec::new();
    };
    let accepted = |mark| {
        let since = found.reference.clone().is_some_and(|compared| case.known.accepted.contains(&(compared, mark)));
        found.accepted.contains_key(&mark) || since
    };
    let open: Vec<_> = found.drifts.iter().filter(|drift| !accepted(drift.mark)).collect();
    let unnamed = found.count.saturating_sub(found.drifts.len() as u64);
    let all = unnamed + open.len() as u64;
    if all == 0 {
        return Vec::new();
    }
    let at = Value::Moment(look.run.unwrap_or(look.at));
    let seen = told("audit-drift", [("count", Value::Count(all)), ("at", at)]);
    let named = open.iter().take(SHOWN).map(|drift| {
        let change = match (&drift.from, &drift.to) {
            (Some(from), Some(to)) => format!("{} ({from} → {to})", drift.subject),
            (Some(one), None) | (None, Some(one)) => format!("{} ({one})", drift.subject),
            (None, None) => drift.subject.clone(),
        };
        told("audit-drift-change", [("kind", Value::Word(drift.kind.as_str())), ("subject", text(&change))])
    });
    vec![Found::site(std::iter::once(seen).chain(named).collect())]
}
