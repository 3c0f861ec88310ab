//! `intendant report`, and the reports that every run leaves.

use super::letter::Receivers;
use crate::cli::arguments::{Common, Report as Options};
use crate::cli::browser::printer;
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::journal::{Journal, RunSummary};
use crate::model::{Outcome, RunId, SiteName};
use crate::report::{Addressee, Language, MailForms, MonthReport, Provider, Report, ReportError, Scope};
use crate::run::Runner;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
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
    if options.letter {
        return super::letter::write(&fleet, &told, (language, &provider), options, common.json).await;
    }
    let mut code = ExitCode::OK;
    if options.send {
        let receivers = Receivers::of(&fleet, &told, &options.send_to)?;
        receivers.remark(&told);
        code = super::mail::send(&fleet, common.json, &told, (language.clone(), &provider), receivers.mailboxes()?)?;
        if options.to.is_none() {
            return Ok(code);
        }
    }
    let text =
        |form| told.form(form, language.clone(), &provider).map_err(|error| Failure::new(ExitCode::OTHER, &error));
    match (&options.to, form) {
        (None, "pdf") => return Err(pdf_needs_file("report.pdf")),
        (None, form) => show::line(text(form)?.trim_end()),
        (Some(file), "pdf") => write_pdf(&fleet, file, &text("html")?, told.dated()).await?,
        (Some(file), form) => {
            write_file(file, text(form)?)?;
            show::line(file.display());
        }
    }
    Ok(code)
}

/// A PDF is no text for a terminal.
pub(super) fn pdf_needs_file(example: &str) -> Failure {
    Failure { code: ExitCode::USAGE, text: format!("a PDF is written into a file; name it: --to {example}") }
}

/// Prints the page into a file, and says so.
pub(super) async fn write_pdf(fleet: &Fleet, file: &Path, page: &str, made: Timestamp) -> Result<(), Failure> {
    let pdf = printer(&fleet.settings)?.print(page, made).await?;
    write_file(file, pdf)?;
    show::line(file.display());
    Ok(())
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

    /// With a letter before it.
    pub(super) fn letter(
        &self,
        language: Option<Language>,
        provider: &Provider,
        letter: (&Addressee, Date),
    ) -> Result<String, ReportError> {
        match self {
            Self::Run(report) => report.to_letter(language, provider, letter),
            Self::Month(report) => report.to_letter(language, provider, letter),
        }
    }

    /// The moment up to which it tells: the same report has the same one.
    pub(super) fn dated(&self) -> Timestamp {
        match self {
            Self::Run(report) => report.ended.unwrap_or(report.began),
            Self::Month(report) => {
                let first = || report.month.first().to_zoned(TimeZone::UTC).map(|first| first.timestamp());
                let last =
                    || report.sites.iter().flat_map(|site| &site.runs).map(|run| run.ended.unwrap_or(run.began)).max();
                report.until.or_else(last).or_else(|| first().ok()).unwrap_or_default()
            }
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
    let receivers = Receivers::of(fleet, &told, &[])?;
    receivers.remark(&told);
    if receivers.mail.is_empty() && !receivers.letters.is_empty() {
        return Ok(false);
    }
    super::mail::put(fleet, &told, (None, &provider(fleet)?), receivers.mailboxes()?).map(|_| true)
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
    write_file(&page, report.to_html(None, &provider(fleet)?).map_err(failed)?)?;
    write_file(&json, report.to_json().map_err(failed)?)?;
    Ok(vec![page, json])
}

pub(super) fn write_file(file: &Path, text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = folder.map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(file, text));
    written.map_err(|error| Failure::other(format!("{} can't be written: {error}", file.display())))
}
