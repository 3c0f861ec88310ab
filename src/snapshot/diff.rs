//! The difference of two manifests: pure, for files and database objects alike.
//!
//! May use: `model`, `item`, `manifest`. Invariants: symmetric (`diff(a, b)` mirrors
//! `diff(b, a)`), sorted by item; inode, ctime and the number of names are never compared.

use super::item::Item;
use super::manifest::{Entry, Manifest};
use std::fmt;
use std::sync::Arc;

/// In what respects an item differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// File, folder, link or something else.
    Kind,
    /// The bytes of a file, the SQL of a database object.
    Content,
    /// Where a link points.
    Target,
    /// Permission bits.
    Mode,
    /// Modification time.
    Mtime,
    /// Owner or group. Restored only where the account may.
    Owner,
    /// Extended attributes or access lists, where both snapshots know them.
    Attributes,
}

/// What happened to an item on the way from the first manifest to the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Only the second has it.
    Added,
    /// Only the first has it.
    Removed,
    /// Both have it; these aspects differ, sorted.
    Changed(Vec<Aspect>),
}

/// The difference of two manifests, by item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// What differs, sorted by item.
    pub changes: Vec<(Item, Change)>,
}

/// What happened on the way from `from` to `to`.
pub fn diff(from: &Manifest, to: &Manifest) -> Diff {
    let mut changes = Vec::new();
    let (mut left, mut right) = (from.entries.iter().peekable(), to.entries.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let before = if order.is_le() { left.next() } else { None };
        let after = if order.is_ge() { right.next() } else { None };
        match (before, after) {
            (Some((item, _)), None) => changes.push((item.clone(), Change::Removed)),
            (None, Some((item, _))) => changes.push((item.clone(), Change::Added)),
            (Some((_, before)), Some((_, after))) if Arc::ptr_eq(before, after) => {}
            (Some((item, before)), Some((_, after))) => {
                let aspects = aspects(before, after);
                if !aspects.is_empty() {
                    changes.push((item.clone(), Change::Changed(aspects)));
                }
            }
            (None, None) => break,
        }
    }
    Diff { changes }
}

/// In what respects two entries of one item differ, sorted.
pub(super) fn aspects(before: &Entry, after: &Entry) -> Vec<Aspect> {
    if before.letter() != after.letter() {
        return vec![Aspect::Kind];
    }
    let mut aspects = Vec::new();
    if let (Some(a), Some(b)) = (before.content(), after.content())
        && a.digest != b.digest
    {
        aspects.push(Aspect::Content);
    }
    if let (Entry::Link { target: a, .. }, Entry::Link { target: b, .. }) = (before, after)
        && a != b
    {
        aspects.push(Aspect::Target);
    }
    if let (Some(a), Some(b)) = (before.facts(), after.facts()) {
        if a.mode != b.mode {
            aspects.push(Aspect::Mode);
        }
        if a.mtime != b.mtime {
            aspects.push(Aspect::Mtime);
        }
        if (a.uid, a.gid) != (b.uid, b.gid) {
            aspects.push(Aspect::Owner);
        }
        if a.attributes.differ(&b.attributes) {
            aspects.push(Aspect::Attributes);
        }
    }
    aspects
}

/// Counts of a diff.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffCounts {
    /// Paths that only the second has.
    pub added: usize,
    /// Paths that only the first has.
    pub removed: usize,
    /// Paths that differ.
    pub changed: usize,
    /// Database objects that only the second has.
    pub objects_added: usize,
    /// Database objects that only the first has.
    pub objects_removed: usize,
    /// Database objects that differ.
    pub objects_changed: usize,
}

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many of each.
    pub fn counts(&self) -> DiffCounts {
        let mut counts = DiffCounts::default();
        for (item, change) in &self.changes {
            let place = match (item, change) {
                (Item::Path(_), Change::Added) => &mut counts.added,
                (Item::Path(_), Change::Removed) => &mut counts.removed,
                (Item::Path(_), Change::Changed(_)) => &mut counts.changed,
                (Item::Object(_), Change::Added) => &mut counts.objects_added,
                (Item::Object(_), Change::Removed) => &mut counts.objects_removed,
                (Item::Object(_), Change::Changed(_)) => &mut counts.objects_changed,
            };
            *place += 1;
        }
        counts
    }

    /// The first `n` items that differ, one text each, fit to be shown: `+ a.php`,
    /// `- table:wp_x`, `~ b.php (content, mtime)`.
    pub fn lines(&self, n: usize) -> Vec<String> {
        let line = |(item, change): &(Item, Change)| match change {
            Change::Added => format!("+ {item}"),
            Change::Removed => format!("- {item}"),
            Change::Changed(aspects) => {
                let words: Vec<String> = aspects.iter().map(Aspect::to_string).collect();
                format!("~ {item} ({})", words.join(", "))
            }
        };
        self.changes.iter().take(n).map(line).collect()
    }

    /// The items with contents: files and database objects whose bytes, kind or existence
    /// differ. Folder times and owners are left out, which is what people mean by "changed".
    #[must_use]
    pub fn substance(&self) -> Self {
        let matters = |change: &Change| match change {
            Change::Added | Change::Removed => true,
            Change::Changed(aspects) => aspects.iter().any(|aspect| !matches!(aspect, Aspect::Mtime | Aspect::Owner)),
        };
        let kept = self.changes.iter().filter(|(_, change)| matters(change));
        Self { changes: kept.cloned().collect() }
    }

    /// The same, seen from the second manifest.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        for (_, change) in &mut self.changes {
            match change {
                Change::Added => *change = Change::Removed,
                Change::Removed => *change = Change::Added,
                Change::Changed(_) => {}
            }
        }
        self
    }

    /// Without what `keep` refuses.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&Item, &Change) -> bool) -> Self {
        self.changes.retain(|(item, change)| keep(item, change));
        self
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "kind",
            Self::Content => "content",
            Self::Target => "target",
            Self::Mode => "mode",
            Self::Mtime => "mtime",
            Self::Owner => "owner",
            Self::Attributes => "attributes",
        })
    }
}

impl fmt::Display for DiffCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} added, {} removed, {} changed", self.added, self.removed, self.changed)?;
        if self.objects_added + self.objects_removed + self.objects_changed > 0 {
            write!(
                f,
                "; database: {} added, {} removed, {} changed",
                self.objects_added, self.objects_removed, self.objects_changed
            )?;
        }
        Ok(())
    }
}

/// Counts and the first ten items, in one line.
impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        write!(f, "{}", self.counts())?;
        let lines = self.lines(SHOWN);
        if !lines.is_empty() {
            write!(f, " ({}", lines.join("; "))?;
            f.write_str(if self.changes.len() > SHOWN { "; …)" } else { ")" })?;
        }
        Ok(())
    }
}
