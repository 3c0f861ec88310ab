//! Documents that people write in YAML: a tree that knows the place of everything in it, a check
//! of its shape against a JSON Schema, and violations that show the line that has to change.
//!
//! May use: the rest of `model`. Invariants: pure; every bound is in [`parse`]; a violation's text
//! form is the same on every machine.

mod near;
mod node;
mod read;
mod schema;
mod shape;
mod violation;

pub use near::nearest;
pub use node::{Node, NodeValue, Place, Seg};
pub use read::{MAX_DOCUMENT_BYTES, parse, typed};
pub use schema::{Schema, generate};
pub use shape::{Formats, check_shape};
pub use violation::{Violation, Violations};
