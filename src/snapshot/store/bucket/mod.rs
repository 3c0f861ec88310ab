//! A store's objects in a bucket of any service that speaks S3.
//!
//! May use: `model`, `error`, `backend`. Invariants: an object is visible whole or not at all; nothing is changed
//! under a lock that may have run out; no secret is in a text; every wait has an end.

mod cache;
mod client;
mod clock;
mod fault;
mod lease;
mod list;
mod object;
mod place;
mod upload;

pub(super) use client::Patience;
pub use place::{BucketKeys, BucketPlace};

use super::backend::{Backend, Held, Object, Upload};
use cache::Cache;
use client::{Ask, Client};
use fault::Fault;
use lease::Leases;
use object::BucketObject;
use rusty_s3::Method;
use rusty_s3::actions::{DeleteObjects, DeleteObjectsResponse, ObjectIdentifier};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use upload::BucketUpload;

/// How many objects are removed at once.
const BATCH: usize = 1000;

/// What is needed to use a bucket.
#[derive(Debug, Clone)]
pub struct BucketUse {
    /// Where it is.
    pub place: BucketPlace,
    /// The keys to it.
    pub keys: BucketKeys,
    /// Who uses it, for people who find a lock.
    pub holder: String,
    /// A folder of this machine for copies of what never changes; none: it is fetched each time.
    pub cache: Option<PathBuf>,
}

/// A bucket, or a part of one.
pub(super) struct Bucket {
    client: Arc<Client>,
    leases: Arc<Leases>,
    cache: Cache,
}

impl Bucket {
    pub(super) fn new(usage: &BucketUse, patience: Patience) -> io::Result<Self> {
        let client = Arc::new(Client::new(usage.place.clone(), &usage.keys, patience)?);
        let leases = Arc::new(Leases::new(client.clone(), &usage.holder));
        Ok(Self { client, leases, cache: Cache::new(usage.cache.clone()) })
    }

    fn failed(&self, doing: &'static str, name: &str, fault: &Fault) -> io::Error {
        // What is gone may have been removed while this program slept.
        if fault.is_missing() && self.leases.fence(name).is_err() {
            return self.client.failed(doing, Some(name), &Fault::Late);
        }
        self.client.failed(doing, Some(name), fault)
    }

    fn remove_batch(&self, names: &[String]) -> io::Result<()> {
        let doing = "removing";
        let Some(first) = names.first() else { return Ok(()) };
        let failed = |fault: &Fault| self.client.failed(doing, Some(first), fault);
        let fences = names.iter().map(|name| self.leases.fence(name)).collect::<Result<Vec<_>, _>>();
        let until = fences.map_err(|fault| failed(&fault))?.into_iter().flatten().min();
        if names.len() == 1 {
            return match self.client.ask(Ask::new(doing, Method::Delete, Some(first)).until(until)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other.map(drop),
            };
        }
        let bucket = self.client.place.bucket().map_err(io::Error::other)?;
        let objects: Vec<_> = names.iter().map(|name| ObjectIdentifier::new(self.client.key(name))).collect();
        let mut action = DeleteObjects::new(&bucket, None, objects.iter());
        action.set_quiet(true);
        let body = action.body_with_md5().0.into_bytes();
        let ask = Ask::new(doing, Method::Post, None).query("delete", "1").until(until).body(body);
        let answer = self.client.ask(ask)?;
        let text = answer.text().map_err(|fault| failed(&fault))?;
        let said = DeleteObjectsResponse::parse(text).map_err(|error| failed(&Fault::strange(&error.to_string())))?;
        match said.errors.iter().find(|error| error.code != "NoSuchKey") {
            None => Ok(()),
            Some(error) => Err(failed(&Fault::refused(&error.code, &error.message))),
        }
    }
}

impl Backend for Bucket {
    fn create(&self, name: &str) -> io::Result<Box<dyn Upload>> {
        Ok(Box::new(BucketUpload::new(self.client.clone(), self.leases.clone(), name)))
    }

    fn found(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let ask = Ask::new("writing", Method::Put, Some(name)).body(bytes.to_vec()).header("if-none-match", "*");
        let client = self.client.clone();
        match self.client.wait(async move { client.send(&ask).await })? {
            Err(fault) if !fault.is_taken() => Err(self.client.failed("writing", Some(name), &fault)),
            _ => Ok(()),
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Object>> {
        if let Some(start) = self.cache.take(name) {
            return Ok(Box::new(BucketObject::new(self.client.clone(), name, start)));
        }
        let (client, asked) = (self.client.clone(), name.to_owned());
        let start = self.client.wait(async move { object::start(&client, &asked, cache::first(&asked)).await })?;
        let start = start.map_err(|fault| self.failed("reading", name, &fault))?;
        self.cache.put(name, &start);
        Ok(Box::new(BucketObject::new(self.client.clone(), name, start)))
    }

    fn range(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let (client, asked) = (self.client.clone(), name.to_owned());
        let part = self.client.wait(async move { object::part(&client, &asked, offset, length).await })?;
        let part = part.map_err(|fault| self.failed("reading", name, &fault))?;
        part.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let (client, asked) = (self.client.clone(), folder.to_owned());
        let listed = self.client.wait(async move { list::list(&client, "listing", &asked).await })?;
        let (all, _) = listed.map_err(|fault| self.client.failed("listing", Some(folder), &fault))?;
        self.cache.saw(folder, &all);
        Ok(all.into_iter().map(|one| (one.name, one.size)).collect())
    }

    fn lock(&self, name: &str, shared: bool) -> io::Result<Option<Box<dyn Held>>> {
        self.leases.take(name, shared)
    }

    fn probe(&self) -> io::Result<()> {
        lease::probe(&self.client)
    }

    fn remove(&self, names: &[String]) -> io::Result<()> {
        names.chunks(BATCH).try_for_each(|batch| self.remove_batch(batch))
    }

    fn soon(&self, names: &[String]) {
        self.cache.fetch(&self.client, names);
    }

    fn afresh(&self) {
        self.cache.afresh();
    }

    fn clean(&self) -> io::Result<()> {
        let doing = "giving up unfinished uploads";
        let client = self.client.clone();
        let done = self.client.wait(async move {
            let all = match list::uploads(&client, doing).await {
                // Who may not look, or whose service can't say, lets the service remove them after some days.
                Err(fault) if fault.is_denied() || fault.is_unknown() => return Ok(()),
                other => other?,
            };
            let now = client.clock.now();
            for (name, id, since) in all {
                if now - since > client.patience.unfinished {
                    let abort = Ask::new(doing, Method::Delete, Some(&name)).query("uploadId", id);
                    match client.send(&abort).await {
                        Err(fault) if !fault.is_missing() => return Err(fault),
                        _ => {}
                    }
                }
            }
            Ok(())
        })?;
        done.map_err(|fault| self.client.failed(doing, None, &fault))
    }

    fn shown(&self, name: &str) -> String {
        self.client.shown(name)
    }

    fn tried(&self) -> io::Result<Option<String>> {
        let name = format!("locks/trial-{}", uuid::Uuid::new_v4().simple());
        let bytes = b"written to see whether it can be\n".to_vec();
        self.client.ask(Ask::new("writing", Method::Put, Some(&name)).body(bytes.clone()))?;
        let read = self.range(&name, 0, bytes.len());
        self.client.ask(Ask::new("removing", Method::Delete, Some(&name)))?;
        if read? != bytes {
            return Err(self.client.failed("reading", Some(&name), &Fault::strange("it is not what was written")));
        }
        Ok(Some(format!(
            "the bucket {} at {} can be written, read and locked",
            self.client.place, self.client.place.endpoint
        )))
    }
}
