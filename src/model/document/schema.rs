//! JSON Schemas generated from types, made ready for checking documents and for editors.

use serde_json::{Map, Value};

/// A JSON Schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    root: Value,
}

/// The schema of `T`. An optional key may be left out but is never null.
pub fn generate<T: schemars::JsonSchema>(title: &str, description: &str) -> Schema {
    let mut root = serde_json::to_value(schemars::schema_for!(T)).unwrap_or_default();
    tidy(&mut root);
    if let Value::Object(map) = &mut root {
        map.insert("title".into(), title.into());
        map.insert("description".into(), description.into());
    }
    Schema { root }
}

impl Schema {
    /// The schema of the whole document.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// The text of the file that editors read.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.root).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What a `$ref` leads to.
    pub fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..16 {
            let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
                return schema;
            };
            match self.root.pointer(target.trim_start_matches('#')) {
                Some(found) => schema = found,
                None => return schema,
            }
        }
        schema
    }
}

/// Takes null out of everything: in a document nothing is written by leaving it out.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            map.values_mut().for_each(tidy);
            drop_null_type(map);
            drop_null_branch(map);
            if map.get("default").is_some_and(Value::is_null) {
                map.shift_remove("default");
            }
        }
        _ => {}
    }
}

fn drop_null_type(map: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".into(), only);
        }
    }
}

fn drop_null_branch(map: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = map.get_mut("anyOf") else {
        return;
    };
    branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
    if let [Value::Object(only)] = branches.as_slice() {
        let only = only.clone();
        map.shift_remove("anyOf");
        map.extend(only);
    }
}
