//! An expectation of the configuration that the roles do not meet; judged by
//! [`require::check`](crate::require::check).

use std::sync::Arc;

use super::{amounts_to, once_each};
use crate::config::{Expectation, Subject};
use crate::holders::{Holder, holders};
use crate::lint::{Finding, Input, Rule, Severity, check_name};
use crate::require::{Deviation, Expected, Known, check as deviations};
use crate::roles::{Roles, SetKey};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "expectation-not-met",
    severity: Severity::Error,
    summary: "an expectation of the configuration that the roles do not meet",
    docs: include_str!("../../../docs/rules/expectation-not-met.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    if input.expect.is_empty() {
        return;
    }
    // Each set by itself: nobody holds roles of two.
    let sets = input.survey.sets();
    let sets: Vec<_> = sets.iter().map(|roles| (roles, holders(roles, false))).collect();
    let unnamed = input.survey.unnamed_roles();
    for (n, expectation) in input.expect.iter().enumerate() {
        let name = check_name::expectation(n, expectation);
        let of_set = |(roles, holders): &(&Roles, Vec<Holder>)| {
            let known = Known { roles: roles.roles(), unnamed: &unnamed, holders };
            (roles.key().clone(), deviations(expectation, &known))
        };
        let mut of_sets: Vec<(SetKey, Vec<Deviation>)> = sets.iter().map(of_set).collect();
        let unread = |deviations: &[Deviation]| {
            deviations.iter().filter(|one| matches!(one, Deviation::NotRead { .. })).count()
        };
        // Whoever was read in one set need not be in the others.
        let least = of_sets.iter().map(|(_, deviations)| unread(deviations)).min().unwrap_or(0);
        of_sets.retain(|(_, deviations)| unread(deviations) == least);
        of_sets.truncate(if least > 0 { 1 } else { usize::MAX });
        let mut found = Vec::new();
        for (set, deviation) in of_sets.iter().flat_map(|(set, all)| all.iter().map(move |one| (set, one))) {
            let mut finding = match deviation {
                Deviation::NotRead { name, what } => {
                    let message =
                        format!("no {what} named {name:?} was read, so nothing can be expected of it");
                    Finding::new(RULE.id, message, expectation.at.clone())
                }
                Deviation::Answer(expected) => deviating(input, expectation, set, expected),
            };
            finding.checks = vec![Arc::clone(&name)];
            found.push(finding);
        }
        findings.extend(once_each(found));
    }
}

fn who(subject: &Subject) -> String {
    match subject {
        Subject::User(name) => format!("the user {name:?}"),
        Subject::Group(name) => format!("the group {name:?}"),
        Subject::Roles(names) => {
            let names = names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>();
            format!("whoever holds {}", names.join(" and "))
        }
    }
}

fn deviating(input: &Input<'_>, expectation: &Expectation, set: &SetKey, expected: &Expected) -> Finding {
    let Expected { mode, actual, is_possible, unread } = expected;
    let (who, kind) = (who(&expectation.subject), actual.kind);
    let site = |at, name: &str| input.survey.site(at, name.chars().count());
    if *is_possible {
        let settings = actual.unknown.iter().map(|setting| {
            format!("{} {} in the role {:?} ({})", setting.option, setting.reason, setting.role, setting.at)
        });
        let what: Vec<_> = settings.chain(unread.iter().map(ToString::to_string)).collect();
        let message =
            format!("{kind}: {mode} can't be proved{} for {who}: {}", set.in_words(), what.join("; "));
        let at = match (actual.unknown.first(), unread.first()) {
            (Some(setting), _) => site(&setting.at, ""),
            (None, Some(unread)) => site(&unread.at, &unread.name),
            (None, None) => expectation.at.clone(),
        };
        let mut finding = Finding::new(RULE.id, message, at).related("expected here", expectation.at.clone());
        finding.own_severity = Some(Severity::Warning);
        return finding;
    }
    let message = format!(
        "{who} is expected to be {mode} on {kind}{}, and is {}",
        set.in_words(),
        amounts_to(std::slice::from_ref(actual))
    );
    let Some(first) = actual.deciding() else {
        return Finding::new(RULE.id, message, expectation.at.clone())
            .help("no role gives a mode: the built-in default is best_effort");
    };
    let value = |value: &dyn ToString| value.to_string();
    let mut finding = Finding::new(RULE.id, message, site(&first.at, &value(&first.value))).role(&first.role);
    finding = finding.option(first.option.name());
    let others = actual.because.iter().filter(|ground| *ground != first);
    for ground in others.chain(&actual.overridden) {
        let label = format!("{}: {} in the role {:?}", ground.option, ground.value, ground.role);
        finding = finding.related(label, site(&ground.at, &value(&ground.value)));
    }
    let decides = format!("{}: {} in the role {:?} decides", first.option, first.value, first.role);
    finding.related("expected here", expectation.at.clone()).help(decides)
}
