//! A boolean at desktop.

use super::{at_value, options};
use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::{Desktop, OptionName, SessionKind};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "legacy-desktop-boolean",
    severity: Severity::Info,
    summary: "desktop: true or false says whether, not how strictly",
    docs: include_str!("../../../docs/rules/legacy-desktop-boolean.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for (role, option) in options(input) {
        let desktop = role.role.record_session.desktop.as_ref().map(|setting| setting.value);
        if option.option == OptionName::Kind(SessionKind::Desktop)
            && let Some(Desktop::Recorded(recorded)) = desktop
        {
            let message = format!(
                "a boolean at desktop says that desktop sessions are {}recorded, and gives no mode",
                if recorded { "" } else { "not " }
            );
            let help = "the mode of desktop sessions comes from default";
            findings.push(at_value(RULE.id, role, option, message).help(help));
        }
    }
}
