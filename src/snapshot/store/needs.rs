//! What an encrypted snapshot needs, beside it and in the clear: the first digits of its blobs'
//! digests. So a store can be pruned, and looked over, by who can't read it.
//!
//! May use: `model`, `codec`, `error`, `backend`, and this module's root. Invariants: it is there before its
//! manifest; it names every blob of it, and of nothing else; bounded, closed by a footer with a digest.

use super::super::codec::{Loaded, MAX_WINDOW_LOG};
use super::super::error::{Result, SnapshotError};
use super::backend::{Backend, Upload};
use super::{SnapshotName, Store, manifest_file};
use crate::model::{Digest, SiteName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::io::{self, BufRead, BufReader, Read, Write};

/// The format version.
const VERSION: u64 = 1;
/// What the file's name ends with.
pub(super) const SUFFIX: &str = ".needs";
/// The most blobs of a snapshot.
const MAX_BLOBS: usize = 16_000_000;
const MAX_LINE_BYTES: u64 = 4096;

/// The first six bytes of a digest. Two blobs that begin alike are kept together, which does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Short([u8; 6]);

impl From<&Digest> for Short {
    fn from(digest: &Digest) -> Self {
        let [a, b, c, d, e, f, ..] = *digest.as_bytes();
        Self([a, b, c, d, e, f])
    }
}

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    intendant_needs: u64,
    site: SiteName,
    snapshot: SnapshotName,
}

#[derive(Serialize, Deserialize)]
struct FooterLine {
    end: bool,
    blobs: usize,
    digest: Digest,
}

/// The file that lies beside a manifest.
pub(super) fn needs_file(site: &SiteName, name: &SnapshotName) -> String {
    format!("sites/{site}/{name}{SUFFIX}")
}

impl Store {
    /// Writes down what a snapshot needs, if its manifest is going to be encrypted.
    pub(super) fn note_needs(
        &self,
        site: &SiteName,
        name: &SnapshotName,
        blobs: impl Iterator<Item = Digest>,
    ) -> Result<()> {
        if !self.backend.is_sealing()? {
            return Ok(());
        }
        let file = needs_file(site, name);
        let shorts: BTreeSet<Short> = blobs.map(|digest| Short::from(&digest)).collect();
        let header = HeaderLine { intendant_needs: VERSION, site: site.clone(), snapshot: name.clone() };
        let written = self.backend.create(&file).and_then(|upload| write(&header, &shorts, upload));
        written.map_err(SnapshotError::store(self.backend.shown(&file), "writing what a snapshot needs"))
    }

    /// The needed blobs of an encrypted snapshot that no pack holds, as they are shown.
    pub(in super::super) fn lacks(&self, site: &SiteName, name: &SnapshotName) -> Result<Vec<String>> {
        let needs = self.needs(site, name)?;
        let catalog = self.catalog()?;
        let here: HashSet<Short> = catalog.digests().map(Short::from).collect();
        let mut missing: Vec<Short> = needs.into_iter().filter(|short| !here.contains(short)).collect();
        missing.sort_unstable();
        Ok(missing.iter().map(Short::to_string).collect())
    }

    /// What is wrong with the list beside an encrypted manifest.
    pub(in super::super) fn wrong_needs(
        &self,
        site: &SiteName,
        name: &SnapshotName,
        loaded: &Loaded,
    ) -> Result<Option<String>> {
        if self.backend.is_plain(&manifest_file(site, name))? {
            return Ok(None);
        }
        let truth: HashSet<Short> = loaded.blobs().map(|digest| Short::from(&digest)).collect();
        match self.needs(site, name) {
            Ok(needs) if needs == truth => Ok(None),
            Err(error) if error.is_unanswered() => Err(error),
            _ => {
                let shown = self.backend.shown(&needs_file(site, name));
                Ok(Some(format!("{shown}: not what the snapshot needs; intendant snapshot prune writes it anew")))
            }
        }
    }

    /// What an encrypted snapshot needs.
    pub(super) fn needs(&self, site: &SiteName, name: &SnapshotName) -> Result<HashSet<Short>> {
        let file = needs_file(site, name);
        let shown = self.backend.shown(&file);
        let input = self.backend.open(&file).map_err(SnapshotError::store(&shown, "reading what a snapshot needs"))?;
        read(&shown, site, name, input)
    }
}

fn write(header: &HeaderLine, shorts: &BTreeSet<Short>, upload: Box<dyn Upload>) -> io::Result<()> {
    let mut out = zstd::Encoder::new(upload, 3)?;
    out.include_checksum(true)?;
    let mut hasher = blake3::Hasher::new();
    let mut line = serde_json::to_string(header)? + "\n";
    for short in shorts {
        hasher.update(line.as_bytes());
        out.write_all(line.as_bytes())?;
        line = format!("{short}\n");
    }
    hasher.update(line.as_bytes());
    out.write_all(line.as_bytes())?;
    let footer = FooterLine { end: true, blobs: shorts.len(), digest: hasher.finalize().into() };
    serde_json::to_writer(&mut out, &footer)?;
    out.write_all(b"\n")?;
    out.finish()?.commit()
}

fn read(what: &str, site: &SiteName, name: &SnapshotName, input: impl Read) -> Result<HashSet<Short>> {
    let damaged = |detail: &str| SnapshotError::damaged(what, detail);
    let failed = |error: io::Error| SnapshotError::unreadable(what)(error);
    let mut decoder = zstd::Decoder::new(input).map_err(failed)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(failed)?;
    let mut input = BufReader::new(decoder);
    let mut hasher = blake3::Hasher::new();
    let mut next = || {
        let mut line = Vec::new();
        (&mut input).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(failed)?;
        match line.last() {
            Some(b'\n') => Ok(line),
            _ => Err(damaged("it is cut off")),
        }
    };
    let line = next()?;
    let header: HeaderLine = serde_json::from_slice(&line).map_err(|error| damaged(&error.to_string()))?;
    if header.intendant_needs != VERSION {
        let found = header.intendant_needs;
        return Err(SnapshotError::FormatVersion { what: what.to_owned(), found, known: VERSION as u32 });
    }
    if header.site != *site || header.snapshot != *name {
        return Err(damaged("it belongs to another snapshot"));
    }
    hasher.update(&line);
    let mut all = HashSet::new();
    loop {
        let line = next()?;
        if line.starts_with(b"{") {
            let footer: FooterLine = serde_json::from_slice(&line).map_err(|error| damaged(&error.to_string()))?;
            if footer.blobs != all.len() || footer.digest != hasher.finalize().into() {
                return Err(damaged("its footer does not fit what stands above"));
            }
            break;
        }
        all.insert(parse(&line).ok_or_else(|| damaged("a line is no digest"))?);
        hasher.update(&line);
        if all.len() > MAX_BLOBS {
            return Err(SnapshotError::TooMuch { what: format!("blobs in {what}"), limit: MAX_BLOBS as u64 });
        }
    }
    // The end of the file belongs to it too: zstd's own checksum stands there.
    match input.read(&mut [0]) {
        Ok(0) => Ok(all),
        Ok(_) => Err(damaged("something stands after its footer")),
        Err(error) => Err(failed(error)),
    }
}

fn parse(line: &[u8]) -> Option<Short> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    if text.len() != 12 || !text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)) {
        return None;
    }
    let number = u64::from_str_radix(text, 16).ok()?;
    let [_, _, a, b, c, d, e, f] = number.to_be_bytes();
    Some(Short([a, b, c, d, e, f]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Bytes(Arc<Mutex<Vec<u8>>>);

    impl Write for Bytes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Upload for Bytes {
        fn commit(self: Box<Self>) -> io::Result<()> {
            Ok(())
        }
    }

    /// Each byte flipped, each length: the same list, or refused.
    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let site = SiteName::new("s").unwrap();
        let name: SnapshotName = "20260114T020000.123Z-0123456789ab".parse().unwrap();
        let shorts: BTreeSet<Short> = (0..50u8).map(|number| Short::from(&Digest::of(&[number]))).collect();
        assert_eq!(Short::from(&Digest::of(b"x")).to_string(), Digest::of(b"x").short());
        let out = Bytes::default();
        let header = HeaderLine { intendant_needs: VERSION, site: site.clone(), snapshot: name.clone() };
        write(&header, &shorts, Box::new(out.clone())).unwrap();
        let bytes = out.0.lock().unwrap().clone();
        let truth: HashSet<Short> = shorts.into_iter().collect();
        let read = |bytes: &[u8]| read("test", &site, &name, bytes);
        assert_eq!(read(&bytes).unwrap(), truth);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(read(&flipped).map_or(true, |read| read == truth), "byte {at}");
            assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        }
        let other: SnapshotName = "20260114T020000.124Z-0123456789ab".parse().unwrap();
        assert!(super::read("test", &site, &other, bytes.as_slice()).is_err());
    }
}
