//! Which rows of a table are new: keys and contents of a snapshot against those of later states.
//!
//! May use: `model`. Invariants: pure; memory is bounded by [`MAX_KEYS`] and the number of new rows, whatever the
//! table is: a larger one is gone through in several parts, each with its share of the keys.

use crate::model::Digest;
use std::collections::HashMap;

/// How many keys of a snapshot's table are held at once.
const MAX_KEYS: usize = 1 << 20;
/// How many new keys of one part are held.
const MAX_NEW: usize = 1 << 20;
/// In how many parts a table is gone through at most.
const MAX_PARTS: u32 = 64;

/// Half a digest: what a row's key or content is known by.
pub(super) type Short = [u8; 16];

/// The first half of a digest.
pub(super) fn short(digest: &Digest) -> Short {
    let mut short = Short::default();
    short.copy_from_slice(&digest.as_bytes()[..16]);
    short
}

/// What a row of a later state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As in the snapshot, or known from another state.
    Known,
    /// The snapshot has its key with another content.
    Changed,
    /// It came into being after the snapshot.
    New,
    /// Another new row has its key, in a later state or the same one.
    Older,
    /// It may be new, and there are too many of those.
    TooMuch,
    /// It is one of another part.
    Elsewhere,
}

/// What the snapshot has under a key.
struct Kept {
    content: Short,
    count: u32,
    seen: u32,
}

/// What was new under a key.
#[derive(Default)]
struct Taken {
    content: Short,
    count: u32,
    seen: u32,
}

/// One part of one table.
pub(super) struct Comparison {
    /// Whether a key names one row; else any number of rows are equal.
    unique: bool,
    part: u32,
    parts: u32,
    kept: HashMap<Short, Kept>,
    taken: HashMap<Short, Taken>,
}

impl Comparison {
    /// One part of so many.
    pub(super) fn new(unique: bool, part: u32, parts: u32) -> Self {
        Self { unique, part, parts, kept: HashMap::new(), taken: HashMap::new() }
    }

    fn is_mine(&self, key: &Short) -> bool {
        u32::from_be_bytes([key[0], key[1], key[2], key[3]]) % self.parts == self.part
    }

    fn is_full(&self) -> bool {
        self.taken.len() >= MAX_NEW
    }

    /// A row of the snapshot. False where there are too many for so few parts.
    pub(super) fn keep(&mut self, key: Short, content: Short) -> bool {
        if self.is_mine(&key) {
            let kept = self.kept.entry(key).or_insert(Kept { content, count: 0, seen: 0 });
            kept.count = kept.count.saturating_add(1);
        }
        // Only the first part is counted: the others are as large, and the end is in sight.
        self.part > 0 || self.kept.len() <= MAX_KEYS
    }

    /// In how many parts a table is tried next that was too large for `parts`; none: it is too large.
    pub(super) fn more_parts(parts: u32) -> Option<u32> {
        Some(parts * 4).filter(|parts| *parts <= MAX_PARTS)
    }

    /// Another state begins; the newest comes first.
    pub(super) fn next_state(&mut self) {
        self.kept.values_mut().for_each(|kept| kept.seen = 0);
        self.taken.values_mut().for_each(|taken| taken.seen = 0);
    }

    /// A row of the present state.
    pub(super) fn judge(&mut self, key: Short, content: Short) -> Verdict {
        if !self.is_mine(&key) {
            return Verdict::Elsewhere;
        }
        if !self.unique {
            return self.judge_one_of_many(key);
        }
        if let Some(kept) = self.kept.get_mut(&key) {
            kept.seen = 1;
            return if kept.content == content { Verdict::Known } else { Verdict::Changed };
        }
        match self.taken.get(&key) {
            Some(taken) if taken.content == content => Verdict::Known,
            Some(_) => Verdict::Older,
            None if self.is_full() => Verdict::TooMuch,
            None => {
                self.taken.insert(key, Taken { content, count: 1, seen: 1 });
                Verdict::New
            }
        }
    }

    /// Without a key: one that the snapshot and the states before have not got so often.
    fn judge_one_of_many(&mut self, key: Short) -> Verdict {
        let known = self.taken.get(&key).map_or(0, |taken| taken.count);
        let full = self.is_full();
        let (count, seen) = match self.kept.get_mut(&key) {
            Some(kept) => {
                kept.seen = kept.seen.saturating_add(1);
                (kept.count, kept.seen)
            }
            None if full => return Verdict::TooMuch,
            None => {
                let taken = self.taken.entry(key).or_default();
                taken.seen = taken.seen.saturating_add(1);
                (0, taken.seen)
            }
        };
        if seen <= count.saturating_add(known) {
            return Verdict::Known;
        }
        if full {
            return Verdict::TooMuch;
        }
        let taken = self.taken.entry(key).or_default();
        taken.count = taken.count.saturating_add(1);
        Verdict::New
    }

    /// How many rows of the snapshot the present state has not got.
    pub(super) fn gone(&self) -> u64 {
        self.kept
            .values()
            .map(|kept| {
                u64::from(if self.unique { 1 - kept.seen.min(1) } else { kept.count.saturating_sub(kept.seen) })
            })
            .sum()
    }
}

/// A sum over rows, in which their order does not count, and each one as often as it is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    words: [u64; 4],
    rows: u64,
}

impl Sum {
    /// Adds a row.
    pub(super) fn add(&mut self, digest: &Digest) {
        let mut carry = false;
        for (word, bytes) in self.words.iter_mut().zip(digest.as_bytes().chunks_exact(8)) {
            let mut eight = [0; 8];
            eight.copy_from_slice(bytes);
            let (sum, over) = word.overflowing_add(u64::from_le_bytes(eight));
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = over || again;
        }
        self.rows = self.rows.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn of(number: u8) -> Short {
        short(&Digest::of(&[number]))
    }

    type State = Vec<(u8, u8)>;

    /// Goes through all parts as a restore does: the newest state first.
    fn run(
        unique: bool,
        parts: u32,
        snapshot: &State,
        states: &[State],
    ) -> (Vec<(u8, u8)>, BTreeMap<String, usize>, u64) {
        let (mut new, mut counts, mut gone) = (Vec::new(), BTreeMap::new(), 0);
        for part in 0..parts {
            let mut comparison = Comparison::new(unique, part, parts);
            // Without a key the whole row is the key.
            let key = |(key, content): (u8, u8)| if unique { of(key) } else { short(&Digest::of(&[key, content])) };
            snapshot.iter().for_each(|row| assert!(comparison.keep(key(*row), of(row.1))));
            for state in states.iter().rev() {
                comparison.next_state();
                for row in state {
                    let verdict = comparison.judge(key(*row), of(row.1));
                    if verdict == Verdict::New {
                        new.push(*row);
                    }
                    if verdict != Verdict::Elsewhere {
                        *counts.entry(format!("{verdict:?}")).or_default() += 1;
                    }
                }
            }
            gone += comparison.gone();
        }
        new.sort_unstable();
        (new, counts, gone)
    }

    fn by_key(state: &State) -> BTreeMap<u8, u8> {
        state.iter().copied().collect()
    }

    fn counted(state: &State) -> BTreeMap<(u8, u8), usize> {
        let mut counts = BTreeMap::new();
        state.iter().for_each(|row| *counts.entry(*row).or_default() += 1);
        counts
    }

    proptest! {
        #[test]
        fn as_the_naive_way_with_keys(
            snapshot in proptest::collection::btree_map(0..30_u8, 0..3_u8, 0..20),
            states in proptest::collection::vec(proptest::collection::btree_map(0..30_u8, 0..3_u8, 0..20), 1..4),
            parts in 1..5_u32
        ) {
            let state = |map: &BTreeMap<u8, u8>| map.iter().map(|(key, content)| (*key, *content)).collect::<State>();
            let all: Vec<State> = states.iter().map(state).collect();
            let (new, counts, gone) = run(true, parts, &state(&snapshot), &all);
            let mut wanted: BTreeMap<u8, u8> = BTreeMap::new();
            for state in &states {
                // What came later goes over what came before.
                wanted.extend(state.iter().filter(|(key, _)| !snapshot.contains_key(key)));
            }
            let wanted: State = wanted.into_iter().collect();
            prop_assert_eq!(&by_key(&new), &by_key(&wanted));
            prop_assert_eq!(new.len(), wanted.len());
            let oldest = &states[0];
            prop_assert_eq!(gone, snapshot.keys().filter(|key| !oldest.contains_key(key)).count() as u64);
            let changed = |state: &BTreeMap<u8, u8>| state.iter().filter(|(key, content)| snapshot.get(key).is_some_and(|was| was != *content)).count();
            prop_assert_eq!(counts.get("Changed").copied().unwrap_or(0), states.iter().map(changed).sum::<usize>());
        }

        #[test]
        fn as_the_naive_way_without_keys(
            snapshot in proptest::collection::vec((0..4_u8, 0..2_u8), 0..20),
            states in proptest::collection::vec(proptest::collection::vec((0..4_u8, 0..2_u8), 0..20), 1..4),
            parts in 1..5_u32
        ) {
            let (new, _, gone) = run(false, parts, &snapshot, &states);
            let kept = counted(&snapshot);
            let rows: BTreeSet<(u8, u8)> = states.iter().flatten().copied().collect();
            for row in rows {
                let count = |state: &State| counted(state).get(&row).copied().unwrap_or(0);
                let most = states.iter().map(count).max().unwrap_or(0);
                let wanted = most.saturating_sub(kept.get(&row).copied().unwrap_or(0));
                prop_assert_eq!(new.iter().filter(|new| **new == row).count(), wanted);
            }
            let oldest = counted(&states[0]);
            let missing = kept.iter().map(|(row, count)| count.saturating_sub(oldest.get(row).copied().unwrap_or(0)));
            prop_assert_eq!(gone, missing.sum::<usize>() as u64);
        }

        #[test]
        fn a_sum_knows_each_row_and_no_order(mut rows in proptest::collection::vec(any::<u8>(), 1..20), other in any::<u8>()) {
            let sum = |rows: &[u8]| {
                let mut sum = Sum::default();
                rows.iter().for_each(|row| sum.add(&Digest::of(&[*row])));
                sum
            };
            let first = sum(&rows);
            rows.reverse();
            prop_assert_eq!(sum(&rows), first);
            let was = rows[0];
            rows[0] = other;
            prop_assert_eq!(sum(&rows) == first, other == was);
            rows.push(other);
            prop_assert_ne!(sum(&rows), first);
        }
    }
}
