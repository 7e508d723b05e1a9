//! record_session where it has no effect, or misspelt.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity, fix};
use crate::roles::{ProblemKind, desktop_note};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "misplaced-record-session",
    severity: Severity::Error,
    summary: "record_session anywhere else than under spec.options, or misspelt",
    docs: include_str!("../../../docs/rules/misplaced-record-session.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        let finding = match &problem.kind {
            ProblemKind::Misplaced { has_desktop_mode, .. } => {
                let message = "record_session has no effect here".to_owned();
                let mut finding = from_problem(RULE.id, problem, message);
                finding.fix = fix::to_options(input.survey, problem);
                finding.help(format!("it belongs under spec.options{}", desktop_note(*has_desktop_mode)))
            }
            ProblemKind::MisplacedInScoped(key) => {
                let message = format!("{key} has no effect here, in a scoped role");
                from_problem(RULE.id, problem, message)
                    .help("its modes are session_recording.mode under spec.defaults and spec.ssh")
            }
            ProblemKind::Misspelt(key) => {
                let message = format!("{key:?} is no option and has no effect");
                let mut finding = from_problem(RULE.id, problem, message);
                finding.fix = fix::spelling(input.survey, &finding.at, "record_session");
                finding.help("did you mean record_session?")
            }
            ProblemKind::KeyCase { right: right @ ("spec" | "options" | "record_session"), .. } => {
                let mut finding = from_problem(RULE.id, problem, problem.kind.to_string());
                finding.fix = fix::spelling(input.survey, &finding.at, right);
                finding.help(format!("write {right}"))
            }
            ProblemKind::NoKind => {
                let message = "record_session has no effect here: this document has no kind".to_owned();
                from_problem(RULE.id, problem, message).help("a role begins with kind: role")
            }
            _ => continue,
        };
        findings.push(finding);
    }
}
