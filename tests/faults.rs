//! Real faults on real sites, in the middle of an update: whatever strikes, the site ends whole, as before or updated,
//! and where a person is needed, the program says what for. One is passed each time; all of them, and the page
//! `docs/reliability.md` with what was seen, by hand:
//!
//! ```sh
//! INTENDANT_BLESS=1 cargo nextest run --test faults --run-ignored only --no-capture
//! ```
//!
//! `INTENDANT_FAULT=reboots` passes, and writes, only those with this in their names.

mod support;

#[path = "faults/list.rs"]
mod list;
#[path = "faults/page.rs"]
mod page;

use list::{CUT_IN_A_STEP, FAULTS, Fault};
use page::Row;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::{Environment, Ran, Testbed, same};

/// How many sites are struck at the same time: most of what they do is to wait.
const AT_ONCE: usize = 3;

/// Takes a small disk off again.
struct Disk(std::path::PathBuf);

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").args(["-q", "-l"]).arg(&self.0).output();
    }
}

/// The outcome of a run, and what it says of it.
fn told(ran: &Ran) -> (String, String) {
    let read: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_default();
    let text = |key: &str| read["runs"][0][key].as_str().map(str::to_owned);
    let last = || ran.err.lines().last().unwrap_or_default().to_owned();
    (text("outcome").unwrap_or_else(|| "open".into()), text("summary").unwrap_or_else(last))
}

/// Strikes an update, or a restore, and follows what the program says until the site is safe.
fn suffered(fault: &Fault) -> Row {
    let bed = Testbed::up(&[&["--plain", "--fresh-opcodes"], fault.options].concat());
    let shop = Environment::new(&bed, "checks: [{ http: / }]");
    let _disk = Disk(shop.path("store"));
    (fault.before)(&bed, &shop);
    let before = bed.fingerprint();
    let mut arguments = vec!["run", "shop", "--json"];
    let playbooks = list::impatient_playbooks(&shop);
    if fault.impatient {
        arguments.extend(["--playbooks", &playbooks]);
    }
    if fault.restore {
        shop.intendant(&["snapshot", "create", "shop"]).ended(0, "a snapshot");
        bed.exec(&["sh", "-c", "rm -r wp-includes/js; echo >>wp-load.php"]);
        bed.sql("DELETE FROM wp_options WHERE option_name LIKE 'w%'");
        arguments = vec!["restore", "shop", "--yes", "--json"];
    }
    let strike = || {
        (fault.strike)(&bed, &shop);
        if let Some((lasts, ends)) = list::lasting(fault) {
            std::thread::sleep(lasts);
            ends(&bed, &shop);
        }
    };
    let (ran, took) = shop.struck(&arguments, fault.sign, Duration::from_millis(fault.after), strike);
    let took = took.unwrap_or_else(|| panic!("{}: {:?} never came\n{}{}", fault.name, fault.sign, ran.out, ran.err));
    (fault.mend)(&bed, &shop);
    let mended = Instant::now();
    let by_hand = match ran.code {
        Some(12) => {
            shop.intendant(&["restore", "shop", "--yes"]).ended(0, &format!("{}: restore by hand", fault.name));
            Some("mend the cause, `intendant restore SITE`")
        }
        Some(0 | 10 | 11) => None,
        _ => {
            let ran = shop.intendant(&["recover", "shop"]);
            assert!(matches!(ran.code, Some(0 | 10 | 11)), "{}: recover: {}{}", fault.name, ran.out, ran.err);
            Some("mend the cause, `intendant recover SITE`")
        }
    };
    let (outcome, said) = told(&ran);
    let row = Row {
        fault: fault.name,
        outcome,
        took,
        by_hand: by_hand.map(|what| (what, mended.elapsed())),
        said: page::plain(&said, &bed, &shop),
    };
    safe(fault, &bed, &before, &ran);
    row
}

/// The site is whole: updated and healthy, or as before.
fn safe(fault: &Fault, bed: &Testbed, before: &str, ran: &Ran) {
    let when = format!("{}\n{}{}", fault.name, ran.out, ran.err);
    match bed.exec(&["cat", "wp-includes/version.php"]).contains("7.1.1") {
        true => bed.core_is_whole("7.1.1"),
        false => same(before, &bed.fingerprint(), &when),
    }
    assert_eq!(bed.visit("").0, "200", "the front page after {when}");
    bed.nothing_is_left(&when);
}

#[test]
fn a_connection_that_is_cut_in_an_update_does_no_harm() {
    let row = suffered(&CUT_IN_A_STEP);
    assert_eq!(row.outcome, "restored", "{}", row.said);
}

#[test]
#[ignore = "takes half an hour; run by hand"]
fn every_fault_ends_well() {
    let only = std::env::var("INTENDANT_FAULT").ok();
    let wanted: Vec<&Fault> =
        FAULTS.iter().filter(|fault| only.as_ref().is_none_or(|only| fault.name.contains(only.as_str()))).collect();
    let (next, seen, failed) = (Mutex::new(wanted.iter()), Mutex::new(()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(fault) = next.lock().unwrap().next() else { break };
                    let Ok(row) = std::panic::catch_unwind(|| suffered(fault)) else {
                        failed.lock().unwrap().push(fault.name);
                        continue;
                    };
                    let _one_at_a_time = seen.lock().unwrap();
                    println!("{row}");
                    page::written(&row, FAULTS.iter().map(|fault| fault.name));
                }
            });
        }
    });
    list::forget_clocks();
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "of {} faults, these did not end well: {failed:#?}", wanted.len());
}
