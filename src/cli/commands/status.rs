//! `intendant status`: the fleet at a glance.

use super::audit::chosen;
use crate::audit;
use crate::cli::arguments::{Common, Status as Options};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, facts, glance, show};
use jiff::Timestamp;

pub(in crate::cli) async fn status(common: &Common, options: &Options) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let facts = facts::gather(&fleet, Timestamp::now()).await?;
    let chosen = chosen(&facts, &options.site, &options.tag)?;
    let audit = audit::audit(&facts);
    let status = audit::status(&facts, &audit, |site| chosen.as_ref().is_none_or(|chosen| chosen.contains(site)));
    match common.json {
        true => show::json(&status),
        false => show::line(glance::lines(&status, glance::width()).join("\n")),
    }
    Ok(ExitCode::OK)
}
