//! What can go wrong before a site can be worked on.

use crate::model::SiteName;
use crate::playbook::{ArgumentError, TransformError};
use crate::remote::RemoteError;

/// What can go wrong before a site can be worked on.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The connection.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The plan's folder does not exist there.
    #[error("{site}: there is no folder {root} on {host} that this account can enter; check host.path in the plan")]
    NoRoot {
        /// The site.
        site: SiteName,
        /// The folder.
        root: String,
        /// The host.
        host: String,
    },
    /// The folder holds something else.
    #[error("{site}: {root} does not hold {cms}: {} is missing; check host.path and cms in the plan", missing.join(", "))]
    OtherCms {
        /// The site.
        site: SiteName,
        /// The folder.
        root: String,
        /// The CMS that was expected.
        cms: String,
        /// What is not there.
        missing: Vec<String>,
    },
    /// The folder is for another playbook.
    #[error("{site}: {root} is not for this playbook: {why}; let the plan say `cms: {cms}`")]
    OtherPlaybook {
        /// The site.
        site: SiteName,
        /// The folder.
        root: String,
        /// Why.
        why: String,
        /// The playbook that it is for.
        cms: String,
    },
    /// The host can't be used as it is.
    #[error("{site}: looking at {host} failed: {said}")]
    Host {
        /// The site.
        site: SiteName,
        /// The host.
        host: String,
        /// What it said.
        said: String,
    },
    /// A program is missing.
    #[error("{site}: {host} has no {tool} (looked for {}); install it there", tried.join(", "))]
    NoTool {
        /// The site.
        site: SiteName,
        /// The playbook's name for it.
        tool: String,
        /// The names that were looked for.
        tried: Vec<String>,
        /// The host.
        host: String,
    },
    /// A program is not what it should be.
    #[error("{site}: the {tool} of the host does not answer as it should:\n{said}")]
    WrongTool {
        /// The site.
        site: SiteName,
        /// The playbook's name for it.
        tool: String,
        /// What it said.
        said: String,
    },
    /// A tool that would be brought can't be had.
    #[error(
        "{site}: the host has no {file} and it can't be brought there: {why}; install it on the host, or place the file as {place}"
    )]
    NoBring {
        /// The site.
        site: SiteName,
        /// The file.
        file: String,
        /// Why not.
        why: String,
        /// Where a copy would be found.
        place: String,
    },
    /// A template of the playbook can't be filled.
    #[error("{site}: a command of the playbook can't be made")]
    Template {
        /// The site.
        site: SiteName,
        /// Why.
        #[source]
        source: ArgumentError,
    },
    /// A fact's command failed.
    #[error("{site}: `{command}` (the fact {fact}) ended with status {status}:\n{said}")]
    Fact {
        /// The site.
        site: SiteName,
        /// The fact.
        fact: String,
        /// The command.
        command: String,
        /// Its status.
        status: i32,
        /// The end of what it printed.
        said: String,
    },
    /// A fact's output is not what the playbook expects.
    #[error("{site}: the output of the fact {fact} can't be read; it ended with:\n{said}")]
    Unreadable {
        /// The site.
        site: SiteName,
        /// The fact.
        fact: String,
        /// The end of what it printed.
        said: String,
        /// Why.
        #[source]
        source: TransformError,
    },
    /// Somebody else works on the site.
    #[error("{site}: {holder}; {next}")]
    Locked {
        /// The site.
        site: SiteName,
        /// Who, since when, until when.
        holder: String,
        /// What to do.
        next: String,
    },
    /// Another runner has taken the site over from this one.
    #[error("{site}: another runner has taken the site over; {holder}")]
    LeaseLost {
        /// The site.
        site: SiteName,
        /// Who, since when, until when.
        holder: String,
    },
}
