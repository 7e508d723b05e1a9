//! One resource: is it a role, a user, something that gives roles, a list of them, or none of our
//! business; and what it says.

mod grants;

use std::sync::Arc;

use self::grants::GrantKind;
use super::found::{Document, Found, Skipped, User};
use super::problem::ProblemKind;
use super::tree::{NodeId, Tree};
use super::{keys, record_session};
use crate::policy::{RecordSession, Role};

/// The kinds that are roles: Teleport's own and those of its Kubernetes operator.
const ROLE_KINDS: [&str; 5] = ["role", "TeleportRole", "TeleportRoleV6", "TeleportRoleV7", "TeleportRoleV8"];

/// The kinds that say which roles a user holds.
const USER_KINDS: [&str; 2] = ["user", "TeleportUser"];

/// Other Kubernetes resources, such as RBAC's `Role`, differ from ours in case only and are
/// nobody's mistake.
const OPERATOR_GROUP: &str = "resources.teleport.dev/";

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
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        if ROLE_KINDS.contains(&name) {
            Some(Self::Role)
        } else if USER_KINDS.contains(&name) {
            Some(Self::User)
        } else {
            None
        }
    }
}

/// Reads the resource `id` and adds what it says to `found`.
pub(super) fn read(document: Document<'_>, tree: &Tree<'_>, id: NodeId, found: &mut Found) {
    Reader { document, tree, found }.resource(id, None);
}

struct Reader<'a> {
    document: Document<'a>,
    tree: &'a Tree<'a>,
    found: &'a mut Found,
}

impl Reader<'_> {
    /// `implied`: the kind that an item of a typed list has though it doesn't say so.
    fn resource(&mut self, id: NodeId, implied: Option<&str>) {
        let tree = self.tree;
        if tree.is_null(id) {
            return;
        }
        // With `kind` twice, which one holds depends on the reader: take it for ours if either is,
        // so that the duplicate is an error.
        let kinds = tree.entries(id).into_iter().flatten().filter(|&(key, _)| tree.text(key) == Some("kind"));
        let name = kinds
            .filter_map(|(_, value)| tree.text(value))
            .find(|name| Kind::of(name).is_some())
            .or_else(|| tree.get(id, "kind").and_then(|(_, value)| tree.text(value)))
            .or(implied);
        match name {
            Some(name) if Kind::of(name) == Some(Kind::Role) => self.role(id, name),
            Some(name) if Kind::of(name).is_some() => self.user(id, name),
            Some(name) if GrantKind::of(name).is_some() => {
                if let Some(grant) = GrantKind::of(name) {
                    self.grant(id, name, grant);
                }
            }
            Some(name) if list_of(name).is_some() => self.list(id, name),
            _ => self.skip(id, name),
        }
    }

    fn role(&mut self, id: NodeId, kind: &str) {
        self.found.ours = true;
        keys::check(self.document, self.tree, id, self.found);
        let name = self.name(id, kind);
        let said = match self.options(id) {
            Some(options) => record_session::read(self.document, self.tree, options, self.found),
            None => RecordSession::default(),
        };
        let Some((name, at)) = name else { return };
        self.requests(id, &name);
        let span = self.tree.span(at);
        let role = Role { name, at: self.document.place(span), record_session: said };
        self.found.roles.push((Arc::new(role), self.document.mark(span)));
    }

    fn user(&mut self, id: NodeId, kind: &str) {
        self.found.ours = true;
        keys::check(self.document, self.tree, id, self.found);
        let Some((name, at)) = self.name(id, kind) else { return };
        let mut roles = Vec::new();
        if let Some((key, value)) =
            self.tree.get(id, "spec").and_then(|(_, spec)| self.tree.get(spec, "roles"))
            && !self.tree.is_null(value)
        {
            let items = self.tree.items(value);
            if items.is_none() {
                self.report(ProblemKind::BadUserRoles, key);
            }
            for &item in items.unwrap_or_default() {
                match self.tree.text(item) {
                    Some(role) if !self.tree.is_null(item) => {
                        roles.push((role.into(), self.document.place(self.tree.span(item))));
                    }
                    _ => self.report(ProblemKind::BadUserRoles, item),
                }
            }
        }
        let span = self.tree.span(at);
        let user = User { name, at: self.document.place(span), roles };
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
        let tree = self.tree;
        self.found.skipped.push(Skipped {
            at: self.document.place(tree.span(id)),
            kind: kind.map(|kind| quoted(kind).into()),
        });
        let Some(kind) = kind else {
            let options =
                [Some(id), tree.get(id, "options").map(|(_, options)| options), keys::options(tree, id)];
            let said = options.into_iter().flatten().find_map(|at| tree.get(at, "record_session"));
            if let Some((key, _)) = said {
                self.report(ProblemKind::NoKind, key);
            }
            return;
        };
        let near = |known: &&&str| known.eq_ignore_ascii_case(kind);
        // A later version of the operator's kind is no role that this program can read.
        let later = || kind.starts_with("TeleportRoleV").then_some(&ROLE_KINDS[ROLE_KINDS.len() - 1]);
        let Some(nearest) = ROLE_KINDS.iter().chain(&USER_KINDS).find(near).or_else(later) else { return };
        let version = tree.get(id, "apiVersion").and_then(|(_, value)| tree.text(value));
        if version.is_none_or(|version| version.starts_with(OPERATOR_GROUP))
            && let Some((_, value)) = tree.get(id, "kind")
        {
            self.report(ProblemKind::NearKind { kind: quoted(kind), nearest }, value);
        }
    }

    /// `metadata.name`, and its node.
    fn name(&mut self, id: NodeId, kind: &str) -> Option<(Arc<str>, NodeId)> {
        let metadata = self.tree.get(id, "metadata");
        let Some((key, value)) = metadata.and_then(|(_, metadata)| self.tree.get(metadata, "name")) else {
            let at = metadata.map(|(key, _)| key).or_else(|| Some(self.tree.get(id, "kind")?.1));
            self.report(ProblemKind::NoName(kind.to_owned()), at.unwrap_or(id));
            return None;
        };
        match self.tree.text(value) {
            Some("") => self.report(ProblemKind::NoName(kind.to_owned()), key),
            Some(_) if self.tree.is_null(value) => self.report(ProblemKind::NoName(kind.to_owned()), key),
            Some(name) => return Some((name.into(), value)),
            None => self.report(ProblemKind::BadName, key),
        }
        None
    }

    /// `spec.options`, if the role has it.
    fn options(&mut self, id: NodeId) -> Option<NodeId> {
        let mut at = id;
        for (key, path) in [("spec", "spec"), ("options", "spec.options")] {
            let (key, value) = self.tree.get(at, key)?;
            if self.tree.is_null(value) {
                return None;
            }
            if !self.tree.is_mapping(value) {
                self.report(ProblemKind::NotAMapping(path), key);
                return None;
            }
            at = value;
        }
        Some(at)
    }

    fn report(&mut self, kind: ProblemKind, at: NodeId) {
        self.found.report(self.document.problem(kind, self.tree.span(at)));
    }
}

/// What a Kubernetes list is a list of: anything (``), or roles or users by the list's own kind.
fn list_of(kind: &str) -> Option<&str> {
    kind.strip_suffix("List")
        .filter(|item| item.is_empty() || Kind::of(item).is_some() || GrantKind::of(item).is_some())
}
