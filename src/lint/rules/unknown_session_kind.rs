//! A key under record_session that is no kind of session.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity, fix};
use crate::roles::{ProblemKind, desktop_note};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "unknown-session-kind",
    severity: Severity::Error,
    summary: "a key under record_session that is no kind of session",
    docs: include_str!("../../../docs/rules/unknown-session-kind.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        let (key, nearest) = match &problem.kind {
            ProblemKind::UnknownKey { key, nearest } => (key, nearest),
            ProblemKind::KeyCase { key, right: right @ ("default" | "ssh" | "desktop") } => {
                let mut finding = from_problem(RULE.id, problem, problem.kind.to_string()).option(key);
                finding.fix = fix::spelling(input.survey, &finding.at, right);
                findings.push(finding.help(format!("write {right}{}", desktop_note(*right == "desktop"))));
                continue;
            }
            _ => continue,
        };
        let message = format!("{key:?} under record_session is no kind of session and has no effect");
        let mut finding = from_problem(RULE.id, problem, message).option(key);
        finding = match nearest {
            Some(nearest) => {
                finding.fix = fix::spelling(input.survey, &finding.at, nearest);
                finding.help(format!("did you mean {nearest}?{}", desktop_note(*nearest == "desktop")))
            }
            None => finding.help("the keys are default, ssh, k8s, desktop, db and app"),
        };
        findings.push(finding);
    }
}
