//! `intendant inventory`.

use crate::cli::arguments::{Common, Sites};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::inventory;
use crate::run::{NoListener, WorkError, close_site, open_site};
use crate::site::Expect;
use serde_json::json;
use std::sync::Arc;

pub(in crate::cli) async fn inventory(common: &Common, options: &Sites) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let mut code = ExitCode::OK;
    let mut all = Vec::new();
    for job in fleet.jobs(options)? {
        let name = job.plan.site.clone();
        let taken = match open_site(&runner, &job, Expect::Whole, None).await {
            Ok(site) => {
                let taken = inventory::take(&site).await.map_err(WorkError::from);
                close_site(&site).await;
                taken
            }
            Err(error) => Err(error),
        };
        match taken {
            Ok(taken) if common.json => all.push(json!({ "site": name, "inventory": taken })),
            Ok(taken) => show::inventory(name.as_str(), (job.plan.extension_cap(), &job.plan.tiers), &taken),
            Err(error) => code = code.max(Failure::from(error).report()),
        }
    }
    if common.json {
        show::json(&json!({ "inventories": 1, "sites": all }));
    }
    Ok(code)
}
