//! Rules about snapshots: whether there are any, whether they are new, whole, and proven to come back.

use super::Case;
use crate::audit::finding::{Found, text, told};
use crate::audit::{Backup, Value};
use crate::journal::{Rehearsal, RehearsalResult};
use crate::model::Period;
use jiff::Timestamp;

/// The snapshots of a site that was seen; none where the store was not read.
fn backups<'a>(case: &'a Case<'_>) -> Option<&'a [Backup]> {
    case.known.backups.as_deref().filter(|_| case.known.was_seen())
}

fn is_within(case: &Case<'_>, at: Timestamp, within: Period) -> bool {
    case.now().as_second() - at.as_second() <= i64::try_from(within.as_secs()).unwrap_or(i64::MAX)
}

/// No snapshot at all.
pub(super) fn no_backup(case: &Case<'_>) -> Vec<Found> {
    match backups(case) {
        Some([]) => vec![Found::site(vec![told("audit-backup-none", [])])],
        _ => Vec::new(),
    }
}

/// The newest snapshot is old.
pub(super) fn backup_old(case: &Case<'_>) -> Vec<Found> {
    let newest = backups(case).and_then(<[Backup]>::last);
    let old = newest.filter(|one| !is_within(case, one.taken, case.facts.rules.audit.backups_within));
    let found = old.map(|one| told("audit-backup-newest", [("at", Value::Moment(one.taken))]));
    found.map(|evidence| Found::site(vec![evidence])).into_iter().collect()
}

/// The newest snapshot is new, and no new one is known to be whole.
pub(super) fn backup_unverified(case: &Case<'_>) -> Vec<Found> {
    let within = case.facts.rules.audit.backups_within;
    let Some(all) = backups(case) else { return Vec::new() };
    let Some(newest) = all.last().filter(|one| is_within(case, one.taken, within)) else { return Vec::new() };
    let proven = |one: &Backup| {
        let rehearsed =
            |rehearsal: &Rehearsal| rehearsal.snapshot == one.name && rehearsal.result == RehearsalResult::Proven;
        case.known.verified.contains(&one.name) || case.known.rehearsals.iter().any(rehearsed)
    };
    let verified = all.iter().rev().find(|one| proven(one));
    if verified.is_some_and(|one| is_within(case, one.taken, within)) {
        return Vec::new();
    }
    let newest = told("audit-backup-newest", [("at", Value::Moment(newest.taken))]);
    let verified = match verified {
        Some(one) => told("audit-backup-verified", [("at", Value::Moment(one.taken))]),
        None => told("audit-backup-never-verified", []),
    };
    vec![Found::site(vec![newest, verified])]
}

/// No restore was proven, none for long, or the last rehearsal failed.
pub(super) fn restore_unproven(case: &Case<'_>) -> Vec<Found> {
    if backups(case).is_none_or(<[Backup]>::is_empty) {
        return Vec::new();
    }
    let rehearsals = &case.known.rehearsals;
    let evidence = match (rehearsals.first(), Rehearsal::last_proven(rehearsals)) {
        (None, _) => told("audit-never-rehearsed", []),
        (Some(last), _) if last.result == RehearsalResult::NotProven => {
            told("audit-rehearsal-failed", [("at", Value::Moment(last.began)), ("snapshot", text(&last.snapshot))])
        }
        (Some(_), Some(proven)) if is_within(case, proven.began, case.facts.rules.audit.rehearsals_within) => {
            return Vec::new();
        }
        (Some(last), proven) => told("audit-rehearsal-old", [("at", Value::Moment(proven.unwrap_or(last).began))]),
    };
    vec![Found::site(vec![evidence])]
}
