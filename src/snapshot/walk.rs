//! The walk: one remote command that lists everything below a site's root, with all its facts.
//!
//! May use: `remote`, `item`, `manifest`, `busybox`, `error`. Invariants: no name can be mistaken for
//! anything else; what the host prints is bounded and checked; the closing status is read before
//! the list is believed; the walk decides which programs read and write the files afterwards.

use super::attributes::{Attributes, Tool};
use super::busybox;
use super::codec::MAX_ENTRIES;
use super::error::{Result, SnapshotError};
use super::item::ItemPath;
use super::manifest::{Facts, MAX_FILE_BYTES, Problem};
use super::stream::BROKEN_PIPE;
use super::{Phase, Progress, Source};
use crate::model::{clean_line, human_bytes};
use crate::remote::{Command, RawInput, Reader};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

/// `$1`: what BusyBox's `stat` prints; then the exclusions, as an expression of `find`. Prints the host's
/// time, the account's id and groups, and before them what is only there as part of BusyBox, and what can
/// read attributes. With GNU find
/// three fields follow for each path; `-ignore_readdir_race`: what vanishes meanwhile is no error. With
/// BusyBox records of `stat` follow, and if anything went wrong the folders that can't be read.
const WALK: &str = r#"LC_ALL=C; export LC_ALL
f=$1; shift
gnu() { case $("$1" --version 2>/dev/null) in *GNU*) ;; *) return 1;; esac; }
say() { printf '%s%s %s %s\0' "$1" "$(date +%s)" "$(id -u)" "$(id -G)"; }
busy() { command -v busybox >/dev/null 2>&1 || exit 96; }
b=; gnu tar || { busy; b='busybox-tar '; }
if command -v python3 >/dev/null 2>&1; then b="${b}python "
elif command -v getfattr >/dev/null 2>&1 && command -v setfattr >/dev/null 2>&1; then b="${b}getfattr "; fi
if gnu find; then say "$b"
exec find . -ignore_readdir_race "$@" -printf '%y %m %U %G %s %T@ %C@ %i %n\0%P\0%l\0'
fi
busy; TZ=UTC0; export TZ; say "busybox-find $b"; exec 4>&1
s=$({ { busybox find . "$@" -print0; echo $? >&3; } | busybox xargs -0 -r busybox stat -c "$f" >&4; echo $? >&3; } 3>&1)
case $s in '0
0') exit 0;; '1
0'|'0
123'|'1
123') ;; *) exit 2;; esac
printf '!\n'
busybox find . "$@" -type d -print0 2>/dev/null |
busybox xargs -0 -r sh -c 'for d; do [ -r "$d" ] && [ -x "$d" ] || printf "%s\0" "$d"; done' sh
exit 1"#;

/// Reads NUL-separated paths; prints the same fields as [`WALK`], with the path as it was given.
const LOOK_AGAIN: &str = r#"LC_ALL=C; export LC_ALL
exec xargs -0 -r sh -c 'exec find "$@" -maxdepth 0 -printf "%y %m %U %G %s %T@ %C@ %i %n\0%p\0%l\0" 2>/dev/null' sh"#;
/// Reads NUL-separated paths; prints records of BusyBox's `stat` (`$1`).
const LOOK_AGAIN_BUSYBOX: &str = r#"LC_ALL=C TZ=UTC0; export LC_ALL TZ
exec busybox xargs -0 -r busybox stat -c "$1" 2>/dev/null"#;
/// The most bytes of [`LOOK_AGAIN`]'s answer.
const MAX_LOOK_BYTES: usize = 256 << 20;

/// How long a walk may take.
const WALK_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// The longest field that is read: the facts, a path, or a link's target.
const MAX_FIELD_BYTES: u64 = 16 << 10;
/// What the facts of a path count for in the list's length.
const FACTS_BYTES: u64 = 64;
/// The most bytes of all fields together: what a host says must fit into memory.
const MAX_LIST_BYTES: u64 = 256 << 20;
/// The longest path that programs on the host can open: the system's 4,096 bytes, without the
/// leading `./` and the closing NUL.
const MAX_OPEN_BYTES: usize = 4096 - 3;
/// The status of [`WALK`] when the host has neither GNU programs nor BusyBox.
const NO_TOOLS: i32 = 96;
/// In a second.
pub(super) const NANOSECONDS: i64 = 1_000_000_000;

/// What the walk says of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// `f`, `d`, `l`, `p`, `s`, `b`, `c`.
    pub(super) kind: char,
    /// Its facts.
    pub(super) facts: Facts,
    /// Its length in bytes.
    pub(super) size: u64,
    /// Where it points, if it is a link.
    pub(super) target: Vec<u8>,
}

/// Whose a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Gnu,
    BusyBox,
}

/// The programs that list, read and write a site's files on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tools {
    /// What lists.
    pub(super) find: Maker,
    /// What reads and writes: BusyBox sets times to the second only.
    pub(super) tar: Maker,
    /// What reads and writes attributes, if anything can.
    pub(super) attributes: Option<Tool>,
}

impl Tools {
    /// The time of a file that is made with these programs, where `wanted` is asked for.
    pub(super) fn settable(self, wanted: i64) -> i64 {
        match self.tar {
            Maker::Gnu => wanted,
            // BusyBox's touch takes the last second before 1970 for an error.
            Maker::BusyBox => match wanted.div_euclid(NANOSECONDS) {
                -1 => 0,
                seconds => seconds.saturating_mul(NANOSECONDS),
            },
        }
    }

    /// Whether a file that has one of these times is as near to the other as these programs can bring it.
    pub(super) fn is_near(self, found: i64, wanted: i64) -> bool {
        found == wanted || self.tar == Maker::BusyBox && self.settable(found) == self.settable(wanted)
    }
}

/// The account on the host and the programs that it has, and so what it may set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// Its user id.
    pub(super) uid: u32,
    /// Its groups; new files get the first.
    pub(super) groups: Vec<u32>,
    /// The programs.
    pub(super) tools: Tools,
}

impl Account {
    /// Whether it may do everything.
    pub(super) fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Whether it may set the mode and time of what has these facts.
    pub(super) fn can_set(&self, facts: &Facts) -> bool {
        self.is_root() || facts.uid == self.uid
    }
}

/// Everything below a root.
#[derive(Debug)]
pub(super) struct Walk {
    /// When it began, in seconds of the host's clock.
    pub(super) began: i64,
    /// Who walked.
    pub(super) account: Account,
    /// What there is, sorted by path.
    pub(super) seen: BTreeMap<ItemPath, Seen>,
    /// Folders that can't be read.
    pub(super) problems: Vec<Problem>,
}

/// The expression of `find` that leaves out what the patterns match, as the walk does.
pub fn exclusions(patterns: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for pattern in patterns {
        let pattern = pattern.trim_start_matches("./").trim_matches('/');
        if !pattern.is_empty() {
            words.extend(["-path".into(), format!("./{pattern}"), "-prune".into(), "-o".into()]);
        }
    }
    words
}

/// Walks the site.
pub(super) async fn walk(source: &Source, progress: &dyn Progress) -> Result<Walk> {
    const DOING: &str = "listing the site's files";
    let host = source.shell.host();
    let remote = || SnapshotError::remote(host, DOING);
    let says = |detail: String| SnapshotError::Host { host: host.to_owned(), doing: DOING, detail };
    let values = [busybox::FORMAT.to_owned()].into_iter().chain(exclusions(&source.exclude));
    let command = Command::script(WALK, values).in_folder(&source.root).within(WALK_TIMEOUT);
    let mut process = source.shell.start(&command).await.map_err(remote())?;
    let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
    let listed = read_list(stdout, progress).await;
    let output = process.finish().await.map_err(remote())?;
    match output.status {
        0 | 1 => {}
        BROKEN_PIPE if listed.is_err() => {}
        NO_TOOLS => {
            let detail =
                "the host has neither GNU find and tar nor BusyBox, which snapshots need; install findutils and tar";
            return Err(says(detail.into()));
        }
        126 => {
            return Err(says(format!("the folder {} is not there or not accessible", clean_line(&source.root, 200))));
        }
        status => {
            return Err(says(format!("find ended with status {status}: {}", output.tail())));
        }
    }
    let mut walk = listed.map_err(|detail| says(format!("{detail}; {}", output.tail())))?;
    if !walk.hear(&output.stderr, output.status) {
        return Err(says(format!("find ended with status {}: {}", output.status, output.tail())));
    }
    Ok(walk)
}

/// The folders that `find` could not read, from its own words. None when it says something
/// that is not understood: then nothing is believed.
fn unreadable(stderr: &[u8]) -> Option<Vec<Problem>> {
    let text = String::from_utf8_lossy(stderr);
    let problem = |line: &str| {
        let rest = line.strip_prefix("find: ")?;
        let (path, what) = rest.rsplit_once(": ")?;
        let quoted = path.strip_prefix('\'')?.strip_suffix('\'')?;
        let path = unescape(quoted)?;
        let path = path.strip_prefix(b"./").unwrap_or_default().to_vec();
        Some(Problem { path: ItemPath::new(path).ok()?, what: clean_line(what, 200) })
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(problem).collect()
}

/// What `find` quotes in the C locale: `\n`, `\\`, `\'`, `\377`.
fn unescape(quoted: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = quoted.as_bytes().iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let plain = match rest.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'v' => 11,
            b'f' => 12,
            first @ b'0'..=b'3' => {
                let octal = [first, rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&octal).ok()?, 8).ok()?
            }
            other => other,
        };
        bytes.push(plain);
    }
    Some(bytes)
}

/// Looks again at some paths: what they are now. What has gone is not in the answer.
pub(super) async fn look_again(source: &Source, find: Maker, paths: &[ItemPath]) -> Result<BTreeMap<ItemPath, Seen>> {
    const DOING: &str = "looking at files again";
    let host = source.shell.host();
    let remote = || SnapshotError::remote(host, DOING);
    let mut list = Vec::new();
    for path in paths {
        list.extend_from_slice(&path.dotted());
        list.push(0);
    }
    let command = match find {
        Maker::Gnu => Command::script(LOOK_AGAIN, [""; 0]),
        Maker::BusyBox => Command::script(LOOK_AGAIN_BUSYBOX, [busybox::FORMAT]),
    };
    let command = command
        .in_folder(&source.root)
        .reading(RawInput::Bytes(list))
        .printing_at_most(MAX_LOOK_BYTES)
        .within(WALK_TIMEOUT);
    let output = source.shell.run(&command).await.map_err(remote())?;
    let says = |detail: String| SnapshotError::Host { host: host.to_owned(), doing: DOING, detail };
    // 123: some have gone.
    if !matches!(output.status, 0 | 123) {
        return Err(says(format!("find ended with status {}: {}", output.status, output.tail())));
    }
    let mut found = BTreeMap::new();
    if find == Maker::BusyBox {
        let mut rest = output.stdout.as_slice();
        while let Some((path, seen)) = busybox::record(&mut rest).await.map_err(says)? {
            found.insert(ItemPath::new(path).map_err(|e| says(e.to_string()))?, seen);
        }
        return Ok(found);
    }
    let mut fields = output.stdout.split(|byte| *byte == 0);
    while let (Some(facts), Some(path), Some(target)) = (fields.next(), fields.next(), fields.next()) {
        let path = path.strip_prefix(b"./").unwrap_or_default();
        let path = ItemPath::new(path).map_err(|e| says(e.to_string()))?;
        let seen = seen(facts, target.to_vec()).ok_or_else(|| says(format!("its facts of {path} can't be read")))?;
        found.insert(path, seen);
    }
    Ok(found)
}

async fn read_list(stdout: Reader, progress: &dyn Progress) -> Result<Walk, String> {
    let mut input = BufReader::with_capacity(256 << 10, stdout);
    let first = field(&mut input).await?.ok_or("it listed nothing")?;
    let (began, account) = introduction(&first).ok_or("its first words are no time, user and groups")?;
    let mut walk = Walk { began, account, seen: BTreeMap::new(), problems: Vec::new() };
    let mut bytes = 0;
    loop {
        let next = match walk.account.tools.find {
            Maker::Gnu => record(&mut input).await?,
            Maker::BusyBox => busybox::record(&mut input).await?,
        };
        let Some((path, seen)) = next else { break };
        bytes += FACTS_BYTES + (path.len() + seen.target.len()) as u64;
        if bytes > MAX_LIST_BYTES {
            return Err(format!("it is longer than {}, which is the limit", human_bytes(MAX_LIST_BYTES)));
        }
        walk.enter(path, seen)?;
        let count = walk.seen.len() as u64;
        if count > MAX_ENTRIES {
            return Err(format!("more than {MAX_ENTRIES} files, which is the limit"));
        }
        if count.is_multiple_of(1000) {
            progress.at(Phase::Walking, count, 0, 0);
        }
    }
    if walk.account.tools.find == Maker::BusyBox {
        walk.problems.extend(busybox::trailer(&mut input).await?);
    }
    if walk.seen.get(&ItemPath::root()).is_none_or(|root| root.kind != 'd') {
        return Err("the root is no folder".into());
    }
    progress.at(Phase::Walking, walk.seen.len() as u64, walk.seen.len() as u64, 0);
    Ok(walk)
}

/// The three fields of GNU find.
async fn record(input: &mut BufReader<Reader>) -> Result<Option<(Vec<u8>, Seen)>, String> {
    const CUT_OFF: &str = "the list is cut off";
    let Some(facts) = field(input).await? else { return Ok(None) };
    let path = field(input).await?.ok_or(CUT_OFF)?;
    let target = field(input).await?.ok_or(CUT_OFF)?;
    match seen(&facts, target) {
        Some(seen) => Ok(Some((path, seen))),
        None => Err(format!("its facts of {} can't be read", clean_line(&String::from_utf8_lossy(&path), 200))),
    }
}

/// The host's time, the account's id, its groups; before them what is part of BusyBox and reads attributes.
fn introduction(first: &[u8]) -> Option<(i64, Account)> {
    let mut words = std::str::from_utf8(first).ok()?.split_whitespace().peekable();
    let mut has = |name| words.next_if_eq(&name).is_some();
    let made = |busybox| if busybox { Maker::BusyBox } else { Maker::Gnu };
    let (find, tar) = (made(has("busybox-find")), made(has("busybox-tar")));
    let attributes = match (has("python"), has("getfattr")) {
        (true, _) => Some(Tool::Python),
        (_, true) => Some(Tool::Getfattr),
        _ => None,
    };
    let tools = Tools { find, tar, attributes };
    let began = words.next()?.parse().ok()?;
    let uid = words.next()?.parse().ok()?;
    let groups: Vec<u32> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
    (!groups.is_empty()).then_some((began, Account { uid, groups, tools }))
}

impl Walk {
    /// Enters what the programs complained of; false if that is not understood.
    fn hear(&mut self, stderr: &[u8], status: i32) -> bool {
        match self.account.tools.find {
            Maker::Gnu => match unreadable(stderr) {
                Some(problems) if status == 0 || !problems.is_empty() => {
                    self.problems.extend(problems);
                    true
                }
                _ => false,
            },
            Maker::BusyBox => match busybox::complaints(stderr, &self.problems) {
                Some(_) if status != 0 && stderr.trim_ascii().is_empty() => false,
                Some(too_long) => {
                    too_long.iter().all(|path| path.len() > MAX_OPEN_BYTES && self.too_deep(path).is_ok())
                }
                None => false,
            },
        }
    }

    /// Enters what was seen, or why it can't be captured. A manifest that holds it must be one
    /// that is read again: nothing twice, everything below a folder.
    fn enter(&mut self, path: Vec<u8>, seen: Seen) -> Result<(), String> {
        if path.len() > MAX_OPEN_BYTES {
            return self.too_deep(&path);
        }
        let path = ItemPath::new(path).map_err(|e| e.to_string())?;
        if seen.kind == 'l' && seen.target.is_empty() {
            // It went between two looks of `find` at it.
            return Ok(());
        }
        if let Some(parent) = path.parent()
            && self.seen.get(&parent).is_none_or(|parent| parent.kind != 'd')
        {
            return Err(format!("it lists {path} below something that is no folder"));
        }
        if seen.kind == 'f' && seen.size > MAX_FILE_BYTES {
            let what = format!("it is larger than {}, which is the limit", human_bytes(MAX_FILE_BYTES));
            self.problems.push(Problem { path, what });
            return Ok(());
        }
        if self.seen.contains_key(&path) {
            return Err(format!("it lists {path} twice"));
        }
        self.seen.insert(path, seen);
        Ok(())
    }

    /// Programs can't open it by its name: the last folder above it that they can stands for it.
    fn too_deep(&mut self, path: &[u8]) -> Result<(), String> {
        let cut = path[..=MAX_OPEN_BYTES].iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let path = ItemPath::new(&path[..cut]).map_err(|e| e.to_string())?;
        if self.problems.last().is_none_or(|last| last.path != path) {
            let what = format!("what lies in it has paths of more than {MAX_OPEN_BYTES} bytes");
            self.problems.push(Problem { path, what });
        }
        Ok(())
    }
}

/// One field up to its NUL; none at the end.
async fn field(input: &mut BufReader<Reader>) -> Result<Option<Vec<u8>>, String> {
    let mut bytes = Vec::new();
    let mut bounded = input.take(MAX_FIELD_BYTES);
    bounded.read_until(0, &mut bytes).await.map_err(|e| e.to_string())?;
    match bytes.pop() {
        None => Ok(None),
        Some(0) => Ok(Some(bytes)),
        Some(last) => {
            bytes.push(last);
            let shown = clean_line(&String::from_utf8_lossy(&bytes[..bytes.len().min(100)]), 100);
            Err(format!("a field is cut off or longer than {MAX_FIELD_BYTES} bytes: {shown}"))
        }
    }
}

fn seen(facts: &[u8], target: Vec<u8>) -> Option<Seen> {
    let text = std::str::from_utf8(facts).ok()?;
    let mut words = text.split(' ');
    let kind = words.next()?;
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let uid = words.next()?.parse().ok()?;
    let gid = words.next()?.parse().ok()?;
    let size = words.next()?.parse().ok()?;
    let mtime = nanoseconds(words.next()?)?;
    let ctime = nanoseconds(words.next()?)?;
    let inode = words.next()?.parse().ok()?;
    let nlink = words.next()?.parse().ok()?;
    let kind = kind.chars().next().filter(|kind| "fdlpsbc".contains(*kind) && mode <= 0o7777)?;
    Some(Seen {
        kind,
        facts: Facts { mode, uid, gid, mtime, ctime, inode, nlink, attributes: Attributes::Unknown },
        size,
        target,
    })
}

/// `1700000000.1234567890` as nanoseconds; what does not fit is the nearest that does.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: i64 = seconds.parse().ok()?;
    let mut digits: String = fraction.chars().take(9).collect();
    while digits.len() < 9 {
        digits.push('0');
    }
    let fraction: i64 = digits.parse().ok()?;
    // Before 1970 GNU find prints the fraction that is added to the floor of the seconds.
    Some(seconds.saturating_mul(NANOSECONDS).saturating_add(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::codec;
    use crate::snapshot::item::Item;
    use crate::snapshot::manifest::{CHUNKER, Entry, Header, Manifest};

    #[test]
    fn times_keep_their_nanoseconds() {
        assert_eq!(nanoseconds("1700000000.1234567890"), Some(1_700_000_000_123_456_789));
        assert_eq!(nanoseconds("12"), Some(12_000_000_000));
        assert_eq!(nanoseconds("x"), None);
    }

    #[test]
    fn what_find_says_of_folders_is_read() {
        let said = b"find: './a b': Permission denied\nfind: './\\377\\n': Permission denied\n";
        let problems = unreadable(said).unwrap();
        assert_eq!(problems[0].path.as_bytes(), b"a b");
        assert_eq!(problems[1].path.as_bytes(), b"\xff\n");
        assert!(unreadable(b"something else").is_none());
    }

    fn read(list: &[u8]) -> Result<Walk, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read_list(Box::pin(std::io::Cursor::new(list.to_vec())), &crate::snapshot::NoProgress))
    }

    /// A list that is right, before something is done to it.
    fn list(names: &[Vec<u8>]) -> Vec<u8> {
        let mut list = b"1700000000 1000 1000 33\0d 755 0 0 5 1.0 1.0 7 1\0\0\0".to_vec();
        for (index, name) in names.iter().enumerate() {
            let kind = "dflps".as_bytes()[index % 5] as char;
            list.extend_from_slice(format!("{kind} 644 0 0 {index} 1.5 2.5 7 1\0{index}").as_bytes());
            list.extend_from_slice(name);
            list.extend_from_slice(b"\0to\0");
        }
        list
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_listed_makes_a_manifest_that_is_read_again(
            names in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..6), 0..12),
            changes in proptest::collection::vec((proptest::prelude::any::<usize>(), proptest::prelude::any::<u8>()), 0..4),
            cut in proptest::option::of(proptest::prelude::any::<usize>()),
        ) {
            let mut list = list(&names);
            for (at, byte) in changes {
                let at = at % list.len();
                list[at] = byte;
            }
            list.truncate(cut.map_or(usize::MAX, |cut| cut % list.len()));
            let Ok(walk) = read(&list) else { return Ok(()) };
            let entries = walk.seen.into_iter().map(|(path, seen)| {
                let facts = seen.facts;
                let entry = match seen.kind {
                    'd' => Entry::Dir { facts },
                    'l' => Entry::Link { facts, target: seen.target },
                    kind => Entry::Other { facts, kind: if kind == 'f' { 'p' } else { kind } },
                };
                (Item::Path(path), std::sync::Arc::new(entry))
            });
            let header = Header {
                site: "s".parse().unwrap(), taken: jiff::Timestamp::UNIX_EPOCH, walked: walk.began, tool: String::new(),
                root: "/r".into(), exclude: Vec::new(), chunker: CHUNKER.into(), database: None, previous: None,
                problems: walk.problems, attributes: false,
            };
            let manifest = Manifest { header, entries: entries.collect() };
            let bytes = codec::write_whole(&manifest, manifest.id(), Vec::new()).unwrap();
            let read = codec::read("it", bytes.as_slice(), |_| Ok(Box::new(std::io::empty()))).unwrap();
            proptest::prop_assert_eq!(read.manifest, manifest);
        }

        #[test]
        fn whatever_find_says_of_folders_does_no_harm(said in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            unreadable(&said);
            unreadable(&[b"find: './".as_slice(), &said, b"': Permission denied"].concat());
        }
    }

    #[test]
    fn facts_of_the_wrong_shape_are_refused() {
        assert!(seen(b"f 644 0 0 5 1.0 1.0 7 1", Vec::new()).is_some());
        for bad in [&b"f 644 0 0 5 1.0 1.0 7"[..], b"x 644 0 0 5 1.0 1.0 7 1", b"f 77777 0 0 5 1 1 7 1", b""] {
            assert!(seen(bad, Vec::new()).is_none());
        }
    }
}
