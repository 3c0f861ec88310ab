//! `intendant audit`: whether every site has a plan, and whether each plan is kept.

use super::report::{pdf_needs_file, provider, write_file, write_pdf};
use crate::audit::{self, Facts, Finding, RULES};
use crate::cli::arguments::{Audit as Options, Common};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, facts, show};
use crate::intake::Severity;
use crate::journal::{Audited, Journal as _};
use crate::model::{SiteName, in_words, nearest};
use crate::report::{AuditReport, Language};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How many scores of before are looked at.
const MOST_AUDITS: u32 = 10_000;

pub(in crate::cli) async fn audit(common: &Common, options: &Options) -> Result<ExitCode, Failure> {
    check_rules(&options.rule)?;
    let fleet = Fleet::open(common)?;
    let facts = facts::gather(&fleet, Timestamp::now()).await?;
    let chosen = chosen(&facts, &options.site, &options.tag)?;
    let whole = audit::audit(&facts);
    let journal = fleet.journal().await?;
    let before = journal.audits(MOST_AUDITS).await?;
    // The line of scores is about what all rules say of the whole fleet, whatever is asked for.
    // Reporting fails open.
    if let Err(error) = journal.audited(&record(&whole)).await {
        show::remark(format!("the score is not kept: {}", in_words(&error)));
    }
    let wanted = whole.only(&facts.unreadable, |finding| is_wanted(finding, options, chosen.as_ref()));
    let language = Language::of(options.language.as_deref().unwrap_or("en"));
    let report = AuditReport::of(&wanted, &options.rule, &before, &language);
    let failed = |error: crate::report::ReportError| Failure::new(ExitCode::OTHER, &error);
    let form = options.format.as_str();
    if form == "pdf" && options.to.is_none() && !common.json {
        return Err(pdf_needs_file("audit.pdf"));
    }
    let text = match (common.json, form) {
        (true, _) | (_, "json") => report.to_json().map_err(failed)?,
        (_, "csv") => report.to_csv(),
        (_, "html" | "pdf") => report.to_html(&provider(&fleet)?).map_err(failed)?,
        (_, "sarif") => report.to_sarif().map_err(failed)?,
        (_, "junit") => report.to_junit().map_err(failed)?,
        _ => show::audit(&report),
    };
    match &options.to {
        None => show::document(&text),
        Some(file) if form == "pdf" && !common.json => write_pdf(&fleet, file, &text, report.at).await?,
        Some(file) => {
            write_file(file, text)?;
            show::line(file.display());
        }
    }
    let least = Severity::read(&options.fail_on);
    Ok(if least.is_some_and(|least| wanted.fails(least)) { ExitCode::SHORT } else { ExitCode::OK })
}

fn check_rules(names: &[String]) -> Result<(), Failure> {
    let known = || RULES.iter().map(|rule| rule.id);
    let Some(wrong) = names.iter().find(|name| !known().any(|id| id == name.as_str())) else { return Ok(()) };
    let near = nearest(wrong, known()).map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(Failure { code: ExitCode::USAGE, text: format!("there is no rule {wrong:?}{near}") })
}

/// The sites that are asked about; none means all.
pub(super) fn chosen(facts: &Facts, names: &[String], tags: &[String]) -> Result<Option<BTreeSet<SiteName>>, Failure> {
    if names.is_empty() && tags.is_empty() {
        return Ok(None);
    }
    let all = facts.names();
    let mut chosen = BTreeSet::new();
    for name in names {
        let site = all.iter().find(|site| site.as_str() == name);
        let absent = || Failure::absent(format!("neither a plan nor the journal knows a site {name:?}"));
        chosen.insert((*site.ok_or_else(absent)?).clone());
    }
    let tagged =
        facts.plans.values().filter(|plan| plan.tags.iter().any(|tag| tags.iter().any(|one| one == tag.as_str())));
    chosen.extend(tagged.map(|plan| plan.site.clone()));
    match chosen.is_empty() {
        true => Err(Failure::absent(format!("no plan has the tag {}", tags.join(" or ")))),
        false => Ok(Some(chosen)),
    }
}

fn is_wanted(finding: &Finding, options: &Options, chosen: Option<&BTreeSet<SiteName>>) -> bool {
    let rule = options.rule.is_empty() || options.rule.iter().any(|id| id == finding.rule);
    let site = chosen.is_none_or(|chosen| finding.site.as_ref().is_some_and(|site| chosen.contains(site)));
    rule && site
}

fn record(audit: &audit::Audit) -> Audited {
    let counts = audit.counts();
    Audited {
        audited: Audited::FORMAT,
        at: audit.at,
        score: audit.score,
        sites: audit.sites,
        critical: counts.critical,
        high: counts.high,
        medium: counts.medium,
        low: counts.low,
        waived: counts.waived,
    }
}
