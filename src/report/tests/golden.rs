//! Golden pages and documents. `INTENDANT_BLESS=1` rewrites them; look at the difference.

use super::stories;
use crate::journal::{Rehearsal, RehearsalResult};
use crate::report::{Language, Provider, Report, json_schema, month_json_schema};
use crate::snapshot::Proof;
use std::path::{Path, PathBuf};

pub(super) fn compare(file: &Path, actual: &str) -> Result<(), String> {
    if std::env::var_os("INTENDANT_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, actual).unwrap();
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    let first = lines.find(|(_, (expected, actual))| expected != actual);
    Err(format!("{} differs, first in {first:?}; INTENDANT_BLESS=1 rewrites it", file.display()))
}

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/tests/golden")
}

pub(super) fn provider() -> Provider {
    Provider {
        name: Some("Atelier Web Laval".into()),
        contact: Some("soutien@atelier.example".into()),
        ..Provider::default()
    }
}

#[test]
fn pages_and_documents_are_as_approved() {
    let mut wrong = Vec::new();
    for (name, story) in stories::all() {
        let report = story.report();
        let json = report.to_json().unwrap();
        wrong.extend(compare(&folder().join(format!("{name}.json")), &json).err());
        let back: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(back, report, "{name}");
        for language in Language::all() {
            let page = report.to_html(Some(language.clone()), &provider()).unwrap();
            assert!(!page.contains("{$") && !page.contains("{ $"), "{name}: an argument is missing");
            let file = folder().join(format!("{name}.{}.html", language.tag()));
            wrong.extend(compare(&file, &page).err());
            let text = report.to_markdown(Some(language.clone()), &provider()).unwrap();
            let file = folder().join(format!("{name}.{}.md", language.tag()));
            wrong.extend(compare(&file, &text).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A rehearsal of the story's site on a day of November.
pub(super) fn rehearsal(day: u8, database: Proof, boot: Proof, good: bool) -> Rehearsal {
    let began = format!("2026-11-{day:02}T12:00:00Z").parse().unwrap();
    let files = if good { Proof::Proven } else { Proof::differs(vec!["a.php".into()], 1) };
    Rehearsal {
        rehearsal: Rehearsal::FORMAT,
        id: crate::model::RunId::new(began),
        site: stories::completed().report().site,
        snapshot: "20261101T020000.123Z-0123456789ab".into(),
        content: crate::model::Digest::of(b"x"),
        began,
        took_ms: 192_000,
        by: "somebody".into(),
        program: "1".into(),
        result: RehearsalResult::of(&files, &database, &boot),
        files,
        database,
        boot,
        version: None,
        left: Vec::new(),
        stays: Vec::new(),
        bytes_sent: 0,
    }
}

#[test]
fn the_last_proven_restore_is_told_in_both_languages() {
    let all = rehearsal(3, Proof::Proven, Proof::Proven, true);
    let files = rehearsal(5, Proof::unproven("nobody may"), Proof::Nothing, true);
    let still = rehearsal(6, Proof::Proven, Proof::differs(vec!["no answer".into()], 1), true);
    let failed = rehearsal(7, Proof::Proven, Proof::Nothing, false);
    let later = rehearsal(30, Proof::Proven, Proof::Proven, true);
    let mut told = String::new();
    for known in [vec![], vec![&later, &all], vec![&files], vec![&still], vec![&failed, &files, &all], vec![&failed]] {
        let known: Vec<Rehearsal> = known.into_iter().cloned().collect();
        let report = stories::completed().report().with_rehearsals(&known);
        let json = serde_json::to_value(&report).unwrap();
        told += &format!("{}\n", json["proven-restore"]);
        for language in Language::all() {
            let page = report.to_html(Some(language), &provider()).unwrap();
            let section = page.split("<section aria-labelledby=\"proven\">").nth(1);
            told += section.and_then(|rest| rest.split("</section>").next()).unwrap_or("(nothing)").trim();
            told.push('\n');
        }
    }
    compare(&folder().join("proven-restores.txt"), &told).unwrap();
}

#[test]
fn the_schema_is_that_of_the_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas/report.schema.json");
    let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    compare(&file, &text).unwrap();
    let file = file.with_file_name("month-report.schema.json");
    let text = serde_json::to_string_pretty(&month_json_schema()).unwrap() + "\n";
    compare(&file, &text).unwrap();
}

#[test]
fn the_clients_language_is_the_default() {
    let report = stories::completed().report();
    let page = report.to_html(None, &Provider::default()).unwrap();
    assert!(page.contains("<html lang=\"fr\">"));
    assert!(!page.contains("mailto:"), "no provider, no contact");
}

#[test]
fn another_journal_is_no_report() {
    let mut entries = stories::completed().entries();
    entries.remove(0);
    let error = Report::of(super::story::RUN.parse().unwrap(), &entries).unwrap_err();
    assert!(error.to_string().contains(super::story::RUN), "{error}");
}

/// The stories are journals that a run could have written.
#[test]
fn the_stories_are_legal() {
    for (name, story) in stories::all() {
        if let Err(illegal) = crate::journal::RunState::fold(&story.entries()) {
            panic!("{name}: {illegal}");
        }
    }
}

/// What is said of the end is true of the site as it is, and of what was asked for.
#[test]
fn the_end_is_told_as_it_was() {
    let told = |story: super::story::Story| story.report().to_markdown(Some(Language::of("en")), &provider()).unwrap();
    let later = told(stories::stuck_later());
    assert!(
        later.contains("The updates are still there")
            && later.contains("did not pass its checks any more")
            && !later.contains("before anything was done")
            && !later.contains("The site was put back from the backup taken just before"),
        "{later}"
    );
    let stuck = told(stories::restore_stuck());
    assert!(
        stuck.contains("The site could not be put back automatically") && !stuck.contains("updates did not work"),
        "{stuck}"
    );
    let checks = told(stories::restore_stuck_checks());
    assert!(
        checks.contains("the backup that was asked for, but it does not pass") && !checks.contains("taken just before"),
        "{checks}"
    );
    let refused = told(stories::restore_refused());
    assert!(refused.contains("The restore did not begin") && !refused.contains("updates did not begin"), "{refused}");
    let asked = told(stories::restore_asked());
    assert!(
        asked.contains("Restored, as asked") && !asked.contains("taken before") && !asked.contains("you asked"),
        "{asked}"
    );
    for left in [stories::restored_left(), stories::restored_rows()] {
        let left = told(left);
        assert!(left.contains("Put back, but not entirely") && !left.contains("exactly as it was"), "{left}");
    }
    assert!(told(stories::restored()).contains("Put back exactly as it was"));
}
