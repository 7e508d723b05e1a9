//! Follows rows over the screen: when each last changed, which ones leave it, and what a full-screen
//! program showed last. Pure.

use std::collections::VecDeque;

use avt::operation::Operation;
use avt::parser::{EdScope, Function};
use avt::{Line, Observation, Observer, ScreenKind, Terminal};

use super::Options;
use super::budget::is_alternate;
use super::line::{Joiner, Place, TextLine, is_seen};
use super::shell::Mark;
use super::touched::Touched;

/// So many bytes of the screens of full-screen programs wait for the lines before them.
const MAX_WAITING: usize = 8 << 20;

/// A row as it was when the last event was over.
struct Row {
    line: Line,
    time: u64,
    mark: Option<Mark>,
    /// Screens that were left when the cursor was in this row.
    before: Vec<TextLine>,
    /// A hash of its text, once that was needed.
    hash: Option<u64>,
}

impl Row {
    fn new(line: &Line, time: u64, mark: Option<Mark>) -> Self {
        Self { line: line.clone(), time, mark, before: Vec::new(), hash: None }
    }

    /// Whether this is its text, without spaces at the end.
    fn is(&mut self, text: &str, hash: u64) -> bool {
        let own = *self.hash.get_or_insert_with(|| {
            hash_of(self.line.cells().iter().filter(|cell| cell.width() > 0).map(avt::Cell::char))
        });
        own == hash && self.line.text().trim_end() == text
    }
}

pub(super) struct Tracker {
    /// The time of the event.
    pub(super) now: u64,
    options: Options,
    primary: VecDeque<Row>,
    alternate: VecDeque<Row>,
    joiner: Joiner,
    ready: Vec<TextLine>,
    /// A screen that is being left, until it is known where the session goes on.
    left: Vec<TextLine>,
    /// Bytes in the `before` of all rows.
    waiting: usize,
    dirty: bool,
    /// Rows of the screen in use that may have changed.
    touched: Touched,
    /// How many rows of the primary screen, from its top, the session has got to: the cursor was in them or below, or
    /// text is. The others are blank and nobody's yet: what they become is a line from then on.
    reached: usize,
    /// The primary screen was cleared by the last operation.
    cleared: bool,
    in_alternate: bool,
}

impl Tracker {
    pub(super) fn new(options: Options) -> Self {
        Self {
            now: 0,
            options,
            primary: VecDeque::new(),
            alternate: VecDeque::new(),
            joiner: Joiner::new(options.styles),
            ready: Vec::new(),
            left: Vec::new(),
            waiting: 0,
            dirty: true,
            touched: Touched::default(),
            reached: 0,
            cleared: false,
            in_alternate: false,
        }
    }

    pub(super) fn take(&mut self) -> Vec<TextLine> {
        std::mem::take(&mut self.ready)
    }

    /// Gives all that is still on the screen.
    pub(super) fn finish(&mut self, terminal: &Terminal) {
        self.flush_primary(terminal);
        if terminal.active_screen_kind() == ScreenKind::Alternate {
            let screen = self.full_screen(terminal);
            self.ready.extend(screen);
        }
    }

    /// A row leaves the screen for good.
    fn gone(&mut self, line: &Line, row: Option<Row>) {
        let mut time = self.now;
        let mut mark = None;
        if let Some(row) = row {
            mark = row.mark;
            if !row.before.is_empty() {
                self.waiting -= weight(&row.before);
                self.ready.extend(self.joiner.flush(Place::Normal));
                self.ready.extend(row.before);
            }
            if row.line == *line && (self.reached > 0 || !is_blank(line)) {
                time = row.time;
            }
        }
        self.reached = self.reached.saturating_sub(1);
        self.ready.extend(self.joiner.push(line, time, mark, Place::Normal));
    }

    /// Gives the rows of the primary screen, which is about to be cleared.
    fn flush_primary(&mut self, terminal: &Terminal) {
        let known = self.ready.len();
        let lines: Vec<&Line> = terminal.primary_screen().all_lines().collect();
        let mut rows = std::mem::take(&mut self.primary);
        let used = lines.iter().rposition(|line| !self.is_empty(line)).map_or(0, |last| last + 1);
        let used = used.max(rows.iter().rposition(|row| !row.before.is_empty()).map_or(0, |last| last + 1));
        for line in lines.into_iter().take(used) {
            let row = rows.pop_front();
            self.gone(line, row);
        }
        self.reached = 0;
        self.ready.extend(self.joiner.flush(Place::Normal));
        // Rows below the last line with text that only waited for a screen before them.
        let is_blank = |line: &TextLine| line.place == Place::Normal && line.text.is_empty();
        while self.ready.len() > known && self.ready.last().is_some_and(is_blank) {
            self.ready.pop();
        }
    }

    /// The last screen of a full-screen program: as it stood before the event in which it is left, as
    /// programs tidy up then. One that came and went within an event stands as it was left.
    fn full_screen(&mut self, terminal: &Terminal) -> Vec<TextLine> {
        let mut joiner = Joiner::new(self.options.styles);
        let mut lines = Vec::new();
        let place = Place::FullScreen { first: false };
        let rows = std::mem::take(&mut self.alternate);
        if rows.iter().any(|row| !self.is_empty(&row.line)) {
            for row in &rows {
                lines.extend(joiner.push(&row.line, row.time, None, place));
            }
        } else {
            for line in terminal.screen().visible_lines() {
                lines.extend(joiner.push(line, self.now, None, place));
            }
        }
        lines.extend(joiner.flush(Place::FullScreen { first: false }));
        let used = lines.iter().rposition(|line| !line.text.is_empty()).map_or(0, |last| last + 1);
        lines.truncate(used);
        if let Some(first) = lines.first_mut() {
            first.place = Place::FullScreen { first: true };
        }
        lines
    }

    /// Whether a row shows nothing of what is wanted.
    fn is_empty(&self, line: &Line) -> bool {
        is_blank(line) && !(self.options.styles && line.cells().iter().any(|cell| is_seen(cell.pen())))
    }

    /// Puts a screen that was left before the row in which the session goes on.
    fn attach(&mut self, terminal: &Terminal) {
        let screen = std::mem::take(&mut self.left);
        if screen.is_empty() {
            return;
        }
        if self.waiting + weight(&screen) > MAX_WAITING {
            self.ready.extend(screen);
            return;
        }
        self.waiting += weight(&screen);
        let at = terminal.cursor().row;
        self.fill(terminal);
        if let Some(row) = self.primary.get_mut(at) {
            row.before.extend(screen);
        }
    }

    /// Marks the row of the cursor, or for a command the one above if this is empty; where it is known in which row it began,
    /// that one, and those after it as its continuation. A prompt that does not begin its row follows the text in that.
    pub(super) fn mark(&mut self, terminal: &Terminal, mark: Mark) {
        if self.in_alternate {
            return;
        }
        self.fill(terminal);
        let mut at = terminal.cursor().row;
        match mark {
            Mark::Prompt if terminal.cursor().col > 0 => return,
            Mark::Prompt | Mark::Input | Mark::Continued => {}
            Mark::Command(_) => {
                let line = terminal.primary_screen().visible_lines().nth(at);
                if at > 0 && line.is_some_and(is_blank) {
                    at -= 1;
                }
                let last = |row: &Row| matches!(row.mark, Some(Mark::Command(_) | Mark::Input));
                let last = self.primary.iter().take(at + 1).rposition(last);
                if let Some(first) = last.filter(|&row| self.primary[row].mark == Some(Mark::Input)) {
                    for row in self.primary.range_mut(first + 1..=at) {
                        row.mark = Some(Mark::Continued);
                    }
                    at = first;
                }
            }
        }
        if let Some(row) = self.primary.get_mut(at) {
            row.mark = Some(mark);
        }
    }

    /// As many rows as the primary screen has. New ones were blank before the event.
    fn fill(&mut self, terminal: &Terminal) {
        let (cols, rows) = terminal.size();
        if self.primary.len() < rows
            && let Ok(blank) = Terminal::new(cols, 1)
            && let Some(blank) = blank.screen().line(0)
        {
            let time = self.now;
            self.primary.resize_with(rows, || Row::new(blank, time, None));
        }
    }

    /// After a change of the size, the same lines are there from the top, wrapped otherwise.
    fn resized(&mut self, terminal: &Terminal) {
        let mut waiting = Vec::new();
        // Of each line: its time, what it is to the shell, and whether the session has got to it.
        let mut known: VecDeque<(u64, Option<Mark>, bool)> = VecDeque::new();
        let (mut last, mut wrapped) = (0, false);
        for (index, row) in self.primary.drain(..).enumerate() {
            last = last.max(row.time);
            match known.back_mut().filter(|_| wrapped) {
                Some((time, mark, _)) => {
                    *time = row.time.max(*time);
                    if !matches!(mark, Some(Mark::Command(_))) {
                        *mark = row.mark.or(*mark);
                    }
                }
                None => known.push_back((row.time, row.mark, index < self.reached)),
            }
            wrapped = row.line.is_wrapped();
            waiting.extend(row.before);
        }
        (self.reached, wrapped) = (0, false);
        let (mut time, mut mark, mut reached) = (last, None, false);
        for (index, line) in terminal.primary_screen().all_lines().enumerate() {
            if !wrapped {
                (time, mark, reached) = known.pop_front().unwrap_or((last, None, false));
            }
            wrapped = line.is_wrapped();
            if reached {
                self.reached = index + 1;
            }
            self.primary.push_back(Row::new(line, time, mark));
        }
        let at = if self.in_alternate { self.primary.len() - 1 } else { terminal.cursor().row };
        if let Some(row) = self.primary.get_mut(at) {
            row.before = waiting;
        }
        self.alternate.clear();
        self.touched.all();
    }

    /// How many rows are to be compared when an event is over.
    pub(super) fn changed_rows(&mut self, terminal: &Terminal) -> usize {
        if !self.dirty {
            return 0;
        }
        self.touched.settle();
        let screens = if self.in_alternate && self.touched.is_all() { 2 } else { 1 };
        self.touched.count(terminal.size().1) * screens
    }

    /// An event is over.
    pub(super) fn settle(&mut self, terminal: &Terminal) {
        self.forget_cleared();
        let mut reached = 0;
        if std::mem::take(&mut self.dirty) {
            self.touched.settle();
            // The primary screen only changes while it is in use, or with the size.
            if !self.in_alternate || self.touched.is_all() {
                reached = self.compare(terminal, ScreenKind::Primary);
            }
            if self.in_alternate {
                self.compare(terminal, ScreenKind::Alternate);
            }
            self.touched.compared();
        }
        if !self.in_alternate {
            reached = reached.max(terminal.cursor().row + 1);
        }
        self.reach(reached);
    }

    /// After the screen was cleared, and what was on it has left, the session has got to none of its rows.
    fn forget_cleared(&mut self) {
        if std::mem::take(&mut self.cleared) {
            self.reached = 0;
        }
    }

    /// The session has got to this many rows, or more: the blank ones that are new to it are lines from now on.
    fn reach(&mut self, rows: usize) {
        for row in self.primary.iter_mut().take(rows).skip(self.reached).filter(|row| is_blank(&row.line)) {
            row.time = self.now;
        }
        self.reached = self.reached.max(rows);
    }

    /// Compares a screen with what it was, and notes what has changed. Gives how many rows there are down to the last one with
    /// new text that the session had not got to.
    fn compare(&mut self, terminal: &Terminal, kind: ScreenKind) -> usize {
        let primary = kind == ScreenKind::Primary;
        let screen = if primary { terminal.primary_screen() } else { terminal.screen() };
        let rows = if primary { &mut self.primary } else { &mut self.alternate };
        let mut replaced: Vec<TextLine> = Vec::new();
        let mut reached = 0;
        for (index, line) in screen.visible_lines().enumerate() {
            match rows.get_mut(index) {
                Some(row) if !self.touched.may_have_changed(index) => {
                    debug_assert!(row.line == *line, "row {index} changed without a word");
                    continue;
                }
                Some(row) if row.line == *line => continue,
                None => rows.push_back(Row::new(line, self.now, None)),
                Some(row) => {
                    if self.options.replaced {
                        replaced.extend(overwritten(row, line));
                    }
                    row.line.clone_from(line);
                    (row.time, row.hash) = (self.now, None);
                }
            }
            if index >= self.reached && !is_blank(line) {
                reached = index + 1;
            }
        }
        rows.truncate(terminal.size().1);
        // What has only moved is still there.
        self.ready.extend(replaced.into_iter().filter(|line| {
            let hash = hash_of(line.text.chars());
            !rows.iter_mut().any(|row| row.is(&line.text, hash))
        }));
        reached
    }
}

/// A hash of a text, without spaces at the end. Nothing rests on it but time.
fn hash_of(text: impl Iterator<Item = char>) -> u64 {
    let (mut hash, mut kept) = (0_u64, 0);
    for c in text {
        hash = (hash ^ u64::from(c)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        if !c.is_whitespace() {
            kept = hash;
        }
    }
    kept
}

impl Observer for Tracker {
    type Output = ();

    fn begin(&mut self, context: &mut Observation<'_>) {
        self.touched.height(context.terminal().size().1);
    }

    fn dirty(&mut self, rows: std::ops::Range<usize>) {
        self.dirty = true;
        self.touched.rows(rows);
    }

    fn before(&mut self, context: &mut Observation<'_>, operation: &Operation) {
        self.forget_cleared();
        self.touched.begin(operation);
        let Operation::Function(function) = operation else { return };
        match function {
            Function::Ris => {
                let terminal = context.terminal();
                if self.in_alternate {
                    self.left = self.full_screen(terminal);
                }
                self.flush_primary(terminal);
                let left = std::mem::take(&mut self.left);
                self.ready.extend(left);
            }
            Function::Decrst(modes)
                if self.in_alternate && modes.as_slice().iter().copied().any(is_alternate) =>
            {
                self.left = self.full_screen(context.terminal());
            }
            // Clearing from the first cell on is clearing all, as `clear` does under tmux.
            Function::Ed(EdScope::Below)
                if !self.in_alternate
                    && context.terminal().cursor().row == 0
                    && context.terminal().cursor().col == 0 =>
            {
                self.flush_primary(context.terminal());
            }
            _ => {}
        }
    }

    fn after(&mut self, context: &mut Observation<'_>, operation: &Operation) {
        match operation {
            Operation::Function(Function::Decset(_) | Function::Decrst(_) | Function::Ris) => {
                let terminal = context.terminal();
                let before = std::mem::replace(
                    &mut self.in_alternate,
                    terminal.active_screen_kind() == ScreenKind::Alternate,
                );
                if before != self.in_alternate {
                    self.dirty = true;
                    self.touched.all();
                }
                if before && !self.in_alternate {
                    self.attach(terminal);
                }
            }
            Operation::Function(Function::Ed(EdScope::All)) => self.cleared |= !self.in_alternate,
            Operation::Resize { .. } => self.resized(context.terminal()),
            Operation::Function(_) => {}
        }
    }

    fn evicted(&mut self, _: &mut Observation<'_>, line: &Line) {
        self.touched.row_left();
        let row = self.primary.pop_front();
        self.gone(line, row);
    }

    fn end(&mut self, _: &mut Observation<'_>) {}
}

/// The row as a line, if its text is gone: not only longer.
fn overwritten(row: &Row, line: &Line) -> Option<TextLine> {
    let text = row.line.text();
    let text = text.trim_end();
    let successor = line.text();
    (!text.is_empty() && !successor.starts_with(text)).then(|| TextLine {
        time: row.time,
        place: Place::Replaced,
        text: text.to_owned(),
        styles: Vec::new(),
        mark: None,
        successor: successor.trim_end().to_owned(),
    })
}

fn is_blank(line: &Line) -> bool {
    !line.is_wrapped() && line.cells().iter().all(|cell| cell.char() == ' ')
}

fn weight(lines: &[TextLine]) -> usize {
    lines.iter().map(|line| line.text.len() + 16 * line.styles.len() + 64).sum()
}
