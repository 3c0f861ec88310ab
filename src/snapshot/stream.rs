//! Files from the site: one `tar` stream, hashed and packed while it arrives.
//!
//! May use: `remote` and its siblings. Invariants: only files that were asked for are taken, at
//! most once; the closing status is read before anything is believed.

use super::bounded::Bounded;
use super::error::{Result, SnapshotError};
use super::item::ItemPath;
use super::manifest::{Content, MAX_FILE_BYTES};
use super::store::Writer;
use super::walk::{Maker, NANOSECONDS};
use super::{Phase, Progress, Source};
use crate::model::human_bytes;
use crate::remote::{Command, RawInput, Reader, Writer as Pipe};
use std::collections::HashMap;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio_util::io::SyncIoBridge;

/// Reads NUL-separated paths and lets the command `$2` … write archives of them, compressed where `$1` is
/// `slow` and the host has zstd. The status is the command's.
const READ: &str = r#"LC_ALL=C; export LC_ALL
if [ "$1" = slow ] && command -v zstd >/dev/null 2>&1; then
shift; exec 4>&1; s=$({ { "$@"; echo $? >&3; } | zstd -q -1 >&4; } 3>&1); exit "$s"
fi
shift; exec "$@""#;
/// One archive. Every name of a file with several names comes with its content; holes of sparse files come
/// as a map, not as zeros.
const GNU: &str = "tar --null --no-recursion --hard-dereference --sparse --format=gnu -cf - -T -";
/// As many archives as it takes, because BusyBox's tar knows no list of names that may hold anything. Further
/// names of a file point to the first in the same archive.
const BUSYBOX: &str = "busybox xargs -0 -r busybox tar -c --no-recursion -f -";

/// The first bytes of a large transfer show how fast the line is.
const PROBE_BYTES: u64 = 8 << 20;
/// On a line with fewer bytes per second than this, compressing on the host is faster.
const SLOW_LINE: f64 = 20e6;
/// How a zstd frame begins.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// The most that a frame from the host may look back: 16 MiB.
const WINDOW_LOG_MAX: u32 = 24;

/// How long reading a site may take.
const READ_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// How much is read from the stream at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The most bytes before a file's content: long names, the map of its holes, the rest of what was
/// not read of the entry before.
const MAX_HEADER_BYTES: u64 = 4 << 20;
/// The most bytes after the end of an archive: tar's records may have up to this.
const MAX_PADDING_BYTES: u64 = 1 << 20;
/// The status of a program whose reader has gone: then the reader knows why.
pub(super) const BROKEN_PIPE: i32 = 128 + 13;
/// The same from `xargs`.
const XARGS_BROKEN_PIPE: i32 = 125;
/// The times that BusyBox's tar can say, in seconds: it says 0 for those before 1970, and loses the
/// upper digits of those after 2242.
pub(super) const TAR_TIMES: std::ops::Range<i64> = 0..1 << 33;

/// What the walk said of a file that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) size: u64,
    pub(super) mtime: i64,
    pub(super) inode: u64,
}

/// What arrived.
#[derive(Default)]
pub(super) struct Arrived {
    pub(super) contents: HashMap<ItemPath, Content>,
    /// Files that were not as the walk said.
    pub(super) different: Vec<ItemPath>,
    pub(super) bytes: u64,
}

/// Reads files. What can't be read is simply not in the answer.
pub(super) async fn read_files(
    source: &Source,
    tar: Maker,
    wanted: WantedFiles,
    writer: Writer,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Arrived)> {
    let count = wanted.len() as u64;
    let (probe, rest) = split_probe(wanted);
    let begun = Instant::now();
    let done =
        read_batch(source, Batch { tar, wanted: probe, slow: false, count }, writer, Arrived::default(), progress);
    let (writer, arrived) = done.await?;
    if rest.is_empty() {
        return Ok((writer, arrived));
    }
    let slow = (arrived.bytes as f64) < SLOW_LINE * begun.elapsed().as_secs_f64();
    read_batch(source, Batch { tar, wanted: rest, slow, count }, writer, arrived, progress).await
}

type WantedFiles = HashMap<ItemPath, Wanted>;

/// Enough small files to measure the line by, and the rest; all at once where that is not more.
fn split_probe(wanted: WantedFiles) -> (WantedFiles, WantedFiles) {
    let total = wanted.values().fold(0, |sum: u64, wanted| sum.saturating_add(wanted.size));
    let mut left = if total > 4 * PROBE_BYTES { PROBE_BYTES } else { u64::MAX };
    wanted.into_iter().partition(|(_, wanted)| {
        let fits = wanted.size <= left;
        left -= if fits { wanted.size } else { 0 };
        fits
    })
}

/// What one archive brings.
struct Batch {
    tar: Maker,
    wanted: WantedFiles,
    /// Whether the line is slow.
    slow: bool,
    /// Files of all batches, for the progress.
    count: u64,
}

async fn read_batch(
    source: &Source,
    batch: Batch,
    writer: Writer,
    arrived: Arrived,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Arrived)> {
    const DOING: &str = "reading the site's files";
    let Batch { tar, wanted, slow, count } = batch;
    let host = source.shell.host().to_owned();
    let line = if slow { "slow" } else { "fast" };
    let reader = if tar == Maker::Gnu { GNU } else { BUSYBOX };
    let values = [line].into_iter().chain(reader.split(' '));
    let command = Command::script(READ, values).in_folder(&source.root).reading(RawInput::Pipe).within(READ_TIMEOUT);
    let started = source.shell.start(&command).await;
    let mut process = started.map_err(SnapshotError::remote(&host, DOING))?;
    let mut paths: Vec<ItemPath> = wanted.keys().cloned().collect();
    paths.sort_unstable();
    let feeding = process.stdin.take().map(|stdin| tokio::spawn(feed(stdin, paths)));
    let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
    let (progress, worker_host) = (progress.clone(), host.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let named = HashMap::new();
        Reading { host: worker_host, tar, wanted, named, count, writer, arrived, progress: &*progress }.run(stdout)
    });
    let read = reading.await;
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    let output = process.finish().await.map_err(SnapshotError::remote(&host, DOING))?;
    match output.status {
        // 1: a file changed as it was read; 2: one could not be read. Both show below.
        0..=2 => {}
        // xargs: one of the archives had such a file.
        123 if tar == Maker::BusyBox => {}
        BROKEN_PIPE | XARGS_BROKEN_PIPE if matches!(read, Ok(Err(_))) => {}
        status => {
            let detail = format!("tar ended with status {status}: {}", output.tail());
            return Err(SnapshotError::Stream { host, detail });
        }
    }
    read.unwrap_or(Err(SnapshotError::Worker { doing: "reading files" }))
}

/// Writes the list. A pipe that breaks shows in the status.
async fn feed(mut stdin: Pipe, paths: Vec<ItemPath>) {
    let mut list = Vec::new();
    for path in paths {
        list.extend_from_slice(&path.dotted());
        list.push(0);
        if list.len() >= BUFFER_BYTES {
            if stdin.write_all(&list).await.is_err() {
                return;
            }
            list.clear();
        }
    }
    let _ = stdin.write_all(&list).await;
    let _ = stdin.shutdown().await;
}

struct Reading<'a> {
    host: String,
    tar: Maker,
    wanted: WantedFiles,
    /// The inodes of those that arrived.
    named: HashMap<ItemPath, u64>,
    count: u64,
    writer: Writer,
    arrived: Arrived,
    progress: &'a dyn Progress,
}

impl Reading<'_> {
    fn run(mut self, stdout: Reader) -> Result<(Writer, Arrived)> {
        let mut arrived = std::mem::take(&mut self.arrived);
        let host = self.host.clone();
        let broken = |detail: String| SnapshotError::Stream {
            host: host.clone(),
            detail: crate::model::clean_line(&detail, 300),
        };
        let input = unpacked(stdout).map_err(|e| broken(e.to_string()))?;
        let (input, allowance) = Bounded::new(input);
        let mut archive = tar::Archive::new(input);
        // Another archive may follow. The status tells whether the last one is whole.
        archive.set_ignore_zeros(self.tar == Maker::BusyBox);
        let mut entries = archive.entries().map_err(|e| broken(e.to_string()))?;
        loop {
            allowance.set(MAX_HEADER_BYTES);
            let Some(entry) = entries.next() else { break };
            let mut entry = entry.map_err(|e| broken(e.to_string()))?;
            allowance.set(u64::MAX);
            let name = entry.path_bytes();
            // A file that became a folder meanwhile ends with a slash.
            let name = name.strip_suffix(b"/").unwrap_or(&name);
            let path = ItemPath::new(name.strip_prefix(b"./").unwrap_or(name));
            let path = path.map_err(|e| broken(e.to_string()))?;
            let wanted =
                self.wanted.remove(&path).ok_or_else(|| broken(format!("it holds {path}, which was not asked for")))?;
            let header = entry.header();
            if self.tar == Maker::BusyBox && header.entry_type() == tar::EntryType::Link {
                let first = entry.link_name_bytes().unwrap_or_default();
                self.link(&mut arrived, path, wanted, &first).map_err(broken)?;
                continue;
            }
            if !matches!(header.entry_type(), tar::EntryType::Regular | tar::EntryType::GNUSparse) {
                arrived.different.push(path);
                continue;
            }
            // Times that nanoseconds can't hold are the nearest that they can, as in the walk.
            let range = i64::MIN.div_euclid(NANOSECONDS)..=i64::MAX.div_euclid(NANOSECONDS);
            let mtime = (header.mtime().unwrap_or(0) as i64).clamp(*range.start(), *range.end());
            if entry.size() > MAX_FILE_BYTES {
                return Err(broken(format!("{path} is larger than {}", human_bytes(MAX_FILE_BYTES))));
            }
            let wanted_mtime = wanted.mtime.div_euclid(NANOSECONDS);
            let sayable = self.tar == Maker::Gnu || TAR_TIMES.contains(&wanted_mtime);
            let same = entry.size() == wanted.size && (mtime == wanted_mtime || !sayable);
            let mut content = self.writer.content();
            while content.fill(&mut entry).map_err(|e| broken(e.to_string()))? > 0 {
                content.store(&mut self.writer)?;
            }
            let content = content.finish(&mut self.writer)?;
            arrived.bytes += content.size;
            if content.size != entry.size() {
                return Err(broken(format!("it broke off in {path}")));
            }
            if !same {
                arrived.different.push(path.clone());
            }
            if self.tar == Maker::BusyBox {
                self.named.insert(path.clone(), wanted.inode);
            }
            arrived.contents.insert(path, content);
            let done = arrived.contents.len() as u64;
            if done.is_multiple_of(200) {
                self.progress.at(Phase::Reading, done, self.count, arrived.bytes);
            }
        }
        // tar fills its last record with zeros; a pipe that closes before that would kill it.
        allowance.set(u64::MAX);
        let mut rest = archive.into_inner().take(MAX_PADDING_BYTES + 1);
        let padding = std::io::copy(&mut rest, &mut std::io::sink());
        if padding.map_err(|e| broken(e.to_string()))? > MAX_PADDING_BYTES {
            return Err(broken("something follows its end".into()));
        }
        self.progress.at(Phase::Reading, arrived.contents.len() as u64, self.count, arrived.bytes);
        Ok((self.writer, arrived))
    }
}

impl Reading<'_> {
    /// Takes one more name of a file that came under its first name.
    fn link(&mut self, arrived: &mut Arrived, path: ItemPath, wanted: Wanted, first: &[u8]) -> Result<(), String> {
        let first = ItemPath::new(first.strip_prefix(b"./").unwrap_or(first)).map_err(|e| e.to_string())?;
        let Some(content) = arrived.contents.get(&first).cloned() else {
            // It could not be read under its first name.
            return match self.wanted.contains_key(&first) {
                true => Ok(()),
                false => Err(format!("it holds {path} as another name of {first}, which was not asked for")),
            };
        };
        let same = self.named.get(&first) == Some(&wanted.inode) && content.size == wanted.size;
        if !same || arrived.different.contains(&first) {
            arrived.different.push(path.clone());
        }
        arrived.contents.insert(path, content);
        Ok(())
    }
}

/// The archive, whether it comes compressed or not.
fn unpacked(stdout: Reader) -> io::Result<BufReader<Box<dyn Read>>> {
    let mut input = SyncIoBridge::new(stdout);
    let mut first = Vec::new();
    (&mut input).take(ZSTD_MAGIC.len() as u64).read_to_end(&mut first)?;
    let compressed = first == ZSTD_MAGIC;
    let input = io::Cursor::new(first).chain(input);
    let input: Box<dyn Read> = if compressed {
        let mut decoder = zstd::Decoder::new(input)?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        Box::new(decoder)
    } else {
        Box::new(input)
    };
    Ok(BufReader::with_capacity(BUFFER_BYTES, input))
}
