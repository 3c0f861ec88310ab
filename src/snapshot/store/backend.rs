//! Where a store's objects are: a small trait, which a folder and a bucket keep.
//!
//! May use: nothing of this crate. Invariants: an object is visible whole and durable, or not at
//! all; the trait asks for no rename, so that a bucket can keep it.

use std::io::{self, Read, Seek, Write};

/// An object that is being written. Dropped without a commit, it never was.
pub(in super::super) trait Upload: Write + Send {
    /// Makes it durable, then visible.
    fn commit(self: Box<Self>) -> io::Result<()>;
}

/// An object that is read, from its beginning or elsewhere.
pub(in super::super) trait Object: Read + Seek + Send {}

impl<T: Read + Seek + Send> Object for T {}

/// Holds a lock until it is dropped.
pub(super) trait Held: Send + Sync {}

/// Where objects are. Names are relative, of our own making, with `/` between parts.
pub(super) trait Backend: Send + Sync {
    /// Begins an object.
    fn create(&self, name: &str) -> io::Result<Box<dyn Upload>>;
    /// Writes a small object at once. Where another program may write it at the same time, one that is there stays.
    fn found(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut upload = self.create(name)?;
        upload.write_all(bytes)?;
        upload.commit()
    }
    /// Reads an object from its beginning.
    fn open(&self, name: &str) -> io::Result<Box<dyn Object>>;
    /// Reads a part of an object; shorter than `length` is an error.
    fn range(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;
    /// The names directly below a folder, with their sizes; folders have size 0. Sorted.
    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>>;
    /// Takes a lock; none when another holds it.
    fn lock(&self, name: &str, shared: bool) -> io::Result<Option<Box<dyn Held>>>;
    /// Removes objects, durably when it returns; one that is not there is none to remove.
    fn remove(&self, names: &[String]) -> io::Result<()>;
    /// These objects, small ones, are opened next: who is far away from them fetches them together.
    fn soon(&self, _names: &[String]) {}
    /// Takes everything from where it is, from now on, and nothing from copies on the disk of this machine.
    fn afresh(&self) {}
    /// Removes what interrupted writers left.
    fn clean(&self) -> io::Result<()>;
    /// What messages call an object.
    fn shown(&self, name: &str) -> String;
    /// Whether locks keep others out here; asked before anything is written.
    fn probe(&self) -> io::Result<()> {
        Ok(())
    }
    /// Tries what a run needs of a service elsewhere, and says what it found; nothing of a disk.
    fn tried(&self) -> io::Result<Option<String>> {
        Ok(None)
    }
}
