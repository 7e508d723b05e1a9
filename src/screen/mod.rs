//! What a recording's terminal showed: events in, lines of text with their times out. Pure; the
//! terminal emulator is the crate `avt`, asciinema's own.
//!
//! The text of a session is, in order: each line that scrolled off the top of the screen or was
//! cleared with all of it, the last screen of each full-screen program where that was left, and what
//! stood on the screen at the end. A line that the terminal has wrapped is one line.

mod line;
mod lines;
mod repeat;
mod shell;
mod touched;
mod track;

use std::borrow::Cow;

use avt::{ScreenKind, Terminal};

use crate::recording::MAX_WINDOW;
use crate::recording::reader::Header;

pub use self::line::{Place, Style, TextLine};
pub use self::lines::{Ending, Lines, RenderError};
use self::repeat::Repeats;
use self::shell::Shell;
pub use self::shell::{Mark, Run};
use self::track::Tracker;

/// The most columns and the most rows of a terminal that is rendered.
pub const MAX_SIZE: usize = MAX_WINDOW as usize;

/// What a shell prints when a command was entered.
const PASTE_OFF: &str = "\x1b[?2004l";

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
    repeats: Repeats,
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
            repeats: Repeats::default(),
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
        let (cols, rows) = size_of(header)?;
        let screen = Self::new(cols, rows, options)?;
        Ok(Self { cooked: is_cooked(header), ..screen })
    }

    /// Shows the output of one event at `time`, in microseconds.
    pub fn output(&mut self, time: u64, text: &str) {
        self.tracker.now = time;
        let text = as_seen(text, self.cooked);
        let (cols, rows) = self.terminal.size();
        let text = self.repeats.limited(&text, cols * rows);
        let mut drawn = 0;
        for (end, sign) in self.shell.split(&text) {
            self.draw(&text[drawn..end]);
            drawn = end;
            // What a full-screen program does with these is its own affair.
            if self.terminal.active_screen_kind() == ScreenKind::Primary
                && let Some(mark) = self.shell.note(sign, time)
            {
                self.tracker.mark(&self.terminal, mark);
            }
        }
        self.draw(&text[drawn..]);
    }

    /// Terminals ignore DEL; this one would show it.
    fn draw(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.terminal.feed_with(text.split('\x7f'), &mut self.tracker);
    }

    /// The commands that were entered so far, as the shell reports them; the first ten thousand.
    #[must_use]
    pub fn commands(&self) -> &[Run] {
        self.shell.runs()
    }

    /// Changes the size.
    ///
    /// # Errors
    ///
    /// When it is too large.
    pub fn resize(&mut self, time: u64, cols: usize, rows: usize) -> Result<(), TooLarge> {
        let (cols, rows) = bounded(cols, rows)?;
        self.tracker.now = time;
        self.terminal.resize_with(cols, rows, &mut self.tracker);
        Ok(())
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

/// The size of the terminal of a recording with this header, in columns and rows.
///
/// # Errors
///
/// When it is too large.
pub fn size_of(header: &Header) -> Result<(usize, usize), TooLarge> {
    bounded(usize::from(header.cols), usize::from(header.rows))
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

/// `COLSxROWS`, the data of a resize event.
#[must_use]
pub fn parse_size(data: &str) -> Option<(usize, usize)> {
    let (cols, rows) = data.split_once('x')?;
    Some((cols.parse().ok()?, rows.parse().ok()?))
}

#[cfg(test)]
mod tests;
