//! Contents of any length, cut where the content itself says, so that an insertion moves no cut
//! but its neighbours.
//!
//! May use: `manifest`, `error` and its siblings. Invariants: equal bytes are cut equally, in
//! whatever pieces they come; memory does not grow with the content.

use super::super::error::Result;
use super::super::manifest::{AVERAGE_CHUNK_BYTES, Chunk, Content, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES};
use super::Writer;
use fastcdc::v2020::FastCDC;
use std::io::{self, Read};

/// Where FastCDC may cut, in bytes, and what is cut.
#[derive(Clone, Copy)]
pub(super) struct Cuts {
    min: usize,
    average: usize,
    max: usize,
    entries: bool,
}

/// For files and tables.
pub(super) const CONTENTS: Cuts =
    Cuts { min: MIN_CHUNK_BYTES, average: AVERAGE_CHUNK_BYTES, max: MAX_CHUNK_BYTES, entries: false };
/// For the entries of a manifest, of which few change from one snapshot to the next.
pub(super) const ENTRIES: Cuts = Cuts { min: 16 << 10, average: 32 << 10, max: 128 << 10, entries: true };

/// Takes bytes of unknown length and stores them in chunks.
pub(in super::super) struct ContentWriter {
    cuts: Cuts,
    buffer: Vec<u8>,
    /// Where in the buffer the bytes begin that are not stored yet.
    at: usize,
    whole: blake3::Hasher,
    chunks: Vec<Chunk>,
    size: u64,
}

/// How much the buffer may hold before it is moved to its beginning.
const BUFFER_BYTES: usize = 2 * MAX_CHUNK_BYTES;

impl ContentWriter {
    /// One that uses this empty buffer; [`ContentWriter::finish`] gives it back.
    pub(super) fn new(cuts: Cuts, buffer: Vec<u8>) -> Self {
        Self { cuts, buffer, at: 0, whole: blake3::Hasher::new(), chunks: Vec::new(), size: 0 }
    }

    /// Reads on, until the buffer is full or the input ends; returns how many bytes came. Call
    /// [`ContentWriter::store`] after it.
    pub(in super::super) fn fill(&mut self, input: &mut impl Read) -> io::Result<u64> {
        self.make_room();
        let room = BUFFER_BYTES - self.buffer.len();
        let read = input.take(room as u64).read_to_end(&mut self.buffer)? as u64;
        self.size += read;
        Ok(read)
    }

    fn make_room(&mut self) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
    }

    /// Stores what can be cut already.
    pub(in super::super) fn store(&mut self, writer: &mut Writer) -> Result<()> {
        // With more than a chunk at hand the end is not reached, and the cut can't move.
        while self.buffer.len() - self.at > self.cuts.max {
            self.cut(writer)?;
        }
        Ok(())
    }

    /// Takes the next bytes.
    pub(in super::super) fn take(&mut self, writer: &mut Writer, mut bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.buffer.len() == BUFFER_BYTES {
                self.make_room();
            }
            let (now, later) = bytes.split_at(bytes.len().min(BUFFER_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            self.store(writer)?;
        }
        Ok(())
    }

    fn cut(&mut self, writer: &mut Writer) -> Result<()> {
        let rest = &self.buffer[self.at..];
        let cdc = FastCDC::new(rest, self.cuts.min, self.cuts.average, self.cuts.max);
        let (_, end) = cdc.cut(0, rest.len());
        let chunk = &rest[..end];
        // A single chunk is the whole: its digest is not computed twice.
        let is_whole = self.chunks.is_empty() && end as u64 == self.size;
        if !is_whole {
            self.whole.update(chunk);
        }
        let digest = if self.cuts.entries { writer.put_entries(chunk)? } else { writer.put(chunk)? };
        self.chunks.push(Chunk { digest, size: end as u32 });
        self.at += end;
        Ok(())
    }

    /// Stores the rest and names the whole.
    pub(in super::super) fn finish(mut self, writer: &mut Writer) -> Result<Content> {
        while self.at < self.buffer.len() {
            self.cut(writer)?;
        }
        let digest = match self.chunks.as_slice() {
            [only] => only.digest,
            _ => self.whole.finalize().into(),
        };
        writer.take_back(self.buffer);
        Ok(Content { digest, size: self.size, chunks: self.chunks })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;
    use crate::model::{Digest, SiteName};
    use std::sync::Arc;

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    fn stored(bytes: &[u8], piece: usize) -> Content {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let mut writer = store.writer(&SiteName::new("s").unwrap()).unwrap();
        let mut content = ContentWriter::new(CONTENTS, Vec::new());
        bytes.chunks(piece).for_each(|piece| content.take(&mut writer, piece).unwrap());
        content.finish(&mut writer).unwrap()
    }

    #[test]
    fn cuts_depend_on_the_content_alone() {
        let noise = noise(11_000_001);
        let zeros = vec![0; 9_000_000];
        let cases = [&b""[..], b"x", &noise[..MAX_CHUNK_BYTES], &noise, &zeros[..MAX_CHUNK_BYTES], &zeros];
        for bytes in cases {
            let content = stored(bytes, bytes.len().max(1));
            assert_eq!(content.digest, Digest::of(bytes));
            assert_eq!(content.size, bytes.len() as u64);
            for piece in [100_003, MAX_CHUNK_BYTES, MAX_CHUNK_BYTES + 1] {
                assert_eq!(stored(bytes, piece), content, "{} bytes in pieces of {piece}", bytes.len());
            }
            let mut at = 0;
            for chunk in &content.chunks {
                let end = at + chunk.size as usize;
                assert_eq!(chunk.digest, Digest::of(&bytes[at..end]));
                assert!(chunk.size as usize <= MAX_CHUNK_BYTES);
                at = end;
            }
            assert_eq!(at, bytes.len());
        }
    }

    /// The format's name for the chunker promises these cuts.
    #[test]
    fn the_chunker_is_the_one_that_its_name_says() {
        let sizes: Vec<u32> = stored(&noise(8 << 20), 1 << 20).chunks.iter().map(|chunk| chunk.size).collect();
        assert_eq!(sizes, [1_660_009, 795_372, 1_161_044, 1_398_683, 1_395_912, 1_892_488, 85_100]);
    }
}
