//! Evaluates the constant expressions of Terraform: literals, templates, locals that are known, `merge`
//! of objects, and JSON or YAML encoded and decoded. Anything else, a variable with a default too, is
//! unknown and never guessed.

use std::collections::HashMap;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::structure::{Body, Structure};
use hcl_edit::template::{Element, Strip, Template};

use super::super::{NodeId, Tree, Value};
use super::locals::Locals;
use super::term::{Budget, Spot, Term, What};
use super::text::{self, Text};
use crate::roles::limits;

/// Evaluates the expressions of one file.
pub(super) struct Evaluator<'a> {
    /// The file's text.
    pub(super) source: &'a str,
    pub(super) locals: &'a Locals,
    pub(super) budget: &'a Budget,
    /// Where all is that is evaluated, if not where the parser found it: the string of JSON that it is in.
    pub(super) within: Option<Spot>,
}

impl Evaluator<'_> {
    fn spot(&self, item: &impl hcl_edit::Span) -> Spot {
        self.within.unwrap_or_else(|| Spot::new(item.span().unwrap_or_default()))
    }

    /// Attributes as they are; blocks of a name as an object, or as a list where there are several.
    pub(super) fn body(&self, body: &Body, spot: Spot) -> Term {
        let mut entries = Vec::new();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    let key = Term::scalar(self.spot(&attribute.key), attribute.key.as_str(), false);
                    entries.push((key, self.expression(&attribute.value)));
                }
                Structure::Block(block) => {
                    let name = block.ident.as_str();
                    let mut same = body.get_blocks(name);
                    if same.next().is_some_and(|first| !std::ptr::eq(first, block)) {
                        continue;
                    }
                    let spot = self.spot(&block.ident);
                    // What a dynamic block makes, and how often, is not known.
                    if name == "dynamic" {
                        entries.push((Term::unknown(spot), Term::unknown(spot)));
                        continue;
                    }
                    let rest: Vec<_> = same.collect();
                    let value = if rest.is_empty() {
                        self.body(&block.body, spot)
                    } else {
                        let all = std::iter::once(block).chain(rest);
                        let items = all.map(|block| self.body(&block.body, self.spot(&block.ident)));
                        Term { spot, what: What::List(items.collect()) }
                    };
                    entries.push((Term::scalar(spot, name, false), value));
                }
            }
        }
        Term { spot, what: What::Object(entries) }
    }

    pub(super) fn expression(&self, expression: &Expression) -> Term {
        let spot = self.spot(expression);
        match expression {
            Expression::Null(_) => Term::scalar(spot, "null", true),
            Expression::Bool(value) => Term::scalar(spot, value.value().to_string(), true),
            Expression::Number(number) => {
                let written = expression.span().filter(|_| self.within.is_none());
                match written.and_then(|at| self.source.get(at)) {
                    Some(written) => Term::scalar(spot, written, true),
                    None => Term::scalar(spot, number.value().to_string(), true),
                }
            }
            Expression::String(text) => Term::scalar(spot, text.as_str(), false),
            Expression::Array(array) => {
                let items = array.iter().map(|item| self.expression(item)).collect();
                Term { spot, what: What::List(items) }
            }
            Expression::Object(object) => self.object(object, spot),
            Expression::StringTemplate(template) => self.template(template, spot),
            Expression::HeredocTemplate(heredoc) => self.pieces(&heredoc.template, spot),
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            Expression::FuncCall(call) => self.call(call, spot).unwrap_or_else(|| Term::unknown(spot)),
            Expression::Traversal(traversal) => {
                self.traversal(traversal, spot).unwrap_or_else(|| Term::unknown(spot))
            }
            _ => Term::unknown(spot),
        }
    }

    fn object(&self, object: &Object, spot: Spot) -> Term {
        let entries = object.iter().map(|(key, value)| {
            let at = self.spot(key);
            let key = match key {
                ObjectKey::Ident(name) => Term::scalar(at, name.as_str(), false),
                // A name with dots may be an attribute of something only in parentheses.
                ObjectKey::Expression(Expression::Traversal(_)) => Term::unknown(at),
                ObjectKey::Expression(expression) => {
                    let key = self.expression(expression);
                    match key.as_text().filter(|_| !key.is_null()) {
                        Some(text) => Term::scalar(key.spot, text, false),
                        None => Term::unknown(at),
                    }
                }
            };
            (key, self.expression(value.expr()))
        });
        Term { spot, what: What::Object(entries.collect()) }
    }

    /// A text in quotes: a single interpolation is its value, whatever that is.
    pub(super) fn template(&self, template: &Template, spot: Spot) -> Term {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            let value = self.expression(&only.expr);
            return if matches!(value.what, What::Unknown) { Term::unknown(spot) } else { value };
        }
        let pieces = self.pieces(template, spot);
        match &pieces.what {
            // Where its parts are is of no use in a line.
            What::Text(text) if text.known().is_some() => {
                Term::scalar(spot, text.known().unwrap_or_default(), false)
            }
            _ => pieces,
        }
    }

    /// A text of literals and interpolations.
    fn pieces(&self, template: &Template, spot: Spot) -> Term {
        let mut text = Text::default();
        for element in template {
            let at = self.spot(element);
            match element {
                Element::Literal(literal) => {
                    let written = literal.span().filter(|_| self.within.is_none());
                    let written = written.and_then(|at| Some((at.start, self.source.get(at)?)));
                    if !text.push_literal(literal, written, at) {
                        return Term::unknown(spot);
                    }
                }
                Element::Interpolation(interpolation) if interpolation.strip == Strip::None => {
                    let value = self.expression(&interpolation.expr);
                    match value.as_text() {
                        Some(known) => {
                            if !self.budget.take(known.len())
                                || text.len() + known.len() > limits::MAX_SCALAR_BYTES
                            {
                                return Term::unknown(spot);
                            }
                            text.push(known, value.spot);
                        }
                        None => text.push_hole(value, at),
                    }
                }
                // What is repeated or left out, and which blanks are stripped, is not worked out.
                _ => return Term::unknown(spot),
            }
        }
        Term { spot, what: What::Text(Box::new(text)) }
    }

    fn call(&self, call: &FuncCall, spot: Spot) -> Option<Term> {
        let name = call.name.name.as_str();
        if call.name.is_namespaced() {
            return None;
        }
        let mut values: Vec<_> = match name {
            "merge" | "jsonencode" | "yamlencode" | "jsondecode" | "yamldecode" => {
                call.args.iter().map(|argument| self.expression(argument)).collect()
            }
            _ => return None,
        };
        if call.args.expand_final() {
            let What::List(items) = values.pop()?.what else { return None };
            values.extend(items);
        }
        if name == "merge" {
            return merge(values, spot);
        }
        let [value] = <[Term; 1]>::try_from(values).ok()?;
        match name {
            "jsondecode" | "yamldecode" => text::decode(&value, self.budget),
            _ if matches!(value.what, What::Unknown) => None,
            _ => {
                let what = What::Encoded { value: Box::new(value), json: name == "jsonencode" };
                Some(Term { spot, what })
            }
        }
    }

    fn traversal(&self, traversal: &Traversal, spot: Spot) -> Option<Term> {
        let operators = traversal.operators.iter().map(|operator| &**operator);
        match &traversal.expr {
            Expression::Variable(name) if name.as_str() == "local" => {
                let mut operators = operators;
                let Some(TraversalOperator::GetAttr(name)) = operators.next() else { return None };
                let (file, local) = self.locals.get(name.as_str())?;
                let found = self.walk(local, operators)?;
                Some(found.through(file, spot, self.budget))
            }
            Expression::Variable(_) => None,
            expression => {
                let value = self.expression(expression);
                self.walk(&value, operators).cloned()
            }
        }
    }

    /// What these operators lead to.
    fn walk<'t, 'o>(
        &self,
        term: &'t Term,
        mut operators: impl Iterator<Item = &'o TraversalOperator>,
    ) -> Option<&'t Term> {
        operators.try_fold(term, |term, operator| match operator {
            _ if !self.budget.take(term.len()) => None,
            TraversalOperator::GetAttr(name) => term.attribute(name.as_str()),
            TraversalOperator::LegacyIndex(number) => term.item(usize::try_from(*number.value()).ok()?),
            TraversalOperator::Index(index) => {
                let index = self.expression(index);
                match &index.what {
                    What::Scalar { text, plain: true } => term.item(text.parse().ok()?),
                    _ => term.attribute(index.as_text()?),
                }
            }
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => None,
        })
    }

    /// What a value of Terraform's JSON is: a string in it is a template.
    pub(super) fn json(&self, tree: &Tree<'_>, id: NodeId) -> Term {
        let span = tree.span(id);
        let spot = self.within.unwrap_or(Spot { start: span.start, end: span.end, ..Spot::default() });
        if tree.alias(id).is_some() && !self.budget.take(0) {
            return Term::unknown(spot);
        }
        if let Some(items) = tree.items(id) {
            return Term {
                spot,
                what: What::List(items.iter().map(|&item| self.json(tree, item)).collect()),
            };
        }
        if let Some(entries) = tree.entries(id) {
            let entries = entries.map(|(key, value)| {
                let key = self.json(tree, key);
                let is_known = matches!(key.what, What::Scalar { .. });
                let key = if is_known { key } else { Term::unknown(key.spot) };
                (key, self.json(tree, value))
            });
            return Term { spot, what: What::Object(entries.collect()) };
        }
        let Value::Scalar { text, plain } = tree.value(id) else { return Term::unknown(spot) };
        if !has_template(text) {
            return Term::scalar(spot, &**text, *plain);
        }
        let Ok(template) = hcl_edit::parser::parse_template(text) else { return Term::unknown(spot) };
        let within = Evaluator { within: Some(spot), source: text, ..*self };
        within.template(&template, spot)
    }
}

/// Whether a string of Terraform's JSON is more than its text.
pub(super) fn has_template(text: &str) -> bool {
    text.contains("${") || text.contains("%{")
}

/// All entries of these objects; of those with one key the last one.
fn merge(objects: Vec<Term>, spot: Spot) -> Option<Term> {
    let mut merged: Vec<(Term, Term)> = Vec::new();
    let mut known: HashMap<Box<str>, usize> = HashMap::new();
    for object in objects {
        if object.is_null() {
            continue;
        }
        let What::Object(entries) = object.what else { return None };
        let earlier = merged.len();
        for (key, value) in entries {
            let earlier_one = match key.name() {
                // A key that could be any could replace any.
                None if earlier > 0 => return None,
                None => None,
                Some(name) => known.get(name).copied().filter(|&n| n < earlier),
            };
            if let Some(n) = earlier_one {
                merged[n] = (key, value);
                continue;
            }
            if let Some(name) = key.name() {
                known.insert(name.into(), merged.len());
            }
            merged.push((key, value));
        }
    }
    Some(Term { spot, what: What::Object(merged) })
}
