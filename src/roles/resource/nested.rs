//! Roles inside documents of other kinds: in the lists, values, tasks and strings that someone applies them
//! from. Whatever shows signs of a role there and is not read as one is reported, so that it is not missing
//! unseen. Only looked into where the text shows a sign at all.

use std::collections::HashSet;
use std::ops::Range;

use super::{Kind, OPERATOR_GROUP, RECORDING_CONFIG, Reader, is_ours, is_rbac, list_of};
use crate::policy::OptionName;
use crate::roles::embed::{Embedded, MAX_STRINGS, Map};
use crate::roles::found::{Document, Found};
use crate::roles::problem::ProblemKind;
use crate::roles::tree::{NodeId, Span, Tree};
use crate::roles::{comments, keys, parse, signs, split};

/// Keys whose values describe and are not applied.
const DESCRIBING: [&str; 2] = ["labels", "annotations"];

/// How the names of keys end whose strings are prose.
const PROSE: [&str; 6] = ["description", "summary", ".md", ".markdown", ".rst", ".adoc"];

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

pub(super) const TEMPLATE: &str = "a template has to be rendered first";
pub(super) const NAME: &str = "its name is filled in later, so it may be any role";
const TEXT: &str = "it is in a text that is not YAML or JSON";
const TOO_DEEP: &str = "it is in too many strings, one in the other";
const FIELD: &str = "a replacement of kustomize is not followed";
const INCOMPLETE: &str = "it has neither metadata nor spec";
const LOOSE_KEY: &str = "this key belongs to no role that was read";
const OTHER_KIND: &str = "this kind is not known";

/// What is met on the way and can only be judged at its end.
#[derive(Default)]
struct Signs {
    /// Keys of a role, each with the mapping that it is in.
    keys: Vec<(NodeId, NodeId)>,
    /// Mappings that roles which were read are made of.
    used: HashSet<NodeId>,
    /// What was looked at.
    visited: HashSet<NodeId>,
}

impl Reader<'_> {
    /// Looks for roles in the resource `root`, which is none of ours. `reported`: a key that is reported
    /// already.
    pub(super) fn look_inside(&mut self, root: NodeId, reported: Option<NodeId>) {
        let text = self.document.text;
        let may_hold = self.document.embedded.is_some()
            || *self.found.may_hold.get_or_insert_with(|| signs::may_hold(text, is_ours));
        if !may_hold {
            return;
        }
        let mut met = Signs::default();
        self.entries(root, None, &mut met);
        for (key, mapping) in met.keys {
            if Some(key) != reported && !met.used.contains(&mapping) {
                self.unread(LOOSE_KEY, self.tree.span(key));
            }
        }
    }

    /// `key`: the key that this is the value of, or in the list of.
    fn visit(&mut self, id: NodeId, key: Option<&str>, met: &mut Signs) {
        let tree = self.tree;
        // What an alias stands for is looked at where it is written, unless that is a place that only
        // describes.
        let id = tree.alias(id).unwrap_or(id);
        if tree.text(id).is_some() && is_prose(key) || !met.visited.insert(id) {
            return;
        }
        if !tree.is_mapping(id) {
            return self.entries(id, key, met);
        }
        let kind = tree.get(id, "kind").and_then(|(_, kind)| Some((tree.text(kind)?, kind)));
        let is_resource = is_resource(tree, id);
        match kind {
            Some((kind, at)) if is_resource && self.is_teleports(id, kind) => {
                if Kind::of(kind) == Some(Kind::Role) {
                    met.used.extend(keys::options(tree, id).into_iter().flat_map(|at| tree.parts(at)));
                    if self.is_templated(id) {
                        return self.unread(TEMPLATE, tree.span(at));
                    }
                }
                self.resource(id, None);
            }
            Some((kind, _)) if list_of(kind).is_some() && tree.get(id, "items").is_some() => {
                let items = tree.get(id, "items").and_then(|(_, items)| tree.items(items));
                let options = items.into_iter().flatten().filter_map(|&item| keys::options(tree, item));
                met.used.extend(options.flat_map(|at| tree.parts(at)));
                self.resource(id, None);
            }
            Some((kind, at))
                if is_resource
                    && (kind.starts_with(signs::OPERATOR_KIND) || self.is_template_of_ours(id, kind)) =>
            {
                let before = self.found.mark();
                let reported = self.foreign(id, kind);
                if self.found.mark() == before {
                    self.unread(OTHER_KIND, tree.span(at));
                }
                met.used.extend(reported.and(keys::options(tree, id)).map(|at| tree.alias(at).unwrap_or(at)));
                self.entries(id, key, met);
            }
            _ => self.entries(id, key, met),
        }
    }

    fn entries(&mut self, id: NodeId, above: Option<&str>, met: &mut Signs) {
        let tree = self.tree;
        if self.is_schema(id) {
            return;
        }
        if tree.entries(id).is_none() {
            // A document that is a list, or a text.
            return match tree.items(id) {
                Some(items) => items.iter().for_each(|&item| self.visit(item, above, met)),
                None => self.string(id, above),
            };
        }
        let kind = tree.get(id, "kind").and_then(|(_, kind)| tree.text(kind));
        if kind.is_some_and(|kind| matches!(kind, "PatchTransformer" | "PatchJson6902Transformer")) {
            return self.transformer(id);
        }
        for (key, value) in tree.entries(id).into_iter().flatten() {
            let name = tree.text(key);
            if name.is_some_and(|name| signs::KEYS.contains(&name)) {
                if !describes_a_type(tree, value) {
                    met.keys.push((key, id));
                }
            } else if name.is_some_and(|name| DESCRIBING.contains(&name)) {
            } else if !self.patches(name, value) {
                self.visit(value, name, met);
            }
        }
    }

    /// Whether this says what roles look like, or who may change them, and holds none.
    fn is_schema(&self, id: NodeId) -> bool {
        let text = |key| self.tree.get(id, key).and_then(|(_, value)| self.tree.text(value));
        text("kind") == Some("CustomResourceDefinition")
            || text("apiVersion").is_some_and(is_rbac)
            || text("$schema").is_some_and(|schema| schema.contains("//json-schema.org/"))
                && self.tree.get(id, "properties").is_some()
    }

    /// Whether this kind is a template that may come to a role's.
    pub(super) fn is_template_of_ours(&self, id: NodeId, kind: &str) -> bool {
        let version = self.tree.get(id, "apiVersion").and_then(|(_, version)| self.tree.text(version));
        let is_operators = version.is_some_and(|version| version.starts_with(OPERATOR_GROUP));
        signs::is_filled_in(kind) && (is_operators || kind.starts_with(signs::OPERATOR_KIND))
    }

    /// Whether this kind is Teleport's here. Others have users and connectors, too.
    fn is_teleports(&self, id: NodeId, kind: &str) -> bool {
        let version = self.tree.get(id, "apiVersion").map(|(_, version)| self.tree.text(version));
        matches!(Kind::of(kind), Some(Kind::Role))
            || kind == RECORDING_CONFIG
            || is_ours(kind)
                && match version {
                    Some(version) => version.is_some_and(|version| version.starts_with(OPERATOR_GROUP)),
                    None => self.tree.get(id, "version").is_some(),
                }
    }

    /// Whether a value that decides about the recording of this role is a template's.
    fn is_templated(&self, id: NodeId) -> bool {
        let tree = self.tree;
        let name = self.path(id, &["metadata", "name"]).map(|(_, name)| name);
        let spec = tree.get(id, "spec").map(|(_, spec)| spec);
        let options = keys::options(tree, id);
        let recording = options.and_then(|options| tree.get(options, "record_session"));
        let recording = recording.map(|(_, recording)| recording);
        let parts = recording.map(|recording| tree.merged(recording)).unwrap_or_default();
        let parts = parts.into_iter().flat_map(|(key, value)| [key, value]);
        let mut all = [name, spec, options, recording].into_iter().flatten().chain(parts);
        all.any(|id| tree.text(id).is_some_and(signs::is_template))
    }

    /// A string, which may hold documents.
    fn string(&mut self, id: NodeId, key: Option<&str>) {
        let Some(text) = self.tree.text(id) else { return };
        if matches!(key, Some("fieldPath" | "fieldPaths")) && signs::anywhere(text).is_some() {
            return self.unread(FIELD, self.tree.span(id));
        }
        if signs::in_code(text).is_none() && !signs::may_hold(text, is_ours) || is_prose(key) {
            return;
        }
        self.embedded(id, signs::in_code, &mut |reader, id| {
            let tree = reader.tree;
            let kind = tree.get(id, "kind").and_then(|(_, kind)| Some((tree.text(kind)?, kind)));
            match kind {
                Some((kind, at)) if signs::is_role_kind(kind) && !is_resource(tree, id) => {
                    // A kind and nothing else is only a word.
                    if tree.entries(id).is_some_and(|entries| entries.count() > 1) {
                        reader.unread(INCOMPLETE, tree.span(at));
                    }
                }
                Some((kind, _)) if is_ours(kind) && !reader.is_teleports(id, kind) => {
                    reader.look_inside(id, None);
                }
                _ => reader.resource(id, None),
            }
        });
    }

    /// Reads the documents in a string and hands each to `each`. Of one that can't be read the `sign` is
    /// reported, if there is one.
    pub(super) fn embedded(&mut self, id: NodeId, sign: Sign, each: &mut dyn FnMut(&mut Reader<'_>, NodeId)) {
        let Some(text) = self.tree.text(id) else { return };
        let span = self.tree.span(id);
        let depth = self.document.depth() + 1;
        if depth > MAX_STRINGS {
            if sign(text).is_some() {
                self.unread(TOO_DEEP, span);
            }
            return;
        }
        let map = Map::new(self.document, span, text);
        if self.found.detail && (!map.exact || text.trim_start().starts_with(['{', '['])) {
            let range = self.document.mark(span).bytes;
            self.found.fragile.push(range);
        }
        let root = self.document.embedded.map_or(self.document.text, |embedded| embedded.root);
        for (base, text) in split::documents(text) {
            let base = u32::try_from(base).unwrap_or(u32::MAX);
            let embedded = Some(Embedded { root, map: &map, base, depth });
            let document = Document { text, embedded, ..self.document };
            if signs::is_template(text) {
                unreadable(document, TEMPLATE, sign, self.found);
                continue;
            }
            let mut is_text = false;
            let comments = parse::read_embedded(document, self.found, &mut |tree, id, found| {
                if tree.text(id).is_some_and(|text| !text.is_empty()) {
                    is_text = true;
                } else {
                    each(&mut Reader { document, tree, found, address: None, cluster: None }, id);
                }
            });
            match comments {
                Some(comments) if !is_text => self.found.comments.extend(comments),
                _ => unreadable(document, TEXT, sign, self.found),
            }
        }
    }

    pub(super) fn unread(&mut self, why: &'static str, span: Span) {
        let problem = self.document.problem(ProblemKind::UnreadRole { why }, span);
        self.found.report(problem);
    }
}

/// Whether this is a resource and does not only name one, as an owner's reference does.
fn is_resource(tree: &Tree<'_>, id: NodeId) -> bool {
    ["metadata", "spec"].iter().any(|key| tree.get(id, key).is_some())
}

/// Whether a string under this key is prose.
fn is_prose(key: Option<&str>) -> bool {
    key.is_some_and(|key| PROSE.iter().any(|end| key.ends_with(end)))
}

/// Whether a value is what a schema says of a key.
fn describes_a_type(tree: &Tree<'_>, value: NodeId) -> bool {
    let is_type = |id| tree.text(id).is_some_and(|name| TYPES.contains(&name));
    let is_types = |id| tree.items(id).is_some_and(|items| items.iter().all(|&item| is_type(item)));
    let has = |key, is: &dyn Fn(NodeId) -> bool| tree.get(value, key).is_some_and(|(_, value)| is(value));
    let sets_a_mode = tree
        .merged(value)
        .into_iter()
        .any(|(key, _)| tree.text(key).is_some_and(|key| OptionName::from_name(key).is_some()));
    let says_what_it_is = has("type", &|id| is_type(id) || is_types(id))
        || has("$ref", &|id| tree.text(id).is_some())
        || has("properties", &|id| tree.is_mapping(id));
    says_what_it_is && !sets_a_mode
}

/// What finds a sign in a text.
type Sign = fn(&str) -> Option<Range<usize>>;

/// Reports the first sign of a text that can't be read, and keeps the comments in it.
pub(in crate::roles) fn unreadable(document: Document<'_>, why: &'static str, sign: Sign, found: &mut Found) {
    let (code, comments) = signs::without_comments(document.text);
    if found.detail {
        let said =
            comments.into_iter().map(|(at, said)| (said.into(), Span::of(document.text, at))).collect();
        let lines: Vec<_> = code.lines().map(|line| line.trim().is_empty()).collect();
        let is_empty =
            |line: u32| lines.get(line.saturating_sub(1) as usize).is_none_or(|is_empty| *is_empty);
        let is_comment = |line: u32, text: &str| !text.trim().is_empty() && is_empty(line);
        found.comments.extend(comments::place(document, said, is_comment));
    }
    if let Some(at) = sign(&code) {
        let span = Span::of(document.text, at);
        found.report(document.problem(ProblemKind::UnreadRole { why }, span));
    }
}
