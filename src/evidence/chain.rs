//! The runs of a site, each tied to the one before it. Pure.

use crate::model::RunId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One run in the chain of its site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Link {
    /// The run.
    pub run: RunId,
    /// The SHA-256 of its journal, as `journal.jsonl` holds it.
    pub journal: String,
    /// The SHA-256 of one line: the link before (nothing for the first), the run and its journal's hash, with a space
    /// between them and a line feed at the end.
    pub link: String,
}

/// The chain of these runs, oldest first; each with its journal's bytes.
pub fn chain<'a>(runs: impl IntoIterator<Item = (RunId, &'a [u8])>) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for (run, bytes) in runs {
        let journal = sha256(bytes);
        let link = next(links.last(), run, &journal);
        links.push(Link { run, journal, link });
    }
    links
}

/// The first link that does not follow from the one before it.
pub(super) fn broken(links: &[Link]) -> Option<&Link> {
    let mut before = None;
    links.iter().find(|link| {
        let good = link.link == next(before, link.run, &link.journal);
        before = Some(*link);
        !good
    })
}

fn next(before: Option<&Link>, run: RunId, journal: &str) -> String {
    let before = before.map_or("", |link| link.link.as_str());
    sha256(format!("{before} {run} {journal}\n").as_bytes())
}

/// As `sha256sum` prints it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
