//! PostgreSQL through its client programs on the host.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: the credentials go through a pipe into the client
//! library, as a connection service; a dump is one transaction, and complete only with its closing line, status 0
//! and nothing on standard error but warnings; a restore is one transaction: all of it or nothing.

mod definitions;
mod dump;
mod import;
mod lexer;
mod split;

pub(super) use dump::dump;
pub(super) use import::{import, read_sql, write_sql};

use super::super::error::SnapshotError;
use super::DatabaseAccess;
use crate::remote::Output;

/// The beginning of every script: after the credentials, `$1` is the database's name. `service` prints the
/// connection service; the first line for a setting counts, so the name is ours. The library reads it from the
/// pipe once, and the environment only says where.
macro_rules! script {
    ($rest:literal) => {
        concat!(
            credentials!(),
            r#"n=$1; shift
o=$(printf '%s\n' "$o" | sed 1d)
service() { printf '[client]\ndbname=%s\n%s\n' "$n" "$o"; }
command -v psql >/dev/null 2>&1 && command -v pg_dump >/dev/null 2>&1 || exit 95
PGSERVICE=client PGSERVICEFILE=/dev/fd/4 PGCLIENTENCODING=UTF8; export PGSERVICE PGSERVICEFILE PGCLIENTENCODING
"#,
            $rest
        )
    };
}
use script;

/// The objects that hold definitions.
const BEFORE: &str = "before";
const AFTER: &str = "after";

/// Values for a script: the credentials command and its arguments, the database, then these.
fn values(access: &DatabaseAccess, rest: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut values = vec![access.credentials.len().to_string()];
    values.extend(access.credentials.iter().cloned());
    values.push(access.name.clone());
    values.extend(rest);
    values
}

/// What a script's status means, where it is not 0.
fn failure(host: &str, access: &DatabaseAccess, doing: &'static str, output: &Output) -> SnapshotError {
    let detail = match output.status {
        97 => format!("the command that reads the site's own credentials failed: {}", output.tail()),
        95 => "the host has no psql or no pg_dump; install them (Debian: postgresql-client)".into(),
        status => {
            let said = output.tail();
            let advice = advice(&said).map_or_else(String::new, |advice| format!("; {advice}"));
            format!("status {status}: {said}{advice}")
        }
    };
    SnapshotError::Database { host: host.to_owned(), name: access.name.clone(), doing, detail }
}

/// What to do about an error of the server or its programs.
fn advice(said: &str) -> Option<&'static str> {
    const KNOWN: [(&[&str], &str); 7] = [
        (
            &["server version mismatch"],
            "install the client programs of the server's version, or newer ones (Debian: postgresql-client-<version>)",
        ),
        (
            &["must be owner", "permission denied", "must be member", "must be superuser"],
            "the site's database account lacks a privilege: make it the owner of all that is the site's",
        ),
        (
            &["lock timeout", "lock-wait-timeout"],
            "something holds a lock on the table: let it end (pg_stat_activity), then try again",
        ),
        (&["out of shared memory"], "let the server's administrator raise max_locks_per_transaction"),
        (&["No space left"], "make room on the database's disk"),
        (
            &["password authentication failed", "no password supplied"],
            "the site's own credentials do not fit: look at its configuration",
        ),
        (
            &["Connection refused", "could not connect", "server closed the connection", "the database system is"],
            "the database server went away: look at its log, then try again",
        ),
    ];
    KNOWN.iter().find(|(signs, _)| signs.iter().any(|sign| said.contains(sign))).map(|(_, advice)| *advice)
}

/// Whether a program said on standard error more than warnings.
fn complains(stderr: &[u8]) -> bool {
    const HARMLESS: [&str; 5] = ["warning:", "notice:", "detail:", "hint:", "info:"];
    let text = String::from_utf8_lossy(stderr);
    text.lines().filter(|line| !line.trim().is_empty()).any(|line| {
        let lower = line.trim_start_matches("pg_dump: ").trim_start_matches("psql: ").to_lowercase();
        !HARMLESS.iter().any(|word| lower.starts_with(word))
    })
}

#[cfg(test)]
mod tests {
    use super::complains;

    #[test]
    fn only_warnings_are_harmless() {
        let warns = b"WARNING:  database \"shop\" has a collation version mismatch\nDETAIL:  2.31\nHINT:  Rebuild it\n";
        assert!(!complains(warns) && !complains(b"pg_dump: warning: owner is gone\n\n"));
        assert!(complains(b"pg_dump: error: query failed\n") && complains(b"anything else\n"));
    }
}
