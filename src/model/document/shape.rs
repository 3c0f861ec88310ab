//! The check of a document's shape against a schema: every unknown, missing and repeated key,
//! every value of a wrong type and every text that breaks its format, each at its place.

use super::near::nearest;
use super::node::{Node, NodeValue, Place};
use super::schema::Schema;
use super::violation::{Violation, names_a_secret};
use crate::model::{CheckedText, TextError};
use serde_json::Value;
use std::collections::BTreeMap;

type Rule = fn(&str) -> Result<(), TextError>;

/// The formats of texts that a document knows, by their name in its schema.
#[derive(Debug, Clone, Default)]
pub struct Formats {
    rules: BTreeMap<&'static str, Rule>,
}

impl Formats {
    /// The same with one more.
    #[must_use]
    pub fn with<T: CheckedText>(mut self) -> Self {
        self.rules.insert(T::FORMAT, T::check);
        self
    }
}

/// Every violation of the shape that `schema` describes.
pub(super) fn check_shape(node: &Node, schema: &Schema, formats: &Formats) -> Vec<Violation> {
    let mut check = Check { schema, formats, found: Vec::new() };
    check.value(node, schema.root());
    check.found
}

struct Check<'a> {
    schema: &'a Schema,
    formats: &'a Formats,
    found: Vec<Violation>,
}

impl<'a> Check<'a> {
    fn say(&mut self, place: Place, problem: impl Into<String>, hint: impl Into<String>) {
        self.found.push(Violation::new(place, problem).hint(hint));
    }

    fn value(&mut self, node: &Node, schema: &'a Value) {
        let schema = self.schema.resolve(schema);
        if let Some(choices) = choices(schema) {
            return self.choice(node, &choices);
        }
        if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
            return self.branch(node, branches);
        }
        let wanted = schema.get("type").and_then(Value::as_str);
        match (wanted, &node.value) {
            (None, _) => {}
            (Some("object"), NodeValue::Map(entries)) => self.map(node, entries, schema),
            (Some("array"), NodeValue::List(items)) => self.list(node, items, schema),
            (Some("string"), NodeValue::Text(text)) => self.text(node, text, schema),
            // What looks like a number is a text where a text is asked for: version: 7.10
            (Some("string"), NodeValue::Number(text, _)) => self.text(node, text, schema),
            (Some("boolean"), NodeValue::Bool(_)) => {}
            (Some("integer"), NodeValue::Number(_, Some(value))) => self.number(node, *value, schema),
            (Some(wanted), _) => self.wrong_type(node, wanted, schema),
        }
    }

    fn wrong_type(&mut self, node: &Node, wanted: &str, schema: &'a Value) {
        let place = node.place;
        if node.value == NodeValue::Null {
            return self.say(
                place,
                format!("here is nothing, where {} should be", wanted_words(wanted)),
                "write a value, or leave out the key",
            );
        }
        let problem = format!("here {} {}, where {} should be", node.verb(), node.describe(), wanted_words(wanted));
        let hint = match (wanted, &node.value) {
            ("array", _) => "a list is written [one, two], or with a line for each: - one".to_owned(),
            ("object", _) => match self.keys(schema).as_slice() {
                [] => "keys and values are written { key: value }".to_owned(),
                keys => format!("its keys: {}", keys.join(", ")),
            },
            ("string", NodeValue::Bool(_)) => "put it in quotes to make it a text".to_owned(),
            ("boolean", NodeValue::Text(text)) if matches!(text.to_lowercase().as_str(), "yes" | "on" | "y") => {
                "write true".to_owned()
            }
            ("boolean", NodeValue::Text(text)) if matches!(text.to_lowercase().as_str(), "no" | "off" | "n") => {
                "write false".to_owned()
            }
            ("boolean", _) => "true or false, without quotes".to_owned(),
            ("integer", NodeValue::Text(_)) => "a whole number without quotes".to_owned(),
            ("integer", _) => "a whole number".to_owned(),
            _ => "one value".to_owned(),
        };
        self.say(place, problem, hint);
    }

    fn keys(&self, schema: &'a Value) -> Vec<&'a str> {
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.map(|p| p.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    fn map(&mut self, node: &Node, entries: &[(Place, String, Node)], schema: &'a Value) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        for (index, (place, key, value)) in entries.iter().enumerate() {
            if let Some((first, ..)) = entries[..index].iter().find(|(_, name, _)| name == key) {
                self.say(
                    *place,
                    format!("{} stands here twice", quoted(key)),
                    format!("the first one is in line {}; keep one of them", first.line),
                );
                continue;
            }
            match (properties.and_then(|p| p.get(key)), others) {
                (Some(schema), _) => self.value(value, schema),
                (None, Some(Value::Object(_))) => {
                    if let Some(names) = schema.get("propertyNames") {
                        let name = Node { place: *place, value: NodeValue::Text(key.clone()) };
                        self.value(&name, names);
                    }
                    if let Some(others) = others {
                        self.value(value, others);
                    }
                }
                (None, _) => self.unknown_key(*place, key, &self.keys(schema)),
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for key in required.into_iter().flatten().filter_map(Value::as_str) {
            if !entries.iter().any(|(_, name, _)| name == key) {
                let place = Place { width: 1, ..entries.first().map_or(node.place, |(place, ..)| *place) };
                let about =
                    properties.and_then(|p| p.get(key)).and_then(|s| s.get("description")).and_then(Value::as_str);
                self.say(
                    place,
                    format!("the key {} is missing here", quoted(key)),
                    format!("{key}: {}", about.unwrap_or("a value")),
                );
            }
        }
    }

    fn unknown_key(&mut self, place: Place, key: &str, known: &[&str]) {
        let hint = match nearest(key, known.iter().copied()) {
            Some(name) => format!("did you mean {name}?"),
            None if names_a_secret(key) => {
                format!("no secret stands in such a file; the keys here: {}", known.join(", "))
            }
            None => format!("the keys here: {}", known.join(", ")),
        };
        self.say(place, format!("unknown key {}", quoted(key)), hint);
    }

    fn list(&mut self, node: &Node, items: &[Node], schema: &'a Value) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let len = items.len() as u64;
        if let Some(min) = bound("minItems").filter(|min| len < *min) {
            let hint = if min == 1 { "at least one item".to_owned() } else { format!("at least {min} items") };
            self.say(node.place, "this list is too short", hint);
        }
        if let Some(max) = bound("maxItems").filter(|max| len > *max) {
            self.say(node.place, format!("this list has {len} items"), format!("at most {max}"));
        }
        if let Some(schema) = schema.get("items") {
            items.iter().for_each(|item| self.value(item, schema));
        }
    }

    fn text(&mut self, node: &Node, text: &str, schema: &'a Value) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let rule = schema.get("format").and_then(Value::as_str).and_then(|name| self.formats.rules.get(name));
        if let Some(rule) = rule {
            if let Err(error) = rule(text) {
                self.found.push(Violation { place: node.place, problem: error.problem, hint: error.hint });
            }
            return;
        }
        let len = text.chars().count() as u64;
        if bound("minLength").is_some_and(|min| len < min) || (bound("minLength").is_some() && text.trim().is_empty()) {
            self.say(node.place, "this text is empty", "write something here, or leave out the key");
        }
        if let Some(max) = bound("maxLength").filter(|max| len > *max) {
            self.say(node.place, format!("this text has {len} characters"), format!("at most {max}"));
        }
    }

    fn number(&mut self, node: &Node, value: i128, schema: &'a Value) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64).map(|bound| bound as i128);
        let (min, max) = (bound("minimum"), bound("maximum"));
        if min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max) {
            return;
        }
        let hint = match (min, max) {
            (Some(min), Some(max)) if min == max => format!("only {min} is known here"),
            (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
            (Some(min), None) => format!("a whole number from {min}"),
            _ => "a smaller number".to_owned(),
        };
        self.say(node.place, format!("{value} can't stand here"), hint);
    }

    fn choice(&mut self, node: &Node, choices: &[&str]) {
        let text = match &node.value {
            NodeValue::Text(text) | NodeValue::Number(text, _) => text.clone(),
            NodeValue::Bool(value) => value.to_string(),
            _ => {
                let problem = format!("here {} {}, where one word should be", node.verb(), node.describe());
                return self.say(node.place, problem, format!("one of: {}", choices.join(", ")));
            }
        };
        if choices.contains(&text.as_str()) {
            return;
        }
        let hint = match nearest(&text, choices.iter().copied()) {
            Some(name) => format!("did you mean {name}? One of: {}", choices.join(", ")),
            None => format!("one of: {}", choices.join(", ")),
        };
        self.say(node.place, format!("{} is not known here", quoted(&text)), hint);
    }

    /// One of several shapes: the one of the right type, and among maps the one whose own
    /// required key is there.
    fn branch(&mut self, node: &Node, branches: &'a [Value]) {
        let branches: Vec<&Value> = branches.iter().map(|b| self.schema.resolve(b)).collect();
        let kind = match &node.value {
            NodeValue::Map(_) => "object",
            NodeValue::List(_) => "array",
            NodeValue::Text(_) | NodeValue::Number(..) => "string",
            NodeValue::Bool(_) => "boolean",
            NodeValue::Null => "null",
        };
        let of_kind: Vec<&Value> =
            branches.iter().copied().filter(|b| b.get("type").is_some_and(|t| t == kind)).collect();
        match of_kind.as_slice() {
            [only] if kind != "object" => self.value(node, only),
            [] => {
                let words: Vec<String> = branches.iter().map(|b| self.branch_words(b)).collect();
                let problem = format!("{} can't stand here", node.describe());
                self.say(node.place, problem, format!("expected: {}", words.join(", or ")));
            }
            several => match several.iter().find(|b| own_key(b).is_some_and(|key| node.child(key.into()).is_some())) {
                Some(found) => self.value(node, found),
                None => {
                    let words: Vec<String> = several.iter().map(|b| self.branch_words(b)).collect();
                    let keys: Vec<&str> = several.iter().filter_map(|b| own_key(b)).collect();
                    if let NodeValue::Map(entries) = &node.value {
                        let slip = entries
                            .iter()
                            .find_map(|(place, key, _)| Some((*place, key, nearest(key, keys.iter().copied())?)));
                        if let Some((place, key, meant)) = slip {
                            return self.say(
                                place,
                                format!("unknown key {}", quoted(key)),
                                format!("did you mean {meant}?"),
                            );
                        }
                    }
                    self.say(
                        node.place,
                        format!("one of the keys {} is missing here", keys.join(", ")),
                        format!("expected: {}", words.join(", or ")),
                    );
                }
            },
        }
    }

    fn branch_words(&self, branch: &'a Value) -> String {
        match branch.get("type").and_then(Value::as_str) {
            Some("object") => {
                let required = branch.get("required").and_then(Value::as_array);
                let keys: Vec<String> =
                    required.into_iter().flatten().filter_map(Value::as_str).map(|key| format!("{key}: …")).collect();
                format!("{{ {} }}", keys.join(", "))
            }
            Some(other) => wanted_words(other).to_owned(),
            None => "a value".to_owned(),
        }
    }
}

/// The key by which a shape is told from the others: its first required one.
fn own_key(branch: &Value) -> Option<&str> {
    branch.get("required")?.as_array()?.first()?.as_str()
}

fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return Some(list.iter().filter_map(Value::as_str).collect());
    }
    let branches = schema.get("oneOf")?.as_array()?;
    let mut all = Vec::new();
    for branch in branches {
        match (branch.get("const"), branch.get("enum")) {
            (Some(Value::String(word)), _) => all.push(word.as_str()),
            (_, Some(Value::Array(words))) => all.extend(words.iter().filter_map(Value::as_str)),
            _ => return None,
        }
    }
    Some(all)
}

fn wanted_words(wanted: &str) -> &str {
    match wanted {
        "object" => "keys and values",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        other => other,
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", crate::model::clean_line(text, 60))
}
