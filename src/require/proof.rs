//! The proof; why it is enough is said in the module above.

use std::sync::Arc;

use super::{Named, Outcome, Refutation, Unproved};
use crate::config::{Pattern, Requirement};
use crate::holders::Holder;
use crate::policy::{Decision, Ground, Mode, OptionName, Role, RoleSet, SessionKind, Value};
use crate::roles::desktop_note;

/// Proves or refutes `requirement` over these roles (sorted by name) and holders.
#[must_use]
pub fn prove(requirement: &Requirement, roles: &[Arc<Role>], holders: &[Holder]) -> Outcome {
    let mut outcome = Outcome::default();
    if !requirement.roles.is_empty() {
        outcome.refutations = over_all_sets(requirement, roles);
    }
    over_holders(requirement, holders, &mut outcome);
    let no_role = |pattern: &&Pattern| !roles.iter().any(|role| pattern.matches(&role.name));
    let no_holder = |pattern: &&Pattern| !holders.iter().any(|holder| is_named(holder, pattern));
    outcome.unmatched.extend(requirement.roles.iter().filter(no_role).cloned());
    outcome.unmatched.extend(requirement.users.iter().filter(no_holder).cloned());
    outcome.unmatched.extend(requirement.except_roles.iter().filter(no_role).cloned());
    outcome
}

fn any_matches(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

fn is_named(holder: &Holder, pattern: &Pattern) -> bool {
    pattern.matches(&holder.name) || pattern.matches(&holder.short)
}

fn resolve(roles: &[Arc<Role>], kind: SessionKind) -> Decision {
    roles.iter().cloned().collect::<RoleSet>().resolve(kind)
}

/// For each kind the smallest counterexample, equal ones of several kinds as one.
fn over_all_sets(requirement: &Requirement, roles: &[Arc<Role>]) -> Vec<Refutation> {
    let left: Vec<_> =
        roles.iter().filter(|role| !any_matches(&requirement.except_roles, &role.name)).cloned().collect();
    let matches: Vec<_> =
        left.iter().filter(|role| any_matches(&requirement.roles, &role.name)).cloned().collect();
    let mut refutations: Vec<Refutation> = Vec::new();
    for &kind in &requirement.kinds {
        let Some((counterexample, others)) = smallest(requirement.mode, &matches, &left, kind) else {
            continue;
        };
        let decision = resolve(&counterexample, kind);
        let same = refutations.iter_mut().find(|known| {
            known.others == others
                && known.roles == counterexample
                && is_same_reason(&known.decisions[0], &decision)
        });
        match same {
            Some(known) => known.decisions.push(decision),
            None => refutations.push(Refutation {
                holder: None,
                roles: counterexample,
                decisions: vec![decision],
                mend: String::new(),
                others,
            }),
        }
    }
    for refutation in &mut refutations {
        refutation.mend = mend(refutation);
    }
    refutations
}

/// The smallest set that falls short, first by name among equally small ones, and how many other
/// matches fall short in as small a set.
fn smallest(
    required: Mode,
    matches: &[Arc<Role>],
    roles: &[Arc<Role>],
    kind: SessionKind,
) -> Option<(Vec<Arc<Role>>, usize)> {
    let falls_short = |roles: &[Arc<Role>]| !resolve(roles, kind).meets(required);
    let mut alone = matches.iter().filter(|role| falls_short(std::slice::from_ref(*role)));
    if let Some(first) = alone.next() {
        return Some((vec![Arc::clone(first)], alone.count()));
    }
    // Whatever loosens one match that is strict by its default loosens every such match.
    let loosening = roles
        .iter()
        .find(|role| role.record_session.direct(kind).is_some_and(|(mode, _)| mode == Mode::BestEffort))?;
    let pair = |role: &Arc<Role>| vec![Arc::clone(role), Arc::clone(loosening)];
    let mut loosened = matches.iter().map(pair).filter(|pair| falls_short(pair));
    let first = loosened.next()?;
    Some((first, loosened.count()))
}

/// Whether two kinds fall short by the same settings.
fn is_same_reason(a: &Decision, b: &Decision) -> bool {
    (a.mode, a.recording, a.decided_by) == (b.mode, b.recording, b.decided_by)
        && a.because == b.because
        && a.overridden == b.overridden
}

/// Each user and group by its own set.
fn over_holders(requirement: &Requirement, holders: &[Holder], outcome: &mut Outcome) {
    for holder in
        holders.iter().filter(|holder| requirement.users.iter().any(|pattern| is_named(holder, pattern)))
    {
        let named = || Named { kind: holder.kind, name: Arc::clone(&holder.name), at: holder.at.clone() };
        let held = holder.held.iter().map(|(role, _)| role);
        let set: Vec<_> =
            held.filter(|role| !any_matches(&requirement.except_roles, &role.name)).cloned().collect();
        let unknown: Vec<_> = holder
            .unknown
            .iter()
            .filter(|unknown| !any_matches(&requirement.except_roles, &unknown.name))
            .cloned()
            .collect();
        let (mut short, mut open) = (Vec::new(), Vec::new());
        for &kind in &requirement.kinds {
            let decision = resolve(&set, kind);
            if !set.is_empty() && !decision.meets(requirement.mode) {
                short.push(decision);
            } else if !unknown.is_empty() && !is_settled(requirement.mode, &set, &decision) {
                open.push(kind);
            }
        }
        if !short.is_empty() {
            let mut refutation = Refutation {
                holder: Some(named()),
                roles: deciding(&set, &short),
                decisions: short,
                mend: String::new(),
                others: 0,
            };
            refutation.mend = mend(&refutation);
            outcome.refutations.push(refutation);
        }
        if !open.is_empty() {
            outcome.unproved.push(Unproved { holder: named(), kinds: open, unknown });
        }
    }
}

/// Whether no further role could make the set fall short.
fn is_settled(required: Mode, set: &[Arc<Role>], decision: &Decision) -> bool {
    let strict = |role: &Arc<Role>| {
        role.record_session.direct(decision.kind).is_some_and(|(mode, _)| mode == Mode::Strict)
    };
    required == Mode::BestEffort || set.iter().any(strict)
}

/// The roles whose settings decide or are overridden; all, where nothing is said.
fn deciding(set: &[Arc<Role>], decisions: &[Decision]) -> Vec<Arc<Role>> {
    if decisions.iter().any(|decision| decision.because.is_empty()) {
        return set.to_vec();
    }
    let grounds =
        || decisions.iter().flat_map(|decision| decision.because.iter().chain(&decision.overridden));
    set.iter().filter(|role| grounds().any(|ground| ground.role == role.name)).cloned().collect()
}

/// What would make the counterexample meet the requirement, without choosing for anyone.
fn mend(refutation: &Refutation) -> String {
    let quoted = |names: &mut dyn Iterator<Item = &str>| {
        names.map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ")
    };
    let kinds: Vec<_> = refutation.kinds().map(SessionKind::name).collect();
    let options = kinds.iter().map(|kind| format!("`{kind}: strict`")).collect::<Vec<_>>().join(", ");
    let mut loosening: Vec<&str> = Vec::new();
    for decision in &refutation.decisions {
        let direct = |ground: &&Ground| {
            ground.value == Value::Mode(Mode::BestEffort) && ground.option == OptionName::Kind(decision.kind)
        };
        loosening.extend(decision.because.iter().filter(direct).map(|ground| ground.role.as_ref()));
    }
    loosening.sort_unstable();
    loosening.dedup();
    let own = refutation.roles.iter().map(|role| role.name.as_ref());
    let target =
        if refutation.holder.is_none() { quoted(&mut own.take(1)) } else { quoted(&mut own.take(3)) };
    let is_desktop = refutation.kinds().any(|kind| kind == SessionKind::Desktop);
    let give = format!("give {options} to the role {target}{}", desktop_note(is_desktop));
    // Without what loosens it is strict only if some default says so.
    let is_strict_below = |decision: &Decision| {
        let default = |ground: &Ground| {
            ground.option == OptionName::Default && ground.value == Value::Mode(Mode::Strict)
        };
        decision.recording && decision.overridden.iter().any(default)
    };
    if loosening.is_empty() || !refutation.decisions.iter().all(is_strict_below) {
        return give;
    }
    let kinds = kinds.join(", ");
    format!("{give}, or take best_effort for {kinds} out of {}", quoted(&mut loosening.into_iter()))
}
