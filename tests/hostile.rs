//! A red team: a site that was broken into, and does what it can to the machine that looks after it. Nothing of it
//! runs there, nothing is written outside the store, nothing gets into a terminal, a report or another site, and
//! everything ends in bounded time and memory.
//!
//! `INTENDANT_HOSTILE=pages` runs one group of cases. Archives, lists of files and stores that lie have suites of their own: `tests/snapshots/hostile.rs`,
//! `src/snapshot/store/tests`, `tests/fuzz.rs`.

#[path = "hostile/answers.rs"]
mod answers;
#[path = "hostile/dumps.rs"]
mod dumps;
#[path = "hostile/hosts.rs"]
mod hosts;
#[path = "hostile/pages.rs"]
mod pages;
#[path = "hostile/place.rs"]
mod place;
#[path = "hostile/texts.rs"]
mod texts;
#[path = "hostile/trees.rs"]
mod trees;
#[path = "hostile/web.rs"]
mod web;
#[path = "hostile/words.rs"]
mod words;

/// What a case showed.
pub(crate) type Verdict = Result<(), String>;
/// A case by its name.
pub(crate) type Case = (String, Verdict);
/// Cases of one sort, by its name.
type Group = (&'static str, fn() -> Vec<Case>);

#[test]
fn a_hostile_site_harms_nobody() {
    let groups: [Group; 6] = [
        ("words", words::cases),
        ("answers", answers::cases),
        ("hosts", hosts::cases),
        ("pages", pages::cases),
        ("trees", trees::cases),
        ("dumps", dumps::cases),
    ];
    let only = std::env::var("INTENDANT_HOSTILE").ok();
    let wanted = groups.into_iter().filter(|(group, _)| only.as_ref().is_none_or(|only| only == group));
    let running: Vec<_> = wanted.map(|(group, cases)| (group, std::thread::spawn(cases))).collect();
    let (mut count, mut failed) = (0, Vec::new());
    for (group, cases) in running {
        let cases = cases.join().unwrap_or_else(|_| vec![("all of them".into(), Err("a panic".into()))]);
        count += cases.len();
        println!("{group}: {} cases", cases.len());
        let wrong =
            cases.into_iter().filter_map(|(name, verdict)| Some(format!("{group}: {name}: {}", verdict.err()?)));
        failed.extend(wrong);
    }
    assert!(failed.is_empty(), "{} of {count} cases:\n{}", failed.len(), failed.join("\n\n"));
    assert!(count >= 60 || only.is_some(), "only {count} cases");
    println!("{count} hostile cases, none of them did harm");
}
