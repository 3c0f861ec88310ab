//! `intendant anomaly`: what clients say is wrong with a page, and what is done about it.

use super::anomaly_show::show;
use super::run::restore_because;
use super::snapshot::site_name;
use crate::anomaly::{ScreenshotError, Screenshots, changed_site};
use crate::cli::arguments::{Anomaly as Options, AnomalyAction, AnomalyAdd, Common, Restore};
use crate::cli::fleet::{Fleet, who};
use crate::cli::progress::Show;
use crate::cli::{ExitCode, Failure, show as say};
use crate::journal::{Event, Journal, RunState};
use crate::ledger::{
    Anomaly, Decision, MAX_ANSWER, MAX_DESCRIPTION, MAX_LINES, MAX_NAME, MAX_PAGE, MAX_SCREENSHOTS, Sighting, SiteHold,
    is_cut,
};
use crate::model::{ComponentId, ComponentName, Outcome, RunId, SiteName, clean_line, nearest};
use crate::procedure::SnapshotMoment;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::Arc;

/// How many runs are looked through for the one before an anomaly.
const MOST_RUNS: u32 = 10_000;
/// How far a client's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// How many characters of a page's address stand in a list.
const PAGE_SHOWN: usize = 60;

pub(in crate::cli) async fn anomaly(common: &Common, options: &Options) -> Result<ExitCode, Failure> {
    let fleet = match &options.action {
        AnomalyAction::Restore { .. } => Fleet::open_to_mend(common)?,
        _ => Fleet::open(common)?,
    };
    match &options.action {
        AnomalyAction::Add(told) => add(common, &fleet, told).await,
        AnomalyAction::List { site, all } => list(common, &fleet, site.as_deref(), *all).await,
        AnomalyAction::Show { anomaly } => show(common, &fleet, *anomaly).await,
        AnomalyAction::Restore { anomaly, exact, yes } => restore(common, &fleet, *anomaly, (*exact, *yes)).await,
        AnomalyAction::Hold { anomaly, extension, until, .. } => {
            hold(common, &fleet, *anomaly, extension, *until).await
        }
        AnomalyAction::Close { anomaly, answer } => close(common, &fleet, *anomaly, answer).await,
    }
}

/// Where screenshots are kept.
pub(super) fn screenshots(fleet: &Fleet) -> Screenshots {
    Screenshots::new(&fleet.settings.state.join("anomalies"))
}

/// The anomaly with this number.
pub(super) async fn find(journal: &dyn Journal, number: u64) -> Result<Anomaly, Failure> {
    let found = journal.ledger().await?.anomalies().into_iter().find(|one| one.number == number);
    found.ok_or_else(|| {
        Failure::absent(format!("there is no anomaly {number}; intendant anomaly list --all lists them"))
    })
}

/// The zone of a site, as its plan says it; else as its last run did.
pub(super) async fn zone(fleet: &Fleet, journal: &dyn Journal, site: &SiteName) -> Result<TimeZone, Failure> {
    let absent = match fleet.job(site.as_str()) {
        Ok(job) => return Ok(job.plan.zone()),
        Err(failure) => failure,
    };
    let Some(last) = journal.runs(Some(site), false, 1).await?.into_iter().next() else { return Err(absent) };
    let opened = journal.entries(last.run).await?.into_iter().next().map(|entry| entry.event);
    let Some(Event::Opened(opened)) = opened else { return Ok(TimeZone::UTC) };
    Ok(TimeZone::get(&opened.plan.zone).unwrap_or(TimeZone::UTC))
}

async fn add(common: &Common, fleet: &Fleet, told: &AnomalyAdd) -> Result<ExitCode, Failure> {
    let journal = fleet.journal().await?;
    let site = site_name(&told.site)?;
    let zone = zone(fleet, &journal, &site).await?;
    let now = Timestamp::now();
    let mut sighting = sighting(told, moment(&told.at, &zone, now)?)?;
    let run = run_before(&journal, &site, sighting.seen).await?;
    sighting.screenshots = screenshots(fleet).keep(&told.screenshot)?;
    if let Some(elsewhere) = elsewhere(fleet, &site, &sighting.url) {
        say::remark(elsewhere);
    }
    let number = journal.decide(now, &who(), &Decision::reported(site.clone(), sighting, run)).await?;
    match (common.json, run) {
        (true, _) => say::json(&json!({ "anomaly": 1, "number": number, "site": site, "run": run })),
        (false, Some(run)) => {
            say::line(format!("anomaly {number} of {site}; before it came run {run}: intendant anomaly show {number}"))
        }
        (false, None) => say::line(format!("anomaly {number} of {site}; no run had changed the site before")),
    }
    Ok(ExitCode::OK)
}

fn usage(text: String) -> Failure {
    Failure { code: ExitCode::USAGE, text }
}

/// A moment as somebody writes it: with an offset, or by the clock of the site's zone.
fn moment(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, Failure> {
    let shown = clean_line(text, 60);
    let wrong = || usage(format!("--at {shown:?} is no time; write 2026-11-20T14:05, or 2026-11-20T14:05-05:00"));
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => {
            let civil: DateTime = text.parse().map_err(|_| wrong())?;
            civil.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp()
        }
    };
    match at.duration_since(now) > AHEAD {
        true => Err(usage(format!("--at {shown:?} has not come yet; say when it was seen"))),
        false => Ok(at),
    }
}

/// What the client saw, without the screenshots. What is cut is said.
fn sighting(told: &AnomalyAdd, seen: Timestamp) -> Result<Sighting, Failure> {
    let web = told.url.starts_with("https://") || told.url.starts_with("http://");
    if !web || url::Url::parse(&told.url).is_err() || told.url.chars().count() > MAX_PAGE {
        let shown = clean_line(&told.url, 200);
        return Err(usage(format!("--url {shown:?} is not the address of a page; write it whole: https://…")));
    }
    if told.screenshot.len() > MAX_SCREENSHOTS {
        return Err(usage(format!("{} screenshots; an anomaly has at most {MAX_SCREENSHOTS}", told.screenshot.len())));
    }
    let sighting = Sighting {
        seen,
        url: told.url.clone(),
        description: told.description.clone(),
        browser: told.browser.clone(),
        system: told.system.clone(),
        device: told.device.clone(),
        reported_by: told.reported_by.clone(),
        screenshots: Vec::new(),
    };
    let cut = sighting.cut();
    let sighting = sighting.cleaned();
    if sighting.description.is_empty() {
        return Err(usage("--description is empty; write what is wrong with the page".into()));
    }
    for what in cut {
        let limit = match what {
            "description" => format!("{MAX_DESCRIPTION} characters or {MAX_LINES} lines"),
            _ => format!("{MAX_NAME} characters"),
        };
        say::remark(format!("the {what} is cut after {limit}; keep the client's message"));
    }
    Ok(sighting)
}

/// What is to be said where the page is not one of the site's, as far as its plan says.
fn elsewhere(fleet: &Fleet, site: &SiteName, url: &str) -> Option<String> {
    let host = |url: &str| url::Url::parse(url).ok()?.host_str().map(str::to_owned);
    let plan = fleet.job(site.as_str()).ok()?.plan;
    let (theirs, ours) = (host(url)?, host(plan.url.as_str())?);
    let plain = |host: &str| host.trim_start_matches("www.").to_owned();
    let differs = plain(&theirs) != plain(&ours);
    differs.then(|| format!("the page is on {theirs}, and {site} is {ours}: is it the right site?"))
}

/// The last run that began before a moment and had changed the site then, or may have.
async fn run_before(journal: &dyn Journal, site: &SiteName, at: Timestamp) -> Result<Option<RunId>, Failure> {
    for run in journal.runs(Some(site), false, MOST_RUNS).await? {
        if run.opened > at || run.outcome == Some(Outcome::Refused) {
            continue;
        }
        let state = RunState::fold(&journal.entries(run.run).await?);
        if state.is_ok_and(|state| changed_site(&state, at)) {
            return Ok(Some(run.run));
        }
    }
    Ok(None)
}

async fn list(common: &Common, fleet: &Fleet, site: Option<&str>, all: bool) -> Result<ExitCode, Failure> {
    let site = site.map(site_name).transpose()?;
    let mut found = fleet.journal().await?.ledger().await?.anomalies();
    found.retain(|one| site.as_ref().is_none_or(|site| one.site == *site) && (all || one.is_open()));
    match common.json {
        true => say::json(&json!({ "anomaly": 1, "list": found })),
        false if found.is_empty() => say::line("no anomaly waits for an answer"),
        false => say::line(say::table(["anomaly", "site", "seen", "page", "told", "state"], found.iter().map(row))),
    }
    Ok(ExitCode::OK)
}

fn row(one: &Anomaly) -> [String; 6] {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let state = match one.answer() {
        Some((done, _)) => format!("answered on {}", day(done.at)),
        None => "waits".to_owned(),
    };
    let (seen, page) = (day(one.sighting.seen), clean_line(&one.sighting.url, PAGE_SHOWN));
    [one.number.to_string(), one.site.to_string(), seen, page, day(one.told), state]
}

async fn restore(common: &Common, fleet: &Fleet, number: u64, (exact, yes): (bool, bool)) -> Result<ExitCode, Failure> {
    let runner = fleet.runner(Arc::new(Show::new())).await?;
    let anomaly = find(runner.journal.as_ref(), number).await?;
    let Some(run) = anomaly.run else {
        let text =
            format!("no run had changed {} before anomaly {number}: there is nothing of ours to undo", anomaly.site);
        return Err(Failure::absent(text));
    };
    let state =
        RunState::fold(&runner.journal.entries(run).await?).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    let mut before = state.attempts.iter().filter_map(|attempt| attempt.snapshot(SnapshotMoment::Before));
    let Some(before) = before.next().map(|record| record.name.clone()) else {
        let text =
            format!("run {run} took no snapshot before it; choose one: intendant snapshot list {}", anomaly.site);
        return Err(Failure::absent(text));
    };
    let later = later(runner.journal.as_ref(), &anomaly.site, &state).await?;
    if later > 0 {
        say::remark(format!("{later} later runs changed the site, too: what they did is undone with it"));
    }
    let site = anomaly.site.to_string();
    let options = Restore { site, snapshot: Some(before), only: Vec::new(), exact, yes };
    let code = restore_because(common, fleet, &runner, &options, Some(number)).await?;
    if code == ExitCode::OK {
        let text = "the next run updates the site again; to have an extension wait: intendant anomaly hold";
        say::remark(format!("{text} {number} EXTENSION --until DATE"));
    }
    Ok(code)
}

/// How many runs changed the site after this one.
async fn later(journal: &dyn Journal, site: &SiteName, than: &RunState) -> Result<u64, Failure> {
    let mut count = 0;
    for run in journal.runs(Some(site), false, MOST_RUNS).await? {
        if run.opened <= than.opened_at {
            break;
        }
        let state = RunState::fold(&journal.entries(run.run).await?);
        count += u64::from(state.is_ok_and(|state| changed_site(&state, Timestamp::MAX)));
    }
    Ok(count)
}

async fn hold(
    common: &Common,
    fleet: &Fleet,
    number: u64,
    extension: &ComponentName,
    until: Option<Date>,
) -> Result<ExitCode, Failure> {
    let journal = fleet.journal().await?;
    let anomaly = find(&journal, number).await?;
    let site = anomaly.site.clone();
    let extension = match until {
        Some(_) => whole_name(&journal, &site, extension).await?,
        None => held_name(&journal.ledger().await?.site_holds(), &site, extension)?,
    };
    let now = Timestamp::now();
    let today = now.to_zoned(zone(fleet, &journal, &site).await?).date();
    let decision = match until {
        Some(until) if until < today => {
            return Err(usage(format!("--until {until} is over; to have it wait no longer: --lift")));
        }
        Some(until) => {
            Decision::AnomalyHeld { anomaly: number, site: site.clone(), extension: extension.clone(), until }
        }
        None => Decision::AnomalyReleased { anomaly: number, site: site.clone(), extension: extension.clone() },
    };
    journal.decide(now, &who(), &decision).await?;
    match (common.json, until) {
        (true, _) => {
            say::json(&json!({ "anomaly": 1, "number": number, "site": site, "extension": extension, "until": until }))
        }
        (false, Some(until)) => say::line(format!(
            "{site}: updates of {extension} wait until {until}, also those that close vulnerabilities"
        )),
        (false, None) => say::line(format!("{site}: updates of {extension} wait no longer because of an anomaly")),
    }
    Ok(ExitCode::OK)
}

/// The name under which an extension waits, in whatever way it is written now: what was held is lifted, whether the site
/// has it still or not.
fn held_name(holds: &[SiteHold], site: &SiteName, name: &ComponentName) -> Result<ComponentName, Failure> {
    let mine: Vec<&ComponentName> = holds.iter().filter(|one| one.site == *site).map(|one| &one.extension).collect();
    if mine.contains(&name) {
        return Ok(name.clone());
    }
    let id =
        |name: &ComponentName| name.as_str().split_once(':').and_then(|(kind, slug)| ComponentId::new(kind, slug).ok());
    let same = |held: &&&ComponentName| {
        id(held).is_some_and(|held| name.names(&held)) || id(name).is_some_and(|name| held.names(&name))
    };
    match mine.iter().filter(same).collect::<Vec<_>>()[..] {
        [one] => Ok((*one).clone()),
        [] => Err(Failure::absent(format!(
            "no anomaly has {name} of {site} wait; intendant preview {site} says what does"
        ))),
        [first, second, ..] => Err(usage(format!("{name} is {first} or {second}; write which of them"))),
    }
}

/// The name with its kind, as the last run that looked at the site knows it.
async fn whole_name(journal: &dyn Journal, site: &SiteName, name: &ComponentName) -> Result<ComponentName, Failure> {
    if name.is_core() {
        return Ok(name.clone());
    }
    let Some(inventory) = super::anomaly_show::last_inventory(journal, site).await? else { return Ok(name.clone()) };
    // People leave the kind out.
    let bare = !name.as_str().contains(':');
    let known = inventory.extensions.iter().map(|one| &one.id);
    let known: Vec<String> = known.map(|id| if bare { id.slug.to_string() } else { id.to_string() }).collect();
    let found = inventory.extensions.iter().find(|one| name.names(&one.id));
    match found.map(|one| ComponentName::new(one.id.to_string())) {
        Some(Ok(whole)) => Ok(whole),
        _ => {
            let near = nearest(name.as_str(), known.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            Err(Failure::absent(format!("{site} had no {name} when it was last looked at{near}")))
        }
    }
}

async fn close(common: &Common, fleet: &Fleet, number: u64, answer: &str) -> Result<ExitCode, Failure> {
    let journal = fleet.journal().await?;
    let anomaly = find(&journal, number).await?;
    let decision = Decision::answered(number, answer);
    if matches!(&decision, Decision::AnomalyAnswered { answer, .. } if answer.is_empty()) {
        return Err(usage("--answer is empty; write what was found and done".into()));
    }
    if is_cut(answer, MAX_ANSWER) {
        say::remark(format!("the answer is cut after {MAX_ANSWER} characters or {MAX_LINES} lines"));
    }
    journal.decide(Timestamp::now(), &who(), &decision).await?;
    match common.json {
        true => say::json(&json!({ "anomaly": 1, "number": number, "site": anomaly.site, "answered": true })),
        false => say::line(format!("anomaly {number} of {}: the next report answers it", anomaly.site)),
    }
    Ok(ExitCode::OK)
}

impl From<ScreenshotError> for Failure {
    fn from(error: ScreenshotError) -> Self {
        let code = match &error {
            ScreenshotError::Read { .. } | ScreenshotError::Write { .. } => ExitCode::OTHER,
            ScreenshotError::Large { .. } | ScreenshotError::NoPicture { .. } => ExitCode::USAGE,
        };
        Self::new(code, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_lifted_by_any_of_its_names() {
        let name = |text: &str| ComponentName::new(text).unwrap();
        let (site, other) = (SiteName::new("shop").unwrap(), SiteName::new("other").unwrap());
        let hold = |site: &SiteName, extension: &str| SiteHold {
            site: site.clone(),
            extension: name(extension),
            until: "2026-12-04".parse().unwrap(),
            anomaly: 1,
        };
        let holds =
            ["bare", "plugin:whole", "plugin:twice", "theme:twice", "core"].map(|extension| hold(&site, extension));
        let found = |text: &str| held_name(&holds, &site, &name(text)).map(|name| name.to_string());
        assert_eq!(found("bare").unwrap(), "bare");
        assert_eq!(found("plugin:bare").unwrap(), "bare", "it was held before the site was looked at");
        assert_eq!(found("whole").unwrap(), "plugin:whole");
        assert_eq!(found("core").unwrap(), "core");
        assert_eq!(found("theme:twice").unwrap(), "theme:twice");
        assert!(found("twice").is_err_and(|failure| failure.code == ExitCode::USAGE));
        assert!(found("theme:whole").is_err() && found("none").is_err());
        assert!(held_name(&holds, &other, &name("bare")).is_err(), "another site's");
    }

    #[test]
    fn a_moment_is_by_the_clock_of_the_site_unless_it_says_otherwise() {
        let zone = TimeZone::get("America/Toronto").unwrap();
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let at = |text: &str| moment(text, &zone, now).map(|at| at.to_string());
        assert_eq!(at("2026-11-20T14:05").unwrap(), "2026-11-20T19:05:00Z");
        assert_eq!(at("2026-11-20 14:05:30").unwrap(), "2026-11-20T19:05:30Z");
        assert_eq!(at("2026-11-20T14:05Z").unwrap(), "2026-11-20T14:05:00Z");
        assert_eq!(at("2026-11-20T14:05+01:00").unwrap(), "2026-11-20T13:05:00Z");
        // That hour was left out in spring.
        assert!(at("2026-03-08T02:30").is_ok());
        for wrong in ["", "yesterday", "14:05", "2026-13-01T00:00", "2026-11-20T25:00", "\u{1b}[2J"] {
            let failure = at(wrong).unwrap_err();
            assert!(failure.code == ExitCode::USAGE && !failure.text.contains('\u{1b}'), "{}", failure.text);
        }
        assert!(at("2026-11-20T20:00").unwrap_err().text.contains("has not come yet"));
        assert!(at("2026-11-20T19:05").is_ok(), "clocks differ");
    }
}
