//! Reads what a page says: pure, and bounded whatever the site sent.
//!
//! May use: `model`. Invariant: nothing that leaves this file is longer than a line.

use super::observe::Hit;
use crate::model::clean_line;
use std::borrow::Cow;

/// How many characters of a title are kept.
const TITLE_CHARS: usize = 120;
/// How many characters of an excerpt are kept.
const EXCERPT_CHARS: usize = 160;
/// How far around a hit an excerpt is taken from, in bytes.
const AROUND: usize = 400;
/// Where a title is looked for, in bytes from the start.
const TITLE_WITHIN: usize = 256 << 10;
/// Where the end of the page is looked for, in bytes from the end.
const END_WITHIN: usize = 4 << 10;

/// The body as text: UTF-8, or Latin-1 where the page says so. Bytes that are not text are
/// replaced.
pub(super) fn decode<'a>(body: &'a [u8], content_type: &str) -> Cow<'a, str> {
    let content_type = content_type.to_ascii_lowercase();
    let latin = ["iso-8859-1", "windows-1252", "iso-8859-15"];
    if latin.iter().any(|name| content_type.contains(name)) {
        Cow::Owned(body.iter().map(|byte| char::from(*byte)).collect())
    } else {
        String::from_utf8_lossy(body)
    }
}

/// Whether `text` ends as HTML ends.
pub(super) fn is_closed(text: &str) -> bool {
    let from = boundary_before(text, text.len().saturating_sub(END_WITHIN));
    text[from..].to_ascii_lowercase().contains("</html")
}

/// The page's title, cleaned; none where there is none.
pub(super) fn title(text: &str) -> Option<String> {
    let text = &text[..boundary_before(text, text.len().min(TITLE_WITHIN))];
    let lower = text.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = clean_line(&resolve_entities(&text[start..end]), TITLE_CHARS);
    (!title.is_empty()).then_some(title)
}

/// Those of `needles` that are not on the page.
pub(super) fn missing(text: &str, needles: &[String]) -> Vec<String> {
    let mut resolved = None;
    let absent = |needle: &&String| {
        !text.contains(needle.as_str())
            && !resolved.get_or_insert_with(|| resolve_entities(text)).contains(needle.as_str())
    };
    needles.iter().filter(absent).cloned().collect()
}

/// Those of `needles` that are on the page, with what stands around them.
pub(super) fn hits(text: &str, needles: &[String]) -> Vec<Hit> {
    let mut resolved = None;
    let mut found = Vec::new();
    for needle in needles.iter().filter(|needle| !needle.is_empty()) {
        let excerpt = match text.find(needle.as_str()) {
            Some(at) => Some(excerpt(text, at, needle.len())),
            None => {
                let resolved: &String = resolved.get_or_insert_with(|| resolve_entities(text));
                resolved.find(needle.as_str()).map(|at| excerpt(resolved, at, needle.len()))
            }
        };
        if let Some(excerpt) = excerpt {
            found.push(Hit { text: clean_line(needle, EXCERPT_CHARS), excerpt });
        }
    }
    found
}

/// One line of what stands around `at`, without tags.
fn excerpt(text: &str, at: usize, len: usize) -> String {
    let from = boundary_before(text, at.saturating_sub(AROUND / 8));
    let to = boundary_before(text, (at + len + AROUND).min(text.len()));
    clean_line(&resolve_entities(&without_tags(&text[from..to])), EXCERPT_CHARS)
}

/// Drops what stands between `<` and `>`; half a tag at the start goes too.
fn without_tags(text: &str) -> String {
    let half_tag = match (text.find('>'), text.find('<')) {
        (Some(end), Some(start)) if end < start => end + 1,
        _ => 0,
    };
    let mut out = String::new();
    let mut inside = false;
    for c in text[half_tag..].chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// Resolves numeric entities and the named ones that stand in ordinary prose.
fn resolve_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let window = &rest.as_bytes()[..rest.len().min(12)];
        let entity =
            window.iter().position(|byte| *byte == b';').and_then(|end| Some((entity(&rest[1..end])?, end + 1)));
        match entity {
            Some((c, used)) => {
                out.push(c);
                rest = &rest[used..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    const NAMED: [(&str, char); 36] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", '\u{a0}'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("laquo", '«'),
        ("raquo", '»'),
        ("ndash", '–'),
        ("mdash", '—'),
        ("hellip", '…'),
        ("copy", '©'),
        ("reg", '®'),
        ("eacute", 'é'),
        ("Eacute", 'É'),
        ("egrave", 'è'),
        ("Egrave", 'È'),
        ("ecirc", 'ê'),
        ("euml", 'ë'),
        ("agrave", 'à'),
        ("Agrave", 'À'),
        ("acirc", 'â'),
        ("ccedil", 'ç'),
        ("Ccedil", 'Ç'),
        ("icirc", 'î'),
        ("iuml", 'ï'),
        ("ocirc", 'ô'),
        ("ugrave", 'ù'),
        ("ucirc", 'û'),
        ("uuml", 'ü'),
        ("oelig", 'œ'),
        ("euro", '€'),
    ];
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    let found = NAMED.iter().find(|(known, _)| *known == name);
    found.map(|(_, c)| *c)
}

/// The nearest place at or before `at` where a character begins.
fn boundary_before(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn titles_are_found_and_cleaned() {
        for (html, expected) in [
            ("<TITLE lang=fr>L&#8217;&eacute;t&eacute;\n &amp; nous</Title>", Some("L’été & nous")),
            ("<title></title>", None),
            ("<title>never ends", None),
            ("<title", None),
            ("no title", None),
            ("<title>a\u{202e}b\u{1b}</title>", Some("a·b·")),
        ] {
            assert_eq!(title(html).as_deref(), expected, "{html}");
        }
    }

    #[test]
    fn texts_are_found_through_entities() {
        let page = "<p>L&rsquo;&#233;t&#xe9; co&ucirc;te &lt;b&gt; &bogus; &</p>";
        assert_eq!(missing(page, &["L’été coûte <b>".into()]), Vec::<String>::new());
        assert_eq!(missing(page, &["&rsquo;".into(), "hiver".into()]), ["hiver"]);
        let page = "<div class=\"x\">\n<b>Fatal error</b>: Uncaught Error in <b>/srv/x.php</b></div>";
        let found = hits(page, &["Fatal error".into(), "Parse error".into()]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].excerpt, "Fatal error : Uncaught Error in /srv/x.php");
    }

    #[test]
    fn ends_are_seen() {
        assert!(is_closed("<html><body>é</body></HTML>\n<!-- cached -->"));
        assert!(!is_closed("<html><body><p>and th"));
        assert!(!is_closed(&format!("</html>{}", "é".repeat(5000))));
    }

    #[test]
    fn latin_pages_are_read() {
        let body = b"\xc9t\xe9";
        assert_eq!(decode(body, "text/html; charset=ISO-8859-1"), "Été");
        assert_eq!(decode("Été".as_bytes(), "text/html"), "Été");
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[<>&;#xé\u{1f600}ta-f0-9 /]{0,80}", needle in "[<&é;a]{1,3}") {
            let needles = [needle];
            prop_assert_ne!(hits(&text, &needles).is_empty(), missing(&text, &needles).is_empty());
            let _ = (title(&text), is_closed(&text));
        }
    }
}
