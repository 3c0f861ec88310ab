//! Where a run left its site, for each way in which a run can end.

use super::*;
use crate::journal::{Opened, PlanExtract, Planned, SnapshotRecord, StepFailure, StepResult, StepState, Unwind};
use crate::procedure::{FORMAT, Procedure, Step};
use jiff::Timestamp;

const BEFORE: Action = Action::Snapshot { moment: SnapshotMoment::Before };
const AFTER: Action = Action::Snapshot { moment: SnapshotMoment::After };

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// All of it was done.
    Kept,
    /// It failed before it took a snapshot.
    Early,
    /// It was put back, and the site was good then.
    Undone,
    /// It was put back, and nobody knows whether the site is good.
    Lost,
    /// The host put it back by itself.
    Healed,
}

/// An attempt whose snapshots are `before-NUMBER` and `after-NUMBER`; one that updates nothing takes no second one.
fn attempt(number: u32, updates: bool, end: End) -> AttemptState {
    let mut actions = vec![Action::Lock, BEFORE];
    actions.extend(updates.then_some(AFTER));
    actions.push(Action::Unlock);
    let step = |action: &Action| Step { name: "step".into(), action: action.clone() };
    let procedure = Procedure {
        format: FORMAT,
        site: SiteName::new("shop").unwrap(),
        cms: "nanocms".into(),
        playbook: Digest::of(b""),
        updates: Vec::new(),
        holds: Vec::new(),
        checks: Vec::new(),
        maintenance_files: Vec::new(),
        waiting: None,
        steps: actions.iter().map(step).collect(),
    };
    let digest = procedure.digest();
    let state = |action: &Action| match (action, end) {
        (Action::Lock, _) => StepState::Done(Box::new(StepResult::Done)),
        (_, End::Early) => StepState::Waiting,
        (Action::Snapshot { moment: SnapshotMoment::Before }, _) => taken_as(&format!("before-{number}")),
        (_, End::Undone | End::Lost | End::Healed) => failed(),
        (Action::Snapshot { .. }, _) => taken_as(&format!("after-{number}")),
        _ => StepState::Done(Box::new(StepResult::Done)),
    };
    let unwind = |checked| Unwind { restored: true, checked, ..Unwind::default() };
    AttemptState {
        steps: actions.iter().map(state).collect(),
        planned: Planned { attempt: number, inventory: None, drift: None, procedure, digest },
        unwind: match end {
            End::Undone => Some(unwind(Some(true))),
            End::Lost => Some(unwind(None)),
            _ => None,
        },
        healed: (end == End::Healed).then(|| "the host put it back".to_owned()),
        overwritten_by_host: Vec::new(),
        planned_at: Timestamp::UNIX_EPOCH,
    }
}

fn taken_as(name: &str) -> StepState {
    let snapshot = SnapshotRecord {
        name: name.into(),
        id: Digest::of(name.as_bytes()),
        files: 1,
        bytes: 1,
        objects: 0,
        stored_bytes: 1,
        changed: Vec::new(),
        changed_count: 0,
    };
    StepState::Done(Box::new(StepResult::Snapshot { snapshot }))
}

fn failed() -> StepState {
    StepState::Failed(Box::new(StepFailure {
        why: "no".into(),
        claim: None,
        results: Vec::new(),
        blamed: None,
        sign: None,
    }))
}

fn past(attempts: Vec<AttemptState>, outcome: Option<Outcome>) -> Past {
    let closed = outcome.map(|outcome| (outcome, String::new()));
    Past { state: RunState { attempts, closed, ..RunState::default() }, entries: Vec::new() }
}

fn left(attempts: Vec<AttemptState>, outcome: Outcome) -> Option<String> {
    let left = past(attempts, Some(outcome)).left()?;
    assert_eq!(left.rest, None, "only a restore that was asked for leaves a part");
    Some(left.snapshot)
}

#[test]
fn a_completed_run_left_the_site_as_its_last_good_attempt_did() {
    use End::{Early, Healed, Kept, Lost, Undone};
    for (attempts, expected) in [
        (vec![attempt(1, true, Kept)], "after-1"),
        // With nothing to update there is no second snapshot: the site is as it was found.
        (vec![attempt(1, false, Kept)], "before-1"),
        (vec![attempt(1, true, Undone), attempt(2, true, Kept)], "after-2"),
        (vec![attempt(1, true, Undone), attempt(2, false, Kept)], "before-2"),
        (vec![attempt(1, true, Kept), attempt(2, true, Undone)], "before-2"),
        (vec![attempt(1, true, Kept), attempt(2, true, Healed)], "before-2"),
        // What failed before it touched anything left the site as the attempt before it did.
        (vec![attempt(1, true, Kept), attempt(2, true, Early)], "after-1"),
        (vec![attempt(1, true, Undone), attempt(2, true, Early)], "before-1"),
        (vec![attempt(1, true, Lost)], "before-1"),
    ] {
        for outcome in [Outcome::Completed, Outcome::CompletedWithHolds] {
            assert_eq!(left(attempts.clone(), outcome).as_deref(), Some(expected));
        }
    }
    assert_eq!(left(vec![attempt(1, true, Early)], Outcome::Completed), None, "no snapshot, nothing known");
    assert_eq!(left(Vec::new(), Outcome::Completed), None);
}

#[test]
fn a_run_that_is_stuck_is_known_by_how_it_began_and_others_by_nothing() {
    let both = || vec![attempt(1, true, End::Kept), attempt(2, true, End::Lost)];
    assert_eq!(left(both(), Outcome::Stuck).as_deref(), Some("before-2"));
    assert_eq!(left(vec![attempt(1, true, End::Early)], Outcome::Stuck), None);
    assert_eq!(left(Vec::new(), Outcome::Stuck), None);
    assert_eq!(left(both(), Outcome::Refused), None, "it changed nothing");
    assert!(past(both(), None).left().is_none(), "it is not over");
}

/// The entries of restores: of which snapshot, and what it overwrote where it was done.
fn restores(told: &[(&str, Option<&str>)]) -> Vec<Entry> {
    let mut events = Vec::new();
    for (snapshot, overwritten) in told {
        events.push(Event::RestoreBegun { snapshot: (*snapshot).into(), attempt: 1 });
        events.push(match overwritten {
            Some(overwritten) => Event::RestoreDone {
                overwritten: (*overwritten).into(),
                undone: Vec::new(),
                undone_count: 1,
                suspects_changed: Vec::new(),
                bytes_sent: 0,
                left: Vec::new(),
                rows: None,
            },
            None => Event::RestoreFailed { why: "no room".into() },
        });
    }
    let entry = |(place, event)| Entry { sequence: place as u64 + 1, at: Timestamp::UNIX_EPOCH, event };
    events.into_iter().enumerate().map(entry).collect()
}

fn restored(told: &[(&str, Option<&str>)], only: Option<&[&str]>) -> Option<Left> {
    let mut past = past(vec![attempt(1, true, End::Undone)], Some(Outcome::Restored));
    past.entries = restores(told);
    past.state.opened = only.map(|only| {
        let only = only.iter().map(|text| (*text).to_owned()).collect();
        opened(Purpose::Restore { snapshot: "asked".into(), only, exact: false, anomaly: None })
    });
    past.left()
}

fn opened(purpose: Purpose) -> Opened {
    let plan = PlanExtract {
        digest: Digest::of(b""),
        client: "Shop".into(),
        language: "en".into(),
        tier: "base".into(),
        cap: None,
        url: "https://shop.example/".into(),
        zone: "UTC".into(),
    };
    Opened {
        site: SiteName::new("shop").unwrap(),
        purpose,
        any_time: false,
        by: "somebody".into(),
        program: "1".into(),
        plan,
        accept_modified: Vec::new(),
    }
}

#[test]
fn a_restored_site_is_as_the_last_restore_that_was_done_put_it() {
    let of = |told: &[(&str, Option<&str>)], only: Option<&[&str]>| restored(told, only).map(|left| left.snapshot);
    assert_eq!(of(&[("a", Some("x"))], None).as_deref(), Some("a"));
    assert_eq!(of(&[("a", None), ("a", Some("x"))], None).as_deref(), Some("a"));
    assert_eq!(of(&[("a", Some("x")), ("b", Some("y"))], None).as_deref(), Some("b"));
    assert_eq!(of(&[("a", Some("x")), ("b", None)], None).as_deref(), Some("a"));
    assert_eq!(of(&[("a", None)], None), None, "nothing was put back");
    assert_eq!(of(&[], None), None);
}

#[test]
fn what_a_restore_of_a_part_left_alone_is_known_by_what_it_overwrote() {
    let told = [("asked", Some("overwritten"))];
    let whole = restored(&told, Some(&[])).unwrap();
    assert_eq!((whole.snapshot.as_str(), whole.rest), ("asked", None));
    let part = restored(&told, Some(&["wp-content/plugins/akismet", "table:wp_posts"])).unwrap();
    let (rest, limits) = part.rest.unwrap();
    assert_eq!((part.snapshot.as_str(), rest.as_str(), limits.len()), ("asked", "overwritten", 2));
    assert!(matches!(&limits[..], [Only::Path(_), Only::Object(_)]), "{limits:?}");
    assert!(restored(&told, Some(&["../outside"])).is_none(), "a limit that can't be read says nothing");
}
