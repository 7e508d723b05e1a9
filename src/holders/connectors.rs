//! The groups that connectors map to roles.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::pattern::{Pattern, is_template};
use super::{Holder, HolderKind, UnknownWhat};
use crate::roles::{Connector, ConnectorKind, Mapping, NameAt, Roles};

/// Every team and every value that some connector maps to roles.
pub(super) fn groups(roles: &Roles) -> Vec<Holder> {
    roles.grants().connectors.iter().flat_map(|connector| groups_of(roles, connector)).collect()
}

fn groups_of(roles: &Roles, connector: &Connector) -> Vec<Holder> {
    let mut groups: BTreeMap<(&str, &str), Holder> = BTreeMap::new();
    let mut patterns: HashMap<&str, Vec<(Pattern<'_>, &Mapping)>> = HashMap::new();
    for mapping in &connector.mappings {
        let key = (mapping.attribute.as_ref(), mapping.value.as_ref());
        let holder = groups.entry(key).or_insert_with(|| group(connector, mapping));
        mapping.roles.iter().for_each(|role| give(roles, holder, role));
        if connector.kind == ConnectorKind::Github {
            continue;
        }
        // What Terraform makes of it may be matched by other mappings.
        if is_template(&mapping.value) {
            holder.unknown(UnknownWhat::Template, &mapping.value, &mapping.at);
            continue;
        }
        match Pattern::new(&mapping.value) {
            Some(pattern) if pattern.is_literal() => {}
            Some(pattern) => patterns.entry(key.0).or_default().push((pattern, mapping)),
            None => holder.unknown(UnknownWhat::Pattern, &mapping.value, &mapping.at),
        }
    }
    for ((attribute, value), holder) in &mut groups {
        let is_value = Pattern::new(value).is_some_and(|pattern| pattern.is_literal());
        let matching = patterns.get(attribute).into_iter().flatten();
        for (_, mapping) in matching.filter(|(pattern, _)| is_value && pattern.matches(value)) {
            mapping.roles.iter().for_each(|role| give(roles, holder, role));
        }
    }
    groups.into_values().collect()
}

fn group(connector: &Connector, mapping: &Mapping) -> Holder {
    let (kind, between) = match connector.kind {
        ConnectorKind::Github => (HolderKind::GithubTeam, '/'),
        ConnectorKind::Saml => (HolderKind::SamlAttribute, '='),
        ConnectorKind::Oidc => (HolderKind::OidcClaim, '='),
    };
    let Mapping { attribute, value, at, .. } = mapping;
    // Who has the attribute with an empty value; nobody sees that where nothing is shown.
    let value = if value.is_empty() { &Arc::from("\"\"") } else { value };
    let name = format!("{}: {attribute}{between}{value}", connector.name);
    let short = match connector.kind {
        ConnectorKind::Github => format!("{attribute}/{value}").into(),
        _ => Arc::clone(value),
    };
    Holder { short, ..Holder::new(kind, name, at.clone()) }
}

/// Gives the role of a mapping, which may stand for many or for what can't be known.
fn give(roles: &Roles, holder: &mut Holder, role: &NameAt) {
    let (name, at) = role;
    // A role that was read is meant by its name, whatever characters are in it.
    if roles.role(name).is_some() {
        return holder.give(roles, role);
    }
    if is_template(name) {
        return holder.unknown(UnknownWhat::Template, name, at);
    }
    match Pattern::new(name) {
        Some(pattern) if pattern.is_literal() => holder.give(roles, role),
        Some(pattern) => {
            let before = holder.held.len();
            let matching = roles.roles().iter().filter(|role| pattern.matches(&role.name));
            holder.held.extend(matching.map(|role| (Arc::clone(role), at.clone())));
            if holder.held.len() == before {
                holder.unknown(UnknownWhat::Pattern, name, at);
            }
        }
        None => holder.unknown(UnknownWhat::Pattern, name, at),
    }
}
