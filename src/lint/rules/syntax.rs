//! Text that is not well-formed, once for each file.

use std::collections::HashSet;

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::roles::{self, Problem, ProblemKind, SurveyedFile};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "syntax",
    severity: Severity::Error,
    summary: "not well-formed YAML, JSON or HCL",
    docs: include_str!("../../../docs/rules/syntax.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    let mut reported = HashSet::new();
    for problem in &input.survey.problems {
        if is_shape(&problem.kind) {
            findings.push(from_problem(RULE.id, problem, problem.kind.to_string()));
        } else if is_syntax(&problem.kind) && reported.insert(&problem.site.file) {
            findings.push(once(input, problem));
        }
    }
}

/// The first such problem of a file. In one that nobody named and that shows no sign of a role, it
/// is nobody's business but worth a word.
fn once(input: &Input<'_>, problem: &Problem) -> Finding {
    let file = input.survey.file(&problem.site.file);
    let mut finding = from_problem(RULE.id, problem, problem.kind.to_string());
    // What is behind a pointer may be a role; the pointer can't show it.
    let is_pointer = problem.kind == ProblemKind::LfsPointer;
    if !is_pointer && !file.is_some_and(|file| file.named) && !may_hold_a_role(problem, file) {
        finding.own_severity = Some(Severity::Info);
        return finding.help("this file is not judged; nothing in it looks like a role");
    }
    if file.and_then(|file| file.text.as_deref()).is_some_and(|text| text.contains("{{")) {
        return finding.help("a template has to be rendered before it can be judged");
    }
    finding
}

/// Whether one of the roles may be in the file of this problem. What is no text may be anything.
pub(in crate::lint) fn may_hold_a_role(problem: &Problem, file: Option<&SurveyedFile>) -> bool {
    use ProblemKind::{FileTooLarge, NotUtf8, Nul, Utf16};
    matches!(problem.kind, FileTooLarge | NotUtf8 | Nul | Utf16)
        || file.and_then(|file| file.text.as_deref()).is_none_or(roles::shows_a_role)
}

/// The text could not be read to its end.
pub(in crate::lint) fn is_syntax(kind: &ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::Syntax(_)
            | ProblemKind::Template
            | ProblemKind::Nul
            | ProblemKind::NotUtf8
            | ProblemKind::Utf16
            | ProblemKind::FileTooLarge
            | ProblemKind::DocumentTooLarge
            | ProblemKind::TerraformTooLarge
            | ProblemKind::ScalarTooLong
            | ProblemKind::TooDeep
            | ProblemKind::TooManyNodes
            | ProblemKind::AliasBomb
            | ProblemKind::RecursiveAlias
            | ProblemKind::JsonComment
            | ProblemKind::Hcl
            | ProblemKind::PlainText
            | ProblemKind::LfsPointer
    )
}

/// The text was read, and is not what a role or user looks like.
fn is_shape(kind: &ProblemKind) -> bool {
    match kind {
        ProblemKind::NotAMapping(what) => !matches!(*what, "record_session" | "session_recording"),
        // The others lead to `record_session` or are below it, and have rules of their own.
        ProblemKind::KeyCase { right, .. } => {
            !["spec", "options", "record_session", "default", "ssh", "desktop"].contains(right)
        }
        ProblemKind::BadMerge
        | ProblemKind::NoName(_)
        | ProblemKind::BadName
        | ProblemKind::BadItems
        | ProblemKind::BadUserRoles
        | ProblemKind::BadGrant(_)
        | ProblemKind::BadMapping(_)
        | ProblemKind::IncompleteMapping { .. }
        | ProblemKind::NoAccessList
        | ProblemKind::NoAssignee(_)
        | ProblemKind::RequestRoles(_)
        | ProblemKind::MoreErrors(_)
        | ProblemKind::MoreWarnings(_) => true,
        _ => false,
    }
}
