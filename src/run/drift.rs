//! What somebody else changed since the site's last run: finds how that left it, looks at it now, and compares.

use super::restore::only;
use super::source::{close_site, open_site, snapshot_source};
use super::{Job, Runner, WorkError, in_words};
use crate::drift::{self, Acceptance, Compared, Found, MAX_DRIFTS, Originals, Rules, State};
use crate::intake::Assessment;
use crate::inventory::{self, Inventory};
use crate::journal::{AttemptState, Entry, Event, Purpose, RunState, RunSummary};
use crate::ledger::{Decision, MAX_REASON};
use crate::model::{ComponentId, ComponentName, Digest, Outcome, SiteName, Version, clean_line};
use crate::procedure::{Action, SnapshotMoment};
use crate::site::{Expect, Site};
use crate::snapshot::{self, Item, Manifest, NoProgress, Only, Progress, SnapshotName, Source, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many earlier runs are looked at.
const MOST_RUNS: u32 = 100;

/// What a look at the site needs to know of its drift.
#[derive(Default)]
pub(super) struct Asked<'a> {
    /// What snapshots need, where that is known already.
    pub(super) source: Option<&'a Source>,
    /// What was found when the run began; the site was only worked on by itself since.
    pub(super) found: Option<&'a Found>,
    /// Components that may be overwritten although they were modified.
    pub(super) accepts: &'a [ComponentName],
}

impl Asked<'_> {
    /// What somebody changed. Components that are not original are marked in the inventory.
    pub(super) async fn answer(
        &self,
        runner: &Runner,
        job: &Job,
        site: &Site,
        inventory: &mut Inventory,
    ) -> Result<Option<Found>, WorkError> {
        let mut found = match self.found {
            Some(found) => Some(found.clone()),
            None => match self.source {
                Some(source) => find(runner, job, source, inventory).await?,
                None => find(runner, job, &snapshot_source(job, site).await?, inventory).await?,
            },
        };
        let accepts = |id: &ComponentId| self.accepts.iter().any(|name| name.names(id));
        let modified = found.as_ref().map(|found| found.modified.clone()).unwrap_or_default();
        drift::mark(inventory, &modified, accepts);
        if let Some(found) = &mut found {
            // From here on it is as it is.
            found.modified.retain(|id, _| !accepts(id));
        }
        Ok(found)
    }
}

/// Looks at a site and says what somebody changed since its last run; none where there was none. Changes nothing.
pub async fn drift(runner: &Runner, job: &Job) -> Result<Option<Found>, WorkError> {
    let site = open_site(runner, job, Expect::Whole, None).await?;
    let found = async {
        let inventory = inventory::take(&site).await?;
        find(runner, job, &snapshot_source(job, &site).await?, &inventory).await
    };
    let found = found.await;
    close_site(&site).await;
    found
}

/// What somebody changed since the last run. What can't be compared is said there, and is no error: the host may answer
/// again before the plan's own rules say what that means.
async fn find(runner: &Runner, job: &Job, source: &Source, now: &Inventory) -> Result<Option<Found>, WorkError> {
    let reference = match reference(runner, &job.plan.site).await? {
        Known::Nothing => return Ok(None),
        Known::Lost(why) => return Ok(Some(Found { unknown: vec![why], ..Found::default() })),
        Known::At(reference) => reference,
    };
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let present = match snapshot::look(source, &runner.store, &reference.manifest, &progress).await {
        Ok(present) => present,
        Err(error) => {
            let why = format!("the site can't be compared with snapshot {}: {}", reference.snapshot, in_words(&error));
            return Ok(Some(Found { unknown: vec![why], ..Found::default() }));
        }
    };
    let mut ignore: Vec<String> = job.plan.drift.ignore.iter().map(|pattern| pattern.as_str().to_owned()).collect();
    ignore.extend(reference.manifest.header.exclude.iter().chain(&source.exclude).cloned());
    let files = job.playbook.files.on(&now.places);
    let rules = Rules { files: &files, ignore: &ignore };
    let then = reference.state();
    let now = State { manifest: &present.manifest, inventory: Some(now), versions: None };
    let Compared { mut drifts, unknown, parts } = drift::compare(then, now, rules);
    // Where a plan relies on a part that could not be compared, that keeps a run from beginning as well, until somebody accepts it.
    drifts.extend(parts.into_iter().filter(|part| job.plan.drift.breaking.contains(part)).map(drift::not_compared));
    let modified = drift::originals(then, now, &drifts, &reference.modified, rules);
    let accepted = accepted(runner, &job.plan.site, &reference.snapshot, &drifts).await?;
    let count = drifts.len() as u64;
    // What matters most stays: what nobody accepted, in the order of the parts.
    // ... and before all others what keeps a run from beginning.
    let breaking = &job.plan.drift.breaking;
    drifts.sort_by_key(|drift| (accepted.contains_key(&drift.mark), !breaking.contains(&drift.part)));
    drifts.truncate(MAX_DRIFTS);
    Ok(Some(Found {
        reference: Some(reference.snapshot.to_string()),
        since: Some(reference.manifest.header.taken),
        drifts,
        count,
        accepted,
        modified,
        unknown,
    }))
}

/// Takes note of what somebody changed: just that keeps no run from beginning any more. Returns what was found.
pub async fn accept_drift(runner: &Runner, job: &Job, why: Option<&str>) -> Result<Option<Found>, WorkError> {
    let Some(mut found) = drift(runner, job).await? else { return Ok(None) };
    let new = found.drifts.iter().map(|drift| drift.mark).filter(|mark| !found.accepted.contains_key(mark));
    let marks: Vec<Digest> = new.collect();
    let Some(reference) = found.reference.clone().filter(|_| !marks.is_empty()) else { return Ok(Some(found)) };
    let (at, site) = (runner.clock.now(), job.plan.site.clone());
    let why = why.map(|why| clean_line(why, MAX_REASON));
    let decision = Decision::DriftAccepted { site, reference, marks: marks.clone(), why };
    runner.journal.decide(at, &runner.by, &decision).await?;
    found.accepted.extend(marks.into_iter().map(|mark| (mark, Acceptance { by: runner.by.clone(), at })));
    Ok(Some(found))
}

/// Who accepted which of these drifts.
async fn accepted(
    runner: &Runner,
    wanted: &SiteName,
    compared: &SnapshotName,
    drifts: &[drift::Drift],
) -> Result<BTreeMap<Digest, Acceptance>, WorkError> {
    let mut found = BTreeMap::new();
    for entry in runner.journal.ledger().await?.entries() {
        let Decision::DriftAccepted { site, reference, marks, .. } = &entry.decision else { continue };
        if site == wanted && reference == compared.as_str() {
            let acceptance = Acceptance { by: entry.by.clone(), at: entry.at };
            found.extend(marks.iter().map(|mark| (*mark, acceptance.clone())));
        }
    }
    found.retain(|mark, _| drifts.iter().any(|drift| drift.mark == *mark));
    Ok(found)
}

/// How a site was left.
struct Reference {
    snapshot: SnapshotName,
    manifest: Manifest,
    inventory: Option<Inventory>,
    versions: Option<BTreeMap<ComponentId, Version>>,
    /// Components that were not original then.
    modified: Originals,
}

impl Reference {
    fn state(&self) -> State<'_> {
        State { manifest: &self.manifest, inventory: self.inventory.as_ref(), versions: self.versions.as_ref() }
    }
}

/// What is known of how a site was left.
enum Known {
    /// There was no run.
    Nothing,
    /// There was, but its snapshot can't be read, or it is not over; why.
    Lost(String),
    At(Box<Reference>),
}

/// A run that is over, as its journal tells it.
struct Past {
    state: RunState,
    entries: Vec<Entry>,
}

/// Where a run left the site.
struct Left {
    snapshot: String,
    /// If it only put a part back: the rest, and what that part is.
    rest: Option<(String, Vec<Only>)>,
}

fn taken(attempt: &AttemptState, moment: SnapshotMoment) -> Option<Left> {
    attempt.snapshot(moment).map(|taken| Left { snapshot: taken.name.clone(), rest: None })
}

impl Past {
    async fn read(runner: &Runner, run: &RunSummary) -> Result<Option<Self>, WorkError> {
        let entries = runner.journal.entries(run.run).await?;
        Ok(RunState::fold(&entries).ok().map(|state| Self { state, entries }))
    }

    /// The snapshot of the state in which it left the site; none if it did not change it and took no look.
    fn left(&self) -> Option<Left> {
        match self.state.closed.as_ref()?.0 {
            Outcome::Refused => None,
            Outcome::Completed | Outcome::CompletedWithHolds => {
                // What failed before it touched anything left the site as the attempt before it did.
                let done = |attempt: &&AttemptState| attempt.kept() || attempt.undone() || attempt.healed.is_some();
                let attempt = self.state.attempts.iter().rev().find(done).or(self.state.attempt())?;
                let after = Action::Snapshot { moment: SnapshotMoment::After };
                let none_after = attempt.planned.procedure.steps.iter().all(|step| step.action != after);
                match attempt.kept() && !none_after {
                    true => taken(attempt, SnapshotMoment::After),
                    // One that was undone, or had nothing to do, left the site as it found it.
                    false => taken(attempt, SnapshotMoment::Before),
                }
            }
            Outcome::Restored => self.restored(),
            // A person had to put it in order; how it was before is the last that is known.
            Outcome::Stuck => taken(self.state.attempt()?, SnapshotMoment::Before),
        }
    }

    fn restored(&self) -> Option<Left> {
        let mut target = None;
        let mut left = None;
        for entry in &self.entries {
            match &entry.event {
                Event::RestoreBegun { snapshot, .. } => target = Some(snapshot.clone()),
                Event::RestoreDone { overwritten, .. } => {
                    let limits = match self.state.opened.as_ref().map(|opened| &opened.purpose) {
                        Some(Purpose::Restore { only: texts, .. }) => only(texts).ok()?,
                        _ => Vec::new(),
                    };
                    let rest = (!limits.is_empty()).then(|| (overwritten.clone(), limits));
                    left = target.take().map(|snapshot| Left { snapshot, rest });
                }
                _ => {}
            }
        }
        left
    }

    /// What the site said of itself when this snapshot was taken, and the versions that were read after that.
    fn described(&self, snapshot: &str) -> Option<(Inventory, Option<BTreeMap<ComponentId, Version>>)> {
        let of_it = |attempt: &AttemptState, moment| attempt.snapshot(moment).is_some_and(|one| one.name == snapshot);
        let moments = [SnapshotMoment::Before, SnapshotMoment::After];
        let mut attempts = self.state.attempts.iter().rev();
        let attempt = attempts.find(|attempt| moments.iter().any(|moment| of_it(attempt, *moment)))?;
        let inventory = attempt.planned.inventory.clone()?;
        let is = |moment| of_it(attempt, moment);
        if is(SnapshotMoment::After) {
            let versions = self.entries.iter().find_map(|entry| match &entry.event {
                Event::Closed { versions, .. } => Some(versions.clone()),
                _ => None,
            });
            return Some((inventory, versions));
        }
        is(SnapshotMoment::Before).then_some((inventory, None))
    }
}

/// How the site was left by the last run that left it in a known state.
async fn reference(runner: &Runner, site: &SiteName) -> Result<Known, WorkError> {
    let mut left: Option<Left> = None;
    let mut described = None;
    let mut modified: Option<Originals> = None;
    let assessed = assessed(runner, site).await?;
    for run in runner.journal.runs(Some(site), false, MOST_RUNS).await? {
        if matches!(run.outcome, None | Some(Outcome::Refused)) {
            continue;
        }
        let assessed_since = assessed.as_ref().is_some_and(|one| one.at > run.opened);
        let Some(past) = Past::read(runner, &run).await? else { continue };
        if left.is_none() && !assessed_since {
            left = past.left();
        }
        let planned = past.state.attempt().map(|attempt| &attempt.planned);
        if let Some(planned) = planned.filter(|planned| planned.inventory.is_some() && modified.is_none()) {
            modified = Some(planned.drift.as_ref().map(|found| found.modified.clone()).unwrap_or_default());
        }
        if let Some(left) = &left {
            described = past.described(left.rest.as_ref().map_or(&left.snapshot, |(rest, _)| rest));
        }
        if described.is_some() || assessed_since && modified.is_some() {
            break;
        }
    }
    // A site that was assessed since is as it was then.
    if let Some(one) = assessed.filter(|_| left.is_none()) {
        left = Some(Left { snapshot: one.snapshot, rest: None });
        described = Some((one.inventory, None));
    }
    let Some(left) = left else { return Ok(Known::Nothing) };
    let loaded = load(&runner.store, site, &left).await;
    let (snapshot, manifest) = match loaded {
        Ok(loaded) => loaded,
        Err(why) => return Ok(Known::Lost(why)),
    };
    let (inventory, versions) = described.unzip();
    let versions = versions.flatten();
    Ok(Known::At(Box::new(Reference {
        snapshot,
        manifest,
        inventory,
        versions,
        modified: modified.unwrap_or_default(),
    })))
}

/// The last assessment of a site.
async fn assessed(runner: &Runner, site: &SiteName) -> Result<Option<Assessment>, WorkError> {
    Ok(runner.journal.assessments(site, 1).await?.pop())
}

/// The manifest of the state in which a run left the site; or why it can't be had.
async fn load(store: &Arc<Store>, site: &SiteName, left: &Left) -> Result<(SnapshotName, Manifest), String> {
    let one = |name: &str| {
        let (store, site, name) = (store.clone(), site.clone(), name.to_owned());
        async move {
            let lost = |why: String| format!("snapshot {name}, of the end of the last run, can't be read: {why}");
            let parsed: SnapshotName = name.parse().map_err(|error: snapshot::ItemError| lost(error.to_string()))?;
            let wanted = parsed.clone();
            let loading = tokio::task::spawn_blocking(move || store.load(&site, &wanted)).await;
            let manifest = loading.map_err(|error| lost(error.to_string()))?.map_err(|error| lost(in_words(&error)))?;
            Ok::<_, String>((parsed, manifest))
        }
    };
    let (snapshot, manifest) = one(&left.snapshot).await?;
    let Some((rest, limits)) = &left.rest else { return Ok((snapshot, manifest)) };
    let (_, rest) = one(rest).await?;
    let chosen = |item: &Item| {
        limits.iter().any(|only| match (only, item) {
            (Only::Path(root), Item::Path(path)) => path.is_within(root),
            (Only::Object(wanted), Item::Object(object)) => wanted == object,
            _ => false,
        })
    };
    Ok((snapshot, rest.with(&manifest, chosen)))
}

#[cfg(test)]
mod tests;
