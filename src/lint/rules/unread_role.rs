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
    for problem in input.survey.problems.iter().filter(|problem| problem.kind.is_unread_role()) {
        let (message, help) = match &problem.kind {
            // An error of another rule already.
            ProblemKind::NoKind => continue,
            ProblemKind::NearKind { kind, nearest } => (not_judged(kind), format!("did you mean {nearest}?")),
            ProblemKind::ForeignKind(kind) => (not_judged(kind), "a role begins with kind: role".to_owned()),
            kind => (
                kind.to_string(),
                "let lint read what is applied, or leave this out with a reason: \
                 # recmode: ignore[unread-role] REASON"
                    .to_owned(),
            ),
        };
        findings.push(from_problem(RULE.id, problem, message).help(help));
    }
}

fn not_judged(kind: &str) -> String {
    format!("{kind:?} is no kind that recmode knows, so this is not judged")
}
