//! The whole program on real WordPress sites over real SSH. Each test brings its own site up;
//! needs root, see `tests/testbed/README.md`.

mod support;

#[path = "wordpress/approved.rs"]
mod approved;
#[path = "wordpress/broken.rs"]
mod broken;
#[path = "wordpress/busybox.rs"]
mod busybox;
#[path = "wordpress/connections.rs"]
mod connections;
#[path = "wordpress/drift.rs"]
mod drift;
#[cfg(feature = "encryption")]
#[path = "wordpress/encrypted.rs"]
mod encrypted;
#[path = "wordpress/good.rs"]
mod good;
#[path = "wordpress/healed.rs"]
mod healed;
#[path = "wordpress/isolated.rs"]
mod isolated;
#[path = "wordpress/killed.rs"]
mod killed;
#[path = "wordpress/layouts.rs"]
mod layouts;
#[path = "wordpress/licensed.rs"]
mod licensed;
#[path = "wordpress/previews.rs"]
mod previews;
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
