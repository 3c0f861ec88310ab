//! What a rehearsal of a restore showed, as it is kept.
//!
//! May use: `model`, `snapshot`. Invariants: every text and list is bounded where it is made; a record of
//! another version is none.

use crate::model::{Digest, RunId, SiteName};
use crate::snapshot::Proof;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rehearsal {
    /// The version of this format: [`Rehearsal::FORMAT`].
    pub rehearsal: u32,
    /// Its id; sorts by time.
    pub id: RunId,
    /// The site.
    pub site: SiteName,
    /// The snapshot that was restored.
    pub snapshot: String,
    /// The digest of its content.
    pub content: Digest,
    /// When it began.
    pub began: Timestamp,
    /// How long it took, cleaning up included, in milliseconds.
    pub took_ms: u64,
    /// Who ran it, and where.
    pub by: String,
    /// The version of the program.
    pub program: String,
    /// What came out.
    pub result: RehearsalResult,
    /// The files.
    pub files: Proof,
    /// The database.
    pub database: Proof,
    /// The site's own command line on the restored copy: proven, not to be had, skipped, or what was wrong.
    pub boot: Proof,
    /// The version that the copy said it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the account may not set, and what is never made in a rehearsal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// What could not be removed afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<String>,
    /// Bytes that were sent.
    pub bytes_sent: u64,
}

/// What came out of a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RehearsalResult {
    /// Files and database came back as they were.
    Proven,
    /// The files did; something else could not be shown.
    Partial,
    /// Something did not come back.
    NotProven,
}

impl RehearsalResult {
    /// What the parts come to. A command line that is skipped takes nothing away.
    pub fn of(files: &Proof, database: &Proof, boot: &Proof) -> Self {
        match (files, database, boot) {
            (Proof::Proven, Proof::Differs { .. }, _) => Self::NotProven,
            (Proof::Proven, Proof::Unproven { .. }, _) | (Proof::Proven, _, Proof::Differs { .. }) => Self::Partial,
            (Proof::Proven, ..) => Self::Proven,
            _ => Self::NotProven,
        }
    }
}

impl Rehearsal {
    /// The version of the format that this program writes and reads.
    pub const FORMAT: u32 = 1;

    /// A record; none when it is of another version.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|read| read.rehearsal == Self::FORMAT)
    }

    /// Out of rehearsals of a site, newest first: the last one that proves most. A whole proof goes
    /// before one of the files alone.
    pub fn last_proven(all: &[Self]) -> Option<&Self> {
        let with = |result: RehearsalResult| all.iter().find(|one| one.result == result);
        with(RehearsalResult::Proven).or_else(|| with(RehearsalResult::Partial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_what_the_parts_come_to() {
        let differs = || Proof::Differs { count: 1, items: vec!["a.php".into()] };
        let unproven = || Proof::unproven("no database");
        for (files, database, boot, result) in [
            (Proof::Proven, Proof::Proven, Proof::Proven, RehearsalResult::Proven),
            (Proof::Proven, Proof::Nothing, Proof::Nothing, RehearsalResult::Proven),
            (Proof::Proven, Proof::Proven, unproven(), RehearsalResult::Proven),
            (Proof::Proven, Proof::Proven, differs(), RehearsalResult::Partial),
            (Proof::Proven, unproven(), Proof::Nothing, RehearsalResult::Partial),
            (Proof::Proven, differs(), Proof::Nothing, RehearsalResult::NotProven),
            (differs(), Proof::Proven, Proof::Nothing, RehearsalResult::NotProven),
            (unproven(), Proof::Proven, Proof::Nothing, RehearsalResult::NotProven),
        ] {
            assert_eq!(RehearsalResult::of(&files, &database, &boot), result, "{files:?} {database:?} {boot:?}");
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_read_back_newest_first_and_other_versions_are_left_out() {
        use crate::journal::{Journal, SqliteJournal};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.db");
        let journal = SqliteJournal::open(&file).await.unwrap();
        let site = SiteName::new("shop").unwrap();
        let one = |second: i64, rehearsal: u32, database: Proof| {
            let began = Timestamp::from_second(second).unwrap();
            Rehearsal {
                rehearsal,
                id: RunId::new(began),
                site: site.clone(),
                snapshot: "20260114T020000.123Z-0123456789ab".into(),
                content: Digest::of(b"x"),
                began,
                took_ms: 192_000,
                by: "somebody".into(),
                program: "1".into(),
                result: RehearsalResult::of(&Proof::Proven, &database, &Proof::Nothing),
                files: Proof::Proven,
                database,
                boot: Proof::Nothing,
                version: None,
                left: Vec::new(),
                stays: Vec::new(),
                bytes_sent: 12,
            }
        };
        let (first, second) = (one(1, 1, Proof::Proven), one(2, 1, Proof::unproven("none")));
        for rehearsal in [&first, &second, &one(3, 2, Proof::Proven)] {
            journal.rehearsed(rehearsal).await.unwrap();
        }
        drop(journal);
        let journal = SqliteJournal::open(&file).await.unwrap();
        let found = journal.rehearsals(&site, 10).await.unwrap();
        assert_eq!(found, [second.clone(), first.clone()]);
        assert_eq!(Rehearsal::last_proven(&found), Some(&first));
        assert_eq!(Rehearsal::last_proven(&found[..1]), Some(&second));
        assert!(journal.rehearsals(&SiteName::new("other").unwrap(), 10).await.unwrap().is_empty());
    }
}
