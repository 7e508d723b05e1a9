//! The rules, one file each, and what several of them share.

mod desktop_unrecorded;
mod duplicate_key;
mod duplicate_role;
mod implicit_best_effort;
mod invalid_mode;
mod legacy_desktop_boolean;
mod misplaced_record_session;
mod not_honoured;
mod requirement_not_met;
mod shadowed_default;
mod syntax;
mod unknown_role;
mod unknown_session_kind;
mod unknown_value;
mod unknown_version;
mod unread_role;
mod unused_ignore;
mod weakening_role;

pub(super) use desktop_unrecorded::RULE as DESKTOP_UNRECORDED;
pub(super) use duplicate_key::RULE as DUPLICATE_KEY;
pub(super) use duplicate_role::RULE as DUPLICATE_ROLE;
pub(super) use implicit_best_effort::RULE as IMPLICIT_BEST_EFFORT;
pub(super) use invalid_mode::RULE as INVALID_MODE;
pub(super) use legacy_desktop_boolean::RULE as LEGACY_DESKTOP_BOOLEAN;
pub(super) use misplaced_record_session::RULE as MISPLACED_RECORD_SESSION;
pub(super) use not_honoured::RULE as NOT_HONOURED;
pub(super) use requirement_not_met::{RULE as REQUIREMENT_NOT_MET, unread};
pub(super) use shadowed_default::RULE as SHADOWED_DEFAULT;
pub(super) use syntax::{RULE as SYNTAX, has_sign_of_a_role, is_syntax};
pub(super) use unknown_role::RULE as UNKNOWN_ROLE;
pub(super) use unknown_session_kind::RULE as UNKNOWN_SESSION_KIND;
pub(super) use unknown_value::RULE as UNKNOWN_VALUE;
pub(super) use unknown_version::RULE as UNKNOWN_VERSION;
pub(super) use unread_role::RULE as UNREAD_ROLE;
pub(super) use unused_ignore::RULE as UNUSED_IGNORE;
pub(super) use weakening_role::RULE as WEAKENING_ROLE;

use super::{Finding, Input};
use crate::roles::{Problem, WrittenOption, WrittenRole};

/// A finding from a problem that the reader has met, with its places.
fn from_problem(rule: &'static str, problem: &Problem, message: String) -> Finding {
    let mut finding = Finding::new(rule, message, problem.site.clone());
    finding.role.clone_from(&problem.role);
    for (label, site) in &problem.related {
        finding = finding.related(*label, site.clone());
    }
    finding
}

/// Each option of each role, as it is written.
fn options<'a>(input: &Input<'a>) -> impl Iterator<Item = (&'a WrittenRole, &'a WrittenOption)> {
    input.survey.roles.iter().flat_map(|role| role.options.iter().map(move |option| (role, option)))
}

/// A finding about an option, at its value.
fn at_value(id: &'static str, role: &WrittenRole, option: &WrittenOption, message: String) -> Finding {
    Finding::new(id, message, role.site_of(&option.value)).role(&role.role.name).option(option.option.name())
}
