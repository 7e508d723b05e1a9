//! The rules, one file each, and what several of them share.

mod desktop_unrecorded;
mod duplicate_key;
mod duplicate_role;
mod expectation_not_met;
mod implicit_best_effort;
mod invalid_mode;
mod legacy_desktop_boolean;
mod lockout;
mod misplaced_record_session;
mod not_honoured;
mod recording_off;
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
pub(super) use expectation_not_met::RULE as EXPECTATION_NOT_MET;
pub(super) use implicit_best_effort::RULE as IMPLICIT_BEST_EFFORT;
pub(super) use invalid_mode::RULE as INVALID_MODE;
pub(super) use legacy_desktop_boolean::RULE as LEGACY_DESKTOP_BOOLEAN;
pub(super) use lockout::RULE as LOCKOUT;
pub(super) use misplaced_record_session::RULE as MISPLACED_RECORD_SESSION;
pub(super) use not_honoured::RULE as NOT_HONOURED;
pub(super) use recording_off::RULE as RECORDING_OFF;
pub(super) use requirement_not_met::{RULE as REQUIREMENT_NOT_MET, unread};
pub(super) use shadowed_default::RULE as SHADOWED_DEFAULT;
pub(super) use syntax::{RULE as SYNTAX, is_syntax, may_hold_a_role};
pub(super) use unknown_role::RULE as UNKNOWN_ROLE;
pub(super) use unknown_session_kind::RULE as UNKNOWN_SESSION_KIND;
pub(super) use unknown_value::RULE as UNKNOWN_VALUE;
pub(super) use unknown_version::RULE as UNKNOWN_VERSION;
pub(super) use unread_role::RULE as UNREAD_ROLE;
pub(super) use unused_ignore::RULE as UNUSED_IGNORE;
pub(super) use weakening_role::RULE as WEAKENING_ROLE;

use super::{Finding, Input};
use crate::policy::{Answer, SessionKind};
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

/// Findings of several sets, each once: sets may share roles.
fn once_each(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by(|a, b| a.order().cmp(&b.order()));
    found.dedup();
    found
}

/// Each option of each role, as it is written.
fn options<'a>(input: &Input<'a>) -> impl Iterator<Item = (&'a WrittenRole, &'a WrittenOption)> {
    input.survey.roles.iter().flat_map(|role| role.options.iter().map(move |option| (role, option)))
}

/// A finding about an option, at its value.
fn at_value(id: &'static str, role: &WrittenRole, option: &WrittenOption, message: String) -> Finding {
    Finding::new(id, message, role.site_of(&option.value)).role(&role.role.name).option(option.option.name())
}

/// What answers amount to, in a word or two.
fn amounts_to(answers: &[Answer]) -> String {
    let outcomes = || answers.iter().flat_map(|answer| &answer.outcomes);
    let modes = outcomes().filter(|outcome| outcome.recorded).filter_map(|outcome| outcome.mode);
    let mut words: Vec<_> = modes.map(crate::policy::Mode::name).collect();
    if outcomes().any(|outcome| !outcome.recorded) {
        words.push("not recorded");
    }
    words.sort_unstable();
    words.dedup();
    words.join(" or ")
}

/// `ssh, k8s`
fn join_kinds(kinds: impl Iterator<Item = SessionKind>) -> String {
    kinds.map(SessionKind::name).collect::<Vec<_>>().join(", ")
}
