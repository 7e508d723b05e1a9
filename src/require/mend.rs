//! What would make a counterexample keep its bound, in words, without choosing for anyone.

use super::Refutation;
use crate::policy::{Answer, Bound, Ground, Mode, OptionName, SessionKind, Value};
use crate::roles::desktop_note;

/// Roles that are named at most.
const MAX_NAMES: usize = 3;

/// The ways out; names are quoted.
pub(super) fn mend(refutation: &Refutation, bound: Bound) -> String {
    let is_strict = |answer: &Answer| answer.mode == Some(Mode::Strict);
    let words = match bound {
        Bound::AtLeast(Mode::Strict) | Bound::Exactly(Mode::Strict) => tighten(refutation),
        _ if refutation.answers.iter().any(is_strict) => loosen(refutation),
        _ => record(refutation),
    };
    let note = desktop_note(words.contains("`desktop: strict`") || words.contains("`desktop: best_effort`"));
    words + &note
}

/// `"a" or "b"`, each once.
fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.iter().take(MAX_NAMES).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ")
}

fn kinds(refutation: &Refutation) -> Vec<&'static str> {
    refutation.kinds().map(SessionKind::name).collect()
}

/// ``give `ssh: strict` to the role "a"``: to the match, or to one of a user's roles.
fn give(refutation: &Refutation, mode: Mode) -> String {
    let options = kinds(refutation).iter().map(|kind| format!("`{kind}: {mode}`")).collect::<Vec<_>>();
    let own = refutation.roles.iter().map(|role| role.name.as_ref());
    let most = if refutation.holder.is_none() { 1 } else { MAX_NAMES };
    format!("give {} to the role {}", options.join(", "), quoted(own.take(most)))
}

/// The roles whose own option for the kind gives it this mode, and so decides.
fn direct(refutation: &Refutation, mode: Mode) -> impl Iterator<Item = &str> {
    let of = move |answer: &'_ Answer, ground: &'_ &Ground| {
        ground.value == Value::Mode(mode) && ground.option == OptionName::Kind(answer.kind)
    };
    let answers = refutation.answers.iter();
    answers.flat_map(move |answer| {
        let grounds = answer.because.iter().filter(move |ground| of(answer, ground));
        grounds.map(|ground| ground.role.as_ref())
    })
}

fn tighten(refutation: &Refutation) -> String {
    let give = give(refutation, Mode::Strict);
    // Without what loosens it is strict only if some default is.
    let is_strict_below = |answer: &Answer| {
        let default = |ground: &Ground| {
            ground.option == OptionName::Default && ground.value == Value::Mode(Mode::Strict)
        };
        answer.recording == Some(true) && answer.overridden.iter().any(default)
    };
    let loosening = quoted(direct(refutation, Mode::BestEffort));
    if loosening.is_empty() || !refutation.answers.iter().all(is_strict_below) {
        return give;
    }
    format!("{give}, or take best_effort for {} out of {loosening}", kinds(refutation).join(", "))
}

fn loosen(refutation: &Refutation) -> String {
    let tightening = quoted(direct(refutation, Mode::Strict));
    if tightening.is_empty() {
        return give(refutation, Mode::BestEffort);
    }
    format!("take strict for {} out of {tightening}", kinds(refutation).join(", "))
}

fn record(refutation: &Refutation) -> String {
    let off = refutation.grounds().into_iter().filter(|ground| ground.value == Value::Recorded(false));
    format!("take `desktop: false` out of {}", quoted(off.map(|ground| ground.role.as_ref())))
}
