//! The rows of statements that insert, and their literals.
//!
//! May use: `model`, and its siblings. Invariants: bytes may come in any pieces; memory is bounded by
//! [`MAX_ROW_BYTES`], whatever the rows are; any bytes give rows or a reason, never a panic; what is
//! handed out as a row's text is made of plain literals only, on one line.

use super::definition::Definition;
use crate::model::Digest;
use std::ops::Range;

/// The longest row whose text is kept, in bytes. Of a longer one only digests are.
const MAX_ROW_BYTES: usize = 32 << 20;
/// The longest value that is not in quotes, in bytes.
const MAX_WORD_BYTES: usize = 1024;
/// The longest beginning of a statement that inserts, in bytes.
const MAX_HEAD_BYTES: usize = 1 << 20;

/// A value of a row.
#[derive(Debug, Clone)]
pub(in super::super::super) struct Value {
    /// Of what it means: the same for `5` and `'5'`.
    pub(in super::super::super) digest: Digest,
    at: Range<usize>,
}

/// A row.
pub(in super::super::super) struct Row<'a> {
    values: &'a [Value],
    places: &'a [Option<usize>],
    text: &'a [u8],
    /// Whether its text is all there.
    pub(in super::super::super) whole: bool,
}

impl<'a> Row<'a> {
    /// The value of the column at this place of the definition; none where the dump has none.
    pub(in super::super::super) fn value(&self, column: usize) -> Option<&'a Value> {
        self.values.get((*self.places.get(column)?)?)
    }

    /// Its literal, as it stands in the dump.
    pub(in super::super::super) fn literal(&self, value: &Value) -> &'a [u8] {
        self.text.get(value.at.clone()).unwrap_or_default()
    }

    /// The digest of these columns' values.
    pub(in super::super::super) fn digest(&self, columns: &[usize]) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for value in columns.iter().map(|column| self.value(*column)) {
            hasher.update(value.map_or(&[][..], |value| value.digest.as_bytes()));
        }
        hasher.finalize().into()
    }

    /// The digest of all its values.
    pub(in super::super::super) fn whole_digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for place in self.places {
            let value = place.and_then(|place| self.values.get(place));
            hasher.update(value.map_or(&[0][..], |value| value.digest.as_bytes()));
        }
        hasher.finalize().into()
    }
}

/// Who looks at the rows of one table.
pub(in super::super::super) trait Visitor {
    /// The table's definition; comes once, before its rows.
    fn definition(&mut self, definition: &Definition) -> Result<(), String>;
    /// A row.
    fn row(&mut self, row: &Row<'_>) -> Result<(), String>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// `INSERT INTO … VALUES`.
    #[default]
    Head,
    /// A name in the head.
    HeadName,
    /// Before a row, or after one.
    Between,
    /// Before a value.
    Before,
    /// In a value without quotes, or in what introduces one.
    Word,
    /// In `0x…`.
    Hex,
    /// In quotes.
    Text,
    /// After a backslash in quotes.
    Escaped,
    /// After a quote in quotes: the end, or one of two.
    Quote,
    /// After a value.
    After,
    /// After the statement.
    Over,
}

/// Reads the rows of statements that insert.
#[derive(Default)]
pub(super) struct RowReader {
    state: State,
    head: Vec<u8>,
    columns: usize,
    /// For each column of the definition, which value of a row is its.
    places: Vec<Option<usize>>,
    /// How many values a row has.
    wanted: usize,
    text: Vec<u8>,
    whole: bool,
    values: Vec<Value>,
    from: usize,
    hasher: blake3::Hasher,
    word: Vec<u8>,
    digit: Option<u8>,
}

impl RowReader {
    pub(super) fn begin(&mut self, columns: usize) {
        self.state = State::Head;
        self.head.clear();
        self.columns = columns;
    }

    pub(super) fn end(&self) -> Result<(), String> {
        if self.state == State::Over { Ok(()) } else { Err("its rows end in the middle of a statement".into()) }
    }

    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        place: &dyn Fn(&str) -> Option<usize>,
        visitor: &mut impl Visitor,
    ) -> Result<(), String> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            // The bulk of a dump: to the next byte that can matter.
            if self.state == State::Text {
                let rest = &bytes[at..];
                let run = memchr::memchr3(b'\'', b'\\', b'\n', rest).unwrap_or(rest.len());
                if run > 0 {
                    self.keep(&rest[..run]);
                    self.hasher.update(&rest[..run]);
                    at += run;
                    continue;
                }
            }
            match self.state {
                State::Head | State::HeadName => self.in_head(byte, place)?,
                State::Between => self.between(byte)?,
                State::Before => self.before(byte)?,
                State::Word => self.in_word(byte)?,
                State::Hex => self.in_hex(byte)?,
                State::Text => self.in_text(byte),
                State::Escaped => self.escaped(byte),
                State::Quote => self.after_quote(byte)?,
                State::After => self.after(byte)?,
                State::Over if byte.is_ascii_whitespace() => {}
                State::Over => return Err("something follows its rows".into()),
            }
            if self.state == State::Between && !self.values.is_empty() {
                self.row(visitor)?;
            }
            at += 1;
        }
        Ok(())
    }

    fn row(&mut self, visitor: &mut impl Visitor) -> Result<(), String> {
        if self.values.len() != self.wanted {
            return Err(format!("a row has {} values where {} are due", self.values.len(), self.wanted));
        }
        let row = Row { values: &self.values, places: &self.places, text: &self.text, whole: self.whole };
        visitor.row(&row)?;
        self.values.clear();
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.text.len() + bytes.len() > MAX_ROW_BYTES {
            self.whole = false;
        }
        if self.whole {
            self.text.extend_from_slice(bytes);
        }
    }

    fn in_head(&mut self, byte: u8, place: &dyn Fn(&str) -> Option<usize>) -> Result<(), String> {
        if byte == b'`' {
            self.state = if self.state == State::Head { State::HeadName } else { State::Head };
        }
        self.head.push(byte);
        if self.head.len() > MAX_HEAD_BYTES {
            return Err("a statement that inserts rows has no rows".into());
        }
        if self.state == State::Head && self.head.ends_with(b" VALUES") {
            let named = named(&self.head)?;
            self.wanted = named.as_ref().map_or(self.columns, Vec::len);
            self.places = match named {
                None => (0..self.columns).map(Some).collect(),
                Some(names) => {
                    let mut places = vec![None; self.columns];
                    for (value, name) in names.iter().enumerate() {
                        let column = place(name).and_then(|column| places.get_mut(column));
                        *column.ok_or_else(|| format!("its rows have a column {name:?} that it has not"))? =
                            Some(value);
                    }
                    places
                }
            };
            self.state = State::Between;
        }
        Ok(())
    }

    fn between(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            b'(' => {
                self.text.clear();
                self.whole = true;
                self.state = State::Before;
            }
            b';' => self.state = State::Over,
            b',' => {}
            byte if byte.is_ascii_whitespace() => {}
            _ => return Err("something stands between its rows".into()),
        }
        Ok(())
    }

    fn before(&mut self, byte: u8) -> Result<(), String> {
        if byte.is_ascii_whitespace() {
            return Ok(());
        }
        self.from = self.text.len();
        self.hasher.reset();
        self.word.clear();
        match byte {
            b'\'' => self.open_text(),
            byte if is_word(byte) => {
                self.word.push(byte);
                self.state = State::Word;
            }
            _ => return Err("a value of a row is no literal".into()),
        }
        Ok(())
    }

    fn open_text(&mut self) {
        self.hasher.update(&[1]);
        self.keep(b"'");
        self.state = State::Text;
    }

    fn in_word(&mut self, byte: u8) -> Result<(), String> {
        let introduces = self.word.first() == Some(&b'_');
        match byte {
            byte if is_word(byte) => {
                self.word.push(byte);
                if self.word == b"0x" {
                    self.hasher.update(&[1]);
                    self.keep(b"0x");
                    self.digit = None;
                    self.state = State::Hex;
                }
                if self.word.len() > MAX_WORD_BYTES {
                    return Err("a value of a row is no literal".into());
                }
                Ok(())
            }
            // `_binary '…'`: whatever it is said to be, its bytes are what counts.
            b' ' if introduces => Ok(()),
            b'\'' if introduces => {
                let word = std::mem::take(&mut self.word);
                self.keep(&word);
                self.keep(b" ");
                self.open_text();
                Ok(())
            }
            byte => {
                let word = std::mem::take(&mut self.word);
                if word == b"NULL" {
                    self.hasher.update(&[0]);
                } else if is_number(&word) {
                    self.hasher.update(&[1]);
                    self.hasher.update(&word);
                } else {
                    return Err("a value of a row is no literal".into());
                }
                self.keep(&word);
                self.end_value();
                self.after(byte)
            }
        }
    }

    fn in_hex(&mut self, byte: u8) -> Result<(), String> {
        let Some(digit) = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()) else {
            if self.digit.is_some() {
                return Err("a value of a row is cut off".into());
            }
            self.end_value();
            return self.after(byte);
        };
        self.keep(&[byte]);
        match self.digit.take() {
            None => self.digit = Some(digit),
            Some(first) => {
                self.hasher.update(&[first * 16 + digit]);
            }
        }
        Ok(())
    }

    fn in_text(&mut self, byte: u8) {
        match byte {
            b'\'' => self.state = State::Quote,
            b'\\' => self.state = State::Escaped,
            // One row, one line.
            b'\n' => {
                self.keep(b"\\n");
                self.hasher.update(b"\n");
            }
            _ => {}
        }
    }

    fn escaped(&mut self, byte: u8) {
        let means = match byte {
            b'0' => 0,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'Z' => 26,
            other => other,
        };
        self.keep(&[b'\\', if byte == b'\n' { b'n' } else { byte }]);
        self.hasher.update(&[means]);
        self.state = State::Text;
    }

    fn after_quote(&mut self, byte: u8) -> Result<(), String> {
        if byte == b'\'' {
            self.keep(b"''");
            self.hasher.update(b"'");
            self.state = State::Text;
            return Ok(());
        }
        self.keep(b"'");
        self.end_value();
        self.after(byte)
    }

    fn end_value(&mut self) {
        let digest = self.hasher.finalize().into();
        self.values.push(Value { digest, at: self.from..self.text.len() });
        self.state = State::After;
    }

    fn after(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            b',' if self.values.len() < self.wanted => self.state = State::Before,
            b')' => self.state = State::Between,
            byte if byte.is_ascii_whitespace() => self.state = State::After,
            _ => return Err("a value of a row is no literal".into()),
        }
        Ok(())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-')
}

/// `-12`, `1.5`, `1.7976931348623157e308`.
fn is_number(word: &[u8]) -> bool {
    let digits = |part: &[u8]| part.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = word.strip_prefix(b"-").unwrap_or(word);
    let mut some = digits(rest);
    rest = &rest[some..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        some += digits(fraction);
        rest = &fraction[digits(fraction)..];
    }
    if let Some(power) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let power = power.strip_prefix(b"-").or_else(|| power.strip_prefix(b"+")).unwrap_or(power);
        rest = &power[digits(power)..];
        some = some.min(digits(power));
    }
    some > 0 && rest.is_empty()
}

/// The columns that a head names; none where it names none, which means all of them.
fn named(head: &[u8]) -> Result<Option<Vec<String>>, String> {
    let odd = || "a statement that inserts rows can't be read".to_owned();
    let text = std::str::from_utf8(head).map_err(|_| odd())?;
    let text = text.strip_suffix(" VALUES").ok_or_else(odd)?;
    let mut names: Vec<String> = Vec::new();
    let (mut rest, mut in_list) = (text, false);
    while let Some(open) = rest.find('`') {
        in_list |= rest[..open].contains('(');
        let (name, after) = quoted(&rest[open + 1..]).ok_or_else(odd)?;
        names.push(name);
        rest = after;
    }
    match (names.len(), in_list) {
        (1, false) => Ok(None),
        (2.., true) => Ok(Some(names.split_off(1))),
        _ => Err(odd()),
    }
}

/// A name up to its closing backquote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut from = 0;
    loop {
        let end = from + text[from..].find('`')?;
        if !text[end + 1..].starts_with('`') {
            return Some((text[..end].replace("``", "`"), &text[end + 1..]));
        }
        from = end + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Kept {
        rows: Vec<Vec<Vec<u8>>>,
        digests: Vec<Vec<Digest>>,
    }

    impl Visitor for Kept {
        fn definition(&mut self, _: &Definition) -> Result<(), String> {
            Ok(())
        }

        fn row(&mut self, row: &Row<'_>) -> Result<(), String> {
            assert!(row.whole);
            self.rows.push(row.values.iter().map(|value| row.literal(value).to_vec()).collect());
            self.digests.push(row.values.iter().map(|value| value.digest).collect());
            Ok(())
        }
    }

    fn read(sql: &[u8], columns: usize, piece: usize) -> Result<Kept, String> {
        let mut reader = RowReader::default();
        reader.begin(columns);
        let mut kept = Kept::default();
        for bytes in sql.chunks(piece) {
            reader.feed(bytes, &|_| None, &mut kept)?;
        }
        reader.end()?;
        Ok(kept)
    }

    #[test]
    fn a_literal_means_the_same_however_it_is_written() {
        let sql = b"INSERT INTO `t` VALUES (5,'5',0x35,_binary '5','it''s',0x69742773,'a\\n\\0\\Z\\\\',0x610a001a5c,NULL,'NULL','',0x);\n";
        let read = read(sql, 12, 3).unwrap();
        let of = &read.digests[0];
        assert!(of[0] == of[1] && of[1] == of[2] && of[2] == of[3]);
        assert!(of[4] == of[5] && of[6] == of[7] && of[8] != of[9] && of[10] == of[11] && of[8] != of[10]);
        assert_eq!(read.rows[0][3], b"_binary '5'");
    }

    #[test]
    fn a_row_is_on_one_line() {
        let read = read(b"INSERT INTO `t` VALUES ('a\nb','c\\\nd');\n", 2, 1).unwrap();
        assert_eq!(read.rows[0], [b"'a\\nb'".to_vec(), b"'c\\nd'".to_vec()]);
    }

    #[test]
    fn numbers_are_numbers() {
        for good in ["0", "-1", "1.5", ".5", "-0.10", "1e10", "1.7976931348623157e308", "1E-7", "007"] {
            assert!(is_number(good.as_bytes()), "{good}");
        }
        for bad in ["", "-", ".", "e5", "1e", "--1", "1.2.3", "+1", "0x5", "1-1", "abc"] {
            assert!(!is_number(bad.as_bytes()), "{bad}");
        }
    }

    /// As `mysql_real_escape_string` has it.
    fn escaped(bytes: &[u8]) -> Vec<u8> {
        let mut out = b"'".to_vec();
        for byte in bytes {
            match byte {
                0 => out.extend(b"\\0"),
                b'\n' => out.extend(b"\\n"),
                b'\r' => out.extend(b"\\r"),
                26 => out.extend(b"\\Z"),
                b'\'' | b'"' | b'\\' => out.extend([b'\\', *byte]),
                _ => out.push(*byte),
            }
        }
        out.push(b'\'');
        out
    }

    proptest! {
        #[test]
        fn values_come_out_as_they_went_in(
            rows in proptest::collection::vec(proptest::collection::vec(
                proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)), 3), 1..6),
            hex in any::<bool>(), piece in 1..40_usize
        ) {
            let literal = |value: &Option<Vec<u8>>| match value {
                None => b"NULL".to_vec(),
                Some(bytes) if hex => {
                    format!("0x{}", bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>()).into_bytes()
                }
                Some(bytes) => escaped(bytes),
            };
            let literals: Vec<Vec<Vec<u8>>> = rows.iter().map(|row| row.iter().map(literal).collect()).collect();
            let texts: Vec<Vec<u8>> =
                literals.iter().map(|row| [&b"("[..], &row.join(&b','), b")"].concat()).collect();
            let sql = [&b"INSERT INTO `t` VALUES\n"[..], &texts.join(&b",\n"[..]), b";\n"].concat();
            let read = read(&sql, 3, piece).unwrap();
            prop_assert_eq!(&read.rows, &literals);
            for (row, digests) in rows.iter().zip(&read.digests) {
                for (value, digest) in row.iter().zip(digests) {
                    let meant = match value {
                        None => vec![0],
                        Some(bytes) => [&[1][..], bytes].concat(),
                    };
                    prop_assert_eq!(Digest::of(&meant), *digest);
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), piece in 1..9_usize) {
            let _ = read(&bytes, 2, piece);
            let _ = read(&[&b"INSERT INTO `t` VALUES (1,"[..], &bytes].concat(), 2, piece);
        }
    }
}
