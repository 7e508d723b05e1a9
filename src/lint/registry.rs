//! All rules, sorted by id. What is not in here is not a rule.

use super::Rule;

/// The rules.
pub const RULES: &[Rule] = &[];

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
