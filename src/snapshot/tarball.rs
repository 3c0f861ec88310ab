//! Tar archives as GNU tar reads them: raw names, nanoseconds in pax records, contents out of
//! the store; without those records for those who only know older archives.
//!
//! May use: `model`, `manifest`, `store`, `error`. Invariants: names and link targets are bytes and are
//! never converted; contents are checked before they are written.

use super::attributes::Attributes;
use super::error::SnapshotError;
use super::manifest::{Chunk, Content, Entry, Facts};
use super::store::BlobReader;
use crate::model::Digest;
use std::io::{self, Read, Write};

/// Tar's block.
const BLOCK: u64 = 512;
/// The bytes of a header's field for names.
const FIELD: usize = 100;

/// What becomes of long stretches of zeros.
#[derive(Debug, Clone, Copy)]
pub(super) enum Zeros {
    /// Holes, as GNU tar has them.
    Holes,
    /// They are written, so that every program reads the archive.
    Written,
}

/// An archive that is being written.
pub(super) struct Tarball<W: Write> {
    out: W,
    zeros: Zeros,
    nanoseconds: bool,
    pub(super) blobs: BlobReader,
    /// Bytes of contents so far.
    pub(super) sent: u64,
    /// The store's error, when that is why writing failed.
    pub(super) failed: Option<SnapshotError>,
}

impl<W: Write> Tarball<W> {
    pub(super) fn new(out: W, blobs: BlobReader, zeros: Zeros) -> Self {
        Self { out, zeros, nanoseconds: true, blobs, sent: 0, failed: None }
    }

    /// Times to the second, no holes: what every tar reads.
    pub(super) fn simple(out: W, blobs: BlobReader) -> Self {
        Self { nanoseconds: false, ..Self::new(out, blobs, Zeros::Written) }
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK as usize])?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Adds a file that is not in the store.
    pub(super) fn plain(&mut self, name: &[u8], size: u64, content: &mut dyn Read) -> io::Result<()> {
        let facts = Facts {
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: 0,
            ctime: 0,
            inode: 0,
            nlink: 1,
            attributes: Attributes::Unknown,
        };
        self.header(tar::EntryType::Regular, name, None, size, &facts)?;
        let copied = io::copy(&mut content.take(size), &mut self.out)?;
        if copied != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pad(&mut self.out, size)
    }

    /// Adds an entry of a manifest under a name; what is neither file, folder nor link is left out.
    pub(super) fn entry(&mut self, name: &[u8], entry: &Entry) -> io::Result<()> {
        match entry.facts() {
            Some(facts) => self.entry_with(name, entry, facts),
            None => Ok(()),
        }
    }

    /// The same with other facts.
    pub(super) fn entry_with(&mut self, name: &[u8], entry: &Entry, facts: &Facts) -> io::Result<()> {
        match entry {
            Entry::Dir { .. } => self.dated(tar::EntryType::Directory, name, None, 0, facts),
            Entry::Link { target, .. } => self.dated(tar::EntryType::Symlink, name, Some(target), 0, facts),
            Entry::File { content, .. } => {
                let holes = match self.zeros {
                    Zeros::Holes => holes(content),
                    Zeros::Written => Vec::new(),
                };
                if !holes.is_empty() {
                    return self.sparse(name, facts, content, &holes);
                }
                self.dated(tar::EntryType::Regular, name, None, content.size, facts)?;
                content.chunks.iter().try_for_each(|chunk| self.chunk(chunk))?;
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

    fn chunk(&mut self, chunk: &Chunk) -> io::Result<()> {
        let bytes = self.blobs.read(chunk).map_err(|error| self.store_failed(error))?;
        self.out.write_all(&bytes)?;
        self.sent += bytes.len() as u64;
        Ok(())
    }

    /// A file with holes, in GNU tar's old format: a map of its data, then the data.
    fn sparse(&mut self, name: &[u8], facts: &Facts, content: &Content, holes: &[Hole]) -> io::Result<()> {
        let mut data = Vec::new();
        let mut at = 0;
        for hole in holes {
            data.push((at, hole.from - at));
            at = hole.to;
        }
        // An empty piece at the end says how long the file is.
        data.push((at, content.size - at));
        let stored: u64 = data.iter().map(|(_, length)| length).sum();
        self.times(facts)?;
        if name.len() > FIELD {
            self.long(tar::EntryType::GNULongName, name)?;
        }
        let mut header = basic(tar::EntryType::GNUSparse, name, None, stored, facts);
        let mut rest = data.as_slice();
        if let Some(gnu) = header.as_gnu_mut() {
            gnu.realsize = number(content.size);
            rest = fill_map(&mut gnu.sparse, rest);
            gnu.isextended = [u8::from(!rest.is_empty())];
        }
        header.set_cksum();
        self.out.write_all(header.as_bytes())?;
        while !rest.is_empty() {
            let mut more = tar::GnuExtSparseHeader::new();
            rest = fill_map(&mut more.sparse, rest);
            more.isextended = [u8::from(!rest.is_empty())];
            self.out.write_all(more.as_bytes())?;
        }
        let mut at = 0;
        let mut holes = holes.iter().peekable();
        for chunk in &content.chunks {
            let end = at + u64::from(chunk.size);
            while holes.peek().is_some_and(|hole| hole.to <= at) {
                holes.next();
            }
            match holes.peek().filter(|hole| hole.from < end) {
                None => self.chunk(chunk)?,
                // Nothing but zeros: what of it lies outside the hole, to fill blocks.
                Some(hole) => {
                    let outside = hole.from.saturating_sub(at) + end.saturating_sub(hole.to);
                    self.out.write_all(&[0; 2 * BLOCK as usize][..outside as usize])?;
                }
            }
            at = end;
        }
        pad(&mut self.out, stored)
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
        self.times(facts)?;
        self.header(kind, name, target, size, facts)
    }

    fn times(&mut self, facts: &Facts) -> io::Result<()> {
        if !self.nanoseconds {
            return Ok(());
        }
        let record = pax_record("mtime", &pax_time(facts.mtime));
        let plain = Facts { mode: 0o644, uid: 0, gid: 0, mtime: 0, ..facts.clone() };
        self.header(tar::EntryType::XHeader, b"pax", None, record.len() as u64, &plain)?;
        self.out.write_all(record.as_bytes())?;
        pad(&mut self.out, record.len() as u64)
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
        if name.len() > FIELD {
            self.long(tar::EntryType::GNULongName, name)?;
        }
        if let Some(target) = target.filter(|target| target.len() > FIELD) {
            self.long(tar::EntryType::GNULongLink, target)?;
        }
        let mut header = basic(kind, name, target, size, facts);
        header.set_cksum();
        self.out.write_all(header.as_bytes())
    }

    fn long(&mut self, kind: tar::EntryType, bytes: &[u8]) -> io::Result<()> {
        let size = bytes.len() as u64 + 1;
        let facts = Facts {
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: 0,
            ctime: 0,
            inode: 0,
            nlink: 1,
            attributes: Attributes::Unknown,
        };
        self.header(kind, b"././@LongLink", None, size, &facts)?;
        self.out.write_all(bytes)?;
        self.out.write_all(&[0])?;
        pad(&mut self.out, size)
    }
}

/// A header without its checksum; of long names as much as fits.
fn basic(kind: tar::EntryType, name: &[u8], target: Option<&[u8]>, size: u64, facts: &Facts) -> tar::Header {
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
    header
}

/// Bytes of a content that are not written: whole blocks of zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hole {
    from: u64,
    to: u64,
}

/// The holes of a content: equal neighbours among its chunks that are nothing but zeros. They
/// begin and end with blocks, as tar wants it.
fn holes(content: &Content) -> Vec<Hole> {
    let mut holes: Vec<Hole> = Vec::new();
    let mut zeros = (0, None);
    let mut at = 0;
    for (index, chunk) in content.chunks.iter().enumerate() {
        let (from, to) = (at, at + u64::from(chunk.size));
        at = to;
        let neighbours = [index.checked_sub(1), Some(index + 1)].map(|other| content.chunks.get(other?));
        if !neighbours.contains(&Some(chunk)) {
            continue;
        }
        if zeros.0 != chunk.size {
            zeros = (chunk.size, Some(Digest::of(&vec![0; chunk.size as usize])));
        }
        if zeros.1 != Some(chunk.digest) {
            continue;
        }
        match holes.last_mut().filter(|last| last.to == from) {
            Some(last) => last.to = to,
            None => holes.push(Hole { from, to }),
        }
    }
    for hole in &mut holes {
        hole.from = hole.from.next_multiple_of(BLOCK);
        hole.to -= hole.to % BLOCK;
    }
    holes
}

/// How many bytes of a content are not written.
pub(super) fn holes_bytes(content: &Content) -> u64 {
    holes(content).iter().map(|hole| hole.to - hole.from).sum()
}

/// Fills a map of pieces; returns those that did not fit.
fn fill_map<'a>(map: &mut [tar::GnuSparseHeader], pieces: &'a [(u64, u64)]) -> &'a [(u64, u64)] {
    let (now, later) = pieces.split_at(pieces.len().min(map.len()));
    for (place, (offset, length)) in map.iter_mut().zip(now) {
        place.offset = number(*offset);
        place.numbytes = number(*length);
    }
    later
}

/// A number as the fields of 12 bytes have it.
fn number(value: u64) -> [u8; 12] {
    let mut header = tar::Header::new_gnu();
    header.set_size(value);
    header.as_old().size
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
    fn holes_are_whole_blocks() {
        let zeros = Chunk { digest: Digest::of(&[0; 4096]), size: 4096 };
        let other = |size| Chunk { digest: Digest::of(b"other"), size };
        let found = |chunks: Vec<Chunk>| {
            let size = chunks.iter().map(|chunk| u64::from(chunk.size)).sum();
            holes(&Content { digest: Digest::of(b""), size, chunks })
        };
        assert_eq!(found(vec![other(700)]), []);
        assert_eq!(found(vec![zeros, zeros, other(5)]), [Hole { from: 0, to: 8192 }]);
        assert_eq!(found(vec![zeros, other(5)]), []);
        assert_eq!(found(vec![other(700), other(700)]), []);
        assert_eq!(found(vec![other(700), zeros, zeros]), [Hole { from: 1024, to: 8192 + 512 }]);
    }

    #[test]
    fn records_are_as_pax_has_them() {
        assert_eq!(pax_time(1_700_000_000_000_000_001), "1700000000.000000001");
        assert_eq!(pax_time(-1_500_000_000), "-1.500000000");
        assert_eq!(pax_record("mtime", "1.5"), "13 mtime=1.5\n");
    }
}
