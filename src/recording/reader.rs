//! A streaming reader of asciicast v1, v2 and v3, any tool's, and of recmode's records in them.
//!
//! Line by line, in bounded memory whatever the input holds; it neither prints nor opens files.
//! A recording that was cut off is read up to where it ends: see [`Item::TornTail`].
//!
//! Formats: <https://docs.asciinema.org/manual/asciicast/v2/> and `…/v3/`.

mod decode;
mod event;
mod head;
mod item;
mod oversize;
mod time;
mod v1;

use std::io::{self, BufRead};
use std::sync::{Arc, OnceLock};

pub use self::item::{Code, End, Event, Gap, Header, Item, SftpFile, Streams, Version};
pub use self::oversize::Oversize;
pub use self::time::session_length;

/// The longest line that is read, in bytes without its newline. Memory is bounded by about four
/// times this: the line, the event made of it, and the exact bytes from the record before it.
pub const MAX_LINE: usize = 16 << 20;

/// The longest header line, in bytes. recmode's own have at most 1 MiB; other tools keep environments and themes there.
pub const MAX_HEADER: usize = MAX_LINE;

/// The largest recording of version 1, which is one JSON document, in bytes.
pub const MAX_V1: usize = 64 << 20;

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
    /// A recording of version 1 is too large.
    #[error("a recording of asciicast v1 may have {MAX_V1} bytes, but this one has more")]
    TooLargeV1,
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

impl ReadError {
    /// The line that it is about, for who knows better which one of a file that is.
    pub fn line_mut(&mut self) -> Option<&mut u64> {
        match self {
            Self::Io { line, .. } | Self::TooLong { line, .. } | Self::Invalid { line, .. } => Some(line),
            _ => None,
        }
    }
}

/// How a line ended.
#[derive(PartialEq, Eq)]
enum Ending {
    Newline,
    /// The input ended before a newline; the line may be empty.
    Input,
    /// The same, and the input was cut off: a compressed one before its end, or zeros up to the end of a file
    /// that fill more than a line.
    Cut,
    /// The line exceeds its limit; its rest is still in the input.
    TooLong,
}

/// Where the reader is.
enum State {
    Reading,
    /// The last line was whole, but the input was cut off behind it: [`Item::TornTail`] is due.
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
    /// What a recording of version 1 holds: it is no sequence of lines.
    document: Option<std::vec::IntoIter<Item>>,
    sizes: oversize::Watch,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header, or all of a recording of version 1.
    ///
    /// # Errors
    ///
    /// When the input can't be read, or is no asciicast.
    pub fn new(mut input: R) -> Result<Self, ReadError> {
        let mut buffer = Vec::new();
        let ending = read_line(&mut input, &mut buffer, MAX_HEADER, 1)?;
        if ending == Ending::Input && buffer.is_empty() {
            return Err(ReadError::Empty);
        }
        let (header, document) = match utf8(&buffer).and_then(head::header) {
            Ok(header) if ending != Ending::TooLong => (header, None),
            decoded => match v1::read(&buffer, &ending, &mut input)? {
                Some((header, items)) => (header, Some(items.into_iter())),
                None if ending == Ending::TooLong => {
                    return Err(ReadError::TooLong { line: 1, limit: MAX_HEADER });
                }
                None if ending == Ending::Cut => {
                    let fault = decode::Fault::new("the compressed file is cut off before the header's end");
                    return Err(fault.in_line(1));
                }
                None => (decoded.map_err(|fault| fault.in_line(1))?, None),
            },
        };
        Ok(Self { buffer, document, ..Self::after(header, input) })
    }

    /// Reads on after a header that was read before. `input` begins with a whole line; lines and, in version 3,
    /// times are counted from there.
    pub fn after(header: Header, input: R) -> Self {
        let (buffer, sizes) = (Vec::new(), oversize::Watch::default());
        sizes.header(&header);
        Self {
            input,
            header,
            buffer,
            line: 1,
            time: 0,
            raw: None,
            state: State::Reading,
            document: None,
            sizes,
        }
    }

    /// The first line, when the rest is of no interest any more.
    #[must_use]
    pub fn into_header(self) -> Header {
        self.header
    }

    /// The first line.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The first size of the terminal that is larger than what is rendered; set when it was read.
    #[must_use]
    pub fn oversize(&self) -> Arc<OnceLock<Oversize>> {
        self.sizes.found()
    }

    /// The number of the line that was read last, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        if let Some(items) = &mut self.document {
            return Ok(items.next());
        }
        loop {
            match self.state {
                State::Reading => {}
                State::Torn => return Ok(Some(self.torn_tail())),
                State::Done => return Ok(None),
            }
            let ending = read_line(&mut self.input, &mut self.buffer, MAX_LINE, self.line + 1)?;
            let at_end = matches!(ending, Ending::Input | Ending::Cut);
            if at_end && self.buffer.is_empty() {
                self.state = State::Done;
                // The event that this record belongs to was to follow.
                let torn = ending == Ending::Cut || self.raw.is_some();
                return Ok(torn.then(|| self.torn_tail()));
            }
            self.line += 1;
            if ending == Ending::TooLong {
                return Err(ReadError::TooLong { line: self.line, limit: MAX_LINE });
            }
            if at_end && self.is_cut_record() {
                return Ok(Some(self.torn_tail()));
            }
            match self.decode() {
                Ok(item) => {
                    if ending == Ending::Cut {
                        self.state = State::Torn;
                    }
                    if item.is_some() {
                        return Ok(item);
                    }
                }
                Err(_) if ending == Ending::Cut || (at_end && !self.is_whole()) => {
                    return Ok(Some(self.torn_tail()));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the last line, which has no newline, is the beginning of one of our records: alone, it would be a comment.
    fn is_cut_record(&self) -> bool {
        self.header.recmode.is_some() && decode::RECORD.as_bytes().starts_with(&self.buffer)
    }

    /// Whether the last line, which has no newline and is wrong, is not the beginning of a longer one.
    fn is_whole(&self) -> bool {
        utf8(&self.buffer).is_ok_and(|line| decode::is_whole(self.header.version, line))
    }

    /// The item in the buffer's line, if it holds one.
    fn decode(&mut self) -> Result<Option<Item>, ReadError> {
        let decoded = utf8(&self.buffer)
            .and_then(|line| decode::line(self.header.version, line))
            .map_err(|fault| fault.in_line(self.line))?;
        if matches!(decoded, decode::Line::Blank) {
            return Ok(None);
        }
        // Whatever this line is, a record of exact bytes before it belongs to it or to nothing.
        let raw = self.raw.take();
        if let decode::Line::Event { time, .. } | decode::Line::OtherEvent { time } = &decoded {
            self.time = match self.header.version {
                // Some tools write events out of order: nothing happens before what came before it.
                Version::V2 => self.time.max(*time),
                Version::V1 | Version::V3 => self
                    .time
                    .checked_add(*time)
                    .ok_or_else(|| decode::Fault::new(time::TOO_LATE).in_line(self.line))?,
            };
        }
        Ok(match decoded {
            decode::Line::Event { code, data, .. } => {
                let raw = raw.filter(|(of, _)| *of == code).map(|(_, bytes)| bytes);
                let time = time::microseconds(self.time);
                let event = Event { line: self.line, time, code, data, raw };
                self.sizes.event(&event);
                Some(Item::Event(event))
            }
            decode::Line::Raw(code, bytes) => {
                self.raw = Some((code, bytes));
                None
            }
            decode::Line::Gap(gap) => Some(Item::Gap(gap)),
            decode::Line::Streams(streams) => Some(Item::Streams(streams)),
            decode::Line::Command(piece) => Some(Item::Command(piece)),
            decode::Line::Sftp(file) => Some(Item::Sftp(file)),
            decode::Line::End(end) => Some(Item::End(end)),
            decode::Line::OtherEvent { .. } | decode::Line::Blank | decode::Line::Other => None,
        })
    }

    fn torn_tail(&mut self) -> Item {
        self.state = State::Done;
        Item::TornTail { line: self.line }
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
    loop {
        let Some(available) = available(input, line)? else { return Ok(Ending::Cut) };
        if available.is_empty() {
            return Ok(Ending::Input);
        }
        let newline = memchr::memchr(b'\n', available);
        let part = &available[..newline.unwrap_or(available.len())];
        let room = limit - buffer.len();
        if part.len() > room {
            buffer.extend_from_slice(&part[..room]);
            input.consume(room);
            let padded = buffer.ends_with(b"\0") && only_zeros_follow(input, line)?;
            return Ok(if padded { Ending::Cut } else { Ending::TooLong });
        }
        buffer.extend_from_slice(part);
        let used = part.len() + usize::from(newline.is_some());
        input.consume(used);
        if newline.is_some() {
            return Ok(Ending::Newline);
        }
    }
}

/// What can be read next; empty at the end, and `None` where a compressed input is cut off.
fn available(input: &mut impl BufRead, line: u64) -> Result<Option<&[u8]>, ReadError> {
    // Twice, as the borrow of what is returned would last for the loop.
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(source) => return Err(ReadError::Io { line, source }),
        }
    }
    input.fill_buf().map(Some).map_err(|source| ReadError::Io { line, source })
}

/// Whether the input ends after nothing but zeros, as a file does whose last blocks a power failure has taken.
fn only_zeros_follow(input: &mut impl BufRead, line: u64) -> Result<bool, ReadError> {
    while let Some(available) = available(input, line)?.filter(|available| !available.is_empty()) {
        if available.iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        let used = available.len();
        input.consume(used);
    }
    Ok(true)
}

fn utf8(line: &[u8]) -> Result<&str, decode::Fault> {
    simdutf8::compat::from_utf8(line).map_err(|error| decode::Fault {
        column: Some(error.valid_up_to() + 1),
        reason: "invalid UTF-8".to_owned(),
    })
}

#[cfg(test)]
mod tests;
