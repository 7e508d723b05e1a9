//! What caused a change: the settings that decide on one side and are not the same on the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::party::Party;
use super::{Cause, What};
use crate::policy::{Answer, Ground, OptionName, Place, SessionKind, Value};

type Key = (Arc<str>, OptionName);

/// The causes of a change of the cell `n`, sorted.
pub(super) fn find(old: &Party, new: &Party, n: usize, what: What) -> Vec<Cause> {
    let (was, is) = (&old.cells[n].answer, &new.cells[n].answer);
    let (before, after) = (settings(old, n, was.kind), settings(new, n, is.kind));
    let mut keys: Vec<&Key> = before.keys().chain(after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let changed = keys.into_iter().filter_map(|key| {
        let (from, to) = (before.get(key), after.get(key));
        if is_same(old, new, n, key) {
            return None;
        }
        let decides = |answer: &Answer, ground: Option<&Ground>| {
            ground.is_some_and(|ground| {
                let mut unknown = answer.unknown.iter();
                answer.because.contains(ground)
                    || unknown.any(|unknown| (&unknown.role, &unknown.at) == (&ground.role, &ground.at))
            })
        };
        // A boolean gives no mode, so it caused no change of one.
        let is_mode = |ground: Option<&Ground>| {
            ground.is_some_and(|ground| !matches!(ground.value, Value::Recorded(_)))
        };
        let matters = !what.is_of_mode() || is_mode(from) || is_mode(to);
        // Where the mode is unknown, every setting has a part in what is possible.
        let is_open = was.mode.is_none() || is.mode.is_none();
        if !matters || !(decides(was, from) || decides(is, to) || is_open) {
            return None;
        }
        let at = &to.or(from)?.at;
        Some(Cause {
            role: Arc::clone(&key.0),
            option: Some(key.1),
            before: from.map(|ground| ground.value),
            after: to.map(|ground| ground.value),
            at: at.clone(),
            held_at: held_on_one_side(old, new, n, &key.0),
        })
    });
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() { came_or_went(old, new, n) } else { changed }
}

/// What the roles behind the cell say that can matter for this kind.
fn settings(party: &Party, n: usize, kind: SessionKind) -> BTreeMap<Key, Ground> {
    let grounds = party.roles(n).flat_map(|(role, _)| role.grounds(kind));
    grounds.map(|ground| ((Arc::clone(&ground.role), ground.option), ground)).collect()
}

/// Whether the setting has the same value on both sides, as far as can be known.
fn is_same(old: &Party, new: &Party, n: usize, (role, option): &Key) -> bool {
    let setting = |party: &Party| {
        let (role, _) = party.roles(n).find(|(held, _)| held.name == *role)?;
        let settings = &role.record_session;
        let known = match option {
            OptionName::Default => settings.default.as_ref().map(|default| Value::Mode(default.value)),
            OptionName::Kind(kind) => {
                let boolean = || settings.desktop_recorded().filter(|_| *kind == SessionKind::Desktop);
                let mode = settings.direct(*kind).map(|(mode, _)| Value::Mode(mode));
                mode.or_else(|| boolean().map(|(recorded, _)| Value::Recorded(recorded)))
            }
        };
        let unknown = settings.unknown.get(option).map(|unknown| Arc::clone(&unknown.expression));
        Some((known, unknown))
    };
    let nothing = || Some((None, None));
    setting(old).or_else(nothing) == setting(new).or_else(nothing)
}

fn held_at<'a>(party: &'a Party, n: usize, name: &str) -> Option<&'a Place> {
    party.roles(n).find(|(role, _)| role.name.as_ref() == name).map(|(_, at)| at)
}

/// Where the party is given the role, if it holds it on one side only.
fn held_on_one_side(old: &Party, new: &Party, n: usize, name: &str) -> Option<Place> {
    match (held_at(old, n, name), held_at(new, n, name)) {
        (Some(at), None) | (None, Some(at)) => Some(at.clone()),
        _ => None,
    }
}

/// The roles that only one side has: one that says nothing about desktops keeps their recording on.
fn came_or_went(old: &Party, new: &Party, n: usize) -> Vec<Cause> {
    let mut causes: Vec<_> = old
        .roles(n)
        .chain(new.roles(n))
        .filter_map(|(role, _)| {
            Some(Cause {
                role: Arc::clone(&role.name),
                option: None,
                before: None,
                after: None,
                at: role.at.clone(),
                held_at: Some(held_on_one_side(old, new, n, &role.name)?),
            })
        })
        .collect();
    causes.sort_unstable();
    causes
}
