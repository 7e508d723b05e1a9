//! Where one YAML document ends and the next begins, found without parsing: a line that starts
//! with `---` is a document marker wherever it stands, even inside a quoted or block scalar. So a
//! file can be read document by document, and an error in one leaves the others readable.

use memchr::memmem;

/// Looks in `text` for the next document marker.
///
/// `start` is where the document begins, `from` how far it was looked at before. Without `whole`
/// the text goes on behind its end, so a marker that it ends right after is not known for one yet.
pub(super) fn next_marker(text: &[u8], start: usize, from: usize, whole: bool) -> Option<usize> {
    let mut at = from;
    while let Some(found) = memmem::find(&text[at..], b"\n---") {
        let marker = at + found + 1;
        let ends = text.get(marker + 3).map_or(whole, u8::is_ascii_whitespace);
        if ends && !follows_directive(&text[start..marker]) {
            return Some(marker);
        }
        at = marker;
    }
    None
}

/// Whether the last line that is neither blank nor a comment begins with `%`: then the marker
/// belongs to the directives above it.
fn follows_directive(text: &[u8]) -> bool {
    let lines = text.split(|&byte| byte == b'\n').rev();
    let mut said = lines.filter(|line| !matches!(line.trim_ascii(), [] | [b'#', ..]));
    said.next().is_some_and(|line| line.starts_with(b"%"))
}

/// The documents of `text`, each with its offset.
pub(crate) fn documents(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = Some(0);
    std::iter::from_fn(move || {
        let start = from?;
        from = next_marker(text.as_bytes(), start, start, true);
        Some((start, &text[start..from.unwrap_or(text.len())]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        documents(text).map(|(_, document)| document).collect()
    }

    #[test]
    fn a_marker_is_a_line_of_its_own() {
        assert_eq!(split("a: 1\n---\nb: 2\n--- # three\nc\n"), ["a: 1\n", "---\nb: 2\n", "--- # three\nc\n"]);
        assert_eq!(split("---\na: ---b\n  ---\n"), ["---\na: ---b\n  ---\n"]);
        assert_eq!(split("a\n---b\n----\n"), ["a\n---b\n----\n"]);
        assert_eq!(split("a\r\n---\r\nb"), ["a\r\n", "---\r\nb"]);
        assert_eq!(split("a\n---"), ["a\n", "---"]);
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn directives_stay_with_their_document() {
        assert_eq!(split("%YAML 1.2\n# x\n\n---\na\n---\nb"), ["%YAML 1.2\n# x\n\n---\na\n", "---\nb"]);
    }
}
