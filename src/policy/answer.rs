//! The answer in a dialect: that of the modes' design, or that of today's Teleport, which honours but
//! a part of it (v18 line, 2026): `ssh` by the rules; `desktop` is a boolean and gives no mode, and
//! a mode that is written there reads as false; no role gives a mode to `k8s`, whose sessions are in
//! effect always strict, nor to `db` and `app`.

use std::sync::Arc;

use serde::Serialize;

use super::{
    DecidedBy, Decision, Desktop, Dialect, Ground, Mode, OptionName, Role, RoleSet, SessionKind, Value,
};

/// The answer for one kind of session in a dialect: a [`Decision`], or that there is no mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The kind that was asked for.
    #[serde(skip)]
    pub kind: SessionKind,
    /// The mode that holds; `None` where roles give this kind no mode in this dialect.
    pub mode: Option<Mode>,
    /// Whether such sessions are recorded at all.
    pub recording: bool,
    /// Which rule gave the mode.
    pub decided_by: DecidedBy,
    /// The settings that decided, as in [`Decision::because`].
    pub because: Vec<Ground>,
    /// The settings that speak of this kind to no effect, as in [`Decision::overridden`].
    pub overridden: Vec<Ground>,
}

impl Answer {
    /// Whether this is at least `required`. What is not recorded falls short of strict, and so does
    /// a kind without a mode, except `k8s`: Teleport ends such a session when its recording fails.
    #[must_use]
    pub fn meets(&self, required: Mode) -> bool {
        required == Mode::BestEffort || (self.recording && self.standing() == Standing::Strict)
    }

    /// How weak the answer is.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.mode {
            _ if !self.recording => Standing::Unrecorded,
            Some(Mode::BestEffort) => Standing::BestEffort,
            Some(Mode::Strict) => Standing::Strict,
            None if self.kind == SessionKind::K8s => Standing::Strict,
            None => Standing::NoMode,
        }
    }
}

/// An answer as one rung, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Such sessions are not recorded.
    Unrecorded,
    /// The session goes on when its recording fails.
    BestEffort,
    /// No mode, and no role can give one.
    NoMode,
    /// No recording, no session.
    Strict,
}

impl From<Decision> for Answer {
    fn from(decision: Decision) -> Self {
        let Decision { kind, mode, recording, decided_by, because, overridden } = decision;
        Self { kind, mode: Some(mode), recording, decided_by, because, overridden }
    }
}

impl RoleSet {
    /// What holds for sessions of this kind by the rules of `dialect`, and why.
    #[must_use]
    pub fn answer(&self, kind: SessionKind, dialect: Dialect) -> Answer {
        if dialect == Dialect::Rfd68 || kind == SessionKind::Ssh {
            return self.resolve(kind).into();
        }
        let (mut on, mut off) = (Vec::new(), Vec::new());
        for role in self.roles() {
            for ground in role.grounds(kind).filter(|ground| ground.option == OptionName::Kind(kind)) {
                if ground.value == Value::Recorded(true) { on.push(ground) } else { off.push(ground) }
            }
        }
        let (recording, mut because, mut overridden) = if kind != SessionKind::Desktop {
            (true, Vec::new(), off)
        } else if !self.roles().is_empty() && self.roles().iter().all(reads_as_false) {
            (false, off, Vec::new())
        } else {
            (true, on, off)
        };
        for grounds in [&mut because, &mut overridden] {
            grounds.sort_unstable();
            grounds.dedup();
        }
        Answer { kind, mode: None, recording, decided_by: DecidedBy::NoMode, because, overridden }
    }
}

/// Teleport's parser of booleans takes every text that it does not know for false.
fn reads_as_false(role: &Arc<Role>) -> bool {
    matches!(
        role.record_session.desktop.as_ref().map(|setting| setting.value),
        Some(Desktop::Mode(_) | Desktop::Recorded(false))
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Place, RecordSession, Setting};
    use super::*;

    fn set(roles: &[RecordSession]) -> RoleSet {
        let role = |(n, said): (usize, &RecordSession)| {
            Role::new(format!("r{n}"), Place::new("r", 1, 1), said.clone())
        };
        roles.iter().enumerate().map(role).collect()
    }

    fn desktop(value: Desktop) -> RecordSession {
        RecordSession { desktop: Some(Setting::new(value, Place::new("r", 2, 1))), ..Default::default() }
    }

    #[test]
    fn in_teleport_a_mode_at_desktop_switches_its_recording_off() {
        let strict = desktop(Desktop::Mode(Mode::Strict));
        let answer = set(std::slice::from_ref(&strict)).answer(SessionKind::Desktop, Dialect::Teleport);
        assert_eq!((answer.mode, answer.recording, answer.because.len()), (None, false, 1));
        assert!(!answer.meets(Mode::Strict));
        let answer = set(&[strict, RecordSession::default()]).answer(SessionKind::Desktop, Dialect::Teleport);
        assert!(answer.recording, "a role that says nothing keeps it on");
    }

    #[test]
    fn in_teleport_kubernetes_is_strict_in_effect_and_databases_have_no_mode() {
        let at = || Place::new("r", 3, 1);
        let said = RecordSession {
            k8s: Some(Setting::new(Mode::BestEffort, at())),
            db: Some(Setting::new(Mode::Strict, at())),
            ..Default::default()
        };
        let k8s = set(std::slice::from_ref(&said)).answer(SessionKind::K8s, Dialect::Teleport);
        assert_eq!((k8s.mode, k8s.meets(Mode::Strict), k8s.overridden.len()), (None, true, 1));
        let db = set(&[said]).answer(SessionKind::Db, Dialect::Teleport);
        assert_eq!((db.mode, db.meets(Mode::Strict), db.overridden.len()), (None, false, 1));
    }

    #[test]
    fn no_role_at_all_is_the_rules_answer() {
        for kind in SessionKind::ALL {
            assert_eq!(set(&[]).answer(kind, Dialect::Rfd68), set(&[]).resolve(kind).into());
            assert!(set(&[]).answer(kind, Dialect::Teleport).recording);
        }
    }
}
