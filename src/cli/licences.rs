//! The file with the fleet's pools of licences, and the keys that it refers to.
//!
//! May use: `plan`, `run`. Invariants: who can write the file is an administrator of its pools, so a file that everybody
//! can write is not read; it is replaced whole or not at all, by one process at a time, and whoever could read it before can after it;
//! a key is read only when it is used.

use super::identity::Reference;
use super::{ExitCode, Failure};
use crate::plan::{KeyReference, LicencePools};
use crate::run::Keys;
use secrecy::SecretString;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The file beside the settings, where these name no other.
pub(super) const DEFAULT: &str = "licences.yaml";
/// The largest file, in bytes.
const MAX_BYTES: u64 = crate::model::document::MAX_DOCUMENT_BYTES as u64;
/// What stands above the pools.
const HEAD: &str = "# Pools of licences: see `intendant licence`, which writes this file anew without other comments.\n\
                    # Keys stand elsewhere: key: file:PATH\n";

/// Where the pools stand.
#[derive(Debug, Clone)]
pub(super) struct LicenceFile {
    path: PathBuf,
}

impl LicenceFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The pools; none where there is no file.
    pub(super) fn read(&self) -> Result<LicencePools, Failure> {
        let mut text = String::new();
        let read = File::open(&self.path).and_then(|file| {
            let open_to_all = file.metadata()?.permissions().mode() & 0o002 != 0;
            file.take(MAX_BYTES + 1).read_to_string(&mut text).map(|_| open_to_all)
        });
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(LicencePools::default()),
            Err(error) => return Err(self.invalid(&format!("can't be read: {error}"))),
            Ok(true) => {
                return Err(self.invalid("everybody can write it, so everybody could give licences away; chmod o-w"));
            }
            Ok(false) => {}
        }
        LicencePools::parse(&self.path, &text)
            .map_err(|violations| Failure { code: ExitCode::INVALID, text: violations.to_string() })
    }

    fn invalid(&self, what: &str) -> Failure {
        Failure { code: ExitCode::INVALID, text: format!("{}: {what}", self.path.display()) }
    }

    /// Takes the file for a change: nobody else changes it until that is written, or dropped.
    ///
    /// # Errors
    /// This account can't write it, or another process is changing it.
    pub(super) fn change(&self) -> Result<Change<'_>, Failure> {
        let refused = |error: std::io::Error| {
            let text = format!(
                "{}: only who can write this file may change its pools, and this account can't: {error}",
                self.path.display()
            );
            Failure { code: ExitCode::OTHER, text }
        };
        match OpenOptions::new().append(true).open(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(error)),
            _ => {}
        }
        let place = self.place()?;
        let fresh = place.with_extension("yaml.new");
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => self.invalid(&format!(
                "another process is changing it; if none is, remove what it left: {}",
                fresh.display()
            )),
            _ => refused(error),
        })?;
        // From here on the lock goes when the change is dropped.
        let mut change = Change { of: self, place, fresh, file, pools: LicencePools::default(), written: false };
        change.pools = self.read()?;
        change.keep_readers()?;
        Ok(change)
    }

    /// Where the file itself is: a link to it stays one.
    fn place(&self) -> Result<PathBuf, Failure> {
        match std::fs::canonicalize(&self.path) {
            Ok(place) => Ok(place),
            Err(error) if error.kind() == ErrorKind::NotFound && !self.path.is_symlink() => Ok(self.path.clone()),
            Err(error) => Err(self.invalid(&format!("it is a link to what can't be found: {error}"))),
        }
    }
}

/// A change of the file under way.
pub(super) struct Change<'a> {
    of: &'a LicenceFile,
    /// What is replaced.
    place: PathBuf,
    fresh: PathBuf,
    file: File,
    pub(super) pools: LicencePools,
    written: bool,
}

impl Change<'_> {
    fn folder(&self) -> &Path {
        self.place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Gives the new file the owner, the group and the mode of the old one; a first one gets those of its folder, but is its
    /// owner's alone. Else whoever changes pools as another account takes them from the one that runs the fleet.
    fn keep_readers(&self) -> Result<(), Failure> {
        let keep = || {
            let old = std::fs::metadata(&self.place).ok();
            let like = old.as_ref().map_or_else(|| std::fs::metadata(self.folder()), |old| Ok(old.clone()))?;
            let new = self.file.metadata()?;
            if (new.uid(), new.gid()) != (like.uid(), like.gid()) {
                std::os::unix::fs::fchown(&self.file, Some(like.uid()), Some(like.gid()))?;
            }
            old.map_or(Ok(()), |old| self.file.set_permissions(old.permissions()))
        };
        let refused = |error: std::io::Error| {
            let path = self.place.display();
            let text = format!(
                "{path}: what this account writes can't be given the owner and the group that the file, or its folder, has ({error}), \
                 and who runs the fleet might not read it then; change its pools as that account"
            );
            Failure { code: ExitCode::OTHER, text }
        };
        keep().map_err(refused)
    }

    /// Writes the pools beside the file, on the disk, and looks whether they can be read again.
    pub(super) fn prepare(&mut self) -> Result<(), Failure> {
        let text = serde_yaml::to_string(&self.pools).map_err(|error| self.of.invalid(&error.to_string()))?;
        let text = format!("{HEAD}{text}");
        LicencePools::parse(&self.of.path, &text)
            .map_err(|violations| Failure { code: ExitCode::INVALID, text: violations.to_string() })?;
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| self.of.invalid(&format!("can't be written: {error}")))
    }

    /// Puts what was prepared in the place of the file.
    pub(super) fn commit(mut self) -> Result<(), Failure> {
        let replaced = std::fs::rename(&self.fresh, &self.place).and_then(|()| File::open(self.folder())?.sync_all());
        self.written = replaced.is_ok();
        replaced.map_err(|error| self.of.invalid(&format!("can't be replaced: {error}")))
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if !self.written {
            let _ = std::fs::remove_file(&self.fresh);
        }
    }
}

impl Keys for LicenceFile {
    fn key(&self, reference: &KeyReference) -> Result<SecretString, String> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let reference = Reference::parse(reference.as_str(), folder, "key").map_err(|failure| failure.text)?;
        reference.secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOLS: &str = "licences: 1\npools:\n  cache: { vendor: V, product: P, seats: 2 }\n";

    #[test]
    fn a_change_is_whole_or_not_and_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = LicenceFile::new(folder.path().join("licences.yaml"));
        assert_eq!(file.read().unwrap(), LicencePools::default(), "there is none yet");
        std::fs::write(file.path(), POOLS).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
        let mut change = file.change().unwrap();
        assert!(file.change().is_err_and(|failure| failure.text.contains("another process")));
        change.pools.pools.clear();
        change.prepare().unwrap();
        drop(change);
        assert_eq!(file.read().unwrap().pools.len(), 1, "it was not committed");
        let mut change = file.change().unwrap();
        change.pools.pools.clear();
        change.prepare().unwrap();
        change.commit().unwrap();
        assert_eq!(file.read().unwrap().pools.len(), 0);
        assert_eq!(std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(file.read().is_err_and(|failure| failure.text.contains("chmod o-w")));
    }

    #[test]
    fn who_could_read_the_file_still_can_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("shared/pools.yaml");
        std::fs::create_dir(folder.path().join("shared")).unwrap();
        std::fs::write(&real, POOLS).unwrap();
        std::os::unix::fs::symlink("shared/pools.yaml", folder.path().join("licences.yaml")).unwrap();
        let root = std::fs::metadata(folder.path()).unwrap().uid() == 0;
        if root {
            std::os::unix::fs::chown(&real, Some(1234), Some(2345)).unwrap();
            std::os::unix::fs::chown(folder.path().join("shared"), Some(1234), Some(2345)).unwrap();
        }
        let file = LicenceFile::new(folder.path().join("licences.yaml"));
        let change_all = || {
            let mut change = file.change().unwrap();
            change.pools.pools.clear();
            change.prepare().unwrap();
            change.commit().unwrap();
        };
        change_all();
        assert!(file.path().is_symlink(), "the link is still one");
        assert_eq!(LicenceFile::new(real.clone()).read().unwrap().pools.len(), 0);
        let owner = || std::fs::metadata(&real).map(|now| (now.uid(), now.gid())).unwrap();
        assert!(!root || owner() == (1234, 2345), "{:?}", owner());
        std::fs::remove_file(&real).unwrap();
        assert!(file.change().is_err_and(|failure| failure.text.contains("is a link")), "it leads nowhere");
        std::fs::remove_file(file.path()).unwrap();
        let first = LicenceFile::new(real.clone());
        let mut change = first.change().unwrap();
        change.prepare().unwrap();
        change.commit().unwrap();
        assert!(!root || owner() == (1234, 2345), "a first one is its folder's: {:?}", owner());
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn keys_are_found_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = LicenceFile::new(folder.path().join("licences.yaml"));
        std::fs::write(folder.path().join("key"), "ABCD-1234\n").unwrap();
        let key = |text: &str| file.key(&KeyReference::new(text).unwrap());
        assert_eq!(secrecy::ExposeSecret::expose_secret(&key("file:key").unwrap()), "ABCD-1234");
        assert!(key("file:none").unwrap_err().contains("none"));
    }
}
