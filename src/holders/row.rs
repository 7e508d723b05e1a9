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
/// One requested role is enough to look at: a set is loosened by a direct `best_effort` where strict
/// came from a default, which one role does, and further roles can only tighten what is loose.
/// Recording, where it is on, no further role turns off.
fn weakest(set: &RoleSet, requestable: &[Arc<Role>], kind: SessionKind, dialect: Dialect) -> Cell {
    let mut cell = Cell { answer: set.answer(kind, dialect), requested: None };
    if set.roles().is_empty() {
        return cell;
    }
    for role in requestable {
        // A role that says nothing of the kind itself loosens nothing.
        if role.record_session.direct(kind).is_none() {
            continue;
        }
        let with: RoleSet = set.roles().iter().chain([role]).cloned().collect();
        let answer = with.answer(kind, dialect);
        if answer.standing() < cell.answer.standing() {
            cell = Cell { answer, requested: Some(Arc::clone(role)) };
        }
    }
    cell
}

/// A row for each of these holders.
#[must_use]
pub fn rows(holders: Vec<Holder>, kinds: &[SessionKind], dialect: Dialect, with_requests: bool) -> Vec<Row> {
    holders.into_iter().map(|holder| Row::new(holder, kinds, dialect, with_requests)).collect()
}
