//! What is told of visitors' rows: which tables, how many, and why some could not be put back.
//!
//! May use: `model`. Invariant: no value of a row stands here; those are in the evidence only.

use crate::model::clean_line;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Visitors' rows, as a restore found them and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Rows {
    /// The folder with the rows themselves, on the machine that runs this; none where none were found.
    pub evidence: Option<String>,
    /// The protected tables that differed from the snapshot.
    pub tables: Vec<TableRows>,
    /// What could not be looked at, and why: rows may be missing there.
    pub unread: Vec<String>,
}

/// The rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TableRows {
    /// The table.
    pub table: String,
    /// Rows that came into being after the snapshot.
    pub found: u64,
    /// Those of them that are in the restored table.
    pub put_back: u64,
    /// Rows of the snapshot that had another content: they are as in the snapshot again.
    pub changed: u64,
    /// Rows of the snapshot that had gone: they are there again.
    pub deleted: u64,
    /// Those that could not be put back, by reason.
    pub left: BTreeMap<LeftReason, u64>,
}

/// Why a row could not be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeftReason {
    /// Another row has its key, or a value that only one row may have.
    Taken,
    /// A row that it belongs to is not there.
    NoParent,
    /// The restored table wants a value that it has not got.
    NoValue,
    /// A value does not fit the restored table.
    DoesNotFit,
    /// The snapshot has no such table.
    NoTable,
    /// Another row with its key came after it.
    Older,
    /// It is too large, or there were too many.
    TooMuch,
    /// Putting rows back did not work in earlier tries, so the snapshot alone was put back.
    GivenUp,
    /// The server refused it for another reason.
    Other,
}

impl LeftReason {
    /// What a server's number of an error means.
    pub(super) fn of(code: u32) -> Self {
        match code {
            1022 | 1062 | 1586 => Self::Taken,
            1216 | 1452 => Self::NoParent,
            1048 | 1364 => Self::NoValue,
            1264 | 1265 | 1292 | 1366 | 1367 | 1406 | 1411 | 1416 | 1526 | 1690 | 1748 | 3140 | 3819 | 4025 => {
                Self::DoesNotFit
            }
            _ => Self::Other,
        }
    }
}

impl TableRows {
    /// How many could not be put back.
    pub fn left(&self) -> u64 {
        self.left.values().sum()
    }

    /// Counts rows that could not be put back.
    pub(super) fn leave(&mut self, reason: LeftReason, count: u64) {
        if count > 0 {
            *self.left.entry(reason).or_default() += count;
        }
    }
}

impl Rows {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.unread.is_empty()
    }

    /// How many rows came into being after the snapshot.
    pub fn found(&self) -> u64 {
        self.tables.iter().map(|table| table.found).sum()
    }

    /// How many are in the restored tables.
    pub fn put_back(&self) -> u64 {
        self.tables.iter().map(|table| table.put_back).sum()
    }

    /// How many are not.
    pub fn left(&self) -> u64 {
        self.tables.iter().map(TableRows::left).sum()
    }

    /// How many rows of the snapshot had another content.
    pub fn changed(&self) -> u64 {
        self.tables.iter().map(|table| table.changed).sum()
    }

    /// What became of visitors' rows, in one sentence; none where there is nothing to tell.
    pub fn told(&self) -> Option<String> {
        let (put_back, left, changed) = (self.put_back(), self.left(), self.changed());
        let count = |count: u64, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        let mut said = Vec::new();
        if put_back > 0 {
            let tables = self.tables.iter().filter(|table| table.put_back > 0).count() as u64;
            let rows = count(put_back, "row", "rows");
            said.push(format!("{rows} that came in meanwhile put back into {}", count(tables, "table", "tables")));
        }
        if changed > 0 {
            said.push(format!("{} changed meanwhile as in the snapshot again", count(changed, "row", "rows")));
        }
        let waiting = self.found().saturating_sub(put_back + left);
        if waiting > 0 {
            said.push(format!("{} that came in meanwhile NOT put back yet", count(waiting, "row", "rows")));
        }
        if left > 0 {
            let tables = self.tables.iter().filter(|table| table.left() > 0);
            let named: Vec<String> = tables.map(|table| format!("{} {}", table.left(), table.table)).collect();
            said.push(format!("{} could NOT be put back ({})", count(left, "row", "rows"), named.join(", ")));
        }
        said.extend(self.unread.iter().map(|what| format!("NOT looked at: {what}")));
        if said.is_empty() {
            return None;
        }
        if let Some(folder) = &self.evidence {
            said.push(format!("the rows are kept in {folder}"));
        }
        Some(clean_line(&said.join("; "), 2000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_rows_is_told() {
        assert_eq!(Rows::default().told(), None);
        let mut table = TableRows { table: "wp_comments".into(), found: 3, put_back: 2, ..TableRows::default() };
        table.leave(LeftReason::Taken, 1);
        table.leave(LeftReason::Other, 0);
        let mut rows = Rows { evidence: Some("/state/evidence/x".into()), tables: vec![table], unread: Vec::new() };
        assert_eq!(
            rows.told().unwrap(),
            "2 rows that came in meanwhile put back into 1 table; 1 row could NOT be put back (1 wp_comments); \
             the rows are kept in /state/evidence/x"
        );
        rows.tables[0].found = 5;
        assert!(rows.told().unwrap().contains("table; 2 rows that came in meanwhile NOT put back yet; 1 row could"));
        rows.tables[0].found = 3;
        rows.unread.push("table:wp_users (crashed)".into());
        rows.tables[0].changed = 4;
        assert!(rows.told().unwrap().contains("4 rows changed meanwhile as in the snapshot again; 1 row"));
        assert!(rows.told().unwrap().contains("NOT looked at: table:wp_users (crashed)"));
        let again: Rows = serde_json::from_str(&serde_json::to_string(&rows).unwrap()).unwrap();
        assert_eq!(again, rows);
    }
}
