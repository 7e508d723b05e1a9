//! Reads what gives roles to someone: access lists, their members, connectors, and the requests
//! that a role allows.

use std::sync::Arc;

use super::{BOT_KINDS, OPERATOR_GROUP, Reader};
use crate::roles::grants::{
    AccessList, Bot, Connector, ConnectorKind, ListMember, Mapping, Member, Mention, NameAt, Requests,
};
use crate::roles::keys;
use crate::roles::problem::ProblemKind;
use crate::roles::tree::NodeId;

/// What a membership that is another access list is called, and its number in Terraform.
const LIST_MEMBERSHIP: [&str; 2] = ["MEMBERSHIP_KIND_LIST", "2"];

/// A kind of document that gives roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GrantKind {
    List,
    Member,
    Connector(ConnectorKind),
}

impl GrantKind {
    /// Teleport's own kinds and those of its Kubernetes operator.
    pub(super) fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "access_list" | "TeleportAccessList" => Self::List,
            "access_list_member" => Self::Member,
            "github" | "TeleportGithubConnector" => Self::Connector(ConnectorKind::Github),
            "saml" | "TeleportSAMLConnector" => Self::Connector(ConnectorKind::Saml),
            "oidc" | "TeleportOIDCConnector" => Self::Connector(ConnectorKind::Oidc),
            _ => return None,
        })
    }
}

impl Reader<'_> {
    pub(super) fn grant(&mut self, id: NodeId, kind: &str, grant: GrantKind) {
        self.found.ours = true;
        keys::check(self.document, self.tree, id, self.found);
        match grant {
            GrantKind::List => self.access_list(id, kind),
            GrantKind::Member => self.list_member(id, kind),
            GrantKind::Connector(connector) => self.connector(id, kind, connector),
        }
    }

    fn access_list(&mut self, id: NodeId, kind: &str) {
        let Some((name, at)) = self.name(id, kind) else { return };
        let grants = self.role_names(self.path(id, &["spec", "grants", "roles"]), "spec.grants.roles");
        let owner_grants =
            self.role_names(self.path(id, &["spec", "owner_grants", "roles"]), "spec.owner_grants.roles");
        for requires in ["membership_requires", "ownership_requires"] {
            self.mention(id, "access list", self.path(id, &["spec", requires, "roles"]));
        }
        let mut owners = Vec::new();
        for item in self.mappings(self.path(id, &["spec", "owners"]), "spec.owners") {
            match self.scalar(item, "name") {
                Some((name, at)) => owners.push(Member { name, at, is_list: self.is_list(item) }),
                None => self.incomplete("spec.owners", "name", item),
            }
        }
        let span = self.tree.span(at);
        let at = self.document.place(span);
        let mark = self.document.mark(span);
        self.found.grants.lists.push(AccessList {
            set: self.set(),
            name,
            at,
            grants,
            owner_grants,
            owners,
            mark,
        });
    }

    /// Whether this kind of document is a bot.
    pub(super) fn is_bot(&self, id: NodeId, kind: &str) -> bool {
        let version = self.tree.get(id, "apiVersion").and_then(|(_, value)| self.tree.text(value));
        BOT_KINDS.contains(&kind) && version.is_none_or(|version| version.starts_with(OPERATOR_GROUP))
    }

    /// A bot. Terraform's older ones have their name and roles in no `metadata` and `spec`.
    pub(super) fn bot(&mut self, id: NodeId, kind: &str) {
        self.found.ours = true;
        keys::check(self.document, self.tree, id, self.found);
        let is_flat = self.address.is_some() && self.tree.get(id, "metadata").is_none();
        let metadata = if is_flat { Some((id, id)) } else { self.metadata(id) };
        let Some((name, at)) = self.name_in(metadata, id, kind) else { return };
        let mut roles = self.role_names(self.path(id, &["spec", "roles"]), "spec.roles");
        if self.address.is_some() {
            roles.extend(self.role_names(self.tree.get(id, "roles"), "roles"));
        }
        let span = self.tree.span(at);
        let (at, mark) = (self.document.place(span), self.document.mark(span));
        self.found.grants.bots.push(Bot { set: self.set(), name, at, roles, mark });
    }

    /// The roles that a document of another kind names: locks, requests and trusted clusters.
    pub(super) fn mentions(&mut self, id: NodeId, kind: &str) {
        let (what, places): (_, &[&[&str]]) = match kind {
            "lock" => ("lock", &[&["spec", "target", "role"]]),
            "access_request" => ("access request", &[&["spec", "roles"]]),
            "trusted_cluster" => {
                let map = self.path(id, &["spec", "role_map"]).map(|(_, map)| self.blocks(map));
                for mapping in map.unwrap_or_default() {
                    self.mention(id, "trusted cluster", self.path(mapping, &["local"]));
                }
                return;
            }
            _ => return,
        };
        for place in places {
            self.mention(id, what, self.path(id, place));
        }
    }

    /// Notes what a document names, one role or a list of them. Nothing is held by it, so that anything else is nobody's
    /// concern.
    fn mention(&mut self, id: NodeId, what: &str, entry: Option<(NodeId, NodeId)>) {
        let Some((_, value)) = entry.filter(|_| self.found.detail) else { return };
        let name = self.metadata(id).and_then(|(_, metadata)| self.scalar(metadata, "name"));
        let by: Arc<str> = match name {
            Some((name, _)) => format!("the {what} {name:?}").into(),
            None if what.starts_with('a') => format!("an {what}").into(),
            None => format!("a {what}").into(),
        };
        let roles = self.tree.items(value).map_or_else(|| vec![value], <[NodeId]>::to_vec);
        for role in roles {
            let name = self.expression(role).is_none().then(|| self.name_at(role)).flatten();
            let mention = name.map(|role| Mention { set: self.set(), by: Arc::clone(&by), role });
            self.found.grants.mentions.extend(mention);
        }
    }

    fn list_member(&mut self, id: NodeId, kind: &str) {
        let Some((metadata_name, at)) = self.name(id, kind) else { return };
        let metadata_at = self.document.place(self.tree.span(at));
        let Some((_, spec)) = self.tree.get(id, "spec") else {
            return self.report(ProblemKind::NoAccessList, id);
        };
        if self.expression(spec).is_some() {
            return self.report(ProblemKind::UnknownRoles("spec"), spec);
        }
        let Some(list) = self.scalar(spec, "access_list") else {
            return self.report(ProblemKind::NoAccessList, spec);
        };
        let own = self.tree.get(spec, "name").filter(|&(_, name)| self.expression(name).is_none());
        let own = own.and_then(|(_, name)| self.name_at(name));
        let (name, at) = own.unwrap_or((metadata_name, metadata_at));
        let member = Member { name, at, is_list: self.is_list(spec) };
        self.found.grants.members.push(ListMember { set: self.set(), list, member });
    }

    fn connector(&mut self, id: NodeId, kind: &str, connector: ConnectorKind) {
        let Some((name, at)) = self.name(id, kind) else { return };
        let fields: &[[&'static str; 4]] = match connector {
            ConnectorKind::Github => &[
                ["teams_to_roles", "organization", "team", "roles"],
                ["teams_to_logins", "organization", "team", "logins"],
            ],
            ConnectorKind::Saml => &[["attributes_to_roles", "name", "value", "roles"]],
            ConnectorKind::Oidc => &[["claims_to_roles", "claim", "value", "roles"]],
        };
        let spec = self.tree.get(id, "spec").filter(|&(_, spec)| self.expression(spec).is_some());
        if let Some((_, spec)) = spec {
            self.report(ProblemKind::UnknownRoles("spec"), spec);
        }
        let mut mappings = Vec::new();
        for &[field, attribute, value, roles] in fields.iter().filter(|_| spec.is_none()) {
            for item in self.mappings(self.path(id, &["spec", field]), field) {
                let Some((name, name_at)) = self.scalar(item, attribute) else {
                    self.incomplete(field, attribute, item);
                    continue;
                };
                let (value, at) = match self.scalar(item, value) {
                    Some(found) => found,
                    // The zero value of Teleport's field, which its expression `^$` makes of it too.
                    None if connector != ConnectorKind::Github && self.is_empty(item, value) => {
                        ("".into(), name_at)
                    }
                    None => {
                        self.incomplete(field, value, item);
                        continue;
                    }
                };
                // Teleport refuses these connectors without; a team may have none.
                let is_empty_list = |items: &[NodeId]| items.is_empty();
                let entry = self.tree.get(item, roles);
                if connector != ConnectorKind::Github
                    && (self.is_empty(item, roles)
                        || entry.and_then(|(_, list)| self.tree.items(list)).is_some_and(is_empty_list))
                {
                    self.incomplete(field, roles, item);
                }
                let roles = self.role_names(self.tree.get(item, roles), field);
                mappings.push(Mapping { attribute: name, value, at, roles });
            }
        }
        let span = self.tree.span(at);
        let at = self.document.place(span);
        let mark = self.document.mark(span);
        self.found.grants.connectors.push(Connector {
            set: self.set(),
            kind: connector,
            name,
            at,
            mappings,
            mark,
        });
    }

    /// Reports a mapping that lacks a key, or has no text there.
    fn incomplete(&mut self, what: &'static str, key: &'static str, item: NodeId) {
        let at = self.tree.get(item, key).map_or(item, |(key, _)| key);
        self.report(ProblemKind::IncompleteMapping { what, key }, at);
    }

    /// Whether a key is missing, or null, or has an empty text.
    fn is_empty(&self, item: NodeId, key: &str) -> bool {
        self.tree.get(item, key).is_none_or(|(_, value)| {
            self.tree.is_null(value) || self.tree.text(value).is_some_and(str::is_empty)
        })
    }

    /// What the role `name` lets its holder request.
    pub(super) fn requests(&mut self, id: NodeId, name: &Arc<str>, at: NodeId) {
        let mut names = |side, field, what| {
            let entry = self.path(id, &["spec", side, "request", field]);
            self.requested(entry, what)
        };
        let mut allow = names("allow", "roles", "request.roles");
        let deny = names("deny", "roles", "request.roles");
        let search = names("allow", "search_as_roles", "request.search_as_roles");
        let deny_search = names("deny", "search_as_roles", "request.search_as_roles");
        // Whom the claims are of is not known here: whoever holds the role may have them.
        let claims = self.path(id, &["spec", "allow", "request", "claims_to_roles"]);
        if let Some((key, value)) = claims.filter(|&(_, value)| !self.tree.is_null(value)) {
            let mappings = self.blocks(value);
            allow.extend(self.expression(value));
            if mappings.is_empty() && self.expression(value).is_none() && self.tree.items(value).is_none() {
                self.report(ProblemKind::RequestRoles("request.claims_to_roles"), key);
            }
            for mapping in mappings {
                allow.extend(self.requested(self.tree.get(mapping, "roles"), "request.claims_to_roles"));
            }
        }
        let role = Arc::clone(name);
        let at = self.document.place(self.tree.span(at));
        let said = Requests { set: self.set(), role, at, allow, deny, search, deny_search };
        if !said.is_empty() {
            self.found.grants.requests.push(said);
        }
    }

    /// The names of a list of what may be requested; anything else there has no effect.
    fn requested(&mut self, entry: Option<(NodeId, NodeId)>, what: &'static str) -> Vec<NameAt> {
        let Some((key, value)) = entry.filter(|&(_, value)| !self.tree.is_null(value)) else {
            return Vec::new();
        };
        if let Some(name) = self.expression(value) {
            return vec![name];
        }
        let items = self.tree.items(value);
        if items.is_none() {
            self.report(ProblemKind::RequestRoles(what), key);
        }
        items.unwrap_or_default().iter().filter_map(|&item| self.name_at(item)).collect()
    }

    /// The entry at the end of these keys, or that of an expression on the way.
    pub(super) fn path(&self, id: NodeId, keys: &[&str]) -> Option<(NodeId, NodeId)> {
        let mut entry = None;
        let mut at = id;
        for key in keys {
            let (key, value) = self.tree.get(at, key)?;
            entry = Some((key, value));
            if self.expression(value).is_some() {
                break;
            }
            at = value;
        }
        entry
    }

    /// The mappings of a list; anything else there is an error.
    pub(super) fn mappings(&mut self, entry: Option<(NodeId, NodeId)>, what: &'static str) -> Vec<NodeId> {
        let Some((key, value)) = entry.filter(|&(_, value)| !self.tree.is_null(value)) else {
            return Vec::new();
        };
        if self.expression(value).is_some() {
            self.report(ProblemKind::UnknownRoles(what), value);
            return Vec::new();
        }
        let mut items = self.blocks(value);
        let is_list = self.tree.items(value).is_some() || !items.is_empty();
        for &item in &items {
            if self.expression(item).is_some() {
                self.report(ProblemKind::UnknownRoles(what), item);
            }
        }
        items.retain(|&item| self.expression(item).is_none());
        if !is_list || !items.iter().all(|&item| self.tree.is_mapping(item)) {
            self.report(ProblemKind::BadMapping(what), key);
            return Vec::new();
        }
        items
    }

    /// The items of a list; a single block of Terraform is a list of one.
    fn blocks(&self, value: NodeId) -> Vec<NodeId> {
        match self.tree.items(value) {
            Some(items) => items.to_vec(),
            None if self.address.is_some() && self.tree.is_mapping(value) => vec![value],
            None => Vec::new(),
        }
    }

    /// The names of a list of roles; anything else there is an error.
    fn role_names(&mut self, entry: Option<(NodeId, NodeId)>, what: &'static str) -> Vec<NameAt> {
        let Some((key, value)) = entry.filter(|&(_, value)| !self.tree.is_null(value)) else {
            return Vec::new();
        };
        if let Some(name) = self.expression(value) {
            self.unknown_name(what, value);
            return vec![name];
        }
        let Some(items) = self.tree.items(value) else {
            self.report(ProblemKind::BadGrant(what), key);
            return Vec::new();
        };
        let mut names = Vec::with_capacity(items.len());
        for &item in items {
            self.unknown_name(what, item);
            match self.name_at(item) {
                Some(name) => names.push(name),
                None => self.report(ProblemKind::BadGrant(what), item),
            }
        }
        names
    }

    pub(super) fn scalar(&self, id: NodeId, key: &str) -> Option<NameAt> {
        self.tree.get(id, key).and_then(|(_, value)| self.name_at(value))
    }

    /// A text and its place, neither null nor empty; of an expression what stands for it.
    pub(super) fn name_at(&self, id: NodeId) -> Option<NameAt> {
        if let Some(name) = self.expression(id) {
            return Some(name);
        }
        let text = self.tree.text(id).filter(|text| !text.is_empty() && !self.tree.is_null(id))?;
        Some((text.into(), self.document.place(self.tree.span(id))))
    }

    fn is_list(&self, id: NodeId) -> bool {
        self.scalar(id, "membership_kind").is_some_and(|(kind, _)| LIST_MEMBERSHIP.contains(&kind.as_ref()))
    }
}
