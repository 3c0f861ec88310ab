//! Tests of what the fleet of `tests/audit.rs` does not show: ids, waivers, the score, the glance.

use super::*;
use crate::intake::Severity;
use crate::model::SiteName;
use crate::plan::{FleetRules, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

const NOW: &str = "2026-11-24T12:00:00Z";

fn plan(site: &str, more: &str) -> Arc<Plan> {
    let text = format!(
        "plan: 1\nsite: {site}\nclient: {{ name: Example, language: en }}\ntier: base\ncms: wordpress\n\
         url: https://{site}.example/\nhost: {{ ssh: \"ssh://deploy@web3.example:2222\", path: /srv/www/{site} }}\n{more}"
    );
    Arc::new(crate::plan::parse(Path::new("plan.yaml"), &text, &["wordpress"]).unwrap_or_else(|e| panic!("{e}")))
}

fn facts(plans: &[Arc<Plan>], rules: &str) -> Facts {
    let rules: FleetRules = serde_yaml::from_str(rules).unwrap();
    Facts {
        now: NOW.parse().unwrap(),
        plans: plans.iter().map(|plan| (plan.site.clone(), plan.clone())).collect(),
        unreadable: Vec::new(),
        sites: BTreeMap::new(),
        notices: Vec::new(),
        anomalies: Vec::new(),
        end_of_life: EndOfLife::with(&rules.audit.end_of_life).unwrap(),
        unknown: Vec::new(),
        rules,
    }
}

fn shown(audit: &Audit) -> Vec<String> {
    let one = |finding: &Finding| {
        let site = finding.site.as_ref().map_or("fleet", SiteName::as_str);
        let waived = if finding.waived.is_some() { " waived" } else { "" };
        format!("{} {site} {}{waived}", finding.rule, finding.subject)
    };
    audit.findings.iter().map(one).collect()
}

#[test]
fn ids_are_unique_and_in_kebab_case() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_lowercase() || c == '-')), "{ids:?}");
}

#[test]
fn waivers_mark_what_they_cover_and_are_findings_when_over_or_idle() {
    let rules = "audit: { waivers: [\
        { rule: never-seen, site: a, owner: Anne, why: new, until: 2026-11-24 },\
        { rule: never-seen, site: b, owner: Anne, why: new, until: 2026-11-23 },\
        { rule: no-intake, site: c, owner: Anne, why: none, until: 2027-01-01 },\
        { rule: no-such, owner: Anne, why: none, until: 2027-01-01 }] }";
    let found = audit(&facts(&[plan("a", ""), plan("b", "")], rules));
    assert_eq!(
        shown(&found),
        [
            "never-seen a  waived",
            "never-seen b ",
            "waiver-expired fleet never-seen b",
            "no-intake a ",
            "no-intake b ",
            "waiver-unused fleet no-intake c",
            "waiver-unused fleet no-such",
        ]
    );
    // b has lost 55, a 15.
    assert_eq!((found.score, found.sites, found.counts().waived), (65, 2, 1));
    assert!(found.fails(Severity::High) && !found.fails(Severity::Critical));
    assert!(
        !found
            .only(&[], |finding| finding.site.as_ref().is_some_and(|site| site.as_str() == "a"))
            .fails(Severity::High)
    );
}

/// What could not be looked at may be what a waiver is for.
#[test]
fn no_waiver_is_idle_while_something_is_not_known() {
    let rules = "audit: { waivers: [{ rule: backup-old, owner: Anne, why: none, until: 2027-01-01 }] }";
    let mut facts = facts(&[], rules);
    assert_eq!(shown(&audit(&facts)), ["waiver-unused fleet backup-old"]);
    facts.unknown.push("the snapshot store: no key".into());
    let found = audit(&facts);
    assert_eq!((shown(&found).len(), found.score, found.unknown.len()), (0, 100, 1));
}

#[test]
fn machines_are_compared_without_account_and_port() {
    let rules = "audit: { hosted: [{ host: web3.example, sites: [/srv/www/a/, /srv/www/other] }] }";
    let found = audit(&facts(&[plan("a", "")], rules));
    assert_eq!(shown(&found)[1], "neighbour-without-plan fleet web3.example:/srv/www/other");
    assert_eq!(found.findings.iter().filter(|finding| finding.rule == "neighbour-without-plan").count(), 1);
}

#[test]
fn the_glance_says_what_is_not_known() {
    let windows = "windows: [{ on: [wed], at: \"02:00\", for: 2h, zone: America/Toronto }]\n";
    let facts = facts(&[plan("a", windows), plan("b", "")], "{}");
    let status = status(&facts, &audit(&facts), |_| true);
    let [a, b] = status.sites.as_slice() else { panic!("{status:?}") };
    assert_eq!(a.next_window.map(|at| at.to_string()).as_deref(), Some("2026-11-25T07:00:00Z"));
    assert_eq!((b.next_window, &b.last_run, b.holds, b.newest_backup), (None, &None, None, None));
    assert_eq!((b.findings.high, b.findings.medium), (1, 1));
}

#[test]
fn a_plan_that_can_not_be_read_is_its_sites_or_not_known() {
    let mut facts = facts(&[plan("a", "")], "{}");
    let unreadable = |file: &str| Unreadable { file: file.into(), why: "line 3: unknown key".into() };
    facts.unreadable = vec![unreadable("shop.yaml"), unreadable("new.yaml")];
    let shop = SiteName::new("shop").unwrap();
    facts.sites.insert(shop.clone(), SiteFacts::default());
    let whole = audit(&facts);
    let files: Vec<String> = shown(&whole).into_iter().filter(|line| line.starts_with("plan-")).collect();
    assert_eq!(files, ["plan-unreadable fleet new.yaml", "plan-unreadable shop shop.yaml"]);
    let of_shop = whole.clone().only(&facts.unreadable, |finding| finding.site.as_ref() == Some(&shop));
    assert_eq!(shown(&of_shop), ["plan-unreadable shop shop.yaml"]);
    assert!(of_shop.fails(Severity::High));
    assert_eq!(of_shop.unknown, ["the site of the plan new.yaml: line 3: unknown key"], "it may be that one");
    assert_eq!(whole.clone().only(&facts.unreadable, |_| false).unknown.len(), 2);
    assert_eq!(whole.only(&facts.unreadable, |_| true).unknown.len(), 0);
}
