//! The answer of `diff`: as text, as a tree, as Markdown.

mod markdown;
mod text;
mod tree;

pub use markdown::diff_markdown;
pub use text::diff_text;
pub use tree::DiffTree;

use crate::diff::{Cause, Change, Diff, PartyChanges, What};
use crate::policy::{Answer, DecidedBy};

/// `2 loosened, 1 new`
fn summary(diff: &Diff) -> String {
    let counts = What::ALL.iter().map(|&what| (diff.count(what), what.name())).filter(|&(n, _)| n > 0);
    counts.map(|(n, name)| format!("{n} {name}")).collect::<Vec<_>>().join(", ")
}

/// An answer in a word or two.
fn word(answer: &Answer) -> String {
    match (answer.mode, answer.recording) {
        (Some(mode), Some(false)) => format!("{mode}, not recorded"),
        (_, None) if answer.decided_by != DecidedBy::NoMode => {
            format!("{}, possibly not recorded", super::table::modes(answer))
        }
        _ => super::table::word(answer).to_owned(),
    }
}

/// What a change is from and to; a part that is the same on both sides is left out.
fn from_to(change: &Change) -> (String, String) {
    let part = |answer: &Option<Answer>| {
        let Some(answer) = answer else { return String::new() };
        match change.what {
            What::Loosened | What::MayLoosen | What::Tightened | What::MayTighten => {
                super::table::modes(answer).to_owned()
            }
            What::RecordingOff | What::MayTurnOff | What::RecordingOn | What::MayTurnOn => {
                match answer.recording {
                    Some(true) => "recorded".to_owned(),
                    Some(false) => "not recorded".to_owned(),
                    None => "unknown".to_owned(),
                }
            }
            What::New | What::Gone => word(answer),
        }
    };
    (part(&change.before), part(&change.after))
}

/// So many causes of a change are said; JSON has them all.
const MAX_CAUSES: usize = 5;

/// The causes of a change, a line each; texts of files in them are made safe by `name` and `place`.
fn causes(change: &Change, name: fn(&str) -> String, place: fn(&str) -> String) -> Vec<String> {
    let mut lines: Vec<_> =
        change.causes.iter().take(MAX_CAUSES).map(|cause| in_words(cause, name, place)).collect();
    if change.causes.len() > MAX_CAUSES {
        lines.push(format!("{} more", change.causes.len() - MAX_CAUSES));
    }
    lines
}

fn in_words(cause: &Cause, name: fn(&str) -> String, place: fn(&str) -> String) -> String {
    let (role, at) = (name(&cause.role), place(&cause.at.to_string()));
    let held = cause.held_at.as_ref();
    let said = match (cause.option, cause.before, cause.after) {
        (Some(option), None, Some(after)) => {
            let came = if held.is_some() { "came with" } else { "was added to" };
            format!("{option}: {after} {came} role {role} ({at})")
        }
        (Some(option), Some(before), None) => {
            let went = if held.is_some() { "went with" } else { "was taken out of" };
            format!("{option}: {before} {went} role {role} (was {at})")
        }
        (Some(option), Some(before), Some(after)) => {
            format!("{option}: {before} became {after} in role {role} ({at})")
        }
        _ => format!("role {role} ({at}) came or went"),
    };
    match held {
        Some(held) if *held != cause.at => format!("{said}, given at {}", place(&held.to_string())),
        _ => said,
    }
}

/// `ssh strict, k8s best_effort`, all kinds of a party that is new or gone; kinds with the same answer together.
fn answers(party: &PartyChanges) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for change in &party.changes {
        let Some(answer) = change.after.as_ref().or(change.before.as_ref()) else { continue };
        let word = word(answer);
        match groups.iter_mut().find(|(known, _)| *known == word) {
            Some((_, kinds)) => kinds.push(change.kind.name()),
            None => groups.push((word, vec![change.kind.name()])),
        }
    }
    let groups = groups.into_iter().map(|(word, kinds)| format!("{} {word}", kinds.join(" ")));
    groups.collect::<Vec<_>>().join("; ")
}

/// The set that the party is in, behind its name; nothing for the default set. `name` makes it safe.
fn in_set(party: &PartyChanges, name: fn(&str) -> String) -> String {
    if party.set.is_default() { String::new() } else { format!(" in {}", name(&party.set.to_string())) }
}

/// Whether the party is on one side only, and which change that is.
fn one_sided(party: &PartyChanges) -> Option<What> {
    let first = party.changes.first()?.what;
    matches!(first, What::New | What::Gone).then_some(first)
}
