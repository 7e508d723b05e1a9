//! Who is given which roles, besides users' own documents: access lists and their members, the
//! mappings of connectors, and what a role lets its holder request. Values only, as written.
//!
//! The fields are those of Teleport's v18 line as of 2026.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::Mark;
use super::sets::{InSet, Router, SetKey, put_into};
use crate::policy::Place;

/// A name, and where it is written.
pub type NameAt = (Arc<str>, Place);

/// Everything in the input that gives roles to someone else than a `kind: user`.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// `kind: access_list`.
    pub lists: Vec<AccessList>,
    /// `kind: access_list_member`.
    pub members: Vec<ListMember>,
    /// `kind: bot`.
    pub bots: Vec<Bot>,
    /// `kind: github`, `saml`, `oidc`.
    pub connectors: Vec<Connector>,
    /// What roles let their holders request.
    pub requests: Vec<Requests>,
    /// Documents that name roles without giving them to anyone that is known here; only where all is
    /// surveyed.
    pub mentions: Vec<Mention>,
}

impl Grants {
    /// What the files hold for which `wanted` says true.
    pub(super) fn only(&self, wanted: impl Fn(&Arc<str>) -> bool) -> Self {
        let is_wanted = |at: &Place| wanted(&at.file);
        let mut some = self.clone();
        some.lists.retain(|list| is_wanted(&list.at));
        some.members.retain(|member| is_wanted(&member.list.1));
        some.bots.retain(|bot| is_wanted(&bot.at));
        some.connectors.retain(|connector| is_wanted(&connector.at));
        some.mentions.retain(|mention| is_wanted(&mention.role.1));
        some.requests.retain(|said| is_wanted(&said.at));
        some
    }

    /// The files that anything of it is in.
    pub(super) fn files(&self) -> impl Iterator<Item = &Arc<str>> {
        let bots = self.bots.iter().map(|bot| &bot.at);
        let lists = self.lists.iter().map(|list| &list.at);
        let members = self.members.iter().map(|member| &member.list.1);
        let connectors = self.connectors.iter().map(|connector| &connector.at);
        let mentions = self.mentions.iter().map(|mention| &mention.role.1);
        let requests = self.requests.iter().flat_map(Requests::names).map(|(_, at)| at);
        bots.chain(lists).chain(members).chain(connectors).chain(mentions).chain(requests).map(|at| &at.file)
    }

    /// Lets the router see everything.
    pub(super) fn seen_by(&self, router: &mut Router<'_>) {
        router.see(&self.bots);
        router.see(&self.lists);
        router.see(&self.members);
        router.see(&self.connectors);
        router.see(&self.requests);
        router.see(&self.mentions);
    }

    /// The grants of each set.
    pub(super) fn split(self, router: &Router<'_>) -> BTreeMap<SetKey, Self> {
        let mut sets: BTreeMap<SetKey, Self> = BTreeMap::new();
        let Self { bots, lists, members, connectors, requests, mentions } = self;
        each(bots, router, &mut sets, |grants| &mut grants.bots);
        each(lists, router, &mut sets, |grants| &mut grants.lists);
        each(members, router, &mut sets, |grants| &mut grants.members);
        each(connectors, router, &mut sets, |grants| &mut grants.connectors);
        each(requests, router, &mut sets, |grants| &mut grants.requests);
        each(mentions, router, &mut sets, |grants| &mut grants.mentions);
        sets
    }

    /// Puts into a folder's cluster what is in the folder.
    pub(super) fn put_into(&mut self, folder: &impl Fn(&str) -> Option<Arc<str>>) {
        put_into(&mut self.bots, folder);
        put_into(&mut self.lists, folder);
        put_into(&mut self.members, folder);
        put_into(&mut self.connectors, folder);
        put_into(&mut self.requests, folder);
        put_into(&mut self.mentions, folder);
    }

    pub(super) fn append(&mut self, mut later: Self) {
        self.lists.append(&mut later.lists);
        self.members.append(&mut later.members);
        self.bots.append(&mut later.bots);
        self.connectors.append(&mut later.connectors);
        self.requests.append(&mut later.requests);
        self.mentions.append(&mut later.mentions);
    }
}

/// Adds each item to the sets that it is in.
fn each<T: InSet + Clone>(
    items: Vec<T>,
    router: &Router<'_>,
    sets: &mut BTreeMap<SetKey, Grants>,
    of: impl Fn(&mut Grants) -> &mut Vec<T>,
) {
    for item in items {
        for set in router.sets(&item) {
            of(sets.entry(set).or_default()).push(item.clone());
        }
    }
}

/// How each sort of grant tells its set and its file.
macro_rules! in_set {
    ($($grant:ident: |$item:ident| $file:expr;)*) => {$(
        impl InSet for $grant {
            fn set(&self) -> &SetKey {
                &self.set
            }
            fn set_mut(&mut self) -> &mut SetKey {
                &mut self.set
            }
            fn file(&self) -> &Arc<str> {
                let $item = self;
                $file
            }
        }
    )*};
}

in_set! {
    Bot: |bot| &bot.at.file;
    AccessList: |list| &list.at.file;
    ListMember: |member| &member.list.1.file;
    Connector: |connector| &connector.at.file;
    Requests: |requests| &requests.at.file;
    Mention: |mention| &mention.role.1.file;
}

/// A role that a document names.
#[derive(Debug, Clone)]
pub struct Mention {
    /// The set of roles that it is about.
    pub set: SetKey,
    /// The document, in words.
    pub by: Arc<str>,
    /// The role.
    pub role: NameAt,
}

/// An access list.
#[derive(Debug, Clone)]
pub struct AccessList {
    /// The set of roles that it is about.
    pub set: SetKey,
    /// `metadata.name`.
    pub name: Arc<str>,
    /// Where the name is written.
    pub at: Place,
    /// `spec.grants.roles`: for its members.
    pub grants: Vec<NameAt>,
    /// `spec.owner_grants.roles`: for its owners.
    pub owner_grants: Vec<NameAt>,
    /// `spec.owners`.
    pub owners: Vec<Member>,
    pub(super) mark: Mark,
}

/// A bot: a user of the cluster's that is a machine. Its user, `bot-NAME`, holds a role that lets it
/// impersonate the bot's roles, and what it opens sessions with are certificates for these.
#[derive(Debug, Clone)]
pub struct Bot {
    /// The set of roles that it is about.
    pub set: SetKey,
    /// `metadata.name`.
    pub name: Arc<str>,
    /// Where the name is written.
    pub at: Place,
    /// `spec.roles`.
    pub roles: Vec<NameAt>,
    pub(super) mark: Mark,
}

/// Who is on an access list.
#[derive(Debug, Clone)]
pub struct Member {
    /// A user's name, or an access list's.
    pub name: Arc<str>,
    /// Where the name is written.
    pub at: Place,
    /// Whether it is another access list, whose members are meant.
    pub is_list: bool,
}

/// A membership of an access list.
#[derive(Debug, Clone)]
pub struct ListMember {
    /// The set of roles that it is about.
    pub set: SetKey,
    /// The access list.
    pub list: NameAt,
    /// Who is a member.
    pub member: Member,
}

/// The kinds of connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectorKind {
    /// `teams_to_roles`, and the older `teams_to_logins`, whose logins are roles.
    Github,
    /// `attributes_to_roles`.
    Saml,
    /// `claims_to_roles`.
    Oidc,
}

impl ConnectorKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Github, Self::Saml, Self::Oidc];

    /// The `kind` of such a document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Saml => "saml",
            Self::Oidc => "oidc",
        }
    }
}

/// A connector: who comes from a provider of identities holds which roles.
#[derive(Debug, Clone)]
pub struct Connector {
    /// The set of roles that it is about.
    pub set: SetKey,
    /// Its kind.
    pub kind: ConnectorKind,
    /// `metadata.name`.
    pub name: Arc<str>,
    /// Where the name is written.
    pub at: Place,
    /// Its mappings, in their order.
    pub mappings: Vec<Mapping>,
    pub(super) mark: Mark,
}

/// One mapping of a connector.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The organization (`github`), the attribute's name (`saml`), the claim (`oidc`).
    pub attribute: Arc<str>,
    /// The team, or the value; a value with `*` is a glob, and `^…$` a regular expression. A mapping without
    /// one has the empty value, which only an attribute or claim with an empty value matches
    /// (lib/utils/replace.go of Teleport makes the expression `^$` of it).
    pub value: Arc<str>,
    /// Where the team or value is written; without a value where the attribute or claim is.
    pub at: Place,
    /// The roles; each may be a glob, or a template (`$1`) of the value.
    pub roles: Vec<NameAt>,
}

/// What a role lets its holder request, under `spec.allow.request` and `spec.deny.request`.
#[derive(Debug, Clone)]
pub struct Requests {
    /// The set of roles that it is about.
    pub set: SetKey,
    /// The role that says so.
    pub role: Arc<str>,
    /// Where the role's name is written.
    pub at: Place,
    /// Roles or patterns that may be requested: `roles`, and what `claims_to_roles` gives to anyone.
    pub allow: Vec<NameAt>,
    /// Roles or patterns that may not, whatever another role allows and by whichever way.
    pub deny: Vec<NameAt>,
    /// Roles that may be requested by asking for a resource: `search_as_roles`, which are names.
    pub search: Vec<NameAt>,
    /// Roles that may not be requested that way.
    pub deny_search: Vec<NameAt>,
}

impl Requests {
    /// Everything that is named.
    fn names(&self) -> impl Iterator<Item = &NameAt> {
        [&self.allow, &self.deny, &self.search, &self.deny_search].into_iter().flatten()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }
}
