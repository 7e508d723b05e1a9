//! What shows signs of a role and is not read as one, so that nothing is proved about all roles.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::roles::ProblemKind;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "unread-role",
    severity: Severity::Warning,
    summary: "something that looks like a role and is not read",
    docs: include_str!("../../../docs/rules/unread-role.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        if let ProblemKind::UnreadRole { .. } = problem.kind {
            let finding = from_problem(RULE.id, problem, problem.kind.to_string());
            findings.push(finding.help(
                "check what is made of it, or leave this out with a reason: # recmode: ignore[unread-role] REASON",
            ));
        }
    }
}
