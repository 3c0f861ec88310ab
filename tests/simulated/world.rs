//! The simulated site and its host: what is there, what acts do to it, and what goes on by itself.

use super::case::{Case, How, Visitors};
use intendant::model::ComponentId;
use intendant::procedure::Action;
use std::collections::{BTreeMap, BTreeSet};

/// What visitors wrote, in the order of their keys.
pub(crate) type Rows = BTreeSet<u64>;

/// The file that asks visitors to wait.
pub(crate) const MAINTENANCE: &str = ".maintenance";

/// What a snapshot holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Versions and contents by name.
    pub(crate) parts: BTreeMap<String, String>,
    pub(crate) rows: Rows,
}

/// Who has the site's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Us,
    Another,
}

/// What goes on by itself on the host, after so many looks at it.
#[derive(Debug, Clone)]
struct Late {
    after: u32,
    parts: BTreeMap<String, String>,
}

pub(crate) struct World {
    pub(crate) site: Picture,
    pub(crate) lock: Option<Holder>,
    late: Option<Late>,
    /// All that visitors were told was accepted.
    pub(crate) accepted: Rows,
    visitors: Visitors,
}

impl World {
    pub(crate) fn new(case: &Case) -> Self {
        Self {
            site: Picture { parts: case.shape.before(), rows: Rows::new() },
            lock: case.taken.then_some(Holder::Another),
            late: None,
            accepted: Rows::new(),
            visitors: case.visitors,
        }
    }

    /// A moment at which a visitor writes, unless he is asked to wait; `rare` moments are for many visitors only.
    pub(crate) fn moment(&mut self, rare: bool) {
        self.pass();
        let visits = match self.visitors {
            Visitors::None => false,
            Visitors::Some => !rare,
            Visitors::Many => true,
        };
        if visits && !self.site.parts.contains_key(MAINTENANCE) {
            let key = self.accepted.len() as u64;
            self.site.rows.insert(key);
            self.accepted.insert(key);
        }
    }

    /// What was left running comes to its end.
    fn pass(&mut self) {
        match &mut self.late {
            Some(late) if late.after > 0 => late.after -= 1,
            Some(late) => {
                let parts = std::mem::take(&mut late.parts);
                self.site.parts.extend(parts);
                self.late = None;
            }
            None => {}
        }
    }

    /// Ends what was left running.
    pub(crate) fn clear_leftovers(&mut self) {
        self.late = None;
    }

    /// Something of ours is left running.
    pub(crate) fn leave_running(&mut self, parts: BTreeMap<String, String>) {
        self.late = Some(Late { after: 3, parts });
    }

    /// What a part is after an act that can't be repeated: done again over its own half, it leaves a mix.
    fn moved(&self, name: String, state: &str) -> BTreeMap<String, String> {
        let half = self.site.parts.get(&name).is_some_and(|is| is.starts_with("half"));
        [(name, if half { "a mix".to_owned() } else { state.to_owned() })].into()
    }

    /// What an act sets. The file of the maintenance mode is set and taken by itself.
    fn parts_of(&self, action: &Action) -> BTreeMap<String, String> {
        let one = |name: String, state: &str| [(name, state.to_owned())].into();
        match action {
            Action::Update { component, to, .. } => self.moved(component.to_string(), to.as_str()),
            Action::Migrate { .. } => self.moved("database".into(), &self.site.parts["core:core"]),
            Action::Languages { .. } => self.moved("languages".into(), "new"),
            Action::Flush { .. } => one("cache".into(), "empty"),
            Action::MaintenanceOn { .. } => one(MAINTENANCE.into(), "on"),
            _ => BTreeMap::new(),
        }
    }

    /// Does a step of the procedure; false when somebody else has the lock.
    pub(crate) fn act(&mut self, action: &Action, how: Option<How>) -> bool {
        let whole = matches!(how, None | Some(How::Wholly));
        match action {
            Action::Lock if self.lock == Some(Holder::Another) => return false,
            Action::Lock if whole => self.lock = Some(Holder::Us),
            Action::Unlock if whole && self.lock == Some(Holder::Us) => self.lock = None,
            Action::MaintenanceOff { .. } if whole => drop(self.site.parts.remove(MAINTENANCE)),
            _ => {}
        }
        let parts = self.parts_of(action);
        match how {
            None | Some(How::Wholly) => {
                // WordPress ends its maintenance mode after it has updated itself.
                if matches!(action, Action::Update { component, .. } if component.kind.is_core()) {
                    self.site.parts.remove(MAINTENANCE);
                }
                self.site.parts.extend(parts);
            }
            Some(How::NotAtAll) => {}
            Some(How::Half | How::CutOff) => {
                let half = parts.iter().map(|(name, state)| (name.clone(), format!("half of {state}")));
                self.site.parts.extend(half);
                if how == Some(How::CutOff) && !parts.is_empty() {
                    self.leave_running(parts);
                }
            }
        }
        true
    }

    /// The components that are no longer as they were.
    pub(crate) fn updated(&self) -> impl Iterator<Item = ComponentId> {
        let new = self.site.parts.iter().filter(|(_, state)| matches!(state.as_str(), "2.0" | "7.1.1"));
        new.filter_map(|(name, _)| name.split_once(':')).filter_map(|(kind, slug)| ComponentId::new(kind, slug).ok())
    }

    pub(crate) fn maintenance_on(&mut self) {
        self.site.parts.insert(MAINTENANCE.into(), "on".into());
    }

    /// Half of a restore: tables are as they were, and what visitors wrote since is nowhere on the site.
    pub(crate) fn put_back_half(&mut self, target: &Picture) {
        self.site.rows = target.rows.clone();
        for (name, _) in target.parts.iter().step_by(2) {
            self.site.parts.insert(name.clone(), "half a restore".into());
        }
    }

    /// A whole restore, with these rows over the snapshot's.
    pub(crate) fn put_back(&mut self, target: &Picture, over: Rows) {
        self.site.parts = target.parts.clone();
        self.site.rows = target.rows.union(&over).copied().collect();
    }
}

/// Whether a component is among those that a case names by bits.
pub(crate) fn named(bits: u8, component: &ComponentId) -> bool {
    let bit = match component.kind.is_core() {
        true => 7,
        false => super::shape::PLUGINS.iter().position(|slug| *slug == component.slug.as_str()).unwrap_or(6),
    };
    bits & (1 << bit) != 0
}
