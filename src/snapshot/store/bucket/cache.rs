//! Copies of indexes, and of the beginnings of encrypted packs, which never change under their names: in memory
//! until they are read, and on the disk of this machine from one run to the next.
//!
//! May use: `client`, `list`, `object`. Invariants: a copy is taken only for the object that the last listing
//! showed, by its size and its tag, and with the digest that stands before it; a copy that can't be read or kept
//! is none; what is kept is bounded.

use super::client::Client;
use super::list::Listed;
use super::object;
use crate::model::Digest;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many objects are fetched at once.
const AT_ONCE: usize = 16;
/// The most bytes that wait in memory, about.
const MOST: usize = 64 << 20;

/// What is kept.
pub(super) struct Cache {
    folder: Option<PathBuf>,
    /// Whether copies on the disk are passed by.
    is_off: AtomicBool,
    /// For each of them, as it was listed, the name of its copy, and its size.
    listed: Mutex<HashMap<String, (String, u64)>>,
    ready: Mutex<HashMap<String, Start>>,
}

/// The beginning of an object, and the size of all of it.
type Start = (Vec<u8>, u64);

/// How much is read of an encrypted pack to see how long its header is.
const HEAD: usize = 16 << 10;
/// A copy on the disk begins with the digest of the rest.
const DIGEST: usize = 32;

fn is_pack(name: &str) -> bool {
    name.ends_with(".tar.zst.age")
}

fn is_kept(name: &str) -> bool {
    name.ends_with(".index") || is_pack(name)
}

/// How much of an object is read at first.
pub(super) fn first(name: &str) -> usize {
    if is_pack(name) { HEAD } else { object::FIRST }
}

/// How long the copy of an object of this size is.
fn kept_length(name: &str, size: u64) -> u64 {
    if is_pack(name) { size.min(HEAD as u64) } else { size }
}

impl Cache {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, is_off: AtomicBool::new(false), listed: Mutex::default(), ready: Mutex::default() }
    }

    /// Passes by what is on the disk, from now on.
    pub(super) fn afresh(&self) {
        self.is_off.store(true, Ordering::SeqCst);
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes note of a listing; copies of what is gone are removed.
    pub(super) fn saw(&self, folder: &str, all: &[Listed]) {
        if folder != "packs" {
            return;
        }
        let copy = |one: &Listed| {
            let tag: String = one.tag.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
            (format!("{}-{}-{tag}", one.name, one.size), one.size)
        };
        let kept = all.iter().filter(|one| is_kept(&one.name) && !one.name.contains('/'));
        let listed: HashMap<String, (String, u64)> =
            kept.map(|one| (format!("packs/{}", one.name), copy(one))).collect();
        if let Some(there) = self.folder.as_deref().and_then(|folder| std::fs::read_dir(folder).ok()) {
            let known: std::collections::HashSet<&str> = listed.values().map(|(copy, _)| copy.as_str()).collect();
            for entry in there.flatten().filter(|entry| !known.contains(&*entry.file_name().to_string_lossy())) {
                // What can't be removed now is looked at again the next time.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = listed;
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Where the copy of an object is or would be, and its size.
    fn file(&self, name: &str) -> Option<(PathBuf, u64)> {
        if self.is_off.load(Ordering::SeqCst) {
            return None;
        }
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let (copy, size) = listed.get(name)?;
        Some((self.folder.as_ref()?.join(copy), *size))
    }

    fn is_there(&self, name: &str) -> bool {
        let length = |size| kept_length(name, size) + DIGEST as u64;
        self.file(name).is_some_and(|(file, size)| file.metadata().is_ok_and(|found| found.len() == length(size)))
    }

    /// The copy of an object. One in memory is given away.
    pub(super) fn take(&self, name: &str) -> Option<Start> {
        if !is_kept(name) {
            return None;
        }
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let copied = || {
            let (file, size) = self.file(name)?;
            let bytes = std::fs::read(&file).ok()?;
            let is_good = |(digest, bytes): &(&[u8; DIGEST], &[u8])| {
                bytes.len() as u64 == kept_length(name, size) && Digest::of(bytes).as_bytes() == *digest
            };
            let Some((_, bytes)) = bytes.split_first_chunk().filter(is_good) else {
                tracing::warn!(file = %file.display(), "a copy is not what it was, and is fetched again");
                let _ = std::fs::remove_file(&file);
                return None;
            };
            Some((bytes.to_vec(), size))
        };
        ready.or_else(copied)
    }

    /// Keeps a copy on the disk, if there is a place for it.
    pub(super) fn put(&self, name: &str, (bytes, size): &Start) {
        let is_all = is_kept(name) && bytes.len() as u64 == kept_length(name, *size);
        let Some((file, _)) = self.file(name).filter(|listed| is_all && listed.1 == *size) else { return };
        let write = |folder: &Path| {
            std::fs::create_dir_all(folder)?;
            let mut copy = tempfile::NamedTempFile::new_in(folder)?;
            copy.write_all(Digest::of(bytes).as_bytes())?;
            copy.write_all(bytes)?;
            copy.as_file().sync_all()?;
            copy.persist(&file).map(drop).map_err(|error| error.error)
        };
        if let Err(error) = file.parent().map_or(Ok(()), write) {
            tracing::debug!(%error, file = %file.display(), "a copy could not be kept");
        }
    }

    /// Fetches objects that have no copy, several at once. What fails is read again when it is needed.
    pub(super) fn fetch(&self, client: &Arc<Client>, names: &[String]) {
        let is_missing = |name: &&String| !self.is_there(name);
        let missing: Vec<String> = names.iter().filter(|name| is_kept(name)).filter(is_missing).cloned().collect();
        let mut waiting = 0;
        for some in missing.chunks(AT_ONCE) {
            let begun: Vec<_> = some
                .iter()
                .map(|name| {
                    let (asked, client_of) = (name.clone(), client.clone());
                    (name, client.begin(async move { object::start(&client_of, &asked, first(&asked)).await }))
                })
                .collect();
            for (name, answer) in begun {
                let Ok(Ok(start)) = answer.recv() else { continue };
                self.put(name, &start);
                if self.is_there(name) {
                    continue;
                }
                waiting += start.0.len();
                self.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), start);
            }
            if waiting > MOST {
                return;
            }
        }
    }
}
