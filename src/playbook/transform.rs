//! Declarative transforms of what a command printed.

use super::jq::{Jq, JqError, JsonText, Program};
use super::merge::{MergeError, merge};
use super::output::{self, Trouble};
use super::scalars::{self, Pattern};
use crate::model::{clean_block, clean_line};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    /// Output without JSON that this matches counts as empty, such as a lone `Success:` line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_if: Option<Pattern>,
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
    /// What becomes of the merged results.
    #[serde(default)]
    pub jq: Jq,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// What becomes of the text.
    #[serde(default)]
    pub jq: Jq,
}

/// One step of a transform, for people who write one.
#[derive(Debug, Clone, Copy)]
pub enum TransformStep<'a> {
    /// The JSON that was found in the output.
    Found(&'a Value),
    /// What an expression matched: its named groups.
    Matched(&'a Pattern, &'a Value),
    /// What a program made of that.
    Became(&'a Jq, &'a Value),
}

/// Whoever looks on.
type Watch<'a> = &'a mut dyn FnMut(TransformStep<'_>);

/// Why output could not be read. What the command printed is quoted, cleaned.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// More output than the limit.
    #[error("{bytes} bytes of output; at most {MAX_INPUT_BYTES} are read")]
    Large {
        /// How many.
        bytes: usize,
    },
    /// No line begins with the marker.
    #[error("no line begins with {marker:?}; the output ends with: {tail}")]
    Marker {
        /// The marker.
        marker: String,
        /// The end of the output.
        tail: String,
    },
    /// No JSON where it was expected.
    #[error("there is no JSON in the output, which ends with: {tail}")]
    NoJson {
        /// The end of the output.
        tail: String,
    },
    /// JSON that ends in the middle.
    #[error("the JSON in the output is cut; the output ends with: {tail}")]
    Cut {
        /// The end of the output.
        tail: String,
    },
    /// No output, where that means nothing.
    #[error("the command printed nothing; its errors: {tail}")]
    Empty {
        /// The end of standard error.
        tail: String,
    },
    /// JSON that can't be read.
    #[error("the JSON in the output can't be read; the output ends with: {tail}")]
    Json {
        /// The end of the output.
        tail: String,
        /// Why.
        source: serde_json::Error,
    },
    /// JSON that is nested too deep.
    #[error("the JSON in the output is nested deeper than {} levels", output::MAX_DEPTH)]
    Deep,
    /// JSON with more values than the limit.
    #[error("the JSON in the output holds more than {} values", output::MAX_VALUES)]
    Many,
    /// More matches than the limit.
    #[error("more than {MAX_MATCHES} matches of one expression")]
    Matches,
    /// The program failed.
    #[error("the transform failed")]
    Jq(#[from] JqError),
    /// Results that contradict each other.
    #[error("the results of the transform contradict each other")]
    Merge(#[from] MergeError),
    /// An expression that loading should have refused.
    #[error("the expression {pattern:?} can't be read")]
    Pattern {
        /// The expression.
        pattern: String,
    },
}

/// The most bytes of output that are read.
const MAX_INPUT_BYTES: usize = 64 * 1024 * 1024;
/// The most matches of one expression.
const MAX_MATCHES: usize = 10_000;
/// The most lines of output that an error quotes.
const TAIL_LINES: usize = 5;

impl Transform {
    /// The document that `output` becomes. It depends on `output` alone.
    pub fn apply(&self, output: &RawOutput<'_>) -> Result<Value, TransformError> {
        self.apply_watched(output, &mut |_| {})
    }

    /// The same, showing each step.
    pub fn apply_watched(
        &self,
        output: &RawOutput<'_>,
        watch: &mut dyn FnMut(TransformStep<'_>),
    ) -> Result<Value, TransformError> {
        let bytes = output.stdout.len() + output.stderr.len();
        if bytes > MAX_INPUT_BYTES {
            return Err(TransformError::Large { bytes });
        }
        match self {
            Self::Marker(form) => form.apply(output, watch),
            Self::Json(form) => form.apply(output, watch),
            Self::Lines(form) => form.apply(output, watch),
            Self::Text(form) => {
                let text = String::from_utf8_lossy(output.stdout).trim().to_owned();
                through(&form.jq, &Value::String(text), watch)
            }
        }
    }
}

/// All outputs of a program in one document; none is an empty object.
fn through(jq: &Jq, input: &Value, watch: Watch<'_>) -> Result<Value, TransformError> {
    watch(TransformStep::Found(input));
    let value = run(&jq.program()?, input)?;
    watch(TransformStep::Became(jq, &value));
    Ok(value)
}

fn run(program: &Program, input: &Value) -> Result<Value, TransformError> {
    let mut outputs = program.run(input)?.into_iter();
    let first = outputs.next().unwrap_or_else(|| Value::Object(Map::new()));
    Ok(outputs.try_fold(first, merge)?)
}

impl MarkerForm {
    fn apply(&self, output: &RawOutput<'_>, watch: Watch<'_>) -> Result<Value, TransformError> {
        let marker = self.marker.as_bytes();
        let mut after = None;
        let mut at = 0;
        for line in output.stdout.split_inclusive(|b| *b == b'\n') {
            if line.starts_with(marker) {
                after = Some(at + marker.len());
            }
            at += line.len();
        }
        let Some(after) = after else {
            return Err(TransformError::Marker { marker: clean_line(&self.marker, 80), tail: tail(output) });
        };
        let (value, _) = output::value_at_start(&output.stdout[after..]).map_err(|trouble| explain(trouble, output))?;
        through(&self.jq, &value, watch)
    }
}

impl JsonForm {
    fn apply(&self, output: &RawOutput<'_>, watch: Watch<'_>) -> Result<Value, TransformError> {
        let nothing = output.stdout.trim_ascii().is_empty();
        let found = match self.json {
            _ if nothing => Err(Trouble::None),
            JsonPart::First => output::first_value(output.stdout),
            JsonPart::Whole => output::whole_value(output.stdout),
        };
        let value = match (found, &self.empty) {
            (Ok(value), _) => value,
            (Err(_), Some(empty)) if nothing || self.counts_as_empty(output)? => {
                serde_json::from_str(empty.as_str()).unwrap_or(Value::Null)
            }
            (Err(_), _) if nothing => return Err(TransformError::Empty { tail: tail(output) }),
            (Err(trouble), _) => return Err(explain(trouble, output)),
        };
        through(&self.jq, &value, watch)
    }

    fn counts_as_empty(&self, output: &RawOutput<'_>) -> Result<bool, TransformError> {
        let Some(pattern) = &self.empty_if else {
            return Ok(false);
        };
        Ok(regex(pattern)?.is_match(&String::from_utf8_lossy(output.stdout)))
    }
}

impl LinesForm {
    fn apply(&self, output: &RawOutput<'_>, watch: Watch<'_>) -> Result<Value, TransformError> {
        let mut text = String::from_utf8_lossy(output.stdout).into_owned();
        if self.streams == Streams::Both {
            text.push('\n');
            text.push_str(&String::from_utf8_lossy(output.stderr));
        }
        let text = text.replace("\r\n", "\n");
        let mut merged = Value::Object(Map::new());
        for rule in &self.lines {
            let (expression, program) = (regex(&rule.pattern)?, rule.jq.program()?);
            if expression.find_iter(&text).nth(MAX_MATCHES).is_some() {
                return Err(TransformError::Matches);
            }
            for found in expression.captures_iter(&text) {
                let groups = expression.capture_names().flatten();
                let object: Map<String, Value> =
                    groups.filter_map(|name| Some((name.to_owned(), found.name(name)?.as_str().into()))).collect();
                let groups = Value::Object(object);
                watch(TransformStep::Matched(&rule.pattern, &groups));
                let value = run(&program, &groups)?;
                watch(TransformStep::Became(&rule.jq, &value));
                merged = merge(merged, value)?;
            }
        }
        through(&self.jq, &merged, watch)
    }
}

fn regex(pattern: &Pattern) -> Result<regex::Regex, TransformError> {
    scalars::compile(pattern.as_str())
        .map_err(|_| TransformError::Pattern { pattern: clean_line(pattern.as_str(), 80) })
}

fn explain(trouble: Trouble, output: &RawOutput<'_>) -> TransformError {
    let tail = tail(output);
    match trouble {
        Trouble::None => TransformError::NoJson { tail },
        Trouble::Cut => TransformError::Cut { tail },
        Trouble::Deep => TransformError::Deep,
        Trouble::Many => TransformError::Many,
        Trouble::Broken(source) => TransformError::Json { tail, source },
    }
}

/// The last lines of standard error, or of standard output where that is empty.
fn tail(output: &RawOutput<'_>) -> String {
    let stream = match output.stderr.trim_ascii().is_empty() {
        true => output.stdout,
        false => output.stderr,
    };
    let end = &stream[stream.len().saturating_sub(4096)..];
    let text = String::from_utf8_lossy(end);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    match last.is_empty() {
        true => "(nothing)".to_owned(),
        false => clean_block(&last.join("\n"), TAIL_LINES),
    }
}
