//! `intendant vulnerabilities`.

use crate::cli::arguments::{Common, Sites};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::inventory::{self, Inventory};
use crate::run::{Job, NoListener, Runner, WorkError, close_site, open_site};
use crate::site::Expect;
use crate::vulnerability::{FeedState, Known, Match, Subject, Verdict};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(in crate::cli) async fn vulnerabilities(common: &Common, options: &Sites) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let mut code = ExitCode::OK;
    // Names of components mean something within one CMS only.
    let mut by_cms: BTreeMap<String, Vec<(Job, Inventory)>> = BTreeMap::new();
    for job in fleet.jobs(options)? {
        match taken(&runner, &job).await {
            Ok(inventory) => by_cms.entry(job.plan.cms.as_str().to_owned()).or_default().push((job, inventory)),
            Err(error) => code = code.max(Failure::from(error).report()),
        }
    }
    let (now, feeds) = (runner.clock.now(), Arc::clone(&runner.feeds));
    let mut all = Vec::new();
    for sites in by_cms.values() {
        let Some((job, _)) = sites.first() else { continue };
        let subjects: Vec<Subject<'_>> = sites.iter().map(|(_, inventory)| inventory.subject()).collect();
        let playbook = &job.playbook;
        let known = feeds.known(&playbook.vulnerabilities, playbook.versions.scheme, &subjects, now).await;
        for ((job, inventory), known) in sites.iter().zip(known) {
            if !known.is_clean() {
                code = code.max(ExitCode::SHORT);
            }
            let site = job.plan.site.as_str();
            match common.json {
                true => all.push(document(site, &known, now)),
                false => lines(site, inventory, &known, now).iter().for_each(show::line),
            }
        }
    }
    if common.json {
        show::json(&json!({ "vulnerabilities": 1, "sites": all }));
    }
    Ok(code)
}

async fn taken(runner: &Runner, job: &Job) -> Result<Inventory, WorkError> {
    let site = open_site(runner, job, Expect::Whole, None).await?;
    let taken = inventory::take(&site).await;
    close_site(&site).await;
    Ok(taken?)
}

fn document(site: &str, known: &Known, now: Timestamp) -> Value {
    let of = |one: &Match| {
        let mut value = json!(one);
        if let (true, Some(hours)) = (one.applies(), one.exposed_hours(now)) {
            value["exposed-hours"] = json!(hours);
        }
        value
    };
    let matches: Vec<Value> = known.matches.iter().map(of).collect();
    json!({ "site": site, "clean": known.is_clean(), "feeds": known.feeds, "own-tools": known.own_tools,
        "matches": matches })
}

/// What people read of a site.
fn lines(site: &str, inventory: &Inventory, known: &Known, now: Timestamp) -> Vec<String> {
    let apply: Vec<&Match> = known.matches.iter().filter(|one| one.applies()).collect();
    let open = apply.iter().filter(|one| one.verdict == Verdict::NoFix).count();
    let past = known.matches.len() - apply.len();
    let head = match (apply.len(), known.is_whole()) {
        (0, true) => "no known vulnerability applies".to_owned(),
        (0, false) => "NOT KNOWN whether a vulnerability applies".to_owned(),
        (count, _) => format!("{count} known vulnerabilities apply, {open} of them without a fix that is offered"),
    };
    let core = &inventory.core;
    let mut lines = vec![format!("{site}: {} {}: {head} ({past} do not apply)", core.title, core.version)];
    if !apply.is_empty() {
        let header = ["component", "installed", "vulnerability", "severity", "published", "exposed", "fix", "what"];
        lines.push(show::table(header, apply.iter().map(|one| row(one, now))));
    }
    lines.extend(known.feeds.iter().map(feed));
    match (known.own_tools, known.feeds.is_empty()) {
        (true, _) => lines.push("the site's own tools were asked".into()),
        (false, true) => lines.push("no feed tells of this CMS: its playbook names none".into()),
        (false, false) => {}
    }
    lines
}

fn row(one: &Match, now: Timestamp) -> [String; 8] {
    let record = &one.record;
    let severity = record.severity.map(|severity| severity.to_string());
    let score = record.score.map(|score| score.to_string());
    let mut what = vec![record.title.clone()];
    if record.by_title {
        what.push("(found by its title: is it this one?)".into());
    }
    if !record.unread.is_empty() {
        what.push(format!("(affected versions can't be read: {})", record.unread.join(", ")));
    }
    [
        format!("{}{}", record.component, if one.active { "" } else { " (inactive)" }),
        one.installed.as_ref().map_or("?".into(), ToString::to_string),
        record.name().to_owned(),
        severity.into_iter().chain(score).collect::<Vec<_>>().join(" "),
        record.published.map_or("?".into(), |published| published.strftime("%Y-%m-%d").to_string()),
        one.exposed_hours(now).map_or("?".into(), |hours| format!("{hours} h")),
        fix(one),
        what.join(" "),
    ]
}

/// What fixes it, in words.
fn fix(one: &Match) -> String {
    match (&one.verdict, one.record.patched.last()) {
        (Verdict::FixedBy { version }, _) => format!("update to {version}"),
        (Verdict::NoFix, Some(patched)) => format!("{patched}, which is not offered: deactivate it or accept"),
        (Verdict::NoFix, None) => "none: deactivate it or accept".into(),
        (Verdict::DoesNotApply, _) => String::new(),
    }
}

fn feed(state: &FeedState) -> String {
    let from = if state.from.is_empty() { String::new() } else { format!(" ({})", state.from) };
    let name = format!("feed {}{from}", state.format);
    let as_of = state.as_of.map_or("?".into(), |as_of| as_of.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let mut text = match (&state.missing, &state.stale) {
        (Some(why), _) => return format!("{name}: MISSING, nothing is known from it: {why}"),
        (None, Some(why)) => format!("{name}: STALE, as of {as_of}: {why}"),
        (None, None) => format!("{name}: {} entries as of {as_of}", state.entries),
    };
    if state.odd > 0 {
        text.push_str(&format!("; {} entries can't be read: {}", state.odd, state.shown.join(", ")));
    }
    text
}
