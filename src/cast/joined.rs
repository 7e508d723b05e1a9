//! The files of a session as one recording: the first header, and the lines of each file up to where the next one goes on.
//!
//! Lines of a later file follow with their times as they are: in asciicast v2 those count from the session's start, and in v3
//! an event before them has the interval that is missing. Only the last file's exit event and end record count.

use std::cell::Cell;
use std::io::{self, BufRead, Cursor, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::input::Counted;
use super::{Input, Segment, SegmentFault, Segments, reader};
use crate::recording::reader::{Code, Header, Item, MAX_HEADER, Reader, Version};
use crate::recording::{Encoder, Format};

/// The event that has the interval between two files in v3: of a code that is no one's.
const PAUSE: char = 's';

/// A session of several files, ready to be read.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The files in order, and what is wrong with them.
    pub segments: Segments,
    parts: Vec<Part>,
}

/// What is read of a file.
#[derive(Debug, Clone)]
struct Part {
    /// Lines of our own before its lines: an interval, a marker, the window's size.
    before: Vec<u8>,
    /// How many bytes follow its header line; `None` for all.
    keep: Option<u64>,
    /// The line, from 1, that its first line after the header is in the whole.
    line: u64,
}

/// What was found in a file that another one continues.
struct Scanned {
    /// Bytes after the header line up to the end of the last line that counts, and those lines.
    keep: u64,
    lines: u64,
    /// The last of them has no newline.
    open: bool,
    /// The time of the last event in microseconds: in v3 since the file's first.
    time: u64,
    size: (u16, u16),
    fault: Option<SegmentFault>,
}

impl Segments {
    /// Reads all files but the last one, to know where each one ends.
    ///
    /// # Errors
    ///
    /// When one can't be read.
    pub fn join(mut self) -> io::Result<Joined> {
        let (mut parts, mut faults) = (Vec::new(), Vec::new());
        let (mut now, mut line, mut number) = (0, 2, 0);
        let (mut open, mut fault) = (false, None);
        let Some(first) = self.files.first() else { return Err(io::ErrorKind::NotFound.into()) };
        let version = first.header.version;
        let mut size = (first.header.cols, first.header.rows);
        // What the first file's timestamp counts from.
        let start = first.header.timestamp.map(|start| start.saturating_sub(whole_seconds(first.begins())));
        for (n, segment) in self.files.iter().enumerate() {
            let next = self.files.get(n + 1);
            let mut bridge = Bridge::new(version, now, open);
            if n > 0 || segment.number > 1 {
                let since =
                    segment.header.timestamp.zip(start).and_then(|(own, start)| own.checked_sub(start));
                let since =
                    since.filter(|_| version == Version::V3).and_then(|since| u64::try_from(since).ok());
                // Whole seconds: where the last event was in that second, it is that.
                let about = since.map(|since| since.saturating_mul(1_000_000));
                let about = about.map(|about| if now / 1_000_000 == about / 1_000_000 { now } else { about });
                now = bridge.go_on(segment.begins().or(about).unwrap_or(now), segment.number);
                if let Some(text) = gap(segment, number, fault.as_ref()) {
                    bridge.event('m', &text);
                }
                let own = (segment.header.cols, segment.header.rows);
                if std::mem::replace(&mut size, own) != own {
                    bridge.event('r', &format!("{}x{}", own.0, own.1));
                }
            }
            number = segment.number;
            line += bridge.lines;
            let mut part = Part { before: bridge.out, keep: None, line };
            if let Some(next) = next {
                let scanned = scan(segment, next)?;
                (part.keep, open, size) = (Some(scanned.keep), scanned.open, scanned.size);
                // The bridge ends the last line, where it is open.
                line += scanned.lines + u64::from(open);
                now = if version == Version::V3 {
                    now.saturating_add(scanned.time)
                } else {
                    now.max(scanned.time)
                };
                faults.extend(scanned.fault.clone());
                fault = scanned.fault;
            }
            parts.push(part);
        }
        self.faults.extend(faults);
        Ok(Joined { segments: self, parts })
    }
}

impl Joined {
    /// The whole as one text. `done` counts the bytes that are read of the files.
    ///
    /// # Errors
    ///
    /// When a file can't be read.
    pub fn open(&self, done: &Arc<AtomicU64>) -> io::Result<Input> {
        self.chained(done, None)
    }

    /// The same, for one who reads the last file in another way, as [`Following`](super::Following) does.
    ///
    /// # Errors
    ///
    /// When a file can't be read.
    pub fn open_with_last(&self, last: Input) -> io::Result<Input> {
        self.chained(&Arc::default(), Some(last))
    }

    fn chained(&self, done: &Arc<AtomicU64>, last: Option<Input>) -> io::Result<Input> {
        let files: Vec<_> = self.segments.files.iter().cloned().zip(self.parts.iter().cloned()).collect();
        let mut chain = Chain {
            files: files.into_iter().enumerate(),
            now: Box::new(io::empty()),
            last,
            done: Arc::clone(done),
        };
        // An error with the first file is reported at once.
        chain.fill_buf()?;
        Ok(Box::new(chain))
    }

    /// The file, and its line from 1, that a line of the whole is.
    #[must_use]
    pub fn place(&self, line: u64) -> (&Path, u64) {
        let files = self.segments.files.iter().zip(&self.parts);
        let found = files.rev().find(|(_, part)| part.line <= line);
        let (segment, part) = match (found, self.segments.files.first()) {
            (Some(found), _) => found,
            (None, Some(first)) => return (&first.path, line),
            (None, None) => return (Path::new(""), line),
        };
        (&segment.path, line - part.line + 2)
    }

    /// Bytes of all files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.segments.files.iter().map(|segment| segment.size).sum()
    }

    /// The last file: the one that is still written, or has the end.
    #[must_use]
    pub fn last(&self) -> Option<&Segment> {
        self.segments.files.last()
    }
}

/// The text of one file after the other. One is open at a time, however many there are.
struct Chain {
    files: std::iter::Enumerate<std::vec::IntoIter<(Segment, Part)>>,
    now: Input,
    last: Option<Input>,
    done: Arc<AtomicU64>,
}

impl Chain {
    fn open(&mut self, n: usize, segment: &Segment, part: Part) -> io::Result<Input> {
        let given = self.last.take_if(|_| part.keep.is_none());
        let mut text = match given {
            Some(text) => text,
            None => reader(Counted { inner: segment.read()?, done: Arc::clone(&self.done) })?,
        };
        let mut header = Vec::new();
        text.by_ref().take(MAX_HEADER as u64 + 1).read_until(b'\n', &mut header)?;
        if n > 0 {
            header.clear();
        } else if segment.number > 1 {
            header = with_start(header, segment);
        }
        let before = Cursor::new([header, part.before].concat());
        Ok(match part.keep {
            Some(keep) => Box::new(before.chain(text.take(keep))),
            None => Box::new(before.chain(text)),
        })
    }
}

impl Read for Chain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Chain {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.now.fill_buf()?.is_empty() {
            let Some((n, (segment, part))) = self.files.next() else { break };
            self.now = self.open(n, &segment, part)?;
        }
        self.now.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.now.consume(n);
    }
}

/// What a person should see before a file where what it continues is not all there; `number` is the last file's before it.
fn gap(segment: &Segment, number: u64, fault: Option<&SegmentFault>) -> Option<String> {
    let continues = segment.session.continues.as_ref();
    let before = continues.map_or(segment.number - 1, |continues| u64::from(continues.segment));
    match fault {
        _ if before != number => Some(format!("Gap: segment {before} of the session is missing")),
        Some(SegmentFault::Short { .. }) => Some(format!("Gap: segment {before} of the session is cut off")),
        Some(_) => Some(format!("Gap: segment {before} of the session is damaged")),
        None => None,
    }
}

/// Lines of our own between two files.
struct Bridge {
    encoder: Encoder,
    version: Version,
    /// The time of the next line, in microseconds.
    now: u64,
    lines: u64,
    out: Vec<u8>,
}

impl Bridge {
    /// After lines up to `now`, of which the last one may be `open`, without a newline.
    fn new(version: Version, now: u64, open: bool) -> Self {
        let format = if version == Version::V3 { Format::AsciicastV3 } else { Format::AsciicastV2 };
        let out = if open { b"\n".to_vec() } else { Vec::new() };
        Self { encoder: Encoder::new(format, now), version, now, lines: 0, out }
    }

    /// Goes on to the moment when the segment begins, and gives the time that it is then.
    fn go_on(&mut self, time: u64, number: u64) -> u64 {
        self.now = self.now.max(time);
        if self.version == Version::V3 {
            self.event(PAUSE, &number.to_string());
        }
        self.now
    }

    fn event(&mut self, code: char, text: &str) {
        self.encoder.event(self.now, code, text, &mut self.out);
        self.lines += 1;
    }
}

/// Reads a file up to where `next` goes on.
fn scan(segment: &Segment, next: &Segment) -> io::Result<Scanned> {
    let limit =
        next.session.continues.as_ref().filter(|continues| u64::from(continues.segment) == segment.number);
    let limit = limit.and_then(|continues| continues.bytes);
    let read = Rc::new(Cell::new(Position::default()));
    let text = reader(segment.read()?)?.take(limit.unwrap_or(u64::MAX));
    let text = Followed { inner: text, position: Rc::clone(&read) };
    let damaged =
        |reason: String| SegmentFault::Damaged { path: segment.path.clone(), reason, next: next.number };
    let mut reader = match Reader::new(text) {
        Ok(reader) => reader,
        Err(error) => {
            return Ok(Scanned {
                fault: Some(damaged(error.to_string())),
                ..Scanned::empty(&segment.header)
            });
        }
    };
    let begin = read.get();
    let mut scanned = Scanned::empty(&segment.header);
    let mut closed = false;
    for item in reader.by_ref() {
        match item {
            // A recovery, or a forger, has closed it: the session went on.
            Ok(Item::End(_)) => closed = true,
            Ok(Item::Event(event)) if event.code == Code::Exit => closed = true,
            Ok(Item::TornTail { .. }) => break,
            Ok(item) => {
                if let Item::Event(event) = item {
                    scanned.time = event.time;
                    scanned.size =
                        size(&event.data).filter(|_| event.code == Code::Resize).unwrap_or(scanned.size);
                }
                let now = read.get();
                (scanned.keep, scanned.lines, scanned.open) =
                    (now.bytes - begin.bytes, now.lines - begin.lines, now.open);
            }
            Err(error) => {
                scanned.fault = Some(damaged(error.to_string()));
                closed = true;
            }
        }
        if closed {
            return Ok(scanned);
        }
    }
    let held = read.get().bytes;
    if let Some(bytes) = limit.filter(|&bytes| held < bytes) {
        scanned.fault = Some(SegmentFault::Short { path: segment.path.clone(), held, bytes });
    }
    Ok(scanned)
}

impl Scanned {
    fn empty(header: &Header) -> Self {
        Self { keep: 0, lines: 0, open: false, time: 0, size: (header.cols, header.rows), fault: None }
    }
}

/// The header of a file whose predecessors are missing, with the session's start: its times count from there, too.
fn with_start(line: Vec<u8>, segment: &Segment) -> Vec<u8> {
    let before = if segment.header.version == Version::V3 { whole_seconds(segment.begins()) } else { 0 };
    let start = segment.header.timestamp.and_then(|start| start.checked_sub(before));
    let Ok(mut header) = serde_json::from_slice::<serde_json::Value>(&line) else { return line };
    match (header.get_mut("timestamp"), start) {
        (Some(timestamp), Some(start)) => *timestamp = start.into(),
        _ => return line,
    }
    let mut line = header.to_string().into_bytes();
    line.push(b'\n');
    line
}

fn size(text: &str) -> Option<(u16, u16)> {
    let (cols, rows) = text.split_once('x')?;
    Some((cols.parse().ok()?, rows.parse().ok()?))
}

fn whole_seconds(micros: Option<u64>) -> i64 {
    i64::try_from(micros.unwrap_or(0) / 1_000_000).unwrap_or(0)
}

/// How far a text was read.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    bytes: u64,
    lines: u64,
    /// The last byte is no newline.
    open: bool,
}

/// Notes how far its lines were taken. A reader of recordings takes them one by one.
struct Followed<R> {
    inner: R,
    position: Rc<Cell<Position>>,
}

impl<R: BufRead> Read for Followed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(buffer.len());
        buffer[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Followed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        // What was filled before is given again.
        if let Ok(taken) = self.inner.fill_buf()
            && n > 0
        {
            let taken = &taken[..n.min(taken.len())];
            let Position { bytes, lines, .. } = self.position.get();
            let newlines = memchr::memchr_iter(b'\n', taken).count() as u64;
            let open = taken.last() != Some(&b'\n');
            self.position.set(Position { bytes: bytes + n as u64, lines: lines + newlines, open });
        }
        self.inner.consume(n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_reads_the_last_file_otherwise_reads_the_same() {
        let dir = tempfile::tempdir().expect("a directory");
        let header = |more: &str| {
            format!(
                "{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}},\"recmode\":{{\"session\":\"s\"{more}}}}}\n"
            )
        };
        let first = header("") + "[0.5,\"o\",\"one\"]\n[0.5,\"o\",\"torn";
        let second = header(",\"segment\":2,\"first\":\"a.cast\"") + "[0.5,\"o\",\"two\"]\n";
        let files = ["a.cast", "a.2.cast"].map(|name| dir.path().join(name));
        std::fs::write(&files[0], &first).expect("written");
        std::fs::write(&files[1], &second).expect("written");
        let joined =
            super::super::segments(&files[0]).expect("read").expect("a session").join().expect("joined");
        let mut whole = String::new();
        joined.open(&Arc::default()).and_then(|mut text| text.read_to_string(&mut whole)).expect("read");
        assert_eq!(
            whole,
            header("") + "[0.5,\"o\",\"one\"]\n[0.000000, \"s\", \"2\"]\n[0.5,\"o\",\"two\"]\n"
        );
        assert_eq!(joined.place(2), (&*files[0], 2));
        assert_eq!(joined.place(4), (&*files[1], 2));
        let last = reader(std::fs::File::open(&files[1]).expect("a file")).expect("opened");
        let mut followed = String::new();
        joined.open_with_last(last).and_then(|mut text| text.read_to_string(&mut followed)).expect("read");
        assert_eq!(followed, whole);
    }
}
