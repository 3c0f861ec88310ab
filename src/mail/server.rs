//! The server that takes mail.
//!
//! May use: `model`. Invariants: without encryption only on this machine; `Handing::ready` means that nothing was given away yet,
//! and everything before it can be done again.

use super::error::MailError;
use super::message::Mailbox;
use crate::model::{clean_line, in_words};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret, SecretString};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

/// How long an answer of the server is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of an answer is kept, in characters.
const SAID_CHARS: usize = 300;

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// From the first byte on.
    Tls,
    /// From a command on, and always.
    StartTls,
    /// Not at all: on this machine.
    None,
}

/// Who we are to the server.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// A server.
#[derive(Debug, Clone)]
pub struct MailServer {
    host: String,
    port: u16,
    security: Security,
    login: Option<Login>,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Handed {
    /// The server has it; what it said.
    Accepted(String),
    /// Not now: nothing was given away, or the server said to come again.
    Later(String),
    /// There is no server to talk to, or it does not know us: that holds for every message.
    Down(String),
    /// Never: the server refuses the address or the message.
    Refused(String),
    /// It was given away, and the server's answer did not come.
    Unknown(String),
}

impl MailServer {
    /// A server as it is described.
    ///
    /// # Errors
    /// [`MailError::Server`] where mail or a password would go over a network without encryption.
    pub fn new(host: &str, port: Option<u16>, security: Security, login: Option<Login>) -> Result<Self, MailError> {
        let port = port.unwrap_or(match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        });
        if security == Security::None && !is_loopback(host) {
            let why = "without TLS only a server on this machine is used: localhost, 127.0.0.1 or ::1".into();
            return Err(MailError::Server { host: clean_line(host, SAID_CHARS), why });
        }
        Ok(Self { host: host.to_owned(), port, security, login })
    }

    /// Gives one message to the server. `ready` is called when all is agreed upon and the message is about to be given
    /// away; when that fails, it is not.
    pub(super) fn hand<E>(
        &self,
        (from, to): (&Mailbox, &Mailbox),
        message: &[u8],
        ready: impl FnOnce() -> Result<(), E>,
    ) -> Result<Handed, E> {
        let mut connection = match self.agree(from, to) {
            Ok(connection) => connection,
            Err(handed) => return Ok(handed),
        };
        if let Err(error) = ready() {
            connection.abort();
            return Err(error);
        }
        let handed = match connection.message(message) {
            Ok(response) => Handed::Accepted(said(response.message().collect::<Vec<_>>().join(" "))),
            Err(error) if error.is_permanent() => Handed::Refused(told(&error)),
            Err(error) if error.is_transient() => Handed::Later(told(&error)),
            Err(error) => Handed::Unknown(told(&error)),
        };
        // It has the message, or it does not; how the connection ends changes nothing.
        let _ = connection.quit();
        Ok(handed)
    }

    /// Everything up to the message itself.
    fn agree(&self, from: &Mailbox, to: &Mailbox) -> Result<SmtpConnection, Handed> {
        let mut connection =
            self.connect().map_err(|why| Handed::Down(format!("{} port {}: {why}", self.host, self.port)))?;
        let result = envelope(&mut connection, from, to);
        result.inspect_err(|_| connection.abort())?;
        Ok(connection)
    }

    fn connect(&self) -> Result<SmtpConnection, String> {
        let tls = || TlsParameters::builder(self.host.clone()).build_rustls().map_err(|error| told(&error));
        let name = ClientId::default();
        let wrapped = if self.security == Security::Tls { Some(tls()?) } else { None };
        let place = (self.host.as_str(), self.port);
        let mut connection = SmtpConnection::connect(place, Some(PATIENCE), &name, wrapped.as_ref(), None)
            .map_err(|error| told(&error))?;
        if self.security == Security::StartTls {
            connection.starttls(&tls()?, &name).map_err(|error| told(&error))?;
        }
        if let Some(login) = &self.login {
            let credentials = Credentials::new(login.user.clone(), login.password.expose_secret().to_owned());
            let known = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            known.map_err(|error| format!("the login of {:?} was not accepted: {}", login.user, told(&error)))?;
        }
        Ok(connection)
    }
}

/// Says from whom and to whom. A mailbox that is not there is refused for good; a refused sender is a matter of the settings, and
/// so is one that the server only tells of when it hears the recipient, as Postfix does.
fn envelope(connection: &mut SmtpConnection, from: &Mailbox, to: &Mailbox) -> Result<(), Handed> {
    let later = |error: Error| Handed::Later(told(&error));
    connection.command(Mail::new(Some(from.envelope()), Vec::new())).map_err(later)?;
    connection.command(Rcpt::new(to.envelope(), Vec::new())).map_err(|error| {
        let code = error.status().filter(|_| error.is_permanent()).map(|status| status.to_string());
        let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        match code.is_some_and(|code| is_about_the_mailbox(&code, &why)) {
            true => Handed::Refused(told(&error)),
            false => later(error),
        }
    })?;
    connection.command(Data).map_err(later)?;
    Ok(())
}

/// Whether what a server says to a recipient for good is about that recipient, by the enhanced codes of RFC 3463, or without one by
/// the codes that RFC 5321 has for mailboxes.
fn is_about_the_mailbox(code: &str, why: &str) -> bool {
    let enhanced: Vec<&str> = why.split_whitespace().next().unwrap_or_default().split('.').collect();
    match enhanced[..] {
        ["5", "1", detail] => matches!(detail, "1" | "2" | "3" | "6" | "10"),
        ["5", "2", _] => true,
        ["5", subject, detail] if [subject, detail].iter().all(|part| part.parse::<u16>().is_ok()) => false,
        _ => matches!(code, "550" | "551" | "553"),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a server says is cleaned and bounded. Of silence the system only says that nothing is there yet.
fn told(error: &Error) -> String {
    let waited = |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<std::io::Error>().is_some_and(waited) {
            return format!("it did not answer within {} s", PATIENCE.as_secs());
        }
        cause = inner.source();
    }
    said(in_words(error))
}

fn said(text: String) -> String {
    clean_line(&text, SAID_CHARS)
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_is_said_of_the_mailbox_is_for_good() {
        for (code, why) in [
            ("550", "5.1.1 there is no such mailbox"),
            ("554", "5.1.10 null MX"),
            ("552", "5.2.2 over quota"),
            ("550", "no such user here"),
            ("553", "not a mailbox. At all."),
            ("550", ""),
        ] {
            assert!(super::is_about_the_mailbox(code, why), "{code} {why}");
        }
        for (code, why) in [
            ("554", "5.7.1 <owner@shop.example>: Relay access denied"),
            ("553", "5.7.1 <soutien@atelier.example>: Sender address rejected: not owned by user"),
            ("550", "5.1.8 <soutien@atelier.example>: Sender address rejected: Domain not found"),
            ("530", "5.7.0 Authentication required"),
            ("530", "authentication required"),
            ("554", "Client host blocked"),
        ] {
            assert!(!super::is_about_the_mailbox(code, why), "{code} {why}");
        }
    }
}
