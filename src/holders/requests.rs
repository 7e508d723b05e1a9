//! What holders may request: `allow.request.roles` of the roles that they hold, less what a
//! `deny.request.roles` of theirs matches. What was requested allows no further requests.

use std::collections::HashMap;
use std::sync::Arc;

use super::pattern::{Pattern, is_template};
use super::{Holder, Unknown, UnknownWhat};
use crate::policy::Role;
use crate::roles::{NameAt, Requests, Roles};

/// Numbers of the roles that were read, sorted.
type Matched = Vec<usize>;

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
        let (mut allowed, mut denied) = (Vec::new(), Vec::new());
        for (role, _) in &holder.held {
            if let Some((said, allow, deny)) = by_role.get(role.name.as_ref()) {
                allowed.extend_from_slice(allow);
                denied.extend_from_slice(deny);
                holder.unknown_requests.extend(unread(roles, said));
            }
        }
        allowed.sort_unstable();
        allowed.dedup();
        denied.sort_unstable();
        let may = allowed.into_iter().filter(|n| denied.binary_search(n).is_err());
        let requestable: Vec<Arc<Role>> = may.map(|n| Arc::clone(&roles.roles()[n])).collect();
        let held =
            |role: &Arc<Role>| holder.held.binary_search_by(|(held, _)| held.name.cmp(&role.name)).is_ok();
        holder.unknown_requests.sort_unstable();
        holder.unknown_requests.dedup_by(|a, b| (a.what, &a.name) == (b.what, &b.name));
        holder.requestable = requestable.into_iter().filter(|role| !held(role)).collect();
    }
}

/// The roles that were read and that one of the patterns matches.
fn matched(roles: &Roles, names: &[NameAt]) -> Matched {
    let patterns: Vec<_> = names.iter().filter_map(|(name, _)| Pattern::new(name)).collect();
    let is_matched = |role: &Role| patterns.iter().any(|pattern| pattern.matches(&role.name));
    roles.roles().iter().enumerate().filter(|(_, role)| is_matched(role)).map(|(n, _)| n).collect()
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
