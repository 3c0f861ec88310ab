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
    #[error("the page of run {run} can't be made; the JSON form has the same content")]
    Page {
        /// The run.
        run: RunId,
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
    /// The JSON could not be made.
    #[error("the JSON report of run {run} can't be written")]
    Json {
        /// The run.
        run: RunId,
        /// What was wrong.
        #[source]
        source: serde_json::Error,
    },
}
