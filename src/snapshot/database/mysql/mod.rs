//! MariaDB and MySQL through the client programs on the host.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: the credentials never leave the
//! host and never stand in an argument, an environment or a file; a dump is complete only with
//! its closing line, status 0 and nothing on standard error that says otherwise.

mod collect;
mod definition;
mod dump;
mod fingerprint;
mod import;
mod insert;
mod lexer;
mod literals;
mod probe;
mod requests;
mod rows;
mod scratch;
mod split;
mod structure;
mod tables;

pub(in super::super) use definition::Definition;
pub(super) use dump::{dump, read_dump, structure, whole_dump};
pub(super) use import::{import, read_sql, write_sql};
pub(in super::super) use insert::{Refused, SESSION, insert_rows};
pub(in super::super) use literals::{Row, Visitor};
pub(super) use requests::let_requests_end;
pub(in super::super) use rows::{Frame, read_definition, read_table};
pub use scratch::ScratchDatabase;
pub(in super::super) use scratch::leaves_its_database;
pub(in super::super) use tables::{Seen, look_at};

use super::super::error::SnapshotError;
use super::DatabaseAccess;
use crate::remote::Output;

/// The beginning of every script: after the credentials come the programs.
macro_rules! script {
    ($rest:literal) => {
        concat!(
            credentials!(),
            r#"first() { for p; do if command -v "$p" >/dev/null 2>&1; then printf '%s' "$p"; return 0; fi; done; return 1; }
m=$(first mariadb mysql) || exit 95
d=$(first mariadb-dump mysqldump) || exit 95
"#,
            $rest
        )
    };
}
use script;

/// Answers the SQL on its standard input.
const ASK: &str = script!(
    r#"{ printf '%s\n' "$o" | { exec 4<&0; exec "$m" --defaults-file=/dev/fd/4 --batch --skip-column-names --binary-mode --default-character-set=utf8mb4 "$1" <&3; }; } 3<&0"#
);

/// Values for a script: the credentials command and its arguments, then these.
fn values(access: &DatabaseAccess, rest: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut values = vec![access.credentials.len().to_string()];
    values.extend(access.credentials.iter().cloned());
    values.extend(rest);
    values
}

/// What a script's status means, where it is not 0.
fn failure(host: &str, access: &DatabaseAccess, doing: &'static str, output: &Output) -> SnapshotError {
    let detail = match output.status {
        97 => format!("the command that reads the site's own credentials failed: {}", output.tail()),
        95 => "the host has no mariadb or mysql client programs; install them (Debian: mariadb-client)".into(),
        status => {
            let said = output.tail();
            let advice = advice(&said).map_or_else(String::new, |advice| format!("; {advice}"));
            format!("status {status}: {said}{advice}")
        }
    };
    SnapshotError::Database { host: host.to_owned(), name: access.name.clone(), doing, detail }
}

/// What to do about an error of the server or its programs that is named by its number.
fn advice(said: &str) -> Option<&'static str> {
    const KNOWN: [(&[&str], &str); 8] = [
        (&["1356"], "repair or drop that view: something that it uses is gone, or its definer may not use it"),
        (&["1449"], "give the object another definer, or make that account again"),
        (
            &["126", "127", "130", "144", "145", "1194", "1195"],
            "the table is damaged: REPAIR TABLE, or put back a copy of it",
        ),
        (&["1205"], "something holds a lock on the table: let it end (SHOW PROCESSLIST), then try again"),
        (&["1153", "2020"], "let the server's administrator raise max_allowed_packet"),
        (&["1044", "1045", "1142", "1227", "1370"], "the site's database account lacks a privilege: grant it"),
        (&["1021", "1114"], "make room on the database's disk"),
        (&["2002", "2003", "2006", "2013"], "the database server went away: look at its log, then try again"),
    ];
    let named = |code: &&str| -> bool {
        [format!("({code})"), format!("rror {code}"), format!("rror: {code}"), format!("ERROR {code}")]
            .iter()
            .any(|text| said.contains(text.as_str()))
    };
    KNOWN.iter().find(|(codes, _)| codes.iter().any(named)).map(|(_, advice)| *advice)
}

/// The line of the SQL at which the client says that it stopped.
fn stopped_at(said: &str) -> Option<u64> {
    let rest = &said[said.find(") at line ")? + ") at line ".len()..];
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
