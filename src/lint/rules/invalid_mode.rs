//! A value that is no mode.

use super::from_problem;
use crate::lint::{Finding, Input, Rule, Severity, fix};
use crate::roles::{Problem, ProblemKind, desktop_note};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "invalid-mode",
    severity: Severity::Error,
    summary: "a value that is no mode",
    docs: include_str!("../../../docs/rules/invalid-mode.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for problem in &input.survey.problems {
        match &problem.kind {
            ProblemKind::NotAMapping("record_session") => {
                let message = "record_session has to be a mapping of kinds to modes".to_owned();
                let help = "write the mode under a key: default, ssh, k8s, desktop, db or app";
                findings.push(from_problem(RULE.id, problem, message).help(help));
            }
            ProblemKind::NotAMapping("session_recording") => {
                let message = "session_recording has to be a mapping that holds the mode".to_owned();
                let help = "write the mode under the key mode";
                findings.push(from_problem(RULE.id, problem, message).help(help));
            }
            ProblemKind::InvalidMode { option, value, nearest } => {
                findings.push(wrong(input, problem, (option, option), value.as_deref(), *nearest));
            }
            ProblemKind::UnknownKeyValue { key, meant, value, nearest } => {
                findings.push(wrong(input, problem, (key, meant), value.as_deref(), *nearest));
            }
            _ => {}
        }
    }
}

fn wrong(
    input: &Input<'_>,
    problem: &Problem,
    (option, meant): (&str, &str),
    value: Option<&str>,
    nearest: Option<&str>,
) -> Finding {
    let message = match value {
        Some(value) => format!("{option}: {value} is no recording mode"),
        None => format!("{option} has no value"),
    };
    let is_desktop = meant == "desktop";
    let finding = from_problem(RULE.id, problem, message).option(option);
    if let Some(nearest) = nearest {
        // To Teleport a mode is false there, so that nobody but the author can choose.
        let fix = if is_desktop { None } else { fix::spelling(input.survey, &finding.at, nearest) };
        let is_same = value.is_some_and(|value| fix::is_same_word(value.trim_matches('"'), nearest));
        let help = if is_same { format!("write {nearest}") } else { format!("did you mean {nearest}?") };
        let mut finding = finding.help(format!("{help}{}", desktop_note(is_desktop)));
        finding.fix = fix;
        return finding;
    }
    let both = value.is_some_and(|value| value.contains("strict") && value.contains("best_effort"));
    if is_desktop {
        return finding.help(format!("write a boolean, strict or best_effort{}", desktop_note(true)));
    }
    finding.help(if both { "choose one: strict or best_effort" } else { "a mode is strict or best_effort" })
}
