//! A holder's answers: a row of the matrix.

use std::sync::Arc;

use super::{Holder, Unknown};
use crate::policy::{Answer, DecidedBy, Dialect, Mode, Role, RoleSet, SessionKind, Standing};

/// A holder and what holds for it.
#[derive(Debug, Clone)]
pub struct Row {
    /// The user or group.
    pub holder: Holder,
    /// A cell for each kind that was asked for, in their order.
    pub cells: Vec<Cell>,
}

/// What holds for one holder and one kind of session.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The answer; with requests, the weakest that any of them could come to.
    pub answer: Answer,
    /// The role that has to be requested for it.
    pub requested: Option<Arc<Role>>,
}

impl Row {
    /// The answers for a holder.
    #[must_use]
    pub fn new(holder: Holder, kinds: &[SessionKind], dialect: Dialect, with_requests: bool) -> Self {
        let set = holder.set();
        let requestable = if with_requests { holder.requestable.as_slice() } else { &[] };
        let cells = kinds.iter().map(|&kind| weakest(&set, requestable, kind, dialect)).collect();
        Self { holder, cells }
    }

    /// Whether the holder holds no role, not even one that can't be resolved, so that it can open no
    /// session; its answers are those of the empty set and mean nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.holder.held.is_empty() && self.holder.unknown.is_empty()
    }

    /// The weakest cell, the first of equally weak ones; none where nothing is weak: where every
    /// kind is strict or has no mode, or where the holder is [idle](Self::is_idle).
    #[must_use]
    pub fn weakest(&self) -> Option<&Cell> {
        if self.is_idle() {
            return None;
        }
        let weak = self.cells.iter().filter(|cell| cell.answer.standing() < Standing::NoMode);
        weak.min_by_key(|cell| cell.answer.standing())
    }

    /// Something that is left out and could make the cell fall short of `required`; nothing can where
    /// the kind itself is given strict, or where roles have no say.
    #[must_use]
    pub fn could_loosen(&self, cell: &Cell, required: Mode, with_requests: bool) -> Option<&Unknown> {
        let answer = &cell.answer;
        let is_settled = answer.mode.is_none() || answer.decided_by == DecidedBy::Direct;
        if required == Mode::BestEffort || is_settled {
            return None;
        }
        self.unknown(with_requests).next()
    }

    /// What the answers leave out.
    pub fn unknown(&self, with_requests: bool) -> impl Iterator<Item = &Unknown> {
        let requests = if with_requests { self.holder.unknown_requests.as_slice() } else { &[] };
        self.holder.unknown.iter().chain(requests)
    }
}

/// The weakest answer for `set`, alone or with any of the requestable roles.
///
/// Only a direct `best_effort` loosens a set, and only where strict comes from a default. One such
/// role does it, and further ones can only tighten what is loose. Recording that is on, no further
/// role turns off, and what is not recorded is as weak as can be.
fn weakest(set: &RoleSet, requestable: &[Arc<Role>], kind: SessionKind, dialect: Dialect) -> Cell {
    let answer = set.answer(kind, dialect);
    let can_loosen =
        answer.recording && (answer.mode, answer.decided_by) == (Some(Mode::Strict), DecidedBy::Default);
    let loosens = |role: &&Arc<Role>| {
        role.record_session.direct(kind).is_some_and(|(mode, _)| mode == Mode::BestEffort)
    };
    match requestable.iter().find(loosens).filter(|_| can_loosen) {
        None => Cell { answer, requested: None },
        Some(role) => {
            let with: RoleSet = set.roles().iter().chain([role]).cloned().collect();
            Cell { answer: with.answer(kind, dialect), requested: Some(Arc::clone(role)) }
        }
    }
}

/// A row for each of these holders.
#[must_use]
pub fn rows(holders: Vec<Holder>, kinds: &[SessionKind], dialect: Dialect, with_requests: bool) -> Vec<Row> {
    holders.into_iter().map(|holder| Row::new(holder, kinds, dialect, with_requests)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::{Desktop, Place, RecordSession, Setting};

    fn role() -> impl Strategy<Value = Arc<Role>> {
        let mode = || prop::option::of(prop::sample::select(Mode::ALL.to_vec()));
        let desktop =
            [Desktop::Mode(Mode::Strict), Desktop::Mode(Mode::BestEffort), Desktop::Recorded(false)];
        let desktop = prop::option::of(prop::sample::select(desktop.to_vec()));
        (mode(), mode(), desktop).prop_map(|(default, ssh, desktop)| {
            let at = || Place::new("r", 1, 1);
            let said = RecordSession {
                default: default.map(|mode| Setting::new(mode, at())),
                ssh: ssh.map(|mode| Setting::new(mode, at())),
                desktop: desktop.map(|value| Setting::new(value, at())),
                ..RecordSession::default()
            };
            Arc::new(Role::new("r", at(), said))
        })
    }

    proptest! {
        #[test]
        fn one_requested_role_is_as_weak_as_any_request_could_come_to(
            held in prop::collection::vec(role(), 1..4),
            requestable in prop::collection::vec(role(), 0..5),
        ) {
            let set: RoleSet = held.iter().cloned().collect();
            for dialect in Dialect::ALL {
                for kind in SessionKind::ALL {
                    let cell = weakest(&set, &requestable, kind, dialect);
                    let all = (0..1_u32 << requestable.len()).map(|bits| {
                        let some = (0..requestable.len()).filter(|n| bits >> n & 1 == 1);
                        let with: RoleSet =
                            held.iter().chain(some.map(|n| &requestable[n])).cloned().collect();
                        with.answer(kind, dialect).standing()
                    });
                    prop_assert_eq!(Some(cell.answer.standing()), all.min(), "{} {:?}", kind, dialect);
                }
            }
        }
    }
}
