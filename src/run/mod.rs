//! Runs: [`next`] decides, `drive` acts, the journal remembers.
//!
//! May use: everything below. Invariants: the only module that changes a site; knows no CMS by
//! name; every act is journaled before it is done, and if it can't be, it is not done; a run ends
//! in one of the five outcomes.

mod along;
mod drift;
mod drive;
mod fleet;
mod intake;
mod keeper;
mod licence;
mod next;
mod notices;
mod perform;
mod preview;
mod rehearse;
mod reopen;
mod restore;
mod search;
mod source;
mod suspects;
mod switch;

pub use drift::{accept_drift, drift};
pub use drive::{recover, run};
pub use intake::intake;
pub use licence::{Keys, NoKeys};
pub use next::{Next, Policy, next};
pub use notices::Pending;
pub use preview::{Preview, decide, preview};
pub use rehearse::rehearse;
pub use restore::{RestoreAsked, restore};
pub use search::Search;
pub use source::playbook_digest;
pub use source::{close_site, open_site, protected, snapshot_source};

use crate::check::CheckError;
use crate::inventory::InventoryError;
use crate::journal::{Entry, Illegal, Journal, JournalError};
use crate::model::{ComponentName, Digest, Outcome, RunId, SiteName, in_words};
use crate::plan::{FleetRules, Plan};
use crate::playbook::{Playbook, Script};
use crate::procedure::{Procedure, ProcedureError};
use crate::remote::{RemoteError, SshSettings};
use crate::site::{ScratchError, SiteError, ToolCache};
use crate::snapshot::{Phase, SnapshotError, Store};
use crate::vulnerability::Feeds;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

/// The time, so that tests can choose it.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Hears what happens. Called often: be quick.
pub trait Listener: Send + Sync {
    /// A run is taken up that another process began; the steps that are to come are those of its procedure.
    fn taken_up(&self, _site: &SiteName, _procedure: &Procedure) {}
    /// An entry was written.
    fn entry(&self, site: &SiteName, run: RunId, entry: &Entry);
    /// Bytes and items move: see [`crate::snapshot::Progress`].
    fn progress(&self, site: &SiteName, phase: Phase, items: u64, of: u64, bytes: u64);
}

/// Hears nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoListener;

impl Listener for NoListener {
    fn entry(&self, _: &SiteName, _: RunId, _: &Entry) {}
    fn progress(&self, _: &SiteName, _: Phase, _: u64, _: u64, _: u64) {}
}

/// What all runs of one runner share.
#[derive(Clone)]
pub struct Runner {
    /// Where journals are kept.
    pub journal: Arc<dyn Journal>,
    /// Where snapshots are kept.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who hears of it.
    pub listener: Arc<dyn Listener>,
    /// Tools for hosts that lack them.
    pub tools: ToolCache,
    /// How connections are made; a plan's own `ssh-config` goes first.
    pub ssh: SshSettings,
    /// Where rows are kept that visitors wrote and a restore found.
    pub evidence: PathBuf,
    /// What holds for the whole fleet.
    pub rules: FleetRules,
    /// Where vulnerabilities are published.
    pub feeds: Arc<Feeds>,
    /// Where keys of licences are.
    pub keys: Arc<dyn Keys>,
    /// Who runs this, and where: `user@machine (pid 12)`.
    pub by: String,
}

/// One site's work.
#[derive(Clone)]
pub struct Job {
    /// The contract.
    pub plan: Arc<Plan>,
    /// The digest of the plan's file.
    pub plan_digest: Digest,
    /// The folder of the plan's file, from which its relative paths count.
    pub folder: PathBuf,
    /// The CMS.
    pub playbook: Arc<Playbook>,
    /// The playbook's scripts.
    pub scripts: Arc<Vec<Script>>,
    /// Whether windows and blackouts are set aside.
    pub any_time: bool,
    /// Components that may be overwritten although somebody modified them.
    pub accept_modified: Vec<ComponentName>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The run.
    pub run: RunId,
    /// How.
    pub outcome: Outcome,
    /// In words.
    pub summary: String,
}

/// Why a run could not be brought to an outcome by this process.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal can't be written: nothing more is done. `recover` goes on from there.
    #[error(
        "{site}: the run stops, because its journal can't be written; when that is mended: intendant recover {site}"
    )]
    Journal {
        /// The site.
        site: SiteName,
        /// Why.
        #[source]
        source: JournalError,
    },
    /// The journal contradicts itself.
    #[error(
        "{site}: the journal of run {run} contradicts itself; don't touch it, and restore the site by hand: intendant restore {site}"
    )]
    Illegal {
        /// The site.
        site: SiteName,
        /// The run.
        run: RunId,
        /// Where.
        #[source]
        source: Illegal,
    },
    /// The host can't be reached to recover; the run stays open.
    #[error("{site}: the run stays open, because its host can't be worked on; try again: intendant recover {site}")]
    Unreachable {
        /// The site.
        site: SiteName,
        /// Why.
        #[source]
        source: Box<WorkError>,
    },
    /// What would be restored can't be read; the run stays open.
    #[error("{site}: the run stays open, because its snapshots can't be read; then: intendant recover {site}")]
    Locked {
        /// The site.
        site: SiteName,
        /// Why.
        #[source]
        source: SnapshotError,
    },
    /// A run of the site is open.
    #[error("{site}: run {run} of {opened} was never finished; first: intendant recover {site}")]
    Open {
        /// The site.
        site: SiteName,
        /// The run.
        run: RunId,
        /// Since when.
        opened: Timestamp,
    },
    /// Another process works on the site; it was not touched.
    #[error(transparent)]
    Held(JournalError),
    /// Another runner took the run over while this process was away; nothing more is done here.
    #[error(
        "{site}: lease lost: another runner has taken the site over from run {run} while this process was away, and nothing more \
         is done from here; who works on it now: intendant doctor {site}"
    )]
    LeaseLost {
        /// The site.
        site: SiteName,
        /// The run.
        run: RunId,
    },
    /// There is nothing to recover.
    #[error("{site}: no run is open, there is nothing to recover")]
    NothingOpen {
        /// The site.
        site: SiteName,
    },
    /// Work outside a run.
    #[error(transparent)]
    Work(#[from] WorkError),
}

/// What can go wrong while working on a site.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The site.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The connection.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The inventory.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The procedure.
    #[error(transparent)]
    Procedure(#[from] ProcedureError),
    /// The place for a rehearsal.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// What a rehearsal showed can't be written down.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The checks.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// What a program on the host gave back is not what it should be.
    #[error("{what}")]
    Unexpected {
        /// What was tried, what came back.
        what: String,
    },
}
