//! Why there is no report.

use crate::model::RunId;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The journal has no beginning.
    #[error("run {run} can't be reported: its journal does not begin with its opening; check the run's id")]
    NotOpened {
        /// The run.
        run: RunId,
    },
    /// The page could not be made.
    #[error("the {form} of {what} can't be made; the JSON form has the same content")]
    Page {
        /// Which form.
        form: &'static str,
        /// Of what: `run 019…`, `month 2026-10`.
        what: String,
        /// What was wrong with the template.
        #[source]
        source: Box<handlebars::RenderError>,
    },
    /// The template can't be read.
    #[error("the report's template can't be read; it is a part of this program, which is damaged: reinstall it")]
    Template {
        /// What was wrong.
        #[source]
        source: Box<handlebars::TemplateError>,
    },
    /// The letter has nowhere to stand.
    #[error(
        "the letter with {what} can't be made: its page has no <head> and <body>; mend the template that takes the place of ours"
    )]
    Letter {
        /// Of what.
        what: String,
    },
    /// A letter without a sender.
    #[error("a letter says who sends it; write provider: {{ name, address, contact }} into the settings")]
    Sender,
    /// The page or the file of an audit could not be made.
    #[error("the audit can't be written in this form; try another one")]
    Audit {
        /// What was wrong with the template.
        #[source]
        source: Box<handlebars::RenderError>,
    },
    /// The JSON of an audit could not be made.
    #[error("the audit can't be written as JSON")]
    AuditJson {
        /// What was wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The JSON could not be made.
    #[error("the JSON report of {what} can't be written")]
    Json {
        /// Of what.
        what: String,
        /// What was wrong.
        #[source]
        source: serde_json::Error,
    },
}
