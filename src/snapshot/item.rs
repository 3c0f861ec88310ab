//! Names of the things a site's state is made of: paths and database objects.
//!
//! May use: `model`. Invariants: a path is relative, has no empty, `.` or `..` part, no NUL,
//! and is bounded; it is bytes, not text. A database object's name has no control characters.

use crate::model::clean_line;
use base64::Engine;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 4096;
/// The longest database object's name, in bytes (64 characters of up to 4 bytes).
pub const MAX_OBJECT_NAME_BYTES: usize = 256;

/// A path below a site's root, as bytes. The root itself is the empty path. Copies share the bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemPath(Arc<[u8]>);

/// Why a name can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ItemError(&'static str);

impl ItemError {
    /// A snapshot's name that is none.
    pub(super) const BAD_SNAPSHOT_NAME: Self = Self("a snapshot's name looks like 20260114T020000.123Z-0123456789ab");
}

impl ItemPath {
    /// The site's root.
    pub fn root() -> Self {
        Self(Arc::default())
    }

    /// A checked path.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, ItemError> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Ok(Self::root());
        }
        if bytes.len() > MAX_PATH_BYTES {
            return Err(ItemError("a path is too long"));
        }
        if bytes.contains(&0) {
            return Err(ItemError("a path holds a NUL byte"));
        }
        let bad = |part: &[u8]| part.is_empty() || part == b"." || part == b"..";
        if bytes.split(|byte| *byte == b'/').any(bad) {
            return Err(ItemError("a path is absolute or has an empty, '.' or '..' part"));
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes, without a leading `./`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is the site's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder that holds it; none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        Some(Self(self.0[..cut].into()))
    }

    /// How many folders deep it lies; the root is 0.
    pub fn depth(&self) -> usize {
        if self.is_root() {
            return 0;
        }
        1 + self.0.iter().filter(|byte| **byte == b'/').count()
    }

    /// Whether it is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        other.is_root() || self.0.strip_prefix(other.as_bytes()).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// As programs on the host get it: `./a/b`, so that it is never an option.
    pub(super) fn dotted(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() + 2);
        bytes.push(b'.');
        if !self.is_root() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(&self.0);
        bytes
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        f.write_str(&clean_line(&String::from_utf8_lossy(&self.0), 200))
    }
}

impl fmt::Debug for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Bytes in JSON: a string where they are UTF-8, `{"base64": …}` where not.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum JsonBytes {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Other {
        /// Standard alphabet with padding.
        base64: String,
    },
}

impl JsonBytes {
    pub(super) fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Other { base64: base64::engine::general_purpose::STANDARD.encode(bytes) },
        }
    }

    pub(super) fn bytes(self) -> Result<Vec<u8>, ItemError> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Other { base64 } => {
                base64::engine::general_purpose::STANDARD.decode(base64).map_err(|_| ItemError("bad base64"))
            }
        }
    }
}

impl Serialize for ItemPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonBytes::new(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ItemPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = JsonBytes::deserialize(deserializer)?.bytes();
        bytes.and_then(Self::new).map_err(serde::de::Error::custom)
    }
}

/// The kinds of database objects, in the order in which they are made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// A MariaDB sequence.
    Sequence,
    /// A table, its rows and its triggers.
    Table,
    /// A stored function.
    Function,
    /// A stored procedure.
    Procedure,
    /// The head of a MariaDB package.
    Package,
    /// The body of a MariaDB package.
    PackageBody,
    /// A view.
    View,
    /// A scheduled event.
    Event,
    /// All definitions of a PostgreSQL database that are made before its rows, or after them.
    Definitions,
    /// The file of a SQLite database.
    DatabaseFile,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Sequence,
        Self::Table,
        Self::Function,
        Self::Procedure,
        Self::Package,
        Self::PackageBody,
        Self::View,
        Self::Event,
        Self::Definitions,
        Self::DatabaseFile,
    ];

    /// The word in front of the colon.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Package => "package",
            Self::PackageBody => "package-body",
            Self::View => "view",
            Self::Event => "event",
            Self::Definitions => "definitions",
            Self::DatabaseFile => "database-file",
        }
    }
}

/// A database object: `table:wp_posts`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    kind: ObjectKind,
    name: String,
}

impl ObjectName {
    /// A checked name.
    pub fn new(kind: ObjectKind, name: impl Into<String>) -> Result<Self, ItemError> {
        let name = name.into();
        if name.is_empty() || name.len() > MAX_OBJECT_NAME_BYTES {
            return Err(ItemError("a database object's name is empty or too long"));
        }
        if name.chars().any(char::is_control) {
            return Err(ItemError("a database object's name holds a control character"));
        }
        Ok(Self { kind, name })
    }

    /// Its kind.
    pub fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// Its name within the kind.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.word(), clean_line(&self.name, 100))
    }
}

impl std::str::FromStr for ObjectName {
    type Err = ItemError;

    fn from_str(text: &str) -> Result<Self, ItemError> {
        let wrong = ItemError("a database object is written kind:name, such as table:wp_posts");
        let (word, name) = text.split_once(':').ok_or(wrong)?;
        let kind = ObjectKind::ALL.into_iter().find(|kind| kind.word() == word);
        Self::new(kind.ok_or(wrong)?, name)
    }
}

impl Serialize for ObjectName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}:{}", self.kind.word(), self.name))
    }
}

impl<'de> Deserialize<'de> for ObjectName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One thing of a site's state. Paths sort before database objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// A file, folder, link or other thing below the root.
    Path(ItemPath),
    /// A database object.
    Object(ObjectName),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Object(object) => object.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_paths_are_refused() {
        for bad in ["/etc", "a//b", "a/../b", "..", ".", "a/", "a\0b"] {
            assert!(ItemPath::new(bad).is_err(), "{bad:?} was taken");
        }
        let odd = ItemPath::new(b"a b/\xff\n".to_vec()).unwrap();
        let json = serde_json::to_string(&odd).unwrap();
        assert_eq!(serde_json::from_str::<ItemPath>(&json).unwrap(), odd);
        assert_eq!(odd.parent().unwrap().as_bytes(), b"a b");
        assert_eq!((odd.depth(), ItemPath::root().depth()), (2, 0));
        assert!(odd.is_within(&ItemPath::new("a b").unwrap()));
        assert!(!odd.is_within(&ItemPath::new("a").unwrap()));
    }

    #[test]
    fn objects_are_written_with_their_kind() {
        let view: ObjectName = "view:a:b".parse().unwrap();
        assert_eq!((view.kind(), view.name()), (ObjectKind::View, "a:b"));
        assert!("table:a\nb".parse::<ObjectName>().is_err());
        assert!("thing:a".parse::<ObjectName>().is_err());
    }
}
