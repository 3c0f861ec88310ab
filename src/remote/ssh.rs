//! One multiplexed OpenSSH connection: the user's own configuration, jump hosts and agent;
//! host keys checked strictly.

use super::{Command, ConnectFailure, Process, RawInput, RemoteError, Shell, wrapper};
use crate::model::in_words;
use async_trait::async_trait;
use openssh::{ControlPersist, KnownHosts, Session, SessionBuilder, Stdio};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;

/// Where to log in: `user@host`, `host`, an alias, or `ssh://user@host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// A target that can't be taken for an option of `ssh`.
    pub fn new(text: &str) -> Option<Self> {
        let bad = |c: char| c.is_whitespace() || c.is_control() || "'\"`$;&|<>(){}\\".contains(c);
        let ok = !text.is_empty() && text.len() <= 255 && !text.starts_with('-') && !text.contains(bad);
        let host = text.rsplit('@').next().unwrap_or("");
        (ok && !host.is_empty() && !host.starts_with('-')).then(|| Self(text.to_owned()))
    }
}

/// What a connection needs besides its target.
#[derive(Debug, Clone)]
pub struct SshSettings {
    /// The user's configuration; none means `~/.ssh/config`.
    pub config: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// A folder with a short path for control sockets (at most about 60 bytes).
    pub control_folder: PathBuf,
}

impl SshSettings {
    /// Ten seconds, the user's own configuration, sockets below the system's temporary folder.
    pub fn new(config: Option<PathBuf>) -> Self {
        Self { config, connect_timeout: Duration::from_secs(10), control_folder: std::env::temp_dir() }
    }
}

/// A connection to one host.
pub struct SshShell {
    target: String,
    session: RwLock<Option<Arc<Session>>>,
    /// Holds the configuration file of this connection for as long as it lives.
    _folder: tempfile::TempDir,
}

/// Ours first, because OpenSSH takes the first value it meets: keys are checked, nothing asks,
/// a silent peer is noticed after twenty seconds. Then the user's file and the system's. Last what
/// they leave open: OpenSSH's own ciphers, the one first that processors with AES do fastest.
fn configuration(settings: &SshSettings) -> String {
    let user = match &settings.config {
        Some(path) => format!("\"{}\"", path.display()),
        None => "~/.ssh/config".into(),
    };
    format!(
        "Host *\n  BatchMode yes\n  StrictHostKeyChecking yes\n  ConnectTimeout {}\n  ConnectionAttempts 1\n  \
         ServerAliveInterval 5\n  ServerAliveCountMax 4\n  ForwardAgent no\n  ForwardX11 no\n  \
         PermitLocalCommand no\n  RequestTTY no\n  RemoteCommand none\n  LogLevel ERROR\n\
         Include {user}\nInclude /etc/ssh/ssh_config\n{}",
        settings.connect_timeout.as_secs().max(1),
        if has_aes() { CIPHERS } else { "" }
    )
}

const CIPHERS: &str = "Host *\n  Ciphers aes128-gcm@openssh.com,aes256-gcm@openssh.com,\
     chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr\n";

/// Whether this processor has instructions for AES.
fn has_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has = std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    let has = std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let has = false;
    has
}

impl SshShell {
    /// Logs in.
    ///
    /// # Errors
    /// [`RemoteError::Connect`] says why not and what to do.
    pub async fn connect(target: &Target, settings: &SshSettings) -> Result<Self, RemoteError> {
        let host = target.0.clone();
        let prepare = |path: &Path| {
            let (host, path) = (host.clone(), path.display().to_string());
            move |source| RemoteError::Prepare { host, path, source }
        };
        let folder = tempfile::Builder::new()
            .prefix("itd")
            .tempdir_in(&settings.control_folder)
            .map_err(prepare(&settings.control_folder))?;
        let file = folder.path().join("c");
        std::fs::write(&file, configuration(settings)).map_err(prepare(&file))?;
        let idle = NonZeroUsize::MIN.saturating_add(119);
        let mut builder = SessionBuilder::default();
        builder
            .known_hosts_check(KnownHosts::Strict)
            .config_file(&file)
            .control_directory(folder.path())
            .control_persist(ControlPersist::IdleFor(idle));
        // The configured time-out covers the TCP connection; a peer that accepts and then says
        // nothing needs one of our own.
        let limit = settings.connect_timeout * 2 + Duration::from_secs(5);
        let failed = |failure, detail: &str| RemoteError::Connect {
            host: host.clone(),
            failure,
            detail: crate::model::clean_line(detail, 400),
        };
        let session = match tokio::time::timeout(limit, builder.connect_mux(&target.0)).await {
            Err(_) => return Err(failed(ConnectFailure::TimedOut, "no answer in time")),
            Ok(Err(error)) => return Err(connect_error(&error, failed)),
            Ok(Ok(session)) => session,
        };
        Ok(Self { target: host, session: RwLock::new(Some(Arc::new(session))), _folder: folder })
    }
}

fn connect_error(error: &openssh::Error, failed: impl Fn(ConnectFailure, &str) -> RemoteError) -> RemoteError {
    match error {
        openssh::Error::Connect(source) if source.kind() == std::io::ErrorKind::NotFound => {
            failed(ConnectFailure::NoSshClient, "there is no ssh program on this machine")
        }
        openssh::Error::Connect(source) => {
            let words = source.to_string();
            failed(ConnectFailure::read(&words), &words)
        }
        other => failed(ConnectFailure::Other, &in_words(&other)),
    }
}

#[async_trait]
impl Shell for SshShell {
    fn host(&self) -> &str {
        &self.target
    }

    async fn start(&self, command: &Command) -> Result<Process, RemoteError> {
        let (line, mark) = wrapper::line(command)?;
        let not_started =
            |detail: String| RemoteError::NotStarted { host: self.target.clone(), command: command.shown(), detail };
        let session = self.session.read().await.clone();
        let session = session.ok_or_else(|| not_started("the connection was closed".into()))?;
        let stdin = if command.input == RawInput::Nothing { Stdio::null() } else { Stdio::piped() };
        let spawned =
            session.arc_raw_command(&line).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().await;
        let mut child = spawned.map_err(|error| match error {
            openssh::Error::Disconnected => RemoteError::Lost {
                host: self.target.clone(),
                command: command.shown(),
                detail: "the connection is gone".into(),
            },
            other => not_started(in_words(&other)),
        })?;
        let stdout = child.stdout().take().ok_or_else(|| not_started("no output stream".into()))?;
        let stderr = child.stderr().take().ok_or_else(|| not_started("no error stream".into()))?;
        let stdin = child.stdin().take();
        let ended = async move { child.wait().await.map(|_| ()).map_err(|error| in_words(&error)) };
        Ok(Process {
            stdin: stdin.map(|stdin| Box::pin(stdin) as super::Writer),
            stdout: Box::pin(stdout),
            closing: Box::pin(
                wrapper::Closing::new(command, &self.target, mark, Box::pin(stderr), Box::pin(ended)).wait(),
            ),
        })
    }

    async fn close(&self) {
        let session = self.session.write().await.take();
        if let Some(session) = session.and_then(Arc::into_inner) {
            // The run is over: a connection that will not close cleanly ends by its idle time.
            let _ = tokio::time::timeout(Duration::from_secs(5), session.close()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_never_options_or_shell_text() {
        for bad in ["", "-oProxyCommand=x", "a b", "u@-h", "h;id", "$(id)", "u@"] {
            assert!(Target::new(bad).is_none(), "{bad:?} was taken");
        }
        for good in ["web3", "deploy@web3.example", "ssh://u@h:22", "u@[::1]"] {
            assert!(Target::new(good).is_some(), "{good:?} was refused");
        }
    }
}
