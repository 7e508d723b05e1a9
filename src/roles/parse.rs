//! Bytes of a file to what they say: checks the text, takes it apart into documents, reads each.

use std::path::Path;
use std::sync::Arc;

use super::found::{Document, Found};
use super::limits::MAX_DOCUMENT_BYTES;
use super::modules::Modules;
use super::problem::{Excerpt, Mark, Problem, ProblemKind, Site};
use super::source::{self, Piece};
use super::written::Comment;
use super::{comments, resource, signs, split, tree, unread};

/// Reads the documents of a piece. A document that is not well-formed ends there, the next one is
/// read. `modules`: where Terraform's files find their locals.
pub(super) fn read(file: &Arc<str>, piece: &Piece<'_>, modules: &Modules, found: &mut Found) {
    let mut bytes = &*piece.bytes;
    let mut first_byte = piece.first_byte;
    if piece.first_line == 1
        && let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf")
    {
        bytes = rest;
        first_byte += 3;
    }
    if signs::may_hold_signs(Path::new(&**file)) && !(found.named && source::is_terraform(file)) {
        search_for_signs(file, bytes, piece.first_line, first_byte, found);
        return;
    }
    if let Some(at) = memchr::memchr(0, bytes) {
        found.report(bad_byte(ProblemKind::Nul, file, bytes, at, piece));
        return;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            found.report(bad_byte(ProblemKind::NotUtf8, file, bytes, at, piece));
            return;
        }
    };
    if source::is_terraform(file) {
        let document =
            Document { file, text, first_line: piece.first_line, first_byte, origins: None, embedded: None };
        read_terraform(document, modules, found);
        return;
    }
    let mut first_line = piece.first_line;
    let mut reader = tree::TreeReader::default();
    for (start, text) in split::documents(text) {
        let first_byte = first_byte + start as u64;
        let document = Document { file, text, first_line, first_byte, origins: None, embedded: None };
        if text.trim_start_matches("---").trim_ascii() != "" {
            read_document(document, &mut reader, modules, found);
        }
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        first_line = first_line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
    }
}

/// Reports the first sign of a role in each document of a file that is no YAML, JSON or HCL. What is no text
/// in it is left out.
fn search_for_signs(file: &Arc<str>, bytes: &[u8], mut first_line: u32, first_byte: u64, found: &mut Found) {
    const WHY: &str = "a file of this kind is not read, only what is rendered from it";
    // Between the letters of UTF-16 are NUL bytes.
    let letters: Vec<u8>;
    let bytes = if memchr::memchr(0, bytes).is_some() {
        letters = bytes.iter().copied().filter(|&byte| byte != 0).collect();
        &letters
    } else {
        bytes
    };
    let text = String::from_utf8_lossy(bytes);
    for (start, text) in split::documents(&text) {
        let first_byte = first_byte + start as u64;
        let document = Document { file, text, first_line, first_byte, origins: None, embedded: None };
        resource::unreadable(document, WHY, signs::anywhere, found);
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        first_line = first_line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
    }
}

/// Reads a document that is the text of a string. Its comments; none if it is not well-formed.
pub(super) fn read_embedded(
    document: Document<'_>,
    found: &mut Found,
    each: &mut dyn FnMut(&tree::Tree<'_>, tree::NodeId, &mut Found),
) -> Option<Vec<Comment>> {
    let mut said = Vec::new();
    let wanted = found.detail && memchr::memmem::find(document.text.as_bytes(), b"recmode:").is_some();
    let mut reader = tree::TreeReader::default();
    let read = reader.read(document.text, wanted.then_some(&mut said), |tree, id| each(tree, id, found));
    read.ok()?;
    Some(comments::place(document, said, is_comment))
}

/// Whether nothing but a comment is on this line of YAML.
fn is_comment(_: u32, line: &str) -> bool {
    line.trim_start().starts_with('#')
}

fn read_document<'a>(
    document: Document<'a>,
    reader: &mut tree::TreeReader<'a>,
    modules: &Modules,
    found: &mut Found,
) {
    if document.text.len() > MAX_DOCUMENT_BYTES {
        let span = tree::Span { start: 0, end: 0, line: 1, column: 1, origin: 0 };
        found.report(document.problem(ProblemKind::DocumentTooLarge, span));
        return;
    }
    found.may_hold = None;
    // Comments are dear, and hardly any speaks to this program.
    let mut said = Vec::new();
    let wanted = found.detail && memchr::memmem::find(document.text.as_bytes(), b"recmode:").is_some();
    let read = reader.read(document.text, wanted.then_some(&mut said), |tree, id| {
        unread::check(document, tree, id, found);
        if source::is_terraform_json(document.file) {
            resource::read_terraform_json(document, tree, id, modules, found);
        } else {
            resource::read(document, tree, id, found);
        }
    });
    found.comments.extend(comments::place(document, said, is_comment));
    if let Err(mut error) = read {
        if let Some((kind, at)) = unread::stranger(document.text, found.named) {
            error = tree::TreeError { kind, span: at.unwrap_or(error.span) };
        }
        if let ProblemKind::Syntax(message) = &mut error.kind
            && document.excerpt(error.span).text.contains("{{")
        {
            message.push_str("; if this is a template, it has to be rendered first");
        }
        // Text that is no YAML may be a role that is not well-formed.
        found.ours = true;
        found.report(document.problem(error.kind, error.span));
    }
}

/// Reads a Terraform file.
fn read_terraform(document: Document<'_>, modules: &Modules, found: &mut Found) {
    let locals = || modules.locals(document.file, document.text);
    let read = tree::read_hcl(document.text, locals, resource::wanted, |tree, locals, resource| {
        let document = Document { origins: Some((tree.origins(), locals)), ..document };
        resource::read_terraform(document, tree, resource, found);
    });
    if let Err(error) = read {
        found.ours = true;
        found.report(document.problem(error.kind, error.span));
    }
    if found.detail && memchr::memmem::find(document.text.as_bytes(), b"recmode:").is_some() {
        found.comments.extend(comments::of_terraform(document));
    }
}

/// The problem of a byte that no text may have, at the byte.
fn bad_byte(kind: ProblemKind, file: &Arc<str>, bytes: &[u8], at: usize, piece: &Piece<'_>) -> Problem {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let lines = memchr::memchr_iter(b'\n', &bytes[..at]).count();
    let line_start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
    let before = String::from_utf8_lossy(&bytes[line_start..at]);
    let end = (at + 200).min(bytes.len());
    let around = format!("{before}{}", String::from_utf8_lossy(&bytes[at..end]));
    let width = around[before.len()..].chars().next().map_or(0, char::len_utf8);
    let line = piece.first_line.saturating_add(count(lines));
    let column = count(before.chars().count()).saturating_add(1);
    let byte = piece.first_byte + (piece.bytes.len() - bytes.len() + at) as u64;
    let mark = Mark {
        line,
        column,
        end: (line, column.saturating_add(1)),
        bytes: (byte, byte + 1),
        excerpt: Excerpt::new(&around, before.len(), before.len() + width),
    };
    Problem::new(kind, Site { file: Arc::clone(file), mark: Some(mark) })
}
