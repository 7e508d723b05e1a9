//! Whoever is compared: a role held alone, a user, a group.

use std::sync::Arc;

use super::PartyKind;
use crate::holders::{self, Cell, Row, holders};
use crate::policy::{Dialect, Place, RecordSession, Role, RoleSet, SessionKind, Unknown, UnknownReason};
use crate::roles::{Roles, SetKey};

/// One side of a comparison.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) set: SetKey,
    pub(super) kind: PartyKind,
    pub(super) name: Arc<str>,
    pub(super) at: Place,
    /// The roles that it holds, and where it is given each; sorted by name.
    pub(super) held: Vec<(Arc<Role>, Place)>,
    /// A cell for each kind, in their order.
    pub(super) cells: Vec<Cell>,
    pub(super) unknown: Vec<holders::Unknown>,
}

impl Party {
    /// A party with unknown settings, in place of one that may have been in a document which could not be read.
    pub(super) fn unread(after: &Self, dialect: Dialect) -> Self {
        let expression = "a document that can't be read".into();
        let settings = RecordSession::unknown(&Unknown {
            reason: UnknownReason::Unreadable,
            expression,
            at: after.at.clone(),
        });
        let role = Arc::new(Role::new(Arc::clone(&after.name), after.at.clone(), settings));
        let set = std::iter::once(Arc::clone(&role)).collect::<RoleSet>();
        let cell = |kind| Cell { answer: set.answer(kind, dialect), requested: None };
        Self {
            set: after.set.clone(),
            kind: after.kind,
            name: Arc::clone(&after.name),
            at: after.at.clone(),
            held: vec![(role, after.at.clone())],
            cells: SessionKind::ALL.map(cell).into(),
            unknown: after.unknown.clone(),
        }
    }

    /// The roles behind the cell `n` as a set.
    pub(super) fn set(&self, n: usize) -> RoleSet {
        self.roles(n).map(|(role, _)| Arc::clone(role)).collect()
    }

    /// The roles behind the cell `n`: what it holds, and the role that has to be requested for it.
    pub(super) fn roles(&self, n: usize) -> impl Iterator<Item = (&Arc<Role>, &Place)> {
        let requested = self.cells[n].requested.as_ref().map(|role| (role, &role.at));
        self.held.iter().map(|(role, at)| (role, at)).chain(requested)
    }
}

/// Every role, user and group of a set, which is called `set` here. Who holds no role opens no session, so it is as good as not there.
pub(super) fn parties(roles: &Roles, set: &SetKey, dialect: Dialect, with_requests: bool) -> Vec<Party> {
    let alone = roles.roles().iter().map(|role| {
        let alone = std::iter::once(Arc::clone(role)).collect::<RoleSet>();
        let cell = |kind| Cell { answer: alone.answer(kind, dialect), requested: None };
        Party {
            set: set.clone(),
            kind: PartyKind::ROLE,
            name: Arc::clone(&role.name),
            at: role.at.clone(),
            held: vec![(Arc::clone(role), role.at.clone())],
            cells: SessionKind::ALL.map(cell).into(),
            unknown: Vec::new(),
        }
    });
    let holders = holders(roles, with_requests).into_iter().filter_map(|holder| {
        let row = Row::new(holder, &SessionKind::ALL, dialect, with_requests);
        if row.is_idle() {
            return None;
        }
        let unknown = row.unknown(with_requests).cloned().collect();
        let Row { holder, cells } = row;
        Some(Party {
            set: set.clone(),
            kind: PartyKind::Holder(holder.kind),
            name: holder.name,
            at: holder.at,
            held: holder.held,
            cells,
            unknown,
        })
    });
    alone.chain(holders).collect()
}
