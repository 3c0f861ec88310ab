//! The sections of the page, one function each.
//!
//! May use: `document`, `words`, `reasons`, `snapshot` for its values. Invariant: as in `view`.

use super::document::{
    CheckLine, CheckSubject, ClosedLine, Failure, FailureCause, HoldLine, Job, ProvenRestore, Report, Restore, Seen,
    StepEnd, StepKind, UpdateLine, UpdateState,
};
use super::reasons::{self, name_of};
use super::view::cell;
use super::words::{Words, outside, own};
use crate::journal::RehearsalResult;
use crate::model::{ComponentId, Outcome, VersionStep, clean_block};
use crate::snapshot::{Rows, TableRows};
use crate::update::Refusal;
use serde::Serialize;

/// How many lines a technical detail has.
const DETAIL_LINES: usize = 12;
/// How many differences that were left are listed.
const LEFT_SHOWN: usize = 10;

/// How many of the vulnerabilities that an update closes are named.
const FIXES_SHOWN: usize = 5;

/// How many tables with visitors' rows are listed.
const TABLES_SHOWN: usize = 40;

/// What happened and what was done.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    pub(super) title: String,
    /// Whether the events have times.
    pub(super) timed: bool,
    pub(super) events: Vec<Happened>,
    /// In the program's own words.
    pub(super) detail: Vec<String>,
    /// What a person has to do, in the program's own words.
    pub(super) todo: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
pub(super) struct Happened {
    /// The time of day; none where there is none.
    pub(super) time: Option<String>,
    pub(super) text: String,
    pub(super) points: Vec<String>,
}

/// The table of updates.
#[derive(Debug, Serialize)]
pub(super) struct Updates {
    pub(super) title: String,
    pub(super) caption: String,
    pub(super) last: String,
    pub(super) rows: Vec<UpdateRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct UpdateRow {
    pub(super) title: String,
    pub(super) kind: String,
    pub(super) before: String,
    pub(super) after: String,
    /// What was tried and what became of it, where that is not simply “updated”; what it closes; that it is a special build.
    pub(super) notes: Vec<String>,
}

/// An update that waits.
#[derive(Debug, Serialize)]
pub(super) struct Hold {
    pub(super) title: String,
    pub(super) kind: String,
    pub(super) step: String,
    pub(super) why: String,
    pub(super) who: String,
}

/// The table of checks.
#[derive(Debug, Serialize)]
pub(super) struct Checks {
    pub(super) title: String,
    pub(super) caption: String,
    /// Whether anything was checked afterwards.
    pub(super) after: bool,
    pub(super) rows: Vec<CheckRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct CheckRow {
    pub(super) what: String,
    pub(super) before: SeenCell,
    pub(super) after: SeenCell,
    pub(super) reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct SeenCell {
    /// The name of a style; no text for a reader.
    pub(super) tone: &'static str,
    pub(super) verdict: String,
    pub(super) detail: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Backup {
    pub(super) title: String,
    pub(super) name: String,
    pub(super) content: String,
    pub(super) changed: Option<String>,
    pub(super) verified: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) start: String,
    pub(super) what: String,
    pub(super) took: String,
    pub(super) bad: bool,
}

/// How many updates were installed and kept.
pub(super) fn installed(report: &Report) -> u64 {
    report.updates.iter().filter(|update| update.state == UpdateState::Applied).count() as u64
}

/// How many checks passed when they were last made, of how many that gave a verdict.
pub(super) fn passed(report: &Report) -> (u64, u64) {
    let verdicts = report.checks.iter().filter_map(|line| last(line).and_then(|seen| seen.passed));
    verdicts.fold((0, 0), |(passed, total), good| (passed + u64::from(good), total + 1))
}

/// How many checks could not be made.
pub(super) fn unknown(report: &Report) -> u64 {
    let unknown = |line: &&CheckLine| last(line).is_some_and(|seen| seen.passed.is_none());
    report.checks.iter().filter(unknown).count() as u64
}

/// Whether the site was changed and not checked since.
pub(super) fn unchecked(report: &Report) -> bool {
    let changed = report.steps.iter().any(|step| matches!(step.kind, StepKind::MaintenanceOn | StepKind::Update));
    let restored = report.restores.iter().any(|restore| restore.done || restore.overwritten.is_some());
    (changed || restored) && report.checks.iter().all(|line| line.after.is_none())
}

/// Whether the last attempt was undone. What was put back after an earlier one says nothing of the site as it is.
pub(super) fn was_put_back(report: &Report) -> bool {
    let last = report.steps.iter().rev().find(|step| step.kind == StepKind::Restore);
    let done = report.restores.last().is_some_and(|restore| restore.done);
    done && last.is_some_and(|step| step.attempt == report.attempts)
}

/// Whether updates that an earlier attempt kept are on a site that did not pass its checks when the last one began.
pub(super) fn broke_later(report: &Report) -> bool {
    let last = report.failures.last();
    report.attempts > 1
        && last.is_some_and(|failure| failure.attempt == report.attempts && failure.step == StepKind::Baseline)
}

fn last(line: &CheckLine) -> Option<&Seen> {
    line.after.as_ref().or(line.before.as_ref())
}

/// What went wrong and what was done about it; none where nothing did.
pub(super) fn problem(report: &Report, words: &Words) -> Option<Problem> {
    let refused = reasons::refusals(words, &report.refusals);
    let refused = refused.into_iter().map(|text| Happened { time: None, text, points: Vec::new() });
    // Failures and restores in the order in which they happened.
    let failures = report.failures.iter().map(|failure| (failure.at, failed(failure, words)));
    let restores = report.restores.iter().flat_map(|restore| {
        let at = restore.ended.unwrap_or(restore.began);
        put_back(restore, &report.job, words).into_iter().map(move |happened| (at, happened))
    });
    let mut told: Vec<_> = failures.chain(restores).collect();
    told.sort_by_key(|(at, _)| *at);
    let mut events: Vec<Happened> = refused.chain(told.into_iter().map(|(_, happened)| happened)).collect();
    if events.is_empty() {
        return None;
    }
    let kept = matches!(report.outcome, Some(Outcome::Completed | Outcome::CompletedWithHolds));
    if kept && report.attempts > 1 {
        events.push(Happened { time: None, text: words.say("problem-again"), points: Vec::new() });
    }
    let stuck = report.outcome == Some(Outcome::Stuck);
    let todo = report.summary.as_deref().filter(|_| stuck).map(|summary| clean_block(summary, DETAIL_LINES));
    let refused = report.outcome == Some(Outcome::Refused);
    let title = words.say(if refused { "problem-title-refused" } else { "problem-title" });
    let timed = events.iter().any(|event| event.time.is_some());
    Some(Problem { title, timed, events, detail: details(report), todo })
}

/// What technicians want to read, in the program's own words.
fn details(report: &Report) -> Vec<String> {
    let failures = report.failures.iter().map(|failure| failure.why.as_str());
    let changed: Vec<String> = report.failures.iter().filter_map(changed).collect();
    let changed = changed.iter().map(String::as_str);
    let restores = report.restores.iter().filter_map(|restore| restore.why.as_deref());
    let refused = report.refusals.iter().filter_map(|refusal| match refusal {
        Refusal::Failed { why } | Refusal::SourceDown { why, .. } => Some(why.as_str()),
        Refusal::Busy { lift, .. } => lift.as_deref(),
        Refusal::Drift { unknown, .. } => unknown.as_deref(),
        _ => None,
    });
    let rows: Vec<String> = report.restores.iter().filter_map(|restore| restore.rows.as_ref()?.told()).collect();
    let rows = rows.iter().map(String::as_str);
    let mut all: Vec<String> = Vec::new();
    for text in
        refused.chain(failures).chain(changed).chain(restores).chain(rows).map(|text| clean_block(text, DETAIL_LINES))
    {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// What the updates that a failure points at had changed.
fn changed(failure: &Failure) -> Option<String> {
    let component = failure.component.as_ref().map(ToString::to_string);
    let (first, rest) = failure.changed.split_first()?;
    let rest: String = rest.iter().map(|line| format!("\n{line}")).collect();
    Some(format!("What {} had changed:\n{first}{rest}", component.as_deref().unwrap_or("it")))
}

fn failed(failure: &Failure, words: &Words) -> Happened {
    let mut points: Vec<String> = Vec::new();
    for point in failure.checks.iter().flat_map(|line| failing(line, words)) {
        // Two checks of one page that see the same say it once.
        if !points.contains(&point) {
            points.push(point);
        }
    }
    Happened {
        time: Some(words.time(failure.at)),
        text: failure_text(failure.cause, failure.step, failure.title.as_deref(), failure.attempt > 1, words),
        points,
    }
}

/// What went wrong, in a sentence; `later`: after an attempt before it, so that checks before this one are not those before
/// all work.
pub(super) fn failure_text(
    cause: FailureCause,
    step: StepKind,
    title: Option<&str>,
    later: bool,
    words: &Words,
) -> String {
    let key = match (cause, step) {
        (FailureCause::Checks, StepKind::Baseline) if later => "problem-step-baseline-later",
        (FailureCause::Checks, StepKind::Baseline) => "problem-step-baseline",
        (FailureCause::Checks, _) => "problem-step-checks",
        (FailureCause::Step, _) => "problem-step",
        (FailureCause::Interrupted, _) => "problem-step-interrupted",
    };
    // Checks after an update are told as the update's: that is what people ask about.
    let blamed = cause == FailureCause::Checks && title.is_some();
    let step = step_name(if blamed { StepKind::Update } else { step }, title, words);
    words.tell(key, &[("step", own(step))])
}

/// `Page /: the page shows a server error.`, one for each reason.
fn failing(line: &CheckLine, words: &Words) -> Vec<String> {
    let what = subject(&line.subject, words);
    let seen = line.after.as_ref().or(line.before.as_ref());
    let reasons = seen.map(|seen| seen.reasons.as_slice()).unwrap_or_default();
    reasons.iter().map(|reason| format!("{what} – {}", reasons::check(words, reason))).collect()
}

fn put_back(restore: &Restore, job: &Job, words: &Words) -> Vec<Happened> {
    let time = Some(words.time(restore.ended.unwrap_or(restore.began)));
    if !restore.done {
        let key = if restore.ended.is_some() { "problem-restore-failed" } else { "problem-restore-interrupted" };
        return vec![Happened { time, text: words.say(key), points: Vec::new() }];
    }
    let compared = match restore.left.len() as u64 {
        0 if has_rows(restore) => words.say("problem-identical-rows"),
        0 => words.say("problem-identical"),
        left => words.count("problem-left", left),
    };
    let key = match job {
        Job::Update => "problem-restored",
        Job::Restore { .. } => "problem-restored-asked",
    };
    let text = format!("{} {compared}", words.count(key, restore.undone_count));
    let points = restore.left.iter().take(LEFT_SHOWN).map(|item| cell(item)).collect();
    let checked = restore.good.map(|good| words.say(if good { "problem-good" } else { "problem-not-good" }));
    let checked = checked.map(|text| Happened { time: None, text, points: Vec::new() });
    let rows = restore.rows.as_ref().and_then(|rows| visitors(rows, words));
    std::iter::once(Happened { time, text, points }).chain(rows).chain(checked).collect()
}

/// Whether the site is not wholly as the snapshot says, or lacks what visitors wrote since.
pub(super) fn has_left(restore: &Restore) -> bool {
    let rows = restore.rows.as_ref().is_some_and(|rows| rows.left() > 0 || !rows.unread.is_empty());
    restore.done && (!restore.left.is_empty() || rows)
}

/// Whether rows that visitors wrote were put back.
pub(super) fn has_rows(restore: &Restore) -> bool {
    restore.rows.as_ref().is_some_and(|rows| rows.put_back() > 0)
}

/// What visitors wrote since the backup, table by table.
fn visitors(rows: &Rows, words: &Words) -> Option<Happened> {
    let number = |number: u64| own(words.number(number));
    let line = |table: &TableRows| {
        let args = [("table", own(cell(&table.table))), ("back", number(table.put_back))];
        let mut line = words.tell("problem-rows-table", &args);
        if table.changed > 0 {
            line = words.tell("problem-rows-changed", &[("line", own(line)), ("changed", number(table.changed))]);
        }
        if table.left() > 0 {
            line = words.tell("problem-rows-left", &[("line", own(line)), ("left", number(table.left()))]);
        }
        line
    };
    let telling = rows.tables.iter().filter(|table| table.put_back + table.changed + table.left() > 0);
    let unread = rows.unread.iter().map(|what| words.tell("problem-rows-unread", &[("what", own(cell(what)))]));
    let points: Vec<String> = telling.map(line).chain(unread).take(TABLES_SHOWN).collect();
    (!points.is_empty()).then(|| Happened { time: None, text: words.say("problem-rows"), points })
}

pub(super) fn kind_line(component: &ComponentId, step: Option<VersionStep>, words: &Words) -> String {
    let kind = words.tell("kind-line", &[("kind", outside(component.kind.as_str()))]);
    match step {
        Some(VersionStep::Major) => words.tell("kind-major", &[("kind", own(kind))]),
        _ => kind,
    }
}

/// The table of updates; none where nothing was planned.
pub(super) fn updates(report: &Report, words: &Words) -> Option<Updates> {
    let kept = report.updates.iter().all(|update| update.state == UpdateState::Applied);
    let read = |version: Option<&str>| version.map_or_else(|| words.say("not-read"), cell);
    let mut rows: Vec<UpdateRow> = report
        .updates
        .iter()
        .map(|update| UpdateRow {
            title: cell(&update.title),
            kind: kind_line(&update.component, Some(update.step), words),
            before: cell(update.from.as_str()),
            after: read(update.read_back.as_ref().map(|version| version.as_str())),
            notes: notes(update, words),
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let database = report.database.as_ref().and_then(|known| known.before.as_ref().zip(known.after.as_ref()));
    if let Some((before, after)) = database.filter(|(before, after)| before != after) {
        let (title, kind) = (words.say("database-title"), words.say("database-kind"));
        rows.push(UpdateRow { title, kind, before: cell(before), after: cell(after), notes: Vec::new() });
    }
    Some(Updates {
        title: words.say(if kept { "updates-title" } else { "updates-title-undone" }),
        caption: words.say(if kept { "updates-caption" } else { "updates-caption-undone" }),
        last: words.say(if kept { "column-after" } else { "column-now" }),
        rows,
    })
}

fn notes(update: &UpdateLine, words: &Words) -> Vec<String> {
    let mut notes = Vec::new();
    if update.state != UpdateState::Applied {
        let state = words.say(&format!("state-{}", name_of(&update.state)));
        notes.push(words.tell("state-line", &[("to", outside(update.to.as_str())), ("state", own(state))]));
    }
    let fixes = closed(&update.fixes, words);
    if !fixes.is_empty() {
        let key = if update.state == UpdateState::Applied { "update-fixes" } else { "update-would-fix" };
        notes.push(words.tell(key, &[("names", outside(&fixes))]));
    }
    notes.extend(update.special.then(|| words.say("update-special")));
    notes
}

/// The vulnerabilities that an update closes, with how long they had been known.
pub(super) fn closed(fixes: &[ClosedLine], words: &Words) -> String {
    let closed = fixes.iter().take(FIXES_SHOWN).map(|closed| match closed.exposed_hours {
        Some(hours) => words.tell("fix-after", &[("name", outside(&closed.name)), ("time", own(words.hours(hours)))]),
        None => cell(&closed.name),
    });
    closed.collect::<Vec<_>>().join(", ")
}

/// What waits.
pub(super) fn holds(holds: &[HoldLine], words: &Words) -> Vec<Hold> {
    let hold = |hold: &HoldLine| {
        let installed = ("installed", outside(hold.installed.as_str()));
        Hold {
            title: cell(&hold.title),
            kind: kind_line(&hold.component, None, words),
            step: match &hold.offered {
                Some(offered) => words.tell("hold-step", &[installed, ("offered", outside(offered.as_str()))]),
                None => words.tell("hold-step-unknown", &[installed]),
            },
            why: reasons::hold(words, &hold.reason, hold.notice),
            who: reasons::lifter(words, hold.lifter, &hold.component.kind),
        }
    };
    holds.iter().map(hold).collect()
}

pub(super) fn subject(subject: &CheckSubject, words: &Words) -> String {
    match subject {
        CheckSubject::Page { path } if path == "/" => words.say("check-home"),
        CheckSubject::Page { path } => words.tell("check-page", &[("path", own(cell(path)))]),
        CheckSubject::Command { command } => words.tell("check-command", &[("command", own(cell(command)))]),
        CheckSubject::Log => words.say("check-log"),
    }
}

/// The table of checks; none where none was made.
pub(super) fn checks(report: &Report, words: &Words) -> Option<Checks> {
    let after = report.checks.iter().any(|line| line.after.is_some());
    let rows: Vec<CheckRow> = report
        .checks
        .iter()
        .enumerate()
        .map(|(place, line)| CheckRow {
            what: numbered(report, place, words),
            before: seen(line.before.as_ref(), &line.subject, words),
            after: seen(line.after.as_ref(), &line.subject, words),
            reasons: last(line).iter().flat_map(|seen| &seen.reasons).map(|r| reasons::check(words, r)).collect(),
        })
        .collect();
    let key = if after { "checks-caption" } else { "checks-caption-before" };
    let title = words.say(if unchecked(report) { "checks-title-before" } else { "checks-title" });
    (!rows.is_empty()).then(|| Checks { title, caption: words.say(key), after, rows })
}

/// What is checked; with a number where the same thing was checked before.
fn numbered(report: &Report, place: usize, words: &Words) -> String {
    let (before, rest) = report.checks.split_at(place.min(report.checks.len()));
    let Some(line) = rest.first() else { return String::new() };
    let what = subject(&line.subject, words);
    match before.iter().filter(|one| one.subject == line.subject).count() as u64 {
        0 => what,
        others => words.tell("check-again", &[("check", own(what)), ("number", own(words.number(others + 1)))]),
    }
}

fn seen(seen: Option<&Seen>, subject: &CheckSubject, words: &Words) -> SeenCell {
    let Some(seen) = seen else {
        return SeenCell { tone: "unknown", verdict: words.say("seen-none"), detail: None };
    };
    let (tone, key) = match seen.passed {
        Some(true) => ("passed", "seen-passed"),
        Some(false) => ("failed", "seen-failed"),
        None => ("unknown", "seen-unknown"),
    };
    let time = seen.elapsed_ms.map(|millis| words.duration(millis));
    let detail = match (subject, seen.status, time) {
        // The status of a page that passed tells clients nothing.
        (CheckSubject::Page { .. }, Some(status), Some(time)) if seen.passed != Some(true) => {
            Some(words.tell("seen-page", &[("status", own(status.to_string())), ("time", own(time))]))
        }
        (CheckSubject::Log, ..) => None,
        (_, _, time) => time,
    };
    SeenCell { tone, verdict: words.say(key), detail }
}

/// The snapshots.
pub(super) fn backups(report: &Report, words: &Words) -> Vec<Backup> {
    let backup = |snapshot: &super::document::Snapshot| {
        let title = words.say(if snapshot.after { "backup-after" } else { "backup-before" });
        let args = [
            ("files", own(words.count("backup-files", snapshot.files))),
            ("size", own(words.bytes(snapshot.bytes))),
            ("objects", own(words.count("backup-objects", snapshot.objects))),
        ];
        Backup {
            title: attempt("backup-attempt", "backup", title, snapshot.attempt, report, words),
            name: cell(&snapshot.name),
            content: words.tell("backup-content", &args),
            changed: snapshot.after.then(|| words.count("backup-changed", snapshot.changed_count)),
            // The day stands at the head of the page.
            verified: match words.date(snapshot.verified) == words.date(report.began) {
                true => words.time(snapshot.verified),
                false => words.moment(snapshot.verified),
            },
        }
    };
    report.snapshots.iter().map(backup).collect()
}

/// The last proven restore, in sentences.
pub(super) fn proven(proven: Option<&ProvenRestore>, words: &Words) -> Vec<String> {
    let Some(proven) = proven else { return Vec::new() };
    let key = match proven.result {
        RehearsalResult::Proven => "proven-all",
        _ if proven.database => "proven-no-start",
        _ => "proven-files",
    };
    let args = [("date", own(words.date(proven.began))), ("took", own(words.duration(proven.took_ms)))];
    let mut said = vec![words.tell("proven-restore", &args), words.say(key)];
    let failed = proven.failed_since.map(|at| words.tell("proven-failed", &[("date", own(words.date(at)))]));
    said.extend(failed);
    said
}

/// Names the attempt where there is more than one.
fn attempt(key: &str, name: &'static str, text: String, attempt: u32, report: &Report, words: &Words) -> String {
    match report.attempts > 1 && attempt > 0 {
        true => words.tell(key, &[(name, own(text)), ("attempt", own(attempt.to_string()))]),
        false => text,
    }
}

fn step_name(kind: StepKind, title: Option<&str>, words: &Words) -> String {
    words.tell("step", &[("kind", own(name_of(&kind))), ("title", own(words.of_name(title.unwrap_or_default())))])
}

/// Every step with its time.
pub(super) fn steps(report: &Report, words: &Words) -> Vec<Step> {
    let step = |step: &super::document::StepLine| {
        let mut what = step_name(step.kind, step.title.as_deref(), words);
        if step.end == StepEnd::Failed {
            what = words.tell("step-failed", &[("step", own(what))]);
        }
        Step {
            start: words.time(step.began),
            what: attempt("attempt-step", "step", what, step.attempt, report, words),
            took: step.took_ms.map_or_else(|| words.say("step-interrupted"), |millis| words.duration(millis)),
            bad: step.end != StepEnd::Done,
        }
    };
    report.steps.iter().map(step).collect()
}
