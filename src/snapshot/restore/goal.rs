//! The goal of a restore: the state that the site shall have, out of the present and the target.
//!
//! May use: `item`, `manifest`, `diff`. Invariants: pure; every path of the goal lies below
//! folders of the goal; what can't be restored is not in the goal but in `left`.

use super::super::diff::{Aspect, Change, Diff, aspects, diff};
use super::super::item::{Item, ItemPath, ObjectKind};
use super::super::manifest::{Entry, Manifest};
use super::Only;

/// What shall be, and what will stay different.
pub(super) struct Goal {
    pub(super) manifest: Manifest,
    pub(super) left: Diff,
}

/// Computes the goal. `uid` is the account on the host.
pub(super) fn goal(present: &Manifest, target: &Manifest, only: &[Only], uid: u32) -> Goal {
    let mut goal = present.clone();
    let mut left = Diff::default();
    for (item, change) in diff(present, target).changes {
        if !selected(&item, only) {
            continue;
        }
        let before = present.entries.get(&item);
        let after = target.entries.get(&item);
        match wanted(&item, before, after, target, present, uid) {
            Wanted::Leave => left.changes.push((item, change)),
            Wanted::Remove => {
                goal.entries.remove(&item);
            }
            Wanted::Make(entry, rest) => {
                if !rest.is_empty() {
                    left.changes.push((item.clone(), Change::Changed(rest)));
                }
                goal.entries.insert(item, entry);
            }
        }
    }
    keep_parents(&mut goal, present, target);
    Goal { manifest: goal, left }
}

enum Wanted {
    Leave,
    Remove,
    /// This entry; these aspects stay as they are.
    Make(Entry, Vec<Aspect>),
}

fn selected(item: &Item, only: &[Only]) -> bool {
    let one = |only: &Only| match (only, item) {
        (Only::Path(root), Item::Path(path)) => path.is_within(root),
        (Only::Object(wanted), Item::Object(object)) => wanted == object,
        _ => false,
    };
    only.is_empty() || only.iter().any(one)
}

fn wanted(
    item: &Item,
    before: Option<&Entry>,
    after: Option<&Entry>,
    target: &Manifest,
    present: &Manifest,
    uid: u32,
) -> Wanted {
    if !known_to_both(item, target, present) {
        return Wanted::Leave;
    }
    let Some(after) = after else {
        return Wanted::Remove;
    };
    if matches!(after, Entry::Other { .. }) {
        return Wanted::Leave;
    }
    let Some(before) = before else {
        return Wanted::Make(after.clone(), Vec::new());
    };
    if uid == 0 {
        return Wanted::Make(after.clone(), Vec::new());
    }
    // Only root gives files away, and only their owner changes a folder's mode and time.
    let mut entry = after.clone();
    let differing = aspects(before, after);
    let owner = |entry: &Entry| entry.facts().map(|facts| (facts.uid, facts.gid));
    let foreign = owner(before).is_some_and(|(owner, _)| owner != uid);
    if foreign && before.is_dir() && after.is_dir() {
        return Wanted::Leave;
    }
    if differing == [Aspect::Owner] {
        return Wanted::Leave;
    }
    if let (Some((uid, gid)), Some(facts)) = (owner(before), facts_mut(&mut entry)) {
        (facts.uid, facts.gid) = (uid, gid);
    }
    let rest = differing.into_iter().filter(|aspect| *aspect == Aspect::Owner);
    Wanted::Make(entry, rest.collect())
}

fn facts_mut(entry: &mut Entry) -> Option<&mut super::super::manifest::Facts> {
    match entry {
        Entry::File { facts, .. } | Entry::Dir { facts } | Entry::Link { facts, .. } | Entry::Other { facts, .. } => {
            Some(facts)
        }
        Entry::Object { .. } => None,
    }
}

/// Whether both captures could see the item: what one of them could not read is left alone.
fn known_to_both(item: &Item, target: &Manifest, present: &Manifest) -> bool {
    let both = [&target.header, &present.header];
    match item {
        Item::Path(path) => {
            !both.iter().flat_map(|header| &header.problems).any(|problem| path.is_within(&problem.path))
        }
        Item::Object(object) => both.iter().all(|header| {
            let Some(database) = &header.database else {
                return false;
            };
            let word = match object.kind() {
                ObjectKind::Event => "events",
                ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Package | ObjectKind::PackageBody => {
                    "routines"
                }
                _ => return true,
            };
            let says = |skipped: &String| skipped.split(':').next().is_some_and(|what| what.contains(word));
            !database.skipped.iter().any(says)
        }),
    }
}

/// Every path needs its folder: where a part is restored into a folder that has gone, or
/// something stays in a folder that would go.
fn keep_parents(goal: &mut Manifest, present: &Manifest, target: &Manifest) {
    let paths: Vec<ItemPath> = goal.paths().map(|(path, _)| path.clone()).collect();
    for path in paths {
        let mut at = path.parent();
        while let Some(parent) = at {
            let item = Item::Path(parent.clone());
            if goal.entries.get(&item).is_some_and(Entry::is_dir) {
                break;
            }
            let known = [present, target].into_iter().filter_map(|from| from.entries.get(&item));
            if let Some(folder) = known.into_iter().find(|entry| entry.is_dir()) {
                goal.entries.insert(item, folder.clone());
            }
            at = parent.parent();
        }
    }
}
