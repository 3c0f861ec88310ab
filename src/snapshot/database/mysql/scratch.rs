//! A database that a rehearsal fills and then empties: one that it makes itself, or one that the plan
//! names and that is empty.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: this is the only place where a database
//! or what is in it is dropped without a restore; it is never the site's own, whatever case its name
//! is written in; one that is dropped has a name of our pattern; one that is only emptied was empty before,
//! and holds the mark of the rehearsal that filled it.

use super::super::super::Source;
use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{ObjectKind, ObjectName};
use super::super::super::manifest::Content;
use super::super::super::store::BlobReader;
use super::import::drop_statement;
use super::split::{Part, Sink, Splitter};
use super::{ASK, DatabaseAccess, failure, values};
use crate::model::{RunId, clean_line};
use crate::remote::{Command, Output, RawInput};
use std::time::Duration;

/// What stands in the name of a database of ours, before its random digits.
const SIGN: &str = "_rehearsal_";
const DIGITS: usize = 16;
/// The longest name of a database, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// A database that everybody may enter, to ask from.
const NOWHERE: &str = "information_schema";
/// The table that marks a database which a rehearsal found empty; its comment says which rehearsal.
const MARK: &str = "intendant_rehearsal";
const DOING: &str = "making room for a rehearsal in";
const DROP_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A database that is not the site's own, and that a rehearsal may fill and empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScratchDatabase {
    name: String,
    live: String,
    made: bool,
    /// The rehearsal.
    run: RunId,
}

impl ScratchDatabase {
    /// One that has yet to be made, beside the site's own. It begins like that one, because hosts
    /// let accounts make databases whose names begin with the account's.
    pub fn new(live: &str, run: RunId) -> Self {
        let mut stem = live.to_owned();
        while stem.len() + SIGN.len() + DIGITS > MAX_NAME_BYTES {
            stem.pop();
        }
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self { name: format!("{stem}{SIGN}{}", &random[..DIGITS]), live: live.to_owned(), made: true, run }
    }

    /// One that the plan names; none when it is the site's own.
    pub fn named(live: &str, name: &str, run: RunId) -> Option<Self> {
        let scratch = Self { name: name.to_owned(), live: live.to_owned(), made: false, run };
        scratch.is_safe().then_some(scratch)
    }

    /// One that an earlier rehearsal wrote down before it used it. None when it can't be one of those.
    pub fn recorded(live: &str, name: &str, made: bool, run: RunId) -> Option<Self> {
        let scratch = Self { name: name.to_owned(), live: live.to_owned(), made, run };
        scratch.is_safe().then_some(scratch)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is made, and dropped, by the rehearsal; else it is only emptied.
    pub fn is_made(&self) -> bool {
        self.made
    }

    /// The same server and account, this database, everything in it.
    pub fn access(&self, live: &DatabaseAccess) -> DatabaseAccess {
        DatabaseAccess { name: self.name.clone(), select: None, protect: None, ..live.clone() }
    }

    /// What is in it and is no part of what is restored.
    pub(in super::super::super) fn mark(&self) -> Option<ObjectName> {
        ObjectName::new(ObjectKind::Table, MARK).ok().filter(|_| !self.made)
    }

    /// The guard: nothing is dropped where this is false.
    fn is_safe(&self) -> bool {
        let name = self.name.as_str();
        let plain = !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control);
        let system = ["information_schema", "mysql", "performance_schema", "sys"];
        let other = name.to_lowercase() != self.live.to_lowercase() && !system.contains(&name.to_lowercase().as_str());
        plain && other && !name.starts_with('-') && (!self.made || is_our_pattern(name))
    }

    /// Makes it ready: makes it, or sees that it is empty. Inside the answer: why it can't be used.
    ///
    /// # Errors
    /// The connection.
    pub async fn make(&self, source: &Source, live: &DatabaseAccess) -> Result<std::result::Result<(), String>> {
        if !self.is_safe() {
            return Ok(Err(format!("{:?} can't be a database for rehearsals", clean_line(&self.name, 80))));
        }
        let Some(collation) = self.collation(source, live).await? else {
            return Ok(Err("the server does not say how the site's own database sorts its texts".into()));
        };
        if self.made {
            self.make_new(source, live, &collation).await
        } else {
            self.see_empty(source, live, &collation).await
        }
    }

    /// It is dropped once while it is empty: an account that may not do that leaves no content behind.
    async fn make_new(
        &self,
        source: &Source,
        live: &DatabaseAccess,
        collation: &str,
    ) -> Result<std::result::Result<(), String>> {
        let name = quoted(&self.name);
        let sql =
            format!("CREATE DATABASE {name} {collation}; DROP DATABASE {name}; CREATE DATABASE {name} {collation};\n");
        let output = ask(source, live, NOWHERE, sql).await?;
        if output.ok() {
            return Ok(Ok(()));
        }
        Ok(Err(format!(
            "the site's database account can't make and drop a database beside its own ({}); make an empty one that it may use, and name it in the plan under snapshots.rehearsal.database",
            clean_line(&output.tail(), 300)
        )))
    }

    async fn see_empty(
        &self,
        source: &Source,
        live: &DatabaseAccess,
        collation: &str,
    ) -> Result<std::result::Result<(), String>> {
        let name = &self.name;
        match self.objects(source, live).await? {
            Err(why) => return Ok(Err(why)),
            Ok(objects) if objects.is_empty() => {}
            Ok(objects) => {
                return Ok(Err(format!(
                    "the plan names the database {name:?} for rehearsals, and it is not empty: it holds {} and {} more; name one that nothing uses",
                    objects[0],
                    objects.len() - 1
                )));
            }
        }
        let sql = format!(
            "CREATE TABLE {MARK} (run CHAR(36)) COMMENT='{}'; ALTER DATABASE {} {collation};\n",
            self.run,
            quoted(name)
        );
        let output = ask(source, live, name, sql).await?;
        match output.ok() {
            true => Ok(Ok(())),
            false => Ok(Err(format!(
                "the site's database account can't work in the database {name:?} that the plan names for rehearsals ({}); grant it all privileges there",
                clean_line(&output.tail(), 300)
            ))),
        }
    }

    /// How the site's own database sorts texts; a copy that sorts otherwise would be dumped otherwise.
    async fn collation(&self, source: &Source, live: &DatabaseAccess) -> Result<Option<String>> {
        let sql = format!(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM SCHEMATA WHERE SCHEMA_NAME = {};\n",
            text(&self.live)
        );
        let output = ask(source, live, NOWHERE, sql).await?;
        if !output.ok() {
            return Err(failure(source.shell.host(), live, DOING, &output));
        }
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let said = output.text();
        let parts = said.split_once('\t').filter(|(set, collation)| word(set) && word(collation));
        Ok(parts.map(|(set, collation)| format!("CHARACTER SET {set} COLLATE {collation}")))
    }

    /// What is in it; inside the answer: why that can't be said.
    async fn objects(
        &self,
        source: &Source,
        live: &DatabaseAccess,
    ) -> Result<std::result::Result<Vec<ObjectName>, String>> {
        let name = text(&self.name);
        let sql = format!(
            "SELECT TABLE_TYPE, TABLE_NAME FROM TABLES WHERE TABLE_SCHEMA = {name};\n\
             SELECT ROUTINE_TYPE, ROUTINE_NAME FROM ROUTINES WHERE ROUTINE_SCHEMA = {name};\n\
             SELECT 'EVENT', EVENT_NAME FROM EVENTS WHERE EVENT_SCHEMA = {name};\n"
        );
        let output = ask(source, live, NOWHERE, sql).await?;
        if !output.ok() {
            return Err(failure(source.shell.host(), live, DOING, &output));
        }
        let text = output.text();
        let read = |line: &str| {
            let (kind, name) = line.split_once('\t')?;
            let kind = match kind {
                "VIEW" | "SYSTEM VIEW" => ObjectKind::View,
                "SEQUENCE" => ObjectKind::Sequence,
                "FUNCTION" => ObjectKind::Function,
                "PROCEDURE" => ObjectKind::Procedure,
                "PACKAGE" => ObjectKind::Package,
                "PACKAGE BODY" => ObjectKind::PackageBody,
                "EVENT" => ObjectKind::Event,
                _ => ObjectKind::Table,
            };
            // The client escapes what would break the line.
            ObjectName::new(kind, name).ok().filter(|_| !name.contains('\\'))
        };
        let objects: Option<Vec<ObjectName>> = text.lines().filter(|line| !line.is_empty()).map(read).collect();
        Ok(objects.ok_or_else(|| format!("the database {:?} holds something whose name can't be read", self.name)))
    }

    /// Drops it, or what is in it. Done twice it is the same.
    ///
    /// # Errors
    /// The server refuses, or the connection; it is then still there, and the next rehearsal tries again.
    pub async fn clear(&self, source: &Source, live: &DatabaseAccess) -> Result<()> {
        let refused = |detail: String| SnapshotError::Database {
            host: source.shell.host().to_owned(),
            name: self.name.clone(),
            doing: "removing what a rehearsal made in",
            detail,
        };
        if !self.is_safe() || live.name.to_lowercase() == self.name.to_lowercase() {
            return Err(refused("it is not a database of a rehearsal; nothing was dropped".into()));
        }
        let sql = match self.made {
            true if !self.is_there(source, live).await? => return Ok(()),
            true => format!("DROP DATABASE {};\n", quoted(&self.name)),
            false if !self.is_marked(source, live).await? => return Ok(()),
            false => {
                let mut objects = self.objects(source, live).await?.map_err(refused)?;
                // The mark goes last.
                objects.sort_by_key(|object| (object.name() == MARK, std::cmp::Reverse(object.kind())));
                let drops: String = objects.iter().map(drop_statement).collect();
                format!("SET FOREIGN_KEY_CHECKS=0;\n{drops}")
            }
        };
        let database = if self.made { NOWHERE } else { self.name.as_str() };
        let output = ask(source, live, database, sql).await?;
        if output.ok() { Ok(()) } else { Err(refused(output.tail())) }
    }

    async fn is_there(&self, source: &Source, live: &DatabaseAccess) -> Result<bool> {
        let sql = format!("SELECT COUNT(*) FROM SCHEMATA WHERE SCHEMA_NAME = {};\n", text(&self.name));
        self.yes(source, live, sql).await
    }

    async fn is_marked(&self, source: &Source, live: &DatabaseAccess) -> Result<bool> {
        let sql = format!(
            "SELECT COUNT(*) FROM TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = '{MARK}' AND TABLE_COMMENT = '{}';\n",
            text(&self.name),
            self.run
        );
        self.yes(source, live, sql).await
    }

    /// Whether a count is more than nothing.
    async fn yes(&self, source: &Source, live: &DatabaseAccess, sql: String) -> Result<bool> {
        let output = ask(source, live, NOWHERE, sql).await?;
        if !output.ok() {
            return Err(failure(source.shell.host(), live, DOING, &output));
        }
        Ok(output.text() != "0")
    }
}

fn is_our_pattern(name: &str) -> bool {
    let hex = |text: &str| text.len() == DIGITS && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    name.rsplit_once(SIGN).is_some_and(|(_, digits)| hex(digits))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as SQL, whatever is in it.
fn text(value: &str) -> String {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("CONVERT(X'{hex}' USING utf8mb4)")
}

async fn ask(source: &Source, live: &DatabaseAccess, database: &str, sql: String) -> Result<Output> {
    let host = source.shell.host();
    let command = Command::script(ASK, values(live, [database.to_owned()]))
        .reading(RawInput::Bytes(sql.into()))
        .within(DROP_TIMEOUT);
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    match output.status {
        95 | 97 => Err(failure(host, live, DOING, &output)),
        _ => Ok(output),
    }
}

/// The statement of an object's SQL that could reach beyond the database it is sent to, where there is one:
/// it is about a whole database, or names the database that something is made in. Dump programs write the
/// first around what was made under another collation, and a trigger as its author wrote it.
pub(in super::super::super) fn leaves_its_database(
    content: &Content,
    blobs: &mut BlobReader,
) -> Result<Option<String>> {
    let Ok(mut splitter) = Splitter::new(Statements::default()) else { return Ok(None) };
    let mut odd = None;
    blobs.each(content, |bytes| {
        if odd.is_none() {
            odd = splitter.feed(&bytes).err();
        }
        Ok(())
    })?;
    Ok(splitter.into_sink().found().or(odd))
}

/// The first statement that could reach beyond its database.
#[derive(Default)]
struct Statements {
    /// The beginning of a statement that may be one.
    open: Option<Vec<u8>>,
    found: Option<String>,
}

impl Statements {
    /// So much of a statement says what it is about.
    const MOST_BYTES: usize = 4096;

    fn judge(&mut self) {
        let Some(open) = self.open.take() else { return };
        let text = String::from_utf8_lossy(&open);
        if self.found.is_none() && reaches_beyond(&text) {
            self.found = Some(clean_line(&text, 120));
        }
    }

    fn found(mut self) -> Option<String> {
        self.judge();
        self.found
    }
}

impl Sink for Statements {
    fn begin(&mut self, _: Part) -> Result<(), String> {
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        if let Some(open) = &mut self.open {
            let room = Self::MOST_BYTES.saturating_sub(open.len()).min(bytes.len());
            open.extend_from_slice(&bytes[..room]);
        }
        Ok(())
    }

    fn statement(&mut self, line: &str) -> Result<(), String> {
        self.judge();
        let first = tokens(line).first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
        self.open = matches!(first.as_str(), "USE" | "CREATE" | "ALTER" | "DROP").then(Vec::new);
        Ok(())
    }
}

/// What is made, where a statement makes something.
const KINDS: [&str; 9] = ["TRIGGER", "TABLE", "VIEW", "FUNCTION", "PROCEDURE", "PACKAGE", "BODY", "SEQUENCE", "EVENT"];

fn reaches_beyond(line: &str) -> bool {
    let tokens = tokens(line);
    let word = |at: usize| tokens.get(at).map(|token| token.to_ascii_uppercase()).unwrap_or_default();
    let next = |from: usize, wanted: &[&str]| (from..tokens.len()).find(|at| wanted.contains(&word(*at).as_str()));
    match word(0).as_str() {
        "USE" => return true,
        "CREATE" | "ALTER" | "DROP" => {}
        _ => return false,
    }
    let whole = (1..4).any(|at| matches!(word(at).as_str(), "DATABASE" | "SCHEMA"));
    let Some(kind) = next(1, &KINDS).filter(|_| !whole) else { return whole };
    let mut name = kind + 1;
    while matches!(word(name).as_str(), "BODY" | "IF" | "NOT" | "EXISTS") {
        name += 1;
    }
    // What can't be followed is not believed.
    let is_name = |at: usize| word(at).starts_with(|c: char| c == '`' || c.is_alphanumeric() || "_$".contains(c));
    let beyond = |name: usize| !is_name(name) || word(name + 1) == ".";
    if word(kind) != "TRIGGER" || word(0) != "CREATE" {
        return beyond(name);
    }
    // A trigger also names its table.
    beyond(name) || next(name + 1, &["ON"]).is_none_or(|on| beyond(on + 1))
}

/// The words, quoted names and signs with which a statement begins; marks of comments for some versions are none.
fn tokens(line: &str) -> Vec<&str> {
    const MOST: usize = 64;
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next().filter(|_| tokens.len() < MOST) {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let versions = ["/*M!", "/*!"].into_iter().find_map(|mark| rest.strip_prefix(mark));
        if let Some(after) = versions {
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
            continue;
        }
        if let Some(after) = rest.strip_prefix("*/") {
            rest = after.trim_start();
            continue;
        }
        let length = match first {
            '`' => rest[1..].find('`').map_or(rest.len(), |end| end + 2),
            _ if plain(first) => rest.find(|c: char| !plain(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_rehearsal_made_or_was_given_may_be_cleared() {
        let run = RunId::new(jiff::Timestamp::UNIX_EPOCH);
        let made = ScratchDatabase::new("shop", run);
        assert!(made.is_safe() && made.name().starts_with("shop_rehearsal_"), "{made:?}");
        assert_ne!(made, ScratchDatabase::new("shop", run));
        let long = ScratchDatabase::new(&"é".repeat(32), run);
        assert!(long.is_safe() && long.name().len() <= MAX_NAME_BYTES, "{long:?}");
        for name in ["shop", "SHOP", "", "-x", "mysql", "Information_Schema", "a\nb", &"x".repeat(65)] {
            assert!(ScratchDatabase::named("shop", name, run).is_none(), "{name:?} may be emptied");
            assert!(ScratchDatabase::recorded("shop", name, true, run).is_none(), "{name:?} may be dropped");
        }
        assert!(ScratchDatabase::named("shop", "shop_test", run).is_some());
        for name in
            ["shop_test", "shop_rehearsal_", "shop_rehearsal_0123456789abcdeg", "shop_rehearsal_0123456789abcdef0"]
        {
            assert!(ScratchDatabase::recorded("shop", name, true, run).is_none(), "{name:?} may be dropped");
        }
        // A site whose own database looks like one of ours.
        assert!(
            ScratchDatabase::recorded("a_rehearsal_0123456789abcdef", "A_rehearsal_0123456789abcdef", true, run)
                .is_none()
        );
    }

    const TRIGGER: &str = "/*!50003 CREATE*/ /*!50017 DEFINER=`u`@`h.x`*/ /*!50003 TRIGGER";

    fn about(sql: &str) -> Option<String> {
        let mut splitter = Splitter::new(Statements::default()).unwrap();
        splitter.feed(sql.as_bytes()).unwrap();
        splitter.into_sink().found()
    }

    #[test]
    fn sql_about_another_database_is_seen_and_rows_are_not_mistaken_for_it() {
        let table = "CREATE TABLE `t` (\n  `a` text\n);\nINSERT INTO `t` VALUES ('x\\\nALTER DATABASE `shop` x;\nUSE shop;\n');\n";
        assert_eq!(about(table), None);
        let trigger = format!("{table}ALTER DATABASE `shop` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;\n");
        assert_eq!(
            about(&trigger).as_deref(),
            Some("ALTER DATABASE `shop` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;")
        );
        assert!(about("USE `shop`;\n").is_some() && about("/*!40000 DROP DATABASE IF EXISTS `shop`*/;\n").is_some());
        let lines = format!(
            "DELIMITER ;;\n{} t1\nAFTER INSERT\nON shop.t\nFOR EACH ROW SET @a = 1 */;;\nDELIMITER ;\n",
            TRIGGER
        );
        assert!(about(&format!("{table}{lines}")).is_some());
        assert_eq!(about(&format!("{table}{}", lines.replace("shop.", ""))), None);
        let body = "DELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\nUSE_x;\nEND ;;\nDELIMITER ;\n";
        assert_eq!(about(body), None);
    }

    #[test]
    fn what_is_made_in_a_named_database_is_seen() {
        let trigger = TRIGGER;
        for (line, beyond) in [
            (format!("{trigger} shop.t1 AFTER INSERT ON t FOR EACH ROW SET @a = 1 */;;"), true),
            (format!("{trigger} `shop` . `t1` AFTER INSERT ON t FOR EACH ROW SET @a = 1 */;;"), true),
            (format!("{trigger} t1 AFTER INSERT ON shop.t FOR EACH ROW SET @a = 1 */;;"), true),
            (format!("{trigger} t1 AFTER INSERT"), true),
            (format!("{trigger} t1 AFTER INSERT ON"), true),
            (
                format!("{trigger} IF NOT EXISTS `a.b` before insert on `t.x` for each row set new.a = old.b */;;"),
                false,
            ),
            (format!("{trigger} t1 AFTER INSERT ON t"), false),
            (format!("{trigger} t1\nAFTER INSERT\nON t\nFOR EACH ROW SET @a = 1 */;;"), false),
            (format!("{trigger} t1\nAFTER INSERT\nON shop\n.t FOR EACH ROW SET @a = 1 */;;"), true),
            (format!("{trigger} /* x */ t1 AFTER INSERT ON t FOR EACH ROW SET @a = 1 */;;"), true),
            (format!("{trigger} \"shop\".t1 AFTER INSERT ON t FOR EACH ROW SET @a = 1 */;;"), true),
            ("CREATE DEFINER=`u`@`h.x` TRIGGER t1 AFTER INSERT ON t FOR EACH ROW SET @a = 1".into(), false),
            ("CREATE TABLE `t.x` (".into(), false),
            ("CREATE TABLE `shop`.`t` (".into(), true),
            ("CREATE DEFINER=`u`@`h.x` FUNCTION `f`(a int) RETURNS int".into(), false),
            ("/*!50003 DROP FUNCTION IF EXISTS shop.f */;".into(), true),
            ("/*!50001 VIEW `v` AS select `t`.`id` AS `id` from `t` */;".into(), false),
            ("/*!50001 CREATE VIEW `v` AS SELECT".into(), false),
            ("INSERT INTO `t` VALUES (1,'x.y');".into(), false),
        ] {
            assert_eq!(reaches_beyond(&line), beyond, "{line}");
        }
    }
}
