//! `intendant report`, and the reports that every run leaves.

use crate::cli::arguments::{Common, Report as Options};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::journal::{Journal, RunSummary};
use crate::mail::Mailbox;
use crate::model::{Outcome, RunId, SiteName};
use crate::plan::Role;
use crate::report::{Language, MailForms, MonthReport, Provider, Report, ReportError, Scope};
use crate::run::Runner;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// How many runs of a site are looked through for the one before.
const MOST_RUNS: u32 = 100_000;

pub(in crate::cli) async fn report(common: &Common, options: &Options) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let journal = fleet.journal().await?;
    let told = match (options.month, &options.of) {
        (Some(month), _) => Told::Month(Box::new(super::month::month(&fleet, &journal, month, options).await?)),
        (None, of) => {
            let run = find(&journal, of.as_deref().unwrap_or_default()).await?;
            Told::Run(Box::new(read(&journal, run).await?))
        }
    };
    let language = options.language.as_deref().map(Language::of);
    let form = if common.json { "json" } else { options.format.as_str() };
    let provider = provider(&fleet)?;
    let mut code = ExitCode::OK;
    if options.send {
        let to = recipients(&fleet, &told, &options.send_to)?;
        code = super::mail::send(&fleet, common.json, &told, (language.clone(), &provider), &to)?;
        if options.to.is_none() {
            return Ok(code);
        }
    }
    let text = told.form(form, language, &provider).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    match &options.to {
        None => show::line(text.trim_end()),
        Some(file) => {
            write_file(file, &text)?;
            show::line(file.display());
        }
    }
    Ok(code)
}

/// What a report is about.
pub(super) enum Told {
    Run(Box<Report>),
    Month(Box<MonthReport>),
}

impl Told {
    fn form(&self, form: &str, language: Option<Language>, provider: &Provider) -> Result<String, ReportError> {
        match (self, form) {
            (Self::Run(report), "json") => report.to_json(),
            (Self::Run(report), "markdown") => report.to_markdown(language, provider),
            (Self::Run(report), _) => report.to_html(language, provider),
            (Self::Month(report), "json") => report.to_json(),
            (Self::Month(report), "markdown") => report.to_markdown(language, provider),
            (Self::Month(report), _) => report.to_html(language, provider),
        }
    }
}

impl Told {
    /// As an e-mail, in a language.
    pub(super) fn mail(&self, language: Option<Language>, provider: &Provider) -> Result<MailForms, ReportError> {
        match self {
            Self::Run(report) => report.to_mail(language, provider),
            Self::Month(report) => report.to_mail(language, provider),
        }
    }

    /// The language of the client.
    pub(super) fn language(&self) -> Language {
        match self {
            Self::Run(report) => Language::of(&report.language),
            Self::Month(report) => Language::of(&report.language),
        }
    }

    /// What it is, whenever it is made: the same report is sent once.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Run(report) if report.ended.is_none() => format!("run {} before its end", report.run),
            Self::Run(report) => format!("run {}", report.run),
            Self::Month(report) => {
                let of = match &report.scope {
                    Scope::Client { name } => format!("client {name}"),
                    Scope::Site { site, .. } => format!("site {site}"),
                    Scope::Fleet => "fleet".to_owned(),
                };
                let until = report.until.map(|at| at.strftime(" until %Y-%m-%d").to_string());
                format!("month {} of {of}{}", report.month, until.unwrap_or_default())
            }
        }
    }
}

/// To whom a report goes: whom the command names, else the contacts of the site's plan. What is about several sites goes to the
/// owners alone: an agency or a technician of one site need not read of the others.
fn recipients(fleet: &Fleet, told: &Told, named: &[String]) -> Result<Vec<Mailbox>, Failure> {
    let usage = |text: String| Failure { code: ExitCode::USAGE, text };
    if !named.is_empty() {
        let read = named.iter().map(|text| Mailbox::parse(text)).collect::<Result<Vec<_>, _>>();
        return read.map_err(|error| usage(error.to_string()));
    }
    let (sites, owners_only): (Vec<&SiteName>, bool) = match told {
        Told::Run(report) => (vec![&report.site], false),
        Told::Month(report) if report.scope == Scope::Fleet => {
            let text = "a report on every site goes to nobody by itself: name an address, --send-to ADDRESS";
            return Err(usage(text.into()));
        }
        Told::Month(report) => (report.sites.iter().map(|site| &site.site).collect(), report.sites.len() > 1),
    };
    let mut to: Vec<Mailbox> = Vec::new();
    for site in sites {
        let plan = match fleet.job(site.as_str()) {
            Ok(job) => job.plan,
            // A site that is not in the fleet any more has nobody of its own, and keeps the report from nobody.
            Err(_) if owners_only => continue,
            Err(failure) => return Err(failure),
        };
        let contacts = plan.client.contacts.iter().filter(|one| !owners_only || one.role == Role::Owner);
        for email in contacts.filter_map(|contact| contact.email.as_ref()) {
            let address = Mailbox::parse(email.as_str()).map_err(|error| Failure::new(ExitCode::INVALID, &error))?;
            if !to.iter().any(|known| known.address().eq_ignore_ascii_case(&address.address())) {
                to.push(address);
            }
        }
    }
    let none =
        "the plan names nobody with an e-mail address; write one under client.contacts, or name it: --send-to ADDRESS";
    if to.is_empty() { Err(Failure::absent(none)) } else { Ok(to) }
}

/// Writes the report of a run into the queue of mail, where the settings say so; whether there is something to send.
pub(super) async fn queue_after_run(fleet: &Fleet, runner: &Runner, run: RunId) -> Result<bool, Failure> {
    if !fleet.settings.mail.as_ref().is_some_and(|mail| mail.after_runs) {
        return Ok(false);
    }
    let report = read(runner.journal.as_ref(), run).await?;
    if report.outcome == Some(Outcome::Refused) {
        return Ok(false);
    }
    let told = Told::Run(Box::new(report));
    let to = recipients(fleet, &told, &[])?;
    super::mail::put(fleet, &told, (None, &provider(fleet)?), &to).map(|_| true)
}

/// A run by its id, or the last one of a site.
pub(super) async fn find(journal: &dyn Journal, of: &str) -> Result<RunId, Failure> {
    if let Ok(run) = of.parse() {
        return Ok(run);
    }
    let absent = || Failure::absent(format!("{of:?} is neither the id of a run nor a site that was run"));
    let site = SiteName::new(of).map_err(|_| absent())?;
    let runs = journal.runs(Some(&site), false, 1).await?;
    runs.first().map(|run| run.run).ok_or_else(absent)
}

/// The report of a run, with what the client told.
pub(super) async fn read(journal: &dyn Journal, run: RunId) -> Result<Report, Failure> {
    let report = read_run(journal, run).await?;
    let mut anomalies = journal.ledger().await?.anomalies();
    anomalies.retain(|one| one.site == report.site);
    // Most sites have none, and then the report before is of no interest.
    let since = if anomalies.is_empty() { None } else { end_before(journal, &report).await? };
    Ok(report.with_anomalies(&anomalies, since))
}

/// The same of what the run itself did.
pub(super) async fn read_run(journal: &dyn Journal, run: RunId) -> Result<Report, Failure> {
    let entries = journal.entries(run).await?;
    if entries.is_empty() {
        return Err(Failure::absent(format!("the journal has no run {run}")));
    }
    let report = Report::of(run, &entries).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    let rehearsals = journal.rehearsals(&report.site, super::MOST_REHEARSALS).await?;
    Ok(report.with_rehearsals(&rehearsals))
}

/// When the report before this one was made: at the end of the run before. One that was refused is not told to clients.
async fn end_before(journal: &dyn Journal, report: &Report) -> Result<Option<Timestamp>, Failure> {
    let runs = journal.runs(Some(&report.site), false, MOST_RUNS).await?;
    let told = |run: &&RunSummary| run.outcome.is_some_and(|outcome| outcome != Outcome::Refused);
    let Some(before) = runs.iter().filter(|run| run.opened < report.began).find(told) else { return Ok(None) };
    Ok(journal.entries(before.run).await?.last().map(|entry| entry.at))
}

pub(super) fn provider(fleet: &Fleet) -> Result<Provider, Failure> {
    fleet.settings.provider.open()
}

/// Writes the page in the client's language and the JSON of a run into the folder of reports.
pub(in crate::cli) async fn write(fleet: &Fleet, runner: &Runner, run: RunId) -> Result<Vec<PathBuf>, Failure> {
    let report = read(runner.journal.as_ref(), run).await?;
    let failed = |error: crate::report::ReportError| Failure::new(ExitCode::OTHER, &error);
    // The name of a site may have a dot.
    let file = |form: &str| fleet.settings.reports.join(format!("{}-{run}.{form}", report.site));
    let (page, json) = (file("html"), file("json"));
    write_file(&page, &report.to_html(None, &provider(fleet)?).map_err(failed)?)?;
    write_file(&json, &report.to_json().map_err(failed)?)?;
    Ok(vec![page, json])
}

pub(super) fn write_file(file: &Path, text: &str) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = folder.map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(file, text));
    written.map_err(|error| Failure::other(format!("{} can't be written: {error}", file.display())))
}
