//! Reads scoped roles and their assignments.

use std::sync::Arc;

use super::Reader;
use crate::roles::found::User;
use crate::roles::keys;
use crate::roles::problem::ProblemKind;
use crate::roles::scoped;
use crate::roles::sets::SetKey;
use crate::roles::tree::NodeId;
use crate::roles::written::Layout;

impl Reader<'_> {
    pub(super) fn scoped_role(&mut self, id: NodeId, kind: &str) {
        self.found.ours = true;
        let mark = self.found.mark();
        keys::check_scoped(self.document, self.tree, id, self.found);
        let name = self.name(id, kind);
        self.check_name(name.as_ref());
        let read = scoped::read(self.document, self.tree, id, self.found);
        let Some((name, at)) = name else { return };
        let scope = self.scalar(id, "scope").map(|(scope, _)| scope).unwrap_or_default();
        let set = SetKey::of_scoped(self.cluster.as_ref(), &format!("{scope}::{name}"));
        self.found.attribute(mark, &name, &set);
        self.push_role(id, set, (name, at), read, Layout::default());
    }

    /// Each assigned role makes the assignee a holder in the role's own set.
    pub(super) fn assignment(&mut self, id: NodeId, kind: &str) {
        self.found.ours = true;
        keys::check_scoped(self.document, self.tree, id, self.found);
        let Some((_, spec)) = self.tree.get(id, "spec") else {
            return self.report(ProblemKind::NoAssignee(kind.to_owned()), id);
        };
        if self.expression(spec).is_some() {
            return self.report(ProblemKind::UnknownRoles("spec"), spec);
        }
        let assignee = ["user", "bot", "bot_name"].into_iter().find_map(|key| {
            self.tree.get(spec, key).and_then(|(_, value)| Some((self.name_at(value)?, value, key)))
        });
        let Some(((mut name, at), value, key)) = assignee else {
            return self.report(ProblemKind::NoAssignee(kind.to_owned()), spec);
        };
        if let Some((scope, _)) = self.scalar(spec, "bot_scope").filter(|_| key == "bot_name") {
            name = format!("{scope}::{name}").into();
        }
        let mark = self.document.mark(self.tree.span(value));
        for item in self.mappings(self.path(spec, &["assignments"]), "spec.assignments") {
            let Some((_, role)) = self.tree.get(item, "role") else {
                self.report(ProblemKind::BadMapping("spec.assignments"), item);
                continue;
            };
            let Some((reference, role_at)) = self.name_at(role) else {
                self.report(ProblemKind::BadMapping("spec.assignments"), item);
                continue;
            };
            self.unknown_name("spec.assignments", role);
            let set = SetKey::of_scoped(self.cluster.as_ref(), &reference);
            let role: Arc<str> = reference.rsplit_once("::").map_or(&*reference, |(_, name)| name).into();
            let user = User { name: Arc::clone(&name), at: at.clone(), roles: vec![(role, role_at)], set };
            self.found.users.push((user, mark.clone()));
        }
    }
}
