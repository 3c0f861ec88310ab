//! Rehearse: a restore into an empty folder and an empty database, to see whether it works.
//!
//! May use: `model`, and its siblings. Invariants: nothing is written where anything was before; the
//! site's own folder and database are no part of it; what is proven was read back and compared, what
//! is not proven is named with the reason; no snapshot is made.

use super::super::capture::{CaptureRequest, joined, take};
use super::super::database::{ScratchDatabase, leaves_its_database};
use super::super::diff::Diff;
use super::super::error::{Result, SnapshotError};
use super::super::item::{Item, ObjectKind, ObjectName};
use super::super::manifest::{Entry, Manifest};
use super::super::store::SnapshotName;
use super::super::verify::verify_snapshot;
use super::super::walk::Account;
use super::super::{Progress, Source, Store};
use super::load;
use super::work::Work;
use crate::model::{Digest, SiteName, clean_line};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many items a finding names.
const SHOWN: usize = 20;
/// How long a reason is, in characters.
const REASON_CHARS: usize = 600;

/// What is restored, and where.
#[derive(Clone)]
pub struct RehearseRequest {
    /// Now, by the runner's clock.
    pub now: Timestamp,
    /// Which snapshot.
    pub target: SnapshotName,
    /// An empty folder on the host, that is removed afterwards.
    pub folder: String,
    /// An empty database, that is emptied or dropped afterwards; or why there is none.
    pub database: Result<ScratchDatabase, String>,
}

/// Whether a part of a snapshot came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Proof {
    /// It was restored, read back, and equals the snapshot.
    Proven,
    /// The snapshot has no such part, or the playbook no such command.
    Nothing,
    /// It did not come back as it was.
    Differs {
        /// How many items.
        count: u64,
        /// The first of them, fit to be shown.
        items: Vec<String>,
    },
    /// It could not be tried to the end.
    Unproven {
        /// Why, and what to do; fit to be shown.
        why: String,
    },
}

impl Proof {
    /// A part that could not be tried.
    pub fn unproven(why: &str) -> Self {
        Self::Unproven { why: clean_line(why, REASON_CHARS) }
    }

    /// Whether nothing speaks against this part.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Proven | Self::Nothing)
    }

    /// A part that did not come back: these items, of so many.
    pub fn differs(items: Vec<String>, count: usize) -> Self {
        let items = items.iter().take(SHOWN).map(|item| clean_line(item, 200)).collect();
        Self::Differs { count: count as u64, items }
    }

    /// The part of a difference that is about these items.
    fn of(wrong: &Diff, mine: impl Fn(&Item) -> bool) -> Self {
        let wrong = wrong.clone().retain(|item, _| mine(item));
        if wrong.is_empty() { Self::Proven } else { Self::differs(wrong.lines(SHOWN), wrong.changes.len()) }
    }
}

/// What a rehearsal found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// The files.
    pub files: Proof,
    /// The database.
    pub database: Proof,
    /// What the account may not set, and what is never made in a rehearsal.
    pub left: Vec<String>,
    /// Bytes that were sent.
    pub bytes_sent: u64,
}

/// Restores a snapshot of `live`'s site into scratch, reads it back and compares. Of `live` only the
/// host is used, and the access to the database server. What was made is left to the caller to remove.
///
/// # Errors
/// The host, the store or the connection: then nobody knows. What is wrong with the snapshot is in the answer.
pub async fn rehearse(
    live: &Source,
    store: &Arc<Store>,
    request: &RehearseRequest,
    progress: &Arc<dyn Progress>,
) -> Result<Rehearsed> {
    let (_reading, target) = load(store, &live.site, &request.target).await?;
    let rehearsal = Rehearsal { live, store, request, progress };
    let mut target = Manifest::clone(&target);
    let mut left = without_events(&mut target);
    let mut database = rehearsal.database(&target);
    let mut source = rehearsal.source();
    let mut kept_out = Vec::new();
    if database.is_ok() {
        match rehearsal.beyond(&target).await {
            Ok(beyond) => kept_out = keep_out(&mut target, beyond),
            Err(SnapshotError::Damaged { .. }) => return rehearsal.verified().await,
            Err(error) => return Err(error),
        }
    }
    if database.is_err() {
        source.database = None;
        target.entries.retain(|item, _| matches!(item, Item::Path(_)));
    }
    let (present, account) = rehearsal.empty(&source).await?;
    let mut work = Work::new(source, store, Arc::new(present), &target, &[], account);
    work.aside = rehearsal.mark();
    let missing = work.missing(&work.blobs().await?);
    if !missing.is_empty() {
        return Ok(rehearsal.hurt(&missing, missing.len()));
    }
    let sent = match rehearsal.send(&mut work, &mut database).await {
        Err(SnapshotError::Damaged { .. }) => return rehearsal.verified().await,
        other => other?,
    };
    let found = work.look(None, request.now, progress).await?;
    let is_path = |item: &Item| matches!(item, Item::Path(_));
    let database = match database {
        Ok(()) => match Proof::of(&found.wrong, |item| !is_path(item)) {
            Proof::Proven if !kept_out.is_empty() => Proof::unproven(&format!(
                "what could reach the site's own database was left out: {}; all else came back as it was",
                kept_out.join(", ")
            )),
            proof => proof,
        },
        Err(proof) => proof,
    };
    left.extend(found.left.lines(SHOWN));
    left.truncate(SHOWN);
    Ok(Rehearsed { files: Proof::of(&found.wrong, is_path), database, left, bytes_sent: sent })
}

/// Room that a rehearsal needs on the host: bytes, and files.
pub fn rehearsal_room(manifest: &Manifest, with_database: bool) -> (u64, u64) {
    const LEAST_BYTES: u64 = 64 << 20;
    const LEAST_FILES: u64 = 1000;
    let totals = manifest.totals();
    let files = manifest.paths().count() as u64;
    let sql: u64 = manifest.objects().map(|(_, content)| content.size).sum();
    // A table takes more room than its SQL, and a file whole blocks.
    let sql = if with_database { sql.saturating_mul(2) } else { 0 };
    let bytes = totals.bytes.saturating_add(files.saturating_mul(4096)).saturating_add(sql);
    (bytes.saturating_add(LEAST_BYTES.max(bytes / 10)), files.saturating_add(LEAST_FILES))
}

/// The server would run them, and they may name the site's own database.
fn without_events(target: &mut Manifest) -> Vec<String> {
    let is_event = |item: &Item| matches!(item, Item::Object(object) if object.kind() == ObjectKind::Event);
    let events: Vec<Item> = target.entries.keys().filter(|item| is_event(item)).cloned().collect();
    target.entries.retain(|item, _| !is_event(item));
    events
        .iter()
        .map(|event| format!("{event} (an event is not made in a rehearsal: the server would run it)"))
        .collect()
}

/// Takes objects out of the target, and with them the views, which may use them. Returns what is said of it.
fn keep_out(target: &mut Manifest, beyond: Vec<(ObjectName, String)>) -> Vec<String> {
    let views = !beyond.is_empty() && target.objects().any(|(object, _)| object.kind() == ObjectKind::View);
    let out = |item: &Item| match item {
        Item::Object(object) => {
            (views && object.kind() == ObjectKind::View) || beyond.iter().any(|(name, _)| name == object)
        }
        Item::Path(_) => false,
    };
    target.entries.retain(|item, _| !out(item));
    let mut said: Vec<String> = beyond.iter().map(|(object, what)| format!("{object} ({what})")).collect();
    said.extend(views.then(|| "the views, which may use it".to_owned()));
    said
}

struct Rehearsal<'a> {
    live: &'a Source,
    store: &'a Arc<Store>,
    request: &'a RehearseRequest,
    progress: &'a Arc<dyn Progress>,
}

impl Rehearsal<'_> {
    /// Where it is restored to. Its name is not the site's: nobody who takes a snapshot of the site has to wait.
    fn source(&self) -> Source {
        let name = format!("rehearsal.{}", Digest::of(self.live.site.as_str().as_bytes()).short());
        let database = self.live.database.as_ref().zip(self.request.database.as_ref().ok());
        Source {
            shell: self.live.shell.clone(),
            site: SiteName::new(name).unwrap_or_else(|_| self.live.site.clone()),
            root: self.request.folder.clone(),
            exclude: Vec::new(),
            database: database.map(|(access, scratch)| scratch.access(access)),
        }
    }

    fn mark(&self) -> Option<Item> {
        self.request.database.as_ref().ok().and_then(ScratchDatabase::mark).map(Item::Object)
    }

    /// Whether the database is rehearsed, or what is said instead.
    fn database(&self, target: &Manifest) -> Result<(), Proof> {
        if target.objects().next().is_none() {
            return Err(Proof::Nothing);
        }
        match (&self.live.database, &self.request.database) {
            (None, _) => Err(Proof::unproven("the playbook gives no access to a database")),
            (_, Err(why)) => Err(Proof::unproven(why)),
            _ => Ok(()),
        }
    }

    /// Reads the SQL of all objects before any of it is sent. Returns those that could reach beyond the
    /// database they are sent to, with what shows it.
    async fn beyond(&self, target: &Manifest) -> Result<Vec<(ObjectName, String)>> {
        let objects: Vec<_> = target.objects().map(|(object, content)| (object.clone(), content.clone())).collect();
        let store = self.store.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut blobs = store.blobs()?;
            let mut beyond = Vec::new();
            for (object, content) in objects {
                if let Some(what) = leaves_its_database(&content, &mut blobs)? {
                    beyond.push((object, what));
                }
            }
            Ok(beyond)
        });
        joined(reading.await)
    }

    /// What is there now, which is nothing. Whoever looks holds the store: not any longer, when this ends.
    async fn empty(&self, source: &Source) -> Result<(Manifest, Account)> {
        let request = CaptureRequest { now: self.request.now, tolerate_unreadable: true };
        let mut taken = take(source, self.store, &request, async { Ok(None) }, self.progress).await?;
        if let Some(mark) = self.mark() {
            taken.manifest.entries.remove(&mark);
        }
        let root = |item: &Item| matches!(item, Item::Path(path) if path.is_root());
        match taken.manifest.entries.keys().find(|item| !root(item)) {
            None => Ok((taken.manifest, taken.account)),
            Some(item) => Err(SnapshotError::Host {
                host: source.shell.host().to_owned(),
                doing: "rehearsing a restore",
                detail: format!("the place for it is not empty, it holds {item}; nothing was changed, try again"),
            }),
        }
    }

    /// Sends files, then the database. A database that does not take its objects is a finding.
    async fn send(&self, work: &mut Work, database: &mut Result<(), Proof>) -> Result<u64> {
        let (first, _) = work.file_work(&[]);
        let mut sent = work.send_files(first, self.progress).await?;
        match work.send_objects(self.progress).await {
            Ok(bytes) => sent += bytes,
            Err(SnapshotError::Database { detail, .. }) => {
                *database = Err(Proof::unproven(&format!("the server did not take it: {detail}")));
                work.source.database = None;
            }
            Err(error) => return Err(error),
        }
        Ok(sent)
    }

    /// Which items of the snapshot are hurt.
    async fn verified(&self) -> Result<Rehearsed> {
        let mut verified = verify_snapshot(self.store, &self.live.site, &self.request.target, self.progress).await?;
        let hurt = verified.hurt.pop();
        Ok(hurt.map_or_else(
            || self.hurt(&["a pack could not be read, and can be now".to_owned()], 1),
            |hurt| self.hurt(&hurt.items, hurt.count),
        ))
    }

    fn hurt(&self, items: &[String], count: usize) -> Rehearsed {
        let (objects, files): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.parse::<ObjectName>().is_ok());
        let only_one = objects.is_empty() || files.is_empty();
        let proof = |mine: Vec<&String>| match mine.len() {
            0 => Proof::unproven("the snapshot is hurt, so it was not tried"),
            some => {
                let items =
                    mine.iter().map(|item| format!("{item} (its bytes can't be read from the store)")).collect();
                Proof::differs(items, if only_one { count } else { some })
            }
        };
        Rehearsed { files: proof(files), database: proof(objects), left: Vec::new(), bytes_sent: 0 }
    }
}

/// The snapshot's file with this path, if it is a small one; for what is read from it as text.
pub fn small_file(store: &Arc<Store>, manifest: &Manifest, path: &str) -> Result<Option<String>> {
    const MOST: u64 = 1 << 20;
    let path = super::super::item::ItemPath::new(path.as_bytes()).ok();
    let content = path.and_then(|path| manifest.path(&path).and_then(Entry::content).cloned());
    let Some(content) = content.filter(|content| content.size <= MOST) else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    store.blobs()?.each(&content, |chunk| {
        bytes.extend_from_slice(&chunk);
        Ok(())
    })?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
