//! What hosts without GNU find and tar say instead: the list that BusyBox's `stat` prints, and its
//! complaints.
//!
//! May use: `model`, `item`, `manifest`, `walk`. Invariants: a path holds no `//`, and a link's target has the
//! length that `stat` says: so no name can be mistaken; a complaint that is not understood is an error.

use super::attributes::Attributes;
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

/// The most bytes of the trailer.
const MAX_TRAILER_BYTES: u64 = 16 << 20;

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
        let read = bounded.read_until(b'\n', &mut bytes).await.map_err(|e| e.to_string())?;
        if bytes.is_empty() || bytes == TRAILER {
            return Ok(None);
        }
        let shown = || clean_line(&String::from_utf8_lossy(&bytes[..bytes.len().min(200)]), 200);
        if read == 0 || bytes.last() != Some(&b'\n') || bytes.len() as u64 == MAX_RECORD_BYTES {
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
    let facts = Facts { mode: raw & 0o7777, uid, gid, mtime, ctime, inode, nlink, attributes: Attributes::Unknown };
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
    let mut bounded = input.take(MAX_TRAILER_BYTES);
    loop {
        let mut path = Vec::new();
        bounded.read_until(0, &mut path).await.map_err(|e| e.to_string())?;
        match path.pop() {
            None => return Ok(problems),
            Some(0) => {}
            Some(_) => return Err("the list of unreadable folders is cut off or too long".into()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A record as BusyBox prints it.
    fn said(path: &[u8], target: Option<&[u8]>) -> Vec<u8> {
        let raw = if target.is_some() { 0o120_777 } else { 0o104_755 };
        let size = target.map_or(7, <[u8]>::len);
        let times = "-2|1969-12-31 23:59:58.250000000 +0000|5|1970-01-01 00:00:05.000000000";
        let mut said = format!("{raw:x}|3|4|{size}|99|1|{times}//").into_bytes();
        said.extend_from_slice(&[path, b"//"].concat());
        said.extend(match target {
            Some(target) => [b"'", path, b"' -> '", target, b"'"].concat(),
            None => path.to_vec(),
        });
        said.extend_from_slice(b"//\n");
        said
    }

    fn all(mut list: &[u8]) -> Result<Vec<(Vec<u8>, Seen)>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut found = Vec::new();
        while let Some(one) = runtime.block_on(record(&mut list))? {
            found.push(one);
        }
        Ok(found)
    }

    #[test]
    fn facts_are_read() {
        let found = all(&said(b"./a b", None)).unwrap();
        let facts = Facts {
            mode: 0o4755,
            uid: 3,
            gid: 4,
            mtime: -1_750_000_000,
            ctime: 5_000_000_000,
            inode: 99,
            nlink: 1,
            attributes: Attributes::Unknown,
        };
        assert_eq!(found, [(b"a b".to_vec(), Seen { kind: 'f', facts, size: 7, target: Vec::new() })]);
        // A link that went between two looks at it.
        let gone = String::from_utf8(said(b"./l", Some(b""))).unwrap().replace("'./l' -> ''", "");
        assert_eq!(all(gone.as_bytes()).unwrap()[0].1.target, b"");
        let odd = String::from_utf8(said(b"./f", None)).unwrap();
        for (from, to) in
            [("89ed", "9ed"), ("89ed", "zz"), ("|3|", "|-3|"), ("|99|", "|"), ("//./f//./f", "//./f//./g")]
        {
            assert!(all(odd.replacen(from, to, 1).as_bytes()).is_err(), "{from} {to}");
        }
        assert!(all(&odd.as_bytes()[..odd.len() - 1]).is_err());
        // Cut off at a line feed of a name.
        let name = said(b"./a\nb", None);
        for (end, _) in name.iter().enumerate().filter(|(_, byte)| **byte == b'\n').take(2) {
            assert!(all(&name[..=end]).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_name_and_no_target_is_mistaken(
            names in proptest::collection::vec(("[\n/'|> ab!-]{1,9}", proptest::option::of("[\n/'|> ab!-]{1,9}")), 0..6)
        ) {
            let tidy = |name: &str| name.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
            let names: Vec<(String, Option<String>)> =
                names.into_iter().map(|(name, target)| (tidy(&name), target)).filter(|(name, _)| !name.is_empty()).collect();
            let list: Vec<u8> = names.iter().flat_map(|(name, target)| {
                said(format!("./{name}").as_bytes(), target.as_deref().map(str::as_bytes))
            }).collect();
            let found: Vec<(String, Option<String>)> = all(&list).unwrap().into_iter().map(|(path, seen)| {
                let text = |bytes| String::from_utf8(bytes).unwrap();
                (text(path), (seen.kind == 'l').then(|| text(seen.target)))
            }).collect();
            prop_assert_eq!(found, names);
        }

        #[test]
        fn whatever_is_said_does_no_harm(
            list in proptest::collection::vec(any::<u8>(), 0..80), at in any::<usize>(), byte in any::<u8>()
        ) {
            drop(all(&list));
            let mut one = said(b"./a\nb", Some(b"c//d"));
            let at = at % one.len();
            one[at] = byte;
            drop(all(&[one, list.clone()].concat()));
            complaints(&list, &[]);
            complaints(&[b"find: ./", list.as_slice(), b": Permission denied"].concat(), &[]);
        }
    }

    #[test]
    fn complaints_are_understood_or_nothing_is_believed() {
        let shut = |path: &str| Problem { path: ItemPath::new(path).unwrap(), what: "Permission denied".into() };
        let unreadable = [shut("d"), shut("e\nf")];
        let known = b"find: ./d: Permission denied\nstat: can't stat './d/x': Permission denied\nfind: ./gone: No such file or directory\nfind: ./e\nf: Permission denied\n";
        assert_eq!(complaints(known, &unreadable), Some(Vec::new()));
        assert_eq!(complaints(b"find: ./a/b: File name too long\n", &[]), Some(vec![b"a/b".to_vec()]));
        for unknown in ["find: ./dd: Permission denied", "find: ./d: I/O error", "xargs: stat: killed", "Killed"] {
            assert_eq!(complaints(unknown.as_bytes(), &unreadable), None, "{unknown}");
        }
    }
}
