//! Values that every other module speaks in: names, versions, tiers, outcomes, holds.
//!
//! May use: nothing of this crate. Invariants: no I/O, no clock, no randomness except the
//! creation of a [`RunId`] from a time that is handed in; every value that can come from a site
//! is bounded and checked when it is made.

mod check;
mod checked;
mod component;
mod digest;
pub mod document;
mod feed;
mod hold;
mod name;
mod outcome;
mod period;
mod text;
mod tier;
mod version;
mod wildcard;

pub use check::{
    Check, CheckProblem, CommandCheck, HttpCheck, PagePath, PlainArgument, RedirectTarget, StatusRule, Texts,
};
pub use checked::{CheckedText, TextError};
pub(crate) use checked::{checked_text, one_line};
pub use component::{ComponentId, ComponentName, Kind};
pub use digest::{Digest, DigestError};
pub use document::nearest;
pub use feed::FeedFormat;
pub use hold::{Hold, HoldReason, LicenceProblem, Lifter};
pub use name::{NameError, RunId, SiteName, Slug};
pub use outcome::Outcome;
pub use period::{Period, PeriodError};
pub use text::{clean_block, clean_line, clean_text, harmless, human_bytes, in_words};
pub use tier::{Room, Tier, Tiers};
pub use version::{Step as VersionStep, Version, VersionScheme};
pub use wildcard::{fits, lies_in};
