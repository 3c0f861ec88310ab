//! Gathers what an audit knows: plans, journal, snapshot store, feeds. Reads only.
//!
//! What can't be read is said in the facts and hinders nothing else.

use super::fleet::Fleet;
use super::{ExitCode, Failure};
use crate::audit::{Backup, EndOfLife, Facts, Ran, SiteFacts, Unreadable};
use crate::journal::{Journal as _, JournalError, RunSummary, SqliteJournal};
use crate::ledger::{Decision, Ledger};
use crate::model::{Outcome, RunId, SiteName, clean_line, in_words};
use crate::plan::{self, Plan};
use crate::snapshot::Store;
use crate::vulnerability::{Feeds, Subject};
use futures::stream::StreamExt;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most runs of the whole fleet that are listed.
const MOST_RUNS: u32 = 1_000_000;
/// How many runs of a site are read that were not refused, until one of them looked at it and took a snapshot.
const MOST_READ: usize = 8;
/// How many of its refused runs are read meanwhile: a run that is tried again every few minutes leaves many.
const MOST_REFUSED: usize = 100;
/// How many rehearsals and intakes of a site are looked at.
const MOST_REHEARSALS: u32 = 100;
const MOST_INTAKES: u32 = 50;
/// How many sites are read at once.
const AT_ONCE: usize = 8;
/// How many characters of a mistake are shown.
const MOST_CHARS: usize = 300;

/// All that is known at `now`.
pub(super) async fn gather(fleet: &Fleet, now: Timestamp) -> Result<Facts, Failure> {
    let rules = fleet.settings.rules.clone();
    let end_of_life = EndOfLife::with(&rules.audit.end_of_life);
    let end_of_life = end_of_life.map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    let (plans, unreadable) = plans(fleet)?;
    let journal = Arc::new(fleet.journal().await?);
    let ledger = journal.ledger().await?;
    let mut unknown = Vec::new();
    let backups = backups(fleet).await;
    let backups = backups.map_err(|failure| {
        unknown.push(clean_line(&format!("the snapshot store: {}", failure.text), MOST_CHARS));
    });
    let mut sites = read_sites(&journal, &plans, backups.ok()).await?;
    accepted(&ledger, &mut sites);
    unknown.extend(lost(&plans, &sites));
    unknown.extend(vulnerabilities(fleet, &plans, &mut sites, now).await);
    let notices = ledger.notices(rules.notices_expire_after);
    let anomalies = ledger.anomalies();
    Ok(Facts { now, rules, plans, unreadable, sites, notices, anomalies, end_of_life, unknown })
}

type Plans = BTreeMap<SiteName, Arc<Plan>>;

fn plans(fleet: &Fleet) -> Result<(Plans, Vec<Unreadable>), Failure> {
    let (mut plans, mut unreadable) = (Plans::new(), Vec::new());
    let all = plan::load_folder(&fleet.settings.plans, fleet.terms(&fleet.library.names()));
    for (file, loaded) in all.map_err(|error| Failure::new(ExitCode::ABSENT, &error))? {
        match loaded {
            Ok(plan) => drop(plans.insert(plan.site.clone(), Arc::new(plan))),
            Err(error) => unreadable.push(Unreadable {
                file: clean_line(&file.file_name().unwrap_or_default().to_string_lossy(), MOST_CHARS),
                why: clean_line(&in_words(&error), MOST_CHARS),
            }),
        }
    }
    Ok((plans, unreadable))
}

/// What the journal says of each site that it, a plan or the store knows.
async fn read_sites(
    journal: &Arc<SqliteJournal>,
    plans: &Plans,
    mut backups: Option<Backups>,
) -> Result<BTreeMap<SiteName, SiteFacts>, Failure> {
    let mut by_site: BTreeMap<SiteName, Vec<RunSummary>> = BTreeMap::new();
    for run in journal.runs(None, false, MOST_RUNS).await? {
        by_site.entry(run.site.clone()).or_default().push(run);
    }
    for site in plans.keys().chain(backups.iter().flat_map(BTreeMap::keys)) {
        by_site.entry(site.clone()).or_default();
    }
    let tasks = by_site.into_iter().map(|(site, runs)| {
        let (journal, has_plan) = (Arc::clone(journal), plans.contains_key(&site));
        let backups = backups.as_mut().map(|all| all.remove(&site).unwrap_or_default());
        // A task of its own: reading entries is work for more than one core.
        tokio::spawn(async move {
            let runs_of = runs.iter().map(Ran::new).collect();
            let known = SiteFacts { runs: runs_of, backups, ..SiteFacts::default() };
            let known = read_site(&journal, &site, &runs, has_plan, known).await?;
            Ok::<_, JournalError>((site, known))
        })
    });
    let mut sites = BTreeMap::new();
    let mut read = futures::stream::iter(tasks).buffer_unordered(AT_ONCE);
    while let Some(one) = read.next().await {
        let (site, known) = one.map_err(|error| Failure::other(format!("the journal can't be read: {error}")))??;
        sites.insert(site, known);
    }
    Ok(sites)
}

async fn read_site(
    journal: &SqliteJournal,
    site: &SiteName,
    runs: &[RunSummary],
    has_plan: bool,
    mut known: SiteFacts,
) -> Result<SiteFacts, JournalError> {
    for run in to_read(runs) {
        if !known.read(run, &journal.entries(run).await?) {
            break;
        }
    }
    // Without a plan no rule asks for more.
    if !has_plan {
        return Ok(known);
    }
    known.rehearsals = journal.rehearsals(site, MOST_REHEARSALS).await?;
    known.assessed(&journal.assessments(site, MOST_INTAKES).await?);
    Ok(known)
}

/// The runs that are read, newest first. Refused ones are read for their reasons, and because some of them had looked; there
/// may be any number of them.
fn to_read(runs: &[RunSummary]) -> impl Iterator<Item = RunId> {
    let (mut refused, mut others) = (0, 0);
    let wanted = move |run: &&RunSummary| {
        let (read, most) = match run.outcome {
            Some(Outcome::Refused) => (&mut refused, MOST_REFUSED),
            _ => (&mut others, MOST_READ),
        };
        *read += 1;
        *read <= most
    };
    runs.iter().filter(wanted).map(|run| run.run)
}

/// Of which sites nobody knows what is installed, though somebody looked once.
fn lost(plans: &Plans, sites: &BTreeMap<SiteName, SiteFacts>) -> Vec<String> {
    let text = |(site, at): (&SiteName, Timestamp)| {
        let text = format!(
            "what is installed on {site}: the restore that was over at {at} read no versions, and nobody looked since"
        );
        clean_line(&text, MOST_CHARS)
    };
    let lost = sites.iter().filter(|(site, _)| plans.contains_key(*site));
    lost.filter_map(|(site, known)| Some((site, known.lost()?))).map(text).collect()
}

/// Drift that somebody took note of.
fn accepted(ledger: &Ledger, sites: &mut BTreeMap<SiteName, SiteFacts>) {
    for entry in ledger.entries() {
        let Decision::DriftAccepted { site, reference, marks, .. } = &entry.decision else { continue };
        if let Some(known) = sites.get_mut(site) {
            known.accepted.extend(marks.iter().map(|mark| (reference.clone(), *mark)));
        }
    }
}

/// The snapshots of every site, by site.
type Backups = BTreeMap<SiteName, Vec<Backup>>;

/// Those in the store.
async fn backups(fleet: &Fleet) -> Result<Backups, Failure> {
    let store = fleet.any_store()?;
    let listed = tokio::task::spawn_blocking(move || list(&store)).await;
    Ok(listed.map_err(|error| Failure::other(error.to_string()))??)
}

fn list(store: &Store) -> crate::snapshot::Result<Backups> {
    let mut all = Backups::new();
    for site in store.sites()? {
        let names = store.list(&site)?.into_iter();
        let backups: Vec<Backup> = names.map(|one| Backup { name: one.name.to_string(), taken: one.taken }).collect();
        // A folder whose snapshots were all pruned is no site.
        if !backups.is_empty() {
            all.insert(site, backups);
        }
    }
    Ok(all)
}

/// What is public of what each site has: the feeds are read once for each CMS. Returns what could not be known.
async fn vulnerabilities(
    fleet: &Fleet,
    plans: &Plans,
    sites: &mut BTreeMap<SiteName, SiteFacts>,
    now: Timestamp,
) -> Vec<String> {
    let feeds: Feeds = fleet.settings.feeds.open();
    let mut by_cms: BTreeMap<&str, Vec<&SiteName>> = BTreeMap::new();
    for (site, plan) in plans {
        by_cms.entry(plan.cms.as_str()).or_default().push(site);
    }
    let mut unknown = Vec::new();
    for (cms, names) in by_cms {
        let playbook = match fleet.library.load(cms) {
            Ok((playbook, _)) => playbook,
            Err(error) => {
                let text = format!("known vulnerabilities of sites with {cms}: {}", in_words(&error));
                unknown.push(clean_line(&text, MOST_CHARS));
                continue;
            }
        };
        let looked = |name: &&&SiteName| sites.get(**name).is_some_and(|known| known.look.is_some());
        let names: Vec<&SiteName> = names.iter().filter(looked).copied().collect();
        let subject = |name: &&SiteName| Some(sites.get(*name)?.look.as_ref()?.inventory.subject());
        let subjects: Vec<Subject<'_>> = names.iter().filter_map(subject).collect();
        let known = feeds.known(&playbook.vulnerabilities, playbook.versions.scheme, &subjects, now).await;
        let silent = known.iter().filter(|known| !known.is_whole()).count();
        if silent > 0 {
            let why = known
                .iter()
                .flat_map(|known| &known.feeds)
                .find_map(|feed| feed.missing.clone().or(feed.stale.clone()));
            let why = why.unwrap_or_else(|| "nobody tells of this CMS".into());
            let text = format!("known vulnerabilities of {silent} sites with {cms}: {why}");
            unknown.push(clean_line(&text, MOST_CHARS));
        }
        for (name, known) in names.into_iter().zip(known) {
            if let Some(site) = sites.get_mut(name) {
                site.vulnerabilities = Some(known);
            }
        }
    }
    unknown
}
