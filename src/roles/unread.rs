//! Text that is read without an error and yet not understood: another language, or what stands in for a file.
//! Only text that was named or shows a sign of a role is a problem; the rest is somebody else's.

use super::found::{Document, Found};
use super::problem::ProblemKind;
use super::tree::{NodeId, Span, Tree};

/// What Git LFS puts in the place of a file begins with this.
const LFS: &str = "version https://git-lfs.github.com/spec/";

/// Words that begin a block of Terraform's.
const BLOCKS: [&str; 8] =
    ["resource", "data", "module", "locals", "terraform", "provider", "variable", "output"];

/// Whether a text looks like it holds a role, whatever language it is in.
#[must_use]
pub fn has_sign_of_a_role(text: &str) -> bool {
    let is_role_kind = |line: &str| {
        let line =
            line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '"' | '\'' | '{' | ','));
        let value = line.strip_prefix("kind").map(|rest| rest.trim_start_matches(['"', '\'']).trim_start());
        let Some(value) = value.and_then(|rest| rest.strip_prefix(':')) else { return false };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let word: &str = value.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        word == "role" || word.starts_with("TeleportRole")
    };
    text.contains("record_session") || text.contains("\"teleport_role\"") || text.lines().any(is_role_kind)
}

/// Looks at a document that was read.
pub(super) fn check(document: Document<'_>, tree: &Tree<'_>, root: NodeId, found: &mut Found) {
    let wanted = |found: &Found| found.named || has_sign_of_a_role(document.text);
    let span = tree.span(root);
    if tree.text(root).is_none() {
        found.structured = true;
        if document.in_braces(tree, root)
            && let Some(at) = json_comment(document.text)
            && wanted(found)
        {
            found.report(document.problem(ProblemKind::JsonComment, at));
        }
    } else if document.text.trim_start().starts_with(LFS) {
        found.report(document.problem(ProblemKind::LfsPointer, span));
    } else if is_hcl(document.text) && wanted(found) {
        found.report(document.problem(ProblemKind::Hcl, span));
    } else if !tree.is_null(root) && found.plain.is_none() {
        found.plain = Some(document.mark(span));
    }
}

/// Whether a line begins a block of Terraform's: a word, perhaps labels in quotes, and a brace.
pub(super) fn is_hcl(text: &str) -> bool {
    text.lines().any(|line| {
        let Some(rest) = line.trim_end().strip_suffix('{') else { return false };
        let mut words = rest.split_whitespace();
        words.next().is_some_and(|word| BLOCKS.contains(&word)) && words.all(|word| word.starts_with('"'))
    })
}

/// The first comment as JavaScript has them, outside of strings.
fn json_comment(text: &str) -> Option<Span> {
    let bytes = text.as_bytes();
    // Most documents have none, and no string like one either.
    memchr::memchr_iter(b'/', bytes).find(|&at| matches!(bytes.get(at + 1), Some(b'/' | b'*')))?;
    let (mut quoted, mut escaped) = (false, false);
    let mut line = 0;
    for (number, text_of_line) in text.split_inclusive('\n').enumerate() {
        for (at, c) in text_of_line.char_indices() {
            let before = text_of_line[..at].chars().next_back();
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                // In YAML's braces a plain text may hold slashes, but none begins with two.
                '/' if !quoted
                    && text_of_line[at + 1..].starts_with(['/', '*'])
                    && before.is_none_or(|before| before.is_whitespace() || "{[,]}\"".contains(before)) =>
                {
                    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                    return Some(Span {
                        start: count(line + at),
                        end: count(line + text_of_line.trim_end().len()),
                        line: count(number + 1),
                        column: count(text_of_line[..at].chars().count() + 1),
                    });
                }
                // YAML's own comment.
                '#' if !quoted && before.is_none_or(char::is_whitespace) => break,
                _ => {}
            }
        }
        line += text_of_line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{is_hcl, json_comment};

    #[test]
    fn comments_of_json_are_found_outside_of_strings_only() {
        for text in ["{ // a\n\"b\": 1}", "// a\n{}", "{\"a\": 1, /* b */ \"c\": 2}", "[1,// x\n2]"] {
            assert!(json_comment(text).is_some(), "{text}");
        }
        for text in [
            "{\"a\": \"// no\"}",
            "{\"a\": \"\\\"/* no */\"}",
            "{a: http://example.com/*}",
            "{a: 1} # // no\n",
            "{\"a/*\": 1}",
        ] {
            assert!(json_comment(text).is_none(), "{text}");
        }
    }

    #[test]
    fn blocks_show_terraforms_language() {
        assert!(is_hcl("# x\nresource \"teleport_role\" \"x\" {\n}\n"));
        assert!(is_hcl("locals {\n  a = 1\n}\n"));
        assert!(!is_hcl("kind: role\nresource: {\n}\n"));
        assert!(!is_hcl("data: \"x\" {\n"));
    }
}
