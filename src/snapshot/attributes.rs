//! Extended attributes and access lists of paths: `user.*` and POSIX ACLs, as the system keeps them.
//!
//! May use: `remote`, `item`, `error`. Invariants: values are bytes that only go back to the host that they
//! came from; what the host prints is bounded and checked; names are of those two kinds and of no other.
//!
//! Two programs can do it, and a host has one of them, both, or none: Python 3, or `getfattr` and `setfattr`.

use super::Source;
use super::error::{Result, SnapshotError};
use super::item::{ItemPath, JsonBytes};
use crate::model::clean_line;
use crate::remote::{Command, RawInput};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of names and values of one path; the system itself allows 64 KiB for each of both.
const MAX_PATH_BYTES: usize = 256 << 10;
/// The most bytes that a host may print of all paths.
const MAX_LIST_BYTES: usize = 256 << 20;
const TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// What stands before the names of access lists.
const ACL_PREFIX: &str = "system.posix_acl_";
/// What stands before the names of attributes that belong to the file's owner.
const USER_PREFIX: &str = "user.";

/// What is known of a path's attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Attributes {
    /// They were not read.
    #[default]
    Unknown,
    /// It has none.
    None,
    /// Names and values; never empty.
    Some(Arc<BTreeMap<String, Vec<u8>>>),
}

impl Attributes {
    /// Checked names and values.
    ///
    /// # Errors
    /// When a name is none of those that are kept, or they are too long.
    pub(super) fn new(all: BTreeMap<String, Vec<u8>>) -> Result<Self, &'static str> {
        let known = |name: &String| {
            let rest = name.strip_prefix(USER_PREFIX).or_else(|| name.strip_prefix(ACL_PREFIX));
            rest.is_some_and(|rest| !rest.is_empty()) && !name.contains('\0')
        };
        if !all.keys().all(known) {
            return Err("an attribute is neither the owner's nor an access list");
        }
        if all.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_PATH_BYTES {
            return Err("its attributes are too long");
        }
        Ok(if all.is_empty() { Self::None } else { Self::Some(Arc::new(all)) })
    }

    /// Whether both are known and not the same.
    pub fn differ(&self, other: &Self) -> bool {
        !self.is_unknown() && !other.is_unknown() && self != other
    }

    /// Whether they were not read.
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }

    /// Whether it is known that there are some.
    pub fn is_some(&self) -> bool {
        matches!(self, Self::Some(_))
    }

    /// Whether it has an access list, so that the mode's bits of the group are something else.
    pub(super) fn has_access_list(&self) -> bool {
        self.iter().any(|(name, _)| name.strip_prefix(ACL_PREFIX) == Some("access"))
    }

    /// Whether both have the same access lists.
    pub(super) fn same_access_lists(&self, other: &Self) -> bool {
        let lists = |of: &Self| {
            of.iter()
                .filter(|(name, _)| name.starts_with(ACL_PREFIX))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect::<Vec<_>>()
        };
        lists(self) == lists(other)
    }

    /// Names and values, where there are some.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Vec<u8>)> {
        let all = match self {
            Self::Some(all) => Some(&**all),
            Self::Unknown | Self::None => None,
        };
        all.into_iter().flatten()
    }

    /// As they stand in a manifest.
    pub(super) fn json(&self) -> Option<JsonAttributes> {
        self.is_some().then(|| JsonAttributes(self.iter().map(|(k, v)| (k.clone(), JsonBytes::new(v))).collect()))
    }
}

/// Attributes in a manifest: bytes by name.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct JsonAttributes(BTreeMap<String, JsonBytes>);

impl JsonAttributes {
    pub(super) fn read(self) -> Result<Attributes, &'static str> {
        let value = |(name, value): (String, JsonBytes)| Ok((name, value.bytes().map_err(|_| "bad base64")?));
        match Attributes::new(self.0.into_iter().map(value).collect::<Result<_, &str>>()?)? {
            Attributes::Some(all) => Ok(Attributes::Some(all)),
            _ => Err("an empty list of attributes"),
        }
    }
}

/// What reads and writes attributes on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Python,
    Getfattr,
}

/// Reads NUL-separated paths; prints path, name and value in hexadecimal of each attribute, each ended by NUL.
/// What has gone, and what has no attributes because its filesystem knows none, has none.
const READ_PYTHON: &str = r#"exec python3 -c 'import os, sys, errno
out = sys.stdout.buffer
none = (errno.ENOENT, errno.ENOTDIR, errno.ENOTSUP, errno.ENODATA, errno.EACCES, errno.ELOOP)
for path in sys.stdin.buffer.read().split(b"\0"):
    if not path: continue
    try:
        for name in os.listxattr(path, follow_symlinks=False):
            if name.startswith(("user.", "system.posix_acl_")):
                value = os.getxattr(path, name, follow_symlinks=False).hex().encode()
                out.write(path + b"\0" + os.fsencode(name) + b"\0" + value + b"\0")
    except OSError as error:
        if error.errno not in none: raise
'"#;
/// The same as `getfattr` prints it. It complains of what has gone; its status says no more than that.
const READ_GETFATTR: &str = r#"LC_ALL=C; export LC_ALL
exec xargs -0 -r sh -c 'getfattr -h -d -e hex --absolute-names -m "^(user\.|system\.posix_acl_)" -- "$@" 2>/dev/null; exit 0' sh"#;

/// In place of a value: the attribute goes, if it is there.
const GONE: &[u8] = b"-";
/// Reads paths, names and values in hexadecimal after `0x`, each ended by NUL, and sets them; see [`GONE`].
/// A file that may not be written is opened to its owner meanwhile. All are tried; it fails when an access list
/// could not be set. Whether the others are as they should be, the next look at the site tells.
const WRITE_PYTHON: &str = r#"exec python3 -c 'import os, stat, sys, errno
def do(path, change):
    try: change()
    except PermissionError:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode): raise
        os.chmod(path, mode | 0o200)
        try: change()
        finally: os.chmod(path, stat.S_IMODE(mode))
words = sys.stdin.buffer.read().split(b"\0")[:-1]
failed = 0
for path, name, value in zip(words[::3], words[1::3], words[2::3]):
    gone = value == b"-"
    def change():
        if gone: os.removexattr(path, name, follow_symlinks=False)
        else: os.setxattr(path, name, bytes.fromhex(value[2:].decode()), follow_symlinks=False)
    try: do(path, change)
    except OSError as error:
        if name.startswith(b"user.") or gone and error.errno in (errno.ENODATA, errno.ENOTSUP): continue
        failed = 1
        print(os.fsdecode(path)[:200], os.fsdecode(name), error.strerror, file=sys.stderr)
sys.exit(failed)
'"#;
/// The same: `$1`, `$2` and `$3` of each turn are a path, a name and a value.
const WRITE_SETFATTR: &str = r#"LC_ALL=C; export LC_ALL
exec xargs -0 -r -n 3 sh -c 'change() { case $3 in -) setfattr -h -x "$2" -- "$1";; *) setfattr -h -n "$2" -v "$3" -- "$1";; esac; }
case $2$3 in system*-) change "$@" 2>/dev/null; exit 0;; system*) change "$@" || exit 1; exit 0;; esac
change "$@" 2>/dev/null && exit 0
[ -f "$1" ] && [ ! -L "$1" ] && m=$(stat -c %a -- "$1") && chmod u+w -- "$1" && { change "$@" 2>/dev/null; chmod "$m" -- "$1"; }
exit 0' sh"#;

/// The attributes of paths; those that are not in the answer have none.
pub(super) async fn read(
    source: &Source,
    tool: Tool,
    paths: impl Iterator<Item = &ItemPath>,
) -> Result<BTreeMap<ItemPath, Attributes>> {
    const DOING: &str = "reading extended attributes";
    let mut list = Vec::new();
    for path in paths {
        list.extend_from_slice(&path.dotted());
        list.push(0);
    }
    if list.is_empty() {
        return Ok(BTreeMap::new());
    }
    let host = source.shell.host();
    let script = match tool {
        Tool::Python => READ_PYTHON,
        Tool::Getfattr => READ_GETFATTR,
    };
    let command = Command::script(script, [""; 0])
        .in_folder(&source.root)
        .reading(RawInput::Bytes(list))
        .printing_at_most(MAX_LIST_BYTES)
        .within(TIMEOUT);
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    let says = |detail: String| SnapshotError::Host { host: host.to_owned(), doing: DOING, detail };
    if !output.ok() {
        return Err(says(format!("status {}: {}", output.status, output.tail())));
    }
    let parsed = match tool {
        Tool::Python => parse_fields(&output.stdout),
        Tool::Getfattr => parse_getfattr(&output.stdout),
    };
    parsed.and_then(collect).map_err(|detail| says(format!("its answer can't be read: {detail}")))
}

/// Path, name, value.
type Found = (Vec<u8>, Vec<u8>, Vec<u8>);

/// What [`READ_PYTHON`] prints.
fn parse_fields(answer: &[u8]) -> Result<Vec<Found>, String> {
    let Some(answer) = answer.strip_suffix(b"\0") else {
        return if answer.is_empty() { Ok(Vec::new()) } else { Err("it is cut off".into()) };
    };
    let words: Vec<&[u8]> = answer.split(|byte| *byte == 0).collect();
    let mut found = Vec::new();
    for three in words.chunks(3) {
        let [path, name, value] = three else { return Err("it is cut off".into()) };
        found.push((path.to_vec(), name.to_vec(), unhex(value)?));
    }
    Ok(found)
}

/// What `getfattr -d -e hex` prints: a line with the path, lines `name=0xvalue`, an empty line. Odd bytes of
/// paths and names are quoted.
fn parse_getfattr(answer: &[u8]) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut path = None;
    for line in answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if let Some(quoted) = line.strip_prefix(b"# file: ") {
            path = Some(unquoted(quoted)?);
            continue;
        }
        let shown = || clean_line(&String::from_utf8_lossy(&line[..line.len().min(100)]), 100);
        let path = path.as_ref().ok_or_else(|| format!("no path stands before {}", shown()))?;
        // An attribute without a value has no sign of equality.
        let (name, value) = match line.iter().position(|byte| *byte == b'=') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &b"0x"[..]),
        };
        let value = value.strip_prefix(b"0x").ok_or_else(|| format!("no value stands in {}", shown()))?;
        found.push((path.clone(), unquoted(name)?, unhex(value)?));
    }
    Ok(found)
}

/// `\012` as its byte.
fn unquoted(quoted: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((first, after)) = rest.split_first() {
        if *first != b'\\' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(byte.ok_or("a backslash without three octal digits")?);
        rest = &after[3..];
    }
    Ok(bytes)
}

fn unhex(digits: &[u8]) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    digits.chunks(2).map(pair).collect::<Option<_>>().ok_or_else(|| "a value is not hexadecimal".to_owned())
}

fn collect(found: Vec<Found>) -> Result<BTreeMap<ItemPath, Attributes>, String> {
    let mut all: BTreeMap<ItemPath, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for (path, name, value) in found {
        let below = if path == b"." { Some(&[][..]) } else { path.strip_prefix(b"./") };
        let below = below.ok_or("it names a path that was not asked for")?;
        let path = ItemPath::new(below).map_err(|error| error.to_string())?;
        let name = String::from_utf8(name).map_err(|_| format!("an attribute of {path} has a name that is no text"))?;
        all.entry(path).or_default().insert(name, value);
    }
    let checked = |(path, all)| match Attributes::new(all) {
        Ok(attributes) => Ok((path, attributes)),
        Err(what) => Err(format!("{path}: {what}")),
    };
    all.into_iter().map(checked).collect()
}

/// The words that give a path these attributes, for [`writer`]'s script. `before`: what it has; none where it is
/// made anew, and has what it gets from the folder above it.
pub(super) fn words(path: &ItemPath, before: Option<&Attributes>, wanted: &Attributes) -> Vec<Vec<u8>> {
    let hex = |value: &Vec<u8>| value.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let value =
        |of: &Attributes, name: &String| of.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let inherited = [ACL_PREFIX.to_owned() + "access", ACL_PREFIX.to_owned() + "default"];
    let there: Vec<&String> = match before {
        Some(before) => before.iter().map(|(name, _)| name).collect(),
        None => inherited.iter().collect(),
    };
    let gone = there.into_iter().filter(|name| value(wanted, name).is_none()).map(|name| (name, GONE.to_vec()));
    let set =
        wanted.iter().filter(|(name, wanted)| before.and_then(|before| value(before, name)).as_ref() != Some(*wanted));
    let set = set.map(|(name, value)| (name, format!("0x{}", hex(value)).into_bytes()));
    gone.chain(set).flat_map(|(name, value)| [path.dotted(), name.clone().into_bytes(), value]).collect()
}

/// The script that reads [`words`], each ended by NUL.
pub(super) fn writer(tool: Tool) -> &'static str {
    match tool {
        Tool::Python => WRITE_PYTHON,
        Tool::Getfattr => WRITE_SETFATTR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_getfattr_prints_is_read() {
        let said =
            b"# file: ./a\\012b\\134c\nuser.x\\075y=0x00ff\nuser.empty\n\n# file: .\nsystem.posix_acl_default=0x02\n\n";
        let all = collect(parse_getfattr(said).unwrap()).unwrap();
        let odd = &all[&ItemPath::new("a\nb\\c").unwrap()];
        let expected = [("user.empty".to_owned(), Vec::new()), ("user.x=y".to_owned(), vec![0, 255])];
        assert_eq!(*odd, Attributes::new(expected.into()).unwrap());
        assert!(all[&ItemPath::root()].is_some());
        for bad in ["user.x=0x00", "# file: ./a\nuser.x=00", "# file: ./a\nuser.x=0x0", "# file: ./a\\9\nuser.x=0x00"] {
            assert!(parse_getfattr(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(collect(parse_getfattr(b"# file: ./a\nsecurity.x=0x00\n").unwrap()).is_err());
        assert!(collect(parse_getfattr(b"# file: ./../a\nuser.x=0x00\n").unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn whatever_a_host_prints_does_no_harm(said in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_fields(&said).and_then(collect);
            let _ = parse_getfattr(&said).and_then(collect);
            let _ = parse_getfattr(&[b"# file: ./a\n".as_slice(), &said].concat()).and_then(collect);
        }

        #[test]
        fn manifests_give_back_what_they_are_given(
            all in proptest::collection::btree_map("user\\.[a-z =%]{1,8}", proptest::collection::vec(any::<u8>(), 0..40), 0..4),
        ) {
            let attributes = Attributes::new(all).unwrap();
            let json = serde_json::to_string(&attributes.json()).unwrap();
            let read = serde_json::from_str::<Option<JsonAttributes>>(&json).unwrap();
            prop_assert_eq!(read.map_or(Attributes::None, |json| json.read().unwrap()), attributes);
        }
    }
}
