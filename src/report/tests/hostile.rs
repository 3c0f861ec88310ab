//! Texts that a site could send to do harm.

use super::stories;
use crate::report::{Language, Provider, Report};
use proptest::prelude::*;
use serde_json::Value;

/// Puts `text` wherever the report has a text that could come from outside.
fn poison(value: &mut Value, key: &str, text: &str) {
    const OUTSIDE: [&str; 26] = [
        "client", "url", "tier", "cms", "by", "program", "summary", "title", "why", "said", "command", "snapshot",
        "path", "unknown", "text", "excerpt", "got", "before", "expected", "source", "number", "what", "lift", "on",
        "part", "name",
    ];
    match value {
        // The names of our own variants stay.
        Value::String(old) if matches!(old.as_str(), "good" | "same-as-before" | "custom") => {}
        Value::String(old) if OUTSIDE.contains(&key) => *old = text.to_owned(),
        Value::Array(list) => {
            let inner = if matches!(key, "undone" | "left" | "files" | "notes" | "changed") { "text" } else { key };
            list.iter_mut().for_each(|item| poison(item, inner, text));
        }
        Value::Object(map) => map.iter_mut().for_each(|(key, item)| poison(item, key, text)),
        _ => {}
    }
}

fn poisoned(report: &Report, text: &str) -> Report {
    let mut value = serde_json::to_value(report).unwrap();
    poison(&mut value, "", text);
    // The zone stays: a wrong one is another test.
    serde_json::from_value(value).unwrap()
}

/// What the page would be without any text from outside, as far as tags go.
fn tags(page: &str) -> usize {
    page.matches('<').count()
}

fn harmless(report: &Report, text: &str) {
    let evil = poisoned(report, text);
    let provider = Provider { name: Some(text.to_owned()), contact: Some(text.to_owned()) };
    for language in Language::all() {
        let page = evil.to_html(Some(language.clone()), &provider).unwrap();
        let tame = poisoned(report, "tame").to_html(Some(language), &provider_like("tame")).unwrap();
        let breaks = text.lines().filter(|line| !line.trim().is_empty()).count() == 1;
        if breaks && text.chars().any(|c| c.is_alphanumeric()) {
            assert_eq!(tags(&page), tags(&tame), "tags were added by {text:?}");
        }
        let odd = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
        };
        assert!(!page.contains(odd), "control characters of {text:?}");
        assert!(page.len() < 400_000, "{} bytes", page.len());
    }
}

fn provider_like(text: &str) -> Provider {
    Provider { name: Some(text.to_owned()), contact: Some(text.to_owned()) }
}

#[test]
fn known_attacks_do_nothing() {
    let long = "x".repeat(10_000);
    let attacks = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "{{lang}} {{{lang}}} {{#each facts}}{{/each}} {{> page}}",
        "{ $title } { page-title }",
        "\u{202e}gnp.exe\u{2066}",
        "\u{1b}[31mred\u{0}\u{7}",
        "javascript:alert(1)",
        "</style></title></body>",
        "&lt;script&gt; &#60;b&#62;",
        long.as_str(),
    ];
    let stories = [stories::all_holds(), stories::restored(), stories::refused(), stories::stuck_checks()];
    for report in stories.map(|story| story.report()) {
        for attack in attacks {
            harmless(&report, attack);
        }
    }
    let page = poisoned(&stories::stuck().report(), attacks[0]).to_html(None, &Provider::default()).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it is shown as what it is");
    let page = poisoned(&stories::stuck().report(), "{{lang}}").to_html(None, &Provider::default()).unwrap();
    assert!(page.contains("{{lang}}"), "it is not a template");
    let page = poisoned(&stories::stuck().report(), "javascript:alert(1)").to_html(None, &Provider::default()).unwrap();
    assert!(!page.contains("href="), "no link to a script");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_is_harmless(text in "[<>\"'&{}$/=a-z\u{202e}\u{1b} \n#é;]{0,120}") {
        harmless(&stories::restored().report(), &text);
    }
}
