//! Comments that speak to this program: which there are in a text of Terraform, and which line each is
//! about.

use super::found::Document;
use super::tree::{self, Span};
use super::written::Comment;

/// The comments of a document that were found at these places, in their order. `is_comment` says of a
/// line, by its number in the document and its text, whether nothing but a comment is on it.
pub(super) fn place(
    document: Document<'_>,
    said: Vec<(Box<str>, Span)>,
    is_comment: impl Fn(u32, &str) -> bool,
) -> Vec<Comment> {
    let mut comments = Vec::with_capacity(said.len());
    // The line of the comment below, and the one that it is about: so that no line is looked at twice.
    let mut below: Option<(u32, u32)> = None;
    for (text, span) in said.into_iter().rev() {
        let (start, end) = (span.start as usize, span.end as usize);
        let mark = document.mark(span);
        let (before, behind) = (&document.text[..start], &document.text[end..]);
        let is_first = before.rsplit('\n').next().unwrap_or_default().trim_ascii().is_empty();
        let is_last = behind.split('\n').next().unwrap_or_default().trim_ascii().is_empty();
        let line = match (is_first, is_last) {
            (true, true) => {
                let offset = mark.line.saturating_sub(span.line);
                let mut line = mark.end.0.saturating_add(1);
                for rest in behind.split('\n').skip(1) {
                    if let Some((_, target)) = below.filter(|(start, _)| *start == line) {
                        line = target;
                        break;
                    }
                    if !is_comment(line.saturating_sub(offset), rest) {
                        break;
                    }
                    line = line.saturating_add(1);
                }
                line
            }
            (true, false) => mark.end.0,
            (false, _) => mark.line,
        };
        let alone = is_first && is_last;
        below = alone.then_some((mark.line, line));
        comments.push(Comment { text, mark, alone, line });
    }
    comments.reverse();
    comments
}

/// The comments in a text of Terraform, and the lines that they fill.
pub(super) fn of_terraform(document: Document<'_>) -> Vec<Comment> {
    let text = document.text;
    let mut said = Vec::new();
    let mut filled = Vec::new();
    let mut position = (0, (1, 1));
    for (start, end) in hcl(text) {
        let first = super::problem::advance(position.1, &text[position.0..start]);
        let last = super::problem::advance(first, &text[start..end]);
        position = (end, last);
        let is_first = text[..start].rsplit('\n').next().unwrap_or_default().trim_ascii().is_empty();
        let is_last = text[end..].split('\n').next().unwrap_or_default().trim_ascii().is_empty();
        if is_first && is_last {
            filled.push((first.0, last.0));
        }
        let comment = &text[start..end];
        let inside = comment.strip_prefix("//").or(comment.strip_prefix('#')).unwrap_or_else(|| {
            let inside = comment.strip_prefix("/*").unwrap_or_default();
            inside.strip_suffix("*/").unwrap_or(inside)
        });
        if let Some(addressed) = tree::addressed(inside) {
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let span =
                Span { start: count(start), end: count(end), line: first.0, column: first.1, origin: 0 };
            said.push((addressed.into(), span));
        }
    }
    let is_comment = |line: u32, _: &str| {
        let next = filled.partition_point(|(_, last)| *last < line);
        filled.get(next).is_some_and(|(first, _)| *first <= line)
    };
    place(document, said, is_comment)
}

/// A text of Terraform with its comments and those of YAML in it blanked out, every byte in its place.
pub(super) fn without(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    let blank =
        |part: &str| -> String { part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect() };
    for (start, end) in hcl(text) {
        kept.push_str(&text[at..start]);
        kept.push_str(&blank(&text[start..end]));
        at = end;
    }
    kept.push_str(&text[at..]);
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    kept.split_inclusive('\n')
        .map(|line| if is_comment(line) { blank(line) } else { line.to_owned() })
        .collect()
}

/// The comments of HCL as ranges of bytes: `#` and `//` to the end of the line, `/* */`. Strings, with what
/// is interpolated in them, and heredocs are none.
fn hcl(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut comments = Vec::new();
    // What is open: a string, or the braces of an interpolation in one, with how many more are open in it.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        if open.last() == Some(&None) {
            match byte {
                b'\\' => at += 1,
                b'"' => drop(open.pop()),
                // A string ends with its line.
                b'\n' => open.clear(),
                b'$' | b'%' if rest.get(1) == Some(&byte) && rest.get(2) == Some(&b'{') => at += 2,
                b'$' | b'%' if rest.get(1) == Some(&b'{') => {
                    open.push(Some(0));
                    at += 1;
                }
                _ => {}
            }
            at += 1;
            continue;
        }
        match (byte, open.last_mut()) {
            (b'"', _) => open.push(None),
            (b'{', Some(Some(braces))) => *braces += 1,
            (b'}', Some(Some(0))) => drop(open.pop()),
            (b'}', Some(Some(braces))) => *braces -= 1,
            (b'#' | b'/', _) if byte == b'#' || rest.starts_with(b"//") => {
                let end = memchr::memchr(b'\n', rest).map_or(text.len(), |newline| at + newline);
                let end = if text[at..end].ends_with('\r') { end - 1 } else { end };
                comments.push((at, end));
                at = end;
                continue;
            }
            (b'/', _) if rest.starts_with(b"/*") => {
                let end = memchr::memmem::find(&rest[2..], b"*/").map_or(text.len(), |end| at + end + 4);
                comments.push((at, end));
                at = end;
                continue;
            }
            (b'<', _) if rest.starts_with(b"<<") => {
                if let Some(end) = behind_heredoc(text, at) {
                    at = end;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    comments
}

/// Where the heredoc ends whose `<<` is at `at`; none if this is not one.
fn behind_heredoc(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at + 2..];
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let (word, _) = rest.split_once('\n')?;
    let word = word.trim_end();
    if word.is_empty() || !word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
        return None;
    }
    let mut end = text.len() - rest.len() + rest.find('\n')? + 1;
    for line in text[end..].split_inclusive('\n') {
        if line.trim() == word {
            return Some(end + line.trim_end_matches(['\n', '\r']).len());
        }
        end += line.len();
    }
    Some(text.len())
}

#[cfg(test)]
mod tests {
    use super::hcl;

    fn comments(text: &str) -> Vec<&str> {
        hcl(text).into_iter().map(|(start, end)| &text[start..end]).collect()
    }

    #[test]
    fn comments_are_those_of_terraform() {
        assert_eq!(comments("a = 1 # x\r\nb // y\n/* z\n# */ c /*"), ["# x", "// y", "/* z\n# */", "/*"]);
        assert_eq!(comments(r##"a = "# no \" # no" # yes"##), ["# yes"]);
        assert_eq!(comments(r##"a = "${b["# no"] /* yes */} # no $${ # no" # yes"##), ["/* yes */", "# yes"]);
        assert_eq!(comments("a = <<-EOT\n # no\n  EOT\n# yes"), ["# yes"]);
        assert_eq!(comments("a = 1 << # yes"), ["# yes"]);
    }
}
