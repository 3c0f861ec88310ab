//! What can be wrong with a site, one function each; and what looks wrong and is not.

use super::fleet::{Run, Site, before, day, id, version};
use intendant::drift::{Drift, DriftKind, Found};
use intendant::intake::Verdict;
use intendant::journal::{Purpose, RehearsalResult};
use intendant::ledger::{About, Decision, Sighting, Verdict as Answer};
use intendant::model::{Digest, Hold, HoldReason, Outcome, RunId, VersionStep};
use intendant::plan::DriftPart;
use intendant::update::{Closed, Refusal, Update};
use jiff::Timestamp;
use serde_json::json;

/// Changes a good site.
pub(crate) type Change = fn(&mut Site, Timestamp);

/// The settings of the fleet.
pub(crate) fn settings(now: Timestamp) -> String {
    format!(
        "settings: 1\nplans: plans\nstate: state\nsnapshots: store\nreports: reports\nrules:\n  audit:\n    \
         end-of-life: {{ wordpress: {{ \"98\": {ended} }}, php: {{ \"9.0\": {ended}, \"9.1\": {soon}, \"9.3\": {later}, \"7.3\": never }} }}\n    \
         hosted:\n      - {{ host: web3.example, sites: [/srv/www/s0004/, /srv/www/forgotten] }}\n      \
         - {{ host: web9.example, sites: [/srv/www/alone] }}\n    \
         waivers:\n      \
         - {{ rule: over-cap, site: waived-0, owner: Anne, why: a larger tier is agreed upon, until: {later} }}\n      \
         - {{ rule: abandoned, site: waived-1, subject: \"plugin:p3\", owner: Anne, why: replaced in spring, until: {later} }}\n      \
         - {{ rule: drift, site: waived-2, owner: Anne, why: an agency works on it, until: {ended} }}\n      \
         - {{ rule: modified, site: s0000, owner: Anne, why: nothing of the kind, until: {later} }}\n",
        ended = day(now, -3),
        soon = day(now, 40),
        later = day(now, 200)
    )
}

/// The pools of licences of the fleet.
pub(crate) fn licences(now: Timestamp) -> String {
    format!(
        "licences: 1\npools:\n  small: {{ vendor: V, product: P, seats: 3 }}\n  \
         ended: {{ vendor: V, product: P, until: {ended} }}\n  \
         large: {{ vendor: V, product: P, seats: 1000, until: {later} }}\n",
        ended = day(now, -3),
        later = day(now, 200)
    )
}

/// What the whole fleet has, by rule and subject.
pub(crate) const OF_THE_FLEET: &[(&str, &str)] = &[
    ("plan-unreadable", "broken-0.yaml"),
    ("plan-unreadable", "broken-1.yaml"),
    ("neighbour-without-plan", "web3.example:/srv/www/forgotten"),
    ("neighbour-without-plan", "web9.example:/srv/www/alone"),
    ("licence-over-used", "small"),
    ("waiver-expired", "drift waived-2"),
    ("waiver-unused", "modified s0000"),
];

fn extension(site: &mut Site, place: usize, key: &str, value: serde_json::Value) {
    site.seen()["extensions"][place][key] = value;
}

fn hold(component: &str, reason: HoldReason) -> Hold {
    Hold {
        component: id(component),
        title: component.into(),
        installed: version("1.0"),
        offered: Some(version("2.0")),
        reason,
    }
}

/// A vulnerability of `p5`, published so many hours ago; an update is offered, or not.
fn vulnerability(site: &mut Site, now: Timestamp, hours: i64, offer: bool) {
    let published = before(now, 0, hours, 0).to_string();
    site.seen()["vulnerabilities"] = json!([{ "component": "plugin:p5", "id": "V-1", "cve": "CVE-2026-1", "title": "a hole",
        "affected": "<2.0", "published": published }]);
    if offer {
        extension(site, 5, "offer", json!({ "version": "2.0", "package": true }));
    }
}

/// An update of `p5` that closes a vulnerability, published so many hours before the run.
fn fixed(site: &mut Site, hours: i64) {
    let at = site.last().at;
    let closed = Closed { name: "CVE-2026-2".into(), published: Some(before(at, 0, hours, 0)) };
    vulnerability(site, at, hours, true);
    site.last().updates = vec![Update {
        component: id("plugin:p5"),
        title: "P5".into(),
        from: version("1.0"),
        to: version("2.0"),
        source: None,
        step: VersionStep::Major,
        because: Vec::new(),
        fixes: vec![closed],
        special: false,
        licence: None,
    }];
}

fn drifted(site: &mut Site, reference: &str) -> Digest {
    let mark = Digest::of(site.name.as_bytes());
    site.last().drift = Some(Found {
        reference: Some(reference.to_owned()),
        drifts: vec![Drift {
            part: DriftPart::Files,
            kind: DriftKind::FileAdded,
            subject: "wp-content/x.php".into(),
            component: None,
            from: None,
            to: None,
            files: 0,
            mark,
        }],
        count: 1,
        ..Found::default()
    });
    mark
}

fn noticed(site: &mut Site, at: Timestamp) {
    let about = About::Update {
        component: id("plugin:p0"),
        title: "P0".into(),
        from: version("1.0"),
        to: version("2.0"),
        major: true,
    };
    let decision = Decision::Noticed { site: site.site(), about };
    site.decisions.push((at, decision));
}

fn reported(site: &mut Site, at: Timestamp) {
    let sighting = Sighting {
        seen: at,
        url: "https://shop.example/cart".into(),
        description: "the cart is empty".into(),
        browser: None,
        system: None,
        device: None,
        reported_by: None,
        screenshots: Vec::new(),
    };
    let decision = Decision::reported(site.site(), sighting, None);
    site.decisions.push((at, decision));
}

fn only_before_the_window(site: &mut Site) {
    site.runs.pop();
    site.stored.pop();
}

fn refused(at: Timestamp) -> Run {
    let why = Refusal::Failed { why: "the disk is full".into() };
    Run { seen: None, refused: vec![why], ..Run::good(at).ending(Some(Outcome::Refused)) }
}

/// Many runs that were refused before they looked, the last an hour ago.
fn refused_often(site: &mut Site, now: Timestamp) {
    site.runs.extend((0..30).map(|number| refused(before(now, 0, 2, 60 - number))));
}

/// A restore that a person asked for, with what was read then.
pub(crate) fn restored(at: Timestamp, versions: &[(&'static str, &'static str)]) -> Run {
    let purpose = Purpose::Restore { snapshot: "x".into(), only: Vec::new(), exact: false, anomaly: None };
    let run = Run { purpose, seen: None, versions: versions.to_vec(), ..Run::good(at) };
    run.ending(Some(Outcome::Restored))
}

/// What an audit has to find.
pub(crate) const FAULTS: &[Change] = &[
    |site, _| {
        site.runs.clear();
        site.stored.clear();
        site.rehearsals.clear();
        site.expect("never-seen", "");
    },
    |site, _| {
        site.plan.as_mut().unwrap().remove("intake");
        site.expect("no-intake", "");
    },
    |site, now| {
        site.set("intake", format!("{{ accepted: {}, by: ops, record: 019a7e2c-nothing }}", day(now, -399)));
        site.expect("no-intake", "");
    },
    |site, now| {
        let record = RunId::new(before(now, 400, 0, 0));
        site.intakes.push((record, before(now, 400, 0, 0), Verdict::Refuse));
        site.set("intake", format!("{{ accepted: {}, by: ops, record: {record} }}", day(now, -399)));
        site.expect("no-intake", "");
    },
    |site, _| {
        site.set("tier", "base");
        site.expect("over-cap", "");
    },
    |site, _| {
        site.set("tier", "custom\ncap: 13");
        site.expect("near-cap", "");
    },
    |site, now| {
        site.set("contract", format!("{{ number: K-2, from: {}, until: {} }}", day(now, -400), day(now, -2)));
        site.expect("contract-lapsed", "");
    },
    |site, now| {
        site.set("contract", format!("{{ number: K-2, from: {}, until: {} }}", day(now, -400), day(now, 12)));
        site.expect("contract-ending", "");
    },
    |site, _| {
        site.last().holds.push(hold("plugin:p2", HoldReason::Licence));
        site.expect("licence-missing", "plugin:p2");
    },
    |site, _| {
        site.set("licences", "[{ extension: p2, from: ended }]");
        site.expect("licence-expired", "p2");
    },
    // The pool is found of the fleet.
    |site, _| site.set("licences", "[{ extension: p2, from: small }]"),
    |site, now| {
        let until = day(now, -1);
        site.set("updates", format!("{{ hold: [{{ extension: p4, why: a fair, until: {until} }}] }}"));
        site.expect("hold-past-end", "p4");
    },
    |site, now| {
        noticed(site, before(now, 20, 0, 0));
        site.expect("notice-unanswered", "plugin:p0");
    },
    |site, now| {
        noticed(site, before(now, 100, 0, 0));
        site.expect("notice-expired", "plugin:p0");
    },
    |site, now| {
        reported(site, before(now, 4, 0, 0));
        site.expect("anomaly-unanswered", "https://shop.example/cart");
    },
    |site, _| {
        only_before_the_window(site);
        site.expect("window-missed", "");
    },
    |site, now| {
        only_before_the_window(site);
        site.runs.push(refused(before(now, 0, 4, 40)));
        site.expect("window-missed", "");
    },
    |site, _| {
        site.last().outcome = Some(Outcome::Stuck);
        site.expect("run-stuck", "");
    },
    |site, now| {
        site.last().outcome = Some(Outcome::Stuck);
        site.runs.push(refused(before(now, 0, 4, 30)));
        site.expect("run-stuck", "");
    },
    |site, _| {
        site.last().outcome = Some(Outcome::Restored);
        site.expect("run-restored", "");
    },
    |site, now| {
        site.plan.as_mut().unwrap().remove("windows");
        only_before_the_window(site);
        site.runs.push(Run::good(before(now, 3, 0, 0)).ending(None));
        site.expect("run-open", "");
    },
    |site, now| {
        vulnerability(site, now, 30, true);
        site.last().holds.push(hold("plugin:p5", HoldReason::NextWindow));
        site.expect("security-late", "plugin:p5");
        site.expect("vulnerable", "plugin:p5");
    },
    |site, _| {
        fixed(site, 30);
        site.expect("security-late", "plugin:p5");
    },
    |site, now| {
        vulnerability(site, now, 500, false);
        site.expect("vulnerable", "plugin:p5");
    },
    |site, _| {
        site.seen()["core"]["version"] = json!("98.3");
        site.expect("core-end-of-life", "core 98.3");
    },
    |site, now| {
        site.seen()["core"]["end_of_life"] = json!({ "date": day(now, -1), "why": "its makers say so" });
        site.expect("core-end-of-life", "core 99.2.1");
    },
    |site, _| {
        site.seen()["platform"]["php"] = json!("7.4.33");
        site.expect("platform-end-of-life", "php 7.4.33");
    },
    |site, _| {
        site.seen()["platform"]["php"] = json!("9.1.2");
        site.expect("end-of-life-near", "php 9.1.2");
    },
    |site, _| {
        extension(site, 3, "abandoned", json!("its author closed it"));
        site.expect("abandoned", "plugin:p3");
    },
    |site, _| {
        site.seen()["checksums"] =
            json!([{ "component": "plugin:p6", "state": "modified", "files": ["a.php", "b.php"] }]);
        site.expect("modified", "plugin:p6");
    },
    |site, _| {
        drifted(site, "20200101T000000.000Z-000000000000");
        site.expect("drift", "");
    },
    |site, _| {
        site.stored.clear();
        site.expect("no-backup", "");
    },
    |site, now| {
        site.stored = vec![super::fleet::snapshot_name(before(now, 40, 0, 0))];
        site.expect("backup-old", "");
    },
    |site, now| {
        site.stored = vec![super::fleet::snapshot_name(before(now, 1, 0, 0))];
        site.expect("backup-unverified", "");
    },
    |site, _| {
        site.rehearsals.clear();
        site.expect("restore-unproven", "");
    },
    |site, now| {
        site.rehearsals = vec![(before(now, 380, 0, 0), RehearsalResult::Proven)];
        site.expect("restore-unproven", "");
    },
    |site, now| {
        site.rehearsals.push((before(now, 2, 0, 0), RehearsalResult::NotProven));
        site.expect("restore-unproven", "");
    },
    // Several at once.
    |site, now| {
        site.set("tier", "base");
        site.set("contract", format!("{{ number: K-2, from: {}, until: {} }}", day(now, -400), day(now, 3)));
        site.seen()["platform"]["php"] = json!("9.0.8");
        extension(site, 3, "abandoned", json!("<script>alert(1)</script>"));
        extension(site, 4, "abandoned", json!("=cmd|'/c calc'!A1"));
        for (rule, subject) in [
            ("over-cap", ""),
            ("contract-ending", ""),
            ("platform-end-of-life", "php 9.0.8"),
            ("abandoned", "plugin:p3"),
            ("abandoned", "plugin:p4"),
        ] {
            site.expect(rule, subject);
        }
    },
    // A restore that was asked for took the update off again.
    |site, now| {
        fixed(site, 2);
        site.runs.push(restored(before(now, 0, 4, 30), &[("plugin:p5", "1.0")]));
        site.expect("vulnerable", "plugin:p5");
    },
    // However often a run is refused, what was seen before is known.
    |site, now| {
        extension(site, 3, "abandoned", json!("its author closed it"));
        refused_often(site, now);
        site.expect("abandoned", "plugin:p3");
    },
    |site, now| {
        site.last().outcome = Some(Outcome::Restored);
        refused_often(site, now);
        site.expect("run-restored", "");
    },
    |site, now| {
        only_before_the_window(site);
        site.runs.push(restored(before(now, 0, 4, 30), &[("core:core", "99.2.1")]));
        refused_often(site, now);
        site.expect("window-missed", "");
    },
    // An intake looks at what is installed, and says nothing of what somebody changed before.
    |site, now| {
        drifted(site, "20200101T000000.000Z-000000000000");
        extension(site, 3, "abandoned", json!("its author closed it"));
        let at = before(now, 0, 1, 0);
        site.intakes.push((RunId::new(at), at, Verdict::Accept));
        site.expect("drift", "");
    },
];

/// What looks like a fault and is none.
pub(crate) const INNOCENT: &[Change] = &[
    // Put back, and then well.
    |site, _| site.runs[0].outcome = Some(Outcome::Restored),
    // Stuck, and then put back by hand.
    |site, now| {
        site.last().outcome = Some(Outcome::Stuck);
        site.runs.push(restored(before(now, 0, 4, 30), &[("core:core", "99.2.1")]));
    },
    // A restore of the state with the update.
    |site, now| {
        fixed(site, 2);
        site.runs.push(restored(before(now, 0, 4, 30), &[("plugin:p5", "2.0")]));
    },
    // An intake of before the last run.
    |site, now| {
        site.seen()["core"]["version"] = json!("99.3.0");
        let at = before(now, 2, 0, 0);
        site.intakes.push((RunId::new(at), at, Verdict::Accept));
        refused_often(site, now);
    },
    // Refused outside of its window, after a good run.
    |site, now| site.runs.push(refused(before(now, 0, 1, 0))),
    // Begun a moment ago, and not over.
    |site, now| site.runs.push(Run { seen: None, ..Run::good(before(now, 0, 0, 5)).ending(None) }),
    // Without windows nothing is missed.
    |site, _| {
        site.plan.as_mut().unwrap().remove("windows");
        only_before_the_window(site);
    },
    // A blackout covers what would be due.
    |site, now| {
        site.set("blackouts", format!("[{{ from: {}, until: {} }}]", day(now, -8), day(now, 6)));
        only_before_the_window(site);
    },
    // The contract did not ask for it yet.
    |site, now| {
        site.set("contract", format!("{{ number: K-1, from: {}, until: {} }}", day(now, 1), day(now, 300)));
        site.runs.clear();
        site.stored.clear();
    },
    // Applied in time.
    |site, _| fixed(site, 20),
    // Open, and still in time.
    |site, now| {
        vulnerability(site, now, 10, true);
        site.expect("vulnerable", "plugin:p5");
    },
    // Nobody promised a time.
    |site, now| {
        site.plan.as_mut().unwrap().remove("updates");
        vulnerability(site, now, 400, true);
        site.expect("vulnerable", "plugin:p5");
    },
    // Published long before we answered for the site.
    |site, now| {
        site.set("contract", format!("{{ number: K-1, from: {} }}", day(now, 0)));
        site.set("intake", format!("{{ accepted: {}, by: ops }}", day(now, 0)));
        vulnerability(site, now, 900, true);
        site.expect("vulnerable", "plugin:p5");
    },
    // The installed version does not have it.
    |site, now| {
        vulnerability(site, now, 900, true);
        extension(site, 5, "version", json!("2.0"));
    },
    // Somebody took note of it.
    |site, now| {
        let reference = "20200101T000000.000Z-000000000000";
        let mark = drifted(site, reference);
        let (reference, why) = (reference.to_owned(), None);
        let decision = Decision::DriftAccepted { site: site.site(), reference, marks: vec![mark], why };
        site.decisions.push((before(now, 0, 1, 0), decision));
    },
    // A notice that is young, and one that expired and was asked again.
    |site, now| {
        noticed(site, before(now, 100, 0, 0));
        noticed(site, before(now, 2, 0, 0));
    },
    // A notice that expired, about what has moved since.
    |site, now| {
        noticed(site, before(now, 100, 0, 0));
        extension(site, 0, "version", json!("2.0"));
    },
    // A distribution mends it.
    |site, _| site.seen()["platform"]["php"] = json!("7.3.33"),
    // Its end is known and far.
    |site, _| site.seen()["platform"]["php"] = json!("9.3.0"),
    // Languages and what ships with the core do not count.
    |site, _| {
        site.set("tier", "custom\ncap: 14");
        for number in 0..6 {
            let kind = if number % 2 == 0 { "language" } else { "plugin" };
            let extra =
                json!({ "kind": kind, "slug": format!("x{number}"), "version": "1", "shipped": kind == "plugin" });
            site.seen()["extensions"].as_array_mut().unwrap().push(extra);
        }
    },
    // A snapshot by hand after a verified one.
    |site, now| site.stored.push(super::fleet::snapshot_name(before(now, 0, 1, 0))),
    // A hold that goes on, one for good.
    |site, now| {
        let until = day(now, 1);
        site.set(
            "updates",
            format!("{{ hold: [{{ extension: p4, why: a fair, until: {until} }}, {{ extension: p5, why: ours }}] }}"),
        );
    },
    // Licences enough.
    |site, _| site.set("licences", "[{ extension: p2, from: large }]"),
    // An intake that was accepted.
    |site, now| {
        let record = RunId::new(before(now, 400, 0, 0));
        site.intakes.push((record, before(now, 400, 0, 0), Verdict::AcceptWithConditions));
        site.set("intake", format!("{{ accepted: {}, by: ops, record: {record} }}", day(now, -399)));
    },
    // An anomaly that is young, and one that was answered.
    |site, now| {
        reported(site, before(now, 30, 0, 0));
        site.decisions.push((now, Decision::answered(0, "it was the cache")));
        reported(site, before(now, 2, 0, 0));
    },
    // A notice that was declined.
    |site, now| {
        noticed(site, before(now, 30, 0, 0));
        site.decisions.push((now, Decision::Answered { notice: 0, verdict: Answer::Declined, why: None }));
    },
];
