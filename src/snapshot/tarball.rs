//! Tar archives as GNU tar reads them: raw names, nanoseconds in pax records, contents out of
//! the store.
//!
//! May use: `manifest`, `store`, `error`. Invariants: names and link targets are bytes and are
//! never converted; contents are checked before they are written.

use super::error::SnapshotError;
use super::manifest::{Entry, Facts};
use super::store::BlobReader;
use std::io::{self, Read, Write};

/// Tar's block.
const BLOCK: u64 = 512;

/// An archive that is being written.
pub(super) struct Tarball<W: Write> {
    out: W,
    pub(super) blobs: BlobReader,
    /// Bytes of contents so far.
    pub(super) sent: u64,
    /// The store's error, when that is why writing failed.
    pub(super) failed: Option<SnapshotError>,
}

impl<W: Write> Tarball<W> {
    pub(super) fn new(out: W, blobs: BlobReader) -> Self {
        Self { out, blobs, sent: 0, failed: None }
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK as usize])?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Adds a file that is not in the store.
    pub(super) fn plain(&mut self, name: &[u8], size: u64, content: &mut dyn Read) -> io::Result<()> {
        let facts = Facts { mode: 0o644, uid: 0, gid: 0, mtime: 0, ctime: 0, inode: 0, nlink: 1 };
        self.header(tar::EntryType::Regular, name, None, size, &facts)?;
        let copied = io::copy(&mut content.take(size), &mut self.out)?;
        if copied != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pad(&mut self.out, size)
    }

    /// Adds an entry of a manifest under a name; what is neither file, folder nor link is left out.
    pub(super) fn entry(&mut self, name: &[u8], entry: &Entry) -> io::Result<()> {
        match entry {
            Entry::Dir { facts } => self.dated(tar::EntryType::Directory, name, None, 0, facts),
            Entry::Link { facts, target } => self.dated(tar::EntryType::Symlink, name, Some(target), 0, facts),
            Entry::File { facts, content } => {
                self.dated(tar::EntryType::Regular, name, None, content.size, facts)?;
                for chunk in &content.chunks {
                    let bytes = self.blobs.read(chunk).map_err(|error| self.store_failed(error))?;
                    self.out.write_all(&bytes)?;
                    self.sent += bytes.len() as u64;
                }
                pad(&mut self.out, content.size)
            }
            Entry::Other { .. } | Entry::Object { .. } => Ok(()),
        }
    }

    /// Remembers the store's error: the one of the pipe says less.
    pub(super) fn store_failed(&mut self, error: SnapshotError) -> io::Error {
        let text = error.to_string();
        self.failed = Some(error);
        io::Error::other(text)
    }

    /// A pax record with the time to the nanosecond, then the header.
    fn dated(
        &mut self,
        kind: tar::EntryType,
        name: &[u8],
        target: Option<&[u8]>,
        size: u64,
        facts: &Facts,
    ) -> io::Result<()> {
        let record = pax_record("mtime", &pax_time(facts.mtime));
        let plain = Facts { mode: 0o644, uid: 0, gid: 0, mtime: 0, ..*facts };
        self.header(tar::EntryType::XHeader, b"pax", None, record.len() as u64, &plain)?;
        self.out.write_all(record.as_bytes())?;
        pad(&mut self.out, record.len() as u64)?;
        self.header(kind, name, target, size, facts)
    }

    /// A header with its name and link target as raw bytes; long ones in GNU's own records.
    fn header(
        &mut self,
        kind: tar::EntryType,
        name: &[u8],
        target: Option<&[u8]>,
        size: u64,
        facts: &Facts,
    ) -> io::Result<()> {
        const FIELD: usize = 100;
        if name.len() > FIELD {
            self.long(tar::EntryType::GNULongName, name)?;
        }
        if let Some(target) = target.filter(|target| target.len() > FIELD) {
            self.long(tar::EntryType::GNULongLink, target)?;
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(facts.mode);
        header.set_uid(u64::from(facts.uid));
        header.set_gid(u64::from(facts.gid));
        header.set_mtime(facts.mtime.div_euclid(1_000_000_000).max(0) as u64);
        if let Some(gnu) = header.as_gnu_mut() {
            fill(&mut gnu.name, name);
            fill(&mut gnu.linkname, target.unwrap_or(b""));
        }
        header.set_cksum();
        self.out.write_all(header.as_bytes())
    }

    fn long(&mut self, kind: tar::EntryType, bytes: &[u8]) -> io::Result<()> {
        let size = bytes.len() as u64 + 1;
        let facts = Facts { mode: 0o644, uid: 0, gid: 0, mtime: 0, ctime: 0, inode: 0, nlink: 1 };
        self.header(kind, b"././@LongLink", None, size, &facts)?;
        self.out.write_all(bytes)?;
        self.out.write_all(&[0])?;
        pad(&mut self.out, size)
    }
}

/// As much as fits.
fn fill(field: &mut [u8; 100], bytes: &[u8]) {
    field.fill(0);
    let length = bytes.len().min(field.len());
    field[..length].copy_from_slice(&bytes[..length]);
}

fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    let rest = (size.next_multiple_of(BLOCK) - size) as usize;
    out.write_all(&[0; BLOCK as usize][..rest])
}

/// `LENGTH KEY=VALUE`, where the length counts itself.
fn pax_record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

/// Nanoseconds as the decimal seconds of a pax record.
fn pax_time(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let abs = nanoseconds.unsigned_abs();
    format!("{sign}{}.{:09}", abs / 1_000_000_000, abs % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_pax_has_them() {
        assert_eq!(pax_time(1_700_000_000_000_000_001), "1700000000.000000001");
        assert_eq!(pax_time(-1_500_000_000), "-1.500000000");
        assert_eq!(pax_record("mtime", "1.5"), "13 mtime=1.5\n");
    }
}
