//! How reports are sent, as the settings say it.

use super::identity::Reference;
use super::{ExitCode, Failure};
use crate::mail::{Login, MailError, MailServer, Mailbox, Security};
use serde::Deserialize;
use std::path::Path;

/// The part of the settings file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MailFile {
    from: String,
    server: String,
    port: Option<u16>,
    #[serde(default)]
    tls: Tls,
    user: Option<String>,
    password: Option<String>,
    #[serde(default)]
    after_runs: bool,
    #[serde(default)]
    notices: bool,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tls {
    /// From the first byte on.
    #[default]
    Implicit,
    /// From the command STARTTLS on.
    Starttls,
    /// Not at all: on this machine.
    None,
}

/// What is in force. The password is a reference still.
#[derive(Debug, Clone)]
pub(super) struct MailSettings {
    /// From whom.
    pub(super) from: Mailbox,
    /// Whether every run's report is sent.
    pub(super) after_runs: bool,
    /// Whether new notices are sent after every run.
    pub(super) notices: bool,
    server: String,
    port: Option<u16>,
    security: Security,
    login: Option<(String, Reference)>,
}

impl MailFile {
    /// The settings in force; relative paths count from `folder`.
    pub(super) fn resolve(self, folder: &Path) -> Result<MailSettings, Failure> {
        let invalid = |text: String| Failure { code: ExitCode::INVALID, text };
        let from = Mailbox::parse(&self.from).map_err(|error| invalid(format!("mail.from: {error}")))?;
        let login = match (self.user, self.password) {
            (Some(user), Some(password)) => Some((user, Reference::parse(&password, folder, "mail.password")?)),
            (None, None) => None,
            _ => return Err(invalid("mail: user and password belong together; write both or none".into())),
        };
        let security = match self.tls {
            Tls::Implicit => Security::Tls,
            Tls::Starttls => Security::StartTls,
            Tls::None => Security::None,
        };
        // A server that can't be is said at once, not when the first report is ready.
        MailServer::new(&self.server, self.port, security, None).map_err(|error| invalid(format!("mail: {error}")))?;
        let (after_runs, notices) = (self.after_runs, self.notices);
        Ok(MailSettings { from, after_runs, notices, server: self.server, port: self.port, security, login })
    }
}

impl MailSettings {
    /// The server, with the password.
    pub(super) fn open(&self) -> Result<MailServer, Failure> {
        let invalid = |text: String| Failure { code: ExitCode::INVALID, text };
        let login = match &self.login {
            None => None,
            Some((user, password)) => {
                let password = password.secret().map_err(|why| invalid(format!("mail.password: {why}")))?;
                Some(Login { user: user.clone(), password })
            }
        };
        let server = MailServer::new(&self.server, self.port, self.security, login);
        server.map_err(|error: MailError| invalid(format!("mail: {error}")))
    }
}
