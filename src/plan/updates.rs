//! What a plan allows to be updated, how soon, and in what company.

use crate::model::{ComponentId, ComponentName, Lifter, Period, Version};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What may be updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Updates {
    /// The largest step of the core. A major one needs a recorded approval besides.
    pub core: Level,
    /// The largest step of an extension.
    pub extensions: Level,
    /// Whether language files are updated.
    pub languages: bool,
    /// The age that an ordinary release must have.
    #[serde(skip_serializing_if = "Period::is_zero")]
    pub delay: Period,
    /// How security updates differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<Security>,
    /// Groups that move, or stay, together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub together: Vec<Vec<ComponentName>>,
    /// What is updated after what: the component, and those that go before it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub after: BTreeMap<ComponentName, Vec<ComponentName>>,
    /// What is not updated, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub hold: Vec<PlannedHold>,
    /// What has to be done by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub manual: Vec<Manual>,
    /// What waits for a recorded approval, besides a major version of the core.
    #[serde(skip_serializing_if = "Approvals::is_none")]
    pub approval: Approvals,
    /// Which releases are taken.
    #[serde(skip_serializing_if = "Channel::is_stable")]
    pub channel: Channel,
    /// Special builds that are taken by name, whatever the channel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub builds: Vec<Build>,
}

impl Default for Updates {
    fn default() -> Self {
        Self {
            core: Level::Minor,
            extensions: Level::Major,
            languages: true,
            delay: Period::ZERO,
            security: None,
            together: Vec::new(),
            after: BTreeMap::new(),
            hold: Vec::new(),
            manual: Vec::new(),
            approval: Approvals::default(),
            channel: Channel::Stable,
            builds: Vec::new(),
        }
    }
}

/// The largest step that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// No update at all.
    None,
    /// Within the same release train.
    Minor,
    /// Into another release train too.
    Major,
}

impl Level {
    /// The word in the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// Which releases are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// What the vendor offers to everyone. Special builds are never taken by themselves.
    #[default]
    Stable,
    /// Pre-releases too.
    Beta,
}

impl Channel {
    /// Whether it is the ordinary one.
    pub fn is_stable(&self) -> bool {
        *self == Self::Stable
    }
}

/// A special build that is taken on request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Build {
    /// Of what.
    pub extension: ComponentName,
    /// Just this one.
    pub version: Version,
}

/// An update that has to be done by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manual {
    /// Of what.
    pub extension: ComponentName,
    /// What has to be done, as reports show it.
    #[schemars(length(min = 1, max = 200))]
    pub what: String,
    /// Who does it.
    #[serde(default = "operator")]
    pub who: Lifter,
}

fn operator() -> Lifter {
    Lifter::Operator
}

/// What waits for a recorded approval, besides a major version of the core.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Approvals {
    /// Which steps of extensions.
    pub extensions: ExtensionApproval,
    /// Every step of these.
    #[serde(rename = "for", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub named: Vec<ComponentName>,
}

impl Approvals {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a minor step of what a name stands for may need an approval.
    pub fn asks_for_minor(&self, name: &ComponentName) -> bool {
        self.named.contains(name) || self.extensions == ExtensionApproval::All && !name.is_core()
    }

    /// Whether a step of `component`, a major one or not, needs an approval.
    pub fn asks(&self, component: &ComponentId, major: bool) -> bool {
        let level = match self.extensions {
            ExtensionApproval::None => false,
            ExtensionApproval::Major => major,
            ExtensionApproval::All => true,
        };
        level && !component.kind.is_core() || self.named.iter().any(|name| name.names(component))
    }
}

/// Which steps of extensions need an approval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExtensionApproval {
    /// None.
    #[default]
    None,
    /// Steps into another release train.
    Major,
    /// All.
    All,
}

/// How security updates differ from ordinary ones. They never wait for `delay`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Security {
    /// The time from publication by which they are applied.
    pub within: Period,
    /// Whether they may be applied when no window is open.
    #[serde(default)]
    pub outside_windows: bool,
}

/// An extension that the plan holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedHold {
    /// The extension, or `core`.
    pub extension: ComponentName,
    /// The reason, as reports show it.
    #[schemars(length(min = 1, max = 200))]
    pub why: String,
    /// The first day of the hold; since ever unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<super::scalars::Day>")]
    pub from: Option<Date>,
    /// The last day of the hold; for good unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<super::scalars::Day>")]
    pub until: Option<Date>,
}

impl PlannedHold {
    /// Whether it holds on `day`.
    pub fn covers(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}
