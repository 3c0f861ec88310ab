//! Arms the dead man's switch before the first change, and takes up what it did when its runner was lost.
//!
//! May use: `site`, `snapshot`, `journal`. Invariants: what the host overwrote by itself is in the store, or beside the rows that
//! visitors wrote, and in the journal, before it goes from the host.

use super::WorkError;
use super::drive::Driver;
use super::perform::{Bench, Failed, failure};
use crate::journal::{AttemptState, Event, StepResult};
use crate::model::human_bytes;
use crate::playbook::{CommandTemplate, Maintenance};
use crate::procedure::{Action, Procedure};
use crate::remote::Process;
use crate::site::{Arming, Healed, Switch, SwitchState, SwitchedDatabase};
use crate::snapshot::{self, SnapshotName};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// The most bytes of an archive of files that the host kept.
const MAX_FILES_BYTES: u64 = 1 << 40;

/// Arms it; where the host can't, that is said and no failure. Caches are emptied and processes restarted by `flush` and `restart`.
pub(super) async fn arm(
    bench: &Bench,
    procedure: &Procedure,
    after: Duration,
    (flush, restart): (&[CommandTemplate], &[CommandTemplate]),
) -> Result<StepResult, Failed> {
    let switch = Switch::new(&bench.site);
    let scripts = switch.scripts();
    let standing = |command: &CommandTemplate| bench.standing_command(command, &scripts).map_err(failure);
    let all = |commands: &[CommandTemplate]| commands.iter().map(standing).collect::<Result<Vec<_>, _>>();
    let maintenance = bench.site.playbook.operations.maintenance.as_ref();
    let database = match database(bench).await {
        Ok(database) => database,
        Err(why) => return Ok(unarmed(&why)),
    };
    let arming = Arming {
        run: bench.run,
        after,
        exclude: snapshot::exclusions(&bench.source.exclude),
        maintenance: procedure.maintenance_files.clone(),
        on: maintenance.map(|switch| standing(&switch.on)).transpose()?,
        off: maintenance.and_then(Maintenance::off_after_restore).map(standing).transpose()?,
        flush: all(flush)?,
        restart: all(restart)?,
        database,
    };
    Ok(match switch.arm(&arming).await.map_err(failure)? {
        Ok(kilobytes) => {
            let kept = human_bytes(kilobytes.saturating_mul(1024));
            StepResult::Armed { armed: true, said: format!("the state before takes {kept} on the host") }
        }
        Err(why) => unarmed(&why),
    })
}

fn unarmed(why: &str) -> StepResult {
    StepResult::Armed {
        armed: false,
        said: format!(
            "the host will not put itself back if its runner is lost: {why}; `intendant recover` does it then"
        ),
    }
}

/// The database that is put back, if there is one, or why the host can't do it.
async fn database(bench: &Bench) -> Result<Option<SwitchedDatabase>, String> {
    match &bench.source.database {
        None => Ok(None),
        Some(access) if !access.engine.heals() => Err(format!("its database is {}", access.engine.name())),
        Some(access) => match snapshot::whole_dump(&bench.source, access).await {
            Err(error) => Err(super::in_words(&error)),
            Ok(dump) => Ok(dump.map(|dump| SwitchedDatabase {
                name: access.name.clone(),
                credentials: access.credentials.clone(),
                dump: dump.arguments,
                tables: dump.tables,
            })),
        },
    }
}

/// How long the host waits, if the procedure has it wait at all.
fn armed_for(attempt: &AttemptState) -> Option<Duration> {
    attempt.planned.procedure.steps.iter().find_map(|step| match step.action {
        Action::Arm { after_s, .. } => Some(Duration::from_secs(after_s)),
        _ => None,
    })
}

impl Driver<'_> {
    /// After the lease was taken over: has the host put itself back? Then that is written down, and what it overwrote is kept
    /// here. Else it watches on, now over this runner.
    pub(super) async fn take_up_switch(&mut self) -> Result<Option<Event>, WorkError> {
        let Some(after) = self.state.attempt().and_then(armed_for) else { return Ok(None) };
        let target = self.target().and_then(|(name, _)| name.parse().ok());
        let evidence = self.runner.evidence.join(self.run.to_string());
        let bench = self.opened_bench().await?;
        let switch = Switch::new(&bench.site);
        switch.stop().await?;
        match switch.state().await? {
            SwitchState::None => Ok(None),
            SwitchState::Armed => {
                let started =
                    switch.start(bench.run, after, bench.source.database.as_ref().map(|access| &*access.name)).await;
                let what =
                    |error| format!("the host does not watch over this run any more: {}", super::in_words(&error));
                Ok(started.err().map(|error| Event::Noted { what: what(error) }))
            }
            SwitchState::Healed(healed) => Ok(Some(adopt(bench, &switch, &healed, target, &evidence).await?)),
        }
    }

    /// What the host kept is in the store and in the journal: it may go there.
    pub(super) async fn disarm(&mut self) -> Result<(), WorkError> {
        Ok(self.opened_bench().await?.disarm().await?)
    }
}

/// Takes over what the host overwrote.
async fn adopt(
    bench: &Bench,
    switch: &Switch<'_>,
    healed: &Healed,
    target: Option<SnapshotName>,
    evidence: &Path,
) -> Result<Event, WorkError> {
    let overwritten = match (healed.database, target) {
        (false, _) => None,
        (true, None) => {
            let what = "the host kept a database, and no snapshot of the run is known".into();
            return Err(WorkError::Unexpected { what });
        }
        (true, Some(target)) => {
            let kept = switch.kept_database().await?;
            let (runner, progress) = (&bench.runner, bench.progress());
            let now = runner.clock.now();
            let adopted = snapshot::adopt(&bench.source, &runner.store, &target, kept, now, &progress).await?;
            Some(adopted.to_string())
        }
    };
    let files = match healed.files {
        true => Some(fetch(switch.kept_files().await?, evidence).await?.display().to_string()),
        false => None,
    };
    let (at, whole) = (healed.began, healed.ended.is_some());
    Ok(Event::Healed { at, whole, failed: healed.failed.clone(), overwritten, files })
}

/// Writes what a process prints to a private file.
async fn fetch(mut kept: Process, folder: &Path) -> Result<PathBuf, WorkError> {
    let path = folder.join("files-of-the-host.tar");
    let failed = |error: std::io::Error| WorkError::Unexpected {
        what: format!("{} can't be written ({error}); make room, then try again", path.display()),
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    let mut file = tokio::fs::File::from_std(file.map_err(failed)?);
    let stdout = std::mem::replace(&mut kept.stdout, Box::pin(tokio::io::empty()));
    let copied = tokio::io::copy(&mut stdout.take(MAX_FILES_BYTES), &mut file).await;
    let output = kept.finish().await?;
    copied.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    match output.ok() {
        true => Ok(path),
        false => Err(WorkError::Unexpected {
            what: format!("the files that the host kept can't be read: {}", output.tail()),
        }),
    }
}
