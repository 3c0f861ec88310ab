//! Dump: a look into the database, then one stream of `pg_dump`, hashed and stored as it comes.
//!
//! May use: `remote`, `store`, and its siblings. Invariants: status, standard error and the closing line must all
//! say that it is complete; what a snapshot would lack (large objects, tables that are not the site's) is an error
//! before anything is read; large objects are only noted where a restore looks at what it will overwrite. Every table is read each time: the server knows no sign of an unchanged table that a
//! crash or a reset of its statistics could not take away.

use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{ObjectKind, ObjectName};
use super::super::super::manifest::{Content, DatabaseFacts};
use super::super::super::store::{ContentWriter, Writer};
use super::super::super::stream::BROKEN_PIPE;
use super::super::super::{Phase, Progress, Source};
use super::super::{DatabaseAccess, Dumped};
use super::split::{Around, Rows, Splitter};
use super::{AFTER, BEFORE, complains, failure, script, values};
use crate::model::clean_line;
use crate::remote::{Command, RawInput, Reader};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;

/// Says which programs there are, and answers the SQL on its standard input.
const PROBE: &str = script!(
    r#"pg_dump --version
{ service | { exec 4<&0; exec psql -XAtqw -v ON_ERROR_STOP=1 <&3; }; } 3<&0"#
);
/// The server's version, its large objects, and the tables that people made.
const QUESTIONS: &str = "SHOW server_version;\nSELECT count(*) FROM pg_catalog.pg_largeobject_metadata;\n\
     SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS \
     (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid \
     AND d.deptype = 'e') ORDER BY 1;\n";
/// A table that somebody holds for longer than half a minute is an error.
const DUMP: &str = script!(
    r#"service | { exec 4<&0; exec pg_dump --no-password --format=plain --encoding=UTF8 --lock-wait-timeout=30000 --no-subscriptions "$@" </dev/null; }"#
);
const LOOKING: &str = "looking into";
const DOING: &str = "dumping";
const DUMP_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
const BUFFER_BYTES: usize = 256 << 10;
/// The most tables of one database.
const MAX_TABLES: usize = 100_000;

/// Dumps the database into the store.
pub(in super::super) async fn dump(
    source: &Source,
    access: &DatabaseAccess,
    writer: Writer,
    tolerant: bool,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Dumped)> {
    let facts = probe(source, access, tolerant).await?;
    let host = source.shell.host();
    // A restore neither has large objects nor touches them.
    let without = tolerant.then(|| "--no-blobs".to_owned());
    let command = Command::script(DUMP, values(access, without)).within(DUMP_TIMEOUT);
    let started = source.shell.start(&command).await;
    let mut process = started.map_err(SnapshotError::remote(host, DOING))?;
    let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
    let listener = progress.clone();
    let reading = tokio::task::spawn_blocking(move || read(stdout, writer, &*listener)).await;
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    // Where we stopped reading, the reason is ours; the program only says that its pipe broke.
    let broken = output.status == BROKEN_PIPE || String::from_utf8_lossy(&output.stderr).contains("Broken pipe");
    let stopped = broken && !matches!(reading, Ok(Ok(Ok(_))));
    if !stopped && (!output.ok() || complains(&output.stderr)) {
        return Err(failure(host, access, DOING, &output));
    }
    let read = reading.unwrap_or(Ok(Err("a worker ended early".into())))?;
    let (writer, objects, bytes) = read.map_err(|detail| failed(host, access, DOING, &detail))?;
    Ok((writer, Dumped { objects, facts, bytes }))
}

fn failed(host: &str, access: &DatabaseAccess, doing: &'static str, detail: &str) -> SnapshotError {
    let detail = clean_line(detail, 500);
    SnapshotError::Database { host: host.to_owned(), name: access.name.clone(), doing, detail }
}

/// Looks into the database.
async fn probe(source: &Source, access: &DatabaseAccess, tolerant: bool) -> Result<DatabaseFacts> {
    let host = source.shell.host();
    let command = Command::script(PROBE, values(access, [])).reading(RawInput::Bytes(QUESTIONS.into()));
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, LOOKING))?;
    if !output.ok() {
        return Err(failure(host, access, LOOKING, &output));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    facts(access, &text, tolerant).map_err(|detail| failed(host, access, LOOKING, &detail))
}

fn facts(access: &DatabaseAccess, answer: &str, tolerant: bool) -> Result<DatabaseFacts, String> {
    let mut lines = answer.lines();
    let mut next = || lines.next().ok_or("its answer is cut off");
    let (dumped_by, server) = (clean_line(next()?, 200), clean_line(next()?, 100));
    let large: u64 = next()?.parse().map_err(|_| "its answer about large objects is no number")?;
    let mut skipped = Vec::new();
    if large > 0 && tolerant {
        skipped.push(format!("large objects: {large} are in the database (pg_largeobject), and are left as they are"));
    } else if large > 0 {
        return Err(format!(
            "it holds {large} large objects (pg_largeobject), which snapshots do not take; let the site keep such \
             contents in files or in columns of type bytea"
        ));
    }
    let tables: Vec<String> = lines.map(str::to_owned).collect();
    let ours = access.select.as_ref().map_or_else(|| tables.clone(), |select| select(&tables));
    if let Some(other) = tables.iter().find(|table| !ours.contains(table)) {
        return Err(format!(
            "the table {other} and {} more are not the site's, or are left out by the plan, and a snapshot takes a \
             whole PostgreSQL database; give the site a database of its own",
            tables.len().saturating_sub(ours.len() + 1)
        ));
    }
    let name = access.name.clone();
    let engine = access.engine.word().to_owned();
    let (fingerprints, structure) = Default::default();
    Ok(DatabaseFacts { engine, name, server, dumped_by, skipped, fingerprints, structure })
}

type Objects = BTreeMap<ObjectName, Content>;

/// Reads a dump to its end. The outer error is the store's, the inner one the dump's.
fn read(stdout: Reader, writer: Writer, progress: &dyn Progress) -> Result<Result<(Writer, Objects, u64), String>> {
    let mut input = SyncIoBridge::new(stdout);
    let mut splitter = Splitter::new(Collector { writer, objects: Objects::new(), open: None, failed: None });
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut bytes = 0;
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return Ok(Err(error.to_string())),
        };
        bytes += read as u64;
        if let Err(detail) = splitter.feed(&buffer[..read]) {
            return splitter.rows().failed.take().map_or(Ok(Err(detail)), Err);
        }
        progress.at(Phase::Dumping, splitter.rows().objects.len() as u64, 0, bytes);
    }
    let (mut collector, around) = match splitter.finish() {
        Ok(done) => done,
        Err(detail) => return Ok(Err(detail)),
    };
    match collector.finish(around) {
        Ok(()) => Ok(Ok((collector.writer, collector.objects, bytes))),
        Err(detail) => collector.failed.take().map_or(Ok(Err(detail)), Err),
    }
}

/// Stores what comes.
struct Collector {
    writer: Writer,
    objects: Objects,
    open: Option<(ObjectName, Box<ContentWriter>)>,
    /// What the store said.
    failed: Option<SnapshotError>,
}

impl Collector {
    fn stored<T>(&mut self, result: Result<T>) -> Result<T, String> {
        result.map_err(|error| {
            let text = error.to_string();
            self.failed = Some(error);
            text
        })
    }

    fn end_table(&mut self) -> Result<(), String> {
        let Some((name, content)) = self.open.take() else { return Ok(()) };
        let content = content.finish(&mut self.writer);
        let content = self.stored(content)?;
        self.enter(name, content)
    }

    fn enter(&mut self, name: ObjectName, content: Content) -> Result<(), String> {
        let shown = name.to_string();
        match self.objects.insert(name, content) {
            Some(_) => Err(format!("{shown} stands twice in the dump")),
            None => Ok(()),
        }
    }

    fn small(&mut self, kind: ObjectKind, name: &str, bytes: &[u8]) -> Result<(), String> {
        let name = ObjectName::new(kind, name).map_err(|error| error.to_string())?;
        let mut content = self.writer.content();
        let taken = content.take(&mut self.writer, bytes);
        self.stored(taken)?;
        let content = content.finish(&mut self.writer);
        let content = self.stored(content)?;
        self.enter(name, content)
    }

    fn finish(&mut self, around: Around) -> Result<(), String> {
        self.end_table()?;
        for (name, value) in around.sequences {
            self.small(ObjectKind::Sequence, &name, &value)?;
        }
        self.small(ObjectKind::Definitions, BEFORE, &around.before)?;
        self.small(ObjectKind::Definitions, AFTER, &around.after)
    }
}

impl Rows for Collector {
    fn begin(&mut self, table: &str) -> Result<(), String> {
        self.end_table()?;
        if self.objects.len() >= MAX_TABLES {
            return Err(format!("the database has more than {MAX_TABLES} tables"));
        }
        let name = ObjectName::new(ObjectKind::Table, table).map_err(|error| error.to_string())?;
        self.open = Some((name, Box::new(self.writer.content())));
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some((_, content)) = &mut self.open else { return Ok(()) };
        let taken = content.take(&mut self.writer, bytes);
        self.stored(taken)
    }
}
