//! A command as a value, and the one place where arguments are quoted.

use std::borrow::Cow;
use std::time::Duration;

/// What a command reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawInput {
    /// Nothing: its standard input is closed.
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
    /// A pipe that the caller writes to.
    Pipe,
}

/// One command: an argument vector and its limits. No shell ever sees an argument unquoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments. Secrets never stand here: they would show in process lists.
    pub argv: Vec<String>,
    /// The working folder on the host; none means the account's own.
    pub folder: Option<String>,
    /// What it reads.
    pub input: RawInput,
    /// How long it may take. The host ends it after that, also when nobody listens any more.
    pub timeout: Duration,
    /// How many bytes of standard output [`super::Shell::run`] takes before it gives up.
    pub output_limit: usize,
    /// A folder on the host in which the command's process group is on record while it runs, so
    /// that another runner can end it. Where the folder is not there, nothing is recorded.
    pub records: Option<String>,
    /// What has to be there on the host at the moment when the command begins: the lease under which
    /// it works. Where it is gone, the command is not begun.
    pub lease: Option<String>,
    /// Whether it works under a lease, where its shell has one. Only what keeps leases does not.
    pub needs_lease: bool,
}

impl Command {
    /// A command with nothing to read, 60 seconds and 16 MiB.
    pub fn new<I, A>(argv: I) -> Self
    where
        I: IntoIterator<Item = A>,
        A: Into<String>,
    {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            folder: None,
            input: RawInput::Nothing,
            timeout: Duration::from_secs(60),
            output_limit: 16 << 20,
            records: None,
            lease: None,
            needs_lease: true,
        }
    }

    /// A POSIX shell script of ours with values as its arguments `$1`, `$2` …: the script's
    /// text is a constant of the program, never made from values.
    pub fn script<I, A>(text: &'static str, values: I) -> Self
    where
        I: IntoIterator<Item = A>,
        A: Into<String>,
    {
        let mut argv: Vec<String> = ["sh", "-c", text, "sh"].map(String::from).into();
        argv.extend(values.into_iter().map(Into::into));
        Self::new(argv)
    }

    /// Sets the working folder.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<String>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets what it reads.
    #[must_use]
    pub fn reading(mut self, input: RawInput) -> Self {
        self.input = input;
        self
    }

    /// Sets how long it may take.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the bound of its output in bytes.
    #[must_use]
    pub fn printing_at_most(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Sets the folder in which it is on record while it runs.
    #[must_use]
    pub fn recorded_in(mut self, records: impl Into<String>) -> Self {
        self.records = Some(records.into());
        self
    }

    /// Lets it begin without a lease, too.
    #[must_use]
    pub fn without_lease(mut self) -> Self {
        self.needs_lease = false;
        self
    }

    /// The command as a person would type it; for messages only.
    pub fn shown(&self) -> String {
        let parts = self.argv.iter().map(|arg| quote(arg).into_owned());
        crate::model::clean_line(&parts.collect::<Vec<_>>().join(" "), 300)
    }
}

/// What a command that ended said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status; a signal n is 128 + n, as shells say it.
    pub status: i32,
    /// Standard output; empty from [`super::Process::finish`], where the caller read it.
    pub stdout: Vec<u8>,
    /// Standard error, its last 64 KiB.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether the status is 0.
    pub fn ok(&self) -> bool {
        self.status == 0
    }

    /// Standard output as text, trimmed; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> Cow<'_, str> {
        let text = String::from_utf8_lossy(&self.stdout);
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        }
    }

    /// The last lines that it printed, standard error first, fit to be shown.
    pub fn tail(&self) -> String {
        let shown = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(4000)..]).into_owned();
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            crate::model::clean_block(&lines[lines.len().saturating_sub(8)..].join("\n"), 8)
        };
        let parts = [shown(&self.stderr), shown(&self.stdout)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { "(it printed nothing)".into() } else { parts.join("\n") }
    }
}

/// Quotes one argument for a POSIX shell.
pub(super) fn quote(argument: &str) -> Cow<'_, str> {
    shell_escape::unix::escape(Cow::Borrowed(argument))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quoted_argument_arrives_as_it_was(text in "[^\u{0}]{0,60}") {
            let line = format!("printf %s {}", quote(&text));
            let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
            prop_assert_eq!(output.stdout, text.as_bytes());
        }
    }
}
