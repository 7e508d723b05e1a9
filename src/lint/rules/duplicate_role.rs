//! Two roles, or two users, of one name.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::roles::ProblemKind;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "duplicate-role",
    severity: Severity::Error,
    summary: "two roles (or users) of one name",
    docs: include_str!("../../../docs/rules/duplicate-role.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        let (ProblemKind::DuplicateRole(name) | ProblemKind::DuplicateUser(name)) = &problem.kind else {
            continue;
        };
        let mut finding = from_problem(RULE.id, problem, problem.kind.to_string());
        if let ProblemKind::DuplicateRole(_) = problem.kind {
            finding.role = Some(name.as_str().into());
        }
        findings.push(finding.help("the one that is applied last replaces the other: rename or remove one"));
    }
}
