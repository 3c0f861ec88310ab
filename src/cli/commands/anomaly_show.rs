//! `intendant anomaly show`: an anomaly beside the run that came before it.

use super::anomaly::{find, screenshots, zone};
use super::report::read_run;
use crate::anomaly::{Changed, Kept, Near, named, near};
use crate::cli::arguments::Common;
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show as say};
use crate::inventory::Inventory;
use crate::journal::{AttemptState, Journal, RunState};
use crate::ledger::{Anomaly, Remedy};
use crate::model::{ComponentId, RunId, SiteName, clean_line, human_bytes, in_words};
use crate::procedure::SnapshotMoment;
use crate::report::{CheckLine, Report, UpdateLine};
use crate::snapshot::{self, SnapshotName};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

/// How many runs are looked through for one that looked at its site.
const MOST_RUNS: u32 = 50;
/// How many characters of a line are shown.
const LINE_CHARS: usize = 200;

/// What is known of the run before an anomaly.
struct Before {
    report: Report,
    /// The extensions that the client's words name.
    named: Vec<ComponentId>,
    /// What changed near the page; else why that is not known.
    near: Result<Near, String>,
}

pub(super) async fn show(common: &Common, fleet: &Fleet, number: u64) -> Result<ExitCode, Failure> {
    let journal = fleet.journal().await?;
    let anomaly = find(&journal, number).await?;
    let before = match anomaly.run {
        Some(run) => Some(before(fleet, &journal, &anomaly, run).await?),
        None => None,
    };
    if common.json {
        say::json(&as_json(&anomaly, before.as_ref()));
        return Ok(ExitCode::OK);
    }
    let zone = zone(fleet, &journal, &anomaly.site).await.unwrap_or(TimeZone::UTC);
    let mut lines = told(fleet, &anomaly, &zone);
    match &before {
        Some(before) => lines.extend(of_run(before, &zone)),
        None => lines.push("no run had changed the site before".to_owned()),
    }
    lines.iter().for_each(say::line);
    Ok(ExitCode::OK)
}

/// The last inventory of a site that a run took.
pub(super) async fn last_inventory(journal: &dyn Journal, site: &SiteName) -> Result<Option<Inventory>, Failure> {
    for run in journal.runs(Some(site), false, MOST_RUNS).await? {
        let Ok(state) = RunState::fold(&journal.entries(run.run).await?) else { continue };
        let looked = state.attempts.into_iter().rev().find_map(|attempt| attempt.planned.inventory);
        if looked.is_some() {
            return Ok(looked);
        }
    }
    Ok(None)
}

async fn before(fleet: &Fleet, journal: &dyn Journal, anomaly: &Anomaly, run: RunId) -> Result<Before, Failure> {
    let report = read_run(journal, run).await?;
    let state = RunState::fold(&journal.entries(run).await?).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    let inventory = state.attempts.iter().find_map(|attempt| attempt.planned.inventory.as_ref());
    let Some(inventory) = inventory else {
        let why = "the run put a snapshot back and looked at nothing else".to_owned();
        return Ok(Before { report, named: Vec::new(), near: Err(why) });
    };
    let named = named(&anomaly.sighting, inventory);
    let near = changed(fleet, anomaly, &state, &named, inventory);
    Ok(Before { report, named, near })
}

/// What the run changed, by its snapshots. That they can't be read keeps nobody from the rest.
fn changed(
    fleet: &Fleet,
    anomaly: &Anomaly,
    state: &RunState,
    named: &[ComponentId],
    inventory: &Inventory,
) -> Result<Near, String> {
    let name = |moment, mut attempts: Box<dyn Iterator<Item = &AttemptState> + '_>| -> Option<SnapshotName> {
        attempts.find_map(|attempt| attempt.snapshot(moment))?.name.parse().ok()
    };
    let first = name(SnapshotMoment::Before, Box::new(state.attempts.iter()));
    let last = name(SnapshotMoment::After, Box::new(state.attempts.iter().rev()));
    let (Some(first), Some(last)) = (first, last) else {
        return Err("it did not come to a snapshot after its updates".into());
    };
    let job = fleet.job(anomaly.site.as_str()).map_err(|failure| failure.text)?;
    let store = fleet.any_store().map_err(|failure| failure.text)?;
    let load = |name: &SnapshotName| store.load(&anomaly.site, name).map_err(|error| in_words(&error));
    let diff = snapshot::diff(&load(&first)?, &load(&last)?).substance();
    Ok(near(&diff, &anomaly.sighting.url, named, inventory, &job.playbook.files))
}

fn as_json(anomaly: &Anomaly, before: Option<&Before>) -> serde_json::Value {
    let run = before.map(|before| {
        let report = &before.report;
        json!({
            "run": report.run, "began": report.began, "ended": report.ended, "outcome": report.outcome,
            "named": before.named, "updates": report.updates, "near": before.near.as_ref().ok(),
            "unknown": before.near.as_ref().err(), "holds": report.holds, "checks": report.checks,
        })
    });
    json!({ "anomaly": 1, "told": anomaly, "before": run })
}

fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// What the client told, and what was done.
fn told(fleet: &Fleet, anomaly: &Anomaly, zone: &TimeZone) -> Vec<String> {
    let sighting = &anomaly.sighting;
    let state = if anomaly.is_open() { "waits for an answer" } else { "answered" };
    let mut lines = vec![
        format!("anomaly {} of {}: {state}", anomaly.number, anomaly.site),
        format!("  seen on {}: {}", moment(sighting.seen, zone), sighting.url),
    ];
    lines.extend(sighting.description.lines().map(|line| format!("  > {line}")));
    let with = [
        ("by", &sighting.reported_by),
        ("browser", &sighting.browser),
        ("system", &sighting.system),
        ("device", &sighting.device),
    ];
    lines.extend(with.iter().filter_map(|(key, value)| Some(format!("  {key}: {}", value.as_ref()?))));
    for screenshot in &sighting.screenshots {
        let (path, state) = match screenshots(fleet).look(screenshot) {
            Kept::Whole(path) => (path, human_bytes(screenshot.bytes)),
            Kept::Gone(path) => (path, "it is NOT there any more".to_owned()),
            Kept::Changed(path) => (path, "it is NOT what was kept".to_owned()),
        };
        lines.push(format!("  screenshot {}: {} ({state})", screenshot.name, path.display()));
    }
    lines.push(format!("  written down on {} by {}", moment(anomaly.told, zone), anomaly.by));
    for done in &anomaly.done {
        let what = match &done.what {
            Remedy::PutBack { run, outcome } => format!("put back by run {run}: {outcome}"),
            Remedy::Held { extension, until } => format!("updates of {extension} wait until {until}"),
            Remedy::Released { extension } => format!("updates of {extension} wait no longer"),
            Remedy::Replaced { extension, by } => format!("updates of {extension} wait because of anomaly {by} now"),
            Remedy::Answered { answer } => format!("answered: {}", clean_line(answer, answer.len())),
        };
        lines.push(format!("  {}, {}: {what}", moment(done.at, zone), done.by));
    }
    lines
}

/// What the run before it did.
fn of_run(before: &Before, zone: &TimeZone) -> Vec<String> {
    let report = &before.report;
    let outcome = report.outcome.map_or("not over", |outcome| outcome.as_str());
    let mut lines = vec![format!("the run before it: {}, {}, {outcome}", report.run, moment(report.began, zone))];
    let names: Vec<String> = before.named.iter().map(ToString::to_string).collect();
    lines.push(match names.is_empty() {
        true => "  the page and the description name no extension of the site".to_owned(),
        false => format!("  named there: {}", clean_line(&names.join(", "), LINE_CHARS)),
    });
    lines.extend(report.updates.iter().map(|update| update_line(update, &before.named)));
    match &before.near {
        Ok(near) => lines.extend(near_lines(near)),
        Err(why) => lines.push(format!("  what it changed is not known: {}", clean_line(why, LINE_CHARS))),
    }
    for hold in &report.holds {
        let why = clean_line(&say::reason(&hold.reason), LINE_CHARS);
        lines.push(format!("  waited then: {} {}: {why}", hold.component, hold.installed));
    }
    lines.extend(report.checks.iter().map(check_line));
    lines
}

fn update_line(update: &UpdateLine, named: &[ComponentId]) -> String {
    let sign = if named.contains(&update.component) { '*' } else { ' ' };
    let state = serde_json::to_value(update.state).ok();
    let state = state.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    format!("{sign} {}: {} → {} ({state})", update.component, update.from, update.to)
}

fn near_lines(near: &Near) -> Vec<String> {
    let mut lines = Vec::new();
    if near.count > 0 {
        lines.push(format!("  files and tables that belong to the page or to what is named: {}", near.count));
        lines.extend(near.items.iter().map(|item| format!("    {item}")));
        let more = near.count.saturating_sub(near.items.len() as u64);
        lines.extend((more > 0).then(|| format!("    and {more} more")));
    }
    lines.push("  all that it changed:".to_owned());
    let line = |one: &Changed| {
        let whose = one.component.as_ref().map_or_else(|| "of no extension".to_owned(), ToString::to_string);
        format!("    {whose}: {} files, {} tables", one.files, one.tables)
    };
    lines.extend(near.changed.iter().map(line));
    lines
}

fn check_line(check: &CheckLine) -> String {
    let verdict = |seen: &Option<crate::report::Seen>| match seen.as_ref().map(|seen| seen.passed) {
        Some(Some(true)) => "passed",
        Some(Some(false)) => "failed",
        Some(None) => "unknown",
        None => "not made",
    };
    format!("  check {}: {} → {}", clean_line(&check.id, LINE_CHARS), verdict(&check.before), verdict(&check.after))
}
