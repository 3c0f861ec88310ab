//! Where statements of a dump begin and end, as the client program sees it.
//!
//! May use: nothing of this crate. Invariant: constant memory; bytes may come in any pieces.

/// What a byte stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    /// `'`, `"` or a backquote.
    Quoted(u8),
    LineComment,
    BlockComment,
    /// After `/*`: one more byte tells whether it is a comment or code for some versions.
    Slash,
    /// After `/*M`.
    SlashM,
}

/// Follows the text of a dump.
#[derive(Debug)]
pub(super) struct Lexer {
    state: State,
    /// Something stands between the last delimiter and here.
    open: bool,
    /// `open` before a comment began.
    was_open: bool,
    escaped: bool,
    previous: [u8; 2],
    delimiter: Vec<u8>,
    matched: usize,
    no_backslash: bool,
    ansi_quotes: bool,
    /// A command of a client program was seen.
    command: bool,
}

impl Default for Lexer {
    fn default() -> Self {
        Self {
            state: State::Code,
            open: false,
            was_open: false,
            escaped: false,
            previous: [b'\n'; 2],
            delimiter: b";".to_vec(),
            matched: 0,
            no_backslash: false,
            ansi_quotes: false,
            command: false,
        }
    }
}

impl Lexer {
    /// Whether no statement, string or comment is open.
    pub(super) fn between_statements(&self) -> bool {
        self.state == State::Code && !self.open
    }

    /// Whether a command of a client program, such as `\! id`, stood where SQL has no backslash, since this was asked last.
    /// A client that is not in binary mode would run it.
    pub(super) fn saw_command(&mut self) -> bool {
        std::mem::take(&mut self.command)
    }

    /// Reads a line that begins where no statement is open: it may set the delimiter or the mode.
    pub(super) fn line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        if let Some(delimiter) = text.strip_prefix("DELIMITER ") {
            self.delimiter = delimiter.trim().as_bytes().to_vec();
            self.matched = 0;
            self.command |= self.delimiter.is_empty() || self.delimiter.iter().any(|byte| *byte != b';');
            return;
        }
        self.read(line);
        if let Some(rest) = text.strip_prefix("/*!50003 SET sql_mode ") {
            self.no_backslash = rest.contains("NO_BACKSLASH_ESCAPES");
            self.ansi_quotes = rest.contains("ANSI_QUOTES");
        }
    }

    /// Reads bytes.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            if let State::Quoted(quote) = self.state
                && !self.escaped
            {
                // The bulk of a dump: to the next byte that can matter.
                let skip = memchr::memchr2(quote, b'\\', &bytes[at..]);
                at += skip.unwrap_or(bytes.len() - at);
            }
            if let Some(byte) = bytes.get(at) {
                self.byte(*byte);
            }
            at += 1;
        }
    }

    fn byte(&mut self, byte: u8) {
        match self.state {
            State::Code => {
                let previous = [self.previous[1], byte];
                // The end of code for some versions: its slash begins no comment.
                let closes = byte == b'/' && self.previous[1] == b'*';
                self.code(byte);
                self.previous = if closes { [0, 0] } else { previous };
                return;
            }
            State::Quoted(quote) => self.quoted(quote, byte),
            State::LineComment => {
                if byte == b'\n' {
                    self.leave_comment();
                }
            }
            State::BlockComment => {
                if byte == b'/' && self.previous[1] == b'*' {
                    self.leave_comment();
                    return;
                }
            }
            State::Slash => {
                self.state = match byte {
                    b'!' => State::Code,
                    b'M' => State::SlashM,
                    _ => State::BlockComment,
                };
                // `/*/` does not close itself.
                if byte == b'*' {
                    self.previous = [0, b'*'];
                    return;
                }
            }
            State::SlashM => {
                self.state = if byte == b'!' { State::Code } else { State::BlockComment };
            }
        }
        self.previous = [self.previous[1], byte];
    }

    fn leave_comment(&mut self) {
        self.state = State::Code;
        self.open = self.was_open;
        self.previous = [b'\n'; 2];
        self.matched = 0;
    }

    fn quoted(&mut self, quote: u8, byte: u8) {
        let backslash = match quote {
            b'`' => false,
            b'"' => !self.no_backslash && !self.ansi_quotes,
            _ => !self.no_backslash,
        };
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' && backslash {
            self.escaped = true;
        } else if byte == quote {
            // A doubled quote opens again at once, which comes to the same.
            self.state = State::Code;
        }
    }

    fn code(&mut self, byte: u8) {
        // `\N` is an old word for NULL.
        self.command |= self.previous[1] == b'\\' && byte != b'N';
        if self.delimiter.get(self.matched) == Some(&byte) {
            if self.matched == 0 {
                self.was_open = self.open;
            }
            self.open = true;
            self.matched += 1;
            if self.matched == self.delimiter.len() {
                self.matched = 0;
                self.open = false;
            }
            return;
        }
        self.matched = 0;
        let [before, last] = self.previous;
        if last == b'-' && before == b'-' && byte.is_ascii_whitespace() {
            self.state = if byte == b'\n' { State::Code } else { State::LineComment };
            self.open = self.was_open;
            return;
        }
        match byte {
            b'\'' | b'"' | b'`' => self.state = State::Quoted(byte),
            b'#' => {
                self.was_open = self.open;
                self.state = State::LineComment;
                return;
            }
            b'*' if last == b'/' => {
                self.state = State::Slash;
                return;
            }
            _ => {}
        }
        if (byte == b'-' && last != b'-') || byte == b'/' {
            self.was_open = self.open;
        }
        if !byte.is_ascii_whitespace() {
            self.open = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(text: &str) -> bool {
        let mut lexer = Lexer::default();
        lexer.read(text.as_bytes());
        let mut bytewise = Lexer::default();
        text.bytes().for_each(|byte| bytewise.read(&[byte]));
        assert_eq!(lexer.between_statements(), bytewise.between_statements());
        lexer.between_statements()
    }

    #[test]
    fn statements_end_at_their_delimiter_only() {
        for whole in [
            "select 1;\n",
            "select ';';",
            "select 'it''s \\' ;' ;",
            "-- comment ' ;\n",
            "--\n",
            "/* a ' b */\n",
            "/*!40101 SET NAMES utf8 */;\n",
            "/*M!999999\\- sandbox */;",
            "select `a;``'` ;",
            "select 1 - 2 -- rest '\n;",
            "/*!50001 select 'x */ y' */;",
            "/**/",
            "# x '\n",
        ] {
            assert!(between(whole), "{whole:?} looks open");
        }
        for open in [
            "select 1",
            "select ';",
            "/* x ;",
            "select 'a\\';",
            "select `;",
            "/*!50003 create trigger",
            "select 1 /* ; */ -- ;\n",
        ] {
            assert!(!between(open), "{open:?} looks closed");
        }
    }

    #[test]
    fn delimiters_and_modes_are_followed() {
        let mut lexer = Lexer::default();
        lexer.line(b"DELIMITER ;;\n");
        lexer.read(b"create trigger x begin a; b; end");
        assert!(!lexer.between_statements());
        lexer.read(b" ;;\n");
        assert!(lexer.between_statements());
        lexer.line(b"DELIMITER ;\n");
        lexer.line(b"/*!50003 SET sql_mode              = 'NO_BACKSLASH_ESCAPES' */ ;\n");
        lexer.read(b"select 'a\\';");
        assert!(lexer.between_statements());
    }
}
