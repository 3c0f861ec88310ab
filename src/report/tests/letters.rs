//! Letters before reports, and the page about an intake: golden pages, and what must not happen.

use super::golden::{compare, folder, provider};
use super::{months, stories, story};
use crate::intake::{Assessment, Finding, Scanned, Severity, Texts, Verdict};
use crate::ledger::Notice;
use crate::report::{Addressee, Language, Provider, ReportError, Templates, intake_page, notices_letter};
use jiff::civil::Date;

fn sender() -> Provider {
    Provider { address: vec!["12, rue des Érables".into(), "Laval (Québec)  H7X 1A1".into()], ..provider() }
}

fn anne() -> Addressee {
    let address = ["Boutique Laval inc.", "1234, boulevard Saint-Martin Ouest, bureau 300", "Laval (Québec)  H7S 1M9"];
    Addressee { name: "Anne Laval".into(), address: address.map(String::from).into() }
}

fn day() -> Date {
    "2026-11-13".parse().unwrap()
}

#[test]
fn letters_are_as_approved() {
    let mut wrong = Vec::new();
    let (run, restored, month) =
        (stories::with_holds().report(), stories::restored().report(), months::all().remove(0).1);
    for language in Language::all() {
        let some = Some(language.clone());
        let of_run = run.to_letter(some.clone(), &sender(), (&anne(), day())).unwrap();
        let of_restored = restored.to_letter(some.clone(), &sender(), (&anne(), day())).unwrap();
        let of_month = month.to_letter(some, &sender(), (&anne(), day())).unwrap();
        let (plan, notices) = super::forms::noticed();
        let notices: Vec<&Notice> = notices.iter().collect();
        let of_notices = notices_letter(&notices, &plan, Some(language.clone()), &sender(), (&anne(), day())).unwrap();
        for (name, page) in [
            ("letter-run", of_run),
            ("letter-restored", of_restored),
            ("letter-month", of_month),
            ("letter-notices", of_notices),
        ] {
            assert_eq!(page.matches("<body").count(), 1);
            wrong.extend(compare(&folder().join(format!("{name}.{}.html", language.tag())), &page).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The report behind the letter is the report.
#[test]
fn a_letter_takes_nothing_off_the_report() {
    let report = stories::stuck().report();
    let french = || Some(Language::of("fr"));
    let page = report.to_html(french(), &sender()).unwrap();
    let letter = report.to_letter(french(), &sender(), (&anne(), day())).unwrap();
    let sheet = |page: &str| page.split_once("<div class=\"sheet\">").unwrap().1.to_owned();
    assert_eq!(sheet(&page), sheet(&letter));
    let text = letter.split_once("<section class=\"letter\"").unwrap().1;
    for part in ["Anne Laval", "H7S 1M9", "Atelier Web Laval · 12, rue des Érables", "Le 13"] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn an_address_is_escaped_and_fits_its_window() {
    let to = Addressee { name: "<b>x</b>\u{202e}".into(), address: vec!["</section>\n".repeat(90); 90] };
    let page = stories::completed().report().to_letter(None, &sender(), (&to, day())).unwrap();
    assert!(!page.contains("<b>") && !page.contains('\u{202e}'));
    let window = page.split_once("<p class=\"to\">").unwrap().1.split_once("</p>").unwrap().0;
    assert_eq!(window.matches("<br>").count(), 5, "{window}");
    assert!(window.len() < 4000);
}

#[test]
fn a_letter_has_a_sender_and_a_page_to_stand_in() {
    let report = stories::completed().report();
    let nobody = report.to_letter(None, &Provider::default(), (&anne(), day())).unwrap_err();
    assert!(matches!(nobody, ReportError::Sender), "{nobody}");
    let mut bare = sender();
    bare.templates.add("page.hbs", "<p>{{site_title}}</p>".into()).unwrap();
    let error = report.to_letter(None, &bare, (&anne(), day())).unwrap_err().to_string();
    assert!(error.contains("<body>"), "{error}");
    let mut own = sender();
    own.templates = Templates::default();
    own.templates.add("letter.hbs", "<p>{{subject}}: {{t \"letter-dear\"}}</p>".into()).unwrap();
    let page = report.to_letter(Some(Language::of("en")), &own, (&anne(), day())).unwrap();
    let body = page.split_once("<body>\n").unwrap().1;
    assert!(
        body.starts_with("<p>Update report: boutique.example, ") && body.contains(": Dear Sir or Madam,</p>\n<div"),
        "{page}"
    );
}

pub(super) fn assessment(verdict: Verdict) -> Assessment {
    let run = stories::completed().report();
    let finding = |rule: &str, severity, place: &str, excerpt: Option<&str>| Finding {
        line: (rule == "eval-of-input").then_some(12),
        excerpt: excerpt.map(str::to_owned),
        ..Finding::new(
            rule,
            severity,
            place,
            Texts::new("It runs what a visitor sends.", "Ce code exécute ce qu’un visiteur envoie."),
            Texts::new("Remove it, and look for how it came.", "Enlevez-le, et cherchez par où il est venu."),
        )
    };
    let code = "<?php eval(base64_decode($_POST['".to_owned() + &"x".repeat(120) + "'])); ?>";
    let findings = vec![
        finding("eval-of-input", Severity::Critical, "wp-content/uploads/2024/01/avis-été.php", Some(&code)),
        finding("checks-fail", Severity::Critical, "checks", Some("/: status 500")),
        finding("modified-files", Severity::High, "plugin:p3", Some("p3.php")),
        finding("over-cap", Severity::High, "extensions", None),
        finding("another-address", Severity::High, "address", None),
        finding("core-unproven", Severity::Medium, "core:core", None),
        finding("not-looked-at", Severity::Medium, "files", None),
        finding("updates-pending", Severity::Medium, "updates", Some("P3 1.0 → 1.1")),
        finding("old", Severity::Medium, "plugin:akismet", None),
        finding("administrators", Severity::Low, "administrators", Some("lucie, marc")),
        // A file may have the name of one of our own places.
        finding("old", Severity::Low, "updates", None),
    ];
    let good = verdict == Verdict::Accept;
    Assessment {
        intake: Assessment::FORMAT,
        id: run.run,
        site: run.site,
        url: run.url,
        at: run.began,
        by: "ops".into(),
        program: "0.1.0".into(),
        snapshot: "20261101T020000.123Z-0123456789ab".into(),
        inventory: story::inventory(),
        extensions: (9, Some(25)),
        scanned: Scanned { files: 3_412, objects: 61, bytes: 84_000_000, rules: 118, cut: 0 },
        count: if good { 0 } else { findings.len() as u64 },
        findings: if good { Vec::new() } else { findings },
        behind: Vec::new(),
        estimate_min: if good { 0 } else { 90 },
        unknown: if good { Vec::new() } else { vec!["the database was not dumped: access denied".into()] },
        verdict,
    }
}

#[test]
fn intakes_are_as_approved() {
    let mut wrong = Vec::new();
    for (name, verdict) in [("intake-accepted", Verdict::Accept), ("intake-refused", Verdict::Refuse)] {
        for language in Language::all() {
            let page =
                intake_page(&assessment(verdict), (&language, "America/Toronto"), "Boutique Laval inc.", &provider());
            wrong.extend(compare(&folder().join(format!("{name}.{}.html", language.tag())), &page.unwrap()).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
