//! Rules about which sites there are, and which have a plan.

use super::Case;
use crate::audit::Facts;
use crate::audit::finding::{Evidence, Found, count, text, told};
use crate::audit::{Ran, Unreadable, Value};
use crate::model::SiteName;

/// A file of a plan can't be read: nobody keeps its site.
pub(super) fn plan_unreadable(facts: &Facts) -> Vec<Found> {
    let one = |file: &Unreadable| {
        let found = Found::new(&file.file, vec![told("audit-why", [("why", text(&file.why))])]);
        found.of(facts.sites.keys().find(|site| file.names(site)))
    };
    facts.unreadable.iter().map(one).collect()
}

/// A site that we worked on, or have snapshots of, and that has no plan.
pub(super) fn no_plan(facts: &Facts, site: &SiteName) -> Vec<Found> {
    let known = facts.of(site);
    // A plan that can't be read is another rule's.
    if facts.plans.contains_key(site) || facts.unreadable.iter().any(|one| one.names(site)) {
        return Vec::new();
    }
    let backups = known.backups.as_ref().map_or(0, Vec::len);
    let mut evidence: Vec<Evidence> = known.runs.first().map(last_run).into_iter().collect();
    if backups > 0 {
        evidence.push(told("audit-backups-there", [("count", count(backups))]));
    }
    vec![Found::site(evidence)]
}

/// How the last run went.
pub(super) fn last_run(ran: &Ran) -> Evidence {
    let outcome = ran.outcome.map_or("open", |outcome| outcome.as_str());
    told("audit-last-run", [("at", Value::Moment(ran.opened)), ("outcome", Value::Word(outcome))])
}

/// A plan whose site nobody ever looked at.
pub(super) fn never_seen(case: &Case<'_>) -> Vec<Found> {
    let begins = case.plan.contract.as_ref().is_some_and(|contract| case.today < contract.from);
    match case.known.was_seen() || begins {
        true => Vec::new(),
        false => vec![Found::site(vec![told("audit-nothing-recorded", [])])],
    }
}

/// A site on a machine, as the settings know it, that no plan is for.
pub(super) fn neighbour_without_plan(facts: &Facts) -> Vec<Found> {
    let plain = |path: &str| path.trim_end_matches('/').to_owned();
    let mut all = Vec::new();
    for hosted in &facts.rules.audit.hosted {
        let on_it = facts.plans.values().filter(|plan| plan.host.machine() == hosted.host);
        let with_plan: Vec<String> = on_it.map(|plan| plain(plan.host.path().as_str())).collect();
        for path in hosted.sites.iter().map(|path| plain(path)).filter(|path| !with_plan.contains(path)) {
            let evidence = told("audit-neighbours", [("host", text(&hosted.host)), ("count", count(with_plan.len()))]);
            all.push(Found::new(format!("{}:{path}", hosted.host), vec![evidence]));
        }
    }
    all
}
