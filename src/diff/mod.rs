//! What changes between two states of the roles: the answers before and after, for each role alone
//! and for each user and group, by kind of session. Pure.
//!
//! A party that is on both sides (by set, sort and name) is compared kind by kind; one that is on one side
//! only is `new` or `gone`. What stays as it was is left out, wherever it is written now. Each change
//! names the settings that caused it: those that decide after it and were not there, or had another
//! value, before; and those that decided before it and are gone.
//!
//! A setting that is unknown by the same expression on both sides has the same value on both. A change
//! that depends on unknown settings is *possible*: it is listed as such, and counts like a certain one.

mod causes;
mod party;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::holders::{HolderKind, Unknown};
use crate::policy::{self, Answer, Dialect, OptionName, Outcome, Place, SessionKind, Value};
use crate::roles::{Loaded, Loader, Roles, SetKey};

use self::party::Party;

/// What sort of party it is; the order is that of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum PartyKind {
    /// A role, held alone.
    Role(RoleAlone),
    /// A user or group with all that it holds.
    Holder(HolderKind),
}

/// Says that a party is a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleAlone {
    /// A role.
    Role,
}

impl PartyKind {
    /// A role, held alone.
    pub const ROLE: Self = Self::Role(RoleAlone::Role);

    /// What it is called in a report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Holder(kind) => kind.name(),
        }
    }
}

/// What happened to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// From recorded to not recorded.
    RecordingOff,
    /// From strict to best effort.
    Loosened,
    /// From recorded to not recorded for some values of what is unknown.
    MayTurnOff,
    /// From strict to best effort for some values of what is unknown.
    MayLoosen,
    /// From best effort to strict.
    Tightened,
    /// From not recorded to recorded.
    RecordingOn,
    /// From best effort to strict for some values of what is unknown.
    MayTighten,
    /// From not recorded to recorded for some values of what is unknown.
    MayTurnOn,
    /// The party was not there before.
    New,
    /// The party is not there any more.
    Gone,
}

impl What {
    /// All, the worst first.
    pub const ALL: [Self; 10] = [
        Self::RecordingOff,
        Self::Loosened,
        Self::MayTurnOff,
        Self::MayLoosen,
        Self::Tightened,
        Self::RecordingOn,
        Self::MayTighten,
        Self::MayTurnOn,
        Self::New,
        Self::Gone,
    ];

    /// What it is called in a report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordingOff => "recording off",
            Self::Loosened => "loosened",
            Self::MayTurnOff => "recording may be off",
            Self::MayLoosen => "may be loosened",
            Self::MayTighten => "may be tightened",
            Self::MayTurnOn => "recording may be on",
            Self::Tightened => "tightened",
            Self::RecordingOn => "recording on",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }

    /// Whether less is recorded, or less surely, than before; also where that is only possible.
    #[must_use]
    pub fn is_weaker(self) -> bool {
        matches!(self, Self::Loosened | Self::RecordingOff | Self::MayLoosen | Self::MayTurnOff)
    }

    /// Whether the change is one of the mode, and not of recording.
    fn is_of_mode(self) -> bool {
        matches!(self, Self::Loosened | Self::MayLoosen | Self::Tightened | Self::MayTighten)
    }
}

/// A change of one party's answer for one kind of session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The kind of session.
    pub kind: SessionKind,
    /// What happened.
    pub what: What,
    /// The answer before; none for a new party.
    pub before: Option<Answer>,
    /// The answer after; none for a party that is gone.
    pub after: Option<Answer>,
    /// What caused it; empty for a party that is new or gone.
    pub causes: Vec<Cause>,
}

/// A setting that came, went or changed; or a role that did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cause {
    /// The role.
    pub role: Arc<str>,
    /// Its option; none where it is the role itself that came or went.
    pub option: Option<OptionName>,
    /// What it said before.
    pub before: Option<Value>,
    /// What it says after.
    pub after: Option<Value>,
    /// Where it is written; if it is gone, where it was.
    pub at: Place,
    /// Where the party was given the role, if it holds it on one side only.
    pub held_at: Option<Place>,
}

/// All changes of a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyChanges {
    /// The separate set of roles that it is in.
    pub set: SetKey,
    /// What sort of party it is.
    pub kind: PartyKind,
    /// Its name.
    pub name: Arc<str>,
    /// Where it is; if it is gone, where it was.
    pub at: Place,
    /// The changes, by kind; several of a kind in the order of [`What::ALL`].
    pub changes: Vec<Change>,
    /// What it holds since the change that can't be resolved; the answers leave it out.
    pub unknown_since: Vec<Unknown>,
    /// What it held before that could not be resolved, and does not any more.
    pub unknown_before: Vec<Unknown>,
}

/// The changes of all parties that have any, sorted by sort and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The parties.
    pub parties: Vec<PartyChanges>,
}

impl Diff {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parties.is_empty()
    }

    /// Whether less is recorded, or less surely, for anyone that is on both sides.
    #[must_use]
    pub fn is_weaker(&self) -> bool {
        self.parties.iter().flat_map(|party| &party.changes).any(|change| change.what.is_weaker())
    }

    /// How many changes of each sort there are; parties that are new or gone count once.
    #[must_use]
    pub fn count(&self, what: What) -> usize {
        let of = |party: &PartyChanges| party.changes.iter().filter(|change| change.what == what).count();
        let once = matches!(what, What::New | What::Gone);
        self.parties.iter().map(|party| if once { of(party).min(1) } else { of(party) }).sum()
    }
}

/// What changes from `old` to `new`.
#[must_use]
pub fn compare(old: &Loaded, new: &Loaded, settings: &Settings) -> Diff {
    let Settings { dialect, with_requests, old_is_partial } = *settings;
    let loaded_apart = loaded_apart(old, new);
    let by_key = |loaded: &Loaded| -> BTreeMap<_, _> {
        let mut by_key = BTreeMap::new();
        for roles in loaded.sets() {
            for set in as_compared(roles.key(), &loaded_apart) {
                let parties = party::parties(roles, &set, dialect, with_requests).into_iter();
                let key = |party: &Party| (party.set.clone(), party.kind, Arc::clone(&party.name));
                by_key.extend(parties.map(|party| (key(&party), party)));
            }
        }
        by_key
    };
    let (mut before, after) = (by_key(old), by_key(new));
    let mut parties: Vec<_> = Vec::new();
    for (key, party) in after {
        let unread = || old_is_partial.then(|| Party::unread(&party, dialect));
        parties.extend(of_party(before.remove(&key).or_else(unread), Some(party), dialect));
    }
    parties.extend(before.into_values().filter_map(|party| of_party(Some(party), None, dialect)));
    parties.sort_by(|a, b| (a.kind, &a.name, &a.set).cmp(&(b.kind, &b.name, &b.set)));
    Diff { parties }
}

/// The sets that Terraform and `OpenTofu` load apart on a side, without their loaders.
fn loaded_apart(old: &Loaded, new: &Loaded) -> BTreeSet<SetKey> {
    let sets = old.sets().iter().chain(new.sets()).map(Roles::key);
    sets.filter(|set| set.loader.is_some()).map(|set| SetKey { loader: None, ..set.clone() }).collect()
}

/// The sets as which one is compared: one that both load alike, with what either loads on the other side.
fn as_compared(set: &SetKey, loaded_apart: &BTreeSet<SetKey>) -> Vec<SetKey> {
    if !loaded_apart.contains(set) {
        return vec![set.clone()];
    }
    [Loader::Terraform, Loader::OpenTofu].map(|loader| SetKey { loader: Some(loader), ..set.clone() }).into()
}

/// How two states are compared.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// The rules of the answers.
    pub dialect: Dialect,
    /// Whether to compare the weakest answer that each could come to by a request.
    pub with_requests: bool,
    /// Whether the old side holds documents that could not be read. Then a party that is on the new side
    /// only may have been in one of them, with any settings.
    pub old_is_partial: bool,
}

/// What changed for one party, if anything did.
fn of_party(before: Option<Party>, after: Option<Party>, dialect: Dialect) -> Option<PartyChanges> {
    let mut changes = Vec::new();
    for (n, kind) in SessionKind::ALL.into_iter().enumerate() {
        match (&before, &after) {
            (Some(old), Some(new)) => {
                let (was, is) = (&old.cells[n].answer, &new.cells[n].answer);
                for what in differences(&transitions(old, new, n, dialect)) {
                    let causes = causes::find(old, new, n, what);
                    let (before, after) = (Some(was.clone()), Some(is.clone()));
                    changes.push(Change { kind, what, before, after, causes });
                }
            }
            (old, new) => {
                let answer =
                    |party: &Option<Party>| party.as_ref().map(|party| party.cells[n].answer.clone());
                let what = if new.is_some() { What::New } else { What::Gone };
                let (before, after) = (answer(old), answer(new));
                changes.push(Change { kind, what, before, after, causes: Vec::new() });
            }
        }
    }
    let unknown =
        |party: &Option<Party>| party.as_ref().map(|party| party.unknown.clone()).unwrap_or_default();
    let (was, is) = (unknown(&before), unknown(&after));
    let only = |these: &[Unknown], others: &[Unknown]| -> Vec<Unknown> {
        let known =
            |one: &&Unknown| others.iter().any(|other| (other.what, &other.name) == (one.what, &one.name));
        these.iter().filter(|one| !known(one)).cloned().collect()
    };
    let (unknown_since, unknown_before) = (only(&is, &was), only(&was, &is));
    if changes.is_empty() && unknown_since.is_empty() && unknown_before.is_empty() {
        return None;
    }
    let Party { set, kind, name, at, .. } = after.or(before)?;
    Some(PartyChanges { set, kind, name, at, changes, unknown_since, unknown_before })
}

/// The outcomes of the cell `n` before and after that are possible together.
fn transitions(old: &Party, new: &Party, n: usize, dialect: Dialect) -> BTreeSet<(Outcome, Outcome)> {
    let (was, is) = (&old.cells[n].answer, &new.cells[n].answer);
    if let (Some(before), Some(after)) = (the_only(&was.outcomes), the_only(&is.outcomes)) {
        return BTreeSet::from([(before, after)]);
    }
    policy::transitions(&old.set(n), &new.set(n), is.kind, dialect)
}

fn the_only(outcomes: &BTreeSet<Outcome>) -> Option<Outcome> {
    outcomes.first().copied().filter(|_| outcomes.len() == 1)
}

/// How the answers differ: not at all, by the mode, by recording, or by both; the worst first.
fn differences(transitions: &BTreeSet<(Outcome, Outcome)>) -> Vec<What> {
    type Differs = fn(&(Outcome, Outcome)) -> bool;
    let all: [(Differs, What, What); 4] = [
        (|(was, is)| was.recorded && !is.recorded, What::RecordingOff, What::MayTurnOff),
        (|(was, is)| was.mode > is.mode, What::Loosened, What::MayLoosen),
        (|(was, is)| was.mode < is.mode, What::Tightened, What::MayTighten),
        (|(was, is)| !was.recorded && is.recorded, What::RecordingOn, What::MayTurnOn),
    ];
    let mut found: Vec<_> = all
        .into_iter()
        .filter_map(|(differs, certain, possible)| {
            let count = transitions.iter().filter(|pair| differs(pair)).count();
            (count > 0).then_some(if count == transitions.len() { certain } else { possible })
        })
        .collect();
    found.sort_unstable();
    found
}
