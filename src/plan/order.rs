//! Orders that can't be kept: components that wait for each other.

use super::Plan;
use crate::model::ComponentName;
use crate::model::document::{Node, Violation};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::BTreeMap;

/// Every circle of `after`, alone and through groups that move together.
pub(super) fn cycles(plan: &Plan, node: &Node) -> Vec<Violation> {
    let alone = circles(plan, false);
    let circles = match alone.is_empty() {
        true => circles(plan, true),
        false => alone,
    };
    circles
        .into_iter()
        .map(|members| {
            let keys = plan.updates.after.keys();
            let key = keys.map(ComponentName::as_str).find(|key| members.iter().any(|m| m == key));
            let place = node.place_of_key(&["updates".into(), "after".into(), key.unwrap_or_default().into()]);
            let problem = match members.as_slice() {
                [only] => format!("{only} would have to wait for itself"),
                several => format!("these wait for each other: {}", several.join(", ")),
            };
            Violation::new(place, problem)
                .hint("what stands before the colon is updated after what stands behind it; take one of them out")
        })
        .collect()
}

fn circles(plan: &Plan, grouped: bool) -> Vec<Vec<String>> {
    let updates = &plan.updates;
    let group = |name: &ComponentName| updates.together.iter().position(|g| g.contains(name));
    let mut graph: DiGraph<Vec<String>, ()> = DiGraph::new();
    let mut known: BTreeMap<String, NodeIndex> = BTreeMap::new();
    let mut index = |graph: &mut DiGraph<Vec<String>, ()>, name: &ComponentName| {
        let key = match group(name) {
            Some(number) if grouped => format!("\0{number}"),
            _ => name.as_str().to_owned(),
        };
        let at = *known.entry(key).or_insert_with(|| graph.add_node(Vec::new()));
        if !graph[at].iter().any(|member| member == name.as_str()) {
            graph[at].push(name.as_str().to_owned());
        }
        at
    };
    for (later, earlier) in &updates.after {
        for earlier in earlier {
            let (from, to) = (index(&mut graph, earlier), index(&mut graph, later));
            if from != to || !grouped {
                graph.update_edge(from, to, ());
            }
        }
    }
    let mut found: Vec<Vec<String>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|part| part.len() > 1 || part.iter().any(|n| graph.contains_edge(*n, *n)))
        .map(|part| {
            let mut members: Vec<String> = part.iter().flat_map(|n| graph[*n].clone()).collect();
            members.sort();
            members
        })
        .collect();
    found.sort();
    found
}
