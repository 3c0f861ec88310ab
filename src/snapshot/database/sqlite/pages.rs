//! What a file of SQLite holds, table by table: its format is public and does not change.
//!
//! May use: `model`. Invariants: any bytes give tables or a reason, never a panic; no page is read more often than a file
//! without loops needs, and memory does not grow with the file; only what rows hold counts, not where they lie.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

/// The most levels of a tree of pages.
const MAX_DEPTH: usize = 40;
/// The most bytes of one definition.
const MAX_RECORD_BYTES: u64 = 16 << 20;
/// The most bytes of all definitions.
const MAX_RECORDS_BYTES: usize = 64 << 20;
/// The most tables.
const MAX_TABLES: usize = 100_000;

/// The tables, each with its definition, the number of its rows, and a digest of them.
pub(super) fn tables<F: Read + Seek>(file: F) -> Result<BTreeMap<String, String>, String> {
    let mut pages = Pages::open(file)?;
    let (mut listed, mut bytes) = (Vec::new(), 0);
    let encoding = pages.encoding;
    pages.walk(1, &mut |cell: &mut dyn Cell| {
        let record = cell.whole()?;
        bytes += record.len();
        if bytes > MAX_RECORDS_BYTES {
            return Err("its definitions are too long".into());
        }
        if let Some(table) = listed_table(&record, encoding) {
            listed.push(table);
        }
        match listed.len() > MAX_TABLES {
            true => Err("it has too many tables".into()),
            false => Ok(()),
        }
    })?;
    let mut tables = BTreeMap::new();
    for (name, root, sql) in listed {
        let (mut rows, mut hasher) = (0_u64, blake3::Hasher::new());
        pages.walk(root, &mut |cell: &mut dyn Cell| {
            rows += 1;
            cell.hash(&mut hasher)
        })?;
        let digest = crate::model::Digest::from(hasher.finalize());
        tables.insert(name, format!("{sql}\nrows {rows}\nblake3 {digest}\n"));
    }
    Ok(tables)
}

/// One row of a tree.
trait Cell {
    fn whole(&mut self) -> Result<Vec<u8>, String>;
    fn hash(&mut self, hasher: &mut blake3::Hasher) -> Result<(), String>;
}

struct Pages<F> {
    file: F,
    size: usize,
    /// What of a page is used.
    usable: usize,
    count: u32,
    encoding: u8,
    /// How many pages may still be read.
    left: u64,
}

/// A row as it stands on its page.
struct Row<'a, F> {
    pages: &'a mut Pages<F>,
    /// The number of the row; none in tables without.
    number: Option<u64>,
    length: u64,
    local: &'a [u8],
    next: u32,
}

fn wrong() -> String {
    "its pages are not those of a SQLite file".to_owned()
}

fn number(bytes: &[u8], at: usize, length: usize) -> Result<u64, String> {
    let bytes = bytes.get(at..at + length).ok_or_else(wrong)?;
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A number of variable length, and where it ends.
fn varint(bytes: &[u8], mut at: usize) -> Result<(u64, usize), String> {
    let mut value = 0_u64;
    for _ in 0..8 {
        let byte = *bytes.get(at).ok_or_else(wrong)?;
        at += 1;
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Ok((value, at));
        }
    }
    let byte = *bytes.get(at).ok_or_else(wrong)?;
    Ok((value << 8 | u64::from(byte), at + 1))
}

impl<F: Read + Seek> Pages<F> {
    fn open(mut file: F) -> Result<Self, String> {
        let mut header = [0; 100];
        let length = file.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
        file.rewind().and_then(|()| file.read_exact(&mut header)).map_err(|error| error.to_string())?;
        let size = match number(&header, 16, 2)? {
            1 => 65536,
            size if size >= 512 && size.is_power_of_two() => size as usize,
            _ => return Err(wrong()),
        };
        let usable = size.checked_sub(usize::from(header[20])).filter(|usable| *usable >= 480).ok_or_else(wrong)?;
        let count = u32::try_from(length / size as u64).map_err(|_| wrong())?;
        let left = u64::from(count) * 2 + 16;
        Ok(Self { file, size, usable, count, encoding: header[59], left })
    }

    fn page(&mut self, number: u32) -> Result<Vec<u8>, String> {
        if number == 0 || number > self.count || self.left == 0 {
            return Err(wrong());
        }
        self.left -= 1;
        let mut page = vec![0; self.size];
        let at = u64::from(number - 1) * self.size as u64;
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut page));
        read.map_err(|error| error.to_string())?;
        Ok(page)
    }

    /// Shows all rows of the tree at this page, in their order.
    fn walk(&mut self, root: u32, show: &mut dyn FnMut(&mut dyn Cell) -> Result<(), String>) -> Result<(), String> {
        self.tree(root, 0, show)
    }

    fn tree(
        &mut self,
        at: u32,
        depth: usize,
        show: &mut dyn FnMut(&mut dyn Cell) -> Result<(), String>,
    ) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(wrong());
        }
        let page = self.page(at)?;
        let head = if at == 1 { 100 } else { 0 };
        let kind = *page.get(head).ok_or_else(wrong)?;
        let (is_leaf, is_table) = match kind {
            0x0d => (true, true),
            0x05 => (false, true),
            0x0a => (true, false),
            0x02 => (false, false),
            _ => return Err(wrong()),
        };
        let cells = number(&page, head + 3, 2)? as usize;
        let places = head + if is_leaf { 8 } else { 12 };
        // Cells that lie over each other would be many more rows than there is room for.
        let mut room = self.usable;
        for cell in 0..cells {
            let mut place = number(&page, places + 2 * cell, 2)? as usize;
            if !is_leaf {
                self.tree(number(&page, place, 4)? as u32, depth + 1, show)?;
                place += 4;
            }
            if is_leaf || !is_table {
                let mut row = self.row(&page, place, is_table)?;
                room = room.checked_sub(row.local.len()).ok_or_else(wrong)?;
                show(&mut row)?;
            }
        }
        match is_leaf {
            true => Ok(()),
            false => self.tree(number(&page, head + 8, 4)? as u32, depth + 1, show),
        }
    }

    fn row<'a>(&'a mut self, page: &'a [u8], at: usize, is_table: bool) -> Result<Row<'a, F>, String> {
        let (length, mut at) = varint(page, at)?;
        let mut row_number = None;
        if is_table {
            let (value, next) = varint(page, at)?;
            (row_number, at) = (Some(value), next);
        }
        let usable = self.usable as u64;
        let most = if is_table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let least = (usable - 12) * 32 / 255 - 23;
        let fitting = least + length.saturating_sub(least) % (usable - 4);
        let local = match length {
            length if length <= most => length,
            _ if fitting <= most => fitting,
            _ => least,
        } as usize;
        let next = if length > local as u64 { number(page, at + local, 4)? as u32 } else { 0 };
        let local = page.get(at..at + local).ok_or_else(wrong)?;
        Ok(Row { pages: self, number: row_number, length, local, next })
    }
}

impl<F: Read + Seek> Row<'_, F> {
    fn each(&mut self, mut take: impl FnMut(&[u8]) -> Result<(), String>) -> Result<(), String> {
        take(self.local)?;
        let (mut left, mut next) = (self.length - self.local.len() as u64, self.next);
        while left > 0 {
            let page = self.pages.page(next)?;
            next = number(&page, 0, 4)? as u32;
            let here = left.min(self.pages.usable as u64 - 4);
            take(page.get(4..4 + here as usize).ok_or_else(wrong)?)?;
            left -= here;
        }
        Ok(())
    }
}

impl<F: Read + Seek> Cell for Row<'_, F> {
    fn whole(&mut self) -> Result<Vec<u8>, String> {
        if self.length > MAX_RECORD_BYTES {
            return Err("a definition in it is too long".into());
        }
        let mut whole = Vec::new();
        self.each(|bytes| {
            whole.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(whole)
    }

    fn hash(&mut self, hasher: &mut blake3::Hasher) -> Result<(), String> {
        hasher.update(&self.number.unwrap_or_default().to_le_bytes());
        hasher.update(&self.length.to_le_bytes());
        self.each(|bytes| {
            hasher.update(bytes);
            Ok(())
        })
    }
}

/// A table in the list of all that is defined, unless it has no pages of its own: its name, its root and its SQL.
fn listed_table(record: &[u8], encoding: u8) -> Option<(String, u32, String)> {
    let (end, mut at) = varint(record, 0).ok()?;
    let mut values = Vec::new();
    let mut from = usize::try_from(end).ok()?;
    while at < usize::try_from(end).ok()? && values.len() < 5 {
        let (kind, next) = varint(record, at).ok()?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ => kind.checked_sub(12)? / 2,
        };
        let value = record.get(from..from.checked_add(usize::try_from(length).ok()?)?)?;
        from += value.len();
        values.push((kind, value));
    }
    let [(_, sort), (_, name), _, (kind, root), (_, sql)] = values.as_slice() else { return None };
    let root = match kind {
        9 => 1,
        1..=4 => number(root, 0, root.len()).ok()?,
        _ => 0,
    };
    let root = u32::try_from(root).ok().filter(|root| *root > 0)?;
    (text(sort, encoding) == "table").then(|| (text(name, encoding), root, text(sql, encoding)))
}

fn text(bytes: &[u8], encoding: u8) -> String {
    let wide = |make: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| make([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match encoding {
        2 => wide(u16::from_le_bytes),
        3 => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sqlx::Connection;
    use std::io::Cursor;

    /// A file with all sorts of pages: long rows, a deep tree, a table without row numbers.
    fn file(encoding: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let url = format!("sqlite://{}?mode=rwc", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let sql = format!(
                "PRAGMA page_size=512; PRAGMA encoding='{encoding}'; CREATE TABLE \"a é\" (id INTEGER PRIMARY KEY, v);
                 CREATE TABLE b (k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE INDEX i ON \"a é\" (v); CREATE VIEW w AS SELECT 1;
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) INSERT INTO \"a é\" SELECT i, 'v' || i FROM n;
                 INSERT INTO b SELECT 'k' || v, zeroblob(id * 3) FROM \"a é\"; INSERT INTO \"a é\" VALUES (5000, zeroblob(100000));"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
        std::fs::read(path).unwrap()
    }

    #[test]
    fn tables_are_told_apart() {
        let tables_of = |bytes: &[u8]| tables(Cursor::new(bytes)).unwrap();
        let plain = tables_of(&file("UTF-8"));
        assert_eq!(plain.keys().map(String::as_str).collect::<Vec<_>>(), ["a é", "b"]);
        assert!(plain["a é"].starts_with("CREATE TABLE \"a é\" (id INTEGER PRIMARY KEY, v)\nrows 901\nblake3 "));
        assert!(plain["b"].contains("WITHOUT ROWID\nrows 900\n"), "{}", plain["b"]);
        let wide = tables_of(&file("UTF-16le"));
        assert!(wide["b"].contains("WITHOUT ROWID\nrows 900\n") && wide["b"] != plain["b"]);
        let mut bytes = file("UTF-8");
        // In the table and in its index; what the other table has begins with another letter.
        let places = (1..bytes.len() - 4).filter(|at| &bytes[*at..at + 4] == b"v777" && bytes[at - 1] != b'k');
        let places: Vec<usize> = places.collect();
        places.into_iter().for_each(|at| bytes[at] = b'w');
        let changed = tables_of(&bytes);
        assert!(changed["a é"] != plain["a é"] && changed["b"] == plain["b"]);
    }

    #[test]
    fn cells_that_lie_over_each_other_are_refused() {
        let page = |cells: u8| {
            let mut page = vec![0; 512];
            page[..16].copy_from_slice(b"SQLite format 3\0");
            page[16..18].copy_from_slice(&512_u16.to_be_bytes());
            page[100] = 0x0d;
            page[104] = cells;
            for cell in 0..usize::from(cells) {
                page[108 + 2 * cell..110 + 2 * cell].copy_from_slice(&300_u16.to_be_bytes());
            }
            // The length of the record, in two bytes, and the number of the row.
            page[300..303].copy_from_slice(&[0x81, 0x48, 1]);
            page
        };
        assert_eq!(tables(Cursor::new(page(2))), Ok(BTreeMap::new()));
        assert_eq!(tables(Cursor::new(page(3))), Err(wrong()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn no_bytes_make_it_panic_or_go_on_for_ever(changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 0..40), cut in 0..60_000_usize) {
            thread_local!(static FILE: Vec<u8> = file("UTF-8"));
            let mut bytes = FILE.with(Clone::clone);
            for (at, byte) in changes {
                bytes[usize::from(at) % 4096] = byte;
            }
            let _ = tables(Cursor::new(&bytes[..]));
            let _ = tables(Cursor::new(&bytes[..cut.min(bytes.len())]));
        }
    }
}
