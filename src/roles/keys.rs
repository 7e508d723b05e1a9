//! What is wrong with the keys of a role or user, wherever they are: a key twice in one mapping, a
//! merge key that merges nothing, `record_session` where it has no effect.

use std::collections::{HashMap, HashSet};

use super::found::{Document, Found};
use super::problem::ProblemKind;
use super::resource::quoted;
use super::tree::{NodeId, Tree};

/// From this many keys on, a table is faster than looking at all pairs.
const FEW_KEYS: usize = 12;

/// Maps with keys of the user's own choosing, where `record_session` is only a name.
const FREE_KEYS: [&str; 4] = ["labels", "annotations", "traits", "claims"];

/// Where `record_session` belongs, and where people write it instead.
const PLACES: [&[&str]; 6] =
    [&["spec", "options"], &["spec"], &["spec", "allow"], &["spec", "allow", "options"], &["options"], &[]];

/// Checks every mapping of the resource `root`.
pub(super) fn check(document: Document<'_>, tree: &Tree<'_>, root: NodeId, found: &mut Found) {
    let options = options(tree, root).map(|options| tree.parts(options)).unwrap_or_default();
    let near: HashSet<NodeId> =
        PLACES.iter().filter_map(|path| below(tree, root, path)).flat_map(|id| tree.parts(id)).collect();
    let mut aliased = HashSet::new();
    let mut pending = vec![(root, false)];
    while let Some((id, free)) = pending.pop() {
        // What an alias stands for may be outside of this resource; it is looked at once.
        if let Some(target) = tree.alias(id) {
            if aliased.insert(target) {
                pending.push((target, free));
            }
            continue;
        }
        if let Some(items) = tree.items(id) {
            pending.extend(items.iter().map(|&item| (item, free)));
        }
        let Some(entries) = tree.entries(id) else { continue };
        duplicates(document, tree, id, found);
        for (key, value) in entries {
            let text = tree.text(key).unwrap_or_default();
            if tree.is_merge_key(key) && !can_merge(tree, value) {
                found.report(document.problem(ProblemKind::BadMerge, tree.span(key)));
            }
            if near.contains(&id) && is_misspelt(text) {
                found.report(document.problem(ProblemKind::Misspelt(quoted(text)), tree.span(key)));
            }
            if text == "record_session" && !options.contains(&id) && !free && !tree.is_merge_key(key) {
                let in_braces = document.in_braces(tree, id);
                found.report(document.problem(ProblemKind::Misplaced { in_braces }, tree.span(key)));
            }
            // What is below a key that could be any is not known to be misplaced.
            if document.is_unknown(tree, key) {
                continue;
            }
            pending.push((value, free || FREE_KEYS.iter().any(|name| text.ends_with(name))));
            if opens_template(document, tree, key) {
                found.report(document.problem(ProblemKind::Template, tree.span(key)));
            }
            if tree.text(key).is_none() {
                pending.push((key, free));
            }
        }
    }
}

/// Whether this key is the inner part of `{{ … }}`, which YAML takes for a mapping as a key.
fn opens_template(document: Document<'_>, tree: &Tree<'_>, key: NodeId) -> bool {
    let start = tree.span(key).start as usize;
    tree.is_mapping(key) && document.text[start..].starts_with('{') && document.text[..start].ends_with('{')
}

/// Reports the first template outside of quotes in what is otherwise not looked at.
pub(super) fn template(document: Document<'_>, tree: &Tree<'_>, root: NodeId, found: &mut Found) {
    let mut pending = vec![root];
    while let Some(id) = pending.pop() {
        // Aliases stand for what is looked at where it is.
        if tree.alias(id).is_some() {
            continue;
        }
        pending.extend(tree.items(id).into_iter().flatten().rev());
        let entries: Vec<_> = tree.entries(id).into_iter().flatten().collect();
        if let Some((key, _)) = entries.iter().find(|(key, _)| opens_template(document, tree, *key)) {
            found.report(document.problem(ProblemKind::Template, tree.span(*key)));
            return;
        }
        pending.extend(entries.iter().rev().map(|(_, value)| *value));
    }
}

/// The value at `spec.options`, if there is one.
pub(super) fn options(tree: &Tree<'_>, id: NodeId) -> Option<NodeId> {
    let (_, spec) = tree.get(id, "spec")?;
    tree.get(spec, "options").map(|(_, options)| options)
}

/// A key `record_session` that is where a role has it, or where one is misplaced in a role.
pub(super) fn recording(tree: &Tree<'_>, id: NodeId) -> Option<NodeId> {
    PLACES.iter().find_map(|path| tree.get(below(tree, id, path)?, "record_session").map(|(key, _)| key))
}

/// What these keys lead to.
fn below(tree: &Tree<'_>, id: NodeId, path: &[&str]) -> Option<NodeId> {
    path.iter().try_fold(id, |at, key| tree.get(at, key).map(|(_, value)| value))
}

/// Reports each key that this mapping has twice.
pub(super) fn duplicates(document: Document<'_>, tree: &Tree<'_>, id: NodeId, found: &mut Found) {
    let keys = || tree.entries(id).into_iter().flatten().filter_map(|(key, _)| Some((tree.text(key)?, key)));
    let mut report = |text: &str, first, second| {
        let mut problem = document.problem(ProblemKind::DuplicateKey(quoted(text)), tree.span(second));
        problem.related.push(("first here", document.site(tree.span(first))));
        found.report(problem);
    };
    if keys().nth(FEW_KEYS).is_none() {
        for (n, (text, key)) in keys().enumerate() {
            if let Some((_, first)) = keys().take(n).find(|&(earlier, _)| earlier == text) {
                report(text, first, key);
            }
        }
        return;
    }
    let mut firsts = HashMap::new();
    for (text, key) in keys() {
        let first = *firsts.entry(text).or_insert(key);
        if first != key {
            report(text, first, key);
        }
    }
}

fn can_merge(tree: &Tree<'_>, value: NodeId) -> bool {
    tree.is_mapping(value)
        || tree.items(value).is_some_and(|items| items.iter().all(|&item| tree.is_mapping(item)))
}

/// Whether a key under `spec.options` is likely meant to be `record_session`.
fn is_misspelt(key: &str) -> bool {
    const WORDS: [&str; 5] =
        ["recordsession", "recordsessions", "sessionrecord", "sessionrecording", "recordingsession"];
    if key == "record_session" || key.len() > 32 {
        return false;
    }
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let plain = plain.trim_end_matches("mode");
    WORDS.contains(&plain) || strsim::damerau_levenshtein(plain, WORDS[0]) <= 2
}
