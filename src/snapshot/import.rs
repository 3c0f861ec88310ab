//! Import: an export becomes a snapshot again.
//!
//! May use: `model` and its siblings. Invariants: the archive's manifest says what has to follow,
//! member by member, and anything else is refused; every byte has its digest before it is
//! committed; memory does not grow with the archive; no later capture believes an imported
//! snapshot without looking at the site.

use super::codec;
use super::database::{Engine, read_sql};
use super::error::{Result, SnapshotError};
use super::export::{HEADER, MANIFEST, below, beside};
use super::item::MAX_PATH_BYTES;
use super::manifest::{Content, Entry, Manifest};
use super::store::{Object, SnapshotName, Store, Writer};
use super::{Phase, Progress};
use crate::model::{Digest, SiteName};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest manifest, compressed, and the largest header.
const MAX_MEMBER_BYTES: u64 = 256 << 20;
/// The most bytes of all views, or descriptions of tables, together: they are held in memory.
const MAX_VIEWS_BYTES: u64 = 64 << 20;
/// The most bytes of a pax record.
const MAX_RECORD_BYTES: u64 = 64 << 10;
/// The most bytes after the end of the archive.
const MAX_PADDING_BYTES: u64 = 1 << 20;

/// A snapshot that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its site.
    pub site: SiteName,
    /// Its name.
    pub name: SnapshotName,
    /// Whether the store had it already; then nothing was done.
    pub known: bool,
    /// Bytes that were new in the store, compressed.
    pub bytes_stored: u64,
}

/// Reads an export into the store.
///
/// # Errors
/// When it is not, to the last byte, what an export of one snapshot is. Then nothing was committed.
pub async fn import(store: &Arc<Store>, from: &Path, now: Timestamp, progress: &Arc<dyn Progress>) -> Result<Imported> {
    let (store, from, progress) = (store.clone(), from.to_owned(), progress.clone());
    let task = tokio::task::spawn_blocking(move || Import { path: from, now, progress: &*progress }.run(&store));
    super::capture::joined(task.await)
}

struct Import<'a> {
    path: PathBuf,
    now: Timestamp,
    progress: &'a dyn Progress,
}

type Input = zstd::Decoder<'static, BufReader<Box<dyn Object>>>;

impl Import<'_> {
    fn refused(&self, detail: impl std::fmt::Display) -> SnapshotError {
        let detail = crate::model::clean_line(&detail.to_string(), 300);
        SnapshotError::NotAnExport { path: self.path.display().to_string(), detail }
    }

    fn run(&self, store: &Arc<Store>) -> Result<Imported> {
        let failed = |error: std::io::Error| match error.downcast::<SnapshotError>() {
            Ok(locked) => locked,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => self.refused(error),
            Err(source) => SnapshotError::Import { path: self.path.display().to_string(), source },
        };
        let file = store.open_other(&self.path).map_err(failed)?;
        let mut input = zstd::Decoder::new(file).map_err(failed)?;
        input.window_log_max(codec::MAX_WINDOW_LOG).map_err(failed)?;
        let mut archive = tar::Archive::new(input);
        let entries = archive.entries().map_err(|error| self.refused(error))?;
        let mut members = Members { entries: entries.raw(true), import: self };
        members.expect(HEADER, MAX_MEMBER_BYTES)?;
        let manifest = self.manifest(members.expect(MANIFEST, MAX_MEMBER_BYTES)?)?;
        let (site, name) = (manifest.header.site.clone(), SnapshotName::of(manifest.header.taken, &manifest.id()));
        if store.load(&site, &name).is_ok() {
            return Ok(Imported { site, name, known: true, bytes_stored: 0 });
        }
        let mut writer = store.writer(&site)?;
        self.files(&manifest, &mut members, &mut writer)?;
        self.database(&manifest, &mut members, &mut writer)?;
        if members.next()?.is_some() {
            return Err(self.refused("something follows that its manifest does not name"));
        }
        // The checksum of the last frame is checked when it was read to its end.
        let mut rest = archive.into_inner().take(MAX_PADDING_BYTES + 1);
        let rest = std::io::copy(&mut rest, &mut std::io::sink()).map_err(|error| self.refused(error))?;
        if rest > MAX_PADDING_BYTES {
            return Err(self.refused("something follows its end"));
        }
        let committed = writer.commit(&manifest)?;
        Ok(Imported { site, name: committed.name, known: false, bytes_stored: committed.bytes_stored })
    }

    fn manifest(&self, member: Member<'_>) -> Result<Manifest> {
        let what = format!("the manifest in {}", self.path.display());
        let elsewhere = |_| Err(self.refused("the entries of its manifest are not in it"));
        let mut manifest = codec::read(&what, member.entry, elsewhere)?.manifest;
        if manifest.header.taken > self.now {
            return Err(self.refused(format!("it says that it was taken in the future, {}", manifest.header.taken)));
        }
        // Nothing on a host is older than this, so the next capture reads what it finds there.
        manifest.header.walked = 0;
        manifest.header.previous = None;
        Ok(manifest)
    }

    fn files(&self, manifest: &Manifest, members: &mut Members<'_>, writer: &mut Writer) -> Result<()> {
        let of = manifest.entries.len() as u64;
        let mut bytes = 0;
        for (done, (path, entry)) in manifest.paths().enumerate() {
            let kind = match entry {
                Entry::File { .. } => tar::EntryType::Regular,
                Entry::Dir { .. } => tar::EntryType::Directory,
                Entry::Link { .. } => tar::EntryType::Symlink,
                Entry::Other { .. } | Entry::Object { .. } => continue,
            };
            let mut member = members.next()?.ok_or_else(|| self.refused(format!("{path} is missing")))?;
            let target: &[u8] = if let Entry::Link { target, .. } = entry { target } else { b"" };
            let header = member.entry.header();
            let facts = entry.facts().map(|facts| (facts.mode, u64::from(facts.uid), u64::from(facts.gid)));
            let said = header.mode().ok().zip(header.uid().ok()).zip(header.gid().ok());
            let same = member.name == below(path)
                && header.entry_type() == kind
                && member.entry.size() == entry.size()
                && member.target == target
                && facts == said.map(|((mode, uid), gid)| (mode, uid, gid));
            if !same {
                return Err(self.refused(format!("{path} is not as its manifest says, or out of its place")));
            }
            if let Entry::File { content, .. } = entry {
                self.content(content, &mut member.entry, writer).map_err(|error| self.at(path, error))?;
            }
            bytes += entry.size();
            self.progress.at(Phase::Reading, done as u64 + 1, of, bytes);
        }
        Ok(())
    }

    /// Says which item it is whose bytes are wrong.
    fn at(&self, item: &dyn std::fmt::Display, error: SnapshotError) -> SnapshotError {
        match error {
            SnapshotError::Damaged { detail, .. } => self.refused(format!("{item}: {detail}")),
            other => other,
        }
    }

    /// Stores one content out of the archive.
    fn content(&self, content: &Content, input: &mut dyn Read, writer: &mut Writer) -> Result<()> {
        let wrong = |detail: String| SnapshotError::damaged("content", detail);
        let mut whole = blake3::Hasher::new();
        for chunk in &content.chunks {
            let mut bytes = vec![0; chunk.size as usize];
            input.read_exact(&mut bytes).map_err(|error| wrong(error.to_string()))?;
            whole.update(&bytes);
            if Digest::of(&bytes) != chunk.digest {
                return Err(wrong("its bytes are not those of the manifest".into()));
            }
            writer.put(&bytes)?;
        }
        match Digest::from(whole.finalize()) == content.digest {
            true => Ok(()),
            false => Err(wrong("its chunks are not those of the whole".into())),
        }
    }

    /// A long name, without the zero byte that ends it.
    fn record(&self, entry: &mut tar::Entry<'_, Input>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = MAX_PATH_BYTES as u64 + 64;
        if entry.size() > limit {
            return Err(self.refused("a name in it is longer than names are"));
        }
        entry.take(limit).read_to_end(&mut bytes).map_err(|error| self.refused(error))?;
        bytes.pop();
        Ok(bytes)
    }

    fn database(&self, manifest: &Manifest, members: &mut Members<'_>, writer: &mut Writer) -> Result<()> {
        let objects: Vec<_> = manifest.objects().map(|(name, content)| (name.clone(), content.clone())).collect();
        if objects.is_empty() {
            return Ok(());
        }
        let engine = Engine::of(manifest.header.database.as_ref());
        let engine = engine.ok_or_else(|| self.refused("its database is of a sort that this program does not know"))?;
        let mut texts = HashMap::new();
        if beside(engine, manifest).any(|(_, content)| content.size > 0) {
            let mut input = members.expect(engine.beside().1, MAX_VIEWS_BYTES)?.entry;
            for (name, content) in beside(engine, manifest) {
                if content.size > MAX_VIEWS_BYTES {
                    return Err(self.refused(format!("{name} is larger than it can be")));
                }
                let mut text = vec![0; content.size as usize];
                input.read_exact(&mut text).map_err(|error| self.refused(format!("{name}: {error}")))?;
                self.content(content, &mut text.as_slice(), writer).map_err(|error| self.at(name, error))?;
                texts.insert(name.clone(), text);
            }
        }
        let mut input = members.expect(engine.member(), u64::MAX)?.entry;
        let read = read_sql(engine, &mut input, &objects, &texts, &mut |name, content, input| {
            self.content(content, input, writer).map_err(|error| self.at(name, error))
        })?;
        match read {
            None => Ok(()),
            Some(detail) => Err(self.refused(format!("{}: {detail}", engine.member()))),
        }
    }
}

/// One member, with its name and link target out of GNU's own records where they are long.
struct Member<'a> {
    name: Vec<u8>,
    target: Vec<u8>,
    entry: tar::Entry<'a, Input>,
}

/// The members of an archive, one after the other. No record is read without a limit.
struct Members<'a> {
    entries: tar::Entries<'a, Input>,
    import: &'a Import<'a>,
}

impl<'a> Members<'a> {
    fn next(&mut self) -> Result<Option<Member<'a>>> {
        let (mut name, mut target) = (None, None);
        let import = self.import;
        for entry in self.entries.by_ref() {
            let mut entry = entry.map_err(|error| import.refused(error))?;
            let size = entry.size();
            match entry.header().entry_type() {
                tar::EntryType::XHeader if size <= MAX_RECORD_BYTES => {}
                tar::EntryType::GNULongName => name = Some(import.record(&mut entry)?),
                tar::EntryType::GNULongLink => target = Some(import.record(&mut entry)?),
                _ => {
                    let name = name.unwrap_or_else(|| entry.header().path_bytes().into_owned());
                    let short = || entry.header().link_name_bytes().map(|target| target.into_owned());
                    let target = target.or_else(short).unwrap_or_default();
                    return Ok(Some(Member { name, target, entry }));
                }
            }
        }
        Ok(None)
    }

    /// The next member, which must be this file.
    fn expect(&mut self, name: &str, most: u64) -> Result<Member<'a>> {
        match self.next()? {
            Some(member)
                if member.name == name.as_bytes()
                    && member.entry.header().entry_type() == tar::EntryType::Regular
                    && member.entry.size() <= most =>
            {
                Ok(member)
            }
            _ => Err(self.import.refused(format!("{name} is not where it should be, or too large"))),
        }
    }
}
