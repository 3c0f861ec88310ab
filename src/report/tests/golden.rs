//! Golden pages and documents. `INTENDANT_BLESS=1` rewrites them; look at the difference.

use super::stories;
use crate::report::{Language, Provider, Report, json_schema};
use std::path::{Path, PathBuf};

fn compare(file: &Path, actual: &str) -> Result<(), String> {
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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/tests/golden")
}

fn provider() -> Provider {
    Provider { name: Some("Atelier Web Laval".into()), contact: Some("soutien@atelier.example".into()) }
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
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_schema_is_that_of_the_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas/report.schema.json");
    let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
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
