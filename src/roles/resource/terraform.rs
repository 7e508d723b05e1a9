//! The resources of Teleport's Terraform provider, which of Teleport's kinds each is, and those that hold
//! manifests for Kubernetes; and what stands in for a name that is an expression that is not known.
//!
//! The types and their fields are those of the provider's v18 line as of 2026.

use std::sync::Arc;

use super::grants::GrantKind;
use super::{OPERATOR_GROUP, Reader, quoted};
use crate::roles::found::{Document, Found};
use crate::roles::grants::{ConnectorKind, NameAt};
use crate::roles::modules::Modules;
use crate::roles::problem::ProblemKind;
use crate::roles::sets::cluster_of_provider;
use crate::roles::tree::{BLOCK, MAKERS, NodeId, Part, Reading, Resource, Tree, Wanted};
use crate::roles::{keys, signs};

/// What a type of resource is.
enum Type {
    Role,
    User,
    ScopedRole,
    Assignment,
    Bot,
    Grant(GrantKind),
    RecordingConfig,
    /// Manifests for Kubernetes in this attribute.
    Manifests(&'static str),
}

impl Type {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "teleport_role" => Self::Role,
            "teleport_user" => Self::User,
            "teleport_scoped_role" => Self::ScopedRole,
            "teleport_scoped_role_assignment" => Self::Assignment,
            "teleport_bot" | "teleport_bot_v2" => Self::Bot,
            "teleport_access_list" => Self::Grant(GrantKind::List),
            "teleport_access_list_member" => Self::Grant(GrantKind::Member),
            "teleport_github_connector" => Self::Grant(GrantKind::Connector(ConnectorKind::Github)),
            "teleport_saml_connector" => Self::Grant(GrantKind::Connector(ConnectorKind::Saml)),
            "teleport_oidc_connector" => Self::Grant(GrantKind::Connector(ConnectorKind::Oidc)),
            "teleport_session_recording_config" => Self::RecordingConfig,
            "kubernetes_manifest" => Self::Manifests("manifest"),
            "kubectl_manifest" => Self::Manifests("yaml_body"),
            _ => return None,
        })
    }
}

/// What of a resource of this type says something about roles.
pub(in crate::roles) fn wanted(name: &str) -> Option<Wanted> {
    Type::of(name).map(|kind| match kind {
        Type::Manifests(attribute) => Wanted::Manifests(attribute),
        _ => Wanted::Whole,
    })
}

/// The cluster that the resource's `provider` stands for.
fn cluster(document: Document<'_>, tree: &Tree<'_>, id: NodeId, kind: &str) -> Option<Arc<str>> {
    let (_, provider) = tree.get(id, "provider")?;
    let span = tree.span(provider);
    let written = document.text.get(span.start as usize..span.end as usize);
    cluster_of_provider(tree.text(provider).or(written)?.trim(), kind)
}

/// Reads a resource of a Terraform file, or a part of it.
pub(in crate::roles) fn read_terraform(
    document: Document<'_>,
    tree: &Tree<'_>,
    resource: &Resource<'_>,
    found: &mut Found,
) {
    let address = Some(resource.address.as_str());
    let cluster = cluster(document, tree, resource.id, resource.kind);
    let mut reader = Reader { document, tree, found, address, cluster };
    match resource.part {
        Part::Whole => reader.typed(resource.id, resource.kind),
        Part::Manifest => reader.manifest(resource.id),
        Part::Unread(why) => reader.report(ProblemKind::UnreadRole { why }, resource.id),
    }
}

/// Reads the resources of a Terraform file in JSON.
pub(in crate::roles) fn read_terraform_json(
    document: Document<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    modules: &Modules,
    found: &mut Found,
) {
    keys::duplicates(document, tree, id, found);
    let mut reading = None;
    // Where there may be one, there may be a list of them.
    let parts = |id: NodeId| tree.items(id).map_or_else(|| vec![id], <[NodeId]>::to_vec);
    if signs::may_hold(document.text, |_| false) {
        for (block, is_resource) in MAKERS.iter().zip([true, false, false]) {
            let blocks = parts(id).into_iter().filter_map(|part| tree.get(part, block));
            let types = blocks.flat_map(|(_, types)| parts(types)).flat_map(|types| tree.merged(types));
            for (kind, body) in types {
                if is_resource && wanted(tree.text(kind).unwrap_or_default()).is_some() {
                    continue;
                }
                if let Some(at) = sign_in(tree, body) {
                    found.report(document.problem(ProblemKind::UnreadRole { why: BLOCK }, tree.span(at)));
                }
            }
        }
    }
    for part in parts(id) {
        let Some((_, resources)) = tree.get(part, "resource") else { continue };
        for types in parts(resources) {
            for (kind, named) in tree.merged(types) {
                let kind = tree.text(kind).unwrap_or_default();
                let Some(wanted) = wanted(kind) else { continue };
                for named in parts(named) {
                    keys::duplicates(document, tree, named, found);
                    for (name, value) in tree.merged(named) {
                        let name = tree.text(name).unwrap_or_default();
                        for resource in parts(value) {
                            let locals = || modules.locals(document.file, document.text);
                            let reading = reading.get_or_insert_with(|| Reading::new(document.text, locals));
                            let (value, wanted) = ((tree, resource), (kind, name, wanted));
                            reading.json(value, wanted, |tree, locals, resource| {
                                let origins = Some((tree.origins(), locals));
                                read_terraform(Document { origins, ..document }, tree, resource, found);
                            });
                        }
                    }
                }
            }
        }
    }
}

/// The first key or text that is a sign of a role.
fn sign_in(tree: &Tree<'_>, root: NodeId) -> Option<NodeId> {
    let mut pending = vec![root];
    while let Some(id) = pending.pop() {
        if tree.text(id).is_some_and(|text| signs::in_code(text).is_some()) {
            return Some(id);
        }
        pending.extend(tree.items(id).into_iter().flatten().rev());
        for (key, value) in tree.entries(id).into_iter().flatten().rev() {
            let (name, text) = (tree.text(key).unwrap_or_default(), tree.text(value).unwrap_or_default());
            if signs::KEYS.contains(&name) || name == "kind" && signs::is_role_kind(text) {
                return Some(key);
            }
            // Terraform's comments in JSON.
            if name != "//" {
                pending.push(value);
            }
        }
    }
    None
}

impl Reader<'_> {
    fn typed(&mut self, id: NodeId, name: &str) {
        self.tree.set_case(self.case(id));
        match Type::of(name) {
            Some(Type::Role) => self.role(id, name),
            Some(Type::User) => self.user(id, name),
            Some(Type::ScopedRole) => self.scoped_role(id, name),
            Some(Type::Assignment) => self.assignment(id, name),
            Some(Type::Bot) => self.bot(id, name),
            Some(Type::Grant(grant)) => self.grant(id, name, grant),
            Some(Type::RecordingConfig) => self.recording_config(id),
            Some(Type::Manifests(_)) | None => {}
        }
    }

    /// A manifest for Kubernetes. One whose kind is not known may be a role.
    fn manifest(&mut self, id: NodeId) {
        let tree = self.tree;
        let any_key = || tree.entries(id)?.map(|(key, _)| key).find(|&key| tree.is_unknown(key));
        let at = match tree.get(id, "kind") {
            Some((_, kind)) => tree.is_unknown(kind).then_some(kind),
            // A key that could be any could be this one.
            None => any_key(),
        };
        let Some(at) = at else { return self.resource(id, None) };
        let version = tree.get(id, "apiVersion").and_then(|(_, version)| tree.text(version));
        let is_ours = version.is_some_and(|version| version.starts_with(OPERATOR_GROUP));
        if is_ours || keys::recording(tree, id).is_some() {
            self.report(ProblemKind::UnreadRole { why: "its kind is an expression" }, at);
        }
    }

    /// What stands for the value of an expression: its text, written as a template. No role that was
    /// read has such a name.
    pub(super) fn expression(&self, id: NodeId) -> Option<NameAt> {
        if self.address.is_none() || !self.tree.is_unknown(id) {
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
        if self.found.detail && self.address.is_some() && self.tree.is_unknown(id) {
            self.report(ProblemKind::UnknownRoleName(what), id);
        }
    }
}
