//! Manifests as bytes.
