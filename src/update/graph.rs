//! Groups and their order.

use super::policy::{Decision, needs_of, offer_of};
use super::{Closed, Inputs, Licensed};
use crate::model::{ComponentId, Hold, Version, VersionStep};
use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// One component on its way to a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Which.
    pub component: ComponentId,
    /// What the administration calls it.
    pub title: String,
    /// What is installed.
    pub from: Version,
    /// Where it goes.
    pub to: Version,
    /// Where the offer came from.
    pub source: Option<String>,
    /// How large the step is.
    pub step: VersionStep,
    /// Why it stands where it stands.
    pub because: Vec<Because>,
    /// The known vulnerabilities that it closes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Closed>,
    /// Whether it is a special build: no ordinary release.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub special: bool,
    /// The licence that is entered before it, where its offer has no package without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licensed>,
}

/// Why an update stands after another one, or in one group with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Because {
    /// It needs the other one.
    Needs {
        /// The other one.
        other: ComponentId,
    },
    /// It needs a core that this run brings.
    NeedsCore {
        /// The least version.
        version: Version,
    },
    /// The plan moves them together, or each needs the other.
    Together {
        /// The other one.
        other: ComponentId,
    },
    /// Extensions that fit the present core go before the core.
    BeforeCore,
}

/// Updates that move, or stay, together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// In order.
    pub updates: Vec<Update>,
}

/// Which components go to which version, in what order; and what waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateGraph {
    /// In order.
    pub groups: Vec<Group>,
    /// What waits, and why.
    pub holds: Vec<Hold>,
    /// Whether language files have something to take.
    pub languages: bool,
}

impl UpdateGraph {
    /// All updates in order.
    pub fn updates(&self) -> impl Iterator<Item = &Update> {
        self.groups.iter().flat_map(|group| &group.updates)
    }
}

/// An edge `before → after` for each reason to wait.
fn edges(inputs: &Inputs<'_>, decision: &Decision) -> Vec<(ComponentId, ComponentId, Because)> {
    let core = ComponentId::core().filter(|id| decision.updates.contains_key(id));
    let mut edges = Vec::new();
    for id in decision.updates.keys() {
        for other in needs_of(inputs, id) {
            if decision.updates.contains_key(&other) {
                edges.push((other.clone(), id.clone(), Because::Needs { other }));
            }
        }
        let Some(core) = core.as_ref().filter(|core| *core != id) else {
            continue;
        };
        let needs = offer_of(inputs, id).and_then(|offer| offer.requires.core.clone());
        let present = &inputs.inventory.core.version;
        let newer = needs.filter(|needs| inputs.versions.scheme.compare(present, needs) == Ordering::Less);
        if let Some(version) = newer {
            edges.push((core.clone(), id.clone(), Because::NeedsCore { version }));
        }
    }
    edges
}

/// What each component waits for.
type Befores = BTreeMap<ComponentId, BTreeSet<ComponentId>>;

/// The members of one `together` group need each other, which makes them one group.
fn together(inputs: &Inputs<'_>, decision: &Decision) -> Vec<(ComponentId, ComponentId)> {
    let mut pairs = Vec::new();
    for names in &inputs.plan.updates.together {
        let members: Vec<&ComponentId> =
            decision.updates.keys().filter(|id| names.iter().any(|name| name.names(id))).collect();
        for pair in members.windows(2) {
            pairs.push((pair[0].clone(), pair[1].clone()));
        }
    }
    pairs
}

/// A stable topological order of groups: among those that may come next, extensions that fit the
/// present core before the core, the rest by name.
pub(super) fn order(inputs: &Inputs<'_>, mut decision: Decision) -> UpdateGraph {
    let edges = edges(inputs, &decision);
    let pairs = together(inputs, &decision);
    let mut graph: DiGraph<ComponentId, ()> = DiGraph::new();
    let nodes: BTreeMap<ComponentId, NodeIndex> =
        decision.updates.keys().map(|id| (id.clone(), graph.add_node(id.clone()))).collect();
    for (before, after, _) in &edges {
        graph.update_edge(nodes[before], nodes[after], ());
    }
    for (a, b) in &pairs {
        graph.update_edge(nodes[a], nodes[b], ());
        graph.update_edge(nodes[b], nodes[a], ());
    }
    // What needs each other in a circle is one group; its members keep their order by name.
    let mut members: Vec<Vec<ComponentId>> = petgraph::algo::kosaraju_scc(&graph)
        .into_iter()
        .map(|nodes| nodes.into_iter().map(|node| graph[node].clone()).collect())
        .collect();
    let mut befores = Befores::new();
    for (before, after, _) in &edges {
        befores.entry(after.clone()).or_default().insert(before.clone());
    }
    for ids in &mut members {
        inner_order(ids, &befores);
    }
    members.sort_by(|a, b| a.iter().min().cmp(&b.iter().min()));
    let group_of: BTreeMap<&ComponentId, usize> =
        members.iter().enumerate().flat_map(|(group, ids)| ids.iter().map(move |id| (id, group))).collect();
    let mut waits_for: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); members.len()];
    for (before, after, _) in &edges {
        let (before, after) = (group_of[before], group_of[after]);
        if before != after {
            waits_for[after].insert(before);
        }
    }
    let order = sequence(&members, &waits_for);
    let edges_back: BTreeSet<(ComponentId, ComponentId)> =
        edges.iter().map(|(before, after, _)| (before.clone(), after.clone())).collect();
    for (before, after, because) in edges {
        let one = group_of[&before] == group_of[&after];
        // In a circle both say that they need the other; the group itself is the reason then.
        let circle = one && edges_back.contains(&(after.clone(), before.clone()));
        let because = if circle { Because::Together { other: before } } else { because };
        push_reason(&mut decision, &after, because);
    }
    for (a, b) in pairs {
        for (id, other) in [(&a, &b), (&b, &a)] {
            push_reason(&mut decision, id, Because::Together { other: other.clone() });
        }
    }
    mark_before_core(&members, &order, &mut decision);
    let mut updates = decision.updates;
    let groups = order
        .into_iter()
        .map(|group| Group { updates: members[group].iter().filter_map(|id| updates.remove(id)).collect() })
        .collect();
    UpdateGraph { groups, holds: decision.holds, languages: decision.languages }
}

/// The order within a group: what is needed first, and by name where nothing or a circle decides.
fn inner_order(ids: &mut Vec<ComponentId>, befores: &Befores) {
    if ids.len() < 2 {
        return;
    }
    let members: BTreeSet<ComponentId> = ids.drain(..).collect();
    let within = |id: &&ComponentId| members.contains(*id);
    let mut waits: BTreeMap<&ComponentId, BTreeSet<&ComponentId>> = BTreeMap::new();
    let mut waited_for_by: BTreeMap<&ComponentId, Vec<&ComponentId>> = BTreeMap::new();
    for (after, befores) in members.iter().filter_map(|id| befores.get_key_value(id)) {
        for before in befores.iter().filter(within) {
            waits.entry(after).or_default().insert(before);
            waited_for_by.entry(before).or_default().push(after);
        }
    }
    let mut left: BTreeSet<&ComponentId> = members.iter().collect();
    let mut ready: BTreeSet<&ComponentId> = members.iter().filter(|id| !waits.contains_key(*id)).collect();
    while let Some(next) = ready.pop_first().or_else(|| left.first().copied()) {
        left.remove(next);
        ids.push(next.clone());
        for after in waited_for_by.get(next).into_iter().flatten().filter(|after| left.contains(*after)) {
            let waits = waits.entry(after).or_default();
            waits.remove(next);
            if waits.is_empty() {
                ready.insert(after);
            }
        }
    }
}

/// Kahn's algorithm with a fixed preference.
fn sequence(members: &[Vec<ComponentId>], waits_for: &[BTreeSet<usize>]) -> Vec<usize> {
    let holds_core = |group: usize| members[group].iter().any(|id| id.kind.is_core());
    let mut waits: Vec<usize> = waits_for.iter().map(BTreeSet::len).collect();
    let mut waited_for_by: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    for (group, befores) in waits_for.iter().enumerate() {
        befores.iter().for_each(|before| waited_for_by[*before].push(group));
    }
    let free = (0..members.len()).filter(|group| waits[*group] == 0);
    let mut ready: BTreeSet<(bool, usize)> = free.map(|group| (holds_core(group), group)).collect();
    let mut order = Vec::new();
    while let Some((_, next)) = ready.pop_first() {
        order.push(next);
        for after in &waited_for_by[next] {
            waits[*after] -= 1;
            if waits[*after] == 0 {
                ready.insert((holds_core(*after), *after));
            }
        }
    }
    order
}

/// A reason is given once.
fn push_reason(decision: &mut Decision, id: &ComponentId, because: Because) {
    if let Some(update) = decision.updates.get_mut(id).filter(|update| !update.because.contains(&because)) {
        update.because.push(because);
    }
}

fn mark_before_core(members: &[Vec<ComponentId>], order: &[usize], decision: &mut Decision) {
    let core = order.iter().position(|group| members[*group].iter().any(|id| id.kind.is_core()));
    for group in &order[..core.unwrap_or(0)] {
        for id in &members[*group] {
            if let Some(update) = decision.updates.get_mut(id) {
                update.because.push(Because::BeforeCore);
            }
        }
    }
}
