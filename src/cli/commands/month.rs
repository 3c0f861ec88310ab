//! `intendant report --month`: the runs of a client, of a site or of all sites, gathered.

use super::report::read_run;
use crate::cli::arguments::Report as Options;
use crate::cli::fleet::{Fleet, plan_files};
use crate::cli::{Failure, show};
use crate::journal::{Event, Journal, PlanExtract};
use crate::ledger::Anomaly;
use crate::model::{Digest, RunId, SiteName};
use crate::plan::{self, Plan};
use crate::report::{KnownSite, Month, MonthReport, Scope};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// How many runs of a site are looked at.
const MOST_RUNS: u32 = 100_000;

/// The report of a month.
pub(super) async fn month(
    fleet: &Fleet,
    journal: &dyn Journal,
    month: Month,
    options: &Options,
) -> Result<MonthReport, Failure> {
    let now = Timestamp::now();
    let mut sites = known(fleet, journal).await?;
    let scope = scope(options, &sites)?;
    sites.retain(|site, known| match &scope {
        Scope::Client { name } => known.plan.client == *name,
        Scope::Site { site: wanted, .. } => site == wanted,
        Scope::Fleet => true,
    });
    let anomalies = journal.ledger().await?.anomalies();
    let mut told = Vec::new();
    for (site, Known { plan, kept }) in sites {
        let read = read_site(journal, month, (site, plan), &anomalies).await?;
        // What is no longer kept is told as long as something happened; who asks for just that site gets an answer.
        if kept || happened(month, &read) || matches!(scope, Scope::Site { .. }) {
            told.push(read);
        }
    }
    Ok(MonthReport::of(month, scope, told, now))
}

/// Whether a site was run in the month, or a person told of something on it then.
fn happened(month: Month, site: &KnownSite) -> bool {
    let zone = TimeZone::get(&site.plan.zone).unwrap_or(TimeZone::UTC);
    !site.runs.is_empty() || site.anomalies.iter().any(|one| month.holds(one.told, &zone))
}

/// A site of which a month may tell.
struct Known {
    plan: PlanExtract,
    /// Whether it has a plan now, readable or not.
    kept: bool,
}

/// Every site that has a plan or was ever run, with its plan; that of its last run where there is none now.
async fn known(fleet: &Fleet, journal: &dyn Journal) -> Result<BTreeMap<SiteName, Known>, Failure> {
    let mut last: BTreeMap<SiteName, RunId> = BTreeMap::new();
    for run in journal.runs(None, false, u32::MAX).await? {
        last.entry(run.site).or_insert(run.run);
    }
    let mut sites = BTreeMap::new();
    let (plans, unreadable) = plans(fleet);
    for (site, plan) in plans {
        last.remove(&site);
        sites.insert(site, Known { plan, kept: true });
    }
    for (site, run) in last {
        let entries = journal.entries(run).await?;
        if let Some(Event::Opened(opened)) = entries.into_iter().next().map(|entry| entry.event) {
            let kept = unreadable.iter().any(|stem| stem == site.as_str());
            sites.insert(site, Known { plan: opened.plan, kept });
        }
    }
    Ok(sites)
}

/// The plans as they are now, and the names of those that can't be read, without their endings. That is said; their
/// sites are told by their runs.
fn plans(fleet: &Fleet) -> (Vec<(SiteName, PlanExtract)>, Vec<String>) {
    let (mut plans, mut unreadable) = (Vec::new(), Vec::new());
    for file in plan_files(&fleet.settings.plans).unwrap_or_default() {
        match plan::load_file(&file, fleet.terms(&fleet.library.names())) {
            Ok(plan) => {
                let digest = Digest::of(&std::fs::read(&file).unwrap_or_default());
                plans.push((plan.site.clone(), extract(&plan, digest)));
            }
            Err(_) => {
                show::remark(format!(
                    "{} can't be read and is left out; `intendant validate` says why",
                    file.display()
                ));
                unreadable.extend(file.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
    }
    (plans, unreadable)
}

fn extract(plan: &Plan, digest: Digest) -> PlanExtract {
    PlanExtract {
        digest,
        client: plan.client.name.clone(),
        language: plan.client.language.as_str().to_owned(),
        tier: plan.tier.to_string(),
        cap: plan.extension_cap(),
        url: plan.url.as_str().to_owned(),
        zone: plan.windows.first().map_or("UTC", |window| window.zone.as_str()).to_owned(),
    }
}

fn scope(options: &Options, sites: &BTreeMap<SiteName, Known>) -> Result<Scope, Failure> {
    if let Some(name) = &options.client {
        let mut clients: Vec<&str> = sites.values().map(|known| known.plan.client.as_str()).collect();
        clients.sort_unstable();
        clients.dedup();
        return match clients.contains(&name.as_str()) {
            true => Ok(Scope::Client { name: name.clone() }),
            false => Err(Failure::absent(format!(
                "no site has a client {name:?}; it has to be written as in the plans{}",
                crate::model::nearest(name, clients.iter().copied())
                    .map(|near| format!(": {near:?}"))
                    .unwrap_or_default()
            ))),
        };
    }
    match &options.site {
        Some(site) => match sites.get(site) {
            Some(known) => Ok(Scope::Site { site: site.clone(), client: known.plan.client.clone() }),
            None => Err(Failure::absent(format!("there is no plan for a site {site}, and it was never run"))),
        },
        None => Ok(Scope::Fleet),
    }
}

async fn read_site(
    journal: &dyn Journal,
    month: Month,
    (site, plan): (SiteName, PlanExtract),
    anomalies: &[Anomaly],
) -> Result<KnownSite, Failure> {
    let zone = TimeZone::get(&plan.zone).unwrap_or(TimeZone::UTC);
    let mut runs = Vec::new();
    for run in journal.runs(Some(&site), false, MOST_RUNS).await? {
        if month.holds(run.opened, &zone) {
            runs.push(read_run(journal, run.run).await?);
        }
    }
    let rehearsals = journal.rehearsals(&site, super::MOST_REHEARSALS).await?;
    let anomalies = anomalies.iter().filter(|one| one.site == site).cloned().collect();
    Ok(KnownSite { site, plan, runs, rehearsals, anomalies })
}
