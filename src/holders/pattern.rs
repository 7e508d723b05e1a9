//! Names that stand for many: globs with `*`, and Teleport's regular expressions `^…$`.

use regex_lite::{Regex, RegexBuilder};

/// Bytes that a compiled regular expression may take.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// A name, a glob, or a regular expression.
#[derive(Debug, Clone)]
pub(super) enum Pattern<'a> {
    Literal(&'a str),
    Glob(&'a str),
    Regex(Regex),
}

impl<'a> Pattern<'a> {
    /// `None` for a regular expression that can't be read.
    pub(super) fn new(text: &'a str) -> Option<Self> {
        if text.starts_with('^') && text.ends_with('$') {
            RegexBuilder::new(text).size_limit(MAX_REGEX_BYTES).build().ok().map(Self::Regex)
        } else if text.contains('*') {
            Some(Self::Glob(text))
        } else {
            Some(Self::Literal(text))
        }
    }

    pub(super) fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Literal(name) => *name == text,
            Self::Glob(glob) => matches_glob(glob, text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Whether a name is a template: it takes its parts from the value that it is given for, or from what
/// Terraform evaluates.
pub(super) fn is_template(name: &str) -> bool {
    let follows = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit() || c == '{');
    name.contains("{{")
        || name.contains("%{")
        || name.match_indices('$').any(|(at, _)| follows(&name[at + 1..]))
}

/// Whether the whole text matches the glob, in which `*` stands for any text and every other
/// character for itself. Takes no more than the product of both lengths.
fn matches_glob(glob: &str, text: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut text) = text.strip_suffix(last) else { return false };
    // What is between two stars may be found as early as possible.
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brute(glob: &[u8], text: &[u8]) -> bool {
        match (glob, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=text.len()).any(|n| brute(rest, &text[n..])),
            ([a, glob @ ..], [b, text @ ..]) => a == b && brute(glob, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_star_stands_for_any_text(glob in "[ab*]{0,7}", text in "[ab]{0,9}") {
            prop_assert_eq!(matches_glob(&glob, &text), brute(glob.as_bytes(), text.as_bytes()));
        }
    }

    #[test]
    fn a_regular_expression_is_what_begins_with_a_caret_and_ends_with_a_dollar() {
        let matches = |pattern, text| Pattern::new(pattern).expect("a pattern").matches(text);
        assert!(matches("^prod-(eu|us)$", "prod-eu"));
        assert!(!matches("^prod-(eu|us)$", "prod-eu-2"));
        assert!(!matches("prod-(eu|us)", "prod-eu"), "a literal");
        assert!(Pattern::new("^($").is_none());
    }

    #[test]
    fn templates_take_a_group_of_the_value() {
        assert!(["$1", "team-${1}", "{{external.team}}"].iter().all(|name| is_template(name)));
        assert!(["a$", "cash$b", "prod-*"].iter().all(|name| !is_template(name)));
    }
}
