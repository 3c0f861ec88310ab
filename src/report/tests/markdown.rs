//! The Markdown form: what it is made of.

use super::stories;
use crate::report::{Language, Provider};

#[test]
fn it_says_what_the_page_says() {
    let report = stories::completed().report();
    let text = report.to_markdown(Some(Language::of("en")), &super::golden::provider()).unwrap();
    for said in [
        "# Update report – boutique.example",
        "## Updated and checked",
        "| Akismet Anti-spam: Spam Protection · Extension | 5.0.2 | 5.7.2 |",
        "soutien\\@atelier.example",
    ] {
        assert!(text.contains(said), "{said} is not in:\n{text}");
    }
    assert!(text.ends_with('\n') && !text.contains("\n\n\n") && !text.contains(" \n"), "{text}");
    for table in text.split("\n\n").filter(|block| block.starts_with('|')) {
        let cells: Vec<usize> = table.lines().map(|line| line.matches('|').count()).collect();
        assert!(cells.len() > 2 && cells.iter().all(|count| *count == cells[0]), "{table}");
    }
    let quiet = report.to_markdown(None, &Provider::default()).unwrap();
    assert!(quiet.starts_with("# Rapport de mise à jour – boutique.example\n"), "{quiet}");
}
