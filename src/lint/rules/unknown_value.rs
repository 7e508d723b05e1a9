//! Terraform's expressions where a value is needed.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::roles::ProblemKind;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "unknown-value",
    severity: Severity::Info,
    summary: "an expression of Terraform whose value is not known",
    docs: include_str!("../../../docs/rules/unknown-value.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        if matches!(
            problem.kind,
            ProblemKind::UnknownValue(_)
                | ProblemKind::UnknownName(_)
                | ProblemKind::UnknownRoles(_)
                | ProblemKind::UnknownRoleName(_)
        ) {
            let finding = from_problem(RULE.id, problem, problem.kind.to_string());
            findings.push(finding.help("write a literal, or judge what terraform plan would apply"));
        }
    }
}
