//! A span tree of one YAML or JSON resource: what was written, where. Aliases stay references, so
//! a tree is never larger than its text. Knows nothing of roles.

use std::borrow::Cow;
use std::collections::HashSet;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span as YamlSpan};

use super::limits;
use super::problem::ProblemKind;

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
}

#[derive(Debug)]
struct Node<'s> {
    span: Span,
    value: Value<'s>,
}

#[derive(Debug)]
enum Value<'s> {
    Scalar { text: Cow<'s, str>, plain: bool },
    Sequence { first: u32, end: u32 },
    Mapping { first: u32, end: u32 },
    Alias(NodeId),
}

/// The nodes of one resource.
#[derive(Debug, Default)]
pub(super) struct Tree<'s> {
    nodes: Vec<Node<'s>>,
    /// The children of all collections; a mapping's are key, value, key, value.
    children: Vec<NodeId>,
}

impl<'s> Tree<'s> {
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

    /// A scalar's text, after escapes.
    pub(super) fn text(&self, id: NodeId) -> Option<&str> {
        match self.value(id) {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether the node is null: nothing, `~` or `null`, not quoted.
    pub(super) fn is_null(&self, id: NodeId) -> bool {
        matches!(self.value(id), Value::Scalar { text, plain: true }
            if matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL"))
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
        let mut found = Vec::new();
        let mut keys = HashSet::new();
        let mut merges = Vec::new();
        // A mapping that was seen adds nothing a second time, so this is linear whatever merges what.
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
            for (key, value) in self.entries(id).into_iter().flatten() {
                if self.is_merge_key(key) {
                    merges.push(value);
                } else if self.text(key).is_none_or(|text| keys.insert(text)) {
                    found.push((key, value));
                }
            }
            pending.extend(merges.drain(..).rev());
        }
        found
    }

    /// The entry of this key, merge keys resolved.
    pub(super) fn get(&self, id: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        let named = |&(found, _): &(NodeId, NodeId)| self.text(found) == Some(key);
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

/// Why a text could not be read to its end.
#[derive(Debug)]
pub(super) struct TreeError {
    pub(super) kind: ProblemKind,
    pub(super) span: Span,
}

/// Reads the documents of `source` one by one and hands each to `each`; a document that is an
/// array is handed over item by item, so that a long one is never in memory as a whole (unless it
/// has anchors, whose aliases may be in any later item).
pub(super) fn read<'s>(source: &'s str, mut each: impl FnMut(&Tree<'s>, NodeId)) -> Result<(), TreeError> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: limits::MAX_DEPTH,
        block_nesting_limit: limits::MAX_DEPTH,
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(source, options) {
        match event {
            Ok((event, span)) => builder.take(event, &span, &mut each)?,
            Err(error) => {
                let marker = error.marker();
                let span = span_of(&YamlSpan::empty(*marker));
                let kind = match error.kind() {
                    ErrorKind::RecursionLimitExceeded => ProblemKind::TooDeep,
                    kind => ProblemKind::Syntax(kind.to_string()),
                };
                return Err(TreeError { kind, span });
            }
        }
    }
    Ok(())
}

/// An open collection.
struct Frame {
    id: NodeId,
    /// Where its children begin among the pending ones.
    first: usize,
    mapping: bool,
    /// Nodes so far, aliases counted as what they stand for.
    weight: u64,
    anchor: usize,
}

#[derive(Default)]
struct Builder<'s> {
    tree: Tree<'s>,
    frames: Vec<Frame>,
    /// Children of the open collections.
    pending: Vec<NodeId>,
    /// By anchor id: the node and its weight; none while it is open.
    anchors: Vec<Option<(NodeId, u64)>>,
    has_anchors: bool,
}

impl<'s> Builder<'s> {
    fn take(
        &mut self,
        event: Event<'s>,
        span: &YamlSpan,
        each: &mut impl FnMut(&Tree<'s>, NodeId),
    ) -> Result<(), TreeError> {
        let span = span_of(span);
        let error = |kind| Err(TreeError { kind, span });
        match event {
            Event::Scalar(text, style, anchor, _) => {
                if text.len() > limits::MAX_SCALAR_BYTES {
                    return error(ProblemKind::ScalarTooLong);
                }
                let id = self.push(span, Value::Scalar { text, plain: style == ScalarStyle::Plain })?;
                self.complete(id, 1, anchor, span, each)?;
            }
            Event::Alias(target) => match self.anchors.get(target).copied().flatten() {
                Some((target, weight)) => {
                    let id = self.push(span, Value::Alias(target))?;
                    self.complete(id, weight, 0, span, each)?;
                }
                None => return error(ProblemKind::RecursiveAlias),
            },
            Event::SequenceStart(_, anchor, _) => {
                self.open(span, Value::Sequence { first: 0, end: 0 }, false, anchor)?;
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(span, Value::Mapping { first: 0, end: 0 }, true, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.frames.pop() else { return Ok(()) };
                let first = index(self.tree.children.len());
                self.tree.children.extend(self.pending.drain(frame.first..));
                let end = index(self.tree.children.len());
                self.tree.nodes[frame.id as usize].value = if frame.mapping {
                    Value::Mapping { first, end }
                } else {
                    Value::Sequence { first, end }
                };
                self.complete(frame.id, frame.weight, frame.anchor, span, each)?;
            }
            Event::DocumentStart(..) => {
                self.clear(0);
                self.anchors.clear();
                self.has_anchors = false;
            }
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, span: Span, value: Value<'s>) -> Result<NodeId, TreeError> {
        if self.tree.nodes.len() >= limits::MAX_NODES {
            return Err(TreeError { kind: ProblemKind::TooManyNodes, span });
        }
        self.tree.nodes.push(Node { span, value });
        Ok(index(self.tree.nodes.len() - 1))
    }

    fn open(&mut self, span: Span, value: Value<'s>, mapping: bool, anchor: usize) -> Result<(), TreeError> {
        if self.frames.len() >= limits::MAX_DEPTH {
            return Err(TreeError { kind: ProblemKind::TooDeep, span });
        }
        if anchor > 0 {
            self.has_anchors = true;
        }
        let id = self.push(span, value)?;
        self.frames.push(Frame { id, first: self.pending.len(), mapping, weight: 1, anchor });
        Ok(())
    }

    /// A node is complete: give it to the collection it is in, or hand it over.
    fn complete(
        &mut self,
        id: NodeId,
        weight: u64,
        anchor: usize,
        span: Span,
        each: &mut impl FnMut(&Tree<'s>, NodeId),
    ) -> Result<(), TreeError> {
        if anchor > 0 {
            self.has_anchors = true;
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            self.anchors[anchor] = Some((id, weight));
        }
        let level = self.frames.len();
        let Some(parent) = self.frames.last_mut() else {
            if let (Some(items), true) = (self.tree.items(id), self.has_anchors) {
                for &item in items {
                    each(&self.tree, item);
                }
            } else if self.tree.items(id).is_none() {
                each(&self.tree, id);
            }
            return Ok(());
        };
        parent.weight = parent.weight.saturating_add(weight);
        if parent.weight > limits::MAX_EXPANDED_NODES {
            return Err(TreeError { kind: ProblemKind::AliasBomb, span });
        }
        if level == 1 && !parent.mapping && !self.has_anchors {
            let keep = parent.id as usize + 1;
            parent.weight = 1;
            each(&self.tree, id);
            self.clear(keep);
        } else {
            self.pending.push(id);
        }
        Ok(())
    }

    /// Forgets all nodes but the first `keep`.
    fn clear(&mut self, keep: usize) {
        self.tree.nodes.truncate(keep);
        self.tree.children.clear();
        self.pending.clear();
    }
}

/// An index; documents are bounded far below 4 GiB, so this never saturates.
fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn span_of(span: &YamlSpan) -> Span {
    let start = span.start.byte_offset().unwrap_or(0);
    Span {
        start: index(start),
        end: index(span.end.byte_offset().unwrap_or(start)),
        line: index(span.start.line()),
        column: index(span.start.col() + 1),
    }
}
