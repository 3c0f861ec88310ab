//! Texts that a site could send to do harm.

use super::stories;
use crate::intake::Verdict;
use crate::ledger::{About, Notice};
use crate::model::{HoldReason, Lifter};
use crate::report::{Addressee, Language, MonthReport, Provider, Report, intake_page, notices_letter, notices_mail};
use proptest::prelude::*;
use serde_json::Value;

/// Puts `text` wherever the report has a text that could come from outside.
fn poison(value: &mut Value, key: &str, text: &str) {
    const OUTSIDE: [&str; 27] = [
        "client", "url", "tier", "cms", "by", "program", "summary", "title", "why", "said", "command", "snapshot",
        "path", "unknown", "text", "excerpt", "got", "before", "expected", "source", "number", "what", "lift", "on",
        "part", "name", "todo",
    ];
    const OF_CLIENTS: [&str; 3] = ["description", "answer", "reported-by"];
    match value {
        // The names of our own variants stay.
        Value::String(old) if matches!(old.as_str(), "good" | "same-as-before" | "custom") => {}
        Value::String(old) if OUTSIDE.contains(&key) || OF_CLIENTS.contains(&key) => *old = text.to_owned(),
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
    let provider = Provider { name: Some(text.to_owned()), contact: Some(text.to_owned()), ..Provider::default() };
    for language in Language::all() {
        let page = evil.to_html(Some(language.clone()), &provider).unwrap();
        let tame = poisoned(report, "tame").to_html(Some(language), &provider_like("tame")).unwrap();
        let breaks = text.lines().filter(|line| !line.trim().is_empty()).count() == 1;
        if breaks && text.chars().any(|c| c.is_alphanumeric()) {
            assert_eq!(tags(&page), tags(&tame), "tags were added by {text:?}");
        }
        let mail = evil.to_mail(Some(Language::of("en")), &provider).unwrap();
        let quiet = poisoned(report, "tame").to_mail(Some(Language::of("en")), &provider_like("tame")).unwrap();
        if breaks && text.chars().any(|c| c.is_alphanumeric()) {
            assert_eq!(tags(&mail.html), tags(&quiet.html), "tags were added to the e-mail by {text:?}");
            assert_eq!(mail.text.lines().count(), quiet.text.lines().count(), "lines were added by {text:?}");
        }
        assert!(![&mail.html, &mail.text].into_iter().any(|form| form.contains(odd)), "control characters of {text:?}");
        assert!(!mail.subject.contains(odd) && mail.subject.len() < 2000 && mail.subject.lines().count() == 1);
        assert!(!page.contains(odd), "control characters of {text:?}");
        assert!(page.len() < 400_000, "{} bytes", page.len());
    }
}

fn odd(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// What Markdown and the HTML in it would read as more than text: none of it comes from outside.
fn marks(text: &str) -> Vec<String> {
    let mut marks = Vec::new();
    for line in text.lines() {
        // A backslash takes the meaning of what follows.
        let mut plain = String::new();
        let mut rest = line.chars();
        while let Some(c) = rest.next() {
            match c {
                '\\' => {
                    rest.next();
                    plain.push('x');
                }
                c => plain.push(c),
            }
        }
        let start: String = plain.chars().take_while(|c| "#>|- ".contains(*c)).collect();
        let inner: String = plain.chars().skip(start.chars().count()).filter(|c| "<>`*_[]|~$@".contains(*c)).collect();
        marks.push(format!("{start}{inner}"));
        assert!(!plain.contains("://") && !plain.to_lowercase().contains("www."), "a link: {line}");
    }
    marks
}

fn harmless_in_markdown(report: &Report, text: &str) {
    let told = |text: &str| {
        let provider = provider_like(text);
        Language::all().into_iter().map(|l| poisoned(report, text).to_markdown(Some(l), &provider).unwrap()).collect()
    };
    let (evil, tame): (Vec<String>, Vec<String>) = (told(text), told("tame"));
    for (evil, tame) in evil.iter().zip(&tame) {
        assert!(!evil.contains(odd), "control characters of {text:?}");
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        if lines == 1 && text.chars().any(|c| c.is_alphanumeric()) {
            assert_eq!(marks(evil), marks(tame), "marks were added by {text:?}");
        }
    }
}

fn harmless_in_a_month(text: &str) {
    let provider = provider_like(text);
    for (name, report) in super::months::all() {
        let told = |text: &str| -> MonthReport {
            let mut value = serde_json::to_value(&report).unwrap();
            poison(&mut value, "", text);
            serde_json::from_value(value).unwrap()
        };
        let (evil, tame) = (told(text), told("tame"));
        for language in Language::all() {
            let page = evil.to_html(Some(language.clone()), &provider).unwrap();
            let quiet = tame.to_html(Some(language.clone()), &provider_like("tame")).unwrap();
            assert_eq!(tags(&page), tags(&quiet), "{name}: tags were added by {text:?}");
            let markdown = evil.to_markdown(Some(language.clone()), &provider).unwrap();
            let quiet = tame.to_markdown(Some(language), &provider_like("tame")).unwrap();
            assert_eq!(marks(&markdown), marks(&quiet), "{name}: marks were added by {text:?}");
            assert!(!page.contains(odd) && !markdown.contains(odd), "{name}: control characters of {text:?}");
        }
    }
}

fn provider_like(text: &str) -> Provider {
    Provider { name: Some(text.to_owned()), contact: Some(text.to_owned()), ..Provider::default() }
}

fn attacks() -> Vec<String> {
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
        "[click](https://evil.example/) ![x](//evil.example/x.png) https://evil.example www.evil.example",
        "# heading | cell | `code` *bold* _soft_ ~~gone~~ @everyone $x$",
        "1. one",
        "- point",
        "---",
        "+ x",
        "===x",
        "\\[x](y)",
        long.as_str(),
    ];
    attacks.map(str::to_owned).into()
}

#[test]
fn known_attacks_do_nothing() {
    let attacks = attacks();
    let attacks: Vec<&str> = attacks.iter().map(String::as_str).collect();
    let stories = [stories::all_holds(), stories::restored(), stories::refused(), stories::stuck_checks()];
    for report in stories.map(|story| story.report()).into_iter().chain([super::anomalies::told()]) {
        for attack in &attacks {
            harmless(&report, attack);
            harmless_in_markdown(&report, attack);
        }
    }
    for attack in &attacks {
        harmless_in_a_month(attack);
    }
    let page = poisoned(&stories::stuck().report(), attacks[0]).to_html(None, &Provider::default()).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it is shown as what it is");
    let page = poisoned(&stories::stuck().report(), "{{lang}}").to_html(None, &Provider::default()).unwrap();
    assert!(page.contains("{{lang}}"), "it is not a template");
    let page = poisoned(&stories::stuck().report(), "javascript:alert(1)").to_html(None, &Provider::default()).unwrap();
    assert!(!page.contains("href="), "no link to a script");
}

/// No text added a tag.
fn same_tags(evil: &str, tame: &str, what: &str) {
    assert_eq!(tags(evil), tags(tame), "tags were added to {what}");
    assert!(!evil.contains(odd) && evil.len() < 400_000, "{what}");
}

/// Letters before reports, about notices, and pages of intakes.
#[test]
fn what_is_printed_is_harmless() {
    let sender = |text: &str| Provider { address: vec![text.to_owned(); 3], ..provider_like(text) };
    let to = |text: &str| Addressee { name: text.to_owned(), address: vec![text.to_owned(); 5] };
    let day: jiff::civil::Date = "2026-11-13".parse().unwrap();
    let told = |text: &str| {
        let mut pages = Vec::new();
        for language in Language::all() {
            let (some, letter) = (Some(language.clone()), (&to(text), day));
            let run = poisoned(&stories::restored().report(), text);
            pages.push(("the letter of a run", run.to_letter(some.clone(), &sender(text), letter).unwrap()));
            let (plan, mut notices) = super::forms::noticed();
            for notice in &mut notices {
                if let About::Task { title, reason, .. } = &mut notice.about {
                    *title = text.to_owned();
                    *reason = HoldReason::Manual { what: text.to_owned(), who: Lifter::Operator };
                }
            }
            let notices: Vec<&Notice> = notices.iter().collect();
            let page = notices_letter(&notices, &plan, some.clone(), &sender(text), letter).unwrap();
            pages.push(("the letter of notices", page));
            let mail = notices_mail(&notices, &plan, some, &sender(text)).unwrap();
            assert!(!mail.text.contains(odd) && mail.subject.lines().count() == 1);
            pages.push(("the mail of notices", mail.html));
            let mut intake = super::letters::assessment(Verdict::Refuse);
            intake.inventory.core.title = text.to_owned();
            intake.inventory.extensions.iter_mut().for_each(|one| one.title = text.to_owned());
            intake.unknown = vec![text.to_owned()];
            for finding in intake.findings.iter_mut().filter(|one| one.rule == "eval-of-input" || one.rule == "old") {
                finding.place = text.to_owned();
                finding.excerpt = Some(text.to_owned());
            }
            pages.push(("an intake", intake_page(&intake, (&language, "UTC"), text, &sender(text)).unwrap()));
        }
        pages
    };
    let tame = told("tame");
    for attack in attacks() {
        for ((what, evil), (_, tame)) in told(&attack).iter().zip(&tame) {
            same_tags(evil, tame, &format!("{what} by {attack:.60?}"));
        }
    }
}

/// A message as it goes to a server, and the document for machines.
#[test]
fn what_is_sent_and_read_by_programs_is_harmless() {
    let mailbox = |text: &str| crate::mail::Mailbox::parse(text).unwrap();
    let (from, to) = (mailbox("Atelier <ops@studio.example>"), mailbox("owner@shop.example"));
    let bytes = |text: &str| {
        let mail = poisoned(&stories::stuck().report(), text).to_mail(None, &provider_like(text)).unwrap();
        let (subject, html) = (mail.subject.as_str(), mail.html.as_str());
        let letter =
            crate::mail::Letter { from: &from, to: &to, subject, subject_id: "x", text: &mail.text, html, logo: None };
        String::from_utf8(letter.bytes(jiff::Timestamp::UNIX_EPOCH).unwrap()).unwrap()
    };
    let fields = |message: &str| -> Vec<String> {
        let head = message.split_once("\r\n\r\n").unwrap().0;
        let lines = head.lines().filter(|line| !line.starts_with([' ', '\t']));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    };
    let tame = fields(&bytes("tame"));
    let more = ["x\r\nBcc: all@evil.example\r\n\r\nbody", "x\n.\nQUIT"].map(str::to_owned);
    for attack in attacks().into_iter().chain(more) {
        let message = bytes(&attack);
        assert_eq!(fields(&message), tame, "a field was added by {attack:.60?}");
        assert!(message.is_ascii() && message.lines().all(|line| line.len() <= 998), "{attack:.60?}");
        assert!(!message.contains(|c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t')), "{attack:.60?}");
        let report = poisoned(&stories::stuck().report(), &attack);
        let json = report.to_json().unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report, "{attack:.60?}");
        assert!(!json.contains(|c: char| c.is_control() && c != '\n'), "{attack:.60?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_is_harmless(text in "[<>\"'&{}$/=a-z\u{202e}\u{1b} \n#é;|`*_~.()0-9-\\[\\]]{0,120}") {
        harmless(&stories::restored().report(), &text);
        harmless_in_markdown(&stories::restored().report(), &text);
    }
}
