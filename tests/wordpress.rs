//! The whole program on real WordPress sites over real SSH. Each test brings its own site up;
//! needs root, see `tests/testbed/README.md`.

mod support;

#[path = "wordpress/broken.rs"]
mod broken;
#[path = "wordpress/busybox.rs"]
mod busybox;
#[path = "wordpress/connections.rs"]
mod connections;
#[cfg(feature = "encryption")]
#[path = "wordpress/encrypted.rs"]
mod encrypted;
#[path = "wordpress/good.rs"]
mod good;
#[path = "wordpress/healed.rs"]
mod healed;
#[path = "wordpress/killed.rs"]
mod killed;
#[path = "wordpress/refusals.rs"]
mod refusals;
#[path = "wordpress/rehearsals.rs"]
mod rehearsals;
#[cfg(feature = "encryption")]
#[path = "wordpress/secrets.rs"]
mod secrets;
#[path = "wordpress/tolerated.rs"]
mod tolerated;
#[path = "wordpress/visitors.rs"]
mod visitors;
