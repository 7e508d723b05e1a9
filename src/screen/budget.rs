//! How much drawing the bytes of a recording pay for. A few bytes can change a million cells: full resets, new screens,
//! scrolling by thousands of lines. Nobody sees thousands of screens in a second, so the work is bounded by the bytes that
//! were read. Beyond the bound, what would change many rows changes the cursor's row alone. Text is never left out. Pure.

use avt::parser::{DecMode, EdScope, ElScope, Function};
use avt::{Operation, ScreenKind, Terminal};

/// Cells that may be drawn whatever was read: some screens of the largest terminal, many thousands of a usual one.
const AT_FIRST: u64 = 64 << 20;

/// Cells that may be drawn for each byte of output.
const PER_BYTE: u64 = 256;

/// Bytes that an event takes beside its output.
const EVENT: u64 = 16;

/// Beside its cells, a row that leaves the screen is a line to keep: as many cells' worth.
const LINE: u64 = 256;

/// What a row costs beside its cells when it is compared.
const ROW: usize = 16;

/// How often each cell of a screen is written, compared or copied.
const ERASED: u64 = 1;
const CLEARED: u64 = 4;
const RESET: u64 = 6;
const SWITCHED: u64 = 6;
const RESIZED: u64 = 8;
const PRINTED: u64 = 6;
const COMPARED: u64 = 1;

/// The cells that may still be drawn.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u64,
    exceeded: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: AT_FIRST, exceeded: false }
    }
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Decision {
    /// What the output asks for.
    AsIs,
    /// This alone.
    Instead(Vec<Operation>),
}

impl Budget {
    /// An event with this many bytes of output was read.
    pub(crate) fn read(&mut self, bytes: usize) {
        self.left = self.left.saturating_add((bytes as u64 + EVENT) * PER_BYTE);
    }

    /// Whether anything was left out since the beginning.
    pub(super) fn exceeded(&self) -> bool {
        self.exceeded
    }

    /// Whether this many rows, which may have changed, can be compared with what they were.
    pub(crate) fn compares(&mut self, rows: usize, cols: usize) -> bool {
        self.spend(COMPARED * (rows * (cols + ROW)) as u64)
    }

    /// Whether a primary screen of this size can be cleared.
    pub(crate) fn clears(&mut self, rows: usize, cols: usize) -> bool {
        self.spend(cleared(rows, cols))
    }

    /// Whether the terminal can get another size, of this many cells.
    pub(super) fn resizes(&mut self, terminal: &Terminal, cells: usize) -> bool {
        self.spend(RESIZED * screen(terminal).max(cells as u64))
    }

    /// What is to be done of a function that is [`is_large`].
    pub(super) fn decide(&mut self, function: &Function, terminal: &Terminal) -> Decision {
        let (cols, rows) = terminal.size();
        let cursor = terminal.cursor();
        let all = screen(terminal);
        let scrolled = |n: &u16| usize::from(*n).clamp(1, rows) as u64 * (CLEARED * cols as u64 + LINE);
        let primary = terminal.active_screen_kind() == ScreenKind::Primary;
        let (cost, instead) = match function {
            // As on real terminals, a count ends where the screen would be full.
            Function::Rep(n) => {
                let (wanted, full) = (usize::from(*n), cols * rows);
                let cost = PRINTED * wanted.min(full) as u64;
                if wanted > full && cost <= self.left {
                    self.left -= cost;
                    return Decision::Instead(vec![Function::Rep(short(full)).into()]);
                }
                (cost, vec![Function::Rep(1)])
            }
            Function::Ed(EdScope::Below) if primary && cursor.row == 0 && cursor.col == 0 => {
                (cleared(rows, cols), vec![Function::El(ElScope::ToRight)])
            }
            Function::Ed(EdScope::Below) => {
                (ERASED * ((rows - cursor.row) * cols) as u64, vec![Function::El(ElScope::ToRight)])
            }
            Function::Ed(EdScope::Above) => {
                (ERASED * ((cursor.row + 1) * cols) as u64, vec![Function::El(ElScope::ToLeft)])
            }
            Function::Ed(EdScope::All) if primary => (cleared(rows, cols), vec![Function::El(ElScope::All)]),
            Function::Ed(EdScope::All) => (ERASED * all, vec![Function::El(ElScope::All)]),
            Function::Su(n) => (scrolled(n), vec![Function::Su(1)]),
            Function::Sd(n) => (scrolled(n), vec![Function::Sd(1)]),
            Function::Il(n) => (scrolled(n), vec![Function::Il(1)]),
            Function::Dl(n) => (scrolled(n), vec![Function::Dl(1)]),
            Function::Decaln => (PRINTED * all, vec![]),
            Function::Ris => (RESET * all + LINE * rows as u64, vec![Function::Decstr]),
            Function::Decset(modes) if primary && modes.as_slice().iter().copied().any(is_alternate) => {
                (SWITCHED * all, vec![])
            }
            _ => return Decision::AsIs,
        };
        if self.spend(cost) {
            Decision::AsIs
        } else {
            Decision::Instead(instead.into_iter().map(Operation::from).collect())
        }
    }

    fn spend(&mut self, cells: u64) -> bool {
        let left = self.left.checked_sub(cells);
        self.left = left.unwrap_or(self.left);
        self.exceeded |= left.is_none();
        left.is_some()
    }
}

/// Whether a function may change more than a row.
pub(super) fn is_large(function: &Function) -> bool {
    matches!(
        function,
        Function::Rep(_)
            | Function::Ed(_)
            | Function::Su(_)
            | Function::Sd(_)
            | Function::Il(_)
            | Function::Dl(_)
            | Function::Decaln
            | Function::Ris
            | Function::Decset(_)
    )
}

/// Whether a mode is that of the alternate screen.
pub(super) fn is_alternate(mode: DecMode) -> bool {
    matches!(mode, DecMode::AltScreenBuffer | DecMode::SaveCursorAltScreenBuffer)
}

fn cleared(rows: usize, cols: usize) -> u64 {
    rows as u64 * (CLEARED * cols as u64 + LINE)
}

fn screen(terminal: &Terminal) -> u64 {
    let (cols, rows) = terminal.size();
    (cols * rows) as u64
}

fn short(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large(text: &str) -> Function {
        let mut parser = avt::Parser::default();
        let function = text.chars().filter_map(|c| parser.feed(c)).last().expect("a function");
        assert!(is_large(&function), "{text:?}");
        function
    }

    #[test]
    fn without_cells_left_only_the_row_of_the_cursor_changes() {
        let mut terminal = Terminal::new(80, 24).expect("a size");
        terminal.feed("\x1b[5;5H");
        for (text, instead) in [
            ("\x1b[?1049h", None),
            ("\x1b[?47h", None),
            ("\x1b#8", None),
            ("\x1bc", Some(Function::Decstr)),
            ("\x1b[J", Some(Function::El(ElScope::ToRight))),
            ("\x1b[1J", Some(Function::El(ElScope::ToLeft))),
            ("\x1b[2J", Some(Function::El(ElScope::All))),
            ("\x1b[65535S", Some(Function::Su(1))),
            ("\x1b[65535T", Some(Function::Sd(1))),
            ("\x1b[65535L", Some(Function::Il(1))),
            ("\x1b[65535M", Some(Function::Dl(1))),
            ("x\x1b[65535b", Some(Function::Rep(1))),
        ] {
            let mut budget = Budget { left: 0, exceeded: false };
            let decision = budget.decide(&large(text), &terminal);
            let expected = instead.into_iter().map(Operation::from).collect();
            assert_eq!((decision, budget.exceeded), (Decision::Instead(expected), true), "{text:?}");
        }
        // What costs nothing is never changed.
        let mut budget = Budget { left: 0, exceeded: false };
        for text in ["\x1b[?2004h", "\x1b[?25h"] {
            assert_eq!((budget.decide(&large(text), &terminal), budget.exceeded), (Decision::AsIs, false));
        }
        terminal.feed("\x1b[?1049h");
        assert_eq!(budget.decide(&large("\x1b[?1049h"), &terminal), Decision::AsIs);
    }

    #[test]
    fn repetition_ends_where_the_screen_is_full() {
        let terminal = Terminal::new(20, 5).expect("a size");
        let mut budget = Budget::default();
        let decision = |n: u16| budget.decide(&Function::Rep(n), &terminal);
        let decisions = [100, 101, 65535].map(decision);
        let full = || Decision::Instead(vec![Function::Rep(100).into()]);
        assert_eq!(decisions, [Decision::AsIs, full(), full()]);
        assert!(!budget.exceeded());
    }

    #[test]
    fn what_is_read_pays_for_what_is_drawn() {
        let mut budget = Budget { left: 0, exceeded: false };
        assert!(!budget.compares(24, 80));
        budget.read(0);
        assert!(budget.compares(24, 80));
        assert!(budget.exceeded(), "it is not forgotten");
    }
}
