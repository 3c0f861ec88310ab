//! Says what an update took along that nobody had asked for: tools that resolve dependencies move others to make one fit.
//!
//! May use: `inventory`, `procedure`. Invariants: pure. Only what somebody decided about counts: the core, what is held, and
//! what the run brings to another version. What comes with the core moves with the core, and children with their parent. What only
//! waits for a day may come sooner, at the version that is offered: else an update that needs it would be undone each time until then.

use crate::inventory::Inventory;
use crate::model::{ComponentId, Hold, HoldReason, Version};
use crate::procedure::Procedure;
use std::collections::BTreeMap;

/// Versions as they were read.
pub(super) type Read = BTreeMap<ComponentId, Version>;

/// The most of what came sooner that is told.
const MOST_EARLY: usize = 20;

/// What moved with an update, in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Along {
    /// The first component that was not to.
    pub(super) wrong: Option<String>,
    /// What was to wait, and came sooner because of it.
    pub(super) early: Vec<String>,
}

/// What moved with `updated` and was not asked for.
pub(super) fn moved_along(
    updated: &ComponentId,
    before: &Read,
    after: &Read,
    inventory: &Inventory,
    procedure: &Procedure,
) -> Along {
    if updated.kind.is_core() {
        return Along::default();
    }
    let moved = before.iter().filter(|(id, was)| *id != updated && after.get(*id) != Some(*was));
    let moved: Vec<_> = moved
        .filter(|(id, _)| !is_below(id, updated, inventory))
        .map(|(id, was)| (id, was, judged(id, after.get(id), procedure)))
        .collect();
    let wrong = moved.iter().filter(|(.., move_)| *move_ == Move::Wrong).min_by_key(|(id, ..)| !id.kind.is_core());
    let wrong = wrong.map(|(id, was, _)| match after.get(*id) {
        Some(is) => format!("{id} went along from {was} to {is}"),
        None => format!("{id}, which was {was}, is not there any more"),
    });
    let early = moved.iter().filter_map(|(id, was, move_)| match (move_, after.get(*id)) {
        (Move::Early(until), Some(is)) => {
            Some(format!("{updated} took {id} along from {was} to {is}, which was to wait {until}"))
        }
        _ => None,
    });
    Along { wrong, early: early.take(MOST_EARLY).collect() }
}

/// Whether one came with the other, directly or not.
fn is_below(id: &ComponentId, above: &ComponentId, inventory: &Inventory) -> bool {
    let parent = |id: &ComponentId| inventory.extension(id)?.parent.as_ref();
    std::iter::successors(parent(id), |id| parent(id)).take(inventory.extensions.len()).any(|one| one == above)
}

/// How it came that something is at another version now.
#[derive(Debug, PartialEq, Eq)]
enum Move {
    /// The run brings it there, or nobody decided anything about it.
    Asked,
    /// It was to wait, in words until when.
    Early(String),
    /// It was to stay.
    Wrong,
}

fn judged(id: &ComponentId, is: Option<&Version>, procedure: &Procedure) -> Move {
    let mut own = procedure.updates.iter().filter(|update| update.component == *id).peekable();
    let mut holds = procedure.holds.iter().filter(|hold| hold.component == *id).peekable();
    let decided = id.kind.is_core() || own.peek().is_some() || holds.peek().is_some();
    if !decided || own.any(|update| Some(&update.to) == is) {
        return Move::Asked;
    }
    let waits = |hold: &Hold| match &hold.reason {
        // While the run searches for what breaks the site, it leaves some out for a while.
        HoldReason::Postponed => Some(Move::Asked),
        HoldReason::TooYoung { from } => Some(Move::Early(format!("until {from}"))),
        HoldReason::NextWindow => Some(Move::Early("for the next window".to_owned())),
        _ => None,
    };
    let held = holds.find(|hold| hold.offered.is_some() && hold.offered.as_ref() == is);
    held.filter(|_| !id.kind.is_core()).and_then(waits).unwrap_or(Move::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, SiteName};
    use serde_json::json;

    fn id(name: &str) -> ComponentId {
        let (kind, slug) = name.split_once(':').unwrap();
        ComponentId::new(kind, slug).unwrap()
    }

    fn read(versions: &[(&str, &str)]) -> Read {
        versions.iter().map(|(name, version)| (id(name), Version::new(*version).unwrap())).collect()
    }

    /// What moved with module:address and was not to, where module:token goes to 2 in the same run, and others are held.
    fn along(before: &[(&str, &str)], after: &[(&str, &str)]) -> Option<String> {
        all_along(before, after).wrong
    }

    fn all_along(before: &[(&str, &str)], after: &[(&str, &str)]) -> Along {
        let extension = |slug: &str, parent: Option<&str>| json!({"kind": "module", "slug": slug, "version": "1", "parent": parent});
        let document = json!({
            "core": {"title": "Nano", "version": "10"},
            "extensions": [extension("address", None), extension("child", Some("module:address")),
                extension("grandchild", Some("module:child")), extension("free", None), extension("held", None),
                extension("postponed", None), extension("token", None), extension("young", None), extension("window", None)],
            "sources": [{"name": "index", "reachable": true}],
        });
        let site = SiteName::new("shop").unwrap();
        let inventory = Inventory::from_document(&site, document).unwrap();
        let hold = |slug: &str, reason: serde_json::Value| {
            let component = format!("module:{slug}");
            json!({"component": component, "title": "", "installed": "1", "offered": "2", "reason": reason})
        };
        let procedure: Procedure = serde_json::from_value(json!({
            "format": 1, "site": "shop", "cms": "nanocms", "playbook": Digest::of(b""), "checks": [],
            "maintenance-files": [], "steps": [],
            "updates": [{"component": "module:token", "title": "", "from": "1", "to": "2", "source": null,
                "step": "minor", "because": []}],
            "holds": [hold("held", json!({"kind": "licence"})), hold("child", json!({"kind": "licence"})),
                hold("grandchild", json!({"kind": "licence"})), hold("postponed", json!({"kind": "postponed"})),
                hold("young", json!({"kind": "too-young", "from": "2026-12-01"})), hold("window", json!({"kind": "next-window"}))],
        }))
        .unwrap();
        moved_along(&id("module:address"), &read(before), &read(after), &inventory, &procedure)
    }

    #[test]
    fn nothing_goes_along_that_was_decided_otherwise() {
        for (id, is) in [
            ("core:core", "11"),
            ("core:core", ""),
            ("module:held", "2"),
            ("module:held", ""),
            ("module:token", "3"),
            ("module:young", "3"),
            ("module:young", ""),
            ("module:postponed", "3"),
        ] {
            let after: &[(&str, &str)] = if is.is_empty() { &[] } else { &[(id, is)] };
            let said = along(&[(id, "1")], after).unwrap_or_else(|| panic!("{id} may not be {is}"));
            assert!(said.starts_with(id), "{said}");
        }
        let said = along(&[("core:core", "10"), ("module:held", "1")], &[("core:core", "11"), ("module:held", "2")]);
        assert_eq!(said.as_deref(), Some("core:core went along from 10 to 11"));
    }

    #[test]
    fn what_comes_with_it_and_what_nobody_decided_about_may() {
        let may = [
            ("module:address", "2"),
            ("module:child", "2"),
            ("module:grandchild", "2"),
            ("module:free", "2"),
            ("module:postponed", "2"),
            ("module:token", "2"),
            ("library:of-it", "2"),
            ("core:core", "1"),
        ];
        for (id, is) in may {
            assert_eq!(along(&[(id, "1")], &[(id, is)]), None, "{id}");
        }
        assert_eq!(along(&[], &[("module:new", "1")]), None);
    }

    #[test]
    fn what_only_waits_for_a_day_may_come_sooner_and_is_told() {
        let found = all_along(
            &[("module:young", "1"), ("module:window", "1"), ("module:postponed", "1")],
            &[("module:young", "2"), ("module:window", "2"), ("module:postponed", "2")],
        );
        let told = [
            "module:address took module:window along from 1 to 2, which was to wait for the next window",
            "module:address took module:young along from 1 to 2, which was to wait until 2026-12-01",
        ];
        assert_eq!(found, Along { wrong: None, early: told.map(str::to_owned).into() });
    }
}
