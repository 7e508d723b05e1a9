//! A suppression that suppresses nothing. Found by the run, when all the other rules are through.

use crate::lint::{Finding, Input, Rule, Severity};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "unused-ignore",
    severity: Severity::Warning,
    summary: "a suppression that suppresses nothing",
    docs: include_str!("../../../docs/rules/unused-ignore.md"),
    check,
};

fn check(_: &Input<'_>, _: &mut Vec<Finding>) {}
