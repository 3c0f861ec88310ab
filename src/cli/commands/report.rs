//! `intendant report`, and the reports that every run leaves.

use crate::cli::arguments::{Common, Report};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::model::RunId;
use crate::run::Runner;
use std::path::PathBuf;

pub(in crate::cli) async fn report(
    _common: &Common,
    _options: &Report,
) -> Result<ExitCode, Failure> {
    show::remark("not yet");
    Ok(ExitCode::OTHER)
}

pub(in crate::cli) async fn write(
    _fleet: &Fleet,
    _runner: &Runner,
    _run: RunId,
) -> Result<Vec<PathBuf>, Failure> {
    Ok(Vec::new())
}
