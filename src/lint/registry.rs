//! All rules, sorted by id. What is not in here is not a rule.

use super::{Rule, rules};

/// The rules.
pub const RULES: &[Rule] = &[
    rules::DESKTOP_UNRECORDED,
    rules::DUPLICATE_KEY,
    rules::DUPLICATE_ROLE,
    rules::IMPLICIT_BEST_EFFORT,
    rules::INVALID_MODE,
    rules::LEGACY_DESKTOP_BOOLEAN,
    rules::MISPLACED_RECORD_SESSION,
    rules::NOT_HONOURED,
    rules::REQUIREMENT_NOT_MET,
    rules::SHADOWED_DEFAULT,
    rules::SYNTAX,
    rules::UNKNOWN_ROLE,
    rules::UNKNOWN_SESSION_KIND,
    rules::UNKNOWN_VALUE,
    rules::UNKNOWN_VERSION,
    rules::UNREAD_ROLE,
    rules::UNUSED_IGNORE,
    rules::WEAKENING_ROLE,
];

/// The rule of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// What to say of an id that is none.
#[must_use]
pub fn unknown(id: &str) -> String {
    let near = RULES
        .iter()
        .map(|rule| (strsim::damerau_levenshtein(id, rule.id), rule.id))
        .filter(|&(distance, _)| distance <= 4)
        .min();
    match near {
        Some((_, near)) => format!("no rule is called {id:?}: did you mean {near}?"),
        None => format!("no rule is called {id:?} (recmode explain lists them)"),
    }
}
