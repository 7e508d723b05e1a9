//! Requirements: "whoever holds a role that matches is strict", proved or refuted; and expectations of
//! single users, groups and sets of roles. Pure.
//!
//! A requirement of `roles` speaks of every set of the roles that were read (those of `except_roles`
//! left out) that holds at least one match, and there are 2ⁿ of them. Yet sets of up to three roles
//! decide it, for each kind. An outcome depends on four facts alone: whether a role of the set gives the
//! kind strict, gives it `best_effort`, has a strict default, and keeps recording on. Let S hold the match
//! m and break the bound.
//!
//! - **S falls short of strict.** If S is not recorded, all its roles have `desktop: false`, and m alone
//!   breaks the bound. Else S is `best_effort`, so no role of it gives the kind strict. If a role b of it
//!   gives the kind `best_effort`, so does {m, b}, and breaks the bound. If none does, no role of S has a
//!   strict default, and m alone breaks the bound.
//! - **S is stricter than `best_effort`.** If a role s of it gives the kind strict, {m, s} is strict and
//!   recorded. If none does, no role of S gives the kind `best_effort`, and some role d of it has a strict
//!   default; some role r of it keeps recording on. Then {m, d, r} is strict and recorded.
//! - **S is to be recorded, and is not.** Then m alone is not.
//!
//! What this finds is also the smallest counterexample there is.
//!
//! A setting that is unknown may be any value. A set breaks the bound *possibly* if it does for some
//! values, and *certainly* if it does for all. A requirement is proved if no set possibly breaks it. It is
//! refuted if some set certainly does: were every set kept for some values, then all would be for the
//! same ones, as for each bound there is a value that is the best for every set (strict, or `best_effort`
//! at the kind itself). Else it can't be proved. Of roles that show the same facts one is as good as
//! another, so that few have to be looked at; of those with unknown settings, three.
//!
//! A requirement of `users` speaks of each user's and group's own set, without the roles of
//! `except_roles`. Who is left without any role opens no session and breaks no bound. A role that was not
//! read may have any settings.

mod expect;
mod mend;
mod proof;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::config::Pattern;
use crate::holders::{HolderKind, Unknown};
use crate::policy::{Answer, Ground, Place, Role, SessionKind, UnknownSetting};

pub use expect::{Deviation, Expected, check};
pub use proof::{Known, prove};

/// What became of a requirement.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Why it does not hold; none if it does.
    pub refutations: Vec<Refutation>,
    /// Sets of roles, users and groups for which it can be neither proved nor refuted.
    pub unproved: Vec<Unproved>,
    /// Patterns (of `roles`, `users` and `except_roles`) that match nothing that was read.
    pub unmatched: Vec<Pattern>,
    /// How many other counterexamples and unproved sets there are.
    pub more: usize,
    /// Patterns of `roles` all of whose matches `except_roles` leaves out.
    pub excepted: Vec<Pattern>,
}

impl Verdict {
    /// Whether the requirement was proved.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.refutations.is_empty() && self.unproved.is_empty()
    }
}

/// A counterexample: a set of roles that breaks the bound, for one or more kinds for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refutation {
    /// The user or group whose set it is, where the requirement speaks of users.
    pub holder: Option<Named>,
    /// The roles, the match first; for `roles`, no smaller set with this match breaks the bound. Of a user, those roles
    /// that decide.
    pub roles: Vec<Arc<Role>>,
    /// The answer for each kind that breaks the bound.
    pub answers: Vec<Answer>,
    /// What would mend it, in words; names are quoted, so it can be printed after escaping.
    pub mend: String,
    /// For `roles`: the other matches that break the bound for these kinds by the same settings.
    pub others: Vec<Arc<str>>,
}

impl Refutation {
    /// The kinds that break the bound.
    pub fn kinds(&self) -> impl Iterator<Item = SessionKind> {
        self.answers.iter().map(|answer| answer.kind)
    }

    /// Every setting that has a part in it, in the order of the places, each once.
    #[must_use]
    pub fn grounds(&self) -> Vec<&Ground> {
        let of = |answer: &'_ Answer| answer.because.len() + answer.overridden.len();
        let mut grounds = Vec::with_capacity(self.answers.iter().map(of).sum());
        for answer in &self.answers {
            grounds.extend(answer.because.iter().chain(&answer.overridden));
        }
        grounds.sort_unstable_by_key(|ground| &ground.at);
        grounds.dedup();
        grounds
    }
}

/// A set of roles that keeps the bound or breaks it, as its unknown settings and roles have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproved {
    /// The user or group whose set it is, where the requirement speaks of users.
    pub holder: Option<Named>,
    /// The roles, the match first; for `roles`, no smaller set with this match possibly breaks the bound.
    pub roles: Vec<Arc<Role>>,
    /// The kinds for which it possibly breaks the bound.
    pub kinds: Vec<SessionKind>,
    /// The settings that are unknown and matter.
    pub settings: Vec<UnknownSetting>,
    /// What the user or group holds that can't be resolved.
    pub unknown: Vec<Unknown>,
    /// The role of an unknown name that may be meant by the requirement.
    pub unnamed: Option<Arc<Role>>,
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
