//! The locale files: same keys, same arguments, nothing missing, nothing left over.

use super::{stories, story};
use crate::report::Language;
use crate::report::audit_page::AUDIT;
use crate::report::html::{MAIL, MONTH, TEMPLATE, TEXT};
use crate::report::intake::INTAKE;
use crate::report::letter::LETTER;
use crate::report::sections::kind_line;
use crate::report::words::{Words, lookup, own};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The messages of a language, and the arguments that each uses.
fn messages(tag: &str) -> BTreeMap<String, BTreeSet<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/report/locales/{tag}"));
    let text = ["report.ftl", "audit.ftl"].map(|file| std::fs::read_to_string(folder.join(file)).unwrap()).concat();
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
    let report = [
        "anomalies",
        "audit_page",
        "drifts",
        "html",
        "intake",
        "letter",
        "month/view",
        "notices",
        "outline",
        "reasons",
        "sections",
        "view",
        "words",
    ];
    let audit = ["waivers", "rules/backups", "rules/fleet", "rules/promises", "rules/runs", "rules/software"];
    let files =
        report.map(|file| format!("report/{file}")).into_iter().chain(audit.map(|file| format!("audit/{file}")));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let code: Vec<String> =
        files.map(|file| std::fs::read_to_string(source.join(format!("{file}.rs"))).unwrap()).collect();
    let templates = [TEMPLATE, INTAKE, LETTER, AUDIT, MONTH, TEXT, MAIL].join("\n");
    let all = code.join("\n") + &templates;
    // Made of a number, a state, or the id of a rule; the rules have a test of their own.
    let made = ["month-", "state-", "audit-rule-", "audit-means-", "audit-todo-"];
    let named = |key: &String| all.contains(&format!("\"{key}\"")) || made.iter().any(|start| key.starts_with(start));
    let unused: Vec<String> = messages("en").into_keys().filter(|key| !named(key)).collect();
    assert!(unused.is_empty(), "used nowhere: {unused:?}");
    for part in templates.split("{{t \"").skip(1) {
        let key = part.split('"').next().unwrap();
        assert!(messages("en").contains_key(key), "the template's {key} is in no locale file");
    }
}

/// Every kind of component that a playbook tells of has a name in every language.
#[test]
fn every_kind_of_component_has_a_name() {
    const KINDS: [&str; 18] = [
        "core",
        "plugin",
        "mu-plugin",
        "dropin",
        "theme",
        "language",
        "template",
        "module",
        "component",
        "library",
        "package",
        "extension",
        "skin",
        "file",
        "profile",
        "admin-module",
        "admin-template",
        "unheard-of",
    ];
    for language in Language::all() {
        let words = Words::new(language, "UTC");
        for kind in KINDS {
            let known = kind != "unheard-of";
            let id = story::id(&format!("{kind}:slug"));
            assert_eq!(kind_line(&id, None, &words) != kind, known, "{kind}");
            for key in ["the-component", "of-component"] {
                let said = words.tell(key, &[("kind", own(kind)), ("name", own("slug"))]);
                let plain = ["slug", "of slug", "de slug"].contains(&said.as_str());
                assert_eq!(plain, !known, "{key} of {kind}: {said}");
            }
        }
    }
    let french = Words::new(Language::of("fr"), "UTC");
    let names = ["Akismet", "Yoast", "École", "WooCommerce", "« Élan »", "4WP", ""].map(|name| french.of_name(name));
    assert_eq!(names, ["d’Akismet", "de Yoast", "d’École", "de WooCommerce", "d’« Élan »", "de 4WP", "de "]);
    let zone = |name: &str| Words::new(Language::of("fr"), name).zone("2026-07-01T12:00:00Z".parse().unwrap());
    assert_eq!(
        ["America/Toronto", "Europe/Paris", "Asia/Shanghai"].map(zone),
        ["America/Toronto (HAE)", "Europe/Paris (CEST)", "Asia/Shanghai (CST)"]
    );
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
    // The logo is the one picture: it stands in the page, or in the message.
    let logos =
        ["<img class=\"logo\" src=\"{{brand.logo}}\"", "<img src=\"{{logo}}\"", "<img class=\"logo\" src=\"{{logo}}\""];
    for template in [TEMPLATE, INTAKE, LETTER, AUDIT, MONTH, TEXT, MAIL] {
        let template = logos.iter().fold(template.to_owned(), |text, logo| text.replace(logo, ""));
        assert!(!template.contains("{{{") && !template.contains("{{&"));
        for outside in ["<script", "<img", "<link", "@import", "url(", "src=", "http:", "https:", "onclick"] {
            assert!(!template.contains(outside), "{outside}");
        }
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

#[test]
fn a_core_has_a_publisher_and_a_restart_a_name() {
    use crate::model::{Kind, Lifter};
    use crate::report::reasons::lifter;
    use crate::report::words::own;
    let (core, plugin) = (Kind::new("core").unwrap(), Kind::new("plugin").unwrap());
    for (tag, publisher, author, restart) in [
        ("en", "the publisher of the core", "the author of the extension", "Restart the site’s processes"),
        ("fr", "l’éditeur du système", "l’auteur de l’extension", "Redémarrage des programmes du site"),
    ] {
        let words = Words::new(Language::of(tag), "UTC");
        assert_eq!(lifter(&words, Lifter::Vendor, &core), publisher);
        assert_eq!(lifter(&words, Lifter::Vendor, &plugin), author);
        assert_eq!(lifter(&words, Lifter::Host, &core), lifter(&words, Lifter::Host, &plugin));
        assert_eq!(words.tell("step", &[("kind", own("restart")), ("title", own(""))]), restart);
    }
}
