//! A span tree of one YAML or JSON resource: what was written, where. Aliases stay references, so
//! a tree is never larger than its text. Knows nothing of roles.

mod build;
mod hcl;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::ops::Range;

pub(super) use build::{TreeError, TreeReader, addressed};
pub(super) use hcl::{BLOCK, Locals, MAKERS, Origin, Part, Reading, Resource, Wanted, read as read_hcl};

/// Index of a node in its tree.
pub(super) type NodeId = u32;

/// A range of the document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Byte range in the document's text.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Line and column of the start, both from 1.
    pub(super) line: u32,
    pub(super) column: u32,
    /// The number, from 1, of the place among [`Tree::origins`] that the value comes from; [`IN_TEXT`] where it
    /// is written here in a text; 0 where it is written here.
    pub(super) origin: u32,
}

/// The origin of what is in a text that is itself a value of the file, such as a heredoc of YAML.
const IN_TEXT: u32 = u32::MAX;

impl Span {
    /// The span of these bytes of `text`.
    pub(super) fn of(text: &str, bytes: Range<usize>) -> Self {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let before = text.get(..bytes.start).unwrap_or_default();
        let last = before.rsplit('\n').next().unwrap_or_default();
        Self {
            start: count(bytes.start),
            end: count(bytes.end),
            line: count(memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1),
            column: count(last.chars().count() + 1),
            origin: 0,
        }
    }
}

#[derive(Debug)]
struct Node<'s> {
    span: Span,
    value: Value<'s>,
}

#[derive(Debug, Clone)]
enum Value<'s> {
    Scalar {
        text: Cow<'s, str>,
        plain: bool,
    },
    Sequence {
        first: u32,
        end: u32,
    },
    Mapping {
        first: u32,
        end: u32,
    },
    Alias(NodeId),
    /// An expression whose value nobody knows before it is evaluated.
    Unknown,
}

/// Whether two keys that differ only in case are the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Case {
    /// They are two keys.
    #[default]
    Matters,
    /// They are two keys here and one to other readers.
    Disputed,
    /// They are the same key.
    Ignored,
}

/// The nodes of one resource.
#[derive(Debug, Default)]
pub(super) struct Tree<'s> {
    /// How keys are compared in the resource that is read now: one tree may hold several.
    case: Cell<Case>,
    nodes: Vec<Node<'s>>,
    /// The children of all collections; a mapping's are key, value, key, value.
    children: Vec<NodeId>,
    /// Where values are written that are referred to in the text.
    origins: Vec<Origin>,
}

impl<'s> Tree<'s> {
    /// Where values are written that are referred to in the text.
    pub(super) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// The node's own span; of an alias: the alias, not what it stands for.
    pub(super) fn span(&self, id: NodeId) -> Span {
        self.nodes[id as usize].span
    }

    fn value(&self, id: NodeId) -> &Value<'s> {
        match &self.nodes[id as usize].value {
            // An alias never stands for an alias: the parser gives its target.
            Value::Alias(target) => &self.nodes[*target as usize].value,
            value => value,
        }
    }

    /// What an alias stands for.
    pub(super) fn alias(&self, id: NodeId) -> Option<NodeId> {
        match self.nodes[id as usize].value {
            Value::Alias(target) => Some(target),
            _ => None,
        }
    }

    /// How keys are compared.
    pub(super) fn case(&self) -> Case {
        self.case.get()
    }

    /// Compares keys like this from here on.
    pub(super) fn set_case(&self, case: Case) {
        self.case.set(case);
    }

    /// Whether the node is this key.
    pub(super) fn is_key(&self, id: NodeId, key: &str) -> bool {
        self.text(id)
            .is_some_and(|text| text == key || self.case() == Case::Ignored && text.eq_ignore_ascii_case(key))
    }

    /// A scalar's text, after escapes.
    pub(super) fn text(&self, id: NodeId) -> Option<&str> {
        match self.value(id) {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether this is an expression that only its evaluation would give a value.
    pub(super) fn is_unknown(&self, id: NodeId) -> bool {
        matches!(self.value(id), Value::Unknown)
    }

    /// Whether the node is null: nothing, `~` or `null`, not quoted.
    pub(super) fn is_null(&self, id: NodeId) -> bool {
        matches!(self.value(id), Value::Scalar { text, plain: true }
            if matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Whether this is a scalar that is not quoted.
    pub(super) fn is_plain(&self, id: NodeId) -> bool {
        matches!(self.value(id), Value::Scalar { plain: true, .. })
    }

    /// Whether this key is `<<`, not quoted.
    pub(super) fn is_merge_key(&self, id: NodeId) -> bool {
        matches!(self.value(id), Value::Scalar { text, plain: true } if text == "<<")
    }

    /// A sequence's items.
    pub(super) fn items(&self, id: NodeId) -> Option<&[NodeId]> {
        match *self.value(id) {
            Value::Sequence { first, end } => Some(&self.children[first as usize..end as usize]),
            _ => None,
        }
    }

    /// A mapping's keys and values as they are written, merge keys among them.
    pub(super) fn entries(&self, id: NodeId) -> Option<impl DoubleEndedIterator<Item = (NodeId, NodeId)>> {
        match *self.value(id) {
            Value::Mapping { first, end } => Some(
                self.children[first as usize..end as usize].chunks_exact(2).map(|pair| (pair[0], pair[1])),
            ),
            _ => None,
        }
    }

    /// Whether the node is a mapping.
    pub(super) fn is_mapping(&self, id: NodeId) -> bool {
        matches!(self.value(id), Value::Mapping { .. })
    }

    /// A mapping's keys and values with merge keys resolved: the mapping's own keys win, then the
    /// earlier merged mapping. Empty for anything that is no mapping.
    pub(super) fn merged(&self, id: NodeId) -> Vec<(NodeId, NodeId)> {
        let mut keys = HashSet::new();
        let parts = self.parts(id);
        let entries = parts.iter().flat_map(|&part| self.entries(part).into_iter().flatten());
        let own = entries.filter(|&(key, _)| !self.is_merge_key(key));
        own.filter(|&(key, _)| self.text(key).is_none_or(|text| keys.insert(text))).collect()
    }

    /// The mapping itself and all that merge keys bring into it, directly or not, in the order in
    /// which they win. Each is there once, so this is linear whatever merges what.
    pub(super) fn parts(&self, id: NodeId) -> Vec<NodeId> {
        let mut parts = Vec::new();
        let mut seen = HashSet::new();
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            let id = self.alias(id).unwrap_or(id);
            if !seen.insert(id) {
                continue;
            }
            if let Some(items) = self.items(id) {
                pending.extend(items.iter().rev());
            }
            if let Some(entries) = self.entries(id) {
                parts.push(id);
                let merges = entries.rev().filter(|&(key, _)| self.is_merge_key(key));
                pending.extend(merges.map(|(_, value)| value));
            }
        }
        parts
    }

    /// A tree of its own: a mapping with one key, which leads to a mapping of these keys and values. What is
    /// in a value that is a collection is left out.
    pub(super) fn wrapped(
        &self,
        key: &'s str,
        at: Span,
        entries: &[(String, Span, NodeId)],
    ) -> (Self, NodeId) {
        let mut tree = Self::default();
        let mut push = |span, value| {
            tree.nodes.push(Node { span, value });
            u32::try_from(tree.nodes.len() - 1).unwrap_or(u32::MAX)
        };
        let scalar = |text| Value::Scalar { text, plain: false };
        let mut inner = Vec::with_capacity(2 * entries.len());
        for (text, span, value) in entries {
            inner.push(push(*span, scalar(text.clone().into())));
            let copied = match self.value(*value) {
                Value::Sequence { .. } => Value::Sequence { first: 0, end: 0 },
                Value::Mapping { .. } => Value::Mapping { first: 0, end: 0 },
                value => value.clone(),
            };
            inner.push(push(self.span(*value), copied));
        }
        let end = u32::try_from(inner.len()).unwrap_or(u32::MAX);
        let key = push(at, scalar(key.into()));
        let value = push(at, Value::Mapping { first: 0, end });
        let root = push(at, Value::Mapping { first: end, end: end + 2 });
        inner.extend([key, value]);
        tree.children = inner;
        (tree, root)
    }

    /// The entry of this key, merge keys resolved.
    pub(super) fn get(&self, id: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        let named = |&(found, _): &(NodeId, NodeId)| self.is_key(found, key);
        let mut has_merge = false;
        for entry in self.entries(id)? {
            if named(&entry) {
                return Some(entry);
            }
            has_merge |= self.is_merge_key(entry.0);
        }
        if !has_merge {
            return None;
        }
        self.merged(id).into_iter().find(named)
    }
}
