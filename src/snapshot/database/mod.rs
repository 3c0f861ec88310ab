//! A site's database, whatever its engine: what is asked of one, and which engine does it.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: the credentials never leave the host and never
//! stand in an argument, an environment or a file (but see `site::Switch`); who asks does not know the engine, and an engine that can't
//! do what is asked says so before anything is changed.

/// The beginning of every script. `$1`: how many arguments the credentials command has; then
/// those; what remains stays in `$@`. What it printed is kept in the variable `o`, which is not exported, so it
/// never stands in an argument, an environment or a file; `printf` is part of the shell.
/// What a noisy interpreter prints before `[client]` is dropped.
macro_rules! credentials {
    () => {
        r#"LC_ALL=C; export LC_ALL; unset o
c=$1; shift
o=$(k=$(($# - c)); while [ "$c" -gt 0 ]; do set -- "$@" "$1"; shift; c=$((c - 1)); done
shift "$k"; exec "$@" </dev/null) || exit 97
o=$(printf '%s\n' "$o" | sed -n '/^\[client\]$/,$p'); [ -n "$o" ] || exit 97
shift "$c"
"#
    };
}

mod mysql;
mod postgresql;
mod sqlite;

pub use mysql::ScratchDatabase;
pub(super) use mysql::{
    Definition, Frame, Refused, Row, SESSION, Seen, Visitor, insert_rows, leaves_its_database, look_at,
    read_definition, read_table,
};

use super::error::{Result, SnapshotError};
use super::item::{ItemPath, ObjectKind, ObjectName};
use super::manifest::{Content, DatabaseFacts, Manifest};
use super::store::{BlobReader, Writer};
use super::{Progress, Source};
use crate::remote::Process;
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::Arc;

/// A sort of database server or file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// MariaDB or MySQL.
    #[default]
    Mysql,
    /// PostgreSQL.
    Postgresql,
    /// SQLite: a file.
    Sqlite,
}

impl Engine {
    /// All of them.
    const ALL: [Self; 3] = [Self::Mysql, Self::Postgresql, Self::Sqlite];

    /// As it stands in manifests.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
            Self::Sqlite => "sqlite",
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mysql => "MariaDB or MySQL",
            Self::Postgresql => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// Whether rows that visitors wrote are found in snapshots, and put back after a restore.
    pub fn keeps_rows(self) -> bool {
        self == Self::Mysql
    }

    /// Whether restores are rehearsed in a database beside the site's own.
    pub fn rehearses(self) -> bool {
        self == Self::Mysql
    }

    /// Whether a host dumps and puts back such a database by itself.
    pub fn heals(self) -> bool {
        self == Self::Mysql
    }

    /// Whether one object can be put back without the others.
    pub(super) fn restores_parts(self) -> bool {
        self != Self::Sqlite
    }

    /// The kind of objects whose contents an export has by themselves, and the file that holds them: they are
    /// no part of the database's own file in that form.
    pub(super) fn beside(self) -> (ObjectKind, &'static str) {
        match self {
            Self::Mysql | Self::Postgresql => (ObjectKind::View, "views.sql"),
            Self::Sqlite => (ObjectKind::Table, "tables.txt"),
        }
    }

    /// The file of an export that holds the database.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Mysql | Self::Postgresql => "database.sql",
            Self::Sqlite => "database.sqlite3",
        }
    }

    /// The one with whose objects a snapshot was taken; none where it is not known here.
    pub(super) fn of(facts: Option<&DatabaseFacts>) -> Option<Self> {
        let Some(facts) = facts else { return Some(Self::default()) };
        Self::ALL.into_iter().find(|engine| engine.word() == facts.engine)
    }
}

/// A dumped database.
pub(super) struct Dumped {
    pub(super) objects: BTreeMap<ObjectName, Content>,
    pub(super) facts: DatabaseFacts,
    /// Bytes that came from the host.
    pub(super) bytes: u64,
}

/// What an import does.
#[derive(Debug, Clone, Default)]
pub(super) struct Import {
    /// Objects that are dropped.
    pub(super) drop: Vec<ObjectName>,
    /// Objects that are made again, with their SQL.
    pub(super) make: Vec<(ObjectName, Content)>,
    /// Those of them of which only a part is sent.
    pub(super) parts: BTreeMap<ObjectName, Portion>,
    /// All objects that there shall be in the end.
    pub(super) all: Vec<(ObjectName, Content)>,
}

/// A part of an object's SQL, and what is sent before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Portion {
    pub(super) before: String,
    pub(super) bytes: Range<u64>,
}

impl Import {
    pub(super) fn is_empty(&self) -> bool {
        self.drop.is_empty() && self.make.is_empty()
    }
}

/// Dumps the site's part of its database into the store, where that is possible without what is as it was in
/// the previous snapshot. `tolerant`: what can't be dumped is no failure, if the engine can tell it from the rest;
/// its content is a remark, or a damaged file as it stands, which differs from whatever a good one has.
pub(super) async fn dump(
    source: &Source,
    access: &DatabaseAccess,
    writer: Writer,
    previous: Option<&Manifest>,
    tolerant: bool,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Dumped)> {
    match access.engine {
        Engine::Mysql => mysql::dump(source, access, writer, previous, tolerant, progress).await,
        Engine::Postgresql => postgresql::dump(source, access, writer, tolerant, progress).await,
        Engine::Sqlite => sqlite::dump(source, access, writer, previous, tolerant, progress).await,
    }
}

/// What the site's part of its database is made of, without any rows; none where the engine's dump does not tell
/// them apart. `hashing` stores nothing.
pub(super) async fn structure(
    source: &Source,
    access: &DatabaseAccess,
    hashing: Writer,
) -> Result<Option<DatabaseFacts>> {
    match access.engine {
        Engine::Mysql => mysql::structure(source, access, hashing).await.map(Some),
        Engine::Postgresql | Engine::Sqlite => Ok(None),
    }
}

/// What the dump program of MariaDB or MySQL is given so that it dumps the site's part of the database at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeDump {
    /// Its arguments; of a database that is shared with other software without the tables.
    pub arguments: Vec<String>,
    /// The tables that belong to the site, where the database is shared; else none.
    pub tables: Vec<String>,
}

/// How a site's database is dumped at once by a program on its host; none where there is nothing in it.
///
/// # Errors
/// Only MariaDB and MySQL can be asked.
pub async fn whole_dump(source: &Source, access: &DatabaseAccess) -> Result<Option<WholeDump>> {
    match access.engine {
        Engine::Mysql => mysql::whole_dump(source, access).await,
        Engine::Postgresql | Engine::Sqlite => {
            Err(SnapshotError::WholeOnly { site: source.site.clone(), engine: access.engine.name() })
        }
    }
}

/// Waits for a short time until the requests have ended that the site had let in before it showed its maintenance page:
/// what they write counts as what visitors wrote if it is there before the present is looked at. For engines with which such
/// rows are kept.
///
/// # Errors
/// The database does not answer.
pub async fn let_requests_end(source: &Source, access: &DatabaseAccess) -> Result<()> {
    match access.engine {
        Engine::Mysql => mysql::let_requests_end(source, access).await,
        Engine::Postgresql | Engine::Sqlite => Ok(()),
    }
}

/// Reads a dump that was made so and kept.
pub(super) async fn read_dump(
    source: &Source,
    access: &DatabaseAccess,
    kept: Process,
    writer: Writer,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Dumped)> {
    match access.engine {
        Engine::Mysql => mysql::read_dump(source, access, kept, writer, progress).await,
        Engine::Postgresql | Engine::Sqlite => {
            Err(SnapshotError::WholeOnly { site: source.site.clone(), engine: access.engine.name() })
        }
    }
}

/// Drops what is too much, and makes what differs; returns the bytes that were sent.
pub(super) async fn import(
    source: &Source,
    access: &DatabaseAccess,
    work: Import,
    blobs: BlobReader,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    match access.engine {
        Engine::Mysql => mysql::import(source, access, work, blobs, progress).await,
        Engine::Postgresql => postgresql::import(source, access, work, blobs, progress).await,
        Engine::Sqlite => sqlite::import(source, access, work, blobs, progress).await,
    }
}

/// Writes the SQL that makes these objects, for the engine's own client; or its file.
pub(super) fn write_sql(
    engine: Engine,
    out: impl Write,
    objects: &[(ObjectName, Content)],
    blobs: &mut BlobReader,
) -> Result<()> {
    match engine {
        Engine::Mysql => mysql::write_sql(out, objects, blobs),
        Engine::Postgresql => postgresql::write_sql(out, objects, blobs),
        Engine::Sqlite => sqlite::write_file(out, objects, blobs),
    }
}

/// Reads what [`write_sql`] wrote. `take` reads an object's own SQL; that of views is known.
/// Returns what is wrong where it is not what these objects make.
pub(super) fn read_sql(
    engine: Engine,
    input: &mut dyn Read,
    objects: &[(ObjectName, Content)],
    views: &HashMap<ObjectName, Vec<u8>>,
    take: &mut dyn FnMut(&ObjectName, &Content, &mut dyn Read) -> Result<()>,
) -> Result<Option<String>> {
    match engine {
        Engine::Mysql => mysql::read_sql(input, objects, views, take),
        Engine::Postgresql => postgresql::read_sql(input, objects, take),
        Engine::Sqlite => sqlite::read_file(input, objects, take),
    }
}

/// Chooses, out of all tables and views of a database, those that belong to the site.
pub type SelectTables = Arc<dyn Fn(&[String]) -> Vec<String> + Send + Sync>;

/// How to reach a site's database. No secret stands here.
#[derive(Clone)]
pub struct DatabaseAccess {
    /// Its sort.
    pub engine: Engine,
    /// A command on the host that prints how to log in, with `[client]` as its first line: an option file of
    /// the client for MariaDB and MySQL, a connection service for PostgreSQL (host, port, user, password …).
    /// Its output goes from process to process on the host and never leaves it. SQLite has none.
    pub credentials: Vec<String>,
    /// The database's name; with SQLite its file, as an absolute path.
    pub name: String,
    /// Which tables and views belong to the site; none: all.
    pub select: Option<SelectTables>,
    /// In which tables visitors write, so that a restore puts their rows back; none: in none.
    pub protect: Option<SelectTables>,
}

impl DatabaseAccess {
    /// Patterns of the database's own files below this root, as [`super::Source::exclude`] takes them: they are captured
    /// as a database, and never written as files.
    pub fn files_below(&self, root: &str) -> Vec<String> {
        let special = |c| matches!(c, '*' | '?' | '[' | ']' | '\\');
        let plain =
            |path: String| path.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect();
        self.own_files(root).map(plain).collect()
    }

    /// The same as paths.
    pub(super) fn paths_below(&self, root: &str) -> Vec<ItemPath> {
        self.own_files(root).filter_map(|path| ItemPath::new(path).ok()).collect()
    }

    fn own_files<'a>(&'a self, root: &str) -> impl Iterator<Item = String> + use<'a> {
        let path = self.file_below(root);
        path.into_iter().flat_map(|path| ["", "-wal", "-shm", "-journal"].map(|end| format!("{path}{end}")))
    }

    /// The folder below this root in which the database's own file lies, if it lies there.
    pub(super) fn folder_below(&self, root: &str) -> Option<ItemPath> {
        let path = self.file_below(root)?;
        ItemPath::new(path.rsplit_once('/').map_or("", |(folder, _)| folder)).ok()
    }

    fn file_below<'a>(&'a self, root: &str) -> Option<&'a str> {
        let rest = self.name.strip_prefix(root.trim_end_matches('/'))?.strip_prefix('/')?;
        (self.engine == Engine::Sqlite).then_some(rest)
    }
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
