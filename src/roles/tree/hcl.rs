//! Builds trees from Terraform's HCL: each resource of some types as a mapping of what is in it. What is
//! no literal is unknown and stays so; nothing is evaluated.

use std::borrow::Cow;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Body, Structure};

use super::{Node, NodeId, Span, Tree, TreeError, Value};
use crate::roles::limits;
use crate::roles::problem::ProblemKind;
use crate::roles::resource::quoted;

/// A resource of a Terraform file.
pub(in crate::roles) struct Resource<'a> {
    /// Its type, such as `teleport_role`.
    pub(in crate::roles) kind: &'a str,
    /// Its address, such as `teleport_role.x`.
    pub(in crate::roles) address: String,
    /// The mapping of what is in it.
    pub(in crate::roles) id: NodeId,
}

/// Hands each resource whose type is `wanted` to `each`.
pub(in crate::roles) fn read(
    source: &str,
    wanted: impl Fn(&str) -> bool,
    mut each: impl FnMut(&Tree<'_>, &Resource<'_>),
) -> Result<(), TreeError> {
    let lines = Lines::new(source);
    if source.len() > limits::MAX_HCL_BYTES {
        return Err(TreeError { kind: ProblemKind::TerraformTooLarge, span: lines.span(0..0) });
    }
    let body = hcl_edit::parser::parse_body(source).map_err(|error| {
        let at = source.floor_char_boundary(error.location().offset());
        let rest = &source[at..];
        let word = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '"'))).unwrap_or(0);
        // The parser's own word for a key that is there twice.
        let kind = if error.message().contains("redefined") {
            ProblemKind::DuplicateKey(quoted(rest[..word].trim_matches('"')))
        } else {
            ProblemKind::Syntax(error.message().to_owned())
        };
        TreeError { kind, span: lines.span(at..at + word) }
    })?;
    for block in body.blocks().filter(|block| block.has_ident("resource")) {
        let [kind, name] = block.labels.as_slice() else { continue };
        let kind = kind.as_str();
        if !wanted(kind) {
            continue;
        }
        let mut builder = Builder { lines: &lines, tree: Tree::default() };
        let at = name.span().unwrap_or_default();
        let id = builder.body(&block.body, at);
        let address = format!("{kind}.{}", name.as_str());
        each(&builder.tree, &Resource { kind, address, id });
    }
    Ok(())
}

struct Builder<'a> {
    lines: &'a Lines<'a>,
    tree: Tree<'a>,
}

impl Builder<'_> {
    fn push(&mut self, at: Range<usize>, value: Value<'_>) -> NodeId {
        let value = match value {
            Value::Scalar { text, plain } => Value::Scalar { text: Cow::Owned(text.into_owned()), plain },
            Value::Sequence { first, end } => Value::Sequence { first, end },
            Value::Mapping { first, end } => Value::Mapping { first, end },
            Value::Alias(id) => Value::Alias(id),
            Value::Unknown => Value::Unknown,
        };
        self.tree.nodes.push(Node { span: self.lines.span(at), value });
        index(self.tree.nodes.len() - 1)
    }

    fn scalar(&mut self, at: Range<usize>, text: &str, plain: bool) -> NodeId {
        self.push(at, Value::Scalar { text: Cow::Borrowed(text), plain })
    }

    fn collection(&mut self, at: Range<usize>, children: &[NodeId], mapping: bool) -> NodeId {
        let first = index(self.tree.children.len());
        self.tree.children.extend_from_slice(children);
        let end = index(self.tree.children.len());
        self.push(at, if mapping { Value::Mapping { first, end } } else { Value::Sequence { first, end } })
    }

    /// Attributes as they are; blocks of a name as a mapping, or as a list where there are several.
    fn body(&mut self, body: &Body, at: Range<usize>) -> NodeId {
        let mut children = Vec::new();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    let key =
                        self.scalar(attribute.key.span().unwrap_or_default(), attribute.key.as_str(), false);
                    let value = self.expression(&attribute.value);
                    children.extend([key, value]);
                }
                Structure::Block(block) => {
                    let name = block.ident.as_str();
                    let mut same = body.get_blocks(name);
                    if same.next().is_some_and(|first| !std::ptr::eq(first, block)) {
                        continue;
                    }
                    let at = block.ident.span().unwrap_or_default();
                    // What a dynamic block makes, and how often, is not known.
                    let key = if name == "dynamic" {
                        self.push(at.clone(), Value::Unknown)
                    } else {
                        self.scalar(at.clone(), name, false)
                    };
                    let rest: Vec<_> = same.collect();
                    let value = if name == "dynamic" {
                        self.push(at, Value::Unknown)
                    } else if rest.is_empty() {
                        self.body(&block.body, at)
                    } else {
                        let all = std::iter::once(block).chain(rest);
                        let items: Vec<_> = all
                            .map(|block| self.body(&block.body, block.ident.span().unwrap_or_default()))
                            .collect();
                        self.collection(at, &items, false)
                    };
                    children.extend([key, value]);
                }
            }
        }
        self.collection(at, &children, true)
    }

    fn expression(&mut self, expression: &Expression) -> NodeId {
        let at = expression.span().unwrap_or_default();
        match expression {
            Expression::Null(_) => self.scalar(at, "null", true),
            Expression::Bool(value) => self.scalar(at, if *value.value() { "true" } else { "false" }, true),
            Expression::Number(_) => {
                let text = self.lines.text.get(at.clone()).unwrap_or_default();
                self.scalar(at, text, true)
            }
            Expression::String(text) => self.scalar(at, text.value(), false),
            Expression::Array(array) => {
                let items: Vec<_> = array.iter().map(|item| self.expression(item)).collect();
                self.collection(at, &items, false)
            }
            Expression::Object(object) => {
                let mut children = Vec::new();
                for (key, value) in object {
                    let key_at = key.span().unwrap_or_default();
                    let key_node = self.key(key, key_at);
                    let value = self.expression(value.expr());
                    children.extend([key_node, value]);
                }
                self.collection(at, &children, true)
            }
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            _ => self.push(at, Value::Unknown),
        }
    }

    fn key(&mut self, key: &ObjectKey, at: Range<usize>) -> NodeId {
        match key {
            ObjectKey::Ident(name) => self.scalar(at, name.as_str(), false),
            ObjectKey::Expression(Expression::String(name)) => self.scalar(at, name.value(), false),
            ObjectKey::Expression(_) => self.push(at, Value::Unknown),
        }
    }
}

/// The lines of a text, to tell places in it.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    fn span(&self, at: Range<usize>) -> Span {
        let start = self.text.floor_char_boundary(at.start);
        let line = self.starts.partition_point(|&line| line <= start).max(1);
        let column = self.text[self.starts[line - 1]..start].chars().count() + 1;
        Span {
            start: index(start),
            end: index(self.text.ceil_char_boundary(at.end).max(start)),
            line: index(line),
            column: index(column),
        }
    }
}

fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
