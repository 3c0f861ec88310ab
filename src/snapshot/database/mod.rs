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
mod rows;
mod scratch;
mod split;
mod tables;

pub(super) use definition::Definition;
pub(super) use dump::dump;
pub(super) use import::{Import, Portion, import, read_sql, write_sql};
pub(super) use insert::{Refused, SESSION, insert_rows};
pub(super) use literals::{Row, Visitor};
pub(super) use rows::{Frame, read_definition, read_table};
pub use scratch::ScratchDatabase;
pub(super) use scratch::leaves_its_database;
pub(super) use tables::{Seen, look_at};

use std::sync::Arc;

/// The beginning of every script. `$1`: how many arguments the credentials command has; then
/// those; what remains stays in `$@`. The option file is kept in a variable that is not exported,
/// so it never stands in an argument, an environment or a file; `printf` is part of the shell.
/// What a noisy interpreter prints before `[client]` is dropped.
macro_rules! script {
    ($rest:literal) => {
        concat!(
            r#"LC_ALL=C; export LC_ALL
c=$1; shift
o=$(k=$(($# - c)); while [ "$c" -gt 0 ]; do set -- "$@" "$1"; shift; c=$((c - 1)); done
shift "$k"; exec "$@" </dev/null) || exit 97
o=$(printf '%s\n' "$o" | sed -n '/^\[client\]$/,$p'); [ -n "$o" ] || exit 97
shift "$c"
first() { for p; do if command -v "$p" >/dev/null 2>&1; then printf '%s' "$p"; return 0; fi; done; return 1; }
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

use super::error::SnapshotError;
use crate::remote::Output;

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

/// Chooses, out of all tables and views of a database, those that belong to the site.
pub type SelectTables = Arc<dyn Fn(&[String]) -> Vec<String> + Send + Sync>;

/// How to reach a site's database. No secret stands here.
#[derive(Clone)]
pub struct DatabaseAccess {
    /// A command on the host that prints a client option file (`[client]`, user, password …).
    /// Its output goes from process to process on the host and never leaves it.
    pub credentials: Vec<String>,
    /// The database's name.
    pub name: String,
    /// Which tables and views belong to the site; none: all.
    pub select: Option<SelectTables>,
    /// In which tables visitors write, so that a restore puts their rows back; none: in none.
    pub protect: Option<SelectTables>,
}

/// The usual rule: tables that begin with a prefix, without those of other installations whose
/// prefix happens to begin like ours.
#[derive(Debug, Clone)]
pub struct TableRule {
    /// The site's own prefix: `wp_`.
    pub prefix: String,
    /// Names without prefix that every installation has: a longer prefix which has all of them
    /// is another installation.
    pub installation: Vec<String>,
    /// What may follow our prefix and still be ours: `^[0-9]+_`.
    pub ours: Option<regex::Regex>,
}

impl TableRule {
    /// The tables of `all` that belong to the site, in their order.
    pub fn select(&self, all: &[String]) -> Vec<String> {
        let mine = |name: &&String| name.starts_with(&self.prefix);
        let others = self.other_prefixes(all);
        all.iter().filter(mine).filter(|name| !others.iter().any(|other| name.starts_with(other))).cloned().collect()
    }

    /// Longer prefixes that begin like ours and have all tables of an installation.
    fn other_prefixes(&self, all: &[String]) -> Vec<String> {
        let Some(first) = self.installation.first() else {
            return Vec::new();
        };
        let candidates = all.iter().filter_map(|name| {
            let prefix = name.strip_suffix(first.as_str())?;
            let rest = prefix.strip_prefix(&self.prefix)?;
            let ours = rest.is_empty() || self.ours.as_ref().is_some_and(|ours| ours.is_match(rest));
            (!ours).then(|| prefix.to_owned())
        });
        let has_all = |prefix: &String| self.installation.iter().all(|table| all.contains(&format!("{prefix}{table}")));
        candidates.filter(has_all).collect()
    }

    /// A table's name without the prefix, as an installation and as a site of a network has it.
    pub fn without_prefix<'a>(&self, name: &'a str) -> Vec<&'a str> {
        let Some(rest) = name.strip_prefix(&self.prefix) else { return Vec::new() };
        let ours = self.ours.as_ref().and_then(|ours| ours.find(rest)).filter(|found| found.start() == 0);
        [Some(rest), ours.map(|found| &rest[found.end()..])].into_iter().flatten().collect()
    }
}

impl From<TableRule> for SelectTables {
    fn from(rule: TableRule) -> Self {
        Arc::new(move |all| rule.select(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_installation_with_a_longer_prefix_is_left_alone() {
        let all: Vec<String> = [
            "wp_options",
            "wp_posts",
            "wp_users",
            "wp_2_options",
            "wp_2_posts",
            "wp_shop_options",
            "wp_shop_posts",
            "wp_shop_users",
            "wp_shop_x",
            "wp_cart_options",
            "other_options",
        ]
        .map(String::from)
        .into();
        let rule = TableRule {
            prefix: "wp_".into(),
            installation: ["options", "posts", "users"].map(String::from).into(),
            ours: regex::Regex::new("^[0-9]+_").ok(),
        };
        assert_eq!(
            rule.select(&all),
            ["wp_options", "wp_posts", "wp_users", "wp_2_options", "wp_2_posts", "wp_cart_options"]
        );
    }
}
