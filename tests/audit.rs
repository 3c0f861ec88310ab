//! The audit of a whole fleet: a thousand sites with a journal as runs write it, faults planted in some, and what only
//! looks like a fault in others. All that is planted has to be found, and nothing else.
//!
//! `INTENDANT_FLEET=folder` keeps the fleet there, to look at it or to take the time of a release build:
//! `cd folder && time intendant audit`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "audit/faults.rs"]
mod faults;
#[path = "audit/fleet.rs"]
mod fleet;

use fleet::Site;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

const SITES: usize = 1000;
/// As many as show each fault once.
const FEW_SITES: usize = 180;

/// A finding: its rule, its site or none, its subject.
type Key = (String, String, String);

/// The fleet's sites. Every second one is as it should be; of the others, half have faults.
fn sites(number: usize, now: Timestamp) -> Vec<Site> {
    let numbered = |number: usize| {
        let mut site = Site::good(&format!("s{number:04}"), now);
        match number % 4 {
            1 => faults::FAULTS[number / 4 % faults::FAULTS.len()](&mut site, now),
            3 => faults::INNOCENT[number / 4 % faults::INNOCENT.len()](&mut site, now),
            _ => {}
        }
        site
    };
    let mut all: Vec<Site> = (0..number).map(numbered).collect();
    for number in 0..3 {
        let mut site = Site::good(&format!("gone-{number}"), now);
        site.plan = None;
        site.expect("no-plan", "");
        all.push(site);
    }
    for (number, rule, subject) in [(0, "over-cap", ""), (1, "abandoned", "plugin:p3"), (2, "drift", "")] {
        let mut site = Site::good(&format!("waived-{number}"), now);
        let fault = faults::FAULTS.iter().find(|fault| {
            let mut other = Site::good("other", now);
            fault(&mut other, now);
            other.expected == [(rule, subject.to_owned())]
        });
        fault.unwrap()(&mut site, now);
        all.push(site);
    }
    all
}

fn expected(sites: &[Site]) -> BTreeSet<Key> {
    let key = |rule: &str, site: &str, subject: &str| (rule.to_owned(), site.to_owned(), subject.to_owned());
    let mut all: BTreeSet<Key> = faults::OF_THE_FLEET.iter().map(|(rule, subject)| key(rule, "", subject)).collect();
    for site in sites {
        all.extend(site.expected.iter().map(|(rule, subject)| key(rule, &site.name, subject)));
    }
    all
}

/// A folder for the fleet: in memory where that is possible, because a journal syncs each of its entries.
fn folder() -> (Option<tempfile::TempDir>, PathBuf) {
    if let Some(kept) = std::env::var_os("INTENDANT_FLEET") {
        std::fs::create_dir_all(&kept).unwrap();
        return (None, kept.into());
    }
    let made = memory();
    let path = made.path().to_owned();
    (Some(made), path)
}

fn memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn build(folder: &Path, sites: &[Site], now: Timestamp) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let journal = fleet::begin(folder, &faults::settings(now)).await;
        std::fs::write(folder.join("licences.yaml"), faults::licences(now)).unwrap();
        for site in sites {
            site.write(folder, &journal).await;
        }
    });
    for number in 0..2 {
        std::fs::write(folder.join(format!("plans/broken-{number}.yaml")), "plan: 1\nsite: [\n").unwrap();
    }
}

fn intendant(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intendant"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("INTENDANT_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).env("HOME", folder);
    for base in ["XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        command.env(base, folder.join(base));
    }
    command.output().unwrap()
}

#[track_caller]
fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {said}"))
}

fn found(audit: &Value) -> Vec<Key> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = audit["findings"].as_array().unwrap();
    findings.iter().map(|one| (text(&one["rule"]), text(&one["site"]), text(&one["subject"]))).collect()
}

/// Precision and recall of each rule, as lines.
fn scores(found: &BTreeSet<Key>, expected: &BTreeSet<Key>) -> Vec<String> {
    let mut by_rule: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (place, keys) in [(0, expected.iter().collect::<Vec<_>>()), (1, found.iter().collect())] {
        for key in keys {
            by_rule.entry(&key.0).or_default()[place] += 1;
        }
    }
    for key in found.intersection(expected) {
        by_rule.entry(&key.0).or_default()[2] += 1;
    }
    let share = |part: usize, of: usize| if of == 0 { 1.0 } else { part as f64 / of as f64 };
    let line = |(rule, [planted, found, right]): (&str, [usize; 3])| {
        let (precision, recall) = (share(right, found), share(right, planted));
        format!("{rule:24} planted {planted:3}  found {found:3}  precision {precision:.3}  recall {recall:.3}")
    };
    by_rule.into_iter().map(line).collect()
}

#[test]
fn all_that_is_planted_is_found_and_nothing_else() {
    let now = Timestamp::now();
    let (_kept, folder) = folder();
    let sites = sites(SITES, now);
    build(&folder, &sites, now);

    let began = Instant::now();
    let output = intendant(&folder, &["audit", "--json"]);
    let took = began.elapsed();
    let audit = json(&output);
    let all = found(&audit);
    let (found, expected) = (all.iter().cloned().collect::<BTreeSet<_>>(), expected(&sites));
    for line in scores(&found, &expected) {
        println!("{line}");
    }
    println!("{} sites, {} findings, in {:.2} s by this build", audit["sites"], all.len(), took.as_secs_f64());
    let missed: Vec<_> = expected.difference(&found).collect();
    let wrong: Vec<_> = found.difference(&expected).collect();
    assert!(missed.is_empty() && wrong.is_empty(), "missed: {missed:#?}\nwrong: {wrong:#?}");
    assert_eq!(all.len(), found.len(), "nothing is found twice");
    // Every rule was put to the test.
    let rules: BTreeSet<&str> = intendant::audit::RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(found.iter().map(|key| key.0.as_str()).collect::<BTreeSet<_>>(), rules);
    assert_eq!(audit["unknown"], serde_json::json!([]));
    assert_eq!(output.status.code(), Some(6));
}

#[test]
fn it_is_filtered_written_in_every_form_and_kept() {
    let now = Timestamp::now();
    let folder = memory();
    let folder = folder.path();
    build(folder, &sites(FEW_SITES, now), now);
    let audit = json(&intendant(folder, &["audit", "--json"]));
    let all = found(&audit);
    filters(folder, &all.iter().cloned().collect());
    waivers_and_history(folder, &audit);
    forms(folder, all.len());
    glance(folder);
    months(folder, now);
    broken_plan(folder);
}

fn filters(folder: &Path, all: &BTreeSet<Key>) {
    let asked = |arguments: &[&str]| {
        let output = intendant(folder, &[&["audit", "--json"], arguments].concat());
        (output.status.code(), found(&json(&output)).into_iter().collect::<BTreeSet<_>>())
    };
    let of = |keep: &dyn Fn(&Key) -> bool| all.iter().filter(|key| keep(key)).cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        asked(&["--rule", "over-cap", "--rule", "drift"]),
        (Some(6), of(&|key| ["over-cap", "drift"].contains(&&*key.0)))
    );
    assert_eq!(asked(&["--site", "s0001", "--site", "s0005"]).1, of(&|key| ["s0001", "s0005"].contains(&&*key.1)));
    let tagged = asked(&["--tag", "seven"]).1;
    assert_eq!(tagged, of(&|key| key.1.ends_with('7') && key.1.starts_with('s')));
    assert!(!tagged.is_empty());
    assert_eq!(asked(&["--site", "s0000"]), (Some(0), BTreeSet::new()));
    assert_eq!(asked(&["--rule", "near-cap"]).0, Some(0), "low is less than medium");
    assert_eq!(asked(&["--rule", "near-cap", "--fail-on", "low"]).0, Some(6));
    assert_eq!(asked(&["--fail-on", "never"]).0, Some(0));
    assert_eq!(asked(&["--site", "waived-0"]).0, Some(0), "somebody answers for it");
    assert_eq!(intendant(folder, &["audit", "--site", "nobody"]).status.code(), Some(5));
    let wrong = intendant(folder, &["audit", "--rule", "over-cup"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean over-cap?"));
}

fn waivers_and_history(folder: &Path, first: &Value) {
    let waived: Vec<_> = first["findings"].as_array().unwrap().iter().filter(|one| !one["waived"].is_null()).collect();
    assert_eq!(waived.len(), 2, "two of four waivers are in force and fit");
    assert_eq!(first["counts"]["waived"], 2);
    let last = json(&intendant(folder, &["audit", "--json"]));
    let history = last["history"].as_array().unwrap();
    assert!(history.len() >= 10, "each audit's score is kept");
    assert!(history.iter().all(|point| point["score"] == first["score"]), "whatever was asked for");
}

fn forms(folder: &Path, findings: usize) {
    let written = |format: &str, more: &[&str]| {
        let file = format!("audit.{format}");
        let arguments = [&["audit", "--format", format, "--to", &file], more].concat();
        let output = intendant(folder, &arguments);
        assert_eq!(output.status.code(), Some(6), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(folder.join(file)).unwrap()
    };
    let csv = written("csv", &[]);
    assert_eq!(csv.matches("\r\n").count(), findings + 1);
    assert!(csv.contains("\"'=cmd|'/c calc'!A1\""), "a formula is none");
    let sarif: Value = serde_json::from_str(&written("sarif", &[])).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), findings);
    let junit = written("junit", &[]);
    assert_eq!(junit.matches("<failure ").count() + junit.matches("<skipped ").count(), findings);
    assert!(!junit.contains("<script>"));
    for language in ["fr", "en"] {
        let page = written("html", &["--language", language]);
        assert!(page.contains(&format!("<html lang=\"{language}\">")));
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
    }
    let table = intendant(folder, &["audit"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with("SEVERITY") && table.lines().count() > findings);
}

fn glance(folder: &Path) {
    let status = json(&intendant(folder, &["status", "--json"]));
    let rows = status["sites"].as_array().unwrap();
    assert_eq!(rows.len(), FEW_SITES + 6);
    let of = |name: &str| rows.iter().find(|row| row["site"] == name).unwrap();
    assert_eq!(of("gone-0")["client"], Value::Null);
    assert_eq!(of("s0000")["last-run"]["outcome"], "completed");
    assert_eq!(of("s0000")["findings"]["high"], 0);
    // Of a site that nobody looked at, nothing is known.
    assert_eq!((&of("s0001")["last-run"], &of("s0001")["holds"]), (&Value::Null, &Value::Null));
    let output = intendant(folder, &["status", "--site", "s0000", "--site", "s0001"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("SITE") && text.contains("never") && text.contains("2 sites"), "{text}");
}

/// A site without a plan is told in the months in which something was done for it.
fn months(folder: &Path, now: Timestamp) {
    let sites = |days: i64, scope: &[&str]| {
        let month = fleet::before(now, days, 4, 50).strftime("%Y-%m").to_string();
        let report =
            json(&intendant(folder, &[&["report", "--month", month.as_str(), "--format", "json"], scope].concat()));
        let sites = report["sites"].as_array().unwrap().iter();
        sites.map(|site| site["site"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (present, past) = (sites(0, &["--all"]), sites(400, &["--all"]));
    assert!(present.contains(&"gone-0".into()) && present.contains(&"s0000".into()));
    assert!(!past.contains(&"gone-0".into()) && past.contains(&"s0000".into()));
    assert_eq!(sites(400, &["--client", "Client of gone-0"]), Vec::<String>::new());
    assert_eq!(sites(400, &["--site", "gone-0"]), ["gone-0"]);
}

/// A site whose plan is broken is not in order, whatever is asked for.
fn broken_plan(folder: &Path) {
    std::fs::write(folder.join("plans/s0000.yaml"), "plan: 1\nsite: [\n").unwrap();
    let output = intendant(folder, &["audit", "--json", "--site", "s0000"]);
    let audit = json(&output);
    assert_eq!(found(&audit), [("plan-unreadable".into(), "s0000".into(), "s0000.yaml".into())]);
    assert_eq!(output.status.code(), Some(6));
    let told = audit["unknown"].as_array().unwrap();
    assert_eq!(told.len(), 2, "the other two may be of anybody: {told:?}");
    let unknown = intendant(folder, &["audit", "--tag", "seven", "--format", "csv", "--fail-on", "never"]);
    let csv = String::from_utf8(unknown.stdout).unwrap();
    assert!(csv.matches("\"not-known\"").count() == 3 && csv.contains("the site of the plan s0000.yaml"), "{csv}");
}

/// Where the store can't be read, nothing is said of backups, and that is said.
#[test]
fn what_can_not_be_looked_at_is_said() {
    let now = Timestamp::now();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut site = Site::good("shop", now);
    site.stored.clear();
    build(folder, &[site], now);
    let settings = std::fs::read_to_string(folder.join("intendant.yaml")).unwrap();
    std::fs::write(folder.join("intendant.yaml"), settings.split("rules:").next().unwrap()).unwrap();
    let of_shop =
        |audit: &Value| found(audit).into_iter().filter(|key| key.1 == "shop").map(|key| key.0).collect::<Vec<_>>();
    assert_eq!(of_shop(&json(&intendant(folder, &["audit", "--json"]))), ["no-backup"]);
    std::fs::remove_dir_all(folder.join("store")).unwrap();
    std::fs::create_dir(folder.join("store")).unwrap();
    std::fs::write(folder.join("store/something-else"), "").unwrap();
    let audit = json(&intendant(folder, &["audit", "--json"]));
    assert_eq!(of_shop(&audit), Vec::<String>::new());
    assert!(audit["unknown"][0].as_str().unwrap().starts_with("the snapshot store: "), "{}", audit["unknown"]);
}

/// A restore that read no versions undid nobody knows what: what runs saw before it is not believed, and that is said.
#[test]
fn what_a_restore_undid_is_known_or_said_not_to_be() {
    let now = Timestamp::now();
    let folder = memory();
    let folder = folder.path();
    let mut site = Site::good("shop", now);
    site.seen()["extensions"][3]["abandoned"] = serde_json::json!("its author closed it");
    site.runs.push(faults::restored(fleet::before(now, 0, 4, 30), &[]));
    build(folder, &[site], now);
    let audit = json(&intendant(folder, &["audit", "--json"]));
    let of_shop = found(&audit).into_iter().filter(|key| key.1 == "shop").count();
    let unknown = audit["unknown"][0].as_str().unwrap();
    assert!(of_shop == 0 && unknown.starts_with("what is installed on shop: "), "{unknown}");
}
