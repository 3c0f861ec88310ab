//! What a run would do, without doing it.

use super::source::{close_site, open_site, playbook_digest};
use super::{Job, Runner, WorkError};
use crate::inventory::{self, Inventory};
use crate::model::{ComponentId, Digest, Kind, human_bytes};
use crate::procedure::{self, Procedure};
use crate::site::{Expect, Site};
use crate::update::{self, Inputs, Moment, Refusal};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// What a run would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// What was seen.
    pub inventory: Inventory,
    /// The procedure.
    pub procedure: Procedure,
    /// Its digest; the run has the same one.
    pub digest: Digest,
    /// Why a run would not begin now.
    pub refusals: Vec<Refusal>,
}

/// The least room for a run, and for one that replaces the core, in bytes.
const LEAST_ROOM: u64 = 64 << 20;
const LEAST_ROOM_CORE: u64 = 256 << 20;

/// Looks at a site and says what a run would do. Changes nothing there.
pub async fn preview(runner: &Runner, job: &Job) -> Result<Preview, WorkError> {
    let site = open_site(runner, job, Expect::Whole, None).await?;
    let preview = look(runner, job, &site, &BTreeMap::new()).await;
    close_site(&site).await;
    preview
}

/// The same for a site that is open.
pub(super) async fn look(
    runner: &Runner,
    job: &Job,
    site: &Site,
    failed: &BTreeMap<ComponentId, String>,
) -> Result<Preview, WorkError> {
    let inventory = inventory::take(site).await?;
    let now = runner.clock.now();
    let zone = job.plan.windows.first().map_or(TimeZone::UTC, |window| window.zone.time_zone());
    let updatable: BTreeSet<Kind> = job.playbook.operations.update.keys().cloned().collect();
    let graph = update::decide(&Inputs {
        plan: &job.plan,
        versions: &job.playbook.versions,
        updatable: &updatable,
        inventory: &inventory,
        today: now.to_zoned(zone).date(),
        failed,
    });
    let digest = playbook_digest(&job.playbook, &job.scripts);
    let procedure = procedure::build(&job.plan, &job.playbook, digest, &inventory, &graph)?;
    let mut refusals = update::refusals(&job.plan, &inventory, Moment { now, any_time: job.any_time });
    refusals.extend(room(site, &procedure));
    refusals.extend(unreadable(runner));
    Ok(Preview { digest: procedure.digest(), inventory, procedure, refusals })
}

/// A run has to be able to put the site back: not with snapshots that it can't read.
pub(super) fn unreadable(runner: &Runner) -> Option<Refusal> {
    runner.store.readable().err().map(|error| Refusal::Failed { why: super::in_words(&error) })
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
