//! A restore that a person asked for: the same loop, the same journal, the same undo.

use super::drive::begin;
use super::{Ended, Job, RunError, Runner, WorkError};
use crate::journal::Purpose;
use crate::snapshot::{ItemPath, ObjectKind, ObjectName, Only, SnapshotName};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct RestoreAsked {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// Paths below the root, or `table:name`; empty: everything.
    pub only: Vec<String>,
}

/// Puts a snapshot back and checks the site.
pub async fn restore(runner: &Runner, job: &Job, asked: &RestoreAsked) -> Result<Ended, RunError> {
    only(&asked.only)?;
    let purpose = Purpose::Restore { snapshot: asked.snapshot.to_string(), only: asked.only.clone() };
    begin(runner, job, purpose).await
}

/// Reads what a restore is limited to.
pub(super) fn only(texts: &[String]) -> Result<Vec<Only>, WorkError> {
    texts
        .iter()
        .map(|text| match text.strip_prefix("table:") {
            Some(table) => {
                ObjectName::new(ObjectKind::Table, table).map(Only::Object).map_err(|error| error.to_string())
            }
            None => ItemPath::new(text.as_bytes()).map(Only::Path).map_err(|error| error.to_string()),
        })
        .collect::<Result<_, _>>()
        .map_err(|why| WorkError::Unexpected { what: format!("a restore can't be limited so: {why}") })
}
