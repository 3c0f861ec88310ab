//! Intake: captures a site as it is, looks at what was captured on this machine, and writes down what it showed.
//!
//! May use: `site`, `snapshot`, `vulnerability`, `intake`, `journal`. Invariants: nothing is installed on the host, and
//! nothing of the site is changed; of the files and tables only what was captured is looked at, so the record can be
//! checked later.

use super::drift::Asked;
use super::keeper::renew_every;
use super::licence::Secrets;
use super::perform::{Bench, failing};
use super::preview::look;
use super::search::Search;
use super::source::{close_site, open_site, snapshot_source};
use super::{Job, Runner, WorkError, in_words};
use crate::intake::{self, Assessment, Finding, MAX_SCANNED_BYTES, Place, Scanned, Scanner, Seen, Severity, Texts};
use crate::model::{RunId, clean_line};
use crate::playbook::Files;
use crate::site::{Expect, Site};
use crate::snapshot::{self, CaptureRequest, Captured, Entry, Item, Manifest, NoProgress, Progress, Store};
use crate::vulnerability::{Known, Match};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most findings of one rule that are kept: so what one rule finds everywhere hides nothing that another one finds.
const MOST_OF_RULE: u64 = 1_000;

/// Assesses a site. `scanner`: the rules.
///
/// # Errors
/// When it could not be tried: the host, the connection, the store. What is wrong with the site is in the record.
pub async fn intake(runner: &Runner, job: &Job, scanner: Scanner) -> Result<Assessment, WorkError> {
    let at = runner.clock.now();
    let id = RunId::new(at);
    let site = open_site(runner, job, Expect::Whole, Some(id)).await?;
    let seen = see(runner, job, site, id).await?;
    let See { captured, preview, failing } = seen;
    let rules = scanner.rules;
    let files = job.playbook.files.on(&preview.inventory.places);
    let (store, manifest) = (runner.store.clone(), captured.manifest.clone());
    let scanning = tokio::task::spawn_blocking(move || scan(&store, &manifest, &files, scanner)).await;
    let (mut found, mut scanned, mut unknown) = scanning.map_err(|error| WorkError::Unexpected {
        what: format!("{}: what was captured could not be looked at: {error}", job.plan.site),
    })??;
    scanned.rules = rules;
    let problems = captured.manifest.header.problems.iter();
    unknown.extend(problems.take(50).map(|one| format!("{} could not be read: {}", one.path, one.what)));
    let inventory = preview.inventory;
    let (vulnerable, why) = vulnerabilities(preview.vulnerabilities.as_ref());
    found.extend(vulnerable);
    unknown.extend(why);
    let judged = intake::judge(Seen {
        plan: &job.plan,
        versions: &job.playbook.versions,
        inventory: &inventory,
        failing,
        found,
    });
    let assessment = Assessment {
        intake: Assessment::FORMAT,
        id,
        site: job.plan.site.clone(),
        url: job.plan.url.as_str().to_owned(),
        at,
        by: clean_line(&runner.by, 200),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        snapshot: captured.name.to_string(),
        extensions: (inventory.counted(), job.plan.extension_cap()),
        inventory,
        scanned,
        findings: judged.findings,
        count: judged.count,
        behind: judged.behind,
        estimate_min: judged.estimate_min,
        unknown,
        verdict: judged.verdict,
    };
    runner.journal.assessed(&assessment).await?;
    Ok(assessment)
}

/// What is known of the vulnerabilities of what is there; and why not, where nothing is.
fn vulnerabilities(told: Option<&Known>) -> (Vec<Finding>, Option<String>) {
    let missing =
        told.iter().flat_map(|told| &told.feeds).find_map(|feed| feed.missing.as_ref().or(feed.stale.as_ref()));
    let missing = missing.map_or("no feed of them is set up", String::as_str);
    let why =
        (!told.is_some_and(Known::is_whole)).then(|| clean_line(&format!("known vulnerabilities: {missing}"), 300));
    let matches = told.iter().flat_map(|told| &told.matches).filter(|one| one.applies());
    let finding = |one: &Match| {
        let name = clean_line(one.record.name(), 80);
        let why = Texts::new(
            &format!("the installed version has a known vulnerability ({name})"),
            &format!("la version installée a une vulnérabilité connue ({name})"),
        );
        let todo = Texts::new(
            "Update it, or take it out if nothing fixes it.",
            "La mettre à jour, ou la retirer si rien ne la corrige.",
        );
        let place = one.record.component.to_string();
        Finding { excerpt: Some(name), ..Finding::new("known-vulnerability", Severity::High, &place, why, todo) }
    };
    (matches.map(finding).collect(), why)
}

/// What was seen on the host.
struct See {
    captured: Captured,
    preview: super::Preview,
    failing: Option<String>,
}

/// Looks at the site, checks it, captures it, and leaves it.
async fn see(runner: &Runner, job: &Job, site: Site, id: RunId) -> Result<See, WorkError> {
    let source = match snapshot_source(job, &site).await {
        Ok(source) => source,
        Err(error) => {
            close_site(&site).await;
            return Err(error);
        }
    };
    let bench = Bench::new(site, id, runner.clone(), source, (renew_every(&job.plan), Secrets::of(runner, job).await))?;
    let seen = async {
        let asked = Asked { source: Some(&bench.source), ..Asked::default() };
        let preview = look(runner, job, &bench.site, &Search::default(), asked).await?;
        let failing = failing(&bench, &preview.procedure).await?;
        let progress: Arc<dyn Progress> = Arc::new(NoProgress);
        let request = CaptureRequest { now: runner.clock.now(), tolerate_unreadable: true };
        let captured = snapshot::capture(&bench.source, &runner.store, &request, &progress).await?;
        Ok(See { captured, preview, failing })
    };
    let seen = seen.await;
    close_site(&bench.site).await;
    seen
}

type Looked = (Vec<Finding>, Scanned, Vec<String>);

/// What rules found, bounded for each of them.
#[derive(Default)]
struct Kept {
    findings: Vec<Finding>,
    of_rule: BTreeMap<String, u64>,
}

impl Kept {
    fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            let count = self.of_rule.entry(finding.rule.clone()).or_default();
            *count += 1;
            if *count <= MOST_OF_RULE {
                self.findings.push(finding);
            }
        }
    }

    /// What was found, and how many more there are.
    fn end(self) -> (Vec<Finding>, Option<String>) {
        let more: u64 = self.of_rule.values().map(|count| count.saturating_sub(MOST_OF_RULE)).sum();
        (self.findings, (more > 0).then(|| format!("{more} more findings of the same rules are not listed")))
    }
}

/// Looks at everything that was captured.
fn scan(store: &Arc<Store>, manifest: &Manifest, files: &Files, mut scanner: Scanner) -> Result<Looked, WorkError> {
    let (mut found, mut scanned, mut unknown) = (Kept::default(), Scanned::default(), Vec::new());
    for (path, entry) in manifest.paths().filter(|(_, entry)| entry.content().is_none()) {
        found.extend(intake::structure(files, path, entry, None));
    }
    let mut missed = 0_u64;
    let take = |item: &Item, entry: &Entry, bytes: &[u8]| {
        scanned.bytes += bytes.len() as u64;
        scanned.cut += u64::from(entry.size() > bytes.len() as u64);
        let name = match item {
            Item::Path(path) => {
                scanned.files += 1;
                found.extend(intake::structure(files, path, entry, Some(bytes)));
                String::from_utf8_lossy(path.as_bytes()).into_owned()
            }
            Item::Object(object) => {
                scanned.objects += 1;
                object.to_string()
            }
        };
        let content = files.is_among_content(&name);
        let database = matches!(item, Item::Object(_));
        let (findings, why) = scanner.scan(Place { name: &name, content, database }, bytes);
        found.extend(findings);
        missed += u64::from(why.is_some());
        unknown.extend(why.filter(|_| unknown.len() < 50));
    };
    snapshot::read_each(store, manifest, |_, _| Some(MAX_SCANNED_BYTES), take).map_err(|error| {
        WorkError::Unexpected { what: format!("the snapshot of the intake can't be read: {}", in_words(&error)) }
    })?;
    missed += manifest.header.problems.len() as u64;
    found.extend(intake::missed(missed));
    let (findings, more) = found.end();
    unknown.extend(more);
    Ok((findings, scanned, unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_rule_finds_everywhere_hides_no_other() {
        let finding = |rule: &str, number: u64| {
            Finding::new(rule, Severity::Low, &format!("file-{number}"), Texts::new("a", "b"), Texts::new("c", "d"))
        };
        let mut kept = Kept::default();
        kept.extend((0..MOST_OF_RULE + 5).map(|number| finding("writable-by-all", number)));
        kept.extend([finding("backdoor", 1)]);
        let (findings, more) = kept.end();
        assert!(findings.iter().any(|one| one.rule == "backdoor"));
        assert_eq!(findings.len() as u64, MOST_OF_RULE + 1);
        assert!(more.is_some_and(|more| more.starts_with("5 more")));
    }
}
