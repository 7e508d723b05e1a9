//! The option `record_session` itself: its keys and values, and what they were likely meant to be. A value
//! that can't be known makes its option unknown.

use super::found::{Document, Found};
use super::problem::{Mark, ProblemKind};
use super::resource::quoted;
use super::tree::{Case, NodeId, Tree};
use super::written::WrittenOption;
use crate::policy::{Desktop, Mode, OptionName, RecordSession, SessionKind, Setting, Unknown, UnknownReason};

/// What `record_session` says, and how that is written.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) said: RecordSession,
    /// The key `record_session`; this and the options only in detail.
    pub(super) key: Option<Mark>,
    pub(super) options: Vec<WrittenOption>,
}

/// Reads `record_session` of the mapping `options`. Absent, null or empty: it says nothing.
pub(super) fn read(document: Document<'_>, tree: &Tree<'_>, options: NodeId, found: &mut Found) -> Read {
    let mut read = Read::default();
    if let Some(key) = unknown_key(document, tree, options, "spec.options", found) {
        read.said = RecordSession::unknown(&unknown(document, tree, key));
        return read;
    }
    let Some((key, value)) = tree.get(options, "record_session") else { return read };
    if found.detail {
        read.key = Some(document.mark(tree.span(key)));
    }
    if tree.is_null(value) {
        return read;
    }
    if tree.is_unknown(value) {
        found.report(document.problem(ProblemKind::UnknownValue("record_session"), tree.span(value)));
        read.said = RecordSession::unknown(&unknown(document, tree, value));
        return read;
    }
    if !tree.is_mapping(value) {
        found.report(document.problem(ProblemKind::NotAMapping("record_session"), tree.span(key)));
        return read;
    }
    // Such a key may be any option, also one that stands beside it.
    if let Some(key) = unknown_key(document, tree, value, "record_session", found) {
        read.said = RecordSession::unknown(&unknown(document, tree, key));
        return read;
    }
    let said = &mut read.said;
    for (key, value) in tree.merged(value) {
        let name = tree.text(key).unwrap_or_default();
        let Some(option) = option_named(tree, name) else {
            let nearest = nearest_key(name);
            let kind = match in_other_case(tree, name) {
                Some(right) => ProblemKind::KeyCase { key: quoted(name), right },
                None => ProblemKind::UnknownKey { key: quoted(name), nearest },
            };
            found.report(document.problem(kind, tree.span(key)));
            let meant = nearest.and_then(OptionName::from_name).filter(|_| found.detail);
            if let Some(option) = meant
                && !tree.is_unknown(value)
                && setting(tree, option, value).is_none()
            {
                let (wrong, at) = invalid(tree, key, value);
                let Wrong { value, nearest } = wrong;
                let kind =
                    ProblemKind::UnknownKeyValue { key: quoted(name), meant: option.name(), value, nearest };
                found.report(document.problem(kind, tree.span(at)));
            }
            continue;
        };
        if tree.is_unknown(value) {
            let kind = ProblemKind::UnknownValue(option.name());
            found.report(document.problem(kind, tree.span(value)));
            said.unknown.insert(option, unknown(document, tree, value));
            continue;
        }
        let Some(setting) = setting(tree, option, value) else {
            let (Wrong { value, nearest }, at) = invalid(tree, key, value);
            let kind = ProblemKind::InvalidMode { option: option.name(), value, nearest };
            found.report(document.problem(kind, tree.span(at)));
            continue;
        };
        let at = document.place(tree.span(value));
        if found.detail {
            let (key, value) = (document.mark(tree.span(key)), document.mark(tree.span(value)));
            read.options.push(WrittenOption { option, key, value });
        }
        let slot = match option {
            OptionName::Default => &mut said.default,
            OptionName::Kind(SessionKind::Ssh) => &mut said.ssh,
            OptionName::Kind(SessionKind::K8s) => &mut said.k8s,
            OptionName::Kind(SessionKind::Db) => &mut said.db,
            OptionName::Kind(SessionKind::App) => &mut said.app,
            OptionName::Kind(SessionKind::Desktop) => {
                said.desktop = Some(Setting::new(setting, at));
                continue;
            }
        };
        if let Desktop::Mode(mode) = setting {
            *slot = Some(Setting::new(mode, at));
        }
    }
    read
}

/// The option of this key.
fn option_named(tree: &Tree<'_>, key: &str) -> Option<OptionName> {
    let in_any_case = || OptionName::from_name(&key.to_ascii_lowercase());
    OptionName::from_name(key).or_else(|| in_any_case().filter(|_| tree.case() == Case::Ignored))
}

/// The field that this key is to Teleport only. It has none for the other kinds of session.
fn in_other_case(tree: &Tree<'_>, key: &str) -> Option<&'static str> {
    let is_it = |field: &&str| tree.case() == Case::Disputed && field.eq_ignore_ascii_case(key);
    ["default", "ssh", "desktop"].into_iter().find(is_it)
}

/// Reports each key of this mapping that is an expression, since it could be any; returns the first.
pub(super) fn unknown_key(
    document: Document<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    what: &'static str,
    found: &mut Found,
) -> Option<NodeId> {
    let mut first = None;
    for (key, _) in tree.entries(id).into_iter().flatten() {
        if tree.is_unknown(key) {
            found.report(document.problem(ProblemKind::UnknownValue(what), tree.span(key)));
            first = first.or(Some(key));
        }
    }
    first
}

/// What an expression depends on that is written for each instance of its resource: a digest of the file.
fn repetition(document: Document<'_>, expression: &str) -> String {
    if !["each.", "count.", "self."].iter().any(|root| expression.contains(root)) {
        return String::new();
    }
    format!(" {}", blake3::hash(document.text.as_bytes()).to_hex())
}

/// The unknown value that this node stands for.
pub(super) fn unknown(document: Document<'_>, tree: &Tree<'_>, id: NodeId) -> Unknown {
    let span = tree.span(id);
    let text = document.text.get(span.start as usize..span.end as usize).unwrap_or_default();
    let expression = match document.origins {
        Some((_, locals)) => locals.identity(text) + &repetition(document, text),
        None => text.to_owned(),
    };
    Unknown { reason: UnknownReason::Expression, expression: expression.into(), at: document.place(span) }
}

/// The value of an option, if it is one.
pub(super) fn setting(tree: &Tree<'_>, option: OptionName, value: NodeId) -> Option<Desktop> {
    if tree.is_null(value) {
        return None;
    }
    let text = tree.text(value)?;
    let is_desktop = option == OptionName::Kind(SessionKind::Desktop);
    let number = || (is_desktop && tree.is_plain(value)).then(|| zero_or_one(text)).flatten();
    parse(option, text).or_else(|| number().map(Desktop::Recorded))
}

/// The number 0 or 1, however YAML lets one write it: a schema sees no difference.
fn zero_or_one(text: &str) -> Option<bool> {
    let radix = [("0x", 16), ("0o", 8)].into_iter().find_map(|(prefix, radix)| {
        text.strip_prefix(prefix).and_then(|digits| u64::from_str_radix(digits, radix).ok())
    });
    let is_number = || text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number = || text.parse::<f64>().ok().filter(|_| is_number());
    #[expect(clippy::cast_precision_loss, reason = "whole numbers are exact")]
    match radix.map(|number| number as f64).or_else(number)? {
        0.0 => Some(false),
        1.0 => Some(true),
        _ => None,
    }
}

/// The value of an option; a boolean only at `desktop`.
fn parse(option: OptionName, text: &str) -> Option<Desktop> {
    let boolean = || match option {
        OptionName::Kind(SessionKind::Desktop) => boolean(text).map(Desktop::Recorded),
        _ => None,
    };
    Mode::from_name(text).map(Desktop::Mode).or_else(boolean)
}

/// Teleport's spellings of a boolean, in any case.
fn boolean(text: &str) -> Option<bool> {
    const TRUE: [&str; 6] = ["true", "yes", "yeah", "y", "on", "1"];
    const FALSE: [&str; 6] = ["false", "no", "nope", "n", "off", "0"];
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&TRUE) {
        Some(true)
    } else if is(&FALSE) {
        Some(false)
    } else {
        None
    }
}

/// A value that is none, as it is shown, and the right one that is near.
pub(super) struct Wrong {
    pub(super) value: Option<String>,
    pub(super) nearest: Option<&'static str>,
}

/// What is wrong with a value that is none, and the node that it is about.
pub(super) fn invalid(tree: &Tree<'_>, key: NodeId, value: NodeId) -> (Wrong, NodeId) {
    if tree.is_null(value) {
        return (Wrong { value: None, nearest: None }, key);
    }
    let (shown, nearest) = match tree.text(value) {
        Some(text) => (format!("{:?}", quoted(text)), nearest_mode(text)),
        None if tree.is_mapping(value) => ("a mapping".to_owned(), None),
        None => ("a list".to_owned(), None),
    };
    (Wrong { value: Some(shown), nearest }, value)
}

/// The mode that a text is a misspelling of.
fn nearest_mode(text: &str) -> Option<&'static str> {
    let plain = plain(text)?;
    Mode::ALL
        .map(Mode::name)
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&plain, &name.replace('_', "")), name))
        .filter(|&(distance, _)| distance <= 2)
        .min()
        .map(|(_, name)| name)
}

/// The key that a text is a misspelling of, or another word for.
fn nearest_key(text: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 17] = [
        ("all", "default"),
        ("mode", "default"),
        ("node", "ssh"),
        ("nodes", "ssh"),
        ("server", "ssh"),
        ("servers", "ssh"),
        ("kube", "k8s"),
        ("kubernetes", "k8s"),
        ("kubernetescluster", "k8s"),
        ("windowsdesktop", "desktop"),
        ("windows", "desktop"),
        ("rdp", "desktop"),
        ("database", "db"),
        ("databases", "db"),
        ("application", "app"),
        ("applications", "app"),
        ("web", "app"),
    ];
    let plain = plain(text)?;
    let word = WORDS.iter().find(|(word, _)| *word == plain).map(|&(_, key)| key);
    let near = || {
        let distances = OptionName::ALL.map(OptionName::name).into_iter().map(|name| {
            // One slip in a short key, two in a long one.
            let allowed = if name.len() > 4 { 2 } else { 1 };
            (strsim::damerau_levenshtein(&plain, name), allowed, name)
        });
        distances.filter(|&(distance, allowed, _)| distance <= allowed).min().map(|(_, _, name)| name)
    };
    word.or_else(near)
}

/// Lower case, letters and digits only; `None` for a text too long to be a slip.
fn plain(text: &str) -> Option<String> {
    let fits = text.len() <= 32;
    fits.then(|| text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_the_mode_they_were_meant_to_be() {
        for text in ["best-effort", "besteffort", "Best_Effort", "best effort", "best_efort"] {
            assert_eq!(nearest_mode(text), Some("best_effort"), "{text}");
        }
        for text in ["Strict", "STRICT", "strcit", "stirct", "strict "] {
            assert_eq!(nearest_mode(text), Some("strict"), "{text}");
        }
        for text in ["strict|best_effort", "record", "sync", "true", "off", ""] {
            assert_eq!(nearest_mode(text), None, "{text}");
        }
    }

    #[test]
    fn other_words_and_slips_find_the_key() {
        let found =
            ["kubernetes", "Database", "SSH", "desktops", "defualt", "apps", "k8", "colour"].map(nearest_key);
        let expected = ["k8s", "db", "ssh", "desktop", "default", "app", "k8s"].map(Some);
        assert_eq!(found[..7], expected);
        assert_eq!(found[7], None);
    }

    #[test]
    fn booleans_are_teleports() {
        for text in ["true", "TRUE", "Yes", "yeah", "y", "1", "on"] {
            assert_eq!(boolean(text), Some(true), "{text}");
        }
        for text in ["false", "No", "nope", "N", "0", "OFF"] {
            assert_eq!(boolean(text), Some(false), "{text}");
        }
        assert_eq!(boolean("t"), None);
    }
}
