//! The append-only record of runs: the only truth about them. Rehearsals of restores, what was decided about the
//! fleet, and what audits came to are recorded beside it.
//!
//! May use: `model`, `ledger`, `drift`, `intake`, `check`, `update`, `procedure`, `inventory`, `snapshot`. Invariants: an
//! entry is synced before the act that it announces; entries are never changed; an entry that
//! can't follow the one before it is an error; secrets have no place in any event.

mod audited;
mod event;
mod held;
mod rehearsal;
mod sqlite;
mod state;

pub use audited::Audited;
pub use event::{Claim, Event, Opened, PlanExtract, Planned, Purpose, Sign, SnapshotRecord, StepFailure, StepResult};
pub use held::Held;
pub use rehearsal::{Rehearsal, RehearsalResult};
pub use sqlite::SqliteJournal;
pub use state::{AttemptState, Illegal, RunState, StepState, Unwind};

use crate::intake::Assessment;
use crate::ledger::{Decision, Ledger};
use crate::model::{ComponentId, Outcome, RunId, SiteName, Version};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One entry of a run's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Counted from 1 within the run, without a gap.
    pub sequence: u64,
    /// When it was written, by the runner's clock.
    pub at: Timestamp,
    /// What happened, or is about to.
    pub event: Event,
}

/// One line about a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// The site.
    pub site: SiteName,
    /// When it was opened.
    pub opened: Timestamp,
    /// How it ended; none while it is open.
    pub outcome: Option<Outcome>,
}

/// Why the journal can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The place of the database.
    #[error("the journal can't be opened at {path}; check that the folder exists and can be written")]
    Open {
        /// The file.
        path: String,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
    /// Another process works on the site.
    #[error("{site} is being worked on by {by}; wait until that is done, or end it")]
    Held {
        /// The site.
        site: SiteName,
        /// Who does.
        by: String,
    },
    /// A folder or file that can't be made.
    #[error("{path}, beside the journal, can't be made or written")]
    Folder {
        /// Which.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database.
    #[error("{doing} in the journal failed; nothing is done that is not recorded first")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
    /// Another process wrote to the same run.
    #[error("entry {sequence} of run {run} was already written by another process; this one stops")]
    Overtaken {
        /// The run.
        run: RunId,
        /// The entry.
        sequence: u64,
    },
    /// An entry that is not there, though later ones are.
    #[error(
        "entry {sequence} of run {run} is missing, and later ones are there: somebody changed the journal, or it was damaged"
    )]
    Missing {
        /// The run.
        run: RunId,
        /// The entry.
        sequence: u64,
    },
    /// An entry that can't be read.
    #[error("entry {sequence} of run {run} can't be read; it was written by another version, or damaged")]
    Unreadable {
        /// The run.
        run: RunId,
        /// The entry.
        sequence: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An event that can't be written down.
    #[error("an event of run {run} can't be written down")]
    Unwritable {
        /// The run.
        run: RunId,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// What an audit came to can't be written down.
    #[error("what the audit came to can't be written down")]
    Audit(#[source] serde_json::Error),
    /// A decision that can't be written, or read.
    #[error("decision {number} can't be written or read; it was made by another version, or is damaged")]
    Decision {
        /// Its number; 0 for a new one.
        number: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The journal's format is newer than this program.
    #[error("the journal at {path} has format {found}, and this program knows {known}; use the newer program")]
    Format {
        /// The file.
        path: String,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
}

/// A place where journals are kept. Two processes may use one place; of two that append the same
/// entry one fails.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Takes a site for this process, which is called `by`, as long as the answer lives.
    ///
    /// # Errors
    /// [`JournalError::Held`] when another process has it.
    fn hold(&self, site: &SiteName, by: &str) -> Result<Held, JournalError>;

    /// Appends entry `sequence` of a run and returns when it is on the disk. The first entry of a
    /// run must be [`Event::Opened`]. Only entry n+1 may follow entry n.
    async fn append(&self, run: RunId, entry: &Entry) -> Result<(), JournalError>;

    /// All entries of a run, in order.
    async fn entries(&self, run: RunId) -> Result<Vec<Entry>, JournalError>;

    /// The bytes of a run's entries, a line of JSON for each: what was written then, whatever a program of now would write.
    async fn recorded(&self, run: RunId) -> Result<Vec<u8>, JournalError>;

    /// Runs, newest first: of one site or of all, only open ones or all, at most `limit`.
    async fn runs(&self, site: Option<&SiteName>, open_only: bool, limit: u32)
    -> Result<Vec<RunSummary>, JournalError>;

    /// Writes down a rehearsal that is over.
    async fn rehearsed(&self, rehearsal: &Rehearsal) -> Result<(), JournalError>;

    /// Rehearsals of a site, newest first, at most `limit`. Those that a newer program wrote are left out.
    async fn rehearsals(&self, site: &SiteName, limit: u32) -> Result<Vec<Rehearsal>, JournalError>;

    /// Writes down what an intake showed.
    async fn assessed(&self, assessment: &Assessment) -> Result<(), JournalError>;

    /// The assessments of a site, newest first, at most `limit`. Those that a newer program wrote are left out.
    async fn assessments(&self, site: &SiteName, limit: u32) -> Result<Vec<Assessment>, JournalError>;

    /// Writes down what an audit came to.
    async fn audited(&self, audited: &Audited) -> Result<(), JournalError>;

    /// What audits came to, newest first, at most `limit`. Those that a newer program wrote are left out.
    async fn audits(&self, limit: u32) -> Result<Vec<Audited>, JournalError>;

    /// Writes down a decision, and gives its number.
    async fn decide(&self, at: Timestamp, by: &str, decision: &Decision) -> Result<u64, JournalError>;

    /// Everything that was decided about the fleet.
    async fn ledger(&self) -> Result<Ledger, JournalError>;

    /// Writes down that a site of a CMS has these offers, and says since when each counts as known: since this site had it, or since
    /// two others had; now, where that never was.
    async fn first_seen(
        &self,
        of: (&str, &SiteName),
        offers: &[(ComponentId, Version)],
        now: Timestamp,
    ) -> Result<HashMap<(ComponentId, Version), Timestamp>, JournalError>;
}
