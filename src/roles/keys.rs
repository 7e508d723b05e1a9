//! What is wrong with the keys of a role or user, wherever they are: a key twice in one mapping, a
//! merge key that merges nothing, `record_session` where it has no effect.

use std::collections::{HashMap, HashSet};

use super::found::{Document, Found};
use super::problem::ProblemKind;
use super::resource::quoted;
use super::scoped;
use super::tree::{Case, NodeId, Tree};
use crate::policy::Mode;

/// From this many keys on, a table is faster than looking at all pairs.
const FEW_KEYS: usize = 12;

/// Maps with keys of the user's own choosing, where `record_session` is only a name.
const FREE_KEYS: [&str; 4] = ["labels", "annotations", "traits", "claims"];

/// Fields that Teleport's decoder finds in any case, of those that are read here. What `record_session`
/// holds is not among them.
const FIELDS: [&str; 22] = [
    "kind",
    "version",
    "metadata",
    "name",
    "spec",
    "options",
    "record_session",
    "allow",
    "deny",
    "request",
    "roles",
    "search_as_roles",
    "claims_to_roles",
    "attributes_to_roles",
    "teams_to_roles",
    "teams_to_logins",
    "grants",
    "owner_grants",
    "owners",
    "access_list",
    "membership_kind",
    "mode",
];

/// Where `record_session` belongs, and where people write it instead.
const PLACES: [&[&str]; 6] =
    [&["spec", "options"], &["spec"], &["spec", "allow"], &["spec", "allow", "options"], &["options"], &[]];

/// Checks every mapping of the resource `root`.
pub(super) fn check(document: Document<'_>, tree: &Tree<'_>, root: NodeId, found: &mut Found) {
    check_as(document, tree, root, false, found);
}

/// The same for a scoped role, which has no `record_session`.
pub(super) fn check_scoped(document: Document<'_>, tree: &Tree<'_>, root: NodeId, found: &mut Found) {
    check_as(document, tree, root, true, found);
}

fn check_as(document: Document<'_>, tree: &Tree<'_>, root: NodeId, is_scoped: bool, found: &mut Found) {
    let options = options(tree, root).map(|options| tree.parts(options)).unwrap_or_default();
    let in_any_case =
        if tree.case() == Case::Disputed { options_in_any_case(tree, root) } else { HashSet::new() };
    let sections = if is_scoped { scoped::places(tree, root) } else { HashSet::new() };
    let near: HashSet<NodeId> =
        PLACES.iter().filter_map(|path| below(tree, root, path)).flat_map(|id| tree.parts(id)).collect();
    // The modes of kinds of sessions are read elsewhere.
    let mut recordings = HashSet::new();
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
        if tree.case() == Case::Ignored && !free {
            duplicates_but_for_case(document, tree, id, found);
        }
        for (key, value) in entries {
            let text = tree.text(key).unwrap_or_default();
            let in_options = options.contains(&id) || in_any_case.contains(&id);
            let field = field_in_other_case(tree, text).filter(|_| !free && !recordings.contains(&id));
            let field = field.filter(|field| *field != "record_session" || in_options);
            if let Some(right) = field {
                let kind = ProblemKind::KeyCase { key: quoted(text), right };
                found.report(document.problem(kind, tree.span(key)));
            }
            if tree.is_merge_key(key) && !can_merge(tree, value) {
                found.report(document.problem(ProblemKind::BadMerge, tree.span(key)));
            }
            if is_scoped {
                let is_placed = sections.contains(&id) && text != "record_session";
                if scoped::is_about_recording(text) && !is_placed && !free {
                    let kind = ProblemKind::MisplacedInScoped(text.to_owned());
                    found.report(document.problem(kind, tree.span(key)));
                }
            } else if near.contains(&id)
                && field.is_none()
                && !tree.is_key(key, "record_session")
                && is_misspelt(text)
            {
                found.report(document.problem(ProblemKind::Misspelt(quoted(text)), tree.span(key)));
            }
            if !is_scoped && tree.is_key(key, "record_session") && !in_options && !free {
                let in_braces = document.in_braces(tree, id);
                let desktop = tree.get(value, "desktop").and_then(|(_, mode)| tree.text(mode));
                let has_desktop_mode = desktop.and_then(Mode::from_name).is_some();
                found.report(
                    document.problem(ProblemKind::Misplaced { in_braces, has_desktop_mode }, tree.span(key)),
                );
            }
            // What is below a key that could be any is not known to be misplaced.
            if tree.is_unknown(key) {
                continue;
            }
            if text.eq_ignore_ascii_case("record_session") {
                recordings.extend(tree.parts(value));
            }
            pending.push((value, free || has_free_keys(text)));
            if opens_template(document, tree, key) {
                found.report(document.problem(ProblemKind::Template, tree.span(key)));
            }
            if tree.text(key).is_none() {
                pending.push((key, free));
            }
        }
    }
}

/// Whether the keys of what this key leads to are of the user's choosing.
fn has_free_keys(key: &str) -> bool {
    let ends_with = |name: &&str| {
        let start = key.len().checked_sub(name.len());
        start.and_then(|start| key.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(name))
    };
    FREE_KEYS.iter().any(ends_with)
}

/// The field that this key is to Teleport only.
pub(super) fn field_in_other_case(tree: &Tree<'_>, key: &str) -> Option<&'static str> {
    if tree.case() != Case::Disputed || !key.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    FIELDS.into_iter().find(|field| field.eq_ignore_ascii_case(key))
}

/// The mappings that are `spec.options` if case is ignored.
fn options_in_any_case(tree: &Tree<'_>, root: NodeId) -> HashSet<NodeId> {
    let below = |ids: Vec<NodeId>, name: &str| -> Vec<NodeId> {
        let parts = ids.into_iter().flat_map(|id| tree.parts(id));
        let entries = parts.flat_map(|part| tree.entries(part).into_iter().flatten());
        let named = |key| tree.text(key).is_some_and(|text| text.eq_ignore_ascii_case(name));
        entries.filter(|&(key, _)| named(key)).map(|(_, value)| value).collect()
    };
    let options = below(below(vec![root], "spec"), "options");
    options.into_iter().flat_map(|id| tree.parts(id)).collect()
}

/// Reports keys of one mapping, merged ones among them, that differ only in case. Teleport takes the last
/// of them, and what it converts from YAML to JSON it sorts before.
fn duplicates_but_for_case(document: Document<'_>, tree: &Tree<'_>, id: NodeId, found: &mut Found) {
    let is_odd = |key| {
        let has_upper = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
        tree.is_merge_key(key) || tree.text(key).is_some_and(has_upper)
    };
    if !tree.entries(id).into_iter().flatten().any(|(key, _)| is_odd(key)) {
        return;
    }
    let mut firsts: HashMap<String, NodeId> = HashMap::new();
    for (key, _) in tree.merged(id) {
        let Some(text) = tree.text(key) else { continue };
        let first = *firsts.entry(text.to_ascii_lowercase()).or_insert(key);
        if first != key {
            let other = quoted(tree.text(first).unwrap_or_default());
            let kind = ProblemKind::DuplicateCase { key: quoted(text), other };
            let mut problem = document.problem(kind, tree.span(key));
            problem.related.push(("first here", document.site(tree.span(first))));
            found.report(problem);
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
    let mut few = [("", id); FEW_KEYS];
    if keys().nth(FEW_KEYS).is_none() {
        for (n, found) in keys().enumerate() {
            few[n] = found;
            if let Some((_, first)) = few[..n].iter().find(|(earlier, _)| *earlier == found.0) {
                report(found.0, *first, found.1);
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

/// `record_session` without its underscore.
const PLAIN: &[u8] = b"recordsession";

/// Whether a key under `spec.options` is likely meant to be `record_session`.
fn is_misspelt(key: &str) -> bool {
    const WORDS: [&[u8]; 5] =
        [PLAIN, b"recordsessions", b"sessionrecord", b"sessionrecording", b"recordingsession"];
    if key == "record_session" || !(PLAIN.len() - 2..=32).contains(&key.len()) {
        return false;
    }
    let mut room = [0; 32];
    let letters = key.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    let used = room.iter_mut().zip(letters).map(|(place, letter)| *place = letter).count();
    let mut plain = &room[..used];
    while let Some(rest) = plain.strip_suffix(b"mode") {
        plain = rest;
    }
    WORDS.contains(&plain) || is_near(plain)
}

/// Whether no more than two slips are between this and [`PLAIN`]. As each slip takes or brings one
/// letter at most, hardly any other key has to be compared in earnest, which is slow.
fn is_near(text: &[u8]) -> bool {
    let mut counts = [0_i8; 32];
    // Digits count as some letter, which only makes this doubt less.
    for letter in PLAIN {
        counts[usize::from(letter % 32)] += 1;
    }
    for letter in text {
        counts[usize::from(letter % 32)] -= 1;
    }
    let missing: i8 = counts.iter().map(|&count| count.max(0)).sum();
    let foreign: i8 = counts.iter().map(|&count| count.min(0)).sum();
    missing <= 2 && foreign >= -2 && strsim::generic_damerau_levenshtein(text, PLAIN) <= 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quick_look_leaves_no_slip_out(text in "[recodsinx]{9,17}", cut in 0..13_usize, more in "[a-z]{0,3}") {
            let slip = [&PLAIN[..cut], more.as_bytes(), &PLAIN[(cut + more.len() / 2).min(13)..]].concat();
            for text in [text.as_bytes(), &slip] {
                let near = strsim::generic_damerau_levenshtein(text, PLAIN) <= 2;
                prop_assert_eq!(is_near(text), near);
            }
        }
    }
}
