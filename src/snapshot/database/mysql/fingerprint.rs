//! Fingerprints of tables, computed by the server: what shows that a table needs no dump.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: a fingerprint covers the versions of
//! server and programs, all triggers of the database and the table's definition; then either the
//! time of the last commit that changed the table, with CHECKSUM TABLE, or where that time is not
//! known or too recent a digest of every value of every row.

use super::super::super::Source;
use super::super::super::error::{Result, SnapshotError};
use super::dump::{DOING, DUMP_TIMEOUT, OPTIONS};
use super::probe::Probed;
use super::{ASK, DatabaseAccess, failure, stopped_at, values};
use crate::model::Digest;
use crate::remote::{Command, RawInput};
use std::collections::BTreeMap;

/// As a dump has it; whoever waits for a locked table for longer than this gives up.
const PRELUDE: &str = "SET NAMES utf8mb4;SET SESSION time_zone='+00:00',sql_mode='',lock_wait_timeout=30,\
     group_concat_max_len=16777216;SHOW TRIGGERS;\n";
/// When the table was last changed. InnoDB knows it in whole seconds, since the server began and
/// as long as it keeps the table in mind; a later change in the same second would not show.
const STAMP: &str = "SELECT IFNULL(MAX(IF(ENGINE='InnoDB' AND CREATE_OPTIONS NOT LIKE '%partitioned%' AND \
     UPDATE_TIME<NOW()-INTERVAL 2 SECOND,CONCAT(CREATE_TIME,' ',UPDATE_TIME),NULL)),'') INTO @s FROM information_schema.TABLES";
/// Makes the question about a table's rows out of its columns. The text of a value and of its
/// length together can't be mistaken for two other values. What the server can't put together,
/// because it is too long, becomes a number of chance.
const ROWS: &str = "CONCAT('SELECT COUNT(*),SUM(IFNULL(CAST(CONV(LEFT(SHA1(CONCAT_WS('','',',\
     GROUP_CONCAT(CONCAT('IFNULL(LENGTH(',c,'),''N''),IFNULL(CAST(',c,' AS BINARY),'''')') ORDER BY o),\
     ')),16),16,10) AS UNSIGNED),CAST(1E18*RAND() AS UNSIGNED))) FROM ',";
/// A table's columns, quoted.
const COLUMNS: &str =
    "SELECT CONCAT('`',REPLACE(COLUMN_NAME,'`','``'),'`') c,ORDINAL_POSITION o FROM information_schema.COLUMNS";
/// The first word of the line before a table's answers, and of its time of change.
const MARK: &str = "@intendant-table";
const STAMPED: &str = "@intendant-stamp";

/// What a table was like at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Whether it goes by the time of the last change.
    stamped: bool,
    /// Without the rows.
    state: Digest,
    /// With the rows, if they were looked at.
    pub(super) whole: Digest,
}

impl Fingerprint {
    /// Whether nothing changed between this and a later [`Look::Again`].
    pub(super) fn held(&self, later: &Self) -> bool {
        self.stamped == later.stamped && self.state == later.state && (self.stamped || self.whole == later.whole)
    }
}

pub(super) type Fingerprints = BTreeMap<String, Fingerprint>;

/// How closely tables are looked at.
#[derive(Clone, Copy)]
pub(super) enum Look<'a> {
    /// At everything.
    First,
    /// Only whether they are still as they were a moment ago.
    Again(&'a Fingerprints),
}

/// The fingerprints of these tables, by name.
pub(super) async fn fingerprints(
    source: &Source,
    access: &DatabaseAccess,
    probed: &Probed,
    tables: &[String],
    look: Look<'_>,
) -> Result<Fingerprints> {
    let host = source.shell.host();
    let command = Command::script(ASK, values(access, [access.name.clone()]))
        .reading(RawInput::Bytes(questions(tables, look).into_bytes()))
        .within(DUMP_TIMEOUT);
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    if !output.ok() {
        // One line for each table, below the first.
        let at = stopped_at(&output.tail()).and_then(|line| tables.get(usize::try_from(line).ok()?.checked_sub(2)?));
        return Err(failure(host, access, DOING, &output).about(at.map(|table| format!("table:{table}"))));
    }
    let common = [&probed.facts.server, &probed.facts.dumped_by, &OPTIONS.join(" ")].map(String::as_str).join("\n");
    answers(&common, &output.stdout, tables).ok_or_else(|| SnapshotError::Database {
        host: host.to_owned(),
        name: access.name.clone(),
        doing: DOING,
        detail: "the client did not answer all that it was asked about the tables; try again".into(),
    })
}

fn questions(tables: &[String], look: Look<'_>) -> String {
    let mut sql = PRELUDE.to_owned();
    for (number, table) in tables.iter().enumerate() {
        let quoted = format!("`{}`", table.replace('`', "``"));
        // As numbers they need no quotes. The plain comparison finds it without opening all tables.
        let (name, shown) = (hex(table), format!("CONVERT(0x{} USING utf8mb4)", hex(&quoted)));
        let this = format!(
            "WHERE TABLE_SCHEMA=DATABASE() AND TABLE_NAME=CONVERT(0x{name} USING utf8mb4) AND CAST(TABLE_NAME AS BINARY)=0x{name}"
        );
        let (stamp, checksum) = match look {
            Look::First => (format!("{STAMP} {this}"), format!("CONCAT('CHECKSUM TABLE ',{shown})")),
            Look::Again(before) if before.get(table).is_some_and(|before| before.stamped) => {
                (format!("{STAMP} {this}"), "'DO 0'".to_owned())
            }
            Look::Again(_) => ("SET @s=''".to_owned(), "'DO 0'".to_owned()),
        };
        sql += &format!(
            "SELECT '{MARK}',{number};SHOW CREATE TABLE {quoted};{stamp};SELECT '{STAMPED}',@s;\
             SELECT IF(@s='',{ROWS}{shown}),{checksum}) INTO @q FROM ({COLUMNS} {this}) x;PREPARE s FROM @q;EXECUTE s;\n"
        );
    }
    sql + &format!("SELECT '{MARK}',{};\n", tables.len())
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// What stands between the marks, each with what all have in common.
fn answers(common: &str, output: &[u8], tables: &[String]) -> Option<Fingerprints> {
    let mut common = common.as_bytes().to_vec();
    let mut found = Fingerprints::new();
    let mut open: Option<Open<'_>> = None;
    let mut marks = (0..=tables.len()).map(|number| format!("{MARK}\t{number}")).peekable();
    for line in output.split_inclusive(|byte| *byte == b'\n') {
        if marks.peek().is_some_and(|mark| line.trim_ascii_end() == mark.as_bytes()) {
            marks.next();
            if let Some(open) = open.take() {
                found.insert(open.table.clone(), open.close()?);
            }
            let mut hasher = blake3::Hasher::new();
            hasher.update(&common);
            open = tables.get(found.len()).map(|table| Open { table, hasher, stamp: None });
        } else if let Some(open) = &mut open {
            open.hasher.update(line);
            if let Some(stamp) = line.strip_prefix(STAMPED.as_bytes()) {
                open.stamp = Some((!stamp.trim_ascii().is_empty(), open.hasher.finalize().into()));
            }
        } else {
            common.extend_from_slice(line);
        }
    }
    (marks.next().is_none() && found.len() == tables.len()).then_some(found)
}

struct Open<'a> {
    table: &'a String,
    hasher: blake3::Hasher,
    stamp: Option<(bool, Digest)>,
}

impl Open<'_> {
    fn close(self) -> Option<Fingerprint> {
        let (stamped, state) = self.stamp?;
        Some(Fingerprint { stamped, state, whole: self.hasher.finalize().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_belong_to_the_table_that_was_asked_about() {
        let tables = ["a", "b"].map(String::from);
        let read = |text: &str| answers("v1", text.as_bytes(), &tables);
        let whole = "trigger\n@intendant-table\t0\nA\n@intendant-stamp\t\n1\t2\n\
             @intendant-table\t1\nA\n@intendant-stamp\tthen\n1\t2\n@intendant-table\t2\n";
        let found = read(whole).unwrap();
        assert!(!found["a"].stamped && found["b"].stamped);
        let rows = read(&whole.replace("1\t2\n", "1\t3\n")).unwrap();
        assert!(rows["a"].whole != found["a"].whole && rows["b"].whole != found["b"].whole);
        // A moment later the time of the last change tells, where it is known.
        assert!(!found["a"].held(&rows["a"]) && found["b"].held(&rows["b"]));
        let later = read(&whole.replace("then", "now")).unwrap();
        assert!(found["a"].held(&later["a"]) && !found["b"].held(&later["b"]));
        let triggers = read(&whole.replace("trigger", "trigger2")).unwrap();
        assert!(!found["a"].held(&triggers["a"]) && !found["b"].held(&triggers["b"]));
        for cut in 0..whole.len() - 1 {
            assert!(read(&whole[..cut]).is_none(), "cut at {cut}");
        }
    }
}
