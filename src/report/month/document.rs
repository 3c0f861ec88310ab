//! The monthly report as a value: complete, the same in every language, and the JSON form of it.
//!
//! May use: `document`, `model`. Invariant: a change that could mislead a reader of the JSON raises [`MONTH_FORMAT`].

use super::Month;
use crate::model::{ComponentId, Outcome, RunId, SiteName, Version, VersionStep};
use crate::report::document::{AnomalyLine, ClosedLine, FailureCause, HoldLine, Job, ProvenRestore, StepKind};
use crate::report::error::ReportError;
use crate::update::Refusal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the JSON form.
pub const MONTH_FORMAT: u32 = 1;

/// What was done in a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MonthReport {
    /// The version of this format: 1.
    pub month_report: u32,
    /// The month, as `2026-10`; its days are those of each site's own zone.
    #[schemars(with = "String")]
    pub month: Month,
    /// What it is about.
    pub scope: Scope,
    /// The language of the page.
    pub language: String,
    /// When it was made, where the month was not over then somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// The sites, by name.
    pub sites: Vec<MonthSite>,
}

/// What a monthly report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "of")]
pub enum Scope {
    /// All sites of a client.
    Client {
        /// The client's name.
        name: String,
    },
    /// One site.
    Site {
        /// The site's name.
        site: SiteName,
        /// The client's name.
        client: String,
    },
    /// Every site of the fleet.
    Fleet,
}

/// One site in a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MonthSite {
    /// Its name.
    pub site: SiteName,
    /// Its address.
    pub url: String,
    /// The client's name.
    pub client: String,
    /// The zone of its days and times.
    pub zone: String,
    /// The plan's tier.
    pub tier: String,
    /// How many extensions the tier covers; none means no limit.
    pub cap: Option<u32>,
    /// How many there were when it was last looked at in the month.
    pub extensions: Option<u32>,
    /// Every run that began in the month, the first one first.
    pub runs: Vec<MonthRun>,
    /// What was installed and kept, one line for each component: from its first version in the month to its last.
    pub updates: Vec<MonthUpdate>,
    /// What waits, as the last run that looked found it.
    pub holds: Vec<HoldLine>,
    /// When that was.
    #[schemars(with = "Option<String>")]
    pub holds_seen: Option<Timestamp>,
    /// How many checks passed when they were last made.
    pub checks_passed: u64,
    /// How many gave a verdict then.
    pub checks_made: u64,
    /// When that was.
    #[schemars(with = "Option<String>")]
    pub checked: Option<Timestamp>,
    /// How fast pages answered: first and last in the month.
    pub pages: Vec<PageTimes>,
    /// How many snapshots were taken and verified.
    pub backups: u64,
    /// When the last of them was verified.
    #[schemars(with = "Option<String>")]
    pub last_backup: Option<Timestamp>,
    /// The last time that a restore was rehearsed and proven, up to the month's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_restore: Option<ProvenRestore>,
    /// How many changes of somebody else were found.
    pub drifts: u64,
    /// What the client told us is wrong with the site: in the month, or before and not answered when it began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anomalies: Vec<AnomalyLine>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MonthRun {
    /// Which.
    #[schemars(with = "String")]
    pub run: RunId,
    /// What it was for.
    pub job: Job,
    /// When it began.
    #[schemars(with = "String")]
    pub began: Timestamp,
    /// When it ended; none while it is not over.
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How many updates it installed and kept.
    pub installed: u64,
    /// Why it did not begin.
    pub refusals: Vec<Refusal>,
    /// What went wrong.
    pub failures: Vec<RunFailure>,
    /// Whether the last time that the site was put back succeeded, and was proven; none where it was not put back.
    pub put_back: Option<bool>,
    /// Whether something differed still when the site had been put back: a detail that could not be set, or what
    /// visitors had written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// For `stuck`: what a person has to do, in the program's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunFailure {
    /// In which step.
    pub step: StepKind,
    /// What the site's administration calls the component that is to blame, if it is known.
    pub title: Option<String>,
    /// What kind of failure.
    pub cause: FailureCause,
}

/// A component that was updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MonthUpdate {
    /// Which.
    pub component: ComponentId,
    /// What the site's administration calls it.
    pub title: String,
    /// What was installed before the first update of the month.
    pub from: Version,
    /// What the last one installed.
    pub to: Version,
    /// How large the largest step was: `minor`, `major`.
    #[schemars(with = "String")]
    pub step: VersionStep,
    /// How many updates there were.
    pub times: u32,
    /// When the last one was applied: the end of its run.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The known vulnerabilities that they closed.
    pub fixes: Vec<ClosedLine>,
    /// When the last of these was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub fixed: Option<Timestamp>,
    /// Whether it stands: false when the site was put back, as asked, to a state from before it; and when a part of the
    /// site was put back, and the version was not read again.
    pub stands: bool,
}

/// How fast a page answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PageTimes {
    /// Its path below the site's address.
    pub path: String,
    /// Before the first run of the month, in milliseconds.
    pub before_ms: u64,
    /// After the last one.
    pub after_ms: u64,
}

impl MonthReport {
    /// The JSON form, with a final line break.
    ///
    /// # Errors
    /// [`ReportError::Json`]; plain values give no reason for it.
    pub fn to_json(&self) -> Result<String, ReportError> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n")
            .map_err(|source| ReportError::Json { what: format!("month {}", self.month), source })
    }
}

/// The JSON Schema of the JSON form.
pub fn month_json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(MonthReport);
    schema.insert("title".into(), "A report of Intendant about a month".into());
    schema.into()
}
