//! A role that loosens another one that it is added to: rule 2 of the semantics.

use super::{at_value, once_each};
use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::{DecidedBy, Mode, OptionName, RoleSet, SessionKind};
use crate::roles::{WrittenRole, desktop_note};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "weakening-role",
    severity: Severity::Warning,
    summary: "a role that, added to another, turns a kind from strict to best_effort",
    docs: include_str!("../../../docs/rules/weakening-role.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    let mut found = Vec::new();
    for roles in input.survey.roles_by_set() {
        check_set(&roles, &mut found);
    }
    findings.extend(once_each(found));
}

/// Only roles of one set are ever added to each other.
fn check_set(roles: &[&WrittenRole], findings: &mut Vec<Finding>) {
    for kind in SessionKind::ALL {
        // Only a strict that comes from a default can be beaten by best_effort.
        let mut strict: Vec<&WrittenRole> =
            roles.iter().copied().filter(|role| is_strict_by_default(role, kind)).collect();
        strict.sort_by(|a, b| a.role.name.cmp(&b.role.name));
        strict.dedup_by(|a, b| a.role.name == b.role.name);
        let options = roles.iter().flat_map(|role| role.options.iter().map(move |option| (*role, option)));
        for (role, option) in options {
            let loosens =
                role.role.record_session.direct(kind).is_some_and(|(mode, _)| mode == Mode::BestEffort);
            if option.option != OptionName::Kind(kind) || !loosens {
                continue;
            }
            let own =
                usize::from(strict.binary_search_by(|other| other.role.name.cmp(&role.role.name)).is_ok());
            let Some(first) = strict.iter().find(|other| other.role.name != role.role.name) else { continue };
            let more = strict.len() - own - 1;
            let name = &first.role.name;
            let others = match more {
                0 => String::new(),
                1 => ", and another role likewise".to_owned(),
                more => format!(", and {more} other roles likewise"),
            };
            let message =
                format!("added to the role {name:?}, this turns {kind} from strict to best_effort{others}");
            let mut finding = at_value(RULE.id, role, option, message);
            if let Some(default) = first.option(OptionName::Default) {
                let label = format!("{name:?} is strict by its default, which {kind}: best_effort beats");
                finding = finding.related(label, first.site_of(&default.value));
            }
            findings.push(finding.help(format!(
                "remove it, or give {name:?} {kind}: strict, which nothing can loosen{}",
                desktop_note(kind == SessionKind::Desktop)
            )));
        }
    }
}

fn is_strict_by_default(role: &WrittenRole, kind: SessionKind) -> bool {
    let alone = [std::sync::Arc::clone(&role.role)].into_iter().collect::<RoleSet>().resolve(kind);
    (alone.mode, alone.decided_by) == (Some(Mode::Strict), DecidedBy::Default)
}
