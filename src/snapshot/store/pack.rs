//! Packing: blobs become members of tar archives, cut into zstd frames that are compressed on
//! several threads and written in order.
//!
//! May use: `model`, `error`, `index`, `backend`. Invariants: a member lies whole in one frame;
//! a pack is synced before its index; what waits in memory is bounded.

use super::super::error::{Result, SnapshotError};
use super::backend::{Backend, Upload};
use super::index::{self, Frame, Member};
use crate::model::Digest;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A pack is closed when it has this many compressed bytes.
const PACK_BYTES: u64 = 64 << 20;
/// A frame is closed when it has this many bytes before compression.
const FRAME_BYTES: usize = 2 << 20;
/// zstd's level for what compresses, for what does not, and for entries of manifests.
const LEVELS: [i32; 3] = [3, 1, 3];
/// The class of the entries of manifests: they have frames of their own, so that a hurt frame of
/// contents costs these, and not the knowledge of what they were.
const ENTRIES: usize = 2;
/// Threads that compress, at most.
const MAX_WORKERS: usize = 4;
/// A blob shorter than this is not looked at for compressibility.
const SAMPLE_BYTES: usize = 4096;
/// Bits per byte in a sample from which on a blob counts as incompressible.
const INCOMPRESSIBLE_BITS: f64 = 7.6;
/// Tar's block.
const BLOCK: usize = 512;

/// What the compressing threads get.
struct Job {
    raw: Vec<u8>,
    members: Vec<Member>,
    class: usize,
    done: SyncSender<io::Result<Packed>>,
}

/// A frame that is ready to be written.
struct Packed {
    bytes: Vec<u8>,
    raw: u32,
    members: Vec<Member>,
}

/// A pack that was written and synced, with its index.
pub(super) struct Written {
    pub(super) bytes: u64,
}

/// A frame that is still being filled.
#[derive(Default)]
struct Open {
    raw: Vec<u8>,
    members: Vec<Member>,
}

/// Takes blobs and makes packs of them.
pub(super) struct Packer {
    /// A frame for each class.
    open: [Open; LEVELS.len()],
    jobs: Option<SyncSender<Job>>,
    order: Option<SyncSender<Option<Receiver<io::Result<Packed>>>>>,
    workers: Vec<JoinHandle<()>>,
    sink: Option<JoinHandle<Result<Vec<Written>>>>,
}

impl Packer {
    pub(super) fn new(backend: Arc<dyn Backend>) -> Self {
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
        let (jobs, work) = sync_channel::<Job>(count);
        let (order, arriving) = sync_channel(count + 1);
        let work = Arc::new(Mutex::new(work));
        let workers = (0..count).map(|_| {
            let work = work.clone();
            std::thread::spawn(move || compress(&work))
        });
        Self {
            open: Default::default(),
            jobs: Some(jobs),
            order: Some(order),
            workers: workers.collect(),
            sink: Some(std::thread::spawn(move || sink(&backend, &arriving))),
        }
    }

    /// One that keeps nothing of what it is given, and never makes a pack.
    pub(super) fn nowhere() -> Self {
        Self { open: Default::default(), jobs: None, order: None, workers: Vec::new(), sink: None }
    }

    /// Adds one blob, of at most a chunk's size.
    pub(super) fn add(&mut self, digest: Digest, data: &[u8]) -> Result<()> {
        self.add_to(usize::from(incompressible(data)), digest, data)
    }

    /// Adds one blob of a manifest's entries.
    pub(super) fn add_entries(&mut self, digest: Digest, data: &[u8]) -> Result<()> {
        self.add_to(ENTRIES, digest, data)
    }

    fn add_to(&mut self, class: usize, digest: Digest, data: &[u8]) -> Result<()> {
        if self.sink.is_none() {
            return Ok(());
        }
        let open = &mut self.open[class];
        append_member(open, digest, data);
        if open.raw.len() >= FRAME_BYTES {
            self.close_frame(class)?;
        }
        Ok(())
    }

    fn close_frame(&mut self, class: usize) -> Result<()> {
        let open = std::mem::take(&mut self.open[class]);
        if open.raw.is_empty() {
            return Ok(());
        }
        let (done, ready) = sync_channel(1);
        let job = Job { raw: open.raw, members: open.members, class, done };
        let ordered = self.order.as_ref().is_some_and(|order| order.send(Some(ready)).is_ok());
        let sent = ordered && self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if sent { Ok(()) } else { Err(self.failure()) }
    }

    /// Closes the last pack and waits until all is synced.
    pub(super) fn finish(mut self) -> Result<Vec<Written>> {
        for class in 0..LEVELS.len() {
            self.close_frame(class)?;
        }
        let told = self.order.as_ref().is_some_and(|order| order.send(None).is_ok());
        if !told {
            return Err(self.failure());
        }
        self.join().unwrap_or(Err(SnapshotError::Worker { doing: "writing packs" }))
    }

    fn failure(&mut self) -> SnapshotError {
        match self.join() {
            Some(Err(error)) => error,
            _ => SnapshotError::Worker { doing: "writing packs" },
        }
    }

    fn join(&mut self) -> Option<Result<Vec<Written>>> {
        self.jobs = None;
        self.order = None;
        let ended = self.sink.take()?.join().ok();
        for worker in self.workers.drain(..) {
            // A worker that panicked shows as a missing frame in the sink.
            let _ = worker.join();
        }
        ended
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        self.join();
    }
}

fn append_member(open: &mut Open, digest: Digest, data: &[u8]) {
    if open.raw.is_empty() {
        open.raw.reserve(FRAME_BYTES + FRAME_BYTES / 4);
    }
    let mut header = tar::Header::new_ustar();
    // 64 hexadecimal digits always fit the name field.
    let _ = header.set_path(digest.to_string());
    header.set_size(data.len() as u64);
    header.set_mode(0o444);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    open.raw.extend_from_slice(header.as_bytes());
    open.members.push(Member { blake3: digest, at: open.raw.len() as u32, size: data.len() as u32 });
    open.raw.extend_from_slice(data);
    open.raw.resize(open.raw.len().next_multiple_of(BLOCK), 0);
}

/// Whether a sample from the middle looks like noise: images, archives.
fn incompressible(data: &[u8]) -> bool {
    if data.len() < SAMPLE_BYTES {
        return false;
    }
    let from = (data.len() - SAMPLE_BYTES) / 2;
    let mut counts = [0u32; 256];
    for byte in &data[from..from + SAMPLE_BYTES] {
        counts[usize::from(*byte)] += 1;
    }
    let total = SAMPLE_BYTES as f64;
    let bits = |count: &u32| {
        let share = f64::from(*count) / total;
        if *count == 0 { 0.0 } else { -share * share.log2() }
    };
    counts.iter().map(bits).sum::<f64>() > INCOMPRESSIBLE_BITS
}

fn compress(work: &Mutex<Receiver<Job>>) {
    let mut compressors: [Option<Compressor>; LEVELS.len()] = Default::default();
    loop {
        let job = match work.lock() {
            Ok(work) => work.recv(),
            Err(_) => return,
        };
        let Ok(job) = job else { return };
        let packed = compress_frame(&mut compressors[job.class], job.class, &job.raw).map(|bytes| Packed {
            bytes,
            raw: job.raw.len() as u32,
            members: job.members,
        });
        // The sink has gone: it reports why.
        let _ = job.done.send(packed);
    }
}

type Compressor = zstd::bulk::Compressor<'static>;

/// One frame. The compressor is made once for each class, because its tables are large.
fn compress_frame(kept: &mut Option<Compressor>, class: usize, raw: &[u8]) -> io::Result<Vec<u8>> {
    let compressor = match kept {
        Some(compressor) => compressor,
        None => {
            let mut new = Compressor::new(LEVELS[class])?;
            new.include_checksum(true)?;
            kept.insert(new)
        }
    };
    // It comes with room for what would not compress at all, and may wait for its turn for a while.
    let mut packed = compressor.compress(raw)?;
    packed.shrink_to_fit();
    Ok(packed)
}

/// A pack that is being written.
struct OpenPack {
    name: String,
    upload: Box<dyn Upload>,
    frames: Vec<Frame>,
    at: u64,
}

/// Writes frames in order. A channel that closes without the final `None` was abandoned: the
/// open pack is dropped, complete packs stay and are found again by the next capture.
fn sink(backend: &Arc<dyn Backend>, arriving: &Receiver<Option<Receiver<io::Result<Packed>>>>) -> Result<Vec<Written>> {
    let mut closer = Closer { backend: backend.clone(), closing: None, written: Vec::new() };
    let mut open: Option<OpenPack> = None;
    while let Ok(next) = arriving.recv() {
        let Some(ready) = next else {
            if let Some(pack) = open.take() {
                closer.close(pack)?;
            }
            return closer.finish();
        };
        let worker = |_| SnapshotError::Worker { doing: "compressing" };
        let packed = ready.recv().map_err(worker)?;
        let mut pack = match open.take() {
            Some(pack) => pack,
            None => begin(&**backend)?,
        };
        let failed = SnapshotError::store(backend.shown(&pack_file(&pack.name)), "writing");
        let packed = packed.and_then(|packed| pack.upload.write_all(&packed.bytes).map(|()| packed));
        let packed = packed.map_err(failed)?;
        pack.frames.push(Frame {
            frame: pack.at,
            length: packed.bytes.len() as u32,
            raw: packed.raw,
            members: packed.members,
        });
        pack.at += packed.bytes.len() as u64;
        if pack.at >= PACK_BYTES {
            closer.close(pack)?;
        } else {
            open = Some(pack);
        }
    }
    Err(SnapshotError::Worker { doing: "packing" })
}

/// Closes packs beside the work: a disk takes its time to sync. One at once, so that what is not
/// synced yet is bounded.
struct Closer {
    backend: Arc<dyn Backend>,
    closing: Option<JoinHandle<Result<Written>>>,
    written: Vec<Written>,
}

impl Closer {
    fn close(&mut self, pack: OpenPack) -> Result<()> {
        self.wait()?;
        let backend = self.backend.clone();
        self.closing = Some(std::thread::spawn(move || close(&*backend, pack)));
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        if let Some(closing) = self.closing.take() {
            let closed = closing.join().unwrap_or(Err(SnapshotError::Worker { doing: "completing a pack" }));
            self.written.push(closed?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Written>> {
        self.wait()?;
        Ok(std::mem::take(&mut self.written))
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        // What failed before matters more; but nobody writes to the store when the writer has gone.
        let _ = self.wait();
    }
}

/// The file of a pack.
pub(super) fn pack_file(name: &str) -> String {
    format!("packs/{name}.tar.zst")
}

/// The file of a pack's index.
pub(super) fn index_file(name: &str) -> String {
    format!("packs/{name}.index")
}

fn begin(backend: &dyn Backend) -> Result<OpenPack> {
    let name = uuid::Uuid::new_v4().simple().to_string();
    let file = pack_file(&name);
    let upload = backend.create(&file).map_err(SnapshotError::store(backend.shown(&file), "beginning a pack"))?;
    Ok(OpenPack { name, upload, frames: Vec::new(), at: 0 })
}

/// Ends the archive, syncs the pack, then writes and syncs its index.
fn close(backend: &dyn Backend, mut pack: OpenPack) -> Result<Written> {
    let file = pack_file(&pack.name);
    let end = compress_frame(&mut None, 0, &[0; 2 * BLOCK]);
    let ended = end.and_then(|end| pack.upload.write_all(&end).map(|()| end.len()));
    let failed = SnapshotError::store(backend.shown(&file), "completing a pack");
    let end = ended.and_then(|end| pack.upload.commit().map(|()| end)).map_err(failed)?;
    let index_name = index_file(&pack.name);
    let write_index = || {
        let mut upload = backend.create(&index_name)?;
        index::write(&pack.name, &pack.frames, &mut *upload)?;
        upload.commit()
    };
    write_index().map_err(SnapshotError::store(backend.shown(&index_name), "writing an index"))?;
    Ok(Written { bytes: pack.at + end as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_told_from_text() {
        let mut noise = vec![0; 100_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        assert!(incompressible(&noise));
        assert!(!incompressible("some text or other, ".repeat(1000).as_bytes()));
    }
}
