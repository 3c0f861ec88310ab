//! Visitors' rows: what came into being in protected tables after a snapshot, found in the states that a
//! restore is about to overwrite or that an earlier try has overwritten.
//!
//! May use: `model`, and its siblings. Invariants: nothing is changed on the site; every row that is found is in
//! the evidence, or is counted with the reason; a table that can't be looked at is named.

use super::super::database::{Definition, Frame, Row, SelectTables, Visitor, read_definition, read_table};
use super::super::error::{Result, SnapshotError};
use super::super::item::{Item, ObjectKind, ObjectName};
use super::super::manifest::{Content, Entry, Manifest};
use super::super::store::{BlobReader, SnapshotName};
use super::Only;
use super::compare::{Comparison, Short, Sum, Verdict, short};
use super::evidence::{Evidence, Is, Pages};
use super::found::{LeftReason, TableRows};
use super::goal::selected;
use crate::model::clean_line;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How visitors' rows are kept over a restore.
#[derive(Debug, Clone)]
pub struct KeepRows {
    /// The folder for the rows that are found.
    pub folder: PathBuf,
    /// Snapshots of states that earlier tries have overwritten, oldest first: a site that is half restored
    /// has lost rows that they hold.
    pub earlier: Vec<SnapshotName>,
    /// Whether the rows are put back; else they are only kept.
    pub put_back: bool,
}

/// What was found.
pub(super) struct Found {
    pub(super) tables: Vec<FoundTable>,
    pub(super) unread: Vec<String>,
    pub(super) evidence: Evidence,
}

impl Found {
    /// Nothing was found, because it could not be kept.
    pub(super) fn nothing(folder: &Path, why: &SnapshotError) -> Self {
        Self { tables: Vec::new(), unread: vec![clean_line(&why.to_string(), 300)], evidence: Evidence::new(folder) }
    }
}

/// What was found in one table.
pub(super) struct FoundTable {
    pub(super) object: ObjectName,
    /// The table in the snapshot, if it is there.
    pub(super) target: Option<Target>,
    pub(super) shape: Shape,
    /// The file with the new rows, and what each of them is known by.
    pub(super) sql: Option<PathBuf>,
    pub(super) marks: Vec<Mark>,
    /// The highest number that the server was about to hand out.
    pub(super) counter: u64,
    pub(super) rows: TableRows,
}

/// A row of the evidence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) key: Short,
    /// Of all that it is put back with.
    pub(super) content: Short,
    /// Of what is written alike in all states.
    pub(super) steady: Short,
}

/// A table of the snapshot.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) content: Content,
    pub(super) frame: Frame,
    /// Over all its rows.
    pub(super) sum: Sum,
}

/// What of a table is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The columns that a row is put back with: all states have them, and the server computes none of them.
    pub(super) columns: Vec<String>,
    /// Those by which a row is known.
    pub(super) key: Vec<String>,
    /// Whether they tell every row from every other.
    pub(super) unique: bool,
    /// Those that are defined alike in all states, so that their values are written alike.
    pub(super) steady: Vec<String>,
}

impl Shape {
    fn of(target: &Definition, states: &[Definition]) -> Self {
        let mut shape = Self::default();
        for column in target.columns.iter().filter(|column| !column.computed) {
            let same = |state: &Definition| state.columns.iter().find(|other| other.name == column.name).cloned();
            let others: Vec<_> = states.iter().map(same).collect();
            if others.iter().all(|other| other.as_ref().is_some_and(|other| !other.computed)) {
                shape.columns.push(column.name.clone());
                if others.iter().flatten().all(|other| other.says == column.says) {
                    shape.steady.push(column.name.clone());
                }
            }
        }
        let key = target.keys.iter().find(|key| key.iter().all(|name| shape.columns.contains(name)));
        shape.unique = key.is_some();
        shape.key = key.unwrap_or(&shape.columns).clone();
        shape
    }

    /// Where these columns stand in a definition.
    pub(super) fn places(names: &[String], definition: &Definition) -> Vec<usize> {
        names.iter().filter_map(|name| definition.position(name)).collect()
    }
}

/// Where the columns of a shape stand in a table as it is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    columns: Vec<usize>,
    key: Vec<usize>,
    steady: Vec<usize>,
}

impl Places {
    pub(super) fn of(shape: &Shape, definition: &Definition) -> Self {
        let of = |names: &[String]| Shape::places(names, definition);
        Self { columns: of(&shape.columns), key: of(&shape.key), steady: of(&shape.steady) }
    }

    /// What a row is known by.
    pub(super) fn mark(&self, row: &Row<'_>) -> Mark {
        let of = |columns: &[usize]| short(&row.digest(columns));
        Mark { key: of(&self.key), content: of(&self.columns), steady: of(&self.steady) }
    }
}

/// Looks for rows that a restore of `target` would take off the site. `states`: what is overwritten, or was
/// by earlier tries, oldest first, with a name for each.
pub(super) fn find(
    request: &KeepRows,
    protect: &SelectTables,
    target: (&SnapshotName, &Manifest),
    states: &[(SnapshotName, Arc<Manifest>)],
    only: &[Only],
    blobs: &mut BlobReader,
) -> Result<Found> {
    let mut found = Found { tables: Vec::new(), unread: Vec::new(), evidence: Evidence::new(&request.folder) };
    let manifests = states.iter().map(|(_, state)| &**state).chain([target.1]);
    let names: BTreeSet<String> = manifests
        .flat_map(|manifest| manifest.objects())
        .filter(|(object, _)| object.kind() == ObjectKind::Table && selected(&Item::Object((*object).clone()), only))
        .map(|(object, _)| object.name().to_owned())
        .collect();
    for name in protect(&names.into_iter().collect::<Vec<_>>()) {
        let Ok(object) = ObjectName::new(ObjectKind::Table, name) else { continue };
        let item = Item::Object(object.clone());
        let of = |manifest: &Manifest| manifest.entry(&item).and_then(Entry::content).cloned();
        let mut table = Table { object, since: target.0.as_str(), target: of(target.1), states: Vec::new() };
        for (number, (_, state)) in states.iter().enumerate() {
            let content = of(state).filter(|content| table.target.as_ref().is_none_or(|t| t.digest != content.digest));
            table.states.extend(content.map(|content| (number == 0, content)));
        }
        if !table.states.is_empty() {
            let shown = table.object.to_string();
            let (one, unread) = table.find(&mut found.evidence, blobs)?;
            found.tables.extend(one);
            found.unread.extend(unread.iter().map(|why| clean_line(&format!("{shown}: {why}"), 300)));
        }
    }
    found.evidence.sync().map_err(failed(&request.folder))?;
    Ok(found)
}

fn failed(folder: &Path) -> impl Fn(std::io::Error) -> SnapshotError {
    let path = folder.display().to_string();
    move |source| SnapshotError::Evidence { path: path.clone(), source }
}

/// A table whose bytes are damaged in the store is one that can't be looked at; it stops no restore.
fn known_or_not<T>(read: Result<Result<T, String>>) -> Result<Result<T, String>> {
    match read {
        Err(error @ SnapshotError::Damaged { .. }) => Ok(Err(error.to_string())),
        other => other,
    }
}

/// One table in all states.
struct Table<'a> {
    object: ObjectName,
    since: &'a str,
    target: Option<Content>,
    /// Those that differ from the snapshot, oldest first, and whether it is the first of all.
    states: Vec<(bool, Content)>,
}

impl Table<'_> {
    /// What was found, and why something could not be looked at.
    fn find(mut self, evidence: &mut Evidence, blobs: &mut BlobReader) -> Result<(Option<FoundTable>, Vec<String>)> {
        let (mut definitions, mut unread) = (Vec::new(), Vec::new());
        for (oldest, content) in std::mem::take(&mut self.states) {
            match known_or_not(read_definition(&content, blobs))? {
                Ok(definition) => {
                    definitions.push(definition);
                    self.states.push((oldest, content));
                }
                Err(why) => unread.push(self.unread(&content, &why, blobs)),
            }
        }
        let Some(first) = definitions.first() else { return Ok((None, unread)) };
        let known =
            self.target.as_ref().map(|content| known_or_not(read_definition(content, blobs))).transpose()?.transpose();
        let known = match known {
            Ok(known) => known,
            Err(why) => return Ok((None, vec![format!("in the snapshot: {why}")])),
        };
        let shape = Shape::of(known.as_ref().unwrap_or(first), &definitions);
        if shape.columns.is_empty() {
            return Ok((None, vec!["no column is what it was".into()]));
        }
        let mut parts = 1;
        loop {
            match self.compare(&shape, parts, evidence, blobs)? {
                Compared::Found(mut found, more) => {
                    found.counter = definitions.iter().filter_map(|state| state.counter).max().unwrap_or(0);
                    unread.extend(more);
                    return Ok((Some(*found).filter(|found| found.rows != found.nothing()), unread));
                }
                Compared::Unread(why) => return Ok((None, vec![why])),
                Compared::TooLarge => match Comparison::more_parts(parts) {
                    Some(more) => parts = more,
                    None => return Ok((None, vec!["it has too many rows to be compared".into()])),
                },
            }
        }
    }

    /// Why a state can't be looked at: a remark stands for what could not be dumped.
    fn unread(&self, content: &Content, why: &str, blobs: &mut BlobReader) -> String {
        const MOST: u64 = 2000;
        let mut remark = Vec::new();
        if content.size < MOST {
            // What can't be read is no remark.
            let _ = blobs.each(content, |chunk| {
                remark.extend(chunk);
                Ok(())
            });
        }
        let remark = String::from_utf8(remark).unwrap_or_default();
        let said = remark.strip_prefix("-- ").and_then(|text| text.strip_prefix(&format!("{} ", self.object)));
        said.map_or_else(|| why.to_owned(), |said| said.trim().to_owned())
    }

    /// Compares in so many parts.
    fn compare(&self, shape: &Shape, parts: u32, evidence: &mut Evidence, blobs: &mut BlobReader) -> Result<Compared> {
        let mut work = Work {
            evidence: &mut *evidence,
            table: self,
            shape,
            pages: None,
            marks: Vec::new(),
            rows: TableRows { table: self.object.name().to_owned(), ..TableRows::default() },
            failed: None,
        };
        let mut unread = BTreeSet::new();
        let mut target = None;
        for part in 0..parts {
            let mut comparison = Comparison::new(shape.unique, part, parts);
            if let Some(content) = &self.target {
                let visitor = Old { comparison, shape, places: Places::default(), sum: Sum::default(), full: false };
                match known_or_not(read_table(content, blobs, visitor))? {
                    Ok((old, _)) if old.full => return Ok(Compared::TooLarge),
                    Ok((old, frame)) => {
                        comparison = old.comparison;
                        target = Some(Target { content: content.clone(), frame, sum: old.sum });
                    }
                    Err(why) => return Ok(Compared::Unread(format!("in the snapshot: {why}"))),
                }
            }
            for (oldest, content) in self.states.iter().rev() {
                comparison.next_state();
                let visitor =
                    New { work: &mut work, comparison: &mut comparison, oldest: *oldest, places: Places::default() };
                let read = known_or_not(read_table(content, blobs, visitor))?.map(drop);
                if let Some(error) = work.failed.take() {
                    return Err(failed(&work.evidence.shown())(error));
                }
                match read {
                    Ok(()) if *oldest => work.rows.deleted += comparison.gone(),
                    Ok(()) => {}
                    // What was found before that place is kept all the same.
                    Err(why) => drop(unread.insert(why)),
                }
            }
        }
        let (marks, mut rows) = (work.marks, work.rows);
        let mut sql = None;
        if let Some(pages) = work.pages {
            sql = Some(pages.sql.clone());
            evidence.end(pages).map_err(failed(&evidence.shown()))?;
        }
        if target.is_none() {
            rows.leave(LeftReason::NoTable, marks.len() as u64);
        }
        let (object, shape) = (self.object.clone(), shape.clone());
        let found = FoundTable { object, target, shape, sql, marks, counter: 0, rows };
        Ok(Compared::Found(Box::new(found), unread.into_iter().collect()))
    }
}

/// What came of comparing a table in so many parts.
enum Compared {
    /// With what could not be read in some state.
    Found(Box<FoundTable>, Vec<String>),
    /// The parts are too few.
    TooLarge,
    /// The snapshot's table can't be read.
    Unread(String),
}

impl FoundTable {
    fn nothing(&self) -> TableRows {
        TableRows { table: self.rows.table.clone(), ..TableRows::default() }
    }
}

/// Takes in the snapshot's rows.
struct Old<'a> {
    comparison: Comparison,
    shape: &'a Shape,
    places: Places,
    sum: Sum,
    full: bool,
}

impl Visitor for Old<'_> {
    fn definition(&mut self, definition: &Definition) -> Result<(), String> {
        self.places = Places::of(self.shape, definition);
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> Result<(), String> {
        if !self.full {
            let mark = self.places.mark(row);
            self.sum.add(&self.places.counted(row, self.shape));
            self.full = !self.comparison.keep(mark.key, mark.content);
        }
        Ok(())
    }
}

impl Places {
    /// What a row of the snapshot counts as when all rows are added up. Without a key nobody can tell a row that was put
    /// back from one that was there, so it counts only with what both have.
    pub(super) fn counted(&self, row: &Row<'_>, shape: &Shape) -> crate::model::Digest {
        if shape.unique { row.whole_digest() } else { row.digest(&self.columns) }
    }
}

/// What was found in one table so far.
struct Work<'a, 'b> {
    evidence: &'a mut Evidence,
    table: &'a Table<'b>,
    shape: &'a Shape,
    pages: Option<Pages>,
    marks: Vec<Mark>,
    rows: TableRows,
    failed: Option<std::io::Error>,
}

impl Work<'_, '_> {
    fn write(&mut self, row: &Row<'_>, places: &Places, is: Is) -> Result<(), String> {
        let pages = match &mut self.pages {
            Some(pages) => Ok(pages),
            none => {
                let begun = self.evidence.table(&self.table.object, &self.shape.columns, self.table.since);
                begun.map(|begun| none.insert(begun))
            }
        };
        let written = pages.and_then(|pages| self.evidence.row(pages, row, &places.columns, is));
        written.map_err(|error| {
            let text = error.to_string();
            self.failed = Some(error);
            text
        })
    }
}

/// Looks at a later state's rows.
struct New<'w, 'a, 'b> {
    work: &'w mut Work<'a, 'b>,
    comparison: &'w mut Comparison,
    oldest: bool,
    places: Places,
}

impl Visitor for New<'_, '_, '_> {
    fn definition(&mut self, definition: &Definition) -> Result<(), String> {
        self.places = Places::of(self.work.shape, definition);
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> Result<(), String> {
        let mark = self.places.mark(row);
        let verdict = self.comparison.judge(mark.key, mark.content);
        let fits = row.whole && self.work.evidence.has_room();
        let rows = &mut self.work.rows;
        match verdict {
            Verdict::Known | Verdict::Elsewhere => Ok(()),
            // What a half restored site has otherwise than the snapshot is nobody's doing.
            Verdict::Changed if !self.oldest => Ok(()),
            Verdict::Changed => {
                rows.changed += 1;
                if fits { self.work.write(row, &self.places, Is::Changed) } else { Ok(()) }
            }
            Verdict::Older => {
                rows.found += 1;
                rows.leave(LeftReason::Older, 1);
                if fits { self.work.write(row, &self.places, Is::Older) } else { Ok(()) }
            }
            Verdict::New if fits => {
                rows.found += 1;
                self.work.marks.push(mark);
                self.work.write(row, &self.places, Is::New)
            }
            Verdict::New | Verdict::TooMuch => {
                rows.found += 1;
                rows.leave(LeftReason::TooMuch, 1);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::manifest::{CHUNKER, Header};
    use super::super::super::store::Store;
    use super::*;
    use crate::model::SiteName;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A table's part of a dump. `more`: a column that an update added.
    fn sql(rows: &[(u8, String)], key: bool, more: bool) -> String {
        let key = if key { ",\n  PRIMARY KEY (`id`)" } else { "" };
        let (column, value) = if more { ("  `new` int(11) NOT NULL DEFAULT 7,\n", "7,") } else { ("", "") };
        let rows: Vec<String> = rows
            .iter()
            .map(|(id, text)| {
                format!("({value}{id},'{}')", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
            })
            .collect();
        let insert =
            if rows.is_empty() { String::new() } else { format!("INSERT INTO `t` VALUES\n{};\n", rows.join(",\n")) };
        format!(
            "\n--\n-- Table structure for table `t`\n--\n\nDROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (\n{column}  \
             `id` int(11) NOT NULL AUTO_INCREMENT,\n  `w` text DEFAULT NULL{key}\n) ENGINE=InnoDB AUTO_INCREMENT={};\n\
             \n--\n-- Dumping data for table `t`\n--\n\n/*!40000 ALTER TABLE `t` DISABLE KEYS */;\n{insert}\
             /*!40000 ALTER TABLE `t` ENABLE KEYS */;\n",
            rows.len() + 1
        )
    }

    struct Place {
        folder: tempfile::TempDir,
        store: Arc<Store>,
        taken: i64,
    }

    impl Place {
        fn new() -> Self {
            let base = if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
            let folder = tempfile::Builder::new().prefix("rows").tempdir_in(base).unwrap();
            let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
            Self { folder, store, taken: 1_780_000_000 }
        }

        fn snapshot(&mut self, sql: Option<&str>) -> (SnapshotName, Arc<Manifest>) {
            let site = SiteName::new("s").unwrap();
            let mut writer = self.store.writer(&site).unwrap();
            let mut entries = BTreeMap::new();
            if let Some(sql) = sql {
                let mut content = writer.content();
                content.take(&mut writer, sql.as_bytes()).unwrap();
                let content = content.finish(&mut writer).unwrap();
                let object = ObjectName::new(ObjectKind::Table, "t").unwrap();
                entries.insert(Item::Object(object), Entry::Object { content });
            }
            self.taken += 1;
            let header = Header {
                site,
                taken: jiff::Timestamp::from_second(self.taken).unwrap(),
                walked: 0,
                tool: "test".into(),
                root: "/".into(),
                exclude: Vec::new(),
                chunker: CHUNKER.to_owned(),
                database: None,
                previous: None,
                problems: Vec::new(),
                attributes: false,
            };
            let entries = entries.into_iter().map(|(item, entry)| (item, Arc::new(entry))).collect();
            let manifest = Manifest { header, entries };
            (writer.commit(&manifest).unwrap().name, Arc::new(manifest))
        }

        fn find(&self, target: &(SnapshotName, Arc<Manifest>), states: &[(SnapshotName, Arc<Manifest>)]) -> Found {
            let keep =
                KeepRows { folder: self.folder.path().join("evidence/r/1.1"), earlier: Vec::new(), put_back: true };
            let protect: SelectTables = Arc::new(|all: &[String]| all.to_vec());
            find(&keep, &protect, (&target.0, &target.1), states, &[], &mut self.store.blobs().unwrap()).unwrap()
        }
    }

    /// The rows of the file that is sent to the server.
    fn sent(found: &Found) -> Vec<String> {
        let files = found.tables.iter().filter_map(|table| table.sql.as_ref());
        let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let mut rows: Vec<String> = text
            .lines()
            .filter_map(|line| {
                Some(line.strip_prefix("INSERT INTO `t` (`id`,`w`) VALUES (")?.strip_suffix(");")?.to_owned())
            })
            .collect();
        rows.sort_unstable();
        rows
    }

    type Rows = BTreeMap<u8, String>;

    fn rows() -> impl Strategy<Value = Rows> {
        proptest::collection::btree_map(0..12_u8, "[a'\\\\\n;),(é-]{0,3}", 0..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
        #[test]
        fn what_is_found_is_what_is_new(snapshot in rows(), first in rows(), second in rows(), more in any::<bool>()) {
            let list = |rows: &Rows| rows.iter().map(|(id, text)| (*id, text.clone())).collect::<Vec<_>>();
            let mut place = Place::new();
            let target = place.snapshot(Some(&sql(&list(&snapshot), true, false)));
            // The second state is one that a broken restore left: with the snapshot's definition.
            let states = [
                place.snapshot(Some(&sql(&list(&first), true, more))),
                place.snapshot(Some(&sql(&list(&second), true, false))),
            ];
            let found = place.find(&target, &states);
            let mut wanted: Rows = first.clone();
            wanted.extend(second.clone());
            wanted.retain(|id, _| !snapshot.contains_key(id));
            let literal = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
            let mut texts: Vec<String> = wanted.iter().map(|(id, text)| format!("{id},'{}'", literal(text))).collect();
            texts.sort_unstable();
            prop_assert_eq!(sent(&found), texts);
            prop_assert!(found.unread.is_empty());
            let counted = found.tables.first().map(|table| table.rows.clone()).unwrap_or_default();
            let older = first.iter().filter(|(id, text)| !snapshot.contains_key(id) && second.get(id).is_some_and(|now| now != *text));
            prop_assert_eq!(counted.left(), older.count() as u64);
            prop_assert_eq!(counted.found, wanted.len() as u64 + counted.left());
            let same_as_target = sql(&list(&first), true, more) == sql(&list(&snapshot), true, false);
            let changed = snapshot.iter().filter(|(id, text)| first.get(id).is_some_and(|now| now != *text)).count();
            let gone = snapshot.keys().filter(|id| !first.contains_key(id)).count();
            if !same_as_target {
                prop_assert_eq!((counted.changed, counted.deleted), (changed as u64, gone as u64));
            }
        }
    }

    #[test]
    fn a_table_that_is_not_in_the_snapshot_or_not_whole_is_said() {
        let mut place = Place::new();
        let (none, some) = (place.snapshot(None), [(1, "a".to_owned()), (1, "a".to_owned())]);
        let later = place.snapshot(Some(&sql(&some, false, false)));
        let found = place.find(&none, std::slice::from_ref(&later));
        assert_eq!(found.tables[0].rows.left, BTreeMap::from([(LeftReason::NoTable, 2)]));
        assert!(found.tables[0].target.is_none() && sent(&found).len() == 2);
        let dead = place.snapshot(Some("-- table:t can't be dumped: it is marked as crashed\n"));
        let found = place.find(&later, &[dead]);
        assert_eq!(
            (found.tables.len(), found.unread.as_slice()),
            (0, &["table:t: can't be dumped: it is marked as crashed".to_owned()][..])
        );
        let odd = place.snapshot(Some(&sql(&some, false, false).replace("'a'", "now()")));
        assert!(place.find(&later, &[odd]).unread[0].contains("no literal"));
        // As it was: nothing to look at, nothing to keep.
        let found = place.find(&later, std::slice::from_ref(&later));
        assert!(found.tables.is_empty() && found.unread.is_empty() && found.evidence.folder().is_none());
    }
}
