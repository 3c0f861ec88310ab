//! Does one step on a site that is open, and reads back what it did.

use super::along::{Along, Read, moved_along};
use super::keeper::Keeper;
use super::licence::{self, Entering, Secrets};
use super::{Runner, WorkError, in_words};
use crate::check::{
    self, Baseline, Check, CheckKind, CheckResult, Depth, Means, Observation, Pass, Patience, Prober, ProberSettings,
};
use crate::inventory::{self, InventoryError};
use crate::journal::{AttemptState, Claim, RunState, Sign, SnapshotRecord, StepFailure, StepResult};
use crate::model::{ComponentId, RunId, Version};
use crate::playbook::{CommandTemplate, Values};
use crate::procedure::{Action, Procedure};
use crate::remote::{Command, RemoteError};
use crate::site::{Holder, Lease, Site, SiteError, Switch, SwitchState};
use crate::snapshot::{self, CaptureRequest, Captured, Phase, Progress, Source, Store};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A step that failed.
pub(super) type Failed = Box<StepFailure>;

/// An open site with what a run needs around it.
pub(super) struct Bench {
    pub(super) site: Site,
    pub(super) run: RunId,
    pub(super) runner: Runner,
    pub(super) source: Source,
    pub(super) prober: Prober,
    /// The plain text of the secret that lets our own checks in; its hash is on the host.
    secret: SecretString,
    /// The pause between two renewals of the lease.
    renew_every: Duration,
    /// What no program's words are kept with.
    pub(super) secrets: Secrets,
    /// Renews it, once there is one.
    keeper: Mutex<Option<Keeper>>,
    /// The versions as they were read after the last update.
    read: Mutex<Option<(u32, Read)>>,
    /// What is worth knowing of the present step and does not make it fail.
    remarks: Mutex<Vec<String>>,
}

impl Bench {
    pub(super) fn new(
        site: Site,
        run: RunId,
        runner: Runner,
        source: Source,
        (renew_every, secrets): (Duration, Secrets),
    ) -> Result<Self, WorkError> {
        let secret = SecretString::from(format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()));
        let maintenance = site.playbook.operations.maintenance.as_ref();
        let pass = maintenance
            .and_then(|switch| switch.header.as_ref())
            .map(|header| Pass { header: header.as_str().to_owned(), secret: secret.clone() });
        let settings = ProberSettings { pass, ..ProberSettings::default() };
        let prober = Prober::new(&site.address.url, settings)?;
        let (keeper, read, remarks) = Default::default();
        let bench = Self { site, run, runner, source, prober, secret, renew_every, secrets, keeper, read, remarks };
        if bench.lease().is_held() {
            bench.keep();
        }
        Ok(bench)
    }

    fn lease(&self) -> Lease<'_> {
        Lease::new(&self.site)
    }

    /// Takes the site's lease, or says who has it; a runner of the same run that came earlier loses it. `entry`: that of
    /// the journal by which it is taken, so it grows with each runner.
    pub(super) async fn take_lease(&self, entry: u64) -> Result<(), SiteError> {
        self.lease().take(&self.holder(), generation(entry)).await?;
        self.keep();
        Ok(())
    }

    fn holder(&self) -> Holder {
        Holder { run: self.run, who: self.runner.by.clone() }
    }

    /// Before the connection is closed.
    pub(super) fn stop_keeping(&self) {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn keep(&self) {
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(Keeper::new(&self.site, self.renew_every));
    }

    /// What the site had after the last update of this attempt. What an earlier attempt read was undone since.
    fn last_read(&self, attempt: u32) -> Option<Read> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().filter(|(of, _)| *of == attempt).map(|(_, versions)| versions.clone())
    }

    fn has_read(&self, attempt: u32, versions: &Read) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((attempt, versions.clone()));
    }

    /// What was noticed since this was last asked.
    pub(super) fn remarks(&self) -> Vec<String> {
        std::mem::take(&mut *self.remarks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The host watches over the run no more, and keeps nothing of it. Without a lease there is nothing of ours.
    pub(super) async fn disarm(&self) -> Result<(), SiteError> {
        if self.lease().is_held() { Switch::new(&self.site).disarm().await } else { Ok(()) }
    }

    /// The same for another run's, unless the host has acted: what it keeps then is nowhere else, and a person has to look at
    /// it. `run`: which it was, where that is known.
    async fn end_switch_of(&self, run: Option<RunId>) -> Result<(), Failed> {
        let switch = Switch::new(&self.site);
        if switch.state().await.map_err(failure)? == SwitchState::None {
            return Ok(());
        }
        switch.stop().await.map_err(failure)?;
        match switch.state().await.map_err(failure)? {
            SwitchState::Healed(healed) => Err(plain_failure(format!(
                "nothing was heard of {} at its end, and the host put the site back by itself at {}; what it overwrote is \
                 kept in {} there: take what you need, remove that folder, and try again",
                run.map_or_else(|| "an earlier run".to_owned(), |run| format!("run {run}")),
                healed.began,
                switch.folder()
            ))),
            _ => switch.disarm().await.map_err(failure),
        }
    }

    /// A command with the scripts of the playbook elsewhere: for when this runner is gone, and the private folder with it.
    pub(super) fn standing_command(&self, template: &CommandTemplate, scripts: &str) -> Result<Command, SiteError> {
        let command = self.site.command(template, &self.values())?;
        Ok(with_scripts_in(command, &self.site.host.folder, scripts))
    }

    fn values(&self) -> Values {
        let hash: String =
            Sha256::digest(self.secret.expose_secret().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        [("token".to_owned(), hash)].into()
    }

    /// Runs a command that may change the site.
    pub(super) async fn operate(&self, template: &CommandTemplate) -> Result<Claim, Failed> {
        let command = self.site.command(template, &self.values()).map_err(failure)?;
        let output = match self.site.shell.run(&command).await {
            Ok(output) => output,
            Err(error) => {
                // One that never ends did wrong itself; of any other the line may be to blame.
                let hung = matches!(error, RemoteError::TimedOut { .. });
                let claim = Claim { command: command.shown(), status: TIMED_OUT, said: String::new() };
                let mut failure = failure(error);
                failure.claim = hung.then_some(claim);
                return Err(failure);
            }
        };
        let claim = Claim { command: command.shown(), status: output.status, said: self.secrets.said(&output) };
        let allowed = template.exit.iter().any(|status| i32::from(*status) == output.status);
        if allowed {
            return Ok(claim);
        }
        Err(Box::new(StepFailure {
            why: format!("`{}` ended with status {}: {}", claim.command, claim.status, claim.said),
            claim: Some(claim),
            results: Vec::new(),
            blamed: None,
            sign: None,
        }))
    }

    /// The checks with tools, folders and values of this host.
    fn checks(&self, procedure: &Procedure) -> Result<Vec<Check>, SiteError> {
        let mut checks = procedure.checks.clone();
        for check in &mut checks {
            if let CheckKind::Command(command) = &mut check.kind {
                let argv = if command.open { self.site.inserted(&command.argv)? } else { command.argv.clone() };
                let resolved = self.site.resolved(&argv);
                command.argv = resolved.argv;
                command.folder = resolved.folder;
                command.open = false;
            }
        }
        Ok(checks)
    }

    /// Runs all of them, whatever becomes of the others: the first failure.
    pub(super) async fn operate_each(&self, commands: &[CommandTemplate]) -> Result<(), Failed> {
        let mut failed = Ok(());
        for command in commands {
            let done = self.operate(command).await.map(drop);
            failed = failed.and(done);
        }
        failed
    }

    fn means(&self) -> Means<'_> {
        Means { prober: &self.prober, shell: self.site.shell.as_ref() }
    }

    /// Where the error logs end now: what a half-copied tree wrote says nothing of the site after it.
    async fn mark_logs(
        &self,
        procedure: &Procedure,
        baseline: &Baseline,
    ) -> Result<Vec<(String, Observation)>, Failed> {
        let checks = self.checks(procedure).map_err(failure)?;
        let mut marks = check::mark_logs(&checks, baseline, self.site.shell.as_ref()).await.map_err(failure)?;
        marks.iter_mut().for_each(|(_, seen)| self.secrets.clear_seen(seen));
        Ok(marks)
    }

    /// Runs checks against the baseline.
    pub(super) async fn check(
        &self,
        procedure: &Procedure,
        depth: Depth,
        baseline: &Baseline,
        patience: Patience,
    ) -> Result<Vec<CheckResult>, Failed> {
        let mut checks = self.checks(procedure).map_err(failure)?;
        // Quick checks come while visitors are asked to wait.
        for check in checks.iter_mut().filter(|_| depth == Depth::Quick) {
            if let CheckKind::Http(http) = &mut check.kind {
                http.waiting = procedure.waiting;
            }
        }
        let mut results = check::run_checks(&checks, depth, baseline, patience, self.means()).await.map_err(failure)?;
        results.iter_mut().for_each(|result| self.secrets.clear_result(result));
        Ok(results)
    }

    pub(super) fn progress(&self) -> Arc<dyn Progress> {
        Arc::new(Relay { runner: self.runner.clone(), site: self.site.address.name.clone() })
    }

    /// Takes a snapshot and reads every byte of it again.
    async fn snapshot(&self) -> Result<SnapshotRecord, Failed> {
        let request = CaptureRequest { now: self.runner.clock.now(), tolerate_unreadable: false };
        let progress = self.progress();
        let captured =
            snapshot::capture(&self.source, &self.runner.store, &request, &progress).await.map_err(failure)?;
        self.verify(&captured, &progress).await?;
        Ok(record(&captured))
    }

    async fn verify(&self, captured: &Captured, progress: &Arc<dyn Progress>) -> Result<(), Failed> {
        let site = &self.site.address.name;
        let store: &Arc<Store> = &self.runner.store;
        let verified = snapshot::verify_snapshot(store, site, &captured.name, progress).await.map_err(failure)?;
        if verified.ok() {
            return Ok(());
        }
        let hurt = verified.hurt.iter().flat_map(|hurt| hurt.items.iter().take(5)).cloned().collect::<Vec<_>>();
        Err(plain_failure(format!(
            "the snapshot {} does not verify: {}; look at the disk of the store, then: intendant snapshot repair",
            captured.name,
            hurt.join(", ")
        )))
    }

    /// Lets requests end that visitors had begun before the maintenance page came.
    pub(super) async fn let_requests_end(&self) {
        if let Some(access) = &self.source.database {
            // A database that does not answer is what the capture will say.
            let _ = snapshot::let_requests_end(&self.source, access).await;
        }
    }

    /// Prepares to put a snapshot back. `last` stays as it is until everything else is in order.
    pub(super) async fn prepare(
        &self,
        target: &str,
        only: Vec<snapshot::Only>,
        last: &[String],
        rows: Option<snapshot::KeepRows>,
    ) -> Result<snapshot::Prepared, WorkError> {
        let target = target.parse().map_err(|_| WorkError::Unexpected {
            what: format!("{:?} is not the name of a snapshot", crate::model::clean_line(target, 80)),
        })?;
        let last = last.iter().filter_map(|path| snapshot::ItemPath::new(path.as_bytes()).ok()).collect();
        let request = snapshot::RestoreRequest { now: self.runner.clock.now(), target, only, last, rows };
        Ok(snapshot::prepare(&self.source, &self.runner.store, request, &self.progress()).await?)
    }
}

/// The command with one folder in the place of another, also in what a tool begins with.
fn with_scripts_in(mut command: Command, folder: &str, scripts: &str) -> Command {
    for argument in &mut command.argv {
        *argument = argument.replace(folder, scripts);
    }
    command
}

/// The status that is noted for a command that was ended at its limit of time, as `timeout` has it.
pub(super) const TIMED_OUT: i32 = 124;

/// The lease's number. Between two of ours there is room for one of the host, which takes the lease when nothing is heard of
/// its runner.
fn generation(entry: u64) -> u64 {
    entry.saturating_mul(2)
}

/// Turns the snapshot's progress into the run's.
pub(super) struct Relay {
    pub(super) runner: Runner,
    pub(super) site: crate::model::SiteName,
}

impl Progress for Relay {
    fn at(&self, phase: Phase, items: u64, of: u64, bytes: u64) {
        self.runner.listener.progress(&self.site, phase, items, of, bytes);
    }
}

fn record(captured: &Captured) -> SnapshotRecord {
    let totals = captured.manifest.totals();
    let since = captured.since_previous.as_ref().map(snapshot::Diff::substance);
    SnapshotRecord {
        name: captured.name.to_string(),
        id: captured.manifest.id(),
        files: totals.files,
        bytes: totals.bytes,
        objects: totals.objects,
        stored_bytes: captured.stats.bytes_stored,
        changed: since.as_ref().map(|diff| diff.lines(40)).unwrap_or_default(),
        changed_count: since.map_or(0, |diff| u64::try_from(diff.changes.len()).unwrap_or(u64::MAX)),
    }
}

/// An error as the failure of a step.
pub(super) fn failure(error: impl std::error::Error) -> Failed {
    plain_failure(in_words(&error))
}

pub(super) fn plain_failure(why: String) -> Failed {
    Box::new(StepFailure { why, claim: None, results: Vec::new(), blamed: None, sign: None })
}

/// What failed, in words, or nothing.
pub(super) fn failed_checks(results: &[CheckResult]) -> Option<String> {
    let failed: Vec<String> = results
        .iter()
        .filter(|result| result.failed())
        .map(|result| {
            let reasons: Vec<String> = result.reasons().iter().map(ToString::to_string).collect();
            format!("{}: {}", result.check.id, reasons.join("; "))
        })
        .collect();
    (!failed.is_empty()).then(|| failed.join("\n"))
}

fn checks_failure(results: Vec<CheckResult>, blamed: Option<ComponentId>) -> Result<Vec<CheckResult>, Failed> {
    match failed_checks(&results) {
        None => Ok(results),
        Some(why) => Err(Box::new(StepFailure { why, claim: None, results, blamed, sign: None })),
    }
}

/// Does a step. `entry`: the number of the journal's entry that announced it.
pub(super) async fn perform(
    bench: &Bench,
    attempt: &AttemptState,
    action: &Action,
    entry: u64,
) -> Result<StepResult, Failed> {
    let procedure = &attempt.planned.procedure;
    if action.changes_site() && !bench.lease().is_held() {
        return Err(plain_failure("the site is not changed, because its lease is not held".into()));
    }
    match action {
        Action::Lock => {
            lock(bench, entry).await?;
            Ok(StepResult::Done)
        }
        Action::Unlock => {
            bench.disarm().await.map_err(failure)?;
            bench.lease().release().await.map_err(failure)?;
            Ok(StepResult::Done)
        }
        Action::Arm { after_s, flush, restart } => {
            super::switch::arm(bench, procedure, Duration::from_secs(*after_s), (flush, restart)).await
        }
        Action::Disarm => {
            bench.disarm().await.map_err(failure)?;
            Ok(StepResult::Done)
        }
        Action::Baseline { patience } => baseline(bench, procedure, *patience).await,
        Action::Snapshot { .. } => Ok(StepResult::Snapshot { snapshot: bench.snapshot().await? }),
        Action::MaintenanceOn { command } | Action::MaintenanceOff { command } => {
            Ok(StepResult::Ran { claims: vec![bench.operate(command).await?] })
        }
        Action::Activate { component, pool, command, probe, parse, .. } => {
            licence::enter(bench, Entering { component, pool, command, probe, parse: parse.as_deref() }).await
        }
        Action::Update { component, from, to, command, .. } => {
            update(bench, attempt, component, from, to, command).await
        }
        Action::Migrate { command, group } => {
            migrate(bench, command).await.map_err(|failure| of_group(failure, procedure, *group))
        }
        Action::Prepare { commands } | Action::Languages { commands } => operate_all(bench, commands).await,
        Action::Flush { commands, group } | Action::Restart { commands, group } => {
            operate_all(bench, commands).await.map_err(|failure| of_group(failure, procedure, *group))
        }
        Action::Check { depth, group, patience } => {
            let mut baseline = attempt.baseline().cloned().unwrap_or_default();
            baseline.absorb(bench.mark_logs(procedure, &baseline).await?);
            let results = bench.check(procedure, *depth, &baseline, *patience).await?;
            let blamed = group.and_then(|group| blame(procedure, group));
            Ok(StepResult::Checked { results: checks_failure(results, blamed)? })
        }
    }
}

async fn operate_all(bench: &Bench, commands: &[CommandTemplate]) -> Result<StepResult, Failed> {
    let mut claims = Vec::new();
    for command in commands {
        claims.push(bench.operate(command).await?);
    }
    Ok(StepResult::Ran { claims })
}

/// What a program of the site did wrong right after a group is that group's fault.
fn of_group(mut failure: Failed, procedure: &Procedure, group: Option<usize>) -> Failed {
    if failure.claim.is_some() {
        failure.blamed = group.and_then(|group| blame(procedure, group));
    }
    failure
}

/// Takes the lease, if an earlier attempt did not; also from a run that our journal knows to be over, such as one that
/// got stuck and whose site is to be restored now. Whatever that run left running ends. A lease that was free may have been removed
/// by a person: what the host keeps of a run of which nothing was heard is not destroyed then.
async fn lock(bench: &Bench, entry: u64) -> Result<(), Failed> {
    let lease = bench.lease();
    if lease.is_held() {
        return Ok(());
    }
    let Err(refused) = bench.take_lease(entry).await else {
        let ended = bench.end_switch_of(None).await;
        if ended.is_err() {
            bench.stop_keeping();
            lease.release().await.map_err(failure)?;
        }
        return ended;
    };
    let held = lease.held().await.map_err(failure)?;
    match held.as_ref().and_then(|held| Some((held, held.run?))) {
        Some((held, run)) if run != bench.run && is_over(bench, run).await => {
            lease.take_over(held, &bench.holder(), generation(entry)).await.map_err(failure)?;
            bench.keep();
            bench.site.clear_leftovers(run).await.map_err(failure)?;
            bench.end_switch_of(Some(run)).await
        }
        _ => Err(failure(refused)),
    }
}

/// Whether our journal has this run, and its end.
async fn is_over(bench: &Bench, run: RunId) -> bool {
    let entries = bench.runner.journal.entries(run).await.unwrap_or_default();
    RunState::fold(&entries).is_ok_and(|state| state.closed.is_some())
}

/// The first component of a group.
fn blame(procedure: &Procedure, wanted: usize) -> Option<ComponentId> {
    procedure.steps.iter().find_map(|step| match &step.action {
        Action::Update { group, component, .. } if *group == wanted => Some(component.clone()),
        _ => None,
    })
}

/// What the site's checks say of it as it is: in words, what fails.
pub(super) async fn failing(bench: &Bench, procedure: &Procedure) -> Result<Option<String>, WorkError> {
    let patience = procedure.steps.iter().find_map(|step| match &step.action {
        Action::Baseline { patience } => Some(*patience),
        _ => None,
    });
    let Some(patience) = patience else { return Ok(None) };
    let checks = bench.checks(procedure)?;
    let (_, mut results) = check::take_baseline(&checks, patience, bench.means()).await?;
    results.iter_mut().for_each(|result| bench.secrets.clear_result(result));
    Ok(failed_checks(&results))
}

async fn baseline(bench: &Bench, procedure: &Procedure, patience: Patience) -> Result<StepResult, Failed> {
    let checks = bench.checks(procedure).map_err(failure)?;
    let (mut baseline, mut results) = check::take_baseline(&checks, patience, bench.means()).await.map_err(failure)?;
    baseline.observations.values_mut().for_each(|seen| bench.secrets.clear_seen(seen));
    results.iter_mut().for_each(|result| bench.secrets.clear_result(result));
    match failed_checks(&results) {
        None => Ok(StepResult::Baseline { baseline, results }),
        Some(why) => Err(Box::new(StepFailure {
            why: format!(
                "the site fails its own checks before anything was done; mend it first, then run again\n{why}"
            ),
            claim: None,
            results,
            blamed: None,
            sign: None,
        })),
    }
}

async fn update(
    bench: &Bench,
    attempt: &AttemptState,
    component: &ComponentId,
    from: &Version,
    to: &Version,
    command: &CommandTemplate,
) -> Result<StepResult, Failed> {
    let blame = |mut failure: Failed| {
        failure.blamed = failure.claim.is_some().then(|| component.clone());
        failure
    };
    // One that can't be read now is not compared; whether the update worked is told by the reading after it.
    let before = match bench.last_read(attempt.planned.attempt) {
        Some(read) => read,
        None => inventory::read_versions(&bench.site).await.map(|read| read.versions).unwrap_or_default(),
    };
    let claim = bench.operate(command).await.map_err(blame)?;
    let read = inventory::read_versions(&bench.site).await.map_err(|error| {
        let remote = match &error {
            InventoryError::Site(SiteError::Remote(remote)) => Some(remote),
            _ => None,
        };
        let of_line = remote.is_some_and(|remote| !matches!(remote, RemoteError::TimedOut { .. }));
        let mut failure = failure(error);
        failure.claim = (!of_line).then(|| claim.clone());
        blame(failure)
    })?;
    let planned = &attempt.planned;
    bench.has_read(planned.attempt, &read.versions);
    let along = |known| moved_along(component, &before, &read.versions, known, &planned.procedure);
    let wrong = match read.versions.get(component) {
        Some(is) if is == to => match planned.inventory.as_ref().map(along).unwrap_or_default() {
            Along { wrong: None, early } => {
                bench.remarks.lock().unwrap_or_else(PoisonError::into_inner).extend(early);
                return Ok(StepResult::Updated { claim, version: to.clone() });
            }
            Along { wrong: Some(what), .. } => format!("is {to} now, and {what}, which this run was not to do"),
        },
        Some(is) if is == from => format!("should be {to} now, and is still {is}"),
        Some(is) => format!("should be {to} now, and is {is}"),
        None => format!("should be {to} now, and is not there any more"),
    };
    Err(blame(Box::new(StepFailure {
        why: format!(
            "{component} {wrong}; `{}` ended with status {} and said: {}",
            claim.command, claim.status, claim.said
        ),
        claim: Some(claim),
        results: Vec::new(),
        blamed: None,
        sign: (read.versions.get(component) == Some(from)).then_some(Sign::StillOld),
    })))
}

async fn migrate(bench: &Bench, command: &CommandTemplate) -> Result<StepResult, Failed> {
    let claim = bench.operate(command).await?;
    let read = inventory::read_versions(&bench.site).await.map_err(failure)?;
    match read.database {
        Some(database) if database.code != database.data => Err(Box::new(StepFailure {
            why: format!(
                "the database should be at version {} now, and is at {}; `{}` ended with status {} and said: {}",
                database.code, database.data, claim.command, claim.status, claim.said
            ),
            claim: Some(claim),
            results: Vec::new(),
            blamed: None,
            sign: None,
        })),
        database => Ok(StepResult::Migrated { claim, database }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_command_goes_by_the_scripts_that_stay_also_in_its_tool() {
        let folder = "/tmp/intendant.0123456789";
        let argv = ["/usr/bin/python3", "-B", "/tmp/intendant.0123456789/intendant_project.py", "/srv/shop", "restart"];
        let command = with_scripts_in(Command::new(argv), folder, "/home/shop/.intendant/switches/1/scripts");
        assert_eq!(
            command.argv,
            [
                "/usr/bin/python3",
                "-B",
                "/home/shop/.intendant/switches/1/scripts/intendant_project.py",
                "/srv/shop",
                "restart"
            ]
        );
    }
}
