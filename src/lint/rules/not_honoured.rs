//! What today's Teleport does not act on.

use super::{from_problem, options};
use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::{Desktop, Dialect, OptionName, SessionKind};
use crate::roles::ProblemKind;

/// Said once: what makes these findings errors, or is a reason to turn the rule off.
const CHOOSE: &str =
    "set dialect: teleport in .recmode.yaml if Teleport reads these roles, dialect: rfd68 if not";

pub(in crate::lint) const RULE: Rule = Rule {
    id: "not-honoured",
    severity: Severity::Info,
    summary: "an option that Teleport 18 does not act on, or reads otherwise",
    docs: include_str!("../../../docs/rules/not-honoured.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    let mut suggests = !input.is_dialect_chosen;
    for (role, option) in options(input) {
        let OptionName::Kind(kind) = option.option else { continue };
        let (mark, message, help) = match kind {
            SessionKind::Ssh => continue,
            SessionKind::K8s => (
                &option.key,
                "Teleport does not act on k8s: Kubernetes sessions are in effect always strict".to_owned(),
                "for Teleport alone, remove it",
            ),
            SessionKind::Db => (
                &option.key,
                "Teleport does not act on db: database sessions have no mode".to_owned(),
                "for Teleport alone, remove it",
            ),
            SessionKind::App => (
                &option.key,
                "Teleport does not act on app: application sessions have no mode".to_owned(),
                "for Teleport alone, remove it",
            ),
            SessionKind::Desktop => {
                let said = role.role.record_session.desktop.as_ref();
                let Some(Desktop::Mode(mode)) = said.map(|setting| setting.value) else { continue };
                (
                    &option.value,
                    format!(
                        "Teleport reads desktop: {mode} as false: desktop sessions are then not recorded at all"
                    ),
                    "for Teleport, write true to have desktop sessions recorded",
                )
            }
        };
        let help = if suggests { format!("{help}; {CHOOSE}") } else { help.to_owned() };
        suggests = false;
        let mut finding = Finding::new(RULE.id, message, role.site_of(mark))
            .help(help)
            .role(&role.role.name)
            .option(option.option.name());
        if input.dialect == Dialect::Teleport {
            finding.own_severity = Some(Severity::Error);
        }
        findings.push(finding);
    }
    for problem in &input.survey.problems {
        if matches!(problem.kind, ProblemKind::DesignedMode) {
            let message =
                "Teleport ignores session_recording_mode: it reads session_recording.mode".to_owned();
            let mut finding =
                from_problem(RULE.id, problem, message).help("write session_recording: {mode: …}");
            finding.own_severity = (input.dialect == Dialect::Teleport).then_some(Severity::Error);
            findings.push(finding);
        }
    }
}
