//! Taking events to the recording's screen and to the user's terminal.

use std::time::{Duration, Instant};

use super::super::{Outcome, PlayError};
use super::Player;
use crate::recording::reader::{Code, Event};
use crate::screen::{as_seen, is_cooked, parse_size};

/// Events are shown for so long between two looks for keys.
const SLICE: Duration = Duration::from_millis(20);

/// The most bytes that are written at once.
const AT_ONCE: usize = 64 << 10;

impl Player<'_> {
    /// Shows all that is due, and writes it together.
    pub(super) fn show_due(&mut self) -> Result<(), PlayError> {
        let begin = Instant::now();
        loop {
            self.show_next()?;
            // Where the screen begins to be drawn, what is before that has to be written.
            let changed = self.wants_drawn() != self.drawn;
            if changed || self.ended.is_some() || self.out.len() >= AT_ONCE || begin.elapsed() > SLICE {
                break;
            }
            self.fetch()?;
            if !self.is_due() {
                break;
            }
        }
        self.pass_on()
    }

    /// Writes the output that is to be passed on.
    pub(super) fn pass_on(&mut self) -> Result<(), PlayError> {
        let out = std::mem::take(&mut self.out);
        self.tty.write(&out)?;
        self.out = out;
        self.out.clear();
        Ok(())
    }

    /// Shows what comes next, unless playing ends before it.
    pub(super) fn show_next(&mut self) -> Result<(), PlayError> {
        let Some(event) = self.next.take() else { return Ok(()) };
        if self.is_over_at(&event) {
            self.ended = Some(Outcome::Played);
            return Ok(());
        }
        self.clock.shown(self.target(&event));
        self.apply(&event)?;
        match event.code {
            Code::Output | Code::ErrorOutput | Code::Resize if self.drawn => self.stale = true,
            // It will be drawn with all the rest.
            Code::Output | Code::ErrorOutput if self.stale => {}
            Code::Output | Code::ErrorOutput if self.plan.unsafe_raw => {
                self.out.extend_from_slice(event.exact_bytes());
            }
            Code::Output | Code::ErrorOutput => {
                let cooked = self.tty.is_terminal() && is_cooked(&self.source.header);
                let passed = self.filter.pass(&as_seen(&event.data, cooked)).as_bytes();
                self.out.extend_from_slice(passed);
                self.check_fit();
            }
            Code::Resize => self.check_fit(),
            Code::Input | Code::Marker | Code::Exit => {}
        }
        Ok(())
    }

    /// Takes an event to the recording's screen.
    pub(super) fn apply(&mut self, event: &Event) -> Result<(), PlayError> {
        // Times of other recorders may go back; what was shown does not.
        self.position = self.position.max(event.time);
        self.unseen = true;
        match event.code {
            Code::Output | Code::ErrorOutput => {
                self.printed += 1;
                self.screen.output(event.time, &event.data);
            }
            Code::Resize => {
                if let Some((cols, rows)) = parse_size(&event.data) {
                    self.screen.resize(event.time, cols, rows)?;
                }
            }
            Code::Marker => self.markers.push((event.time, event.data.clone())),
            Code::Input | Code::Exit => {}
        }
        drop(self.screen.take());
        Ok(())
    }
}
