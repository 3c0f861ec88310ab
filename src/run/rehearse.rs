//! Rehearses a restore on the site's own host, beside the site, and writes down what it showed.
//!
//! May use: `site`, `snapshot`, `journal`. Invariants: of the site itself only its configuration is
//! read; what is made on the host is on record there before it is made, so that the next rehearsal can
//! remove it; what was made is removed, whatever came out; only what was read back is called proven.

use super::perform::Relay;
use super::source::{close_site, open_site, snapshot_source};
use super::{Job, Runner, WorkError, in_words};
use crate::journal::{Rehearsal, RehearsalResult};
use crate::model::{Digest, RunId, SiteName, clean_line};
use crate::playbook::Values;
use crate::site::{Expect, Needed, Scratch, ScratchPlace, ScratchRecord, Site};
use crate::snapshot::{
    self, Manifest, Progress, Proof, RehearseRequest, Rehearsed, Rehearsing, ScratchDatabase, SnapshotName, Source,
};
use std::sync::Arc;

/// Restores a snapshot into a scratch folder and a scratch database, compares, removes both, and records it.
///
/// # Errors
/// When it could not be tried: the host, the connection, no room. What is wrong with the snapshot is in the record.
pub async fn rehearse(runner: &Runner, job: &Job, name: &SnapshotName) -> Result<Rehearsal, WorkError> {
    let site = &job.plan.site;
    let began = runner.clock.now();
    let (_held, manifest) = begin(runner, site, name).await?;
    let run = RunId::new(began);
    let opened = open_site(runner, job, Expect::Anything, Some(run)).await?;
    let found = Bench { runner, job, site: &opened, run, manifest: &manifest, name }.work().await;
    close_site(&opened).await;
    let Found { rehearsed, boot, version, stays } = found?;
    let took = runner.clock.now().as_millisecond().saturating_sub(began.as_millisecond());
    let rehearsal = Rehearsal {
        rehearsal: Rehearsal::FORMAT,
        id: run,
        site: site.clone(),
        snapshot: name.to_string(),
        content: manifest.id(),
        began,
        took_ms: u64::try_from(took).unwrap_or(0),
        by: clean_line(&runner.by, 200),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        result: RehearsalResult::of(&rehearsed.files, &rehearsed.database, &boot),
        files: rehearsed.files,
        database: rehearsed.database,
        boot,
        version,
        left: rehearsed.left,
        stays,
        bytes_sent: rehearsed.bytes_sent,
    };
    runner.journal.rehearsed(&rehearsal).await?;
    Ok(rehearsal)
}

/// Holds the site's rehearsals, and reads what is rehearsed. A store that is far away lets one wait.
async fn begin(runner: &Runner, site: &SiteName, name: &SnapshotName) -> Result<(Rehearsing, Manifest), WorkError> {
    let (store, of, name) = (runner.store.clone(), site.clone(), name.clone());
    let task = tokio::task::spawn_blocking(move || {
        let held = store.rehearsing(&of)?.ok_or_else(|| WorkError::Unexpected {
            what: format!("{of}: another process rehearses a restore of it; wait for it to end"),
        })?;
        Ok((held, store.load(&of, &name)?))
    });
    let ended = |_| WorkError::Unexpected { what: format!("{site}: reading its snapshot ended without an answer") };
    task.await.map_err(ended)?
}

/// What came out.
struct Found {
    rehearsed: Rehearsed,
    boot: Proof,
    version: Option<String>,
    stays: Vec<String>,
}

/// What a rehearsal works with.
struct Bench<'a> {
    runner: &'a Runner,
    job: &'a Job,
    site: &'a Site,
    run: RunId,
    manifest: &'a Manifest,
    name: &'a SnapshotName,
}

type Chosen = Result<ScratchDatabase, String>;

impl Bench<'_> {
    async fn work(&self) -> Result<Found, WorkError> {
        let live = snapshot_source(self.job, self.site).await?;
        let place = self.place();
        self.clear_leftovers(&live, &place).await?;
        let database = self.choose(&live).await?;
        let chosen = database.as_ref().ok();
        let record = ScratchRecord::new(self.run, chosen.map(|chosen| (chosen.name(), chosen.is_made())));
        let (bytes, files) = snapshot::rehearsal_room(self.manifest, chosen.is_some());
        let made = place.make(&record, Needed { bytes, files }).await;
        let tried = match &made {
            Ok(scratch) => self.try_in(&live, scratch, database.clone()).await,
            Err(_) => Ok(None),
        };
        let mut stays = Vec::new();
        if let (Ok(chosen), Some(access)) = (&database, &live.database)
            && let Err(error) = chosen.clear(&live, access).await
        {
            stays.push(in_words(&error));
        }
        let scratch = made?;
        // The record of a database that is still there stays with the folder.
        if stays.is_empty()
            && let Err(error) = place.remove(&scratch).await
        {
            stays.push(in_words(&error));
        }
        stays.iter().for_each(|what| tracing::warn!(%what, "the next rehearsal tries to remove it"));
        let Some((rehearsed, boot, version)) = tried? else {
            return Err(WorkError::Unexpected { what: format!("{}: the rehearsal was not tried", self.job.plan.site) });
        };
        let stays = stays.iter().map(|what| clean_line(what, 400)).collect();
        Ok(Found { rehearsed, boot, version, stays })
    }

    fn place(&self) -> ScratchPlace<'_> {
        let plan = self.job.plan.snapshots.rehearsal.as_ref();
        let folder = plan.and_then(|plan| plan.folder.as_ref()).map(|folder| folder.as_str());
        // Another process of the same person and store is the same runner.
        let who = self.runner.by.split(" (pid").next().unwrap_or_default();
        let runner = Digest::of(format!("{who}\n{}", self.runner.store.place()).as_bytes());
        ScratchPlace::new(self.site, folder, runner)
    }

    /// What killed rehearsals left: their commands, their databases, their folders.
    async fn clear_leftovers(&self, live: &Source, place: &ScratchPlace<'_>) -> Result<(), WorkError> {
        for leftover in place.leftovers().await? {
            if let Some(record) = &leftover.record {
                self.site.clear_leftovers(record.run).await?;
                let database = live.database.as_ref().and_then(|access| {
                    let scratch = ScratchDatabase::recorded(&access.name, &record.database, record.made, record.run)?;
                    Some((access, scratch))
                });
                if let Some((access, scratch)) = database
                    && let Err(error) = scratch.clear(live, access).await
                {
                    // The record of a database that is still there stays with the folder.
                    tracing::warn!(%error, "the database of an interrupted rehearsal stays");
                    continue;
                }
            }
            place.clear(&leftover).await?;
            tracing::info!(site = %self.job.plan.site, "what an interrupted rehearsal left was removed");
        }
        Ok(())
    }

    /// The database: that of the plan, seen to be empty; else one with a new name, that is yet to be made.
    async fn choose(&self, live: &Source) -> Result<Chosen, WorkError> {
        let Some(access) = live.database.as_ref().filter(|_| self.manifest.objects().next().is_some()) else {
            return Ok(Err("there is none".into()));
        };
        // Every SQL statement would have to be understood that somebody else may have written.
        if self.manifest.is_imported() {
            return Ok(Err(
                "the snapshot was imported: its SQL may be anything, and would be run with the rights of the \
                           site's own account"
                    .into(),
            ));
        }
        if !access.engine.rehearses() {
            return Ok(Err(format!("the databases of {} are not rehearsed yet", access.engine.name())));
        }
        let plan = self.job.plan.snapshots.rehearsal.as_ref();
        let Some(name) = plan.and_then(|plan| plan.database.as_ref()) else {
            return Ok(Ok(ScratchDatabase::new(&access.name, self.run)));
        };
        let Some(named) = ScratchDatabase::named(&access.name, name.as_str(), self.run) else {
            return Ok(Err(format!(
                "the plan names {:?} for rehearsals, which is the site's own database or the server's; name an empty one under snapshots.rehearsal.database",
                name.as_str()
            )));
        };
        Ok(named.make(live, access).await?.map(|()| named))
    }

    async fn try_in(
        &self,
        live: &Source,
        scratch: &Scratch,
        mut database: Chosen,
    ) -> Result<Option<(Rehearsed, Proof, Option<String>)>, WorkError> {
        if let (Ok(chosen), Some(access)) = (&database, &live.database)
            && chosen.is_made()
            && let Err(why) = chosen.make(live, access).await?
        {
            database = Err(why);
        }
        let request = RehearseRequest {
            now: self.runner.clock.now(),
            target: self.name.clone(),
            folder: scratch.folder.clone(),
            database: database.clone(),
        };
        let relay = Relay { runner: self.runner.clone(), site: self.job.plan.site.clone() };
        let progress: Arc<dyn Progress> = Arc::new(relay);
        let rehearsed = snapshot::rehearse(live, &self.runner.store, &request, &progress).await?;
        let (boot, version) = match (&rehearsed.files, &rehearsed.database, &database) {
            (Proof::Proven, Proof::Proven, Ok(chosen)) => self.boot(scratch, chosen).await,
            _ => (Proof::Nothing, None),
        };
        Ok(Some((rehearsed, boot, version)))
    }

    /// The CMS's own command line on the copy.
    async fn boot(&self, scratch: &Scratch, database: &ScratchDatabase) -> (Proof, Option<String>) {
        let Some(boot) = &self.site.playbook.boot else {
            return (Proof::Nothing, None);
        };
        let values: Values = [("rehearsal", scratch.folder.clone()), ("database", database.name().to_owned())]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        let seen = match self.site.observe_in(&scratch.around, "boot", &boot.fact(), &values).await {
            Ok(seen) => seen,
            Err(error) => return (Proof::differs(vec![in_words(&error)], 1), None),
        };
        let text = |key: &str| seen[key].as_str().map(|text| clean_line(text, 200));
        if let Some(why) = text("skip") {
            return (Proof::unproven(&why), None);
        }
        let pattern = regex::Regex::new(boot.version.pattern.as_str()).ok();
        let file = snapshot::small_file(&self.runner.store, self.manifest, boot.version.file.as_str());
        let file = file.ok().flatten().unwrap_or_default();
        let stored = pattern.and_then(|pattern| Some(pattern.captures(&file)?.get(1)?.as_str().to_owned()));
        let version = text("version");
        let wanted = [
            ("root", text("root"), Some(scratch.folder.clone())),
            ("database", text("database"), Some(database.name().to_owned())),
            ("version", version.clone(), stored),
        ];
        let say = |found: &Option<String>| found.clone().unwrap_or_else(|| "nothing".into());
        let mut wrong: Vec<String> = wanted
            .iter()
            .filter(|(_, found, wanted)| found.is_none() || found != wanted)
            .map(|(what, found, wanted)| format!("the copy's {what} is {}, and should be {}", say(found), say(wanted)))
            .collect();
        if seen["settings"].as_u64().unwrap_or(0) == 0 {
            wrong.push("the copy can't read its settings".into());
        }
        let count = wrong.len();
        let proof = if wrong.is_empty() { Proof::Proven } else { Proof::differs(wrong, count) };
        (proof, version)
    }
}
