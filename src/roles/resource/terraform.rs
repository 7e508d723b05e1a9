//! The resources of Teleport's Terraform provider: which of Teleport's kinds each is, and what stands in
//! for a name that is an expression. Nothing is evaluated.
//!
//! The types and their fields are those of the provider's v18 line as of 2026.

use std::sync::Arc;

use super::grants::GrantKind;
use super::{Reader, quoted};
use crate::roles::found::{Document, Found};
use crate::roles::grants::{ConnectorKind, NameAt};
use crate::roles::keys;
use crate::roles::problem::ProblemKind;
use crate::roles::sets::cluster_of_provider;
use crate::roles::tree::{NodeId, Resource, Tree};

/// What a type of resource is.
enum Type {
    Role,
    User,
    ScopedRole,
    Assignment,
    Grant(GrantKind),
    RecordingConfig,
}

impl Type {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "teleport_role" => Self::Role,
            "teleport_user" => Self::User,
            "teleport_scoped_role" => Self::ScopedRole,
            "teleport_scoped_role_assignment" => Self::Assignment,
            "teleport_access_list" => Self::Grant(GrantKind::List),
            "teleport_access_list_member" => Self::Grant(GrantKind::Member),
            "teleport_github_connector" => Self::Grant(GrantKind::Connector(ConnectorKind::Github)),
            "teleport_saml_connector" => Self::Grant(GrantKind::Connector(ConnectorKind::Saml)),
            "teleport_oidc_connector" => Self::Grant(GrantKind::Connector(ConnectorKind::Oidc)),
            "teleport_session_recording_config" => Self::RecordingConfig,
            _ => return None,
        })
    }
}

/// Whether resources of this type say something about roles.
pub(in crate::roles) fn is_terraform(name: &str) -> bool {
    Type::of(name).is_some()
}

/// The cluster that the resource's `provider` stands for.
fn cluster(document: Document<'_>, tree: &Tree<'_>, id: NodeId, kind: &str) -> Option<Arc<str>> {
    let (_, provider) = tree.get(id, "provider")?;
    let span = tree.span(provider);
    let written = document.text.get(span.start as usize..span.end as usize);
    cluster_of_provider(tree.text(provider).or(written)?.trim(), kind)
}

/// Reads a resource of a Terraform file.
pub(in crate::roles) fn read_terraform(
    document: Document<'_>,
    tree: &Tree<'_>,
    resource: &Resource<'_>,
    found: &mut Found,
) {
    let address = Some(resource.address.as_str());
    let cluster = cluster(document, tree, resource.id, resource.kind);
    Reader { document, tree, found, address, cluster }.typed(resource.id, resource.kind);
}

/// Reads the resources of a Terraform file in JSON.
pub(in crate::roles) fn read_terraform_json(
    document: Document<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    found: &mut Found,
) {
    keys::duplicates(document, tree, id, found);
    // Where there may be one, there may be a list of them.
    let parts = |id: NodeId| tree.items(id).map_or_else(|| vec![id], <[NodeId]>::to_vec);
    for part in parts(id) {
        let Some((_, resources)) = tree.get(part, "resource") else { continue };
        for types in parts(resources) {
            for (kind, named) in tree.merged(types) {
                let kind = tree.text(kind).unwrap_or_default();
                if !is_terraform(kind) {
                    continue;
                }
                for named in parts(named) {
                    keys::duplicates(document, tree, named, found);
                    for (name, value) in tree.merged(named) {
                        let address = format!("{kind}.{}", tree.text(name).unwrap_or_default());
                        for resource in parts(value) {
                            let address = Some(address.as_str());
                            let cluster = cluster(document, tree, resource, kind);
                            Reader { document, tree, found, address, cluster }.typed(resource, kind);
                        }
                    }
                }
            }
        }
    }
}

impl Reader<'_> {
    fn typed(&mut self, id: NodeId, name: &str) {
        self.tree.set_case(self.case(id));
        match Type::of(name) {
            Some(Type::Role) => self.role(id, name),
            Some(Type::User) => self.user(id, name),
            Some(Type::ScopedRole) => self.scoped_role(id, name),
            Some(Type::Assignment) => self.assignment(id, name),
            Some(Type::Grant(grant)) => self.grant(id, name, grant),
            Some(Type::RecordingConfig) => self.recording_config(id),
            None => {}
        }
    }

    /// What stands for the value of an expression: its text, written as a template. No role that was
    /// read has such a name.
    pub(super) fn expression(&self, id: NodeId) -> Option<NameAt> {
        if self.address.is_none() || !self.document.is_unknown(self.tree, id) {
            return None;
        }
        let span = self.tree.span(id);
        let text = match self.tree.text(id) {
            Some(text) => text,
            None => self.document.text.get(span.start as usize..span.end as usize).unwrap_or_default(),
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&text);
        let text = quoted(text);
        let name = if text.contains("${") || text.contains("%{") { text } else { format!("${{{text}}}") };
        Some((name.into(), self.document.place(span)))
    }

    /// Says, to those who judge how it is written, that the name of a role is an expression.
    pub(super) fn unknown_name(&mut self, what: &'static str, id: NodeId) {
        if self.found.detail && self.address.is_some() && self.document.is_unknown(self.tree, id) {
            self.report(ProblemKind::UnknownRoleName(what), id);
        }
    }
}
