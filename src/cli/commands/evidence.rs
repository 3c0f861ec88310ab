//! `intendant evidence` and `intendant verify-evidence`.

use super::report::{find, read};
use crate::cli::arguments::{Common, Evidence, VerifyEvidence};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::evidence::{self, Bundle, EvidenceError};
use crate::journal::Journal;
use crate::model::RunId;
use serde_json::json;

/// The most runs of a site that stand in one chain.
const MAX_RUNS: u32 = 100_000;

pub(in crate::cli) async fn evidence(common: &Common, options: &Evidence) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    // Nothing of the snapshot store is needed: who proves a run need not be able to read, or reach, its snapshots.
    let journal = fleet.journal().await?;
    let run = find(&journal, &options.of).await?;
    let report = read(&journal, run).await?;
    let text = report.to_json().map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    let past = past(&journal, &report.site, run).await?;
    let links = evidence::chain(past.iter().map(|(run, bytes)| (*run, bytes.as_slice())));
    let own = past.last().map_or(&[][..], |(_, bytes)| bytes.as_slice());
    let bundle = Bundle::of(run, &journal.entries(run).await?, own, &text, &links)?;
    let signature = evidence::sign(&options.key, bundle.sums())?;
    let unwritable = |source| EvidenceError::File { file: options.to.clone(), source };
    let archive = bundle.archive(&signature).map_err(unwritable)?;
    std::fs::write(&options.to, archive).map_err(unwritable)?;
    match common.json {
        true => show::json(&json!({ "evidence": 1, "run": run, "runs": links.len(), "file": options.to })),
        false => show::line(format!("{}: run {run}, tied to {} before it", options.to.display(), links.len() - 1)),
    }
    Ok(ExitCode::OK)
}

/// The journals of a site's runs up to this one, oldest first. A run's id begins with its time.
async fn past(
    journal: &dyn Journal,
    site: &crate::model::SiteName,
    run: RunId,
) -> Result<Vec<(RunId, Vec<u8>)>, Failure> {
    let mut runs: Vec<RunId> =
        journal.runs(Some(site), false, MAX_RUNS).await?.into_iter().map(|one| one.run).collect();
    runs.retain(|one| *one <= run);
    runs.sort();
    let mut past = Vec::with_capacity(runs.len());
    for run in runs {
        past.push((run, journal.recorded(run).await?));
    }
    Ok(past)
}

pub(in crate::cli) fn verify(common: &Common, options: &VerifyEvidence) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::OK;
    let mut rows = Vec::new();
    let mut opened = Vec::new();
    for file in &options.files {
        let seen = evidence::open(file)
            .and_then(|seen| Ok((evidence::verify(&options.signers, &seen.sums, &seen.signature)?, seen)));
        match seen {
            Ok((verified, seen)) => {
                let content = &seen.content;
                rows.push(json!({
                    "file": file, "good": true, "site": content.site, "run": content.run, "outcome": content.outcome,
                    "closed": content.closed, "runs": seen.chain.len(), "signer": verified.signer,
                }));
                if !common.json {
                    show::line(format!(
                        "good  {}: {} run {}, {} at {}, tied to {} before it; signed by {}",
                        seen.file,
                        content.site,
                        content.run,
                        content.outcome,
                        content.closed,
                        seen.chain.len() - 1,
                        verified.signer
                    ));
                }
                opened.push(seen);
            }
            Err(error) => {
                code = ExitCode::SHORT;
                let why = crate::model::in_words(&error);
                rows.push(json!({ "file": file, "good": false, "why": why }));
                if !common.json {
                    show::line(format!("BAD   {why}"));
                }
            }
        }
    }
    let pasts = evidence::compare(&opened).err().map(|error| error.to_string());
    if let Some(why) = &pasts {
        code = ExitCode::SHORT;
        if !common.json {
            show::line(format!("BAD   {why}"));
        }
    }
    if common.json {
        show::json(&json!({ "verify-evidence": 1, "files": rows, "pasts": pasts }));
    }
    Ok(code)
}
