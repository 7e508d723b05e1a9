//! What holders may request: `allow.request.roles` and `claims_to_roles` of the roles that they hold, less
//! what a `deny.request.roles` of theirs matches; and by asking for a resource `search_as_roles`, less
//! both denials. What was requested allows no further requests.
//!
//! Of `claims_to_roles` all roles count, and those that it denies don't: traits are not evaluated.
//! This is how Teleport's v18 line validates a request, as of 2026.

use std::collections::HashMap;
use std::sync::Arc;

use super::pattern::{Pattern, is_template};
use super::{Holder, Unknown, UnknownWhat};
use crate::roles::{NameAt, Requests, Roles};

/// Of which of the roles that were read, by their number, a bit is set.
type Matched = Vec<u64>;

/// What one role says of requests.
struct Said {
    allow: Matched,
    deny: Matched,
    search: Matched,
    deny_search: Matched,
    unknown: Vec<Unknown>,
}

/// Fills in what each holder may request.
pub(super) fn add(roles: &Roles, holders: &mut [Holder]) {
    let said = &roles.grants().requests;
    if said.is_empty() {
        return;
    }
    // Each pattern is matched once, however many roles have it and however many hold them.
    let mut patterns: HashMap<&str, Matched> = HashMap::new();
    for (name, _) in said.iter().flat_map(|said| said.allow.iter().chain(&said.deny)) {
        patterns.entry(name).or_insert_with(|| matched(roles, name));
    }
    let any = |names: &[NameAt]| {
        let mut any: Matched = vec![0; words(roles)];
        for some in names.iter().filter_map(|(name, _)| patterns.get(name.as_ref())) {
            add_bits(&mut any, some);
        }
        any
    };
    let by_role: HashMap<&str, Said> = said
        .iter()
        .map(|said| {
            let (allow, deny) = (any(&said.allow), any(&said.deny));
            let (search, deny_search) = (named(roles, &said.search), named(roles, &said.deny_search));
            let unknown = unread(roles, said);
            (said.role.as_ref(), Said { allow, deny, search, deny_search, unknown })
        })
        .collect();
    for holder in holders {
        let mut allowed: Matched = vec![0; words(roles)];
        let (mut barred, mut found, mut unfound) = (allowed.clone(), allowed.clone(), allowed.clone());
        for (role, _) in &holder.held {
            if let Some(said) = by_role.get(role.name.as_ref()) {
                add_bits(&mut allowed, &said.allow);
                add_bits(&mut barred, &said.deny);
                add_bits(&mut found, &said.search);
                add_bits(&mut unfound, &said.deny_search);
                holder.unknown_requests.extend_from_slice(&said.unknown);
            }
        }
        for (role, _) in &holder.held {
            if let Ok(n) = roles.roles().binary_search_by(|other| other.name.cmp(&role.name)) {
                barred[n / 64] |= 1 << (n % 64);
            }
        }
        let may = |n: usize| {
            let words = (allowed[n / 64] | found[n / 64] & !unfound[n / 64]) & !barred[n / 64];
            words >> (n % 64) & 1 == 1
        };
        let requestable = roles.roles().iter().enumerate().filter(|&(n, _)| may(n));
        holder.requestable = requestable.map(|(_, role)| Arc::clone(role)).collect();
        holder.unknown_requests.sort_unstable();
        holder.unknown_requests.dedup_by(|a, b| (a.what, &a.name) == (b.what, &b.name));
    }
}

fn words(roles: &Roles) -> usize {
    roles.roles().len().div_ceil(64)
}

fn add_bits(all: &mut [u64], some: &[u64]) {
    all.iter_mut().zip(some).for_each(|(all, some)| *all |= some);
}

/// The roles that were read and that the pattern matches.
fn matched(roles: &Roles, pattern: &str) -> Matched {
    let mut matched = vec![0; words(roles)];
    let Some(pattern) = Pattern::new(pattern) else { return matched };
    for (n, _) in roles.roles().iter().enumerate().filter(|(_, role)| pattern.matches(&role.name)) {
        matched[n / 64] |= 1 << (n % 64);
    }
    matched
}

/// The roles that were read and have one of these names.
fn named(roles: &Roles, names: &[NameAt]) -> Matched {
    let mut matched = vec![0; words(roles)];
    for (name, _) in names {
        if let Ok(n) = roles.roles().binary_search_by(|role| role.name.cmp(name)) {
            matched[n / 64] |= 1 << (n % 64);
        }
    }
    matched
}

/// What a role allows to request and was not read.
fn unread(roles: &Roles, said: &Requests) -> Vec<Unknown> {
    let search = said.search.iter().filter(|(name, _)| roles.role(name).is_none());
    let search = search.map(|(name, at)| {
        let what = if is_template(name) { UnknownWhat::Template } else { UnknownWhat::Role };
        Unknown { what, name: Arc::clone(name), at: at.clone() }
    });
    let unknown = said.allow.iter().filter_map(|(name, at)| {
        let what = if is_template(name) {
            UnknownWhat::Template
        } else {
            match Pattern::new(name) {
                Some(Pattern::Literal(name)) if roles.role(name).is_none() => UnknownWhat::Role,
                None => UnknownWhat::Pattern,
                Some(_) => return None,
            }
        };
        Some(Unknown { what, name: Arc::clone(name), at: at.clone() })
    });
    unknown.chain(search).collect()
}
