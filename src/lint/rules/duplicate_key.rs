//! A key twice in one mapping.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::roles::ProblemKind;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "duplicate-key",
    severity: Severity::Error,
    summary: "a key twice in one mapping",
    docs: include_str!("../../../docs/rules/duplicate-key.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        if matches!(problem.kind, ProblemKind::DuplicateKey(_) | ProblemKind::DuplicateCase { .. }) {
            let finding = from_problem(RULE.id, problem, problem.kind.to_string());
            findings.push(finding.help("keep one of the two"));
        }
    }
}
