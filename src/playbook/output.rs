//! JSON in the output of commands, found among noise and read with bounds.

use serde_json::Value;

/// The deepest nesting that is read.
pub(super) const MAX_DEPTH: usize = 64;
/// The most values in one document: in memory each takes many times its bytes.
pub(super) const MAX_VALUES: usize = 500_000;
/// How many places where JSON could begin are tried.
const MAX_TRIES: usize = 256;
/// How many bytes are looked at in all these tries.
const MAX_LOOKED_AT: usize = 256 * 1024 * 1024;

/// Why there is no JSON.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing that could be JSON begins there.
    None,
    /// It ends in the middle.
    Cut,
    /// Deeper than the limit.
    Deep,
    /// More values than the limit.
    Many,
    /// It begins like JSON and is not.
    Broken(serde_json::Error),
}

/// The value at the beginning of `bytes`, after white space, and where it ends.
pub(super) fn value_at_start(bytes: &[u8]) -> Result<(Value, usize), Trouble> {
    let start = bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let end = start + end_of_value(&bytes[start..])?;
    let value = serde_json::from_slice(&bytes[start..end]).map_err(Trouble::Broken)?;
    Ok((value, end))
}

/// All of `bytes` as one value.
pub(super) fn whole_value(bytes: &[u8]) -> Result<Value, Trouble> {
    let bytes = bytes.trim_ascii();
    // Only for its check of the depth: the reader itself finds what follows the value.
    end_of_value(bytes)?;
    serde_json::from_slice(bytes).map_err(Trouble::Broken)
}

/// The first object or array. One that begins its line comes before one that does not.
pub(super) fn first_value(bytes: &[u8]) -> Result<Value, Trouble> {
    let (mut looked_at, mut worst) = (0usize, Trouble::None);
    let opens = |at: usize| matches!(bytes[at], b'{' | b'[');
    let begins_line = |at: usize| {
        let before = bytes[..at].iter().rev().find(|b| !matches!(b, b' ' | b'\t'));
        before.is_none_or(|b| *b == b'\n' || *b == b'\r')
    };
    let candidates = (0..bytes.len()).filter(|at| opens(*at));
    let first = candidates.clone().filter(|at| begins_line(*at));
    let second = candidates.filter(|at| !begins_line(*at));
    for at in first.take(MAX_TRIES).chain(second.take(MAX_TRIES)) {
        if looked_at > MAX_LOOKED_AT {
            break;
        }
        match value_at_start(&bytes[at..]) {
            Ok((value, _)) => return Ok(value),
            Err(trouble @ (Trouble::Deep | Trouble::Many)) => return Err(trouble),
            Err(Trouble::Cut) => {
                looked_at += bytes.len() - at;
                worst = Trouble::Cut;
            }
            Err(Trouble::Broken(error)) if matches!(worst, Trouble::None) => {
                worst = Trouble::Broken(error);
            }
            Err(_) => {}
        }
    }
    Err(worst)
}

/// Where the value that begins at the first byte ends: brackets are matched outside of texts, so
/// that nesting is known before anything recursive reads it.
fn end_of_value(bytes: &[u8]) -> Result<usize, Trouble> {
    match bytes.first() {
        None => return Err(Trouble::None),
        Some(b'{' | b'[' | b'"') => {}
        Some(b) if b.is_ascii_alphanumeric() || *b == b'-' => {
            let part_of = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
            return Ok(bytes.iter().take_while(part_of).count());
        }
        Some(_) => return Err(Trouble::None),
    }
    let (mut depth, mut in_text, mut escaped, mut values) = (0usize, false, false, 0usize);
    for (at, byte) in bytes.iter().enumerate() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_text = false,
            (true, _) => continue,
            (false, b'"') => in_text = true,
            (false, b',') => values += 1,
            (false, b'{' | b'[') => (depth, values) = (depth + 1, values + 1),
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            (false, _) => continue,
        }
        if depth > MAX_DEPTH {
            return Err(Trouble::Deep);
        }
        if values > MAX_VALUES {
            return Err(Trouble::Many);
        }
        if depth == 0 && !in_text {
            return Ok(at + 1);
        }
    }
    Err(Trouble::Cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_json_among_noise() {
        let noisy = b"[22-Nov-2026] PHP Deprecated: x[0] in y\n[{\"a\": \"]}\"}]\nSuccess: done.\n";
        assert_eq!(first_value(noisy).unwrap(), json!([{"a": "]}"}]));
        assert_eq!(first_value(b"x {\"a\": 1} y").unwrap(), json!({"a": 1}));
        assert!(matches!(first_value(b"Success: nothing"), Err(Trouble::None)));
        assert!(matches!(first_value(b"[{\"a\": 1}"), Err(Trouble::Cut) | Ok(_)));
        assert!(matches!(first_value("[".repeat(65).as_bytes()), Err(Trouble::Deep)));
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert!(matches!(whole_value(many.as_bytes()), Err(Trouble::Many)));
        assert!(matches!(whole_value(b"[1] x"), Err(Trouble::Broken(_))));
    }
}
