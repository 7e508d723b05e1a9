//! The chain of checks, from a file's first byte to its last.

use std::io::{self, Read};

use serde_json::Value;

use crate::recording::chain::{self, FileHash};

/// A longer line is no record of ours.
const BUFFER: usize = 1024 * 1024;

/// What is read at a time: it is hashed while it is still in the cache.
const READ: usize = 128 * 1024;

/// What following the chain came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// Every byte is as it was written, and the recording was closed.
    Intact {
        /// How many gaps it tells of: what came then may be missing, and is said.
        gaps: u64,
    },
    /// There is no end. All before this byte is as it was written; no check covers what follows.
    CutOff {
        /// Where the last check ends.
        after: u64,
        /// Bytes that follow it.
        unchecked: u64,
    },
    /// It was closed by `recmode recover` after a crash, so that no check covers what follows this byte.
    Recovered {
        /// Where the last check ends.
        after: u64,
        /// Bytes that follow it.
        unchecked: u64,
    },
    /// Something between these lines (from 1, both included) is not as it was written.
    Changed {
        /// The first line that it may be.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// It has no chain: another program's, or an older recmode's.
    NoChain,
    /// It is no asciicast of lines.
    NoRecording,
}

/// Follows the chain through a recording's text; `progress` is told how many bytes were read. The end of a
/// compressed one that was cut off ([`io::ErrorKind::UnexpectedEof`]) is one of the text.
///
/// # Errors
/// Those of reading.
pub fn follow(mut source: impl Read, mut progress: impl FnMut(u64)) -> io::Result<Followed> {
    let mut follower = Follower::default();
    let mut buffer = vec![0; READ];
    while follower.done.is_none() {
        match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                progress(n as u64);
                follower.feed(&buffer[..n]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                follower.cut();
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(follower.finish())
}

/// The same for one who reads the text too: it is told what was read.
#[derive(Default)]
pub struct Follower {
    state: State,
    /// A line whose end has not come yet.
    kept: Vec<u8>,
    /// Whether it began before that, and is too long for a record of ours.
    long: bool,
    cut: bool,
    done: Option<Followed>,
}

impl Follower {
    /// The next bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        if self.done.is_some() {
            return;
        }
        if !self.kept.is_empty() || self.long {
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            self.kept.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
            if self.kept.ends_with(b"\n") {
                self.done = self.state.lines(&self.kept, &mut self.long);
                self.kept.clear();
            }
        }
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        if self.done.is_none() && whole > 0 {
            self.done = self.state.lines(&bytes[..whole], &mut self.long);
        }
        self.kept.extend_from_slice(&bytes[whole..]);
        if self.kept.len() >= BUFFER {
            if self.state.header.is_none() {
                self.done = Some(Followed::NoRecording);
            }
            self.state.hash(&self.kept);
            self.kept.clear();
            self.long = true;
        }
    }

    /// What was to follow could not be read: the compressed file was cut off.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// What it came to.
    #[must_use]
    pub fn finish(self) -> Followed {
        if let Some(done) = self.done {
            return done;
        }
        let after = self.state.check.map_or(0, |(_, after)| after);
        match self.state.end(self.kept.len() as u64, self.long) {
            Followed::Intact { .. } if self.cut => Followed::CutOff { after, unchecked: 0 },
            followed => followed,
        }
    }
}

/// How far the chain was followed.
#[derive(Default)]
struct State {
    hash: FileHash,
    /// Bytes of whole lines so far, and those lines.
    bytes: u64,
    lines: u64,
    header: Option<Header>,
    gaps: u64,
    /// The line of the last check, and where it ends.
    check: Option<(u64, u64)>,
    /// The line of the end record, and whether a recovery wrote it.
    end: Option<(u64, bool)>,
}

#[derive(Clone, Copy)]
enum Header {
    /// With a chain, or without. Whether it is of version 2, whose records are events.
    Chained {
        events: bool,
    },
    Plain {
        events: bool,
    },
    NoRecording,
}

impl State {
    fn hash(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    /// Follows whole lines; `long` is whether the first one began before them. Only lines that may be records
    /// are looked at one by one: the rest is hashed and its newlines are counted.
    fn lines(&mut self, text: &[u8], long: &mut bool) -> Option<Followed> {
        let mut start = 0;
        if !text.is_empty() && (self.header.is_none() || *long) {
            start = line_end(text, 0);
            if self.header.is_none() {
                let header = if *long { Header::NoRecording } else { header(&text[..start]) };
                if let Header::NoRecording = header {
                    return Some(Followed::NoRecording);
                }
                self.header = Some(header);
            }
            *long = false;
        }
        let (mut hashed, mut counted) = (0, 0);
        while let Some(at) = self.next_record(text, start) {
            start = line_end(text, at);
            self.lines += newlines(&text[counted..start]);
            counted = start;
            let line = &text[at..start];
            if let Some(value) = chain::value_in(line) {
                let at = at + value.start;
                self.hash(&text[hashed..at]);
                hashed = at;
                let right = self.hash.value(b"");
                if right.to_hex().as_bytes() != &line[value] {
                    let from = self.check.map_or(1, |(line, _)| line + 1);
                    return Some(Followed::Changed { from, to: self.lines });
                }
                self.check = Some((self.lines, self.bytes + (start - at) as u64));
            } else {
                self.record(line);
            }
        }
        self.lines += newlines(&text[counted..]);
        self.hash(&text[hashed..]);
        None
    }

    /// The start of the next line that may be a record, from the start of a line on.
    fn next_record(&self, text: &[u8], start: usize) -> Option<usize> {
        const COMMENT: &[u8] = b"\n#recmode {";
        let rest = &text[start..];
        match self.header? {
            Header::Chained { events: true } | Header::Plain { events: true } => {
                let inside = start + memchr::memmem::find(rest, b", \"R\", \"{")?;
                Some(memchr::memrchr(b'\n', &text[..inside]).map_or(0, |newline| newline + 1))
            }
            _ if rest.starts_with(&COMMENT[1..]) => Some(start),
            _ => Some(start + memchr::memmem::find(rest, COMMENT)? + 1),
        }
    }

    /// Takes note of a gap, or of the end.
    fn record(&mut self, line: &[u8]) {
        let is = |v3: &[u8], v2: &[u8]| {
            line.starts_with(v3)
                || (line.starts_with(b"[") && memchr::memmem::find(&line[..line.len().min(64)], v2).is_some())
        };
        if is(b"#recmode {\"gap\":", b", \"R\", \"{\\\"gap\\\":") {
            self.gaps += 1;
        } else if is(b"#recmode {\"end\":", b", \"R\", \"{\\\"end\\\":") {
            let recovered = memchr::memmem::find(line, b"\"recovered").is_some();
            self.end.get_or_insert((self.lines, recovered));
        }
    }

    /// `torn` bytes follow the last whole line; more of that line may have been hashed already.
    fn end(self, torn: u64, long: bool) -> Followed {
        let torn_line = torn > 0 || long;
        match self.header {
            None | Some(Header::NoRecording) => return Followed::NoRecording,
            Some(Header::Plain { .. }) if self.check.is_none() => return Followed::NoChain,
            Some(_) => {}
        }
        let (checked, after) = self.check.unwrap_or((0, 0));
        let unchecked = self.bytes + torn - after;
        match self.end {
            Some((_, true)) => Followed::Recovered { after, unchecked },
            // The last check is right behind the end, and nothing behind that.
            Some((end, false)) if checked == end + 1 && unchecked == 0 => {
                Followed::Intact { gaps: self.gaps }
            }
            // Nothing is written after them.
            Some((end, false)) if self.lines > end => {
                Followed::Changed { from: end.max(checked) + 1, to: self.lines + u64::from(torn_line) }
            }
            _ => Followed::CutOff { after, unchecked },
        }
    }
}

/// Where the line ends that begins at `start`, behind its newline.
fn line_end(text: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at + 1)
}

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// What the first line says.
fn header(line: &[u8]) -> Header {
    let Ok(header) = serde_json::from_slice::<Value>(line) else { return Header::NoRecording };
    match header.get("version").and_then(Value::as_u64) {
        Some(version @ 1..=3) => {
            let events = version == 2;
            if header["recmode"]["chain"].is_string() {
                Header::Chained { events }
            } else {
                Header::Plain { events }
            }
        }
        _ => Header::NoRecording,
    }
}
