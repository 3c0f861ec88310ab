//! Copies of indexes, which never change under their names: in memory until they are read, and on the disk of
//! this machine from one run to the next.
//!
//! May use: `client`, `list`, `object`. Invariants: a copy is taken only for the object that the last listing
//! showed, by its size and its tag; a copy that can't be read or kept is none; what is kept is bounded.

use super::client::Client;
use super::list::Listed;
use super::object;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many objects are fetched at once.
const AT_ONCE: usize = 16;
/// The most bytes that wait in memory, about.
const MOST: usize = 64 << 20;

/// What is kept.
pub(super) struct Cache {
    folder: Option<PathBuf>,
    /// For each index, as it was listed, the name of its copy.
    listed: Mutex<HashMap<String, (String, u64)>>,
    ready: Mutex<HashMap<String, Vec<u8>>>,
}

fn is_kept(name: &str) -> bool {
    name.ends_with(".index")
}

impl Cache {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, listed: Mutex::default(), ready: Mutex::default() }
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
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let (copy, size) = listed.get(name)?;
        Some((self.folder.as_ref()?.join(copy), *size))
    }

    fn is_there(&self, name: &str) -> bool {
        self.file(name).is_some_and(|(file, size)| file.metadata().is_ok_and(|found| found.len() == size))
    }

    /// The copy of an object. One in memory is given away.
    pub(super) fn take(&self, name: &str) -> Option<Vec<u8>> {
        if !is_kept(name) {
            return None;
        }
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let copied = || {
            let (file, size) = self.file(name)?;
            std::fs::read(file).ok().filter(|bytes| bytes.len() as u64 == size)
        };
        ready.or_else(copied)
    }

    /// Keeps a copy on the disk, if there is a place for it.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let Some((file, _)) = self.file(name).filter(|_| is_kept(name)) else { return };
        let write = |folder: &Path| {
            std::fs::create_dir_all(folder)?;
            let copy = tempfile::NamedTempFile::new_in(folder)?;
            std::fs::write(copy.path(), bytes)?;
            copy.as_file().sync_all()?;
            copy.persist(&file).map(drop).map_err(|error| error.error)
        };
        if let Err(error) = file.parent().map_or(Ok(()), write) {
            tracing::debug!(%error, file = %file.display(), "a copy of an index could not be kept");
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
                    (name, client.begin(async move { object::start(&client_of, &asked).await }))
                })
                .collect();
            for (name, answer) in begun {
                let Ok(Ok((bytes, size))) = answer.recv() else { continue };
                if bytes.len() as u64 != size {
                    continue;
                }
                self.put(name, &bytes);
                if self.is_there(name) {
                    continue;
                }
                waiting += bytes.len();
                self.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), bytes);
            }
            if waiting > MOST {
                return;
            }
        }
    }
}
