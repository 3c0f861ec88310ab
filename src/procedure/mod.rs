//! (`UpdateGraph`, `Playbook`, `Plan`) → [`Procedure`]: fully resolved steps, no choices left,
//! with a digest. What preview shows is what a run does.
//!
//! May use: `model`, `plan`, `playbook`, `inventory`, `check`, `update`. Invariants: pure; the
//! same inputs give the same procedure and the same digest; no time, no id of a run and no
//! secret is in it; every command is an argument vector whose first element may be a tool's
//! name, and whose only open values are the host's own (`{{scripts}}`) and the run's (`{{token}}`).

mod resolve;

pub use resolve::{ProcedureError, build, build_restore, patience, restart};

use crate::check::{Check, Depth, Patience};
use crate::model::{ComponentId, Digest, Hold, SiteName, Version};
use crate::plan::Tag;
use crate::playbook::{CommandTemplate, Transform};
use crate::update::Update;
use serde::{Deserialize, Serialize};

/// The version of this format. A procedure of another one is never resumed forward.
pub const FORMAT: u32 = 1;

/// What a run does, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Procedure {
    /// The version of this format.
    pub format: u32,
    /// The site.
    pub site: SiteName,
    /// Its CMS.
    pub cms: String,
    /// The digest of the playbook and its scripts.
    pub playbook: Digest,
    /// The updates in order, with the reasons of their order.
    pub updates: Vec<Update>,
    /// What waits.
    pub holds: Vec<Hold>,
    /// The checks, resolved.
    pub checks: Vec<Check>,
    /// Files that only the maintenance switch makes; they are no part of the site's state.
    pub maintenance_files: Vec<String>,
    /// The status with which visitors are asked to wait, where our checks see that page too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u16>,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// Its name, unique in the procedure: `05 update plugin:akismet`.
    pub name: String,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Action {
    /// Takes the site's lock on its host.
    Lock,
    /// Runs all checks; the site must pass them before anything is touched.
    Baseline {
        /// How long to wait and try.
        patience: Patience,
    },
    /// Takes a snapshot and verifies it.
    Snapshot {
        /// Before or after.
        moment: SnapshotMoment,
    },
    /// Leaves on the host what it needs to put itself back when its runner is lost, and has it watch.
    Arm {
        /// After so many seconds without a sign of life.
        after_s: u64,
        /// What empties caches.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flush: Vec<CommandTemplate>,
        /// What has the processes that serve the site take the files up again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        restart: Vec<CommandTemplate>,
    },
    /// Has it watch no more.
    Disarm,
    /// Asks visitors to wait.
    MaintenanceOn {
        /// The command.
        command: CommandTemplate,
    },
    /// Does what the CMS needs before the first update.
    Prepare {
        /// The commands.
        commands: Vec<CommandTemplate>,
    },
    /// Enters the key of a licence, without which the update has no package, and looks whether that did it.
    Activate {
        /// The group of the update.
        group: usize,
        /// What it is for.
        component: ComponentId,
        /// The pool with the key.
        pool: Tag,
        /// The command. It reads the key.
        command: CommandTemplate,
        /// What looks, before and after it. It reads the key, too.
        probe: CommandTemplate,
        /// What becomes of what that prints; where there is nothing, that it ends well is enough.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parse: Option<Box<Transform>>,
    },
    /// Brings one component to its version and reads the version again.
    Update {
        /// The group, counted from 0.
        group: usize,
        /// What moves.
        component: ComponentId,
        /// What is installed.
        from: Version,
        /// What must be there afterwards.
        to: Version,
        /// The command.
        command: CommandTemplate,
    },
    /// Migrates the database and reads its version again.
    Migrate {
        /// The group after which it stands; none at the end.
        group: Option<usize>,
        /// The command.
        command: CommandTemplate,
    },
    /// Updates language files.
    Languages {
        /// The commands.
        commands: Vec<CommandTemplate>,
    },
    /// Runs checks against the baseline.
    Check {
        /// Which.
        depth: Depth,
        /// The group that was just updated; none at the end.
        group: Option<usize>,
        /// How long to wait and try.
        patience: Patience,
    },
    /// Empties caches.
    Flush {
        /// The group after which this is done; none at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<usize>,
        /// The commands.
        commands: Vec<CommandTemplate>,
    },
    /// Starts the site's processes again, where they keep the code that they began with.
    Restart {
        /// The group after which this is done; none at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<usize>,
        /// The commands.
        commands: Vec<CommandTemplate>,
    },
    /// Lets visitors in again.
    MaintenanceOff {
        /// The command.
        command: CommandTemplate,
    },
    /// Gives the lock back.
    Unlock,
}

/// When a snapshot is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotMoment {
    /// Before anything is changed.
    Before,
    /// After everything was checked.
    After,
}

impl Action {
    /// Whether a site may differ after this step, even if it failed half-way. Nothing before the
    /// first of these needs to be undone.
    pub fn changes_site(&self) -> bool {
        match self {
            Self::Lock
            | Self::Baseline { .. }
            | Self::Snapshot { .. }
            | Self::Arm { .. }
            | Self::Disarm
            | Self::Check { .. }
            | Self::Unlock => false,
            Self::MaintenanceOn { .. }
            | Self::Prepare { .. }
            | Self::Activate { .. }
            | Self::Update { .. }
            | Self::Migrate { .. }
            | Self::Languages { .. }
            | Self::Flush { .. }
            | Self::Restart { .. }
            | Self::MaintenanceOff { .. } => true,
        }
    }

    /// Whether doing it again after an interruption is the same as doing it once.
    pub fn repeatable(&self) -> bool {
        !matches!(self, Self::Update { .. } | Self::Migrate { .. } | Self::Languages { .. })
    }

    /// The group that this step belongs to.
    pub fn group(&self) -> Option<usize> {
        match self {
            Self::Update { group, .. } | Self::Activate { group, .. } => Some(*group),
            Self::Migrate { group, .. }
            | Self::Check { group, .. }
            | Self::Flush { group, .. }
            | Self::Restart { group, .. } => *group,
            _ => None,
        }
    }
}

impl Procedure {
    /// The digest that names it: preview and run show the same one.
    pub fn digest(&self) -> Digest {
        // Serializing plain values into memory has no way to fail: maps have text keys.
        Digest::of_json(self).unwrap_or_else(|_| Digest::of(b""))
    }

    /// The components of each group that is updated, in order.
    pub fn groups(&self) -> Vec<Vec<ComponentId>> {
        let mut groups: Vec<(usize, Vec<ComponentId>)> = Vec::new();
        for step in &self.steps {
            let Action::Update { group, component, .. } = &step.action else { continue };
            match groups.last_mut().filter(|(last, _)| last == group) {
                Some((_, members)) => members.push(component.clone()),
                None => groups.push((*group, vec![component.clone()])),
            }
        }
        groups.into_iter().map(|(_, members)| members).collect()
    }

    /// Whether language files are updated.
    pub fn has_languages(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Languages { .. }))
    }

    /// Whether it changes anything.
    pub fn changes_site(&self) -> bool {
        self.steps.iter().any(|step| step.action.changes_site())
    }
}
