//! Declarative transforms of what a command printed.

use super::jq::{Jq, JqError};
use super::scalars::Pattern;
use crate::model::{clean_block, clean_line};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a command printed.
#[derive(Debug, Clone, Copy)]
pub struct RawOutput<'a> {
    /// Its exit code.
    pub exit: i32,
    /// Its standard output.
    pub stdout: &'a [u8],
    /// Its standard error.
    pub stderr: &'a [u8],
}

/// A pure, declarative transform: bytes in, one JSON document out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Transform {
    /// The JSON after the last line that begins with a marker.
    Marker(MarkerForm),
    /// The JSON in noisy standard output.
    Json(JsonForm),
    /// Matches of regular expressions.
    Lines(LinesForm),
    /// The trimmed output as one text.
    Text(TextForm),
}

/// The JSON that follows the last line that begins with the marker. What stands before and
/// after is noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MarkerForm {
    /// How the line begins.
    #[schemars(length(min = 1, max = 200))]
    pub marker: String,
    /// What becomes of the JSON.
    #[serde(default)]
    pub jq: Jq,
}

/// The JSON in standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct JsonForm {
    /// Which part of the output.
    pub json: JsonPart,
    /// The JSON that stands for empty output, which is an error unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<JsonText>,
    /// What becomes of the JSON.
    #[serde(default)]
    pub jq: Jq,
}

/// Which part of the output is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JsonPart {
    /// The first object or array; the rest is noise.
    First,
    /// All of it.
    Whole,
}

/// Matches of regular expressions: each becomes an object of its named groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LinesForm {
    /// The expressions, in the order in which their results are merged.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<LineRule>,
    /// Where they look.
    #[serde(default)]
    pub streams: Streams,
}

/// One regular expression and what becomes of its matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LineRule {
    /// The expression; every match counts.
    #[serde(rename = "match")]
    pub pattern: Pattern,
    /// What becomes of the object of named groups.
    #[serde(default)]
    pub jq: Jq,
}

/// Where regular expressions look.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Streams {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard output, then standard error.
    Both,
}

/// The trimmed output as one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TextForm {
    /// Always true.
    pub text: bool,
}
