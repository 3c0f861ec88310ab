//! What a run did, and what was done in a month, for those who pay for it and for machines: JSON, Markdown, and a page
//! in the client's language, on paper too. What an audit found, for those who answer for the fleet.
//!
//! May use: every module below (`model`, `ledger`, `plan`, `drift`, `intake`, `check`, `update`, `procedure`, `journal`, `audit`). Invariants:
//! all content comes from the journal, the ledger beside it or an audit, nothing from the site itself or the clock; everything
//! that a site said is cleaned, bounded and escaped; every text that a client reads stands in a
//! locale file; nothing here writes a file or prints.

mod anomalies;
mod audit;
mod audit_forms;
mod audit_page;
mod document;
mod drifts;
mod error;
mod gather;
mod html;
mod intake;
mod letter;
mod month;
mod notices;
mod outline;
mod provider;
mod reasons;
mod sections;
mod view;
mod words;

#[cfg(test)]
mod tests;

pub use audit::{AuditReport, FindingLine, Point, RuleLine, WaivedLine, audit_schema, status_schema};
pub use document::{
    AnomalyHold, AnomalyLine, CheckLine, CheckSubject, Database, Drift, DriftLine, FORMAT, Failure, FailureCause,
    HoldLine, Job, ProvenRestore, Report, Restore, Seen, Snapshot, StepEnd, StepKind, StepLine, UpdateLine,
    UpdateState, json_schema,
};
pub use error::ReportError;
pub use html::MailForms;
pub use intake::intake_page;
pub use letter::Addressee;
pub use month::{
    KnownSite, MONTH_FORMAT, Month, MonthReport, MonthRun, MonthSite, MonthUpdate, NotAMonth, PageTimes, RunFailure,
    Scope, month_json_schema,
};
pub use notices::{MOST_NOTICES, notices_letter, notices_mail};
pub use provider::{Colour, MAX_LOGO_BYTES, MAX_TEMPLATE_BYTES, Picture, Provider, ProviderError, Templates};
pub use words::Language;
