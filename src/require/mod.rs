//! Requirements: "whoever holds a role that matches is strict", proved or refuted. Pure.
//!
//! A requirement of `roles` speaks of every set of the roles that were read (those of `except_roles`
//! left out) that holds at least one match, and there are 2ⁿ of them. Yet sets of one and two roles
//! decide it, for each kind:
//!
//! 1. **One role.** A match that falls short alone is a set that falls short. That is a match which
//!    gives the kind `best_effort`, or gives it nothing while its `default` is not strict, or says
//!    `desktop: false`.
//! 2. **Two roles.** Let every match meet the requirement alone, and let some set S that holds the
//!    match m fall short.
//!    Recording is on in S, since m keeps it on. So S is `best_effort`, and no role of it gives the
//!    kind strict. Then m, which is strict alone, has that from its own `default`, and S has a strict
//!    default. By the rules such a set is `best_effort` only if some role b of it gives the kind
//!    `best_effort` itself. No role of {m, b} gives the kind strict, and b gives it `best_effort`: the
//!    pair falls short already.
//!
//! So the requirement holds for a kind exactly if no match falls short alone and, where some match
//! is strict by its default only, no role that was read gives the kind `best_effort`. What this finds is
//! also the smallest counterexample there is.
//!
//! A requirement of `users` speaks of each user's and group's own set, without the roles of
//! `except_roles`. Who is left without any role opens no session and falls short of nothing.

mod proof;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::config::Pattern;
use crate::holders::{HolderKind, Unknown};
use crate::policy::{Decision, Ground, Place, Role, SessionKind};

pub use proof::prove;

/// What became of a requirement.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Why it does not hold; none if it does.
    pub refutations: Vec<Refutation>,
    /// Users and groups for whom it can be neither proved nor refuted, and what is not known of them.
    pub unproved: Vec<Unproved>,
    /// Patterns (of `roles`, `users` and `except_roles`) that match nothing that was read.
    pub unmatched: Vec<Pattern>,
}

impl Outcome {
    /// Whether the requirement was proved.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.refutations.is_empty() && self.unproved.is_empty()
    }
}

/// A counterexample: a set of roles that falls short, for one or more kinds for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refutation {
    /// The user or group whose set it is, where the requirement speaks of users.
    pub holder: Option<Named>,
    /// The roles, the match first; for `roles`, no smaller set falls short. Of a user, those roles
    /// that decide.
    pub roles: Vec<Arc<Role>>,
    /// The answer for each kind that falls short.
    pub decisions: Vec<Decision>,
    /// What would mend it, in words; names are quoted, so it can be printed after escaping.
    pub mend: String,
    /// How many other sets of this size (for `roles`: other matches) fall short for these kinds too.
    pub others: usize,
}

impl Refutation {
    /// The kinds that fall short.
    pub fn kinds(&self) -> impl Iterator<Item = SessionKind> {
        self.decisions.iter().map(|decision| decision.kind)
    }

    /// Every setting that has a part in it, in the order of the places, each once.
    #[must_use]
    pub fn grounds(&self) -> Vec<&Ground> {
        let of = |decision: &'_ Decision| decision.because.len() + decision.overridden.len();
        let mut grounds = Vec::with_capacity(self.decisions.iter().map(of).sum());
        for decision in &self.decisions {
            grounds.extend(decision.because.iter().chain(&decision.overridden));
        }
        grounds.sort_unstable_by_key(|ground| &ground.at);
        grounds.dedup();
        grounds
    }
}

/// A user or group whose own set can't be known in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproved {
    /// Who.
    pub holder: Named,
    /// The kinds that what is unknown could loosen.
    pub kinds: Vec<SessionKind>,
    /// What is unknown; never empty.
    pub unknown: Vec<Unknown>,
}

/// A user or group, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What sort of holder it is.
    pub kind: HolderKind,
    /// Its name.
    pub name: Arc<str>,
    /// Where it is named.
    pub at: Place,
}
