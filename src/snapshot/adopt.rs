//! A state of the database that its own host kept as a dump becomes a snapshot.
//!
//! May use: `remote`, and its siblings. Invariants: it is committed only when the dump was read to its closing line; its
//! files are those of the snapshot that it is told, so that restoring it never takes files off a site.

use super::capture::{begin, joined};
use super::database::read_dump;
use super::error::{Result, SnapshotError};
use super::item::Item;
use super::manifest::{Entry, Header, Manifest};
use super::store::{SnapshotName, Store};
use super::{Progress, Source};
use crate::remote::Process;
use jiff::Timestamp;
use std::sync::Arc;

/// Makes a snapshot of a kept dump and of the files of the snapshot `files`.
pub async fn adopt(
    source: &Source,
    store: &Arc<Store>,
    files: &SnapshotName,
    kept: Process,
    now: Timestamp,
    progress: &Arc<dyn Progress>,
) -> Result<SnapshotName> {
    let access = source
        .database
        .as_ref()
        .ok_or_else(|| SnapshotError::NoDatabase { site: source.site.clone(), name: files.to_string() })?;
    let (from, site, name) = (store.clone(), source.site.clone(), files.clone());
    let loading = tokio::task::spawn_blocking(move || Ok((from.reading()?, from.load(&site, &name)?)));
    let (_reading, loaded) = joined(loading.await)?;
    let (writer, _) = begin(source, store, None).await?;
    let (writer, dumped) = read_dump(source, access, kept, writer, progress).await?;
    let mut entries = loaded.entries;
    entries.retain(|item, _| matches!(item, Item::Path(_)));
    let objects = dumped.objects.into_iter();
    entries.extend(objects.map(|(object, content)| (Item::Object(object), Arc::new(Entry::Object { content }))));
    let header = Header {
        taken: now,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        database: Some(dumped.facts),
        previous: Some(files.to_string()),
        ..loaded.header
    };
    let manifest = Manifest { header, entries };
    let committing = tokio::task::spawn_blocking(move || writer.commit(&manifest));
    Ok(joined(committing.await)?.name)
}
