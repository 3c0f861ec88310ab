//! What a client told, in the reports of runs and months.

use super::golden::{compare, folder, provider};
use super::{months, stories};
use crate::anomaly::changed_site;
use crate::journal::RunState;
use crate::ledger::{Anomaly, Decision, Ledger, LedgerEntry, Screenshot, Sighting};
use crate::model::{ComponentName, Outcome, RunId, SiteName};
use crate::report::{Language, Report};
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn site() -> SiteName {
    SiteName::new("boutique-laval").unwrap()
}

fn sighting(seen: &str, page: &str, description: &str, screenshots: usize) -> Sighting {
    let screenshot = Screenshot { file: "00.png".into(), name: "panier.png".into(), bytes: 1 };
    Sighting {
        seen: at(seen),
        url: format!("https://boutique.example{page}"),
        description: description.into(),
        browser: Some("Firefox 140".into()),
        system: None,
        device: None,
        reported_by: Some("Marie Tremblay".into()),
        screenshots: vec![screenshot; screenshots],
    }
}

fn run() -> RunId {
    "019a7e2c-5f00-7000-8000-0000000000a7".parse().unwrap()
}

/// One that was put back, held and answered; one that was answered; one that is open; one that came after the run; and one of
/// another site.
pub(super) fn anomalies() -> Vec<Anomaly> {
    let extension = || ComponentName::new("plugin:tb-slider").unwrap();
    let cart = sighting("2026-11-05T19:05:00Z", "/panier", "Le panier est vide.\nDepuis hier!", 2);
    let menu = sighting("2026-11-06T12:00:00Z", "/", "Les heures d'ouverture sont fausses", 1);
    let open = sighting("2026-11-10T12:00:00Z", "/contact", "Le formulaire ne part pas", 0);
    let late = sighting("2026-11-13T12:00:00Z", "/blogue", "Les images manquent", 0);
    let decisions = vec![
        ("2026-11-05T20:00:00Z", Decision::reported(site(), cart, Some(run()))),
        ("2026-11-06T13:00:00Z", Decision::reported(site(), menu, None)),
        ("2026-11-06T14:00:00Z", Decision::AnomalyPutBack { anomaly: 1, run: run(), outcome: Outcome::Restored }),
        (
            "2026-11-06T15:00:00Z",
            Decision::AnomalyHeld {
                anomaly: 1,
                site: site(),
                extension: extension(),
                until: "2026-12-01".parse().unwrap(),
            },
        ),
        (
            "2026-11-07T15:00:00Z",
            Decision::answered(1, "La version 2.0 de TB Slider vide le panier.\nSon auteur le corrige."),
        ),
        (
            "2026-11-08T15:00:00Z",
            Decision::answered(2, "Elles ont été changées dans la page; nous les avons corrigées."),
        ),
        ("2026-11-10T15:00:00Z", Decision::reported(site(), open, Some(run()))),
        ("2026-11-13T15:00:00Z", Decision::reported(site(), late, Some(run()))),
        (
            "2026-11-01T15:00:00Z",
            Decision::reported(SiteName::new("other").unwrap(), sighting("2026-11-01T12:00:00Z", "/", "x", 0), None),
        ),
    ];
    let entry = |(place, (when, decision)): (usize, (&str, Decision))| LedgerEntry {
        number: place as u64 + 1,
        at: at(when),
        by: "ops".into(),
        decision,
    };
    Ledger::new(decisions.into_iter().enumerate().map(entry).collect()).anomalies()
}

/// A run of the twelfth, whose client told of three before.
pub(super) fn told() -> Report {
    stories::with_holds().report().with_anomalies(&anomalies(), None)
}

fn numbers(report: &Report) -> Vec<(u64, bool)> {
    report.anomalies.iter().map(|line| (line.anomaly, line.answer.is_some())).collect()
}

#[test]
fn what_the_client_told_is_as_approved() {
    let mut wrong = Vec::new();
    let report = told();
    let json = report.to_json().unwrap();
    wrong.extend(compare(&folder().join("anomalies.json"), &json).err());
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    for language in Language::all() {
        let tag = language.tag();
        let page = report.to_html(Some(language.clone()), &provider()).unwrap();
        assert!(!page.contains("{$") && !page.contains("{ $"), "an argument is missing");
        wrong.extend(compare(&folder().join(format!("anomalies.{tag}.html")), &page).err());
        let text = report.to_markdown(Some(language.clone()), &provider()).unwrap();
        wrong.extend(compare(&folder().join(format!("anomalies.{tag}.md")), &text).err());
        let mail = report.to_mail(Some(language), &provider()).unwrap();
        wrong.extend(compare(&folder().join(format!("mail-anomalies.{tag}.txt")), &mail.text).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_answer_stands_in_the_next_report_and_in_no_later_one() {
    assert_eq!(numbers(&told()), [(1, true), (2, true), (7, false)]);
    let since = |since: &str| stories::with_holds().report().with_anomalies(&anomalies(), Some(at(since)));
    assert_eq!(numbers(&since("2026-11-07T15:00:00Z")), [(2, true), (7, false)]);
    assert_eq!(numbers(&since("2026-11-09T00:00:00Z")), [(7, false)]);
    // The report of an earlier run, made again: what was known at its end.
    let mut early = stories::with_holds().report();
    early.began = at("2026-11-06T07:00:00Z");
    early.ended = Some(at("2026-11-06T13:30:00Z"));
    let told = early.clone().with_anomalies(&anomalies(), None);
    assert_eq!(numbers(&told), [(1, false), (2, false)]);
    assert_eq!(told.anomalies[0].put_back, None, "another run did that, and later");
    early.run = run();
    let own = early.clone().with_anomalies(&anomalies(), None);
    assert!(own.anomalies[0].put_back.is_some(), "it was this one that did it");
    let held = |until: &str| {
        let mut later = stories::with_holds().report();
        later.ended = Some(at(until));
        later.with_anomalies(&anomalies(), None).anomalies[0].holds.len()
    };
    assert_eq!(held("2026-12-01T20:00:00Z"), 1, "its last day");
    assert_eq!(held("2026-12-03T20:00:00Z"), 0, "nobody is told that something waits until a day that is over");
    early.ended = None;
    assert_eq!(numbers(&early.with_anomalies(&anomalies(), None)).len(), 4, "a run that is not over knows all");
}

#[test]
fn a_month_tells_what_was_told_in_it_and_what_was_open() {
    let month = |name: &str| months::all().into_iter().find(|(known, _)| *known == name).unwrap().1;
    let told = month("month-anomalies");
    let numbers: Vec<u64> = told.sites[0].anomalies.iter().map(|line| line.anomaly).collect();
    assert_eq!(numbers, [1, 2, 7, 8], "the other site's is not ours");
    assert!(month("month").sites.iter().all(|site| site.anomalies.is_empty()));
    let page = told.to_html(Some(Language::of("fr")), &provider()).unwrap();
    assert!(page.contains("Ce que vous nous avez signalé") && page.contains("Le panier est vide. Depuis hier!"));
}

#[test]
fn a_run_that_put_everything_back_explains_only_what_was_seen_before() {
    let state = |story: super::story::Story| RunState::fold(&story.entries()).unwrap();
    let second = jiff::SignedDuration::from_secs(1);
    let back = state(stories::restored());
    assert!(changed_site(&back, back.at - second), "it was under way when that was seen");
    assert!(!changed_site(&back, back.at), "nothing of it is left");
    for (name, story) in [
        ("some of it could not be put back", stories::restored_left()),
        ("it is stuck", stories::stuck()),
        ("what works was kept", stories::isolated()),
        ("updates were applied", stories::completed()),
        ("somebody had a snapshot put back", stories::restore_asked()),
    ] {
        assert!(changed_site(&state(story), Timestamp::MAX), "{name}");
    }
    assert!(!changed_site(&state(stories::nothing()), Timestamp::MAX));
    assert!(!changed_site(&state(stories::refused()), Timestamp::MAX));
}
