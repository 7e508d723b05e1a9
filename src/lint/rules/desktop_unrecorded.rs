//! Desktop sessions that are not recorded at all.

use super::{at_value, options};
use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::{Desktop, OptionName, SessionKind};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "desktop-unrecorded",
    severity: Severity::Warning,
    summary: "desktop: false turns the recording of desktop sessions off",
    docs: include_str!("../../../docs/rules/desktop-unrecorded.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    for (role, option) in options(input) {
        let desktop = role.role.record_session.desktop.as_ref().map(|setting| setting.value);
        if option.option == OptionName::Kind(SessionKind::Desktop)
            && desktop == Some(Desktop::Recorded(false))
        {
            let message =
                "desktop sessions of those who hold only roles like this are not recorded".to_owned();
            findings.push(at_value(RULE.id, role, option, message).help("remove it, or write true"));
        }
    }
}
