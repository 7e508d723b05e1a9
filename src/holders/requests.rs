//! What holders may request: `allow.request.roles` of the roles that they hold, less what a
//! `deny.request.roles` of theirs matches. What was requested allows no further requests.

use std::collections::HashMap;
use std::sync::Arc;

use super::pattern::{Pattern, is_template};
use super::{Holder, Unknown, UnknownWhat};
use crate::roles::{NameAt, Requests, Roles};

/// Of which of the roles that were read, by their number, a bit is set.
type Matched = Vec<u64>;

/// Fills in what each holder may request.
pub(super) fn add(roles: &Roles, holders: &mut [Holder]) {
    // Each role's patterns are matched once, however many hold it.
    let by_role: HashMap<&str, (&Requests, Matched, Matched)> = roles
        .grants()
        .requests
        .iter()
        .map(|said| (said.role.as_ref(), (said, matched(roles, &said.allow), matched(roles, &said.deny))))
        .collect();
    if by_role.is_empty() {
        return;
    }
    for holder in holders {
        let mut allowed: Matched = vec![0; words(roles)];
        let mut barred = allowed.clone();
        for (role, _) in &holder.held {
            if let Some((said, allow, deny)) = by_role.get(role.name.as_ref()) {
                allowed.iter_mut().zip(allow).for_each(|(all, some)| *all |= some);
                barred.iter_mut().zip(deny).for_each(|(all, some)| *all |= some);
                holder.unknown_requests.extend(unread(roles, said));
            }
        }
        for (role, _) in &holder.held {
            if let Ok(n) = roles.roles().binary_search_by(|other| other.name.cmp(&role.name)) {
                barred[n / 64] |= 1 << (n % 64);
            }
        }
        let may = |n: usize| (allowed[n / 64] & !barred[n / 64]) >> (n % 64) & 1 == 1;
        let requestable = roles.roles().iter().enumerate().filter(|&(n, _)| may(n));
        holder.requestable = requestable.map(|(_, role)| Arc::clone(role)).collect();
        holder.unknown_requests.sort_unstable();
        holder.unknown_requests.dedup_by(|a, b| (a.what, &a.name) == (b.what, &b.name));
    }
}

fn words(roles: &Roles) -> usize {
    roles.roles().len().div_ceil(64)
}

/// The roles that were read and that one of the patterns matches.
fn matched(roles: &Roles, names: &[NameAt]) -> Matched {
    let mut matched = vec![0; words(roles)];
    for pattern in names.iter().filter_map(|(name, _)| Pattern::new(name)) {
        for (n, _) in roles.roles().iter().enumerate().filter(|(_, role)| pattern.matches(&role.name)) {
            matched[n / 64] |= 1 << (n % 64);
        }
    }
    matched
}

/// What a role allows to request and was not read.
fn unread(roles: &Roles, said: &Requests) -> Vec<Unknown> {
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
    unknown.collect()
}
