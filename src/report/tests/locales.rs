//! The locale files: same keys, same arguments, nothing missing, nothing left over.

use super::stories;
use crate::report::Language;
use crate::report::html::TEMPLATE;
use crate::report::words::{Words, lookup};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The messages of a language, and the arguments that each uses.
fn messages(tag: &str) -> BTreeMap<String, BTreeSet<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/report/locales/{tag}/report.ftl"));
    let text = std::fs::read_to_string(file).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut key = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with([' ', '}'])) {
            key = name.to_owned();
            assert!(found.insert(key.clone(), BTreeSet::new()).is_none(), "{tag}: {key} stands twice");
        }
        let arguments = line
            .split('$')
            .skip(1)
            .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect::<String>());
        found.entry(key.clone()).or_default().extend(arguments);
    }
    found.remove("");
    found
}

#[test]
fn every_language_has_the_same_messages_and_arguments() {
    let english = messages("en");
    assert_eq!(Language::all().iter().map(Language::tag).collect::<Vec<_>>(), ["en", "fr"]);
    for tag in ["fr"] {
        let other = messages(tag);
        let keys = |messages: &BTreeMap<String, _>| messages.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&english), keys(&other), "{tag}");
        for (key, arguments) in &english {
            // A language may do without the number that chooses a form, or with another form of
            // the same value.
            let optional = ["count", "shown", "hour", "hour12", "half", "day"];
            let needed = |set: &BTreeSet<String>| -> BTreeSet<String> {
                set.iter().filter(|name| !optional.contains(&name.as_str())).cloned().collect()
            };
            assert_eq!(needed(arguments), needed(&other[key]), "{tag}: {key}");
        }
    }
}

#[test]
fn every_message_can_be_read() {
    for language in Language::all() {
        for (key, arguments) in messages(&language.tag()) {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            assert!(lookup(&language, &key, &arguments).is_some(), "{}: {key} can't be read", language.tag());
        }
    }
}

/// Every key that the code or the template names exists; every message is named somewhere.
#[test]
fn no_message_is_missing_or_left_over() {
    let code = ["html.rs", "reasons.rs", "sections.rs", "view.rs", "words.rs"].map(|file| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report").join(file)).unwrap()
    });
    let all = code.join("\n") + TEMPLATE;
    let made = ["month-", "state-"];
    let named = |key: &String| all.contains(&format!("\"{key}\"")) || made.iter().any(|start| key.starts_with(start));
    let unused: Vec<String> = messages("en").into_keys().filter(|key| !named(key)).collect();
    assert!(unused.is_empty(), "used nowhere: {unused:?}");
    for part in TEMPLATE.split("{{t \"").skip(1) {
        let key = part.split('"').next().unwrap();
        assert!(messages("en").contains_key(key), "the template's {key} is in no locale file");
    }
}

#[test]
fn no_page_shows_a_key() {
    let keys = messages("en");
    for (name, story) in stories::all() {
        let report = story.report();
        for language in Language::all() {
            let page = report.to_html(Some(language), &Default::default()).unwrap();
            let body = page.split("<body>").nth(1).unwrap();
            for key in keys.keys().filter(|key| key.contains('-')) {
                assert!(!body.contains(&format!(">{key}<")), "{name} shows {key}");
            }
        }
    }
}

#[test]
fn the_template_escapes_everything() {
    assert!(!TEMPLATE.contains("{{{") && !TEMPLATE.contains("{{&"));
    for outside in ["<script", "<img", "<link", "@import", "url(", "src=", "http:", "https:", "onclick"] {
        assert!(!TEMPLATE.contains(outside), "{outside}");
    }
}

#[test]
fn numbers_dates_and_times_follow_the_language() {
    let english = Words::new(Language::of("en-CA"), "America/Toronto");
    let french = Words::new(Language::of("fr"), "America/Toronto");
    let at = "2026-11-01T05:30:00Z".parse().unwrap();
    let said = |words: &Words| {
        [
            words.number(1_234),
            words.number(1_234_567),
            words.bytes(999),
            words.bytes(1_254_000_000),
            words.bytes(999_960_000),
            words.duration(850),
            words.duration(4_210),
            words.duration(64_800),
            words.duration(7_380_000),
            words.moment(at),
            words.date("2026-11-12T04:00:00Z".parse().unwrap()),
            words.time("2026-11-12T17:05:00Z".parse().unwrap()),
            words.zone(at),
            words.count("say-installed", 0),
            words.count("backup-files", 0),
            words.count("backup-files", 1),
            words.count("backup-files", 12_384),
            words.count("problem-restored", 0),
        ]
        .join("\n")
    };
    insta::assert_snapshot!("english", said(&english));
    insta::assert_snapshot!("french", said(&french));
    let nowhere = Words::new(Language::of("zz"), "No/Such");
    assert_eq!((nowhere.tag().as_str(), nowhere.zone(at).as_str()), ("en", "UTC"));
}
