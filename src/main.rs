//! Intendant.
fn main() {}
