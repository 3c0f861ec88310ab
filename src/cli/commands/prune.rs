//! `intendant snapshot prune`.

use crate::cli::arguments::{Common, Prune};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::journal::{Event, Purpose, StepResult};
use crate::model::{Outcome, SiteName, human_bytes};
use crate::run::{Job, Runner};
use crate::snapshot::{self, NoProgress, Pruned, Reason, SnapshotName, SnapshotSummary};
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::BTreeSet;

/// The most runs of a site that are looked at.
const MOST_RUNS: u32 = 1_000_000;

/// A snapshot, and why it is kept; no reason: it goes.
struct Judged {
    snapshot: SnapshotSummary,
    reasons: BTreeSet<Reason>,
}

impl Judged {
    fn verdict(&self) -> String {
        match self.reasons.is_empty() {
            true => "goes: no rule of the plan keeps it".to_owned(),
            false => {
                let reasons: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
                format!("kept: {}", reasons.join(", "))
            }
        }
    }
}

pub(in crate::cli) async fn prune(
    common: &Common,
    fleet: &Fleet,
    runner: &Runner,
    options: &Prune,
) -> Result<ExitCode, Failure> {
    let mut judged = Vec::new();
    for job in fleet.jobs(&options.sites)? {
        judged.extend(judge(runner, &job).await?);
    }
    let going = judged.iter().filter(|one| one.reasons.is_empty());
    let going = going.map(|one| (one.snapshot.site.clone(), one.snapshot.name.clone())).collect();
    let pruned =
        snapshot::prune(&runner.store, going, options.dry_run, &(std::sync::Arc::new(NoProgress) as _)).await?;
    tell(common, options.dry_run, &judged, &pruned);
    Ok(if pruned.left.is_empty() { ExitCode::OK } else { ExitCode::SHORT })
}

async fn judge(runner: &Runner, job: &Job) -> Result<Vec<Judged>, Failure> {
    let site = &job.plan.site;
    // Before the journal: a snapshot that is in this list belongs to a run that is in that one.
    let all = runner.store.list(site)?;
    let zone = job.plan.windows.first().map_or(TimeZone::UTC, |window| window.zone.time_zone());
    let taken: Vec<_> = all.iter().map(|one| one.taken).collect();
    let reasons = snapshot::retain(&taken, &job.plan.snapshots.keep, &zone, runner.clock.now());
    let mut judged: Vec<Judged> =
        all.into_iter().zip(reasons).map(|(snapshot, reasons)| Judged { snapshot, reasons }).collect();
    let needed = needed_by_runs(runner, site).await?;
    for one in &mut judged {
        let recent = needed.since.is_some_and(|since| one.snapshot.taken >= since);
        if recent || needed.names.contains(one.snapshot.name.as_str()) {
            one.reasons.insert(Reason::Run);
        }
    }
    Ok(judged)
}

/// What runs need that are open, or that ended otherwise than planned.
#[derive(Default)]
struct Needed {
    names: BTreeSet<String>,
    /// All since then: an open run may not have written down yet what it took.
    since: Option<jiff::Timestamp>,
}

async fn needed_by_runs(runner: &Runner, site: &SiteName) -> Result<Needed, Failure> {
    let mut needed = Needed::default();
    for run in runner.journal.runs(Some(site), false, MOST_RUNS).await? {
        match run.outcome {
            Some(Outcome::Restored | Outcome::Stuck) => {}
            Some(_) => continue,
            // A snapshot's name has milliseconds only.
            None => {
                needed.since = Some(
                    needed.since.map_or(run.opened, |since| since.min(run.opened)) - jiff::SignedDuration::from_secs(1),
                )
            }
        }
        for entry in runner.journal.entries(run.run).await? {
            match entry.event {
                Event::Opened(opened) => {
                    if let Purpose::Restore { snapshot, .. } = opened.purpose {
                        needed.names.insert(snapshot);
                    }
                }
                Event::StepDone { result, .. } => {
                    if let StepResult::Snapshot { snapshot } = *result {
                        needed.names.insert(snapshot.name);
                    }
                }
                Event::Healed { overwritten, .. } => needed.names.extend(overwritten),
                Event::RestoreBegun { snapshot, .. } => {
                    needed.names.insert(snapshot);
                }
                Event::RestorePrepared { overwrites: overwritten, .. } | Event::RestoreDone { overwritten, .. } => {
                    needed.names.insert(overwritten);
                }
                _ => {}
            }
        }
    }
    Ok(needed)
}

fn tell(common: &Common, dry_run: bool, judged: &[Judged], pruned: &Pruned) {
    if common.json {
        let rows = judged.iter().map(|one| {
            let reasons: Vec<String> = one.reasons.iter().map(ToString::to_string).collect();
            let name: &SnapshotName = &one.snapshot.name;
            json!({
                "site": one.snapshot.site, "snapshot": name.as_str(), "taken": one.snapshot.taken,
                "kept": !reasons.is_empty(), "reasons": reasons,
            })
        });
        show::json(&json!({
            "dry-run": dry_run, "snapshots": rows.collect::<Vec<_>>(), "dropped": pruned.snapshots,
            "packs-removed": pruned.packs_removed, "packs-repacked": pruned.packs_repacked,
            "bytes-freed": pruned.bytes_freed, "left": pruned.left,
        }));
        return;
    }
    let shown = judged.iter().filter(|one| dry_run || one.reasons.is_empty());
    let rows: Vec<_> =
        shown.map(|one| [one.snapshot.site.to_string(), one.snapshot.name.to_string(), one.verdict()]).collect();
    if !rows.is_empty() {
        show::line(show::table(["site", "snapshot", "verdict"], rows));
    }
    pruned.left.iter().for_each(|left| show::line(format!("left: {left}")));
    let (would, about) = if dry_run { ("would be ", "about ") } else { ("", "") };
    show::line(format!(
        "{} snapshots {would}dropped, {} packs {would}removed ({} of them packed again): {about}{} freed",
        pruned.snapshots,
        pruned.packs_removed,
        pruned.packs_repacked,
        human_bytes(pruned.bytes_freed)
    ));
}
