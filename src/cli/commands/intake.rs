//! `intendant intake`.

use super::report::{provider, write_file};
use crate::cli::arguments::{Common, Intake};
use crate::cli::browser::printer;
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::intake::{Assessment, Scanner, Verdict};
use crate::report::{Language, intake_page};
use crate::run::{self, Job, NoListener};
use std::path::Path;
use std::sync::Arc;

/// The most files of rules.
const MOST_FILES: usize = 10_000;

pub(in crate::cli) async fn intake(common: &Common, options: &Intake) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    if options.pdf.is_some() {
        // Where there is no browser, that is said before the site is looked at.
        printer(&fleet.settings)?;
    }
    let scanner = Scanner::new(&rules(options)?).map_err(|error| Failure::new(ExitCode::INVALID, &error))?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let job = fleet.job(&options.site)?;
    let assessment = run::intake(&runner, &job, scanner).await?;
    let written = match options.html.is_some() || options.pdf.is_some() {
        true => page(&fleet, &job, &assessment, options).await,
        false => Ok(()),
    };
    match common.json {
        true => show::json(&assessment),
        false => show::assessment(&assessment),
    }
    written?;
    Ok(if assessment.verdict == Verdict::Accept { ExitCode::OK } else { ExitCode::SHORT })
}

/// Writes the client's page, and the same on paper.
async fn page(fleet: &Fleet, job: &Job, assessment: &Assessment, options: &Intake) -> Result<(), Failure> {
    let language = options.language.as_deref().unwrap_or_else(|| job.plan.client.language.as_str());
    let zone = job.plan.windows.first().map_or("UTC", |window| window.zone.as_str());
    let page = intake_page(assessment, (&Language::of(language), zone), &job.plan.client.name, &provider(fleet)?);
    let page = page.map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    if let Some(file) = &options.html {
        write_file(file, &page)?;
    }
    if let Some(file) = &options.pdf {
        write_file(file, printer(&fleet.settings)?.print(&page, assessment.at).await?)?;
    }
    Ok(())
}

/// The rules of these folders, by name.
fn rules(options: &Intake) -> Result<Vec<(String, String)>, Failure> {
    let mut all = Vec::new();
    for folder in &options.rules {
        let failed = |path: &Path, error: std::io::Error| {
            Failure::new(ExitCode::USAGE, &std::io::Error::other(format!("{} can't be read: {error}", path.display())))
        };
        let entries = std::fs::read_dir(folder).map_err(|error| failed(folder, error))?;
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|end| end == "yar" || end == "yara"))
            .take(MOST_FILES)
            .collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).map_err(|error| failed(&file, error))?;
            all.push((file.display().to_string(), text));
        }
    }
    Ok(all)
}
