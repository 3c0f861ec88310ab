//! Collecting a dump: parts are hashed and stored as they come, and what they are without their rows is noted.
//!
//! May use: `store`, and its siblings. Invariants: tables are never held in memory; an object
//! that stands twice, or a view without its definition, makes the dump worthless.

use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{ObjectKind, ObjectName};
use super::super::super::manifest::Content;
use super::super::super::store::{ContentWriter, Writer};
use super::super::super::{Phase, Progress};
use super::split::{Part, Sink, Splitter};
use super::structure::Structure;
use crate::model::Digest;
use crate::remote::Reader;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use tokio_util::io::SyncIoBridge;

const BUFFER_BYTES: usize = 256 << 10;
/// The most bytes of one routine, event or view.
const MAX_SMALL_BYTES: usize = 16 << 20;
/// The most objects of one database.
const MAX_OBJECTS: usize = 100_000;

type Objects = BTreeMap<ObjectName, Content>;

/// What came out of a dump.
pub(super) struct Collected {
    pub(super) writer: Writer,
    pub(super) objects: Objects,
    /// What the objects are without their rows.
    pub(super) structure: BTreeMap<ObjectName, Digest>,
    /// Bytes of SQL that were read.
    pub(super) bytes: u64,
}

/// Reads a dump to its end. `packet`: the longest statement that the server would take back. The
/// outer error is the store's, the inner one the dump's.
pub(super) fn read(
    stdout: Reader,
    writer: Writer,
    packet: u64,
    progress: &dyn Progress,
) -> Result<Result<Collected, String>> {
    let mut input = SyncIoBridge::new(stdout);
    let mut splitter = match Splitter::new(Collector::new(writer)) {
        Ok(splitter) => splitter.limited(packet),
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
        Ok(Ok(collector)) => {
            let Collector { writer, objects, structure, .. } = collector;
            Ok(Ok(Collected { writer, objects, structure, bytes }))
        }
        Ok(Err(error)) => Err(error),
        Err(detail) => Ok(Err(detail)),
    }
}

/// Stores parts as they come.
struct Collector {
    writer: Writer,
    objects: Objects,
    structure: BTreeMap<ObjectName, Digest>,
    stubs: HashMap<String, Vec<u8>>,
    current: Current,
    failed: Option<SnapshotError>,
}

enum Current {
    Ignored,
    /// Tables and sequences: streamed.
    Large(ObjectName, Box<ContentWriter>, Box<Structure>),
    /// Everything else: a few kilobytes, put in its final form at its end.
    Small(Part, Vec<u8>),
}

impl Collector {
    fn new(writer: Writer) -> Self {
        let (objects, structure, stubs) = Default::default();
        Self { writer, objects, structure, stubs, current: Current::Ignored, failed: None }
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
            Current::Large(name, content, structure) => {
                let content = content.finish(&mut self.writer);
                let content = self.stored(content)?;
                self.enter(name, content, Some(structure.finish()))
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
        self.enter(name, content, None)
    }

    /// `structure`: what it is without its rows; all of it where it has none.
    fn enter(&mut self, name: ObjectName, content: Content, structure: Option<Digest>) -> Result<(), String> {
        let shown = name.to_string();
        self.structure.insert(name.clone(), structure.unwrap_or(content.digest));
        if self.objects.insert(name, content).is_some() {
            return Err(format!("{shown} stands twice in the dump"));
        }
        if self.objects.len() > MAX_OBJECTS {
            return Err(format!("the database has more than {MAX_OBJECTS} objects"));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Result<Self>, String> {
        if let Err(detail) = self.end_part() {
            return self.failed.take().map_or(Err(detail), |error| Ok(Err(error)));
        }
        match self.stubs.keys().next() {
            Some(view) => Err(format!("the view {view} has no definition in the dump")),
            None => Ok(Ok(self)),
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
                Current::Large(name, Box::new(self.writer.content()), Box::default())
            }
            small => Current::Small(small, Vec::new()),
        };
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        match &mut self.current {
            Current::Ignored => Ok(()),
            Current::Large(_, content, structure) => {
                structure.bytes(bytes);
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

    fn statement(&mut self, line: &str) -> Result<(), String> {
        if let Current::Large(.., structure) = &mut self.current {
            structure.statement(line);
        }
        Ok(())
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
