//! A cluster whose sessions are not recorded, whatever its roles say.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::roles::ProblemKind;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "recording-off",
    severity: Severity::Warning,
    summary: "a session_recording_config with mode: off, so that nothing is recorded",
    docs: include_str!("../../../docs/rules/recording-off.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        if let ProblemKind::RecordingOff { quoted } = problem.kind {
            let finding = from_problem(RULE.id, problem, problem.kind.to_string());
            findings.push(finding.help(if quoted {
                "write node, node-sync, proxy or proxy-sync"
            } else {
                "write \"off\" if that is meant, else node, node-sync, proxy or proxy-sync"
            }));
        }
    }
}
