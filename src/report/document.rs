//! The report as a value: complete, the same in every language, and the JSON form of it.
//!
//! May use: `model`, `plan`, `drift`, `check`, `snapshot`, `update`, `journal` for their values. Invariant: a change that
//! could mislead a reader of the JSON raises [`FORMAT`].

use crate::check::Reason;
use crate::drift::DriftKind;
use crate::journal::{Claim, RehearsalResult};
use crate::model::{
    ComponentId, ComponentName, Digest, HoldReason, Lifter, Outcome, RunId, SiteName, Version, VersionStep,
};
use crate::plan::DriftPart;
use crate::snapshot::Rows;
use crate::update::Refusal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the JSON form.
pub const FORMAT: u32 = 1;

/// What one run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// The version of this format: 1.
    pub report: u32,
    /// The run.
    #[schemars(with = "String")]
    pub run: RunId,
    /// The site's name.
    pub site: SiteName,
    /// Its address.
    pub url: String,
    /// Its CMS; none when the run ended before it was looked at.
    pub cms: Option<String>,
    /// The client's name.
    pub client: String,
    /// The language of the client's page.
    pub language: String,
    /// The zone in which the page shows times.
    pub zone: String,
    /// The plan's tier.
    pub tier: String,
    /// How many extensions the tier covers; none means no limit.
    pub cap: Option<u32>,
    /// How many there are.
    pub extensions: Option<u32>,
    /// What the run was for.
    pub job: Job,
    /// Who ran it, and where.
    pub by: String,
    /// The version of the program.
    pub program: String,
    /// The digest of the plan.
    #[schemars(with = "String")]
    pub plan: Digest,
    /// The digest of the last procedure.
    #[schemars(with = "Option<String>")]
    pub procedure: Option<Digest>,
    /// When it began.
    #[schemars(with = "String")]
    pub began: Timestamp,
    /// When it ended; none while it is not over.
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The end in the program's own words; for `stuck`, what a person has to do.
    pub summary: Option<String>,
    /// How often a runner died and another one took over.
    pub interruptions: u32,
    /// How many attempts there were.
    pub attempts: u32,
    /// Why it did not begin.
    pub refusals: Vec<Refusal>,
    /// What the last attempt set out to update.
    pub updates: Vec<UpdateLine>,
    /// The database's version.
    pub database: Option<Database>,
    /// What waits.
    pub holds: Vec<HoldLine>,
    /// What somebody else changed since the last run; none where that was not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What the client told us is wrong with the site: what is open, and what was answered since the last report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anomalies: Vec<AnomalyLine>,
    /// What went wrong.
    pub failures: Vec<Failure>,
    /// What was put back.
    pub restores: Vec<Restore>,
    /// Every check, before and after.
    pub checks: Vec<CheckLine>,
    /// The snapshots that were taken.
    pub snapshots: Vec<Snapshot>,
    /// The last time that a restore of the site was rehearsed and proven, up to the run's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_restore: Option<ProvenRestore>,
    /// Every step of every attempt.
    pub steps: Vec<StepLine>,
    /// The versions as they were read back at the end.
    pub versions: BTreeMap<ComponentId, Version>,
    /// Other things worth knowing, in the program's own words.
    pub notes: Vec<String>,
}

/// What a run was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Job {
    /// Updates.
    Update,
    /// A restore that a person asked for.
    Restore {
        /// The snapshot.
        snapshot: String,
        /// What it was limited to; empty means everything.
        only: Vec<String>,
    },
}

/// What somebody else changed since the last run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Drift {
    /// The state with which the site was compared: when it was kept.
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// The snapshot of that state.
    pub reference: Option<String>,
    /// The first changes.
    pub changes: Vec<DriftLine>,
    /// How many there are.
    pub count: u64,
    /// What could not be compared, and why, in the program's own words.
    pub unknown: Vec<String>,
}

/// One change that no run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DriftLine {
    /// The part of the site.
    pub part: DriftPart,
    /// What happened.
    pub kind: DriftKind,
    /// To what.
    pub subject: String,
    /// The component that it belongs to.
    pub component: Option<ComponentId>,
    /// What it was.
    pub from: Option<String>,
    /// What it is.
    pub to: Option<String>,
    /// How many files of the component changed with it.
    pub files: u64,
    /// Who accepted it.
    pub accepted_by: Option<String>,
}

/// What a client told us is wrong with a page, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AnomalyLine {
    /// Its number.
    pub anomaly: u64,
    /// When it was seen.
    #[schemars(with = "String")]
    pub seen: Timestamp,
    /// When we were told.
    #[schemars(with = "String")]
    pub told: Timestamp,
    /// The address of the page.
    pub url: String,
    /// What is wrong with it, in the client's words.
    pub description: String,
    /// Who saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<String>,
    /// How many screenshots came with it.
    pub screenshots: u64,
    /// The run that came before it.
    #[schemars(with = "Option<String>")]
    pub run: Option<RunId>,
    /// When the site was put back to before that run because of it.
    #[schemars(with = "Option<String>")]
    pub put_back: Option<Timestamp>,
    /// What waits because of it.
    pub holds: Vec<AnomalyHold>,
    /// When it was answered; none while it is open.
    #[schemars(with = "Option<String>")]
    pub answered: Option<Timestamp>,
    /// The answer.
    pub answer: Option<String>,
}

/// An extension whose updates wait because of an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AnomalyHold {
    /// Which.
    pub extension: ComponentName,
    /// The last day.
    #[schemars(with = "String")]
    pub until: jiff::civil::Date,
}

/// One component and what became of its update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UpdateLine {
    /// Which.
    pub component: ComponentId,
    /// What the site's administration calls it.
    pub title: String,
    /// What was installed.
    pub from: Version,
    /// Where it was to go.
    pub to: Version,
    /// How large the step is: `minor`, `major`.
    #[schemars(with = "String")]
    pub step: VersionStep,
    /// Where the offer came from.
    pub source: Option<String>,
    /// The known vulnerabilities that it closes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<ClosedLine>,
    /// Whether it is a special build: no ordinary release.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub special: bool,
    /// What became of it.
    pub state: UpdateState,
    /// The version as it was last read from the site; none when it was not read.
    pub read_back: Option<Version>,
}

/// A known vulnerability that an update closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ClosedLine {
    /// Its name.
    pub name: String,
    /// When it was published, if that is known.
    #[schemars(with = "Option<String>")]
    pub published: Option<Timestamp>,
    /// How many whole hours passed from then until the update was applied.
    pub exposed_hours: Option<u64>,
}

/// What became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateState {
    /// Installed, read back, and kept.
    Applied,
    /// Installed, then undone.
    Undone,
    /// It did not work; the site was put back.
    Failed,
    /// Its turn did not come.
    NotReached,
    /// Begun, and neither kept nor undone: see the outcome.
    Unclear,
}

/// The database's version in the CMS's own counting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Database {
    /// Before the run.
    pub before: Option<String>,
    /// As it was read back.
    pub after: Option<String>,
    /// What the code wants.
    pub wanted: Option<String>,
}

/// An update that is known and not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HoldLine {
    /// What is held.
    pub component: ComponentId,
    /// What the site's administration calls it.
    pub title: String,
    /// What is installed.
    pub installed: Version,
    /// What is offered.
    pub offered: Option<Version>,
    /// Why it waits.
    pub reason: HoldReason,
    /// Who can lift it.
    pub lifter: Lifter,
    /// The notice that asks for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<u64>,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// In which attempt, counted from 1.
    pub attempt: u32,
    /// In which step.
    pub step: StepKind,
    /// The component that is to blame, if it is known.
    pub component: Option<ComponentId>,
    /// What the site's administration calls it.
    pub title: Option<String>,
    /// What kind of failure.
    pub cause: FailureCause,
    /// In the program's own words.
    pub why: String,
    /// What the tool said, where one ran.
    pub claim: Option<ClaimLine>,
    /// The checks that failed, where some did.
    pub checks: Vec<CheckLine>,
    /// The files and tables that the updates it points at had changed, one line each, the first ones: `+ a.php`, `~ table:wp_a (content)`.
    pub changed: Vec<String>,
}

/// What a tool said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ClaimLine {
    /// The command.
    pub command: String,
    /// Its exit status.
    pub status: i32,
    /// The end of what it printed.
    pub said: String,
}

impl From<&Claim> for ClaimLine {
    fn from(claim: &Claim) -> Self {
        Self { command: claim.command.clone(), status: claim.status, said: claim.said.clone() }
    }
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCause {
    /// The site did not pass its checks.
    Checks,
    /// The step itself did not work.
    Step,
    /// The run was interrupted in the middle of the step.
    Interrupted,
}

/// One time that a snapshot was put back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Restore {
    /// The snapshot.
    pub snapshot: String,
    /// When it began.
    #[schemars(with = "String")]
    pub began: Timestamp,
    /// When it ended; none when it was interrupted.
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// Whether the site then was what the snapshot says, proven by a second look.
    pub done: bool,
    /// Why not, in the program's own words.
    pub why: Option<String>,
    /// The snapshot of what was overwritten.
    pub overwritten: Option<String>,
    /// The first of the items that were put back.
    pub undone: Vec<String>,
    /// How many items were put back.
    pub undone_count: u64,
    /// How many bytes were sent.
    pub bytes_sent: u64,
    /// What could not be set and differs still.
    pub left: Vec<String>,
    /// What became of rows that visitors wrote since the snapshot, where there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// Whether the site passed its checks afterwards; none when it was not checked.
    pub good: Option<bool>,
}

/// One check, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CheckLine {
    /// Its name within the site.
    pub id: String,
    /// What it looks at.
    pub subject: CheckSubject,
    /// What it saw before the run.
    pub before: Option<Seen>,
    /// What it saw last: after the updates, or after the site was put back.
    pub after: Option<Seen>,
}

/// What a check looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum CheckSubject {
    /// A page.
    Page {
        /// Its path below the site's address.
        path: String,
    },
    /// A command on the host.
    Command {
        /// The command.
        command: String,
    },
    /// The PHP error log.
    Log,
}

/// What a check saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Seen {
    /// Whether it passed; none when nobody can tell.
    pub passed: Option<bool>,
    /// Why it failed.
    pub reasons: Vec<Reason>,
    /// Why nobody can tell, in the program's own words.
    pub unknown: Option<String>,
    /// The page's status, or the command's exit status.
    pub status: Option<i32>,
    /// How long a visitor waited, or the command ran, in milliseconds.
    pub elapsed_ms: Option<u64>,
    /// The page's size in bytes.
    pub bytes: Option<u64>,
}

/// A snapshot that was taken and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Snapshot {
    /// In which attempt, counted from 1.
    pub attempt: u32,
    /// Whether it was taken after the updates; else before.
    pub after: bool,
    /// Its name in the store.
    pub name: String,
    /// The digest of its content.
    #[schemars(with = "String")]
    pub id: Digest,
    /// When every byte of it had been read again and found right.
    #[schemars(with = "String")]
    pub verified: Timestamp,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Tables and other database objects in it.
    pub objects: u64,
    /// Bytes that were new in the store, compressed.
    pub stored_bytes: u64,
    /// How many items differ from the snapshot before it.
    pub changed_count: u64,
    /// The first of them.
    pub changed: Vec<String>,
}

/// A restore of the site that was rehearsed beside it, and came back as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ProvenRestore {
    /// The snapshot.
    pub snapshot: String,
    /// When it began.
    #[schemars(with = "String")]
    pub began: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// `proven`, or `partial`: the files came back, and something else could not be shown.
    pub result: RehearsalResult,
    /// Whether the database came back too, where there is one.
    pub database: bool,
    /// A later rehearsal that did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub failed_since: Option<Timestamp>,
}

/// One step and how long it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StepLine {
    /// In which attempt, counted from 1; 0 is what came before the first.
    pub attempt: u32,
    /// What it does.
    pub kind: StepKind,
    /// The component that it is about.
    pub component: Option<ComponentId>,
    /// What the site's administration calls it.
    pub title: Option<String>,
    /// When it began.
    #[schemars(with = "String")]
    pub began: Timestamp,
    /// How long it took, in milliseconds; none when it was interrupted.
    pub took_ms: Option<u64>,
    /// How it ended.
    pub end: StepEnd,
}

/// Kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// Looking at the site and deciding.
    Look,
    /// Taking the site's lock.
    Lock,
    /// Checks before anything is touched.
    Baseline,
    /// The snapshot before.
    SnapshotBefore,
    /// Having the host watch, so that it puts itself back if its runner is lost.
    Arm,
    /// Having it watch no more.
    Disarm,
    /// Asking visitors to wait.
    MaintenanceOn,
    /// What the CMS needs before the first update.
    Prepare,
    /// Entering the key of a licence.
    Licence,
    /// An update.
    Update,
    /// Migrating the database.
    Migrate,
    /// Updating language files.
    Languages,
    /// Checks after a group.
    QuickChecks,
    /// Emptying caches.
    Flush,
    /// Starting the site's processes again.
    Restart,
    /// Letting visitors in again.
    MaintenanceOff,
    /// All checks.
    FullChecks,
    /// The snapshot after.
    SnapshotAfter,
    /// Putting a snapshot back.
    Restore,
    /// Checks of the restored site.
    RestoredChecks,
    /// Giving the lock back.
    Unlock,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepEnd {
    /// Well.
    Done,
    /// Badly.
    Failed,
    /// Not at all.
    Interrupted,
}

/// The JSON Schema of the JSON form.
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("title".into(), "A report of a run of Intendant".into());
    schema.into()
}
