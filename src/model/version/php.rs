//! PHP's `version_compare`, byte for byte: what looks odd here is odd there.
//!
//! May use: nothing. Invariants: agrees with `php` on every text that a [`Version`](super::Version) can be
//! (`tests.rs` asks a real one).

use std::cmp::Ordering;

/// Stands for a number where a part is compared with none (`#N#` in PHP's source).
const NUMBER: &[u8] = b"#N#";

/// The order of two versions.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    compare_bytes(a.as_bytes(), b.as_bytes())
}

/// The parts between the dots of the canonical form.
pub(super) fn parts(version: &str) -> Vec<String> {
    let canonical = canonical(version.as_bytes());
    let parts = canonical.split(|byte| *byte == b'.').filter(|part| !part.is_empty());
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// `-`, `_` and `+` become dots, and a dot stands wherever digits and others meet. The first byte stays what it is.
fn canonical(version: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| byte.is_ascii_digit();
    let other = |byte: u8| !byte.is_ascii_digit() && byte != b'.';
    let special = |byte: u8| matches!(byte, b'-' | b'_' | b'+');
    let Some((first, rest)) = version.split_first() else {
        return Vec::new();
    };
    let mut out = vec![*first];
    let mut last = *first;
    for &byte in rest {
        let turns = (other(last) && digit(byte)) || (digit(last) && other(byte));
        let dot = special(byte) || turns || !byte.is_ascii_alphanumeric();
        if dot && out.last() != Some(&b'.') {
            out.push(b'.');
        }
        if !special(byte) && (turns || byte.is_ascii_alphanumeric()) {
            out.push(byte);
        }
        last = byte;
    }
    out
}

/// The rank of a part that is no number, by how it begins; what is unknown comes before all.
fn rank(part: &[u8]) -> i8 {
    const FORMS: [(&[u8], i8); 10] = [
        (b"dev", 0),
        (b"alpha", 1),
        (b"a", 1),
        (b"beta", 2),
        (b"b", 2),
        (b"RC", 3),
        (b"rc", 3),
        (b"#", 4),
        (b"pl", 5),
        (b"p", 5),
    ];
    FORMS.iter().find(|(name, _)| part.starts_with(name)).map_or(-1, |(_, rank)| *rank)
}

fn is_number(part: &[u8]) -> bool {
    part.first().is_some_and(u8::is_ascii_digit)
}

/// A number as C's `strtol` reads it: what is too large is the largest.
fn number(part: &[u8]) -> i64 {
    let digits = part.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |sum: i64, byte| sum.saturating_mul(10).saturating_add(i64::from(byte - b'0')))
}

fn compare_parts(x: &[u8], y: &[u8]) -> Ordering {
    match (is_number(x), is_number(y)) {
        (true, true) => number(x).cmp(&number(y)),
        (false, false) => rank(x).cmp(&rank(y)),
        (true, false) => rank(NUMBER).cmp(&rank(y)),
        (false, true) => rank(x).cmp(&rank(NUMBER)),
    }
}

/// The part before the first dot, and what stands after it.
fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == b'.') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return a.len().min(1).cmp(&b.len().min(1));
    }
    let read = |text: &[u8]| if text.starts_with(b"#") { text.to_vec() } else { canonical(text) };
    let (a, b) = (read(a), read(b));
    let (mut left, mut right) = (Some(a.as_slice()), Some(b.as_slice()));
    while let (Some(x), Some(y)) = (left, right)
        && !x.is_empty()
        && !y.is_empty()
    {
        let ((x, after_x), (y, after_y)) = (split(x), split(y));
        let order = compare_parts(x, y);
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (after_x, after_y);
    }
    // What is left over decides: a number makes it newer, `rc` and the like make it older.
    match (left, right) {
        (Some(rest), _) if is_number(rest) => Ordering::Greater,
        (Some(rest), _) => compare_bytes(rest, NUMBER),
        (None, Some(rest)) if is_number(rest) => Ordering::Less,
        (None, Some(rest)) => compare_bytes(NUMBER, rest),
        (None, None) => Ordering::Equal,
    }
}
