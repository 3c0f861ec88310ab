//! Months: of one site and of several, with good runs and bad ones, and without any.

use super::golden::{compare, folder, provider, rehearsal};
use super::{stories, story::Story};
use crate::journal::PlanExtract;
use crate::model::{Digest, Outcome, RunId, SiteName};
use crate::report::document::ClosedLine;
use crate::report::{KnownSite, Language, Month, MonthReport, Report, Scope};
use crate::snapshot::Proof;
use jiff::{SignedDuration, Timestamp};

fn november() -> Month {
    "2026-11".parse().unwrap()
}

fn december() -> Timestamp {
    "2026-12-01T05:00:00Z".parse().unwrap()
}

fn plan(url: &str, zone: &str) -> PlanExtract {
    PlanExtract {
        digest: Digest::of(b"plan"),
        client: "Boutique Laval inc.".into(),
        language: "fr".into(),
        tier: "advanced".into(),
        cap: Some(25),
        url: url.into(),
        zone: zone.into(),
    }
}

/// A story as if it had happened on a day of November.
fn on(day: i64, story: Story) -> Report {
    let mut report = story.report();
    let later = SignedDuration::from_hours((day - 12) * 24);
    report.run = format!("019a7e2c-5f00-7000-8000-0000000000{day:02}").parse::<RunId>().unwrap();
    report.began += later;
    report.ended = report.ended.map(|at| at + later);
    for snapshot in &mut report.snapshots {
        snapshot.verified += later;
    }
    report
}

fn site(name: &str, runs: Vec<Report>) -> KnownSite {
    let site = SiteName::new(name).unwrap();
    let runs = runs.into_iter().map(|run| Report { site: site.clone(), ..run }).collect();
    let url = if name == "boutique-laval" { "https://boutique.example/" } else { "https://blogue.example/" };
    KnownSite { site, plan: plan(url, "America/Toronto"), runs, rehearsals: Vec::new(), anomalies: Vec::new() }
}

fn client() -> Scope {
    Scope::Client { name: "Boutique Laval inc.".into() }
}

fn one_site() -> Scope {
    Scope::Site { site: SiteName::new("boutique-laval").unwrap(), client: "Boutique Laval inc.".into() }
}

/// The first story closes vulnerabilities.
fn secured(day: i64) -> Report {
    let mut report = on(day, stories::completed());
    let closed = |name: &str, hours| ClosedLine { name: name.into(), published: None, exposed_hours: hours };
    report.updates[0].fixes = vec![closed("CVE-2026-1234", Some(31)), closed("CVE-2026-4321", Some(140))];
    report.updates[1].fixes = vec![closed("CVE-2026-5555", None)];
    report
}

/// A month in which most of what can happen happened.
fn full() -> MonthReport {
    let mut shop = site(
        "boutique-laval",
        vec![
            on(26, stories::with_holds()),
            secured(3),
            on(5, stories::nothing()),
            on(6, stories::nothing()),
            on(9, stories::refused()),
            on(12, stories::restored()),
            on(17, stories::isolated()),
        ],
    );
    let all = rehearsal(20, Proof::Proven, Proof::Proven, true);
    shop.rehearsals = vec![all];
    let other = site("blogue", Vec::new());
    MonthReport::of(november(), client(), vec![shop, other], december())
}

/// A site of which the client told.
fn told(name: &str) -> KnownSite {
    KnownSite { anomalies: super::anomalies::anomalies(), ..site(name, vec![on(12, stories::with_holds())]) }
}

/// Every month of the tests, by name.
pub(super) fn all() -> Vec<(&'static str, MonthReport)> {
    let of = |scope, sites, now| MonthReport::of(november(), scope, sites, now);
    let early = "2026-11-20T12:00:00Z".parse().unwrap();
    vec![
        ("month", full()),
        ("month-anomalies", of(one_site(), vec![told("boutique-laval")], early)),
        ("month-stuck", of(one_site(), vec![site("boutique-laval", vec![on(12, stories::stuck())])], december())),
        ("month-quiet", of(one_site(), vec![site("boutique-laval", Vec::new())], early)),
        ("month-nothing", of(Scope::Fleet, Vec::new(), december())),
        (
            "month-refused",
            of(
                one_site(),
                vec![site("boutique-laval", vec![on(9, stories::refused()), on(16, stories::refused_over_cap())])],
                december(),
            ),
        ),
        ("month-open", of(one_site(), vec![site("boutique-laval", vec![secured(3), on(12, stories::open())])], early)),
        (
            "month-left",
            of(one_site(), vec![site("boutique-laval", vec![on(12, stories::restored_left())])], december()),
        ),
        (
            "month-put-back",
            of(
                one_site(),
                vec![site("boutique-laval", vec![secured(3), on(12, stories::restore_asked())])],
                december(),
            ),
        ),
    ]
}

#[test]
fn months_are_as_approved() {
    let mut wrong = Vec::new();
    for (name, report) in all() {
        let json = report.to_json().unwrap();
        wrong.extend(compare(&folder().join(format!("{name}.json")), &json).err());
        let back: MonthReport = serde_json::from_str(&json).unwrap();
        assert_eq!(back, report, "{name}");
        for language in Language::all() {
            let page = report.to_html(Some(language.clone()), &provider()).unwrap();
            assert!(!page.contains("{$") && !page.contains("{ $") && !page.contains(">monthly-"), "{name}");
            wrong.extend(compare(&folder().join(format!("{name}.{}.html", language.tag())), &page).err());
            let text = report.to_markdown(Some(language.clone()), &provider()).unwrap();
            wrong.extend(compare(&folder().join(format!("{name}.{}.md", language.tag())), &text).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_month_is_that_of_the_sites_own_zone() {
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let began = |text: &str| Report { began: at(text), ..stories::nothing().report() };
    let runs = vec![
        began("2026-11-01T03:59:59Z"),
        began("2026-11-01T04:00:00Z"),
        began("2026-12-01T04:59:59Z"),
        began("2026-12-01T05:00:00Z"),
    ];
    let month = MonthReport::of(november(), one_site(), vec![site("boutique-laval", runs.clone())], december());
    let told: Vec<Timestamp> = month.sites[0].runs.iter().map(|run| run.began).collect();
    assert_eq!(told, [at("2026-11-01T04:00:00Z"), at("2026-12-01T04:59:59Z")]);
    let mut utc = site("boutique-laval", runs);
    utc.plan = plan("https://boutique.example/", "UTC");
    let month = MonthReport::of(november(), one_site(), vec![utc], december());
    assert_eq!(month.sites[0].runs.len(), 2);
    assert_eq!((month.sites[0].runs[0].began, month.until), (at("2026-11-01T03:59:59Z"), None));
    let early =
        MonthReport::of(november(), one_site(), vec![site("boutique-laval", Vec::new())], at("2026-12-01T04:59:59Z"));
    assert!(early.until.is_some(), "in Toronto it is still November");
}

#[test]
fn what_is_counted_is_what_the_runs_say() {
    let month = full();
    let names: Vec<&str> = month.sites.iter().map(|site| site.site.as_str()).collect();
    assert_eq!(names, ["blogue", "boutique-laval"]);
    let shop = &month.sites[1];
    let days: Vec<i8> = shop.runs.iter().map(|run| run.began.to_zoned(jiff::tz::TimeZone::UTC).day()).collect();
    assert_eq!(days, [3, 5, 6, 9, 12, 17, 26], "in the order of time");
    assert_eq!(shop.runs[4].outcome, Some(Outcome::Restored));
    let akismet = shop.updates.iter().find(|update| update.component.slug.as_str() == "akismet").unwrap();
    assert_eq!(akismet.fixes.len(), 2);
    assert!(akismet.times > 1 && akismet.stands, "later runs updated it again");
    let snapshots: usize = shop.runs.iter().map(|_| 0).sum::<usize>() + usize::try_from(shop.backups).unwrap();
    assert!(snapshots >= 8, "{snapshots}");
    assert!(shop.proven_restore.is_some());
    let undone = all().into_iter().find(|(name, _)| *name == "month-put-back").unwrap().1;
    assert!(undone.sites[0].updates.iter().all(|update| !update.stands));
    let page = undone.to_html(Some(Language::of("en")), &provider()).unwrap();
    assert!(!page.contains("Security: what was closed"), "what was put back is not closed");
}

/// A month of one site with these runs, and the title and sentences of its page.
fn month_of(runs: Vec<Report>) -> (MonthReport, String) {
    let month = MonthReport::of(november(), one_site(), vec![site("boutique-laval", runs)], december());
    let page = month.to_markdown(Some(Language::of("en")), &provider()).unwrap();
    (month, page)
}

#[test]
fn a_site_that_is_stuck_stays_so_when_later_runs_are_refused() {
    let (month, page) = month_of(vec![secured(3), on(12, stories::stuck()), on(13, stories::refused())]);
    assert!(page.contains("Needs attention") && page.contains("A specialist must finish it by hand"), "{page}");
    let shop = &month.sites[0];
    assert_eq!((shop.checks_made, shop.checked), (0, None), "checks of the week before say nothing of it");
    let (_, page) =
        month_of(vec![on(12, stories::stuck()), on(13, stories::restore_asked()), on(14, stories::refused())]);
    assert!(!page.contains("Needs attention"), "{page}");
}

#[test]
fn a_month_in_which_nothing_began_is_not_praised() {
    let (_, page) = month_of(vec![on(9, stories::refused()), on(16, stories::refused())]);
    assert!(page.contains("Nothing could be done this month") && !page.contains("did not succeed"), "{page}");
    let (_, page) = month_of(vec![secured(3), on(12, stories::open())]);
    assert!(page.contains("Needs attention") && page.contains("the work was not over"), "{page}");
    let (_, page) = month_of(vec![secured(3), on(9, stories::refused())]);
    assert!(page.contains("Maintained and checked") && !page.contains("did not succeed"), "{page}");
    let (_, page) = month_of(vec![secured(3), on(9, stories::refused_over_cap())]);
    assert!(page.contains("One visit did not succeed"), "{page}");
}

const AKISMET: &str = "akismet";

/// Whether an update of the third stands after what came later.
fn stands(later: Vec<Report>) -> bool {
    let (month, _) = month_of(std::iter::once(named(secured(3))).chain(later).collect());
    let mut updates = month.sites[0].updates.iter();
    updates.find(|update| update.component.slug.as_str() == AKISMET).unwrap().stands
}

fn snapshot(at: &str) -> String {
    format!("{at}-0123456789ab")
}

/// Of the third, with a snapshot after the updates that has a name as runs give them.
fn named(mut report: Report) -> Report {
    let after = report.snapshots.iter_mut().find(|snapshot| snapshot.after).unwrap();
    after.name = snapshot("20261103T070200.000Z");
    report
}

/// Somebody had a snapshot put back on a day, and this version was read then.
fn restore(day: i64, of: &str, only: &[&str], read: Option<&str>) -> Report {
    let mut report = on(day, stories::restore_asked());
    let only = only.iter().map(|one| (*one).to_owned()).collect();
    report.job = crate::report::Job::Restore { snapshot: snapshot(of), only };
    let akismet = super::story::id("plugin:akismet");
    report.versions = read.map(|read| (akismet, super::story::version(read))).into_iter().collect();
    report
}

#[test]
fn a_restore_undoes_what_its_snapshot_does_not_have() {
    let (before, after, later) = ("20261103T070030.000Z", "20261103T070200.000Z", "20261110T070000.000Z");
    assert!(!stands(vec![restore(12, before, &[], None)]));
    assert!(stands(vec![restore(12, after, &[], None)]), "the snapshot after the updates has them");
    assert!(stands(vec![restore(12, later, &[], None)]));
    // A snapshot from between two restores is of what the first one left.
    let between = "20261115T070000.000Z";
    assert!(!stands(vec![restore(12, before, &[], None), restore(20, between, &[], None)]));
    assert!(stands(vec![restore(12, before, &[], None), restore(20, later, &[], None)]));
    // What was read back goes before the times.
    assert!(stands(vec![restore(12, before, &[], Some("5.7.2"))]));
    assert!(!stands(vec![restore(12, later, &[], Some("5.0.2"))]));
    // Nobody knows what a part of it took along.
    assert!(!stands(vec![restore(12, later, &["wp-content/plugins"], None)]));
    assert!(stands(vec![restore(12, before, &["wp-content/themes"], Some("5.7.2"))]));
    // One that broke off may have left anything.
    let broken = Report {
        restores: stories::restored()
            .report()
            .restores
            .into_iter()
            .map(|one| crate::report::Restore { done: false, ..one })
            .collect(),
        ..restore(12, before, &[], None)
    };
    assert!(!stands(vec![broken.clone()]));
    assert!(stands(vec![Report { restores: Vec::new(), ..broken }]), "nothing was overwritten");
}
