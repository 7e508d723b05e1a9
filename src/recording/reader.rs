//! A streaming reader of asciicast v2 and v3, any tool's, and of recmode's records in them.
//!
//! Line by line, in bounded memory whatever the input holds; it neither prints nor opens files.
//! A recording that was cut off is read up to where it ends: see [`Item::TornTail`].
//!
//! Formats: <https://docs.asciinema.org/manual/asciicast/v2/> and `…/v3/`.

mod decode;
mod time;

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::Deserialize;

/// The longest line that is read, in bytes without its newline. Memory is bounded by about four
/// times this: the line, the event made of it, and the exact bytes from the record before it.
pub const MAX_LINE: usize = 16 << 20;

/// The longest header line, in bytes: smaller, since a header is kept as a tree.
pub const MAX_HEADER: usize = 1 << 20;

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Times of events are absolute.
    V2,
    /// Times of events are intervals; lines that start with `#` are comments.
    V3,
}

/// The first line.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The version of the format.
    pub version: Version,
    /// The terminal's columns.
    pub cols: u16,
    /// The terminal's rows.
    pub rows: u16,
    /// The terminal's type: v3's `term.type`, v2's `env.TERM`.
    pub term_type: Option<String>,
    /// When the session started, in seconds since 1970.
    pub timestamp: Option<i64>,
    /// The command that was recorded.
    pub command: Option<String>,
    /// The recording's title.
    pub title: Option<String>,
    /// The environment variables that were kept.
    pub env: BTreeMap<String, String>,
    /// recmode's own object; other tools' recordings have none.
    pub recmode: Option<serde_json::Value>,
}

/// What an event is. Events of other codes are skipped; their times count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// `o`: the session printed this.
    Output,
    /// `i`: the user typed this.
    Input,
    /// `r`: the terminal has a new size, `COLSxROWS`.
    Resize,
    /// `m`: a marker, with its label.
    Marker,
    /// `x`: the session ended, with its exit status in decimal.
    Exit,
}

impl Code {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "o" => Some(Self::Output),
            "i" => Some(Self::Input),
            "r" => Some(Self::Resize),
            "m" => Some(Self::Marker),
            "x" => Some(Self::Exit),
            _ => None,
        }
    }
}

/// Something that happened in the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The line of the file, from 1.
    pub line: u64,
    /// When, in microseconds since the start of the recording.
    pub time: u64,
    /// What it is.
    pub code: Code,
    /// Its text; bytes that were no UTF-8 are U+FFFD here.
    pub data: String,
    raw: Option<Vec<u8>>,
}

impl Event {
    /// The bytes as the session had them: those of the raw record directly before the event, if
    /// there is one, else the text's.
    #[must_use]
    pub fn exact_bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.data.as_bytes())
    }
}

/// Output came while the recording failed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Gap {
    /// How many bytes came.
    pub bytes: u64,
    /// How long it lasted.
    pub seconds: f64,
    /// How many of the bytes are not in the recording.
    pub lost: u64,
    /// The error's name, such as `ENOSPC`.
    pub error: String,
}

/// The recording was closed; without this at its end it is incomplete.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct End {
    /// Why.
    pub reason: String,
    /// The exit status of `record`.
    pub status: Option<i64>,
    /// Bytes of output that were recorded.
    pub bytes: Option<u64>,
}

/// What a recording consists of, after its header.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An event.
    Event(Event),
    /// A gap record.
    Gap(Gap),
    /// An end record.
    End(End),
    /// The recording was cut off in this line (or right before an event whose exact bytes stand
    /// in this line); nothing follows. A last line without a newline counts as cut off; what it
    /// holds, if it is whole, comes before this item.
    TornTail {
        /// The line of the file, from 1.
        line: u64,
    },
}

/// Why a recording can't be read. Messages are safe to print on a terminal.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input failed.
    #[error("line {line}: cannot be read")]
    Io {
        /// The line of the file, from 1.
        line: u64,
        /// The cause.
        source: io::Error,
    },
    /// There is nothing.
    #[error("the file is empty, not a recording")]
    Empty,
    /// A line is too long.
    #[error("line {line}: longer than {limit} bytes")]
    TooLong {
        /// The line of the file, from 1.
        line: u64,
        /// [`MAX_HEADER`] or [`MAX_LINE`].
        limit: usize,
    },
    /// A line is not what it should be.
    #[error("line {line}{}: {reason}", column.map(|column| format!(", column {column}")).unwrap_or_default())]
    Invalid {
        /// The line of the file, from 1.
        line: u64,
        /// The byte of the line, from 1, where it is known.
        column: Option<usize>,
        /// The cause.
        reason: String,
    },
}

/// How a line ended.
#[derive(PartialEq, Eq)]
enum Ending {
    Newline,
    /// The input ended before a newline; the line may be empty.
    Input,
    /// The line exceeds its limit; the rest of it was skipped.
    TooLong,
}

/// Where the reader is.
enum State {
    Reading,
    /// The item of the torn line was given, the word that it is torn was not.
    Torn,
    Done,
}

/// Reads a recording; an iterator over what comes after the header. It ends after the first error.
pub struct Reader<R> {
    input: R,
    header: Header,
    buffer: Vec<u8>,
    /// The number of the line in the buffer, from 1.
    line: u64,
    /// The time of the last event in nanoseconds: summed finer than given, so that nothing drifts.
    time: u64,
    raw: Option<(Code, Vec<u8>)>,
    state: State,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// When the input can't be read, or its first line is no header of asciicast v2 or v3.
    pub fn new(mut input: R) -> Result<Self, ReadError> {
        let mut buffer = Vec::new();
        match read_line(&mut input, &mut buffer, MAX_HEADER, 1)? {
            Ending::TooLong => return Err(ReadError::TooLong { line: 1, limit: MAX_HEADER }),
            Ending::Input if buffer.is_empty() => return Err(ReadError::Empty),
            _ => {}
        }
        let header = utf8(&buffer).and_then(decode::header).map_err(|fault| ReadError::Invalid {
            line: 1,
            column: fault.column,
            reason: fault.reason,
        })?;
        Ok(Self { input, header, buffer, line: 1, time: 0, raw: None, state: State::Reading })
    }

    /// The first line.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            match self.state {
                State::Reading => {}
                State::Torn => return Ok(Some(self.torn_tail())),
                State::Done => return Ok(None),
            }
            let ending = read_line(&mut self.input, &mut self.buffer, MAX_LINE, self.line + 1)?;
            if ending == Ending::Input && self.buffer.is_empty() {
                self.state = State::Done;
                // The event that this record belongs to was to follow.
                return Ok(self.raw.is_some().then(|| self.torn_tail()));
            }
            self.line += 1;
            let decoded = if ending == Ending::TooLong {
                Err(ReadError::TooLong { line: self.line, limit: MAX_LINE })
            } else {
                self.decode()
            };
            match decoded {
                Ok(item) => {
                    if ending == Ending::Input {
                        self.state = State::Torn;
                    }
                    if item.is_some() {
                        return Ok(item);
                    }
                }
                Err(error) if ending != Ending::Input && !self.at_end()? => return Err(error),
                Err(_) => return Ok(Some(self.torn_tail())),
            }
        }
    }

    /// The item in the buffer's line, if it holds one.
    fn decode(&mut self) -> Result<Option<Item>, ReadError> {
        let invalid = |column, reason| ReadError::Invalid { line: self.line, column, reason };
        let decoded = utf8(&self.buffer)
            .and_then(|line| decode::line(self.header.version, line))
            .map_err(|fault| invalid(fault.column, fault.reason))?;
        if matches!(decoded, decode::Line::Blank) {
            return Ok(None);
        }
        // Whatever this line is, a record of exact bytes before it belongs to it or to nothing.
        let raw = self.raw.take();
        if let decode::Line::Event { time, .. } | decode::Line::OtherEvent { time } = &decoded {
            self.time = match self.header.version {
                Version::V2 => *time,
                Version::V3 => self.time.checked_add(*time).ok_or_else(|| {
                    invalid(None, "the times of the events add up to more than 2^64 nanoseconds".to_owned())
                })?,
            };
        }
        Ok(match decoded {
            decode::Line::Event { code, data, .. } => {
                let raw = raw.filter(|(of, _)| *of == code).map(|(_, bytes)| bytes);
                let time = time::microseconds(self.time);
                Some(Item::Event(Event { line: self.line, time, code, data, raw }))
            }
            decode::Line::Raw(code, bytes) => {
                self.raw = Some((code, bytes));
                None
            }
            decode::Line::Gap(gap) => Some(Item::Gap(gap)),
            decode::Line::End(end) => Some(Item::End(end)),
            decode::Line::OtherEvent { .. } | decode::Line::Blank | decode::Line::Other => None,
        })
    }

    fn torn_tail(&mut self) -> Item {
        self.state = State::Done;
        Item::TornTail { line: self.line }
    }

    fn at_end(&mut self) -> Result<bool, ReadError> {
        loop {
            match self.input.fill_buf() {
                Ok(rest) => return Ok(rest.is_empty()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(ReadError::Io { line: self.line + 1, source }),
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_item();
        if next.is_err() {
            self.state = State::Done;
        }
        next.transpose()
    }
}

/// Replaces the buffer with the next line, without its newline, up to the limit.
fn read_line(
    input: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    limit: usize,
    line: u64,
) -> Result<Ending, ReadError> {
    buffer.clear();
    let mut too_long = false;
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(ReadError::Io { line, source }),
        };
        if available.is_empty() {
            return Ok(if too_long { Ending::TooLong } else { Ending::Input });
        }
        let newline = memchr::memchr(b'\n', available);
        let part = &available[..newline.unwrap_or(available.len())];
        too_long = too_long || part.len() > limit - buffer.len();
        if !too_long {
            buffer.extend_from_slice(part);
        }
        let used = part.len() + usize::from(newline.is_some());
        input.consume(used);
        if newline.is_some() {
            return Ok(if too_long { Ending::TooLong } else { Ending::Newline });
        }
    }
}

fn utf8(line: &[u8]) -> Result<&str, decode::Fault> {
    std::str::from_utf8(line).map_err(|error| decode::Fault {
        column: Some(error.valid_up_to() + 1),
        reason: "invalid UTF-8".to_owned(),
    })
}

#[cfg(test)]
mod tests;
