//! From a run's journal to its report.
//!
//! May use: `document`, and the modules whose events it reads. Invariant: what the journal says
//! of times, versions and verdicts is taken over, never guessed; an odd journal gives a thinner
//! report, not an error.

use super::document::{
    CheckLine, CheckSubject, ClosedLine, Database, Drift, DriftLine, FORMAT, Failure, FailureCause, HoldLine, Job,
    ProvenRestore, Report, Restore, Seen, Snapshot, StepEnd, StepKind, StepLine, UpdateLine, UpdateState,
};
use super::error::ReportError;
use crate::check::{CheckKind, CheckResult, Depth, Observation, Verdict};
use crate::drift;
use crate::journal::{Entry, Event, Opened, Planned, Purpose, Rehearsal, RehearsalResult, StepFailure, StepResult};
use crate::model::{ComponentId, Outcome, RunId, clean_block, clean_line};
use crate::procedure::{Action, Procedure, SnapshotMoment};
use crate::snapshot::{Rows, TableRows};
use jiff::Timestamp;

/// How many characters of a name or a line are kept.
const LINE_CHARS: usize = 300;
/// How many lines of a text are kept.
const BLOCK_LINES: usize = 20;
/// How many entries of a list of changes are kept.
const LIST_LENGTH: usize = 40;
/// How many tables with visitors' rows are kept.
const MOST_TABLES: usize = 1000;

impl Report {
    /// The report of a run, from its journal.
    ///
    /// # Errors
    /// [`ReportError::NotOpened`] when the entries are not those of a run.
    pub fn of(run: RunId, entries: &[Entry]) -> Result<Self, ReportError> {
        let Some(Entry { event: Event::Opened(opened), at, .. }) = entries.first() else {
            return Err(ReportError::NotOpened { run });
        };
        let report = Self::opened(run, opened, *at);
        let mut gather =
            Gather { report, kept: 0, undone: false, database_kept: None, procedure: None, begun: None, last: *at };
        for entry in entries {
            gather.entry(entry);
            gather.last = entry.at;
        }
        gather.end_interrupted();
        Ok(gather.report)
    }

    /// The report with what is known of rehearsals of the site, newest first. Those after the run's end are
    /// none of its business: a report that is made again is the same.
    #[must_use]
    pub fn with_rehearsals(mut self, rehearsals: &[Rehearsal]) -> Self {
        let mine = |one: &&Rehearsal| one.site == self.site && self.ended.is_none_or(|ended| one.began <= ended);
        let known: Vec<Rehearsal> = rehearsals.iter().filter(mine).cloned().collect();
        self.proven_restore = proven(&known);
        self
    }

    fn opened(run: RunId, opened: &Opened, began: Timestamp) -> Self {
        let plan = &opened.plan;
        Self {
            report: FORMAT,
            run,
            site: opened.site.clone(),
            url: line(&plan.url),
            cms: None,
            client: line(&plan.client),
            language: line(&plan.language),
            zone: line(&plan.zone),
            tier: line(&plan.tier),
            cap: plan.cap,
            extensions: None,
            job: match &opened.purpose {
                Purpose::Update => Job::Update,
                Purpose::Restore { snapshot, only, .. } => Job::Restore { snapshot: line(snapshot), only: lines(only) },
            },
            by: line(&opened.by),
            program: line(&opened.program),
            plan: plan.digest,
            procedure: None,
            began,
            ended: None,
            outcome: None,
            summary: None,
            interruptions: 0,
            attempts: 0,
            refusals: Vec::new(),
            updates: Vec::new(),
            database: None,
            drift: None,
            holds: Vec::new(),
            anomalies: Vec::new(),
            failures: Vec::new(),
            restores: Vec::new(),
            checks: Vec::new(),
            snapshots: Vec::new(),
            proven_restore: None,
            steps: Vec::new(),
            versions: Default::default(),
            notes: Vec::new(),
        }
    }
}

/// The last proven restore out of rehearsals of a site, newest first.
pub(super) fn proven(known: &[Rehearsal]) -> Option<ProvenRestore> {
    Rehearsal::last_proven(known).map(|proven| ProvenRestore {
        snapshot: line(&proven.snapshot),
        began: proven.began,
        took_ms: proven.took_ms,
        result: proven.result,
        database: proven.database.is_good(),
        failed_since: known.first().filter(|one| one.result == RehearsalResult::NotProven).map(|one| one.began),
    })
}

/// What is needed besides the report while it grows.
struct Gather {
    report: Report,
    /// How many of the updates were kept by earlier attempts.
    kept: usize,
    /// Whether what the present attempt did is undone.
    undone: bool,
    /// The database's version when the present attempt began, where there were others before it.
    database_kept: Option<String>,
    procedure: Option<Procedure>,
    begun: Option<(StepKind, Option<ComponentId>, Timestamp)>,
    last: Timestamp,
}

impl Gather {
    fn entry(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::Opened(_) => {}
            Event::Planned(planned) => self.planned(planned, at),
            Event::Refused { reasons } => {
                self.step(StepKind::Look, None, self.last, Some(at), StepEnd::Failed);
                self.report.refusals.extend(reasons.iter().cloned());
            }
            Event::StepBegun { step } => {
                self.end_interrupted();
                let (kind, component) = self.action(*step);
                self.begun = Some((kind, component, at));
            }
            Event::StepDone { step, result } => {
                self.end(at, StepEnd::Done);
                self.done(*step, result, at);
            }
            Event::StepFailed { step, failure } => {
                self.end(at, StepEnd::Failed);
                self.failed(*step, failure, at);
            }
            Event::Recovered { .. } => self.report.interruptions = self.report.interruptions.saturating_add(1),
            Event::UnwindBegun { why } => self.unwind(why, at),
            Event::RestoreBegun { snapshot, .. } => {
                self.end_interrupted();
                self.report.restores.push(begun_restore(snapshot, at));
            }
            Event::RestorePrepared { overwrites, rows } => {
                if let Some(restore) = self.report.restores.last_mut() {
                    restore.overwritten = Some(line(overwrites));
                    restore.rows = rows.as_deref().map(cleaned);
                }
            }
            Event::RestoreDone { .. } | Event::RestoreFailed { .. } => self.restored(&entry.event, at),
            Event::UnwindChecked { results, good } => self.checked_again(results, *good, at),
            Event::Healed { .. } => {
                self.report.notes.extend(entry.event.healed().map(|text| clean_block(&text, BLOCK_LINES)));
            }
            Event::Noticed { notice, component } => {
                let mut holds = self.report.holds.iter_mut();
                if let Some(hold) = holds.find(|hold| hold.component == *component) {
                    hold.notice = Some(*notice);
                }
            }
            Event::Noted { what } => self.report.notes.push(clean_block(what, BLOCK_LINES)),
            Event::Closed { outcome, summary, versions } => {
                self.report.ended = Some(at);
                self.report.outcome = Some(*outcome);
                self.report.summary = Some(clean_block(summary, BLOCK_LINES));
                self.report.versions = versions.clone();
                self.settle(*outcome);
            }
        }
    }

    fn planned(&mut self, planned: &Planned, at: Timestamp) {
        self.step(StepKind::Look, None, self.last, Some(at), StepEnd::Done);
        let procedure = &planned.procedure;
        let report = &mut self.report;
        report.attempts = planned.attempt;
        report.procedure = Some(planned.digest);
        report.cms = Some(line(&procedure.cms));
        // What an earlier attempt did stays, unless it was undone.
        let earlier = if self.undone { self.kept } else { report.updates.len() };
        report.updates.truncate(earlier);
        report.updates.retain(|update| update.state == UpdateState::Applied);
        self.kept = report.updates.len();
        self.undone = false;
        report.updates.extend(procedure.updates.iter().map(update_line));
        let noticed: Vec<HoldLine> = report.holds.drain(..).filter(|hold| hold.notice.is_some()).collect();
        report.holds = procedure.holds.iter().map(hold_line).collect();
        report.drift = planned.drift.as_deref().map(drift);
        for hold in &mut report.holds {
            hold.notice = noticed.iter().find(|one| one.component == hold.component).and_then(|one| one.notice);
        }
        if let Some(inventory) = &planned.inventory {
            report.extensions = Some(inventory.counted());
            let earlier = report.database.take();
            let database = inventory.database.as_ref();
            // What it was before the run, and what attempts that stay made of it.
            self.database_kept = earlier.as_ref().and_then(|_| database.map(|database| line(&database.data)));
            report.database = database.map(|database| Database {
                before: earlier.and_then(|earlier| earlier.before).or(Some(line(&database.data))),
                after: self.database_kept.clone(),
                wanted: Some(line(&database.code)),
            });
        }
        self.procedure = Some(procedure.clone());
    }

    fn action(&self, step: usize) -> (StepKind, Option<ComponentId>) {
        let step = self.procedure.as_ref().and_then(|procedure| procedure.steps.get(step));
        step.map_or((StepKind::Look, None), |step| match &step.action {
            Action::Update { component, .. } => (StepKind::Update, Some(component.clone())),
            Action::Activate { component, .. } => (StepKind::Licence, Some(component.clone())),
            other => (kind(other), None),
        })
    }

    fn step(
        &mut self,
        kind: StepKind,
        component: Option<ComponentId>,
        began: Timestamp,
        ended: Option<Timestamp>,
        end: StepEnd,
    ) {
        let title = component.as_ref().and_then(|component| self.title(component));
        let took_ms = ended.map(|ended| millis(began, ended));
        let attempt = self.report.attempts;
        self.report.steps.push(StepLine { attempt, kind, component, title, began, took_ms, end });
    }

    /// The present step is over.
    fn end(&mut self, at: Timestamp, end: StepEnd) {
        if let Some((kind, component, began)) = self.begun.take() {
            self.step(kind, component, began, Some(at), end);
        }
    }

    /// The present step, if there is one, was never heard of again.
    fn end_interrupted(&mut self) {
        if let Some((kind, component, began)) = self.begun.take() {
            self.step(kind, component, began, None, StepEnd::Interrupted);
        }
    }

    fn title(&self, component: &ComponentId) -> Option<String> {
        let updates = self.procedure.iter().flat_map(|procedure| &procedure.updates);
        let found = updates.into_iter().find(|update| update.component == *component);
        found.map(|update| line(&update.title))
    }

    fn done(&mut self, step: usize, result: &StepResult, at: Timestamp) {
        let (kind, component) = self.action(step);
        match result {
            StepResult::Armed { armed: false, said } => self.report.notes.push(clean_block(said, BLOCK_LINES)),
            StepResult::Done | StepResult::Ran { .. } | StepResult::Armed { .. } => {}
            StepResult::Baseline { results, .. } => self.baseline(results),
            StepResult::Checked { results } => {
                if kind == StepKind::FullChecks {
                    self.checked(results);
                }
            }
            StepResult::Snapshot { snapshot } => self.report.snapshots.push(Snapshot {
                attempt: self.report.attempts,
                after: kind == StepKind::SnapshotAfter,
                name: line(&snapshot.name),
                id: snapshot.id,
                verified: at,
                files: snapshot.files,
                bytes: snapshot.bytes,
                objects: snapshot.objects,
                stored_bytes: snapshot.stored_bytes,
                changed_count: snapshot.changed_count,
                changed: lines(&snapshot.changed),
            }),
            StepResult::Updated { version, .. } => {
                let updates = self.report.updates[self.kept..].iter_mut();
                for update in updates.filter(|update| Some(&update.component) == component.as_ref()) {
                    update.state = UpdateState::Applied;
                    for closed in &mut update.fixes {
                        closed.exposed_hours = closed.published.map(|published| millis(published, at) / 3_600_000);
                    }
                    update.read_back = Some(version.clone());
                }
            }
            StepResult::Migrated { database, .. } => {
                if let (Some(known), Some(now)) = (&mut self.report.database, database) {
                    known.after = Some(line(&now.data));
                    known.wanted = Some(line(&now.code));
                }
            }
        }
    }

    fn failed(&mut self, step: usize, failure: &StepFailure, at: Timestamp) {
        let (kind, component) = self.action(step);
        if kind == StepKind::Baseline {
            self.baseline(&failure.results);
        }
        let component = component.or_else(|| failure.blamed.clone());
        if component.is_some() {
            let updates = self.report.updates[self.kept..].iter_mut();
            for update in updates.filter(|update| Some(&update.component) == component.as_ref()) {
                update.state = UpdateState::Failed;
            }
        }
        let failing = failure.results.iter().filter(|result| result.failed());
        let checks: Vec<CheckLine> = failing.map(|result| check_line(result, true)).collect();
        self.report.failures.push(Failure {
            at,
            attempt: self.report.attempts,
            step: kind,
            title: component.as_ref().and_then(|component| self.title(component)),
            component,
            cause: if checks.is_empty() { FailureCause::Step } else { FailureCause::Checks },
            why: clean_block(&failure.why, BLOCK_LINES),
            claim: failure.claim.as_ref().map(Into::into),
            checks,
            changed: Vec::new(),
        });
    }

    /// An unwinding without a failed step comes from an interruption.
    fn unwind(&mut self, why: &str, at: Timestamp) {
        let attempt = self.report.attempts;
        let told = self.report.failures.last().is_some_and(|failure| failure.attempt == attempt);
        let asked = matches!(self.report.job, Job::Restore { .. });
        let begun = self.begun.clone();
        self.end_interrupted();
        if told || asked {
            return;
        }
        let (step, component) = begun.map_or((StepKind::Look, None), |(kind, component, _)| (kind, component));
        self.report.failures.push(Failure {
            at,
            attempt,
            step,
            title: component.as_ref().and_then(|component| self.title(component)),
            component,
            cause: FailureCause::Interrupted,
            why: clean_block(why, BLOCK_LINES),
            claim: None,
            checks: Vec::new(),
            changed: Vec::new(),
        });
    }

    fn restored(&mut self, event: &Event, at: Timestamp) {
        let Some(restore) = self.report.restores.last_mut() else { return };
        let began = restore.began;
        restore.ended = Some(at);
        let end = match event {
            Event::RestoreDone { overwritten, undone, undone_count, suspects_changed, bytes_sent, left, rows } => {
                self.undone = true;
                let attempt = self.report.attempts;
                if let Some(failure) = self.report.failures.last_mut().filter(|failure| failure.attempt == attempt) {
                    failure.changed = lines(suspects_changed);
                }
                restore.rows = rows.as_deref().map(cleaned);
                restore.done = true;
                restore.overwritten = Some(line(overwritten));
                restore.undone = lines(undone);
                restore.undone_count = *undone_count;
                restore.bytes_sent = *bytes_sent;
                restore.left = lines(left);
                StepEnd::Done
            }
            Event::RestoreFailed { why } => {
                restore.why = Some(clean_block(why, BLOCK_LINES));
                StepEnd::Failed
            }
            _ => return,
        };
        self.step(StepKind::Restore, None, began, Some(at), end);
    }

    fn checked_again(&mut self, results: &[CheckResult], good: bool, at: Timestamp) {
        let end = if good { StepEnd::Done } else { StepEnd::Failed };
        self.step(StepKind::RestoredChecks, None, self.last, Some(at), end);
        self.checked(results);
        if let Some(restore) = self.report.restores.last_mut() {
            restore.good = Some(good);
        }
    }

    fn baseline(&mut self, results: &[CheckResult]) {
        self.report.checks = results.iter().map(|result| check_line(result, false)).collect();
    }

    /// Fills in what the checks saw last.
    fn checked(&mut self, results: &[CheckResult]) {
        for result in results {
            let known = self.report.checks.iter_mut().find(|line| line.id == line_id(result));
            match known {
                Some(line) => line.after = Some(seen(result)),
                None => self.report.checks.push(check_line(result, true)),
            }
        }
    }

    /// What the end means for each update.
    fn settle(&mut self, outcome: Outcome) {
        let versions = &self.report.versions;
        for (index, update) in self.report.updates.iter_mut().enumerate() {
            update.state = match (outcome, update.state) {
                (_, UpdateState::Applied) if index >= self.kept && self.undone => UpdateState::Undone,
                (Outcome::Stuck, UpdateState::Applied) if index >= self.kept => UpdateState::Unclear,
                (_, state) => state,
            };
            match versions.get(&update.component) {
                Some(version) => update.read_back = Some(version.clone()),
                // What was read before the undoing says nothing any more.
                None if update.state != UpdateState::Applied => update.read_back = None,
                None => {}
            }
        }
        let kept = matches!(outcome, Outcome::Completed | Outcome::CompletedWithHolds);
        if let Some(database) = self.report.database.as_mut().filter(|_| !kept || self.undone) {
            database.after = self.database_kept.take().filter(|_| kept);
        }
    }
}

fn kind(action: &Action) -> StepKind {
    match action {
        Action::Lock => StepKind::Lock,
        Action::Baseline { .. } => StepKind::Baseline,
        Action::Snapshot { moment: SnapshotMoment::Before } => StepKind::SnapshotBefore,
        Action::Snapshot { moment: SnapshotMoment::After } => StepKind::SnapshotAfter,
        Action::Arm { .. } => StepKind::Arm,
        Action::Disarm => StepKind::Disarm,
        Action::MaintenanceOn { .. } => StepKind::MaintenanceOn,
        Action::Prepare { .. } => StepKind::Prepare,
        Action::Activate { .. } => StepKind::Licence,
        Action::Update { .. } => StepKind::Update,
        Action::Migrate { .. } => StepKind::Migrate,
        Action::Languages { .. } => StepKind::Languages,
        Action::Check { depth: Depth::Quick, .. } => StepKind::QuickChecks,
        Action::Check { depth: Depth::Full, .. } => StepKind::FullChecks,
        Action::Flush { .. } => StepKind::Flush,
        Action::Restart { .. } => StepKind::Restart,
        Action::MaintenanceOff { .. } => StepKind::MaintenanceOff,
        Action::Unlock => StepKind::Unlock,
    }
}

fn update_line(update: &crate::update::Update) -> UpdateLine {
    UpdateLine {
        component: update.component.clone(),
        title: line(&update.title),
        from: update.from.clone(),
        to: update.to.clone(),
        step: update.step,
        source: update.source.as_deref().map(line),
        fixes: update.fixes.iter().take(LIST_LENGTH).map(closed_line).collect(),
        special: update.special,
        state: UpdateState::NotReached,
        read_back: None,
    }
}

fn closed_line(closed: &crate::update::Closed) -> ClosedLine {
    ClosedLine { name: line(&closed.name), published: closed.published, exposed_hours: None }
}

fn hold_line(hold: &crate::model::Hold) -> HoldLine {
    HoldLine {
        component: hold.component.clone(),
        title: line(&hold.title),
        installed: hold.installed.clone(),
        offered: hold.offered.clone(),
        lifter: hold.reason.lifter(),
        reason: hold.reason.clone(),
        notice: None,
    }
}

fn begun_restore(snapshot: &str, began: Timestamp) -> Restore {
    Restore {
        snapshot: line(snapshot),
        began,
        ended: None,
        done: false,
        why: None,
        overwritten: None,
        undone: Vec::new(),
        undone_count: 0,
        bytes_sent: 0,
        left: Vec::new(),
        rows: None,
        good: None,
    }
}

/// Names of tables are the site's own.
fn cleaned(rows: &Rows) -> Rows {
    let table = |table: &TableRows| TableRows { table: line(&table.table), ..table.clone() };
    Rows {
        evidence: rows.evidence.as_deref().map(line),
        tables: rows.tables.iter().take(MOST_TABLES).map(table).collect(),
        unread: lines(&rows.unread),
    }
}

fn line_id(result: &CheckResult) -> String {
    line(&result.check.id)
}

fn check_line(result: &CheckResult, after: bool) -> CheckLine {
    let seen = Some(seen(result));
    CheckLine {
        id: line_id(result),
        subject: match &result.check.kind {
            CheckKind::Http(http) => CheckSubject::Page { path: line(&http.path) },
            // As the plan has it: the check's own arguments are those of the host.
            CheckKind::Command(_) => {
                let id = result.check.id.as_str();
                CheckSubject::Command { command: line(id.strip_prefix("command ").unwrap_or(id)) }
            }
            CheckKind::Log(_) => CheckSubject::Log,
        },
        before: seen.clone().filter(|_| !after),
        after: seen.filter(|_| after),
    }
}

fn seen(result: &CheckResult) -> Seen {
    let (status, elapsed_ms, bytes) = match &result.observation {
        Observation::Http { plain, .. } => (plain.status.map(i32::from), Some(plain.elapsed_ms), Some(plain.bytes)),
        Observation::Command(ran) => (ran.status, Some(ran.elapsed_ms), None),
        Observation::Log(_) => (None, None, None),
    };
    Seen {
        passed: match result.verdict {
            Verdict::Passed => Some(true),
            Verdict::Failed(_) => Some(false),
            Verdict::Unknown(_) => None,
        },
        reasons: result.reasons().to_vec(),
        unknown: match &result.verdict {
            Verdict::Unknown(why) => Some(line(why)),
            _ => None,
        },
        status,
        elapsed_ms,
        bytes,
    }
}

fn drift(found: &drift::Found) -> Drift {
    let change = |one: &drift::Drift| DriftLine {
        part: one.part,
        kind: one.kind,
        subject: line(&one.subject),
        component: one.component.clone(),
        from: one.from.as_deref().map(line),
        to: one.to.as_deref().map(line),
        files: one.files,
        accepted_by: found.accepted.get(&one.mark).map(|acceptance| line(&acceptance.by)),
    };
    Drift {
        since: found.since,
        reference: found.reference.as_deref().map(line),
        changes: found.drifts.iter().map(change).collect(),
        count: found.count,
        unknown: lines(&found.unknown),
    }
}

fn line(text: &str) -> String {
    clean_line(text, LINE_CHARS)
}

fn lines(texts: &[String]) -> Vec<String> {
    texts.iter().take(LIST_LENGTH).map(|text| line(text)).collect()
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}
