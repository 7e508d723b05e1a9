//! Which semantics apply to the roles.

use super::SessionKind;

/// The semantics that apply to the roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// The modes as RFD 68 specifies them, for all kinds.
    #[default]
    Rfd68,
    /// What Teleport acts on (v18, 2026): SSH sessions by the rules, desktops by a boolean, the
    /// other kinds have no mode.
    Teleport,
}

impl Dialect {
    /// Both dialects.
    pub const ALL: [Self; 2] = [Self::Rfd68, Self::Teleport];

    /// The name on the command line and in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rfd68 => "rfd68",
            Self::Teleport => "teleport",
        }
    }

    /// Whether roles give this kind of session a mode.
    #[must_use]
    pub fn gives_mode(self, kind: SessionKind) -> bool {
        self == Self::Rfd68 || kind == SessionKind::Ssh
    }

    /// The dialect of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}
