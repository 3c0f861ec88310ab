//! Dump: a consistent copy of the file, made on the host, stored as it comes, with a digest for each table.
//!
//! May use: `remote`, `store`, and its siblings. Invariants: the copy is checked by SQLite before it is sent; it is left
//! out only where the file, its log and what SQLite itself counts in them are as they were, and were for a while.

use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{ObjectKind, ObjectName};
use super::super::super::manifest::{Content, DatabaseFacts, Manifest};
use super::super::super::store::Writer;
use super::super::super::{Phase, Progress, Source};
use super::super::{DatabaseAccess, Dumped};
use super::{MAGIC, MAIN, failed, failure, pages, script};
use crate::model::{Digest, clean_line};
use crate::remote::{Command, Output, Reader};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;

/// Says what the file and its log are like: the host's clock, then of each its inode, size and times, and what SQLite
/// counts at its beginning.
const LOOK: &str = r#"LC_ALL=C; export LC_ALL
[ -f "$1" ] || exit 94
date +%s
for f in "$1" "$1-wal" "$1-journal"; do
if [ -e "$f" ]; then stat -c '%Z %i %s %Y %y %z' "$f" && head -c 100 "$f" | od -An -v -tx1 | tr -d ' \n'; echo; else echo none; echo; fi; done"#;
/// Prints the program, its version and the size, then the copy. While it is made, the site's writers wait or write beside it.
const COPY: &str = script!(
    r#"[ -f "$1" ] || exit 94
case $w in
sqlite3) v=$(sqlite3 --version) || exit 1; cd "$t" || exit 93
lite "$1" '.timeout 60000' BEGIN 'SELECT count(*) FROM sqlite_master' '.backup main copy' >/dev/null || exit 1;;
*) v=$(py 'print(sqlite3.sqlite_version)' '' '') || exit 1
py 'source, copy = opened(sys.argv[1]), opened(sys.argv[2])
source.backup(copy, progress=waited)
copy.close()' "$1" "$t/copy" || exit 1;; esac
c=$(check "$t/copy"); [ -z "$c" ] || { printf '%s\n' "$c" >&2
case $c in *'disk is full'*|*'disk I/O error'*|*'out of memory'*|*'unable to open'*|*'is locked'*|*'said nothing'*) exit 90;; esac; exit 91; }
printf '%s %s\n' "$w" "${v%% *}"; wc -c <"$t/copy"; cat "$t/copy""#
);
/// The same of a file that is damaged: as it stands, and nothing is checked.
const RAW: &str = r#"[ -f "$1" ] || exit 94
s=$(wc -c <"$1") || exit 1; printf 'as it stands\n%s\n' "$s"; head -c "$s" "$1""#;
const LOOKING: &str = "looking at";
const DOING: &str = "copying";
const COPY_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
const BUFFER_BYTES: usize = 256 << 10;
/// The largest file.
const MAX_FILE_BYTES: u64 = 64 << 30;
/// The longest line before the copy.
const MAX_LINE_BYTES: usize = 200;
/// A file that was changed later than this before it was looked at is copied again: the clock may be too coarse.
const FRESH_SECONDS: i64 = 2;

type Objects = BTreeMap<ObjectName, Content>;

/// Copies the file into the store, unless it is as it was.
pub(in super::super) async fn dump(
    source: &Source,
    access: &DatabaseAccess,
    mut writer: Writer,
    previous: Option<&Manifest>,
    tolerant: bool,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Dumped)> {
    let main = ObjectName::new(ObjectKind::DatabaseFile, MAIN).map_err(|error| bug(source, access, &error))?;
    let mut facts = DatabaseFacts {
        engine: access.engine.word().to_owned(),
        name: access.name.clone(),
        server: String::new(),
        dumped_by: String::new(),
        skipped: Vec::new(),
        fingerprints: BTreeMap::new(),
        structure: BTreeMap::new(),
    };
    let before = match look(source, access).await {
        // Where it is gone, there is nothing to keep.
        Err(SnapshotError::Database { detail, .. }) if tolerant && detail.starts_with("there is no such file") => {
            return Ok((writer, Dumped { objects: Objects::new(), facts, bytes: 0 }));
        }
        before => before?,
    };
    let same = |manifest: &&Manifest| {
        let then =
            manifest.header.database.as_ref().filter(|then| then.engine == facts.engine && then.name == facts.name);
        before.is_some() && then.is_some_and(|then| then.fingerprints.get(&main).copied() == before)
    };
    if let Some(previous) = previous.filter(same) {
        let known: Objects = previous.objects().map(|(name, content)| (name.clone(), content.clone())).collect();
        if known.values().all(|content| writer.has(content))
            && let Some(then) = previous.header.database.clone()
        {
            return Ok((writer, Dumped { objects: known, facts: then, bytes: 0 }));
        }
    }
    let (back, copied) = copy(source, access, COPY, writer, progress).await?;
    writer = back;
    let copied = match copied {
        Ok(copied) => copied,
        // What will be overwritten is kept as it is. Any other fault says nothing of the file.
        Err(Fault { error, is_files: true }) if tolerant => {
            let (writer, raw) = copy(source, access, RAW, writer, progress).await?;
            let content = raw.map_err(|fault| fault.error)?.content;
            let why = format!("{main} is damaged; it is kept as it stands, without its log and unchecked: {error}");
            facts.skipped.push(clean_line(&why, 300));
            let bytes = content.size;
            return Ok((writer, Dumped { objects: Objects::from([(main, content)]), facts, bytes }));
        }
        Err(fault) => return Err(fault.error),
    };
    facts.dumped_by = copied.by;
    let bytes = copied.content.size;
    let mut objects = Objects::new();
    for (table, text) in copied.tables {
        let Ok(name) = ObjectName::new(ObjectKind::Table, table) else { continue };
        let mut content = writer.content();
        content.take(&mut writer, text.as_bytes())?;
        objects.insert(name, content.finish(&mut writer)?);
    }
    if let Some(then) = before
        && look(source, access).await? == Some(then)
    {
        facts.fingerprints.insert(main.clone(), then);
    }
    objects.insert(main, copied.content);
    Ok((writer, Dumped { objects, facts, bytes }))
}

/// Why there is no copy.
struct Fault {
    error: SnapshotError,
    /// Whether SQLite says that the file itself is damaged.
    is_files: bool,
}

/// Runs a script that prints the file. The outer error is the store's or the connection's.
async fn copy(
    source: &Source,
    access: &DatabaseAccess,
    script: &'static str,
    writer: Writer,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Result<Copied, Fault>)> {
    let host = source.shell.host();
    let command = Command::script(script, [access.name.clone()]).within(COPY_TIMEOUT);
    let mut process = source.shell.start(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
    let (listener, is_raw) = (progress.clone(), script == RAW);
    let reading = tokio::task::spawn_blocking(move || read(stdout, writer, is_raw, &*listener)).await;
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    let (writer, read) = reading.map_err(|_| SnapshotError::Worker { doing: DOING })??;
    let copied = match read {
        _ if !output.ok() => {
            Err(Fault { error: failure(host, access, DOING, &output), is_files: is_files_fault(&output) })
        }
        Ok(copied) => Ok(copied),
        Err(detail) => Err(Fault { error: failed(host, access, DOING, &detail), is_files: false }),
    };
    Ok((writer, copied))
}

/// Whether what was said is that the file is damaged, and not that it can't be copied now.
fn is_files_fault(output: &Output) -> bool {
    let said = output.tail();
    output.status == 91 || output.status == 1 && (said.contains("malformed") || said.contains("not a database"))
}

fn bug(source: &Source, access: &DatabaseAccess, error: &dyn std::fmt::Display) -> SnapshotError {
    failed(source.shell.host(), access, DOING, &error.to_string())
}

/// What the file is like; none where it changed a moment ago.
async fn look(source: &Source, access: &DatabaseAccess) -> Result<Option<Digest>> {
    let host = source.shell.host();
    let command = Command::script(LOOK, [access.name.clone()]);
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, LOOKING))?;
    if !output.ok() {
        return Err(failure(host, access, LOOKING, &output));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(settled(&text).then(|| Digest::of(text.split_once('\n').unwrap_or_default().1.as_bytes())))
}

/// Whether all of it is older than the clock can mistake.
fn settled(answer: &str) -> bool {
    let mut lines = answer.lines();
    let Some(Ok(now)) = lines.next().map(str::parse::<i64>) else { return false };
    let lines: Vec<&str> = lines.collect();
    let old = |line: &&str| {
        let changed = line.split(' ').next().map(str::parse::<i64>);
        *line == "none" || matches!(changed, Some(Ok(changed)) if changed < now - FRESH_SECONDS)
    };
    lines.len() == 6 && lines.iter().step_by(2).all(old)
}

struct Copied {
    by: String,
    content: Content,
    /// The tables, each with what is said of it.
    tables: BTreeMap<String, String>,
}

type Arrived = Result<(Writer, Result<Copied, String>)>;

/// Reads the copy to its end; a raw one may hold anything. The outer error is the store's, the inner one the copy's.
fn read(stdout: Reader, mut writer: Writer, is_raw: bool, progress: &dyn Progress) -> Arrived {
    let mut input = SyncIoBridge::new(stdout);
    let head = line(&mut input).and_then(|by| {
        let size = line(&mut input)?.trim().parse::<u64>().map_err(|_| "its size is no number".to_owned())?;
        match size <= MAX_FILE_BYTES {
            true => Ok((clean_line(&by, 100), size)),
            false => Err(format!("it is larger than {MAX_FILE_BYTES} bytes")),
        }
    });
    let (by, size) = match head {
        Ok(head) => head,
        Err(detail) => return Ok((writer, Err(detail))),
    };
    let aside = match tempfile::tempfile() {
        Ok(aside) => aside,
        Err(error) => return Ok((writer, Err(format!("this machine's temporary folder can't be written: {error}")))),
    };
    let mut aside = BufWriter::with_capacity(BUFFER_BYTES, aside);
    let mut content = writer.content();
    let (mut buffer, mut done) = (vec![0; BUFFER_BYTES], 0);
    while done < size {
        let most = usize::try_from(size - done).unwrap_or(usize::MAX).min(BUFFER_BYTES);
        let mut filled = 0;
        // The beginning is needed as one piece.
        while filled < most {
            match input.read(&mut buffer[filled..most]) {
                Ok(0) => return Ok((writer, Err("the copy is cut off".into()))),
                Ok(read) => filled += read,
                Err(error) => return Ok((writer, Err(error.to_string()))),
            }
        }
        let bytes = &mut buffer[..filled];
        if done == 0 && !is_raw {
            if !bytes.starts_with(MAGIC) || bytes.len() < 100 {
                return Ok((writer, Err("it is not a file of SQLite".into())));
            }
            plain(bytes);
        }
        content.take(&mut writer, bytes)?;
        if let Err(error) = aside.write_all(bytes) {
            return Ok((writer, Err(format!("this machine's temporary folder can't be written: {error}"))));
        }
        done += filled as u64;
        progress.at(Phase::Dumping, 0, 1, done);
    }
    if !matches!(input.read(&mut [0]), Ok(0)) {
        return Ok((writer, Err("something follows the copy".into())));
    }
    let content = content.finish(&mut writer)?;
    if is_raw {
        return Ok((writer, Ok(Copied { by, content, tables: BTreeMap::new() })));
    }
    let tables = aside.into_inner().map_err(|error| error.to_string()).and_then(tables);
    Ok((writer, tables.map(|tables| Copied { by, content, tables })))
}

/// Without what says how often, by what and in which mode of its journal the file was written: every restore
/// changes that, and leaves the mode as it is.
fn plain(header: &mut [u8]) {
    const ONE: [u8; 4] = [0, 0, 0, 1];
    // The mode; the count of changes; that of the definitions; the count again; the version of the program.
    let parts: [(usize, &[u8]); 5] =
        [(18, &[1, 1]), (24, &ONE), (40, &ONE), (92, &ONE), (96, &3_008_000_u32.to_be_bytes())];
    for (at, bytes) in parts {
        if let Some(place) = header.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

fn tables(file: File) -> Result<BTreeMap<String, String>, String> {
    pages::tables(file).or_else(|detail| {
        tracing::warn!(%detail, "the tables of a SQLite file can't be told apart; it is compared as a whole");
        Ok(BTreeMap::new())
    })
}

fn line(input: &mut impl Read) -> Result<String, String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.len() < MAX_LINE_BYTES {
        match input.read(&mut byte) {
            Ok(1) if byte[0] == b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
            Ok(1) => line.push(byte[0]),
            Ok(_) => return Err("the copy is cut off".into()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Err("what stands before the copy is too long".into())
}

#[cfg(test)]
mod tests {
    use super::settled;

    #[test]
    fn what_changed_a_moment_ago_is_not_settled() {
        let said = |file: i64, log: &str| format!("100\n{file} 7 4096 97 x y\n53\n{log}\n\nnone\n\n");
        assert!(settled(&said(97, "none")) && settled(&said(97, "90 8 32 90 x y")));
        assert!(!settled(&said(98, "none")) && !settled(&said(97, "99 8 32 90 x y")));
        assert!(!settled("") && !settled("100\nnone\n") && !settled("x\nnone\n\nnone\n\nnone\n\n"));
    }
}
