//! A version or kind of role that this program does not know.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::roles::ProblemKind;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "unknown-version",
    severity: Severity::Info,
    summary: "a role version or kind that recmode does not know",
    docs: include_str!("../../../docs/rules/unknown-version.md"),
    check,
};

/// The versions of roles up to Teleport 18.
const VERSIONS: [&str; 6] = ["v3", "v4", "v5", "v6", "v7", "v8"];

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for role in &input.survey.roles {
        let Some((version, mark)) = &role.version else { continue };
        if !VERSIONS.contains(&&**version) {
            let message = format!("the role version {version:?} is not known; it is read like v8");
            let finding = Finding::new(RULE.id, message, role.site_of(mark)).role(&role.role.name);
            findings.push(finding.help("the versions that are known are v3 to v8"));
        }
    }
    for problem in &input.survey.problems {
        let (kind, help) = match &problem.kind {
            ProblemKind::NearKind { kind, nearest } => (kind, format!("did you mean {nearest}?")),
            ProblemKind::ForeignKind(kind) => (kind, "a role begins with kind: role".to_owned()),
            _ => continue,
        };
        let message = format!("{kind:?} is no kind that recmode knows, so this is not judged");
        let mut finding = from_problem(RULE.id, problem, message).help(help);
        // Nothing else is said of what is in it.
        finding.own_severity = Some(Severity::Warning);
        findings.push(finding);
    }
}
