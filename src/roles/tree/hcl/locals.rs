//! The locals of a module: what all files of a folder define, and which of it is known; and what tells two
//! states of an unknown expression apart. Reads no files.

use std::collections::{HashMap, VecDeque, hash_map};
use std::sync::Arc;

use hcl_edit::expr::{Expression, Object, ObjectKey, ObjectValue, Traversal, TraversalOperator};
use hcl_edit::structure::BlockLabel;
use hcl_edit::visit::{Visit, visit_traversal};

use super::super::{NodeId, Tree, TreeReader, Value};
use super::eval::{Evaluator, has_template};
use super::term::{Budget, Origin, Spot, Term};
use crate::roles::limits;
use crate::roles::problem::{Mark, Site};

/// The locals of a module.
#[derive(Debug, Default)]
pub(in crate::roles) struct Locals {
    /// The files, by their numbers: name and text.
    sources: Vec<(Arc<str>, String)>,
    /// What each is, and the number of the file that it is in.
    known: HashMap<String, (u32, Term)>,
    /// Of each local, as `local.x`, a digest of its definition and of what that refers to; of each variable, module,
    /// resource and source of data one of its block.
    digests: HashMap<String, String>,
}

/// What a local is defined as.
struct Definition {
    file: usize,
    expression: Expression,
    /// Where it is, if the expression was made of JSON.
    within: Option<Spot>,
}

impl Locals {
    /// The locals of these files of a folder, each a name and its text. A file that can't be read gives none.
    pub(in crate::roles) fn new(mut sources: Vec<(Arc<str>, String)>) -> Self {
        sources.retain(|(_, text)| text.len() <= limits::MAX_HCL_BYTES);
        let mut digests = HashMap::new();
        let mut definitions: HashMap<String, Option<Definition>> = HashMap::new();
        let mut names = Vec::new();
        for (file, (name, text)) in sources.iter().enumerate() {
            let mut define = |name: &str, expression, within| match definitions.entry(name.to_owned()) {
                hash_map::Entry::Vacant(entry) => {
                    names.push(name.to_owned());
                    entry.insert(Some(Definition { file, expression, within }));
                }
                // Which of them holds is not known.
                hash_map::Entry::Occupied(mut entry) => drop(entry.insert(None)),
            };
            if name.ends_with(".json") {
                defined_in_json(text, &mut define, &mut digests);
            } else {
                defined_in_hcl(text, &mut define, &mut digests);
            }
        }
        names.retain(|name| definitions.get(name).is_some_and(Option::is_some));
        let definitions: HashMap<_, _> =
            definitions.into_iter().filter_map(|(name, one)| Some((name, one?))).collect();
        let mut locals = Self { sources, known: HashMap::new(), digests };
        locals.evaluate(&names, &definitions);
        locals
    }

    /// What the local of this name is, and the number of the file that it is in.
    pub(super) fn get(&self, name: &str) -> Option<(u32, &Term)> {
        self.known.get(name).map(|(file, term)| (*file, term))
    }

    /// The place of a literal.
    pub(in crate::roles) fn site(&self, origin: Origin) -> Option<Site> {
        let (file, text) = self.sources.get(origin.file as usize)?;
        let mark = Mark::in_text(text, origin.start as usize, origin.end as usize);
        Some(Site { file: Arc::clone(file), mark: Some(mark) })
    }

    /// The text of a literal.
    pub(super) fn text(&self, origin: Origin) -> &str {
        let text = self.sources.get(origin.file as usize).map_or("", |(_, text)| text.as_str());
        text.get(origin.start as usize..origin.end as usize).unwrap_or_default()
    }

    /// The text of an expression, and digests of what it refers to in the module: the same as long as its value has
    /// no reason there to be another.
    pub(in crate::roles) fn identity(&self, expression: &str) -> String {
        let mut identity = expression.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.digests.is_empty() {
            return identity;
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let mut words: Vec<_> = expression.split(|c: char| !is_part(c) && c != '.').collect();
        words.sort_unstable();
        words.dedup();
        for word in words {
            let mut ends = word.match_indices('.').map(|(at, _)| at).skip(1);
            let names = [ends.next(), ends.next()].map(|end| &word[..end.unwrap_or(word.len())]);
            if let Some(digest) = names.iter().find_map(|name| self.digests.get(*name)) {
                identity.push(' ');
                identity.push_str(digest);
            }
        }
        identity
    }

    /// Evaluates each once all that it refers to are. What is part of a cycle, or refers to one, never is.
    fn evaluate(&mut self, names: &[String], definitions: &HashMap<String, Definition>) {
        let mut waiting: HashMap<&str, usize> = HashMap::new();
        let mut users: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut ready = VecDeque::new();
        for name in names {
            let Some((name, definition)) = definitions.get_key_value(name) else { continue };
            let mut references = References::default();
            references.visit_expr(&definition.expression);
            references.0.sort_unstable();
            references.0.dedup();
            let mut count = 0;
            for reference in references.0 {
                if let Some((reference, _)) = definitions.get_key_value(&reference) {
                    users.entry(reference).or_default().push(name);
                    count += 1;
                }
            }
            waiting.insert(name, count);
            if count == 0 {
                ready.push_back(name.as_str());
            }
        }
        let budget = Budget::default();
        while let Some(name) = ready.pop_front() {
            let Some(definition) = definitions.get(name) else { continue };
            let source = self.sources.get(definition.file).map_or("", |(_, text)| text.as_str());
            let evaluator = Evaluator { source, locals: self, budget: &budget, within: definition.within };
            let term = evaluator.expression(&definition.expression);
            let file = u32::try_from(definition.file).unwrap_or(u32::MAX);
            let digest = digest(&self.identity(&definition.expression.to_string()));
            self.digests.insert(format!("local.{name}"), digest);
            self.known.insert(name.to_owned(), (file, term));
            for &user in users.get(name).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(user) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push_back(user);
                    }
                }
            }
        }
    }
}

fn digest(definition: &str) -> String {
    blake3::hash(definition.as_bytes()).to_hex().to_string()
}

fn defined_in_hcl(
    text: &str,
    define: &mut impl FnMut(&str, Expression, Option<Spot>),
    digests: &mut HashMap<String, String>,
) {
    let Ok(body) = hcl_edit::parser::parse_body(text) else { return };
    for block in body.blocks() {
        let labels: Vec<_> = block.labels.iter().map(BlockLabel::as_str).collect();
        let address = match (block.ident.as_str(), labels.as_slice()) {
            ("variable", [name]) => format!("var.{name}"),
            ("module", [name]) => format!("module.{name}"),
            ("resource", [kind, name]) => format!("{kind}.{name}"),
            ("data", [kind, name]) => format!("data.{kind}.{name}"),
            _ => continue,
        };
        digests.insert(address, digest(&block.body.to_string()));
    }
    for block in body.into_blocks().filter(|block| block.has_ident("locals")) {
        for attribute in block.body.into_attributes() {
            let name = attribute.key.as_str().to_owned();
            define(&name, attribute.value, None);
        }
    }
}

fn defined_in_json(
    text: &str,
    define: &mut impl FnMut(&str, Expression, Option<Spot>),
    digests: &mut HashMap<String, String>,
) {
    // What is not well-formed is reported where the file is read.
    let _ = TreeReader::default().read(text, None, |tree, id| {
        let parts = |id: NodeId| tree.items(id).map_or_else(|| vec![id], <[NodeId]>::to_vec);
        for (section, prefix, depth) in
            [("variable", "var", 1), ("module", "module", 1), ("resource", "", 2), ("data", "data", 2)]
        {
            let section = tree.get(id, section).map(|(_, blocks)| (prefix.to_owned(), blocks));
            let mut blocks: Vec<_> = section.into_iter().collect();
            for _ in 0..depth {
                let below = |(address, id): (String, NodeId)| {
                    let entries = parts(id).into_iter().filter_map(|id| tree.entries(id)).flatten();
                    let named = entries.map(|(key, value)| {
                        let name = tree.text(key).unwrap_or_default();
                        (
                            if address.is_empty() { name.to_owned() } else { format!("{address}.{name}") },
                            value,
                        )
                    });
                    named.collect::<Vec<_>>()
                };
                blocks = blocks.into_iter().flat_map(below).collect();
            }
            let digest = |(address, id)| (address, digest(&from_json(tree, id).to_string()));
            digests.extend(blocks.into_iter().map(digest));
        }
        let Some((_, locals)) = tree.get(id, "locals") else { return };
        for locals in parts(locals) {
            for (key, value) in tree.entries(locals).into_iter().flatten() {
                let span = tree.span(value);
                let within = Spot { start: span.start, end: span.end, ..Spot::default() };
                define(tree.text(key).unwrap_or_default(), from_json(tree, value), Some(within));
            }
        }
    });
}

/// The expression that a value of Terraform's JSON stands for.
fn from_json(tree: &Tree<'_>, id: NodeId) -> Expression {
    let unknown = || Expression::Variable(hcl_edit::Decorated::new(hcl_edit::Ident::new("unknown")));
    // JSON has none, and what they stand for may be much.
    if tree.alias(id).is_some() {
        return unknown();
    }
    if let Some(items) = tree.items(id) {
        return Expression::Array(items.iter().map(|&item| from_json(tree, item)).collect());
    }
    if let Some(entries) = tree.entries(id) {
        let entries = entries.map(|(key, value)| {
            let value = ObjectValue::new(from_json(tree, value));
            (ObjectKey::Expression(from_json(tree, key)), value)
        });
        return Expression::Object(entries.collect::<Object>());
    }
    match tree.value(id) {
        Value::Scalar { text, plain: true } => match &**text {
            "null" => Expression::null(),
            "true" => Expression::from(true),
            "false" => Expression::from(false),
            number => number.parse::<i64>().map_or_else(|_| unknown(), Expression::from),
        },
        Value::Scalar { text, plain: false } if has_template(text) => {
            let template = hcl_edit::parser::parse_template(text);
            template.map_or_else(|_| unknown(), |template| Expression::StringTemplate(template.into()))
        }
        Value::Scalar { text, plain: false } => Expression::from(&**text),
        _ => unknown(),
    }
}

/// The names of the locals that an expression refers to.
#[derive(Default)]
struct References(Vec<String>);

impl Visit for References {
    fn visit_traversal(&mut self, traversal: &Traversal) {
        if let Expression::Variable(name) = &traversal.expr
            && name.as_str() == "local"
            && let Some(TraversalOperator::GetAttr(name)) = traversal.operators.first().map(|first| &**first)
        {
            self.0.push(name.as_str().to_owned());
        }
        visit_traversal(self, traversal);
    }
}
