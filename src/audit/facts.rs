//! What an audit knows: plans, what the journal says of each site, what the snapshot store holds, what is public.
//!
//! May use: `model`, `ledger`, `plan`, `vulnerability`, `inventory`, `drift`, `intake`, `update`, `journal`. Invariants:
//! values only; what was not looked at is none, never an empty list.

use super::EndOfLife;
use crate::drift;
use crate::intake::{Assessment, Verdict};
use crate::inventory::{Extension, Inventory};
use crate::journal::{AttemptState, Entry, Event, Purpose, Rehearsal, RunState, RunSummary, StepResult};
use crate::ledger::{Anomaly, Notice};
use crate::model::{ComponentId, Digest, Hold, Outcome, RunId, SiteName, Version};
use crate::plan::{FleetRules, Plan};
use crate::update::Closed;
use crate::vulnerability::Known;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All that an audit knows.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The moment of which it tells.
    pub now: Timestamp,
    /// The provider's choices.
    pub rules: FleetRules,
    /// The plans.
    pub plans: BTreeMap<SiteName, Arc<Plan>>,
    /// Files of plans that can't be read.
    pub unreadable: Vec<Unreadable>,
    /// What is known of each site, with a plan or without.
    pub sites: BTreeMap<SiteName, SiteFacts>,
    /// What waits, or waited, for an answer of a person.
    pub notices: Vec<Notice>,
    /// What clients said is wrong.
    pub anomalies: Vec<Anomaly>,
    /// The last days of release trains.
    pub end_of_life: EndOfLife,
    /// What could not be looked at, and why.
    pub unknown: Vec<String>,
}

/// A file of a plan that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its name.
    pub file: String,
    /// What is wrong with it, in one line.
    pub why: String,
}

impl Unreadable {
    /// Whether it is the plan of this site, by its name.
    pub fn names(&self, site: &SiteName) -> bool {
        self.file.rsplit_once('.').is_some_and(|(stem, _)| stem == site.as_str())
    }
}

/// What is known of one site.
#[derive(Debug, Clone, Default)]
pub struct SiteFacts {
    /// Its runs, newest first.
    pub runs: Vec<Ran>,
    /// The last look at it, and what came of that.
    pub look: Option<Look>,
    /// The last restore that a person asked for, where no run has looked since.
    pub put_back: Option<PutBack>,
    /// Its snapshots, oldest first; none where the store was not read.
    pub backups: Option<Vec<Backup>>,
    /// The names of those that are known to be whole: each byte was read back.
    pub verified: BTreeSet<String>,
    /// Rehearsals of its restores, newest first.
    pub rehearsals: Vec<Rehearsal>,
    /// What its intakes came to, by their ids; only where the plan names one.
    pub intakes: BTreeMap<String, Verdict>,
    /// What is public of what it has; none where nobody was asked.
    pub vulnerabilities: Option<Known>,
    /// Drift that somebody took note of: the snapshot with which it was compared, and its mark.
    pub accepted: BTreeSet<(String, Digest)>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Which.
    pub run: RunId,
    /// When it was opened.
    pub opened: Timestamp,
    /// How it ended; none while it is open.
    pub outcome: Option<Outcome>,
    /// What it was for; none where its entries were not read.
    pub job: Option<Job>,
    /// Why it could not begin.
    pub refused: Vec<String>,
}

/// What a restore that a person asked for left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBack {
    /// When its last entry was written.
    pub at: Timestamp,
    /// The versions that were read back then; none where nobody read them, so that nobody knows what it undid.
    pub versions: Option<BTreeMap<ComponentId, Version>>,
}

/// What a run was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// The main job.
    Update,
    /// A restore that a person asked for.
    Restore,
}

/// A snapshot in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its name.
    pub name: String,
    /// When it was taken.
    pub taken: Timestamp,
}

/// The last look at a site: what is there now, as far as we know.
#[derive(Debug, Clone)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// What is there, with the versions as they were when the run was over.
    pub inventory: Inventory,
    /// What waits.
    pub holds: Vec<Hold>,
    /// What was applied then.
    pub applied: Vec<Applied>,
    /// What somebody else had changed.
    pub drift: Option<drift::Found>,
    /// When a run looked: what waits, what was applied and what somebody else changed is of then. None where only an
    /// intake did.
    pub run: Option<Timestamp>,
}

/// A security update that a run applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Of what.
    pub component: ComponentId,
    /// When the run was over.
    pub at: Timestamp,
    /// When the update was published, where that is known.
    pub published: Option<Timestamp>,
    /// What it closed.
    pub closes: Vec<Closed>,
}

impl Facts {
    /// Every site that has a plan or is known, in order.
    pub fn names(&self) -> Vec<&SiteName> {
        self.plans.keys().chain(self.sites.keys()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What is known of a site.
    pub fn of(&self, site: &SiteName) -> &SiteFacts {
        static NOTHING: SiteFacts = SiteFacts::nothing();
        self.sites.get(site).unwrap_or(&NOTHING)
    }

    /// The day of the fleet.
    pub fn today(&self) -> Date {
        self.now.to_zoned(jiff::tz::TimeZone::UTC).date()
    }
}

impl SiteFacts {
    const fn nothing() -> Self {
        Self {
            runs: Vec::new(),
            look: None,
            put_back: None,
            backups: None,
            verified: BTreeSet::new(),
            rehearsals: Vec::new(),
            intakes: BTreeMap::new(),
            vulnerabilities: None,
            accepted: BTreeSet::new(),
        }
    }

    /// Whether anybody ever looked at the site.
    pub fn was_seen(&self) -> bool {
        !self.runs.is_empty() || self.look.is_some()
    }

    /// The restore since which nobody knows what is installed: it read no versions, and nobody looked after it.
    pub fn lost(&self) -> Option<Timestamp> {
        let lost = self.put_back.as_ref().filter(|one| self.look.is_none() && one.versions.is_none());
        lost.map(|one| one.at)
    }

    /// Takes up what the entries of one of its runs say, when its backups are known. Those of newer runs come first;
    /// returns whether older ones could still say something.
    pub fn read(&mut self, run: RunId, entries: &[Entry]) -> bool {
        let Ok(state) = RunState::fold(entries) else { return true };
        if let Some(ran) = self.runs.iter_mut().find(|ran| ran.run == run) {
            ran.job = state.opened.as_ref().map(|opened| Job::of(&opened.purpose));
            ran.refused = state.refused.iter().map(ToString::to_string).collect();
        }
        self.verified.extend(entries.iter().filter_map(verified));
        if self.look.is_none() && self.put_back.is_none() {
            self.put_back = PutBack::of(&state, entries);
        }
        if self.look.is_none() && self.lost().is_none() {
            self.look = Look::of(&state, entries);
            if let (Some(look), Some(versions)) = (&mut self.look, self.put_back.as_ref().and_then(PutBack::versions)) {
                overlay_all(&mut look.inventory, versions);
            }
        }
        let is_whole = |one: &Backup| self.verified.contains(&one.name);
        let unproven = self.backups.as_deref().is_some_and(|all| !all.is_empty() && !all.iter().any(is_whole));
        let worked = self.runs.iter().any(|ran| ran.job == Some(Job::Update) && ran.worked());
        (self.look.is_none() && self.lost().is_none()) || !worked || unproven
    }

    /// Takes up what the site's intakes came to.
    pub fn assessed(&mut self, assessments: &[Assessment]) {
        self.intakes.extend(assessments.iter().map(|one| (one.id.to_string(), one.verdict)));
        let newer = |one: &&Assessment| self.look.as_ref().is_none_or(|look| one.at > look.at);
        let Some(one) = assessments.first().filter(newer) else { return };
        let mut inventory = one.inventory.clone();
        if let Some(put_back) = self.put_back.as_ref().filter(|put_back| put_back.at > one.at) {
            let Some(versions) = put_back.versions() else { return };
            overlay_all(&mut inventory, versions);
        }
        self.look = Some(match self.look.take() {
            // An intake does not decide what waits, nor compare the site with what a run left.
            Some(look) => Look { at: one.at, inventory, ..look },
            None => Look { at: one.at, inventory, holds: Vec::new(), applied: Vec::new(), drift: None, run: None },
        });
    }
}

/// The snapshot that an entry says was taken and read back.
fn verified(entry: &Entry) -> Option<String> {
    match &entry.event {
        Event::StepDone { result, .. } => match result.as_ref() {
            StepResult::Snapshot { snapshot } => Some(snapshot.name.clone()),
            _ => None,
        },
        _ => None,
    }
}

impl PutBack {
    /// None where the run was no such restore, or overwrote nothing.
    fn of(state: &RunState, entries: &[Entry]) -> Option<Self> {
        let asked = state.opened.as_ref().is_some_and(|opened| Job::of(&opened.purpose) == Job::Restore);
        let mut unwound = state.attempts.iter().filter_map(|attempt| attempt.unwind.as_ref());
        let restored = state.closed.as_ref().is_some_and(|(outcome, _)| *outcome == Outcome::Restored);
        let began = restored || unwound.any(|unwind| unwind.restored || !unwind.overwritten.is_empty());
        let versions = closed_versions(entries).filter(|versions| !versions.is_empty()).cloned();
        (asked && began).then_some(Self { at: state.at, versions })
    }

    fn versions(&self) -> Option<&BTreeMap<ComponentId, Version>> {
        self.versions.as_ref()
    }
}

/// The versions that were read when the run was over.
fn closed_versions(entries: &[Entry]) -> Option<&BTreeMap<ComponentId, Version>> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Closed { versions, .. } => Some(versions),
        _ => None,
    })
}

impl Job {
    fn of(purpose: &Purpose) -> Self {
        match purpose {
            Purpose::Update => Self::Update,
            Purpose::Restore { .. } => Self::Restore,
        }
    }
}

impl Ran {
    /// A run of which no entry was read.
    pub fn new(summary: &RunSummary) -> Self {
        let (run, opened, outcome) = (summary.run, summary.opened, summary.outcome);
        Self { run, opened, outcome, job: None, refused: Vec::new() }
    }

    /// Whether the site was worked on by its plan: a run that began, and that nobody asked for to put it back.
    pub fn worked(&self) -> bool {
        self.job != Some(Job::Restore) && self.outcome != Some(Outcome::Refused)
    }
}

impl Look {
    /// What a run saw and left; none where it did not come to look.
    fn of(state: &RunState, entries: &[Entry]) -> Option<Self> {
        let attempt = state.attempts.iter().rev().find(|attempt| attempt.planned.inventory.is_some())?;
        // Later attempts plan on top of what earlier ones did; the first one saw what others had changed.
        let drift = state.attempts.iter().find_map(|attempt| attempt.planned.drift.as_deref().cloned());
        let mut inventory = attempt.planned.inventory.clone()?;
        let done = matches!(state.closed, Some((Outcome::Completed | Outcome::CompletedWithHolds, _)));
        let kept: Vec<&AttemptState> = state.attempts.iter().filter(|attempt| done && attempt.kept()).collect();
        let updates = kept.iter().flat_map(|attempt| &attempt.planned.procedure.updates);
        for update in updates.clone() {
            overlay(&mut inventory, &update.component, &update.to);
        }
        if let Some(versions) = closed_versions(entries) {
            overlay_all(&mut inventory, versions);
        }
        let applied = updates.filter(|update| !update.fixes.is_empty()).map(|update| Applied {
            component: update.component.clone(),
            at: state.at,
            published: kept.iter().find_map(|attempt| published(attempt, &update.component, &update.to)),
            closes: update.fixes.clone(),
        });
        let holds = attempt.planned.procedure.holds.clone();
        let (at, applied) = (attempt.planned_at, applied.collect());
        Some(Self { at, applied, inventory, holds, drift, run: Some(at) })
    }
}

/// When what was applied had been published.
fn published(attempt: &AttemptState, component: &ComponentId, to: &Version) -> Option<Timestamp> {
    offered(attempt.planned.inventory.as_ref()?, component, to)
}

/// When an offer was published.
pub(super) fn offered(inventory: &Inventory, component: &ComponentId, to: &Version) -> Option<Timestamp> {
    let core = inventory.core.offers.iter().filter(|_| component.kind.is_core());
    let mut offers = core.chain(inventory.extension(component).and_then(|extension| extension.offer.as_ref()));
    offers.find(|offer| offer.version == *to)?.published
}

/// The inventory with all that was read.
fn overlay_all(inventory: &mut Inventory, versions: &BTreeMap<ComponentId, Version>) {
    for (component, version) in versions {
        overlay(inventory, component, version);
    }
}

/// The inventory with what is installed now.
fn overlay(inventory: &mut Inventory, component: &ComponentId, version: &Version) {
    if component.kind.is_core() {
        inventory.core.version = version.clone();
        return;
    }
    let found = inventory.extensions.binary_search_by(|one: &Extension| one.id.cmp(component));
    if let Some(extension) = found.ok().and_then(|place| inventory.extensions.get_mut(place)) {
        extension.version = Some(version.clone());
    }
}
