//! One story for each way in which a run can end.

use super::story::{Story, good, hold, http, log, server_error, update};
use crate::check::{Failure, FailureKind, Reason, StatusRule};
use crate::journal::{Event, Purpose};
use crate::model::{Hold, HoldReason, LicenceProblem, Outcome, Tier};
use crate::procedure::Action;
use crate::snapshot::{LeftReason, Rows, TableRows};
use crate::update::{Refusal, Update};

const CORE: (&str, &str) = ("core:core", "7.1.1");
const CLIENT: &str = "Boutique Laval inc.";

fn begin() -> Story {
    Story::begin(CLIENT, "fr", Purpose::Update)
}

fn updates() -> Vec<Update> {
    vec![
        update("plugin:akismet", "Akismet Anti-spam: Spam Protection", "5.0.2", "5.7.2"),
        update("core:core", "WordPress", "6.1.9", "7.1.1"),
        update("theme:twentytwentythree", "Twenty Twenty-Three", "1.0", "1.6"),
    ]
}

const UPDATED: [(&str, &str); 3] = [("plugin:akismet", "5.7.2"), CORE, ("theme:twentytwentythree", "1.6")];
const AS_BEFORE: [(&str, &str); 3] =
    [("plugin:akismet", "5.0.2"), ("core:core", "6.1.9"), ("theme:twentytwentythree", "1.0")];

/// One hold of every kind.
pub(super) fn every_hold() -> Vec<Hold> {
    let day = |text: &str| text.parse().unwrap();
    let v = super::story::version;
    let licence = |problem| HoldReason::LicencePool { pool: "cache-pool".into(), problem };
    let reasons = vec![
        HoldReason::Policy { key: "updates.core".into(), allows: "minor".into() },
        HoldReason::Policy { key: "updates.extensions".into(), allows: "none".into() },
        HoldReason::Approval,
        HoldReason::Declined { notice: 12 },
        HoldReason::Manual { what: "run the vendor's assistant".into(), who: crate::model::Lifter::Vendor },
        HoldReason::Special,
        HoldReason::Immune { since: "2026-11-10T02:00:00Z".parse().unwrap() },
        HoldReason::Reported { anomaly: 21, until: day("2026-12-04") },
        HoldReason::NextWindow,
        HoldReason::Lapsed { until: day("2026-10-31") },
        HoldReason::Postponed,
        HoldReason::Planned { why: "modified by the agency".into(), until: Some(day("2027-01-01")) },
        HoldReason::Planned { why: "waits for the new theme".into(), until: None },
        HoldReason::Platform { part: "php".into(), needs: v("8.2"), has: Some(v("8.1.29")) },
        HoldReason::Platform { part: "mariadb".into(), needs: v("10.6"), has: None },
        HoldReason::Core { needs: v("6.8"), has: v("6.1.9") },
        HoldReason::Dependency { on: "woocommerce".into() },
        HoldReason::With { other: super::story::id("plugin:woocommerce-payments") },
        HoldReason::Licence,
        HoldReason::Modified { files: vec!["inc/a.php".into()] },
        HoldReason::Modified { files: (1..=5).map(|n| format!("inc/{n}.php")).collect() },
        HoldReason::Modified { files: Vec::new() },
        HoldReason::OutsidePlan { tier: Tier::Custom },
        HoldReason::TooYoung { from: day("2026-11-15") },
        HoldReason::Unusable { why: "its version holds a line break".into() },
        HoldReason::NotWritable { path: "wp-content/plugins/slider".into() },
        licence(LicenceProblem::Ended { until: day("2026-10-31") }),
        licence(LicenceProblem::OverUsed { used: 6, seats: 5 }),
        licence(LicenceProblem::Full { seats: 5 }),
        licence(LicenceProblem::NoSeat),
        licence(LicenceProblem::Unknown),
        licence(LicenceProblem::ByHand),
        licence(LicenceProblem::Key { why: "file keys/cache: no such file".into() }),
        licence(LicenceProblem::Refused { since: "2026-11-01T02:00:00Z".parse().unwrap() }),
        HoldReason::Failed { why: "status 500".into() },
    ];
    let held = |(number, reason)| {
        hold(&format!("plugin:p{number}"), &format!("Extension {number}"), "1.0", Some("2.0"), reason)
    };
    reasons.into_iter().enumerate().map(held).collect()
}

pub(super) fn completed() -> Story {
    let mut story = begin();
    story.plan(updates(), Vec::new());
    story.go(0, |_| false);
    story.close(Outcome::Completed, "3 updates applied and checked", &UPDATED);
    story
}

pub(super) fn nothing() -> Story {
    let mut story = begin();
    story.plan(Vec::new(), Vec::new());
    story.go(0, |_| false);
    story.close(Outcome::Completed, "nothing was pending", &AS_BEFORE);
    story
}

/// Somebody else worked on the site: one change of each sort.
pub(super) fn drifted() -> Story {
    use crate::drift::{Acceptance, Drift, DriftKind, Found};
    use crate::model::Digest;
    use crate::plan::DriftPart::{Address, Administrators, Core, Extensions, Files, Platform, Tables};
    let change = |part, kind: DriftKind, subject: &str, component: Option<&str>, change: [&str; 2], files| {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mark = Digest::of(format!("{kind:?}{subject}").as_bytes());
        let [from, to] = change.map(known);
        Drift { part, kind, subject: subject.into(), component: component.map(super::story::id), from, to, files, mark }
    };
    let drifts = vec![
        change(Core, DriftKind::Version, "core:core", Some("core:core"), ["6.1.9", "6.8"], 1204),
        change(Core, DriftKind::FileChanged, "wp-login.php", Some("core:core"), ["", ""], 0),
        change(Extensions, DriftKind::ExtensionAdded, "plugin:mine", Some("plugin:mine"), ["", "1.0"], 1),
        change(Extensions, DriftKind::ExtensionRemoved, "plugin:hello", Some("plugin:hello"), ["1.7", ""], 2),
        change(Extensions, DriftKind::ExtensionVersion, "theme:blue", Some("theme:blue"), ["1.0", ""], 3),
        change(Extensions, DriftKind::ExtensionActivated, "plugin:a", Some("plugin:a"), ["", ""], 0),
        change(Extensions, DriftKind::ExtensionDeactivated, "plugin:b", Some("plugin:b"), ["", ""], 0),
        change(Administrators, DriftKind::AdministratorAdded, "<b>evil</b>", None, ["", ""], 0),
        change(Administrators, DriftKind::AdministratorRemoved, "marc", None, ["", ""], 0),
        change(Administrators, DriftKind::AdministratorContact, "lucie", None, ["", ""], 0),
        change(Tables, DriftKind::TableAdded, "table:wp_x", None, ["", ""], 0),
        change(Tables, DriftKind::TableRemoved, "table:wp_y", None, ["", ""], 0),
        change(Tables, DriftKind::TableChanged, "table:wp_posts", None, ["", ""], 0),
        change(Files, DriftKind::FileAdded, "wp-content/uploads/a.php", None, ["", ""], 0),
        change(Files, DriftKind::FileRemoved, "robots.txt", None, ["", ""], 0),
        change(Files, DriftKind::FileRights, "wp-config.php", None, ["600 33:33", "666 33:33"], 0),
        change(Address, DriftKind::Address, "address", None, ["https://a.example", "https://b.example"], 0),
        change(Platform, DriftKind::Version, "php", None, ["8.1.2", "8.3.0"], 0),
    ];
    let at = "2026-11-10T09:12:00Z".parse().unwrap();
    let mut story = begin();
    story.drift = Some(Found {
        reference: Some("20261105T070000.000Z-0123456789ab".into()),
        since: Some("2026-11-05T07:00:00Z".parse().unwrap()),
        count: 19,
        accepted: [(drifts[0].mark, Acceptance { by: "Ops Lucie".into(), at })].into(),
        drifts,
        ..Found::default()
    });
    story.plan(Vec::new(), Vec::new());
    story.go(0, |_| false);
    story.close(Outcome::Completed, "nothing was pending", &AS_BEFORE);
    story
}

/// The plan says to stop where somebody else worked on the site.
pub(super) fn refused_by_drift() -> Story {
    let mut story = begin();
    let drifts = vec!["administrator-added: evil".to_owned()];
    let unknown = Some("snapshot 20261105T070000.000Z-0123456789ab can't be read: it is gone".to_owned());
    let reasons = vec![
        Refusal::Drift { drifts, count: 3, unknown: None },
        Refusal::Drift { drifts: Vec::new(), count: 0, unknown },
    ];
    story.write(4_100, Event::Refused { reasons });
    story.close(Outcome::Refused, "nothing was changed", &[]);
    story
}

pub(super) fn with_holds() -> Story {
    let mut story = begin();
    let licence = hold("plugin:fast-cache", "Fast Cache Pro", "3.1.0", Some("3.4.2"), HoldReason::Licence);
    let php = HoldReason::Platform {
        part: "php".into(),
        needs: super::story::version("8.2"),
        has: Some(super::story::version("8.1.29")),
    };
    let php = hold("plugin:invoices", "Factures & reçus", "2.8", Some("3.0"), php);
    let young = HoldReason::TooYoung { from: "2026-11-15".parse().unwrap() };
    let young = hold("plugin:seo", "SEO Toolkit", "22.1", Some("22.2"), young);
    let mut some = updates();
    some.truncate(1);
    story.plan(some, vec![licence, php, young]);
    story.go(0, |_| false);
    story.close(Outcome::CompletedWithHolds, "1 update applied and checked, 3 held", &UPDATED[..1]);
    story
}

/// Everything holds: the longest page.
pub(super) fn all_holds() -> Story {
    let mut story = begin();
    story.plan(Vec::new(), every_hold());
    story.go(0, |_| false);
    story.close(Outcome::CompletedWithHolds, "0 updates applied and checked", &[]);
    story
}

const BROKEN: &str = "the site does not pass its checks: http /: status 500, expected 200 to 299, before the run 200";

fn slider() -> Update {
    update("plugin:tb-slider", "TB Slider", "1.4", "2.0")
}

pub(super) fn restored() -> Story {
    let mut story = begin();
    let mut some = updates();
    some.insert(1, slider());
    story.plan(some, Vec::new());
    let mut step = story
        .go(0, |action| matches!(action, Action::Update { component, .. } if component.slug.as_str() == "tb-slider"));
    step = story.go(step, |action| matches!(action, Action::Check { .. }));
    let failing = vec![server_error("/"), server_error("/boutique/"), http("/wp-login.php", 200, 240, Vec::new())];
    story.fail(step, BROKEN, failing, Some("plugin:tb-slider"));
    story.unwind(&format!("{step:02} quick checks: {BROKEN}"));
    story.restore(&[]);
    story.check_restored(good(false));
    let mut versions = AS_BEFORE.to_vec();
    versions.push(("plugin:tb-slider", "1.4"));
    story.close(Outcome::Restored, "the site is as it was before", &versions);
    story
}

/// Put back while visitors wrote: not all of it fits.
pub(super) fn restored_rows() -> Story {
    let mut story = begin();
    story.plan(vec![slider()], Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Check { .. }));
    story.fail(step, BROKEN, vec![server_error("/")], Some("plugin:tb-slider"));
    story.unwind(BROKEN);
    let of = |table: &str, found| TableRows { table: table.into(), found, ..TableRows::default() };
    let evidence = Some("/srv/intendant/state/evidence/019a7e2c/1.1".into());
    let tables = vec![of("wp_comments", 2), of("wp_wc_<orders>", 12_345), of("wp_usermeta", 0)];
    let found = Rows { evidence, tables, unread: vec!["table:wp_users: it is marked as crashed".into()] };
    let mut done = found.clone();
    done.tables[0].put_back = 2;
    done.tables[1].put_back = 12_342;
    done.tables[1].left = [(LeftReason::Taken, 2), (LeftReason::DoesNotFit, 1)].into();
    done.tables[2].changed = 4;
    story.restore_with(&[], Some((found, done)));
    story.check_restored(good(false));
    story.close(Outcome::Restored, "the site is as it was before", &[("plugin:tb-slider", "1.4")]);
    story
}

/// The culprit is left out, and the rest is done.
pub(super) fn isolated() -> Story {
    let mut story = begin();
    story.plan(vec![slider(), updates().remove(0)], Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Check { .. }));
    story.fail(step, BROKEN, vec![server_error("/")], Some("plugin:tb-slider"));
    story.unwind(BROKEN);
    story.restore(&["wp-content/uploads: owner 33 instead of 1001"]);
    story.check_restored(good(false));
    let failed = HoldReason::Failed { why: BROKEN.into() };
    story.plan(vec![updates().remove(0)], vec![hold("plugin:tb-slider", "TB Slider", "1.4", Some("2.0"), failed)]);
    story.go(0, |_| false);
    story.close(Outcome::CompletedWithHolds, "1 update applied and checked, 1 held", &UPDATED[..1]);
    story
}

pub(super) fn refused() -> Story {
    let mut story = begin();
    let next = Some("2026-11-17T07:00:00Z".parse().unwrap());
    let reasons = vec![
        Refusal::NoWindow { next },
        Refusal::SourceDown { source: "WordPress.org".into(), why: "could not resolve host: api.wordpress.org".into() },
    ];
    story.write(4_100, Event::Refused { reasons });
    story.close(Outcome::Refused, "nothing was changed", &[]);
    story
}

/// The site fails its own checks before anything is done.
pub(super) fn refused_over_cap() -> Story {
    let mut story = begin();
    let reasons = vec![Refusal::OverCap { extensions: 31, cap: 25, tier: Tier::Custom }];
    story.write(4_100, Event::Refused { reasons });
    story.close(Outcome::Refused, "nothing was changed", &[]);
    story
}

pub(super) fn refused_by_checks() -> Story {
    let mut story = begin();
    story.plan(updates(), Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Baseline { .. }));
    let expected = StatusRule::Good;
    let failing = http("/", 503, 88, vec![Reason::Status { expected, before: None, got: 503 }]);
    let mut results = good(false);
    results[0] = failing;
    results[5] = log(false);
    story.fail(
        step,
        "the site fails its own checks before anything was done; mend it first, then run again",
        results,
        None,
    );
    let unlock = story.go(usize::MAX, |_| false);
    story.go(unlock - 1, |_| false);
    story.close(Outcome::Refused, "nothing was changed", &[]);
    story
}

pub(super) fn stuck() -> Story {
    let mut story = begin();
    story.plan(updates(), Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Flush { .. }));
    story.fail(step, "`wp cache flush` on web3.example did not end within 120 s and was stopped", Vec::new(), None);
    story.unwind("flush caches");
    for attempt in 1..=3 {
        story.write(15, Event::RestoreBegun { snapshot: "2026-11-12T070100Z-1f0c2b7d9a34".into(), attempt });
        let why = "the connection to deploy@web3.example broke while `tar -x` ran: the host fell silent";
        story.write(31_000, Event::RestoreFailed { why: why.into() });
    }
    let todo = "the site could not be put back: the connection to deploy@web3.example broke\n\
                Mend the cause (connection, room, rights), then: intendant restore boutique-laval 2026-11-12T070100Z-1f0c2b7d9a34";
    story.close(Outcome::Stuck, todo, &[]);
    story
}

/// Put back, and still not well.
pub(super) fn stuck_checks() -> Story {
    let mut story = begin();
    story.plan(updates(), Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Migrate { .. }));
    story.write(40, Event::StepBegun { step });
    story.write(600_000, Event::Recovered { by: "ops@runner-3 (pid 9)".into(), program: "0.1.0".into() });
    story.unwind("migrate the database: interrupted, and nobody knows how far it came");
    story.restore(&[]);
    let unreachable = Failure { kind: FailureKind::Unreachable, detail: "connection refused".into() };
    let mut results = good(false);
    results[0] = http("/", 200, 12, vec![Reason::NoAnswer(unreachable)]);
    story.check_restored(results);
    let todo = "the site was put back, but it does not pass its checks.\nLook at the site; then: intendant doctor boutique-laval";
    story.close(Outcome::Stuck, todo, &[]);
    story
}

const ASKED: &str = "2026-11-10T070100Z-aa00bb11cc22";

fn restore_begun() -> Story {
    let purpose = Purpose::Restore { snapshot: ASKED.into(), only: Vec::new(), exact: false, anomaly: None };
    let mut story = Story::begin(CLIENT, "fr", purpose);
    story.plan(Vec::new(), Vec::new());
    story.go(0, |action| !matches!(action, Action::Lock));
    story.unwind("asked for");
    story
}

pub(super) fn restore_asked() -> Story {
    let mut story = restore_begun();
    story.restore(&[]);
    story.check_restored(good(false));
    story.close(Outcome::Restored, "restored", &[]);
    story
}

/// An asked restore that broke off each time.
pub(super) fn restore_stuck() -> Story {
    let mut story = restore_begun();
    for attempt in 1..=4 {
        story.write(15, Event::RestoreBegun { snapshot: ASKED.into(), attempt });
        story.write(9_000, Event::RestoreFailed { why: "the disk of web3.example is full".into() });
    }
    story.close(Outcome::Stuck, "the site could not be put back: the disk of web3.example is full", &[]);
    story
}

/// An asked restore after which the site does not pass its checks.
pub(super) fn restore_stuck_checks() -> Story {
    let mut story = restore_begun();
    story.restore(&[]);
    story.check_restored(vec![server_error("/")]);
    story.close(Outcome::Stuck, "the site was put back, but it does not pass its checks", &[]);
    story
}

/// An asked restore that did not begin.
pub(super) fn restore_refused() -> Story {
    let purpose = Purpose::Restore { snapshot: ASKED.into(), only: Vec::new(), exact: false, anomaly: None };
    let mut story = Story::begin(CLIENT, "fr", purpose);
    let why = "the store can't be read: its key is missing".into();
    story.write(4_100, Event::Refused { reasons: vec![Refusal::Failed { why }] });
    story.close(Outcome::Refused, "nothing was changed", &[]);
    story
}

/// Put back, but for the rights of a folder.
pub(super) fn restored_left() -> Story {
    let mut story = begin();
    story.plan(vec![slider()], Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Check { .. }));
    story.fail(step, BROKEN, vec![server_error("/")], Some("plugin:tb-slider"));
    story.unwind(BROKEN);
    story.restore(&["wp-content/uploads: owner 33 instead of 1001"]);
    story.check_restored(good(false));
    story.close(Outcome::Restored, "the site is as it was before", &[("plugin:tb-slider", "1.4")]);
    story
}

/// The culprit was left out and the rest kept; then the site did not pass its checks any more.
pub(super) fn stuck_later() -> Story {
    let mut story = begin();
    story.plan(vec![slider(), updates().remove(0)], Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Check { .. }));
    story.fail(step, BROKEN, vec![server_error("/")], Some("plugin:tb-slider"));
    story.unwind(BROKEN);
    story.restore(&[]);
    story.check_restored(good(false));
    story.plan(vec![updates().remove(0)], Vec::new());
    story.go(0, |_| false);
    story.plan(vec![slider()], Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Baseline { .. }));
    story.fail(step, BROKEN, vec![server_error("/")], None);
    let todo = "updates were applied and passed their checks, and then the site did not pass them any more";
    story.close(Outcome::Stuck, todo, &[]);
    story
}

/// Died, and not yet taken up again.
pub(super) fn open() -> Story {
    let mut story = begin();
    story.plan(updates(), Vec::new());
    let step = story.go(0, |action| matches!(action, Action::Update { .. }));
    story.write(40, Event::StepBegun { step });
    story
}

/// All of them, by the names of their golden files.
pub(super) fn all() -> Vec<(&'static str, Story)> {
    vec![
        ("completed", completed()),
        ("completed-with-holds", with_holds()),
        ("restored", restored()),
        ("restored-rows", restored_rows()),
        ("refused", refused()),
        ("stuck", stuck()),
        ("nothing", nothing()),
        ("all-holds", all_holds()),
        ("isolated", isolated()),
        ("refused-over-cap", refused_over_cap()),
        ("refused-by-checks", refused_by_checks()),
        ("stuck-checks", stuck_checks()),
        ("restore-asked", restore_asked()),
        ("restore-stuck", restore_stuck()),
        ("restore-stuck-checks", restore_stuck_checks()),
        ("restore-refused", restore_refused()),
        ("restored-left", restored_left()),
        ("stuck-later", stuck_later()),
        ("open", open()),
        ("drifted", drifted()),
        ("refused-by-drift", refused_by_drift()),
    ]
}
