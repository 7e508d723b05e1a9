//! Where the text of a string is in its file: maps each place of what a string says to the place where
//! it is written, through block scalars, folded lines, quotes and escapes. Parses nothing.

use super::found::Document;
use super::tree::Span;

/// How deep strings in strings are read.
pub(super) const MAX_STRINGS: u8 = 4;

/// A run of bytes that are the same in the string and in the file; it ends with its line at the latest.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// Where it begins in the string's text.
    inner: u32,
    /// Where it begins in the text of the outermost document, with its line and column there.
    outer: u32,
    line: u32,
    column: u32,
}

/// The places of one string.
#[derive(Debug)]
pub(super) struct Map {
    /// In order. Empty if the string could not be followed: then everything in it is at its own place.
    segments: Vec<Segment>,
    /// The whole string in the outermost document.
    whole: Span,
    /// Whether each line of the text is a line of the file, so that what is written there is what is read.
    pub(super) exact: bool,
}

/// A part of a string's text, and how to find it in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Embedded<'a> {
    /// The text of the outermost document.
    pub(super) root: &'a str,
    pub(super) map: &'a Map,
    /// Where the part begins in the string's text.
    pub(super) base: u32,
    /// How many strings this is in.
    pub(super) depth: u8,
}

impl Map {
    /// The places of the scalar at `span`, which says `text`.
    pub(super) fn new(document: Document<'_>, span: Span, text: &str) -> Self {
        let raw = document.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let whole = document.outermost(span);
        let quote = raw.bytes().next().filter(|byte| matches!(byte, b'"' | b'\''));
        // A block scalar's text may begin with a quote, too.
        let verbatim = align(raw.as_bytes(), text.as_bytes(), None);
        let (runs, exact) = verbatim.unwrap_or_else(|| {
            let inside = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default().as_bytes();
            let quoted = quote.and_then(|quote| align(inside, text.as_bytes(), Some(quote)));
            let (mut runs, _) = quoted.unwrap_or_default();
            for run in &mut runs {
                run.raw += 1;
            }
            (runs, false)
        });
        let mut map = Self { segments: Vec::with_capacity(runs.len()), whole, exact };
        let (mut at, mut line, mut column) = (0, whole.line, whole.column);
        for run in runs {
            if let Some(parent) = document.embedded {
                map.exact &= parent.map.exact;
                map.through(parent, span.start, run);
                continue;
            }
            for c in raw.get(at..run.raw).unwrap_or_default().chars() {
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            at = run.raw;
            map.segments.push(Segment {
                inner: index(run.text),
                outer: span.start + index(run.raw),
                line,
                column,
            });
        }
        map
    }

    /// Adds a run of a string that is in a string, cut where the outer string's own runs end.
    fn through(&mut self, parent: Embedded<'_>, start: u32, run: Run) {
        let (mut inner, mut at) = (index(run.text), parent.base + start + index(run.raw));
        let end = at + index(run.len);
        while at < end {
            let n = parent.map.segments.partition_point(|segment| segment.inner <= at);
            let next = parent.map.segments.get(n).map_or(end, |segment| segment.inner.min(end));
            if let Some(segment) = n.checked_sub(1).and_then(|n| parent.map.segments.get(n)) {
                let (outer, line, column) = segment.at(parent.root, at);
                self.segments.push(Segment { inner, outer, line, column });
            }
            inner += next - at;
            at = next;
        }
    }

    /// The place in the outermost document.
    pub(super) fn outermost(&self, root: &str, start: u32, end: u32) -> Span {
        let of = |at: u32| {
            let n = self.segments.partition_point(|segment| segment.inner <= at);
            self.segments.get(n.saturating_sub(1))
        };
        let Some(first) = of(start) else { return self.whole };
        let (outer, line, column) = first.at(root, start);
        let last = of(end.saturating_sub(1).max(start)).unwrap_or(first);
        let behind = last.outer + end.max(start).saturating_sub(last.inner);
        let size = index(root.len());
        Span { start: outer.min(size), end: behind.max(outer).min(size), line, column, origin: 0 }
    }
}

impl Segment {
    /// Where the byte `inner` of the string is: its offset, line and column.
    fn at(&self, root: &str, inner: u32) -> (u32, u32, u32) {
        let outer = self.outer + inner.saturating_sub(self.inner);
        let before = root.get(self.outer as usize..outer as usize).unwrap_or_default();
        (outer, self.line, self.column + index(before.chars().count()))
    }
}

/// `len` bytes that are at `raw` in what is written and at `text` in what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    raw: usize,
    text: usize,
    len: usize,
}

/// Pairs what is written with what it says. Blanks and line breaks may differ, as folding and
/// indentation have it; `quote`: within these quotes escapes are followed. Whether it is line by line the
/// same comes along. `None` if one is not a way to write the other.
fn align(raw: &[u8], text: &[u8], quote: Option<u8>) -> Option<(Vec<Run>, bool)> {
    let (mut r, mut t) = (0, 0);
    let mut runs = Vec::new();
    let mut exact = quote.is_none();
    let mut new_line = true;
    loop {
        if new_line {
            let (more_raw, more_text) = (blanks(&raw[r..]), blanks(&text[t..]));
            let breaks = |part: &[u8]| memchr::memchr_iter(b'\n', part).count();
            let ends = r + more_raw == raw.len();
            exact &= t == 0 || ends || breaks(&raw[r..r + more_raw]) == breaks(&text[t..t + more_text]);
            (r, t) = (r + more_raw, t + more_text);
        }
        if r == raw.len() || t == text.len() {
            return (r == raw.len() && t == text.len()).then_some((runs, exact));
        }
        if let Some((written, said)) = quote.and_then(|quote| escape(&raw[r..], &text[t..], quote)) {
            if said > 0 {
                runs.push(Run { raw: r, text: t, len: said });
            }
            (r, t) = (r + written, t + said);
            // A line that goes on after a backslash has its indentation left out.
            new_line = said == 0;
            continue;
        }
        let stop = match quote {
            Some(b'"') => b'\\',
            Some(quote) => quote,
            None => b'\n',
        };
        let pairs = raw[r..].iter().zip(&text[t..]);
        let same =
            pairs.take_while(|(a, b)| a == b && **a != b'\n' && (quote.is_none() || **a != stop)).count();
        let line_break = raw.get(r + same) == Some(&b'\n') && text.get(t + same) == Some(&b'\n');
        let same = same + usize::from(line_break);
        let at_blank = |bytes: &[u8], at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
        if same == 0 && !at_blank(raw, r) && !at_blank(text, t) || same == 0 && new_line {
            return None;
        }
        if same > 0 {
            runs.push(Run { raw: r, text: t, len: same });
        }
        (r, t) = (r + same, t + same);
        let escaped = quote.is_some() && raw.get(r) == Some(&stop);
        new_line = !escaped || line_break;
    }
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// An escape that `raw` begins with: its length, and that of what it says.
fn escape(raw: &[u8], text: &[u8], quote: u8) -> Option<(usize, usize)> {
    let width = match text.first()? {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    let said = |written: usize| Some((written.min(raw.len()), width));
    match (quote, raw) {
        // A blank that is an escape may have been passed with the blanks before it.
        (b'"', [b'\\', b'n' | b'r' | b't' | b' ' | b'\t', ..]) if !text[0].is_ascii_whitespace() => {
            Some((2, 0))
        }
        (b'"', [b'\\', b'\n', ..]) => Some((2, 0)),
        (b'"', [b'\\', b'\r', b'\n', ..]) => Some((3, 0)),
        (b'"', [b'\\', b'x', ..]) => said(4),
        // Two of them are one character beyond the first plane.
        (b'"', [b'\\', b'u', ..]) => said(if width == 4 { 12 } else { 6 }),
        (b'"', [b'\\', b'U', ..]) => said(10),
        (b'"', [b'\\', ..]) | (b'\'', [b'\'', b'\'', ..]) => said(2),
        _ => None,
    }
}

/// An index; documents are bounded far below 4 GiB, so this never saturates.
fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::roles::tree::TreeReader;

    /// The value of the only key of this document, and the text at its every character by the map.
    fn followed(source: &str) -> (String, Vec<(char, String)>, bool) {
        let file: Arc<str> = "a.yaml".into();
        let document = Document {
            file: &file,
            text: source,
            first_line: 1,
            first_byte: 0,
            origins: None,
            embedded: None,
        };
        let mut found = None;
        let read = TreeReader::default().read(source, None, |tree, id| {
            let (_, value) = tree.get(id, "a").expect("the key");
            let text = tree.text(value).expect("a scalar").to_owned();
            let map = Map::new(document, tree.span(value), &text);
            let at = |(start, c): (usize, char)| {
                let span = map.outermost(source, index(start), index(start + c.len_utf8()));
                let of_place = Span::of(source, span.start as usize..span.end as usize);
                assert_eq!((span.line, span.column), (of_place.line, of_place.column), "{source:?}");
                (c, source[span.start as usize..span.end as usize].to_owned())
            };
            let places = text.char_indices().filter(|(_, c)| !c.is_whitespace()).map(at).collect();
            found = Some((text.clone(), places, map.exact));
        });
        read.expect("well-formed");
        found.expect("a value")
    }

    #[test]
    fn each_way_to_write_a_string_is_followed() {
        for (source, text, exact) in [
            ("a: |\n  one\n    two\n\n  three\n", "one\n  two\n\nthree\n", true),
            ("a: |2+\n\n    one\n\n", "\n  one\n\n", true),
            ("a: |-\r\n  one\r\n  two\r\n", "one\ntwo", true),
            ("a: |\n  \"one\"\n  'two'\n", "\"one\"\n'two'\n", true),
            ("a: >\n  one\n  two\n\n  three\n", "one two\nthree\n", false),
            ("a: 'it''s\n  one\n\n  two'\n", "it's one\ntwo", false),
            (
                "a: \"one\\n  two \\x41\\u00e9 three\\\n   four\\\"\"\n",
                "one\n  two A\u{e9} threefour\"",
                false,
            ),
        ] {
            let (said, places, is_exact) = followed(source);
            assert_eq!((said.as_str(), is_exact), (text, exact), "{source:?}");
            for (c, at) in places {
                let is_escape = at.starts_with('\\') || matches!((c, at.as_str()), ('\'', "'"));
                assert!(at == c.to_string() || is_escape, "{source:?}: {c:?} is at {at:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_block_is_what_it_says_line_by_line(
            lines in proptest::collection::vec("[a-z\u{e9}\"'\\\\#: ]{0,9}", 1..6),
            indent in 1..5_usize,
        ) {
            let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
            prop_assume!(!lines[0].starts_with(' ') && lines.iter().any(|line| !line.is_empty()));
            prop_assume!(!lines[0].is_empty());
            let margin = " ".repeat(indent);
            let block = lines.join(&format!("\n{margin}"));
            let (_, places, exact) = followed(&format!("a: |\n{margin}{block}\n"));
            prop_assert!(exact);
            for (c, at) in places {
                prop_assert_eq!(c.to_string(), at);
            }
        }

        #[test]
        fn a_quoted_string_is_followed_through_its_escapes(text in "[a-z\u{e9}\u{1f600}\"\\\\\t\n: ]{0,20}") {
            let json = serde_json::to_string(&text).expect("JSON");
            let (said, places, exact) = followed(&format!("a: {json}\n"));
            prop_assert_eq!(&said, &text);
            prop_assert!(!exact);
            for (c, at) in places {
                prop_assert!(at == c.to_string() || at == "\\", "{} is at {}", c, at);
            }
        }
    }
}
