//! The names of requirements and expectations as test cases; they don't change when lines move.

use std::sync::Arc;

use crate::config::{Expectation, Requirement, Subject};

/// `require[0]: NAME`
pub(super) fn requirement(n: usize, requirement: &Requirement) -> Arc<str> {
    match &requirement.name {
        Some(name) => format!("require[{n}]: {name}").into(),
        None => format!("require[{n}]").into(),
    }
}

/// `expect[0]: user alice`
pub(super) fn expectation(n: usize, expectation: &Expectation) -> Arc<str> {
    let subject = match &expectation.subject {
        Subject::User(name) => format!("user {name}"),
        Subject::Group(name) => format!("group {name}"),
        Subject::Roles(names) => format!("roles {}", names.join(", ")),
    };
    format!("expect[{n}]: {subject}").into()
}
