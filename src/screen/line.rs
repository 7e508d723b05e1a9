//! A line of text as it was seen.

use avt::{Cell, Line, Pen};

use super::shell::Mark;

/// A logical line is cut into pieces of so many bytes, so that output without line ends costs a
/// bounded memory.
const MAX_TEXT: usize = 1 << 20;

/// Where a line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the session's run of lines.
    Normal,
    /// On the last screen of a full-screen program; `first` where that begins.
    FullScreen {
        /// Whether this is the screen's first line.
        first: bool,
    },
    /// On the screen for a while only.
    Replaced,
}

/// How characters looked.
pub type Style = Pen;

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct TextLine {
    /// When it last changed, in microseconds since the start.
    pub time: u64,
    /// Where it was.
    pub place: Place,
    /// Its text, without spaces at the end; where styles are wanted, with those that have a colour or a line. It may hold characters that confuse a terminal, such
    /// as those that turn the direction of writing: escape it before printing.
    pub text: String,
    /// Its styles as runs of bytes, up to the end of the text; empty unless asked for.
    pub styles: Vec<(usize, Style)>,
    /// What it is to the shell, as far as that reports it.
    pub mark: Option<Mark>,
    /// For [`Place::Replaced`]: what came in its place.
    pub successor: String,
}

/// Whether a space of this style is seen.
pub(super) fn is_seen(style: &Style) -> bool {
    style.background().is_some() || style.is_inverse() || style.is_underline() || style.is_strikethrough()
}

/// Makes lines of rows: those that the terminal has wrapped are joined.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    text: String,
    styles: Vec<(usize, Style)>,
    time: u64,
    mark: Option<Mark>,
    styled: bool,
}

impl Joiner {
    pub(super) fn new(styled: bool) -> Self {
        Self { styled, ..Self::default() }
    }

    /// Adds a row; gives the line that it completes.
    pub(super) fn push(
        &mut self,
        row: &Line,
        time: u64,
        mark: Option<Mark>,
        place: Place,
    ) -> Option<TextLine> {
        if !matches!(self.mark, Some(Mark::Command(_))) {
            self.mark = mark.or(self.mark);
        }
        self.time = self.time.max(time);
        // Blanks at the end of a line are no part of it; a row may have many.
        let blank = |cell: &Cell| cell.char() == ' ' && (!self.styled || cell.pen().is_default());
        let cells = row.cells();
        let used = if row.is_wrapped() {
            cells.len()
        } else {
            cells.iter().rposition(|cell| !blank(cell)).map_or(0, |last| last + 1)
        };
        for cell in cells[..used].iter().filter(|cell| cell.width() > 0) {
            let before = self.text.len();
            self.text.push(cell.char());
            if self.styled {
                let added = self.text.len() - before;
                match self.styles.last_mut() {
                    Some((bytes, style)) if style == cell.pen() => *bytes += added,
                    _ => self.styles.push((added, *cell.pen())),
                }
            }
        }
        (!row.is_wrapped() || self.text.len() > MAX_TEXT).then(|| self.complete(place))
    }

    /// What was begun, if anything was.
    pub(super) fn flush(&mut self, place: Place) -> Option<TextLine> {
        (!self.text.is_empty()).then(|| self.complete(place))
    }

    fn complete(&mut self, place: Place) -> TextLine {
        let mut text = std::mem::take(&mut self.text);
        let mut styles = std::mem::take(&mut self.styles);
        let mut end = 0;
        let ends = styles.iter().map(|(bytes, style)| {
            end += bytes;
            (end, style)
        });
        let seen = ends.filter(|(_, style)| is_seen(style)).last().map_or(0, |(end, _)| end);
        text.truncate(text.trim_end().len().max(seen));
        let mut left = text.len();
        styles.retain_mut(|(bytes, _)| {
            *bytes = (*bytes).min(left);
            left -= *bytes;
            *bytes > 0
        });
        TextLine {
            time: std::mem::take(&mut self.time),
            place,
            text,
            styles,
            mark: std::mem::take(&mut self.mark),
            successor: String::new(),
        }
    }
}
