//! The shape of the documents that facts give, and what is wrong with one, each flaw with its path.
//!
//! May use: `model`, the raw forms of `document`. Invariants: pure; no flaw is read as something else: reading a site
//! refuses it, leaves it out, or shows it as unusable; a key that nothing reads is an error for who writes a playbook, and only
//! a warning while a site is looked at.

use super::document::{RawDocument, RawVersions};
use crate::model::clean_line;
use crate::model::document::nearest;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::LazyLock;

/// The most flaws of one document that are told.
const MAX_FLAWS: usize = 20;
/// How much of a key or a text is shown, in characters.
const SHOWN: usize = 60;

/// Which document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// Of one fact: a part of the inventory.
    Fact,
    /// All facts together.
    Inventory,
    /// `read`.
    Versions,
    /// `database.describe`.
    Database,
    /// `boot`.
    Boot,
}

impl DocumentKind {
    /// That of an observation's name in a playbook.
    pub fn of(observation: &str) -> Self {
        match observation {
            "read" => Self::Versions,
            "database" => Self::Database,
            "boot" => Self::Boot,
            _ => Self::Fact,
        }
    }

    fn schema(self) -> &'static Value {
        match self {
            Self::Fact | Self::Inventory => &INVENTORY,
            Self::Versions => &VERSIONS,
            Self::Database => &DATABASE,
            Self::Boot => &BOOT,
        }
    }
}

/// What `database.describe` gives.
#[derive(schemars::JsonSchema)]
#[schemars(title = "the database")]
#[expect(dead_code, reason = "only its schema is used")]
struct Described {
    engine: Option<String>,
    name: Option<String>,
    prefix: Option<String>,
}

/// What `boot` gives.
#[derive(schemars::JsonSchema)]
#[schemars(title = "a started copy")]
#[expect(dead_code, reason = "only its schema is used")]
struct Booted {
    root: Option<String>,
    database: Option<String>,
    version: Option<String>,
    settings: Option<u64>,
    skip: Option<String>,
}

static INVENTORY: LazyLock<Value> = LazyLock::new(schema::<RawDocument>);
static VERSIONS: LazyLock<Value> = LazyLock::new(schema::<RawVersions>);
static DATABASE: LazyLock<Value> = LazyLock::new(schema::<Described>);
static BOOT: LazyLock<Value> = LazyLock::new(schema::<Booted>);

fn schema<T: schemars::JsonSchema>() -> Value {
    schemars::schema_for!(T).into()
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where: `extensions[3].versoin`.
    pub path: String,
    /// What.
    pub what: String,
    /// Whether it is only a key that nothing reads.
    pub unread: bool,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.what),
            false => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// What is wrong with a document, in its order; at most the first twenty.
pub fn flaws(kind: DocumentKind, document: &Value) -> Vec<Flaw> {
    let root = kind.schema();
    // Facts are merged key by key, so what one of them lacks another may have; but not within a list.
    let mut look = Look { root, path: Vec::new(), whole: kind != DocumentKind::Fact, found: Vec::new() };
    look.value(document, root);
    look.found
}

struct Look<'a> {
    root: &'a Value,
    path: Vec<String>,
    whole: bool,
    found: Vec<Flaw>,
}

impl<'a> Look<'a> {
    fn say(&mut self, what: String, unread: bool) {
        if self.found.len() < MAX_FLAWS {
            let path = self.path.concat();
            self.found.push(Flaw { path: path.trim_start_matches('.').to_owned(), what, unread });
        }
    }

    fn within(&mut self, step: String, look: impl FnOnce(&mut Self)) {
        self.path.push(step);
        look(self);
        self.path.pop();
    }

    /// What a `$ref` leads to.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let target = schema.get("$ref").and_then(Value::as_str);
        target.and_then(|target| self.root.pointer(target.trim_start_matches('#'))).unwrap_or(schema)
    }

    fn value(&mut self, value: &Value, schema: &'a Value) {
        let schema = self.resolve(schema);
        if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
            // An option: null, or the other.
            let other = branches.iter().find(|branch| branch.get("type").is_none_or(|name| name != "null"));
            return match other {
                Some(other) if !value.is_null() => self.value(value, other),
                _ => {}
            };
        }
        if let Some(words) = words(schema) {
            if !words.iter().any(|word| value.as_str() == Some(word)) {
                self.say(format!("{} where one of {} should be", shown(value), words.join(", ")), false);
            }
            return;
        }
        let wanted = types(schema);
        if !wanted.is_empty() && !wanted.iter().any(|name| is_of(value, name)) {
            return self.say(format!("{} where {} should be", shown(value), in_words(&wanted)), false);
        }
        match value {
            Value::Object(entries) => self.object(entries, schema),
            Value::Array(items) => {
                let whole = std::mem::replace(&mut self.whole, true);
                for (index, item) in items.iter().enumerate() {
                    let Some(schema) = schema.get("items") else { break };
                    self.within(format!("[{index}]"), |look| look.value(item, schema));
                }
                self.whole = whole;
            }
            _ => {}
        }
    }

    fn object(&mut self, entries: &Map<String, Value>, schema: &'a Value) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(properties) = properties else {
            let Some(others) = schema.get("additionalProperties") else { return };
            for (key, value) in entries {
                self.within(step(key), |look| look.value(value, others));
            }
            return;
        };
        let others = schema.get("additionalProperties").filter(|others| **others != Value::Bool(false));
        for (key, value) in entries {
            match properties.get(key).or(others) {
                Some(schema) => self.within(step(key), |look| look.value(value, schema)),
                None => self.unread(key, properties, schema),
            }
        }
        let required = schema.get("required").and_then(Value::as_array).filter(|_| self.whole);
        for key in required.into_iter().flatten().filter_map(Value::as_str) {
            if !entries.contains_key(key) {
                self.within(step(key), |look| look.say("this is missing".into(), false));
            }
        }
    }

    fn unread(&mut self, key: &str, properties: &Map<String, Value>, schema: &Value) {
        let of = schema.get("title").and_then(Value::as_str).unwrap_or("this");
        let known = || properties.keys().map(String::as_str);
        let hint = match nearest(key, known()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("its keys: {}", known().collect::<Vec<_>>().join(", ")),
        };
        self.within(step(key), |look| look.say(format!("not a key of {of}; {hint}"), true));
    }
}

fn step(key: &str) -> String {
    format!(".{}", clean_line(key, SHOWN))
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The words of an enumeration.
fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return Some(list.iter().filter_map(Value::as_str).collect());
    }
    let branches = schema.get("oneOf")?.as_array()?;
    branches.iter().map(|branch| branch.get("const")?.as_str()).collect()
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn in_words(wanted: &[&str]) -> String {
    let word = |name: &&&str| match **name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "an object",
        _ => "nothing",
    };
    wanted
        .iter()
        .filter(|name| **name != "null" || wanted.len() == 1)
        .map(|name| word(&name))
        .collect::<Vec<_>>()
        .join(" or ")
}

/// A value in a few words.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "here is null".into(),
        Value::Array(_) => "here is a list".into(),
        Value::Object(_) => "here is an object".into(),
        other => format!("here is {}", clean_line(&other.to_string(), SHOWN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(kind: DocumentKind, document: Value) -> Vec<String> {
        flaws(kind, &document).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_flaw_has_its_path() {
        let document = json!({
            "core": {"version": "1", "offers": [{"version": 2, "package": "yes", "requires": {"php": "8.1", "core": 6}}]},
            "extensions": [
                {"kind": "plugin", "slug": "good", "version": null, "requires": {"php": "8.0"}, "offer": null},
                {"kind": "plugin", "slug": "slip", "versoin": "1", "offer": {"packge": true}},
                {"slug": "x"}
            ],
            "sources": {"name": "updates.nano.example"},
            "checksums": [{"component": "core:core", "state": "modfied"}],
            "platform": {"php": "8.1", "anything": 1},
            "places": {"content": "app"},
            "vulnerabilities": [{"component": "module:token", "cvss": 7}],
            "sorces": [],
            "busy": null
        });
        assert_eq!(
            told(DocumentKind::Fact, document),
            [
                "core.offers[0].version: here is 2 where a text should be",
                "core.offers[0].package: here is \"yes\" where true or false should be",
                "core.offers[0].requires.core: here is 6 where a text should be",
                "extensions[1].versoin: not a key of an extension; did you mean version?",
                "extensions[1].offer.packge: not a key of an offer; did you mean package?",
                "extensions[2].kind: this is missing",
                "sources: here is an object where a list should be",
                "checksums[0].state: here is \"modfied\" where one of verified, modified, unknown should be",
                "platform.anything: here is 1 where a text should be",
                "vulnerabilities[0].cvss: not a key of a vulnerability; its keys: component, id, cve, title, affected, \
                 patched, published, severity, score, vector, references",
                "sorces: not a key of an inventory; did you mean sources?",
                "busy: here is null where a list should be",
            ]
        );
        assert_eq!(told(DocumentKind::Fact, json!([])), ["here is a list where an object should be"]);
    }

    #[test]
    fn a_fact_may_be_a_part_and_the_rest_is_whole() {
        let part = json!({"database": {"code": "1"}});
        assert!(told(DocumentKind::Fact, part.clone()).is_empty());
        assert_eq!(told(DocumentKind::Inventory, part), ["database.data: this is missing"]);
        let versions = json!({"versions": {"core:core": "1.4", "plugin:a": 2}});
        assert_eq!(told(DocumentKind::of("read"), versions), ["versions.plugin:a: here is 2 where a text should be"]);
        assert_eq!(told(DocumentKind::of("read"), json!({})), ["versions: this is missing"]);
        let described = json!({"name": "shop", "prefx": "wp_"});
        assert_eq!(
            told(DocumentKind::of("database"), described),
            ["prefx: not a key of the database; did you mean prefix?"]
        );
        assert!(told(DocumentKind::of("boot"), json!({"skip": "not here"})).is_empty());
        assert_eq!(told(DocumentKind::of("boot"), json!({"settings": "9"})).len(), 1);
    }

    /// Whoever prints an endless list of slips is not answered at the same length.
    #[test]
    fn flaws_are_bounded_and_cleaned() {
        let slips: Map<String, Value> = (0..500).map(|number| (format!("\u{1b}[31m{number}"), json!(1))).collect();
        let found = told(DocumentKind::Fact, Value::Object(slips));
        assert_eq!(found.len(), MAX_FLAWS);
        assert!(found.iter().all(|line| !line.contains(char::is_control)), "{found:?}");
    }

    /// Whatever is no flaw but an unread key is read, and another flaw of the whole is not.
    #[test]
    fn what_is_wrong_here_is_refused_when_it_is_read() {
        let site = crate::model::SiteName::new("shop").unwrap();
        for (part, good) in [
            (json!({"sources": [{"name": "x", "reachable": true, "y": 1}]}), true),
            (json!({"sources": [{"name": "x"}]}), false),
            (json!({"busy": [{"what": "x", "since": "now"}]}), false),
            (json!({"address": null, "error_log": null, "administrators": null}), true),
            (json!({"leftovers": "none"}), false),
        ] {
            let mut document = json!({"core": {"version": "1.4"}});
            document.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
            let wrong = flaws(DocumentKind::Inventory, &document).iter().any(|flaw| !flaw.unread);
            assert_eq!(wrong, !good, "{document}");
            assert_eq!(super::super::document::read(&site, document.clone()).is_ok(), good, "{document}");
        }
    }
}
