//! A requirement of the configuration that the roles do not meet, with the smallest counterexample;
//! the proof is that of [`require`](crate::require).

use crate::config::{Pattern, Requirement};
use crate::holders::holders;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::{Decision, Mode, SessionKind};
use crate::require::{Named, Refutation, Unproved, prove};
use crate::roles::{Problem, ProblemKind, Site};

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
    let roles = input.survey.to_roles();
    let holders = holders(&roles, false);
    for requirement in input.require {
        let outcome = prove(requirement, roles.roles(), &holders);
        for pattern in &outcome.unmatched {
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
        findings.extend(outcome.refutations.iter().map(|refutation| refuted(input, requirement, refutation)));
        findings.extend(outcome.unproved.iter().map(|unproved| not_proved(input, requirement, unproved)));
        findings.extend(unread_values(input, requirement));
    }
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

fn kinds(kinds: impl Iterator<Item = SessionKind>) -> String {
    kinds.map(SessionKind::name).collect::<Vec<_>>().join(", ")
}

fn refuted(input: &Input<'_>, requirement: &Requirement, refutation: &Refutation) -> Finding {
    let survey = input.survey;
    let names = refutation.roles.iter().map(|role| format!("{:?}", role.name)).collect::<Vec<_>>();
    let holds = match (&refutation.holder, names.as_slice()) {
        (Some(holder), _) => who(holder),
        (None, names) => format!("whoever holds {}", names.join(" and ")),
    };
    let others = match refutation.others {
        0 => String::new(),
        1 => " (and another role that is meant falls short likewise)".to_owned(),
        more => format!(" (and {more} other roles that are meant fall short likewise)"),
    };
    let message = format!(
        "{} is not met: {holds} is {} on {}{others}",
        called(requirement),
        fallen(&refutation.decisions),
        kinds(refutation.kinds()),
    );
    // What loosens comes first; where nothing is said, the one who says nothing.
    let because = refutation.decisions.iter().flat_map(|decision| &decision.because).next();
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
    finding.help(refutation.mend.clone())
}

/// How far it falls short.
fn fallen(decisions: &[Decision]) -> &'static str {
    let unrecorded = decisions.iter().any(|decision| !decision.recording);
    let loose = decisions.iter().any(|decision| decision.mode == Mode::BestEffort);
    match (unrecorded, loose) {
        (true, true) => "best_effort or not recorded",
        (true, false) => "not recorded",
        _ => "best_effort",
    }
}

fn not_proved(input: &Input<'_>, requirement: &Requirement, unproved: &Unproved) -> Finding {
    let what = unproved.unknown.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let message = format!(
        "{} can't be proved for {} on {}: {what}",
        called(requirement),
        who(&unproved.holder),
        kinds(unproved.kinds.iter().copied()),
    );
    let (at, name) = unproved
        .unknown
        .first()
        .map_or((&unproved.holder.at, &unproved.holder.name), |unknown| (&unknown.at, &unknown.name));
    let site = |at, name: &str| input.survey.site(at, name.chars().count());
    let mut finding = Finding::new(RULE.id, message, site(at, name));
    finding.own_severity = Some(Severity::Warning);
    finding
        .related(who(&unproved.holder), site(&unproved.holder.at, &unproved.holder.name))
        .related("required here", requirement.at.clone())
        .help("put the role's file beside the others, or name the roles to leave out under except_roles")
}

/// A value that is only known when Terraform runs could be any mode, and could name anyone.
fn unread_values(input: &Input<'_>, requirement: &Requirement) -> Option<Finding> {
    let is_about = |problem: &&Problem| {
        let names = matches!(problem.kind, ProblemKind::UnknownRoles(_)) && !requirement.users.is_empty();
        (names || matches!(problem.kind, ProblemKind::UnknownValue(_)))
            && problem
                .role
                .as_ref()
                .is_none_or(|role| !requirement.except_roles.iter().any(|pattern| pattern.matches(role)))
    };
    let mut sites = input.survey.problems.iter().filter(is_about).map(|problem| problem.site.clone());
    let first: Site = sites.next().filter(|_| requirement.mode == Mode::Strict)?;
    let message =
        format!("{} can't be proved: this value is not known before Terraform runs", called(requirement));
    let mut finding = Finding::new(RULE.id, message, first).related("required here", requirement.at.clone());
    for site in sites {
        finding = finding.related("nor is this one", site);
    }
    finding.own_severity = Some(Severity::Warning);
    Some(finding.help("write the value itself"))
}

/// Places that a finding shows beside its own.
const MOST_RELATED: usize = 20;

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
        for site in others.iter().take(MOST_RELATED - 1) {
            finding = finding.related("nor is this read", (*site).clone());
        }
        finding.help("see the finding there; an ignore with a reason restores the proof")
    };
    input.require.iter().map(finding).collect()
}
