//! A role that says nothing about recording.

use std::collections::HashSet;
use std::sync::Arc;

use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::SessionKind;
use crate::roles::Problem;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "implicit-best-effort",
    severity: Severity::Info,
    summary: "a role that gives no mode, so that alone it means best_effort",
    docs: include_str!("../../../docs/rules/implicit-best-effort.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    // A role with something wrong in it meant to say something.
    let in_role = |problem: &'_ Problem| Some((problem.set.clone(), Arc::clone(problem.role.as_ref()?)));
    let wrong: HashSet<_> = input.survey.problems.iter().filter_map(in_role).collect();
    for role in &input.survey.roles {
        let said = &role.role.record_session;
        let silent =
            said.default.is_none() && SessionKind::ALL.iter().all(|&kind| said.direct(kind).is_none());
        if silent && !wrong.contains(&(role.set.clone(), Arc::clone(&role.role.name))) {
            let message =
                format!("the role {:?} gives no mode, so alone it means best_effort", role.role.name);
            let help = if role.set.scoped.is_some() {
                "say it with spec.defaults.session_recording.mode"
            } else {
                "say it with spec.options.record_session.default"
            };
            findings.push(Finding::new(RULE.id, message, role.site()).help(help).role(&role.role.name));
        }
    }
}
