//! Where in SQL one stands: in a statement's plain text, or in a string, a quoted name or a comment.
//!
//! May use: nothing of this crate. Invariants: a line is read as the server reads it with
//! `standard_conforming_strings`; a backslash in plain text, which would be a command of `psql`, is refused.

/// The longest tag of a dollar quote, in bytes: a name.
const MAX_TAG_BYTES: usize = 64;

/// What stands open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Open {
    /// Nothing.
    #[default]
    Plain,
    /// A string; with `escapes`, a backslash takes the next byte along.
    Text { escapes: bool },
    /// A quoted name.
    Name,
    /// A dollar quote, with its whole tag: `$body$`.
    Dollar(Vec<u8>),
    /// A comment of so many levels.
    Comment(usize),
}

/// Reads SQL line by line.
#[derive(Debug, Clone, Default)]
pub(super) struct Lexer {
    open: Open,
}

impl Lexer {
    /// Whether nothing is open.
    pub(super) fn is_plain(&self) -> bool {
        self.open == Open::Plain
    }

    /// Reads a whole line.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let mut at = 0;
        while at < line.len() {
            at = self.step(line, at)?;
        }
        Ok(())
    }

    /// Reads what begins at `at`; returns where the next begins.
    pub(super) fn step(&mut self, line: &[u8], at: usize) -> Result<usize, String> {
        let Some(byte) = line.get(at).copied() else { return Ok(at + 1) };
        let next = line.get(at + 1).copied();
        match &mut self.open {
            Open::Plain => return self.plain(line, at),
            Open::Text { escapes: true } if byte == b'\\' => return Ok(at + 2),
            // A doubled quote is read as the end of one string and the beginning of another of its sort.
            Open::Text { .. } if byte == b'\'' && next == Some(b'\'') => return Ok(at + 2),
            Open::Text { .. } if byte == b'\'' => self.open = Open::Plain,
            Open::Name if byte == b'"' => self.open = Open::Plain,
            Open::Dollar(tag) if line[at..].starts_with(tag) => {
                let end = at + tag.len();
                self.open = Open::Plain;
                return Ok(end);
            }
            Open::Comment(levels) if byte == b'/' && next == Some(b'*') => {
                *levels += 1;
                return Ok(at + 2);
            }
            Open::Comment(levels) if byte == b'*' && next == Some(b'/') => {
                *levels -= 1;
                if *levels == 0 {
                    self.open = Open::Plain;
                }
                return Ok(at + 2);
            }
            _ => {}
        }
        Ok(at + 1)
    }

    fn plain(&mut self, line: &[u8], at: usize) -> Result<usize, String> {
        let next = line.get(at + 1).copied();
        match line[at] {
            b'\\' => return Err("a backslash stands outside of all quotes".into()),
            b'\'' => self.open = Open::Text { escapes: escapes(line, at) },
            b'"' => self.open = Open::Name,
            b'-' if next == Some(b'-') => return Ok(line.len()),
            b'/' if next == Some(b'*') => {
                self.open = Open::Comment(1);
                return Ok(at + 2);
            }
            b'$' if at == 0 || !is_of_name(line[at - 1]) => {
                if let Some(tag) = dollar_tag(&line[at..]) {
                    self.open = Open::Dollar(tag.to_vec());
                    return Ok(at + tag.len());
                }
            }
            _ => {}
        }
        Ok(at + 1)
    }
}

/// Whether the quote at `at` begins a string with escapes: `E'…'`.
fn escapes(line: &[u8], at: usize) -> bool {
    let sign = at.checked_sub(1).and_then(|before| line.get(before));
    let word = at.checked_sub(2).and_then(|before| line.get(before));
    matches!(sign, Some(b'e' | b'E')) && !word.is_some_and(|byte| is_of_name(*byte))
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// The tag with which a dollar quote begins, with both of its signs.
fn dollar_tag(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().skip(1).take(MAX_TAG_BYTES).position(|byte| *byte == b'$')? + 1;
    let tag = &text[1..end];
    let fits = tag.iter().all(|byte| is_of_name(*byte)) && !tag.first().is_some_and(u8::is_ascii_digit);
    fits.then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain_after(sql: &str) -> Result<bool, String> {
        let mut lexer = Lexer::default();
        sql.as_bytes().split_inclusive(|byte| *byte == b'\n').try_for_each(|line| lexer.line(line))?;
        Ok(lexer.is_plain())
    }

    #[test]
    fn what_is_open_is_known() {
        for (sql, plain) in [
            ("select 'it''s \\' || \"a\"\"b\";\n", true),
            ("select E'it\\'s';\n", true),
            ("select name'x\\';\n", true),
            ("select 'a\nb\n", false),
            ("$f$ '' $$ \n$x$ $f$;\n", true),
            ("select $1, a$b$c;\n", true),
            ("$$ -- ' \n", false),
            ("-- it's\nselect 1;\n", true),
            ("/* a /* ' */ \n", false),
            ("/* a /* ' */ */\n", true),
            ("select '\\x00' ;\n", true),
        ] {
            assert_eq!(plain_after(sql), Ok(plain), "{sql}");
        }
        assert!(plain_after("select 1 \\! id\n").is_err());
        assert!(plain_after("'a' -- ' \\! id\n").is_ok());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(sql in "[-'\"$a1/*\\\\E \n]{0,60}") {
            let _ = plain_after(&sql);
        }
    }
}
