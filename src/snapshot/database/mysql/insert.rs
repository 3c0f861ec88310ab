//! Puts single rows into tables: each one by itself, and each one answered for.
//!
//! May use: `remote`, and its siblings. Invariants: the server keeps its keys, its types and what its columns
//! ask for; a row that it refuses stops no other; without the client's last answer nothing counts.

use super::super::super::Source;
use super::super::super::error::{Result, SnapshotError};
use super::{DatabaseAccess, failure, script, values};
use crate::model::clean_line;
use crate::remote::{Command, RawInput, Reader, Writer as Pipe};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;

/// Reads SQL on its standard input, goes on after errors, and never begins a session anew.
const INSERT: &str = script!(
    r#"{ printf '%s\n' "$o" | { exec 4<&0; exec "$m" --defaults-file=/dev/fd/4 --batch --force --skip-reconnect --skip-column-names --binary-mode --default-character-set=utf8mb4 --max-allowed-packet=1073741824 "$1" <&3; }; } 3<&0"#
);
const DOING: &str = "putting rows back into";
const INSERT_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
const BUFFER_BYTES: usize = 256 << 10;
/// The longest line of an answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 10;
/// How many refusals keep the server's own words.
const MAX_WORDS: usize = 10_000;
/// What a row is put in under: as a dump has its values, and as the table wants them.
pub(in super::super::super) const SESSION: &str = "SET NAMES utf8mb4;\nSET TIME_ZONE='+00:00';\n\
     SET SQL_MODE='STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';\n";
/// The rest of it: one transaction, and what is wrong is told.
const CHECKED: &str = "SET FOREIGN_KEY_CHECKS=1;\nSET UNIQUE_CHECKS=1;\nSET SQL_NOTES=0;\nSET MAX_ERROR_COUNT=64;\n\
     SET AUTOCOMMIT=0;\n";
/// With what a line begins that puts a row in.
const ROW: &[u8] = b"INSERT INTO ";
/// The first word of the answer after a row, and of the last one.
const ANSWERED: &str = "@intendant-row";
const ENDED: &str = "@intendant-end";

/// A row that the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super::super) struct Refused {
    /// Which, counted from 0 over all files.
    pub(in super::super::super) row: u64,
    /// The server's number for it.
    pub(in super::super::super) code: u32,
    /// Its words.
    pub(in super::super::super) said: String,
}

/// Puts in the rows of these files, one on each line that begins with [`ROW`]; `only` limits it to
/// some of them. Returns those that were refused.
pub(in super::super::super) async fn insert_rows(
    source: &Source,
    access: &DatabaseAccess,
    files: Vec<PathBuf>,
    only: Option<Arc<BTreeSet<u64>>>,
) -> Result<Vec<Refused>> {
    let host = source.shell.host();
    let command =
        Command::script(INSERT, values(access, [access.name.clone()])).reading(RawInput::Pipe).within(INSERT_TIMEOUT);
    let started = source.shell.start(&command).await;
    let mut process = started.map_err(SnapshotError::remote(host, DOING))?;
    let stdin: Pipe = process.stdin.take().unwrap_or_else(|| Box::pin(tokio::io::sink()));
    let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
    let sending = tokio::task::spawn_blocking(move || send(stdin, &files, only.as_deref()));
    let hearing = tokio::task::spawn_blocking(move || hear(stdout));
    let (sent, heard) = (sending.await, hearing.await);
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    let (Ok(sent), Ok(heard)) = (sent, heard) else {
        return Err(SnapshotError::Worker { doing: DOING });
    };
    let detail = match (sent, heard) {
        (Ok(sent), Ok(Answers { refused, answered, ended: true })) if sent == answered => return Ok(refused),
        (Err(Failed::Evidence(path, source)), _) => return Err(SnapshotError::Evidence { path, source }),
        (Err(Failed::Pipe(_)), _) if !output.ok() => return Err(failure(host, access, DOING, &output)),
        (Err(Failed::Pipe(error)), Ok(_)) => error.to_string(),
        (_, Err(error)) => error.to_string(),
        (Ok(_), Ok(_)) if output.ok() => "the client did not answer for each row; try again".to_owned(),
        (Ok(_), Ok(_)) => return Err(failure(host, access, DOING, &output)),
    };
    Err(SnapshotError::Database { host: host.to_owned(), name: access.name.clone(), doing: DOING, detail })
}

enum Failed {
    Evidence(String, io::Error),
    Pipe(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Pipe(error)
    }
}

/// Returns how many rows were sent.
fn send(stdin: Pipe, files: &[PathBuf], only: Option<&BTreeSet<u64>>) -> std::result::Result<u64, Failed> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, SyncIoBridge::new(stdin));
    out.write_all(SESSION.as_bytes())?;
    out.write_all(CHECKED.as_bytes())?;
    let (mut row, mut sent, mut line) = (0, 0, Vec::new());
    for file in files {
        let failed = |error| Failed::Evidence(file.display().to_string(), error);
        let mut input = BufReader::with_capacity(BUFFER_BYTES, File::open(file).map_err(failed)?);
        while input.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            if line.starts_with(ROW) {
                if only.is_none_or(|only| only.contains(&row)) {
                    out.write_all(&line)?;
                    write!(out, "SHOW WARNINGS;\nSELECT '{ANSWERED}',{row};\n")?;
                    sent += 1;
                }
                row += 1;
            }
            line.clear();
        }
    }
    // Whether it was committed shows in the tables, which are looked at.
    write!(out, "COMMIT;\nSELECT '{ENDED}',{sent};\n")?;
    out.flush()?;
    // Closing the pipe ends the client; what it then says is what counts.
    if let Ok(mut bridge) = out.into_inner() {
        let _ = bridge.shutdown();
    }
    Ok(sent)
}

#[derive(Default)]
struct Answers {
    refused: Vec<Refused>,
    answered: u64,
    ended: bool,
}

fn hear(stdout: Reader) -> io::Result<Answers> {
    read_answers(&mut BufReader::with_capacity(BUFFER_BYTES, SyncIoBridge::new(stdout)))
}

fn read_answers(input: &mut impl BufRead) -> io::Result<Answers> {
    let mut answers = Answers::default();
    let mut wrong: Option<(u32, String)> = None;
    let mut line = Vec::new();
    while input.by_ref().take(MAX_ANSWER_BYTES).read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        let mut fields = text.trim_end_matches('\n').splitn(3, '\t');
        match (fields.next(), fields.next(), fields.next()) {
            (Some("Error"), Some(code), said) => {
                if let (None, Ok(code)) = (&wrong, code.parse()) {
                    let said = if answers.refused.len() < MAX_WORDS { said.unwrap_or_default() } else { "" };
                    wrong = Some((code, clean_line(said, 300)));
                }
            }
            (Some(ANSWERED), Some(row), None) => {
                answers.answered += 1;
                if let (Some((code, said)), Ok(row)) = (wrong.take(), row.parse()) {
                    answers.refused.push(Refused { row, code, said });
                }
            }
            (Some(ENDED), Some(_), None) => answers.ended = true,
            _ => {}
        }
        line.clear();
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_answered_for() {
        let said = "@intendant-row\t0\nError\t1062\tDuplicate entry '1' for key 'PRIMARY'\n@intendant-row\t1\n\
             Warning\t1265\tData truncated\n@intendant-row\t2\nError\t1452\tno parent\nError\t1\tmore\n@intendant-row\t7\n";
        let answers = read_answers(&mut said.as_bytes()).unwrap();
        let refused: Vec<(u64, u32)> = answers.refused.iter().map(|refused| (refused.row, refused.code)).collect();
        assert_eq!((answers.answered, refused, answers.ended), (4, vec![(1, 1062), (7, 1452)], false));
        assert!(read_answers(&mut format!("{said}@intendant-end\t4\n").as_bytes()).unwrap().ended);
    }
}
