//! What was decided, and the settings that decided it. Holds the answer; does not find it.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Mode, Place, SessionKind};

/// The answer for one kind of session.
///
/// `because` and `overridden` are in a fixed order (role, option, value, place) and hold nothing twice,
/// so equal sets of roles have equal decisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The kind that was asked for.
    #[serde(skip)]
    pub kind: SessionKind,
    /// The mode that holds.
    pub mode: Mode,
    /// Whether such sessions are recorded at all; false only for desktop sessions that every
    /// role of the set turns off.
    pub recording: bool,
    /// Which rule gave the mode.
    pub decided_by: DecidedBy,
    /// The settings that gave the mode. Where no role says anything: empty. Where desktop
    /// recording is off, also every `desktop: false`; where it is on although some role says
    /// `false`, also every `desktop: true`.
    pub because: Vec<Ground>,
    /// The settings that speak of this kind and say otherwise: modes other than the one that
    /// holds, and each `desktop: false` where desktop sessions are recorded all the same.
    pub overridden: Vec<Ground>,
}

impl Decision {
    /// Whether this is at least `required`. A kind that is not recorded falls short of strict.
    #[must_use]
    pub fn meets(&self, required: Mode) -> bool {
        self.mode >= required && (self.recording || required < Mode::Strict)
    }
}

/// The rule that gave a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// A role names the kind itself.
    Direct,
    /// No role names the kind; a role has a `default`.
    Default,
    /// No role says anything: `best_effort`.
    BuiltIn,
    /// In the dialect that was asked for, roles give this kind no mode.
    NoMode,
}

/// A setting of a role as the ground for a decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ground {
    /// The role's name.
    pub role: Arc<str>,
    /// The key under `record_session`.
    pub option: OptionName,
    /// What it says.
    pub value: Value,
    /// Where the value is written.
    pub at: Place,
}

/// A key under `record_session`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptionName {
    /// `default`
    Default,
    /// A kind's own key.
    Kind(SessionKind),
}

impl OptionName {
    /// All keys that `record_session` may have.
    pub const ALL: [Self; 6] = [
        Self::Default,
        Self::Kind(SessionKind::Ssh),
        Self::Kind(SessionKind::K8s),
        Self::Kind(SessionKind::Desktop),
        Self::Kind(SessionKind::Db),
        Self::Kind(SessionKind::App),
    ];

    /// The key.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Kind(kind) => kind.name(),
        }
    }

    /// The option of this exact key.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.name() == name)
    }
}

impl fmt::Display for OptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for OptionName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The value of a setting: a mode, or a boolean at `desktop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A mode.
    Mode(Mode),
    /// Whether desktop sessions are recorded.
    Recorded(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(mode) => mode.fmt(f),
            Self::Recorded(recorded) => recorded.fmt(f),
        }
    }
}
