//! What a journal records.

use crate::check::{Baseline, CheckResult};
use crate::drift;
use crate::inventory::{DatabaseVersion, Inventory};
use crate::model::{ComponentId, ComponentName, Digest, Outcome, SiteName, Version};
use crate::procedure::Procedure;
use crate::snapshot::Rows;
use crate::update::Refusal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a run was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Purpose {
    /// The main job.
    Update,
    /// A restore that a person asked for.
    Restore {
        /// The snapshot.
        snapshot: String,
        /// What it is limited to, as it was asked for.
        only: Vec<String>,
        /// Whether rows that visitors wrote since are taken off, too.
        #[serde(default)]
        exact: bool,
        /// The anomaly because of which it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        anomaly: Option<u64>,
    },
}

/// The first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Opened {
    /// The site.
    pub site: SiteName,
    /// Why.
    pub purpose: Purpose,
    /// Whether windows and blackouts are set aside.
    #[serde(default)]
    pub any_time: bool,
    /// Who runs it, and where: `user@machine (pid 12)`.
    pub by: String,
    /// The version of the program.
    pub program: String,
    /// What reports need of the plan.
    pub plan: PlanExtract,
    /// Components that may be overwritten although somebody modified them: who opened the run accepts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept_modified: Vec<ComponentName>,
}

/// What reports need of the plan, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanExtract {
    /// The digest of the plan's file.
    pub digest: Digest,
    /// The client's name.
    pub client: String,
    /// The language of the client's reports: `fr` or `en`.
    pub language: String,
    /// The tier's name.
    pub tier: String,
    /// How many extensions it covers.
    pub cap: Option<u32>,
    /// The site's address.
    pub url: String,
    /// The zone in which times are shown.
    pub zone: String,
}

/// An attempt: what was seen, and what will be done about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Planned {
    /// Counted from 1.
    pub attempt: u32,
    /// What was seen; none for a restore, which must not need a CMS that runs.
    pub inventory: Option<Inventory>,
    /// What somebody else changed since the last run; none where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Box<drift::Found>>,
    /// What will be done.
    pub procedure: Procedure,
    /// Its digest.
    pub digest: Digest,
}

/// What a tool said it did, beside what was read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Claim {
    /// The command, as a person would type it.
    pub command: String,
    /// Its exit status.
    pub status: i32,
    /// The end of what it printed, cleaned.
    pub said: String,
}

/// A snapshot that was taken and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SnapshotRecord {
    /// Its name in the store.
    pub name: String,
    /// The digest that names its content.
    pub id: Digest,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Tables and other database objects in it.
    pub objects: u64,
    /// Bytes that were new in the store, compressed.
    pub stored_bytes: u64,
    /// What differs from the snapshot before, one line each, the first ones.
    pub changed: Vec<String>,
    /// How many items differ.
    pub changed_count: u64,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "did")]
pub enum StepResult {
    /// Nothing that is worth a word.
    Done,
    /// The site passed its checks; this is what it looked like.
    Baseline {
        /// What was seen.
        baseline: Baseline,
        /// With verdicts.
        results: Vec<CheckResult>,
    },
    /// A snapshot was taken and verified.
    Snapshot {
        /// Which.
        snapshot: SnapshotRecord,
    },
    /// The host watches over the run, or can't.
    Armed {
        /// Whether it does.
        armed: bool,
        /// What that takes, or why it can't.
        said: String,
    },
    /// A component is at its version: claimed and read back.
    Updated {
        /// What the tool said.
        claim: Claim,
        /// What was read back.
        version: Version,
    },
    /// The database fits the code: claimed and read back.
    Migrated {
        /// What the tool said.
        claim: Claim,
        /// What was read back.
        database: Option<DatabaseVersion>,
    },
    /// Commands ran.
    Ran {
        /// What they said.
        claims: Vec<Claim>,
    },
    /// Checks passed.
    Checked {
        /// With verdicts.
        results: Vec<CheckResult>,
    },
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepFailure {
    /// In words: what was tried, what came back.
    pub why: String,
    /// What the tool said, where one ran.
    pub claim: Option<Claim>,
    /// Checks, where some failed.
    pub results: Vec<CheckResult>,
    /// The component that is to blame, if it is known.
    pub blamed: Option<ComponentId>,
    /// What it says of a licence, if it says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Sign>,
}

/// What the failure of a step says of the licence of its component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// The key was entered and read back, and the update was offered without a package.
    NoPackage,
    /// The update was said to be done, and the version is what it was.
    StillOld,
}

impl Event {
    /// What [`Event::Healed`] says in one line; none for others.
    pub fn healed(&self) -> Option<String> {
        let Self::Healed { at, whole, failed, files, .. } = self else { return None };
        let mut text =
            format!("nothing was heard of the runner, and the host began to put the site back by itself at {at}");
        if !whole {
            text.push_str("; it was interrupted in that");
        }
        if !failed.is_empty() {
            text.push_str(&format!("; it could not do all of it: {}", failed.join(", ")));
        }
        if let Some(files) = files {
            text.push_str(&format!("; the files that it overwrote or removed are kept in {files}"));
        }
        Some(text)
    }
}

/// What happened, or is about to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// The run begins.
    Opened(Box<Opened>),
    /// An attempt begins.
    Planned(Box<Planned>),
    /// Something waits for an answer of a person; see the ledger.
    Noticed {
        /// The number of the notice.
        notice: u64,
        /// The component that it is about.
        component: ComponentId,
    },
    /// The run can't begin; it is closed as refused next.
    Refused {
        /// All the reasons.
        reasons: Vec<Refusal>,
    },
    /// A step is about to be done.
    StepBegun {
        /// Its place in the procedure, counted from 0.
        step: usize,
    },
    /// A step was done.
    StepDone {
        /// Its place.
        step: usize,
        /// What it did.
        result: Box<StepResult>,
    },
    /// A step failed.
    StepFailed {
        /// Its place.
        step: usize,
        /// Why.
        failure: Box<StepFailure>,
    },
    /// A runner takes over from one that died.
    Recovered {
        /// Who.
        by: String,
        /// The version of the program.
        program: String,
    },
    /// Nothing was heard of the runner, and the host put the site back by itself. What it overwrote is kept.
    Healed {
        /// When it began, by the host's clock.
        at: Timestamp,
        /// Whether it came to its end.
        whole: bool,
        /// What did not work.
        failed: Vec<String>,
        /// The snapshot with the database that it overwrote.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overwritten: Option<String>,
        /// The archive of the files that it overwrote or removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        files: Option<String>,
    },
    /// The changes are about to be undone.
    UnwindBegun {
        /// Why, in words.
        why: String,
    },
    /// The snapshot is about to be put back.
    RestoreBegun {
        /// Which.
        snapshot: String,
        /// Counted from 1.
        attempt: u32,
    },
    /// The present state is a snapshot, and the rows that visitors wrote since the one that is put back are
    /// kept; from here on the site is overwritten.
    RestorePrepared {
        /// The snapshot of what is overwritten.
        overwrites: String,
        /// The rows, where they were looked for and found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rows: Option<Box<Rows>>,
    },
    /// The site is what the snapshot says, proven by a second look.
    RestoreDone {
        /// The snapshot of what was overwritten.
        overwritten: String,
        /// What was undone, one line each, the first ones.
        undone: Vec<String>,
        /// How many items.
        undone_count: u64,
        /// What the updates that the failure points at had changed, one line each, the first ones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        suspects_changed: Vec<String>,
        /// Bytes that were sent.
        bytes_sent: u64,
        /// What could not be set and differs still, such as owners.
        left: Vec<String>,
        /// What became of visitors' rows, where there were any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rows: Option<Box<Rows>>,
    },
    /// Putting it back failed; it may be tried again.
    RestoreFailed {
        /// Why, in words.
        why: String,
    },
    /// The restored site was checked.
    UnwindChecked {
        /// With verdicts.
        results: Vec<CheckResult>,
        /// Whether it is as good as before.
        good: bool,
    },
    /// Something worth knowing that changes nothing.
    Noted {
        /// In words.
        what: String,
    },
    /// The run is over.
    Closed {
        /// How.
        outcome: Outcome,
        /// In words; for `stuck`, what a person has to do.
        summary: String,
        /// The versions of all components as they were read back at the end.
        versions: BTreeMap<ComponentId, Version>,
    },
}
