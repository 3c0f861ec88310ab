//! The plan itself and its smaller parts.

use super::drift::DriftRules;
use super::host::{Host, SiteUrl};
use super::scalars::{CmsName, Day, PathPattern, TablePattern, Tag};
use super::schedule::{Blackout, Window};
use super::updates::Updates;
use crate::model::{Check, ComponentName, Period, PlainArgument, SiteName, Tier, Tiers, Version};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The contract for one site: what it is, what may be done to it and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    pub plan: u32,
    /// The site's own name, unique in the fleet.
    pub site: SiteName,
    /// Who it belongs to.
    pub client: Client,
    /// The service level: base (10 extensions), advanced (25), custom, or one of the fleet's settings.
    pub tier: Tier,
    /// What tiers there were when the plan was read.
    #[serde(skip)]
    pub tiers: Tiers,
    /// The number of third-party extensions that a custom plan covers; no limit unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub cap: Option<u32>,
    /// Which extensions are covered first, where the site has more than its plan covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub covers: Vec<ComponentName>,
    /// What happens where the site has more extensions than its plan covers.
    #[serde(default, skip_serializing_if = "OverCap::is_default")]
    pub over_cap: OverCap,
    /// The contract under which updates are due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// When the site was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intake: Option<Intake>,
    /// The CMS: the name of a playbook.
    pub cms: CmsName,
    /// The site's public address.
    pub url: SiteUrl,
    /// Where its files are.
    pub host: Host,
    /// When a run may begin; at any time that someone starts it unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub windows: Vec<Window>,
    /// Days on which no window opens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub blackouts: Vec<Blackout>,
    /// What may be updated.
    #[serde(default)]
    pub updates: Updates,
    /// Recorded approvals of major versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub approvals: Vec<Approval>,
    /// Where the licences of commercial extensions come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub licences: Vec<Licence>,
    /// What snapshots hold and how long they are kept.
    #[serde(default)]
    pub snapshots: Snapshots,
    /// Tables in which visitors write, besides those that the playbook knows: rows that came in since a
    /// snapshot outlast its restore.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub protect: Vec<TablePattern>,
    /// What becomes of changes that somebody else made since the last run.
    #[serde(default, skip_serializing_if = "DriftRules::is_default")]
    pub drift: DriftRules,
    /// Smoke checks besides those of the playbook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub checks: Vec<Check>,
    /// How long caches may go on serving what is gone; the playbook's unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<Period>,
    /// What starts the site's processes again after updates and restores, on its host, instead of the playbook's way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub restart: Vec<PlainArgument>,
    /// What happens when something is wrong after an update.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// How long after the last sign of life of the machine that runs Intendant the host puts the site back by itself, in the middle
    /// of an update; half an hour unless given, and never with 0s.
    #[serde(default = "half_an_hour")]
    pub heal_after: Period,
    /// Tags by which sites are chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub tags: Vec<Tag>,
}

fn half_an_hour() -> Period {
    Period::from_secs(1800)
}

impl Plan {
    /// The number of third-party extensions that are covered; none means no limit.
    pub fn extension_cap(&self) -> Option<u32> {
        match &self.tier {
            Tier::Custom => self.cap,
            tier => self.tiers.cap(tier),
        }
    }

    /// The hold of the plan on `component` on `day`.
    pub fn hold_on(&self, component: &crate::model::ComponentId, day: Date) -> Option<&super::PlannedHold> {
        let holds = self.updates.hold.iter();
        holds.filter(|hold| hold.covers(day)).find(|hold| hold.extension.names(component))
    }

    /// The zone in which its days begin: that of its first window.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        self.windows.first().map_or(jiff::tz::TimeZone::UTC, |window| window.zone.time_zone())
    }

    /// The day at `now`, in that zone.
    pub fn day(&self, now: jiff::Timestamp) -> Date {
        now.to_zoned(self.zone()).date()
    }

    /// The blackout that covers `day`.
    pub fn blackout_on(&self, day: Date) -> Option<&Blackout> {
        self.blackouts.iter().find(|blackout| blackout.covers(day))
    }
}

/// Who a site belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Client {
    /// The name on reports.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// The language of reports and notices.
    pub language: Language,
    /// Who receives them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub contacts: Vec<Contact>,
}

/// What happens where the site has more extensions than its plan covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OverCap {
    /// The core and the covered extensions are updated; the others wait, and the report says so.
    #[default]
    Report,
    /// No run begins.
    Refuse,
}

impl OverCap {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A language of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// French.
    Fr,
    /// English.
    En,
}

impl Language {
    /// The language tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }
}

/// Someone who receives reports and notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Contact {
    /// What they are to the site.
    pub role: Role,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// Where mail goes; who has none gets letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<super::Email>,
    /// Where letters go: the lines below the name, as they stand on an envelope.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub address: Vec<super::AddressLine>,
}

/// What a contact is to the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Owns the site.
    Owner,
    /// Pays for it.
    Billing,
    /// Answers technical questions.
    Technical,
    /// Built it, or maintains its code.
    Agency,
}

/// The contract under which updates are due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Contract {
    /// Its number.
    #[schemars(length(min = 1, max = 100))]
    pub number: String,
    /// The first day.
    #[schemars(with = "Day")]
    pub from: Date,
    /// The last day; open-ended unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Day>")]
    pub until: Option<Date>,
}

impl Contract {
    /// Whether it is current on `day`.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// The assessment by which the site entered its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Intake {
    /// The day on which it was accepted.
    #[schemars(with = "Day")]
    pub accepted: Date,
    /// Who accepted it.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
    /// The record of the assessment: the id that `intendant intake` gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub record: Option<String>,
}

/// A recorded approval of a major version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Approval {
    /// What may move.
    pub component: ComponentName,
    /// The version to which it may move.
    pub version: Version,
    /// Who approved it.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
    /// The day of the approval.
    #[schemars(with = "Day")]
    pub on: Date,
}

/// Where the licence of a commercial extension comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Licence {
    /// The extension.
    pub extension: ComponentName,
    /// The pool that it is taken from.
    pub from: Tag,
}

/// What snapshots hold and how long they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Snapshots {
    /// Files below the site's folder that are left out, and so are never restored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub exclude: Vec<PathPattern>,
    /// The tables that belong to the site; those that the playbook finds unless given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub tables: Vec<TablePattern>,
    /// How many are kept.
    pub keep: Keep,
    /// Where restores are rehearsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
}

/// Where restores are rehearsed, where that is not the account's home and a database of our own making.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Rehearsal {
    /// A folder of the host, that no visitor can reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<super::AbsolutePath>,
    /// An empty database on the site's server, that its account may use and nothing else does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<super::DatabaseName>,
}

/// How many snapshots `snapshot prune` keeps of each sort. A snapshot that any of them keeps is
/// kept. What is not named is 0; without `keep` it is 4, 7, 4, 12 and 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Keep {
    /// The newest ones.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000))]
    pub last: u32,
    /// The newest of each of so many days.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000))]
    pub daily: u32,
    /// The newest of each of so many weeks.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000))]
    pub weekly: u32,
    /// The newest of each of so many months.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000))]
    pub monthly: u32,
    /// The newest of each of so many years.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000))]
    pub yearly: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { last: 4, daily: 7, weekly: 4, monthly: 12, yearly: 0 }
    }
}

/// What happens when something is wrong after an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The site is restored, and the run ends.
    #[default]
    Restore,
    /// The site is restored, and the run goes on without the group that failed.
    Isolate,
}
