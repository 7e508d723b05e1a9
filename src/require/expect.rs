//! Expectations: the exact mode that a user, a group or a set of roles comes to. Pure.

use std::sync::Arc;

use super::proof::may_break;
use crate::config::{Expectation, Subject};
use crate::holders::{HolderKind, Unknown};
use crate::policy::{Answer, Bound, Mode, Role, RoleSet, SessionKind};

use super::Known;

/// What an expectation deviates by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deviation {
    /// There is no such user, group or role.
    NotRead {
        /// The name that was not read.
        name: String,
        /// What it is the name of: `user`, `group` or `role`.
        what: &'static str,
    },
    /// The answer for a kind is another one, or can't be known.
    Answer(Box<Expected>),
}

/// An answer that is not the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The expected mode.
    pub mode: Mode,
    /// The answer.
    pub actual: Answer,
    /// Whether the answer may be the expected one: what is missing to know it is `actual.unknown` and
    /// `unread`.
    pub is_possible: bool,
    /// What the user or group holds that can't be resolved.
    pub unread: Vec<Unknown>,
}

/// Checks one expectation; empty if it holds.
#[must_use]
pub fn check(expectation: &Expectation, known: &Known<'_>) -> Vec<Deviation> {
    let set = match &expectation.subject {
        Subject::Roles(names) => named_roles(names, known.roles),
        Subject::User(name) => held(name, "user", known),
        Subject::Group(name) => held(name, "group", known),
    };
    let sets = match set {
        Ok(sets) => sets,
        Err(deviations) => return deviations,
    };
    let mut deviations = Vec::new();
    for (set, unread) in &sets {
        for &(kind, mode) in &expectation.modes {
            deviations.extend(deviation(set, unread, kind, mode));
        }
    }
    deviations
}

type Held = (RoleSet, Vec<Unknown>);

fn named_roles(names: &[String], roles: &[Arc<Role>]) -> Result<Vec<Held>, Vec<Deviation>> {
    let find = |name: &String| {
        let found = roles.binary_search_by(|role| role.name.as_ref().cmp(name.as_str()));
        found
            .map(|n| Arc::clone(&roles[n]))
            .map_err(|_| Deviation::NotRead { name: name.clone(), what: "role" })
    };
    let missing: Vec<_> = names.iter().filter_map(|name| find(name).err()).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    Ok(vec![(names.iter().filter_map(|name| find(name).ok()).collect(), Vec::new())])
}

/// What a user holds; of groups, what each of this name holds.
fn held(name: &str, what: &'static str, known: &Known<'_>) -> Result<Vec<Held>, Vec<Deviation>> {
    let is_user = what == "user";
    let named = known.holders.iter().filter(|holder| {
        (holder.kind == HolderKind::User) == is_user && (&*holder.name == name || &*holder.short == name)
    });
    let sets: Vec<_> = named.map(|holder| (holder.set(), holder.unknown.clone())).collect();
    if sets.is_empty() {
        return Err(vec![Deviation::NotRead { name: name.to_owned(), what }]);
    }
    Ok(sets)
}

fn deviation(set: &RoleSet, unread: &[Unknown], kind: SessionKind, mode: Mode) -> Option<Deviation> {
    let bound = Bound::Exactly(mode);
    let actual = set.resolve(kind);
    // Who holds no role opens no session, so no mode can be expected of it.
    let is_idle = set.roles().is_empty() && unread.is_empty();
    if !is_idle && !may_break(set, !unread.is_empty(), kind, bound) {
        return None;
    }
    let is_possible = !is_idle && (set.roles().is_empty() || !actual.breaks(bound));
    Some(Deviation::Answer(Box::new(Expected { mode, actual, is_possible, unread: unread.to_vec() })))
}
