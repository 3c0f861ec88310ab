//! A table's SQL as dump programs write it: its definition, its rows, and what stands around them.
//!
//! May use: `model`, `store`, and its siblings. Invariants: bytes may come in any pieces; memory does not grow
//! with the table; any bytes give rows or a reason, never a panic.

use super::super::super::error::Result;
use super::super::super::manifest::Content;
use super::super::super::store::BlobReader;
use super::definition::{Definition, MAX_DEFINITION_BYTES};
use super::literals::{Row, RowReader, Visitor};
use super::split::{Part, Sink, Splitter};
use crate::model::Digest;

/// What is known of a table when all of its SQL was read.
#[derive(Debug, Clone)]
pub(in super::super::super) struct Frame {
    /// Its definition.
    pub(in super::super::super) definition: Definition,
    /// The digest of all its SQL but the rows and the counter.
    pub(in super::super::super) digest: Digest,
    /// Where in its SQL its triggers begin; its end, if it has none.
    pub(in super::super::super) triggers_at: u64,
}

/// Reads one table's SQL.
pub(super) struct TableReader<V> {
    visitor: V,
    mode: Mode,
    definition: Option<Definition>,
    frame: blake3::Hasher,
    at: u64,
    triggers_at: Option<u64>,
    rows: RowReader,
}

enum Mode {
    Other,
    /// In the definition.
    Create(Vec<u8>),
    /// In a statement that inserts rows.
    Rows,
}

impl<V: Visitor> TableReader<V> {
    /// A reader that shows the rows to `visitor`.
    pub(super) fn new(visitor: V) -> Self {
        Self {
            visitor,
            mode: Mode::Other,
            definition: None,
            frame: blake3::Hasher::new(),
            at: 0,
            triggers_at: None,
            rows: RowReader::default(),
        }
    }

    /// The definition, once it was read.
    fn definition(&self) -> Option<&Definition> {
        self.definition.as_ref()
    }

    /// The end of its SQL.
    pub(super) fn finish(mut self) -> Result<(V, Frame), String> {
        self.end_statement()?;
        let definition = self.definition.ok_or("there is no definition of the table")?;
        let triggers_at = self.triggers_at.unwrap_or(self.at);
        Ok((self.visitor, Frame { definition, digest: self.frame.finalize().into(), triggers_at }))
    }

    fn end_statement(&mut self) -> Result<(), String> {
        match std::mem::replace(&mut self.mode, Mode::Other) {
            Mode::Other => Ok(()),
            Mode::Rows => self.rows.end(),
            Mode::Create(sql) => {
                if self.definition.is_some() {
                    return Err("the table is defined twice".into());
                }
                let definition = Definition::read(&sql)?;
                let at = definition.counter_at.clone().unwrap_or(sql.len()..sql.len());
                self.frame.update(&sql[..at.start]);
                self.frame.update(&sql[at.end..]);
                self.visitor.definition(&definition)?;
                self.definition = Some(definition);
                Ok(())
            }
        }
    }

    /// A line with which a statement may begin.
    pub(super) fn statement(&mut self, line: &str) -> Result<(), String> {
        self.end_statement()?;
        if self.triggers_at.is_some() {
            return Ok(());
        }
        let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
        if begins(&["CREATE TABLE "]) {
            self.mode = Mode::Create(Vec::new());
        } else if let Some(definition) = &self.definition {
            if begins(&["INSERT INTO ", "INSERT  IGNORE INTO "]) {
                self.rows.begin(definition.columns.len());
                self.mode = Mode::Rows;
            } else if begins(&["/*!50003 ", "/*!50032 ", "ALTER DATABASE ", "DELIMITER "]) {
                self.triggers_at = Some(self.at);
            }
        }
        Ok(())
    }

    /// The next bytes of it.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.at += bytes.len() as u64;
        match &mut self.mode {
            Mode::Other => {
                self.frame.update(bytes);
                Ok(())
            }
            Mode::Create(sql) if sql.len() + bytes.len() > MAX_DEFINITION_BYTES => {
                Err("its definition is too long".into())
            }
            Mode::Create(sql) => {
                sql.extend_from_slice(bytes);
                Ok(())
            }
            Mode::Rows => {
                let names = self.definition.as_ref().map(|definition| definition.columns.as_slice());
                let place = |name: &str| names.and_then(|names| names.iter().position(|column| column.name == name));
                self.rows.feed(bytes, &place, &mut self.visitor)
            }
        }
    }
}

/// A table's own part of a dump.
struct OneTable<V>(TableReader<V>);

impl<V: Visitor> Sink for OneTable<V> {
    fn begin(&mut self, _: Part) -> Result<(), String> {
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.bytes(bytes)
    }

    fn statement(&mut self, line: &str) -> Result<(), String> {
        self.0.statement(line)
    }
}

/// Reads a table that is in the store. The outer error is the store's, the inner one the SQL's.
pub(in super::super::super) fn read_table<V: Visitor>(
    content: &Content,
    blobs: &mut BlobReader,
    visitor: V,
) -> Result<Result<(V, Frame), String>> {
    let mut splitter = match Splitter::new(OneTable(TableReader::new(visitor))) {
        Ok(splitter) => splitter,
        Err(why) => return Ok(Err(why)),
    };
    for chunk in &content.chunks {
        if let Err(why) = splitter.feed(&blobs.read(chunk)?) {
            return Ok(Err(why));
        }
    }
    // A table's part of a dump ends with a whole line.
    Ok(splitter.into_sink().0.finish())
}

/// Reads only the definition of a table that is in the store.
pub(in super::super::super) fn read_definition(
    content: &Content,
    blobs: &mut BlobReader,
) -> Result<Result<Definition, String>> {
    let mut splitter = match Splitter::new(OneTable(TableReader::new(Unseen))) {
        Ok(splitter) => splitter,
        Err(why) => return Ok(Err(why)),
    };
    for chunk in &content.chunks {
        let fed = splitter.feed(&blobs.read(chunk)?);
        if let Some(definition) = splitter.sink().0.definition() {
            return Ok(Ok(definition.clone()));
        }
        if let Err(why) = fed {
            return Ok(Err(why));
        }
    }
    Ok(splitter.into_sink().0.finish().map(|(_, frame)| frame.definition))
}

/// Looks at nothing.
struct Unseen;

impl Visitor for Unseen {
    fn definition(&mut self, _: &Definition) -> Result<(), String> {
        Ok(())
    }

    fn row(&mut self, _: &Row<'_>) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::literals::Value;
    use super::*;
    use proptest::prelude::*;

    const DUMP: &str = "\n--\n-- Table structure for table `t`\n--\n\nDROP TABLE IF EXISTS `t`;\n\
        CREATE TABLE `t` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `v` text DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) \
        ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4;\n\n--\n-- Dumping data for table `t`\n--\n\n\
        /*!40000 ALTER TABLE `t` DISABLE KEYS */;\nROWS/*!40000 ALTER TABLE `t` ENABLE KEYS */;\n\
        /*!50003 SET @saved_cs_client      = @@character_set_client */ ;\nDELIMITER ;;\n\
        /*!50003 CREATE*/ /*!50003 trigger tr before insert on `t` for each row begin\n\
        INSERT INTO `u` VALUES\n(1);\nend */;;\nDELIMITER ;\n";

    #[derive(Default)]
    struct Kept(Vec<(String, Digest)>);

    impl Visitor for Kept {
        fn definition(&mut self, _: &Definition) -> Result<(), String> {
            Ok(())
        }

        fn row(&mut self, row: &Row<'_>) -> Result<(), String> {
            let text = |value: &Value| String::from_utf8_lossy(row.literal(value)).into_owned();
            let all: Vec<String> = (0..2).filter_map(|column| row.value(column)).map(text).collect();
            self.0.push((all.join("|"), row.whole_digest()));
            Ok(())
        }
    }

    fn read(sql: &[u8], piece: usize) -> Result<(Kept, Frame), String> {
        let mut splitter = Splitter::new(OneTable(TableReader::new(Kept::default())))?;
        for bytes in sql.chunks(piece) {
            splitter.feed(bytes)?;
        }
        splitter.into_sink().0.finish()
    }

    #[test]
    fn rows_are_read_and_the_rest_is_the_frame() {
        let with = |rows: &str| DUMP.replace("ROWS", rows);
        let some = with(
            "INSERT INTO `t` VALUES\n(1,'a;\\n(2,\\'b\\')'),\n(-2,NULL);\nINSERT INTO `t` (`v`, `id`) VALUES (0x61,3);\n",
        );
        let (rows, frame) = read(some.as_bytes(), 4096).unwrap();
        let texts: Vec<&str> = rows.0.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["1|'a;\\n(2,\\'b\\')'", "-2|NULL", "3|0x61"]);
        assert_eq!((frame.definition.columns.len(), frame.definition.counter), (2, Some(9)));
        assert!(some[usize::try_from(frame.triggers_at).unwrap()..].starts_with("/*!50003 SET @saved_cs_client"));
        for piece in [1, 2, 7, 64] {
            assert_eq!(read(some.as_bytes(), piece).unwrap().0.0, rows.0);
        }
        let none = read(with("").replace("AUTO_INCREMENT=9 ", "").as_bytes(), 50).unwrap();
        assert_eq!((none.0.0.len(), none.1.digest), (0, frame.digest));
        let other = read(with("").replace("`u`", "`w`").as_bytes(), 50).unwrap();
        assert_ne!(other.1.digest, frame.digest);
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for odd in [
            "(1)",
            "(1,2,3)",
            "(1,now())",
            "(1,'a",
            "(1,0x4)",
            "(1,@a)",
            "(1,(2))",
            "(1,-)",
            "(1,'a'b)",
            "x",
            "(,)",
            "(1,2)x",
        ] {
            let sql = DUMP.replace("ROWS", &format!("INSERT INTO `t` VALUES {odd};\n"));
            assert!(read(sql.as_bytes(), 100).is_err(), "{odd} was read");
        }
        assert!(read(b"-- table:t can't be dumped: it is marked as crashed\n", 100).is_err());
        let unknown = DUMP.replace("ROWS", "INSERT INTO `t` (`id`,`x`) VALUES (1,2);\n");
        assert!(read(unknown.as_bytes(), 100).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..DUMP.len()) {
            let _ = read(&bytes, 7);
            let _ = read(&[&DUMP.as_bytes()[..cut], &bytes, &DUMP.as_bytes()[cut..]].concat(), 31);
        }
    }
}
