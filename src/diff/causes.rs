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
    let about_recording = matches!(what, What::RecordingOn | What::RecordingOff);
    let changed = keys.into_iter().filter_map(|key| {
        let (from, to) = (before.get(key), after.get(key));
        if from.map(|ground| ground.value) == to.map(|ground| ground.value) {
            return None;
        }
        let decides = |answer: &Answer, ground: Option<&Ground>| {
            ground.is_some_and(|ground| answer.because.contains(ground))
        };
        // A boolean gives no mode, so it caused no change of one.
        let is_mode =
            |ground: Option<&Ground>| ground.is_some_and(|ground| matches!(ground.value, Value::Mode(_)));
        let matters = about_recording || is_mode(from) || is_mode(to);
        if !matters || !(decides(was, from) || decides(is, to)) {
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
