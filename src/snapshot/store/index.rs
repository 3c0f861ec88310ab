//! The index of a pack: which blob lies in which frame, and where in it.
//!
//! May use: `model`, `error`. Invariants: versioned, bounded, closed by a footer with a digest;
//! every length that is read from a file is checked before memory is given to it.

use super::super::codec::MAX_WINDOW_LOG;
use super::super::error::{Result, SnapshotError};
use super::super::manifest::MAX_CHUNK_BYTES;
use crate::model::Digest;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Read, Write};

/// The format version of packs and their indexes.
pub(super) const PACK_VERSION: u32 = 1;
/// The most bytes that a frame unpacks to: open frame, one chunk, tar's own blocks.
pub(super) const MAX_FRAME_BYTES: usize = 3 * MAX_CHUNK_BYTES;
const MAX_LINE_BYTES: u64 = 16 << 20;
const MAX_FRAMES: usize = 1_000_000;
/// The most bytes of all lines together.
const MAX_INDEX_BYTES: u64 = 256 << 20;

/// One zstd frame of a pack: whole members of the tar archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frame {
    /// Where it begins in the pack.
    pub(super) frame: u64,
    /// Its compressed length.
    pub(super) length: u32,
    /// What it unpacks to.
    pub(super) raw: u32,
    /// The members' contents.
    pub(super) members: Vec<Member>,
}

/// One blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    /// Its digest, which is also its name in the archive.
    pub(super) blake3: Digest,
    /// Where its content begins in the unpacked frame.
    pub(super) at: u32,
    /// Its length.
    pub(super) size: u32,
}

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    intendant_pack: u64,
    pack: String,
}

#[derive(Serialize, Deserialize)]
struct FooterLine {
    end: bool,
    frames: usize,
    digest: Digest,
}

/// Writes an index.
pub(super) fn write(pack: &str, frames: &[Frame], out: &mut dyn Write) -> std::io::Result<()> {
    let mut out = zstd::Encoder::new(out, 3)?;
    out.include_checksum(true)?;
    let mut hasher = blake3::Hasher::new();
    let header = HeaderLine { intendant_pack: u64::from(PACK_VERSION), pack: pack.to_owned() };
    let mut line = serde_json::to_vec(&header)?;
    for frame in frames {
        line.push(b'\n');
        hasher.update(&line);
        out.write_all(&line)?;
        line = serde_json::to_vec(frame)?;
    }
    line.push(b'\n');
    hasher.update(&line);
    out.write_all(&line)?;
    let footer = FooterLine { end: true, frames: frames.len(), digest: hasher.finalize().into() };
    serde_json::to_writer(&mut out, &footer)?;
    out.write_all(b"\n")?;
    out.finish().map(|_| ())
}

/// Reads an index. `what` names it in errors.
pub(super) fn read(what: &str, pack: &str, input: impl Read) -> Result<Vec<Frame>> {
    let damaged = |detail: String| SnapshotError::damaged(what, detail);
    let mut decoder = zstd::Decoder::new(input).map_err(SnapshotError::unreadable(what))?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(|e| damaged(e.to_string()))?;
    let mut input = BufReader::new(decoder.take(MAX_INDEX_BYTES));
    let mut hasher = blake3::Hasher::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut header = None;
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut input).take(MAX_LINE_BYTES);
        bounded.read_until(b'\n', &mut line).map_err(SnapshotError::unreadable(what))?;
        if line.last() != Some(&b'\n') {
            return Err(damaged("it is cut off".into()));
        }
        if header.is_none() {
            let parsed: HeaderLine = serde_json::from_slice(&line).map_err(|e| damaged(e.to_string()))?;
            if parsed.intendant_pack != u64::from(PACK_VERSION) {
                return Err(SnapshotError::FormatVersion {
                    what: what.to_owned(),
                    found: parsed.intendant_pack,
                    known: PACK_VERSION,
                });
            }
            if parsed.pack != pack {
                return Err(damaged("it belongs to another pack".into()));
            }
            header = Some(parsed);
        } else if line.starts_with(b"{\"end\"") {
            let footer: FooterLine = serde_json::from_slice(&line).map_err(|e| damaged(e.to_string()))?;
            if footer.frames != frames.len() || footer.digest != hasher.finalize().into() {
                return Err(damaged("its footer does not fit what stands above".into()));
            }
            // The end of the file belongs to it too: zstd's own checksum stands there.
            return match input.read(&mut [0]) {
                Ok(0) => Ok(frames),
                Ok(_) => Err(damaged("something stands after its footer".into())),
                Err(error) => Err(SnapshotError::unreadable(what)(error)),
            };
        } else {
            let frame: Frame = serde_json::from_slice(&line).map_err(|e| damaged(e.to_string()))?;
            check(&frame).map_err(|detail| damaged(detail.into()))?;
            frames.push(frame);
            if frames.len() > MAX_FRAMES {
                return Err(damaged("it has too many frames".into()));
            }
        }
        hasher.update(&line);
    }
}

fn check(frame: &Frame) -> Result<(), &'static str> {
    if frame.raw as usize > MAX_FRAME_BYTES || frame.length as usize > 2 * MAX_FRAME_BYTES {
        return Err("a frame is larger than frames are");
    }
    let outside = |member: &Member| u64::from(member.at) + u64::from(member.size) > u64::from(frame.raw);
    if frame.members.iter().any(outside) {
        return Err("a member lies outside its frame");
    }
    Ok(())
}
