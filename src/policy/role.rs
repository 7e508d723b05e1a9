//! A role, reduced to what it says about recording. How it was written is the reader's business.

use std::sync::Arc;

use super::{Ground, Mode, OptionName, Place, SessionKind, Value};

/// A value and the place it was written at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where the value stands.
    pub at: Place,
}

impl<T> Setting<T> {
    /// This value, written at this place.
    #[must_use]
    pub fn new(value: T, at: Place) -> Self {
        Self { value, at }
    }
}

/// The value of `record_session.desktop`, which is older than the modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desktop {
    /// The mode of desktop sessions; they are recorded.
    Mode(Mode),
    /// A boolean: whether desktop sessions are recorded at all. It gives no mode.
    Recorded(bool),
}

/// A role's option `spec.options.record_session`; every part of it may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordSession {
    /// The mode of the kinds that no role of the set names directly.
    pub default: Option<Setting<Mode>>,
    /// The mode of SSH sessions.
    pub ssh: Option<Setting<Mode>>,
    /// The mode of Kubernetes sessions.
    pub k8s: Option<Setting<Mode>>,
    /// The mode of desktop sessions, or whether they are recorded.
    pub desktop: Option<Setting<Desktop>>,
    /// The mode of database sessions.
    pub db: Option<Setting<Mode>>,
    /// The mode of application sessions.
    pub app: Option<Setting<Mode>>,
}

impl RecordSession {
    /// The mode given to this kind itself, and where. A boolean at `desktop` is none.
    #[must_use]
    pub fn direct(&self, kind: SessionKind) -> Option<(Mode, &Place)> {
        let setting = match kind {
            SessionKind::Ssh => &self.ssh,
            SessionKind::K8s => &self.k8s,
            SessionKind::Db => &self.db,
            SessionKind::App => &self.app,
            SessionKind::Desktop => {
                return match &self.desktop {
                    Some(Setting { value: Desktop::Mode(mode), at }) => Some((*mode, at)),
                    _ => None,
                };
            }
        };
        setting.as_ref().map(|setting| (setting.value, &setting.at))
    }

    /// The boolean at `desktop`, and where. Absent or a mode: `None`, which counts as on.
    #[must_use]
    pub fn desktop_recorded(&self) -> Option<(bool, &Place)> {
        match &self.desktop {
            Some(Setting { value: Desktop::Recorded(recorded), at }) => Some((*recorded, at)),
            _ => None,
        }
    }
}

/// A role: its name, where it is, and what it says about recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The role's name.
    pub name: Arc<str>,
    /// Where the name is written.
    pub at: Place,
    /// What the role says about recording.
    pub record_session: RecordSession,
}

impl Role {
    /// The role of this name, written at this place, that says this.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, at: Place, record_session: RecordSession) -> Self {
        Self { name: name.into(), at, record_session }
    }

    /// What the role says that can matter for this kind: its own option, then `default`.
    pub fn grounds(&self, kind: SessionKind) -> impl Iterator<Item = Ground> {
        let said = &self.record_session;
        let own = match said.direct(kind) {
            Some((mode, at)) => Some((Value::Mode(mode), at)),
            None if kind == SessionKind::Desktop => {
                said.desktop_recorded().map(|(recorded, at)| (Value::Recorded(recorded), at))
            }
            None => None,
        };
        let own = own.map(|(value, at)| (OptionName::Kind(kind), value, at));
        let default = said.default.as_ref();
        let default = default.map(|setting| (OptionName::Default, Value::Mode(setting.value), &setting.at));
        own.into_iter().chain(default).map(|(option, value, at)| Ground {
            role: Arc::clone(&self.name),
            option,
            value,
            at: at.clone(),
        })
    }
}
