//! `intendant report`, and the reports that every run leaves.

use crate::cli::arguments::{Common, Report as Options};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::model::{RunId, SiteName};
use crate::report::{Language, Provider, Report};
use crate::run::{NoListener, Runner};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(in crate::cli) async fn report(common: &Common, options: &Options) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let run = find(&runner, &options.of).await?;
    let report = read(&runner, run).await?;
    let language = options.language.as_deref().map(Language::of);
    let text = match common.json || options.format == "json" {
        true => report.to_json(),
        false => report.to_html(language, &provider(&fleet)),
    };
    let text = text.map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    match &options.to {
        None => show::line(text.trim_end()),
        Some(file) => {
            write_file(file, &text)?;
            show::line(file.display());
        }
    }
    Ok(ExitCode::OK)
}

/// A run by its id, or the last one of a site.
async fn find(runner: &Runner, of: &str) -> Result<RunId, Failure> {
    if let Ok(run) = of.parse() {
        return Ok(run);
    }
    let absent = || Failure::absent(format!("{of:?} is neither the id of a run nor a site that was run"));
    let site = SiteName::new(of).map_err(|_| absent())?;
    let runs = runner.journal.runs(Some(&site), false, 1).await?;
    runs.first().map(|run| run.run).ok_or_else(absent)
}

async fn read(runner: &Runner, run: RunId) -> Result<Report, Failure> {
    let entries = runner.journal.entries(run).await?;
    if entries.is_empty() {
        return Err(Failure::absent(format!("the journal has no run {run}")));
    }
    let report = Report::of(run, &entries).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    let rehearsals = runner.journal.rehearsals(&report.site, super::MOST_REHEARSALS).await?;
    Ok(report.with_rehearsals(&rehearsals))
}

fn provider(fleet: &Fleet) -> Provider {
    let provider = &fleet.settings.provider;
    Provider { name: provider.name.clone(), contact: provider.contact.clone() }
}

/// Writes the page in the client's language and the JSON of a run into the folder of reports.
pub(in crate::cli) async fn write(fleet: &Fleet, runner: &Runner, run: RunId) -> Result<Vec<PathBuf>, Failure> {
    let report = read(runner, run).await?;
    let failed = |error: crate::report::ReportError| Failure::new(ExitCode::OTHER, &error);
    let base = fleet.settings.reports.join(format!("{}-{run}", report.site));
    let page = base.with_extension("html");
    let json = base.with_extension("json");
    write_file(&page, &report.to_html(None, &provider(fleet)).map_err(failed)?)?;
    write_file(&json, &report.to_json().map_err(failed)?)?;
    Ok(vec![page, json])
}

fn write_file(file: &Path, text: &str) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = folder.map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(file, text));
    written.map_err(|error| Failure::other(format!("{} can't be written: {error}", file.display())))
}
