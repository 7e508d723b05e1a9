//! Text that is read without an error and yet not understood: another language, or what stands in for a file.
//! Only text that was named or shows a sign of a role is a problem; the rest is somebody else's.

use serde::de::IgnoredAny;

use super::found::{Document, Found};
use super::problem::{ProblemKind, advance};
use super::signs;
use super::tree::{NodeId, Span, Tree};

/// What Git LFS puts in the place of a file begins with this.
const LFS: &str = "version https://git-lfs.github.com/spec/";

/// Words that begin a block of Terraform's.
const BLOCKS: [&str; 8] =
    ["resource", "data", "module", "locals", "terraform", "provider", "variable", "output"];

/// Looks at a document that was read.
pub(super) fn check(document: Document<'_>, tree: &Tree<'_>, root: NodeId, found: &mut Found) {
    let is_text = tree.text(root).is_some();
    found.structured |= !is_text;
    let span = tree.span(root);
    if let Some((kind, at)) = stranger(document.text, found.named) {
        found.report(document.problem(kind, at.unwrap_or(span)));
    } else if !is_text || tree.is_null(root) {
        // A mapping, a list or nothing at all.
    } else if document.text.trim_start().starts_with(LFS) {
        found.report(document.problem(ProblemKind::LfsPointer, span));
    } else if found.plain.is_none() {
        found.plain = Some(document.mark(span));
    }
}

/// What the text is in place of YAML or JSON, and where that shows; only if it matters.
pub(super) fn stranger(text: &str, named: bool) -> Option<(ProblemKind, Option<Span>)> {
    let kind = match text.trim_start().bytes().next()? {
        b'{' | b'[' | b'/' => (ProblemKind::JsonComment, Some(json_comment(text)?)),
        _ if is_hcl(text) => (ProblemKind::Hcl, None),
        _ => return None,
    };
    (named || signs::shows_a_role(text)).then_some(kind)
}

/// Whether a line begins a block of Terraform's: a word, perhaps labels in quotes, and a brace.
fn is_hcl(text: &str) -> bool {
    // Most text is none, and this is asked of every document.
    if memchr::memmem::find(text.as_bytes(), b"{\n").is_none() && !text.contains("{\r") {
        return false;
    }
    text.lines().any(|line| {
        let Some(rest) = line.trim_end().strip_suffix('{') else { return false };
        let mut words = rest.split_whitespace();
        words.next().is_some_and(|word| BLOCKS.contains(&word)) && words.all(|word| word.starts_with('"'))
    })
}

/// The first comment of a text that is JSON but for comments, and commas at the end of lists, as JavaScript has
/// them.
fn json_comment(text: &str) -> Option<Span> {
    let bytes = text.as_bytes();
    let is_comment = |at: usize| matches!(bytes.get(at..at + 2), Some(b"//" | b"/*"));
    memchr::memchr_iter(b'/', bytes).find(|&at| is_comment(at))?;
    let mut json = Vec::with_capacity(bytes.len());
    let (mut first, mut at) = (None, 0);
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'"' => at + string_length(&bytes[at..]),
            b'/' if is_comment(at) => {
                let rest = &bytes[at..];
                let length = match rest[1] {
                    b'/' => memchr::memchr(b'\n', rest),
                    _ => memchr::memmem::find(&rest[2..], b"*/").map(|end| end + 4),
                };
                let end = at + length.unwrap_or(rest.len());
                first.get_or_insert(at..end);
                at = end;
                continue;
            }
            b'}' | b']' => {
                let last = json.iter().rposition(|byte: &u8| !byte.is_ascii_whitespace());
                if let Some(last) = last.filter(|&last| json[last] == b',') {
                    json.truncate(last);
                }
                at + 1
            }
            _ => at + 1,
        };
        json.extend_from_slice(&bytes[at..end]);
        at = end;
    }
    let first = first?;
    serde_json::from_slice::<IgnoredAny>(&json).ok()?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (line, column) = advance((1, 1), &text[..first.start]);
    Some(Span { start: count(first.start), end: count(first.end), line, column, origin: 0 })
}

/// The bytes of the string that a text begins with, its quotes among them.
fn string_length(bytes: &[u8]) -> usize {
    let mut escaped = false;
    let closes = |&byte: &u8| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    };
    bytes[1..].iter().position(closes).map_or(bytes.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::{is_hcl, json_comment};

    #[test]
    fn json_with_comments_is_told_from_yaml_in_braces() {
        for (text, at) in [
            ("{ // a\n\"b\": 1}", (1, 3)),
            ("// a \"b\nc\n{}", (0, 0)),
            ("// a\n{}", (1, 1)),
            ("{\"é\": 1, /* b */ \"c\": 2}", (1, 10)),
            ("[1,\n 2, // x\n]\n", (2, 5)),
        ] {
            let found = json_comment(text).map_or((0, 0), |span| (span.line, span.column));
            assert_eq!(found, at, "{text}");
        }
        for text in [
            "{\"a\": \"// no\"}",
            "{\"a\": \"\\\"/* no */\"}",
            "{a: http://example.com/*}",
            "{a: 1} # // no\n",
            "{a: 'b // c', d: e // f}",
            "{\"a/*\": 1}",
            "{\"a\": \"/* ",
            "{ /* ",
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
