//! One case: a run that is killed, recoveries that are killed sometimes, and a visitor all the while.

use crate::kill::{self, Moment, Whom};
use crate::seed::Seed;
use crate::site::{PAUSE, Site};
use crate::support::Environment;
use crate::support::visitors::Visitor;
use crate::table::Row;
use crate::{judge, table};
use std::time::{Duration, Instant};

/// The deadline of the host in cases where it is let pass, in seconds.
const HEAL_AFTER: u64 = 15;
/// The most kills of recoveries in one case.
const MOST_AGAIN: usize = 4;
/// The most recoveries in one case that can't reach the host.
const MOST_UNREACHABLE: usize = 5;

/// What a seed says.
pub(crate) struct Case {
    pub(crate) seed: u64,
    /// When the run is killed, in millionths of its length.
    pub(crate) share: usize,
    pub(crate) whom: Whom,
    /// Between a kill and the recovery.
    pub(crate) pause: Duration,
    /// Whether the pause is long enough for the host to put itself back.
    pub(crate) heals: bool,
    /// When recoveries are killed, one after the other, in millionths of the run's length.
    pub(crate) again: Vec<usize>,
}

impl Case {
    pub(crate) fn new(number: u64) -> Self {
        let mut seed = Seed::new(number);
        let share = seed.below(1_000_000);
        let whom = *seed.one_of(&[Whom::Runner, Whom::Runner, Whom::Group, Whom::Connection]);
        let heals = seed.one_in(10);
        let pause = match heals {
            // From before the host begins until after it has ended.
            true => HEAL_AFTER * 1000 - 3000 + seed.below(25_000) as u64,
            false => *seed.one_of(&[0, 0, 300, 2000]),
        };
        let mut again = Vec::new();
        while again.len() < MOST_AGAIN && seed.one_in(4) {
            again.push(seed.below(800_000));
        }
        Self { seed: number, share, whom, pause: Duration::from_millis(pause), heals, again }
    }
}

/// Does a case and writes down what was seen. Panics when something is not as it has to be.
pub(crate) fn done(site: &mut Site, case: &Case, row: &mut Row) {
    site.put_back();
    let heal = if case.heals { format!("heal-after: {HEAL_AFTER}s\n") } else { String::new() };
    let shop = site.place(&heal);
    let begun = Instant::now();
    let visitor = Visitor::begins(&site.bed.url, &format!("s{}x", case.seed), PAUSE);
    let mut said = String::new();
    let ended =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| interrupted(site, &shop, case, row, &mut said)));
    let accepted = visitor.ends();
    row.accepted = accepted.len();
    row.seconds = begun.elapsed().as_secs();
    kill::disconnect(&shop);
    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        ended.unwrap_or_else(|what| std::panic::resume_unwind(what));
        judge::judged(site, &shop, &accepted, &mut row.outcome);
    }));
    if let Err(what) = judged {
        println!("seed {}: kept in {}", case.seed, table::kept(&shop, site, case.seed, &said));
        std::panic::resume_unwind(what);
    }
}

/// Runs, is killed, and recovers until that comes to its end.
fn interrupted(site: &mut Site, shop: &Environment, case: &Case, row: &mut Row, said: &mut String) {
    let (text, ended) = kill::killed(shop, &["run", "shop"], row.moment, case.whom);
    said.push_str(&format!("== run, killed: {}\n{text}", ended.is_none()));
    row.killed = ended.is_none();
    // Runs take less time than they did: the next moments go by this one.
    if let Some(run) = ended.filter(|run| run.lines() == site.run.lines()) {
        site.run = run;
    }
    row.phase = table::phase(shop);
    for share in &case.again {
        std::thread::sleep(case.pause);
        let after_ms = u64::try_from(site.run.length.mul_f64(*share as f64 / 1e6).as_millis()).unwrap();
        let (text, ended) = kill::killed(shop, &["recover"], Moment { line: 0, after_ms }, case.whom);
        said.push_str(&format!("== recover, killed: {}\n{text}", ended.is_none()));
        if ended.is_some() {
            break;
        }
        row.again.push(table::phase(shop));
    }
    std::thread::sleep(case.pause);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut recover = || {
        let output = kill::program(shop, &["recover"]).output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        said.push_str(&format!("== recover: {}\n{told}", output.status));
        (output.status.code(), told)
    };
    let (mut code, mut told) = recover();
    // A host that is too busy to let anybody in: the program says to try again.
    while code == Some(4) && told.contains("try again") && row.unreachable < MOST_UNREACHABLE {
        row.unreachable += 1;
        (code, told) = recover();
    }
    assert!(matches!(code, Some(0 | 10 | 11)), "recover: {code:?}\n{told}");
    let again = kill::program(shop, &["recover"]).output().unwrap();
    let told = text(&again.stdout) + &text(&again.stderr);
    assert!(
        again.status.success() && told.contains("nothing to recover"),
        "a second recover: {}\n{told}",
        again.status
    );
}
