//! The settings that decide, and the rule by which they do.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Mode, Place, SessionKind, UnknownReason};

/// The rule that gave a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// A role names the kind itself.
    Direct,
    /// No role names the kind; a role has a `default`.
    Default,
    /// No role sets anything: `best_effort`.
    BuiltIn,
    /// Unknown settings leave both modes possible.
    Unknown,
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
    /// Its value.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A mode.
    Mode(Mode),
    /// Whether desktop sessions are recorded.
    Recorded(bool),
    /// A value that can't be known from the files.
    Unknown,
}

/// A mode or boolean; `"unknown"` for an unknown value.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Mode(mode) => mode.serialize(serializer),
            Self::Recorded(recorded) => recorded.serialize(serializer),
            Self::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(mode) => mode.fmt(f),
            Self::Recorded(recorded) => recorded.fmt(f),
            Self::Unknown => f.pad("unknown"),
        }
    }
}

/// A setting whose value can't be known from the files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnknownSetting {
    /// The role's name.
    pub role: Arc<str>,
    /// The key under `record_session`.
    pub option: OptionName,
    /// Where what makes it unknown is written.
    pub at: Place,
    /// Why it is unknown.
    #[serde(skip)]
    pub reason: UnknownReason,
}
