//! What can go wrong between here and a site's host.

use std::time::Duration;

/// Why no connection came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectFailure {
    /// The host's key is not in known_hosts.
    UnknownHostKey,
    /// The host's key differs from the one in known_hosts.
    ChangedHostKey,
    /// The host refused every key that was offered.
    Refused,
    /// The name does not resolve.
    NoSuchHost,
    /// Nothing answers there.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// There is no `ssh` program on this machine.
    NoSshClient,
    /// Anything else.
    Other,
}

impl ConnectFailure {
    /// What to do next.
    pub fn advice(self) -> &'static str {
        match self {
            Self::UnknownHostKey => {
                "compare the host's key fingerprint with its owner, then add it: ssh-keyscan HOST >> ~/.ssh/known_hosts"
            }
            Self::ChangedHostKey => {
                "do not go on until the host's owner has confirmed the new key; then remove the old one: ssh-keygen -R HOST"
            }
            Self::Refused => {
                "check the user name, and that a key which the account accepts is in the agent or in ~/.ssh/config (IdentityFile)"
            }
            Self::NoSuchHost => "check the host's name in the plan or the alias in ~/.ssh/config",
            Self::Unreachable => "check that the host is up and that its SSH port can be reached from here",
            Self::TimedOut => "check the network, the firewall and the jump host; then try again",
            Self::NoSshClient => "install the OpenSSH client on this machine (Debian: apt-get install openssh-client)",
            Self::Other => "try the same with: ssh -v HOST true",
        }
    }

    /// Reads OpenSSH's own words.
    pub(super) fn read(log: &str) -> Self {
        const SIGNS: [(&str, ConnectFailure); 14] = [
            ("REMOTE HOST IDENTIFICATION HAS CHANGED", ConnectFailure::ChangedHostKey),
            ("No matching host key fingerprint", ConnectFailure::ChangedHostKey),
            ("No ED25519 host key is known", ConnectFailure::UnknownHostKey),
            ("host key is known for", ConnectFailure::UnknownHostKey),
            ("Host key verification failed", ConnectFailure::UnknownHostKey),
            ("Permission denied", ConnectFailure::Refused),
            ("Too many authentication failures", ConnectFailure::Refused),
            ("Could not resolve", ConnectFailure::NoSuchHost),
            ("Connection refused", ConnectFailure::Unreachable),
            ("No route to host", ConnectFailure::Unreachable),
            ("Network is unreachable", ConnectFailure::Unreachable),
            ("timed out", ConnectFailure::TimedOut),
            ("Connection reset by", ConnectFailure::Unreachable),
            ("Connection closed by", ConnectFailure::Unreachable),
        ];
        let found = SIGNS.iter().find(|(sign, _)| log.contains(sign));
        found.map_or(Self::Other, |(_, failure)| *failure)
    }
}

/// What can go wrong between here and a site's host.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No connection came about.
    #[error("can't log in to {host}: {detail}; {}", failure.advice())]
    Connect {
        /// The host as the plan names it.
        host: String,
        /// The kind of failure.
        failure: ConnectFailure,
        /// OpenSSH's own words, cleaned.
        detail: String,
    },
    /// The connection broke while a command ran; nobody knows whether it ended.
    #[error("the connection to {host} broke while `{command}` ran: {detail}")]
    Lost {
        /// The host.
        host: String,
        /// The command.
        command: String,
        /// What was seen.
        detail: String,
    },
    /// The host refused to start one more session.
    #[error("{host} would not start `{command}`: {detail}; check MaxSessions in the host's sshd_config")]
    NotStarted {
        /// The host.
        host: String,
        /// The command.
        command: String,
        /// What was seen.
        detail: String,
    },
    /// The lease under which the command works is not there any more; it was not begun.
    #[error("`{command}` was not begun on {host}: the lease is lost, for another runner has taken the site over")]
    LeaseLost {
        /// The host.
        host: String,
        /// The command.
        command: String,
    },
    /// The command reached its time limit and was ended on the host.
    #[error("`{command}` on {host} did not end within {} s and was stopped", limit.as_secs())]
    TimedOut {
        /// The host.
        host: String,
        /// The command.
        command: String,
        /// The limit.
        limit: Duration,
    },
    /// The command printed more than it may.
    #[error("`{command}` on {host} printed more than {} and was cut off", crate::model::human_bytes(*limit as u64))]
    TooMuchOutput {
        /// The host.
        host: String,
        /// The command.
        command: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// An argument that can't be sent.
    #[error("`{command}` can't be sent: an argument holds a NUL byte")]
    Nul {
        /// The command.
        command: String,
    },
    /// A file of this machine that the connection needs.
    #[error("preparing the connection to {host} failed at {path}")]
    Prepare {
        /// The host.
        host: String,
        /// The file or folder.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Reading from or writing to a local process.
    #[error("talking to `{command}` on {host} failed")]
    Stream {
        /// The host.
        host: String,
        /// The command.
        command: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssh_words_are_understood() {
        for (log, expected) in [
            (
                "No ED25519 host key is known for [127.1.2.3]:2200 and you have requested strict checking.\r\nHost key verification failed.",
                ConnectFailure::UnknownHostKey,
            ),
            (
                "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed.",
                ConnectFailure::ChangedHostKey,
            ),
            ("deploy@h: Permission denied (publickey).", ConnectFailure::Refused),
            ("ssh: connect to host h port 22: Connection refused", ConnectFailure::Unreachable),
            ("ssh: Could not resolve hostname nosuch: Name or service not known", ConnectFailure::NoSuchHost),
            ("ssh: connect to host h port 22: Connection timed out", ConnectFailure::TimedOut),
            ("something new", ConnectFailure::Other),
        ] {
            assert_eq!(ConnectFailure::read(log), expected, "{log}");
        }
    }
}
