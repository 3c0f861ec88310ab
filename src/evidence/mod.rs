//! What proves a run to a stranger: its journal, its snapshots' hashes, its checks and its report in one file, chained to
//! the runs before it, and signed.
//!
//! May use: `model`, `procedure`, `journal`. Invariants: a bundle is made of the journal's own bytes, as they were written; equal runs
//! give equal bundles, but for the signature; what is read from a bundle is hostile, and is bounded; signing and verifying
//! is done by OpenSSH alone, so that a stranger needs nothing of ours.

mod bundle;
mod chain;
mod sign;
#[cfg(test)]
mod tests;

pub use bundle::{Bundle, Content, Seen, compare, open};
pub use chain::{Link, chain};
pub use sign::{Verified, sign, verify};

use std::path::PathBuf;

/// What signatures are for: one made for something else proves nothing here.
pub const NAMESPACE: &str = "intendant-evidence";

/// Why there is no evidence, or why it is not believed.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A file can't be read or written.
    #[error("{} can't be read or written", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The run is not over.
    #[error("run {run} is not over, and proves nothing yet; when it is: intendant evidence {run}")]
    Open {
        /// The run.
        run: crate::model::RunId,
    },
    /// A file that is no bundle, or a damaged one.
    #[error("{file} is no evidence of a run: {what}")]
    Bundle {
        /// Which.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// OpenSSH said no.
    #[error("`{command}` said no: {said}")]
    OpenSsh {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// Two bundles of one site that tell different pasts.
    #[error(
        "{first} and {second} tell different pasts of {site}: run {run} differs; one of the two was made from a journal that was changed"
    )]
    Pasts {
        /// A file.
        first: String,
        /// Another one.
        second: String,
        /// The site.
        site: String,
        /// The first run that differs.
        run: String,
    },
}
