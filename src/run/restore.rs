//! A restore that a person asked for: the same loop, the same journal, the same undo.

use super::drive::begin;
use super::{Ended, Job, RunError, Runner, WorkError};
use crate::check::Patience;
use crate::journal::Purpose;
use crate::procedure::{Action, FORMAT, Procedure, Step};
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
    let purpose = Purpose::Restore {
        snapshot: asked.snapshot.to_string(),
        only: asked.only.clone(),
    };
    begin(runner, job, purpose).await
}

/// Reads what a restore is limited to.
pub(super) fn only(texts: &[String]) -> Result<Vec<Only>, WorkError> {
    texts
        .iter()
        .map(|text| match text.strip_prefix("table:") {
            Some(table) => ObjectName::new(ObjectKind::Table, table)
                .map(Only::Object)
                .map_err(|error| error.to_string()),
            None => ItemPath::new(text.as_bytes())
                .map(Only::Path)
                .map_err(|error| error.to_string()),
        })
        .collect::<Result<_, _>>()
        .map_err(|why| WorkError::Unexpected {
            what: format!("a restore can't be limited so: {why}"),
        })
}

/// Lock and unlock; what lies between is the undo.
pub(super) fn procedure(job: &Job) -> Procedure {
    let maintenance = job.playbook.operations.maintenance.as_ref();
    let checks = crate::procedure::checks(&job.plan, &job.playbook, None);
    let step = |name: &str, action| Step {
        name: name.to_owned(),
        action,
    };
    Procedure {
        format: FORMAT,
        site: job.plan.site.clone(),
        cms: job.playbook.cms.as_str().to_owned(),
        playbook: super::playbook_digest(&job.playbook, &job.scripts),
        updates: Vec::new(),
        holds: Vec::new(),
        checks,
        maintenance_files: maintenance
            .map(|switch| {
                switch
                    .files
                    .iter()
                    .map(|file| file.as_str().to_owned())
                    .collect()
            })
            .unwrap_or_default(),
        maintenance_off: maintenance.map(|switch| switch.off.clone()),
        steps: vec![
            step("01 lock", Action::Lock),
            step("02 unlock", Action::Unlock),
        ],
    }
}

/// How long to wait for caches, and to try again.
pub(super) fn patience(job: &Job) -> Patience {
    crate::procedure::patience(&job.plan, &job.playbook)
}
