//! The table of verdicts.

use crate::check::{
    Check, CheckKind, Failure, FailureKind, Fatal, Hit, Hop, HttpCheck, LogState, Observation, Page, Ran, StatusRule,
    Verdict, judge,
};
use crate::model::Digest;
use insta::assert_snapshot;

fn good_page() -> Page {
    Page {
        asked: "https://x.example/shop/".into(),
        hops: Vec::new(),
        status: Some(200),
        url: "https://x.example/shop/".into(),
        failure: None,
        bytes: 10_000,
        cut: false,
        closed: true,
        title: Some("Boutique".into()),
        digest: Digest::of(b"page"),
        elapsed_ms: 120,
        cacheable: false,
        missing: Vec::new(),
        hits: Vec::new(),
    }
}

fn http(change: impl FnOnce(&mut HttpCheck)) -> Check {
    let mut check = Check::http("/shop/");
    if let CheckKind::Http(http) = &mut check.kind {
        change(http);
    }
    check
}

fn with(change: impl FnOnce(&mut Page)) -> Page {
    let mut page = good_page();
    change(&mut page);
    page
}

fn seen(plain: Page, fresh: Option<Page>) -> Observation {
    Observation::Http { plain: Box::new(plain), fresh: fresh.map(Box::new) }
}

fn status(status: u16) -> Page {
    with(|page| page.status = Some(status))
}

fn leaving() -> Page {
    with(|page| {
        page.status = Some(301);
        page.hops = vec![Hop { status: 301, to: "https://www.x.example/shop/".into() }];
        page.failure = Some(Failure { kind: FailureKind::LeavesSite, detail: "https://www.x.example/shop/".into() });
        page.bytes = 0;
    })
}

fn redirected() -> Page {
    with(|page| {
        page.hops = vec![Hop { status: 302, to: "https://x.example/wp-admin/install.php".into() }];
        page.url = "https://x.example/wp-admin/install.php?step=1".into();
    })
}

fn said(check: &Check, observation: &Observation, before: Option<&Observation>) -> String {
    match judge(check, observation, before) {
        Verdict::Passed => "passed".into(),
        Verdict::Unknown(why) => format!("unknown: {why}"),
        Verdict::Failed(reasons) => reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "),
    }
}

/// Each case: what it is, the check, what was seen, whether there is a (good) baseline.
fn pages() -> Vec<(&'static str, Check, Observation, bool)> {
    let any = || http(|_| {});
    let one = |list: &[u16]| http(|http| http.status = StatusRule::OneOf(list.into()));
    let to = |place: &str| http(|http| http.redirects_to = Some(place.into()));
    let failure = |kind| {
        with(|page| {
            page.failure = Some(Failure { kind, detail: "…".into() });
        })
    };
    let alone = |page: Page| seen(page, None);
    let same = || http(|http| http.status = StatusRule::SameAsBefore);
    vec![
        ("good", any(), seen(good_page(), Some(good_page())), true),
        ("good, no baseline", any(), alone(good_page()), false),
        ("server error", any(), alone(status(500)), true),
        ("maintenance before the run", any(), alone(status(503)), false),
        ("listed status", one(&[401, 403]), alone(status(401)), false),
        ("unlisted status", one(&[401, 403]), alone(status(200)), true),
        ("first answer is the redirect", one(&[302]), alone(redirected()), false),
        ("first answer is no redirect", one(&[301]), alone(good_page()), false),
        ("leaving as listed", one(&[301]), alone(leaving()), false),
        ("leaving", any(), alone(leaving()), false),
        ("leaving as named", to("https://www.x.example/shop/"), alone(leaving()), false),
        ("leaving elsewhere", to("https://y.example/"), alone(leaving()), false),
        ("stays as named", to("/shop/"), alone(good_page()), false),
        ("ends elsewhere", to("/compte/"), alone(good_page()), true),
        ("ends on a page as named", to("/wp-admin/install.php"), alone(redirected()), false),
        ("lands on the installer", any(), alone(redirected()), true),
        ("no such host", any(), alone(failure(FailureKind::NoSuchHost)), true),
        ("cut answer", any(), alone(failure(FailureKind::Broken)), true),
        ("same as before", same(), alone(good_page()), true),
        ("not the same as before", same(), alone(status(404)), true),
        ("same, no baseline", same(), alone(status(400)), false),
        ("same, broken before the run", same(), alone(status(500)), false),
        ("empty", any(), alone(with(|page| page.bytes = 0)), true),
        ("empty, no baseline", any(), alone(with(|page| page.bytes = 0)), false),
        ("every size", http(|http| http.min_percent = 0), alone(with(|page| page.bytes = 0)), true),
        ("at 40 percent", any(), alone(with(|page| page.bytes = 4_000)), true),
        ("below 40 percent", any(), alone(with(|page| page.bytes = 3_999)), true),
        ("stops in its middle", any(), alone(with(|page| page.closed = false)), true),
        ("slow", http(|http| http.max_ms = Some(100)), alone(good_page()), true),
        (
            "slow past the cache only",
            http(|http| http.max_ms = Some(1_000)),
            seen(good_page(), Some(with(|page| page.elapsed_ms = 9_000))),
            true,
        ),
        ("hidden by a cache", any(), seen(good_page(), Some(status(500))), true),
        ("text is gone", any(), alone(with(|page| page.missing = vec!["Ajouter au panier".into()])), true),
        (
            "error in a good page",
            any(),
            alone(with(|page| {
                page.hits = vec![Hit { text: "Fatal error".into(), excerpt: "Fatal error: Uncaught".into() }]
            })),
            true,
        ),
        (
            "error page with its text",
            any(),
            alone(with(|page| {
                page.status = Some(500);
                page.bytes = 9;
                page.missing = vec!["Ajouter".into()];
                page.hits =
                    vec![Hit { text: "critical error".into(), excerpt: "There has been a critical error".into() }];
            })),
            true,
        ),
    ]
}

#[test]
fn verdicts_on_pages() {
    let before = seen(good_page(), Some(good_page()));
    let lines: Vec<String> = pages()
        .iter()
        .map(|(name, check, seen, based)| format!("{name}: {}", said(check, seen, based.then_some(&before))))
        .collect();
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn verdicts_on_commands() {
    let mut check = Check::command(["wp", "option", "get", "siteurl"]);
    if let CheckKind::Command(command) = &mut check.kind {
        command.equals = Some("https://x.example".into());
    }
    let ran = |status, equals, missing: &[&str]| {
        Observation::Command(Ran {
            status,
            stopped: status.is_none().then(|| "60 s".into()),
            tail: "https://y.example".into(),
            equals,
            missing: missing.iter().map(|text| (*text).to_owned()).collect(),
            forbidden: Vec::new(),
            elapsed_ms: 5,
        })
    };
    let cases = [
        ("good", ran(Some(0), Some(true), &[])),
        ("wrong status and text", ran(Some(1), Some(false), &["x.example"])),
        ("stopped", ran(None, None, &[])),
        ("another kind", seen(good_page(), None)),
    ];
    let lines = cases.map(|(name, seen)| format!("{name}: {}", said(&check, &seen, None)));
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn verdicts_on_logs() {
    let log = |lines: &[&str], unreadable: bool| {
        Observation::Log(LogState {
            file: Some(7),
            size: 100,
            unreadable: unreadable.then(|| "the account may not read it".into()),
            fatal: lines
                .iter()
                .map(|line| Fatal { line: (*line).into(), key: Digest::of(line.as_bytes()), count: 2 })
                .collect(),
            cut: false,
        })
    };
    let check = Check::log("/var/log/php.log");
    let before = log(&["PHP Fatal error: old"], false);
    let closed = log(&[], true);
    let cases = [
        ("before the run", before.clone(), None),
        ("nothing new", before.clone(), Some(&before)),
        ("new", log(&["PHP Fatal error: old", "PHP Fatal error: new"], false), Some(&before)),
        ("unreadable", closed.clone(), Some(&before)),
        ("unreadable before", before.clone(), Some(&closed)),
    ];
    let lines = cases.map(|(name, seen, before)| format!("{name}: {}", said(&check, &seen, before)));
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn values_survive_the_journal() {
    for (_, check, seen, _) in pages() {
        let result =
            crate::check::CheckResult { verdict: judge(&check, &seen, None), check, observation: seen, attempts: 1 };
        let text = serde_json::to_string(&result).unwrap();
        let back: crate::check::CheckResult = serde_json::from_str(&text).unwrap();
        assert_eq!(back, result);
    }
}
