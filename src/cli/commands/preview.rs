//! `intendant preview`.

use crate::cli::arguments::{Common, Sites};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::run::{self, NoListener};
use serde_json::json;
use std::sync::Arc;

pub(in crate::cli) async fn preview(common: &Common, options: &Sites) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let mut code = ExitCode::OK;
    let mut all = Vec::new();
    for job in fleet.jobs(options)? {
        let site = &job.plan.site;
        match run::preview(&runner, &job).await {
            Ok(preview) => {
                if !preview.refusals.is_empty() {
                    code = code.max(ExitCode::SHORT);
                }
                if common.json {
                    all.push(json!({
                        "site": site, "digest": preview.digest, "procedure": preview.procedure,
                        "drift": preview.drift,
                        "refusals": preview.refusals, "protected": preview.protected,
                    }));
                } else {
                    let cap = (job.plan.extension_cap(), &job.plan.tiers);
                    show::preview(site.as_str(), cap, &preview, &preview.protected);
                }
            }
            Err(error) => code = code.max(Failure::from(error).report()),
        }
    }
    if common.json {
        show::json(&json!({ "preview": 1, "sites": all }));
    }
    Ok(code)
}
