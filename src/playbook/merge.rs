//! The union of documents that facts give.

use serde_json::Value;

/// Two documents that say different things of the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two results differ at {path}")]
pub struct MergeError {
    /// Where, such as `core.version`.
    pub path: String,
}

/// Both documents in one: objects key by key, arrays one after the other, nothing gives way to
/// something. Two different single values are an error, for none of them may win in silence.
pub fn merge(first: Value, second: Value) -> Result<Value, MergeError> {
    merge_at(first, second, &mut Vec::new())
}

fn merge_at(first: Value, second: Value, path: &mut Vec<String>) -> Result<Value, MergeError> {
    match (first, second) {
        (Value::Object(mut map), Value::Object(other)) => {
            for (key, value) in other {
                let merged = match map.remove(&key) {
                    Some(before) => {
                        path.push(key.clone());
                        let merged = merge_at(before, value, path)?;
                        path.pop();
                        merged
                    }
                    None => value,
                };
                map.insert(key, merged);
            }
            Ok(Value::Object(map))
        }
        (Value::Array(mut items), Value::Array(more)) => {
            items.extend(more);
            Ok(Value::Array(items))
        }
        (Value::Null, value) | (value, Value::Null) => Ok(value),
        (first, second) if first == second => Ok(first),
        _ => Err(MergeError { path: crate::model::clean_line(&path.join("."), 200) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merges_key_by_key() {
        let a = json!({"core": {"version": "6.1.9"}, "list": [1], "none": null});
        let b = json!({"core": {"title": "WordPress"}, "list": [2], "none": 3});
        let merged = merge(a, b).unwrap();
        assert_eq!(merged, json!({"core": {"version": "6.1.9", "title": "WordPress"}, "list": [1, 2], "none": 3}));
        let error = merge(json!({"a": {"b": 1}}), json!({"a": {"b": 2}})).unwrap_err();
        assert_eq!(error.path, "a.b");
    }
}
