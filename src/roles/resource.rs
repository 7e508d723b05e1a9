//! One resource: is it a role, a user, something that gives roles, a list of them, or none of our
//! business; and what it says.

mod grants;
mod kustomize;
mod nested;
mod scoped;
mod terraform;

use std::sync::Arc;

use self::grants::GrantKind;
use super::found::{Document, Found, Skipped, User};
use super::problem::ProblemKind;
use super::sets::SetKey;
use super::tree::{Case, NodeId, Tree};
use super::written::{Block, Layout, WrittenRole};
use super::{keys, record_session, signs};
use crate::policy::{Dialect, RecordSession, Role};
use crate::spelling;

pub(super) use nested::unreadable;
pub(super) use terraform::{read_terraform, read_terraform_json, wanted};

/// The kinds that are roles: Teleport's own and those of its Kubernetes operator.
const ROLE_KINDS: [&str; 5] = ["role", "TeleportRole", "TeleportRoleV6", "TeleportRoleV7", "TeleportRoleV8"];

/// The kinds that say which roles a user holds.
const USER_KINDS: [&str; 2] = ["user", "TeleportUser"];

/// The kind that says where a cluster's sessions are recorded, and whether.
const RECORDING_CONFIG: &str = "session_recording_config";

/// The kinds that are scoped roles.
const SCOPED_ROLE_KINDS: [&str; 2] = ["scoped_role", "TeleportScopedRoleV1"];

/// The kinds that say which scoped roles someone holds.
const ASSIGNMENT_KINDS: [&str; 2] = ["scoped_role_assignment", "TeleportScopedRoleAssignmentV1"];

/// The kinds that say which roles a bot holds. Others have such kinds too, with an `apiVersion` of their own.
const BOT_KINDS: [&str; 3] = ["bot", "TeleportBot", "TeleportBotV1"];

/// The group of the operator's resources. Other resources of Kubernetes may differ from ours in the
/// case of their kind only.
pub(super) const OPERATOR_GROUP: &str = "resources.teleport.dev/";

/// Kubernetes' own roles, which are nobody's mistake.
fn is_rbac(version: &str) -> bool {
    version.starts_with("rbac.authorization.k8s.io/")
}

/// Characters of a foreign text that are kept for a message.
pub(super) const MAX_QUOTED: usize = 80;

/// A resource's text for a message, cut if it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Role,
    User,
    ScopedRole,
    Assignment,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        if SCOPED_ROLE_KINDS.contains(&name) {
            Some(Self::ScopedRole)
        } else if ASSIGNMENT_KINDS.contains(&name) {
            Some(Self::Assignment)
        } else if ROLE_KINDS.contains(&name) {
            Some(Self::Role)
        } else if USER_KINDS.contains(&name) {
            Some(Self::User)
        } else {
            None
        }
    }
}

/// What a role has at `spec.options`.
enum Options {
    Absent,
    Mapping(NodeId),
    /// An expression here or above, so that the role may have any options.
    Unknown(NodeId),
}

/// Reads the resource `id` and adds what it says to `found`.
pub(super) fn read(document: Document<'_>, tree: &Tree<'_>, id: NodeId, found: &mut Found) {
    Reader { document, tree, found, address: None, cluster: None }.resource(id, None);
}

struct Reader<'a> {
    document: Document<'a>,
    tree: &'a Tree<'a>,
    found: &'a mut Found,
    /// The resource's address in Terraform.
    address: Option<&'a str>,
    /// The cluster that its provider in Terraform stands for.
    cluster: Option<Arc<str>>,
}

impl Reader<'_> {
    /// `implied`: the kind that an item of a typed list has though it doesn't say so.
    fn resource(&mut self, id: NodeId, implied: Option<&str>) {
        let tree = self.tree;
        if tree.is_null(id) {
            return;
        }
        tree.set_case(self.case(id));
        // With `kind` twice, which one holds depends on the reader: take it for ours if either is,
        // so that the duplicate is an error.
        let kinds = tree.entries(id).into_iter().flatten().filter(|&(key, _)| tree.is_key(key, "kind"));
        let name = kinds
            .filter_map(|(_, value)| tree.text(value))
            .find(|name| Kind::of(name).is_some())
            .or_else(|| tree.get(id, "kind").and_then(|(_, value)| tree.text(value)))
            .or(implied);
        match name {
            Some(name) if let Some(kind) = Kind::of(name) => self.document(id, name, kind),
            Some(name) if GrantKind::of(name).is_some() => {
                if let Some(grant) = GrantKind::of(name) {
                    self.grant(id, name, grant);
                }
            }
            Some(RECORDING_CONFIG) => self.recording_config(id),
            Some(name) if self.is_bot(id, name) => self.bot(id, name),
            Some(name) if list_of(name).is_some() => self.list(id, name),
            _ => self.skip(id, name),
        }
    }

    /// How the reader of this resource compares keys. Teleport's decoder ignores case in what `tctl` and the
    /// web UI hand to it; Kubernetes and Terraform do not, and hand it nothing else.
    fn case(&self, id: NodeId) -> Case {
        let is_kubernetes = |(key, _)| self.tree.text(key) == Some("apiVersion");
        if self.address.is_some() || self.tree.entries(id).into_iter().flatten().any(is_kubernetes) {
            Case::Matters
        } else if self.found.dialect == Dialect::Teleport {
            Case::Ignored
        } else {
            Case::Disputed
        }
    }

    /// Reports a configuration of the cluster by which nothing is recorded.
    fn recording_config(&mut self, id: NodeId) {
        keys::check(self.document, self.tree, id, self.found);
        let Some((_, value)) = self.path(id, &["spec", "mode"]) else { return };
        let quoted = !self.tree.is_plain(value);
        let is_off = |text: &str| if quoted { text == "off" } else { text.eq_ignore_ascii_case("off") };
        if self.tree.is_unknown(value) {
            self.report(ProblemKind::UnknownValue("spec.mode"), value);
        } else if self.tree.text(value).is_some_and(is_off) {
            self.report(ProblemKind::RecordingOff { quoted }, value);
        }
    }

    fn document(&mut self, id: NodeId, name: &str, kind: Kind) {
        match kind {
            Kind::Role => self.role(id, name),
            Kind::User => self.user(id, name),
            Kind::ScopedRole => self.scoped_role(id, name),
            Kind::Assignment => self.assignment(id, name),
        }
    }

    /// The set of what is in the cluster and is no scoped role.
    fn set(&self) -> SetKey {
        SetKey { cluster: self.cluster.clone(), ..SetKey::default() }
    }

    fn role(&mut self, id: NodeId, kind: &str) {
        self.found.ours = true;
        let mark = self.found.mark();
        keys::check(self.document, self.tree, id, self.found);
        let name = self.name(id, kind);
        self.check_name(name.as_ref());
        let read = match self.options(id) {
            Options::Mapping(options) => record_session::read(self.document, self.tree, options, self.found),
            Options::Unknown(at) => record_session::Read {
                said: RecordSession::unknown(&record_session::unknown(self.document, self.tree, at)),
                ..record_session::Read::default()
            },
            Options::Absent => record_session::Read::default(),
        };
        let Some((name, at)) = name else { return };
        self.requests(id, &name, at);
        let (set, layout) = (self.set(), self.layout(id));
        self.found.attribute(mark, &name, &set);
        self.push_role(id, set, (name, at), read, layout);
    }

    fn push_role(
        &mut self,
        id: NodeId,
        set: SetKey,
        (name, at): (Arc<str>, NodeId),
        read: record_session::Read,
        layout: Layout,
    ) {
        let span = self.tree.span(at);
        let role = Role { name, at: self.document.place(span), record_session: read.said };
        let version = self.tree.get(id, "version").filter(|_| self.found.detail).and_then(|(_, version)| {
            Some((quoted(self.tree.text(version)?).into(), self.document.mark(self.tree.span(version))))
        });
        self.found.roles.push(WrittenRole {
            role: Arc::new(role),
            set,
            name: self.document.mark(span),
            version,
            record_session: read.key,
            layout,
            options: read.options,
            is_patched: false,
        });
    }

    fn user(&mut self, id: NodeId, kind: &str) {
        self.found.ours = true;
        keys::check(self.document, self.tree, id, self.found);
        let Some((name, at)) = self.name(id, kind) else { return };
        let entry = self.path(id, &["spec", "roles"]);
        let mut roles = Vec::new();
        if let Some((key, value)) = entry.filter(|&(_, value)| !self.tree.is_null(value)) {
            if let Some(name) = self.expression(value) {
                self.unknown_name("spec.roles", value);
                roles.push(name);
            } else {
                let items = self.tree.items(value);
                if items.is_none() {
                    self.report(ProblemKind::BadUserRoles, key);
                }
                for &item in items.unwrap_or_default() {
                    self.unknown_name("spec.roles", item);
                    match self.tree.text(item) {
                        Some(role) if !self.tree.is_null(item) => {
                            roles.push((role.into(), self.document.place(self.tree.span(item))));
                        }
                        _ => match self.expression(item) {
                            Some(name) => roles.push(name),
                            None => self.report(ProblemKind::BadUserRoles, item),
                        },
                    }
                }
            }
        }
        let span = self.tree.span(at);
        let user = User { name, at: self.document.place(span), roles, set: self.set() };
        self.found.users.push((user, self.document.mark(span)));
    }

    /// A Kubernetes list: its items are resources.
    fn list(&mut self, id: NodeId, kind: &str) {
        keys::duplicates(self.document, self.tree, id, self.found);
        let implied = list_of(kind).filter(|kind| !kind.is_empty());
        let Some((key, value)) = self.tree.get(id, "items") else { return };
        match self.tree.items(value) {
            Some(items) => items.iter().for_each(|&item| self.resource(item, implied)),
            None if self.tree.is_null(value) => {}
            None => self.report(ProblemKind::BadItems, key),
        }
    }

    fn skip(&mut self, id: NodeId, kind: Option<&str>) {
        let before = self.found.count();
        if let Some(kind) = kind {
            self.mentions(id, kind);
        }
        let reported = match kind {
            Some(kind) => self.foreign(id, kind),
            None => self.without_kind(id),
        };
        self.look_inside(id, reported);
        if self.found.count() == before {
            self.found.skipped.push(Skipped {
                at: self.document.place(self.tree.span(id)),
                kind: kind.map(|kind| quoted(kind).into()),
            });
        }
    }

    /// Judges what has no kind. The key that is reported, if one is.
    fn without_kind(&mut self, id: NodeId) -> Option<NodeId> {
        let tree = self.tree;
        // A kind that is still to be filled in may be a role's.
        let templated = tree.get(id, "kind").is_some_and(|(_, value)| tree.is_mapping(value));
        if templated || self.found.detail {
            keys::template(self.document, tree, id, self.found);
        }
        let entries = tree.entries(id).into_iter().flatten();
        let kind_in_other_case =
            entries.filter(|&(_, value)| tree.text(value).is_some_and(is_ours)).find_map(|(key, _)| {
                let text = tree.text(key)?;
                Some((key, text, keys::field_in_other_case(tree, text).filter(|field| *field == "kind")?))
            });
        if let Some((key, text, right)) = kind_in_other_case {
            self.report(ProblemKind::KeyCase { key: quoted(text), right }, key);
            return keys::recording(tree, id);
        }
        // A string without a kind is rather a part of a role than one that forgot it.
        let key = keys::recording(tree, id).filter(|_| self.document.embedded.is_none())?;
        self.report(ProblemKind::NoKind, key);
        Some(key)
    }

    /// Judges the kind of what is none of ours. The key that is reported with it, if one is.
    fn foreign(&mut self, id: NodeId, kind: &str) -> Option<NodeId> {
        let tree = self.tree;
        let (_, at) = tree.get(id, "kind")?;
        let version = tree.get(id, "apiVersion").and_then(|(_, value)| tree.text(value));
        let is_ours = version.is_none_or(|version| version.starts_with(OPERATOR_GROUP));
        // What says how its sessions are recorded is meant for a role, whatever it calls itself.
        let said = keys::recording(tree, id).filter(|_| version.is_none_or(|version| !is_rbac(version)));
        if self.is_template_of_ours(id, kind) {
            self.unread(nested::TEMPLATE, tree.span(at));
            return said;
        }
        let near = |known: &&&str| known.eq_ignore_ascii_case(kind);
        // A later version of the operator's kind is no role that this program can read.
        let later = || kind.starts_with("TeleportRoleV").then_some(&ROLE_KINDS[ROLE_KINDS.len() - 1]);
        let slip = || ROLE_KINDS.iter().find(|known| spelling::slips(known, kind, 1).is_some());
        let known = ROLE_KINDS.iter().chain(&USER_KINDS).chain(&SCOPED_ROLE_KINDS).chain(&ASSIGNMENT_KINDS);
        let nearest = known.into_iter().find(near).or_else(later);
        let nearest = nearest.filter(|_| is_ours || said.is_some());
        if let Some(nearest) = nearest.or_else(|| said.and_then(|_| slip())) {
            self.report(ProblemKind::NearKind { kind: quoted(kind), nearest }, at);
        } else if let Some(said) = said {
            let mut problem = self.document.problem(ProblemKind::ForeignKind(quoted(kind)), tree.span(at));
            problem.related.push(("this has no effect", self.document.site(tree.span(said))));
            self.found.report(problem);
        }
        said
    }

    /// The entry `metadata`. Terraform's access lists have it in a header.
    fn metadata(&self, id: NodeId) -> Option<(NodeId, NodeId)> {
        let header = self.address.and_then(|_| self.tree.get(id, "header"));
        match header {
            Some((_, header)) if self.tree.is_mapping(header) => self.tree.get(header, "metadata"),
            header => self.tree.get(id, "metadata").or(header),
        }
    }

    /// `metadata.name`, and its node.
    fn name(&mut self, id: NodeId, kind: &str) -> Option<(Arc<str>, NodeId)> {
        self.name_in(self.metadata(id), id, kind)
    }

    /// Reports a name that is filled in later: the role is read, but it may be any.
    fn check_name(&mut self, name: Option<&(Arc<str>, NodeId)>) {
        if let Some((name, at)) = name
            && self.address.is_none()
            && signs::is_filled_in(name)
        {
            self.report(ProblemKind::UnreadRole { why: nested::NAME }, *at);
        }
    }

    /// The `name` in the entry `metadata`, and its node.
    fn name_in(
        &mut self,
        metadata: Option<(NodeId, NodeId)>,
        id: NodeId,
        kind: &str,
    ) -> Option<(Arc<str>, NodeId)> {
        if let (Some(address), Some((_, value))) = (self.address, metadata)
            && self.tree.is_unknown(value)
        {
            self.report(ProblemKind::UnknownName(address.to_owned()), value);
            return Some((address.into(), value));
        }
        let Some((key, value)) = metadata.and_then(|(_, metadata)| self.tree.get(metadata, "name")) else {
            let at = metadata.map(|(key, _)| key).or_else(|| Some(self.tree.get(id, "kind")?.1));
            self.report(ProblemKind::NoName(kind.to_owned()), at.unwrap_or(id));
            return None;
        };
        if let Some(address) = self.address
            && self.tree.is_unknown(value)
        {
            self.report(ProblemKind::UnknownName(address.to_owned()), value);
            return Some((address.into(), value));
        }
        match self.tree.text(value) {
            Some("") => self.report(ProblemKind::NoName(kind.to_owned()), key),
            Some(_) if self.tree.is_null(value) => self.report(ProblemKind::NoName(kind.to_owned()), key),
            Some(name) => return Some((name.into(), value)),
            None => self.report(ProblemKind::BadName, key),
        }
        None
    }

    /// Where `spec` and `spec.options` are.
    fn layout(&self, id: NodeId) -> Layout {
        let mut layout = Layout::default();
        if !self.found.detail {
            return layout;
        }
        // What comes from somewhere else, or is in a text, has no room here.
        let is_here = |&id: &NodeId| self.tree.span(id).origin == 0;
        let block = |id: NodeId, key: &str| {
            let (key, value) = self.tree.get(id, key)?;
            let (first, _) = self.tree.entries(value)?.next().filter(|(first, _)| is_here(first))?;
            let first = self.document.mark(self.tree.span(first));
            let in_braces = self.document.in_braces(self.tree, value);
            Some((value, Block { key: self.document.mark(self.tree.span(key)), first, in_braces }))
        };
        if let Some((spec, at)) = block(id, "spec") {
            let options = self.tree.get(spec, "options").map(|(_, options)| options);
            // To Teleport, which ignores case, another one beside it would be a second one.
            let in_other_case = |id: NodeId, key: &str| {
                let other = |text| keys::field_in_other_case(self.tree, text) == Some(key);
                let mut entries = self.tree.entries(id).into_iter().flatten();
                entries.any(|(key, _)| self.tree.text(key).is_some_and(other))
            };
            let is_taken = in_other_case(spec, "options")
                || options.is_some_and(|options| in_other_case(options, "record_session"));
            layout.has_options = options.is_some() || is_taken;
            if !is_taken {
                let is_empty =
                    |&id: &NodeId| self.tree.entries(id).is_some_and(|mut all| all.next().is_none());
                layout.empty_options =
                    options.filter(is_empty).filter(is_here).map(|id| self.document.mark(self.tree.span(id)));
                layout.options = block(spec, "options").map(|(_, at)| at);
            }
            layout.spec = Some(at);
        }
        layout
    }

    /// `spec.options`.
    fn options(&mut self, id: NodeId) -> Options {
        let mut at = id;
        for (key, path) in [("spec", "spec"), ("options", "spec.options")] {
            if let Some(key) = record_session::unknown_key(self.document, self.tree, at, path, self.found) {
                return Options::Unknown(key);
            }
            let Some((key, value)) = self.tree.get(at, key) else { return Options::Absent };
            if self.tree.is_null(value) {
                return Options::Absent;
            }
            if self.tree.is_unknown(value) {
                self.report(ProblemKind::UnknownValue(path), value);
                return Options::Unknown(value);
            }
            if !self.tree.is_mapping(value) {
                self.report(ProblemKind::NotAMapping(path), key);
                return Options::Absent;
            }
            at = value;
        }
        Options::Mapping(at)
    }

    fn report(&mut self, kind: ProblemKind, at: NodeId) {
        self.found.report(self.document.problem(kind, self.tree.span(at)));
    }
}

/// Whether documents of this kind are read.
fn is_ours(kind: &str) -> bool {
    Kind::of(kind).is_some() || GrantKind::of(kind).is_some() || kind == RECORDING_CONFIG
}

/// Whether this kind is one of a role or of who holds some, whoever else has such a kind.
pub(super) fn is_of_teleport(kind: &str) -> bool {
    is_ours(kind) || BOT_KINDS.contains(&kind)
}

/// What a Kubernetes list is a list of: anything (``), or roles or users by the list's own kind.
fn list_of(kind: &str) -> Option<&str> {
    kind.strip_suffix("List")
        .filter(|item| item.is_empty() || Kind::of(item).is_some() || GrantKind::of(item).is_some())
}
