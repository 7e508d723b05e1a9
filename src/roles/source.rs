//! Opens what a path names, without ever waiting on a pipe or waking a device, and reads it in
//! pieces that end at document boundaries.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::limits::{MAX_DOCUMENT_BYTES, MAX_FILE_BYTES};
use super::problem::{Excerpt, Mark, Problem, ProblemKind, Site};
use super::split;
use crate::escape;
use crate::stream::{self, Stream};

/// The bytes that are read and handed on at a time, if documents end in them.
const PIECE_BYTES: usize = 256 << 10;

/// What a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Standard input.
    Stdin,
    /// A descriptor by its path: `/dev/fd/N`.
    Descriptor,
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

/// Tells streams by their names; a pipe of any other name is refused.
pub(super) fn stream(path: &Path) -> Option<Source> {
    stream::named(path).map(|stream| match stream {
        Stream::Stdin => Source::Stdin,
        Stream::Descriptor => Source::Descriptor,
    })
}

/// Whether this path names a stream: standard input or a descriptor, which may be a pipe whose
/// writer takes its time.
#[must_use]
pub fn is_stream(path: &Path) -> bool {
    stream(path).is_some()
}

/// Whether this path names standard input.
#[must_use]
pub fn is_stdin(path: &Path) -> bool {
    stream(path) == Some(Source::Stdin)
}

/// Whether a file of this name is Terraform's and OpenTofu's own language, HCL: `.tf`, `.tofu`, `.hcl`, and
/// `.tf.` and `.tofu.` with more behind it, such as `roles.tf.tmpl`. A name that ends as those of YAML and
/// JSON do is theirs.
#[must_use]
pub fn is_terraform(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase();
    let ends_with = |extensions: &[&str]| extensions.iter().any(|extension| name.ends_with(extension));
    if ends_with(&[".yaml", ".yml", ".json"]) {
        return false;
    }
    ends_with(&[".tf", ".tofu", ".hcl"]) || name.contains(".tf.") || name.contains(".tofu.")
}

/// Whether a file of this name is Terraform's or OpenTofu's JSON.
pub(super) fn is_terraform_json(file: &str) -> bool {
    file.ends_with(".tf.json") || file.ends_with(".tofu.json")
}

/// Reads a whole file or stream.
pub(super) fn read_whole(path: &Path, source: &Source) -> Result<Vec<u8>, ProblemKind> {
    let mut bytes = Vec::new();
    let read = open(path, source)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| io_problem(&error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ProblemKind::FileTooLarge);
    }
    if is_utf16(&bytes) {
        return Err(ProblemKind::Utf16);
    }
    Ok(bytes)
}

/// The name that a path has in messages.
pub(super) fn shown(path: &Path) -> Arc<str> {
    if path == Path::new("-") {
        "<stdin>".into()
    } else {
        escape::utf8(path.as_os_str().as_encoded_bytes()).into()
    }
}

/// Regular file or folder; anything else is no role file.
pub(super) fn classify(metadata: &Metadata) -> Result<Source, ProblemKind> {
    let kind = metadata.file_type();
    if kind.is_file() {
        Ok(Source::File)
    } else if kind.is_dir() {
        Ok(Source::Folder)
    } else if kind.is_fifo() {
        Err(ProblemKind::NotAFile("a named pipe"))
    } else if kind.is_socket() {
        Err(ProblemKind::NotAFile("a socket"))
    } else {
        Err(ProblemKind::NotAFile("a device"))
    }
}

/// What makes two paths one file.
pub(crate) type Identity = (u64, u64);

pub(super) fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// The system's error, in its own words without its number.
pub(super) fn io_problem(error: &io::Error) -> ProblemKind {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    ProblemKind::Io(text.to_lowercase())
}

/// Opens a file or stream for reading.
pub(super) fn open(path: &Path, source: &Source) -> Result<Box<dyn Read>, ProblemKind> {
    let failed = |error: io::Error| io_problem(&error);
    match source {
        Source::Stdin => Ok(Box::new(io::stdin().lock())),
        Source::Descriptor => Ok(Box::new(File::open(path).map_err(failed)?)),
        Source::File | Source::Folder => {
            // The path may have become a pipe or a device since it was looked at.
            let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
            let file = File::options().read(true).custom_flags(flags).open(path).map_err(failed)?;
            match classify(&file.metadata().map_err(failed)?)? {
                Source::File => Ok(Box::new(file)),
                _ => Err(ProblemKind::Io("is a folder".to_owned())),
            }
        }
    }
}

/// A part of a file that begins and ends at document boundaries.
#[derive(Debug)]
pub(super) struct Piece<'t> {
    pub(super) bytes: Cow<'t, [u8]>,
    /// The line of the file that it begins with, from 1.
    pub(super) first_line: u32,
    /// The byte of the file that it begins with.
    pub(super) first_byte: u64,
}

/// Reads a file piece by piece.
pub(super) struct Pieces<'a> {
    file: &'a Arc<str>,
    reader: Box<dyn Read>,
    /// Read, and not handed on yet; begins at a document boundary.
    buffer: Vec<u8>,
    line: u32,
    total: u64,
    done: bool,
    /// How much to read at a time; [`PIECE_BYTES`] but for tests.
    step: usize,
}

impl<'a> Pieces<'a> {
    /// `size`: how much there may be; only saves system calls.
    pub(super) fn new(file: &'a Arc<str>, reader: Box<dyn Read>, size: u64) -> Self {
        // Room for a little more than the file, so that its end is seen without growing.
        let room = usize::try_from(size).map_or(PIECE_BYTES, |size| size.min(PIECE_BYTES)) + 64;
        Self {
            file,
            reader,
            buffer: Vec::with_capacity(room),
            line: 1,
            total: 0,
            done: false,
            step: PIECE_BYTES,
        }
    }

    /// Bytes read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.total
    }

    /// The next piece; none at the end. After an error there is no more.
    pub(super) fn next(&mut self) -> Result<Option<Piece<'static>>, Box<Problem>> {
        // The last document boundary in the buffer.
        let mut boundary = 0;
        let mut wanted = self.step;
        while !self.done {
            let before = self.buffer.len();
            let read = self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.buffer);
            if let Err(error) = read {
                self.done = true;
                return Err(Box::new(Problem::of_file(io_problem(&error), self.file)));
            }
            let read = self.buffer.len() - before;
            self.total += read as u64;
            if before == 0 && self.line == 1 && is_utf16(&self.buffer) {
                return Err(self.fail(ProblemKind::Utf16));
            }
            // No text: the rest would only cost time; whoever reads the piece finds the place.
            let binary = memchr::memchr(0, &self.buffer[before..]).is_some();
            if read < wanted || binary {
                self.done = true;
                break;
            }
            if self.total > MAX_FILE_BYTES {
                return Err(self.fail(ProblemKind::FileTooLarge));
            }
            // A marker of four bytes and a blank may have been cut in two by the last reading.
            let mut from = before.saturating_sub(4);
            while let Some(marker) = split::next_marker(&self.buffer, boundary, from, false) {
                boundary = marker;
                from = marker;
            }
            if boundary > 0 {
                break;
            }
            if self.buffer.len() > MAX_DOCUMENT_BYTES {
                let at = self.total - self.buffer.len() as u64;
                let excerpt = self.first_line();
                let mark = Mark { line: self.line, column: 1, end: (self.line, 1), bytes: (at, at), excerpt };
                self.done = true;
                let site = Site { file: Arc::clone(self.file), mark: Some(mark) };
                return Err(Box::new(Problem::new(ProblemKind::DocumentTooLarge, site)));
            }
            // A long document: read on in growing steps, so that the cost stays linear.
            wanted = self.buffer.len().clamp(self.step, 8 << 20);
        }
        if self.done && self.buffer.is_empty() {
            return Ok(None);
        }
        let rest = if self.done { Vec::new() } else { self.buffer.split_off(boundary) };
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let first_line = self.line;
        let first_byte = self.total - (bytes.len() + self.buffer.len()) as u64;
        let lines = memchr::memchr_iter(b'\n', &bytes).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        Ok(Some(Piece { bytes: bytes.into(), first_line, first_byte }))
    }

    fn fail(&mut self, kind: ProblemKind) -> Box<Problem> {
        self.done = true;
        self.buffer = Vec::new();
        Box::new(Problem::of_file(kind, self.file))
    }

    fn first_line(&self) -> Excerpt {
        let start = &self.buffer[..self.buffer.len().min(400)];
        Excerpt::new(&String::from_utf8_lossy(start), 0, 0)
    }
}

/// The pieces of a text that is in memory.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let (mut documents, mut line) = (split::documents(text).peekable(), 1_u32);
    std::iter::from_fn(move || {
        let (start, document) = documents.next()?;
        let mut end = start + document.len();
        while let Some((_, more)) = documents.next_if(|_| end - start < PIECE_BYTES) {
            end += more.len();
        }
        let bytes = &text.as_bytes()[start..end];
        let first_line = line;
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        Some(Piece { bytes: bytes.into(), first_line, first_byte: start as u64 })
    })
}

/// Whether the text begins with a byte order mark of UTF-16 (which is UTF-32's too), or with ASCII
/// in UTF-16 without one.
fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [1..=0x7f, 0, 1..=0x7f, 0, ..])
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_name_shows_the_language() {
        for name in ["a.tf", "d/a.tofu", "a.TF", "a.hcl", "a.tf.tmpl", "a.tofu.bak", "terragrunt.hcl"] {
            assert!(is_terraform(name), "{name}");
        }
        for name in ["a.tf.json", "a.tofu.json", "a.yaml", "a.tf.yaml", "x.tf.d/a", "atf", "tofu"] {
            assert!(!is_terraform(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_file_cut_at_documents(
            lines in proptest::collection::vec("(---|--- #x|---x|%YAML 1\\.2|# c|a: 1|\\PC{0,8}|)", 0..40),
            step in 1..24_usize,
        ) {
            let text = lines.join("\n");
            let starts: Vec<_> = split::documents(&text).map(|(start, _)| start).collect();
            let file: Arc<str> = "r.yaml".into();
            let mut pieces = Pieces { step, ..Pieces::new(&file, Box::new(Cursor::new(text.clone())), 0) };
            let mut read = 0;
            while let Some(piece) = pieces.next().expect("no error") {
                prop_assert!(starts.contains(&read), "cut at {} of {:?}", read, text);
                prop_assert_eq!(piece.first_line as usize, 1 + text[..read].matches('\n').count());
                prop_assert_eq!(&*piece.bytes, &text.as_bytes()[read..read + piece.bytes.len()]);
                read += piece.bytes.len();
            }
            prop_assert_eq!(read, text.len());
        }
    }
}
