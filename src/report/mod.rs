//! What a run did, for those who pay for it and for machines: JSON, and a page in the client's
//! language.
//!
//! May use: every module below (`model`, `check`, `update`, `procedure`, `journal`). Invariants:
//! all content comes from the journal, nothing from the site itself or the clock; everything
//! that a site said is cleaned, bounded and escaped; every text that a client reads stands in a
//! locale file; nothing here writes a file or prints.

mod document;
mod error;
mod gather;
mod html;
mod reasons;
mod sections;
mod view;
mod words;

#[cfg(test)]
mod tests;

pub use document::{
    CheckLine, CheckSubject, Database, FORMAT, Failure, FailureCause, HoldLine, Job, ProvenRestore, Report, Restore,
    Seen, Snapshot, StepEnd, StepKind, StepLine, UpdateLine, UpdateState, json_schema,
};
pub use error::ReportError;
pub use html::Provider;
pub use words::Language;
