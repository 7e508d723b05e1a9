//! A document that names a role which was not read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::once_each;
use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::Place;
use crate::roles::{Grants, Mention, Roles};
use crate::spelling::Names;

pub(in crate::lint) const RULE: Rule = Rule {
    id: "unknown-role",
    severity: Severity::Warning,
    summary: "a user, access list or other document that names a role which was not read",
    docs: include_str!("../../../docs/rules/unknown-role.md"),
    check,
};

/// Roles that every cluster of Teleport 18 has without anyone writing them.
const PRESETS: [&str; 9] = [
    "access",
    "auditor",
    "device-admin",
    "device-enroll",
    "editor",
    "group-access",
    "requester",
    "require-trusted-device",
    "reviewer",
];

/// How many wrong, missing or surplus characters make a slip of a name.
const MAX_SLIPS: usize = 2;

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    let sets = input.survey.sets();
    let any_scoped = sets.iter().any(|set| set.key().scoped.is_some() && !set.roles().is_empty());
    let mut found = Vec::new();
    for set in &sets {
        // Without any role, roles are somewhere else. A scoped role is a set of its own.
        if !set.roles().is_empty() || set.key().scoped.is_some() && any_scoped {
            check_set(input, set, &mut found);
        }
    }
    findings.extend(once_each(found));
}

fn check_set(input: &Input<'_>, set: &Roles, findings: &mut Vec<Finding>) {
    let names: HashSet<&str> = set.roles().iter().map(|role| &*role.name).collect();
    let mut near = Names::new(names.iter().copied());
    // Many users may hold the same one.
    let mut helps: HashMap<&str, String> = HashMap::new();
    for user in set.users() {
        for (role, at) in &user.roles {
            // A glob or a template stands for roles that are not known here.
            if names.contains(&**role) || role.contains(['*', '$', '{', '^']) {
                continue;
            }
            let message = match &set.key().scoped {
                Some(scoped) => {
                    format!(
                        "the user {:?} is assigned the scoped role {scoped:?}, which was not read",
                        user.name
                    )
                }
                None => format!("the user {:?} holds the role {role:?}, which was not read", user.name),
            };
            let finding =
                Finding::new(RULE.id, message, input.survey.site(at, role.chars().count())).role(role);
            let help = helps.entry(role).or_insert_with(|| help(role, &mut near));
            findings.push(finding.help(help.as_str()));
        }
    }
    for (who, role, at) in granted(set.grants()) {
        if names.contains(&**role) || role.contains(['*', '$', '{', '^']) {
            continue;
        }
        let message = format!("{who} names the role {role:?}, which was not read");
        let finding = Finding::new(RULE.id, message, input.survey.site(at, role.chars().count())).role(role);
        let help = helps.entry(role).or_insert_with(|| help(role, &mut near));
        findings.push(finding.help(help.as_str()));
    }
}

/// Each role that something other than a user's document gives or names, and what does.
fn granted(grants: &Grants) -> impl Iterator<Item = (String, &Arc<str>, &Place)> {
    let lists = grants.lists.iter().flat_map(|list| {
        let who = format!("the access list {:?}", list.name);
        list.grants.iter().chain(&list.owner_grants).map(move |(role, at)| (who.clone(), role, at))
    });
    let bots = grants.bots.iter().flat_map(|bot| {
        let who = format!("the bot {:?}", bot.name);
        bot.roles.iter().map(move |(role, at)| (who.clone(), role, at))
    });
    let connectors = grants.connectors.iter().flat_map(|connector| {
        let who = format!("the {} connector {:?}", connector.kind.name(), connector.name);
        let roles = connector.mappings.iter().flat_map(|mapping| &mapping.roles);
        roles.map(move |(role, at)| (who.clone(), role, at))
    });
    let requests = grants.requests.iter().flat_map(|requests| {
        let who = format!("a request that the role {:?} allows", requests.role);
        requests.allow.iter().chain(&requests.search).map(move |(role, at)| (who.clone(), role, at))
    });
    let mentions =
        grants.mentions.iter().map(|Mention { by, role: (role, at), .. }| (by.to_string(), role, at));
    lists.chain(bots).chain(connectors).chain(requests).chain(mentions)
}

fn help(role: &str, names: &mut Names<'_>) -> String {
    if PRESETS.contains(&role) {
        return "this is a preset role of Teleport: put it beside the others (tctl get role/NAME)".to_owned();
    }
    match names.nearest(role, MAX_SLIPS) {
        Some(name) if role.len() > 3 => format!("did you mean {name:?}?"),
        _ => "without it the modes of whoever holds it can't be told".to_owned(),
    }
}
