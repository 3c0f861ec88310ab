//! Service levels.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The service level of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Small sites: at most 10 extensions.
    Base,
    /// Shops and medium sites: at most 25 extensions.
    Advanced,
    /// Large or customised sites: the plan's own cap, or none.
    Custom,
}

impl Tier {
    /// The number of third-party extensions that the tier covers; none means no limit.
    pub fn cap(self) -> Option<u32> {
        match self {
            Self::Base => Some(10),
            Self::Advanced => Some(25),
            Self::Custom => None,
        }
    }

    /// The lowest tier that covers `extensions`.
    pub fn covering(extensions: u32) -> Self {
        match extensions {
            0..=10 => Self::Base,
            11..=25 => Self::Advanced,
            _ => Self::Custom,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "base",
            Self::Advanced => "advanced",
            Self::Custom => "custom",
        })
    }
}
