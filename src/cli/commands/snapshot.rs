//! `intendant snapshot`.

use super::run::named_snapshot;
use crate::cli::arguments::{Common, Sites, Snapshot, SnapshotAction};
use crate::cli::fleet::Fleet;
use crate::cli::progress::Show;
use crate::cli::{ExitCode, Failure, show};
use crate::journal::Rehearsal;
use crate::model::{SiteName, human_bytes};
use crate::run::{Runner, close_site, open_site, snapshot_source};
use crate::site::Expect;
use crate::snapshot::{self, CaptureRequest, Depth, NoProgress, Progress, SnapshotName};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

pub(in crate::cli) async fn snapshot(common: &Common, options: &Snapshot) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    if let SnapshotAction::Encrypt { to, rewrite } = &options.action {
        return super::encrypt::encrypt(common, &fleet, to, *rewrite).await;
    }
    let shown = Arc::new(Show::new());
    let runner = fleet.runner(shown.clone()).await?;
    match &options.action {
        SnapshotAction::Create(sites) => create(common, &fleet, &runner, sites).await,
        SnapshotAction::List { site } => list(common, &runner, site.as_deref()).await,
        SnapshotAction::Show { site, snapshot, against } => {
            show_one(common, &runner, site, snapshot.as_deref(), against.as_deref()).await
        }
        SnapshotAction::Rehearse { site, snapshot } => {
            let job = fleet.job(site)?;
            super::rehearse::rehearse(common, &runner, &shown, &job, snapshot.as_deref()).await
        }
        SnapshotAction::Verify { site, quick } => verify(common, &runner, site.as_deref(), *quick).await,
        SnapshotAction::Repair => repair(common, &runner).await,
        SnapshotAction::Import { file } => import(common, &runner, file).await,
        SnapshotAction::Prune(options) => super::prune::prune(common, &fleet, &runner, options).await,
        SnapshotAction::Export { site, snapshot, to, encrypt } => {
            export(common, &runner, site, snapshot.as_deref(), to, *encrypt).await
        }
        SnapshotAction::Encrypt { to, rewrite } => super::encrypt::encrypt(common, &fleet, to, *rewrite).await,
    }
}

fn progress() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

pub(super) fn site_name(text: &str) -> Result<SiteName, Failure> {
    SiteName::new(text).map_err(|error| Failure::absent(format!("{text:?} is not the name of a site: {error}")))
}

async fn create(common: &Common, fleet: &Fleet, runner: &Runner, sites: &Sites) -> Result<ExitCode, Failure> {
    let mut all = Vec::new();
    for job in fleet.jobs(sites)? {
        let site = open_site(runner, &job, Expect::Whole, None).await?;
        let request = CaptureRequest { now: runner.clock.now(), tolerate_unreadable: false };
        let captured = match snapshot_source(&job, &site).await {
            Ok(source) => snapshot::capture(&source, &runner.store, &request, &progress()).await.map_err(Failure::from),
            Err(error) => Err(error.into()),
        };
        close_site(&site).await;
        let captured = captured?;
        let read_back = read_back(runner, &job.plan.site, &captured.name).await?;
        let totals = captured.manifest.totals();
        if common.json {
            all.push(json!({
                "site": job.plan.site, "snapshot": captured.name.as_str(), "id": captured.manifest.id(),
                "files": totals.files, "bytes": totals.bytes, "objects": totals.objects,
                "stored-bytes": captured.stats.bytes_stored, "read-back": read_back,
            }));
        } else {
            show::line(format!(
                "{}: {} · {} files, {} tables and other objects, {}; {} new in the store",
                job.plan.site,
                captured.name,
                totals.files,
                totals.objects,
                human_bytes(totals.bytes),
                human_bytes(captured.stats.bytes_stored)
            ));
        }
    }
    if common.json {
        show::json(&json!({ "snapshots": all }));
    }
    Ok(ExitCode::OK)
}

/// Verifies a snapshot that was just taken; says whether its bytes were read, or could not be.
async fn read_back(runner: &Runner, site: &SiteName, name: &SnapshotName) -> Result<bool, Failure> {
    if let Err(error) = runner.store.readable() {
        show::remark(format!("{site}: {name} is written and was not read again: {error}"));
        return Ok(false);
    }
    let verified = snapshot::verify_snapshot(&runner.store, site, name, &progress()).await?;
    match verified.ok() {
        true => Ok(true),
        false => Err(Failure { code: ExitCode::SHORT, text: format!("{site}: the snapshot {name} does not verify") }),
    }
}

async fn list(common: &Common, runner: &Runner, site: Option<&str>) -> Result<ExitCode, Failure> {
    let sites = match site {
        Some(site) => vec![site_name(site)?],
        None => runner.store.sites()?,
    };
    let (mut all, mut last) = (Vec::new(), Vec::new());
    for site in sites {
        let rehearsals = runner.journal.rehearsals(&site, super::MOST_REHEARSALS).await?;
        last.extend(Rehearsal::last_proven(&rehearsals).cloned());
        for one in runner.store.list(&site)? {
            let rehearsed = rehearsals.iter().find(|rehearsal| rehearsal.snapshot == one.name.as_str()).cloned();
            all.push((one, rehearsed));
        }
    }
    let encryption = super::encrypt::remarks(&runner.store)?;
    if common.json {
        let rows = all.iter().map(|(one, rehearsed)| {
            json!({ "site": one.site, "snapshot": one.name.as_str(), "taken": one.taken, "rehearsed": rehearsed })
        });
        let encryption = encryption.as_ref().map(super::encrypt::as_json);
        show::json(&json!({ "snapshots": rows.collect::<Vec<_>>(), "proven": last, "encryption": encryption }));
    } else if all.is_empty() {
        show::line("there are no snapshots");
    } else {
        let rows = all.iter().map(|(one, rehearsed)| {
            let restore = rehearsed.as_ref().map(show::rehearsal_result).unwrap_or_default();
            [one.site.to_string(), one.name.to_string(), one.taken.to_string(), restore]
        });
        show::line(show::table(["site", "snapshot", "taken", "restore"], rows));
        last.iter().for_each(|last| show::line(show::last_proven(last)));
        encryption.iter().flat_map(super::encrypt::in_words).for_each(show::line);
    }
    Ok(ExitCode::OK)
}

/// A snapshot by name, or the newest.
pub(super) fn choose(runner: &Runner, site: &SiteName, name: Option<&str>) -> Result<SnapshotName, Failure> {
    match name {
        Some(name) => named_snapshot(runner, site, name),
        None => runner.store.latest(site)?.ok_or_else(|| Failure::absent(format!("{site} has no snapshot"))),
    }
}

async fn show_one(
    common: &Common,
    runner: &Runner,
    site: &str,
    name: Option<&str>,
    against: Option<&str>,
) -> Result<ExitCode, Failure> {
    let site = site_name(site)?;
    let name = choose(runner, &site, name)?;
    let manifest = runner.store.load(&site, &name)?;
    let totals = manifest.totals();
    let rehearsals = runner.journal.rehearsals(&site, super::MOST_REHEARSALS).await?;
    let rehearsed = rehearsals.iter().find(|rehearsal| rehearsal.snapshot == name.as_str());
    let last = Rehearsal::last_proven(&rehearsals);
    let mut lines = Vec::new();
    if let Some(against) = against {
        let other = named_snapshot(runner, &site, against)?;
        let other = runner.store.load(&site, &other)?;
        lines = snapshot::diff(&other, &manifest).lines(usize::MAX);
    }
    if common.json {
        let tables: Vec<_> = manifest
            .objects()
            .map(|(object, content)| json!({ "object": object.to_string(), "bytes": content.size, "digest": content.digest }))
            .collect();
        show::json(&json!({
            "site": site, "snapshot": name.as_str(), "id": manifest.id(), "files": totals.files,
            "bytes": totals.bytes, "objects": tables, "attributes": manifest.header.attributes, "differences": lines, "rehearsed": rehearsed, "proven": last,
        }));
        return Ok(ExitCode::OK);
    }
    show::line(format!("{site}: snapshot {name}, content {}", manifest.id()));
    if let Some(rehearsed) = rehearsed {
        show::rehearsal(rehearsed);
    }
    if let Some(last) = last.filter(|last| last.snapshot != name.as_str()) {
        show::line(show::last_proven(last));
    }
    show::line(format!("{} files, {}; {} database objects:", totals.files, human_bytes(totals.bytes), totals.objects));
    if !manifest.header.attributes {
        show::line(
            "Extended attributes and access lists were not read: a restore leaves them as they are, and files that it replaces lose theirs.",
        );
    }
    for (object, content) in manifest.objects() {
        show::line(format!("  {object}  {}", human_bytes(content.size)));
    }
    if against.is_some() {
        show::line(format!("{} differences:", lines.len()));
        lines.iter().for_each(|line| show::line(format!("  {line}")));
    }
    Ok(ExitCode::OK)
}

async fn verify(common: &Common, runner: &Runner, site: Option<&str>, quick: bool) -> Result<ExitCode, Failure> {
    let site = site.map(site_name).transpose()?;
    let depth = if quick { Depth::Metadata } else { Depth::EveryByte };
    let verified = snapshot::verify(&runner.store, site.as_ref(), depth, &progress()).await?;
    let hurt: Vec<_> = verified
        .hurt
        .iter()
        .map(|hurt| json!({ "site": hurt.site, "snapshot": hurt.name.as_str(), "count": hurt.count, "items": hurt.items }))
        .collect();
    if common.json {
        show::json(&json!({
            "good": verified.ok(), "snapshots": verified.snapshots, "blobs": verified.blobs,
            "bytes": verified.bytes, "hurt": hurt, "damaged": verified.damaged,
        }));
    } else {
        for hurt in &verified.hurt {
            show::line(format!("{}: snapshot {} is hurt in {} items:", hurt.site, hurt.name, hurt.count));
            hurt.items.iter().for_each(|item| show::line(format!("  {item}")));
        }
        verified.damaged.iter().for_each(|file| show::line(format!("damaged in the store: {file}")));
        show::line(format!(
            "{} snapshots, {} blobs, {}: {}",
            verified.snapshots,
            verified.blobs,
            human_bytes(verified.bytes),
            if verified.ok() { "all good" } else { "NOT good; next: intendant snapshot repair" }
        ));
    }
    Ok(if verified.ok() { ExitCode::OK } else { ExitCode::SHORT })
}

async fn repair(common: &Common, runner: &Runner) -> Result<ExitCode, Failure> {
    let repaired = snapshot::repair(&runner.store, &progress()).await?;
    if common.json {
        show::json(&json!({ "set-aside": repaired.set_aside, "blobs-kept": repaired.blobs_kept }));
    } else if repaired.set_aside.is_empty() {
        show::line("no pack is hurt");
    } else {
        repaired.set_aside.iter().for_each(|pack| show::line(format!("set aside: {pack}")));
        show::line(format!(
            "{} blobs of them are good and were packed again. What is missing is stored anew by the next snapshot\n\
             of each site, as far as the site still has it; then: intendant snapshot verify",
            repaired.blobs_kept
        ));
    }
    Ok(ExitCode::OK)
}

async fn export(
    common: &Common,
    runner: &Runner,
    site: &str,
    name: Option<&str>,
    to: &Path,
    encrypt: bool,
) -> Result<ExitCode, Failure> {
    let site = site_name(site)?;
    let name = choose(runner, &site, name)?;
    let bytes = match encrypt {
        true => snapshot::export_encrypted(&runner.store, &site, &name, to, &progress()).await?,
        false => snapshot::export(&runner.store, &site, &name, to, &progress()).await?,
    };
    if common.json {
        show::json(&json!({ "site": site, "snapshot": name.as_str(), "file": to, "bytes": bytes }));
    } else {
        show::line(format!("{site}: snapshot {name} → {} ({})", to.display(), human_bytes(bytes)));
    }
    Ok(ExitCode::OK)
}

async fn import(common: &Common, runner: &Runner, file: &Path) -> Result<ExitCode, Failure> {
    let imported = snapshot::import(&runner.store, file, runner.clock.now(), &progress()).await?;
    let (site, name) = (&imported.site, &imported.name);
    if common.json {
        show::json(&json!({
            "site": site, "snapshot": name.as_str(), "known": imported.known, "stored-bytes": imported.bytes_stored,
        }));
    } else if imported.known {
        show::line(format!("{site}: snapshot {name} is in the store already"));
    } else {
        show::line(format!("{site}: snapshot {name}; {} new in the store", human_bytes(imported.bytes_stored)));
    }
    Ok(ExitCode::OK)
}
