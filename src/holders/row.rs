//! A holder's answers: a row of the matrix.

use std::sync::Arc;

use super::{Holder, Unknown};
use crate::policy::{Answer, Dialect, Mode, Possible, Role, RoleSet, SessionKind, Standing};

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

    /// Something that is left out and could make the cell fall short of `required`, as a role with any
    /// settings would.
    #[must_use]
    pub fn could_loosen(
        &self,
        cell: &Cell,
        required: Mode,
        dialect: Dialect,
        with_requests: bool,
    ) -> Option<&Unknown> {
        let unknown = self.unknown(with_requests).next()?;
        if required == Mode::BestEffort {
            return None;
        }
        let kind = cell.answer.kind;
        let held = self.holder.held.iter().map(|(role, _)| role).chain(&cell.requested);
        let facts = held.map(|role| Possible::of_role(role, kind, dialect));
        let facts = facts.fold(Possible::any_role(kind, dialect), Possible::with);
        let falls_short = weakness(facts, kind, dialect) < Some(Standing::Strict);
        falls_short.then_some(unknown)
    }

    /// What the answers leave out.
    pub fn unknown(&self, with_requests: bool) -> impl Iterator<Item = &Unknown> {
        let requests = if with_requests { self.holder.unknown_requests.as_slice() } else { &[] };
        self.holder.unknown.iter().chain(requests)
    }
}

/// The weakest answer for `set`, alone or with any of the requestable roles.
///
/// One role is enough: only a direct `best_effort` loosens a set, and only where strict comes from a
/// default. Further roles can only tighten what is loose. Recording that is on, no further role turns
/// off, and what is not recorded is as weak as can be.
fn weakest(set: &RoleSet, requestable: &[Arc<Role>], kind: SessionKind, dialect: Dialect) -> Cell {
    let answer = set.answer(kind, dialect);
    let held = set.possible(kind, dialect);
    let with = |role: &Arc<Role>| weakness(held.with(Possible::of_role(role, kind, dialect)), kind, dialect);
    let weakest = requestable.iter().map(|role| (with(role), role)).min_by_key(|(weakness, _)| *weakness);
    match weakest.filter(|(weakness, _)| *weakness < Some(answer.standing())) {
        None => Cell { answer, requested: None },
        Some((_, role)) => {
            let with: RoleSet = set.roles().iter().chain([role]).cloned().collect();
            Cell { answer: with.answer(kind, dialect), requested: Some(Arc::clone(role)) }
        }
    }
}

/// The weakest of the outcomes that these facts leave possible.
fn weakness(facts: Possible, kind: SessionKind, dialect: Dialect) -> Option<Standing> {
    facts.outcomes(kind, dialect).into_iter().map(|outcome| Standing::of(outcome, kind)).min()
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
    use crate::policy::{Desktop, OptionName, Place, RecordSession, Setting, Unknown, UnknownReason};

    fn role() -> impl Strategy<Value = Arc<Role>> {
        let mode = || prop::option::of(prop::sample::select(Mode::ALL.to_vec()));
        let desktop =
            [Desktop::Mode(Mode::Strict), Desktop::Mode(Mode::BestEffort), Desktop::Recorded(false)];
        let desktop = prop::option::of(prop::sample::select(desktop.to_vec()));
        let unknown =
            prop::sample::subsequence(vec![OptionName::Default, OptionName::Kind(SessionKind::Ssh)], 0..=2);
        (mode(), mode(), desktop, unknown).prop_map(|(default, ssh, desktop, unknown)| {
            let at = || Place::new("r", 1, 1);
            let is_known = |option| !unknown.contains(&option);
            let said = RecordSession {
                default: default
                    .filter(|_| is_known(OptionName::Default))
                    .map(|mode| Setting::new(mode, at())),
                ssh: ssh
                    .filter(|_| is_known(OptionName::Kind(SessionKind::Ssh)))
                    .map(|mode| Setting::new(mode, at())),
                desktop: desktop.map(|value| Setting::new(value, at())),
                unknown: unknown
                    .iter()
                    .map(|&option| {
                        (
                            option,
                            Unknown {
                                reason: UnknownReason::Expression,
                                expression: "var.x".into(),
                                at: at(),
                            },
                        )
                    })
                    .collect(),
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
