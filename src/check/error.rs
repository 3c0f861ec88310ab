//! What keeps checks from giving a verdict at all.

use crate::remote::RemoteError;

/// What keeps checks from giving a verdict at all. A site that answers badly is not an error.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The site's address can't be asked.
    #[error("the site's address {url:?} can't be checked: {why}; correct `url` in the plan")]
    Address {
        /// The address.
        url: String,
        /// Why not.
        why: String,
    },
    /// The header that passes the maintenance page can't be sent.
    #[error(
        "the header {name:?} can't be sent: a name has letters, digits and '-', a value no control characters; correct the playbook's `header`"
    )]
    Header {
        /// Its name.
        name: String,
    },
    /// No HTTP client could be made.
    #[error(
        "no HTTP client could be made to check {url}; if certificates are missing, install them (Debian: apt-get install ca-certificates)"
    )]
    Client {
        /// The site's address.
        url: String,
        /// What was seen.
        #[source]
        source: reqwest::Error,
    },
    /// The connection to the host broke, so nobody knows what a command would have said.
    #[error("the check `{check}` could not be run on {host}; once the host can be reached again, check again")]
    Host {
        /// The check's id.
        check: String,
        /// The host.
        host: String,
        /// What was seen.
        #[source]
        source: Box<RemoteError>,
    },
}
