//! The loop: ask [`next`], journal it, do it, journal what came of it.

use super::drift::Asked;
use super::fleet;
use super::keeper::renew_every;
use super::licence::{self, Secrets};
use super::notices::Pending;
use super::perform::{Bench, Failed, failed_checks, failure, perform};
use super::preview::{Preview, look, unreadable};
use super::restore::{self, left_by_earlier_runs};
use super::search::Search;
use super::source::{close_site, open_guarded, playbook_digest, snapshot_source};
use super::suspects;
use super::{Ended, Job, Next, Policy, RunError, Runner, WorkError, in_words, next};
use crate::check::{Baseline, Depth};
use crate::drift::Found;
use crate::inventory::{self, Inventory};
use crate::journal::{AttemptState, Entry, Event, JournalError, Opened, PlanExtract, Planned, Purpose, RunState};
use crate::ledger::Decision;
use crate::model::{Outcome, RunId, SiteName, clean_block};
use crate::plan::OnFailure;
use crate::procedure::{self, Action, Procedure, SnapshotMoment};
use crate::remote::Guard;
use crate::site::Expect;
use crate::snapshot;
use crate::update::{self, Refusal};
use std::collections::BTreeMap;

/// When so many tries to restore have failed midway, or the last one is left, visitors' rows are no longer put back: then
/// the snapshot alone has to do, and the rows are in the evidence.
const FAILURES_WITH_ROWS: u32 = 2;

/// How long a run may go on to search for a culprit that began outside the plan's windows.
const OUTSIDE_WINDOWS: std::time::Duration = std::time::Duration::from_secs(3600);

/// One run in hand: its journal and where it stands.
pub(super) struct Driver<'a> {
    pub(super) runner: &'a Runner,
    pub(super) job: &'a Job,
    pub(super) run: RunId,
    pub(super) state: RunState,
    /// The lease under which the site is worked on, whatever the connection.
    guard: Guard,
    bench: Option<Bench>,
}

/// What was seen of a site, and what is to be done.
struct Looked {
    inventory: Option<Inventory>,
    drift: Option<Found>,
    procedure: Procedure,
    refusals: Vec<Refusal>,
    pending: Vec<Pending>,
}

/// Runs a site: looks, decides, and does it.
///
/// # Errors
/// Only when the journal can't be written or an earlier run is still open: whatever else goes
/// wrong is an outcome.
pub async fn run(runner: &Runner, job: &Job) -> Result<Ended, RunError> {
    begin(runner, job, Purpose::Update).await
}

/// Opens a run for a purpose and drives it to its end.
pub(super) async fn begin(runner: &Runner, job: &Job, purpose: Purpose) -> Result<Ended, RunError> {
    let site = job.plan.site.clone();
    let journal = |source| RunError::Journal { site: site.clone(), source };
    let _held = runner.journal.hold(&site, &runner.by).map_err(|source| not_held(&site, source))?;
    if let Some(open) = runner.journal.runs(Some(&site), true, 1).await.map_err(journal)?.first() {
        return Err(RunError::Open { site, run: open.run, opened: open.opened });
    }
    let run = RunId::new(runner.clock.now());
    let mut driver = Driver { runner, job, run, state: RunState::default(), guard: Guard::default(), bench: None };
    driver.write(Event::Opened(Box::new(opened(runner, job, purpose)))).await?;
    driver.drive().await
}

/// Finishes or unwinds the run of a site that was interrupted.
pub async fn recover(runner: &Runner, job: &Job) -> Result<Ended, RunError> {
    let site = job.plan.site.clone();
    let journal = |source| RunError::Journal { site: site.clone(), source };
    let _held = runner.journal.hold(&site, &runner.by).map_err(|source| not_held(&site, source))?;
    let open = runner.journal.runs(Some(&site), true, 1).await.map_err(journal)?;
    let Some(open) = open.first() else {
        return Err(RunError::NothingOpen { site });
    };
    let entries = runner.journal.entries(open.run).await.map_err(journal)?;
    let state =
        RunState::fold(&entries).map_err(|source| RunError::Illegal { site: site.clone(), run: open.run, source })?;
    if let Err(source) = runner.store.readable() {
        return Err(RunError::Locked { site, source });
    }
    let job = &Job { any_time: state.opened.as_ref().is_some_and(|opened| opened.any_time), ..job.clone() };
    if let Some(attempt) = state.attempt() {
        runner.listener.taken_up(&site, &attempt.planned.procedure);
    }
    let mut driver = Driver { runner, job, run: open.run, state, guard: Guard::default(), bench: None };
    let program = env!("CARGO_PKG_VERSION").to_owned();
    driver.write(Event::Recovered { by: runner.by.clone(), program }).await?;
    match driver.settle().await {
        Ok(()) => driver.drive().await,
        Err(error) => {
            driver.leave().await;
            Err(error)
        }
    }
}

/// Why the site can't be held; while it is, no other process of this journal works on it: an open
/// run whose runner is alive needs no recovery.
fn not_held(site: &SiteName, source: JournalError) -> RunError {
    match source {
        JournalError::Held { .. } => RunError::Held(source),
        source => RunError::Journal { site: site.clone(), source },
    }
}

fn opened(runner: &Runner, job: &Job, purpose: Purpose) -> Opened {
    let plan = &job.plan;
    Opened {
        site: plan.site.clone(),
        purpose,
        any_time: job.any_time,
        by: runner.by.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        plan: PlanExtract {
            digest: job.plan_digest,
            client: plan.client.name.clone(),
            language: plan.client.language.as_str().to_owned(),
            tier: plan.tier.to_string(),
            cap: plan.extension_cap(),
            url: plan.url.as_str().to_owned(),
            zone: plan.windows.first().map_or("UTC", |window| window.zone.as_str()).to_owned(),
        },
        accept_modified: job.accept_modified.clone(),
    }
}

impl Driver<'_> {
    /// Journals an event; only then is it true. Who has lost the lease has nothing more to say.
    pub(super) async fn write(&mut self, event: Event) -> Result<(), RunError> {
        let site = &self.job.plan.site;
        if self.guard.is_lost() {
            return Err(RunError::LeaseLost { site: site.clone(), run: self.run });
        }
        let entry = Entry { sequence: self.state.entries + 1, at: self.runner.clock.now(), event };
        let mut state = self.state.clone();
        state.apply(&entry).map_err(|source| RunError::Illegal { site: site.clone(), run: self.run, source })?;
        self.runner
            .journal
            .append(self.run, &entry)
            .await
            .map_err(|source| RunError::Journal { site: site.clone(), source })?;
        self.state = state;
        self.runner.listener.entry(site, self.run, &entry);
        Ok(())
    }

    fn policy(&self) -> Policy {
        let (plan, opened) = (&self.job.plan, self.state.opened_at);
        let outside = || opened.checked_add(OUTSIDE_WINDOWS).ok();
        let until = update::window_end(plan, opened).or_else(outside);
        let limited = !self.job.any_time && !plan.windows.is_empty();
        Policy { until: until.filter(|_| limited), ..Policy::new(plan.on_failure == OnFailure::Isolate) }
    }

    /// The loop.
    async fn drive(&mut self) -> Result<Ended, RunError> {
        let ended = self.turn().await;
        self.leave().await;
        ended
    }

    /// Closes the site if it is open.
    async fn leave(&mut self) {
        if let Some(bench) = self.bench.take() {
            bench.stop_keeping();
            close_site(&bench.site).await;
        }
    }

    async fn turn(&mut self) -> Result<Ended, RunError> {
        loop {
            match next(&self.state, self.policy()) {
                Next::Over => {
                    let (outcome, summary) = self.state.closed.clone().unwrap_or((Outcome::Stuck, String::new()));
                    return Ok(Ended { run: self.run, outcome, summary });
                }
                Next::Plan => self.plan().await?,
                Next::Do(step) => self.step(step).await?,
                Next::Unwind(why) => self.write(Event::UnwindBegun { why }).await?,
                Next::Restore(attempt) => self.restore(attempt).await?,
                Next::CheckRestored => self.check_restored().await?,
                Next::Close(outcome) => self.close(outcome).await?,
            }
        }
    }

    /// Opens the site if it is not open.
    async fn open(&mut self, expect: Expect) -> Result<(), WorkError> {
        if self.bench.is_none() {
            let guard = self.guard.clone();
            let site = open_guarded(self.runner, self.job, expect, Some(self.run), guard).await?;
            let source = match snapshot_source(self.job, &site).await {
                Ok(source) => source,
                Err(error) => {
                    close_site(&site).await;
                    return Err(error);
                }
            };
            let kept = (renew_every(&self.job.plan), Secrets::of(self.runner, self.job).await);
            self.bench = Some(Bench::new(site, self.run, self.runner.clone(), source, kept)?);
        }
        Ok(())
    }

    /// The open site.
    fn bench(&self) -> Result<&Bench, WorkError> {
        self.bench.as_ref().ok_or_else(|| WorkError::Unexpected { what: "the site is not open".into() })
    }

    /// Opens the site if it is not open, and hands it out.
    pub(super) async fn opened_bench(&mut self) -> Result<&Bench, WorkError> {
        self.open(Expect::Anything).await?;
        self.bench()
    }

    /// Takes the lease over from a runner that died, and then ends what still runs for it: in this order, so that
    /// whatever that one still sends is refused, or ended.
    async fn take_over(&mut self, locked: bool) -> Result<(), WorkError> {
        let number = self.state.entries;
        let bench = self.opened_bench().await?;
        if locked {
            bench.take_lease(number).await?;
        }
        Ok(bench.site.clear_leftovers(bench.run).await?)
    }

    /// After an interruption: end what still runs on the host, and let our checks in again.
    async fn settle(&mut self) -> Result<(), RunError> {
        let locked = self.state.attempt().is_some_and(AttemptState::has_locked);
        let cleared = self.take_over(locked).await;
        if self.guard.is_lost() {
            return Err(RunError::LeaseLost { site: self.job.plan.site.clone(), run: self.run });
        }
        let attempt = self.state.attempt().cloned().filter(AttemptState::locked);
        let Some(attempt) = attempt else {
            // Nothing of the site is at stake: what follows opens it as it needs it, if it needs it.
            if let Err(error) = cleared {
                tracing::warn!(%error, "what the interrupted run left on the host could not be looked for");
            }
            self.leave().await;
            return Ok(());
        };
        let site = self.job.plan.site.clone();
        let unreachable = |source| RunError::Unreachable { site: site.clone(), source: Box::new(source) };
        cleared.map_err(unreachable)?;
        let taken_up = match locked {
            true => self.take_up_switch().await,
            false => Ok(None),
        };
        if let Some(event) = taken_up.map_err(unreachable)? {
            let healed = event.healed().is_some();
            self.write(event).await?;
            if healed {
                self.disarm().await.map_err(unreachable)?;
            }
        }
        let bench = self.opened_bench().await.map_err(unreachable)?;
        if attempt.touched() && attempt.unwind.is_none() {
            let steps = attempt.planned.procedure.steps.iter().zip(&attempt.steps);
            let mut switch = None;
            for (step, _) in steps.filter(|(_, state)| **state != crate::journal::StepState::Waiting) {
                match &step.action {
                    Action::MaintenanceOn { command } => switch = Some(command.clone()),
                    Action::MaintenanceOff { .. } => switch = None,
                    _ => {}
                }
            }
            if let Some(command) = switch {
                // Best effort: a site whose PHP is dead needs no switch, it is restored anyway.
                let _ = bench.operate(&command).await;
            }
        }
        Ok(())
    }

    /// Looks and decides; any failure here leaves the site untouched.
    async fn plan(&mut self) -> Result<(), RunError> {
        let attempt = u32::try_from(self.state.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let purpose = self.state.opened.as_ref().map(|opened| opened.purpose.clone());
        let restore = matches!(purpose, Some(Purpose::Restore { .. }));
        let expect = if restore { Expect::Anything } else { Expect::Whole };
        let looked = match self.open(expect).await {
            Err(error) => Err(error),
            Ok(()) if restore => Ok(Looked {
                inventory: None,
                drift: None,
                procedure: self.restore_procedure(),
                refusals: unreadable(self.runner).into_iter().collect(),
                pending: Vec::new(),
            }),
            Ok(()) => self.look().await,
        };
        match looked {
            Err(error) => self.write(Event::Refused { reasons: vec![Refusal::Failed { why: in_words(&error) }] }).await,
            Ok(looked) if !looked.refusals.is_empty() => self.write(Event::Refused { reasons: looked.refusals }).await,
            Ok(Looked { inventory, drift, procedure, pending, .. }) => {
                let (digest, drift) = (procedure.digest(), drift.map(Box::new));
                self.write(Event::Planned(Box::new(Planned { attempt, inventory, drift, procedure, digest }))).await?;
                // What waits was told by the first attempt.
                self.notice(if attempt == 1 { pending } else { Vec::new() }).await
            }
        }
    }

    pub(super) async fn decide(&self, decision: Decision) -> Result<u64, RunError> {
        let (now, runner) = (self.runner.clock.now(), self.runner);
        let decided = runner.journal.decide(now, &runner.by, &decision).await;
        decided.map_err(|source| RunError::Journal { site: self.job.plan.site.clone(), source })
    }

    fn restore_procedure(&self) -> Procedure {
        let digest = playbook_digest(&self.job.playbook, &self.job.scripts);
        procedure::build_restore(&self.job.plan, &self.job.playbook, digest)
    }

    async fn look(&self) -> Result<Looked, WorkError> {
        let bench = self.bench()?;
        let found = self.state.attempts.first().and_then(|attempt| attempt.planned.drift.as_deref());
        // Who opened the run accepted it, whoever goes on with it.
        let accepts = self.state.opened.as_ref().map_or(&[][..], |opened| &opened.accept_modified);
        let asked = Asked { source: Some(&bench.source), found, accepts };
        let search = Search::of(&self.state.attempts);
        let preview = look(self.runner, self.job, &bench.site, &search, asked).await?;
        let Preview { inventory, drift, procedure, refusals, pending, .. } = preview;
        Ok(Looked { inventory: Some(inventory), drift, procedure, refusals, pending })
    }

    /// The present attempt; the loop never asks for a step without one.
    fn attempt(&self) -> Result<AttemptState, Failed> {
        self.state
            .attempt()
            .cloned()
            .ok_or_else(|| failure(WorkError::Unexpected { what: "there is no procedure".into() }))
    }

    /// A lock is given back over a connection that is alive. What the dead one left on the host goes.
    async fn reopen_if_unready(&mut self) {
        let was_open = self.bench.is_some();
        self.drop_unready_site().await;
        if let (true, None) = (was_open, &self.bench)
            && let Ok(bench) = self.opened_bench().await
            && let Err(error) = bench.site.clear_leftovers(bench.run).await
        {
            tracing::warn!(%error, "what a connection that broke left on the host could not be removed");
        }
    }

    async fn step(&mut self, step: usize) -> Result<(), RunError> {
        self.write(Event::StepBegun { step }).await?;
        let entry = self.state.entries;
        let unlocks = |attempt: &AttemptState| matches!(attempt.planned.procedure.steps[step].action, Action::Unlock);
        if self.state.attempt().is_some_and(unlocks) {
            self.reopen_if_unready().await;
        }
        let result = match self.attempt() {
            Err(failure) => Err(failure),
            Ok(attempt) => match self.opened_bench().await {
                Err(error) => Err(failure(error)),
                Ok(bench) => {
                    let done = perform(bench, &attempt, &attempt.planned.procedure.steps[step].action, entry).await;
                    done.map_err(|mut failed| {
                        failed.why = bench.secrets.cleared(std::mem::take(&mut failed.why));
                        failed
                    })
                }
            },
        };
        for what in self.bench.as_ref().map(Bench::remarks).unwrap_or_default() {
            self.write(Event::Noted { what }).await?;
        }
        self.write(match result {
            Ok(result) => Event::StepDone { step, result: Box::new(result) },
            Err(failure) => Event::StepFailed { step, failure },
        })
        .await
    }

    /// What to put back: the snapshot that was asked for, or the one taken before the change.
    pub(super) fn target(&self) -> Option<(String, Vec<String>)> {
        match self.state.opened.as_ref().map(|opened| &opened.purpose) {
            Some(Purpose::Restore { snapshot, only, .. }) => Some((snapshot.clone(), only.clone())),
            _ => {
                let before = self.state.attempt()?.snapshot(SnapshotMoment::Before)?;
                Some((before.name.clone(), Vec::new()))
            }
        }
    }

    async fn restore(&mut self, attempt: u32) -> Result<(), RunError> {
        let Some((snapshot, only)) = self.target() else {
            let begun = Event::RestoreBegun { snapshot: "none".into(), attempt };
            self.write(begun).await?;
            return self.write(Event::RestoreFailed { why: "the journal names no snapshot".into() }).await;
        };
        self.write(Event::RestoreBegun { snapshot: snapshot.clone(), attempt }).await?;
        if attempt > 1 {
            // What stopped the first try, such as a line that is cut, may pass.
            let pause = 3_u64.saturating_pow(attempt - 1);
            tokio::time::sleep(std::time::Duration::from_secs(pause)).await;
        }
        self.drop_unready_site().await;
        let prepared = match self.prepare(&snapshot, &only, attempt).await {
            Ok(prepared) => prepared,
            Err(error) => return self.write(Event::RestoreFailed { why: in_words(&error) }).await,
        };
        let some = |rows: Option<snapshot::Rows>| rows.filter(|rows| !rows.is_empty()).map(Box::new);
        let (overwrites, rows) = (prepared.before().name.to_string(), some(prepared.rows()));
        let off = self.off_after_restore(prepared.target(), &only);
        self.write(Event::RestorePrepared { overwrites, rows }).await?;
        let applied = self.apply(prepared).await;
        if let (Ok(_), Some(off)) = (&applied, off) {
            self.let_in(&off).await?;
        }
        let applied = match applied {
            // Else the host would put itself back later, and take off what was put back now.
            Ok(restored) => self.disarm().await.map(|()| restored),
            error => error,
        };
        let event = match applied {
            Ok(restored) => {
                let undone = restored.undone.substance();
                let files = &self.job.playbook.files;
                let suspects_changed = self.state.attempt().map(|tried| suspects::changed(&undone, tried, files));
                Event::RestoreDone {
                    overwritten: restored.before.to_string(),
                    undone: undone.lines(40),
                    undone_count: u64::try_from(undone.changes.len()).unwrap_or(u64::MAX),
                    suspects_changed: suspects_changed.unwrap_or_default(),
                    bytes_sent: restored.bytes_sent,
                    left: restored.left.lines(40),
                    rows: some(restored.rows),
                }
            }
            Err(error) => Event::RestoreFailed { why: in_words(&error) },
        };
        self.write(event).await
    }

    async fn apply(&self, prepared: snapshot::Prepared) -> Result<snapshot::Restored, WorkError> {
        if self.guard.path().is_none() {
            return Err(WorkError::Unexpected {
                what: "the site is not changed, because its lease is not held".into(),
            });
        }
        Ok(prepared.apply(&self.bench()?.progress()).await?)
    }

    /// How rows that visitors wrote are kept; none where the exact old state was asked for.
    async fn keep_rows(&self, snapshot: &str, attempt: u32) -> Result<Option<snapshot::KeepRows>, WorkError> {
        let mut earlier = Vec::new();
        if let Some(Purpose::Restore { exact, .. }) = self.state.opened.as_ref().map(|opened| &opened.purpose) {
            if *exact {
                return Ok(None);
            }
            earlier = left_by_earlier_runs(self.runner, &self.job.plan.site, self.run).await?;
            // What is older than the snapshot is no news to it. Names begin with the time.
            earlier.retain(|name| name.as_str() > snapshot);
        }
        let unwind = self.state.attempt().and_then(|attempt| attempt.unwind.as_ref());
        earlier.extend(unwind.iter().flat_map(|unwind| unwind.overwritten.iter().cloned()));
        let failures = unwind.map_or(0, |unwind| unwind.failures);
        let last_chance = failures > 0 && attempt >= self.policy().max_restores;
        let folder = format!("{}.{attempt}", self.state.attempts.len());
        Ok(Some(snapshot::KeepRows {
            folder: self.runner.evidence.join(self.run.to_string()).join(folder),
            earlier: earlier.iter().filter_map(|name| name.parse().ok()).collect(),
            put_back: failures < FAILURES_WITH_ROWS && !last_chance,
        }))
    }

    async fn prepare(
        &mut self,
        snapshot: &str,
        only: &[String],
        attempt: u32,
    ) -> Result<snapshot::Prepared, WorkError> {
        let procedure = self.state.attempt().map(|attempt| attempt.planned.procedure.clone());
        let on = self.job.playbook.operations.maintenance.as_ref().map(|switch| switch.on.clone());
        let only = restore::only(only)?;
        let rows = self.keep_rows(snapshot, attempt).await?;
        let bench = self.opened_bench().await?;
        bench.site.clear_leftovers(bench.run).await?;
        if let (Some(on), true) = (&on, only.is_empty()) {
            // Visitors wait while files and tables are replaced. A dead PHP needs no switch.
            let _ = bench.operate(on).await;
            bench.let_requests_end().await;
        }
        let last = procedure.map(|procedure| procedure.maintenance_files).unwrap_or_default();
        bench.prepare(snapshot, only, &last, rows).await
    }

    /// Forgets a site over whose connection nothing runs any more, or whose scripts are gone, so
    /// that the next use opens it anew.
    async fn drop_unready_site(&mut self) {
        let Some(bench) = &self.bench else { return };
        if !bench.site.is_ready().await {
            // What was removed from under a tool may have been made anew by it.
            self.leave().await;
        }
    }

    async fn check_restored(&mut self) -> Result<(), RunError> {
        self.drop_unready_site().await;
        let attempt = match self.attempt() {
            Ok(attempt) => attempt,
            Err(failure) => return self.write(Event::Noted { what: failure.why }).await,
        };
        let none = Baseline::default();
        let baseline = attempt.baseline().cloned().unwrap_or(none);
        let patience = procedure::patience(&self.job.plan, &self.job.playbook);
        self.refresh().await?;
        let results = match self.opened_bench().await {
            Err(error) => Err(failure(error)),
            Ok(bench) => bench.check(&attempt.planned.procedure, Depth::Full, &baseline, patience).await,
        };
        let (results, good) = match results {
            Ok(results) => {
                let good = failed_checks(&results).is_none();
                (results, good)
            }
            Err(failure) => {
                self.write(Event::Noted { what: format!("the restored site could not be checked: {}", failure.why) })
                    .await?;
                (Vec::new(), false)
            }
        };
        self.write(Event::UnwindChecked { results, good }).await
    }

    async fn close(&mut self, outcome: Outcome) -> Result<(), RunError> {
        if outcome == Outcome::Stuck
            && self.guard.path().is_some()
            && let Err(error) = self.disarm().await
        {
            // A person is about to act: nothing else should.
            let what = format!("the dead man's switch on the host could not be disarmed: {}", in_words(&error));
            self.write(Event::Noted { what }).await?;
        }
        if let Err(error) = self.protect_fleet(outcome).await {
            tracing::warn!(%error, "what broke the site could not be written down for the rest of the fleet");
        }
        licence::tell_fleet(self.runner, &self.state, self.job, self.run).await;
        restore::tell_anomaly(self.runner, &self.state, self.run, outcome).await;
        let summary = self.summary(outcome);
        let versions = match (&self.bench, outcome) {
            (Some(bench), Outcome::Completed | Outcome::CompletedWithHolds | Outcome::Restored) => {
                // What the report shows; the steps themselves have read their versions already.
                inventory::read_versions(&bench.site).await.map(|read| read.versions).unwrap_or_default()
            }
            _ => BTreeMap::new(),
        };
        self.write(Event::Closed { outcome, summary, versions }).await
    }

    /// Writes down which versions broke the site, so that they are held on similar ones: those that a check caught, and
    /// only where the site was as good as before once they were gone.
    async fn protect_fleet(&self, outcome: Outcome) -> Result<(), RunError> {
        if !matches!(outcome, Outcome::Restored | Outcome::CompletedWithHolds) {
            return Ok(());
        }
        let journal = |source| RunError::Journal { site: self.job.plan.site.clone(), source };
        let known = self.runner.journal.ledger().await.map_err(journal)?.immunities();
        for decision in fleet::broke(&self.state, self.job, self.run, &known) {
            self.decide(decision).await?;
        }
        Ok(())
    }

    /// The end in words, with what became of visitors' rows.
    fn summary(&self, outcome: Outcome) -> String {
        let unwound = self.state.attempts.iter().filter_map(|attempt| attempt.unwind.as_ref());
        let rows: Vec<String> = unwound.filter_map(|unwind| unwind.rows.as_ref()?.told()).collect();
        let end = self.end(outcome);
        match rows.is_empty() {
            true => end,
            // Of a run that is stuck, each thing has a line of its own.
            false if outcome == Outcome::Stuck => format!("{end}\nWhat visitors wrote: {}", rows.join("; ")),
            false => format!("{end}; what visitors wrote: {}", rows.join("; ")),
        }
    }

    fn end(&self, outcome: Outcome) -> String {
        let site = &self.job.plan.site;
        let attempt = self.state.attempt();
        let kept = self.state.attempts.iter().filter(|attempt| attempt.kept());
        let moved: usize = kept.map(|attempt| attempt.planned.procedure.updates.len()).sum();
        let waiting = |attempt: &AttemptState| match (&attempt.planned.procedure, attempt.kept()) {
            (procedure, true) => procedure.holds.len(),
            // What it tried was undone.
            (procedure, false) => procedure.holds.len() + procedure.updates.len(),
        };
        let holds = attempt.map_or(0, waiting);
        let unwound = self.state.attempts.iter().rev().find_map(|attempt| attempt.unwind.as_ref());
        let why = unwound.map(|unwind| unwind.why.clone());
        match outcome {
            Outcome::Completed if moved == 0 => "nothing was pending; the site is backed up and checked".into(),
            Outcome::Completed => format!("{moved} updates applied and checked"),
            Outcome::CompletedWithHolds => {
                let why = self.unfinished().map(|why| format!("; {why}")).unwrap_or_default();
                format!("{moved} updates applied and checked, {holds} held{why}")
            }
            Outcome::Restored => format!(
                "the site is as it was before, compared file by file and table by table; {}",
                why.unwrap_or_default()
            ),
            Outcome::Refused => {
                let reasons: Vec<String> = self.state.refused.iter().map(ToString::to_string).collect();
                let failed = attempt.and_then(AttemptState::failure);
                let failed = failed.map(|(index, failure)| {
                    let step = attempt.map(|attempt| attempt.planned.procedure.steps[index].name.clone());
                    format!("{}: {}", step.unwrap_or_default(), failure.why)
                });
                let all: Vec<String> = reasons.into_iter().chain(failed).collect();
                format!("nothing was changed: {}", all.join("; "))
            }
            Outcome::Stuck => self.stuck(site.as_str(), why.unwrap_or_default()),
        }
    }

    /// Why the search for what breaks the site did not come to its end.
    fn unfinished(&self) -> Option<String> {
        let attempt = self.state.attempt()?;
        let refused: Vec<String> = self.state.refused.iter().map(ToString::to_string).collect();
        let failure = attempt.failure().filter(|_| attempt.unwind.is_none());
        match (refused.is_empty(), failure) {
            (false, _) => Some(format!("then it could not go on: {}", refused.join("; "))),
            (true, Some((step, failure))) => {
                let step = attempt.planned.procedure.steps.get(step).map(|step| step.name.as_str());
                Some(format!("then {} failed: {}", step.unwrap_or("a step"), failure.why))
            }
            (true, None) => Search::of(&self.state.attempts).goes_on().then(|| {
                "the search for what breaks the site ended at the limit of attempts, or of the window".to_owned()
            }),
        }
    }

    /// What a person has to do where updates that had passed their checks do not any more.
    fn stuck_later(&self, site: &str) -> Option<String> {
        let attempt = self.state.attempt().filter(|attempt| attempt.unwind.is_none())?;
        let (_, failure) = attempt.failure()?;
        let before = self.state.attempts.iter().find_map(|attempt| attempt.snapshot(SnapshotMoment::Before))?;
        let text = format!(
            "updates were applied and passed their checks, and then the site did not pass them any more: {}\n\
             Look at the site; what puts it back as it was before the run: intendant restore {site} {}",
            failure.why, before.name
        );
        Some(clean_block(&text, 20))
    }

    /// What a person has to do.
    fn stuck(&self, site: &str, why: String) -> String {
        if let Some(text) = self.stuck_later(site) {
            return text;
        }
        let unwind = self.state.attempt().and_then(|attempt| attempt.unwind.as_ref());
        let snapshot = self.target().map(|(name, _)| name).unwrap_or_default();
        let how = match unwind {
            Some(unwind) if unwind.restored => format!(
                "the site was put back and is what snapshot {snapshot} says, but it does not pass its checks.\n\
                 Look at the site and at what it depends on (database server, PHP, DNS); then: intendant doctor {site}"
            ),
            _ => format!(
                "the site could not be put back: {}\nMend the cause (connection, room, rights), then: \
                 intendant restore {site} {snapshot}",
                unwind
                    .and_then(|unwind| unwind.last_failure.clone())
                    .unwrap_or_else(|| "each try was interrupted, none came to its end".into())
            ),
        };
        clean_block(&format!("{how}\nWhat led to it: {why}"), 20)
    }
}
