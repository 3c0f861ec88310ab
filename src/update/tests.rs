//! What moves, in which order, and what waits: small sites, written down.

use super::*;
use crate::inventory::Inventory;
use crate::ledger::{About, Decision, Ledger, LedgerEntry, Notice, Verdict};
use crate::model::{HoldReason, SiteName, Tier, VersionScheme};
use crate::plan::{FleetRules, LicencePools};
use serde_json::{Value, json};

const PLAN: &str = "plan: 1\nsite: shop\nclient: { name: Shop, language: en }\ntier: advanced\ncms: wordpress\nurl: https://shop.example/\nhost: { ssh: shop, path: /srv/shop }\n";

fn plan(more: &str) -> Plan {
    crate::plan::parse(std::path::Path::new("shop.yaml"), &format!("{PLAN}{more}"), &["wordpress"]).unwrap()
}

fn inventory(extensions: Value, offers: Value) -> Inventory {
    let document = json!({
        "core": {"title": "WordPress", "version": "6.1.9", "offers": offers},
        "platform": {"php": "8.2.0"},
        "extensions": extensions,
    });
    Inventory::from_document(&SiteName::new("shop").unwrap(), document).unwrap()
}

fn graph(plan: &Plan, inventory: &Inventory, failed: &[&str]) -> UpdateGraph {
    decided(plan, inventory, failed, &Known::default(), Lane::All)
}

fn now() -> Timestamp {
    "2026-11-22T07:30:00Z".parse().unwrap()
}

fn decided(plan: &Plan, inventory: &Inventory, failed: &[&str], known: &Known, lane: Lane) -> UpdateGraph {
    tried(plan, inventory, failed, known, lane, None)
}

fn tried(
    plan: &Plan,
    inventory: &Inventory,
    failed: &[&str],
    known: &Known,
    lane: Lane,
    trial: Option<&BTreeSet<ComponentId>>,
) -> UpdateGraph {
    let versions =
        Versions { scheme: VersionScheme::Php, train: 1, train_of: [(Kind::new("core").unwrap(), 2)].into() };
    let updatable = ["core", "plugin", "theme"].iter().map(|kind| Kind::new(kind).unwrap()).collect();
    let failed = failed.iter().map(|slug| (ComponentId::new("plugin", slug).unwrap(), "500".into())).collect();
    decide(&Inputs {
        plan,
        versions: &versions,
        updatable: &updatable,
        inventory,
        now: now(),
        failed: &failed,
        known,
        pools: &LicencePools::default(),
        ways: &BTreeSet::new(),
        lane,
        trial,
    })
}

fn plugin(slug: &str, needs: &[&str], core: Option<&str>) -> Value {
    let needs: Vec<String> = needs.iter().map(|slug| format!("plugin:{slug}")).collect();
    json!({"kind": "plugin", "slug": slug, "version": "1.0", "active": true,
        "offer": {"version": "2.0", "package": true, "requires": {"extensions": needs, "core": core}}})
}

fn names(graph: &UpdateGraph) -> Vec<String> {
    graph
        .groups
        .iter()
        .map(|group| group.updates.iter().map(|update| update.component.slug.to_string()).collect::<Vec<_>>().join("+"))
        .collect()
}

const SEVEN: &str =
    "updates: { core: major }\napprovals: [{ component: core, version: 7.1.1, by: Ops, on: 2026-11-20 }]\n";

#[test]
fn what_needs_the_new_core_goes_after_it_and_the_rest_before() {
    let site = inventory(
        json!([plugin("zeta", &[], None), plugin("alpha", &["zeta"], None), plugin("newcore", &[], Some("7.0"))]),
        json!([{"version": "7.1.1", "package": true}]),
    );
    let graph = graph(&plan(SEVEN), &site, &[]);
    assert_eq!(names(&graph), ["zeta", "alpha", "core", "newcore"]);
    assert!(graph.holds.is_empty());
    let last = graph.updates().last().unwrap();
    assert!(matches!(last.because[0], Because::NeedsCore { .. }));
}

#[test]
fn a_major_core_waits_for_an_approval_and_the_minor_one_is_taken() {
    let offers = json!([{"version": "7.1.1", "package": true}, {"version": "6.1.10", "package": true}]);
    let site = inventory(json!([plugin("newcore", &[], Some("7.0"))]), offers);
    let graph = graph(&plan("updates: { core: major }\n"), &site, &[]);
    assert_eq!(names(&graph), ["core"]);
    assert_eq!(graph.updates().next().unwrap().to.as_str(), "6.1.10");
    assert_eq!(graph.holds[0].reason, HoldReason::Approval);
    assert!(matches!(graph.holds[1].reason, HoldReason::Core { .. }), "{:?}", graph.holds[1]);
}

#[test]
fn groups_hold_together_and_failures_take_their_dependents_along() {
    let site = inventory(json!([plugin("a", &[], None), plugin("b", &[], None), plugin("c", &["b"], None)]), json!([]));
    let free = graph(&plan("updates: { together: [[a, c]] }\n"), &site, &[]);
    assert_eq!(names(&free), ["b", "a+c"]);
    let held = graph(&plan("updates: { together: [[a, c]] }\n"), &site, &["b"]);
    assert!(held.groups.is_empty(), "{:?}", names(&held));
    assert_eq!(held.holds.len(), 3);
    let planned = graph(&plan("updates: { hold: [{ extension: b, why: ours }] }\n"), &site, &[]);
    assert_eq!(names(&planned), ["a", "c"]);
}

#[test]
fn a_core_in_a_group_moves_with_it_or_not_at_all_and_nothing_counts_on_it_then() {
    let offers = json!([{"version": "7.1.1", "package": true}, {"version": "6.1.10", "package": true}]);
    let site = inventory(json!([plugin("shop", &[], None), plugin("newer", &[], Some("6.1.10"))]), offers);
    let both = graph(&plan("updates: { together: [[core, shop]] }\n"), &site, &[]);
    assert_eq!(names(&both), ["core+shop", "newer"], "{:?}", both.holds);
    assert_eq!(both.holds.len(), 1, "only the major version waits: {:?}", both.holds);
    let held = "updates: { together: [[core, shop]], hold: [{ extension: shop, why: ours }] }\n";
    let none = graph(&plan(held), &site, &[]);
    assert!(none.groups.is_empty(), "{:?}", names(&none));
    let newer = none.holds.iter().find(|hold| hold.component.slug.as_str() == "newer").unwrap();
    assert!(matches!(newer.reason, HoldReason::Core { .. }), "{newer:?}");
}

#[test]
fn an_attempt_that_leaves_a_fix_out_still_takes_what_it_needs() {
    let site = inventory(json!([plugin("a", &["base"], None), plugin("base", &[], None)]), json!([]));
    let plan = plan("updates: { security: { within: 24h, outside-windows: true } }\n");
    let known = Known { fixes: vec![fix("a")], ..Known::default() };
    let trial: BTreeSet<ComponentId> = [ComponentId::new("plugin", "base").unwrap()].into();
    let graph = tried(&plan, &site, &[], &known, Lane::Security(HoldReason::NextWindow), Some(&trial));
    assert_eq!(names(&graph), ["base"]);
    assert_eq!(held(&graph), [("a".into(), HoldReason::Postponed)]);
}

#[test]
fn platform_licence_and_missing_dependencies_hold() {
    let site = inventory(
        json!([
            {"kind": "plugin", "slug": "php", "version": "1", "offer": {"version": "2", "package": true, "requires": {"php": "99.0"}}},
            {"kind": "plugin", "slug": "paid", "version": "1", "offer": {"version": "2", "package": false}},
            plugin("orphan", &["nosuch"], None),
        ]),
        json!([]),
    );
    let graph = graph(&plan(""), &site, &[]);
    assert!(graph.groups.is_empty());
    let reasons: Vec<_> = graph.holds.iter().map(|hold| (hold.component.slug.as_str(), &hold.reason)).collect();
    assert!(matches!(reasons[0], ("orphan", HoldReason::Dependency { .. })), "{reasons:?}");
    assert!(matches!(reasons[1], ("paid", HoldReason::Licence)), "{reasons:?}");
    assert!(matches!(reasons[2], ("php", HoldReason::Platform { .. })), "{reasons:?}");
}

#[test]
fn within_a_group_what_is_needed_goes_first() {
    let site = inventory(json!([plugin("addon", &["base"], None), plugin("base", &[], None)]), json!([]));
    let graph = graph(&plan("updates: { together: [[base, addon]] }\n"), &site, &[]);
    assert_eq!(names(&graph), ["base+addon"]);
}

#[test]
fn circles_become_one_group() {
    let site = inventory(json!([plugin("a", &["b"], None), plugin("b", &["a"], None)]), json!([]));
    assert_eq!(names(&graph(&plan(""), &site, &[])), ["a+b"]);
}

fn refused(plan: &Plan, inventory: &Inventory, moment: Moment) -> Vec<Refusal> {
    refusals(plan, inventory, &FleetRules::default(), moment, &Lane::All)
}

#[test]
fn windows_blackouts_contracts_and_silent_services_refuse() {
    let windows = "windows: [{ on: [sun], at: \"02:00\", for: 2h, zone: America/Toronto }]\n";
    let site = inventory(json!([]), json!([]));
    let at = |text: &str, any_time| Moment { now: text.parse().unwrap(), any_time };
    assert!(refused(&plan(windows), &site, at("2026-11-22T07:30:00Z", false)).is_empty());
    let closed = refused(&plan(windows), &site, at("2026-11-22T12:00:00Z", false));
    assert_eq!(closed, [Refusal::NoWindow { next: Some("2026-11-29T07:00:00Z".parse().unwrap()) }]);
    assert!(refused(&plan(windows), &site, at("2026-11-22T12:00:00Z", true)).is_empty());
    let blackout = format!("{windows}blackouts: [{{ from: 2026-11-22, until: 2026-11-30, why: Sale }}]\n");
    let reasons = refused(&plan(&blackout), &site, at("2026-11-22T07:30:00Z", false));
    assert!(matches!(reasons[..], [Refusal::Blackout { .. }]));
    let lapsed = refused(
        &plan("contract: { number: K-1, from: 2025-01-01, until: 2025-12-31 }\n"),
        &site,
        at("2026-11-22T07:30:00Z", true),
    );
    assert!(matches!(lapsed[..], [Refusal::Contract { .. }]));
}

fn many(count: usize) -> Vec<Value> {
    (0..count).map(|number| plugin(&format!("p{number:02}"), &[], None)).collect()
}

#[test]
fn over_the_cap_the_first_ones_are_covered_and_the_others_wait_for_another_tier() {
    let mut extensions = many(9);
    extensions[0]["active"] = json!(false);
    extensions.push(json!({"kind": "language", "slug": "fr", "version": "1.0", "active": true}));
    extensions.push(json!({"kind": "theme", "slug": "twenty", "version": "1.0", "active": true, "shipped": true}));
    let base = PLAN.replace("advanced", "base");
    let plan = |more: &str| {
        crate::plan::parse(std::path::Path::new("shop.yaml"), &format!("{base}{more}"), &["wordpress"]).unwrap()
    };
    let outside = |plan: &Plan, extensions: &[Value]| -> Vec<(String, Tier)> {
        let holds = graph(plan, &inventory(json!(extensions), json!([])), &[]).holds;
        let outside = holds.into_iter().filter_map(|hold| match hold.reason {
            HoldReason::OutsidePlan { tier } => Some((hold.component.slug.to_string(), tier)),
            _ => None,
        });
        outside.collect()
    };
    // What ships with the core and languages do not count: nine of ten.
    assert_eq!(outside(&plan(""), &extensions), []);
    extensions.extend([plugin("zeta", &[], None), plugin("zulu", &[], None), plugin("zzz", &[], None)]);
    // Twelve of ten: the inactive one and the last by name are outside.
    let held = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), Tier::Advanced)).collect::<Vec<_>>();
    assert_eq!(outside(&plan(""), &extensions), held(&["p00", "zzz"]));
    // Those that the plan names come first, whether they are active or not.
    assert_eq!(outside(&plan("covers: [zzz, p00]\n"), &extensions), held(&["zeta", "zulu"]));
    // The core moves all the same.
    let graph = graph(&plan(""), &inventory(json!(extensions), json!([{"version": "6.1.10", "package": true}])), &[]);
    assert!(names(&graph).contains(&"core".to_owned()));
    assert_eq!(graph.groups.iter().map(|group| group.updates.len()).sum::<usize>(), 11);
}

#[test]
fn a_plan_can_refuse_a_site_over_its_cap() {
    let site = inventory(json!(many(26)), json!([]));
    let moment = Moment { now: "2026-11-22T02:00:00Z".parse().unwrap(), any_time: false };
    assert_eq!(refused(&plan(""), &site, moment), []);
    let reasons = refused(&plan("over-cap: refuse\n"), &site, moment);
    assert_eq!(reasons, [Refusal::OverCap { extensions: 26, cap: 25, tier: Tier::Custom }]);
    assert_eq!(refused(&plan("over-cap: refuse\n"), &inventory(json!(many(25)), json!([])), moment), []);
}

fn notices(decisions: &[(&str, Decision)]) -> Vec<Notice> {
    let entries = decisions.iter().zip(1..).map(|((at, decision), number)| LedgerEntry {
        number,
        at: at.parse().unwrap(),
        by: "ops".into(),
        decision: decision.clone(),
    });
    Ledger::new(entries.collect()).notices(FleetRules::default().notices_expire_after)
}

fn noticed(to: &str) -> Decision {
    let version = |text: &str| Version::new(text).unwrap();
    let component = ComponentId::new("core", "core").unwrap();
    let (title, from) = ("WordPress".to_owned(), version("6.1.9"));
    let about = About::Update { component, title, from, to: version(to), major: true };
    Decision::Noticed { site: SiteName::new("shop").unwrap(), about }
}

fn answered(verdict: Verdict) -> Decision {
    Decision::Answered { notice: 1, verdict, why: None }
}

/// What became of the core's major version after these decisions.
fn core_after(decisions: &[(&str, Decision)]) -> Result<String, HoldReason> {
    let site = inventory(json!([]), json!([{"version": "7.1.2", "package": true}]));
    let known = Known { notices: notices(decisions), ..Known::default() };
    let graph = decided(&plan("updates: { core: major }\n"), &site, &[], &known, Lane::All);
    match graph.updates().next() {
        Some(update) => Ok(update.to.to_string()),
        None => Err(graph.holds[0].reason.clone()),
    }
}

#[test]
fn a_notice_is_answered_expires_and_covers_fixes_of_what_it_was_about() {
    let (asked, said) = ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
    assert_eq!(core_after(&[]), Err(HoldReason::Approval));
    assert_eq!(core_after(&[(asked, noticed("7.1.2"))]), Err(HoldReason::Approval));
    let approved = |to| core_after(&[(asked, noticed(to)), (said, answered(Verdict::Approved))]);
    assert_eq!(approved("7.1.2"), Ok("7.1.2".into()));
    assert_eq!(approved("7.1.1"), Ok("7.1.2".into()), "a later one of the same train");
    assert_eq!(approved("7.0"), Err(HoldReason::Approval), "of another train");
    assert_eq!(approved("7.1.3"), Err(HoldReason::Approval), "an older one");
    let declined = [(asked, noticed("7.1.1")), (said, answered(Verdict::Declined))];
    assert_eq!(core_after(&declined), Err(HoldReason::Declined { notice: 1 }));
    let again = [declined[0].clone(), declined[1].clone(), (said, answered(Verdict::Approved))];
    assert_eq!(core_after(&again), Ok("7.1.2".into()), "the last answer counts");
    let long_ago = "2026-07-01T00:00:00Z";
    assert_eq!(
        core_after(&[(long_ago, noticed("7.1.2")), (long_ago, answered(Verdict::Approved))]),
        Err(HoldReason::Approval),
        "expired"
    );
    let declined = core_after(&[(long_ago, noticed("7.1.2")), (long_ago, answered(Verdict::Declined))]);
    assert_eq!(declined, Err(HoldReason::Declined { notice: 1 }), "what was declined stays so");
}

fn held(graph: &UpdateGraph) -> Vec<(String, HoldReason)> {
    graph.holds.iter().map(|hold| (hold.component.slug.to_string(), hold.reason.clone())).collect()
}

#[test]
fn a_plan_asks_for_approvals_special_builds_and_work_by_hand() {
    let mut extensions = vec![plugin("a", &[], None), plugin("b", &[], None), plugin("c", &[], None)];
    extensions[1]["offer"]["version"] = json!("1.1-beta2");
    extensions[2]["offer"]["version"] = json!("1.1");
    let site = inventory(json!(extensions), json!([]));
    let held = |more: &str| held(&graph(&plan(more), &site, &[]));
    assert_eq!(held(""), [("b".into(), HoldReason::Special)]);
    assert_eq!(held("updates: { channel: beta }\n"), []);
    assert_eq!(held("updates: { builds: [{ extension: b, version: 1.1-beta2 }] }\n"), []);
    let (a, b, c) = (("a".into(), HoldReason::Approval), ("b".into(), HoldReason::Special), "c".to_owned());
    assert_eq!(held("updates: { approval: { extensions: major } }\n"), [a.clone(), b.clone()]);
    let all = held("updates: { approval: { extensions: all } }\n");
    assert_eq!(all, [a, b.clone(), (c.clone(), HoldReason::Approval)]);
    assert_eq!(held("updates: { approval: { for: [c] } }\n"), [b.clone(), (c.clone(), HoldReason::Approval)]);
    let by_hand = HoldReason::Manual { what: "run the assistant".into(), who: crate::model::Lifter::Vendor };
    let manual = held("updates: { manual: [{ extension: c, what: run the assistant, who: vendor }] }\n");
    assert_eq!(manual, [b, (c, by_hand)]);
}

/// What the search of a run put off is told beside a version that waits for other reasons.
#[test]
fn a_core_that_is_put_off_is_not_hidden_by_a_higher_one() {
    let offers = json!([{"version": "7.1.1", "package": true}, {"version": "6.1.10", "package": true}]);
    let site = inventory(json!([plugin("a", &[], None)]), offers);
    let trial = [ComponentId::new("plugin", "a").unwrap()].into();
    let versions =
        Versions { scheme: VersionScheme::Php, train: 1, train_of: [(Kind::new("core").unwrap(), 2)].into() };
    let graph = decide(&Inputs {
        plan: &plan(""),
        versions: &versions,
        updatable: &["core", "plugin"].iter().map(|kind| Kind::new(kind).unwrap()).collect(),
        inventory: &site,
        now: now(),
        failed: &BTreeMap::new(),
        known: &Known::default(),
        pools: &LicencePools::default(),
        ways: &BTreeSet::new(),
        lane: Lane::All,
        trial: Some(&trial),
    });
    let reasons: Vec<_> =
        graph.holds.iter().map(|hold| (hold.offered.as_ref().unwrap().as_str(), &hold.reason)).collect();
    assert!(
        matches!(reasons[..], [("6.1.10", HoldReason::Postponed), ("7.1.1", HoldReason::Policy { .. })]),
        "{reasons:?}"
    );
}

fn fix(slug: &str) -> Fix {
    let component = ComponentId::new("plugin", slug).unwrap();
    Fix {
        component,
        version: Version::new("2.0").unwrap(),
        closes: vec![Closed { name: "CVE-2026-1".into(), published: None }],
    }
}

#[test]
fn young_releases_wait_unless_they_close_a_vulnerability() {
    let mut extensions = vec![plugin("dated", &[], None), plugin("seen", &[], None), plugin("new", &[], None)];
    extensions[0]["offer"]["published"] = json!("2026-11-21T00:00:00Z");
    let site = inventory(json!(extensions), json!([]));
    let plan = plan("updates: { delay: 3d }\n");
    let seen = (
        "2026-11-10T00:00:00Z".parse().unwrap(),
        (ComponentId::new("plugin", "seen").unwrap(), Version::new("2.0").unwrap()),
    );
    let mut known = Known { first_seen: [(seen.1, seen.0)].into(), ..Known::default() };
    let young = |day| HoldReason::TooYoung { from: jiff::civil::date(2026, 11, day) };
    let waits = held(&decided(&plan, &site, &[], &known, Lane::All));
    assert_eq!(waits, [("dated".into(), young(24)), ("new".into(), young(25))]);
    known.fixes = vec![fix("dated")];
    let graph = decided(&plan, &site, &[], &known, Lane::All);
    assert_eq!(held(&graph), [("new".into(), young(25))]);
    assert_eq!(graph.updates().next().unwrap().fixes, fix("dated").closes);
}

#[test]
fn outside_the_windows_only_what_is_urgent_moves_with_what_it_needs() {
    let extensions = json!([
        plugin("a", &["base"], None),
        plugin("base", &[], None),
        plugin("c", &[], None),
        plugin("d", &[], None)
    ]);
    let site = inventory(extensions, json!([]));
    let plan = plan(
        "windows: [{ on: [mon], at: \"02:00\", for: 2h, zone: UTC }]\n\
         updates: { security: { within: 24h, outside-windows: true }, together: [[a, d]] }\n",
    );
    let moment = Moment { now: now(), any_time: false };
    let lane = lane(&plan, &FleetRules::default(), moment);
    assert_eq!(lane, Lane::Security(HoldReason::NextWindow));
    let known = Known { fixes: vec![fix("a")], ..Known::default() };
    let graph = decided(&plan, &site, &[], &known, lane.clone());
    assert_eq!(names(&graph), ["base", "a+d"]);
    assert_eq!(held(&graph), [("c".into(), HoldReason::NextWindow)]);
    assert_eq!(refusals(&plan, &site, &FleetRules::default(), moment, &lane), []);
    assert!(matches!(refused(&plan, &site, moment)[..], [Refusal::NoWindow { .. }]));
}

#[test]
fn what_is_done_for_a_lapsed_contract_is_the_providers_choice() {
    let plan = plan("contract: { number: K-1, from: 2025-01-01, until: 2026-11-10 }\n");
    let site = inventory(json!([plugin("a", &[], None), plugin("b", &[], None)]), json!([]));
    let moment = Moment { now: now(), any_time: false };
    let rules = |grace: &str, security| FleetRules {
        lapsed: crate::plan::Lapsed { grace: grace.parse().unwrap(), security },
        ..FleetRules::default()
    };
    let known = Known { fixes: vec![fix("a")], ..Known::default() };
    let outcome = |rules: &FleetRules| {
        let lane = lane(&plan, rules, moment);
        let graph = decided(&plan, &site, &[], &known, lane.clone());
        (names(&graph), refusals(&plan, &site, rules, moment, &lane).len())
    };
    use crate::plan::LapsedSecurity::{Apply, Hold};
    assert_eq!(outcome(&rules("14d", Hold)), (vec!["a".into(), "b".into()], 0), "in its grace");
    assert_eq!(outcome(&rules("7d", Hold)), (vec![], 1));
    assert_eq!(outcome(&rules("7d", Apply)), (vec!["a".into()], 0));
    let lapsed = HoldReason::Lapsed { until: jiff::civil::date(2026, 11, 10) };
    let graph = decided(&plan, &site, &[], &known, Lane::Nothing(lapsed.clone()));
    assert_eq!(held(&graph), [("a".into(), lapsed.clone()), ("b".into(), lapsed)]);
}

#[test]
fn what_broke_a_similar_site_waits_until_it_is_lifted() {
    let site = inventory(json!([plugin("a", &[], None)]), json!([]));
    let plan = plan("");
    let stack = |core: &str, php: &str| Stack {
        cms: "wordpress".into(),
        core: core.into(),
        platform: [("php".to_owned(), php.to_owned())].into(),
    };
    let (component, version) = (ComponentId::new("plugin", "a").unwrap(), Version::new("2.0").unwrap());
    let at: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
    let entry = |number, decision| LedgerEntry { number, at, by: "ops".into(), decision };
    let broke = |stack: Stack| {
        let (component, version) = (component.clone(), version.clone());
        let (site, run) = (SiteName::new("other").unwrap(), crate::model::RunId::new(at));
        entry(1, Decision::Broke { site, run, component, version, stack, why: "status 500".into() })
    };
    let waits = |entries: Vec<LedgerEntry>| {
        let known = Known { immunities: Ledger::new(entries).immunities(), ..Known::default() };
        held(&decided(&plan, &site, &[], &known, Lane::All))
    };
    let immune = [("a".to_owned(), HoldReason::Immune { since: at })];
    assert_eq!(waits(vec![broke(stack("6.1", "8.2"))]), immune);
    assert_eq!(waits(vec![broke(stack("7.1", "8.2"))]), [], "another core");
    assert_eq!(waits(vec![broke(stack("6.1", "8.3"))]), [], "another PHP");
    let (component, version) = (component.clone(), version.clone());
    let lifted = entry(2, Decision::Lifted { component, version, why: "mended".into() });
    assert_eq!(waits(vec![broke(stack("6.1", "8.2")), lifted]), []);
}

/// A chain in which each needs the one before it: the longest wait there is.
#[test]
fn ten_thousand_extensions_are_planned() {
    let extensions: Vec<Value> = (0..10_000)
        .map(|number| {
            let needs = (number > 0).then(|| format!("p{:05}", number - 1));
            plugin(&format!("p{number:05}"), &needs.iter().map(String::as_str).collect::<Vec<_>>(), None)
        })
        .collect();
    let site = inventory(json!(extensions), json!([{"version": "6.1.10", "package": true}]));
    let plan = Plan { tier: Tier::Custom, ..plan("") };
    let began = std::time::Instant::now();
    let graph = graph(&plan, &site, &[]);
    println!("10,000 extensions planned in {} ms (unoptimised)", began.elapsed().as_millis());
    assert_eq!(graph.updates().count(), 10_001);
    let order: BTreeMap<&ComponentId, usize> =
        graph.updates().enumerate().map(|(place, update)| (&update.component, place)).collect();
    for extension in &site.extensions {
        for needed in &extension.offer.as_ref().unwrap().requires.extensions {
            assert!(order[needed] < order[&extension.id], "{} before {needed}", extension.id);
        }
    }
}

#[test]
fn a_circle_of_ten_thousand_is_one_group() {
    let extensions: Vec<Value> = (0..10_000)
        .map(|number| plugin(&format!("p{number:05}"), &[&format!("p{:05}", (number + 1) % 10_000)], None))
        .collect();
    let plan = Plan { tier: Tier::Custom, ..plan("") };
    let graph = graph(&plan, &inventory(json!(extensions), json!([])), &[]);
    assert_eq!(graph.groups.len(), 1);
    assert_eq!(graph.updates().count(), 10_000);
}

mod random {
    use super::*;
    use proptest::prelude::*;

    /// Who needs whom, what is held, what is coupled, and whether the core moves.
    type Random = (Vec<Vec<usize>>, Vec<usize>, Vec<Vec<usize>>, bool);

    /// Twelve plugins, each of which may need any others, and a plan that holds some and couples some.
    fn sites() -> impl Strategy<Value = Random> {
        let needs = prop::collection::vec(prop::collection::vec(0..12_usize, 0..3), 12);
        let holds = prop::collection::vec(0..12_usize, 0..4);
        let together = prop::collection::vec(prop::collection::vec(0..12_usize, 2..4), 0..3);
        (needs, holds, together, any::<bool>())
    }

    fn site(needs: &[Vec<usize>], core: bool) -> Inventory {
        let slug = |number: usize| format!("p{number:02}");
        let extensions: Vec<Value> = needs
            .iter()
            .enumerate()
            .map(|(number, needs)| {
                let needs: Vec<String> =
                    needs.iter().filter(|other| **other != number).map(|other| slug(*other)).collect();
                let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
                plugin(&slug(number), &needs, (core && number % 3 == 0).then_some("6.1.10"))
            })
            .collect();
        inventory(json!(extensions), json!([{"version": "6.1.10", "package": true}]))
    }

    fn plan_of(holds: &[usize], together: &[Vec<usize>]) -> Plan {
        let held: BTreeSet<usize> = holds.iter().copied().collect();
        // The last but one of twelve stands for the core in groups.
        let name = |number: &usize| if *number == 10 { "core".to_owned() } else { format!("p{number:02}") };
        let holds: Vec<String> =
            held.iter().map(|number| format!("{{ extension: p{number:02}, why: ours }}")).collect();
        let distinct = together.iter().map(|group| group.iter().copied().collect::<BTreeSet<_>>());
        let mut taken = BTreeSet::new();
        let groups = distinct.filter(|group| group.len() > 1 && group.iter().all(|member| taken.insert(*member)));
        let groups: Vec<String> =
            groups.map(|group| format!("[{}]", group.iter().map(name).collect::<Vec<_>>().join(", "))).collect();
        plan(&format!("updates: {{ hold: [{}], together: [{}] }}\n", holds.join(", "), groups.join(", ")))
    }

    fn updated(graph: &UpdateGraph) -> BTreeSet<ComponentId> {
        graph.updates().map(|update| update.component.clone()).collect()
    }

    proptest! {
        #[test]
        fn nothing_goes_before_what_it_needs_and_nothing_is_forgotten((needs, holds, together, core) in sites()) {
            let site = site(&needs, core);
            let graph = graph(&plan_of(&holds, &together), &site, &[]);
            let group_of: BTreeMap<&ComponentId, usize> = graph.groups.iter().enumerate()
                .flat_map(|(place, group)| group.updates.iter().map(move |update| (&update.component, place))).collect();
            for extension in &site.extensions {
                let offer = extension.offer.as_ref().unwrap();
                if offer.requires.core.is_some() && group_of.contains_key(&extension.id) {
                    prop_assert!(group_of.contains_key(&ComponentId::core().unwrap()), "{} without its core", extension.id);
                }
                let Some(place) = group_of.get(&extension.id) else {
                    prop_assert!(graph.holds.iter().any(|hold| hold.component == extension.id), "{} is lost", extension.id);
                    continue;
                };
                for needed in &offer.requires.extensions {
                    prop_assert!(group_of.get(needed).is_none_or(|before| before <= place), "{} before {needed}", extension.id);
                }
            }
        }

        #[test]
        fn removing_a_hold_drops_no_update((needs, holds, together, core) in sites()) {
            let site = site(&needs, core);
            let with = updated(&graph(&plan_of(&holds, &together), &site, &[]));
            for gone in 0..holds.len() {
                let fewer: Vec<usize> = holds.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, hold)| *hold).collect();
                let without = updated(&graph(&plan_of(&fewer, &together), &site, &[]));
                prop_assert!(with.is_subset(&without), "{with:?} {without:?}");
            }
        }

        #[test]
        fn equal_inputs_give_equal_graphs((needs, holds, together, core) in sites()) {
            let site = site(&needs, core);
            let plan = plan_of(&holds, &together);
            prop_assert_eq!(graph(&plan, &site, &[]), graph(&plan, &site, &[]));
        }
    }
}
