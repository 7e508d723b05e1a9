//! Which rows of the screen may have changed since they were last compared. Comparing all of them after every
//! event is most of what rendering costs, and nearly always a few have changed, or all have moved up. Pure.

use std::ops::Range;

use avt::Operation;
use avt::parser::Function;

/// Notes what the terminal reports, operation by operation.
#[derive(Debug, Default)]
pub(super) struct Touched {
    rows: Vec<bool>,
    /// Nothing is known of any row.
    all: bool,
    /// The operation under way: whether it touched the whole screen, which other rows, how many rows left
    /// the screen at its top, and whether it is one that may scroll and does nothing else to the whole screen.
    whole: bool,
    range: Option<Range<usize>>,
    left: usize,
    scrolls: bool,
}

impl Touched {
    /// The screen has so many rows.
    pub(super) fn height(&mut self, rows: usize) {
        if self.rows.len() != rows {
            self.rows.clear();
            self.rows.resize(rows, false);
            self.all = true;
        }
    }

    /// Forgets what is known.
    pub(super) fn all(&mut self) {
        self.all = true;
    }

    /// Whether nothing is known.
    pub(super) fn is_all(&self) -> bool {
        self.all
    }

    /// An operation begins.
    pub(super) fn begin(&mut self, operation: &Operation) {
        self.settle();
        self.scrolls =
            matches!(operation, Operation::Function(Function::Lf | Function::Nel | Function::Print(_)));
    }

    /// The operation touched these rows.
    pub(super) fn rows(&mut self, rows: Range<usize>) {
        if rows.start == 0 && rows.end >= self.rows.len() {
            self.whole = true;
            return;
        }
        // The row above may have been wrapped into the first one.
        let rows = rows.start.saturating_sub(1)..rows.end;
        self.range = Some(match self.range.take() {
            Some(range) => range.start.min(rows.start)..range.end.max(rows.end),
            None => rows,
        });
    }

    /// A row left the screen at its top in the operation.
    pub(super) fn row_left(&mut self) {
        self.left += 1;
    }

    /// Whether the row may have changed.
    pub(super) fn may_have_changed(&self, row: usize) -> bool {
        self.all || self.rows.get(row).copied().unwrap_or(true)
    }

    /// How many rows may have changed, of as many.
    pub(super) fn count(&self, rows: usize) -> usize {
        if self.all { rows } else { self.rows.iter().filter(|&&row| row).count() }
    }

    /// The operation is over.
    pub(super) fn settle(&mut self) {
        let (whole, left) = (std::mem::take(&mut self.whole), std::mem::take(&mut self.left));
        if whole && left > 0 && left < self.rows.len() && self.scrolls {
            // All others are what the row below them was.
            self.rows.rotate_left(left);
            let new = self.rows.len() - left;
            self.rows[new.saturating_sub(1)..].fill(true);
        } else if whole || left > 0 {
            self.all = true;
        }
        if let Some(range) = self.range.take() {
            let end = range.end.min(self.rows.len());
            self.rows[range.start.min(end)..end].fill(true);
        }
    }

    /// All rows were compared.
    pub(super) fn compared(&mut self) {
        self.rows.fill(false);
        self.all = false;
    }
}
