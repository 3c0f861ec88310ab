//! How a run ends.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The five ways in which a run ends. There is no sixth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything that was offered was applied and checked.
    Completed,
    /// What the plan allows was applied and checked; something known was left out.
    CompletedWithHolds,
    /// Something was wrong; the site is as it was before, and was checked again.
    Restored,
    /// Nothing was begun: the site is untouched.
    Refused,
    /// A person has to act; the journal says what to do.
    Stuck,
}

impl Outcome {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Completed, Self::CompletedWithHolds, Self::Restored, Self::Refused, Self::Stuck];

    /// The documented exit code of a command that ran one site to this outcome.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Completed | Self::CompletedWithHolds => 0,
            Self::Restored => 10,
            Self::Refused => 11,
            Self::Stuck => 12,
        }
    }

    /// The kebab-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::CompletedWithHolds => "completed-with-holds",
            Self::Restored => "restored",
            Self::Refused => "refused",
            Self::Stuck => "stuck",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
