//! The answer for a set of roles: the mode of a kind of session, and why; or the modes that unknown
//! settings leave possible.
//!
//! In the dialect of today's Teleport (v18 line, 2026) roles give a mode to `ssh` alone: `desktop` is a
//! boolean there, and a mode written in its place reads as false; `k8s` sessions are in effect always
//! strict; `db` and `app` have no mode.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::outcome::Possible;
use super::{
    Bound, DecidedBy, Dialect, Ground, Mode, OptionName, Outcome, RoleSet, SessionKind, UnknownSetting, Value,
};

/// The answer for one kind of session.
///
/// `because`, `overridden` and `unknown` are in a fixed order (role, option, value, place) and hold
/// nothing twice, so equal sets of roles have equal answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The kind that was asked for.
    #[serde(skip)]
    pub kind: SessionKind,
    /// The mode that holds whatever the unknown settings are. `None` where they leave both modes
    /// possible, and where roles give this kind no mode in the dialect.
    pub mode: Option<Mode>,
    /// Both modes where unknown settings leave both possible, else empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub possible: Vec<Mode>,
    /// Whether such sessions are recorded at all; false only for desktop sessions that every role of
    /// the set turns off, `None` where that depends on unknown settings.
    pub recording: Option<bool>,
    /// The rule that gave the mode.
    pub decided_by: DecidedBy,
    /// The settings that gave the mode; empty where no role sets anything or the mode is unknown. Where
    /// desktop recording is off, also every `desktop: false`; where it is on although some role has
    /// `false`, also every `desktop: true`.
    pub because: Vec<Ground>,
    /// The settings for this kind that had no effect: modes other than the one that holds, and each
    /// `desktop: false` where desktop sessions are recorded all the same.
    pub overridden: Vec<Ground>,
    /// The unknown settings that the answer depends on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<UnknownSetting>,
    /// Every outcome that is possible; never empty.
    #[serde(skip)]
    pub outcomes: BTreeSet<Outcome>,
}

impl Answer {
    /// Whether every possible outcome is at least `required`. What is not recorded falls short of strict,
    /// and so does a kind without a mode, except `k8s`: Teleport ends such a session when its recording
    /// fails.
    #[must_use]
    pub fn meets(&self, required: Mode) -> bool {
        required == Mode::BestEffort || self.standing() == Standing::Strict
    }

    /// Whether every possible outcome keeps the bound.
    #[must_use]
    pub fn keeps(&self, bound: Bound) -> bool {
        self.outcomes.iter().all(|&outcome| bound.allows(outcome))
    }

    /// Whether no possible outcome keeps the bound.
    #[must_use]
    pub fn breaks(&self, bound: Bound) -> bool {
        !self.outcomes.iter().any(|&outcome| bound.allows(outcome))
    }

    /// The setting that decides: where such sessions are not recorded, what turns the recording off, since
    /// their mode has no effect.
    #[must_use]
    pub fn deciding(&self) -> Option<&Ground> {
        let is_off =
            |ground: &&Ground| self.recording == Some(false) && ground.option == OptionName::Kind(self.kind);
        self.because.iter().find(is_off).or(self.because.first())
    }

    /// How weak the weakest possible outcome is.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let standings = self.outcomes.iter().map(|&outcome| Standing::of(outcome, self.kind));
        standings.min().unwrap_or(Standing::Unrecorded)
    }
}

/// An outcome as one rung, weakest first.
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

impl Standing {
    pub(crate) fn of(outcome: Outcome, kind: SessionKind) -> Self {
        match outcome.mode {
            _ if !outcome.recorded => Self::Unrecorded,
            Some(Mode::BestEffort) => Self::BestEffort,
            Some(Mode::Strict) => Self::Strict,
            None if kind == SessionKind::K8s => Self::Strict,
            None => Self::NoMode,
        }
    }
}

impl RoleSet {
    /// The mode that holds for sessions of this kind by RFD 68's rules, and why. An empty set is
    /// `best_effort`.
    #[must_use]
    pub fn resolve(&self, kind: SessionKind) -> Answer {
        self.answer(kind, Dialect::Rfd68)
    }

    /// The answer for sessions of this kind by the rules of `dialect`, and why.
    #[must_use]
    pub fn answer(&self, kind: SessionKind, dialect: Dialect) -> Answer {
        let outcomes = self.outcomes(kind, dialect);
        let modes: BTreeSet<_> = outcomes.iter().filter_map(|outcome| outcome.mode).collect();
        let mode = modes.first().copied().filter(|_| modes.len() == 1);
        let recording = the_only(outcomes.iter().map(|outcome| outcome.recorded));
        let (direct, defaults) = if dialect.gives_mode(kind) { self.modes(kind) } else { Default::default() };
        let decided_by = match mode {
            _ if !dialect.gives_mode(kind) => DecidedBy::NoMode,
            None => DecidedBy::Unknown,
            // A mode that unknown settings can't change is the mode without them.
            Some(_) if !direct.is_empty() => DecidedBy::Direct,
            Some(_) if !defaults.is_empty() => DecidedBy::Default,
            Some(_) => DecidedBy::BuiltIn,
        };
        let mut unknown = Vec::new();
        if outcomes.len() > 1 {
            unknown.extend(self.unknown(OptionName::Kind(kind)));
            let is_strict = |ground: &Ground| ground.value == Value::Mode(Mode::Strict);
            let settled = !direct.is_empty() || defaults.iter().any(is_strict);
            if decided_by == DecidedBy::Unknown && !settled {
                unknown.extend(self.unknown(OptionName::Default));
            }
            unknown.sort_unstable();
        }
        let (mut because, mut overridden) = (Vec::new(), Vec::new());
        if let Some(mode) = mode {
            let agrees = |ground: &Ground| ground.value == Value::Mode(mode);
            for ground in direct {
                if agrees(&ground) { because.push(ground) } else { overridden.push(ground) }
            }
            for ground in defaults {
                if !agrees(&ground) {
                    overridden.push(ground);
                } else if decided_by == DecidedBy::Default {
                    because.push(ground);
                }
            }
        }
        if kind == SessionKind::Desktop || decided_by == DecidedBy::NoMode {
            let (on, off) = self.recorded(kind, dialect);
            match recording {
                Some(false) => because.extend(off),
                Some(true) if !off.is_empty() || dialect == Dialect::Teleport => {
                    because.extend(on);
                    overridden.extend(off);
                }
                _ => {}
            }
        }
        for grounds in [&mut because, &mut overridden] {
            grounds.sort_unstable();
            grounds.dedup();
        }
        let possible = if modes.len() > 1 { modes.into_iter().rev().collect() } else { Vec::new() };
        Answer { kind, mode, possible, recording, decided_by, because, overridden, unknown, outcomes }
    }

    /// Every outcome that is possible for sessions of this kind.
    fn outcomes(&self, kind: SessionKind, dialect: Dialect) -> BTreeSet<Outcome> {
        if self.roles().is_empty() {
            let mode = dialect.gives_mode(kind).then_some(Mode::BestEffort);
            return BTreeSet::from([Outcome { mode, recorded: true }]);
        }
        self.possible(kind, dialect).outcomes(kind, dialect)
    }

    /// The facts about these roles that are possible.
    pub(crate) fn possible(&self, kind: SessionKind, dialect: Dialect) -> Possible {
        let facts = self.roles().iter().map(|role| Possible::of_role(role, kind, dialect));
        facts.fold(Possible::NO_ROLE, Possible::with)
    }

    /// Every mode given to this kind itself, and every `default`.
    fn modes(&self, kind: SessionKind) -> (Vec<Ground>, Vec<Ground>) {
        let modes = self.roles().iter().flat_map(|role| role.grounds(kind));
        let modes = modes.filter(|ground| matches!(ground.value, Value::Mode(_)));
        modes.partition(|ground| ground.option == OptionName::Kind(kind))
    }

    /// The settings that keep recording on, and those that turn it off. In Teleport's dialect a kind that
    /// has no mode takes its own options for nothing, and a mode at `desktop` for false.
    fn recorded(&self, kind: SessionKind, dialect: Dialect) -> (Vec<Ground>, Vec<Ground>) {
        let own = self.roles().iter().flat_map(|role| role.grounds(kind));
        let own = own.filter(|ground| ground.option == OptionName::Kind(kind));
        let counts = |ground: &Ground| match ground.value {
            Value::Recorded(_) => true,
            Value::Mode(_) => dialect == Dialect::Teleport,
            Value::Unknown => false,
        };
        own.filter(counts).partition(|ground| ground.value == Value::Recorded(true))
    }

    /// The unknown settings of this option.
    fn unknown(&self, option: OptionName) -> impl Iterator<Item = UnknownSetting> + '_ {
        self.roles().iter().filter_map(move |role| {
            let unknown = role.record_session.unknown.get(&option)?;
            let (at, reason) = (unknown.at.clone(), unknown.reason);
            Some(UnknownSetting { role: Arc::clone(&role.name), option, at, reason })
        })
    }
}

/// The value, if all are the same.
fn the_only<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::super::{Desktop, Place, RecordSession, Role, Setting};
    use super::*;

    fn set(roles: &[RecordSession]) -> RoleSet {
        let role = |(n, settings): (usize, &RecordSession)| {
            Role::new(format!("r{n}"), Place::new("r", 1, 1), settings.clone())
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
        assert_eq!((answer.mode, answer.recording, answer.because.len()), (None, Some(false), 1));
        assert!(!answer.meets(Mode::Strict));
        let answer = set(&[strict, RecordSession::default()]).answer(SessionKind::Desktop, Dialect::Teleport);
        assert_eq!(answer.recording, Some(true), "a role without settings keeps it on");
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
            assert_eq!(set(&[]).answer(kind, Dialect::Rfd68), set(&[]).resolve(kind));
            assert_eq!(set(&[]).answer(kind, Dialect::Teleport).recording, Some(true));
        }
    }
}
