//! What tests on real sites share: a site that is thrown away, and a place of our own to work from.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs
)]

mod environment;
pub mod evidence;
mod smtp;
mod testbed;
pub mod visitors;

pub use environment::{Environment, Ran};
pub use smtp::Smtp;
pub use testbed::{Testbed, same};
