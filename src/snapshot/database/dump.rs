//! Dump: one stream from the host, split into objects that are hashed and stored as they come.
//!
//! May use: `remote`, `store`, and its siblings. Invariants: tables are never held in memory;
//! status, standard error and the closing line must all say that it is complete.

use super::super::error::{Result, SnapshotError};
use super::super::item::{ObjectKind, ObjectName};
use super::super::manifest::{Content, DatabaseFacts};
use super::super::store::{ContentWriter, Writer};
use super::super::stream::BROKEN_PIPE;
use super::super::{Phase, Progress, Source};
use super::split::{Part, Sink, Splitter};
use super::{DatabaseAccess, failure, script, values};
use crate::model::clean_line;
use crate::remote::{Command, Reader};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;

/// Says which programs, which server, which tables there are, and whether events can be seen.
const PROBE: &str = script!(
    r#"ask() { printf '%s\n' "$o" | { exec 4<&0; exec "$m" --defaults-file=/dev/fd/4 --batch --skip-column-names --default-character-set=utf8mb4 -e "$2" "$1" </dev/null; }; }
"$d" --version | tr '\n' ' '; printf '\n'
ask "$1" 'SELECT VERSION()' || exit 1
if ask "$1" 'SHOW EVENTS' >/dev/null 2>&1; then echo events; else echo no-events; fi
ask "$1" 'SHOW FULL TABLES' || exit 1"#
);
const DUMP: &str =
    script!(r#"printf '%s\n' "$o" | { exec 4<&0; exec "$d" --defaults-file=/dev/fd/4 "$@" </dev/null; }"#);
/// How a dump is made, for both families. Dates are left out and rows ordered, so that equal
/// contents give equal bytes.
const OPTIONS: [&str; 16] = [
    "--single-transaction",
    "--quick",
    "--skip-lock-tables",
    "--skip-add-locks",
    "--triggers",
    "--hex-blob",
    "--no-tablespaces",
    "--skip-dump-date",
    "--order-by-primary",
    "--quote-names",
    "--add-drop-table",
    "--create-options",
    "--extended-insert",
    "--set-charset",
    "--tz-utc",
    "--default-character-set=utf8mb4",
];
const DOING: &str = "dumping";
const DUMP_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
const BUFFER_BYTES: usize = 256 << 10;
/// The most bytes of one routine, event or view.
const MAX_SMALL_BYTES: usize = 16 << 20;
/// The most objects of one database.
const MAX_OBJECTS: usize = 100_000;
/// The most bytes of table names on one command line.
const MAX_NAMES_BYTES: usize = 96 << 10;

/// A dumped database.
pub(in super::super) struct Dumped {
    pub(in super::super) objects: BTreeMap<ObjectName, Content>,
    pub(in super::super) facts: DatabaseFacts,
}

struct Probed {
    facts: DatabaseFacts,
    mysql: bool,
    tables: Vec<String>,
    events: bool,
}

/// Dumps the site's part of its database into the store.
pub(in super::super) async fn dump(
    source: &Source,
    access: &DatabaseAccess,
    writer: Writer,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Dumped)> {
    let mut probed = probe(source, access).await?;
    let chosen = match &access.select {
        Some(select) => select(&probed.tables),
        None => probed.tables.clone(),
    };
    if chosen.is_empty() && !probed.tables.is_empty() {
        let dumped = Dumped { objects: BTreeMap::new(), facts: probed.facts };
        return Ok((writer, dumped));
    }
    let shared = chosen.len() < probed.tables.len();
    let arguments = arguments(source, access, &mut probed, &chosen, shared)?;
    let host = source.shell.host();
    let command = Command::script(DUMP, values(access, arguments)).within(DUMP_TIMEOUT);
    let started = source.shell.start(&command).await;
    let mut process = started.map_err(SnapshotError::remote(host, DOING))?;
    let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
    let listener = progress.clone();
    let reading = tokio::task::spawn_blocking(move || read(stdout, writer, &*listener));
    let read = reading.await;
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    let stopped = output.status == BROKEN_PIPE && !matches!(read, Ok(Ok(Ok(_))));
    if !stopped && (!output.ok() || complains(&output.stderr)) {
        return Err(failure(host, access, DOING, &output));
    }
    let (writer, objects) =
        read.unwrap_or(Ok(Err("a worker ended early".into())))?.map_err(|detail: String| SnapshotError::Database {
            host: host.to_owned(),
            name: access.name.clone(),
            doing: DOING,
            detail: clean_line(&detail, 300),
        })?;
    Ok((writer, Dumped { objects, facts: probed.facts }))
}

async fn probe(source: &Source, access: &DatabaseAccess) -> Result<Probed> {
    const DOING: &str = "looking into";
    let host = source.shell.host();
    let command = Command::script(PROBE, values(access, [access.name.clone()]));
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    let wrong = |detail: &str| SnapshotError::Database {
        host: host.to_owned(),
        name: access.name.clone(),
        doing: DOING,
        detail: detail.to_owned(),
    };
    if !output.ok() {
        return Err(failure(host, access, DOING, &output));
    }
    let text = std::str::from_utf8(&output.stdout).map_err(|_| wrong("its answer is not UTF-8"))?;
    let mut lines = text.lines();
    let mut next = || lines.next().ok_or_else(|| wrong("its answer is cut off"));
    let dumped_by = clean_line(next()?, 200);
    let server = clean_line(next()?, 100);
    let events = next()? == "events";
    let mut tables = Vec::new();
    for line in lines {
        let name = line.split('\t').next().unwrap_or("");
        // The client escapes what would break the line; a name with such a character could
        // smuggle statements into a dump.
        if name.contains('\\') || ObjectName::new(ObjectKind::Table, name).is_err() {
            let shown = clean_line(name, 80);
            return Err(wrong(&format!(
                "the table name {shown:?} holds characters that can't be dumped safely; rename the table"
            )));
        }
        tables.push(name.to_owned());
    }
    let facts =
        DatabaseFacts { engine: "mysql".into(), name: access.name.clone(), server, skipped: Vec::new(), dumped_by };
    let mysql = !facts.dumped_by.contains("MariaDB");
    Ok(Probed { facts, mysql, tables, events })
}

fn arguments(
    source: &Source,
    access: &DatabaseAccess,
    probed: &mut Probed,
    chosen: &[String],
    shared: bool,
) -> Result<Vec<String>> {
    let mut arguments: Vec<String> = OPTIONS.map(String::from).into();
    if probed.mysql {
        arguments.extend(["--set-gtid-purged=OFF", "--column-statistics=0"].map(String::from));
    }
    if shared {
        // They belong to the database, not to a table: nobody can tell whose they are.
        probed.facts.skipped.push("routines and events: the database is shared with other software".into());
        arguments.extend(["--skip-routines", "--skip-events"].map(String::from));
    } else {
        arguments.push("--routines".into());
        if probed.events {
            arguments.push("--events".into());
        } else {
            probed.facts.skipped.push("events: the account has no EVENT privilege".into());
            arguments.push("--skip-events".into());
        }
    }
    arguments.extend(["--".into(), access.name.clone()]);
    if shared {
        let bytes: usize = chosen.iter().map(|name| name.len() + 3).sum();
        if bytes > MAX_NAMES_BYTES {
            return Err(SnapshotError::TooMuch {
                what: format!("bytes of table names in database {} on {}", access.name, source.shell.host()),
                limit: MAX_NAMES_BYTES as u64,
            });
        }
        arguments.extend(chosen.iter().cloned());
    }
    Ok(arguments)
}

/// Whether a dump program said on standard error that something is missing.
fn complains(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr);
    text.lines().filter(|line| !line.trim().is_empty()).any(|line| {
        let lower = line.to_lowercase();
        let only_warns = lower.contains("warning") || lower.contains("deprecated");
        !only_warns || lower.contains("error")
    })
}

type Objects = BTreeMap<ObjectName, Content>;

/// The outer error is the store's, the inner one the dump's.
fn read(stdout: Reader, writer: Writer, progress: &dyn Progress) -> Result<Result<(Writer, Objects), String>> {
    let mut input = SyncIoBridge::new(stdout);
    let mut splitter = match Splitter::new(Collector::new(writer)) {
        Ok(splitter) => splitter,
        Err(detail) => return Ok(Err(detail)),
    };
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
            return splitter.sink().failed.take().map_or(Ok(Err(detail)), Err);
        }
        progress.at(Phase::Dumping, splitter.sink().objects.len() as u64, 0, bytes);
    }
    let ended = splitter.finish();
    match ended.and_then(Collector::finish) {
        Ok(Ok(done)) => Ok(Ok(done)),
        Ok(Err(error)) => Err(error),
        Err(detail) => Ok(Err(detail)),
    }
}

/// Stores parts as they come.
struct Collector {
    writer: Writer,
    objects: Objects,
    stubs: HashMap<String, Vec<u8>>,
    current: Current,
    failed: Option<SnapshotError>,
}

enum Current {
    Ignored,
    /// Tables and sequences: streamed.
    Large(ObjectName, Box<ContentWriter>),
    /// Everything else: a few kilobytes, put in its final form at its end.
    Small(Part, Vec<u8>),
}

impl Collector {
    fn new(writer: Writer) -> Self {
        Self { writer, objects: BTreeMap::new(), stubs: HashMap::new(), current: Current::Ignored, failed: None }
    }

    /// Remembers an error of the store, which matters more than what follows from it.
    fn stored<T>(&mut self, result: Result<T>) -> Result<T, String> {
        result.map_err(|error| {
            let text = error.to_string();
            self.failed = Some(error);
            text
        })
    }

    fn end_part(&mut self) -> Result<(), String> {
        match std::mem::replace(&mut self.current, Current::Ignored) {
            Current::Ignored => Ok(()),
            Current::Large(name, content) => {
                let content = content.finish(&mut self.writer);
                let content = self.stored(content)?;
                self.enter(name, content)
            }
            Current::Small(Part::ViewStub(view), bytes) => {
                self.stubs.insert(view, bytes);
                Ok(())
            }
            Current::Small(Part::View(view), bytes) => {
                let mut whole = self.stubs.remove(&view).unwrap_or_default();
                whole.extend_from_slice(&bytes);
                self.small(ObjectKind::View, view, &whole)
            }
            Current::Small(Part::Object(ObjectKind::Event, name), bytes) => {
                self.small(ObjectKind::Event, name, &plain_event(&bytes))
            }
            Current::Small(Part::Object(kind, name), bytes) => self.small(kind, name, &bytes),
            Current::Small(..) => Ok(()),
        }
    }

    fn small(&mut self, kind: ObjectKind, name: String, bytes: &[u8]) -> Result<(), String> {
        let name = ObjectName::new(kind, name).map_err(|e| e.to_string())?;
        let mut content = self.writer.content();
        let taken = content.take(&mut self.writer, bytes);
        self.stored(taken)?;
        let content = content.finish(&mut self.writer);
        let content = self.stored(content)?;
        self.enter(name, content)
    }

    fn enter(&mut self, name: ObjectName, content: Content) -> Result<(), String> {
        let shown = name.to_string();
        if self.objects.insert(name, content).is_some() {
            return Err(format!("{shown} stands twice in the dump"));
        }
        if self.objects.len() > MAX_OBJECTS {
            return Err(format!("the database has more than {MAX_OBJECTS} objects"));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Result<(Writer, Objects)>, String> {
        if let Err(detail) = self.end_part() {
            return self.failed.take().map_or(Err(detail), |error| Ok(Err(error)));
        }
        match self.stubs.keys().next() {
            Some(view) => Err(format!("the view {view} has no definition in the dump")),
            None => Ok(Ok((self.writer, self.objects))),
        }
    }
}

impl Sink for Collector {
    fn begin(&mut self, part: Part) -> Result<(), String> {
        self.end_part()?;
        self.current = match part {
            Part::Prelude | Part::Glue | Part::Footer => Current::Ignored,
            Part::Object(kind @ (ObjectKind::Table | ObjectKind::Sequence), name) => {
                let name = ObjectName::new(kind, name).map_err(|e| e.to_string())?;
                Current::Large(name, Box::new(self.writer.content()))
            }
            small => Current::Small(small, Vec::new()),
        };
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        match &mut self.current {
            Current::Ignored => Ok(()),
            Current::Large(_, content) => {
                let taken = content.take(&mut self.writer, bytes);
                self.stored(taken)
            }
            Current::Small(_, kept) if kept.len() + bytes.len() > MAX_SMALL_BYTES => {
                Err(format!("a routine, event or view is larger than {MAX_SMALL_BYTES} bytes"))
            }
            Current::Small(_, kept) => {
                kept.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}

/// An event's SQL, independent of whether others stand before or after it: in a dump the first
/// one begins under the delimiter `;`, the others under `;;`, and only the last one resets it.
fn plain_event(bytes: &[u8]) -> Vec<u8> {
    const RESET: &[u8] = b"DELIMITER ;\n";
    let line = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
    let (first, rest) = bytes.split_at(line);
    let mut plain = first.trim_ascii_end().to_vec();
    while plain.last() == Some(&b';') {
        plain.pop();
    }
    plain.extend_from_slice(b";\n");
    let rest = rest.trim_ascii_end();
    let rest = rest.strip_suffix(RESET.trim_ascii_end()).unwrap_or(rest);
    plain.extend_from_slice(rest.trim_ascii_end());
    plain.push(b'\n');
    plain.extend_from_slice(RESET);
    plain
}
