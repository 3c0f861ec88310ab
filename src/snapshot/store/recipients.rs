//! The store's own file: its version, and to whom it is encrypted.
//!
//! May use: `error`, `backend`, `cipher`. Invariants: a store that is or was encrypted has version 2,
//! which programs that know no encryption refuse; an unknown version is refused before anything
//! else is believed; recipients are as `cipher` writes them.

use super::super::error::{Result, SnapshotError};
use super::backend::Backend;
use super::cipher;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};

/// The file that makes a folder a store.
pub(super) const STORE_FILE: &str = "intendant-store.json";
/// The format version of a store in which nothing was ever encrypted.
const PLAIN_VERSION: u64 = 1;
/// The format version of a store that has recipients.
const SEALED_VERSION: u32 = 2;
/// The most bytes of the file.
const MAX_BYTES: u64 = 64 << 10;
/// The most recipients at once: each has its place in the header of every encrypted file.
const MAX_RECIPIENTS: usize = 32;
/// The most sets of recipients that a store had.
const MAX_FORMER: usize = 16;

/// What stands in the store's own file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoreLine {
    intendant_store: u64,
    /// To whom packs and manifests are encrypted from now on; to nobody: they are plain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) recipients: Vec<String>,
    /// To whom they were before, as long as files of that time may be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former: Vec<Vec<String>>,
}

impl StoreLine {
    /// Of a new store.
    pub(super) fn plain() -> Self {
        Self { intendant_store: PLAIN_VERSION, recipients: Vec::new(), former: Vec::new() }
    }

    pub(super) fn read(backend: &dyn Backend) -> Result<Self> {
        let what = backend.shown(STORE_FILE);
        let mut text = Vec::new();
        let read = backend.open(STORE_FILE).and_then(|input| input.take(MAX_BYTES).read_to_end(&mut text));
        read.map_err(SnapshotError::store(&what, "opening the store"))?;
        let line: Self =
            serde_json::from_slice(&text).map_err(|error| SnapshotError::damaged(&what, error.to_string()))?;
        let damaged = |detail: &str| Err(SnapshotError::damaged(&what, detail));
        match line.intendant_store {
            PLAIN_VERSION if line.sets().next().is_none() => Ok(line),
            PLAIN_VERSION => damaged("it has recipients, and the version of stores that have none"),
            version if version != u64::from(SEALED_VERSION) => {
                Err(SnapshotError::FormatVersion { what, found: version, known: SEALED_VERSION })
            }
            _ if !cipher::IS_KNOWN => {
                Err(SnapshotError::NoEncryption { what: format!("{what} is of an encrypted snapshot store") })
            }
            _ if line.recipients.is_empty() => damaged("it names no recipients"),
            _ if line.former.len() > MAX_FORMER => damaged("it names too many former recipients"),
            _ if !line.is_usable() => damaged("it names recipients that can't be understood"),
            _ => Ok(line),
        }
    }

    fn is_usable(&self) -> bool {
        let is_usable = |one: &String| cipher::recipient(one).as_ref() == Ok(one);
        self.sets().all(|set| !set.is_empty() && set.len() <= MAX_RECIPIENTS && set.iter().all(is_usable))
    }

    /// Writes the file of a new store; whoever was faster has written another one, which stays.
    pub(super) fn begin(&self, backend: &dyn Backend) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        backend.found(STORE_FILE, &bytes)
    }

    pub(super) fn write(&self, backend: &dyn Backend) -> io::Result<()> {
        let mut upload = backend.create(STORE_FILE)?;
        serde_json::to_writer(&mut upload, self)?;
        upload.write_all(b"\n")?;
        upload.commit()
    }

    /// The same with other recipients; those of now are remembered.
    pub(super) fn with(&self, recipients: Vec<String>) -> Result<Self> {
        let mut former = self.former.clone();
        former.insert(0, self.recipients.clone());
        former.retain(|set| !set.is_empty() && *set != recipients);
        let mut seen = BTreeSet::new();
        former.retain(|set| seen.insert(set.clone()));
        if former.len() > MAX_FORMER {
            return Err(SnapshotError::TooMuch {
                what: "former recipients of the snapshot store (intendant snapshot encrypt --rewrite forgets them)"
                    .into(),
                limit: MAX_FORMER as u64,
            });
        }
        Ok(Self { intendant_store: u64::from(SEALED_VERSION), recipients, former })
    }

    /// All sets of recipients, the present one first. Whoever is in each of them reads all.
    pub(super) fn sets(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.recipients).filter(|set| !set.is_empty()).chain(&self.former)
    }
}

/// Recipients as they are written down: sorted, each once.
///
/// # Errors
/// The first that can't be encrypted to. A secret is never repeated.
pub(super) fn parse(texts: &[String]) -> Result<Vec<String>> {
    if !cipher::IS_KNOWN {
        return Err(SnapshotError::NoEncryption { what: "recipients are named".into() });
    }
    let mut all = BTreeSet::new();
    for text in texts {
        let text = text.trim();
        let bad = |shown: &str, why: String| SnapshotError::BadRecipient {
            text: crate::model::clean_line(shown, 100),
            why: crate::model::clean_line(&why, 200),
        };
        if !text.starts_with("age1") {
            let secret = text.to_ascii_uppercase().contains("SECRET-KEY");
            let shown = if secret { "an identity, which is a secret," } else { text };
            return Err(bad(shown, "it does not begin with age1".into()));
        }
        all.insert(cipher::recipient(text).map_err(|why| bad(text, why))?);
    }
    match all.len() {
        ..=MAX_RECIPIENTS => Ok(all.into_iter().collect()),
        _ => {
            Err(SnapshotError::TooMuch { what: "recipients of a snapshot store".into(), limit: MAX_RECIPIENTS as u64 })
        }
    }
}
