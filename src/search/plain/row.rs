//! The line that the cursor is in: what is in its cells, and whether that changes. Pure.

use super::Doubtful;
use super::look::{Look, PLAIN};

/// A line that is longer than this is doubtful.
const MAX_TEXT: usize = 64 << 10;

/// The line of the cursor: one row of the screen, or several into which it was wrapped. In the latter case
/// only what comes at its end is followed.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) text: String,
    /// So many cells hold the text, in all rows.
    pub(super) cells: usize,
    /// Whether a character may take more than a byte, and more than a cell.
    multibyte: bool,
    pub(super) wide: bool,
    /// How the cells look; empty where all are plain.
    looks: Vec<Look>,
    /// How the cells after those look.
    pub(super) tail: Look,
    /// When it last changed, in microseconds, as far as is settled.
    pub(super) time: u64,
    before: Before,
    grown: Grown,
}

/// What it was when it was last settled.
#[derive(Debug, Default)]
struct Before {
    bytes: usize,
    cells: usize,
    tail: Look,
    /// Made when it is no longer the beginning of what is there.
    former: Option<Former>,
}

#[derive(Debug)]
struct Former {
    text: String,
    looks: Vec<Look>,
}

/// Whether what was added makes a difference.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grown {
    #[default]
    No,
    /// Blank cells, which may look as those did that were there.
    Perhaps,
    Yes,
}

/// What stood in a row and no longer does.
#[derive(Debug)]
pub(super) struct Overwritten {
    /// When it last changed.
    pub(super) time: u64,
    pub(super) text: String,
    pub(super) successor: String,
}

impl Row {
    /// Makes it an empty row, that has been on the screen since `time`.
    pub(super) fn renew(&mut self, text: String, time: u64, tail: Look) {
        self.text = text;
        self.text.clear();
        self.looks.clear();
        (self.cells, self.multibyte, self.wide) = (0, false, false);
        (self.time, self.tail) = (time, tail);
        self.mark();
    }

    /// From here on changes are counted.
    pub(super) fn mark(&mut self) {
        self.before = Before { bytes: self.text.len(), cells: self.cells, tail: self.tail, former: None };
        self.grown = Grown::No;
    }

    /// Whether nothing was in it when it was marked.
    pub(super) fn was_blank(&self) -> bool {
        self.before.cells == 0 && self.before.tail == PLAIN
    }

    /// Notes whether it has changed since it was marked, and gives what was overwritten.
    pub(super) fn settle(&mut self, now: u64, width: usize) -> Result<Option<Overwritten>, Doubtful> {
        let mut overwritten = None;
        let changed = match self.before.former.take() {
            None if self.grown == Grown::Yes => true,
            // Whether it has changed again is of no account.
            None if self.time == now => false,
            None if self.grown == Grown::Perhaps || self.tail != self.before.tail => return Err(Doubtful),
            None => false,
            // A wide character at the edge of the first row.
            Some(_) if self.wide && self.cells > width => return Err(Doubtful),
            Some(former) => {
                let row = self.first_row(width);
                let differs =
                    self.cells > width || row.trim_end_matches(' ') != former.text.trim_end_matches(' ');
                let text = former.text.trim_end();
                if differs && !text.is_empty() && !row.starts_with(text) {
                    overwritten = Some(Overwritten {
                        time: self.time,
                        text: text.to_owned(),
                        successor: row.trim_end().to_owned(),
                    });
                }
                if !differs && self.time != now && !self.looks_as(&former, width) {
                    return Err(Doubtful);
                }
                differs
            }
        };
        if changed {
            self.time = now;
        }
        Ok(overwritten)
    }

    fn looks_as(&self, former: &Former, width: usize) -> bool {
        let look = |looks: &[Look], cells: usize, tail: Look, at: usize| match looks.get(at) {
            Some(&look) => look,
            None if at < cells => PLAIN,
            None => tail,
        };
        let before = &self.before;
        (0..width).all(|at| {
            look(&self.looks, self.cells, self.tail, at) == look(&former.looks, before.cells, before.tail, at)
        })
    }

    fn first_row(&self, width: usize) -> &str {
        if self.cells <= width { &self.text } else { &self.text[..self.byte(width)] }
    }

    /// Where a cell's character begins; none takes two cells.
    fn byte(&self, cell: usize) -> usize {
        if !self.multibyte {
            return cell.min(self.text.len());
        }
        self.text.char_indices().nth(cell).map_or(self.text.len(), |(at, _)| at)
    }

    /// Something else than its end is about to change.
    fn touch(&mut self) {
        if self.before.former.is_none() {
            let looks = self.looks.get(..self.before.cells).unwrap_or(&[]).to_vec();
            self.before.former = Some(Former { text: self.text[..self.before.bytes].to_owned(), looks });
        }
    }

    fn grow(&mut self, grown: Grown) {
        self.grown = self.grown.max(grown);
    }

    fn look_from(&mut self, from: usize, look: Look) {
        if look != PLAIN || !self.looks.is_empty() {
            self.looks.resize(from, PLAIN);
            self.looks.resize(self.cells, look);
        }
    }

    /// Adds blank cells that are there already, up to this one.
    pub(super) fn reach(&mut self, cell: usize) {
        if cell > self.cells {
            let from = self.cells;
            if self.tail != self.before.tail {
                self.grow(Grown::Perhaps);
            }
            self.text.extend(std::iter::repeat_n(' ', cell - from));
            self.cells = cell;
            self.look_from(from, self.tail);
        }
    }

    /// Adds characters at the end, that take so many cells.
    pub(super) fn push(&mut self, text: &str, cells: usize, look: Look) -> Result<(), Doubtful> {
        let from = self.cells;
        self.multibyte |= text.len() != cells || !text.is_ascii();
        self.text.push_str(text);
        self.cells += cells;
        self.look_from(from, look);
        if text.bytes().any(|byte| byte != b' ') {
            self.grow(Grown::Yes);
        } else if look != PLAIN || self.before.tail != PLAIN {
            self.grow(Grown::Perhaps);
        }
        if self.text.len() > MAX_TEXT { Err(Doubtful) } else { Ok(()) }
    }

    /// It goes on in another row, whose cells look like this.
    pub(super) fn wrap(&mut self, tail: Look) {
        self.grown = Grown::Yes;
        self.tail = tail;
    }

    /// Puts `count` characters in the place of as many; it is in one row, and none takes two cells.
    pub(super) fn replace(&mut self, at: usize, text: &str, count: usize, look: Look) {
        self.touch();
        let (from, to) = (self.byte(at), self.byte(at + count));
        self.multibyte |= !text.is_ascii();
        self.text.replace_range(from..to, text);
        if look != PLAIN || !self.looks.is_empty() {
            self.looks.resize(self.cells, PLAIN);
            self.looks[at..at + count].fill(look);
        }
    }

    /// Erases all from this cell on.
    pub(super) fn erase(&mut self, at: usize, look: Look) {
        if at < self.cells {
            self.touch();
            self.text.truncate(self.byte(at));
            self.cells = at;
            self.looks.truncate(at);
            self.wide &= at > 0;
            self.multibyte &= at > 0;
        } else if look != self.tail {
            self.reach(at);
        }
        self.tail = look;
    }

    /// Takes cells out.
    pub(super) fn delete(&mut self, at: usize, count: usize) {
        if at < self.cells {
            self.touch();
            let to = (at + count).min(self.cells);
            self.text.replace_range(self.byte(at)..self.byte(to), "");
            if !self.looks.is_empty() {
                self.looks.drain(at..to);
            }
            self.cells -= to - at;
        }
    }

    /// Puts blank cells in, and drops what no longer fits.
    pub(super) fn insert(&mut self, at: usize, count: usize, look: Look, width: usize) {
        if at >= self.cells {
            return;
        }
        self.touch();
        let count = count.min(width - at);
        self.text.insert_str(self.byte(at), &" ".repeat(count));
        if look != PLAIN || !self.looks.is_empty() {
            self.looks.resize(self.cells, PLAIN);
            self.looks.splice(at..at, std::iter::repeat_n(look, count));
        }
        self.cells += count;
        if self.cells > width {
            self.text.truncate(self.byte(width));
            self.looks.truncate(width);
            self.cells = width;
        }
    }

    /// Whether nothing is seen of it; where it looks otherwise than at first, that is doubtful.
    pub(super) fn is_blank(&self) -> Result<bool, Doubtful> {
        if self.text.bytes().any(|byte| byte != b' ') {
            return Ok(false);
        }
        let plain = self.tail == PLAIN && self.looks.iter().all(|&look| look == PLAIN);
        if plain { Ok(true) } else { Err(Doubtful) }
    }
}
