//! best_effort for a kind beside default: strict in one role.

use super::{at_value, options};
use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::{Mode, OptionName};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "shadowed-default",
    severity: Severity::Info,
    summary: "best_effort for a kind beside default: strict in the same role",
    docs: include_str!("../../../docs/rules/shadowed-default.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for (role, option) in options(input) {
        let said = &role.role.record_session;
        let OptionName::Kind(kind) = option.option else { continue };
        let is_strict = said.default.as_ref().is_some_and(|default| default.value == Mode::Strict);
        let best_effort = said.direct(kind).is_some_and(|(mode, _)| mode == Mode::BestEffort);
        if let (true, true, Some(default)) = (is_strict, best_effort, role.option(OptionName::Default)) {
            let message = format!("{kind}: best_effort beats this role's own default: strict");
            findings.push(
                at_value(RULE.id, role, option, message)
                    .related("the default is here", role.site_of(&default.value))
                    .help(format!("remove it if {kind} sessions are to be strict")),
            );
        }
    }
}
