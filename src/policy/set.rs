//! A set of roles and the rules that resolve it. The rules are in this file and nowhere else.

use std::sync::Arc;

use super::{DecidedBy, Decision, Ground, Mode, OptionName, Role, SessionKind, Value};

/// Roles that one identity holds together. Order and repetition mean nothing.
#[derive(Debug, Clone, Default)]
pub struct RoleSet {
    roles: Vec<Arc<Role>>,
}

impl RoleSet {
    /// The roles, in the order they came in.
    #[must_use]
    pub fn roles(&self) -> &[Arc<Role>] {
        &self.roles
    }

    /// The roles' names, sorted, each once.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.roles.iter().map(|role| Arc::clone(&role.name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The mode that holds for sessions of this kind, and why. An empty set is `best_effort`.
    #[must_use]
    pub fn resolve(&self, kind: SessionKind) -> Decision {
        let direct = self.direct(kind);
        let default = self.defaults();
        let says = |grounds: &[Ground], mode| grounds.iter().any(|ground| ground.value == Value::Mode(mode));
        let (mode, decided_by) = if says(&direct, Mode::Strict) {
            (Mode::Strict, DecidedBy::Direct)
        } else if says(&direct, Mode::BestEffort) {
            (Mode::BestEffort, DecidedBy::Direct)
        } else if says(&default, Mode::Strict) {
            (Mode::Strict, DecidedBy::Default)
        } else if default.is_empty() {
            (Mode::BestEffort, DecidedBy::BuiltIn)
        } else {
            (Mode::BestEffort, DecidedBy::Default)
        };

        let agrees = |ground: &Ground| ground.value == Value::Mode(mode);
        let (mut because, mut overridden) = (Vec::new(), Vec::new());
        for ground in direct {
            if agrees(&ground) { because.push(ground) } else { overridden.push(ground) }
        }
        for ground in default {
            if !agrees(&ground) {
                overridden.push(ground);
            } else if decided_by == DecidedBy::Default {
                because.push(ground);
            }
        }
        let mut recording = true;
        if kind == SessionKind::Desktop {
            let (on, off): (Vec<_>, Vec<_>) =
                self.desktop_booleans().partition(|ground| ground.value == Value::Recorded(true));
            recording = self.roles.is_empty() || off.len() < self.roles.len();
            if !recording {
                because.extend(off);
            } else if !off.is_empty() {
                because.extend(on);
                overridden.extend(off);
            }
        }
        for grounds in [&mut because, &mut overridden] {
            grounds.sort_unstable();
            grounds.dedup();
        }
        Decision { kind, mode, recording, decided_by, because, overridden }
    }

    /// Every mode that is given to this kind itself.
    fn direct(&self, kind: SessionKind) -> Vec<Ground> {
        let option = OptionName::Kind(kind);
        let settings = self.roles.iter().filter_map(|role| {
            let (mode, at) = role.record_session.direct(kind)?;
            Some(Ground { role: Arc::clone(&role.name), at: at.clone(), option, value: Value::Mode(mode) })
        });
        settings.collect()
    }

    /// Every `default`.
    fn defaults(&self) -> Vec<Ground> {
        let settings = self.roles.iter().filter_map(|role| {
            let setting = role.record_session.default.as_ref()?;
            Some(Ground {
                role: Arc::clone(&role.name),
                at: setting.at.clone(),
                option: OptionName::Default,
                value: Value::Mode(setting.value),
            })
        });
        settings.collect()
    }

    /// Every boolean at `desktop`.
    fn desktop_booleans(&self) -> impl Iterator<Item = Ground> + '_ {
        self.roles.iter().filter_map(|role| {
            let (recorded, at) = role.record_session.desktop_recorded()?;
            Some(Ground {
                role: Arc::clone(&role.name),
                at: at.clone(),
                option: OptionName::Kind(SessionKind::Desktop),
                value: Value::Recorded(recorded),
            })
        })
    }
}

impl FromIterator<Arc<Role>> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Arc<Role>>>(roles: I) -> Self {
        Self { roles: roles.into_iter().collect() }
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().map(Arc::new).collect()
    }
}
