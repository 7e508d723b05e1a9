//! Kustomize's inline patches of roles: strategic merges and JSON patches (RFC 6902) that touch
//! `record_session`. What a patch can't be followed in is reported as a role that is not read.

use std::sync::Arc;

use super::{OPERATOR_GROUP, Reader, nested};
use crate::policy::OptionName;
use crate::roles::patch::Patch;
use crate::roles::tree::{NodeId, Span};
use crate::roles::{keys, record_session, signs};

/// The keys of lists of patches; Flux and Argo CD have them under other kinds.
const LISTS: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];

const OPERATION: &str = "this operation on record_session is not followed";
const DIRECTIVE: &str = "this directive of a patch is not followed";
const FILE: &str = "the file of this patch is not followed";
const WHICH: &str = "this patch does not name one role that it changes";

/// Which resources a patch is about, where the patch itself doesn't say.
#[derive(Debug, Clone)]
struct Target {
    /// Whether it is a role; `None` where the target doesn't say.
    is_role: Option<bool>,
    /// The one name that it has, and where; `Err` if several may match.
    name: Result<Option<Arc<str>>, ()>,
}

impl Reader<'_> {
    /// Reads the value of this key, if it is a list of patches.
    pub(super) fn patches(&mut self, key: Option<&str>, value: NodeId) -> bool {
        let tree = self.tree;
        let Some(items) = tree.items(value).filter(|_| key.is_some_and(|key| LISTS.contains(&key))) else {
            return false;
        };
        let is_patch = |item: NodeId| tree.get(item, "patch").is_some() || tree.get(item, "path").is_some();
        let merges = key == Some("patchesStrategicMerge");
        if !merges && !items.iter().all(|&item| is_patch(item)) {
            return false;
        }
        for &item in items {
            let target = self.target(item);
            let inline = if merges { Some(item) } else { tree.get(item, "patch").map(|(_, patch)| patch) };
            let Some(inline) = inline else {
                // The file may be a list of operations, in which nothing shows what they change.
                if let (Some(true), Some((path, _))) = (target.is_role, tree.get(item, "path")) {
                    self.unread(FILE, tree.span(path));
                }
                continue;
            };
            if self.found.detail {
                // A repair would not know what the patch is of.
                let text = self.document.text.len();
                let whole = Span {
                    start: 0,
                    end: u32::try_from(text).unwrap_or(u32::MAX),
                    line: 1,
                    column: 1,
                    origin: 0,
                };
                let range = self.document.mark(whole).bytes;
                self.found.fragile.push(range);
            }
            self.patch(inline, &target);
        }
        true
    }

    /// Reads a transformer that holds one patch.
    pub(super) fn transformer(&mut self, id: NodeId) {
        let target = self.target(id);
        if let Some((_, patch)) = self.tree.get(id, "patch") {
            self.patch(patch, &target);
        }
    }

    fn target(&self, item: NodeId) -> Target {
        let tree = self.tree;
        let Some((_, target)) = tree.get(item, "target") else {
            return Target { is_role: None, name: Ok(None) };
        };
        let text = |key| tree.get(target, key).and_then(|(_, value)| tree.text(value));
        // Both are regular expressions.
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let is_role = text("kind").map(|kind| signs::is_role_kind(kind) || !plain(kind));
        // Without a kind all that is in the operator's group is meant, and roles are.
        let is_ours = text("group").is_some_and(|group| OPERATOR_GROUP.trim_end_matches('/') == group);
        let is_role = is_role.or(is_ours.then_some(true));
        let name = match text("name").map(|name| name.trim_start_matches('^').trim_end_matches('$')) {
            Some(name) if plain(name) && !name.is_empty() => Ok(Some(name.into())),
            _ => Err(()),
        };
        Target { is_role, name }
    }

    fn patch(&mut self, inline: NodeId, target: &Target) {
        let tree = self.tree;
        let mut all: Option<Patch> = None;
        let mut each = |reader: &mut Reader<'_>, id: NodeId| {
            let Some(patch) = reader.change(id, target) else { return };
            match &mut all {
                Some(all) if all.name == patch.name => all.then(patch),
                _ => {
                    let before = all.replace(patch);
                    reader.found.patches.extend(before);
                }
            }
        };
        if let Some(items) = tree.items(inline) {
            for &item in items {
                each(self, item);
            }
        } else if let Some(text) = tree.text(inline) {
            let names_one = target.is_role != Some(false) && target.name != Ok(None);
            if names_one || signs::anywhere(text).is_some() {
                self.embedded(inline, signs::anywhere, &mut each);
            }
        } else {
            each(self, inline);
        }
        self.found.patches.extend(all);
    }

    /// One document of a patch: a strategic merge or an operation.
    fn change(&mut self, id: NodeId, target: &Target) -> Option<Patch> {
        if self.tree.get(id, "op").is_some() && self.tree.get(id, "path").is_some() {
            return self.operation(id, target);
        }
        let kind = self.tree.get(id, "kind").and_then(|(_, kind)| self.tree.text(kind));
        // Without any kind it may be a role's if it has options.
        let is_role = || match kind {
            Some(kind) => signs::is_role_kind(kind),
            None => self.path(id, &["spec", "options"]).is_some(),
        };
        if !target.is_role.unwrap_or_else(is_role) {
            // A patch of something else may hold roles in its strings.
            self.look_inside(id, None);
            return None;
        }
        self.merge(id, target)
    }

    fn merge(&mut self, id: NodeId, target: &Target) -> Option<Patch> {
        let tree = self.tree;
        keys::check(self.document, tree, id, self.found);
        let mut at = id;
        let mut last = id;
        for key in ["spec", "options", "record_session"] {
            if let Some((directive, _)) = tree.get(at, "$patch") {
                self.unread(DIRECTIVE, tree.span(directive));
                return None;
            }
            (last, at) = tree.get(at, key)?;
            if tree.is_null(at) {
                return self.changed(id, target, last, true, None);
            }
        }
        if let Some((directive, _)) = tree.get(at, "$patch") {
            self.unread(DIRECTIVE, tree.span(directive));
            return None;
        }
        self.changed(id, target, last, false, Some(at))
    }

    fn operation(&mut self, id: NodeId, target: &Target) -> Option<Patch> {
        let tree = self.tree;
        let text = |key| tree.get(id, key).and_then(|(_, value)| tree.text(value));
        let (op, path) = (text("op").unwrap_or_default(), text("path").unwrap_or_default());
        let touches = |path: &str| {
            let path = path.trim_end_matches('/');
            matches!(path, "" | "/spec" | "/spec/options") || path.starts_with("/spec/options/record_session")
        };
        let moves = matches!(op, "move" | "copy") && text("from").is_some_and(touches);
        if op == "test" || !touches(path) && !moves || target.is_role == Some(false) {
            return None;
        }
        // Anything has a spec; options are rare.
        let is_named = signs::KEYS.iter().any(|key| path.contains(key)) || moves || path == "/spec/options";
        if target.is_role.is_none() && !is_named && target.name.is_err() {
            return None;
        }
        let (_, at) = tree.get(id, "path")?;
        let value = tree.get(id, "value").map(|(_, value)| value);
        let below =
            |keys: &[&str]| keys.iter().try_fold(value?, |at, key| tree.get(at, key).map(|(_, value)| value));
        let sets = matches!(op, "add" | "replace");
        if sets && value.is_none() || !sets && op != "remove" {
            self.unread(OPERATION, tree.span(at));
            return None;
        }
        match path {
            "/spec" => self.changed(id, target, at, true, below(&["options", "record_session"])),
            "/spec/options" => self.changed(id, target, at, true, below(&["record_session"])),
            "/spec/options/record_session" => self.changed(id, target, at, true, value.filter(|_| sets)),
            _ => {
                let key = path.strip_prefix("/spec/options/record_session/").filter(|key| !key.contains('/'));
                let Some(key) = key else {
                    self.unread(OPERATION, tree.span(at));
                    return None;
                };
                let value = value.filter(|&value| sets && !tree.is_null(value));
                match (value, OptionName::from_name(key)) {
                    (Some(value), _) => {
                        let entry = (key.to_owned(), tree.span(at), value);
                        self.written(id, target, at, false, &[entry], &[])
                    }
                    (None, Some(option)) => self.written(id, target, at, false, &[], &[option]),
                    (None, None) => None,
                }
            }
        }
    }

    /// A change to the mapping `record_session`.
    fn changed(
        &mut self,
        id: NodeId,
        target: &Target,
        at: NodeId,
        clears: bool,
        record_session: Option<NodeId>,
    ) -> Option<Patch> {
        let tree = self.tree;
        let Some(mapping) = record_session.filter(|&mapping| !tree.is_null(mapping)) else {
            return self.written(id, target, at, clears, &[], &[]);
        };
        if !tree.is_mapping(mapping) {
            self.unread(OPERATION, tree.span(at));
            return None;
        }
        keys::duplicates(self.document, tree, mapping, self.found);
        let (mut entries, mut removes) = (Vec::new(), Vec::new());
        for (key, value) in tree.merged(mapping) {
            let name = tree.text(key).unwrap_or_default();
            if !tree.is_null(value) {
                entries.push((name.to_owned(), tree.span(key), value));
            } else if let Some(option) = OptionName::from_name(name) {
                removes.push(option);
            }
        }
        self.written(id, target, at, clears, &entries, &removes)
    }

    /// The patch of these keys and values.
    fn written(
        &mut self,
        id: NodeId,
        target: &Target,
        at: NodeId,
        clears: bool,
        entries: &[(String, Span, NodeId)],
        removes: &[OptionName],
    ) -> Option<Patch> {
        let tree = self.tree;
        if entries.iter().any(|(_, _, value)| tree.text(*value).is_some_and(signs::is_template)) {
            self.unread(nested::TEMPLATE, tree.span(at));
            return None;
        }
        let span = tree.span(at);
        let (wrapped, options) = tree.wrapped("record_session", span, entries);
        let read = record_session::read(self.document, &wrapped, options, self.found);
        let own = self.path(id, &["metadata", "name"]).map(|(_, name)| name);
        let own = own.and_then(|name| Some((Arc::from(tree.text(name)?), name)));
        let (name, named) = match (&target.name, own) {
            (Ok(Some(name)), own) => (Arc::clone(name), own.map_or(at, |(_, at)| at)),
            (Ok(None), Some((name, at))) => (name, at),
            _ => {
                self.unread(WHICH, span);
                return None;
            }
        };
        let named = tree.span(named);
        let whole = tree.get(id, "path").and_then(|(_, path)| tree.text(path));
        let is_of_role = target.is_role == Some(true)
            || whole.is_none_or(|path| signs::KEYS.iter().any(|key| path.contains(key)));
        self.found.ours = true;
        Some(Patch {
            name,
            set: self.set(),
            at: self.document.place(named),
            mark: self.document.mark(named),
            is_of_role,
            clears,
            removes: removes.to_vec(),
            sets: read.said,
            key: read.key,
            options: read.options,
        })
    }
}
