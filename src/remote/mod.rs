//! Commands as values, and the shells that run them: SSH, or this machine.
//!
//! May use: `model`. Invariants: a command is an argument vector that is quoted in one place
//! (`command::line`); every command has a time limit that the host itself keeps, and a bound on
//! what it may print; a connection that breaks is an error, never a short output, because every
//! command ends with a closing status that the remote side prints; under a lease no command begins
//! once that lease is gone.

mod command;
mod error;
mod guard;
mod local;
mod recorded;
mod ssh;
mod wrapper;

pub use command::{Command, Output, RawInput};
pub use error::{ConnectFailure, RemoteError};
pub use guard::Guard;
pub use local::LocalShell;
pub use recorded::RecordedShell;
pub use ssh::{SshSettings, SshShell, Target};

use async_trait::async_trait;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes that come from a process.
pub type Reader = Pin<Box<dyn AsyncRead + Send>>;
/// Bytes that go to a process.
pub type Writer = Pin<Box<dyn AsyncWrite + Send>>;

/// A process that was started, with its streams.
pub struct Process {
    /// Its standard input; drop it to close it.
    pub stdin: Option<Writer>,
    /// Its standard output. An end of this stream proves nothing: only [`Process::finish`] does.
    pub stdout: Reader,
    closing: Closing,
}

type Closing = Pin<Box<dyn Future<Output = Result<Output, RemoteError>> + Send>>;

impl Process {
    /// One that has ended and left this: for those who stand in for a host.
    pub fn ended(output: Output) -> Self {
        let stdout = Box::pin(std::io::Cursor::new(output.stdout));
        let output = Output { stdout: Vec::new(), ..output };
        Self { stdin: None, stdout, closing: Box::pin(async { Ok(output) }) }
    }

    /// Waits for the closing status. Read `stdout` to its end before, and drop `stdin`.
    ///
    /// # Errors
    /// [`RemoteError::Lost`] when the connection broke, [`RemoteError::TimedOut`] when the
    /// command reached its limit. A non-zero status is not an error here.
    pub async fn finish(self) -> Result<Output, RemoteError> {
        drop(self.stdin);
        drop(self.stdout);
        self.closing.await
    }
}

/// Where commands run: one site's host.
#[async_trait]
pub trait Shell: Send + Sync {
    /// What messages call this host: `deploy@web3.example`, `this machine`.
    fn host(&self) -> &str;

    /// Starts a command. Its standard input is a pipe only if the command asks for one.
    async fn start(&self, command: &Command) -> Result<Process, RemoteError>;

    /// Runs a command to its end and collects what it printed, within the command's bounds.
    /// A non-zero status is not an error: the caller judges it.
    async fn run(&self, command: &Command) -> Result<Output, RemoteError> {
        wrapper::collect(self.start(command).await?, command, self.host()).await
    }

    /// Closes the connection. Further commands fail.
    async fn close(&self);
}
