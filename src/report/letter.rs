//! A letter before a report, for who has no e-mail address: one sheet that shows its address in the window of an envelope.
//!
//! May use: `document`, `month`, `html`, `outline`, `provider`, `view`, `words`. Invariants: as in `view` and `html`; an address has few lines, so
//! that it fits its window.

use super::document::{Job, Report};
use super::error::ReportError;
use super::html::{Form, render};
use super::month::MonthReport;
use super::outline::Outline;
use super::provider::Provider;
use super::view::{OutcomeView, cell};
use super::words::{Language, Words, outside, own};
use jiff::civil::Date;
use serde::Serialize;

/// The template of the letter: a style sheet, and what stands before the report.
pub(super) const LETTER: &str = include_str!("letter.hbs");
/// How many lines fit the window, the name included.
const MOST_LINES: usize = 6;

/// To whom a letter goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The name.
    pub name: String,
    /// The lines below it.
    pub address: Vec<String>,
}

/// What the template is given.
#[derive(Debug, Serialize)]
struct View {
    logo: Option<String>,
    provider: String,
    /// The provider's name and address in one line, above the address in the window.
    sender: String,
    from: Vec<String>,
    to: Vec<String>,
    day: String,
    subject: String,
    intro: String,
    outcome: OutcomeView,
    ask: String,
}

impl Report {
    /// The page with a letter before it, dated `day`.
    ///
    /// # Errors
    /// As [`Report::to_html`], and [`ReportError::Letter`], [`ReportError::Sender`].
    pub fn to_letter(
        &self,
        language: Option<Language>,
        provider: &Provider,
        (to, day): (&Addressee, Date),
    ) -> Result<String, ReportError> {
        let page = self.to_html(language.clone(), provider)?;
        let words = self.words(language);
        let outline = self.outline(&words, provider);
        let key = if matches!(self.job, Job::Restore { .. }) { "letter-restore" } else { "letter-run" };
        let intro = words.tell(key, &[("site", outside(&outline.title))]);
        of_page(&page, &self.what(), (provider, &words), (outline, intro), (to, day))
    }
}

impl MonthReport {
    /// The page with a letter before it, dated `day`.
    ///
    /// # Errors
    /// As [`Report::to_letter`].
    pub fn to_letter(
        &self,
        language: Option<Language>,
        provider: &Provider,
        (to, day): (&Addressee, Date),
    ) -> Result<String, ReportError> {
        let page = self.to_html(language.clone(), provider)?;
        let words = self.words(language);
        let outline = self.outline(&words, provider);
        let intro = words.tell("letter-month", &[("month", own(words.month(self.month.first())))]);
        of_page(&page, &self.what(), (provider, &words), (outline, intro), (to, day))
    }
}

fn view(
    outline: Outline,
    intro: String,
    (provider, words): (&Provider, &Words),
    (to, day): (&Addressee, Date),
) -> Result<View, ReportError> {
    let name = provider.name.as_deref().map(cell).filter(|name| !name.is_empty()).ok_or(ReportError::Sender)?;
    let from: Vec<String> = provider.address.iter().take(MOST_LINES).map(|line| cell(line)).collect();
    let sender: Vec<&str> = std::iter::once(name.as_str()).chain(from.iter().map(String::as_str)).collect();
    let ask = match &outline.contact {
        Some(contact) => words.tell("letter-contact", &[("contact", outside(contact))]),
        None => words.say("letter-ask"),
    };
    Ok(View {
        logo: provider.logo.as_ref().map(|logo| logo.address()),
        sender: sender.join(" · "),
        to: std::iter::once(&to.name).chain(&to.address).take(MOST_LINES).map(|line| cell(line)).collect(),
        day: words.tell("letter-date", &[("date", own(words.day(day)))]),
        subject: outline.page_title,
        intro,
        outcome: outline.outcome,
        ask,
        provider: name,
        from,
    })
}

/// A page with a letter before it; `intro` leads from the letter to the outline's outcome.
pub(super) fn of_page(
    page: &str,
    what: &str,
    (provider, words): (&Provider, &Words),
    (outline, intro): (Outline, String),
    letter: (&Addressee, Date),
) -> Result<String, ReportError> {
    before(page, what, (provider, words), view(outline, intro, (provider, words), letter)?)
}

/// The page with the letter at the beginning of its body, and the letter's style at the end of its head.
fn before(page: &str, what: &str, (provider, words): (&Provider, &Words), view: View) -> Result<String, ReportError> {
    let letter = render((Form::Letter, what), provider, words, &view)?;
    let style = letter.find("</style>").map_or(0, |at| at + "</style>\n".len()).min(letter.len());
    let (style, letter) = letter.split_at(style);
    spliced(page, style, letter).ok_or_else(|| ReportError::Letter { what: what.to_owned() })
}

fn spliced(page: &str, style: &str, letter: &str) -> Option<String> {
    let (head, rest) = page.split_once("</head>")?;
    let (between, body) = rest.split_once("<body")?;
    let (attributes, body) = body.split_once('>')?;
    let letter = letter.trim();
    Some(format!("{head}{style}</head>{between}<body{attributes}>\n{letter}\n{}", body.trim_start_matches('\n')))
}
