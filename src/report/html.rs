//! The report's forms: JSON, one self-contained page, Markdown, e-mail.
//!
//! May use: `document`, `letter`'s template, `month`, `view`, `outline`, `provider`, `words`. Invariants: the template engine is strict and escapes
//! everything that it inserts, as the form needs it; a page asks for nothing from outside and runs no script.

use super::document::Report;
use super::error::ReportError;
use super::letter::LETTER;
use super::month::{MonthReport, MonthView};
use super::outline::{Mail, Outline};
use super::provider::Provider;
use super::view::View;
use super::words::{Language, Words};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson, Template,
    html_escape,
};
use serde::Serialize;
use std::sync::LazyLock;

/// The page of a run, in all languages.
pub(super) const TEMPLATE: &str = include_str!("page.hbs");
/// The page of a month.
pub(super) const MONTH: &str = include_str!("month.hbs");
/// The Markdown of both.
pub(super) const TEXT: &str = include_str!("text.hbs");
/// The page of an e-mail.
pub(super) const MAIL: &str = include_str!("mail.hbs");

/// What an e-mail is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailForms {
    /// What it is about.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The page, with its style on every element.
    pub html: String,
}

/// A form that a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The page of a run.
    Page,
    /// The page of a month.
    Month,
    /// Markdown.
    Markdown,
    /// The same for a reader's eyes: nothing is escaped, because nothing but a person reads it.
    Text,
    /// The page of an e-mail.
    Mail,
    /// The letter before a page.
    Letter,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Page | Self::Month => "page",
            Self::Markdown => "Markdown",
            Self::Text => "text",
            Self::Mail => "e-mail",
            Self::Letter => "letter",
        }
    }

    /// The file that takes the place of our template.
    fn file(self) -> &'static str {
        match self {
            Self::Page => "page.hbs",
            Self::Month => "month.hbs",
            Self::Markdown | Self::Text => "text.hbs",
            Self::Mail => "mail.hbs",
            Self::Letter => "letter.hbs",
        }
    }

    fn escape(self) -> fn(&str) -> String {
        match self {
            Self::Page | Self::Month | Self::Mail | Self::Letter => html_escape,
            Self::Markdown => markdown_escape,
            Self::Text => one_line,
        }
    }

    /// Our template, read once in the life of the program.
    fn template(self) -> Result<Template, ReportError> {
        static PAGE: LazyLock<Option<Template>> = LazyLock::new(|| Template::compile(TEMPLATE).ok());
        static OF_MONTH: LazyLock<Option<Template>> = LazyLock::new(|| Template::compile(MONTH).ok());
        static OF_TEXT: LazyLock<Option<Template>> = LazyLock::new(|| Template::compile(TEXT).ok());
        static OF_MAIL: LazyLock<Option<Template>> = LazyLock::new(|| Template::compile(MAIL).ok());
        static OF_LETTER: LazyLock<Option<Template>> = LazyLock::new(|| Template::compile(LETTER).ok());
        let (read, text) = match self {
            Self::Page => (&PAGE, TEMPLATE),
            Self::Month => (&OF_MONTH, MONTH),
            Self::Markdown | Self::Text => (&OF_TEXT, TEXT),
            Self::Mail => (&OF_MAIL, MAIL),
            Self::Letter => (&OF_LETTER, LETTER),
        };
        match read.as_ref() {
            Some(template) => Ok(template.clone()),
            None => Template::compile(text).map_err(damaged),
        }
    }
}

fn damaged(source: handlebars::TemplateError) -> ReportError {
    ReportError::Template { source: Box::new(source) }
}

/// One form of a report of `what`, by the provider's own template or by ours.
pub(super) fn render(
    (form, what): (Form, &str),
    provider: &Provider,
    words: &Words,
    view: &impl Serialize,
) -> Result<String, ReportError> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(form.escape());
    engine.register_helper("t", Box::new(Text { words: words.clone() }));
    match provider.templates.get(form.file()) {
        Some(theirs) => engine.register_template_string("form", theirs).map_err(damaged)?,
        None => engine.register_template("form", form.template()?),
    }
    engine.register_template("style", shared_style()?);
    let text = engine.render("form", view);
    let text = text.map_err(|source| ReportError::Page {
        form: form.name(),
        what: what.to_owned(),
        source: Box::new(source),
    })?;
    Ok(if matches!(form, Form::Markdown | Form::Text) { tidy(&text) } else { text })
}

/// An e-mail, from a report's outline.
pub(super) fn mail(what: &str, provider: &Provider, words: &Words, outline: Outline) -> Result<MailForms, ReportError> {
    let text = render((Form::Text, what), provider, words, &outline)?;
    let mail = Mail::of(outline, provider);
    let html = render((Form::Mail, what), provider, words, &mail)?;
    Ok(MailForms { subject: mail.outline.page_title, text, html })
}

/// The style sheet as a part of templates, read once.
fn shared_style() -> Result<Template, ReportError> {
    static STYLE: LazyLock<Option<Template>> = LazyLock::new(|| Template::compile(style()).ok());
    match STYLE.as_ref() {
        Some(template) => Ok(template.clone()),
        None => Template::compile(style()).map_err(damaged),
    }
}

/// The style sheet of the run's page, which the other pages share.
pub(super) fn style() -> &'static str {
    let rest = TEMPLATE.split_once("<style>").map_or("", |(_, rest)| rest);
    rest.split_once("</style>").map_or("", |(style, _)| style).trim()
}

impl Report {
    /// The JSON form, with a final line break.
    ///
    /// # Errors
    /// [`ReportError::Json`]; plain values give no reason for it.
    pub fn to_json(&self) -> Result<String, ReportError> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|source| ReportError::Json { what: self.what(), source })
    }

    /// The page in a language; in the client's own when none is given.
    ///
    /// # Errors
    /// [`ReportError::Template`] and [`ReportError::Page`] when the template is damaged.
    pub fn to_html(&self, language: Option<Language>, provider: &Provider) -> Result<String, ReportError> {
        let words = self.words(language);
        render((Form::Page, &self.what()), provider, &words, &View::of(self, &words, provider))
    }

    /// The same in Markdown.
    ///
    /// # Errors
    /// As [`Report::to_html`].
    pub fn to_markdown(&self, language: Option<Language>, provider: &Provider) -> Result<String, ReportError> {
        let words = self.words(language);
        render((Form::Markdown, &self.what()), provider, &words, &self.outline(&words, provider))
    }

    /// The same as an e-mail.
    ///
    /// # Errors
    /// As [`Report::to_html`].
    pub fn to_mail(&self, language: Option<Language>, provider: &Provider) -> Result<MailForms, ReportError> {
        let words = self.words(language);
        mail(&self.what(), provider, &words, self.outline(&words, provider))
    }

    pub(super) fn outline(&self, words: &Words, provider: &Provider) -> Outline {
        Outline::of(View::of(self, words, provider), words)
    }

    pub(super) fn what(&self) -> String {
        format!("run {}", self.run)
    }

    pub(super) fn words(&self, language: Option<Language>) -> Words {
        Words::new(language.unwrap_or_else(|| Language::of(&self.language)), &self.zone)
    }
}

impl MonthReport {
    /// The page in a language; in the client's own when none is given.
    ///
    /// # Errors
    /// As [`Report::to_html`].
    pub fn to_html(&self, language: Option<Language>, provider: &Provider) -> Result<String, ReportError> {
        let words = self.words(language);
        render((Form::Month, &self.what()), provider, &words, &MonthView::of(self, &words, provider))
    }

    /// The same in Markdown.
    ///
    /// # Errors
    /// As [`Report::to_html`].
    pub fn to_markdown(&self, language: Option<Language>, provider: &Provider) -> Result<String, ReportError> {
        let words = self.words(language);
        render((Form::Markdown, &self.what()), provider, &words, &self.outline(&words, provider))
    }

    /// The same as an e-mail.
    ///
    /// # Errors
    /// As [`Report::to_html`].
    pub fn to_mail(&self, language: Option<Language>, provider: &Provider) -> Result<MailForms, ReportError> {
        let words = self.words(language);
        mail(&self.what(), provider, &words, self.outline(&words, provider))
    }

    pub(super) fn outline(&self, words: &Words, provider: &Provider) -> Outline {
        MonthView::of(self, words, provider).outline(words)
    }

    pub(super) fn what(&self) -> String {
        format!("month {}", self.month)
    }

    /// Words for what belongs to no site; each site has its own zone.
    pub(super) fn words(&self, language: Option<Language>) -> Words {
        Words::new(language.unwrap_or_else(|| Language::of(&self.language)), "UTC")
    }
}

/// A text that stands in one line of plain text.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// A text that means nothing to Markdown or to the HTML that may stand in it: it is shown as it is.
fn markdown_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = None;
    for (place, c) in text.char_indices() {
        let rest = &text[place + c.len_utf8()..];
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '@' => out.extend(['\\', c]),
            // What begins a heading, a list or a line across, where a text stands at the beginning of a line.
            '#' | '+' | '-' | '=' if place == 0 => out.extend(['\\', c]),
            '.' | ')' if numbers_a_list(&text[..place]) && (rest.is_empty() || rest.starts_with(' ')) => {
                out.extend(['\\', c]);
            }
            // Addresses do not become links by themselves.
            ':' if rest.starts_with("//") => out.push_str("\\:"),
            '.' if matches!(before, Some('w' | 'W')) && text[..place].to_ascii_lowercase().ends_with("www") => {
                out.push_str("\\.");
            }
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

fn numbers_a_list(start: &str) -> bool {
    !start.is_empty() && start.len() < 10 && start.bytes().all(|byte| byte.is_ascii_digit())
}

/// Without blanks at the ends of lines, and with one empty line where the template left several.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && blank) {
            out.push_str(line);
            out.push('\n');
        }
        blank = line.is_empty();
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// `{{t "key"}}`: a text of the locale file. What it gives is escaped like everything else.
pub(super) struct Text {
    pub(super) words: Words,
}

impl HelperDef for Text {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let key = helper.param(0).and_then(|param| param.value().as_str());
        let key = key.ok_or_else(|| RenderErrorReason::ParamNotFoundForIndex("t", 0))?;
        Ok(ScopedJson::Derived(self.words.say(key).into()))
    }
}
