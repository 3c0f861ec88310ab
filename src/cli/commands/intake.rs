//! `intendant intake`.

use super::report::{provider, write_file};
use crate::cli::arguments::{Common, Intake};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::intake::{Scanner, Verdict};
use crate::report::{Language, intake_page};
use crate::run::{self, NoListener};
use std::path::Path;
use std::sync::Arc;

/// The most files of rules.
const MOST_FILES: usize = 10_000;

pub(in crate::cli) async fn intake(common: &Common, options: &Intake) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let scanner = Scanner::new(&rules(options)?).map_err(|error| Failure::new(ExitCode::INVALID, &error))?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let job = fleet.job(&options.site)?;
    let assessment = run::intake(&runner, &job, scanner).await?;
    if let Some(file) = &options.html {
        let language = options.language.as_deref().unwrap_or_else(|| job.plan.client.language.as_str());
        let zone = job.plan.windows.first().map_or("UTC", |window| window.zone.as_str());
        let page = intake_page(&assessment, (&Language::of(language), zone), &job.plan.client.name, &provider(&fleet)?);
        write_file(file, page.map_err(|error| Failure::new(ExitCode::OTHER, &error))?)?;
    }
    match common.json {
        true => show::json(&assessment),
        false => show::assessment(&assessment),
    }
    Ok(if assessment.verdict == Verdict::Accept { ExitCode::OK } else { ExitCode::SHORT })
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
