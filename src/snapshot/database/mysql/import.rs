//! Import: drops what is too much, then makes again the objects that differ, in one stream.
//!
//! May use: `remote`, `store`, and its siblings. Invariants: the client runs in binary mode, so
//! that nothing in a dump is a command of the client and no line end is changed; the order is
//! drops, sequences, tables, routines, view stubs, views, events.

use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{ObjectKind, ObjectName};
use super::super::super::manifest::Content;
use super::super::super::store::BlobReader;
use super::super::super::{NoProgress, Phase, Progress, Source};
use super::super::{Import, Portion};
use super::split::{Part, Sink, Splitter};
use super::{DatabaseAccess, failure, script, stopped_at, values};
use crate::remote::{Command, RawInput, Writer as Pipe};
use std::collections::HashMap;
use std::io::{self, BufWriter, Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;

/// Reads SQL on its standard input. `--comments`: routines keep theirs.
const IMPORT: &str = script!(
    r#"{ printf '%s\n' "$o" | { exec 4<&0; exec "$m" --defaults-file=/dev/fd/4 --batch --binary-mode --comments --default-character-set=utf8mb4 --max-allowed-packet=1073741824 "$1" <&3 >/dev/null; }; } 3<&0"#
);
const DOING: &str = "importing into";
const IMPORT_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
const BUFFER_BYTES: usize = 256 << 10;
/// What dump programs set before their first object. No time, key or foreign key is checked.
const PRELUDE: &str = "SET NAMES utf8mb4;\nSET TIME_ZONE='+00:00';\nSET UNIQUE_CHECKS=0;\n\
     SET FOREIGN_KEY_CHECKS=0;\nSET SQL_MODE='NO_AUTO_VALUE_ON_ZERO';\nSET SQL_NOTES=0;\n";

/// Imports; returns the bytes that were sent.
pub(in super::super) async fn import(
    source: &Source,
    access: &DatabaseAccess,
    work: Import,
    blobs: BlobReader,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    let host = source.shell.host();
    let command =
        Command::script(IMPORT, values(access, [access.name.clone()])).reading(RawInput::Pipe).within(IMPORT_TIMEOUT);
    let started = source.shell.start(&command).await;
    let mut process = started.map_err(SnapshotError::remote(host, DOING))?;
    let stdin: Pipe = process.stdin.take().unwrap_or_else(|| Box::pin(tokio::io::sink()));
    let listener = progress.clone();
    let sending = tokio::task::spawn_blocking(move || {
        let mut sender = Sender::new(BufWriter::with_capacity(BUFFER_BYTES, SyncIoBridge::new(stdin)), blobs);
        let sent = sender.send(&work, &*listener);
        let sent = sent.map(|()| sender.sent);
        let began = std::mem::take(&mut sender.began);
        // Closing the pipe ends the client; what it then says is what counts.
        if let Ok(mut bridge) = sender.out.into_inner() {
            let _ = bridge.shutdown();
        }
        (sent, began)
    });
    let sent = sending.await;
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    let worker = || (Err(Failed::Store(SnapshotError::Worker { doing: "importing" })), Vec::new());
    let (sent, began) = sent.unwrap_or_else(|_| worker());
    match sent {
        Err(Failed::Store(error)) => Err(error),
        _ if !output.ok() => {
            let line = stopped_at(&output.tail());
            let at = began.into_iter().rev().find(|(first, _)| line.is_some_and(|line| *first <= line));
            Err(failure(host, access, DOING, &output).about(at.map(|(_, object)| object.to_string())))
        }
        Err(Failed::Pipe(detail)) => {
            Err(SnapshotError::Database { host: host.to_owned(), name: access.name.clone(), doing: DOING, detail })
        }
        Ok(sent) => Ok(sent),
    }
}

/// Writes the SQL that makes these objects, for a client in binary mode.
pub(in super::super) fn write_sql(
    out: impl Write,
    objects: &[(ObjectName, Content)],
    blobs: &mut BlobReader,
) -> Result<()> {
    let reader = blobs.another();
    let mut sender = Sender::new(BufWriter::with_capacity(BUFFER_BYTES, out), reader);
    let work = Import { make: objects.to_vec(), ..Import::default() };
    sender.send(&work, &NoProgress).map_err(|failed| match failed {
        Failed::Store(error) => error,
        Failed::Pipe(detail) => SnapshotError::Export { path: "database.sql".into(), source: io::Error::other(detail) },
    })
}

enum Failed {
    /// The store's bytes.
    Store(SnapshotError),
    /// The way to the client.
    Pipe(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Pipe(error.to_string())
    }
}

struct Sender<W: Write> {
    out: BufWriter<W>,
    blobs: BlobReader,
    sent: u64,
    /// The line that comes next, and at which line each object began: errors name lines.
    line: u64,
    began: Vec<(u64, ObjectName)>,
}

impl<W: Write> Sender<W> {
    fn new(out: BufWriter<W>, blobs: BlobReader) -> Self {
        Self { out, blobs, sent: 0, line: 1, began: Vec::new() }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(self.out.write_all(bytes)?)
    }

    fn send(&mut self, work: &Import, progress: &dyn Progress) -> Result<(), Failed> {
        self.write(PRELUDE.as_bytes())?;
        let mut drops: Vec<&ObjectName> = work.drop.iter().collect();
        // Events and views before the tables that they use.
        drops.sort_by_key(|object| std::cmp::Reverse(object.kind()));
        for object in drops {
            self.began.push((self.line, object.clone()));
            self.write(drop_statement(object).as_bytes())?;
        }
        let of = work.make.len() as u64;
        let mut done = 0;
        for piece in pieces(&work.make, |name, content| self.view(name, content))? {
            self.began.push((self.line, piece.object.clone()));
            match piece.sql {
                Sql::Text(text) => self.write(&text)?,
                Sql::Own(content) => {
                    match work.parts.get(piece.object) {
                        Some(portion) => self.portion(content, portion)?,
                        None => self.object(content)?,
                    }
                    done += 1;
                    progress.at(Phase::Importing, done, of, self.sent);
                }
            }
        }
        progress.at(Phase::Importing, of, of, self.sent);
        self.out.flush()?;
        Ok(())
    }

    fn object(&mut self, content: &Content) -> Result<(), Failed> {
        for chunk in &content.chunks {
            let bytes = self.blobs.read(chunk).map_err(Failed::Store)?;
            self.write(&bytes)?;
            self.sent += bytes.len() as u64;
        }
        Ok(())
    }

    fn portion(&mut self, content: &Content, portion: &Portion) -> Result<(), Failed> {
        self.write(portion.before.as_bytes())?;
        let mut from = 0;
        for chunk in &content.chunks {
            let until = from + u64::from(chunk.size);
            if from < portion.bytes.end && portion.bytes.start < until {
                let bytes = self.blobs.read(chunk).map_err(Failed::Store)?;
                let place = |at: u64| usize::try_from(at.clamp(from, until) - from).unwrap_or(bytes.len());
                let wanted = bytes.get(place(portion.bytes.start)..place(portion.bytes.end)).unwrap_or_default();
                self.write(wanted)?;
                self.sent += wanted.len() as u64;
            }
            from = until;
        }
        Ok(())
    }

    /// A view's SQL is read at once: its parts are not sent together.
    fn view(&mut self, name: &ObjectName, content: &Content) -> Result<Halves, Failed> {
        let mut sql = Vec::new();
        let take = |bytes: Vec<u8>| {
            sql.extend_from_slice(&bytes);
            Ok(())
        };
        self.blobs.each(content, take).map_err(Failed::Store)?;
        self.sent += sql.len() as u64;
        halve(&sql).map_err(|detail| Failed::Store(SnapshotError::damaged(name.to_string(), detail)))
    }
}

/// A piece of the SQL that makes several objects.
struct Piece<'a> {
    /// The object that it belongs to.
    object: &'a ObjectName,
    sql: Sql<'a>,
}

enum Sql<'a> {
    Text(Vec<u8>),
    /// All of an object's own SQL.
    Own(&'a Content),
}

/// The SQL that makes these objects, in the order in which a client takes it. For views first what
/// stands in for each, then the views: one may use another.
fn pieces<'a, E>(
    make: &'a [(ObjectName, Content)],
    mut halves: impl FnMut(&ObjectName, &Content) -> Result<Halves, E>,
) -> Result<Vec<Piece<'a>>, E> {
    let mut order: Vec<&(ObjectName, Content)> = make.iter().collect();
    order.sort_by_key(|(object, _)| object.kind());
    let (views, others): (Vec<_>, Vec<_>) =
        order.into_iter().partition(|(object, _)| object.kind() == ObjectKind::View);
    let (events, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|(object, _)| object.kind() == ObjectKind::Event);
    let text = |object, text| Piece { object, sql: Sql::Text(text) };
    let whole = |(object, content): &'a (ObjectName, Content)| {
        [Piece { object, sql: Sql::Own(content) }, text(object, b"\nDELIMITER ;\n".to_vec())]
    };
    let (mut stubs, mut rest) = (Vec::new(), Vec::new());
    for (object, content) in views {
        let half = halves(object, content)?;
        stubs.push(text(object, half.stub));
        rest.push(text(object, [half.view, b"\n".to_vec()].concat()));
    }
    Ok(others.into_iter().flat_map(whole).chain(stubs).chain(rest).chain(events.into_iter().flat_map(whole)).collect())
}

/// Reads what [`write_sql`] wrote. `take` reads an object's own SQL; that of the views is known.
/// Returns what is wrong where it is not what these objects make.
pub(in super::super) fn read_sql(
    input: &mut dyn Read,
    objects: &[(ObjectName, Content)],
    views: &HashMap<ObjectName, Vec<u8>>,
    take: &mut dyn FnMut(&ObjectName, &Content, &mut dyn Read) -> Result<()>,
) -> Result<Option<String>> {
    let halves = |name: &ObjectName, _: &Content| halve(views.get(name).map_or(&[][..], Vec::as_slice));
    let pieces = match pieces(objects, halves) {
        Ok(pieces) => pieces,
        Err(detail) => return Ok(Some(detail)),
    };
    let follows = |text: &[u8], input: &mut dyn Read| {
        let mut read = vec![0; text.len()];
        input.read_exact(&mut read).is_ok() && read == text
    };
    let other = || Ok(Some("it is not what the objects of the manifest make".into()));
    if !follows(PRELUDE.as_bytes(), input) {
        return other();
    }
    for piece in pieces {
        match piece.sql {
            Sql::Own(content) => take(piece.object, content, input)?,
            Sql::Text(text) if follows(&text, input) => {}
            Sql::Text(_) => return other(),
        }
    }
    let after = input.read(&mut [0]).map_or(true, |read| read > 0);
    Ok(after.then(|| "something follows its last object".into()))
}

/// A view's SQL in its two parts.
#[derive(Default)]
struct Halves {
    stub: Vec<u8>,
    view: Vec<u8>,
    in_view: bool,
}

impl Sink for Halves {
    fn begin(&mut self, part: Part) -> Result<(), String> {
        self.in_view = matches!(part, Part::View(_));
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        if self.in_view {
            self.view.extend_from_slice(bytes);
        } else {
            self.stub.extend_from_slice(bytes);
        }
        Ok(())
    }
}

fn halve(sql: &[u8]) -> Result<Halves, String> {
    let mut splitter = Splitter::new(Halves::default())?;
    splitter.feed(sql)?;
    Ok(splitter.into_sink())
}

pub(super) fn drop_statement(object: &ObjectName) -> String {
    let what = match object.kind() {
        ObjectKind::Sequence => "SEQUENCE",
        ObjectKind::Table => "TABLE",
        ObjectKind::Function => "FUNCTION",
        ObjectKind::Procedure => "PROCEDURE",
        ObjectKind::Package => "PACKAGE",
        ObjectKind::PackageBody => "PACKAGE BODY",
        ObjectKind::View => "VIEW",
        ObjectKind::Event => "EVENT",
        // Another engine's.
        ObjectKind::Definitions | ObjectKind::DatabaseFile => return String::new(),
    };
    format!("DROP {what} IF EXISTS `{}`;\n", object.name().replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let name = ObjectName::new(ObjectKind::Table, "a`; DROP DATABASE x; --").unwrap();
        assert_eq!(drop_statement(&name), "DROP TABLE IF EXISTS `a``; DROP DATABASE x; --`;\n");
    }
}
