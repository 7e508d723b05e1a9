//! Lines of a recording that may be records, found without reading the others. Pure.

use crate::recording::chain;

const COMMENT: &[u8] = b"#recmode {";
const EVENT: &[u8] = b", \"R\", \"{";

/// The start of the next comment of ours, from the start of a line on.
pub(super) fn next_comment(text: &[u8], start: usize) -> Option<usize> {
    let rest = &text[start..];
    if rest.starts_with(COMMENT) {
        return Some(start);
    }
    memchr::memmem::find_iter(rest, COMMENT).map(|at| start + at).find(|&at| text[at - 1] == b'\n')
}

/// The start of the next event that is a record of ours.
pub(super) fn next_event(text: &[u8], start: usize) -> Option<usize> {
    let inside = start + memchr::memmem::find(&text[start..], EVENT)?;
    Some(memchr::memrchr(b'\n', &text[..inside]).map_or(0, |newline| newline + 1))
}

/// Whether a line is a record of this name, as a comment or as an event.
pub(super) fn is_record(line: &[u8], name: &str) -> bool {
    let named = |rest: &[u8], quote: &[u8]| {
        let rest = rest.strip_prefix(quote).and_then(|rest| rest.strip_prefix(name.as_bytes()));
        rest.and_then(|rest| rest.strip_prefix(quote)).is_some_and(|rest| rest.starts_with(b":"))
    };
    if let Some(rest) = line.strip_prefix(COMMENT) {
        return named(rest, b"\"");
    }
    let start = &line[..line.len().min(64)];
    line.starts_with(b"[")
        && memchr::memmem::find(start, EVENT).is_some_and(|at| named(&line[at + EVENT.len()..], b"\\\""))
}

/// Whether a torn line may be a check that was cut.
pub(super) fn is_check_begun(torn: &[u8]) -> bool {
    const CHECK: &[u8] = b"#recmode {\"check\":\"";
    is_record(torn, "check") || CHECK.starts_with(torn) || (torn.starts_with(b"[") && torn.len() < 64)
}

/// Where something is that looks like a check, wherever lines begin.
pub(super) fn check_inside(text: &[u8]) -> Option<usize> {
    let at = |check: &[u8]| {
        memchr::memmem::find_iter(text, check).find(|at| {
            let value = text.get(at + check.len()..).and_then(|value| value.get(..chain::VALUE));
            value.is_some_and(|value| value.iter().all(u8::is_ascii_hexdigit))
        })
    };
    let (comment, event) = (at(b"#recmode {\"check\":\""), at(b", \"R\", \"{\\\"check\\\":\\\""));
    comment.into_iter().chain(event).min()
}

/// Where the line ends that begins at `start`, behind its newline.
pub(super) fn line_end(text: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at + 1)
}

pub(super) fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}
