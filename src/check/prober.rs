//! Asks for pages.

use super::error::CheckError;
use super::observe::Observation;
use super::spec::HttpCheck;
use secrecy::SecretString;
use std::time::Duration;

/// A header that lets our own requests pass the maintenance page. Its value never shows.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The header's name.
    pub header: String,
    /// The secret.
    pub secret: SecretString,
}

/// Limits and identity of a prober.
#[derive(Debug, Clone)]
pub struct ProberSettings {
    /// The longest time for one page, redirects included.
    pub timeout: Duration,
    /// How many redirects are followed.
    pub max_redirects: usize,
    /// How many bytes of a body are read, unpacked.
    pub max_bytes: usize,
    /// How many pages are asked for at the same time.
    pub at_once: usize,
    /// What passes the maintenance page.
    pub pass: Option<Pass>,
}

/// Asks one site for pages.
pub struct Prober {}

impl Prober {
    /// A prober of the site at `url`, which must be http or https.
    pub fn new(_url: &str, _settings: ProberSettings) -> Result<Self, CheckError> {
        todo!()
    }

    /// Asks for a page, and once more past every cache if the check says so.
    pub async fn observe(&self, _check: &HttpCheck) -> Observation {
        todo!()
    }
}

/// Makes `ring` the process's TLS provider; once, first thing in `main`. Calling it again does
/// nothing.
pub fn install_tls_provider() {}
