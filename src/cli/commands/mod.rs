//! One file per command.

pub(super) mod completions;
pub(super) mod demo;
pub(super) mod doctor;
mod encrypt;
pub(super) mod init;
pub(super) mod inventory;
pub(super) mod preview;
mod prune;
mod rehearse;
pub(super) mod report;
pub(super) mod run;
pub(super) mod snapshot;
pub(super) mod validate;

/// How many rehearsals of a site are looked at.
const MOST_REHEARSALS: u32 = 10_000;
