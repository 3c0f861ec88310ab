//! `intendant validate`.

use crate::cli::arguments::{Common, Validate};
use crate::cli::fleet::{Fleet, plan_files};
use crate::cli::{ExitCode, Failure, show};
use crate::{plan, playbook};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What became of one file.
struct Checked {
    file: PathBuf,
    what: String,
    error: Option<String>,
    warnings: Vec<String>,
}

pub(in crate::cli) fn validate(common: &Common, options: &Validate) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let files = match options.files.is_empty() {
        true => vec![fleet.settings.plans.clone()],
        false => options.files.clone(),
    };
    let mut all = Vec::new();
    for file in files {
        if file.is_dir() {
            for file in plan_files(&file)? {
                all.push(check(&file, &fleet));
            }
        } else {
            all.push(check(&file, &fleet));
        }
    }
    let bad = all.iter().any(|checked| checked.error.is_some());
    if common.json {
        let files = all
            .iter()
            .map(|one| json!({ "file": one.file, "what": one.what, "error": one.error, "warnings": one.warnings }));
        show::json(&json!({ "validate": 1, "files": files.collect::<Vec<_>>() }));
    } else {
        for one in &all {
            match &one.error {
                None => show::line(format!("{}: {}", one.file.display(), one.what)),
                Some(error) => show::remark(format!("{}\n", error.trim_end())),
            }
            one.warnings.iter().for_each(|why| show::remark(format!("{}: warning: {why}", one.file.display())));
        }
    }
    if all.is_empty() {
        return Err(Failure::absent("there is no plan to check; `intendant init` writes one"));
    }
    Ok(if bad { ExitCode::INVALID } else { ExitCode::OK })
}

fn check(file: &Path, fleet: &Fleet) -> Checked {
    let checked =
        |what: String, error: Option<String>| Checked { file: file.to_owned(), what, error, warnings: Vec::new() };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return checked(String::new(), Some(format!("{}: {error}", file.display()))),
    };
    if text.lines().any(|line| line.starts_with("playbook:")) {
        return match playbook::parse_beside(file, &text) {
            Ok(book) => {
                let warnings = playbook::oddities(file.parent().unwrap_or(Path::new("")), &book);
                Checked { warnings, ..checked(format!("a playbook for {}", book.title), None) }
            }
            Err(error) => checked(String::new(), Some(error.to_string())),
        };
    }
    match plan::parse(file, &text, fleet.terms(&fleet.library.names())) {
        Ok(plan) => checked(format!("{}, tier {}", plan.site, plan.tier), None),
        Err(error) => checked(String::new(), Some(error.to_string())),
    }
}
