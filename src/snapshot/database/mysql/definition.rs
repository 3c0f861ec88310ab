//! What a table's definition says: its columns, what tells its rows apart, and its counter.
//!
//! May use: nothing of this crate. Invariants: any bytes give a definition or a reason, never a
//! panic; text in quotes, parentheses and comments never counts as a word of the definition.

use std::ops::Range;

/// The longest definition that is looked at, in bytes.
pub(super) const MAX_DEFINITION_BYTES: usize = 4 << 20;
/// The most columns (the servers' own limit is 4096).
const MAX_COLUMNS: usize = 8192;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super::super) struct Column {
    /// Its name.
    pub(in super::super::super) name: String,
    /// All that is said of it.
    pub(in super::super::super) says: Vec<u8>,
    /// Whether the server computes its values.
    pub(in super::super::super) computed: bool,
    never_null: bool,
}

/// A table's definition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super::super) struct Definition {
    /// Its columns, in order.
    pub(in super::super::super) columns: Vec<Column>,
    /// The columns of each key that tells every row from every other: the primary one first.
    pub(in super::super::super) keys: Vec<Vec<String>>,
    /// The next number that the server hands out, where it says one.
    pub(in super::super::super) counter: Option<u64>,
    /// Where in the statement the counter stands, with the blank before it.
    pub(super) counter_at: Option<Range<usize>>,
}

impl Definition {
    /// Where a column stands.
    pub(in super::super::super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Reads a `CREATE TABLE` statement as servers write it.
    pub(super) fn read(sql: &[u8]) -> Result<Self, String> {
        let open = find_open(sql).ok_or("its definition has no columns")?;
        let (parts, close) = parts(sql, open).ok_or("its definition ends early")?;
        let mut definition = Self::default();
        let mut keys = Vec::new();
        for part in parts {
            let part = part.trim_ascii();
            if part.first() == Some(&b'`') {
                definition.columns.push(column(part)?);
            } else if let Some((primary, list)) = unique(part) {
                keys.push((primary, list));
            }
        }
        if definition.columns.is_empty() || definition.columns.len() > MAX_COLUMNS {
            return Err("its definition has no columns, or too many".into());
        }
        let never_null = |name: &String| definition.columns.iter().any(|c| c.name == *name && c.never_null);
        keys.retain(|(primary, list): &(bool, Vec<String>)| *primary || list.iter().all(never_null));
        keys.sort_by_key(|(primary, _)| !primary);
        definition.keys = keys.into_iter().map(|(_, list)| list).filter(|list| !list.is_empty()).collect();
        if let Some((at, counter)) = counter(sql, close) {
            (definition.counter_at, definition.counter) = (Some(at), Some(counter));
        }
        Ok(definition)
    }
}

/// The end of what begins with a quote at `at`: the place after the closing one. Doubled quotes
/// open again at once, which comes to the same.
fn after_quoted(sql: &[u8], at: usize) -> usize {
    let quote = sql[at];
    let mut at = at + 1;
    while let Some(byte) = sql.get(at) {
        match byte {
            b'\\' if quote != b'`' => at += 2,
            byte if *byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    sql.len()
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'\'' | b'"' | b'`')
}

/// The parenthesis that opens the list of columns.
fn find_open(sql: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = sql.get(at) {
        match byte {
            b'(' => return Some(at),
            byte if is_quote(*byte) => at = after_quoted(sql, at),
            _ => at += 1,
        }
    }
    None
}

/// What stands between the commas of the parenthesis at `open`, and the place after its end.
fn parts(sql: &[u8], open: usize) -> Option<(Vec<&[u8]>, usize)> {
    let (mut found, mut depth, mut from, mut at) = (Vec::new(), 0_usize, open + 1, open);
    while let Some(byte) = sql.get(at) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => {
                found.push(&sql[from..at]);
                return Some((found, at + 1));
            }
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => {
                found.push(&sql[from..at]);
                from = at + 1;
            }
            byte if is_quote(*byte) => {
                at = after_quoted(sql, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The name at the beginning, in backquotes, and what follows it.
fn name(part: &[u8]) -> Result<(String, &[u8]), String> {
    let mut end = 0;
    while part.get(end) == Some(&b'`') {
        end = after_quoted(part, end).min(part.len());
    }
    let quoted = part.get(1..end.saturating_sub(1)).ok_or("a column has no name")?;
    let text = std::str::from_utf8(quoted).map_err(|_| "a column's name is not UTF-8")?;
    if text.is_empty() {
        return Err("a column has no name".into());
    }
    Ok((text.replace("``", "`"), &part[end..]))
}

/// The words outside quotes and parentheses, in capitals.
fn words(text: &[u8]) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut depth, mut at) = (Vec::new(), Vec::new(), 0_usize, 0);
    while let Some(byte) = text.get(at) {
        let part_of_word = byte.is_ascii_alphanumeric() || *byte == b'_';
        if depth == 0 && part_of_word {
            word.push(byte.to_ascii_uppercase());
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            byte if is_quote(*byte) => {
                at = after_quoted(text, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn column(part: &[u8]) -> Result<Column, String> {
    let (name, says) = name(part)?;
    let words = words(says);
    let has = |wanted: &[u8]| words.iter().any(|word| word == wanted);
    let never_null = words.windows(2).any(|pair| pair[0] == b"NOT" && pair[1] == b"NULL");
    Ok(Column { name, says: says.trim_ascii().to_vec(), computed: has(b"GENERATED") || has(b"AS"), never_null })
}

/// The columns of a primary or unique key, and whether it is the primary one. None for what is no
/// such key, or one of more than columns.
fn unique(part: &[u8]) -> Option<(bool, Vec<String>)> {
    let primary = part.starts_with(b"PRIMARY KEY");
    if !primary && !part.starts_with(b"UNIQUE KEY") {
        return None;
    }
    let (list, _) = parts(part, find_open(part)?)?;
    let column = |part: &[u8]| {
        let part = part.trim_ascii();
        (part.first() == Some(&b'`')).then(|| name(part).ok().map(|(name, _)| name)).flatten()
    };
    Some((primary, list.into_iter().map(column).collect::<Option<_>>()?))
}

/// The table's option, and where it stands.
fn counter(sql: &[u8], from: usize) -> Option<(Range<usize>, u64)> {
    const OPTION: &[u8] = b" AUTO_INCREMENT=";
    let mut at = from;
    while let Some(byte) = sql.get(at) {
        if is_quote(*byte) {
            at = after_quoted(sql, at);
            continue;
        }
        if sql[at..].starts_with(OPTION) {
            let digits = sql[at + OPTION.len()..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = at + OPTION.len() + digits;
            let number = std::str::from_utf8(&sql[at + OPTION.len()..end]).ok()?.parse().ok()?;
            return Some((at..end, number));
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SQL: &str = "CREATE TABLE `a (t` (\n  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,\n  \
        `na``me,` varchar(20) NOT NULL DEFAULT 'it''s, \\') AUTO_INCREMENT=9' COMMENT 'GENERATED, NOT NULL',\n  \
        `e` enum('a,b','c)') DEFAULT NULL,\n  `g` int(11) GENERATED ALWAYS AS (`id` * 2) STORED,\n  \
        `as` int(11) NOT NULL,\n  PRIMARY KEY (`id`,`na``me,`),\n  UNIQUE KEY `u` (`e`),\n  \
        UNIQUE KEY `w` (`as`,`na``me,`(10) DESC),\n  UNIQUE KEY `f` ((lower(`e`))),\n  KEY `k` (`e`),\n  \
        CONSTRAINT `c` FOREIGN KEY (`as`) REFERENCES `other` (`id`),\n  CONSTRAINT `p` CHECK (`as` > 1)\n) \
        ENGINE=InnoDB AUTO_INCREMENT=4711 DEFAULT CHARSET=utf8mb4 COMMENT='x AUTO_INCREMENT=8';\n";

    #[test]
    fn columns_keys_and_the_counter_are_read() {
        let read = Definition::read(SQL.as_bytes()).unwrap();
        let names: Vec<&str> = read.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "na`me,", "e", "g", "as"]);
        let computed: Vec<bool> = read.columns.iter().map(|column| column.computed).collect();
        assert_eq!(computed, [false, false, false, true, false]);
        assert_eq!(read.keys, [vec!["id", "na`me,"], vec!["as", "na`me,"]]);
        assert_eq!(read.counter, Some(4711));
        let at = read.counter_at.unwrap();
        assert_eq!(&SQL[at], " AUTO_INCREMENT=4711");
        let none =
            Definition::read(b"CREATE TABLE `t` (\n  `a` int\n) ENGINE=Aria COMMENT=' AUTO_INCREMENT=7'").unwrap();
        assert_eq!((none.counter, none.keys.len()), (None, 0));
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        for odd in
            ["", "CREATE TABLE `t`", "CREATE TABLE `t` (", "CREATE TABLE `t` ()", "CREATE TABLE `t` (``)", "(`", "(`a`"]
        {
            assert!(Definition::read(odd.as_bytes()).is_err(), "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..SQL.len()) {
            let _ = Definition::read(&bytes);
            let _ = Definition::read(&[&SQL.as_bytes()[..cut], &bytes[..]].concat());
        }
    }
}
