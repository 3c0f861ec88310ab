//! What is wrong with a document, shown with the line that has to change.

use super::node::Place;
use std::fmt;

/// The most violations that are shown.
const MAX_SHOWN: usize = 50;
/// The most characters of a line that are shown.
const MAX_LINE: usize = 100;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub problem: String,
    /// What was expected.
    pub hint: Option<String>,
}

impl Violation {
    /// A violation without a hint.
    pub fn new(place: Place, problem: impl Into<String>) -> Self {
        Self { place, problem: problem.into(), hint: None }
    }

    /// The same with what was expected.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that is wrong with one document, in the order of its lines. Its text form shows
/// for each violation the file, line, column, the line itself with carets, and the hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    file: String,
    list: Vec<(Violation, String)>,
}

impl Violations {
    /// The violations of a document, none of them twice.
    pub fn new(file: impl Into<String>, text: &str, mut list: Vec<Violation>) -> Self {
        list.sort_by_key(|violation| (violation.place.line, violation.place.column));
        list.dedup();
        let lines: Vec<&str> = text.lines().collect();
        let line = |place: &Place| lines.get(place.line - 1).copied().unwrap_or_default();
        Self {
            file: file.into(),
            list: list
                .into_iter()
                .map(|violation| {
                    let line = line(&violation.place).to_owned();
                    (violation, line)
                })
                .collect(),
        }
    }

    /// The file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The violations.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.list.iter().map(|(violation, _)| violation)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (violation, line)) in self.list.iter().take(MAX_SHOWN).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            show(f, &self.file, violation, line)?;
        }
        match self.list.len() {
            0 | 1 => Ok(()),
            n if n > MAX_SHOWN => write!(f, "\n{n} problems, {MAX_SHOWN} of them shown\n"),
            n => write!(f, "\n{n} problems\n"),
        }
    }
}

fn show(f: &mut fmt::Formatter<'_>, file: &str, violation: &Violation, line: &str) -> fmt::Result {
    let Place { line: number, column, width } = violation.place;
    let (shown, offset) = crop(line, column);
    let width = width.min(shown.chars().count().saturating_sub(offset)).max(1);
    let gutter = " ".repeat(number.to_string().len());
    writeln!(f, "{file}:{number}:{column}: {}", violation.problem)?;
    writeln!(f, "{gutter} |")?;
    writeln!(f, "{}", format!("{number} | {shown}").trim_end())?;
    writeln!(f, "{gutter} | {}{}", " ".repeat(offset), "^".repeat(width))?;
    match &violation.hint {
        Some(hint) => writeln!(f, "{gutter} = {hint}"),
        None => Ok(()),
    }
}

/// The line with passwords in addresses and values of keys that name a secret masked, character
/// for character: what is refused must not end in a log.
fn mask(line: &str) -> Vec<char> {
    let mut chars: Vec<char> = line.chars().collect();
    mask_addresses(&mut chars);
    mask_secrets(&mut chars);
    chars
}

fn mask_addresses(chars: &mut [char]) {
    let mut at = 0;
    while at + 3 <= chars.len() {
        if chars[at..at + 3] != [':', '/', '/'] {
            at += 1;
            continue;
        }
        let start = at + 3;
        let ends = |c: &char| c.is_whitespace() || matches!(c, '"' | '\'');
        let end = chars[start..].iter().position(ends).map_or(chars.len(), |n| start + n);
        let part = &chars[start..end];
        let user_end = part.iter().rposition(|c| *c == '@').unwrap_or(0);
        if let Some(colon) = part[..user_end].iter().position(|c| *c == ':') {
            chars[start + colon + 1..start + user_end].fill('*');
        }
        at = end;
    }
}

fn mask_secrets(chars: &mut [char]) {
    let colons: Vec<usize> = (0..chars.len()).filter(|at| chars[*at] == ':').collect();
    for colon in colons {
        let in_key = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '"' | '\'');
        let len = chars[..colon].iter().rev().take_while(|c| in_key(c)).count();
        let key: String = chars[colon - len..colon].iter().collect();
        let blank = chars.get(colon + 1).is_none_or(|c| c.is_whitespace());
        if !blank || !names_a_secret(&key) {
            continue;
        }
        let value = &mut chars[colon + 1..];
        let end = value.iter().position(|c| matches!(c, ',' | '}')).unwrap_or(value.len());
        for c in value[..end].iter_mut().filter(|c| !c.is_whitespace()) {
            *c = '*';
        }
    }
}

/// Whether a key is one under which people write secrets.
pub(super) fn names_a_secret(key: &str) -> bool {
    let key = key.trim_matches(['"', '\'']).to_lowercase();
    let part = |word: &str| key.split(['-', '_', '.']).any(|part| part == word);
    ["password", "passwd", "passphrase", "secret", "credential"].iter().any(|word| key.contains(word))
        || ["pass", "key", "token", "pw"].iter().any(|word| part(word))
}

/// At most [`MAX_LINE`] characters of a line around a column, fit to be shown, and the number of
/// characters before that column.
fn crop(line: &str, column: usize) -> (String, usize) {
    let chars: Vec<char> = mask(line)
        .into_iter()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') => '·',
            c => c,
        })
        .collect();
    let at = (column - 1).min(chars.len());
    if chars.len() <= MAX_LINE {
        return (chars.iter().collect(), at);
    }
    let from = at.saturating_sub(MAX_LINE / 3).min(chars.len() - MAX_LINE);
    let to = (from + MAX_LINE).min(chars.len());
    let head = if from > 0 { "…" } else { "" };
    let tail = if to < chars.len() { "…" } else { "" };
    let body: String = chars[from..to].iter().collect();
    (format!("{head}{body}{tail}"), at - from + head.chars().count())
}
