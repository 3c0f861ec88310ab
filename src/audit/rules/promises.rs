//! Rules about what was agreed: acceptance, cap, contract, licences, holds, notices, anomalies.

use super::Case;
use crate::audit::finding::{Evidence, Found, count, text, told};
use crate::audit::{Facts, Value};
use crate::intake::Verdict;
use crate::ledger::{Anomaly, Notice};
use crate::model::{ComponentId, HoldReason, Room, SiteName, Version};
use crate::plan::Plan;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whole days of a length of time.
pub(super) fn days(period: crate::model::Period) -> i64 {
    i64::try_from(period.as_secs() / 86_400).unwrap_or(i64::MAX)
}

/// How many days there are from one to the other.
pub(super) fn between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// No intake by which the site was accepted, or one that the journal does not bear out.
pub(super) fn no_intake(case: &Case<'_>) -> Vec<Found> {
    let Some(intake) = &case.plan.intake else {
        return vec![Found::site(vec![told("audit-intake-none", [])])];
    };
    let Some(record) = &intake.record else { return Vec::new() };
    let evidence = match case.known.intakes.get(record) {
        Some(Verdict::Accept | Verdict::AcceptWithConditions) => return Vec::new(),
        Some(Verdict::Refuse) => told("audit-intake-refused", [("record", text(record))]),
        None => told("audit-intake-unknown", [("record", text(record))]),
    };
    vec![Found::site(vec![evidence])]
}

/// How many extensions count, how many are covered, and how these stand to each other.
fn room(case: &Case<'_>) -> Option<(u32, u32, Room)> {
    let (cap, look) = (case.plan.extension_cap()?, case.known.look.as_ref()?);
    let counted = look.inventory.counted();
    Some((counted, cap, Room::of(counted, cap)))
}

/// More extensions than the plan covers.
pub(super) fn over_cap(case: &Case<'_>) -> Vec<Found> {
    let Some((counted, cap, Room::Over)) = room(case) else { return Vec::new() };
    let tier = case.plan.tiers.covering(counted);
    let values = [
        ("count", Value::Count(u64::from(counted))),
        ("cap", Value::Count(u64::from(cap))),
        ("tier", text(tier.as_str())),
    ];
    vec![Found::site(vec![told("audit-cap-over", values)])]
}

/// Nearly as many extensions as the plan covers.
pub(super) fn near_cap(case: &Case<'_>) -> Vec<Found> {
    let Some((counted, cap, Room::Near)) = room(case) else { return Vec::new() };
    let values = [("count", Value::Count(u64::from(counted))), ("cap", Value::Count(u64::from(cap)))];
    vec![Found::site(vec![told("audit-cap-near", values)])]
}

/// The contract is over.
pub(super) fn contract_lapsed(case: &Case<'_>) -> Vec<Found> {
    let over = case.plan.contract.as_ref().and_then(|contract| {
        let until = contract.until.filter(|until| *until < case.today)?;
        Some(told("audit-contract-ended", [("number", text(&contract.number)), ("day", Value::Day(until))]))
    });
    over.map(|evidence| Found::site(vec![evidence])).into_iter().collect()
}

/// The contract ends soon.
pub(super) fn contract_ending(case: &Case<'_>) -> Vec<Found> {
    let contract = case.plan.contract.as_ref().filter(|contract| contract.covers(case.today));
    let Some((contract, until)) = contract.and_then(|contract| Some((contract, contract.until?))) else {
        return Vec::new();
    };
    match between(case.today, until) <= days(case.facts.rules.audit.contracts_end_within) {
        false => Vec::new(),
        true => {
            let values = [("number", text(&contract.number)), ("day", Value::Day(until))];
            vec![Found::site(vec![told("audit-contract-ends", values)])]
        }
    }
}

/// An update that is offered without a package.
pub(super) fn licence_missing(case: &Case<'_>) -> Vec<Found> {
    let holds = case.known.look.iter().flat_map(|look| &look.holds);
    let missing = holds.filter(|hold| matches!(hold.reason, HoldReason::Licence | HoldReason::LicencePool { .. }));
    let one = |hold: &crate::model::Hold| {
        let offered = hold.offered.as_ref().map_or("?", |version| version.as_str());
        let values = [("installed", text(&hold.installed)), ("offered", text(offered))];
        Found::new(&hold.component, vec![told("audit-licence-held", values)])
    };
    missing.map(one).collect()
}

/// A licence from a pool that is over.
pub(super) fn licence_expired(case: &Case<'_>) -> Vec<Found> {
    let pools = &case.facts.rules.pools.pools;
    let over = case.plan.licences.iter().filter_map(|licence| {
        let until = pools.get(&licence.from)?.until.filter(|until| *until < case.today)?;
        let values = [("pool", text(licence.from.as_str())), ("day", Value::Day(until))];
        Some(Found::new(licence.extension.as_str(), vec![told("audit-pool-ended", values)]))
    });
    over.collect()
}

/// A pool from which more sites take than it has licences.
pub(super) fn licence_over_used(facts: &Facts) -> Vec<Found> {
    let over = facts.rules.pools.pools.iter().filter_map(|(pool, licences)| {
        let seats = usize::try_from(licences.seats?).unwrap_or(usize::MAX);
        let takes = |plan: &&Arc<Plan>| plan.licences.iter().any(|licence| licence.from == *pool);
        let taking = facts.plans.values().filter(takes).map(|plan| &plan.site);
        let used = taking.chain(&licences.sites).collect::<BTreeSet<&SiteName>>().len();
        let evidence = told("audit-pool-used", [("count", count(used)), ("seats", count(seats))]);
        (used > seats).then(|| Found::new(pool.as_str(), vec![evidence]))
    });
    over.collect()
}

/// A hold of the plan that is over and stands there still.
pub(super) fn hold_past_end(case: &Case<'_>) -> Vec<Found> {
    let over = case.plan.updates.hold.iter().filter_map(|hold| {
        let until = hold.until.filter(|until| *until < case.today)?;
        let evidence = told("audit-hold-ended", [("day", Value::Day(until)), ("why", text(&hold.why))]);
        Some(Found::new(hold.extension.as_str(), vec![evidence]))
    });
    over.collect()
}

/// The notices of the site without an answer.
fn unanswered<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a Notice> {
    case.facts.notices.iter().filter(|notice| notice.site == *case.site && notice.answer.is_none())
}

fn asked(notice: &Notice, key: &'static str, at: Timestamp) -> Found {
    let (_, to) = notice.about.step();
    let values = [("notice", Value::Count(notice.number)), ("version", text(to)), ("at", Value::Moment(at))];
    Found::new(notice.about.component(), vec![told(key, values)])
}

/// A notice that waits for its answer for long.
pub(super) fn notice_unanswered(case: &Case<'_>) -> Vec<Found> {
    let patience = Span::new().hours(days(case.facts.rules.audit.notices_answered_within).saturating_mul(24));
    let late = |notice: &&Notice| {
        let due = notice.opened.checked_add(patience);
        notice.in_force(case.now()) && due.is_ok_and(|due| due < case.now())
    };
    unanswered(case).filter(late).map(|notice| asked(notice, "audit-notice-waits", notice.opened)).collect()
}

/// A notice that nobody answered in time, about what still waits; nobody asked again.
pub(super) fn notice_expired(case: &Case<'_>) -> Vec<Found> {
    let gone = unanswered(case).filter(|notice| !notice.in_force(case.now()) && still_waits(case, notice));
    gone.map(|notice| asked(notice, "audit-notice-gone", notice.expires.unwrap_or(notice.opened))).collect()
}

fn still_waits(case: &Case<'_>, notice: &Notice) -> bool {
    let (component, (from, _)) = (notice.about.component(), notice.about.step());
    let again =
        case.facts.notices.iter().any(|other| {
            other.site == notice.site && other.number > notice.number && other.about.component() == component
        });
    !again && installed(case, component) == Some(from)
}

/// An anomaly to which the client waits for an answer for long.
pub(super) fn anomaly_unanswered(case: &Case<'_>) -> Vec<Found> {
    let patience = Span::new().hours(days(case.facts.rules.audit.anomalies_answered_within).saturating_mul(24));
    let late = |anomaly: &&Anomaly| {
        let due = anomaly.told.checked_add(patience);
        anomaly.site == *case.site && anomaly.is_open() && due.is_ok_and(|due| due < case.now())
    };
    let found = |anomaly: &Anomaly| {
        let values = [("anomaly", Value::Count(anomaly.number)), ("at", Value::Moment(anomaly.told))];
        Found::new(&anomaly.sighting.url, vec![told("audit-anomaly-waits", values)])
    };
    case.facts.anomalies.iter().filter(late).map(found).collect()
}

/// The version of a component at the last look.
fn installed<'a>(case: &'a Case<'_>, component: &ComponentId) -> Option<&'a Version> {
    let inventory = &case.known.look.as_ref()?.inventory;
    match component.kind.is_core() {
        true => Some(&inventory.core.version),
        false => inventory.extension(component)?.version.as_ref(),
    }
}

/// A sentence with a list of names, the first ones.
pub(super) fn listed(key: &'static str, names: &[String], shown: usize) -> Evidence {
    let first = names.iter().take(shown).cloned().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(shown);
    told(key, [("names", text(first)), ("count", count(names.len())), ("more", count(more))])
}
