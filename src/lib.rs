//! Keeps fleets of CMS websites updated: reads a plan, looks at the site, takes a verified
//! snapshot, applies updates in dependency order, checks the site, and restores it exactly if
//! anything is wrong. `docs/ARCHITECTURE.md` is the map.

#![warn(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::todo,
    clippy::unwrap_used
)]

pub mod anomaly;
pub mod audit;
pub mod check;
pub mod cli;
pub mod drift;
pub mod evidence;
pub mod intake;
pub mod inventory;
pub mod journal;
pub mod ledger;
pub mod mail;
pub mod model;
pub mod pdf;
pub mod plan;
pub mod playbook;
pub mod procedure;
pub mod remote;
pub mod report;
pub mod run;
pub mod site;
pub mod snapshot;
pub mod update;
pub mod vulnerability;
