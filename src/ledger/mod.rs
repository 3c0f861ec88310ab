//! What people, and runs on their behalf, decided about the fleet: notices and their answers, versions that
//! broke a site, licences, and who lifted what; anomalies, and what was done about them. Append-only, folded when it is read.
//!
//! May use: `model`. Invariants: pure; an entry is never changed; a later entry can end what an earlier one
//! began, and says who did it and when; what has expired is decided by the day that is handed in.

mod anomaly;
mod immunity;
mod licence;
mod notice;

pub use anomaly::{
    Anomaly, Done, MAX_ANSWER, MAX_DESCRIPTION, MAX_LINES, MAX_NAME, MAX_PAGE, MAX_SCREENSHOTS, Remedy, Screenshot,
    Sighting, SiteHold, is_cut,
};
pub use immunity::{Immunity, Stack};
pub use licence::{Entered, LicenceChange};
pub use notice::{About, Answer, Notice, Verdict, asked, covering, covers};

use crate::model::{ComponentId, ComponentName, Digest, Outcome, RunId, SiteName, Version};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The longest reason of a person, in characters.
pub const MAX_REASON: usize = 300;

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "decision")]
pub enum Decision {
    /// Something of a site needs an answer. The number of its entry is the number of the notice.
    Noticed {
        /// The site.
        site: SiteName,
        /// What it is about.
        about: About,
    },
    /// A notice is answered.
    Answered {
        /// The notice.
        notice: u64,
        /// How.
        verdict: Verdict,
        /// Why, in the words of who answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Notices are about to be put into a message to who must act.
    Sending {
        /// Which.
        notices: Vec<u64>,
        /// The message, as the queue of mail will call it.
        message: String,
    },
    /// Notices were put into a message to who must act.
    Sent {
        /// Which.
        notices: Vec<u64>,
        /// The messages, as the queue of mail calls them.
        messages: Vec<String>,
    },
    /// A version broke a site: it is held on every similar one.
    Broke {
        /// Where.
        site: SiteName,
        /// In which run.
        run: RunId,
        /// What.
        component: ComponentId,
        /// The version that broke it.
        version: Version,
        /// On what.
        stack: Stack,
        /// How it showed.
        why: String,
    },
    /// Somebody took note of what was changed on a site outside of its runs: just that keeps no run from beginning.
    DriftAccepted {
        /// The site.
        site: SiteName,
        /// The snapshot with which it was compared: with another one the same marks say something else.
        reference: String,
        /// Which changes.
        marks: Vec<Digest>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A pool of licences was changed, or used.
    Licence {
        /// The pool.
        pool: String,
        /// How.
        #[serde(flatten)]
        change: LicenceChange,
    },
    /// A version that broke a site may be tried again.
    Lifted {
        /// What.
        component: ComponentId,
        /// The version.
        version: Version,
        /// Why.
        why: String,
    },
    /// A client says that something is wrong with a page. The number of its entry is the number of the anomaly.
    AnomalyReported {
        /// The site.
        site: SiteName,
        /// What was seen.
        sighting: Box<Sighting>,
        /// The run before that moment, if one had changed the site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
    },
    /// Because of an anomaly, the site was to be put back to before the run.
    AnomalyPutBack {
        /// The anomaly.
        anomaly: u64,
        /// The run that did it.
        run: RunId,
        /// How that ended.
        outcome: Outcome,
    },
    /// Because of an anomaly, updates of an extension of the site wait.
    AnomalyHeld {
        /// The anomaly.
        anomaly: u64,
        /// The site.
        site: SiteName,
        /// The extension, or `core`.
        extension: ComponentName,
        /// The last day.
        until: Date,
    },
    /// They do not wait any more.
    AnomalyReleased {
        /// The anomaly.
        anomaly: u64,
        /// The site.
        site: SiteName,
        /// The extension, or `core`.
        extension: ComponentName,
    },
    /// An anomaly is answered; the next report tells the client.
    AnomalyAnswered {
        /// The anomaly.
        anomaly: u64,
        /// The answer.
        answer: String,
    },
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LedgerEntry {
    /// Its number; it grows, and is unique in the fleet.
    pub number: u64,
    /// When it was written, by the runner's clock.
    pub at: Timestamp,
    /// Who decided, and where: `user@machine (pid 12)`, or the name that was given.
    pub by: String,
    /// What.
    pub decision: Decision,
}

/// All that was decided, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: Vec<LedgerEntry>,
}

impl Ledger {
    /// The ledger of these entries, which stand in the order of their numbers.
    pub fn new(entries: Vec<LedgerEntry>) -> Self {
        Self { entries }
    }

    /// The entries.
    pub fn entries(&self) -> &[LedgerEntry] {
        &self.entries
    }
}
