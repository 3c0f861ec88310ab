//! What there is to dump: programs, server, tables.
//!
//! May use: `remote`, and its siblings. Invariant: a name that could smuggle statements into a
//! dump is refused here.

use super::super::super::Source;
use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{ObjectKind, ObjectName};
use super::super::super::manifest::DatabaseFacts;
use super::{ASK, DatabaseAccess, failure, script, values};
use crate::model::clean_line;
use crate::remote::{Command, RawInput};
use std::collections::BTreeMap;

/// Says which programs, which server, which tables there are, and whether events can be seen.
const PROBE: &str = script!(
    r#"ask() { printf '%s\n' "$o" | { exec 4<&0; exec "$m" --defaults-file=/dev/fd/4 --batch --skip-column-names --default-character-set=utf8mb4 -e "$2" "$1" </dev/null; }; }
"$d" --version | tr '\n' ' '; printf '\n'
ask "$1" 'SELECT VERSION(); SELECT @@max_allowed_packet' || exit 1
if ask "$1" 'SHOW EVENTS' >/dev/null 2>&1; then echo events; else echo no-events; fi
ask "$1" 'SHOW FULL TABLES' || exit 1"#
);
/// Names tables that can't be opened, in the form of `CHECK TABLE`: the server says why in place of a comment.
const UNOPENED: &str = "SELECT CONCAT(TABLE_SCHEMA,'.',TABLE_NAME),'open','error',TABLE_COMMENT FROM \
     information_schema.TABLES WHERE TABLE_SCHEMA=DATABASE() AND TABLE_TYPE='BASE TABLE' AND TABLE_ROWS IS NULL;\n";
const DOING: &str = "looking into";

/// What was found.
pub(super) struct Probed {
    pub(super) facts: DatabaseFacts,
    /// Whether the programs are MySQL's own.
    pub(super) mysql: bool,
    /// Everything that is selected from, views and sequences too.
    pub(super) names: Vec<String>,
    /// Those of them that are ordinary tables.
    pub(super) tables: Vec<String>,
    pub(super) events: bool,
    /// The longest statement that the server takes.
    pub(super) packet: u64,
}

/// Looks into the database.
pub(super) async fn probe(source: &Source, access: &DatabaseAccess) -> Result<Probed> {
    let host = source.shell.host();
    let command = Command::script(PROBE, values(access, [access.name.clone()]));
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    if !output.ok() {
        return Err(failure(host, access, DOING, &output));
    }
    let answer = std::str::from_utf8(&output.stdout).map_err(|_| "its answer is not UTF-8".to_owned());
    answer.and_then(|text| read(access, text)).map_err(|detail| SnapshotError::Database {
        host: host.to_owned(),
        name: access.name.clone(),
        doing: DOING,
        detail,
    })
}

/// Views that use what is gone, and tables that can't be opened, each with what the server says.
pub(super) async fn broken(
    source: &Source,
    access: &DatabaseAccess,
    probed: &Probed,
) -> Result<BTreeMap<ObjectName, String>> {
    let host = source.shell.host();
    let views = probed.names.iter().filter(|name| !probed.tables.contains(name));
    let checks = views.map(|view| format!("CHECK TABLE `{}`;\n", view.replace('`', "``")));
    let sql = checks.chain([UNOPENED.to_owned()]).collect::<String>();
    let command = Command::script(ASK, values(access, [access.name.clone()])).reading(RawInput::Bytes(sql.into()));
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    if !output.ok() {
        return Err(failure(host, access, DOING, &output));
    }
    let text = output.text();
    Ok(text.lines().filter_map(|line| read_broken(access, &probed.tables, line)).collect())
}

/// A line of the answer to `CHECK TABLE`, or of one that looks like it: what, operation, kind of
/// message, message.
fn read_broken(access: &DatabaseAccess, tables: &[String], line: &str) -> Option<(ObjectName, String)> {
    let mut fields = line.splitn(4, '\t');
    let name = fields.next()?.strip_prefix(&access.name)?.strip_prefix('.')?;
    let is_error = fields.nth(1)?.eq_ignore_ascii_case("error");
    let kind = if tables.iter().any(|table| table == name) { ObjectKind::Table } else { ObjectKind::View };
    Some((ObjectName::new(kind, name).ok()?, clean_line(fields.next()?, 300))).filter(|_| is_error)
}

fn read(access: &DatabaseAccess, text: &str) -> Result<Probed, String> {
    let mut lines = text.lines();
    let mut next = || lines.next().ok_or("its answer is cut off");
    let dumped_by = clean_line(next()?, 200);
    let server = clean_line(next()?, 100);
    let packet = next()?.parse().map_err(|_| "its max_allowed_packet is no number")?;
    let events = next()? == "events";
    let (mut names, mut tables) = (Vec::new(), Vec::new());
    for line in lines {
        let (name, sort) = line.split_once('\t').unwrap_or((line, ""));
        // The client escapes what would break the line; a name with such a character could
        // smuggle statements into a dump.
        if name.contains('\\') || ObjectName::new(ObjectKind::Table, name).is_err() {
            let shown = clean_line(name, 80);
            return Err(format!(
                "the table name {shown:?} holds characters that can't be dumped safely; rename the table"
            ));
        }
        names.push(name.to_owned());
        if sort == "BASE TABLE" {
            tables.push(name.to_owned());
        }
    }
    let mysql = !dumped_by.contains("MariaDB");
    let facts = DatabaseFacts {
        engine: "mysql".into(),
        name: access.name.clone(),
        server,
        skipped: Vec::new(),
        dumped_by,
        fingerprints: Default::default(),
        structure: Default::default(),
    };
    Ok(Probed { facts, mysql, names, tables, events, packet })
}
