//! What a run could not judge, so that nobody takes a finding that is missing for one that is gone.

use std::collections::HashSet;

use super::rules::{self, is_syntax};
use super::{Input, is_trouble};
use crate::roles::ProblemKind;

/// Rules whose findings depend on all files and not only on the one that they are in.
const OF_ALL_FILES: [&str; 6] = [
    rules::DUPLICATE_ROLE.id,
    rules::EXPECTATION_NOT_MET.id,
    rules::LOCKOUT.id,
    rules::REQUIREMENT_NOT_MET.id,
    rules::UNKNOWN_ROLE.id,
    rules::WEAKENING_ROLE.id,
];

/// What was judged in a run.
pub(super) struct Judged<'a> {
    input: &'a Input<'a>,
    /// Files that were not read to their end, or of which not all problems were kept.
    unread: HashSet<&'a str>,
    /// Lines with values that are not known.
    unknown: HashSet<(&'a str, u32)>,
    /// Whether all was read and every value is known.
    is_all: bool,
}

impl<'a> Judged<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        let (mut unread, mut unknown) = (HashSet::new(), HashSet::new());
        for problem in &input.survey.problems {
            let file = &*problem.site.file;
            let line = problem.site.mark.as_ref().map_or(0, |mark| mark.line);
            match problem.kind {
                ProblemKind::UnknownValue(_)
                | ProblemKind::UnknownName(_)
                | ProblemKind::UnknownRoles(_)
                | ProblemKind::UnknownRoleName(_) => drop(unknown.insert((file, line))),
                ProblemKind::MoreErrors(_) | ProblemKind::MoreWarnings(_) => drop(unread.insert(file)),
                ref kind if is_syntax(kind) || is_trouble(kind, true) => drop(unread.insert(file)),
                _ => {}
            }
        }
        let is_all = input.is_whole && unread.is_empty() && unknown.is_empty();
        Self { input, unread, unknown, is_all }
    }

    /// Whether every file was read that the configuration is about.
    pub(super) fn is_whole(&self) -> bool {
        self.input.is_whole && self.unread.is_empty()
    }

    /// Whether the rule, which is on, would have been found in this line.
    pub(super) fn judges(&self, rule: &str, file: &str, line: u32) -> bool {
        let is_known = !self.unread.contains(file) && !self.unknown.contains(&(file, line));
        let is_asked = match rule {
            _ if rule == rules::REQUIREMENT_NOT_MET.id => !self.input.require.is_empty(),
            _ if rule == rules::EXPECTATION_NOT_MET.id => !self.input.expect.is_empty(),
            _ => true,
        };
        is_known && is_asked && (self.is_all || !OF_ALL_FILES.contains(&rule))
    }
}
