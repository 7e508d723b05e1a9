//! Builds trees from Terraform's files: each resource of some types as a mapping of what is in it, and each
//! manifest in a resource as the mapping that it is. What is no constant expression is unknown and stays so.

mod eval;
mod lines;
mod locals;
mod term;
mod text;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, BlockLabel, Body};

use self::eval::Evaluator;
use self::lines::{Lines, index};
use self::term::{Budget, Spot, Term, What};
use self::text::Document;
use super::{IN_TEXT, Node, NodeId, Span, Tree, TreeError, Value};
use crate::roles::problem::ProblemKind;
use crate::roles::resource::quoted;
use crate::roles::{comments, limits, signs};

pub(in crate::roles) use locals::Locals;
pub(in crate::roles) use term::Origin;

/// What is wanted of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roles) enum Wanted {
    /// All of it.
    Whole,
    /// The manifests in this attribute: an object, or the text of one or more.
    Manifests(&'static str),
}

/// What was found in a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roles) enum Part {
    /// All of it.
    Whole,
    /// A manifest.
    Manifest,
    /// A manifest that can't be read though it looks like a role, and why.
    Unread(&'static str),
}

/// A resource of a Terraform file, or a part of it.
pub(in crate::roles) struct Resource<'a> {
    /// Its type, such as `teleport_role`.
    pub(in crate::roles) kind: &'a str,
    /// Its address, such as `teleport_role.x`.
    pub(in crate::roles) address: String,
    /// What this is of it.
    pub(in crate::roles) part: Part,
    /// The mapping of what is in it.
    pub(in crate::roles) id: NodeId,
}

/// Hands each resource whose type is `wanted` to `each`, or each of its parts. `locals`: those of the
/// file's module, which are asked for only if they are needed.
pub(in crate::roles) fn read(
    source: &str,
    locals: impl FnOnce() -> Arc<Locals>,
    wanted: impl Fn(&str) -> Option<Wanted>,
    mut each: impl FnMut(&Tree<'_>, &Locals, &Resource<'_>),
) -> Result<(), TreeError> {
    let span = |at| Lines::new(source).span(at);
    if source.len() > limits::MAX_HCL_BYTES {
        return Err(TreeError { kind: ProblemKind::TerraformTooLarge, span: span(0..0) });
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
        TreeError { kind, span: span(at..at + word) }
    })?;
    let resources = body.blocks().filter(|block| block.has_ident("resource")).filter_map(|block| {
        let [kind, name] = block.labels.as_slice() else { return None };
        Some((block, kind.as_str(), name, wanted(kind.as_str())?))
    });
    let mut resources = resources.peekable();
    for (block, at) in unread_blocks(source, &body, &wanted) {
        let labels = block.labels.iter().map(BlockLabel::as_str);
        let address = labels.collect::<Vec<_>>().join(".");
        let lines = Lines::new(source);
        let mut builder = Builder { lines: &lines, tree: Tree::default() };
        let id = builder.add(Term::unknown(Spot::new(at)));
        let kind = block.ident.as_str();
        each(&builder.tree, &Locals::default(), &Resource { kind, address, part: Part::Unread(BLOCK), id });
    }
    if resources.peek().is_none() {
        return Ok(());
    }
    let reading = Reading::new(source, locals);
    for (block, kind, name, wanted) in resources {
        let address = format!("{kind}.{}", name.as_str());
        let spot = Spot::new(name.span().unwrap_or_default());
        let term = reading.evaluator().body(&block.body, spot);
        reading.hand_over(term, kind, address, wanted, &mut each);
    }
    Ok(())
}

/// Blocks that make something, or look it up.
pub(in crate::roles) const MAKERS: [&str; 3] = ["resource", "data", "module"];

/// Why a block is not read.
pub(in crate::roles) const BLOCK: &str = "a block of this kind is not read";

/// The blocks that make something of a type that is not read, and the first sign of a role in each that has one.
fn unread_blocks<'b>(
    source: &str,
    body: &'b Body,
    wanted: impl Fn(&str) -> Option<Wanted>,
) -> Vec<(&'b Block, Range<usize>)> {
    // Most files show none.
    if signs::in_code(source).is_none() {
        return Vec::new();
    }
    let code = comments::without(source);
    let is_read = |block: &Block| {
        block.has_ident("resource")
            && matches!(block.labels.as_slice(), [kind, _] if wanted(kind.as_str()).is_some())
    };
    let blocks = body.blocks().filter(|block| MAKERS.contains(&block.ident.as_str()) && !is_read(block));
    blocks
        .filter_map(|block| {
            let at = block.span()?;
            let sign = signs::in_code(code.get(at.clone())?)?;
            Some((block, at.start + sign.start..at.start + sign.end))
        })
        .collect()
}

/// Reads the resources of a file, one after the other.
pub(in crate::roles) struct Reading<'a> {
    source: &'a str,
    lines: Lines<'a>,
    locals: Arc<Locals>,
    budget: Budget,
}

impl<'a> Reading<'a> {
    /// `locals`: those of the file's module, which are asked for only if they are needed.
    pub(in crate::roles) fn new(source: &'a str, locals: impl FnOnce() -> Arc<Locals>) -> Self {
        Self { source, lines: Lines::new(source), locals: locals(), budget: Budget::default() }
    }

    fn evaluator(&self) -> Evaluator<'_> {
        Evaluator { source: self.source, locals: &self.locals, budget: &self.budget, within: None }
    }

    /// Hands a resource of Terraform's JSON to `each`, or each of its parts.
    pub(in crate::roles) fn json(
        &self,
        (tree, id): (&Tree<'_>, NodeId),
        (kind, name, wanted): (&str, &str, Wanted),
        mut each: impl FnMut(&Tree<'_>, &Locals, &Resource<'_>),
    ) {
        let address = format!("{kind}.{name}");
        self.hand_over(self.evaluator().json(tree, id), kind, address, wanted, &mut each);
    }

    fn hand_over(
        &self,
        term: Term,
        kind: &str,
        address: String,
        wanted: Wanted,
        each: &mut impl FnMut(&Tree<'_>, &Locals, &Resource<'_>),
    ) {
        let mut hand_over = |term: Term, address: String, part: Part| {
            let mut builder = Builder { lines: &self.lines, tree: Tree::default() };
            let id = builder.add(term);
            each(&builder.tree, &self.locals, &Resource { kind, address, part, id });
        };
        let Wanted::Manifests(attribute) = wanted else {
            return hand_over(term, address, Part::Whole);
        };
        let What::Object(entries) = term.what else { return };
        let manifest = entries.into_iter().find(|(key, _)| key.name() == Some(attribute));
        let Some((_, manifest)) = manifest else { return };
        let looks_like_a_role = self.looks_like_a_role(&manifest);
        for (n, document) in self.manifests(manifest).into_iter().enumerate() {
            // Others of the resource have names of their own.
            let address = if n == 0 { address.clone() } else { format!("{address}#{}", n + 1) };
            match document {
                Ok(document) if matches!(document.what, What::Object(_)) => {
                    hand_over(document, address, Part::Manifest);
                }
                Ok(document) if !matches!(document.what, What::Unknown) => {}
                unread => {
                    let (why, spot) = match unread {
                        Ok(document) => {
                            ("its manifest is unknown before Terraform has evaluated it", document.spot)
                        }
                        Err(unread) => unread,
                    };
                    if looks_like_a_role {
                        hand_over(Term::unknown(spot), address, Part::Unread(why));
                    }
                }
            }
        }
    }

    /// The manifests in the value of an attribute.
    fn manifests(&self, term: Term) -> Vec<Document> {
        match term.what {
            What::Encoded { value, .. } => vec![Ok(*value)],
            What::Text(text) => text::documents(&text, term.spot, &self.budget),
            What::Scalar { text, plain: false } => {
                text::documents(&text::text_of(&text), term.spot, &self.budget)
            }
            _ => vec![Ok(term)],
        }
    }

    /// Whether the text of an expression has to do with roles.
    fn looks_like_a_role(&self, term: &Term) -> bool {
        let is_sign = |text: &str| text.contains("TeleportRole") || text.contains("record_session");
        let written = self.source.get(term.spot.start as usize..term.spot.end as usize);
        let known = match &term.what {
            What::Text(text) => text.shown(),
            What::Scalar { text, .. } => text,
            _ => "",
        };
        written.is_some_and(is_sign)
            || is_sign(known)
            || term.spot.origin.is_some_and(|origin| is_sign(self.locals.text(origin)))
    }
}

struct Builder<'a> {
    lines: &'a Lines<'a>,
    tree: Tree<'a>,
}

impl Builder<'_> {
    fn add(&mut self, term: Term) -> NodeId {
        let mut span = self.lines.span(term.spot.start as usize..term.spot.end as usize);
        if let Some(origin) = term.spot.origin {
            self.tree.origins.push(origin);
            span.origin = index(self.tree.origins.len());
        } else if term.spot.in_text {
            span.origin = IN_TEXT;
        }
        match term.what {
            What::Scalar { text, plain } => {
                self.push(span, Value::Scalar { text: Cow::Owned(text.into()), plain })
            }
            What::Text(text) => match text.into_known() {
                Some(text) => self.push(span, Value::Scalar { text: Cow::Owned(text), plain: false }),
                None => self.push(span, Value::Unknown),
            },
            What::List(items) => {
                let items: Vec<_> = items.into_iter().map(|item| self.add(item)).collect();
                let (first, end) = self.children(&items);
                self.push(span, Value::Sequence { first, end })
            }
            What::Object(entries) => {
                let mut all = Vec::with_capacity(entries.len() * 2);
                for (key, value) in entries {
                    all.extend([self.add(key), self.add(value)]);
                }
                let (first, end) = self.children(&all);
                self.push(span, Value::Mapping { first, end })
            }
            // Whoever compares the text of a value has to know its letters.
            What::Encoded { .. } | What::Unknown => self.push(span, Value::Unknown),
        }
    }

    fn push(&mut self, span: Span, value: Value<'static>) -> NodeId {
        self.tree.nodes.push(Node { span, value });
        index(self.tree.nodes.len() - 1)
    }

    fn children(&mut self, all: &[NodeId]) -> (u32, u32) {
        let first = index(self.tree.children.len());
        self.tree.children.extend_from_slice(all);
        (first, index(self.tree.children.len()))
    }
}
