//! Locks in a bucket: objects that are renewed while they are held, and count for nothing when they are not.
//!
//! May use: `backend`, `client`, `fault`, `list`. Invariants: who holds a lock alone created its object where
//! none was, or replaced one that had run out, as the only one who may; who shares one wrote its object
//! before looking for one that is held alone, and the other way round, so that one of two sees the other;
//! what is held alone has one name for all, so it is given back with one try; a lock is over for its holder
//! before it is for others, and only the service's clock counts.

use super::super::backend::Held;
use super::client::{Ask, Client};
use super::fault::Fault;
use super::list::{Listed, list};
use rusty_s3::Method;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The object of a lock that is held alone.
const ALONE: &str = "alone";
/// What the objects of those who share a lock begin with; then a name of its own, and how long it holds.
const SHARED: &str = "shared-";
/// What the right to replace a lock begins with that has run out.
const AFTER: &str = "after-";
/// How many may have died, one after the other, while they replaced a lock.
const MAX_DEAD: usize = 16;
const DOING: &str = "locking";

/// What stands in the object of a lock.
#[derive(Serialize, Deserialize)]
struct LockFile {
    intendant_lock: u32,
    /// Who holds it, for people.
    holder: String,
    /// Of this lock alone, once for all times.
    nonce: String,
    /// By the service's clock.
    since: String,
    until: String,
    lease_ms: i64,
}

/// What the holder of a lock knows of it.
struct State {
    lock: String,
    /// Its object.
    name: String,
    nonce: String,
    since: i64,
    until: AtomicI64,
    /// Whether it was given back; held while the object is written.
    gate: tokio::sync::Mutex<bool>,
}

/// A lock that is held, until this is dropped.
pub(super) struct Lease {
    client: Arc<Client>,
    state: Arc<State>,
}

/// All locks that this program holds in a bucket.
pub(super) struct Leases {
    client: Arc<Client>,
    holder: String,
    held: Mutex<Vec<Weak<State>>>,
    shared: Mutex<HashMap<String, Weak<Lease>>>,
}

/// What is shared is one object for all of this program.
pub(super) struct SharedLease(#[expect(dead_code, reason = "held, never looked at")] Arc<Lease>);

impl Held for Lease {}
impl Held for SharedLease {}

impl Drop for Lease {
    fn drop(&mut self) {
        let (client, state) = (self.client.clone(), self.state.clone());
        // If it fails, the lock runs out.
        let _ = self.client.wait(async move {
            let mut given_back = state.gate.lock().await;
            *given_back = true;
            state.give_back(&client).await;
        });
    }
}

fn ended() -> Fault {
    Fault::Lost("the thread of the bucket ended".into())
}

fn shown(time: i64) -> String {
    jiff::Timestamp::from_millisecond(time).map_or_else(|_| time.to_string(), |time| time.to_string())
}

impl Leases {
    pub(super) fn new(client: Arc<Client>, holder: &str) -> Self {
        Self { client, holder: crate::model::clean_line(holder, 200), held: Mutex::default(), shared: Mutex::default() }
    }

    /// Until when, by the service's clock, an object may be changed: as long as every lock holds that
    /// protects it. None where no lock is held.
    pub(super) fn fence(&self, name: &str) -> Result<Option<i64>, Fault> {
        let now = self.client.clock.now();
        let protects = |lock: &str| match lock.strip_prefix("locks/sites/") {
            Some(site) => name.strip_prefix("sites/").is_some_and(|rest| rest.split('/').next() == Some(site)),
            None => matches!(lock, super::super::STORE_LOCK | super::super::prune::PRUNE_LOCK),
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|state| state.strong_count() > 0);
        let mut first = None;
        for state in held.iter().filter_map(Weak::upgrade).filter(|state| protects(&state.lock)) {
            let until = state.until.load(Ordering::SeqCst);
            if until <= now {
                return Err(Fault::Late);
            }
            first = Some(first.map_or(until, |first: i64| first.min(until)));
        }
        Ok(first)
    }

    /// Whether an object that was just changed was protected until then.
    pub(super) fn still(&self, name: &str) -> Result<(), Fault> {
        self.fence(name).map(drop)
    }

    /// Takes a lock; none when another holds it.
    pub(super) fn take(&self, lock: &str, shared: bool) -> std::io::Result<Option<Box<dyn Held>>> {
        let failed = |fault| self.client.failed(DOING, Some(lock), &fault);
        if !shared {
            let lease = self.begin_or_outlast(lock).map_err(failed)?;
            return Ok(lease.map(|lease| Box::new(lease) as Box<dyn Held>));
        }
        let mut all = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(lock).and_then(Weak::upgrade).filter(|lease| lease.is_held());
        let lease = match known {
            Some(lease) => lease,
            None => match self.begin(lock, true).map_err(failed)? {
                Some(lease) => Arc::new(lease),
                None => return Ok(None),
            },
        };
        all.insert(lock.to_owned(), Arc::downgrade(&lease));
        Ok(Some(Box::new(SharedLease(lease))))
    }

    /// Takes a lock alone. Who finds it held can't know whether its holder is alive, so this waits until it is
    /// written again, which only the living do, or has run out. For the store's lock its users wait themselves.
    fn begin_or_outlast(&self, lock: &str) -> Result<Option<Lease>, Fault> {
        let (begun, mut before) = (Instant::now(), None);
        loop {
            let taken = self.begin(lock, false)?;
            let patience = &self.client.patience;
            if taken.is_some() || lock == super::super::STORE_LOCK || begun.elapsed() >= patience.outlast {
                return Ok(taken);
            }
            let (client, name) = (self.client.clone(), format!("{lock}/{ALONE}"));
            let found = self.client.wait(async move { read(&client, &name).await }).map_err(|_| ended())??;
            let found = found.map(|found| (found.nonce, found.modified));
            if found.is_some() && before.is_some() && found != before {
                return Ok(None);
            }
            before = found.or(before);
            std::thread::sleep(patience.outlast / 30);
        }
    }

    fn begin(&self, lock: &str, shared: bool) -> Result<Option<Lease>, Fault> {
        let (client, lock, holder) = (self.client.clone(), lock.to_owned(), self.holder.clone());
        let taken = self.client.wait(async move { take(&client, &lock, &holder, shared).await });
        let taken = taken.map_err(|_| ended())?;
        let Some(state) = taken? else { return Ok(None) };
        let state = Arc::new(state);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&state));
        self.client.spawn(renew(Arc::downgrade(&self.client), Arc::downgrade(&state), self.holder.clone()));
        Ok(Some(Lease { client: self.client.clone(), state }))
    }
}

impl Lease {
    fn is_held(&self) -> bool {
        self.state.until.load(Ordering::SeqCst) > self.client.clock.now()
    }
}

impl State {
    fn file(&self, client: &Client, holder: &str) -> Vec<u8> {
        let file = LockFile {
            intendant_lock: 1,
            holder: holder.to_owned(),
            nonce: self.nonce.clone(),
            since: shown(self.since),
            until: shown(self.until.load(Ordering::SeqCst)),
            lease_ms: client.patience.lease,
        };
        // Texts and numbers can always be written as JSON.
        serde_json::to_vec(&file).unwrap_or_default()
    }

    fn write(&self, client: &Client, holder: &str) -> Ask {
        Ask::new(DOING, Method::Put, Some(&self.name)).body(self.file(client, holder))
    }

    /// Removes the lock; if that fails, it runs out.
    async fn give_back(&self, client: &Client) {
        // Once it has run out, it may be somebody else's.
        let until = Some(self.until.load(Ordering::SeqCst));
        let mut ask = Ask::new("unlocking", Method::Delete, Some(&self.name)).until(until);
        // So it may once it is removed: where an answer got lost, another try would remove the next one's.
        ask.once = self.name.ends_with(&format!("/{ALONE}"));
        if let Err(fault) = client.send(&ask).await {
            tracing::debug!(lock = self.lock, %fault, "a lock in the bucket could not be given back");
        }
    }
}

/// Writes a lock again and again, as long as it holds.
async fn renew(client: Weak<Client>, state: Weak<State>, holder: String) {
    loop {
        let Some(lease) = client.upgrade().map(|client| client.patience.lease) else { return };
        tokio::time::sleep(Duration::from_millis(lease.unsigned_abs() / 3)).await;
        let (Some(client), Some(state)) = (client.upgrade(), state.upgrade()) else { return };
        let given_back = state.gate.lock().await;
        if *given_back {
            return;
        }
        let from = client.clock.now();
        let until = state.until.load(Ordering::SeqCst);
        // It must not come back to life when another has it.
        match client.send(&state.write(&client, &holder).until(Some(until))).await {
            Ok(_) => state.until.store(from + lease, Ordering::SeqCst),
            Err(fault) => tracing::warn!(lock = state.lock, %fault, "a lock in the bucket could not be renewed"),
        }
    }
}

async fn take(client: &Client, lock: &str, holder: &str, shared: bool) -> Result<Option<State>, Fault> {
    if !client.clock.is_known() {
        let ask = Ask::new(DOING, Method::Get, None).query("list-type", "2").query("max-keys", "1");
        client.send(&ask).await?;
    }
    let since = client.clock.now();
    let lease = client.patience.lease;
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let object = if shared { format!("{SHARED}{nonce}-{lease}") } else { ALONE.to_owned() };
    let state = State {
        lock: lock.to_owned(),
        name: format!("{lock}/{object}"),
        nonce,
        since,
        until: AtomicI64::new(since + lease),
        gate: tokio::sync::Mutex::new(false),
    };
    let won = match shared {
        true => client.send(&state.write(client, holder)).await.map(|_| true)?,
        false => take_alone(client, &state, holder).await?,
    };
    if !won {
        return Ok(None);
    }
    // Only the store's lock is shared.
    if lock != super::super::STORE_LOCK {
        return Ok(Some(state));
    }
    let is_free = look(client, lock, shared).await;
    if !matches!(is_free, Ok(true)) {
        state.give_back(client).await;
    }
    Ok(is_free?.then_some(state))
}

/// Whether nobody else holds a lock in a way that speaks against this one.
async fn look(client: &Client, lock: &str, shared: bool) -> Result<bool, Fault> {
    let (all, now) = list(client, DOING, lock).await?;
    let margin = client.patience.margin;
    for Listed { name, modified, .. } in all {
        let object = format!("{lock}/{name}");
        if let Some(lease) = name.strip_prefix(SHARED).and_then(|rest| rest.split_once('-')?.1.parse::<i64>().ok()) {
            // What can't be told from a dead one must not be passed over.
            let modified = modified.ok_or_else(|| {
                let lock = client.shown(&object);
                Fault::strange(&format!("the listing does not say when {lock} was written, which locks need"))
            })?;
            if now - modified > lease.saturating_add(margin) {
                // Its holder is dead, or knows that it must not go on.
                client.send(&Ask::new("unlocking", Method::Delete, Some(&object))).await?;
            } else if !shared {
                return Ok(false);
            }
        } else if shared && name == ALONE && read(client, &object).await?.is_some_and(|found| !found.has_run_out) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A lock as it is found.
struct Found {
    nonce: String,
    /// When it was written.
    modified: i64,
    has_run_out: bool,
}

/// A lock; none where there is none.
async fn read(client: &Client, name: &str) -> Result<Option<Found>, Fault> {
    let mut ask = Ask::new(DOING, Method::Get, Some(name));
    ask.most = 64 << 10;
    let answer = match client.send(&ask).await {
        Err(fault) if fault.is_missing() => return Ok(None),
        other => other?,
    };
    let bad = || Fault::strange(&format!("{} is no lock of this program; look what wrote it", client.shown(name)));
    let file: LockFile = serde_json::from_slice(&answer.body).map_err(|_| bad())?;
    if file.intendant_lock != 1 {
        return Err(bad());
    }
    let modified = answer.time("last-modified")?;
    let has_run_out = answer.time("date")? - modified > file.lease_ms.saturating_add(client.patience.margin);
    Ok(Some(Found { nonce: file.nonce, modified, has_run_out }))
}

/// Creates an object where none is; whether it did.
async fn create(client: &Client, ask: Ask, nonce: &str) -> Result<bool, Fault> {
    match client.send(&ask.clone().header("if-none-match", "*")).await {
        Ok(_) => Ok(true),
        Err(fault) if fault.is_taken() => {
            // The answer to an earlier try may have got lost.
            let found = read(client, ask.name.as_deref().unwrap_or_default()).await?;
            Ok(found.is_some_and(|found| found.nonce == nonce))
        }
        Err(fault) => Err(fault),
    }
}

async fn take_alone(client: &Client, state: &State, holder: &str) -> Result<bool, Fault> {
    if create(client, state.write(client, holder), &state.nonce).await? {
        return Ok(true);
    }
    match read(client, &state.name).await? {
        Some(found) if found.has_run_out => take_over(client, state, holder, found.nonce).await,
        // It was given back this moment, or is held.
        _ => Ok(false),
    }
}

/// Replaces a lock that has run out. Who creates the object that is named after its nonce, and only that one,
/// may do so; if it dies over it, the next one is named after its own nonce.
async fn take_over(client: &Client, state: &State, holder: &str, dead: String) -> Result<bool, Fault> {
    let until = Some(state.until.load(Ordering::SeqCst));
    let (mut rights, mut last) = (Vec::new(), dead.clone());
    let won = loop {
        let right = format!("{}/{AFTER}{last}", state.lock);
        let mut ask = state.write(client, holder).until(until);
        ask.name = Some(right.clone());
        rights.push(right.clone());
        if create(client, ask, &state.nonce).await? {
            break true;
        }
        match read(client, &right).await? {
            Some(found) if found.has_run_out && rights.len() < MAX_DEAD => last = found.nonce,
            _ => break false,
        }
    };
    if !won {
        return Ok(false);
    }
    // Somebody may have replaced it, and given up the right, since it was looked at.
    let is_same = read(client, &state.name).await?.is_some_and(|found| found.nonce == dead);
    if is_same {
        tracing::warn!(lock = state.lock, "taking over a lock that has run out");
        client.send(&state.write(client, holder).until(until)).await?;
    }
    for right in rights.iter().rev().take(if is_same { MAX_DEAD } else { 1 }) {
        client.send(&Ask::new("unlocking", Method::Delete, Some(right))).await?;
    }
    Ok(is_same)
}

/// Whether the service keeps its word that an object is created only where none is. Without it there are no locks.
pub(super) fn probe(client: &Arc<Client>) -> std::io::Result<()> {
    let name = "locks/probe";
    let work = {
        let client = client.clone();
        async move {
            for _ in 0..2 {
                let ask = Ask::new(DOING, Method::Put, Some(name)).body(b"two of these are never made\n".to_vec());
                match client.send(&ask.header("if-none-match", "*")).await {
                    Err(fault) if fault.is_taken() => return Ok(true),
                    // Who may only read needs no lock that others keep out.
                    Err(fault) if fault.is_denied() => return Ok(true),
                    Err(fault) if fault.is_unknown() => return Ok(false),
                    other => other?,
                };
            }
            Ok(false)
        }
    };
    match client.wait(work)? {
        Ok(true) => Ok(()),
        Err(fault) => Err(client.failed(DOING, Some(name), &fault)),
        Ok(false) => Err(std::io::Error::other(super::super::super::error::SnapshotError::Bucket {
            doing: DOING,
            path: client.shown(""),
            detail: "this service does not create an object only where none is (If-None-Match), so two programs \
                     could not keep out of each other's way; keep the store in another service, or in a folder"
                .into(),
            kind: std::io::ErrorKind::Unsupported,
        })),
    }
}
