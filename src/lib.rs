//! Intendant.
