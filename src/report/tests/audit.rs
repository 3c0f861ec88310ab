//! Golden forms of an audit, and hostile texts in it. `INTENDANT_BLESS=1` rewrites the golden ones; look at the difference.

use super::golden::compare;
use crate::audit::{Audit, Evidence, Finding, RULES, Value, Waived};
use crate::intake::Severity;
use crate::journal::Audited;
use crate::model::SiteName;
use crate::report::{AuditReport, Language, Provider, audit_schema, status_schema};
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn evidence(key: &'static str, values: &[(&'static str, Value)]) -> Evidence {
    Evidence { key, values: values.to_vec() }
}

/// Every sentence of proof, with one of anything and with several; by the rule that says it.
fn sentences() -> Vec<(&'static str, &'static str, Vec<Evidence>)> {
    let day = Value::Day("2026-11-20".parse().unwrap());
    let when = ("at", Value::Moment(at("2026-11-20T07:00:00Z")));
    let (one, two) = (Value::Count(1), Value::Count(2));
    let number = ("number", text("K-2026-117"));
    let notice = [("notice", Value::Count(12)), ("version", text("7.1.1")), when.clone()];
    let late = |hours: Value| [("name", text("CVE-2026-1234")), ("count", hours), ("within", Value::Count(24))];
    let files = |names: &str, count: u64, more: u64| {
        [("names", text(names)), ("count", Value::Count(count)), ("more", Value::Count(more))]
    };
    let run = |outcome| evidence("audit-last-run", &[when.clone(), ("outcome", Value::Word(outcome))]);
    let who = |who| evidence("audit-held", &[("who", Value::Word(who))]);
    let waiver = [("owner", text("Anne")), ("why", text("the agency works on it")), ("day", day.clone())];
    let cap = |count: u64| [("count", Value::Count(count)), ("cap", Value::Count(25)), ("tier", text("custom"))];
    vec![
        ("plan-unreadable", "cafe.yaml", vec![evidence("audit-why", &[("why", text("cafe.yaml:3: unknown key"))])]),
        ("no-plan", "", ["completed", "completed-with-holds", "restored", "refused", "stuck", "open"].map(run).into()),
        (
            "no-plan",
            "",
            vec![
                evidence("audit-backups-there", &[("count", one.clone())]),
                evidence("audit-backups-there", &[("count", two.clone())]),
            ],
        ),
        ("never-seen", "", vec![evidence("audit-nothing-recorded", &[])]),
        (
            "neighbour-without-plan",
            "web3.example:/srv/www/old",
            [0, 1, 2]
                .map(|count| {
                    evidence("audit-neighbours", &[("host", text("web3.example")), ("count", Value::Count(count))])
                })
                .into(),
        ),
        (
            "no-intake",
            "",
            vec![
                evidence("audit-intake-none", &[]),
                evidence("audit-intake-refused", &[("record", text("019a7e2c"))]),
                evidence("audit-intake-unknown", &[("record", text("019a7e2c"))]),
            ],
        ),
        ("over-cap", "", vec![evidence("audit-cap-over", &cap(31))]),
        ("near-cap", "", vec![evidence("audit-cap-near", &cap(24))]),
        ("contract-lapsed", "", vec![evidence("audit-contract-ended", &[number.clone(), ("day", day.clone())])]),
        ("contract-ending", "", vec![evidence("audit-contract-ends", &[number, ("day", day.clone())])]),
        (
            "licence-missing",
            "plugin:fast-cache",
            vec![evidence("audit-licence-held", &[("installed", text("1.0")), ("offered", text("2.0"))])],
        ),
        (
            "licence-expired",
            "fast-cache",
            vec![evidence("audit-pool-ended", &[("pool", text("agency-pool")), ("day", day.clone())])],
        ),
        (
            "licence-over-used",
            "agency-pool",
            vec![evidence("audit-pool-used", &[("count", Value::Count(6)), ("seats", Value::Count(5))])],
        ),
        (
            "hold-past-end",
            "custom-slider",
            vec![evidence("audit-hold-ended", &[("day", day.clone()), ("why", text("modified by the agency"))])],
        ),
        ("notice-unanswered", "core:core", vec![evidence("audit-notice-waits", &notice)]),
        ("notice-expired", "core:core", vec![evidence("audit-notice-gone", &notice)]),
        (
            "anomaly-unanswered",
            "https://cafe.example/menu",
            vec![evidence("audit-anomaly-waits", &[("anomaly", Value::Count(21)), when.clone()])],
        ),
        (
            "window-missed",
            "",
            vec![
                evidence("audit-window", &[when.clone(), ("count", one.clone())]),
                evidence("audit-window", &[when.clone(), ("count", two.clone())]),
                evidence("audit-no-run", &[]),
                evidence("audit-refused", &[("why", text("the disk is full"))]),
            ],
        ),
        ("run-stuck", "", vec![run("stuck")]),
        ("run-restored", "", vec![run("restored")]),
        ("run-open", "", vec![run("open")]),
        (
            "security-late",
            "plugin:forms",
            vec![
                evidence("audit-late-open", &late(one.clone())),
                evidence("audit-late-open", &late(Value::Count(31))),
                evidence("audit-late-closed", &late(one.clone())),
                evidence("audit-late-closed", &late(Value::Count(31))),
            ],
        ),
        ("security-late", "plugin:maps", ["operator", "client", "host", "vendor", "time"].map(who).into()),
        (
            "vulnerable",
            "plugin:forms",
            vec![
                evidence("audit-vulnerability-fixed", &[("name", text("CVE-2026-1234")), ("version", text("2.0"))]),
                evidence("audit-vulnerability-open", &[("name", text("CVE-2026-1235"))]),
                evidence("audit-more", &[("count", one.clone())]),
                evidence("audit-more", &[("count", two.clone())]),
            ],
        ),
        (
            "core-end-of-life",
            "core 4.6.1",
            vec![evidence("audit-train-ended", &[("train", text("4.6")), ("day", day.clone())])],
        ),
        (
            "platform-end-of-life",
            "php 7.4.33",
            vec![evidence("audit-train-ended", &[("train", text("7.4")), ("day", day.clone())])],
        ),
        (
            "end-of-life-near",
            "php 8.2.36",
            vec![evidence("audit-train-ends", &[("train", text("8.2")), ("day", day.clone())])],
        ),
        ("abandoned", "plugin:old", vec![evidence("audit-why", &[("why", text("closed by its author"))])]),
        (
            "modified",
            "plugin:custom-slider",
            vec![
                evidence("audit-files", &files("", 0, 0)),
                evidence("audit-files", &files("slider.php", 1, 0)),
                evidence("audit-files", &files("a.php, b.php, c.php", 5, 2)),
            ],
        ),
        (
            "drift",
            "",
            vec![
                evidence("audit-drift", &[("count", one), when.clone()]),
                evidence("audit-drift", &[("count", two), when.clone()]),
                evidence(
                    "audit-drift-change",
                    &[("kind", Value::Word("administrator-added")), ("subject", text("mallory"))],
                ),
            ],
        ),
        ("no-backup", "", vec![evidence("audit-backup-none", &[])]),
        ("backup-old", "", vec![evidence("audit-backup-newest", std::slice::from_ref(&when))]),
        (
            "backup-unverified",
            "",
            vec![
                evidence("audit-backup-verified", std::slice::from_ref(&when)),
                evidence("audit-backup-never-verified", &[]),
            ],
        ),
        (
            "restore-unproven",
            "",
            vec![
                evidence("audit-never-rehearsed", &[]),
                evidence(
                    "audit-rehearsal-failed",
                    &[when.clone(), ("snapshot", text("20261120T070000.000Z-0123456789ab"))],
                ),
                evidence("audit-rehearsal-old", &[when]),
            ],
        ),
        ("waiver-expired", "drift cafe-du-coin", vec![evidence("audit-waiver-over", &waiver)]),
        (
            "waiver-unused",
            "drift",
            vec![evidence("audit-waiver-idle", &waiver), evidence("audit-waiver-no-rule", &waiver)],
        ),
    ]
}

/// An audit that has found everything.
fn everything() -> Audit {
    let fleet = ["plan-unreadable", "neighbour-without-plan", "licence-over-used", "waiver-expired", "waiver-unused"];
    let finding = |(rule, subject, evidence): (&'static str, &str, Vec<Evidence>)| Finding {
        rule,
        severity: RULES.iter().find(|one| one.id == rule).unwrap().severity,
        site: (!fleet.contains(&rule)).then(|| SiteName::new("boutique-laval").unwrap()),
        subject: subject.to_owned(),
        evidence,
        waived: (rule == "over-cap").then(|| Waived {
            owner: "Anne Laval".into(),
            why: "a larger tier from January on".into(),
            until: "2026-12-31".parse().unwrap(),
        }),
    };
    let mut findings: Vec<Finding> = sentences().into_iter().map(finding).collect();
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    let unknown = vec!["the snapshot store: its key can't be read".to_owned()];
    Audit { at: at("2026-11-24T12:00:00Z"), findings, unknown, sites: 12, score: 71 }
}

/// What audits came to: several a day, and more than the page shows.
fn history() -> Vec<Audited> {
    let one = |number: i64| Audited {
        audited: Audited::FORMAT,
        at: at("2026-11-24T11:00:00Z") - SignedDuration::from_hours(number * 12),
        score: u32::try_from(70 + number * 7 % 30).unwrap(),
        sites: 12,
        critical: 0,
        high: 0,
        medium: 0,
        low: 0,
        waived: 0,
    };
    (0..60).map(one).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/tests/golden/audit")
}

fn provider(name: &str) -> Provider {
    Provider { name: Some(name.into()), ..Provider::default() }
}

#[test]
fn every_form_is_as_approved() {
    let (audit, mut wrong) = (everything(), Vec::new());
    let quiet = Audit { at: audit.at, findings: Vec::new(), unknown: Vec::new(), sites: 1, score: 100 };
    for language in Language::all() {
        let tag = language.tag();
        let report = AuditReport::of(&audit, &[], &history(), &language);
        let none = AuditReport::of(&quiet, &[], &[], &language);
        let back: AuditReport = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        assert_eq!(back, report);
        let html = |report: &AuditReport| report.to_html(&provider("Atelier Web Laval")).unwrap();
        for (name, form) in [
            ("all.json", report.to_json().unwrap()),
            ("all.csv", report.to_csv()),
            ("all.html", html(&report)),
            ("all.sarif", report.to_sarif().unwrap()),
            ("all.junit.xml", report.to_junit().unwrap()),
            ("none.html", html(&none)),
        ] {
            assert!(!form.contains("{$") && !form.contains("{ $"), "{name}: an argument is missing");
            wrong.extend(compare(&folder().join(format!("{tag}-{name}")), &form).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_its_words_and_every_one_is_shown() {
    for rule in RULES {
        assert!(sentences().iter().any(|(id, ..)| *id == rule.id), "{} has no golden evidence", rule.id);
    }
    for language in Language::all() {
        let report = AuditReport::of(&everything(), &[], &[], &language);
        for rule in &report.rules {
            let texts = [&rule.title, &rule.meaning, &rule.remedy];
            assert!(texts.iter().all(|text| !text.starts_with("audit-") && !text.is_empty()), "{}", rule.rule);
        }
        assert!(report.findings.iter().flat_map(|line| &line.evidence).all(|text| !text.starts_with("audit-")));
    }
}

#[test]
fn the_schemas_are_those_of_the_types() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    for (name, schema) in [("audit", audit_schema()), ("status", status_schema())] {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        compare(&schemas.join(format!("{name}.schema.json")), &text).unwrap();
    }
}

/// The same audit with a text wherever one could come from outside.
fn poisoned(evil: &str) -> AuditReport {
    let clean = |text: &str| crate::model::clean_line(text, 160);
    let mut audit = everything();
    for finding in &mut audit.findings {
        if !finding.subject.is_empty() {
            finding.subject = clean(evil);
        }
        if let Some(waived) = &mut finding.waived {
            (waived.owner, waived.why) = (clean(evil), clean(evil));
        }
        for (_, value) in finding.evidence.iter_mut().flat_map(|evidence| &mut evidence.values) {
            if let Value::Text(text) = value {
                *text = clean(evil);
            }
        }
    }
    audit.unknown = vec![clean(evil)];
    AuditReport::of(&audit, &[], &history(), &Language::of("en"))
}

#[test]
fn hostile_texts_do_no_harm_in_any_form() {
    let long = "x".repeat(10_000);
    let tags = |page: &str| page.matches('<').count();
    let tame = poisoned("tame");
    for evil in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "]]></failure><failure/>",
        "{{lang}} {{{lang}}} {{#each facts}}{{/each}} {{> style}}",
        "{ $title } { page-title }",
        "\u{202e}gnp.exe\u{2066}",
        "\u{1b}[31mred\u{0}\u{7}\u{fffe}",
        "=HYPERLINK(\"http://x\",\"y\")",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "a,b\";\"c\r\nd",
        long.as_str(),
    ] {
        let report = poisoned(evil);
        let page = report.to_html(&provider(evil)).unwrap();
        assert_eq!(tags(&page), tags(&tame.to_html(&provider("tame")).unwrap()), "tags were added by {evil:?}");
        let junit = report.to_junit().unwrap();
        assert_eq!(tags(&junit), tags(&tame.to_junit().unwrap()), "tags were added by {evil:?}");
        let csv = report.to_csv();
        assert_eq!(csv.matches("\r\n").count(), tame.to_csv().matches("\r\n").count(), "{evil:?}");
        assert!(csv.lines().all(|line| !line.contains("\"=") && !line.contains("\"@")), "a formula: {evil:?}");
        serde_json::from_str::<serde_json::Value>(&report.to_sarif().unwrap()).unwrap();
        let odd = |c: char| {
            (c.is_control() && !matches!(c, '\n' | '\r'))
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        for form in [page, junit, csv, report.to_sarif().unwrap(), report.to_json().unwrap()] {
            assert!(!form.contains(odd) && form.len() < 400_000, "{evil:?}");
        }
    }
}

#[test]
fn the_worst_that_nobody_answers_for_is_the_outcome() {
    for (severity, outcome) in [
        (Some(Severity::Critical), "Something has to be done now"),
        (Some(Severity::Medium), "Some things have to be seen to"),
        (Some(Severity::Low), "In order, with some remarks"),
        (None, "In order"),
    ] {
        let mut audit = everything();
        audit
            .findings
            .retain(|finding| severity.is_some_and(|least| finding.severity >= least) || finding.waived.is_some());
        let page = AuditReport::of(&audit, &[], &[], &Language::of("en")).to_html(&Provider::default()).unwrap();
        assert!(page.contains(&format!("<h2 id=\"outcome\">{outcome}</h2>")), "{outcome}");
    }
}
