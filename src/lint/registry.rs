//! All rules, sorted by id. What is not in here is not a rule.

use super::{Rule, rules};
use crate::spelling;

/// The rules.
pub const RULES: &[Rule] = &[
    rules::DESKTOP_UNRECORDED,
    rules::DUPLICATE_KEY,
    rules::DUPLICATE_ROLE,
    rules::EXPECTATION_NOT_MET,
    rules::IMPLICIT_BEST_EFFORT,
    rules::INVALID_MODE,
    rules::LEGACY_DESKTOP_BOOLEAN,
    rules::LOCKOUT,
    rules::MISPLACED_RECORD_SESSION,
    rules::NOT_HONOURED,
    rules::RECORDING_OFF,
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

/// The rules whose ids begin like this; none for an empty beginning.
#[must_use]
pub fn beginning_with(beginning: &str) -> Vec<&'static Rule> {
    RULES.iter().filter(|rule| !beginning.is_empty() && rule.id.starts_with(beginning)).collect()
}

/// What to say of an id that is none.
#[must_use]
pub fn unknown(id: &str) -> String {
    let near = RULES.iter().filter_map(|rule| Some((spelling::slips(id, rule.id, 4)?, rule.id))).min();
    match near {
        Some((_, near)) => format!("no rule is called {id:?}: did you mean {near}?"),
        None => format!("no rule is called {id:?} (recmode explain lists them)"),
    }
}
