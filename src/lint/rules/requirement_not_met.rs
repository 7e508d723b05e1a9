//! A requirement of the configuration that the roles do not meet, with the smallest counterexample;
//! the proof is that of [`require`](crate::require).

use std::sync::Arc;

use super::{amounts_to, join_kinds, once_each};
use crate::config::{Pattern, Requirement};
use crate::holders::holders;
use crate::lint::finding::bound;
use crate::lint::{Finding, Input, Rule, Severity, check_name};
use crate::policy::{Answer, SessionKind};
use crate::require::{Known, Named, Refutation, Unproved, Verdict, prove};
use crate::roles::{Problem, ProblemKind, SetKey, Site};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "requirement-not-met",
    severity: Severity::Error,
    summary: "a requirement of the configuration that the roles do not meet",
    docs: include_str!("../../../docs/rules/requirement-not-met.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    if input.require.is_empty() {
        return;
    }
    // Each set by itself: nobody holds roles of two.
    let sets = input.survey.sets();
    let sets: Vec<_> = sets.iter().map(|roles| (roles, holders(roles, false))).collect();
    let unnamed = input.survey.unnamed_roles();
    for (n, requirement) in input.require.iter().enumerate() {
        let first = findings.len();
        let verdicts: Vec<_> = sets
            .iter()
            .map(|(roles, holders)| {
                let known = Known { roles: roles.roles(), unnamed: &unnamed, holders };
                (roles.key(), prove(requirement, &known))
            })
            .collect();
        let in_none = |pattern: &&Pattern| {
            verdicts.iter().all(|(_, verdict)| verdict.unmatched.iter().any(|other| other.at == pattern.at))
        };
        for pattern in verdicts[0].1.unmatched.iter().filter(in_none) {
            let is_one_of = |patterns: &[Pattern]| patterns.iter().any(|one| one.at == pattern.at);
            // Without a match nothing is proved. Who else is meant, or excepted, may be in other files.
            if !input.is_whole && !is_one_of(&requirement.roles) {
                continue;
            }
            let message = format!("the pattern {:?} matches nothing that was read", pattern.text);
            let mut finding = Finding::new(RULE.id, message, pattern.at.clone());
            finding.own_severity = Some(Severity::Warning);
            let excepts = is_one_of(&requirement.except_roles);
            let so = if excepts { "so nothing is excepted by it" } else { "so nothing is required by it" };
            findings.push(finding.help(format!("{so}: is it a slip?")));
        }
        findings.extend(excepted(requirement, &verdicts));
        let mut found = Vec::new();
        for (set, verdict) in &verdicts {
            let refuted = |refutation| refuted(input, requirement, set, refutation);
            let not_proved = |unproved| not_proved(input, requirement, set, unproved);
            found.extend(verdict.refutations.iter().map(refuted));
            found.extend(verdict.unproved.iter().map(not_proved));
            found.extend(more(requirement, set, verdict.more));
        }
        findings.extend(once_each(found));
        findings.extend(unknown_holders(input, requirement));
        findings.extend(not_checked_out(input, requirement));
        let name = check_name::requirement(n, requirement);
        findings[first..].iter_mut().for_each(|finding| finding.checks = vec![Arc::clone(&name)]);
        // Requirements times users may be many.
        bound(findings);
    }
}

/// Patterns of `roles` by which nothing is required in any set, as `except_roles` leaves out all that they match.
fn excepted(requirement: &Requirement, verdicts: &[(&SetKey, Verdict)]) -> Vec<Finding> {
    let has = |patterns: &[Pattern], pattern: &Pattern| patterns.iter().any(|one| one.at == pattern.at);
    let is_excepted = |pattern: &&Pattern| {
        verdicts.iter().any(|(_, verdict)| has(&verdict.excepted, pattern))
            && verdicts
                .iter()
                .all(|(_, verdict)| has(&verdict.excepted, pattern) || has(&verdict.unmatched, pattern))
    };
    let finding = |pattern: &Pattern| {
        let message = format!("except_roles leaves out all that the pattern {:?} matches", pattern.text);
        let mut finding = Finding::new(RULE.id, message, pattern.at.clone());
        finding.own_severity = Some(Severity::Warning);
        finding.help("so nothing is required by it: is it a slip?")
    };
    requirement.roles.iter().filter(is_excepted).map(finding).collect()
}

/// What a requirement is called in a message.
fn called(requirement: &Requirement) -> String {
    match &requirement.name {
        Some(name) => format!("the requirement {name:?}"),
        None => "a requirement".to_owned(),
    }
}

fn who(holder: &Named) -> String {
    format!("the {} {:?}", holder.kind.name(), holder.name)
}

/// One finding in place of the counterexamples that are too many to be shown.
fn more(requirement: &Requirement, set: &SetKey, number: usize) -> Option<Finding> {
    let others = if number == 1 { "one more reason".to_owned() } else { format!("{number} more reasons") };
    let message =
        format!("{} is not met or can't be proved{}: {others}", called(requirement), set.in_words());
    (number > 0).then(|| Finding::new(RULE.id, message, requirement.at.clone()).hides([others.as_str()]))
}

fn refuted(input: &Input<'_>, requirement: &Requirement, set: &SetKey, refutation: &Refutation) -> Finding {
    let survey = input.survey;
    let names = refutation.roles.iter().map(|role| format!("{:?}", role.name)).collect::<Vec<_>>();
    let holds = match (&refutation.holder, names.as_slice()) {
        (Some(holder), _) => who(holder),
        (None, names) => format!("whoever holds {}", names.join(" and ")),
    };
    let others = match refutation.others.len() {
        0 => String::new(),
        1 => " (and another role that is meant falls short likewise)".to_owned(),
        more => format!(" (and {more} other roles that are meant fall short likewise)"),
    };
    let message = format!(
        "{} is not met{}: {holds} is {} on {}{others}",
        called(requirement),
        set.in_words(),
        amounts_to(&refutation.answers),
        join_kinds(refutation.kinds()),
    );
    // What decides comes first; where no role sets anything, the role itself.
    let because = refutation.answers.iter().find_map(Answer::deciding);
    let first = match (because, &refutation.holder) {
        (Some(ground), _) => survey.site(&ground.at, ground.value.to_string().chars().count()),
        (None, Some(holder)) => survey.site(&holder.at, holder.name.chars().count()),
        (None, None) => match refutation.roles.first() {
            Some(role) => survey.site(&role.at, role.name.chars().count()),
            None => requirement.at.clone(),
        },
    };
    let mut finding = Finding::new(RULE.id, message, first);
    for ground in refutation.grounds().into_iter().filter(|ground| Some(*ground) != because) {
        let label = format!("{}: {} in the role {:?}", ground.option, ground.value, ground.role);
        finding = finding.related(label, survey.site(&ground.at, ground.value.to_string().chars().count()));
    }
    for role in &refutation.roles {
        let label = format!("the role {:?}", role.name);
        finding = finding.related(label, survey.site(&role.at, role.name.chars().count()));
    }
    if let Some(holder) = &refutation.holder {
        finding = finding.related(who(holder), survey.site(&holder.at, holder.name.chars().count()));
    }
    finding = finding.related("required here", requirement.at.clone());
    finding.role =
        because.map(|ground| &ground.role).or(refutation.roles.first().map(|role| &role.name)).cloned();
    finding.option = because.map(|ground| ground.option.name().to_owned());
    finding = finding.hides(refutation.others.iter().map(AsRef::as_ref));
    finding.help(if set.scoped.is_some() { scoped_mend(refutation) } else { refutation.mend.clone() })
}

/// What would mend a scoped role: it has two keys of modes.
fn scoped_mend(refutation: &Refutation) -> String {
    let is_ssh = |kind: SessionKind| kind == SessionKind::Ssh;
    let ssh = refutation.kinds().any(is_ssh).then_some("spec.ssh.session_recording.mode: strict");
    let others = !refutation.kinds().all(is_ssh);
    let others = others.then_some("spec.defaults.session_recording.mode: strict");
    format!("write {}", ssh.into_iter().chain(others).collect::<Vec<_>>().join(" and "))
}

fn not_proved(input: &Input<'_>, requirement: &Requirement, set: &SetKey, unproved: &Unproved) -> Finding {
    let survey = input.survey;
    let names = || unproved.roles.iter().map(|role| format!("{:?}", role.name)).collect::<Vec<_>>();
    let anybody = || format!("whoever holds {}", names().join(" and "));
    let of = unproved.holder.as_ref().map_or_else(anybody, who);
    let settings = unproved.settings.iter().map(|setting| {
        format!("{} {} in the role {:?} ({})", setting.option, setting.reason, setting.role, setting.at)
    });
    let unnamed = unproved.unnamed.iter().map(|role| {
        format!("the name of the role {:?} ({}) is an expression and may match", role.name, role.at)
    });
    let what: Vec<_> =
        unnamed.chain(settings).chain(unproved.unknown.iter().map(ToString::to_string)).collect();
    let message = format!(
        "{} can't be proved{} for {of} on {}: {}",
        called(requirement),
        set.in_words(),
        join_kinds(unproved.kinds.iter().copied()),
        what.join("; "),
    );
    let site = |at, name: &str| survey.site(at, name.chars().count());
    let at = if let Some(setting) = unproved.settings.first() {
        site(&setting.at, "")
    } else if let Some(unknown) = unproved.unknown.first() {
        site(&unknown.at, &unknown.name)
    } else if let Some(role) = &unproved.unnamed {
        site(&role.at, "")
    } else {
        requirement.at.clone()
    };
    let mut finding = Finding::new(RULE.id, message, at);
    finding.own_severity = Some(Severity::Warning);
    finding.role = unproved.settings.first().map(|setting| Arc::clone(&setting.role));
    finding.option = unproved.settings.first().map(|setting| setting.option.name().to_owned());
    for setting in unproved.settings.iter().skip(1) {
        finding = finding.related(format!("this {} too", setting.reason), site(&setting.at, ""));
    }
    if let Some(holder) = &unproved.holder {
        finding = finding.related(who(holder), site(&holder.at, &holder.name));
    }
    let help = if unproved.unknown.is_empty() {
        "write the value itself, or judge what terraform plan would apply"
    } else {
        "put the role's file beside the others, or name the roles to leave out under except_roles"
    };
    finding.related("required here", requirement.at.clone()).help(help)
}

/// An expression in the place of who holds which roles could name anyone.
fn unknown_holders(input: &Input<'_>, requirement: &Requirement) -> Option<Finding> {
    if requirement.users.is_empty() {
        return None;
    }
    let is_about = |problem: &&Problem| matches!(problem.kind, ProblemKind::UnknownRoles(_));
    let mut sites = input.survey.problems.iter().filter(is_about).map(|problem| problem.site.clone());
    let first = sites.next()?;
    let message = format!(
        "{} can't be proved: who holds what by this expression is not known before Terraform runs",
        called(requirement)
    );
    let mut finding = Finding::new(RULE.id, message, first).related("required here", requirement.at.clone());
    for site in sites {
        finding = finding.related("nor is this one", site);
    }
    finding.own_severity = Some(Severity::Warning);
    Some(finding.help("write the value itself"))
}

/// A file that git tracks and that is not in the working tree could hold any role.
fn not_checked_out(input: &Input<'_>, requirement: &Requirement) -> Option<Finding> {
    let number = |problem: &Problem| match problem.kind {
        ProblemKind::Sparse(number) => Some(number),
        _ => None,
    };
    let number: usize = input.survey.problems.iter().filter_map(number).sum();
    let files = if number == 1 { "a file".to_owned() } else { format!("{number} files") };
    let message =
        format!("{} can't be proved: this checkout is sparse and lacks {files}", called(requirement));
    let mut finding = Finding::new(RULE.id, message, requirement.at.clone());
    finding.own_severity = Some(Severity::Warning);
    (number > 0).then(|| finding.help("check the whole repository out (`git sparse-checkout disable`)"))
}

/// What looks like a role and was not read could be one that loosens any mode, so nothing is proved.
pub(in crate::lint) fn unread(input: &Input<'_>, roles: &[&Site]) -> Vec<Finding> {
    let Some((first, others)) = roles.split_first() else { return Vec::new() };
    let line = first.mark.as_ref().map_or(0, |mark| mark.line);
    let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
    let finding = |requirement| {
        let called = called(requirement);
        let file = &first.file;
        let message =
            format!("{called} can't be proved: {file}:{line} looks like a role and is not read{more}");
        let mut finding = Finding::new(RULE.id, message, (*first).clone());
        finding.own_severity = Some(Severity::Warning);
        finding = finding.related("required here", requirement.at.clone());
        for site in others {
            finding = finding.related("nor is this read", (*site).clone());
        }
        finding.help("see the finding there; an ignore with a reason restores the proof")
    };
    let named = |(n, requirement)| {
        let mut finding = finding(requirement);
        finding.checks = vec![check_name::requirement(n, requirement)];
        finding
    };
    input.require.iter().enumerate().map(named).collect()
}
