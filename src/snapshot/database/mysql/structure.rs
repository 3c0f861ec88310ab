//! What a table is without its rows: its definition and its triggers, as a dump has them.
//!
//! May use: `model`, `definition`. Invariants: any bytes give a digest, never a panic; the same with rows and without;
//! the next number that a table hands out, which changes with its rows, is no part of it.

use super::definition::{Definition, MAX_DEFINITION_BYTES};
use crate::model::Digest;

/// Reads one table's or sequence's SQL.
#[derive(Default)]
pub(super) struct Structure {
    mode: Mode,
    hasher: blake3::Hasher,
    defined: bool,
}

#[derive(Default)]
enum Mode {
    /// What is read says nothing of the structure.
    #[default]
    Other,
    /// In the definition.
    Create(Vec<u8>),
    /// From the first trigger to the end.
    Triggers,
}

impl Structure {
    /// A line with which a statement may begin; its bytes follow.
    pub(super) fn statement(&mut self, line: &str) {
        if matches!(self.mode, Mode::Triggers) {
            return;
        }
        self.end_statement();
        let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
        if begins(&["CREATE TABLE ", "CREATE SEQUENCE "]) {
            self.mode = Mode::Create(Vec::new());
        } else if self.defined && begins(&["/*!50003 ", "/*!50032 ", "ALTER DATABASE ", "DELIMITER "]) {
            self.mode = Mode::Triggers;
        }
    }

    /// The next bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        match &mut self.mode {
            Mode::Other => {}
            Mode::Create(sql) => {
                let room = MAX_DEFINITION_BYTES.saturating_sub(sql.len());
                sql.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Mode::Triggers => drop(self.hasher.update(bytes)),
        }
    }

    fn end_statement(&mut self) {
        let Mode::Create(mut sql) = std::mem::take(&mut self.mode) else { return };
        self.defined = true;
        // What follows the statement differs between a dump with rows and one without.
        if let Some(end) = memchr::memmem::find(&sql, b";\n") {
            sql.truncate(end);
        }
        let counter = Definition::read(&sql).ok().and_then(|definition| definition.counter_at);
        let counter = counter.unwrap_or(sql.len()..sql.len());
        self.hasher.update(&sql[..counter.start]).update(&sql[counter.end..]);
    }

    /// The end of its SQL.
    pub(super) fn finish(mut self) -> Digest {
        self.end_statement();
        self.hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::{Part, Sink, Splitter};
    use super::*;

    struct One(Structure);

    impl Sink for One {
        fn begin(&mut self, _: Part) -> Result<(), String> {
            Ok(())
        }

        fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
            self.0.bytes(bytes);
            Ok(())
        }

        fn statement(&mut self, line: &str) -> Result<(), String> {
            self.0.statement(line);
            Ok(())
        }
    }

    fn digest(columns: &str, counter: &str, rows: &str, trigger: &str) -> Digest {
        let sql = format!(
            "\n--\n-- Table structure for table `t`\n--\n\nDROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (\n{columns}\n) \
             ENGINE=InnoDB{counter} DEFAULT CHARSET=utf8mb4;\n/*!40101 SET character_set_client = @saved_cs_client */;\n\
             {rows}{trigger}"
        );
        let mut splitter = Splitter::new(One(Structure::default())).unwrap();
        splitter.feed(sql.as_bytes()).unwrap();
        splitter.into_sink().0.finish()
    }

    const ROWS: &str = "\n--\n-- Dumping data for table `t`\n--\n\n/*!40000 ALTER TABLE `t` DISABLE KEYS */;\n\
        INSERT INTO `t` VALUES\n(1,'a;\\nCREATE TABLE ');\n/*!40000 ALTER TABLE `t` ENABLE KEYS */;\n";

    #[test]
    fn rows_and_counters_are_no_structure_and_all_else_is() {
        let column = "  `id` int(11) NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`)";
        let plain = digest(column, "", "", "");
        assert_eq!(plain, digest(column, " AUTO_INCREMENT=9", ROWS, ""));
        let trigger = "/*!50003 SET @saved_cs_client      = @@character_set_client */ ;\nDELIMITER ;;\n\
            /*!50003 CREATE*/ /*!50003 TRIGGER tr BEFORE INSERT ON `t` FOR EACH ROW SET @a = 1 */;;\nDELIMITER ;\n";
        let triggered = digest(column, "", "", trigger);
        assert_eq!(triggered, digest(column, " AUTO_INCREMENT=12", ROWS, trigger));
        let key = format!("{column},\n  KEY `k` (`id`)");
        let others = [triggered, digest(&key, "", ROWS, ""), digest(column, "", ROWS, &trigger.replace("@a", "@b"))];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(plain, *other, "{index}");
            assert!(!others[..index].contains(other), "{index}");
        }
    }
}
