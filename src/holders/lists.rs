//! Users, and the members and owners of access lists.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Holder, HolderKind, UnknownWhat};
use crate::policy::Place;
use crate::roles::{AccessList, NameAt, Roles};

/// Access lists by name, and which lists each is a member or an owner of.
struct Lists<'a> {
    by_name: HashMap<&'a str, &'a AccessList>,
    /// By the list that is a member: the lists that it is a member of.
    parents: HashMap<&'a str, Vec<&'a NameAt>>,
    /// By the list that is an owner: the lists that it owns.
    owned: HashMap<&'a str, Vec<&'a AccessList>>,
}

impl<'a> Lists<'a> {
    fn new(roles: &'a Roles) -> Self {
        let grants = roles.grants();
        let by_name = grants.lists.iter().map(|list| (list.name.as_ref(), list)).collect();
        let (mut parents, mut owned) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for member in grants.members.iter().filter(|member| member.member.is_list) {
            parents.entry(member.member.name.as_ref()).or_default().push(&member.list);
        }
        for list in &grants.lists {
            for owner in list.owners.iter().filter(|owner| owner.is_list) {
                owned.entry(owner.name.as_ref()).or_default().push(list);
            }
        }
        Self { by_name, parents, owned }
    }

    /// Gives `holder` what members of the access list `list` hold, by that list and all that it is
    /// part of. Each list counts once, so a cycle of lists is no endless one.
    fn give_members(&self, roles: &Roles, holder: &mut Holder, list: &NameAt) {
        let mut seen = HashSet::new();
        let mut pending = vec![list];
        while let Some((name, at)) = pending.pop() {
            if !seen.insert(name.as_ref()) {
                continue;
            }
            match self.by_name.get(name.as_ref()) {
                Some(list) => list.grants.iter().for_each(|role| holder.give(roles, role)),
                None => holder.unknown(UnknownWhat::AccessList, name, at),
            }
            for list in self.owned.get(name.as_ref()).into_iter().flatten() {
                list.owner_grants.iter().for_each(|role| holder.give(roles, role));
            }
            pending.extend(self.parents.get(name.as_ref()).into_iter().flatten());
        }
    }
}

/// Every user, and each access list's members and owners, as far as the list gives them roles.
pub(super) fn users_and_lists(roles: &Roles) -> Vec<Holder> {
    let lists = Lists::new(roles);
    let mut users: BTreeMap<&str, Holder> = BTreeMap::new();
    for user in roles.users() {
        let mut holder = Holder::new(HolderKind::User, Arc::clone(&user.name), user.at.clone());
        user.roles.iter().for_each(|role| holder.give(roles, role));
        users.insert(user.name.as_ref(), holder);
    }
    let grants = roles.grants();
    for member in grants.members.iter().filter(|member| !member.member.is_list) {
        let holder = known_by_list(&mut users, &member.member.name, &member.member.at);
        lists.give_members(roles, holder, &member.list);
    }
    for list in &grants.lists {
        for owner in list.owners.iter().filter(|owner| !owner.is_list) {
            let holder = known_by_list(&mut users, &owner.name, &owner.at);
            list.owner_grants.iter().for_each(|role| holder.give(roles, role));
        }
    }
    let mut holders: Vec<_> = users.into_values().collect();
    for list in &grants.lists {
        let own = (Arc::clone(&list.name), list.at.clone());
        let mut members = Holder::new(HolderKind::AccessListMembers, Arc::clone(&list.name), list.at.clone());
        lists.give_members(roles, &mut members, &own);
        let mut owners = Holder::new(HolderKind::AccessListOwners, Arc::clone(&list.name), list.at.clone());
        list.owner_grants.iter().for_each(|role| owners.give(roles, role));
        let gives_something = |holder: &Holder| !holder.held.is_empty() || !holder.unknown.is_empty();
        holders.extend([members, owners].into_iter().filter(gives_something));
    }
    holders
}

/// The user of this name; one without a document is known from here on.
fn known_by_list<'a, 'u>(
    users: &'u mut BTreeMap<&'a str, Holder>,
    name: &'a Arc<str>,
    at: &Place,
) -> &'u mut Holder {
    users.entry(name.as_ref()).or_insert_with(|| {
        let mut holder = Holder::new(HolderKind::User, Arc::clone(name), at.clone());
        holder.without_document = true;
        holder
    })
}
