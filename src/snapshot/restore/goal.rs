//! The goal of a restore: the state that the site shall have, out of the present and the target.
//!
//! May use: `item`, `manifest`, `diff`. Invariants: pure; every path of the goal lies below
//! folders of the goal; what can't be restored is not in the goal but in `left`.

use super::super::diff::{Aspect, Change, Diff, aspects, diff};
use super::super::item::{Item, ItemPath, ObjectKind};
use super::super::manifest::{Entry, Manifest};
use super::super::walk::Account;
use super::Only;
use std::sync::Arc;

/// What shall be, and what will stay different.
pub(super) struct Goal {
    pub(super) manifest: Manifest,
    pub(super) left: Diff,
}

/// Computes the goal for what this account may set. `own` are the files of the live database: they stay, with their
/// folder, whatever the target has in their places.
pub(super) fn goal(present: &Manifest, target: &Manifest, only: &[Only], account: &Account, own: &[ItemPath]) -> Goal {
    let mut goal = present.clone();
    let mut left = Diff::default();
    for (item, change) in diff(present, target).changes {
        if !selected(&item, only) {
            continue;
        }
        let before = present.entry(&item);
        let after = target.entry(&item);
        let is_own = matches!(&item, Item::Path(path) if own.iter().any(|own| path.is_within(own)));
        let wanted = match !is_own && known_to_both(&item, target, present) {
            true => wanted(before, after, account),
            false => Wanted::Leave,
        };
        match wanted {
            Wanted::Leave => left.changes.push((item, change)),
            Wanted::Remove => {
                if after.is_some() {
                    // What stands in its place goes; it is not made.
                    left.changes.push((item.clone(), Change::Added));
                }
                goal.entries.remove(&item);
            }
            Wanted::Make(entry, rest) => {
                if !rest.is_empty() {
                    left.changes.push((item.clone(), Change::Changed(rest)));
                }
                goal.entries.insert(item, Arc::new(entry));
            }
        }
    }
    keep_parents(&mut goal, present, target, account, own);
    Goal { manifest: goal, left }
}

enum Wanted {
    Leave,
    Remove,
    /// This entry; these aspects stay as they are.
    Make(Entry, Vec<Aspect>),
}

/// Whether a restore that is limited so is about this item.
pub(super) fn selected(item: &Item, only: &[Only]) -> bool {
    let one = |only: &Only| match (only, item) {
        (Only::Path(root), Item::Path(path)) => path.is_within(root),
        (Only::Object(wanted), Item::Object(object)) => wanted == object,
        _ => false,
    };
    only.is_empty() || only.iter().any(one)
}

fn wanted(before: Option<&Entry>, after: Option<&Entry>, account: &Account) -> Wanted {
    let Some(after) = after else {
        return Wanted::Remove;
    };
    if matches!(after, Entry::Other { .. }) {
        let another = before.is_some_and(|before| !matches!(before, Entry::Other { .. }));
        return if another { Wanted::Remove } else { Wanted::Leave };
    }
    let after = &with_attributes(after, before);
    if account.is_root() {
        return match before.is_some_and(|before| is_as_near_as_can_be(before, after, account)) {
            true => Wanted::Leave,
            false => Wanted::Make(after.clone(), Vec::new()),
        };
    }
    // Only their owner changes a folder's mode and time.
    let foreign = before.and_then(Entry::facts).is_some_and(|facts| facts.uid != account.uid);
    let both_folders = before.is_some_and(Entry::is_dir) && after.is_dir();
    if foreign && both_folders {
        return Wanted::Leave;
    }
    let entry = settable(after, before.filter(|_| both_folders), account);
    if before
        .is_some_and(|before| aspects(before, after) == [Aspect::Owner] && (foreign || is_owned_as(before, &entry)))
    {
        return Wanted::Leave;
    }
    if before.is_some_and(|before| is_as_near_as_can_be(before, &entry, account)) {
        return Wanted::Leave;
    }
    let rest = if is_owned_as(after, &entry) { Vec::new() } else { vec![Aspect::Owner] };
    Wanted::Make(entry, rest)
}

/// What the target does not know of an entry's attributes stays as it is.
fn with_attributes(after: &Entry, before: Option<&Entry>) -> Entry {
    let mut entry = after.clone();
    if let (Some(facts), Some(before)) = (entry.facts_mut(), before.and_then(Entry::facts))
        && facts.attributes.is_unknown()
    {
        facts.attributes = before.attributes.clone();
    }
    entry
}

/// Whether they differ only by a part of a second, which the account's programs can't set.
fn is_as_near_as_can_be(before: &Entry, after: &Entry, account: &Account) -> bool {
    let times = before.facts().zip(after.facts()).map(|(before, after)| (before.mtime, after.mtime));
    aspects(before, after) == [Aspect::Mtime]
        && times.is_some_and(|(before, after)| account.tools.is_near(before, after))
}

fn is_owned_as(a: &Entry, b: &Entry) -> bool {
    let owner = |entry: &Entry| entry.facts().map(|facts| (facts.uid, facts.gid));
    owner(a) == owner(b)
}

/// The entry with the owner and group that an ordinary account can give it: itself, and one of
/// its groups. A `folder` that stays may keep the group that it has.
fn settable(entry: &Entry, folder: Option<&Entry>, account: &Account) -> Entry {
    let mut entry = entry.clone();
    if let Some(facts) = entry.facts_mut().filter(|_| !account.is_root()) {
        facts.uid = account.uid;
        if !account.groups.contains(&facts.gid) {
            let kept = folder.and_then(Entry::facts).map(|facts| facts.gid);
            facts.gid = kept.or(account.groups.first().copied()).unwrap_or(facts.gid);
        }
    }
    entry
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
fn keep_parents(goal: &mut Manifest, present: &Manifest, target: &Manifest, account: &Account, own: &[ItemPath]) {
    let own = own.iter().filter_map(ItemPath::parent).filter(|parent| present.path(parent).is_some());
    let mut folders: Vec<ItemPath> = goal.paths().filter_map(|(path, _)| path.parent()).collect();
    folders.extend(own);
    folders.dedup();
    for folder in folders {
        let mut at = Some(folder);
        while let Some(parent) = at {
            let item = Item::Path(parent.clone());
            if goal.entry(&item).is_some_and(Entry::is_dir) {
                break;
            }
            let folder = |from: &Manifest| from.entries.get(&item).filter(|entry| entry.is_dir()).cloned();
            let made = || folder(target).map(|folder| Arc::new(settable(&folder, None, account)));
            if let Some(folder) = folder(present).or_else(made) {
                goal.entries.insert(item, folder);
            }
            at = parent.parent();
        }
    }
}
