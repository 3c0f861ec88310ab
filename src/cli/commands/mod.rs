//! One file per command.

pub(super) mod anomaly;
mod anomaly_show;
pub(super) mod audit;
pub(super) mod completions;
pub(super) mod demo;
pub(super) mod doctor;
pub(super) mod drift;
mod encrypt;
pub(super) mod evidence;
pub(super) mod immunity;
pub(super) mod init;
pub(super) mod intake;
pub(super) mod inventory;
mod letter;
pub(super) mod licence;
pub(super) mod mail;
mod month;
mod notice_letters;
pub(super) mod notices;
pub(super) mod playbook;
pub(super) mod preview;
mod prune;
mod rehearse;
pub(super) mod report;
pub(super) mod run;
mod send;
pub(super) mod snapshot;
pub(super) mod status;
pub(super) mod validate;
pub(super) mod vulnerabilities;

/// How many rehearsals of a site are looked at.
const MOST_REHEARSALS: u32 = 10_000;
