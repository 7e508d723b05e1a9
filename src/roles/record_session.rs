//! The option `record_session` itself: its keys and values, and what they were likely meant to be.

use super::found::{Document, Found};
use super::problem::{Mark, ProblemKind};
use super::resource::quoted;
use super::survey::WrittenOption;
use super::tree::{NodeId, Tree};
use crate::policy::{Desktop, Mode, OptionName, RecordSession, SessionKind, Setting};

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
    let said = &mut read.said;
    unknown_keys(document, tree, options, "spec.options", found);
    let Some((key, value)) = tree.get(options, "record_session") else { return read };
    if found.detail {
        read.key = Some(document.mark(tree.span(key)));
    }
    if tree.is_null(value) {
        return read;
    }
    if document.is_unknown(tree, value) {
        found.report(document.problem(ProblemKind::UnknownValue("record_session"), tree.span(value)));
        return read;
    }
    unknown_keys(document, tree, value, "record_session", found);
    if !tree.is_mapping(value) {
        found.report(document.problem(ProblemKind::NotAMapping("record_session"), tree.span(key)));
        return read;
    }
    for (key, value) in tree.merged(value) {
        if document.is_unknown(tree, key) {
            continue;
        }
        let name = tree.text(key).unwrap_or_default();
        let Some(option) = OptionName::from_name(name) else {
            let nearest = nearest_key(name);
            let kind = ProblemKind::UnknownKey { key: quoted(name), nearest };
            found.report(document.problem(kind, tree.span(key)));
            let meant = nearest.and_then(OptionName::from_name).filter(|_| found.detail);
            if let Some(option) = meant
                && !document.is_unknown(tree, value)
                && setting(tree, option, value).is_none()
            {
                let (wrong, at) = invalid(tree, key, value);
                let Wrong { value, nearest } = wrong;
                let kind = ProblemKind::UnknownKeyValue { key: quoted(name), value, nearest };
                found.report(document.problem(kind, tree.span(at)));
            }
            continue;
        };
        if document.is_unknown(tree, value) {
            let kind = ProblemKind::UnknownValue(option.name());
            found.report(document.problem(kind, tree.span(value)));
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

/// Reports each key of this mapping that is an expression: it could be any.
pub(super) fn unknown_keys(
    document: Document<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    what: &'static str,
    found: &mut Found,
) {
    for (key, _) in tree.entries(id).into_iter().flatten() {
        if document.is_unknown(tree, key) {
            found.report(document.problem(ProblemKind::UnknownValue(what), tree.span(key)));
        }
    }
}

/// The value of an option, if it is one.
pub(super) fn setting(tree: &Tree<'_>, option: OptionName, value: NodeId) -> Option<Desktop> {
    if tree.is_null(value) { None } else { tree.text(value).and_then(|text| parse(option, text)) }
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
