//! Splits the stream of `pg_dump` into rows of tables, values of sequences, and what is defined before and
//! after them.
//!
//! May use: its siblings. Invariants: a heading is believed only where nothing is open; rows go through without
//! being held; definitions are bounded; a dump without its closing line, or with anything that is not known
//! in that place, is an error; random words that the program prints are no part of what comes out.

use super::definitions::{Heading, respelled};
use super::lexer::Lexer;

/// The most bytes of all definitions.
pub(super) const MAX_DEFINITIONS_BYTES: usize = 64 << 20;
/// The most sequences.
const MAX_SEQUENCES: usize = 100_000;
/// The line after the rows of a table; a backslash within a row is doubled.
const END_OF_ROWS: &[u8] = b"\\.\n";

/// Looks for the end of a table's rows.
pub(super) struct EndOfRows {
    /// How much of [`END_OF_ROWS`] the line has so far; none if it is another line.
    seen: Option<usize>,
}

impl Default for EndOfRows {
    fn default() -> Self {
        Self { seen: Some(0) }
    }
}

impl EndOfRows {
    /// Where in the next bytes the end is reached.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match self.seen {
                Some(count) if END_OF_ROWS.get(count) == Some(&bytes[at]) => {
                    at += 1;
                    self.seen = Some(count + 1);
                    if self.is_found() {
                        return Some(at);
                    }
                }
                _ => {
                    let end = memchr::memchr(b'\n', &bytes[at..]);
                    self.seen = end.map(|_| 0);
                    at = end.map_or(bytes.len(), |end| at + end + 1);
                }
            }
        }
        None
    }

    /// Whether it was reached.
    pub(super) fn is_found(&self) -> bool {
        self.seen == Some(END_OF_ROWS.len())
    }
}

/// Where rows go.
pub(super) trait Rows {
    /// The rows of a table follow, with the line before and the line after them.
    fn begin(&mut self, table: &str) -> Result<(), String>;
    /// Bytes of the table that began last.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String>;
}

/// What stands around the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Around {
    /// Definitions before the rows.
    pub(super) before: Vec<u8>,
    /// Definitions after them.
    pub(super) after: Vec<u8>,
    /// Names of sequences, and the statements that set their values.
    pub(super) sequences: Vec<(String, Vec<u8>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Settings before the first heading.
    Prelude,
    Before,
    /// Below the heading of a table's rows.
    Table,
    Sequence,
    After,
    /// After the closing line.
    End,
}

/// Reads a dump in pieces of any length.
pub(super) struct Splitter<R> {
    rows: R,
    lexer: Lexer,
    place: Place,
    /// The beginning of a line.
    line: Vec<u8>,
    /// A line that belongs to a heading, if one follows.
    dashes: bool,
    /// Within rows: looks for their end.
    in_rows: Option<EndOfRows>,
    around: Around,
}

impl<R: Rows> Splitter<R> {
    pub(super) fn new(rows: R) -> Self {
        Self {
            rows,
            lexer: Lexer::default(),
            place: Place::Prelude,
            line: Vec::new(),
            dashes: false,
            in_rows: None,
            around: Around::default(),
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            let taken = if self.in_rows.is_some() { self.feed_rows(bytes)? } else { self.feed_line(bytes)? };
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Takes rows, up to their end.
    fn feed_rows(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let Some(rows) = &mut self.in_rows else { return Ok(0) };
        let end = rows.find(bytes);
        if end.is_some() {
            self.in_rows = None;
        }
        let taken = end.unwrap_or(bytes.len());
        self.rows.bytes(&bytes[..taken])?;
        Ok(taken)
    }

    fn feed_line(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let end = memchr::memchr(b'\n', bytes).map(|end| end + 1);
        let taken = end.unwrap_or(bytes.len());
        self.line.extend_from_slice(&bytes[..taken]);
        self.bounded(self.line.len())?;
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.whole_line(&line)?;
        }
        Ok(taken)
    }

    fn bounded(&self, more: usize) -> Result<(), String> {
        match self.around.before.len() + self.around.after.len() + more > MAX_DEFINITIONS_BYTES {
            true => Err(format!("the definitions take more than {MAX_DEFINITIONS_BYTES} bytes")),
            false => Ok(()),
        }
    }

    /// Ends the stream; an error when it is not complete.
    pub(super) fn finish(mut self) -> Result<(R, Around), String> {
        if self.place != Place::End || !self.line.is_empty() {
            return Err("the dump has no closing line: it ended early".into());
        }
        self.around.before = respelled(&self.around.before)?;
        self.around.after = respelled(&self.around.after)?;
        Ok((self.rows, self.around))
    }

    /// The rows so far.
    pub(super) fn rows(&mut self) -> &mut R {
        &mut self.rows
    }

    fn whole_line(&mut self, line: &[u8]) -> Result<(), String> {
        if !self.lexer.is_plain() {
            self.lexer.line(line)?;
            return self.keep(line);
        }
        if line == b"--\n" {
            self.dashes = true;
            return Ok(());
        }
        let after_dashes = std::mem::take(&mut self.dashes);
        if line == b"-- PostgreSQL database dump complete\n" && self.place != Place::End {
            self.place = Place::End;
            return Ok(());
        }
        if after_dashes
            && self.place != Place::End
            && let Some(heading) = Heading::read(line)
        {
            return self.heading(&heading, line);
        }
        match self.place {
            _ if line == b"\n" && self.place != Place::Before && self.place != Place::After => Ok(()),
            Place::Prelude if is_setting(line) => Ok(()),
            Place::End if line.starts_with(b"\\unrestrict ") => Ok(()),
            Place::End => Err("something follows the dump's closing line".into()),
            Place::Before | Place::After => {
                self.lexer.line(line)?;
                self.keep(line)
            }
            Place::Table if line.starts_with(b"COPY ") => {
                let table = copied_table(line)?;
                self.rows.begin(&table)?;
                self.rows.bytes(line)?;
                self.in_rows = Some(EndOfRows::default());
                Ok(())
            }
            Place::Sequence if line.starts_with(b"SELECT ") => {
                let (name, _) = sequence_value(line)?;
                self.around.sequences.push((name, line.to_vec()));
                match self.around.sequences.len() > MAX_SEQUENCES {
                    true => Err(format!("there are more than {MAX_SEQUENCES} sequences")),
                    false => Ok(()),
                }
            }
            // What the program sets for what comes next, after tables or sequences too.
            Place::Prelude | Place::Table | Place::Sequence if line.starts_with(b"SET default_") => {
                self.lexer.line(line)?;
                self.keep(line)
            }
            _ => Err(format!("a line in the dump is not known: {}", String::from_utf8_lossy(line).trim_end())),
        }
    }

    fn heading(&mut self, heading: &Heading, line: &[u8]) -> Result<(), String> {
        let rows_were = matches!(self.place, Place::Table | Place::Sequence);
        let next = match heading.kind.as_str() {
            "TABLE DATA" => Place::Table,
            "SEQUENCE SET" => Place::Sequence,
            "BLOB" | "BLOBS" | "BLOB METADATA" | "LARGE OBJECT" => {
                return Err("it holds large objects, which snapshots do not take".into());
            }
            _ if rows_were || self.place == Place::After => Place::After,
            _ => Place::Before,
        };
        if self.place == Place::After && next != Place::After {
            return Err(format!("rows follow definitions that come after all rows: {}", heading.name));
        }
        self.place = next;
        match next {
            Place::Before | Place::After => {
                self.keep(b"--\n")?;
                self.keep(line)?;
                self.keep(b"--\n")
            }
            _ => Ok(()),
        }
    }

    /// Keeps a part of the definitions.
    fn keep(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.bounded(bytes.len())?;
        match self.place {
            Place::Prelude | Place::Before => self.around.before.extend_from_slice(bytes),
            _ => self.around.after.extend_from_slice(bytes),
        }
        Ok(())
    }
}

/// A setting of the session, or what the program says of itself.
fn is_setting(line: &[u8]) -> bool {
    const SESSION: &[u8] = b"SELECT pg_catalog.set_config('search_path', '', false);\n";
    let begins = |with: &[u8]| line.starts_with(with);
    (begins(b"SET ") && !begins(b"SET default_")) || begins(b"-- ") || begins(b"\\restrict ") || line == SESSION
}

/// The table of `COPY public."my table" (a, b) FROM stdin;`, as it is written there.
pub(super) fn copied_table(line: &[u8]) -> Result<String, String> {
    let wrong = || "a table's name in the dump can't be read; rename the table".to_owned();
    let text = std::str::from_utf8(line).map_err(|_| wrong())?;
    let rest = text.strip_prefix("COPY ").filter(|_| text.ends_with(" FROM stdin;\n")).ok_or_else(wrong)?;
    let mut quoted = false;
    let end = rest.find(|character: char| {
        quoted ^= character == '"';
        character == ' ' && !quoted
    });
    end.map(|end| rest[..end].to_owned()).filter(|name| is_qualified(name)).ok_or_else(wrong)
}

/// Whether this is a schema, a dot and a name, quoted where it must be, and nothing else.
pub(super) fn is_qualified(name: &str) -> bool {
    let part = |text: &str| -> Option<usize> {
        if text.starts_with('"') {
            let mut at = 1;
            loop {
                at += text.get(at..)?.find('"')?;
                if !text[at + 1..].starts_with('"') {
                    return (at > 1).then_some(at + 1);
                }
                at += 2;
            }
        }
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let end = text.find(|c| !plain(c)).unwrap_or(text.len());
        (end > 0).then_some(end)
    };
    let split = part(name).and_then(|end| name[end..].strip_prefix('.'));
    !name.contains(char::is_control) && split.is_some_and(|rest| part(rest) == Some(rest.len()))
}

/// The name in `SELECT pg_catalog.setval('public.s', 5, true);`, and whether it is just that.
pub(super) fn sequence_value(line: &[u8]) -> Result<(String, String), String> {
    let wrong = || "a sequence's value in the dump can't be read; rename the sequence".to_owned();
    let text = std::str::from_utf8(line).map_err(|_| wrong())?.trim_end_matches('\n');
    let rest = text.strip_prefix("SELECT pg_catalog.setval('").ok_or_else(wrong)?;
    let (literal, value) = rest.rsplit_once("', ").ok_or_else(wrong)?;
    let (number, called) = value.strip_suffix(");").and_then(|value| value.split_once(", ")).ok_or_else(wrong)?;
    let name = literal.replace("''", "'");
    let whole = name.replace('\'', "''") == literal && is_qualified(&name);
    let known = number.parse::<i64>().is_ok() && matches!(called, "true" | "false");
    if whole && known { Ok((name, value.to_owned())) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Kept(Vec<(String, Vec<u8>)>);

    impl Rows for Kept {
        fn begin(&mut self, table: &str) -> Result<(), String> {
            self.0.push((table.to_owned(), Vec::new()));
            Ok(())
        }

        fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
            self.0.last_mut().ok_or("no table")?.1.extend_from_slice(bytes);
            Ok(())
        }
    }

    const DUMP: &[u8] = include_bytes!("cases/pg_dump-15.sql");

    type Tables = Vec<(String, Vec<u8>)>;

    fn split(dump: &[u8], piece: usize) -> Result<(Tables, Around), String> {
        let mut splitter = Splitter::new(Kept::default());
        for bytes in dump.chunks(piece) {
            splitter.feed(bytes)?;
        }
        splitter.finish().map(|(rows, around)| (rows.0, around))
    }

    #[test]
    fn a_real_dump_with_hostile_names_and_bodies_is_split() {
        let (rows, around) = split(DUMP, 4096).unwrap();
        let tables: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            tables,
            [
                "\"other one\".t",
                "public.\"Odd \"\"name; Type: VIEW\"",
                "public.base",
                "public.child",
                "public.kinds",
                "public.parted_a",
                "public.parted_b",
                "public.people",
                "public.pets",
                "public.refs",
            ]
        );
        let sequences: Vec<&str> = around.sequences.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(sequences.len(), 5, "{sequences:?}");
        let people = String::from_utf8(rows[7].1.clone()).unwrap();
        assert!(people.starts_with("COPY public.people (id, name, state, boss, best) FROM stdin;\n2\t"), "{people}");
        assert!(people.contains("tab\\there\\nline\\\\.\\n\\\\N") && people.ends_with("\n\\.\n"), "{people}");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (before, after) = (text(&around.before), text(&around.after));
        assert!(before.contains("CREATE FUNCTION public.f(") && before.contains("-- Name: evil; Type: TABLE; Schema"));
        assert!(before.contains("(state)::text = ANY (ARRAY[('new'::character varying)::text, ('old'::"), "{before}");
        assert!(!before.contains("CREATE TRIGGER") && after.contains("CREATE TRIGGER t1"));
        assert!(!(before + &after).contains("restrict "));
    }

    #[test]
    fn pieces_and_random_words_make_no_difference() {
        let whole = split(DUMP, DUMP.len()).unwrap();
        for piece in [1, 2, 3, 7, 100] {
            assert_eq!(split(DUMP, piece).unwrap(), whole);
        }
        let text = String::from_utf8(DUMP.to_vec()).unwrap();
        let word = text.lines().find_map(|line| line.strip_prefix("\\restrict ")).unwrap();
        assert_eq!(split(text.replace(word, "other").as_bytes(), 100).unwrap(), whole);
        let without = text.replace(&format!("\\restrict {word}\n"), "").replace(&format!("\\unrestrict {word}\n"), "");
        assert_eq!(split(without.as_bytes(), 100).unwrap(), whole);
    }

    #[test]
    fn a_dump_that_ends_early_or_says_too_much_is_refused() {
        let end = DUMP.windows(9).rposition(|window| window == b"complete\n").unwrap();
        for cut in (0..end).step_by(97).chain([end]) {
            assert!(split(&DUMP[..cut], 1000).is_err(), "cut at {cut}");
        }
        assert!(split(&[DUMP, b"DROP TABLE x;\n"].concat(), 1000).is_err());
        let text = String::from_utf8(DUMP.to_vec()).unwrap();
        for (this, other) in [
            ("CREATE TABLE public.base", "\\! id\nCREATE TABLE public.base"),
            ("COPY public.base (a, b) FROM stdin;", "COPY public.base (a, b) FROM PROGRAM 'id';"),
            ("SELECT pg_catalog.setval('public.sq', ", "SELECT pg_catalog.setval('public.sq', 1, true); SELECT f("),
            ("Type: TABLE DATA; Schema: public", "Type: BLOBS; Schema: public"),
        ] {
            assert!(text.contains(this), "{this}");
            assert!(split(text.replace(this, other).as_bytes(), 1000).is_err(), "{other}");
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for good in ["public.a", "\"a.b\".\"c\"\"d\"", "public.\"a b\"", "é.ü$1"] {
            assert!(is_qualified(good), "{good}");
        }
        for bad in ["a", "a.b.c", "public.a b", "\"a.b", "a.\"b\"c", ".", "a.", "\"\".a", "a.\"b\n\""] {
            assert!(!is_qualified(bad), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn rows_and_names_are_never_headings(
            values in proptest::collection::vec("[-a\\\\.\t '\"$;]{0,12}", 0..6),
            name in "[-a.\"' ;:$\\\\]{1,20}",
            piece in 1_usize..40,
        ) {
            // As the server writes them: a backslash is doubled.
            let rows: String = values.iter().map(|value| value.replace('\\', "\\\\").replace('\t', "\\t") + "\n").collect();
            let quoted = format!("public.\"{}\"", name.replace('"', "\"\""));
            let copy = format!("COPY {quoted} (a) FROM stdin;\n{rows}\\.\n");
            let literal = name.replace('\'', "''");
            let dump = format!(
                "--\n-- PostgreSQL database dump\n--\n\n\\restrict x\n\nSET a = 0;\n\n--\n-- Name: {name}; Type: TABLE; Schema: public; \
                 Owner: o\n--\n\nCREATE TABLE {quoted} (\n    a text DEFAULT '{literal}'\n);\n\n\n--\n-- Data for Name: {name}; \
                 Type: TABLE DATA; Schema: public; Owner: o\n--\n\n{copy}\n\n--\n-- PostgreSQL database dump complete\n--\n\n\
                 \\unrestrict x\n\n"
            );
            let (tables, around) = split(dump.as_bytes(), piece).unwrap();
            prop_assert_eq!(&tables, &[(quoted.clone(), copy.into_bytes())]);
            let before = String::from_utf8(around.before).unwrap();
            let end = format!("DEFAULT '{literal}'\n);\n\n\n");
            prop_assert!(before.ends_with(&end) && around.after.is_empty());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 0..DUMP.len(), skip in 0..200_usize) {
            let rest = &DUMP[(cut + skip).min(DUMP.len())..];
            let _ = split(&[&DUMP[..cut], &bytes[..], rest].concat(), 1000);
        }
    }
}
