//! `intendant snapshot rehearse`.

use super::snapshot::choose;
use crate::cli::arguments::Common;
use crate::cli::progress::Show;
use crate::cli::{ExitCode, Failure, show};
use crate::journal::RehearsalResult;
use crate::run::{self, Job, Runner};

pub(super) async fn rehearse(
    common: &Common,
    runner: &Runner,
    shown: &Show,
    job: &Job,
    name: Option<&str>,
) -> Result<ExitCode, Failure> {
    let site = &job.plan.site;
    let name = choose(runner, site, name)?;
    show::remark(format!("{site}: restoring {name} beside the site, which is not touched"));
    let rehearsed = run::rehearse(runner, job, &name).await;
    shown.done(site);
    let rehearsal = rehearsed?;
    match common.json {
        true => show::json(&rehearsal),
        false => show::rehearsal(&rehearsal),
    }
    let good = rehearsal.result == RehearsalResult::Proven && rehearsal.stays.is_empty();
    Ok(if good { ExitCode::OK } else { ExitCode::SHORT })
}
