//! `intendant run`, `recover` and `restore`: what changes sites.

use crate::cli::arguments::{Common, Recover, Restore, Run, Sites};
use crate::cli::fleet::Fleet;
use crate::cli::progress::Show;
use crate::cli::{ExitCode, Failure, show};
use crate::journal::{Event, Purpose, RunState};
use crate::model::{ComponentName, Outcome, RunId, SiteName};
use crate::procedure::SnapshotMoment;
use crate::run::{self, Ended, Job, RestoreAsked, RunError, Runner};
use crate::snapshot::{Engine, SnapshotName};
use futures::stream::StreamExt;
use serde_json::json;
use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

pub(in crate::cli) async fn run(common: &Common, options: &Run) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let runner = fleet.runner(Arc::new(Show::new())).await?;
    let mut jobs = match options.due {
        true => {
            due(fleet.jobs(&Sites { sites: options.sites.sites.clone(), tag: options.sites.tag.clone(), all: true })?)
        }
        false => fleet.jobs(&options.sites)?,
    };
    let accept_modified = accepted(&options.accept_modified)?;
    for job in &mut jobs {
        job.any_time = options.any_time;
        job.accept_modified = accept_modified.clone();
    }
    watch_for_interrupts();
    let parallel = options.parallel.unwrap_or(fleet.settings.parallel).clamp(1, 256);
    let ended: Vec<Told> = futures::stream::iter(jobs)
        .map(|job| {
            let (fleet, runner) = (&fleet, runner.clone());
            async move {
                let ended = run::run(&runner, &job).await;
                tell(fleet, &runner, job.plan.site.clone(), ended).await
            }
        })
        .buffer_unordered(parallel)
        .collect()
        .await;
    finish(common, &fleet, &runner, ended).await
}

/// The components that may be overwritten.
fn accepted(names: &[String]) -> Result<Vec<ComponentName>, Failure> {
    let one = |name: &String| {
        ComponentName::new(name.clone())
            .map_err(|error| Failure { code: ExitCode::USAGE, text: format!("--accept-modified {name:?}: {error}") })
    };
    names.iter().map(one).collect()
}

/// The jobs one of whose windows is open.
fn due(jobs: Vec<Job>) -> Vec<Job> {
    let now = jiff::Timestamp::now();
    jobs.into_iter().filter(|job| crate::update::is_due(&job.plan, now)).collect()
}

pub(in crate::cli) async fn recover(common: &Common, options: &Recover) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open_to_mend(common)?;
    let runner = fleet.runner(Arc::new(Show::new())).await?;
    let names: Vec<String> = match options.sites.is_empty() {
        false => options.sites.clone(),
        true => {
            let open = runner.journal.runs(None, true, 10_000).await?;
            open.into_iter().map(|run| run.site.to_string()).collect()
        }
    };
    if names.is_empty() {
        show::line(if common.json { "{\"runs\": []}" } else { "no run is open; there is nothing to recover" });
        return Ok(ExitCode::OK);
    }
    watch_for_interrupts();
    let (mut ended, mut code) = (Vec::new(), ExitCode::OK);
    for name in names {
        // A site whose plan is gone or wrong must not keep the others waiting.
        match fleet.job(&name) {
            Ok(job) => {
                let result = run::recover(&runner, &job).await;
                ended.push(tell(&fleet, &runner, job.plan.site.clone(), result).await);
            }
            Err(failure) => code = code.max(failure.report()),
        }
    }
    Ok(code.max(finish(common, &fleet, &runner, ended).await?))
}

pub(in crate::cli) async fn restore(common: &Common, options: &Restore) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open_to_mend(common)?;
    let runner = fleet.runner(Arc::new(Show::new())).await?;
    restore_because(common, &fleet, &runner, options, None).await
}

/// Whether a restore may begin: only where somebody said so, or can be asked.
fn may_begin(json: bool, yes: bool, terminal: bool) -> Result<(), Failure> {
    let refused = |why: &str| Failure {
        code: ExitCode::USAGE,
        text: format!(
            "a restore overwrites the present state (which is itself kept as a snapshot), and {why}: add --yes"
        ),
    };
    match (yes, json, terminal) {
        (true, ..) => Ok(()),
        (false, true, _) => Err(refused("--json asks nobody")),
        (false, false, false) => Err(refused("there is no terminal to ask on")),
        (false, false, true) => Ok(()),
    }
}

/// The same because of an anomaly; what came of it is written beside that.
pub(super) async fn restore_because(
    common: &Common,
    fleet: &Fleet,
    runner: &Runner,
    options: &Restore,
    anomaly: Option<u64>,
) -> Result<ExitCode, Failure> {
    let job = fleet.job(&options.site)?;
    let snapshot = match &options.snapshot {
        Some(name) => named_snapshot(runner, &job.plan.site, name)?,
        None => last_before(runner, &job.plan.site).await?,
    };
    may_begin(common.json, options.yes, std::io::stdin().is_terminal())?;
    if !options.yes {
        confirm(runner, &job, &snapshot, options)?;
    }
    watch_for_interrupts();
    let asked = RestoreAsked { snapshot, only: options.only.clone(), exact: options.exact, anomaly };
    let ended = run::restore(runner, &job, &asked).await;
    let good = matches!(&ended, Ok(Ended { outcome: Outcome::Restored, .. }));
    let told = tell(fleet, runner, job.plan.site.clone(), ended).await;
    let code = finish(common, fleet, runner, vec![told]).await?;
    // Here `restored` is what was asked for.
    Ok(if good { ExitCode::OK } else { code })
}

/// A snapshot by its name, or by the end of it.
pub(in crate::cli) fn named_snapshot(runner: &Runner, site: &SiteName, name: &str) -> Result<SnapshotName, Failure> {
    let all = runner.store.list(site)?;
    let found: Vec<_> =
        all.iter().filter(|one| one.name.as_str() == name || one.name.as_str().ends_with(name)).collect();
    match found[..] {
        [one] => Ok(one.name.clone()),
        [] => Err(Failure::absent(format!("{site} has no snapshot {name:?}; see: intendant snapshot list {site}"))),
        _ => {
            Err(Failure::absent(format!("{} snapshots of {site} end in {name:?}; give more of the name", found.len())))
        }
    }
}

/// The snapshot before the last update run, else the newest one.
async fn last_before(runner: &Runner, site: &SiteName) -> Result<SnapshotName, Failure> {
    for run in runner.journal.runs(Some(site), false, 50).await? {
        let entries = runner.journal.entries(run.run).await?;
        let Ok(state) = RunState::fold(&entries) else {
            continue;
        };
        let update = matches!(state.opened.as_ref().map(|opened| &opened.purpose), Some(Purpose::Update));
        let before = state.attempts.iter().find_map(|attempt| attempt.snapshot(SnapshotMoment::Before));
        if let (true, Some(before)) = (update, before)
            && let Ok(name) = before.name.parse()
        {
            return Ok(name);
        }
    }
    let newest = runner.store.latest(site)?;
    newest
        .ok_or_else(|| Failure::absent(format!("{site} has no snapshot; `intendant snapshot create {site}` takes one")))
}

fn confirm(runner: &Runner, job: &Job, snapshot: &SnapshotName, options: &Restore) -> Result<(), Failure> {
    let manifest = runner.store.load(&job.plan.site, snapshot)?;
    let database = manifest.header.database.as_ref();
    let keeps_rows = database.is_some_and(|database| database.engine == Engine::Mysql.word());
    show::remark(what_is_lost(job, snapshot, options, keeps_rows));
    let _ = write!(std::io::stderr(), "Go on? [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "o" | "oui") {
        true => Ok(()),
        false => Err(Failure::other("nothing was done")),
    }
}

/// What a restore takes off a site, and what it leaves there.
fn what_is_lost(job: &Job, snapshot: &SnapshotName, options: &Restore, keeps_rows: bool) -> String {
    let what = if options.only.is_empty() { "files and database".into() } else { options.only.join(", ") };
    let protected = run::protected(job);
    let tables = options.only.is_empty() || options.only.iter().any(|only| only.starts_with("table:"));
    let rows = match () {
        () if !tables || !keeps_rows || protected.is_empty() => String::new(),
        () if options.exact => "\nRows that came in since are NOT put back: --exact.".to_owned(),
        () => {
            format!("\nRows that came in since are put back where they fit, in these tables: {}.", protected.join(", "))
        }
    };
    format!(
        "{} at {}: {what} will be as in snapshot {snapshot}.\nWhat was written since is taken off the site; it is kept as a snapshot of its own.{rows}",
        job.plan.site,
        job.plan.url.as_str()
    )
}

/// An interrupt from the keyboard does not leave a site half-way: the run goes on to an outcome.
fn watch_for_interrupts() {
    tokio::spawn(async {
        let mut asked = false;
        while tokio::signal::ctrl_c().await.is_ok() {
            if asked {
                show::remark("stopped; the site may be half-way: intendant recover");
                std::process::exit(130);
            }
            asked = true;
            show::remark(
                "the run goes on until the site is safe; press again to stop at once (then: intendant recover)",
            );
        }
    });
}

/// How a run of a site ended, and the reports of it.
struct Told {
    site: SiteName,
    ended: Result<Ended, RunError>,
    reports: Vec<PathBuf>,
    /// Whether something is in the queue of mail.
    queued: bool,
}

/// Writes the reports of a run as soon as it ended: what comes after it may take hours, or die. Reporting fails open: a report that
/// can't be written is said, and changes nothing.
async fn tell(fleet: &Fleet, runner: &Runner, site: SiteName, ended: Result<Ended, RunError>) -> Told {
    let Ok(Ended { run, .. }) = &ended else {
        return Told { site, ended, reports: Vec::new(), queued: false };
    };
    let reports = super::report::write(fleet, runner, *run).await.unwrap_or_else(|failure| {
        show::remark(format!("{site}: no report was written: {}", failure.text));
        Vec::new()
    });
    let queued = super::report::queue_after_run(fleet, runner, *run).await.unwrap_or_else(|failure| {
        show::remark(format!("{site}: the report was not sent: {}", failure.text));
        false
    });
    let noticed = super::send::queue_after_run(fleet, runner.journal.as_ref(), &site).await.unwrap_or_else(|failure| {
        show::remark(format!("{site}: its notices were not sent: {}", failure.text));
        false
    });
    Told { site, ended, reports, queued: queued || noticed }
}

/// Says how it ended, and sends what is to be sent.
async fn finish(common: &Common, fleet: &Fleet, runner: &Runner, all_told: Vec<Told>) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::OK;
    let mut all = Vec::new();
    let queued = all_told.iter().any(|told| told.queued);
    for Told { site, ended, reports, .. } in all_told {
        match ended {
            Err(error) => {
                let text = crate::model::in_words(&error);
                let failed = Failure::from(error);
                if common.json {
                    all.push(json!({ "site": site, "error": text }));
                }
                code = code.max(failed.report());
            }
            Ok(ended) => {
                code = code.max(ExitCode::of(ended.outcome));
                if common.json {
                    let digest = digest(runner, ended.run).await;
                    all.push(json!({
                        "site": site, "run": ended.run, "outcome": ended.outcome, "summary": ended.summary,
                        "digest": digest, "reports": reports,
                    }));
                } else {
                    show::line(format!("{site}: {} · {}", ended.outcome, ended.summary));
                    for report in reports {
                        show::line(format!("  {}", report.display()));
                    }
                }
            }
        }
    }
    if common.json {
        show::json(&json!({ "runs": all }));
    }
    if queued && let Err(failure) = super::mail::send_quietly(fleet) {
        show::remark(format!("the mail was not sent: {}", failure.text));
    }
    Ok(code)
}

/// The digest of the procedure that was run last.
async fn digest(runner: &Runner, run: RunId) -> Option<String> {
    let entries = runner.journal.entries(run).await.ok()?;
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Planned(planned) => Some(planned.digest.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_that_nobody_agreed_to() {
        let begins = |json, yes, terminal| match may_begin(json, yes, terminal) {
            Ok(()) => true,
            Err(failure) => {
                assert!(failure.code == ExitCode::USAGE && failure.text.contains("--yes"), "{}", failure.text);
                false
            }
        };
        for terminal in [false, true] {
            assert!(begins(false, true, terminal) && begins(true, true, terminal));
            assert!(!begins(true, false, terminal), "--json is no consent");
        }
        assert!(begins(false, false, true), "whoever is there is asked");
        assert!(!begins(false, false, false));
    }
}
