//! The chain of checks, from a file's first byte to its last.

use std::io::{self, Read};

use jiff::Timestamp;
use serde_json::Value;

use super::lines::{check_inside, is_check_begun, is_record, line_end, newlines, next_comment, next_event};
use crate::recording::chain::{self, FileHash};
use crate::recording::reader::{MAX_HEADER, Reader};

/// A longer line is no record of ours.
const BUFFER: usize = 1024 * 1024;

/// How much is searched for checks where the first line is no header: one comes after 64 KiB and what is written at once.
const SEARCHED: u64 = 2 * 1024 * 1024;

/// How much that follows the last check is read as lines, bytes: see [`SEARCHED`].
const MOST_TAIL: usize = 2 * 1024 * 1024;

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
    /// The first change is between these lines (from 1, both included); what follows them was not looked at.
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

/// What the text says beside its chain. Only an intact one proves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// When the recording began, by its header.
    pub recorded: Option<Timestamp>,
    /// The session's id, by its header.
    pub session: Option<String>,
    /// The number of the segment of the session, from 1, by its header.
    pub segment: u64,
}

/// Follows the chain through a recording's text; `progress` gets how many bytes were read. The end of a
/// compressed one that was cut off ([`io::ErrorKind::UnexpectedEof`]) is one of the text.
///
/// # Errors
/// Those of reading.
pub fn follow(mut source: impl Read, mut progress: impl FnMut(u64)) -> io::Result<(Followed, Facts)> {
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
        if self.kept.len() >= if self.state.header.is_none() { MAX_HEADER } else { BUFFER } {
            self.done = self.state.long_line(&self.kept);
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
    pub fn finish(mut self) -> (Followed, Facts) {
        let followed = self.done.take().unwrap_or_else(|| {
            let after = self.state.check.map_or(0, |(_, after)| after);
            match self.state.end(&self.kept, self.long) {
                Followed::Intact { .. } if self.cut => Followed::CutOff { after, unchecked: 0 },
                followed @ (Followed::CutOff { unchecked: 1.., .. }
                | Followed::Recovered { unchecked: 1.., .. }) => {
                    let torn = if self.cut || self.long { &[] } else { self.kept.as_slice() };
                    let from = self.state.unchecked_from();
                    self.state.wrong_line(torn).map_or(followed, |to| Followed::Changed { from, to })
                }
                followed => followed,
            }
        });
        (followed, self.state.facts)
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
    facts: Facts,
    gaps: u64,
    /// The line of the last check, and where it ends.
    check: Option<(u64, u64)>,
    /// The line of the end record, and whether a recovery wrote it.
    end: Option<(u64, bool)>,
    /// The first line of a recording with a chain, and the first whole lines that the last check does not cover.
    first: Vec<u8>,
    tail: Vec<u8>,
    /// Whether more of them came than are kept.
    tail_is_full: bool,
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

    /// The first line that the last check does not cover.
    fn unchecked_from(&self) -> u64 {
        self.check.map_or(1, |(line, _)| line + 1)
    }

    /// Takes the beginning of a line that is too long for a record.
    fn long_line(&mut self, text: &[u8]) -> Option<Followed> {
        if let Header::NoRecording = self.header.get_or_insert(Header::NoRecording) {
            return self.search(text);
        }
        self.hash(text);
        self.tail_is_full = true;
        None
    }

    /// Looks for a check where the first line is no header: then it was one before something was changed.
    fn search(&mut self, text: &[u8]) -> Option<Followed> {
        if let Some(at) = check_inside(text) {
            return Some(Followed::Changed { from: 1, to: self.lines + newlines(&text[..at]) + 1 });
        }
        self.lines += newlines(text);
        self.bytes += text.len() as u64;
        (self.bytes > SEARCHED).then_some(Followed::NoRecording)
    }

    /// Follows whole lines; `long` is whether the first one began before them. Only lines that may be records
    /// are looked at one by one: the rest is hashed and its newlines are counted.
    fn lines(&mut self, text: &[u8], long: &mut bool) -> Option<Followed> {
        let mut start = 0;
        if !text.is_empty() && (self.header.is_none() || *long) {
            start = line_end(text, 0);
            if self.header.is_none() {
                let header = self.read_header(&text[..start]);
                if let Header::Chained { .. } = header {
                    self.first.extend_from_slice(&text[..start]);
                }
                self.header = Some(header);
            }
            *long = false;
        }
        if let Some(Header::NoRecording) = self.header {
            return self.search(text);
        }
        let (mut hashed, mut counted, mut unchecked) = (0, 0, start);
        let (mut next, mut other) = (self.next_record(text, start), self.next_of_other(text, start));
        while let Some(at) = next.into_iter().chain(other).min() {
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
                    return Some(Followed::Changed { from: self.unchecked_from(), to: self.lines });
                }
                self.check = Some((self.lines, self.bytes + (start - at) as u64));
                self.tail.clear();
                self.tail_is_full = false;
                unchecked = start;
            } else if is_record(line, "check") {
                // The recorder writes a check whole, or not at all.
                return Some(Followed::Changed { from: self.unchecked_from(), to: self.lines });
            } else {
                self.record(line);
            }
            next = self.next_record(text, start);
            if other.is_some_and(|at| at < start) {
                other = self.next_of_other(text, start);
            }
        }
        self.lines += newlines(&text[counted..]);
        self.hash(&text[hashed..]);
        self.keep(&text[unchecked..]);
        None
    }

    /// Keeps whole lines that no check covers yet.
    fn keep(&mut self, text: &[u8]) {
        if self.first.is_empty() || self.tail_is_full {
            return;
        }
        let mut kept = text.len().min(MOST_TAIL - self.tail.len());
        if kept < text.len() {
            kept = memchr::memrchr(b'\n', &text[..kept]).map_or(0, |at| at + 1);
            self.tail_is_full = true;
        }
        self.tail.extend_from_slice(&text[..kept]);
    }

    /// The first line behind the last check that no crash leaves: a whole one that can't be read.
    fn wrong_line(&self, torn: &[u8]) -> Option<u64> {
        let torn = if self.tail_is_full { &[] } else { torn };
        let mut reader = Reader::new(self.first.chain(self.tail.as_slice()).chain(torn)).ok()?;
        let line = reader.find_map(|item| item.err()?.line_mut().copied())?;
        // It counts from the header, which is line 1.
        Some(self.check.map_or(1, |(line, _)| line) + line - 1)
    }

    /// The start of the next line that may be a record, from the start of a line on.
    fn next_record(&self, text: &[u8], start: usize) -> Option<usize> {
        if self.has_events() { next_event(text, start) } else { next_comment(text, start) }
    }

    /// The records of the other version. Up to the first check, which covers the header, the version may be what was
    /// changed.
    fn next_of_other(&self, text: &[u8], start: usize) -> Option<usize> {
        match self.check {
            Some(_) => None,
            None if self.has_events() => next_comment(text, start),
            None => next_event(text, start),
        }
    }

    fn has_events(&self) -> bool {
        matches!(self.header, Some(Header::Chained { events: true } | Header::Plain { events: true }))
    }

    /// Takes note of a gap, or of the end.
    fn record(&mut self, line: &[u8]) {
        if is_record(line, "gap") {
            self.gaps += 1;
        } else if is_record(line, "end") {
            let recovered = memchr::memmem::find(line, b"\"recovered").is_some();
            self.end.get_or_insert((self.lines, recovered));
        }
    }

    /// `torn` follows the last whole line; more of that line may have been hashed already.
    fn end(&mut self, mut torn: &[u8], long: bool) -> Followed {
        match self.header {
            Some(Header::Plain { .. }) if self.check.is_none() => return Followed::NoChain,
            Some(Header::Plain { .. } | Header::Chained { .. }) => {}
            None | Some(Header::NoRecording) => return self.search(torn).unwrap_or(Followed::NoRecording),
        }
        // A last check that only lacks its newline is whole.
        let line = [torn, b"\n"].concat();
        if let Some(value) = chain::value_in(&line).filter(|_| !long) {
            if self.hash.value(&line[..value.start]).to_hex().as_bytes() != &line[value] {
                return Followed::Changed { from: self.unchecked_from(), to: self.lines + 1 };
            }
            self.lines += 1;
            self.bytes += torn.len() as u64;
            self.check = Some((self.lines, self.bytes));
            torn = &[];
        }
        let (checked, after) = self.check.unwrap_or((0, 0));
        let unchecked = self.bytes + torn.len() as u64 - after;
        let torn_line = !torn.is_empty() || long;
        match self.end {
            // The last check is right behind the end, and nothing behind that.
            Some((end, false)) if checked == end + 1 && unchecked == 0 => {
                Followed::Intact { gaps: self.gaps }
            }
            Some((end, true)) if end == self.lines && !torn_line => Followed::Recovered { after, unchecked },
            // Nothing but a check is written after an end, whole or torn.
            Some((end, _)) if self.lines > end || (torn_line && !is_check_begun(torn)) => {
                Followed::Changed { from: self.unchecked_from(), to: self.lines + u64::from(torn_line) }
            }
            _ => Followed::CutOff { after, unchecked },
        }
    }

    /// What the first line says.
    fn read_header(&mut self, line: &[u8]) -> Header {
        let Ok(header) = serde_json::from_slice::<Value>(line) else { return Header::NoRecording };
        let ours = &header["recmode"];
        let timestamp = header.get("timestamp").and_then(Value::as_f64);
        self.facts = Facts {
            #[expect(clippy::cast_possible_truncation, reason = "what is out of range is none")]
            recorded: timestamp.and_then(|seconds| Timestamp::from_second(seconds.floor() as i64).ok()),
            session: ours["session"].as_str().map(str::to_owned),
            segment: ours["segment"].as_u64().unwrap_or(1),
        };
        match header.get("version").and_then(Value::as_u64) {
            Some(version @ 1..=3) => {
                let events = version == 2;
                if ours["chain"].is_string() { Header::Chained { events } } else { Header::Plain { events } }
            }
            _ => Header::NoRecording,
        }
    }
}
