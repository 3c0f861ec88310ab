//! Some tables as they are now, looked at while they are dumped, and not stored.
//!
//! May use: `remote`, and its siblings. Invariants: a table's digest is that of the content that a
//! capture would store; the dump is complete as any other has to be; tables are never held in memory.

use super::super::super::Source;
use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::ObjectKind;
use super::dump::{DOING, DUMP, DUMP_TIMEOUT, MAX_NAMES_BYTES, OPTIONS, complains, extra};
use super::literals::Visitor;
use super::probe::probe;
use super::rows::{Frame, TableReader};
use super::split::{Part, Sink, Splitter};
use super::{DatabaseAccess, failure, values};
use crate::model::{Digest, clean_line};
use crate::remote::{Command, Reader};
use std::collections::BTreeMap;
use std::io::Read;
use tokio_util::io::SyncIoBridge;

const BUFFER_BYTES: usize = 256 << 10;

/// A table that was looked at.
pub(in super::super::super) struct Seen<V> {
    /// Who saw its rows.
    pub(in super::super::super) visitor: V,
    /// What stands around them.
    pub(in super::super::super) frame: Frame,
    /// The digest of its SQL.
    pub(in super::super::super) digest: Digest,
    /// The length of its SQL.
    pub(in super::super::super) size: u64,
}

/// Dumps these tables, and shows the rows of each to its visitor.
pub(in super::super::super) async fn look_at<V: Visitor + Send + 'static>(
    source: &Source,
    access: &DatabaseAccess,
    tables: BTreeMap<String, V>,
) -> Result<BTreeMap<String, Seen<V>>> {
    let host = source.shell.host();
    if tables.keys().map(|name| name.len() + 3).sum::<usize>() > MAX_NAMES_BYTES {
        let what = format!("bytes of names of tables with visitors' rows in database {} on {host}", access.name);
        return Err(SnapshotError::TooMuch { what, limit: MAX_NAMES_BYTES as u64 });
    }
    let mut arguments: Vec<String> = OPTIONS.map(String::from).into();
    arguments.extend(extra(&probe(source, access).await?));
    arguments.extend(["--skip-routines", "--skip-events", "--", &access.name].map(String::from));
    arguments.extend(tables.keys().cloned());
    let command = Command::script(DUMP, values(access, arguments)).within(DUMP_TIMEOUT);
    let started = source.shell.start(&command).await;
    let mut process = started.map_err(SnapshotError::remote(host, DOING))?;
    let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
    let reading = tokio::task::spawn_blocking(move || read(stdout, tables)).await;
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    let broke_off = !matches!(reading, Ok(Ok(_)));
    if !broke_off && (!output.ok() || complains(&output.stderr)) {
        return Err(failure(host, access, DOING, &output));
    }
    let detail = match reading {
        Ok(Ok(seen)) => return Ok(seen),
        // Where the program itself failed, its own words say more than that its dump ended early.
        Ok(Err(detail)) if output.ok() => clean_line(&detail, 500),
        Ok(Err(detail)) => clean_line(&format!("{detail} ({})", output.tail()), 500),
        Err(_) => return Err(SnapshotError::Worker { doing: DOING }),
    };
    Err(SnapshotError::Database { host: host.to_owned(), name: access.name.clone(), doing: DOING, detail })
}

fn read<V: Visitor>(stdout: Reader, tables: BTreeMap<String, V>) -> Result<BTreeMap<String, Seen<V>>, String> {
    let mut input = SyncIoBridge::new(stdout);
    let mut splitter = Splitter::new(Looking { waiting: tables, open: None, seen: BTreeMap::new() })?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match input.read(&mut buffer).map_err(|error| error.to_string())? {
            0 => break,
            read => splitter.feed(&buffer[..read])?,
        }
    }
    let mut looking = splitter.finish()?;
    looking.end_part()?;
    match looking.waiting.keys().next() {
        None => Ok(looking.seen),
        Some(name) => Err(format!("the table {name} is not in the dump")),
    }
}

struct Looking<V> {
    waiting: BTreeMap<String, V>,
    open: Option<Open<V>>,
    seen: BTreeMap<String, Seen<V>>,
}

struct Open<V> {
    name: String,
    reader: TableReader<V>,
    hasher: blake3::Hasher,
    size: u64,
}

impl<V: Visitor> Looking<V> {
    fn end_part(&mut self) -> Result<(), String> {
        let Some(Open { name, reader, hasher, size }) = self.open.take() else { return Ok(()) };
        let (visitor, frame) = reader.finish().map_err(|why| format!("table:{name}: {why}"))?;
        self.seen.insert(name, Seen { visitor, frame, digest: hasher.finalize().into(), size });
        Ok(())
    }
}

impl<V: Visitor> Sink for Looking<V> {
    fn begin(&mut self, part: Part) -> Result<(), String> {
        self.end_part()?;
        if let Part::Object(ObjectKind::Table, name) = part
            && let Some(visitor) = self.waiting.remove(&name)
        {
            let reader = TableReader::new(visitor);
            self.open = Some(Open { name, reader, hasher: blake3::Hasher::new(), size: 0 });
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.hasher.update(bytes);
        open.size += bytes.len() as u64;
        open.reader.bytes(bytes)
    }

    fn statement(&mut self, line: &str) -> Result<(), String> {
        match &mut self.open {
            Some(open) => open.reader.statement(line),
            None => Ok(()),
        }
    }
}
