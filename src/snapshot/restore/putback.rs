//! Putting visitors' rows into restored tables, and the proof that a table then is the snapshot's with just them.
//!
//! May use: `model`, and its siblings. Invariants: a table is made anew from the snapshot before rows go in, so
//! that doing it again ends the same; triggers are made after the rows, as a dump has it; what the server
//! refuses is counted; a table that is anything but the snapshot's rows and those put back is an error.

use super::super::database::{
    DatabaseAccess, Definition, Import, Portion, Refused, Row, Seen, Visitor, import, insert_rows, look_at,
};
use super::super::error::{Result, SnapshotError};
use super::super::item::Item;
use super::super::manifest::{Content, Entry};
use super::super::{Progress, Source};
use super::compare::{Short, Sum};
use super::evidence::Evidence;
use super::found::{LeftReason, Rows};
use super::visitors::{Found, FoundTable, Places, Shape, Target};
use super::work::Work;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

/// How often rows are tried whose parents may be among those that went in after them.
const MAX_ROUNDS: usize = 8;

impl Found {
    /// The tables that rows are put into, with the table in the snapshot and the file of the rows.
    fn going(&self) -> impl Iterator<Item = (&FoundTable, &Target, &PathBuf)> {
        self.tables
            .iter()
            .filter(|table| !table.marks.is_empty())
            .filter_map(|table| Some((table, table.target.as_ref()?, table.sql.as_ref()?)))
    }

    /// What is told of it.
    pub(super) fn rows(&self) -> Rows {
        Rows {
            evidence: self.evidence.folder().map(|folder| folder.display().to_string()),
            tables: self.tables.iter().map(|table| table.rows.clone()).collect(),
            unread: self.unread.clone(),
        }
    }

    /// Holds the triggers of these tables back from the import, and has it make all of them.
    pub(super) fn hold_back(&self, work: &mut Work) {
        for (table, target, _) in self.going() {
            work.held_back.insert(table.object.clone(), (target.content.clone(), target.frame.triggers_at));
        }
    }

    /// Leaves the rows in the evidence.
    pub(super) fn give_up(&mut self) {
        for table in self.tables.iter_mut().filter(|table| table.target.is_some()) {
            table.rows.leave(LeftReason::GivenUp, table.marks.len() as u64);
        }
        if let Err(error) = self.write_result(&[]) {
            tracing::warn!(%error, "the counts of visitors' rows could not be written beside them");
        }
    }

    /// Puts the rows into the tables, which are as in the snapshot but for their triggers.
    pub(super) async fn put_back(&mut self, work: &mut Work, progress: &Arc<dyn Progress>) -> Result<()> {
        let Some(access) = work.source.database.clone() else { return Ok(()) };
        let refused = match self.going().next() {
            None => BTreeMap::new(),
            Some(_) => {
                let refused = self.insert(&work.source, &access).await?;
                self.make_triggers(work, &access, progress).await?;
                refused
            }
        };
        let refused = self.count(refused);
        self.prove(work, &access, &refused).await?;
        let told: Vec<_> = refused
            .into_iter()
            .flat_map(|(table, rows)| {
                rows.into_iter().map(move |(row, refused)| (table.clone(), row + 1, refused.code, refused.said))
            })
            .collect();
        self.write_result(&told)
    }

    fn write_result(&self, refused: &[(String, u64, u32, String)]) -> Result<()> {
        let Some(folder) = self.evidence.folder() else { return Ok(()) };
        let failed = |source| SnapshotError::Evidence { path: folder.display().to_string(), source };
        Evidence::result(folder, &self.rows(), refused).map_err(failed)
    }

    /// Returns the rows that were refused, counted over all files.
    async fn insert(&self, source: &Source, access: &DatabaseAccess) -> Result<BTreeMap<u64, Refused>> {
        let files: Vec<PathBuf> = self.going().map(|(_, _, file)| file.clone()).collect();
        let by_row = |refused: Vec<Refused>| refused.into_iter().map(|refused| (refused.row, refused));
        let mut refused: BTreeMap<u64, Refused> =
            by_row(insert_rows(source, access, files.clone(), None).await?).collect();
        for _ in 1..MAX_ROUNDS {
            let orphans = refused.values().filter(|refused| LeftReason::of(refused.code) == LeftReason::NoParent);
            let orphans: Arc<BTreeSet<u64>> = Arc::new(orphans.map(|refused| refused.row).collect());
            if orphans.is_empty() {
                break;
            }
            let again = insert_rows(source, access, files.clone(), Some(orphans.clone())).await?;
            let none_went_in = again.len() == orphans.len();
            refused.retain(|row, _| !orphans.contains(row));
            refused.extend(by_row(again));
            if none_went_in {
                break;
            }
        }
        Ok(refused)
    }

    /// Makes the triggers that were held back. No number that was handed out before is handed out again.
    async fn make_triggers(&self, work: &Work, access: &DatabaseAccess, progress: &Arc<dyn Progress>) -> Result<()> {
        let mut triggers = Import::default();
        for (table, target, _) in self.going() {
            let name = table.object.name().replace('`', "``");
            let counter = target.frame.definition.counter.unwrap_or(0);
            let before = match table.counter > counter {
                true => format!("ALTER TABLE `{name}` AUTO_INCREMENT={};\n", table.counter),
                false => String::new(),
            };
            let bytes = target.frame.triggers_at..target.content.size;
            if !before.is_empty() || !bytes.is_empty() {
                triggers.make.push((table.object.clone(), target.content.clone()));
                triggers.parts.insert(table.object.clone(), Portion { before, bytes });
            }
        }
        if !triggers.is_empty() {
            import(&work.source, access, triggers, work.blobs().await?, progress).await?;
        }
        Ok(())
    }

    /// Counts what went in, and gives what was refused to its table; rows are counted within it then.
    fn count(&mut self, mut refused: BTreeMap<u64, Refused>) -> BTreeMap<String, BTreeMap<u64, Refused>> {
        let mut first = 0;
        let mut by_table = BTreeMap::new();
        for table in &mut self.tables {
            if table.marks.is_empty() || table.target.is_none() || table.sql.is_none() {
                continue;
            }
            let count = table.marks.len() as u64;
            let later = refused.split_off(&(first + count));
            for one in refused.values() {
                table.rows.leave(LeftReason::of(one.code), 1);
            }
            table.rows.put_back = count.saturating_sub(refused.len() as u64);
            let mine = refused.into_iter().map(|(row, one)| (row - first, one)).collect();
            by_table.insert(table.object.name().to_owned(), mine);
            refused = later;
            first += count;
        }
        by_table
    }

    /// Looks at the tables as they are now. What they hold is the goal from here on.
    async fn prove(
        &self,
        work: &mut Work,
        access: &DatabaseAccess,
        refused: &BTreeMap<String, BTreeMap<u64, Refused>>,
    ) -> Result<()> {
        let none = BTreeMap::new();
        let mut looking = BTreeMap::new();
        for (table, _, _) in self.going() {
            let refused = refused.get(table.object.name()).unwrap_or(&none);
            looking.insert(table.object.name().to_owned(), Proof::new(table, refused));
        }
        if looking.is_empty() {
            return Ok(());
        }
        let seen = look_at(&work.source, access, looking).await?;
        for (table, target, _) in self.going() {
            let Some(seen) = seen.get(table.object.name()) else { continue };
            if let Some(what) = differs(seen, target) {
                return Err(SnapshotError::StillDiffers {
                    site: work.source.site.clone(),
                    host: work.source.shell.host().to_owned(),
                    name: "with the rows that were put back".into(),
                    differences: format!("{}: {what}", table.object),
                });
            }
            let content = Content { digest: seen.digest, size: seen.size, chunks: Vec::new() };
            let goal = Arc::make_mut(&mut work.goal);
            goal.entries.insert(Item::Object(table.object.clone()), Arc::new(Entry::Object { content }));
        }
        Ok(())
    }
}

/// In what a table is not the snapshot's with the rows that were put back.
fn differs(seen: &Seen<Proof>, target: &Target) -> Option<&'static str> {
    let proof = &seen.visitor;
    match () {
        () if proof.missing > 0 => Some("rows that went in are not there, or have another content"),
        () if proof.sum != target.sum => {
            Some("it has rows that are neither the snapshot's nor put back, or lacks some")
        }
        () if seen.frame.digest != target.frame.digest => Some("its definition or its triggers are not the snapshot's"),
        () => None,
    }
}

/// Looks for the rows that were put back, and adds up the others.
struct Proof {
    shape: Shape,
    places: Places,
    put: HashMap<Short, (Short, u32)>,
    missing: u64,
    sum: Sum,
}

impl Proof {
    fn new(table: &FoundTable, refused: &BTreeMap<u64, Refused>) -> Self {
        let mut put: HashMap<Short, (Short, u32)> = HashMap::new();
        let mut missing = 0;
        for (_, mark) in (0..).zip(&table.marks).filter(|(row, _)| !refused.contains_key(row)) {
            put.entry(mark.key).or_insert((mark.steady, 0)).1 += 1;
            missing += 1;
        }
        Self { shape: table.shape.clone(), places: Places::default(), put, missing, sum: Sum::default() }
    }
}

impl Visitor for Proof {
    fn definition(&mut self, definition: &Definition) -> Result<(), String> {
        self.places = Places::of(&self.shape, definition);
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> Result<(), String> {
        let mark = self.places.mark(row);
        match self.put.get_mut(&mark.key) {
            Some((steady, times)) if *times > 0 && *steady == mark.steady => {
                *times -= 1;
                self.missing = self.missing.saturating_sub(1);
            }
            _ => self.sum.add(&self.places.counted(row, &self.shape)),
        }
        Ok(())
    }
}
