//! Twelve plugins with updates of which two break the site, one by itself and one only together with another: the
//! culprits are found and left out, and the rest is delivered.

use crate::support::{Environment, Testbed};
use serde_json::Value;
use std::time::Instant;

/// What breaks the site by itself, and the later one of the two that don't get along.
const CULPRITS: [&str; 2] = ["tb-many-04", "tb-many-09"];

/// Runs with each update that there is, and asserts who is updated and who is blamed.
fn searched(way: &str) {
    let bed = Testbed::up(&["--plain"]);
    bed.offer(&["core", "none"]);
    bed.many(way);
    let checks = "checks:\n  - { http: / }\n  - { command: [wp, option, get, tb_many_probe], equals: fine }\n";
    let shop = Environment::new(&bed, &format!("on-failure: isolate\n{checks}"));
    let began = Instant::now();
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "twelve updates, two of which break the site");
    let took = began.elapsed().as_secs();
    assert_eq!(run.outcome(), "completed-with-holds");
    for number in 1..=12 {
        let slug = format!("tb-many-{number:02}");
        let wanted = if CULPRITS.contains(&slug.as_str()) { "1.0" } else { "1.1" };
        assert_eq!(bed.plugin(&slug), wanted, "{slug}, where it shows: {way}");
    }
    assert_eq!(bed.visit("").0, "200", "the front page");
    bed.nothing_is_left("after the search");
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    let failed = |hold: &&Value| hold["reason"]["kind"] == "failed";
    let blamed: Vec<&str> = report["holds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(failed)
        .filter_map(|hold| hold["component"].as_str())
        .collect();
    assert_eq!(blamed, CULPRITS.map(|slug| format!("plugin:{slug}")), "the report names the culprits");
    let attempts = report["attempts"].as_u64().unwrap_or(0);
    let applied = report["updates"].as_array().into_iter().flatten().filter(|update| update["state"] == "applied");
    // What WordPress brings along has updates, too.
    assert!(applied.count() >= 10, "{}", report["updates"]);
    let by_hand = bisected(&(1..=12).collect::<Vec<_>>());
    println!(
        "{way}: {attempts} attempts in {took} s; plain bisection by hand takes {by_hand}, about {} s at the same pace",
        took * by_hand / attempts.max(1)
    );
    let immune = shop.intendant(&["immunity"]).ended(0, "immunity");
    for slug in CULPRITS {
        assert!(immune.out.contains(&format!("plugin:{slug} 1.1")), "{slug} is held on similar sites: {}", immune.out);
    }
}

/// How many tries somebody needs who halves what is suspicious, from the state before each time, until everything
/// that is left works.
fn bisected(all: &[u32]) -> u64 {
    let breaks = |set: &[u32]| set.contains(&4) || set.contains(&6) && set.contains(&9);
    let (mut left, mut tries) = (all.to_vec(), 0);
    loop {
        tries += 1;
        if !breaks(&left) {
            return tries;
        }
        // The shortest beginning that breaks the site ends with a culprit.
        let (mut good, mut bad) = (0, left.len());
        while bad - good > 1 {
            tries += 1;
            let middle = good.midpoint(bad);
            if breaks(&left[..middle]) { bad = middle } else { good = middle }
        }
        left.remove(bad - 1);
    }
}

#[test]
#[ignore = "takes minutes; what it shows is simulated in tests/simulated.rs: run by hand"]
fn on_every_page() {
    searched("page");
}

#[test]
#[ignore = "takes minutes; what it shows is simulated in tests/simulated.rs: run by hand"]
fn on_the_command_line() {
    searched("command");
}

#[test]
#[ignore = "takes minutes; what it shows is simulated in tests/simulated.rs: run by hand"]
fn when_everything_is_done() {
    searched("late");
}
