//! What hosts without GNU find and tar say instead: the list that BusyBox's `stat` prints, and its
//! complaints.
//!
//! May use: `model`, `item`, `manifest`, `walk`. Invariants: a path holds no `//`, and a link's target has the
//! length that `stat` says: so no name can be mistaken; a complaint that is not understood is an error.

use super::item::ItemPath;
use super::manifest::{Facts, Problem};
use super::walk::{Seen, nanoseconds};
use crate::model::clean_line;
use memchr::memmem;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// What `stat -c` prints of a path, and a line feed. `%y` and `%z` are only read for what follows
/// their seconds; `%N` says where a link points.
pub(super) const FORMAT: &str = "%f|%u|%g|%s|%i|%h|%Y|%y|%Z|%z//%n//%N//";
/// The line after which unreadable folders stand, each ended by NUL.
const TRAILER: &[u8] = b"!\n";
/// The longest record: facts, the path, and again the path with a target.
const MAX_RECORD_BYTES: u64 = 32 << 10;

/// How a record is, as far as it was read.
enum Parsed {
    Whole(Vec<u8>, Seen),
    /// A line feed within a name or a target.
    More,
    Wrong,
}

/// The next path with what is known of it; none at the end of the list, or before its trailer. A link
/// that went between two looks at it has no target.
pub(super) async fn record(input: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<(Vec<u8>, Seen)>, String> {
    let mut bytes = Vec::new();
    loop {
        let mut bounded = (&mut *input).take(MAX_RECORD_BYTES - bytes.len() as u64);
        bounded.read_until(b'\n', &mut bytes).await.map_err(|e| e.to_string())?;
        if bytes.is_empty() || bytes == TRAILER {
            return Ok(None);
        }
        let shown = || clean_line(&String::from_utf8_lossy(&bytes[..bytes.len().min(200)]), 200);
        if bytes.last() != Some(&b'\n') || bytes.len() as u64 == MAX_RECORD_BYTES {
            return Err(format!(
                "what it says of a path is cut off or longer than {MAX_RECORD_BYTES} bytes: {}",
                shown()
            ));
        }
        match parse(&bytes) {
            Parsed::Whole(path, seen) => return Ok(Some((path, seen))),
            Parsed::More => {}
            Parsed::Wrong => return Err(format!("what it says of a path can't be read: {}", shown())),
        }
    }
}

fn parse(record: &[u8]) -> Parsed {
    let Some((facts, rest)) = split(record) else { return Parsed::Wrong };
    let Some(mut seen) = seen(facts) else { return Parsed::Wrong };
    let Some((path, rest)) = split(rest) else { return Parsed::More };
    let below = path.strip_prefix(b"./").unwrap_or_default().to_vec();
    if seen.kind == 'l' && rest == b"//\n" {
        return Parsed::Whole(below, seen);
    }
    if seen.kind != 'l' {
        let again = [path, b"//\n"].concat();
        return match again.strip_prefix(rest) {
            Some([]) => Parsed::Whole(below, seen),
            Some(_) => Parsed::More,
            None => Parsed::Wrong,
        };
    }
    let (before, after) = ([b"'", path, b"' -> '"].concat(), b"'//\n");
    let Some(length) = usize::try_from(seen.size).ok().and_then(|size| size.checked_add(before.len() + after.len()))
    else {
        return Parsed::Wrong;
    };
    if rest.len() < length {
        return Parsed::More;
    }
    if rest.len() != length || !rest.starts_with(&before) || !rest.ends_with(after) {
        return Parsed::Wrong;
    }
    seen.target = rest[before.len()..length - after.len()].to_vec();
    Parsed::Whole(below, seen)
}

/// What stands before the first `//`, and after it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memmem::find(bytes, b"//")?;
    Some((&bytes[..at], &bytes[at + 2..]))
}

fn seen(facts: &[u8]) -> Option<Seen> {
    let mut words = std::str::from_utf8(facts).ok()?.split('|');
    let raw = u32::from_str_radix(words.next()?, 16).ok()?;
    let kind = match raw & 0o170_000 {
        0o100_000 => 'f',
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o010_000 => 'p',
        0o140_000 => 's',
        0o060_000 => 'b',
        0o020_000 => 'c',
        _ => return None,
    };
    let uid = words.next()?.parse().ok()?;
    let gid = words.next()?.parse().ok()?;
    let size = words.next()?.parse().ok()?;
    let inode = words.next()?.parse().ok()?;
    let nlink = words.next()?.parse().ok()?;
    let mtime = time(words.next()?, words.next()?)?;
    let ctime = time(words.next()?, words.next()?)?;
    let facts = Facts { mode: raw & 0o7777, uid, gid, mtime, ctime, inode, nlink };
    words.next().is_none().then_some(Seen { kind, facts, size, target: Vec::new() })
}

/// Seconds, and a date such as `2001-02-03 04:05:06.123456789 +0000` that says what is above them.
fn time(seconds: &str, date: &str) -> Option<i64> {
    let fraction = date.split_once('.').map_or("0", |(_, rest)| rest.split(' ').next().unwrap_or("0"));
    nanoseconds(&format!("{seconds}.{fraction}"))
}

/// The folders that the list's trailer names.
pub(super) async fn trailer(input: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<Problem>, String> {
    let mut problems = Vec::new();
    loop {
        let mut path = Vec::new();
        let mut bounded = (&mut *input).take(MAX_RECORD_BYTES);
        bounded.read_until(0, &mut path).await.map_err(|e| e.to_string())?;
        match path.pop() {
            None => return Ok(problems),
            Some(0) => {}
            Some(_) => return Err("the list of unreadable folders is cut off".into()),
        }
        let path = ItemPath::new(path.strip_prefix(b"./").unwrap_or_default()).map_err(|e| e.to_string())?;
        problems.push(Problem { path, what: "Permission denied".into() });
    }
}

/// Reads what BusyBox complained of: what vanished meanwhile and what lies in the unreadable folders is known;
/// paths that are too long for it are returned. None when it says something that is not understood:
/// then nothing is believed.
pub(super) fn complaints(stderr: &[u8], unreadable: &[Problem]) -> Option<Vec<Vec<u8>>> {
    let mut text = stderr.to_vec();
    let one_line = |bytes: &[u8]| bytes.iter().map(|b| if *b == b'\n' { 0 } else { *b }).collect::<Vec<u8>>();
    let dotted: Vec<Vec<u8>> = unreadable.iter().map(|problem| problem.path.dotted()).collect();
    for path in dotted.iter().filter(|path| path.contains(&b'\n')) {
        text = replaced(&text, path, &one_line(path));
    }
    let shut: Vec<Vec<u8>> = dotted.iter().map(|path| one_line(path)).collect();
    let mut too_long = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let path = line.strip_prefix(b"find: ").or_else(|| line.strip_prefix(b"stat: can't stat '"))?;
        if path.ends_with(b": No such file or directory") {
            continue;
        }
        if let Some(path) = path.strip_suffix(b": File name too long") {
            too_long.push(path.strip_prefix(b"./")?.to_vec());
            continue;
        }
        let path = path.strip_suffix(b": Permission denied")?;
        let path = path.strip_suffix(b"'").filter(|_| line.starts_with(b"stat")).unwrap_or(path);
        let within = |shut: &Vec<u8>| {
            path.strip_prefix(shut.as_slice()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        if !shut.iter().any(within) {
            return None;
        }
    }
    Some(too_long)
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}
