//! A store's objects in a folder of this machine.
//!
//! May use: `backend`. Invariant: an object is visible whole and synced, or not at all.

use super::backend::{Backend, Held, Object, Upload};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A folder of this machine.
pub(super) struct Folder {
    root: PathBuf,
}

const UNFINISHED: &str = "unfinished";

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Creates the folder of an object, and syncs those that it creates.
    fn make_folders(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.make_folders(parent)?;
        }
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        folder.parent().map_or(Ok(()), sync_folder)
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

struct FolderUpload {
    file: BufWriter<File>,
    unfinished: PathBuf,
    finished: PathBuf,
    committed: bool,
}

impl Write for FolderUpload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Upload for FolderUpload {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        std::fs::rename(&self.unfinished, &self.finished)?;
        self.committed = true;
        self.finished.parent().map_or(Ok(()), sync_folder)
    }
}

impl Drop for FolderUpload {
    fn drop(&mut self) {
        if !self.committed {
            // If this fails too, `clean` removes the file later.
            let _ = std::fs::remove_file(&self.unfinished);
        }
    }
}

struct HeldFile(File);

impl Held for HeldFile {}

impl Drop for HeldFile {
    fn drop(&mut self) {
        // Closing is not enough: a process that another thread is just starting has the file, too,
        // until it becomes another program.
        let _ = self.0.unlock();
    }
}

impl Backend for Folder {
    fn create(&self, name: &str) -> io::Result<Box<dyn Upload>> {
        let finished = self.path(name);
        finished.parent().map_or(Ok(()), |folder| self.make_folders(folder))?;
        self.make_folders(&self.path(UNFINISHED))?;
        let (unfinished, file) = loop {
            let unfinished = self.path(UNFINISHED).join(uuid::Uuid::new_v4().simple().to_string());
            let file = OpenOptions::new().write(true).create_new(true).open(&unfinished)?;
            // `clean` of another process leaves locked files alone, and may have come before the lock.
            file.lock()?;
            if unfinished.try_exists()? {
                break (unfinished, file);
            }
        };
        Ok(Box::new(FolderUpload {
            file: BufWriter::with_capacity(256 << 10, file),
            unfinished,
            finished,
            committed: false,
        }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Object>> {
        Ok(Box::new(File::open(self.path(name))?))
    }

    fn range(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path(name))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let entries = match std::fs::read_dir(self.path(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let meta = entry.metadata()?;
            let size = if meta.is_dir() { 0 } else { meta.len() };
            if let Ok(name) = entry.file_name().into_string() {
                names.push((name, size));
            }
        }
        names.sort();
        Ok(names)
    }

    fn lock(&self, name: &str, shared: bool) -> io::Result<Option<Box<dyn Held>>> {
        let path = self.path(name);
        path.parent().map_or(Ok(()), |folder| self.make_folders(folder))?;
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let taken = if shared { file.try_lock_shared() } else { file.try_lock() };
        match taken {
            Ok(()) => Ok(Some(Box::new(HeldFile(file)))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn remove(&self, names: &[String]) -> io::Result<()> {
        let mut folders = BTreeSet::new();
        for name in names {
            let path = self.path(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => folders.extend(path.parent().map(Path::to_owned)),
            }
        }
        folders.iter().filter(|folder| folder.is_dir()).try_for_each(|folder| sync_folder(folder))
    }

    fn clean(&self) -> io::Result<()> {
        for (name, _) in self.list(UNFINISHED)? {
            let path = self.path(UNFINISHED).join(name);
            // A file that vanishes or is locked belongs to a living writer.
            if let Ok(file) = File::open(&path)
                && file.try_lock().is_ok()
            {
                let _ = std::fs::remove_file(&path);
            }
        }
        Ok(())
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}
