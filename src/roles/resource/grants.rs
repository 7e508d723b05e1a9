//! Reads what gives roles to someone: access lists, their members, connectors, and the requests
//! that a role allows.

use std::sync::Arc;

use super::Reader;
use crate::roles::grants::{
    AccessList, Connector, ConnectorKind, ListMember, Mapping, Member, NameAt, Requests,
};
use crate::roles::keys;
use crate::roles::problem::ProblemKind;
use crate::roles::tree::NodeId;

/// What a membership that is another access list is called.
const LIST_MEMBERSHIP: &str = "MEMBERSHIP_KIND_LIST";

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
        let mut owners = Vec::new();
        for item in self.mappings(self.path(id, &["spec", "owners"]), "spec.owners") {
            match self.scalar(item, "name") {
                Some((name, at)) => owners.push(Member { name, at, is_list: self.is_list(item) }),
                None => self.report(ProblemKind::BadMapping("spec.owners"), item),
            }
        }
        let span = self.tree.span(at);
        let at = self.document.place(span);
        let mark = self.document.mark(span);
        self.found.grants.lists.push(AccessList { name, at, grants, owner_grants, owners, mark });
    }

    fn list_member(&mut self, id: NodeId, kind: &str) {
        let Some((metadata_name, at)) = self.name(id, kind) else { return };
        let metadata_at = self.document.place(self.tree.span(at));
        let Some((_, spec)) = self.tree.get(id, "spec") else {
            return self.report(ProblemKind::NoAccessList, id);
        };
        let Some(list) = self.scalar(spec, "access_list") else {
            return self.report(ProblemKind::NoAccessList, spec);
        };
        let (name, at) = self.scalar(spec, "name").unwrap_or((metadata_name, metadata_at));
        let member = Member { name, at, is_list: self.is_list(spec) };
        self.found.grants.members.push(ListMember { list, member });
    }

    fn connector(&mut self, id: NodeId, kind: &str, connector: ConnectorKind) {
        let Some((name, at)) = self.name(id, kind) else { return };
        let fields: &[(&'static str, &str, &str, &str)] = match connector {
            ConnectorKind::Github => &[
                ("teams_to_roles", "organization", "team", "roles"),
                ("teams_to_logins", "organization", "team", "logins"),
            ],
            ConnectorKind::Saml => &[("attributes_to_roles", "name", "value", "roles")],
            ConnectorKind::Oidc => &[("claims_to_roles", "claim", "value", "roles")],
        };
        let mut mappings = Vec::new();
        for &(field, attribute, value, roles) in fields {
            for item in self.mappings(self.path(id, &["spec", field]), field) {
                let named = (self.scalar(item, attribute), self.scalar(item, value));
                let (Some((attribute, _)), Some((value, at))) = named else {
                    self.report(ProblemKind::BadMapping(field), item);
                    continue;
                };
                let roles = self.role_names(self.tree.get(item, roles), field);
                mappings.push(Mapping { attribute, value, at, roles });
            }
        }
        let span = self.tree.span(at);
        let at = self.document.place(span);
        let mark = self.document.mark(span);
        self.found.grants.connectors.push(Connector { kind: connector, name, at, mappings, mark });
    }

    /// What the role `name` lets its holder request.
    pub(super) fn requests(&mut self, id: NodeId, name: &Arc<str>) {
        let [allow, deny] = ["allow", "deny"].map(|side| {
            let entry = self.path(id, &["spec", side, "request", "roles"]);
            let items = entry.and_then(|(_, value)| self.tree.items(value));
            if let (Some((key, value)), None) = (entry, items)
                && !self.tree.is_null(value)
            {
                self.report(ProblemKind::RequestRoles, key);
            }
            items.unwrap_or_default().iter().filter_map(|&item| self.name_at(item)).collect::<Vec<_>>()
        });
        if !allow.is_empty() || !deny.is_empty() {
            self.found.grants.requests.push(Requests { role: Arc::clone(name), allow, deny });
        }
    }

    /// The entry at the end of these keys.
    fn path(&self, id: NodeId, keys: &[&str]) -> Option<(NodeId, NodeId)> {
        let (last, first) = keys.split_last()?;
        let at = first.iter().try_fold(id, |at, key| self.tree.get(at, key).map(|(_, value)| value))?;
        self.tree.get(at, last)
    }

    /// The mappings of a list; anything else there is an error.
    fn mappings(&mut self, entry: Option<(NodeId, NodeId)>, what: &'static str) -> Vec<NodeId> {
        let Some((key, value)) = entry.filter(|&(_, value)| !self.tree.is_null(value)) else {
            return Vec::new();
        };
        let items = self.tree.items(value);
        let Some(items) = items.filter(|items| items.iter().all(|&item| self.tree.is_mapping(item))) else {
            self.report(ProblemKind::BadMapping(what), key);
            return Vec::new();
        };
        items.to_vec()
    }

    /// The names of a list of roles; anything else there is an error.
    fn role_names(&mut self, entry: Option<(NodeId, NodeId)>, what: &'static str) -> Vec<NameAt> {
        let Some((key, value)) = entry.filter(|&(_, value)| !self.tree.is_null(value)) else {
            return Vec::new();
        };
        let Some(items) = self.tree.items(value) else {
            self.report(ProblemKind::BadGrant(what), key);
            return Vec::new();
        };
        let mut names = Vec::with_capacity(items.len());
        for &item in items {
            match self.name_at(item) {
                Some(name) => names.push(name),
                None => self.report(ProblemKind::BadGrant(what), item),
            }
        }
        names
    }

    fn scalar(&self, id: NodeId, key: &str) -> Option<NameAt> {
        self.tree.get(id, key).and_then(|(_, value)| self.name_at(value))
    }

    /// A text and its place; neither null nor empty.
    fn name_at(&self, id: NodeId) -> Option<NameAt> {
        let text = self.tree.text(id).filter(|text| !text.is_empty() && !self.tree.is_null(id))?;
        Some((text.into(), self.document.place(self.tree.span(id))))
    }

    fn is_list(&self, id: NodeId) -> bool {
        self.scalar(id, "membership_kind").is_some_and(|(kind, _)| kind.as_ref() == LIST_MEMBERSHIP)
    }
}
