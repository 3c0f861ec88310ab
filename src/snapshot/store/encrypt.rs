//! Turns encryption on, changes the recipients, and encrypts what is there already.
//!
//! May use: `error`, `needs`, `prune`, `recipients`, `sealed`, and this module's root. Invariants: the
//! recipients change only while nobody else reads or writes, so that no writer goes by two answers;
//! what was encrypted to others is remembered until it is written again; a plain file goes only when
//! its encrypted copy is there and synced.

use super::super::Progress;
use super::super::capture::joined;
use super::super::error::{Result, SnapshotError};
use super::backend::Backend;
use super::prune::{How, Pruned, run};
use super::{MANIFEST_SUFFIX, Store, StoreLine, manifest_file, needs, recipients};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// To whom a store is encrypted, and what of it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encryption {
    /// Who reads what is written now; nobody in particular: it is not encrypted.
    pub recipients: Vec<String>,
    /// Who they were before, where files of that time may be there.
    pub former: Vec<Vec<String>>,
    /// Packs that are not encrypted.
    pub plain_packs: u64,
    /// Manifests that are not encrypted.
    pub plain_manifests: u64,
}

/// What turning encryption on did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// How the store is now.
    pub now: Encryption,
    /// What was written again, if that was asked for.
    pub rewritten: Option<Pruned>,
}

/// From now on, packs and manifests are encrypted to these recipients; to those of before where none are
/// named. With `rewrite`, what is there already is written again, encrypted to them and to nobody else.
///
/// # Errors
/// A recipient that can't be used; a store that others use for very long, or that can't be written.
/// With `rewrite` also a store that can't be read. What was done until then is good; run it again.
pub async fn encrypt(
    store: &Arc<Store>,
    recipients: &[String],
    rewrite: bool,
    progress: &Arc<dyn Progress>,
) -> Result<Encrypted> {
    let recipients = match recipients {
        [] => None,
        some => Some(recipients::parse(some)?),
    };
    let (store, progress) = (store.clone(), progress.clone());
    let work = move || {
        if let Some(recipients) = recipients {
            store.set_recipients(recipients)?;
        }
        if rewrite && !store.backend.is_sealing()? {
            return Err(SnapshotError::NoRecipients { path: store.place() });
        }
        let rewritten = rewrite.then(|| run(&store, Vec::new(), How::Rewrite, &*progress)).transpose()?;
        Ok(Encrypted { now: store.encryption()?, rewritten })
    };
    joined(tokio::task::spawn_blocking(work).await)
}

impl Store {
    /// To whom the store is encrypted, and what of it is not.
    pub fn encryption(&self) -> Result<Encryption> {
        let line = self.backend.line()?;
        let mut found = Encryption { recipients: line.recipients, former: line.former, ..Encryption::default() };
        let plain = |names: Vec<String>| {
            names
                .iter()
                .try_fold(0, |count, name| Ok::<_, SnapshotError>(count + u64::from(self.backend.is_plain(name)?)))
        };
        found.plain_packs = plain(self.packs()?.iter().map(|name| super::pack::pack_file(name)).collect())?;
        for site in self.sites()? {
            found.plain_manifests +=
                plain(self.list(&site)?.iter().map(|one| manifest_file(&one.site, &one.name)).collect())?;
        }
        Ok(found)
    }

    /// All packs, with an index or without.
    pub(super) fn packs(&self) -> Result<BTreeSet<String>> {
        let failed = SnapshotError::store(self.backend.shown("packs"), "listing packs");
        let names = self.backend.list("packs").map_err(failed)?;
        Ok(names.iter().filter_map(|(name, _)| name.strip_suffix(".tar.zst")).map(str::to_owned).collect())
    }

    fn set_recipients(&self, recipients: Vec<String>) -> Result<()> {
        let _nobody_else = self.lock(false)?;
        let line = self.backend.line()?;
        if line.recipients == recipients {
            return Ok(());
        }
        // What was never used need not be remembered, such as a key that was mistaken for another.
        let line = if self.is_used()? { line } else { StoreLine::plain() };
        self.backend.set_line(&line.with(recipients)?)
    }

    /// Whether anything is encrypted.
    fn is_used(&self) -> Result<bool> {
        self.packs()?;
        self.sites()?.iter().try_for_each(|site| self.list(site).map(drop))?;
        Ok(self.backend.has_sealed())
    }

    /// Forgets former recipients, when none of these packs is left. The store's lock is held.
    pub(super) fn forget_former(&self, before: &BTreeSet<String>) -> Result<()> {
        let mut line = self.backend.line()?;
        if line.former.is_empty() || !self.packs()?.is_disjoint(before) {
            return Ok(());
        }
        line.former.clear();
        self.backend.set_line(&line)
    }

    /// Encrypts the manifests of an encrypted store that are not, or all anew; writes the lists of what
    /// they need that are missing or damaged.
    pub(super) fn seal_manifests(&self, all: bool) -> Result<()> {
        if !self.backend.is_sealing()? {
            return Ok(());
        }
        let mut blobs = self.blobs()?;
        for site in self.sites()? {
            for one in self.list(&site)? {
                let file = manifest_file(&site, &one.name);
                let again = all || self.backend.is_plain(&file)?;
                if !again && self.needs(&site, &one.name).is_ok() {
                    continue;
                }
                let loaded = match self.load_with(&mut blobs, &site, &one.name) {
                    Err(SnapshotError::NoSnapshot { .. }) => continue,
                    other => other?,
                };
                self.note_needs(&site, &one.name, loaded.blobs())?;
                if again {
                    self.seal_manifest(&file)?;
                }
            }
        }
        Ok(())
    }

    fn seal_manifest(&self, file: &str) -> Result<()> {
        let failed = || SnapshotError::store(self.backend.shown(file), "encrypting a manifest");
        let mut input = self.backend.open(file).map_err(failed())?;
        let mut upload = self.backend.create(file).map_err(failed())?;
        io::copy(&mut input, &mut upload).and_then(|_| upload.commit()).map_err(failed())?;
        self.backend.remove_plain(file)
    }

    /// Removes lists of snapshots that are not there any more. The store's lock is held.
    pub(super) fn remove_needs_of_nothing(&self) -> Result<()> {
        let mut orphans = Vec::new();
        for site in self.sites()? {
            let folder = format!("sites/{site}");
            let failed = SnapshotError::store(self.backend.shown(&folder), "listing snapshots");
            let names: BTreeSet<String> =
                self.backend.list(&folder).map_err(failed)?.into_iter().map(|(name, _)| name).collect();
            let lists = names.iter().filter_map(|name| name.strip_suffix(needs::SUFFIX));
            let orphan = lists.filter(|name| !names.contains(&format!("{name}{MANIFEST_SUFFIX}")));
            orphans.extend(orphan.map(|name| format!("{folder}/{name}{}", needs::SUFFIX)));
        }
        let failed = SnapshotError::store(self.backend.shown("sites"), "removing what dropped snapshots needed");
        self.backend.remove(&orphans).map_err(failed)
    }
}
