//! Who holds what: for each user, bot and group in the input, the roles that it holds together. Pure:
//! takes what was read, and says what can't be known.
//!
//! From Teleport's v18 line, as of 2026:
//!
//! - a *user* holds the roles of its `kind: user` document, what the access lists that it is a member
//!   of grant, and what those that it owns grant to their owners. A member that is itself an access
//!   list stands for that list's members, at any depth.
//! - a *bot* holds the roles that it may impersonate: its certificates are for these. What access lists
//!   give its user, `bot-NAME`, is not counted.
//! - an *access list* is two groups: its members and its owners.
//! - a *team* (`github`), an attribute's value (`saml`) and a claim's value (`oidc`) hold what all
//!   mappings of the connector for that value give. A mapping for a pattern counts for each value
//!   that it matches and is a group of its own as well. A mapping without a value is one for the empty
//!   value.
//!
//! Not judged, since it depends on the time or on the cluster: whether a membership has expired, and
//! the conditions of `membership_requires` and `ownership_requires`.

mod connectors;
mod lists;
mod pattern;
mod requests;
mod row;
mod select;

use std::sync::Arc;

use crate::policy::{Place, Role, RoleSet};
use crate::roles::{NameAt, Roles, SetKey};

pub use row::{Cell, Row, rows};
pub use select::SelectError;

/// What sort of holder it is; the order is that of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// A user.
    User,
    /// A bot.
    Bot,
    /// The members of an access list.
    AccessListMembers,
    /// The owners of an access list.
    AccessListOwners,
    /// A team of a `github` connector.
    GithubTeam,
    /// An attribute's value of a `saml` connector.
    SamlAttribute,
    /// A claim's value of an `oidc` connector.
    OidcClaim,
}

impl HolderKind {
    /// What it is called in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Bot => "bot",
            Self::AccessListMembers => "access list members",
            Self::AccessListOwners => "access list owners",
            Self::GithubTeam => "github team",
            Self::SamlAttribute => "saml attribute",
            Self::OidcClaim => "oidc claim",
        }
    }
}

/// A user or group.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The set of roles that it holds roles of; the same name in another set is another holder.
    pub set: SetKey,
    /// What sort of holder it is.
    pub kind: HolderKind,
    /// Its name, which no other of its kind and set has: a user's, bot's or access list's name,
    /// `connector: organization/team`, `connector: attribute=value`.
    pub name: Arc<str>,
    /// The user's or access list's name, a bot's user (`bot-NAME`), `organization/team`, or the value: what
    /// people know it by.
    pub short: Arc<str>,
    /// Where it is named.
    pub at: Place,
    /// The roles that it holds and that were read, sorted by name, each once, and where it is given
    /// each.
    pub held: Vec<(Arc<Role>, Place)>,
    /// The roles that it may request besides, sorted by name.
    pub requestable: Vec<Arc<Role>>,
    /// What it is given that can't be resolved; the answer speaks of the other roles only.
    pub unknown: Vec<Unknown>,
    /// What it may request that can't be resolved.
    pub unknown_requests: Vec<Unknown>,
    /// Whether this is a user without a `kind: user` document, known from access lists alone.
    pub without_document: bool,
}

impl Holder {
    fn new(kind: HolderKind, name: impl Into<Arc<str>>, at: Place) -> Self {
        let name = name.into();
        Self {
            set: SetKey::default(),
            kind,
            short: Arc::clone(&name),
            name,
            at,
            held: Vec::new(),
            requestable: Vec::new(),
            unknown: Vec::new(),
            unknown_requests: Vec::new(),
            without_document: false,
        }
    }

    /// The roles that it holds.
    #[must_use]
    pub fn set(&self) -> RoleSet {
        self.held.iter().map(|(role, _)| Arc::clone(role)).collect()
    }

    /// Gives it the role of this name.
    fn give(&mut self, roles: &Roles, (name, at): &NameAt) {
        match roles.role(name) {
            Some(role) => self.held.push((Arc::clone(role), at.clone())),
            None if pattern::is_template(name) => self.unknown(UnknownWhat::Template, name, at),
            None => self.unknown(UnknownWhat::Role, name, at),
        }
    }

    fn unknown(&mut self, what: UnknownWhat, name: &Arc<str>, at: &Place) {
        self.unknown.push(Unknown { what, name: Arc::clone(name), at: at.clone() });
    }

    /// Sorts, and leaves of each role the first place that gives it.
    fn finish(mut self, roles: &Roles) -> Self {
        self.set = roles.key().clone();
        self.held.sort_by(|(a, a_at), (b, b_at)| (&a.name, a_at).cmp(&(&b.name, b_at)));
        self.held.dedup_by(|(a, _), (b, _)| a.name == b.name);
        self.unknown.sort_unstable();
        self.unknown.dedup_by(|a, b| (a.what, &a.name) == (b.what, &b.name));
        self
    }
}

/// Something that a holder is given and that can't be resolved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Unknown {
    /// What it is.
    pub what: UnknownWhat,
    /// Its name, as it is written.
    pub name: Arc<str>,
    /// Where it is named.
    pub at: Place,
}

/// Why something that a holder is given can't be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownWhat {
    /// A role that was not read.
    Role,
    /// An access list that was not read.
    AccessList,
    /// A role's name that takes a part of the value that it is given for, or that is an expression of
    /// Terraform.
    Template,
    /// A pattern that matches no role that was read, or no pattern that can be read.
    Pattern,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, name, at } = self;
        match what {
            UnknownWhat::Role => write!(f, "the role {name:?} ({at}) was not read"),
            UnknownWhat::AccessList => write!(f, "the access list {name:?} ({at}) was not read"),
            UnknownWhat::Template => write!(f, "the roles of the template {name:?} ({at}) can't be known"),
            UnknownWhat::Pattern => write!(f, "the pattern {name:?} ({at}) matches no role that was read"),
        }
    }
}

/// All holders, sorted by kind and name; what they may request only `with_requests`.
#[must_use]
pub fn holders(roles: &Roles, with_requests: bool) -> Vec<Holder> {
    let mut holders = lists::users_and_lists(roles);
    holders.extend(bots(roles));
    holders.extend(connectors::groups(roles));
    let mut holders: Vec<_> = holders.into_iter().map(|holder| holder.finish(roles)).collect();
    if with_requests {
        requests::add(roles, &mut holders);
    }
    holders.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    holders
}

/// All users, sorted by name, with what documents and access lists give them.
#[must_use]
pub fn users(roles: &Roles) -> Vec<Holder> {
    let users = lists::users_and_lists(roles).into_iter();
    users.filter(|holder| holder.kind == HolderKind::User).map(|holder| holder.finish(roles)).collect()
}

/// Every bot.
fn bots(roles: &Roles) -> impl Iterator<Item = Holder> {
    roles.grants().bots.iter().map(|bot| {
        let short = format!("bot-{}", bot.name).into();
        let mut holder =
            Holder { short, ..Holder::new(HolderKind::Bot, Arc::clone(&bot.name), bot.at.clone()) };
        bot.roles.iter().for_each(|role| holder.give(roles, role));
        holder
    })
}
