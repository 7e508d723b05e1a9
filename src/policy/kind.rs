//! The kinds of session.

use serde::Serialize;

/// A kind of session that a mode is resolved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// A shell on a node.
    Ssh,
    /// A Kubernetes exec session.
    K8s,
    /// A desktop session.
    Desktop,
    /// A database session.
    Db,
    /// An application session.
    App,
}

impl SessionKind {
    /// All kinds, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Ssh, Self::K8s, Self::Desktop, Self::Db, Self::App];

    /// The kind's name: its key under `record_session`, and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::K8s => "k8s",
            Self::Desktop => "desktop",
            Self::Db => "db",
            Self::App => "app",
        }
    }

    /// The kind of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl std::fmt::Display for SessionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
