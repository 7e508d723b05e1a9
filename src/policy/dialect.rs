//! Whose reading of the roles counts.

/// Who reads the roles.
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

    /// The dialect of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}
