//! Going to another place of the recording.

use std::time::{Duration, Instant};

use super::super::contents::Overview;
use super::super::keys::Typed;
use super::super::source::{Next, Source};
use super::super::{Outcome, Place, PlayError};
use super::press::suspend;
use super::{Player, new_screen};
use crate::recording::reader::{Code, Event, Item};

/// The number of events between two looks for keys while a place is looked for.
const UNSEEN: u32 = 256;

/// A marker that was passed less than this ago is the one that is left by going back.
const JUST_PASSED: u64 = 1_000_000;

impl Player<'_> {
    pub(super) fn start_at_marker(&mut self, text: &str) -> Result<(), PlayError> {
        let is_it = |event: &Event| event.code == Code::Marker && event.data == text;
        if !self.forward(u64::MAX, is_it)? && self.ended.is_none() {
            return Err(PlayError::NoMarker(text.to_owned()));
        }
        if matches!(self.plan.to, Some(Place::Time(to)) if self.position > to) {
            return Err(PlayError::Backwards);
        }
        self.arrive();
        Ok(())
    }

    /// Takes where it is now as the beginning, which may be the end, too.
    pub(super) fn begin(&mut self) -> Result<(), PlayError> {
        self.begins_after = Some(self.markers.len());
        let Some(Place::Marker(to)) = &self.plan.to else { return Ok(()) };
        if self.markers.iter().any(|(time, text)| *time == self.position && text == to) {
            self.settle()?;
            self.ended.get_or_insert(Outcome::Played);
        }
        Ok(())
    }

    /// Whether playing ends before this event, which comes next.
    pub(super) fn is_over_at(&self, event: &Event) -> bool {
        // What is before the beginning is not the end.
        let Some(before) = self.begins_after else { return false };
        match &self.plan.to {
            Some(Place::Time(to)) => event.time > *to,
            Some(Place::Marker(to)) => {
                event.code == Code::Marker && event.data == *to && self.markers.len() >= before
            }
            None => false,
        }
    }

    /// The time to go to instead of this one, where playing ends before it.
    pub(super) fn bounded(&self, time: u64) -> u64 {
        match self.plan.to {
            Some(Place::Time(to)) => time.min(to),
            _ => time,
        }
    }

    /// Goes to a time and shows the screen as it was then.
    pub(super) fn seek(&mut self, time: u64) -> Result<(), PlayError> {
        if time < self.position && !self.reopen()? {
            return Ok(());
        }
        self.forward(time, |_| false)?;
        // It may be between two events.
        let next = self.next.as_ref().map_or(self.position, |next| next.time);
        self.position = self.position.max(time.min(next));
        self.arrive();
        Ok(())
    }

    /// Goes back to before the last event with output, and pauses.
    pub(super) fn step_back(&mut self) -> Result<(), PlayError> {
        self.clock.pause(true, Instant::now());
        let before = self.printed.saturating_sub(1);
        if !self.reopen()? {
            return Ok(());
        }
        let printed = std::cell::Cell::new(0);
        if before > 0 {
            self.forward(u64::MAX, |event| {
                printed.set(printed.get() + u64::from(prints(event)));
                printed.get() == before
            })?;
        }
        self.arrive();
        Ok(())
    }

    /// Shows events up to the next one that prints something.
    pub(super) fn step(&mut self) -> Result<(), PlayError> {
        while self.ended.is_none() {
            self.fetch()?;
            let Some(next) = &self.next else {
                if self.at_end {
                    self.ended = Some(self.end()?);
                } else if self.plan.follow || !self.source.is_file {
                    break;
                } else {
                    self.glance(None)?;
                }
                continue;
            };
            let prints = prints(next);
            // Nothing is skipped: it is there.
            self.clock.set(self.target(next), Instant::now());
            self.show_next()?;
            if prints {
                break;
            }
        }
        self.pass_on()
    }

    pub(super) fn next_marker(&mut self) -> Result<(), PlayError> {
        let here = self.now();
        let mut found = self.forward(u64::MAX, |event| event.code == Code::Marker)?;
        // The one at which playing ends is still to come.
        if let (Some(Place::Marker(_)), Some(end)) = (&self.plan.to, &self.next) {
            self.position = self.position.max(end.time);
            found = true;
        }
        // Where there is no other one, it stays where it is.
        if !found && self.ended.is_none() && self.source.is_file {
            self.seek(here)?;
            self.notice = Some("no marker after this".to_owned());
            return Ok(());
        }
        self.arrive();
        Ok(())
    }

    pub(super) fn previous_marker(&mut self) -> Result<(), PlayError> {
        let left = self.now().saturating_sub(JUST_PASSED);
        let marker = self.markers.iter().rev().find(|(time, _)| *time < left);
        self.seek(marker.map_or(0, |(time, _)| *time))
    }

    /// Goes to this many tenths of the recording, as soon as its length is known.
    pub(super) fn jump_to_tenth(&mut self, tenth: u8) -> Result<(), PlayError> {
        match &self.overview {
            Some(Overview { length, .. }) => {
                let time = length / 10 * u64::from(tenth) + length % 10 * u64::from(tenth) / 10;
                self.seek(self.bounded(time))
            }
            None if self.overview_task.is_some() => {
                self.tenth = Some(tenth);
                Ok(())
            }
            None => {
                self.notice = Some("the length of a stream is not known".to_owned());
                Ok(())
            }
        }
    }

    /// The clock and the screen follow to the position.
    fn arrive(&mut self) {
        self.clock.set(Duration::from_micros(self.position), Instant::now());
        self.starved = None;
        self.refresh();
    }

    /// Reads the recording from its start again; false where it is a stream, which can't be.
    fn reopen(&mut self) -> Result<bool, PlayError> {
        if !self.source.is_file {
            self.notice = Some("a stream can't be gone back in".to_owned());
            return Ok(false);
        }
        self.source = Source::open(self.plan, false)?;
        self.screen = new_screen(&self.source)?;
        (self.next, self.at_end, self.position, self.printed) = (None, false, 0, 0);
        self.markers.clear();
        Ok(true)
    }

    /// Takes events up to a time, up to the end of playing, or up to and with one that is looked for, to the screen
    /// unseen. Returns whether that was found.
    fn forward(&mut self, time: u64, stop: impl Fn(&Event) -> bool) -> Result<bool, PlayError> {
        let mut unseen = 0_u32;
        loop {
            unseen += 1;
            if unseen.is_multiple_of(UNSEEN) {
                self.glance(Some(Duration::ZERO))?;
            }
            if self.ended.is_some() {
                return Ok(false);
            }
            let event = match self.next.take() {
                Some(event) => event,
                None => match self.source.take() {
                    Next::Item(item) => match *item {
                        Item::Event(event) => event,
                        _ => continue,
                    },
                    Next::Failed(error) => return Err(error.into()),
                    Next::Nothing => {
                        self.glance(None)?;
                        continue;
                    }
                    Next::End => {
                        self.at_end = true;
                        return Ok(false);
                    }
                },
            };
            if event.time > time || self.is_over_at(&event) {
                self.next = Some(event);
                return Ok(false);
            }
            self.apply(&event)?;
            if stop(&event) {
                return Ok(true);
            }
        }
    }

    /// Takes all that there is of a live recording to the screen, and shows that.
    pub(super) fn catch_up(&mut self) -> Result<(), PlayError> {
        while self.ended.is_none() {
            // Asked before the look: what was read before is found by it.
            let caught_up = self.source.caught_up();
            match self.source.take() {
                Next::Item(item) => {
                    if let Item::Event(event) = *item {
                        if self.is_over_at(&event) {
                            self.next = Some(event);
                            break;
                        }
                        self.apply(&event)?;
                    }
                }
                Next::Failed(error) => return Err(error.into()),
                Next::End => {
                    self.at_end = true;
                    break;
                }
                Next::Nothing if caught_up => break,
                // The look has taken the word of that.
                Next::Nothing if self.source.caught_up() => {}
                Next::Nothing => self.glance(None)?,
            }
        }
        self.arrive();
        Ok(())
    }

    /// Waits for more of the recording, or for this long, while a place is looked for: only keys that end the player
    /// are heeded.
    fn glance(&mut self, wait: Option<Duration>) -> Result<(), PlayError> {
        let heard = self.tty.wait(wait, &[self.source.more()])?;
        self.heed(heard.signals)?;
        for key in heard.keys {
            match key {
                Typed::Char('q' | 'Q') => self.ended = Some(Outcome::Played),
                Typed::Interrupt => self.ended = Some(Outcome::Interrupted),
                Typed::Suspend => suspend()?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn prints(event: &Event) -> bool {
    matches!(event.code, Code::Output | Code::ErrorOutput)
}
