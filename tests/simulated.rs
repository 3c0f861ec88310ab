//! Runs over a simulated site: every step fails in turn and is repeated, restores fail and are repeated, the
//! journal is cut after every entry, once and twice, and seeds choose combinations. The decisions are the
//! program's own. Whatever happens, a run ends in one of the five outcomes, with the site whole or as before,
//! and every row that a visitor was told was accepted.
//!
//! `INTENDANT_CASE=seed:81` or `=turn:81` runs that one case; `INTENDANT_CASES=1000000` tries so many seeds.

#[path = "simulated/case.rs"]
mod case;
#[path = "simulated/judge.rs"]
mod judge;
#[path = "simulated/runner.rs"]
mod runner;
#[path = "simulated/seed.rs"]
mod seed;
#[path = "simulated/shape.rs"]
mod shape;
#[path = "simulated/world.rs"]
mod world;

use case::{Case, How, When};
use intendant::model::Outcome;
use shape::Shape;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The seeds that are tried unless told otherwise.
const SEEDS: u64 = 5_000;
/// The most failing cases that are shown.
const MOST_SHOWN: usize = 5;

/// Runs cases by number on all processors, and counts outcomes. A failing one is told so that it can be run again.
fn run_all(kind: &str, count: u64, case: impl Fn(u64) -> Case + Sync) -> BTreeMap<String, usize> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let work = |worker: u64| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut failed = Vec::new();
        for number in (0..count).filter(|number| number % workers == worker) {
            let case = case(number);
            let judged = catch_unwind(AssertUnwindSafe(|| judge::judged(&case))).unwrap_or(Err("a panic".into()));
            match judged {
                Ok(outcome) => *counts.entry(outcome.to_string()).or_default() += 1,
                Err(why) => failed.push(format!("INTENDANT_CASE={kind}:{number}\n  {why}\n  {case:?}")),
            }
        }
        (counts, failed)
    };
    let parts: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut counts = BTreeMap::new();
    let mut failed = Vec::new();
    for (part, wrong) in parts {
        part.into_iter().for_each(|(outcome, times)| *counts.entry(outcome).or_default() += times);
        failed.extend(wrong);
    }
    let shown = failed.iter().take(MOST_SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} of {count} cases are wrong; each can be run again by\n{shown}", failed.len());
    counts
}

/// The one case that was asked for, of this kind.
fn asked(kind: &str) -> Option<u64> {
    let text = std::env::var("INTENDANT_CASE").ok()?;
    text.strip_prefix(kind)?.strip_prefix(':')?.parse().ok()
}

fn only_another_was_asked() -> bool {
    std::env::var_os("INTENDANT_CASE").is_some()
}

/// Shows what happens in one case, entry by entry.
fn replay(case: Case) {
    let mut run = runner::Run::new(case.clone());
    let ended = run.ended();
    for entry in &run.entries {
        let text = serde_json::to_string(&entry.event).unwrap();
        println!("{:3} {}", entry.sequence, text.chars().take(160).collect::<String>());
    }
    println!("{case:?}\nended: {ended:?}\nsite: {:?}\naccepted: {:?}", run.world.site, run.world.accepted);
    judge::judged(&case).unwrap();
}

fn all_five(counts: &BTreeMap<String, usize>) {
    for outcome in Outcome::ALL {
        assert!(counts.get(outcome.as_str()).is_some_and(|times| *times > 100), "{outcome}: {counts:?}");
    }
}

#[test]
fn each_thing_goes_wrong_in_turn() {
    let cases = case::in_turn();
    if let Some(number) = asked("turn") {
        return replay(cases[usize::try_from(number).unwrap()].clone());
    }
    if only_another_was_asked() {
        return;
    }
    let counts = run_all("turn", cases.len() as u64, |number| cases[usize::try_from(number).unwrap()].clone());
    println!("{} cases in turn: {counts:?}", cases.len());
    all_five(&counts);
}

#[test]
fn seeds_choose_what_goes_wrong() {
    if let Some(seed) = asked("seed") {
        return replay(Case::random(seed));
    }
    if only_another_was_asked() {
        return;
    }
    let seeds = std::env::var("INTENDANT_CASES").map_or(SEEDS, |text| text.parse().unwrap());
    let counts = run_all("seed", seeds, Case::random);
    println!("{seeds} cases by seed: {counts:?}");
    all_five(&counts);
}

#[test]
fn nothing_goes_wrong() {
    assert_eq!(judge::judged(&Case::plain(Shape::FULL)), Ok(Outcome::Completed));
    let held = Shape { held: true, ..Shape::FULL };
    assert_eq!(judge::judged(&Case::plain(held)), Ok(Outcome::CompletedWithHolds));
}

/// Whoever is innocent is updated, whatever the way in which others break the site, and the search is short.
#[test]
fn what_breaks_a_site_is_found_and_the_rest_is_delivered() {
    let shape = Shape { plugins: 6, together: false, languages: false, ..Shape::FULL };
    // Each second plugin needs the one before it: a, b; c, d; e, f.
    let with_dependents = |bits: u8| bits | (bits & 0b01_0101) << 1;
    let mut attempts = Vec::new();
    let mut judge = |case: Case, culprits: u8| {
        let mut run = runner::Run::new(case.clone());
        let outcome = run.ended();
        assert_eq!(outcome, Ok(Outcome::CompletedWithHolds), "{case:?}");
        let missing = shape.before().into_keys().filter(|name| name.contains(':'));
        let missing = missing.filter(|name| matches!(run.world.site.parts[name].as_str(), "1.0" | "6.1.9"));
        let missing: Vec<String> = missing.collect();
        let waits = |number: &usize| with_dependents(culprits) & (1 << number) != 0;
        let expected: Vec<String> =
            (0..6).filter(waits).map(|number| format!("plugin:{}", shape::PLUGINS[number])).collect();
        assert_eq!(missing, expected, "{case:?}");
        attempts.push(run.state.attempts.len());
    };
    let plain = Case { isolate: true, ..Case::plain(shape) };
    for bit in 0..6 {
        judge(Case { hidden: 1 << bit, ..plain.clone() }, 1 << bit);
        judge(Case { veiled: 1 << bit, ..plain.clone() }, 1 << bit);
        for other in 0..bit {
            // The later one of two that don't get along waits.
            judge(Case { pair: 1 << bit | 1 << other, ..plain.clone() }, 1 << bit);
            judge(Case { hidden: 1 << other, breaking: 1 << bit, ..plain.clone() }, 1 << bit | 1 << other);
        }
    }
    attempts.sort_unstable();
    let (middle, most) = (attempts[attempts.len() / 2], attempts[attempts.len() - 1]);
    println!("{} searches among 7 updates: {middle} attempts in the middle, {most} at most", attempts.len());
    assert!(most <= 8, "{attempts:?}");
}

#[test]
fn an_update_in_doubt_is_undone() {
    let steps = Shape::FULL.procedure().steps;
    let update = steps.iter().position(|step| step.name.contains("update plugin")).unwrap();
    // Opened, planned, two entries for each step before; then the update's own.
    let begun = 2 + 2 * update as u64 + 1;
    for when in When::ALL {
        let case = Case { dies: vec![(begun, when)], ..Case::plain(Shape::FULL) };
        assert_eq!(judge::judged(&case), Ok(Outcome::Restored), "{when:?}");
    }
}

#[test]
fn restores_that_fail_are_tried_again_and_then_a_person_is_told() {
    for failing in 0..6 {
        let restores = vec![Some(How::Half); failing];
        let case = Case { stubborn: 0b10, restores, ..Case::plain(Shape::FULL) };
        let wanted = if failing >= 4 { Outcome::Stuck } else { Outcome::Restored };
        assert_eq!(judge::judged(&case), Ok(wanted), "{failing} failing restores");
    }
    let case = Case { stubborn: 0b10, unhealthy: 1, ..Case::plain(Shape::FULL) };
    assert_eq!(judge::judged(&case), Ok(Outcome::Stuck));
}
