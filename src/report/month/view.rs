//! What the month's template is given: finished texts in the page's order, and nothing to decide.
//!
//! May use: `month::document`, `view`, `sections`, `reasons`, `outline`, `words`. Invariant: as in `report::view`.

use super::document::{MonthReport, MonthRun, MonthSite, MonthUpdate, PageTimes, Scope};
use crate::model::{Lifter, Outcome, clean_block};
use crate::report::anomalies::{self, Told};
use crate::report::document::{CheckSubject, HoldLine, Job};
use crate::report::outline::{self, Brand, Item, Outline, Part, Table};
use crate::report::provider::Provider;
use crate::report::reasons;
use crate::report::sections::{self, Hold, UpdateRow};
use crate::report::view::{self, OutcomeView, Pair, cell};
use crate::report::words::{Words, outside, own};
use serde::Serialize;

/// How many runs of a site are listed.
const RUNS_SHOWN: usize = 20;
/// How many pages' times are shown.
const PAGES_SHOWN: usize = 8;
/// How many lines of what a person has to do are shown.
const TODO_LINES: usize = 12;

/// The whole page.
#[derive(Debug, Serialize)]
pub(in crate::report) struct MonthView {
    lang: String,
    page_title: String,
    heading: String,
    brand: Brand,
    provider: Option<String>,
    contact: Option<String>,
    contact_link: Option<String>,
    title: String,
    facts: Vec<Pair>,
    outcome: OutcomeView,
    tiles: Vec<Pair>,
    fixes: Vec<FixRow>,
    sites: Vec<SiteView>,
    foot: Vec<String>,
}

/// Updates of one component that closed known vulnerabilities.
#[derive(Debug, Serialize)]
struct FixRow {
    title: String,
    /// Of which site, where the report is about several.
    site: Option<String>,
    names: String,
    versions: String,
    date: String,
}

/// One site.
#[derive(Debug, Serialize)]
struct SiteView {
    title: String,
    link: Option<String>,
    plan: String,
    /// Anchors within the page.
    place: usize,
    sentences: Vec<String>,
    runs: Vec<RunView>,
    anomalies: Vec<Told>,
    updates: Vec<UpdateRow>,
    holds: Vec<Hold>,
    checks: Option<String>,
    pages: Vec<PageRow>,
    backups: Vec<String>,
}

/// A run, or several in a row of which the same is to be said.
#[derive(Debug, Serialize)]
struct RunView {
    date: String,
    /// The name of a style; no text for a reader.
    tone: &'static str,
    text: String,
    points: Vec<String>,
    todo: Option<String>,
}

impl RunView {
    fn says_as(&self, other: &Self) -> bool {
        let said = |view: &Self| (view.tone, view.text.clone(), view.points.clone(), view.todo.clone());
        said(self) == said(other)
    }
}

/// How fast a page answered.
#[derive(Debug, Serialize)]
struct PageRow {
    what: String,
    before: String,
    after: String,
    /// The lengths of their bars, in hundredths of the longest.
    before_width: u64,
    after_width: u64,
}

impl MonthView {
    /// The page of a report.
    pub(in crate::report) fn of(report: &MonthReport, utc: &Words, provider: &Provider) -> Self {
        let words = |site: &MonthSite| utc.of_zone(&site.zone);
        let several = report.sites.len() > 1;
        let title = title(report, utc);
        let month = utc.month(report.month.first());
        let title_args = [("title", outside(&title)), ("month", own(month.clone()))];
        let contact = provider.contact.as_deref().map(cell);
        Self {
            lang: utc.tag(),
            page_title: utc.tell("monthly-page-title", &title_args),
            heading: utc.say("monthly-heading"),
            brand: Brand::of(provider),
            provider: provider.name.as_deref().map(cell),
            contact_link: contact.as_deref().and_then(view::mail_link),
            contact,
            facts: facts(report, month, utc),
            outcome: outcome(report, utc),
            tiles: tiles(report, utc),
            fixes: report.sites.iter().flat_map(|site| fixes(site, several, &words(site))).collect(),
            sites: told_first(report).enumerate().map(|(place, site)| of_site(place, site, &words(site))).collect(),
            foot: vec![utc.tell("foot-program", &[("version", own(env!("CARGO_PKG_VERSION")))])],
            title,
        }
    }

    /// The same without its looks.
    pub(in crate::report) fn outline(self, words: &Words) -> Outline {
        let mut parts = Vec::new();
        if !self.fixes.is_empty() {
            let head = ["column-component", "monthly-column-closed", "monthly-column-versions", "label-date"];
            let row = |fix: FixRow| {
                let title = fix.site.map_or_else(|| fix.title.clone(), |site| format!("{} · {site}", fix.title));
                vec![title, fix.names, fix.versions, fix.date]
            };
            let rows = self.fixes.into_iter().map(row).collect();
            let table = Some(Table::new(head.map(|key| words.say(key)).into(), rows));
            let sentences = vec![words.say("monthly-fixes-intro")];
            parts.push(Part { sentences, table, ..Part::new(words.say("monthly-fixes-title")) });
        }
        parts.extend(self.sites.into_iter().flat_map(|site| site_parts(site, words)));
        parts.push(outline::help(words));
        Outline {
            lang: self.lang,
            page_title: self.page_title,
            provider: self.provider,
            heading: self.heading,
            title: self.title,
            facts: self.facts,
            outcome: self.outcome,
            tiles: self.tiles,
            parts,
            contact: self.contact,
            contact_link: self.contact_link,
            foot: self.foot,
        }
    }
}

/// A day and what happened then.
fn said(date: String, text: String) -> String {
    if date.is_empty() { text } else { format!("{date} – {text}") }
}

fn site_parts(site: SiteView, words: &Words) -> Vec<Part> {
    let todo = |todo: &String| {
        std::iter::once(words.say("problem-todo")).chain(todo.lines().map(str::to_owned)).collect::<Vec<_>>()
    };
    let details = site.runs.iter().filter_map(|run| run.todo.as_ref()).map(todo).collect();
    let run = |run: RunView| Item { text: said(run.date, run.text), points: run.points };
    let mut sentences = vec![site.plan];
    sentences.extend(site.sentences);
    let runs = site.runs.into_iter().map(run).collect();
    let mut parts = vec![Part { sentences, details, ..Part::of_items(site.title, runs) }];
    parts.extend(anomalies::part(site.anomalies, words).map(Part::below));
    if !site.updates.is_empty() {
        let head = ["column-component", "column-before", "column-after"].map(|key| words.say(key));
        let table = Some(outline::updates(head, site.updates));
        parts.push(Part { table, ..Part::new(words.say("updates-title")).below() });
    }
    parts.extend(outline::holds(site.holds, words).map(Part::below));
    if site.checks.is_some() || !site.pages.is_empty() {
        let head = ["monthly-column-page", "monthly-column-first", "monthly-column-last"];
        let head: Vec<String> = head.map(|key| words.say(key)).into();
        let rows: Vec<_> = site.pages.into_iter().map(|page| vec![page.what, page.before, page.after]).collect();
        let table = (!rows.is_empty()).then(|| Table::new(head, rows));
        let sentences = site.checks.into_iter().collect();
        parts.push(Part { sentences, table, ..Part::new(words.say("checks-title")).below() });
    }
    if !site.backups.is_empty() {
        parts.push(Part { sentences: site.backups, ..Part::new(words.say("backups-title")).below() });
    }
    parts
}

/// Sites on which something was done, then the others.
fn told_first(report: &MonthReport) -> impl Iterator<Item = &MonthSite> {
    let (told, quiet): (Vec<_>, Vec<_>) = report.sites.iter().partition(|site| !site.runs.is_empty());
    told.into_iter().chain(quiet)
}

/// How the last run ended that was not refused: what a refusal says of the site is how it was found.
fn last_end(site: &MonthSite) -> Option<Option<Outcome>> {
    site.runs.iter().rev().map(|run| run.outcome).find(|outcome| *outcome != Some(Outcome::Refused))
}

fn is_stuck(site: &MonthSite) -> bool {
    last_end(site) == Some(Some(Outcome::Stuck))
}

/// Whether its last run is not over.
fn is_open(site: &MonthSite) -> bool {
    last_end(site) == Some(None)
}

/// Whether there were runs, and not one of them began.
fn is_only_refused(site: &MonthSite) -> bool {
    !site.runs.is_empty() && last_end(site).is_none()
}

fn title(report: &MonthReport, words: &Words) -> String {
    match &report.scope {
        Scope::Client { name } => cell(name),
        Scope::Fleet => words.say("monthly-fleet"),
        Scope::Site { site, .. } => match report.sites.first() {
            Some(known) => view::site_title(&known.url, &known.site),
            None => site.to_string(),
        },
    }
}

fn facts(report: &MonthReport, month: String, words: &Words) -> Vec<Pair> {
    let mut facts = vec![("monthly-label-month", month)];
    if let Scope::Site { client, .. } = &report.scope {
        facts.push(("label-client", cell(client)));
    }
    if let [only] = report.sites.as_slice() {
        facts.push(("label-plan", view::plan(&only.tier, only.extensions, only.cap, words)));
    } else {
        facts.push(("monthly-label-sites", words.number(report.sites.len() as u64)));
    }
    facts.into_iter().map(|(key, value)| Pair { label: words.say(key), value }).collect()
}

/// What is counted over all sites.
struct Sums {
    runs: u64,
    /// Runs that were put back or got stuck, or were refused for what does not pass by itself.
    failed: u64,
    /// Sites on which no run of the month began.
    only_refused: u64,
    updates: u64,
    fixed: u64,
    /// The longest time that a closed vulnerability had been known, in hours.
    longest: Option<u64>,
    holds: u64,
    waiting: u64,
    passed: u64,
    made: u64,
    backups: u64,
    idle: u64,
}

impl Sums {
    fn of(report: &MonthReport) -> Self {
        let runs = || report.sites.iter().flat_map(|site| &site.runs);
        let updates = || report.sites.iter().flat_map(|site| &site.updates).filter(|update| update.stands);
        let closing = || updates().filter(|update| !update.fixes.is_empty());
        let holds = || report.sites.iter().flat_map(|site| &site.holds);
        let sum = |of: fn(&MonthSite) -> u64| report.sites.iter().map(of).sum();
        Self {
            runs: runs().count() as u64,
            failed: runs().filter(|run| failed(run)).count() as u64,
            only_refused: report.sites.iter().filter(|site| is_only_refused(site)).count() as u64,
            updates: updates().map(|update| u64::from(update.times)).sum(),
            fixed: closing().count() as u64,
            longest: closing().flat_map(|update| &update.fixes).filter_map(|fix| fix.exposed_hours).max(),
            holds: holds().count() as u64,
            waiting: holds().filter(|hold| hold.lifter == Lifter::Client).count() as u64,
            passed: sum(|site| site.checks_passed),
            made: sum(|site| site.checks_made),
            backups: sum(|site| site.backups),
            idle: report.sites.iter().filter(|site| site.runs.is_empty()).count() as u64,
        }
    }
}

fn failed(run: &MonthRun) -> bool {
    let asked = matches!(run.job, Job::Restore { .. });
    match run.outcome {
        Some(Outcome::Restored) => !asked,
        // A window that is not open yet is nobody's failure.
        Some(Outcome::Refused) => run.refusals.is_empty() || !run.refusals.iter().all(reasons::passes_by_itself),
        Some(Outcome::Stuck) => true,
        Some(Outcome::Completed | Outcome::CompletedWithHolds) | None => false,
    }
}

fn outcome(report: &MonthReport, words: &Words) -> OutcomeView {
    let sums = Sums::of(report);
    let (tone, sign, key) = match () {
        () if report.sites.iter().any(|site| is_stuck(site) || is_open(site)) => ("act", "!", "monthly-act"),
        () if sums.passed < sums.made => ("act", "!", "monthly-act"),
        () if sums.runs == 0 => ("none", "–", "monthly-none"),
        () if sums.only_refused + sums.idle == report.sites.len() as u64 => ("none", "–", "monthly-refused"),
        () if sums.waiting > 0 => ("held", "✓", "monthly-waiting"),
        () if sums.failed + sums.only_refused > 0 => ("back", "↺", "monthly-tried"),
        () => ("good", "✓", "monthly-good"),
    };
    OutcomeView { tone, sign, title: words.say(key), sentences: sentences(report, &sums, words) }
}

fn sentences(report: &MonthReport, sums: &Sums, words: &Words) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(report.until.map(|at| words.tell("monthly-until", &[("date", own(words.date(at)))])));
    if report.sites.is_empty() {
        said.push(words.say("monthly-no-site"));
        return said;
    }
    let stuck = report.sites.iter().filter(|site| is_stuck(site)).count() as u64;
    said.extend((stuck > 0).then(|| words.count("monthly-stuck", stuck)));
    let open = report.sites.iter().filter(|site| is_open(site)).count() as u64;
    said.extend((open > 0).then(|| words.count("monthly-open", open)));
    if sums.runs > 0 {
        said.push(words.count("monthly-updates", sums.updates));
    }
    said.extend((sums.fixed > 0).then(|| words.count("monthly-fixed", sums.fixed)));
    said.extend(sums.longest.map(|hours| words.tell("monthly-longest", &[("time", own(words.hours(hours)))])));
    let below = (sums.made > 0).then(|| sums.made - sums.passed);
    match below {
        // Of a site that was left in the middle nobody knows whether it works.
        Some(0) if stuck + open > 0 => said.push(words.count("monthly-checks-others", sums.made)),
        Some(0) => said.push(words.count("monthly-checks", sums.made)),
        Some(failing) => said.push(words.count("monthly-checks-failing", failing)),
        None => {}
    }
    said.extend((sums.failed > 0).then(|| words.count("monthly-failed", sums.failed)));
    let several = report.sites.len() > 1;
    said.extend((several && sums.only_refused > 0).then(|| words.count("monthly-only-refused", sums.only_refused)));
    said.extend((sums.waiting > 0).then(|| words.count("monthly-held-client", sums.waiting)));
    let others = sums.holds - sums.waiting;
    said.extend((others > 0).then(|| words.count("monthly-held", others)));
    if sums.idle > 0 && several {
        said.push(words.count("monthly-idle", sums.idle));
    } else if sums.idle > 0 {
        said.push(words.say("monthly-no-run"));
    }
    said
}

fn tiles(report: &MonthReport, words: &Words) -> Vec<Pair> {
    let sums = Sums::of(report);
    let number = |key: &str, number: u64| Pair { label: words.count(key, number), value: words.number(number) };
    let mut tiles = Vec::new();
    if sums.runs == 0 {
        return tiles;
    }
    tiles.push(number("tile-updated", sums.updates));
    tiles.extend((sums.fixed > 0).then(|| number("monthly-tile-fixed", sums.fixed)));
    tiles.extend((sums.holds > 0).then(|| number("tile-held", sums.holds)));
    if sums.made > 0 {
        let args = [("part", own(words.number(sums.passed))), ("total", own(words.number(sums.made)))];
        tiles.push(Pair { label: words.count("tile-checks", sums.made), value: words.tell("of-total", &args) });
    }
    tiles.extend((sums.backups > 0).then(|| number("tile-backups", sums.backups)));
    tiles
}

fn fixes(site: &MonthSite, several: bool, words: &Words) -> Vec<FixRow> {
    let closing = site.updates.iter().filter(|update| !update.fixes.is_empty() && update.stands);
    let row = |update: &MonthUpdate| FixRow {
        title: cell(&update.title),
        site: several.then(|| view::site_title(&site.url, &site.site)),
        names: sections::closed(&update.fixes, words),
        versions: versions(update, words),
        date: words.date(update.fixed.unwrap_or(update.at)),
    };
    closing.map(row).collect()
}

fn versions(update: &MonthUpdate, words: &Words) -> String {
    let versions = [("installed", outside(update.from.as_str())), ("offered", outside(update.to.as_str()))];
    words.tell("hold-step", &versions)
}

fn of_site(place: usize, site: &MonthSite, words: &Words) -> SiteView {
    let mut sentences = Vec::new();
    sentences.extend(site.runs.is_empty().then(|| words.say("monthly-no-run")));
    sentences.extend((site.drifts > 0).then(|| words.count("monthly-drifts", site.drifts)));
    let slowest = site.pages.iter().take(PAGES_SHOWN).flat_map(|page| [page.before_ms, page.after_ms]).max();
    let page = |page: &PageTimes| PageRow {
        what: sections::subject(&CheckSubject::Page { path: page.path.clone() }, words),
        before: words.duration(page.before_ms),
        after: words.duration(page.after_ms),
        before_width: hundredths(page.before_ms, slowest),
        after_width: hundredths(page.after_ms, slowest),
    };
    SiteView {
        title: view::site_title(&site.url, &site.site),
        link: view::site_link(&site.url),
        plan: view::plan(&site.tier, site.extensions, site.cap, words),
        place,
        sentences,
        runs: runs(site, words),
        anomalies: anomalies::anomalies(&site.anomalies, words),
        updates: site.updates.iter().map(|update| update_row(update, words)).collect(),
        holds: sections::holds(&client_first(&site.holds), words),
        checks: checks(site, words).or_else(|| is_unknown(site).then(|| words.say("monthly-unchecked"))),
        // How fast it was before says nothing of how it is.
        pages: site.pages.iter().take(if is_unknown(site) { 0 } else { PAGES_SHOWN }).map(page).collect(),
        backups: backups(site, words),
    }
}

fn hundredths(part: u64, whole: Option<u64>) -> u64 {
    match whole {
        Some(whole) if whole > 0 => (part.saturating_mul(100) / whole).max(1),
        _ => 0,
    }
}

/// What the reader can lift comes first.
fn client_first(holds: &[HoldLine]) -> Vec<HoldLine> {
    let mut holds = holds.to_vec();
    holds.sort_by_key(|hold| hold.lifter != Lifter::Client);
    holds
}

fn update_row(update: &MonthUpdate, words: &Words) -> UpdateRow {
    let mut notes = Vec::new();
    let fixes = sections::closed(&update.fixes, words);
    if !fixes.is_empty() {
        let key = if update.stands { "update-fixes" } else { "update-would-fix" };
        notes.push(words.tell(key, &[("names", outside(&fixes))]));
    }
    notes.extend((update.times > 1).then(|| words.count("monthly-times", u64::from(update.times))));
    notes.extend((!update.stands).then(|| words.say("monthly-put-back-later")));
    UpdateRow {
        title: cell(&update.title),
        kind: sections::kind_line(&update.component, Some(update.step), words),
        before: cell(update.from.as_str()),
        after: cell(update.to.as_str()),
        notes,
    }
}

fn checks(site: &MonthSite, words: &Words) -> Option<String> {
    let at = site.checked.filter(|_| site.checks_made > 0)?;
    let number = |number: u64| own(words.number(number));
    let args =
        [("part", number(site.checks_passed)), ("total", number(site.checks_made)), ("date", own(words.date(at)))];
    Some(words.tell("monthly-checked", &args))
}

/// Whether nothing is known of how the site is now: its last run was left in the middle, and nobody checked it since.
fn is_unknown(site: &MonthSite) -> bool {
    (is_stuck(site) || is_open(site)) && (site.checked.is_none() || site.checks_made == 0)
}

fn backups(site: &MonthSite, words: &Words) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(last) = site.last_backup {
        said.push(words.count("monthly-backups", site.backups));
        said.push(words.tell("monthly-last-backup", &[("date", own(words.date(last)))]));
    }
    match &site.proven_restore {
        None if site.backups > 0 => said.push(words.say("monthly-not-proven")),
        proven => said.extend(sections::proven(proven.as_ref(), words)),
    }
    said
}

/// Runs in a row of which the same is to be said are one line.
fn runs(site: &MonthSite, words: &Words) -> Vec<RunView> {
    let mut lines: Vec<(RunView, String, u64)> = Vec::new();
    for run in &site.runs {
        let view = run_view(run, words);
        match lines.last_mut() {
            Some((last, until, times)) if last.says_as(&view) => {
                *until = view.date;
                *times += 1;
            }
            _ => lines.push((view, String::new(), 1)),
        }
    }
    let hidden = lines.len().saturating_sub(RUNS_SHOWN);
    let line = |(view, until, times): (RunView, String, u64)| match times {
        1 => view,
        _ if until == view.date => {
            let args = [("date", own(until)), ("times", own(words.number(times)))];
            RunView { date: words.tell("monthly-date", &args), ..view }
        }
        _ => {
            let args = [("from", own(view.date.clone())), ("until", own(until)), ("times", own(words.number(times)))];
            RunView { date: words.tell("monthly-dates", &args), ..view }
        }
    };
    let earlier = (hidden > 0).then(|| RunView {
        date: String::new(),
        tone: "none",
        text: words.count("monthly-more-runs", hidden as u64),
        points: Vec::new(),
        todo: None,
    });
    earlier.into_iter().chain(lines.into_iter().skip(hidden).map(line)).collect()
}

fn run_view(run: &MonthRun, words: &Words) -> RunView {
    let asked = match &run.job {
        Job::Update => None,
        Job::Restore { only, .. } if only.is_empty() => Some("monthly-run-asked"),
        Job::Restore { .. } => Some("monthly-run-asked-part"),
    };
    let (tone, text) = match (run.outcome, asked) {
        (Some(Outcome::Completed), _) if run.installed == 0 => ("good", words.say("monthly-run-nothing")),
        (Some(Outcome::Completed), _) => ("good", words.count("monthly-run-completed", run.installed)),
        (Some(Outcome::CompletedWithHolds), _) if run.installed == 0 => ("held", words.say("monthly-run-only-holds")),
        (Some(Outcome::CompletedWithHolds), _) => ("held", words.count("monthly-run-with-holds", run.installed)),
        (Some(Outcome::Restored), Some(asked)) => ("good", words.say(asked)),
        (Some(Outcome::Restored), None) if run.left => ("back", words.say("monthly-run-put-back")),
        (Some(Outcome::Restored), None) => ("back", words.say("monthly-run-restored")),
        (Some(Outcome::Refused), _) => ("none", words.say("monthly-run-refused")),
        (Some(Outcome::Stuck), _) => ("act", words.say("monthly-run-stuck")),
        (None, _) => ("none", words.say("monthly-run-open")),
    };
    let refused = reasons::refusals(words, &run.refusals).into_iter();
    // A run whose first checks fail is refused.
    let later = run.outcome != Some(Outcome::Refused);
    let failed = run
        .failures
        .iter()
        .map(|failure| sections::failure_text(failure.cause, failure.step, failure.title.as_deref(), later, words));
    let mut points: Vec<String> = refused.chain(failed).collect();
    points.dedup();
    let kept = matches!(run.outcome, Some(Outcome::Completed | Outcome::CompletedWithHolds));
    if kept && !run.failures.is_empty() {
        points.push(words.say("problem-again"));
    }
    points.extend((run.outcome == Some(Outcome::Restored) && run.left).then(|| words.say("monthly-run-left")));
    let todo = run.todo.as_deref().map(|todo| clean_block(todo, TODO_LINES));
    RunView { date: words.date(run.began), tone, text, points, todo }
}
