//! The report's forms: JSON, and one self-contained page.
//!
//! May use: `document`, `view`, `words`. Invariants: the template engine is strict and escapes
//! everything that it inserts; the page asks for nothing from outside and runs no script.

use super::document::Report;
use super::error::ReportError;
use super::view::View;
use super::words::{Language, Words};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson, Template,
};
use std::sync::LazyLock;

/// The one template of all languages.
pub(super) const TEMPLATE: &str = include_str!("page.hbs");

/// Who does the work, as reports name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provider {
    /// The name.
    pub name: Option<String>,
    /// How to reach it, in one line: an e-mail address, a telephone number.
    pub contact: Option<String>,
}

impl Report {
    /// The JSON form, with a final line break.
    ///
    /// # Errors
    /// [`ReportError::Json`]; plain values give no reason for it.
    pub fn to_json(&self) -> Result<String, ReportError> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|source| ReportError::Json { run: self.run, source })
    }

    /// The page in a language; in the client's own when none is given.
    ///
    /// # Errors
    /// [`ReportError::Template`] and [`ReportError::Page`] when the template is damaged.
    pub fn to_html(&self, language: Option<Language>, provider: &Provider) -> Result<String, ReportError> {
        let language = language.unwrap_or_else(|| Language::of(&self.language));
        let words = Words::new(language, &self.zone);
        let view = View::of(self, &words, provider);
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_helper("t", Box::new(Text { words }));
        engine.register_template("page", template()?);
        let page = engine.render("page", &view);
        page.map_err(|source| ReportError::Page { run: self.run, source: Box::new(source) })
    }
}

/// The template, read once in the life of the program.
fn template() -> Result<Template, ReportError> {
    static READ: LazyLock<Option<Template>> = LazyLock::new(|| Template::compile(TEMPLATE).ok());
    match READ.as_ref() {
        Some(template) => Ok(template.clone()),
        None => Template::compile(TEMPLATE).map_err(|source| ReportError::Template { source: Box::new(source) }),
    }
}

/// `{{t "key"}}`: a text of the locale file. What it gives is escaped like everything else.
struct Text {
    words: Words,
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
