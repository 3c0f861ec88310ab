//! Errors at the edge, and exit codes.

use crate::model::Outcome;

/// A documented exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExitCode(pub u8);

impl ExitCode {
    /// All went well.
    pub const OK: Self = Self(0);
    /// Something else went wrong.
    pub const OTHER: Self = Self(1);
    /// The arguments can't be understood.
    pub const USAGE: Self = Self(2);
    /// A plan, a playbook or the settings are not valid.
    pub const INVALID: Self = Self(3);
    /// A host can't be reached or worked on.
    pub const HOST: Self = Self(4);
    /// Something that was asked for is not there: a site, a run, a snapshot.
    pub const ABSENT: Self = Self(5);
    /// Something that was examined falls short: a snapshot is hurt, a site would be refused.
    pub const SHORT: Self = Self(6);

    /// The code of an outcome.
    pub fn of(outcome: Outcome) -> Self {
        Self(outcome.exit_code())
    }
}

/// What the user is told when a command fails.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: ExitCode,
    /// The text, sources included.
    pub text: String,
}

impl Failure {
    /// A failure without a better code.
    pub fn other(text: impl Into<String>) -> Self {
        Self { code: ExitCode::OTHER, text: text.into() }
    }

    /// An error with its sources.
    pub fn new(code: ExitCode, error: &dyn std::error::Error) -> Self {
        Self { code, text: crate::model::in_words(error) }
    }

    /// Something that is not there.
    pub fn absent(text: impl Into<String>) -> Self {
        Self { code: ExitCode::ABSENT, text: text.into() }
    }

    /// Prints it to standard error.
    pub fn report(&self) -> ExitCode {
        super::show::remark(format!("error: {}", self.text.trim_end()));
        self.code
    }
}

impl From<crate::run::WorkError> for Failure {
    fn from(error: crate::run::WorkError) -> Self {
        let ours = matches!(error, crate::run::WorkError::Journal(_));
        Self::new(if ours { ExitCode::OTHER } else { ExitCode::HOST }, &error)
    }
}

impl From<crate::run::RunError> for Failure {
    fn from(error: crate::run::RunError) -> Self {
        use crate::run::RunError;
        let code = match &error {
            RunError::Unreachable { .. } | RunError::LeaseLost { .. } | RunError::Work(_) => ExitCode::HOST,
            RunError::NothingOpen { .. } => ExitCode::ABSENT,
            RunError::Open { .. } | RunError::Held(_) => ExitCode::of(Outcome::Refused),
            RunError::Journal { .. } | RunError::Locked { .. } => ExitCode::OTHER,
            RunError::Illegal { .. } => ExitCode::of(Outcome::Stuck),
        };
        Self::new(code, &error)
    }
}

impl From<crate::snapshot::SnapshotError> for Failure {
    fn from(error: crate::snapshot::SnapshotError) -> Self {
        Self::new(ExitCode::OTHER, &error)
    }
}

impl From<crate::evidence::EvidenceError> for Failure {
    fn from(error: crate::evidence::EvidenceError) -> Self {
        Self::new(ExitCode::OTHER, &error)
    }
}

impl From<crate::journal::JournalError> for Failure {
    fn from(error: crate::journal::JournalError) -> Self {
        Self::new(ExitCode::OTHER, &error)
    }
}
