//! What a run would do, without doing it.

use super::drift::Asked;
use super::licence::unreadable_keys;
use super::notices::{Pending, pending};
use super::search::Search;
use super::source::{close_site, keeps_rows, open_site, playbook_digest, protected};
use super::{Job, Runner, WorkError};
use crate::check::Depth;
use crate::drift::Found;
use crate::inventory::{self, Inventory, Offer};
use crate::model::{ComponentId, Digest, HoldReason, Kind, Version, VersionScheme, clean_line, human_bytes};
use crate::plan::FleetRules;
use crate::procedure::{self, Procedure, ProcedureError};
use crate::site::{Expect, Site};
use crate::update::{self, Closed, Fix, Inputs, Known, Lane, Moment, Refusal};
use crate::vulnerability::{self, Match};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What a run would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// What was seen.
    pub inventory: Inventory,
    /// What somebody else changed since the last run; none where there was none.
    pub drift: Option<Found>,
    /// The procedure.
    pub procedure: Procedure,
    /// Its digest; the run has the same one.
    pub digest: Digest,
    /// Why a run would not begin now.
    pub refusals: Vec<Refusal>,
    /// What waits for a person.
    pub pending: Vec<Pending>,
    /// Tables whose new rows outlast an undo, as patterns; none where the database's engine has no such thing.
    pub protected: Vec<String>,
    /// What is publicly known of what is installed; none where nobody was asked.
    pub vulnerabilities: Option<vulnerability::Known>,
}

/// The least room for a run, and for one that replaces the core, in bytes.
const LEAST_ROOM: u64 = 64 << 20;
const LEAST_ROOM_CORE: u64 = 256 << 20;

/// Looks at a site and says what a run would do. Changes nothing there.
pub async fn preview(runner: &Runner, job: &Job) -> Result<Preview, WorkError> {
    let site = open_site(runner, job, Expect::Whole, None).await?;
    let asked = Asked { accepts: &job.accept_modified, ..Asked::default() };
    let mut preview = look(runner, job, &site, &Search::default(), asked).await;
    if let Ok(preview) = &mut preview
        && !keeps_rows(&site).await
    {
        preview.protected.clear();
    }
    close_site(&site).await;
    preview
}

/// The same for a site that is open.
pub(super) async fn look(
    runner: &Runner,
    job: &Job,
    site: &Site,
    search: &Search,
    asked: Asked<'_>,
) -> Result<Preview, WorkError> {
    let mut inventory = inventory::take(site).await?;
    let drift = asked.answer(runner, job, site, &mut inventory).await?;
    let now = runner.clock.now();
    let (known, vulnerabilities) = known(runner, job, &inventory, now).await?;
    let mut preview = decide(job, &runner.rules, &known, now, search, inventory)?;
    preview.refusals.extend(room(site, &preview.procedure));
    preview.refusals.extend(unreadable(runner));
    preview.refusals.extend(drift.as_ref().and_then(|found| drifted(job, found)));
    preview.drift = drift;
    preview.vulnerabilities = vulnerabilities;
    Ok(preview)
}

/// What is to be done with a site on which this was seen. Pure.
///
/// # Errors
/// A command of the playbook can't be made.
pub fn decide(
    job: &Job,
    rules: &FleetRules,
    known: &Known,
    now: Timestamp,
    search: &Search,
    inventory: Inventory,
) -> Result<Preview, ProcedureError> {
    let updatable: BTreeSet<Kind> = job.playbook.operations.update.keys().cloned().collect();
    let trial = search.trial();
    let ways = job.playbook.operations.activate.keys().map(|way| way.as_str().to_owned()).collect();
    let graph_of = |lane: Lane| {
        update::decide(&Inputs {
            plan: &job.plan,
            versions: &job.playbook.versions,
            updatable: &updatable,
            inventory: &inventory,
            now,
            failed: search.blamed(),
            known,
            pools: &rules.pools,
            ways: &ways,
            lane,
            trial: trial.as_ref(),
        })
    };
    let moment = Moment { now, any_time: job.any_time };
    let mut lane = update::lane(&job.plan, rules, moment);
    let mut graph = graph_of(lane.clone());
    if graph.groups.is_empty() && matches!(lane, Lane::Security(_)) {
        // Nothing is urgent, so the lane is no reason to begin. What the next window brings is of interest.
        if lane == Lane::Security(HoldReason::NextWindow) {
            graph = graph_of(Lane::All);
        }
        lane = Lane::All;
    }
    let digest = playbook_digest(&job.playbook, &job.scripts);
    let depth = if search.is_attentive() { Depth::Full } else { Depth::Quick };
    let procedure = procedure::build(&job.plan, &job.playbook, digest, &inventory, &graph, depth)?;
    let refusals = update::refusals(&job.plan, &inventory, rules, moment, &lane);
    let pending = pending(job, known, &procedure, now);
    Ok(Preview {
        digest: procedure.digest(),
        inventory,
        drift: None,
        procedure,
        refusals,
        pending,
        protected: protected(job),
        vulnerabilities: None,
    })
}

/// What is known besides the site and its plan, and what feeds told for that.
async fn known(
    runner: &Runner,
    job: &Job,
    inventory: &Inventory,
    now: Timestamp,
) -> Result<(Known, Option<vulnerability::Known>), WorkError> {
    let ledger = runner.journal.ledger().await?;
    let offers = offers(inventory);
    let undated = offers.iter().filter(|(_, offer)| offer.published.is_none());
    let undated: Vec<(ComponentId, Version)> = undated.map(|(id, offer)| (id.clone(), offer.version.clone())).collect();
    // Also for a plan without a delay: others may count on it.
    let of = (job.plan.cms.as_str(), &job.plan.site);
    let first_seen = runner.journal.first_seen(of, &undated, now).await?;
    let (uses, scheme) = (&job.playbook.vulnerabilities, job.playbook.versions.scheme);
    let told = runner.feeds.known(uses, scheme, &[inventory.subject()], now).await.pop();
    let matches: Vec<&Match> = told.iter().flat_map(|told| &told.matches).filter(|one| one.applies()).collect();
    let known = Known {
        notices: ledger.notices(runner.rules.notices_expire_after),
        immunities: ledger.immunities(),
        holds: ledger.site_holds(),
        fixes: offers.iter().filter_map(|(id, offer)| fix(scheme, &matches, id, &offer.version)).collect(),
        first_seen,
        refused_licences: ledger.entered_licences().into_iter().filter(|entered| !entered.taken).collect(),
        unreadable_keys: unreadable_keys(runner, job),
    };
    Ok((known, told))
}

/// Everything that is offered.
fn offers(inventory: &Inventory) -> Vec<(ComponentId, &Offer)> {
    let core = ComponentId::core();
    let core = core.iter().flat_map(|id| inventory.core.offers.iter().map(move |offer| (id.clone(), offer)));
    let extensions = inventory.extensions.iter();
    core.chain(extensions.filter_map(|one| Some((one.id.clone(), one.offer.as_ref()?)))).collect()
}

/// The most vulnerabilities that are named of one update.
const MOST_CLOSED: usize = 100;

/// What an offer closes, if it closes anything.
fn fix(scheme: VersionScheme, matches: &[&Match], id: &ComponentId, to: &Version) -> Option<Fix> {
    let mine = matches.iter().filter(|one| one.record.component == *id && one.is_fixed_by(scheme, to));
    let closed = |one: &&Match| Closed { name: clean_line(one.record.name(), 80), published: one.record.published };
    let closes: Vec<Closed> = mine.map(closed).take(MOST_CLOSED).collect();
    (!closes.is_empty()).then(|| Fix { component: id.clone(), version: to.clone(), closes })
}

/// A run has to be able to put the site back: not with snapshots that it can't read.
pub(super) fn unreadable(runner: &Runner) -> Option<Refusal> {
    runner.store.readable().err().map(|error| Refusal::Failed { why: super::in_words(&error) })
}

/// How many drifts a refusal names.
const MOST_NAMED: usize = 20;

/// The plan may say that nothing is done where somebody changed the site. What could not be compared may hide that.
fn drifted(job: &Job, found: &Found) -> Option<Refusal> {
    let parts = &job.plan.drift.breaking;
    if parts.is_empty() {
        return None;
    }
    if found.reference.is_none() {
        let why = found.unknown.first().cloned().unwrap_or_default();
        return Some(Refusal::Drift { drifts: Vec::new(), count: 0, unknown: Some(why) });
    }
    let drifts: Vec<String> = found.breaking(parts).map(ToString::to_string).collect();
    let count = drifts.len() as u64;
    let drifts = drifts.into_iter().take(MOST_NAMED).collect();
    (count > 0).then_some(Refusal::Drift { drifts, count, unknown: None })
}

/// Updates unpack beside what they replace; a disk that fills half-way is avoidable harm.
fn room(site: &Site, procedure: &Procedure) -> Option<Refusal> {
    let core = procedure.updates.iter().any(|update| update.component.kind.is_core());
    let least = if core { LEAST_ROOM_CORE } else { LEAST_ROOM };
    let free = site.host.free_bytes.filter(|free| procedure.changes_site() && *free < least)?;
    Some(Refusal::Failed {
        why: format!(
            "the host's disk is nearly full: {} free below {}, and the updates need up to {}; make room first",
            human_bytes(free),
            site.root(),
            human_bytes(least)
        ),
    })
}
