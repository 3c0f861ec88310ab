//! What an audit came to, as it is kept: the line of a score over time.
//!
//! May use: nothing of this crate. Invariant: a record of another version is none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One audit of the whole fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Audited {
    /// The version of this format: [`Audited::FORMAT`].
    pub audited: u32,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The score, 0 to 100.
    pub score: u32,
    /// How many sites there were.
    pub sites: u64,
    /// Findings by severity, without those that somebody answers for.
    pub critical: u64,
    /// The same.
    pub high: u64,
    /// The same.
    pub medium: u64,
    /// The same.
    pub low: u64,
    /// Findings that somebody answers for.
    pub waived: u64,
}

impl Audited {
    /// The version of the format that this program writes and reads.
    pub const FORMAT: u32 = 1;

    /// A record; none when it is of another version.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|read| read.audited == Self::FORMAT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Journal, SqliteJournal};

    #[tokio::test]
    async fn scores_are_read_back_newest_first_and_other_versions_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(&folder.path().join("journal.db")).await.unwrap();
        let one = |audited: u32, score: u32| Audited {
            audited,
            at: Timestamp::from_second(i64::from(score)).unwrap(),
            score,
            sites: 3,
            critical: 0,
            high: 1,
            medium: 2,
            low: 3,
            waived: 4,
        };
        for audited in [one(1, 90), one(2, 50), one(1, 80)] {
            journal.audited(&audited).await.unwrap();
        }
        assert_eq!(journal.audits(10).await.unwrap(), [one(1, 80), one(1, 90)]);
        assert_eq!(journal.audits(1).await.unwrap(), [one(1, 80)]);
    }
}
