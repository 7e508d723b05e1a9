//! Builds trees from the parser's events, within the bounds.

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span as YamlSpan};

use super::{Node, NodeId, Span, Tree, Value};
use crate::roles::limits;
use crate::roles::problem::ProblemKind;

/// Why a text could not be read to its end.
#[derive(Debug)]
pub(in crate::roles) struct TreeError {
    pub(in crate::roles) kind: ProblemKind,
    pub(in crate::roles) span: Span,
}

/// Reads documents to trees; reads the next one in the memory of the one before.
#[derive(Default)]
pub(in crate::roles) struct TreeReader<'s> {
    builder: Builder<'s>,
}

impl<'s> TreeReader<'s> {
    /// Reads the documents of `source` one by one and hands each to `each`; a document that is an
    /// array is handed over item by item, so that a long one is never in memory as a whole (unless it
    /// has anchors, whose aliases may be in any later item).
    pub(in crate::roles) fn read(
        &mut self,
        source: &'s str,
        mut comments: Option<&mut Vec<(Box<str>, Span)>>,
        mut each: impl FnMut(&Tree<'s>, NodeId),
    ) -> Result<(), TreeError> {
        let options = granit_parser::options! {
            emit_comments: comments.is_some(),
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: limits::MAX_DEPTH,
            block_nesting_limit: limits::MAX_DEPTH,
        };
        self.builder.begin();
        for event in Parser::new_from_str_with_options(source, options) {
            match event {
                Ok((Event::Comment(text, _), span)) => {
                    if let (Some(said), Some(comments)) = (addressed(&text), &mut comments) {
                        comments.push((said.into(), span_of(&span)));
                    }
                }
                Ok((event, span)) => self.builder.take(event, &span, &mut each)?,
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
    /// Forgets all, also what an error left behind.
    fn begin(&mut self) {
        self.clear(0);
        self.frames.clear();
        self.anchors.clear();
        self.has_anchors = false;
    }

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
            Event::DocumentStart(..) => self.begin(),
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

/// What a comment says to this program: the text behind `recmode:`.
pub(in crate::roles) fn addressed(comment: &str) -> Option<&str> {
    comment.trim().strip_prefix("recmode:").map(str::trim)
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
        origin: 0,
    }
}
