//! Anomalies: which run came before one, what that run changed near the page, and the client's screenshots.
//!
//! May use: `model`, `ledger`, `playbook`, `inventory`, `snapshot`, `drift`, `journal`. Invariants: what is near is decided by names alone,
//! and is a hint, never a verdict: whatever else changed is counted beside it; a screenshot is kept by the digest of its
//! content, and only what begins as a picture does.

mod near;
mod screenshots;

pub use near::{Changed, Near, changed_site, named, near};
pub use screenshots::{Kept, MAX_SCREENSHOT_BYTES, ScreenshotError, Screenshots};
