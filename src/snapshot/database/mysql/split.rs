//! Splits the stream of a dump program into database objects.
//!
//! May use: `item`. Invariants: a marker is believed only where no statement is open, outside
//! strings, quoted names, comments and `DELIMITER` blocks; memory does not grow with the length
//! of lines; the parts in order are the whole stream, byte for byte.

use super::super::super::item::ObjectKind;
use super::lexer::Lexer;

/// The longest line that can be a marker, in bytes.
const MAX_MARKER_BYTES: usize = 2048;

/// The words with which statements of a dump begin, besides comments.
const BEGINNINGS: [&str; 13] = [
    "ALTER",
    "COMMIT",
    "CREATE",
    "DELIMITER",
    "DO",
    "DROP",
    "INSERT",
    "LOCK",
    "REPLACE",
    "SELECT",
    "SET",
    "START",
    "UNLOCK",
];

/// A part of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Settings before the first object.
    Prelude,
    /// A whole object of one of these kinds: sequence, table, function, procedure, package, event.
    Object(ObjectKind, String),
    /// What stands in for a view until all tables are there.
    ViewStub(String),
    /// The view itself.
    View(String),
    /// Settings around events or routines.
    Glue,
    /// What follows the last object.
    Footer,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(kind, name) => write!(f, "{}:{name}", kind.word()),
            Self::ViewStub(name) | Self::View(name) => write!(f, "view:{name}"),
            Self::Prelude | Self::Glue | Self::Footer => f.write_str("the dump"),
        }
    }
}

/// Where the parts go.
pub(super) trait Sink {
    /// A part begins.
    fn begin(&mut self, part: Part) -> Result<(), String>;
    /// Bytes of the part that began last.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// A line with which a statement may begin (or the beginning of a very long one); its bytes follow.
    fn statement(&mut self, _line: &str) -> Result<(), String> {
        Ok(())
    }
}

/// Reads a dump in pieces of any length.
pub(super) struct Splitter<S> {
    sink: S,
    lexer: Lexer,
    /// The beginning of a line that may be a marker.
    line: Vec<u8>,
    collecting: bool,
    /// Whole lines that belong to whatever follows.
    pending: Vec<u8>,
    current: Part,
    complete: bool,
    /// Bytes of the statement that is open, and the most that it may have.
    statement: u64,
    most: u64,
}

impl<S: Sink> Splitter<S> {
    pub(super) fn new(mut sink: S) -> Result<Self, String> {
        sink.begin(Part::Prelude)?;
        Ok(Self {
            sink,
            lexer: Lexer::default(),
            line: Vec::new(),
            collecting: true,
            pending: Vec::new(),
            current: Part::Prelude,
            complete: false,
            statement: 0,
            most: u64::MAX,
        })
    }

    /// Refuses statements of more than so many bytes.
    pub(super) fn limited(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes);
            let (now, later) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
            bytes = later;
            if self.collecting {
                self.line.extend_from_slice(now);
                if end.is_some() || self.line.len() > MAX_MARKER_BYTES {
                    let line = std::mem::take(&mut self.line);
                    self.whole_line(&line)?;
                    self.collecting = false;
                }
            } else {
                self.lexer.read(now);
                self.only_sql("")?;
                self.count(now)?;
                self.sink.bytes(now)?;
            }
            if end.is_some() {
                self.collecting = self.lexer.between_statements();
            }
        }
        Ok(())
    }

    /// Ends the stream; an error when it is not complete.
    pub(super) fn finish(mut self) -> Result<S, String> {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.whole_line(&line)?;
        }
        let pending = std::mem::take(&mut self.pending);
        self.sink.bytes(&pending)?;
        if !self.complete || !self.lexer.between_statements() {
            return Err("the dump has no closing line: it ended early".into());
        }
        Ok(self.sink)
    }

    /// Where the parts went so far.
    pub(super) fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// The sink, of a part of a dump that has no closing line.
    pub(super) fn into_sink(self) -> S {
        self.sink
    }

    /// A line that begins where no statement is open (or the beginning of a very long one).
    fn whole_line(&mut self, line: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if self.complete && !text.is_empty() {
            return Err("something follows the dump's closing line".into());
        }
        if text.is_empty() || text == "--" || self.announces_routine(text) {
            self.lexer.line(line);
            self.pending.extend_from_slice(line);
            return Ok(());
        }
        if let Some(part) = self.marker(text)? {
            self.current = part.clone();
            self.sink.begin(part)?;
        }
        self.lexer.line(line);
        self.only_sql(text)?;
        self.count(line)?;
        let pending = std::mem::take(&mut self.pending);
        self.sink.bytes(&pending)?;
        self.sink.statement(text)?;
        self.sink.bytes(line)
    }

    /// Refuses what a dump program does not write and a client program would take for a command of its own, in
    /// what is kept. `line` begins a statement, or is empty.
    fn only_sql(&mut self, line: &str) -> Result<(), String> {
        let kept = matches!(self.current, Part::Object(..) | Part::ViewStub(_) | Part::View(_));
        let command = self.lexer.saw_command();
        let word: String = line.chars().take_while(char::is_ascii_alphabetic).take(20).collect();
        let begins =
            word.is_empty() && !line.starts_with('\\') || BEGINNINGS.contains(&word.to_ascii_uppercase().as_str());
        if kept && (command || !begins) {
            return Err(format!(
                "{} holds something that is no SQL of a dump program ({:?}): the database's server or its dump program \
                 is not what it should be; look at the host",
                self.current,
                crate::model::clean_line(if line.is_empty() { "a backslash outside of texts" } else { line }, 80)
            ));
        }
        Ok(())
    }

    /// Adds bytes, up to a line, to the statement that was open before them.
    fn count(&mut self, bytes: &[u8]) -> Result<(), String> {
        let length = self.statement + bytes.len() as u64;
        self.statement = if self.lexer.between_statements() { 0 } else { length };
        if length < self.most {
            return Ok(());
        }
        Err(format!(
            "{} has a row, or a definition, that takes a statement of more than {} bytes, which is the server's \
             max_allowed_packet: it could not be restored; let the server's administrator raise max_allowed_packet \
             to more than twice the largest value in it",
            self.current, self.most
        ))
    }

    /// MariaDB sets a routine's mode before the line that names it.
    fn announces_routine(&self, text: &str) -> bool {
        let routines = matches!(
            self.current,
            Part::Glue
                | Part::Object(
                    ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Package | ObjectKind::PackageBody,
                    _
                )
        );
        let saves = text.starts_with("/*!50003 SET @saved_sql_mode ");
        let sets = text.starts_with("/*!50003 SET sql_mode ") && !self.pending.is_empty() && !text.contains('@');
        routines && (saves || sets)
    }

    fn marker(&mut self, text: &str) -> Result<Option<Part>, String> {
        type Make = fn(String) -> Part;
        const NAMED: [(&str, Make); 7] = [
            ("-- Table structure for table `", |name| Part::Object(ObjectKind::Table, name)),
            ("-- Sequence structure for `", |name| Part::Object(ObjectKind::Sequence, name)),
            ("-- Temporary table structure for view `", Part::ViewStub),
            ("-- Temporary view structure for view `", Part::ViewStub),
            ("-- Final view structure for view `", Part::View),
            ("-- View structure for view `", Part::View),
            ("-- Dumping data for table `", |name| Part::Object(ObjectKind::Table, name)),
        ];
        const DROPS: [(&str, ObjectKind); 6] = [
            ("/*!50106 DROP EVENT IF EXISTS `", ObjectKind::Event),
            ("/*!50003 DROP FUNCTION IF EXISTS `", ObjectKind::Function),
            ("/*!50003 DROP PROCEDURE IF EXISTS `", ObjectKind::Procedure),
            ("/*!50003 DROP PACKAGE IF EXISTS `", ObjectKind::Package),
            ("/*!50003 DROP PACKAGE BODY IF EXISTS `", ObjectKind::PackageBody),
            ("/*!50003 DROP SEQUENCE IF EXISTS `", ObjectKind::Sequence),
        ];
        if text == "-- Dump completed" || text.starts_with("-- Dump completed on ") {
            if self.current != Part::Footer {
                return Err("the dump's closing line stands in the wrong place".into());
            }
            self.complete = true;
            return Ok(None);
        }
        for (sign, part) in NAMED {
            if let Some(rest) = text.strip_prefix(sign) {
                let part = part(name(rest.strip_suffix('`'))?);
                if !sign.starts_with("-- Dumping data") {
                    return Ok(Some(part));
                }
                return if part == self.current {
                    Ok(None)
                } else {
                    Err(format!("rows of another table follow: {text}"))
                };
            }
        }
        if let Some((kind, rest)) = DROPS.iter().find_map(|(sign, kind)| Some((*kind, text.strip_prefix(sign)?))) {
            let end = rest.find("` */");
            return Ok(Some(Part::Object(kind, name(end.map(|end| &rest[..end]))?)));
        }
        let glue = text.starts_with("-- Dumping events for database ")
            || text.starts_with("-- Dumping routines for database ")
            || text.starts_with("/*!50106 SET TIME_ZONE= @save_time_zone");
        if glue {
            return Ok(Some(Part::Glue));
        }
        let footer = text.starts_with("/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE");
        Ok(footer.then_some(Part::Footer))
    }
}

/// A quoted name without its quotes.
fn name(quoted: Option<&str>) -> Result<String, String> {
    let quoted = quoted.ok_or("a name in the dump can't be read")?;
    Ok(quoted.replace("``", "`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Kept(Vec<(Part, Vec<u8>)>);

    impl Sink for Kept {
        fn begin(&mut self, part: Part) -> Result<(), String> {
            self.0.push((part, Vec::new()));
            Ok(())
        }

        fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
            let last = self.0.last_mut().ok_or("no part")?;
            last.1.extend_from_slice(bytes);
            Ok(())
        }
    }

    const DUMP: &[u8] = include_bytes!("cases/mariadb-10.11.sql");

    fn split(dump: &[u8], piece: usize) -> Result<Vec<(Part, Vec<u8>)>, String> {
        let mut splitter = Splitter::new(Kept::default())?;
        for bytes in dump.chunks(piece) {
            splitter.feed(bytes)?;
        }
        Ok(splitter.finish()?.0)
    }

    fn names(parts: &[(Part, Vec<u8>)]) -> Vec<String> {
        let name = |part: &Part| match part {
            Part::Object(kind, name) => Some(format!("{}:{name}", kind.word())),
            Part::View(name) => Some(format!("view:{name}")),
            Part::ViewStub(name) => Some(format!("stub:{name}")),
            Part::Prelude | Part::Glue | Part::Footer => None,
        };
        parts.iter().filter_map(|(part, _)| name(part)).collect()
    }

    #[test]
    fn a_real_dump_with_hostile_bodies_is_split() {
        let parts = split(DUMP, 4096).unwrap();
        assert_eq!(
            names(&parts),
            [
                "sequence:sq",
                "table:a t",
                "table:fk",
                "stub:v1",
                "stub:v2",
                "stub:v3",
                "event:ev1",
                "event:ev2",
                "function:f1",
                "function:f2",
                "procedure:p1",
                "view:v1",
                "view:v2",
                "view:v3",
            ]
        );
        let table = &parts.iter().find(|(part, _)| matches!(part, Part::Object(_, name) if name == "a t")).unwrap().1;
        let text = String::from_utf8_lossy(table);
        assert!(text.contains("trigger tr before") && text.contains("trigger tr2 after"));
        let function = &parts.iter().find(|(part, _)| matches!(part, Part::Object(_, name) if name == "f2")).unwrap().1;
        assert!(String::from_utf8_lossy(function).starts_with("/*!50003 SET @saved_sql_mode "));
    }

    #[test]
    fn the_parts_are_the_stream_whatever_the_pieces() {
        let whole = split(DUMP, DUMP.len()).unwrap();
        for piece in [1, 2, 3, 7, 100, 4096] {
            assert_eq!(split(DUMP, piece).unwrap(), whole);
        }
        let joined: Vec<u8> = whole.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert_eq!(joined, DUMP);
    }

    #[test]
    fn a_dump_that_ends_early_is_refused() {
        let end = DUMP.len() - b"-- Dump completed\n".len();
        for cut in [0, 100, 2000, end / 2, end, end + 5] {
            assert!(split(&DUMP[..cut], 1000).is_err(), "cut at {cut}");
        }
        let mut more = DUMP.to_vec();
        more.extend_from_slice(b"DROP TABLE x;\n");
        assert!(split(&more, 1000).is_err());
    }

    #[test]
    fn a_statement_that_the_server_would_refuse_names_its_table() {
        for piece in [1, 64, DUMP.len()] {
            let mut splitter = Splitter::new(Kept::default()).unwrap().limited(400);
            let refused = DUMP.chunks(piece).find_map(|bytes| splitter.feed(bytes).err()).unwrap();
            assert!(refused.starts_with("table:a t has a row"), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn values_are_never_markers(value in "[-`'\\\\\"a-z;/*!# \n]{0,60}") {
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            let dump = format!(
                "-- head\n\n--\n-- Table structure for table `t`\n--\n\nINSERT INTO `t` VALUES ('{quoted}'),\n('x\n-- Table structure for table `evil`\n');\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n-- Dump completed\n"
            );
            let parts = split(dump.as_bytes(), 5).unwrap();
            prop_assert_eq!(names(&parts), ["table:t"]);
            let joined: Vec<u8> = parts.into_iter().flat_map(|(_, bytes)| bytes).collect();
            prop_assert_eq!(joined, dump.into_bytes());
        }
    }
}
