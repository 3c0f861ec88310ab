//! What can go wrong with snapshots. One job: errors whose texts say what was tried, where,
//! what came back and what to do next.
//!
//! May use: `model`, `remote`. Invariant: an error never repeats its source in its own text.

use super::store::SnapshotName;
use crate::model::{SiteName, human_bytes};
use crate::remote::RemoteError;
use std::io;

/// The result of everything in this module.
pub type Result<T, E = SnapshotError> = std::result::Result<T, E>;

/// What can go wrong with snapshots.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The host or the connection failed.
    #[error("{doing} on {host} failed; nothing was committed")]
    Remote {
        /// The host.
        host: String,
        /// What was being done.
        doing: &'static str,
        /// What the connection said.
        #[source]
        source: RemoteError,
    },
    /// A command on the host ended badly or said what can't be believed.
    #[error("{doing} on {host} did not work: {detail}")]
    Host {
        /// The host.
        host: String,
        /// What was being done.
        doing: &'static str,
        /// What came back, cleaned, and what to do.
        detail: String,
    },
    /// The store's own files.
    #[error("{doing} at {path} in the snapshot store failed; check the disk and its permissions")]
    Store {
        /// The file or folder.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The bucket that the store is in.
    #[error("{doing} {path} did not work: {detail}")]
    Bucket {
        /// What was being done.
        doing: &'static str,
        /// The object, or the store.
        path: String,
        /// What came back, cleaned, and what to do.
        detail: String,
        /// What sort of error it is.
        kind: io::ErrorKind,
    },
    /// The folder is not a snapshot store.
    #[error("{path} is not a snapshot store; give an empty or new folder to begin one")]
    NotAStore {
        /// The folder.
        path: String,
    },
    /// The store is encrypted, and nothing at hand reads it.
    #[error(
        "{what} is encrypted to {recipients}, and {why}; say where an identity is that reads it: `identity: file:PATH` in the settings, or --identity file:PATH"
    )]
    Locked {
        /// The store, or a file.
        what: String,
        /// Its recipients.
        recipients: String,
        /// What is wrong with the identities at hand.
        why: String,
    },
    /// The store was encrypted, and does not say any more to whom.
    #[error(
        "{path} names no recipients, and the snapshot store holds encrypted files; nothing was written beside them unencrypted: restore {path} from a copy of the store, or name the recipients again: intendant snapshot encrypt --to RECIPIENT"
    )]
    RecipientsGone {
        /// The store's own file.
        path: String,
    },
    /// A recipient that can't be used.
    #[error(
        "{text} can't be encrypted to: {why}; a recipient is the public half of an identity that `age-keygen` makes, and begins with age1"
    )]
    BadRecipient {
        /// What was given, cleaned; never a secret.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is nobody to encrypt to.
    #[error(
        "the snapshot store {path} has no recipients, so nothing can be encrypted; name them first: intendant snapshot encrypt --to RECIPIENT"
    )]
    NoRecipients {
        /// The store.
        path: String,
    },
    /// This program can't encrypt.
    #[error("{what}, and this program was built without encryption; use one that has it")]
    NoEncryption {
        /// What shows that it is needed.
        what: String,
    },
    /// Another process writes snapshots of this site.
    #[error("another process is writing snapshots of {site} (lock {path}); wait for it to end")]
    Busy {
        /// The site.
        site: String,
        /// The lock file.
        path: String,
    },
    /// Others hold the whole store.
    #[error("others work in the snapshot store (lock {path}); nothing more was done, try again when they have ended")]
    StoreBusy {
        /// The lock file.
        path: String,
    },
    /// A format of another version of the program.
    #[error(
        "{what} has format version {found}; this program reads version {known}: use the version that wrote it, or a newer one"
    )]
    FormatVersion {
        /// The file.
        what: String,
        /// What it says.
        found: u64,
        /// What is understood.
        known: u32,
    },
    /// A file of the store that is not what it should be.
    #[error(
        "{what} in the snapshot store is damaged: {detail}; restore it from a copy of the store, or run `intendant snapshot verify` to see what is hurt"
    )]
    Damaged {
        /// The file or item.
        what: String,
        /// What was seen.
        detail: String,
    },
    /// There is no such snapshot.
    #[error("there is no snapshot {name} of {site}; `intendant snapshot list {site}` shows what there is")]
    NoSnapshot {
        /// The site.
        site: SiteName,
        /// What was asked for.
        name: String,
    },
    /// Files that could not be read, or changed each time they were read.
    #[error(
        "the snapshot of {site} would not be complete: {count} files or folders on {host} could not be read, among them {examples}; make them readable for the account, or exclude them in the plan under snapshots.exclude"
    )]
    Incomplete {
        /// The site.
        site: SiteName,
        /// The host.
        host: String,
        /// How many.
        count: usize,
        /// The first few, cleaned.
        examples: String,
    },
    /// The stream of files broke off or is not what was asked for.
    #[error("the stream of files from {host} can't be trusted: {detail}; nothing was committed, try again")]
    Stream {
        /// The host.
        host: String,
        /// What was seen.
        detail: String,
    },
    /// The database.
    #[error("{doing} database {name:?} on {host} failed: {detail}")]
    Database {
        /// The host.
        host: String,
        /// The database's name.
        name: String,
        /// What was being done.
        doing: &'static str,
        /// What came back, cleaned, and what to do.
        detail: String,
    },
    /// The target has database objects and the site gives no access, or the other way round.
    #[error("snapshot {name} of {site} holds a database and the playbook gives no access to one; nothing was changed")]
    NoDatabase {
        /// The site.
        site: SiteName,
        /// The snapshot.
        name: String,
    },
    /// The snapshot was taken of another sort of database.
    #[error(
        "snapshot {name} of {site} holds a database of the sort {found}, and the site now has one of the sort {wanted}; restore files alone (--only PATH), nothing was changed"
    )]
    OtherEngine {
        /// The site.
        site: SiteName,
        /// The snapshot.
        name: String,
        /// That of the snapshot, cleaned.
        found: String,
        /// That of the site.
        wanted: &'static str,
    },
    /// A part of what is only put back whole.
    #[error(
        "a {engine} database, such as that of {site}, is only put back whole; restore all of it, nothing was changed"
    )]
    WholeOnly {
        /// The site.
        site: SiteName,
        /// The sort of database.
        engine: &'static str,
    },
    /// Not enough room on the host.
    #[error("{host} has {} free and the restore needs {}; make room, nothing was changed", human_bytes(*free), human_bytes(*needed))]
    NoRoom {
        /// The host.
        host: String,
        /// Free bytes.
        free: u64,
        /// Needed bytes.
        needed: u64,
    },
    /// Files that the account can't replace.
    #[error(
        "the account on {host} can't change {examples} ({count} in all), which differ from the snapshot; let their owner give it the right, nothing was changed"
    )]
    NotWritable {
        /// The host.
        host: String,
        /// How many.
        count: usize,
        /// The first few, cleaned.
        examples: String,
    },
    /// The snapshot's content is not all there.
    #[error("snapshot {name} of {site} is hurt: {detail}; nothing was changed, choose another snapshot")]
    Hurt {
        /// The site.
        site: SiteName,
        /// The snapshot.
        name: SnapshotName,
        /// Which items.
        detail: String,
    },
    /// What would be overwritten is in the store already, but damaged.
    #[error(
        "what the restore of {site} would overwrite is kept in snapshot {name}, which is hurt: {detail}; nothing was changed; run `intendant snapshot repair`, then try again"
    )]
    NotKept {
        /// The site.
        site: SiteName,
        /// The snapshot of the present state.
        name: SnapshotName,
        /// Which items.
        detail: String,
    },
    /// The snapshot's bytes turned out to be damaged when they were sent.
    #[error(
        "the restore of {site} stopped midway, because snapshot {name} is hurt: {detail}; the state before it is snapshot {before}: restore that one, or another"
    )]
    HurtMidway {
        /// The site.
        site: SiteName,
        /// The snapshot.
        name: SnapshotName,
        /// What was overwritten.
        before: SnapshotName,
        /// Which items.
        detail: String,
    },
    /// The restore ended and the site is not what it should be.
    #[error(
        "after the restore, {site} on {host} still differs from snapshot {name}: {differences}; run the restore again, and look for something else that writes there"
    )]
    StillDiffers {
        /// The site.
        site: SiteName,
        /// The host.
        host: String,
        /// The snapshot.
        name: String,
        /// The summary of the diff.
        differences: String,
    },
    /// The file of an export.
    #[error("writing the export {path} failed; check the folder, its permissions and its room")]
    Export {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file of an import.
    #[error("reading the export {path} failed; check that it is there and may be read")]
    Import {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file that is not an export, or not whole.
    #[error("{path} is not an export that can be trusted: {detail}; nothing was imported")]
    NotAnExport {
        /// The file.
        path: String,
        /// What was seen.
        detail: String,
    },
    /// The files in which visitors' rows are kept.
    #[error(
        "keeping what visitors wrote in {path} failed; check the folder of the state, its permissions and its room, then try again"
    )]
    Evidence {
        /// The file or folder.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Too much of something.
    #[error("{what}: more than {limit}, which is the limit")]
    TooMuch {
        /// What there was too much of.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// A worker of ours ended without an answer.
    #[error("a worker of this program ended before its work was done while {doing}; please report this as a fault")]
    Worker {
        /// What was being done.
        doing: &'static str,
    },
}

impl SnapshotError {
    /// Says which database object it is about.
    pub(super) fn about(mut self, object: Option<String>) -> Self {
        if let (Self::Database { detail, .. }, Some(object)) = (&mut self, object) {
            *detail = format!("{}: {detail}", crate::model::clean_line(&object, 120));
        }
        self
    }

    /// For `map_err` on a [`RemoteError`].
    pub(super) fn remote(host: &str, doing: &'static str) -> impl FnOnce(RemoteError) -> Self {
        let host = host.to_owned();
        move |source| Self::Remote { host, doing, source }
    }

    /// For `map_err` on an [`io::Error`] of the store. What encryption had to say is in it.
    pub(super) fn store(path: impl Into<String>, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| match error.downcast::<Self>() {
            Ok(said) => said,
            Err(source) => Self::Store { path, doing, source },
        }
    }

    /// For `map_err` on an [`io::Error`] in the middle of a content: damage, except where only an
    /// identity is missing, or a bucket does not answer.
    pub(super) fn unreadable(what: &str) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.downcast::<Self>() {
            Ok(said @ (Self::Locked { .. } | Self::Bucket { .. })) => said,
            Ok(other) => Self::damaged(what, other.to_string()),
            Err(error) => Self::damaged(what, error.to_string()),
        }
    }

    /// Whether an [`io::Error`] says that encrypted bytes are not what they were.
    pub(super) fn is_damage(error: &io::Error) -> bool {
        let said = error.get_ref().and_then(|said| said.downcast_ref::<Self>());
        matches!(said, Some(Self::Damaged { .. }))
    }

    /// Whether a bucket does not say what is in it, which says nothing about that.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Bucket { kind, .. } if *kind != io::ErrorKind::NotFound)
    }

    /// Whether a file of the store is just not there.
    pub(super) fn is_missing(&self) -> bool {
        match self {
            Self::Store { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Bucket { kind, .. } => *kind == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// A damaged file.
    pub(super) fn damaged(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Damaged { what: what.into(), detail: crate::model::clean_line(&detail.into(), 400) }
    }
}
