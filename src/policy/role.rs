//! A role, reduced to its settings of session recording. How it was written is the reader's business.

use std::collections::BTreeMap;
use std::fmt;
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

/// A value that can't be known from the files: it may be any mode, at `desktop` any boolean, or
/// nothing at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Why it is unknown.
    pub reason: UnknownReason,
    /// The expression in the value's place, such as `var.mode`, and digests of what it refers to. In a comparison of two states of a role,
    /// the same text at the same option is the same unknown value.
    pub expression: Arc<str>,
    /// Where it stands.
    pub at: Place,
}

/// Why a value can't be known from the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnknownReason {
    /// It is an expression that only its evaluation would give a value.
    Expression,
    /// A patch gives it another value, and either may be applied.
    Patched,
    /// What is written there is an error.
    Unreadable,
}

impl fmt::Display for UnknownReason {
    /// The reason as the end of a sentence: `is an expression`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Expression => "is an expression",
            Self::Patched => "is changed by a patch",
            Self::Unreadable => "can't be read",
        })
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

/// A role's option `spec.options.record_session`; every part of it may be absent, known or unknown.
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
    /// The options whose value is unknown. Such an option is `None` above.
    pub unknown: BTreeMap<OptionName, Unknown>,
}

impl RecordSession {
    /// A role whose every option is unknown by the same expression.
    #[must_use]
    pub fn unknown(unknown: &Unknown) -> Self {
        let unknown = OptionName::ALL.into_iter().map(|option| (option, unknown.clone())).collect();
        Self { unknown, ..Self::default() }
    }

    /// Makes the value of one option unknown.
    pub fn make_unknown(&mut self, option: OptionName, unknown: Unknown) {
        match option {
            OptionName::Default => self.default = None,
            OptionName::Kind(SessionKind::Ssh) => self.ssh = None,
            OptionName::Kind(SessionKind::K8s) => self.k8s = None,
            OptionName::Kind(SessionKind::Desktop) => self.desktop = None,
            OptionName::Kind(SessionKind::Db) => self.db = None,
            OptionName::Kind(SessionKind::App) => self.app = None,
        }
        self.unknown.insert(option, unknown);
    }

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

/// A role: its name, where it is, and its settings of session recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The role's name.
    pub name: Arc<str>,
    /// Where the name is written.
    pub at: Place,
    /// The settings.
    pub record_session: RecordSession,
}

impl Role {
    /// The role of this name, written at this place, with these settings.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, at: Place, record_session: RecordSession) -> Self {
        Self { name: name.into(), at, record_session }
    }

    /// The settings that can matter for this kind: its own option, then `default`.
    pub fn grounds(&self, kind: SessionKind) -> impl Iterator<Item = Ground> {
        let settings = &self.record_session;
        let own = match settings.direct(kind) {
            Some((mode, at)) => Some((Value::Mode(mode), at)),
            None if kind == SessionKind::Desktop => {
                settings.desktop_recorded().map(|(recorded, at)| (Value::Recorded(recorded), at))
            }
            None => None,
        };
        let default = settings.default.as_ref().map(|setting| (Value::Mode(setting.value), &setting.at));
        let or_unknown = move |known: Option<(Value, &'_ Place)>, option| {
            let known = known.map(|(value, at)| (value, at.clone()));
            let unknown =
                || settings.unknown.get(&option).map(|unknown| (Value::Unknown, unknown.at.clone()));
            let (value, at) = known.or_else(unknown)?;
            Some(Ground { role: Arc::clone(&self.name), option, value, at })
        };
        let own = or_unknown(own, OptionName::Kind(kind));
        own.into_iter().chain(or_unknown(default, OptionName::Default))
    }
}
