//! `intendant snapshot rehearse`.

use super::snapshot::choose;
use crate::cli::arguments::Common;
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::journal::RehearsalResult;
use crate::run::{self, Runner};

pub(super) async fn rehearse(
    common: &Common,
    fleet: &Fleet,
    runner: &Runner,
    site: &str,
    name: Option<&str>,
) -> Result<ExitCode, Failure> {
    let job = fleet.job(site)?;
    let name = choose(runner, &job.plan.site, name)?;
    show::remark(format!("{}: restoring {name} beside the site, which is not touched", job.plan.site));
    let rehearsal = run::rehearse(runner, &job, &name).await?;
    match common.json {
        true => show::json(&rehearsal),
        false => show::rehearsal(&rehearsal),
    }
    let good = rehearsal.result == RehearsalResult::Proven && rehearsal.stays.is_empty();
    Ok(if good { ExitCode::OK } else { ExitCode::SHORT })
}
