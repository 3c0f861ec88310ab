//! Makes text from a site fit to be shown: no control characters, no escapes, bounded.

/// One line of at most `max_chars` characters: control characters and bidirectional overrides
/// become `·`, white space is folded, a cut is marked with `…`.
pub fn clean_line(text: &str, max_chars: usize) -> String {
    let mut out = String::new();
    let mut blank = false;
    for (shown, c) in text
        .trim()
        .chars()
        .filter(|c| {
            let drop = c.is_whitespace() && blank;
            blank = c.is_whitespace();
            !drop
        })
        .enumerate()
    {
        if shown >= max_chars {
            out.push('…');
            break;
        }
        out.push(shown_char(if c.is_whitespace() { ' ' } else { c }));
    }
    out
}

/// Several lines, each cleaned as by [`clean_line`] with 400 characters; at most `max_lines`.
pub fn clean_block(text: &str, max_lines: usize) -> String {
    cleaned_lines(text, max_lines, 400)
}

/// Several lines in somebody's own words, cleaned, however long each is: at most `max_lines`, and `max_chars` in all. A cut
/// is marked with `…`.
pub fn clean_text(text: &str, max_lines: usize, max_chars: usize) -> String {
    let text = cleaned_lines(text, max_lines, max_chars);
    match text.char_indices().nth(max_chars) {
        // What was cut before bears its mark already.
        Some((end, _)) if text[end..] != *"…" => format!("{}…", &text[..end]),
        _ => text,
    }
}

fn cleaned_lines(text: &str, max_lines: usize, max_chars: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().map(|line| clean_line(line, max_chars)) {
        if line.is_empty() {
            continue;
        }
        if lines.len() >= max_lines {
            lines.push("…".into());
            break;
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// Text of any length as a terminal may get it: lines and tabs stay, other control characters and bidirectional
/// overrides become `·`.
pub fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    let keeps = |c: char| matches!(c, '\n' | '\t') || shown_char(c) == c;
    match text.chars().all(keeps) {
        true => text.into(),
        false => text.chars().map(|c| if keeps(c) { c } else { shown_char(c) }).collect::<String>().into(),
    }
}

/// A number of bytes in binary units, as people read it: `1.2 GiB`.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

fn shown_char(c: char) -> char {
    let bidi = matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || bidi || c == '\u{feff}' { '·' } else { c }
}

/// An error and its sources as one text.
pub fn in_words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_controls_are_shown_as_dots() {
        assert_eq!(clean_line("a\u{1b}[31mred\u{7}", 80), "a·[31mred·");
        assert_eq!(clean_line("x\u{202e}y", 80), "x·y");
        assert_eq!(clean_line("  many \n\t blanks ", 80), "many blanks");
        assert_eq!(clean_line("abcdef", 3), "abc…");
        assert_eq!(clean_block("a\n\n b\nc\nd", 3), "a\nb\nc\n…");
        assert_eq!(clean_text("a\n\n b\nc\nd", 3, 80), "a\nb\nc\n…");
        assert_eq!(clean_text(&"x".repeat(900), 3, 900), "x".repeat(900), "a long line is whole");
        assert_eq!(clean_text(&"é".repeat(50), 3, 10), format!("{}…", "é".repeat(10)));
        assert_eq!(clean_text("abc\ndefg", 3, 6), "abc\nde…");
        assert_eq!(harmless("a\n\tb\u{1b}]0;c\u{9b}\u{202e}\r"), "a\n\tb·]0;c···");
        assert_eq!(human_bytes(1536), "1.5 KiB");
    }
}
