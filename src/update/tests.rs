//! What moves, in which order, and what waits: small sites, written down.

use super::*;
use crate::inventory::Inventory;
use crate::model::{HoldReason, SiteName, Tier, VersionScheme};
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
    let versions =
        Versions { scheme: VersionScheme::Php, train: 1, train_of: [(Kind::new("core").unwrap(), 2)].into() };
    let updatable = ["core", "plugin", "theme"].iter().map(|kind| Kind::new(kind).unwrap()).collect();
    let failed = failed.iter().map(|slug| (ComponentId::new("plugin", slug).unwrap(), "500".into())).collect();
    decide(&Inputs {
        plan,
        versions: &versions,
        updatable: &updatable,
        inventory,
        today: jiff::civil::date(2026, 11, 22),
        failed: &failed,
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

#[test]
fn windows_blackouts_contracts_and_silent_services_refuse() {
    let windows = "windows: [{ on: [sun], at: \"02:00\", for: 2h, zone: America/Toronto }]\n";
    let site = inventory(json!([]), json!([]));
    let at = |text: &str, any_time| Moment { now: text.parse().unwrap(), any_time };
    assert!(refusals(&plan(windows), &site, at("2026-11-22T07:30:00Z", false)).is_empty());
    let closed = refusals(&plan(windows), &site, at("2026-11-22T12:00:00Z", false));
    assert_eq!(closed, [Refusal::NoWindow { next: Some("2026-11-29T07:00:00Z".parse().unwrap()) }]);
    assert!(refusals(&plan(windows), &site, at("2026-11-22T12:00:00Z", true)).is_empty());
    let blackout = format!("{windows}blackouts: [{{ from: 2026-11-22, until: 2026-11-30, why: Sale }}]\n");
    let refused = refusals(&plan(&blackout), &site, at("2026-11-22T07:30:00Z", false));
    assert!(matches!(refused[..], [Refusal::Blackout { .. }]));
    let lapsed = refusals(
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
    assert_eq!(refusals(&plan(""), &site, moment), []);
    let refused = refusals(&plan("over-cap: refuse\n"), &site, moment);
    assert_eq!(refused, [Refusal::OverCap { extensions: 26, cap: 25, tier: Tier::Custom }]);
    assert_eq!(refusals(&plan("over-cap: refuse\n"), &inventory(json!(many(25)), json!([])), moment), []);
}
