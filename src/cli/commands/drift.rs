//! `intendant drift`.

use crate::cli::arguments::{Common, Drift};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::drift;
use crate::run::{self, NoListener};
use serde_json::json;
use std::sync::Arc;

pub(in crate::cli) async fn drift(common: &Common, options: &Drift) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let mut code = ExitCode::OK;
    let mut all = Vec::new();
    for job in fleet.jobs(&options.sites)? {
        let site = &job.plan.site;
        let found = match options.accept {
            true => run::accept_drift(&runner, &job, options.why.as_deref()).await,
            false => run::drift(&runner, &job).await,
        };
        match found {
            Ok(found) => {
                let parts = &job.plan.drift.breaking;
                // Just what would keep a run from beginning.
                let lost = |found: &drift::Found| found.reference.is_none() && !parts.is_empty();
                if found.as_ref().is_some_and(|found| lost(found) || found.breaking(parts).next().is_some()) {
                    code = code.max(ExitCode::SHORT);
                }
                match common.json {
                    true => all.push(json!({ "site": site, "drift": found })),
                    false => show::drift(site.as_str(), found.as_ref()),
                }
            }
            Err(error) => code = code.max(Failure::from(error).report()),
        }
    }
    if common.json {
        show::json(&json!({ "drift": 1, "sites": all }));
    }
    Ok(code)
}
