//! Updates that are known and not applied.

use super::{ComponentId, Version};
use serde::{Deserialize, Serialize};

/// Who can lift a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lifter {
    /// Whoever runs Intendant: edits the plan, records an approval.
    Operator,
    /// The client: buys a licence, accepts a major version, a larger tier.
    Client,
    /// The hosting provider: a newer PHP, more room.
    Host,
    /// Whoever publishes the component.
    Vendor,
    /// A later run, by itself: nobody needs to act.
    Time,
}

impl Lifter {
    /// In a word, as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Client => "client",
            Self::Host => "host",
            Self::Vendor => "vendor",
            Self::Time => "time",
        }
    }
}

/// Why an update is held. Every text that depends on it is chosen by `kind` when it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum HoldReason {
    /// The plan's policy excludes this kind of step (`core: minor` and a major version).
    Policy {
        /// The plan's key, such as `updates.core`.
        key: String,
        /// What the key allows.
        allows: String,
    },
    /// An update that needs a recorded approval, and has none.
    Approval,
    /// It was declined.
    Declined {
        /// The notice that was answered so.
        notice: u64,
    },
    /// It has to be done by hand.
    Manual {
        /// What has to be done.
        what: String,
        /// Who does it.
        who: Lifter,
    },
    /// No ordinary release, and nobody asked for it.
    Special,
    /// It broke a site like this one.
    Immune {
        /// When that was.
        #[schemars(with = "String")]
        since: jiff::Timestamp,
    },
    /// A client said that something is wrong with the site, and it waits because of that.
    Reported {
        /// The number of the anomaly.
        anomaly: u64,
        /// The last day.
        #[schemars(with = "String")]
        until: jiff::civil::Date,
    },
    /// No window is open, and it closes no known vulnerability.
    NextWindow,
    /// The contract is over.
    Lapsed {
        /// Its last day.
        #[schemars(with = "String")]
        until: jiff::civil::Date,
    },
    /// Its turn in the search for what breaks the site did not come.
    Postponed,
    /// The plan holds the extension by name.
    Planned {
        /// The plan's own words.
        why: String,
        /// When the hold ends.
        #[schemars(with = "Option<String>")]
        until: Option<jiff::civil::Date>,
    },
    /// Needs a newer PHP (or other platform part) than the site has.
    Platform {
        /// What is needed: `php`.
        part: String,
        /// The least version.
        needs: Version,
        /// What the site has, if it is known.
        has: Option<Version>,
    },
    /// Needs a newer core than this run will reach.
    Core {
        /// The least version.
        needs: Version,
        /// What the core will be after this run.
        has: Version,
    },
    /// Needs another extension that is missing, inactive or too old.
    Dependency {
        /// The extension that is needed.
        on: String,
    },
    /// Another member of its group, or something it depends on, is held.
    With {
        /// The other component.
        other: ComponentId,
    },
    /// The offer has no package: a licence is missing or has ended.
    Licence,
    /// The same, and the pool that the plan names for it gives none.
    LicencePool {
        /// The pool.
        pool: String,
        /// Why not.
        problem: LicenceProblem,
    },
    /// The installed files differ from the published ones.
    Modified {
        /// Some of the files, at most ten.
        files: Vec<String>,
    },
    /// Above the cap of the tier.
    OutsidePlan {
        /// The lowest tier that would cover the site.
        tier: super::Tier,
    },
    /// Younger than the plan's delay.
    TooYoung {
        /// The first day on which it is old enough.
        #[schemars(with = "String")]
        from: jiff::civil::Date,
    },
    /// What the site says of it can't be used safely.
    Unusable {
        /// What was wrong, cleaned for display.
        why: String,
    },
    /// The account can't write where the update would.
    NotWritable {
        /// The path, relative to the site's root.
        path: String,
    },
    /// It broke the site earlier in this run.
    Failed {
        /// The failing step, in words.
        why: String,
    },
}

impl HoldReason {
    /// Whether it is a task: a person has to do something on the site, or buy something, and nobody is asked to decide.
    pub fn is_task(&self) -> bool {
        matches!(self, Self::Manual { .. } | Self::Licence | Self::LicencePool { .. })
    }

    /// Whether both ask for the same.
    pub fn is_same_task(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Manual { what, .. }, Self::Manual { what: also, .. }) => what == also,
            (Self::Licence, Self::Licence) => true,
            (Self::LicencePool { pool, problem }, Self::LicencePool { pool: of, problem: also }) => {
                pool == of && std::mem::discriminant(problem) == std::mem::discriminant(also)
            }
            _ => false,
        }
    }

    /// Who can lift it.
    pub fn lifter(&self) -> Lifter {
        match self {
            Self::Policy { .. } | Self::Planned { .. } | Self::Modified { .. } => Lifter::Operator,
            Self::Unusable { .. } | Self::Special | Self::Immune { .. } | Self::Reported { .. } => Lifter::Operator,
            Self::Approval | Self::Declined { .. } => Lifter::Client,
            Self::Licence | Self::OutsidePlan { .. } | Self::Lapsed { .. } => Lifter::Client,
            Self::LicencePool { problem, .. } => problem.lifter(),
            Self::Manual { who, .. } => *who,
            // What the site does not say, its playbook does not ask.
            Self::Platform { has: None, .. } => Lifter::Operator,
            Self::Platform { .. } | Self::NotWritable { .. } => Lifter::Host,
            Self::Dependency { .. } | Self::Core { .. } | Self::With { .. } => Lifter::Operator,
            Self::Failed { .. } => Lifter::Vendor,
            Self::TooYoung { .. } | Self::NextWindow | Self::Postponed => Lifter::Time,
        }
    }
}

/// Why a pool gives a site no licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum LicenceProblem {
    /// There is no such pool.
    Unknown,
    /// Its licences are over.
    Ended {
        /// Their last day.
        #[schemars(with = "String")]
        until: jiff::civil::Date,
    },
    /// More sites have a seat than it has licences.
    OverUsed {
        /// How many sites have one.
        used: u32,
        /// How many licences there are.
        seats: u32,
    },
    /// The site has no seat, and none is free.
    Full {
        /// How many there are.
        seats: u32,
    },
    /// The site has no seat; one is free.
    NoSeat,
    /// The site has a seat, and the licence is entered by hand.
    ByHand,
    /// Its key can't be read.
    Key {
        /// What was said.
        why: String,
    },
    /// It was entered, and the extension's vendor did not take it.
    Refused {
        /// When that was.
        #[schemars(with = "String")]
        since: jiff::Timestamp,
    },
}

impl LicenceProblem {
    /// Who can end it.
    pub fn lifter(&self) -> Lifter {
        match self {
            // Pools are the operator's own, and so is what is wrong with them.
            Self::Ended { .. } | Self::OverUsed { .. } | Self::Full { .. } => Lifter::Operator,
            Self::Unknown | Self::NoSeat | Self::ByHand | Self::Key { .. } | Self::Refused { .. } => Lifter::Operator,
        }
    }
}

/// An update that is known and not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hold {
    /// What is held.
    pub component: ComponentId,
    /// What it is called in the site's administration.
    pub title: String,
    /// What is installed.
    pub installed: Version,
    /// What is offered; none where the offer itself is unusable.
    pub offered: Option<Version>,
    /// Why.
    pub reason: HoldReason,
}
