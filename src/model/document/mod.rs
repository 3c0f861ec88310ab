//! Documents that people write in YAML: a tree that knows the place of everything in it, a check
//! of its shape against a JSON Schema, and violations that show the line that has to change.
//!
//! May use: the rest of `model`. Invariants: pure; every bound is in `read`; a violation's text
//! form is the same on every machine.

mod near;
mod node;
mod read;
mod schema;
mod shape;
mod violation;

pub use near::nearest;
pub use node::{Node, NodeValue, Place, Seg};
pub use read::{MAX_DOCUMENT_BYTES, parse};
pub use schema::{Schema, generate};
pub use shape::Formats;
pub use violation::{Violation, Violations};

use std::path::Path;

/// The value that `text` holds, or everything that has to change in it: first its shape and the
/// names that it uses (`names`), then what only the whole value shows (`validate`). `file` is
/// only named in the violations.
pub fn checked<T: serde::de::DeserializeOwned>(
    file: &Path,
    text: &str,
    schema: &Schema,
    formats: &Formats,
    names: impl FnOnce(&Node) -> Vec<Violation>,
    validate: impl FnOnce(&T, &Node) -> Vec<Violation>,
) -> Result<T, Violations> {
    let read = || {
        let node = parse(text).map_err(|violation| vec![violation])?;
        let mut found = shape::check_shape(&node, schema, formats);
        found.extend(names(&node));
        if !found.is_empty() {
            return Err(found);
        }
        let value: T = read::typed(text).map_err(|violation| vec![violation])?;
        let found = validate(&value, &node);
        if found.is_empty() { Ok(value) } else { Err(found) }
    };
    read().map_err(|list| Violations::new(file.display().to_string(), text, list))
}
