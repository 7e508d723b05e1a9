//! Two roles of one name; or two users, access lists or connectors.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::roles::ProblemKind;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "duplicate-role",
    severity: Severity::Error,
    summary: "two roles (or users, access lists, connectors) of one name",
    docs: include_str!("../../../docs/rules/duplicate-role.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        let role = match &problem.kind {
            ProblemKind::DuplicateRole(name) => Some(name.as_str().into()),
            ProblemKind::DuplicateUser(_) | ProblemKind::DuplicateGrant { .. } => None,
            _ => continue,
        };
        let mut finding = from_problem(RULE.id, problem, problem.kind.to_string());
        finding.role = role.or(finding.role);
        findings.push(finding.help("the one that is applied last replaces the other: rename or remove one"));
    }
}
