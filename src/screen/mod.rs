//! What a recording's terminal showed: events in, lines of text with their times out. Pure; the
//! terminal emulator is the crate `avt`, asciinema's own.
//!
//! The text of a session is, in order: each line that scrolled off the top of the screen or was
//! cleared with all of it, the last screen of each full-screen program where that was left, and what
//! stood on the screen at the end. A line that the terminal has wrapped is one line.

mod budget;
mod line;
mod lines;
mod shell;
mod touched;
mod track;

use std::borrow::Cow;

use avt::{Parser, ScreenKind, Terminal};

use crate::recording::MAX_WINDOW;
use crate::recording::reader::Header;

pub(crate) use self::budget::Budget;
use self::budget::Decision;
pub use self::line::{Place, Style, TextLine};
pub use self::lines::{Ending, LEFT_OUT, Lines, RenderError};
use self::shell::Shell;
pub use self::shell::{Mark, Run};
use self::track::Tracker;

/// The most columns and the most rows of a terminal that is rendered.
pub const MAX_SIZE: usize = MAX_WINDOW as usize;

/// What a shell prints when a command was entered.
const PASTE_OFF: &str = "\x1b[?2004l";

const DEL: char = '\x7f';

/// CAN, which ends a sequence.
const CANCEL: &str = "\x18";

/// What is wanted beside the lines' texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The colours.
    pub styles: bool,
    /// Also lines that were seen, but were overwritten or cleared before they could scroll off.
    pub replaced: bool,
}

/// A terminal larger than [`MAX_SIZE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a terminal of {cols}x{rows} is larger than {MAX_SIZE}x{MAX_SIZE}")]
pub struct TooLarge {
    cols: usize,
    rows: usize,
}

/// A terminal that notes what was on it.
pub struct Screen {
    terminal: Terminal,
    tracker: Tracker,
    /// Reads the output before the terminal does, for what is too large to be drawn.
    ahead: Parser,
    budget: Budget,
    /// A size that the terminal should have got and could not.
    pending: Option<(usize, usize)>,
    shell: Shell,
    /// Whether a line feed begins a line: the session had no terminal that would have made two of it.
    cooked: bool,
}

impl Screen {
    /// An empty terminal; a size of 0 is taken for that of most terminals.
    ///
    /// # Errors
    ///
    /// When it is too large.
    pub fn new(cols: usize, rows: usize, options: Options) -> Result<Self, TooLarge> {
        let (cols, rows) = bounded(cols, rows)?;
        // The size was made valid above.
        let terminal = Terminal::new(cols, rows).map_err(|_| TooLarge { cols, rows })?;
        Ok(Self {
            terminal,
            tracker: Tracker::new(options),
            ahead: Parser::default(),
            budget: Budget::default(),
            pending: None,
            shell: Shell::default(),
            cooked: false,
        })
    }

    /// The terminal of a recording with this header.
    ///
    /// # Errors
    ///
    /// When it is too large.
    pub fn of(header: &Header, options: Options) -> Result<Self, TooLarge> {
        let (cols, rows) = size_of(header);
        let screen = Self::new(cols, rows, options)?;
        Ok(Self { cooked: is_cooked(header), ..screen })
    }

    /// Shows the output of one event at `time`, in microseconds.
    pub fn output(&mut self, time: u64, text: &str) {
        self.tracker.now = time;
        self.budget.read(text.len());
        self.resize_if_affordable();
        let text = as_seen(text, self.cooked);
        let mut drawn = 0;
        for (end, sign) in self.shell.split(&text) {
            self.draw(&text[drawn..end]);
            drawn = end;
            if sign.may_be_entered() {
                self.settle();
            }
            // What a full-screen program does with these is its own affair.
            if self.terminal.active_screen_kind() == ScreenKind::Primary
                && let Some(mark) = self.shell.note(sign, time)
            {
                self.tracker.mark(&self.terminal, mark);
            }
        }
        if drawn < text.len() {
            self.draw(&text[drawn..]);
        }
        if !text.is_empty() {
            self.settle();
        }
    }

    /// The commands that were entered so far, as the shell reports them; the first ten thousand.
    #[must_use]
    pub fn commands(&self) -> &[Run] {
        self.shell.runs()
    }

    /// Draws as much as the budget allows.
    fn draw(&mut self, text: &str) {
        let mut drawn = 0;
        for (at, c) in text.char_indices() {
            let Some(function) = (if c == DEL { None } else { self.ahead.feed(c) }) else { continue };
            if !budget::is_large(&function) {
                continue;
            }
            self.feed(&text[drawn..at]);
            drawn = at;
            if let Decision::Instead(operations) = self.budget.decide(&function, &self.terminal) {
                // In the place of the sequence's last character, which would have been its execution.
                self.feed(CANCEL);
                self.terminal.execute_with(operations, &mut self.tracker);
                drawn += c.len_utf8();
            }
        }
        self.feed(&text[drawn..]);
    }

    /// Terminals ignore DEL; this one would show it.
    fn feed(&mut self, text: &str) {
        self.terminal.feed_with(text.split(DEL), &mut self.tracker);
    }

    /// Changes the size.
    ///
    /// # Errors
    ///
    /// When it is too large.
    pub fn resize(&mut self, time: u64, cols: usize, rows: usize) -> Result<(), TooLarge> {
        self.pending = Some(bounded(cols, rows)?);
        self.tracker.now = time;
        self.budget.read(0);
        self.resize_if_affordable();
        self.settle();
        Ok(())
    }

    fn resize_if_affordable(&mut self) {
        let Some((cols, rows)) = self.pending else { return };
        if self.terminal.size() == (cols, rows) {
            self.pending = None;
        } else if self.budget.resizes(&self.terminal, cols * rows) {
            self.terminal.resize_with(cols, rows, &mut self.tracker);
            self.pending = None;
        }
    }

    /// Notes what has changed; where that is too much for what was read, at a later event.
    fn settle(&mut self) {
        let rows = self.tracker.changed_rows(&self.terminal);
        if rows == 0 || self.budget.compares(rows, self.terminal.size().0) {
            self.tracker.settle(&self.terminal);
        }
    }

    /// Whether the recording asked for more drawing than its bytes pay for, and some of it was left out.
    #[must_use]
    pub fn left_out(&self) -> bool {
        self.budget.exceeded()
    }

    /// The lines that are complete since they were last taken.
    pub fn take(&mut self) -> Vec<TextLine> {
        self.tracker.take()
    }

    /// The lines that are left, at the end of the recording.
    pub fn finish(&mut self) -> Vec<TextLine> {
        self.tracker.finish(&self.terminal);
        self.tracker.take()
    }

    /// The terminal as it is.
    #[must_use]
    pub fn terminal(&self) -> &Terminal {
        &self.terminal
    }
}

/// Whether the recording is of a session without a terminal: what it printed was seen on a terminal that
/// makes a carriage return and a line feed of each line feed.
#[must_use]
pub fn is_cooked(header: &Header) -> bool {
    header.recmode.as_ref().is_some_and(|recmode| recmode.get("streams").is_some())
}

/// Output as it came to the eyes of someone.
#[must_use]
pub fn as_seen(text: &str, cooked: bool) -> Cow<'_, str> {
    if cooked && text.contains('\n') { text.replace('\n', "\r\n").into() } else { text.into() }
}

/// The size in which a recording with this header is rendered, in columns and rows.
#[must_use]
pub fn size_of(header: &Header) -> (usize, usize) {
    rendered(header.cols.into(), header.rows.into())
}

/// A size within what is rendered; one of 0 is taken for that of most terminals.
fn rendered(cols: usize, rows: usize) -> (usize, usize) {
    let within = |size: usize, usual| if size == 0 { usual } else { size.min(MAX_SIZE) };
    (within(cols, 80), within(rows, 24))
}

/// Output in parts, each of which ends where a command was entered. Not by `str::split_inclusive`: what that searches with
/// is slower than the rest of following a session.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut ends = memchr::memmem::find_iter(text.as_bytes(), PASTE_OFF);
    let mut begin = 0;
    std::iter::from_fn(move || {
        let end = ends.next().map_or(text.len(), |at| at + PASTE_OFF.len());
        let part = (begin < end).then(|| &text[begin..end]);
        begin = end;
        part
    })
}

fn bounded(cols: usize, rows: usize) -> Result<(usize, usize), TooLarge> {
    if cols > MAX_SIZE || rows > MAX_SIZE {
        return Err(TooLarge { cols, rows });
    }
    Ok((if cols == 0 { 80 } else { cols }, if rows == 0 { 24 } else { rows }))
}

/// The size in which the terminal is rendered after a resize event with this data, `COLSxROWS`.
#[must_use]
pub fn parse_size(data: &str) -> Option<(usize, usize)> {
    let (cols, rows) = data.split_once('x')?;
    Some(rendered(cols.parse().ok()?, rows.parse().ok()?))
}

#[cfg(test)]
mod tests;
