//! The lines of a recording, one by one, in a memory that does not grow with it.

use std::collections::VecDeque;
use std::io::BufRead;

use super::{Options, Screen, TextLine, TooLarge, parse_size};
use crate::recording::reader::{Code, Header, Item, ReadError, Reader};

/// Why a recording can't be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its terminal is too large.
    #[error("line {line}: {size}")]
    TooLarge {
        /// The line of the file, from 1.
        line: u64,
        /// The size.
        size: TooLarge,
    },
    /// It was rendered, but not all of it: see [`Screen::left_out`].
    #[error("line {line}: {LEFT_OUT}")]
    LeftOut {
        /// The line of the file, from 1.
        line: u64,
    },
}

/// What is reported of a recording from whose rendering something was left out.
pub const LEFT_OUT: &str =
    "the screen changes more than can be rendered; parts of it are left out from here on";

/// How a recording ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As it should, as far as can be known.
    Complete,
    /// It is cut off in this line.
    Torn {
        /// The line of the file, from 1.
        line: u64,
    },
    /// A recording of recmode's whose last record is missing.
    NoEnd,
}

impl Ending {
    /// How a recording with this header ends that has not been read further.
    #[must_use]
    pub fn before_any(header: &Header) -> Self {
        if header.recmode.is_some() { Self::NoEnd } else { Self::Complete }
    }
}

/// An iterator over the lines that were seen.
pub struct Lines<R> {
    reader: Reader<R>,
    screen: Screen,
    ready: VecDeque<TextLine>,
    ending: Ending,
    left_out: Option<u64>,
    done: bool,
    failed: Option<RenderError>,
}

impl<R: BufRead> Lines<R> {
    /// The lines of a recording whose header was read.
    ///
    /// # Errors
    ///
    /// When its terminal is too large.
    pub fn new(reader: Reader<R>, options: Options) -> Result<Self, RenderError> {
        let header = reader.header();
        let screen = Screen::of(header, options).map_err(|size| RenderError::TooLarge { line: 1, size })?;
        let ending = Ending::before_any(header);
        Ok(Self { reader, screen, ready: VecDeque::new(), ending, left_out: None, done: false, failed: None })
    }

    /// How the recording ended; known when there are no more lines.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// The line of the file, from 1, from which on something was left out because it asked for more drawing than the bytes
    /// read pay for: see [`Screen::left_out`].
    #[must_use]
    pub fn left_out(&self) -> Option<u64> {
        self.left_out
    }

    fn step(&mut self) -> Result<(), RenderError> {
        let Some(item) = self.reader.next() else {
            self.done = true;
            self.ready.extend(self.screen.finish());
            return Ok(());
        };
        match item? {
            Item::Event(event) if matches!(event.code, Code::Output | Code::ErrorOutput) => {
                self.screen.output(event.time, &event.data);
                self.ready.extend(self.screen.take());
                self.note(event.line);
            }
            Item::Event(event) if event.code == Code::Resize => {
                if let Some((cols, rows)) = parse_size(&event.data) {
                    self.screen
                        .resize(event.time, cols, rows)
                        .map_err(|size| RenderError::TooLarge { line: event.line, size })?;
                    self.ready.extend(self.screen.take());
                    self.note(event.line);
                }
            }
            Item::Event(_) | Item::Gap(_) | Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
            Item::End(_) => self.ending = Ending::Complete,
            Item::TornTail { line } => self.ending = Ending::Torn { line },
        }
        Ok(())
    }
}

impl<R> Lines<R> {
    fn note(&mut self, line: u64) {
        if self.left_out.is_none() && self.screen.left_out() {
            self.left_out = Some(line);
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<TextLine, RenderError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(Ok(line));
            }
            if self.done {
                return self.failed.take().map(Err);
            }
            if let Err(error) = self.step() {
                // What was seen before is still told.
                self.done = true;
                self.ready.extend(self.screen.finish());
                self.failed = Some(error);
            }
        }
    }
}
