//! Manifests as bytes: zstd-compressed JSON lines; a header, the entries, a footer. The entries are
//! a line each where the manifest is whole (in exports, and in files of older versions); in a
//! store they are a content like any other, so that two snapshots share the lines that are equal.
//!
//! May use: `model`, `item`, `manifest`, `error`. Invariants: an unknown version is refused
//! before anything else is believed; lines, entries and bytes are bounded; entries are sorted,
//! unique, and below folders of the same manifest; the footer's digest covers all lines above.

use super::attributes::{Attributes, JsonAttributes};
use super::error::{Result, SnapshotError};
use super::item::{Item, ItemPath, JsonBytes, ObjectName};
use super::manifest::{
    CHUNKER, Chunk, Content, Entry, FIXED_CHUNKER, Facts, Header, MANIFEST_VERSION, MAX_CHUNK_BYTES, Manifest,
    OLD_MANIFEST_VERSION, OLD_WHOLE_MANIFEST_VERSION, Totals, WHOLE_MANIFEST_VERSION,
};
use crate::model::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;

/// The longest line: the largest file in the smallest chunks needs 11 MiB.
const MAX_LINE_BYTES: u64 = 16 << 20;
/// The most entries.
pub(super) const MAX_ENTRIES: u64 = 2_000_000;
/// The most bytes of all lines together.
const MAX_MANIFEST_BYTES: u64 = 1 << 30;
/// The largest window that a frame may ask of memory, as a power of two.
pub(super) const MAX_WINDOW_LOG: u32 = 25;
/// zstd's level for manifests, which are mostly digests.
const LEVEL: i32 = 3;

#[derive(Serialize, Deserialize)]
struct VersionLine {
    intendant_manifest: u64,
}

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    intendant_manifest: u32,
    #[serde(flatten)]
    header: Header,
}

/// Where the entries of a manifest are that is not whole: the content of all their lines.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntriesLine {
    size: u64,
    blake3: Digest,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    chunks: Option<Vec<Digest>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sizes: Option<Vec<u32>>,
}

#[derive(Serialize, Deserialize)]
struct FooterLine {
    end: bool,
    #[serde(flatten)]
    totals: Totals,
    /// Of the state; see [`Manifest::id`].
    id: Digest,
    /// Of all lines above with their line feeds.
    digest: Digest,
}

/// One entry. Short keys: there are tens of thousands of them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    path: Option<ItemPath>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    object: Option<ObjectName>,
    /// `f`, `d`, `l`, `p`, `s`, `b`, `c`, `o`.
    kind: char,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    gid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    mtime: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ctime: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    inode: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    nlink: Option<u64>,
    /// Left out where there are none, or none are known: the header tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    attributes: Option<JsonAttributes>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    target: Option<JsonBytes>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    blake3: Option<Digest>,
    /// Left out where there is only one chunk, which then is the whole content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    chunks: Option<Vec<Digest>>,
    /// The chunks' lengths. Left out where they were cut every 4 MiB.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sizes: Option<Vec<u32>>,
}

fn entry_line(item: &Item, entry: &Entry) -> EntryLine {
    let facts = entry.facts();
    let content = entry.content();
    let (chunks, sizes) = content.map_or((None, None), named_chunks);
    let (path, object) = match item {
        Item::Path(path) => (Some(path.clone()), None),
        Item::Object(object) => (None, Some(object.clone())),
    };
    EntryLine {
        path,
        object,
        kind: entry.letter(),
        mode: facts.map(|facts| format!("{:04o}", facts.mode)),
        uid: facts.map(|facts| facts.uid),
        gid: facts.map(|facts| facts.gid),
        mtime: facts.map(|facts| facts.mtime),
        ctime: facts.map(|facts| facts.ctime),
        inode: facts.map(|facts| facts.inode),
        nlink: facts.map(|facts| facts.nlink),
        attributes: facts.and_then(|facts| facts.attributes.json()),
        target: match entry {
            Entry::Link { target, .. } => Some(JsonBytes::new(target)),
            _ => None,
        },
        size: content.map(|content| content.size),
        blake3: content.map(|content| content.digest),
        chunks,
        sizes,
    }
}

/// The chunks of a content as they are written: only where there are two or more.
fn named_chunks(content: &Content) -> (Option<Vec<Digest>>, Option<Vec<u32>>) {
    if content.chunks.len() < 2 {
        return (None, None);
    }
    let (digests, sizes) = content.chunks.iter().map(|chunk| (chunk.digest, chunk.size)).unzip();
    (Some(digests), Some(sizes))
}

/// `known`: whether an entry that names no attributes has none.
fn read_entry(mut line: EntryLine, known: bool) -> Result<(Item, Entry), &'static str> {
    let attributes = match (line.attributes.take(), known) {
        (Some(attributes), true) => attributes.read()?,
        (Some(_), false) => return Err("attributes that its header does not announce"),
        (None, true) => Attributes::None,
        (None, false) => Attributes::Unknown,
    };
    let facts = || {
        let mode = line.mode.as_deref().ok_or("no mode")?;
        Ok::<_, &str>(Facts {
            mode: u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777).ok_or("bad mode")?,
            uid: line.uid.ok_or("no uid")?,
            gid: line.gid.ok_or("no gid")?,
            mtime: line.mtime.ok_or("no mtime")?,
            ctime: line.ctime.ok_or("no ctime")?,
            inode: line.inode.ok_or("no inode")?,
            nlink: line.nlink.ok_or("no nlink")?,
            attributes: attributes.clone(),
        })
    };
    let content = || {
        let size = line.size.ok_or("no size")?;
        let digest = line.blake3.ok_or("no digest")?;
        chunks(size, digest, line.chunks.as_deref(), line.sizes.as_deref()).map(|chunks| Content {
            digest,
            size,
            chunks,
        })
    };
    let entry = match line.kind {
        'f' => Entry::File { facts: facts()?, content: content()? },
        'd' => Entry::Dir { facts: facts()? },
        'l' => Entry::Link {
            facts: facts()?,
            target: line
                .target
                .ok_or("no target")?
                .bytes()
                .ok()
                .filter(|target| !target.is_empty() && !target.contains(&0))
                .ok_or("bad target")?,
        },
        'o' => Entry::Object { content: content()? },
        kind @ ('p' | 's' | 'b' | 'c') => Entry::Other { facts: facts()?, kind },
        _ => return Err("an unknown kind"),
    };
    let item = match (line.path, line.object, line.kind == 'o') {
        (Some(path), None, false) => Item::Path(path),
        (None, Some(object), true) => Item::Object(object),
        _ => return Err("neither a path nor a database object"),
    };
    Ok((item, entry))
}

/// The chunks of a content: the whole, or those that are listed, which must make up the whole.
fn chunks(
    size: u64,
    digest: Digest,
    named: Option<&[Digest]>,
    sizes: Option<&[u32]>,
) -> Result<Vec<Chunk>, &'static str> {
    const MAX: u64 = MAX_CHUNK_BYTES as u64;
    let fixed = |at: usize| size.saturating_sub(at as u64 * MAX).min(MAX) as u32;
    let chunks: Vec<Chunk> = match (named, sizes) {
        (None, None) if size == 0 => Vec::new(),
        (None, None) => vec![Chunk { digest, size: u32::try_from(size).unwrap_or(u32::MAX) }],
        (Some(named), None) => {
            named.iter().enumerate().map(|(at, name)| Chunk { digest: *name, size: fixed(at) }).collect()
        }
        (Some(named), Some(sizes)) if named.len() == sizes.len() => {
            named.iter().zip(sizes).map(|(name, size)| Chunk { digest: *name, size: *size }).collect()
        }
        _ => return Err("its chunks and their sizes do not fit each other"),
    };
    let bad = |chunk: &Chunk| chunk.size == 0 || u64::from(chunk.size) > MAX;
    let sum: u64 = chunks.iter().map(|chunk| u64::from(chunk.size)).sum();
    if named.is_some_and(|named| named.len() < 2) || chunks.iter().any(bad) || sum != size {
        return Err("its chunks do not fit its size");
    }
    Ok(chunks)
}

/// Writes a whole manifest with its id: one that needs no store.
pub(super) fn write_whole<W: Write>(manifest: &Manifest, id: Digest, out: W) -> std::io::Result<W> {
    let mut out = Out::begin(out, WHOLE_MANIFEST_VERSION, &manifest.header)?;
    for line in lines(manifest) {
        out.line(&line?)?;
    }
    out.end(manifest.totals(), id)
}

/// The line of each entry, with its line feed.
pub(super) fn lines(manifest: &Manifest) -> impl Iterator<Item = std::io::Result<Vec<u8>>> {
    manifest.entries.iter().map(|(item, entry)| {
        let mut line = serde_json::to_vec(&entry_line(item, entry))?;
        line.push(b'\n');
        Ok(line)
    })
}

/// Writes a manifest whose entries are a content of the store; the bytes that a file of it holds.
pub(super) fn write<W: Write>(manifest: &Manifest, entries: &Content, id: Digest, out: W) -> std::io::Result<W> {
    let mut out = Out::begin(out, MANIFEST_VERSION, &manifest.header)?;
    let (chunks, sizes) = named_chunks(entries);
    let line = EntriesLine { size: entries.size, blake3: entries.digest, chunks, sizes };
    let mut line = serde_json::to_vec(&line)?;
    line.push(b'\n');
    out.line(&line)?;
    out.end(manifest.totals(), id)
}

/// Lines on their way out, compressed and hashed.
struct Out<W: Write> {
    out: zstd::Encoder<'static, W>,
    hasher: blake3::Hasher,
}

impl<W: Write> Out<W> {
    fn begin(out: W, version: u32, header: &Header) -> std::io::Result<Self> {
        let mut out = zstd::Encoder::new(out, LEVEL)?;
        out.include_checksum(true)?;
        let mut out = Self { out, hasher: blake3::Hasher::new() };
        let header = HeaderLine { intendant_manifest: version, header: header.clone() };
        let mut line = serde_json::to_vec(&header)?;
        line.push(b'\n');
        out.line(&line)?;
        Ok(out)
    }

    /// A line with its line feed.
    fn line(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.hasher.update(line);
        self.out.write_all(line)
    }

    fn end(mut self, totals: Totals, id: Digest) -> std::io::Result<W> {
        let footer = FooterLine { end: true, totals, id, digest: self.hasher.finalize().into() };
        serde_json::to_writer(&mut self.out, &footer)?;
        self.out.write_all(b"\n")?;
        self.out.finish()
    }
}

/// A manifest that was read, with its id.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Loaded {
    pub(super) manifest: Manifest,
    pub(super) id: Digest,
    /// The content that its entries were; none when it was whole.
    pub(super) entries: Option<Content>,
}

impl Loaded {
    /// All blobs that the snapshot needs.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Digest> {
        let contents = self.manifest.entries.values().filter_map(|entry| entry.content());
        contents.chain(&self.entries).flat_map(|content| &content.chunks).map(|chunk| chunk.digest)
    }
}

/// The header of a manifest alone, which nothing proves.
pub(super) fn read_head(what: &str, input: impl Read) -> Result<Header> {
    begin(what, input).map(|(_, header, _)| header)
}

/// The version, the header, and the lines below it.
fn begin<R: Read>(what: &str, input: R) -> Result<(u32, Header, Lines<'_, impl Read>)> {
    let damaged = |detail: &str| SnapshotError::damaged(what, detail);
    let mut decoder = zstd::Decoder::new(input).map_err(|e| damaged(&e.to_string()))?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(|e| damaged(&e.to_string()))?;
    let mut lines = Lines::new(decoder, what);
    let first = lines.next()?.ok_or_else(|| damaged("it is empty"))?;
    let (version, header) = read_header(what, &first)?;
    Ok((version, header, lines))
}

/// Reads a manifest; `what` names it in errors. `open` reads the content of the entries that are
/// not in it, and returns an error where there can't be any.
pub(super) fn read<'a>(
    what: &str,
    input: impl Read,
    open: impl FnOnce(Content) -> Result<Box<dyn Read + 'a>>,
) -> Result<Loaded> {
    let damaged = |detail: &str| SnapshotError::damaged(what, detail);
    let (version, header, mut lines) = begin(what, input)?;
    let mut manifest = Manifest { header, entries: BTreeMap::new() };
    let mut totals = Totals::default();
    let mut entries = None;
    if [MANIFEST_VERSION, OLD_MANIFEST_VERSION].contains(&version) {
        let line = lines.next()?.ok_or_else(|| damaged("it is cut off"))?;
        entries = Some(read_entries_line(&line).map_err(|detail| damaged(&detail))?);
    }
    let footer = loop {
        let above: Digest = lines.hasher.finalize().into();
        let line = lines.next()?.ok_or_else(|| damaged("its footer is missing"))?;
        if line.starts_with(b"{\"end\"") {
            let footer: FooterLine = serde_json::from_slice(&line).map_err(|e| damaged(&e.to_string()))?;
            if lines.next()?.is_some() {
                return Err(damaged("something stands after its footer"));
            }
            if footer.digest != above {
                return Err(damaged("its footer does not fit what stands above"));
            }
            break footer;
        }
        if entries.is_some() {
            return Err(damaged("its entries stand in it and elsewhere"));
        }
        add(&mut manifest, &mut totals, &line, what)?;
    };
    if let Some(content) = &entries {
        let mut lines = Lines::new(open(content.clone())?, what);
        while let Some(line) = lines.next()? {
            add(&mut manifest, &mut totals, &line, what)?;
        }
        if Digest::from(lines.hasher.finalize()) != content.digest {
            return Err(damaged("its entries are not those that it names"));
        }
    }
    if footer.totals != totals || footer.id != manifest.id() {
        return Err(damaged("its footer does not fit its entries"));
    }
    Ok(Loaded { manifest, id: footer.id, entries })
}

fn read_entries_line(line: &[u8]) -> Result<Content, String> {
    let line: EntriesLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if line.size > MAX_MANIFEST_BYTES {
        return Err("its entries are larger than those of manifests are".into());
    }
    let chunks = chunks(line.size, line.blake3, line.chunks.as_deref(), line.sizes.as_deref())?;
    Ok(Content { digest: line.blake3, size: line.size, chunks })
}

/// Enters the entry of a line in its place.
fn add(manifest: &mut Manifest, totals: &mut Totals, line: &[u8], what: &str) -> Result<()> {
    let damaged = |detail: &str| SnapshotError::damaged(what, detail);
    let parsed = serde_json::from_slice(line).map_err(|e| damaged(&e.to_string()))?;
    let (item, entry) = read_entry(parsed, manifest.header.attributes).map_err(damaged)?;
    totals.add(&entry);
    if totals.entries > MAX_ENTRIES {
        return Err(SnapshotError::TooMuch { what: format!("entries in {what}"), limit: MAX_ENTRIES });
    }
    check_place(&manifest.entries, &item).map_err(damaged)?;
    manifest.entries.insert(item, Arc::new(entry));
    Ok(())
}

fn read_header(what: &str, line: &[u8]) -> Result<(u32, Header)> {
    let damaged = |detail: String| SnapshotError::damaged(what, detail);
    let version: VersionLine = serde_json::from_slice(line).map_err(|e| damaged(e.to_string()))?;
    let known = [MANIFEST_VERSION, WHOLE_MANIFEST_VERSION, OLD_MANIFEST_VERSION, OLD_WHOLE_MANIFEST_VERSION];
    if !known.map(u64::from).contains(&version.intendant_manifest) {
        return Err(SnapshotError::FormatVersion {
            what: what.to_owned(),
            found: version.intendant_manifest,
            known: MANIFEST_VERSION,
        });
    }
    let header: HeaderLine = serde_json::from_slice(line).map_err(|e| damaged(e.to_string()))?;
    if ![CHUNKER, FIXED_CHUNKER].contains(&header.header.chunker.as_str()) {
        return Err(damaged(format!("it is cut by {:?}, which is unknown", header.header.chunker)));
    }
    Ok((header.intendant_manifest, header.header))
}

/// Sorted, unique, and below a folder.
fn check_place(entries: &BTreeMap<Item, Arc<Entry>>, item: &Item) -> Result<(), &'static str> {
    if entries.last_key_value().is_some_and(|(last, _)| last >= item) {
        return Err("its entries are not sorted, or one stands twice");
    }
    if let Item::Path(path) = item
        && let Some(parent) = path.parent()
        && !entries.get(&Item::Path(parent)).is_some_and(|entry| entry.is_dir())
    {
        return Err("an entry lies below something that is no folder");
    }
    Ok(())
}

struct Lines<'a, R> {
    input: BufReader<std::io::Take<R>>,
    hasher: blake3::Hasher,
    what: &'a str,
}

impl<'a, R: Read> Lines<'a, R> {
    fn new(input: R, what: &'a str) -> Self {
        Self { input: BufReader::new(input.take(MAX_MANIFEST_BYTES)), hasher: blake3::Hasher::new(), what }
    }

    /// The next line without its line feed.
    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.input).take(MAX_LINE_BYTES);
        bounded.read_until(b'\n', &mut line).map_err(SnapshotError::unreadable(self.what))?;
        if line.is_empty() {
            return Ok(None);
        }
        self.hasher.update(&line);
        if line.pop() != Some(b'\n') {
            return Err(SnapshotError::damaged(self.what, "a line is too long or cut off"));
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HEADER: &str = r#"{"intendant_manifest":1,"site":"s","taken":"2026-01-14T02:00:00Z","walked":1,"tool":"0","root":"/r","chunker":"fixed-4m"}"#;

    fn dir(path: &str) -> serde_json::Value {
        json!({"path": path, "kind": "d", "mode": "0755", "uid": 0, "gid": 0, "mtime": 1, "ctime": 1, "inode": 1, "nlink": 1})
    }

    fn link(path: &str) -> serde_json::Value {
        let mut link = dir(path);
        link["kind"] = json!("l");
        link["target"] = json!("/etc");
        link
    }

    /// A manifest with these lines and a footer that fits them, as far as one can.
    fn parse(header: &str, entries: &[serde_json::Value]) -> Result<Manifest> {
        let mut lines = vec![header.to_owned()];
        lines.extend(entries.iter().map(ToString::to_string));
        let text = lines.join("\n") + "\n";
        let digest = Digest::of(text.as_bytes());
        let footer = json!({"end": true, "entries": entries.len(), "files": 0, "bytes": 0, "objects": 0,
            "sql-bytes": 0, "id": digest, "digest": digest});
        let packed = zstd::encode_all(format!("{text}{footer}\n").as_bytes(), 1).unwrap();
        read("test", packed.as_slice(), |_| Err(SnapshotError::damaged("test", "elsewhere"))).map(|read| read.manifest)
    }

    #[test]
    fn hostile_manifests_are_refused_for_what_they_are() {
        let refused = |entries: &[serde_json::Value], why: &str| {
            let error = parse(HEADER, entries).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        };
        refused(&[dir(""), dir("/etc")], "absolute");
        refused(&[dir(""), dir("a"), dir("a/../b")], "'..'");
        refused(&[dir(""), dir("b"), dir("a")], "not sorted");
        refused(&[dir(""), dir("a"), dir("a")], "stands twice");
        refused(&[dir(""), dir("a/b")], "no folder");
        refused(&[dir(""), link("a"), dir("a/b")], "no folder");
        refused(&[dir(""), json!({"path": "x", "kind": "z"})], "unknown kind");
        let mut file = dir("f");
        file["kind"] = json!("f");
        file["size"] = json!(u64::MAX);
        file["blake3"] = json!(Digest::of(b""));
        refused(&[dir(""), file], "chunks");
        let newer = HEADER.replace("manifest\":1", "manifest\":5");
        assert!(matches!(parse(&newer, &[]), Err(SnapshotError::FormatVersion { found: 5, .. })));
        let with = |attributes| {
            let mut dir = dir("");
            dir["attributes"] = attributes;
            [dir]
        };
        refused(&with(json!({"user.a": ""})), "does not announce");
        let announced = HEADER.replace("\"walked\"", "\"attributes\":true,\"walked\"");
        let many: serde_json::Map<_, _> = (0..9).map(|n| (format!("user.{n}"), json!("a".repeat(64 << 10)))).collect();
        for (bad, why) in [
            (json!({"security.a": ""}), "neither"),
            (json!({"user.": ""}), "neither"),
            (json!({}), "empty"),
            (json!({"user.a": {"base64": "!"}}), "base64"),
            (many.into(), "too long"),
        ] {
            let error = parse(&announced, &with(bad)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn lists_of_chunks_fit_their_content() {
        const MIB: u64 = 1 << 20;
        let digest = Digest::of(b"whole");
        let parts = [Digest::of(b"1"), Digest::of(b"2"), Digest::of(b"3")];
        let sizes = |size, named: Option<&[Digest]>, sizes: Option<&[u32]>| {
            chunks(size, digest, named, sizes).map(|chunks| chunks.iter().map(|chunk| chunk.size).collect::<Vec<_>>())
        };
        assert_eq!(sizes(0, None, None).unwrap(), [0; 0]);
        assert_eq!(sizes(4 * MIB, None, None).unwrap(), [4 << 20]);
        // Cut every 4 MiB, as older manifests have it.
        assert_eq!(sizes(9 * MIB, Some(&parts), None).unwrap(), [4 << 20, 4 << 20, 1 << 20]);
        assert_eq!(sizes(6, Some(&parts), Some(&[1, 2, 3])).unwrap(), [1, 2, 3]);
        for (size, named, lengths) in [
            (4 * MIB + 1, None, None),
            (u64::MAX, None, None),
            (8 * MIB, Some(&parts[..]), None),
            (13 * MIB, Some(&parts[..]), None),
            (u64::MAX, Some(&parts[..]), None),
            (6, None, Some(&[1, 2, 3][..])),
            (6, Some(&parts[..]), Some(&[1, 5][..])),
            (6, Some(&parts[..]), Some(&[1, 5, 0][..])),
            (7, Some(&parts[..]), Some(&[1, 2, 3][..])),
            (5 * MIB + 2, Some(&parts[..]), Some(&[5 << 20, 1, 1][..])),
            (1, Some(&parts[..1]), Some(&[1][..])),
            (0, Some(&parts[..0]), Some(&[][..])),
        ] {
            assert!(sizes(size, named, lengths).is_err(), "{size} {lengths:?}");
        }
    }

    fn three_entries() -> Manifest {
        let mut header: Header = serde_json::from_str(HEADER).unwrap();
        header.attributes = true;
        let mut manifest = Manifest { header, entries: BTreeMap::new() };
        let mut last = dir("z");
        last["attributes"] = json!({"system.posix_acl_access": {"base64": "AgAA/w=="}, "user.a": "b"});
        for line in [dir(""), link("a\u{e9}"), last] {
            let parsed: EntryLine = serde_json::from_value(line).unwrap();
            let (item, entry) = read_entry(parsed, true).unwrap();
            manifest.entries.insert(item, Arc::new(entry));
        }
        manifest
    }

    /// Each byte flipped, each length: the same manifest, or refused.
    fn assert_guarded(bytes: &[u8], manifest: &Manifest, lines: &[u8]) {
        let read = |bytes: &[u8]| read("test", bytes, |_| Ok(Box::new(lines))).map(|read| read.manifest);
        assert_eq!(read(bytes).unwrap(), *manifest);
        for at in 0..bytes.len() {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1;
            assert!(read(&flipped).map_or(true, |read| read == *manifest), "byte {at}");
            assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let manifest = three_entries();
        assert_guarded(&write_whole(&manifest, manifest.id(), Vec::new()).unwrap(), &manifest, b"");
    }

    #[test]
    fn entries_that_are_elsewhere_are_those_that_were_written() {
        let manifest = three_entries();
        let lines: Vec<u8> = lines(&manifest).flat_map(|line| line.unwrap()).collect();
        let digest = Digest::of(&lines);
        let size = lines.len() as u64;
        let content = Content { digest, size, chunks: vec![Chunk { digest, size: size as u32 }] };
        let bytes = write(&manifest, &content, manifest.id(), Vec::new()).unwrap();
        assert_guarded(&bytes, &manifest, &lines);
        let read = |lines: &[u8]| {
            let lines = std::io::Cursor::new(lines.to_vec());
            read("test", bytes.as_slice(), |_| Ok(Box::new(lines)))
        };
        assert_eq!(read(&lines).unwrap().blobs().collect::<Vec<_>>(), [digest]);
        for at in 0..lines.len() {
            let mut flipped = lines.clone();
            flipped[at] ^= 1;
            assert!(read(&flipped).is_err(), "byte {at} of the entries");
            assert!(read(&lines[..at]).is_err(), "entries cut at {at}");
        }
    }
}
