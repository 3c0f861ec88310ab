//! From the reports of runs to the report of a month.
//!
//! May use: `document`, `month::document`, `month::standing`. Invariant: what the runs' reports say is taken over, never guessed.

use super::Month;
use super::document::{MONTH_FORMAT, MonthReport, MonthRun, MonthSite, MonthUpdate, PageTimes, RunFailure, Scope};
use super::standing::{Restored, Standing};
use crate::journal::{PlanExtract, Rehearsal};
use crate::ledger::Anomaly;
use crate::model::{Outcome, SiteName, VersionStep, clean_line};
use crate::report::anomalies;
use crate::report::document::{AnomalyLine, CheckSubject, Job, Report, UpdateLine, UpdateState};
use crate::report::gather::proven;
use crate::report::sections;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How many characters of a name are kept.
const LINE_CHARS: usize = 300;
/// How many pages' times are kept.
const MOST_PAGES: usize = 40;
/// How many vulnerabilities of a component are kept.
const MOST_FIXES: usize = 40;

/// A site of which a month is told.
#[derive(Debug, Clone)]
pub struct KnownSite {
    /// Its name.
    pub site: SiteName,
    /// What its plan says, or said when it was last run.
    pub plan: PlanExtract,
    /// The reports of its runs; those of other months are left out.
    pub runs: Vec<Report>,
    /// Rehearsals of its restore, newest first.
    pub rehearsals: Vec<Rehearsal>,
    /// What clients told of it, oldest first.
    pub anomalies: Vec<Anomaly>,
}

impl MonthReport {
    /// The report of a month, as it stands at `now`.
    pub fn of(month: Month, scope: Scope, sites: Vec<KnownSite>, now: Timestamp) -> Self {
        let open = match sites.is_empty() {
            true => month.runs_at(now, &TimeZone::UTC),
            false => sites.iter().any(|site| month.runs_at(now, &zone(&site.plan))),
        };
        let until = open.then_some(now);
        let language = sites.first().map_or_else(|| "en".to_owned(), |site| line(&site.plan.language));
        let mut sites: Vec<MonthSite> = sites.into_iter().map(|known| site(month, known, now)).collect();
        sites.sort_by(|a, b| a.site.cmp(&b.site));
        let scope = match scope {
            Scope::Client { name } => Scope::Client { name: line(&name) },
            Scope::Site { site, client } => Scope::Site { site, client: line(&client) },
            Scope::Fleet => Scope::Fleet,
        };
        Self { month_report: MONTH_FORMAT, month, scope, language, until, sites }
    }
}

fn zone(plan: &PlanExtract) -> TimeZone {
    TimeZone::get(&plan.zone).unwrap_or(TimeZone::UTC)
}

fn site(month: Month, known: KnownSite, now: Timestamp) -> MonthSite {
    let zone = zone(&known.plan);
    let mut runs: Vec<Report> = known.runs;
    runs.retain(|run| run.site == known.site && month.holds(run.began, &zone));
    runs.sort_by_key(|run| (run.began, run.run));
    let before_end = |one: &&Rehearsal| one.site == known.site && !after(month, one.began, &zone);
    let rehearsals: Vec<Rehearsal> = known.rehearsals.iter().filter(before_end).cloned().collect();
    let looked = runs.iter().rev().find(|run| run.job == Job::Update && run.procedure.is_some());
    // Checks from before a run that changed the site and made none say nothing of it any more.
    let checked = runs.iter().rev().find(|run| !run.checks.is_empty() || sections::unchecked(run));
    let checked = checked.filter(|run| !sections::unchecked(run));
    let (checks_passed, checks_made) = checked.map_or((0, 0), sections::passed);
    let snapshots = || runs.iter().flat_map(|run| &run.snapshots);
    MonthSite {
        url: line(&known.plan.url),
        client: line(&known.plan.client),
        zone: line(&known.plan.zone),
        tier: line(&known.plan.tier),
        cap: known.plan.cap,
        extensions: runs.iter().rev().find_map(|run| run.extensions),
        updates: updates(&runs),
        holds: looked.map(|run| run.holds.clone()).unwrap_or_default(),
        holds_seen: looked.map(|run| run.began),
        checks_passed,
        checks_made,
        checked: checked.map(|run| run.ended.unwrap_or(run.began)),
        pages: pages(&runs),
        backups: snapshots().count() as u64,
        last_backup: snapshots().map(|snapshot| snapshot.verified).max(),
        proven_restore: proven(&rehearsals),
        drifts: runs.iter().filter_map(|run| run.drift.as_ref()).map(|drift| drift.count).sum(),
        runs: runs.iter().map(run).collect(),
        anomalies: told(month, (&known.anomalies, &known.site), &zone, now),
        site: known.site,
    }
}

/// What was told in the month or was open when it began, as it was at the month's end.
fn told(month: Month, (known, site): (&[Anomaly], &SiteName), zone: &TimeZone, now: Timestamp) -> Vec<AnomalyLine> {
    let day = now.to_zoned(zone.clone()).date().min(month.first().last_of_month());
    let mine = known.iter().filter(|one| one.site == *site);
    let then = mine.filter_map(|one| one.when(|at| !after(month, at, zone), None));
    let news =
        |one: &Anomaly| month.holds(one.told, zone) || one.answer().is_none_or(|(done, _)| month.holds(done.at, zone));
    then.filter(news).map(|one| anomalies::line(one, day)).collect()
}

/// Whether a moment lies after the month.
fn after(month: Month, at: Timestamp, zone: &TimeZone) -> bool {
    !month.runs_at(at, zone)
}

fn run(report: &Report) -> MonthRun {
    let failure = |failure: &crate::report::Failure| RunFailure {
        step: failure.step,
        title: failure.title.clone(),
        cause: failure.cause,
    };
    MonthRun {
        run: report.run,
        job: report.job.clone(),
        began: report.began,
        ended: report.ended,
        outcome: report.outcome,
        installed: sections::installed(report),
        refusals: report.refusals.clone(),
        failures: report.failures.iter().map(failure).collect(),
        put_back: report.restores.last().map(|restore| restore.done && restore.good != Some(false)),
        left: report.restores.last().is_some_and(sections::has_left),
        todo: report.summary.clone().filter(|_| report.outcome == Some(Outcome::Stuck)),
    }
}

/// What was installed and kept, one line for each component, in the order of their first updates.
fn updates(runs: &[Report]) -> Vec<MonthUpdate> {
    let mut all: Vec<(MonthUpdate, Standing)> = Vec::new();
    for run in runs {
        if let Some(restored) = Restored::of(run) {
            for (update, standing) in &mut all {
                update.stands = standing.put_back(&restored, &update.component) == Some(&update.to);
            }
        }
        let at = run.ended.unwrap_or(run.began);
        for line in run.updates.iter().filter(|line| line.state == UpdateState::Applied) {
            match all.iter_mut().find(|(known, _)| known.component == line.component) {
                Some((known, standing)) => {
                    again(known, line, at);
                    standing.installed(run, &line.to);
                }
                None => {
                    let mut standing = Standing::default();
                    standing.installed(run, &line.to);
                    all.push((first(line, at), standing));
                }
            }
        }
    }
    all.into_iter().map(|(update, _)| update).collect()
}

fn first(line: &UpdateLine, at: Timestamp) -> MonthUpdate {
    MonthUpdate {
        component: line.component.clone(),
        title: line.title.clone(),
        from: line.from.clone(),
        to: line.to.clone(),
        step: line.step,
        times: 1,
        at,
        fixes: line.fixes.clone(),
        fixed: (!line.fixes.is_empty()).then_some(at),
        stands: true,
    }
}

fn again(known: &mut MonthUpdate, line: &UpdateLine, at: Timestamp) {
    known.to = line.to.clone();
    known.title = line.title.clone();
    known.times = known.times.saturating_add(1);
    known.at = at;
    known.stands = true;
    if !line.fixes.is_empty() {
        known.fixed = Some(at);
    }
    if line.step == VersionStep::Major {
        known.step = line.step;
    }
    let new = line.fixes.iter().filter(|fix| !known.fixes.iter().any(|one| one.name == fix.name));
    let new: Vec<_> = new.cloned().collect();
    known.fixes.extend(new);
    known.fixes.truncate(MOST_FIXES);
}

/// How fast each page answered before the first run, and after the last one.
fn pages(runs: &[Report]) -> Vec<PageTimes> {
    let mut pages: Vec<(String, Option<u64>, Option<u64>)> = Vec::new();
    for line in runs.iter().flat_map(|run| &run.checks) {
        let CheckSubject::Page { path } = &line.subject else { continue };
        // An error page is fast, and says nothing.
        let time = |seen: &Option<crate::report::Seen>| {
            seen.as_ref().filter(|seen| seen.passed == Some(true)).and_then(|seen| seen.elapsed_ms)
        };
        let place = match pages.iter().position(|(known, ..)| known == path) {
            Some(place) => place,
            None if pages.len() >= MOST_PAGES => continue,
            None => {
                pages.push((path.clone(), None, None));
                pages.len() - 1
            }
        };
        if let Some((_, before, after)) = pages.get_mut(place) {
            *before = before.or(time(&line.before));
            *after = time(&line.after).or(*after);
        }
    }
    let both = |(path, before, after): (String, Option<u64>, Option<u64>)| {
        Some(PageTimes { path, before_ms: before?, after_ms: after? })
    };
    pages.into_iter().filter_map(both).collect()
}

fn line(text: &str) -> String {
    clean_line(text, LINE_CHARS)
}
