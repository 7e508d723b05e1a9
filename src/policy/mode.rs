//! The recording mode.

use serde::Serialize;

/// What happens to a session when its recording fails; ordered, `best_effort < strict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The session goes on, with a warning.
    BestEffort,
    /// No recording, no session.
    Strict,
}

impl Mode {
    /// Both modes, in order.
    pub const ALL: [Self; 2] = [Self::BestEffort, Self::Strict];

    /// The mode's name in role files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BestEffort => "best_effort",
            Self::Strict => "strict",
        }
    }

    /// The mode of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
