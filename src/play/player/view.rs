//! What the user's terminal shows: the session passed on, or its screen drawn, with the status line, help or a list.
//!
//! While there is anything of the player's own on the terminal, the session's screen is drawn and not passed on, so that
//! the two never mix.

use std::time::{Duration, Instant};

use super::super::text::{self, List, Status};
use super::super::{Outcome, PlayError, draw};
use super::Player;

/// A screen that is drawn is drawn again after so long at the earliest, while more is due.
const FRAME: Duration = Duration::from_millis(33);

/// Goes to the alternate screen, on which it is drawn.
const ALTERNATE: &str = "\x1b[?1049h";

/// What the user looks at.
pub(super) enum View {
    /// The session.
    Session,
    Help,
    List(List),
    /// The session, and a pattern that is being typed.
    Prompt(String),
}

impl Player<'_> {
    /// Whether there is to be a status line.
    pub(super) fn wants_status(&self) -> bool {
        let Some((_, rows)) = self.size.filter(|_| self.tty.is_interactive()) else { return false };
        let spare = rows > self.screen.terminal().size().1;
        let by_itself = self.has_status && (self.clock.is_paused() || spare);
        rows > 1 && self.status.unwrap_or(by_itself)
    }

    /// Whether the screen is to be drawn, and not passed on.
    pub(super) fn wants_drawn(&self) -> bool {
        self.must_draw || !matches!(self.view, View::Session) || self.wants_status()
    }

    /// Draws instead of passing on from when the terminal would show something else: where the recording's
    /// screen is larger, and where it is smaller and its edges have come to matter.
    pub(super) fn check_fit(&mut self) {
        if self.must_draw || self.plan.unsafe_raw {
            return;
        }
        let Some(size) = self.size else { return };
        self.must_draw = self.plan.fit || draw::differs(self.screen.terminal(), size);
    }

    /// The terminal has to show the whole screen anew.
    pub(super) fn refresh(&mut self) {
        self.stale = self.tty.is_terminal();
    }

    /// When the screen or the status line has to be drawn again, if nothing happens before that.
    pub(super) fn until_next_draw(&self) -> Option<Duration> {
        if !self.drawn {
            return None;
        }
        let frame = FRAME.saturating_sub(self.drawn_at.elapsed());
        let ticks = !self.clock.is_paused() && self.next.is_some() && self.wants_status();
        let tick = ticks.then(|| {
            let second = 1_000_000 - self.now() % 1_000_000;
            Duration::from_micros(second).div_f64(self.clock.speed().times()).max(frame)
        });
        [self.stale.then_some(frame), tick].into_iter().flatten().min()
    }

    /// Brings the terminal to what it is to show.
    pub(super) fn settle(&mut self) -> Result<(), PlayError> {
        if self.tty.is_blocked() {
            return Ok(());
        }
        let size = self.tty.size();
        self.stale |= self.drawn && size != self.size;
        self.size = size;
        self.check_fit();
        let wanted = self.wants_drawn();
        if wanted != self.drawn {
            self.drawn = wanted;
            if wanted {
                (self.open_line, self.unseen) = (!self.tty.at_line_start(), self.stale);
                self.tty.write(format!("{ALTERNATE}{}", draw::RESET).as_bytes())?;
            }
            self.stale = true;
            return self.show_screen();
        }
        let waits = self.drawn && self.is_due() && self.drawn_at.elapsed() < FRAME;
        if self.stale && !waits {
            return self.show_screen();
        }
        if self.drawn && !waits {
            return self.update_status();
        }
        Ok(())
    }

    fn show_screen(&mut self) -> Result<(), PlayError> {
        self.stale = false;
        if self.drawn { self.draw() } else { self.redraw() }
    }

    /// Shows the session's screen anew where it is passed on. What follows is passed on to the terminal as this leaves it.
    fn redraw(&mut self) -> Result<(), PlayError> {
        let shown = draw::whole(self.screen.terminal(), &mut self.filter, self.plan.colors);
        self.tty.write(shown.as_bytes())
    }

    /// Draws what the user looks at.
    fn draw(&mut self) -> Result<(), PlayError> {
        let Some((cols, rows)) = self.size else { return Ok(()) };
        self.drawn_at = Instant::now();
        self.shown_status.clear();
        let hidden = "\x1b[?25l";
        let drawn = match &self.view {
            View::Help => hidden.to_owned() + &text::help(cols, rows),
            View::List(list) => hidden.to_owned() + &list.draw(cols, rows),
            View::Session | View::Prompt(_) => {
                let has_row = rows > 1 && (self.wants_status() || matches!(self.view, View::Prompt(_)));
                let height = rows - usize::from(has_row);
                let mut drawn = draw::fitted(self.screen.terminal(), cols, height, self.plan.colors);
                if let View::Prompt(pattern) = &self.view {
                    drawn += &prompt(pattern, cols, rows);
                } else if has_row {
                    self.shown_status = self.status_text();
                    drawn += &text::row(rows, &self.shown_status, true, cols);
                    drawn += &self.cursor(cols, height);
                }
                drawn
            }
        };
        self.tty.write(drawn.as_bytes())
    }

    /// Draws the status line if it has changed.
    fn update_status(&mut self) -> Result<(), PlayError> {
        let Some((cols, rows)) = self.size else { return Ok(()) };
        if !matches!(self.view, View::Session) || !self.wants_status() {
            return Ok(());
        }
        let status = self.status_text();
        if status == self.shown_status {
            return Ok(());
        }
        let drawn = text::row(rows, &status, true, cols) + &self.cursor(cols, rows - 1);
        self.shown_status = status;
        self.tty.write(drawn.as_bytes())
    }

    /// Takes the status line off the screen, for terminals without an alternate one.
    pub(super) fn erase_status(&mut self) -> Result<(), PlayError> {
        let Some((cols, rows)) = self.size.filter(|_| self.drawn && !self.shown_status.is_empty()) else {
            return Ok(());
        };
        self.shown_status.clear();
        let erased = text::row(rows, "", false, cols) + &self.cursor(cols, rows - 1);
        self.tty.write(erased.as_bytes())
    }

    /// Moves the cursor back to where the session's is on a screen drawn in this many rows.
    fn cursor(&self, cols: usize, rows: usize) -> String {
        let cursor = self.screen.terminal().cursor();
        text::cursor(cursor.row.min(rows.saturating_sub(1)) + 1, cursor.col.min(cols.saturating_sub(1)) + 1)
    }

    fn status_text(&self) -> String {
        let state = match () {
            () if self.clock.is_paused() && self.at_end && self.next.is_none() => "end",
            () if self.clock.is_paused() => "paused",
            () if self.plan.follow => "live",
            () => "playing",
        };
        Status {
            state,
            time: self.now(),
            length: self.overview.as_ref().map(|overview| overview.length),
            clock: &self.clock,
            marker: self.markers.last().map(|(_, text)| text.as_str()),
            notice: self.notice.as_deref(),
        }
        .text()
    }

    /// Begins to draw again, or shows the screen anew, after others have used the terminal.
    pub(super) fn begin_again(&mut self) -> Result<(), PlayError> {
        if self.drawn {
            self.tty.write(format!("{ALTERNATE}{}", draw::RESET).as_bytes())?;
        }
        self.refresh();
        Ok(())
    }

    /// Puts the user's terminal back as a prompt expects it.
    pub(super) fn restore(&mut self) -> Result<(), PlayError> {
        let restored = self.pass_on().and_then(|()| self.put_back());
        self.tty.leave_raw();
        restored
    }

    fn put_back(&mut self) -> Result<(), PlayError> {
        if self.stale && !self.drawn && !self.tty.is_blocked() {
            self.redraw()?;
        }
        self.erase_status()?;
        let begun = if self.drawn { self.open_line } else { !self.tty.at_line_start() };
        let mut left = if begun { "\r\n" } else { "" }.to_owned();
        // What was drawn is gone with the screen that it was drawn on. What was passed on before is still there.
        if self.drawn
            && (self.must_draw || self.unseen)
            && let Some((cols, _)) = self.size
        {
            left.push_str(&draw::left(self.screen.terminal(), cols, self.plan.colors));
        }
        self.tty.put_back(&left)?;
        self.tty.finish(matches!(self.ended, Some(Outcome::Signal(_))))
    }
}

/// The row in which a pattern is typed; of a long one, its end.
fn prompt(pattern: &str, cols: usize, rows: usize) -> String {
    let most = cols.saturating_sub(3);
    let skipped = pattern.chars().count().saturating_sub(most);
    let shown: String = pattern.chars().skip(skipped).collect();
    let width = unicode_width::UnicodeWidthStr::width(shown.as_str());
    let cursor = text::cursor(rows, (width + 2).min(cols));
    format!("{}{cursor}\x1b[?25h", text::row(rows, &format!("/{shown}"), false, cols))
}
