//! YAML → checked [`Playbook`]: how one CMS is observed, updated and checked, as data.
//!
//! May use: `model`. Invariants: loading is pure apart from what reads the one folder
//! that a playbook or a library is in; a [`Playbook`] that exists has only templates whose values are known where they
//! stand, and only programs and regular expressions that compile; a [`Transform`] does no I/O,
//! and a rendered [`Argument`] is exactly one argument that is not an option by accident.

mod argument;
mod case;
mod document;
mod jq;
mod library;
mod merge;
mod output;
mod rules;
mod scalars;
mod transform;

pub use argument::{Argument, ArgumentError, CommandTemplate, Values};
pub use case::{Case, CaseError, Cases, Verdict};
pub use document::{
    Activate, Boot, Bring, Database, Engine, Fact, FeedUse, Files, Instead, Maintenance, Mark, Operations, Playbook,
    Probe, Tool, VersionPlace, Versions,
};
pub use jq::{Jq, JqError, JsonText};
pub use library::{Library, NO_SOURCES, PlaybookError, Script, json_schema, oddities, parse, parse_beside};
pub use merge::{MergeError, merge};
pub use scalars::{
    ComponentPlace, DownloadUrl, FeedWord, FileName, FilePattern, HeaderName, Pattern, RelativePath, Sha512, ToolName,
};
pub use transform::{
    JsonForm, JsonPart, LineRule, LinesForm, MarkerForm, RawOutput, Streams, TextForm, Transform, TransformError,
    TransformStep,
};
