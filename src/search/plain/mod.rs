//! A session at a prompt, without a terminal emulator: several times as fast. Pure.
//!
//! Such a session prints lines, and edits the one that the cursor is in. That is followed exactly: the lines,
//! what was overwritten, and the times are those that [`crate::screen`] tells. At the first sequence that does
//! more (moves the cursor to another row, opens the alternate screen), and at whatever else is doubtful, it is
//! given up. A property test compares the two.

mod look;
mod row;
mod sequence;

use std::collections::VecDeque;

use regex::Regex;
use unicode_width::UnicodeWidthChar as _;

use self::look::{Look, PLAIN, Pen};
use self::row::{Overwritten, Row};
use self::sequence::{Edit, Sequence, sequence};
use crate::recording::reader::Header;
use crate::screen::{self, Budget};

/// A sequence that is longer than this is doubtful.
const MAX_CARRY: usize = 4096;

/// Memory of longer lines is not kept for others.
const MAX_SPARE: usize = 4096;

/// It may be more than what is followed here.
#[derive(Debug)]
pub(super) struct Doubtful;

/// What becomes known.
pub(super) enum Shown<'a> {
    /// A line leaves the screen, or stands on it at the end.
    Line { time: u64, text: &'a str },
    /// A line that matches was overwritten by one that does not.
    Replaced { time: u64, text: &'a str },
}

/// Whoever is told.
pub(super) type Told<'a> = dyn FnMut(Shown<'_>) + 'a;

/// A screen of which only the row of the cursor changes.
pub(super) struct Plain<'a> {
    pattern: &'a Regex,
    width: usize,
    height: usize,
    /// At most what is left of the budget of [`crate::screen`], which leaves things out beyond it.
    budget: Budget,
    /// Whether more rows than those of the cursor may have changed.
    whole: bool,
    now: u64,
    begun: bool,
    pen: Pen,
    row: Row,
    column: usize,
    /// The cursor's row, counted from the session's first; and the first one on the screen.
    at: u64,
    top: u64,
    /// The lines above.
    above: VecDeque<Line>,
    /// How many rows are below: all are blank.
    below: u64,
    overwritten: Option<(u64, Overwritten)>,
    /// A sequence whose end has not come yet.
    carry: String,
    /// Memory for more lines.
    spare: Vec<String>,
}

/// A line above the cursor.
struct Line {
    time: u64,
    text: String,
    /// Its last row.
    last: u64,
    /// Whether it looks like nothing; where that is not sure, none is.
    blank: Option<bool>,
}

impl<'a> Plain<'a> {
    /// An empty screen; nothing where the recording can't be followed at all.
    pub(super) fn new(header: &Header, pattern: &'a Regex) -> Option<Self> {
        let (width, height) = screen::size_of(header).ok()?;
        // A session without a terminal is not one at a prompt.
        (width > 1 && !screen::is_cooked(header)).then(|| Self {
            pattern,
            width,
            height,
            budget: Budget::default(),
            whole: true,
            now: 0,
            begun: false,
            pen: Pen::default(),
            row: Row::default(),
            column: 0,
            at: 0,
            top: 0,
            above: VecDeque::new(),
            below: height as u64 - 1,
            overwritten: None,
            carry: String::new(),
            spare: Vec::new(),
        })
    }

    /// Follows the output of one event.
    pub(super) fn output(&mut self, time: u64, output: &str, told: &mut Told<'_>) -> Result<(), Doubtful> {
        // Lines are told with the latest time of their rows.
        if time < self.now {
            return Err(Doubtful);
        }
        self.now = time;
        if !self.begun && !output.is_empty() {
            self.begun = true;
            self.row.renew(String::new(), time, PLAIN);
        }
        self.budget.read(output.len());
        for part in screen::parts(output) {
            let begin = self.at;
            self.row.mark();
            if self.carry.is_empty() {
                self.follow(part, told)?;
            } else {
                let mut joined = std::mem::take(&mut self.carry);
                joined.push_str(part);
                self.follow(&joined, told)?;
            }
            self.settle()?;
            self.tell_overwritten(told);
            // The rows that the cursor was in, and those beside them.
            let passed = usize::try_from(self.at.saturating_sub(begin)).unwrap_or(usize::MAX);
            let rows = if std::mem::take(&mut self.whole) { self.height } else { passed.saturating_add(3) };
            self.afford(|budget, height, width| budget.compares(rows.min(height), width))?;
        }
        Ok(())
    }

    fn afford(&mut self, spend: impl Fn(&mut Budget, usize, usize) -> bool) -> Result<(), Doubtful> {
        if spend(&mut self.budget, self.height, self.width) { Ok(()) } else { Err(Doubtful) }
    }

    /// All rows may change, and that is paid for.
    fn change_all(&mut self) -> Result<(), Doubtful> {
        self.whole = true;
        self.afford(Budget::clears)
    }

    /// Tells what stands on the screen at the end.
    pub(super) fn finish(&mut self, told: &mut Told<'_>) {
        let row = std::mem::take(&mut self.row);
        self.above.push_back(Line { time: row.time, text: row.text, last: self.at, blank: None });
        let used = self.above.iter().rposition(|line| !line.text.trim_end().is_empty());
        for line in self.above.drain(..).take(used.map_or(0, |last| last + 1)) {
            told(Shown::Line { time: line.time, text: line.text.trim_end() });
        }
    }

    fn follow(&mut self, mut rest: &str, told: &mut Told<'_>) -> Result<(), Doubtful> {
        while let Some(&first) = rest.as_bytes().first() {
            let used = match first {
                0x20..0x7f => {
                    let run = printable(rest.as_bytes());
                    self.print(&rest[..run], run, told)?;
                    run
                }
                b'\n' => {
                    self.line_feed(told)?;
                    1
                }
                b'\r' => {
                    // Of a line that was wrapped only its end can be changed: see `edit` and `print`.
                    self.column = 0;
                    1
                }
                8 => {
                    self.edit(Edit::Left(1))?;
                    1
                }
                b'\t' => {
                    let begin = self.row.cells.saturating_sub(1) / self.width * self.width;
                    let column = self.column.checked_sub(begin).filter(|&column| column < self.width);
                    let column = column.ok_or(Doubtful)?;
                    self.column = begin + (column / 8 * 8 + 8).min(self.width - 1);
                    1
                }
                // The line feeds of old, shift out, and what ends sequences.
                0x0b | 0x0c | 0x0e | 0x18 | 0x1a => return Err(Doubtful),
                0x1b => match sequence(rest) {
                    Sequence::Nothing(used) => used,
                    Sequence::Look(used, parameters) => {
                        self.pen.say(parameters);
                        used
                    }
                    Sequence::Edit(used, edit) => {
                        self.edit(edit)?;
                        used
                    }
                    Sequence::Clear(used) => {
                        self.clear(told)?;
                        used
                    }
                    Sequence::Unfinished => {
                        self.carry.push_str(rest);
                        return if rest.len() > MAX_CARRY { Err(Doubtful) } else { Ok(()) };
                    }
                    Sequence::Doubtful => return Err(Doubtful),
                },
                0..0x20 | 0x7f => 1,
                0x80.. => {
                    let Some(c) = rest.chars().next() else { return Ok(()) };
                    let used = c.len_utf8();
                    if c < '\u{a0}' {
                        return Err(Doubtful);
                    }
                    if c.width() == Some(2) {
                        self.print_wide(&rest[..used], told)?;
                    } else {
                        self.print(&rest[..used], 1, told)?;
                    }
                    used
                }
            };
            rest = &rest[used..];
        }
        Ok(())
    }

    /// Prints characters, each in one cell.
    fn print(&mut self, mut text: &str, mut cells: usize, told: &mut Told<'_>) -> Result<(), Doubtful> {
        if self.column < self.row.cells {
            // Over half of a wide character, or in a line that was wrapped.
            if self.row.wide || self.row.cells > self.width {
                return Err(Doubtful);
            }
            let over = cells.min(self.row.cells - self.column);
            // Where there are more characters than one, each is a byte.
            let (first, others) = if cells == 1 { (text, "") } else { text.split_at(over) };
            self.row.replace(self.column, first, over, self.pen.look);
            self.column += over;
            (text, cells) = (others, cells - over);
        }
        if cells > 0 {
            self.row.reach(self.column);
            self.push(text, cells, told)?;
        }
        Ok(())
    }

    /// Prints a character that takes two cells.
    fn print_wide(&mut self, text: &str, told: &mut Told<'_>) -> Result<(), Doubtful> {
        if self.column < self.row.cells {
            return Err(Doubtful);
        }
        self.row.reach(self.column);
        if self.row.cells % self.width == self.width - 1 {
            // There is room for half of it; the cell stays as it is.
            self.row.reach(self.row.cells + 1);
        }
        self.row.wide = true;
        self.push(text, 2, told)
    }

    /// Adds to the end of the line, at the cursor.
    fn push(&mut self, text: &str, cells: usize, told: &mut Told<'_>) -> Result<(), Doubtful> {
        let before = self.row.cells;
        self.row.push(text, cells, self.pen.look)?;
        self.column = self.row.cells;
        if self.column <= self.width {
            return Ok(());
        }
        let rows = |cells: usize| cells.saturating_sub(1) / self.width;
        for _ in rows(before)..rows(self.column) {
            let tail = self.next_row(told);
            self.row.wrap(tail);
        }
        Ok(())
    }

    /// Moves the cursor a row down; gives how the cells of that row look.
    fn next_row(&mut self, told: &mut Told<'_>) -> Look {
        self.at += 1;
        if self.below > 0 {
            self.below -= 1;
            return PLAIN;
        }
        self.top += 1;
        self.tell_gone(told);
        self.pen.look
    }

    fn tell_gone(&mut self, told: &mut Told<'_>) {
        while let Some(line) = self.above.pop_front_if(|line| line.last < self.top) {
            told(Shown::Line { time: line.time, text: line.text.trim_end() });
            if line.text.capacity() <= MAX_SPARE {
                self.spare.push(line.text);
            }
        }
    }

    fn line_feed(&mut self, told: &mut Told<'_>) -> Result<(), Doubtful> {
        // Without a carriage return the cursor keeps its column, except at the screen's edge.
        if self.column >= self.width {
            return Err(Doubtful);
        }
        self.leave_line()?;
        let tail = self.next_row(told);
        // A row is a line of the session's from when the cursor comes to it.
        self.row.renew(self.spare.pop().unwrap_or_default(), self.now, tail);
        Ok(())
    }

    /// The line of the cursor becomes one above it.
    fn leave_line(&mut self) -> Result<(), Doubtful> {
        self.settle()?;
        let wrapped = self.row.cells > self.width;
        let blank = if wrapped { Some(false) } else { self.row.is_blank().ok() };
        let text = std::mem::take(&mut self.row.text);
        self.above.push_back(Line { time: self.row.time, text, last: self.at, blank });
        Ok(())
    }

    /// The screen is cleared, and the lines on it leave it.
    fn clear(&mut self, told: &mut Told<'_>) -> Result<(), Doubtful> {
        if self.pen.look != PLAIN {
            return Err(Doubtful);
        }
        self.change_all()?;
        let was_blank = self.row.was_blank();
        self.leave_line()?;
        // Blank rows stay where they are.
        let mut used = None;
        for line in self.above.iter().rev() {
            if !line.blank.ok_or(Doubtful)? {
                used = Some(line.last);
                break;
            }
        }
        let rows = used.map_or(self.top, |last| last + 1);
        // What stood in one of them may come again, or something else in its place.
        if (self.at >= rows && !was_blank) || self.overwritten.as_ref().is_some_and(|(at, _)| *at >= rows) {
            return Err(Doubtful);
        }
        let stay = self.above.iter().rev().take_while(|line| line.last >= rows).count();
        self.above.truncate(self.above.len() - stay);
        // The cursor is in the first row.
        self.below += self.at - self.top;
        self.top = rows;
        self.tell_gone(told);
        self.at = rows;
        self.column = 0;
        self.row.renew(self.spare.pop().unwrap_or_default(), self.now, PLAIN);
        Ok(())
    }

    fn edit(&mut self, edit: Edit) -> Result<(), Doubtful> {
        let look = self.pen.look;
        let row = &mut self.row;
        match edit {
            Edit::EraseToEnd if self.column >= row.cells => {
                // There is nothing to erase; nor are there cells where the next character is wrapped.
                if self.column == 0 || !self.column.is_multiple_of(self.width) {
                    row.erase(self.column, look);
                }
                return Ok(());
            }
            Edit::EraseBelow if look != PLAIN => return Err(Doubtful),
            Edit::EraseBelow => {
                self.change_all()?;
                if self.column == 0 && self.at == self.top {
                    return self.begin_anew();
                }
                return self.edit(Edit::EraseToEnd);
            }
            _ => {}
        }
        // In a line that was wrapped.
        if row.cells > self.width {
            return Err(Doubtful);
        }
        let last = self.width - 1;
        match edit {
            Edit::Left(n) => self.column = self.column.saturating_sub(n + usize::from(self.column > last)),
            Edit::Right(n) => self.column = (self.column + n).min(last),
            Edit::Column(column) => self.column = column.min(last),
            Edit::EraseRow => row.erase(0, look),
            // Half of a wide character, perhaps.
            Edit::EraseToEnd | Edit::EraseBelow if row.wide && self.column > 0 => return Err(Doubtful),
            Edit::EraseToEnd | Edit::EraseBelow => row.erase(self.column, look),
            Edit::Delete(_) | Edit::Insert(_) if look != PLAIN || row.tail != PLAIN || row.wide => {
                return Err(Doubtful);
            }
            Edit::Delete(n) => {
                self.column = self.column.min(last);
                row.delete(self.column, n);
            }
            Edit::Insert(n) => {
                self.column = self.column.min(last);
                row.insert(self.column, n, look, self.width);
            }
        }
        Ok(())
    }

    /// All is erased from the screen's first cell on, which counts as a new screen. Shells do it before their first
    /// prompt.
    fn begin_anew(&mut self) -> Result<(), Doubtful> {
        if self.row.cells > self.width || !self.row.is_blank()? {
            return Err(Doubtful);
        }
        let memory = std::mem::take(&mut self.row.text);
        self.row.renew(memory, self.now, PLAIN);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Doubtful> {
        if let Some(overwritten) = self.row.settle(self.now, self.width)? {
            let rows = (self.row.cells.saturating_sub(1) / self.width) as u64;
            self.overwritten = Some((self.at - rows, overwritten));
        }
        Ok(())
    }

    /// Tells what was overwritten, if it still is on the screen's rows and nowhere else on it.
    fn tell_overwritten(&mut self, told: &mut Told<'_>) {
        let Some((at, Overwritten { time, text, successor })) = self.overwritten.take() else { return };
        let tells = self.pattern.is_match(&text) && !self.pattern.is_match(&successor);
        if at < self.top || !tells {
            return;
        }
        let mut lines = self.above.iter().map(|line| (line.text.as_str(), line.last));
        let shown = |(line, last): (&str, u64)| {
            line.contains(&text)
                && rows(line, self.width, last).any(|(at, row)| at >= self.top && row.trim_end() == text)
        };
        if !lines.any(shown) && !shown((&self.row.text, self.at)) {
            told(Shown::Replaced { time, text: &text });
        }
    }
}

/// How many printable characters of ASCII the text begins with: eight bytes at a time.
fn printable(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    let (words, rest) = text.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The top bit of each byte that is 0x7f or more, or less than 0x20; of those after the first, perhaps.
        let found = (word | word.wrapping_add(ONES) | word.wrapping_sub(0x20 * ONES)) & (0x80 * ONES);
        if found != 0 {
            return n * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    text.len() - rest.len() + rest.iter().take_while(|byte| (0x20..0x7f).contains(*byte)).count()
}

/// The rows of a line, each with its number.
fn rows(line: &str, width: usize, last: u64) -> impl Iterator<Item = (u64, &str)> {
    let mut rows = Vec::new();
    let (mut begin, mut cells) = (0, 0);
    for (at, c) in line.char_indices() {
        let takes = if c.width() == Some(2) { 2 } else { 1 };
        if cells + takes > width {
            rows.push(&line[begin..at]);
            (begin, cells) = (at, 0);
        }
        cells += takes;
    }
    rows.push(&line[begin..]);
    let first = (last + 1).saturating_sub(rows.len() as u64);
    (first..).zip(rows)
}
