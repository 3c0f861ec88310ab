//! YAML text → [`Node`], with every bound that a document has.

use super::node::{Node, NodeValue, Place};
use super::violation::Violation;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{DuplicateKeyPolicy, Location, Options, Spanned};
use std::fmt;

/// The most bytes of one document.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;
/// The deepest nesting of lists and maps.
const MAX_DEPTH: usize = 32;
/// The most values of one document: a plan with a thousand of everything has a third.
const MAX_NODES: usize = 100_000;
/// The most values that are copied for aliases, at their names and at their uses.
const MAX_REPEATED: usize = 10_000;

fn options(duplicates: DuplicateKeyPolicy) -> Options {
    let mut options = serde_yaml::options! {
        strict_booleans: true,
        strict_indentation: true,
        reject_unsupported_tags: true,
        duplicate_keys: duplicates,
        with_snippet: false,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_aliases: 1000,
            max_anchors: 1000,
            max_recorded_anchor_events: MAX_REPEATED,
            max_documents: 1,
            max_total_scalar_bytes: MAX_DOCUMENT_BYTES,
        },
    };
    options.alias_limits.max_total_replayed_events = MAX_REPEATED;
    options
}

/// The tree of a document, or the one violation that keeps it from being read at all.
pub fn parse(text: &str) -> Result<Node, Violation> {
    if text.len() > MAX_DOCUMENT_BYTES {
        let problem = format!("this file has {} bytes", text.len());
        return Err(Violation::new(start(), problem).hint(format!("at most {MAX_DOCUMENT_BYTES} bytes")));
    }
    let raw: Spanned<Raw> = serde_yaml::from_str_with_options(text, options(DuplicateKeyPolicy::PassThrough))
        .map_err(|error| violation(&error))?;
    let node = build(raw, text);
    match node.value {
        NodeValue::Null => Err(Violation::new(start(), "this file is empty")
            .hint("keys and values; the shipped examples show all of them")),
        _ => Ok(node),
    }
}

/// The document as a value of `T`. Its shape has been checked, so an error is a rare thing.
pub(super) fn typed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Violation> {
    serde_yaml::from_str_with_options(text, options(DuplicateKeyPolicy::Error)).map_err(|error| violation(&error))
}

fn start() -> Place {
    Place { line: 1, column: 1, width: 1 }
}

fn violation(error: &serde_yaml::Error) -> Violation {
    let text = error.without_snippet().to_string();
    let place = error.location().filter(|location| location.line() > 0);
    let place = place.map_or_else(start, |location| place_at(&location));
    let message = crate::model::clean_line(strip_place(&text), 400);
    match words(&message) {
        Some((problem, hint)) => Violation::new(place, problem).hint(hint),
        None => Violation::new(place, message),
    }
}

/// Kinder words for what the parser says most often.
fn words(message: &str) -> Option<(&'static str, &'static str)> {
    const WORDS: [(&str, &str, &str); 8] = [
        ("tabs disallowed", "a tab can't indent a line", "indent with spaces"),
        ("Documents {", "a second document begins here", "one document in each file: take out the line with ---"),
        (
            "did not find expected key",
            "this line is indented in another way than those above it",
            "keys of one level begin in the same column",
        ),
        (
            "did not find expected '-'",
            "this line is indented in another way than those above it",
            "items of one list begin in the same column",
        ),
        (
            "unknown anchor",
            "nothing has the name that stands behind *",
            "write &name before the value that *name repeats; a text that begins with * stands in quotes",
        ),
        ("unclosed bracket", "this bracket is never closed", "a closing ] or }"),
        (
            "budget breached",
            "this file has more, or deeper, values than a file of this sort ever needs",
            "fewer values, less nesting, fewer uses of *name",
        ),
        (
            "mapping values are not allowed",
            "a colon can't stand here",
            "a text with a colon and a blank stands in quotes",
        ),
    ];
    let found = WORDS.iter().find(|(sign, ..)| message.contains(sign));
    found.map(|(_, problem, hint)| (*problem, *hint))
}

/// The parser's own words for the place go: the violation says it itself.
fn strip_place(text: &str) -> &str {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    match text.rsplit_once(" at line ") {
        Some((message, place)) if place.bytes().all(|b| b.is_ascii_digit() || b", column".contains(&b)) => message,
        _ => text,
    }
}

fn place_at(location: &Location) -> Place {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).max(1);
    Place { line: number(location.line()), column: number(location.column()), width: 1 }
}

/// What the YAML crate gives, before numbers get their written form back.
enum Raw {
    Null,
    Bool(bool),
    Number(Option<i128>),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(Some(value.into())))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(Some(value.into())))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Number(Some(value)))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Number(i128::try_from(value).ok()))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number(None))
    }
    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

fn build(raw: Spanned<Raw>, text: &str) -> Node {
    let place = visible(&raw.defined, text);
    let value = match raw.value {
        Raw::Null => NodeValue::Null,
        Raw::Bool(value) => NodeValue::Bool(value),
        Raw::Number(whole) => NodeValue::Number(written(&raw.defined, text), whole),
        Raw::Text(value) => NodeValue::Text(value),
        Raw::List(items) => NodeValue::List(items.into_iter().map(|item| build(item, text)).collect()),
        Raw::Map(entries) => NodeValue::Map(
            entries
                .into_iter()
                .map(|(key, value)| (visible(&key.defined, text), key.value, build(value, text)))
                .collect(),
        ),
    };
    Node { place, value }
}

/// The source text of a span.
fn written(location: &Location, text: &str) -> String {
    let span = location.span();
    let range = span.byte_offset().zip(span.byte_len()).and_then(|(start, len)| {
        let start = usize::try_from(start).ok()?;
        text.get(start..start.checked_add(usize::try_from(len).ok()?)?)
    });
    range.unwrap_or_default().trim().to_owned()
}

/// The place of a span, with as much of it as stands in its first line.
fn visible(location: &Location, text: &str) -> Place {
    let first_line = written(location, text);
    let width = first_line.lines().next().unwrap_or_default().trim_end().chars().count();
    Place { width: width.max(1), ..place_at(location) }
}
