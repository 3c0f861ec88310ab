//! Import: the stored copy goes to the host, is checked there, and becomes the live file's content by SQLite's backup.
//!
//! May use: `remote`, `store`, and its siblings. Invariants: nothing is changed before the whole copy is there and
//! sound; whoever has the database open sees the old content or the new one, never a part; owner, mode and the mode
//! of the journal stay; it is put back whole or not at all.

use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{ObjectKind, ObjectName};
use super::super::super::manifest::Content;
use super::super::super::store::BlobReader;
use super::super::super::{Phase, Progress, Source};
use super::super::{DatabaseAccess, Import};
use super::{MAGIC, failed, failure, script};
use crate::remote::{Command, RawInput, Writer as Pipe};
use std::io::{self, BufWriter, Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;

/// Reads the copy, of `$2` bytes. A file that is not there gets the owner and the mode of its folder, as far as the account
/// may give them.
const IMPORT: &str = script!(
    r#"cat >"$t/copy" || exit 90
[ "$(wc -c <"$t/copy")" -eq "$2" ] || exit 92
c=$(check "$t/copy"); [ -z "$c" ] || exit 92
[ -e "$1" ] || { d=$(dirname "$1"); m=$(stat -c %a "$d") && : >"$1" || exit 1
o=$(stat -c %u:%g "$d"); chown "$o" "$1" 2>/dev/null || chgrp "${o#*:}" "$1" 2>/dev/null
chmod "$(printf %o "$((0$m & 0664))")" "$1" || exit 1; }
case $w in
sqlite3) (cd "$t" && lite "$1" '.timeout 60000' '.restore main copy' >/dev/null) || exit 1;;
*) py 'copy, live = opened(sys.argv[1]), opened(sys.argv[2])
live.execute("PRAGMA busy_timeout=60000")
copy.backup(live, progress=waited)
live.close()' "$t/copy" "$1" || exit 1;; esac
c=$(check "$1"); [ -z "$c" ] || { printf '%s\n' "$c" >&2; exit 91; }"#
);
const DOING: &str = "writing";
const IMPORT_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
const BUFFER_BYTES: usize = 256 << 10;

type Object = (ObjectName, Content);

/// Imports; returns the bytes that were sent.
pub(in super::super) async fn import(
    source: &Source,
    access: &DatabaseAccess,
    work: Import,
    blobs: BlobReader,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    let host = source.shell.host();
    let Some((name, content)) = work.make.iter().find(|(name, _)| is_file(name)).cloned() else {
        let detail = "a database of SQLite is put back whole, and the snapshot has none; move the file aside by hand if it shall go";
        return Err(failed(host, access, DOING, detail));
    };
    let values = [access.name.clone(), content.size.to_string()];
    let command = Command::script(IMPORT, values).reading(RawInput::Pipe).within(IMPORT_TIMEOUT);
    let mut process = source.shell.start(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    let stdin: Pipe = process.stdin.take().unwrap_or_else(|| Box::pin(tokio::io::sink()));
    let listener = progress.clone();
    let sending = tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, SyncIoBridge::new(stdin));
        let sent = send(&mut out, &name, &content, blobs, &*listener);
        // Closing the pipe lets the host count; a copy that is cut off changes nothing.
        if let Ok(mut bridge) = out.into_inner() {
            let _ = bridge.shutdown();
        }
        sent
    });
    let sent = sending.await;
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    match sent.map_err(|_| SnapshotError::Worker { doing: DOING })? {
        Err(Failed::Store(error)) => Err(error),
        _ if !output.ok() => Err(failure(host, access, DOING, &output)),
        Err(Failed::Pipe(error)) => Err(failed(host, access, DOING, &error.to_string())),
        Ok(sent) => Ok(sent),
    }
}

enum Failed {
    Store(SnapshotError),
    Pipe(io::Error),
}

fn send(
    out: &mut impl Write,
    name: &ObjectName,
    content: &Content,
    mut blobs: BlobReader,
    progress: &dyn Progress,
) -> Result<u64, Failed> {
    let mut sent = 0;
    for chunk in &content.chunks {
        let bytes = blobs.read(chunk).map_err(Failed::Store)?;
        if sent == 0 && !bytes.starts_with(MAGIC) {
            let detail = "it is not a file of SQLite: the database could not be copied when the snapshot was taken";
            return Err(Failed::Store(SnapshotError::damaged(name.to_string(), detail)));
        }
        out.write_all(&bytes).map_err(Failed::Pipe)?;
        sent += bytes.len() as u64;
        progress.at(Phase::Importing, 0, 1, sent);
    }
    out.flush().map_err(Failed::Pipe)?;
    Ok(sent)
}

fn is_file(name: &ObjectName) -> bool {
    name.kind() == ObjectKind::DatabaseFile
}

/// Writes the file of these objects.
pub(in super::super) fn write_file(mut out: impl Write, objects: &[Object], blobs: &mut BlobReader) -> Result<()> {
    for (_, content) in objects.iter().filter(|(name, _)| is_file(name)) {
        for chunk in &content.chunks {
            let written = out.write_all(&blobs.read(chunk)?);
            written.map_err(|source| SnapshotError::Export { path: "database.sqlite3".into(), source })?;
        }
    }
    Ok(())
}

/// Reads what [`write_file`] wrote. Returns what is wrong where it is not the file of these objects.
pub(in super::super) fn read_file(
    input: &mut dyn Read,
    objects: &[Object],
    take: &mut dyn FnMut(&ObjectName, &Content, &mut dyn Read) -> Result<()>,
) -> Result<Option<String>> {
    for (name, content) in objects.iter().filter(|(name, _)| is_file(name)) {
        take(name, content, input)?;
    }
    let after = input.read(&mut [0]).map_or(true, |read| read > 0);
    Ok(after.then(|| "something follows its file".into()))
}
