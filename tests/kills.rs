//! `kill -9` of the runner at random moments of a full update, hundreds of times, while a visitor orders and comments:
//! each site ends updated and healthy, or exactly as it was before, with every order that was accepted. By hand:
//!
//! ```sh
//! INTENDANT_KILLS_CASES=300 nice -n 19 cargo nextest run --test kills --run-ignored only --no-capture
//! ```
//!
//! What was seen of each case is a line of `INTENDANT_KILLS_RESULTS` (`kills.jsonl` in the folder of temporary files of the target):
//! begun again, the test goes on after what is there. `INTENDANT_KILLS_SEED=17` does one case again, at the moment that stands there.

mod support;

#[path = "kills/case.rs"]
mod case;
#[path = "kills/judge.rs"]
mod judge;
#[path = "kills/kill.rs"]
mod kill;
#[path = "simulated/seed.rs"]
mod seed;
#[path = "kills/site.rs"]
mod site;
#[path = "kills/table.rs"]
mod table;

use case::Case;
use site::Site;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use table::{Results, Row};

/// How many cases there are unless it is said.
const CASES: usize = 300;
/// How many sites there are at the same time: most of what they do is to wait.
const AT_ONCE: usize = 3;

fn asked<T: std::str::FromStr>(what: &str) -> Option<T> {
    std::env::var(format!("INTENDANT_KILLS_{what}")).ok()?.parse().ok()
}

#[test]
#[ignore = "takes hours; run by hand"]
fn every_kill_ends_well() {
    let file =
        asked::<PathBuf>("RESULTS").unwrap_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("kills.jsonl"));
    let results = Results::open(&file);
    if let Some(seed) = asked("SEED") {
        let row = Site::up().suffers(&Case::new(seed), results.moment(seed));
        println!("{}", row.line());
        assert!(row.exception.is_none(), "{:?}", row.exception);
        return;
    }
    let wanted = asked("CASES").unwrap_or(CASES);
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..asked("AT_ONCE").unwrap_or(AT_ONCE) {
            scope.spawn(|| worked(&results, &next, wanted));
        }
    });
    let rows = results.rows();
    println!("{}", table::shown(&rows));
    let bad: Vec<String> = rows.iter().filter(|row| row.exception.is_some()).map(Row::line).collect();
    assert!(bad.is_empty(), "of {} cases, these did not end well:\n{}", rows.len(), bad.join("\n"));
}

/// Does the next case, again and again, until enough were killed. A site with which something went wrong is not used again.
fn worked(results: &Results, next: &AtomicU64, wanted: usize) {
    let mut site = None;
    while results.killed() < wanted {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if results.has(seed) {
            continue;
        }
        let mut here = site.take().unwrap_or_else(Site::up);
        let row = here.suffers(&Case::new(seed), None);
        println!("{}", row.line());
        site = row.exception.is_none().then_some(here);
        results.add(row);
    }
}

impl Site {
    /// One case, from the site as it was to the verdict.
    fn suffers(&mut self, case: &Case, moment: Option<kill::Moment>) -> Row {
        let mut row = Row::new(case, moment.unwrap_or_else(|| self.run.moment(case.share)));
        let done = catch_unwind(AssertUnwindSafe(|| case::done(self, case, &mut row)));
        row.exception = done.err().map(|what| {
            let text = what.downcast_ref::<String>().cloned();
            text.or_else(|| what.downcast_ref::<&str>().map(ToString::to_string))
                .unwrap_or_else(|| "it panicked".into())
        });
        row
    }
}
