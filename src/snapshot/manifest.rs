//! The manifest: a site's state as a sorted map from item to entry, with a header.
//!
//! May use: `model`, `item`. Invariants: pure values; every path's parent is a folder of the
//! same manifest; the id depends only on what a restore gives back.

use super::attributes::Attributes;
use super::item::{Item, ItemPath, ObjectName};
use crate::model::{Digest, SiteName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The format version of manifests in a store: their entries are a content.
pub const MANIFEST_VERSION: u32 = 4;
/// The format version of whole manifests: in exports.
pub(super) const WHOLE_MANIFEST_VERSION: u32 = 3;
/// The same two before manifests knew attributes; both are read.
pub(super) const OLD_MANIFEST_VERSION: u32 = 2;
pub(super) const OLD_WHOLE_MANIFEST_VERSION: u32 = 1;
/// How large content is cut: FastCDC of 2020 with normalization 1, within the three sizes below.
pub const CHUNKER: &str = "fastcdc-2020-1m";
/// How many bytes of small fields are hashed together.
const HASHED_AT_ONCE: usize = 64 << 10;
/// How it was cut before, which is still read: every 4 MiB.
pub(super) const FIXED_CHUNKER: &str = "fixed-4m";
/// Content is cut nowhere before this many bytes, so that most files are one chunk.
pub(super) const MIN_CHUNK_BYTES: usize = 512 << 10;
/// The size that cuts are made for.
pub(super) const AVERAGE_CHUNK_BYTES: usize = 1 << 20;
/// The largest chunk, whatever cut it.
pub(super) const MAX_CHUNK_BYTES: usize = 4 << 20;
/// The largest file that is captured: the digests of its chunks must fit into one line.
pub(super) const MAX_FILE_BYTES: u64 = 64 << 30;

/// A site's state at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// When, where, by what.
    pub header: Header,
    /// What there was. Manifests of one site share what is the same.
    pub entries: BTreeMap<Item, Arc<Entry>>,
}

/// What stands before the entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Header {
    /// The site.
    pub site: SiteName,
    /// When the capture began, by the runner's clock.
    pub taken: Timestamp,
    /// When the walk began, in seconds of the host's own clock: an entry whose ctime is not
    /// clearly older is read again next time.
    pub walked: i64,
    /// The version of this program.
    pub tool: String,
    /// The site's root on its host.
    pub root: String,
    /// Patterns below the root that were left out, as they stood in the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// How large content was cut that came in with this snapshot.
    pub chunker: String,
    /// The database, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseFacts>,
    /// The snapshot that this one was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// What could not be captured and was tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Whether extended attributes and access lists were read: then an entry that names none has none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub attributes: bool,
}

/// What is known of the database and the program that dumped it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseFacts {
    /// `mysql`, for MariaDB too.
    pub engine: String,
    /// The database's name.
    pub name: String,
    /// The server's version.
    pub server: String,
    /// What the dump program says of itself.
    pub dumped_by: String,
    /// What is not in the dump, and why: `events: no EVENT privilege`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// What tables were like when they were dumped, as the server computed it: a table with the
    /// same fingerprint has the same content. Only tables that did not change meanwhile.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fingerprints: BTreeMap<ObjectName, Digest>,
    /// What objects are without what is in them: of a table its definition and its triggers, without the next number
    /// that it hands out. Only where the engine's dump tells them apart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub structure: BTreeMap<ObjectName, Digest>,
}

/// Something that could not be captured and was tolerated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The path. A restore leaves alone what lies there.
    pub path: ItemPath,
    /// What was wrong, cleaned.
    pub what: String,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// Its facts.
        facts: Facts,
        /// Its content.
        content: Content,
    },
    /// A folder.
    Dir {
        /// Its facts.
        facts: Facts,
    },
    /// A symbolic link.
    Link {
        /// Its facts.
        facts: Facts,
        /// Where it points, as written.
        target: Vec<u8>,
    },
    /// A FIFO, socket or device: recorded, never restored.
    Other {
        /// Its facts.
        facts: Facts,
        /// The letter of `find -printf %y`: `p`, `s`, `b`, `c`.
        kind: char,
    },
    /// A database object: the SQL that makes it again.
    Object {
        /// The SQL.
        content: Content,
    },
}

/// What is known of a path besides its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time in nanoseconds.
    pub mtime: i64,
    /// Change time in nanoseconds; not restored.
    pub ctime: i64,
    /// Inode number; not restored.
    pub inode: u64,
    /// How many names the file has; not restored: every name gets its own file.
    pub nlink: u64,
    /// Its extended attributes and access lists; the walk does not say them.
    pub attributes: Attributes,
}

/// Content in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Of all bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// The blobs that make it up, in order; none when it is empty.
    pub chunks: Vec<Chunk>,
}

/// One blob of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its name in the store.
    pub digest: Digest,
    /// How many bytes.
    pub size: u32,
}

impl Entry {
    /// What the walk says, for paths.
    pub fn facts(&self) -> Option<&Facts> {
        match self {
            Self::File { facts, .. } | Self::Dir { facts } | Self::Link { facts, .. } | Self::Other { facts, .. } => {
                Some(facts)
            }
            Self::Object { .. } => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn facts_mut(&mut self) -> Option<&mut Facts> {
        match self {
            Self::File { facts, .. } | Self::Dir { facts } | Self::Link { facts, .. } | Self::Other { facts, .. } => {
                Some(facts)
            }
            Self::Object { .. } => None,
        }
    }

    /// The content, for files and database objects.
    pub fn content(&self) -> Option<&Content> {
        match self {
            Self::File { content, .. } | Self::Object { content } => Some(content),
            _ => None,
        }
    }

    /// The bytes of its content.
    pub fn size(&self) -> u64 {
        self.content().map_or(0, |content| content.size)
    }

    /// Whether it is a folder.
    pub fn is_dir(&self) -> bool {
        matches!(self, Self::Dir { .. })
    }

    /// The letter of its kind: `f`, `d`, `l`, `p`, `s`, `b`, `c`, `o`.
    pub fn letter(&self) -> char {
        match self {
            Self::File { .. } => 'f',
            Self::Dir { .. } => 'd',
            Self::Link { .. } => 'l',
            Self::Other { kind, .. } => *kind,
            Self::Object { .. } => 'o',
        }
    }
}

/// Counts over a manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Totals {
    /// All entries.
    pub entries: u64,
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Database objects.
    pub objects: u64,
    /// The bytes of their SQL.
    pub sql_bytes: u64,
}

impl Manifest {
    /// Counts.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for entry in self.entries.values() {
            totals.add(entry);
        }
        totals
    }

    /// The deterministic id: BLAKE3 over the site's name and, for each item in order, what a
    /// restore gives back. Two equal states have equal ids, whenever they were taken.
    pub fn id(&self) -> Digest {
        // Many small fields: hashed one by one they would take several times as long.
        let (mut hasher, mut fields) = (blake3::Hasher::new(), Vec::with_capacity(2 * HASHED_AT_ONCE));
        let mut field = |bytes: &[u8]| {
            fields.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            fields.extend_from_slice(bytes);
            if fields.len() >= HASHED_AT_ONCE {
                hasher.update(&fields);
                fields.clear();
            }
        };
        field(b"intendant-manifest-1");
        field(self.header.site.as_str().as_bytes());
        for (item, entry) in &self.entries {
            match item {
                Item::Path(path) => field(path.as_bytes()),
                Item::Object(object) => {
                    field(object.kind().word().as_bytes());
                    field(object.name().as_bytes());
                }
            }
            field(&[entry.letter() as u8]);
            if let Some(facts) = entry.facts() {
                field(&facts.mode.to_le_bytes());
                field(&facts.mtime.to_le_bytes());
                for (name, value) in facts.attributes.iter() {
                    field(name.as_bytes());
                    field(value);
                }
            }
            match &**entry {
                Entry::File { content, .. } | Entry::Object { content } => {
                    field(content.digest.as_bytes());
                }
                Entry::Link { target, .. } => field(target),
                Entry::Dir { .. } | Entry::Other { .. } => {}
            }
        }
        hasher.update(&fields).finalize().into()
    }

    /// Whether it came in with an export, which anybody can have written: nothing on a host walked at 0.
    pub fn is_imported(&self) -> bool {
        self.header.walked == 0
    }

    /// The entry of an item.
    pub fn entry(&self, item: &Item) -> Option<&Entry> {
        self.entries.get(item).map(|entry| &**entry)
    }

    /// The entry of a path.
    pub fn path(&self, path: &ItemPath) -> Option<&Entry> {
        self.entry(&Item::Path(path.clone()))
    }

    /// All paths.
    pub fn paths(&self) -> impl Iterator<Item = (&ItemPath, &Entry)> {
        self.entries.iter().filter_map(|(item, entry)| match item {
            Item::Path(path) => Some((path, &**entry)),
            Item::Object(_) => None,
        })
    }

    /// All database objects.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectName, &Content)> {
        self.entries.iter().filter_map(|(item, entry)| match (item, &**entry) {
            (Item::Object(object), Entry::Object { content }) => Some((object, content)),
            _ => None,
        })
    }
}

impl Totals {
    pub(super) fn add(&mut self, entry: &Entry) {
        self.entries += 1;
        match entry {
            Entry::File { content, .. } => {
                self.files += 1;
                self.bytes += content.size;
            }
            Entry::Object { content } => {
                self.objects += 1;
                self.sql_bytes += content.size;
            }
            _ => {}
        }
    }
}
