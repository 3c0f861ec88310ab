//! The files in which visitors' rows are kept: SQL for a server, JSON for people and programs.
//!
//! May use: `model`, and its siblings. Invariants: nobody but the account that runs this may read them; a file is
//! never written over; all of it is synced before anything is overwritten on a site; each row is one line.

use super::super::database::{Row, SESSION};
use super::super::item::{JsonBytes, ObjectName};
use super::found::Rows;
use serde_json::{Value as Json, json};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The most bytes of one restore's files.
const MAX_BYTES: u64 = 8 << 30;
/// How many names are tried for a folder.
const MAX_FOLDERS: usize = 1000;
/// How many rows with another content are kept of one table; all of them are in the snapshot.
pub(super) const MAX_CHANGED: u64 = 100_000;

/// One restore's files.
pub(super) struct Evidence {
    wanted: PathBuf,
    folder: Option<PathBuf>,
    bytes: u64,
    tables: usize,
}

/// One table's files.
pub(super) struct Pages {
    /// The rows that are put back.
    pub(super) sql: PathBuf,
    new: BufWriter<File>,
    changed: Option<BufWriter<File>>,
    json: BufWriter<File>,
    stem: PathBuf,
    insert: Vec<u8>,
    columns: Vec<String>,
    rows: u64,
    kept_changed: u64,
}

/// What a row in the evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    New,
    Changed,
    Older,
}

impl Evidence {
    /// Files that will lie in this folder, or one that is named like it.
    pub(super) fn new(wanted: &Path) -> Self {
        Self { wanted: wanted.to_owned(), folder: None, bytes: 0, tables: 0 }
    }

    /// The folder, if there was something to keep.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Where it lies, or will.
    pub(super) fn shown(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| self.wanted.clone())
    }

    /// Whether more may be kept.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < MAX_BYTES
    }

    /// Makes the folder; what is there already belongs to another restore.
    fn make(&mut self) -> io::Result<PathBuf> {
        if let Some(folder) = &self.folder {
            return Ok(folder.clone());
        }
        if let Some(above) = self.wanted.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(above)?;
        }
        let name = self.wanted.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for number in 1..=MAX_FOLDERS {
            let folder =
                if number == 1 { self.wanted.clone() } else { self.wanted.with_file_name(format!("{name}-{number}")) };
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    self.folder = Some(folder.clone());
                    return Ok(folder);
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Begins the files of a table: of these columns, for rows since this snapshot.
    pub(super) fn table(&mut self, table: &ObjectName, columns: &[String], since: &str) -> io::Result<Pages> {
        let folder = self.make()?;
        self.tables += 1;
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
        let stem = folder.join(format!("{:03}-{}", self.tables, table.name().chars().map(safe).collect::<String>()));
        let sql = named(&stem, ".sql");
        let mut new = begin(&sql)?;
        write!(
            new,
            "-- Rows of {table} that came into being after snapshot {since}, one on each line.\n\
             -- For a client with --binary-mode; the server keeps its keys.\n{SESSION}"
        )?;
        let mut json = begin(&named(&stem, ".json"))?;
        write!(json, "{{\"table\":{},\"since\":{},\"rows\":[", Json::from(table.name()), Json::from(since))?;
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        let list: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        let insert = format!("INSERT INTO {} ({}) VALUES (", quoted(table.name()), list.join(","));
        Ok(Pages {
            sql,
            new,
            changed: None,
            json,
            stem,
            insert: insert.into_bytes(),
            columns: columns.to_vec(),
            rows: 0,
            kept_changed: 0,
        })
    }

    /// Ends the files of a table.
    pub(super) fn end(&mut self, mut pages: Pages) -> io::Result<()> {
        pages.json.write_all(b"\n]}\n")?;
        for file in [Some(pages.new), pages.changed, Some(pages.json)].into_iter().flatten() {
            file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        }
        Ok(())
    }

    /// Makes sure that the names of all files are on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        let folders = self.folder.iter().flat_map(|folder| folder.ancestors().take(3));
        folders.into_iter().try_for_each(|folder| File::open(folder)?.sync_all())
    }

    /// Writes a row; `at`: where the columns stand in it.
    pub(super) fn row(&mut self, pages: &mut Pages, row: &Row<'_>, at: &[usize], is: Is) -> io::Result<()> {
        if is == Is::Changed {
            pages.kept_changed += 1;
            if pages.kept_changed > MAX_CHANGED {
                return Ok(());
            }
        }
        let literals = at.iter().map(|column| row.value(*column).map_or(&b"NULL"[..], |value| row.literal(value)));
        let literals: Vec<&[u8]> = literals.collect();
        let line = [&pages.insert[..], &literals.join(&b','), b");\n"].concat();
        let word = match is {
            Is::New => "new",
            Is::Changed => "changed",
            Is::Older => "older",
        };
        let values = pages.columns.iter().cloned().zip(literals.iter().map(|literal| meaning(literal)));
        let text = json!({ "is": word, "row": values.collect::<serde_json::Map<_, _>>() }).to_string();
        self.bytes += (line.len() + text.len()) as u64;
        if is == Is::New {
            pages.new.write_all(&line)?;
        } else {
            let file = named(&pages.stem, ".not-put-back.sql");
            let changed = match &mut pages.changed {
                Some(changed) => changed,
                none => none.insert(begin(&file)?),
            };
            changed.write_all(&line)?;
        }
        pages.json.write_all(if pages.rows == 0 { b"\n" } else { b",\n" })?;
        pages.rows += 1;
        pages.json.write_all(text.as_bytes())
    }

    /// Writes what became of the rows, and what the server said of those that it refused: table, the row's place
    /// among its file's rows, counted from 1, number and words.
    pub(super) fn result(folder: &Path, rows: &Rows, refused: &[(String, u64, u32, String)]) -> io::Result<()> {
        let refused = refused
            .iter()
            .map(|(table, row, code, said)| json!({ "table": table, "row": row, "code": code, "said": said }));
        let text = json!({ "rows": rows, "refused": refused.collect::<Vec<_>>() }).to_string();
        let mut file = begin(&folder.join("result.json"))?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

fn named(stem: &Path, end: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn begin(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?))
}

/// A literal as JSON: exact, whatever it is.
fn meaning(literal: &[u8]) -> Json {
    let bytes = |bytes: &[u8]| serde_json::to_value(JsonBytes::new(bytes)).unwrap_or(Json::Null);
    if literal == b"NULL" {
        return Json::Null;
    }
    if let Some(hex) = literal.strip_prefix(b"0x") {
        return json!({ "hex": String::from_utf8_lossy(hex) });
    }
    if let Some(open) = literal.iter().position(|byte| *byte == b'\'') {
        return bytes(&unescaped(&literal[open + 1..literal.len().saturating_sub(1).max(open + 1)]));
    }
    let text = String::from_utf8_lossy(literal);
    // More digits than these are not safe with every reader of JSON.
    let whole = text.len() <= 15 && text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
    if whole { text.parse::<i64>().map_or(Json::Null, Json::from) } else { Json::from(text.as_ref()) }
}

/// What stands in quotes, as it is meant.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'0') => 0,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'b') => 8,
                Some(b'Z') => 26,
                Some(other) => other,
                None => b'\\',
            },
            b'\'' => {
                let _ = bytes.next_if_eq(&b'\'');
                b'\''
            }
            other => other,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_keep_their_meaning() {
        for (literal, wanted) in [
            ("NULL", json!(null)),
            ("'NULL'", json!("NULL")),
            ("-12", json!(-12)),
            ("007", json!("007")),
            ("18446744073709551615", json!("18446744073709551615")),
            ("1.50", json!("1.50")),
            ("0x00FF", json!({"hex": "00FF"})),
            ("'it\\'s\\n''😀\\0'", json!("it's\n'😀\0")),
            ("_binary 'a'", json!("a")),
            ("''", json!("")),
            ("'", json!("")),
        ] {
            assert_eq!(meaning(literal.as_bytes()), wanted, "{literal}");
        }
        assert_eq!(meaning(b"'\xff'"), json!({"base64": "/w=="}));
    }

    #[test]
    fn folders_are_private_and_never_shared() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let wanted = state.path().join("evidence/run/1.1");
        let table = ObjectName::new(super::super::super::item::ObjectKind::Table, "a/../b c").unwrap();
        let mut folders = Vec::new();
        for _ in 0..2 {
            let mut evidence = Evidence::new(&wanted);
            assert!(evidence.folder().is_none());
            let pages = evidence.table(&table, &["id".into()], "x").unwrap();
            let file = pages.sql.clone();
            evidence.end(pages).unwrap();
            evidence.sync().unwrap();
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let folder = evidence.folder().unwrap().to_owned();
            assert_eq!((mode(&folder), mode(&file), mode(folder.parent().unwrap())), (0o700, 0o600, 0o700));
            assert_eq!(file, folder.join("001-a____b_c.sql"));
            folders.push(folder);
        }
        assert_ne!(folders[0], folders[1]);
    }
}
