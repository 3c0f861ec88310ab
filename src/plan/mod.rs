//! YAML → checked [`Plan`]: the contract for one site.
//!
//! May use: `model`. Invariants: parsing is pure and never panics; a [`Plan`] that exists obeys
//! every rule that this module knows; every violation of a file is reported with its line and
//! column; only [`load_file`] and [`load_folder`] read files.

mod audit;
mod document;
mod drift;
mod fleet;
mod host;
mod licences;
mod load;
mod order;
mod rules;
mod scalars;
mod schedule;
mod updates;

pub use audit::{AuditRules, Hosted, LastDay, Waiver};
pub use document::{
    Approval, Client, Contact, Contract, Intake, Keep, Language, Licence, OnFailure, OverCap, Plan, Rehearsal, Role,
    Snapshots,
};
pub use drift::{DriftPart, DriftRules};
pub use fleet::{FleetRules, Lapsed, LapsedSecurity};
pub use host::{AbsolutePath, Host, LocalHost, LocalPath, SiteUrl, SshHost, SshTarget};
pub use licences::{Activation, BY_COMMAND, KeyReference, LicencePool, LicencePools, SettingName};
pub use load::{LoadedPlan, PlanError, Terms, json_schema, load_file, load_folder, parse};
pub use scalars::{AddressLine, CmsName, DatabaseName, Email, PathPattern, TablePattern, Tag};
pub use schedule::{Blackout, Weekday, Window, Zone};
pub use updates::{Approvals, Build, Channel, ExtensionApproval, Level, Manual, PlannedHold, Security, Updates};
