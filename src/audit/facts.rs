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

/// What is known of one site.
#[derive(Debug, Clone, Default)]
pub struct SiteFacts {
    /// Its runs, newest first.
    pub runs: Vec<Ran>,
    /// The last look at it, and what came of that.
    pub look: Option<Look>,
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

    /// Takes up what the entries of one of its runs say, when its backups are known. Those of newer runs come first;
    /// returns whether older ones could still say something.
    pub fn read(&mut self, run: RunId, entries: &[Entry]) -> bool {
        let Ok(state) = RunState::fold(entries) else { return true };
        if let Some(ran) = self.runs.iter_mut().find(|ran| ran.run == run) {
            ran.job = state.opened.as_ref().map(|opened| Job::of(&opened.purpose));
            ran.refused = state.refused.iter().map(ToString::to_string).collect();
        }
        self.verified.extend(entries.iter().filter_map(verified));
        if self.look.is_none() {
            self.look = Look::of(&state, entries);
        }
        let is_whole = |one: &Backup| self.verified.contains(&one.name);
        self.look.is_none() || self.backups.as_deref().is_some_and(|all| !all.is_empty() && !all.iter().any(is_whole))
    }

    /// Takes up what the site's intakes came to.
    pub fn assessed(&mut self, assessments: &[Assessment]) {
        self.intakes.extend(assessments.iter().map(|one| (one.id.to_string(), one.verdict)));
        let newer = |look: &Look| assessments.first().is_some_and(|one| one.at > look.at);
        if let Some(one) = assessments.first().filter(|_| self.look.as_ref().is_none_or(newer)) {
            let inventory = one.inventory.clone();
            self.look = Some(Look { at: one.at, inventory, holds: Vec::new(), applied: Vec::new(), drift: None });
        }
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
        let read = entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Closed { versions, .. } => Some(versions),
            _ => None,
        });
        for (component, version) in read.into_iter().flatten() {
            overlay(&mut inventory, component, version);
        }
        let applied = updates.filter(|update| !update.fixes.is_empty()).map(|update| Applied {
            component: update.component.clone(),
            at: state.at,
            published: kept.iter().find_map(|attempt| published(attempt, &update.component, &update.to)),
            closes: update.fixes.clone(),
        });
        let holds = attempt.planned.procedure.holds.clone();
        Some(Self { at: attempt.planned_at, applied: applied.collect(), inventory, holds, drift })
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
