//! What keys do, and what comes of the searches that they begin.

use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use regex::Regex;

use super::super::contents::{self, Entry, EntryKind};
use super::super::keys::Typed;
use super::super::task::Task;
use super::super::text::List;
use super::super::{Key, Outcome, PlayError};
use super::Player;
use super::view::View;

/// How far the cursor keys go, in microseconds.
const JUMP: u64 = 5_000_000;

/// How far the keys for a page go in a list.
const PAGE: isize = 10;

/// A search, and where it found something.
pub(super) struct Search {
    pattern: String,
    task: Option<Task<Vec<u64>>>,
    /// Times of the matches in microseconds, in order.
    times: Vec<u64>,
}

impl Player<'_> {
    pub(super) fn press(&mut self, typed: Typed) -> Result<(), PlayError> {
        self.notice = None;
        match (typed, &self.view) {
            (Typed::Suspend, _) => suspend(),
            (Typed::Interrupt, View::Session | View::List(_) | View::Help) => {
                self.ended = Some(Outcome::Interrupted);
                Ok(())
            }
            (_, View::Session) => Key::of(typed).map_or(Ok(()), |key| self.command(key)),
            (_, View::Help) => {
                self.close();
                Ok(())
            }
            (_, View::List(_)) => self.press_in_list(typed),
            (_, View::Prompt(_)) => self.press_in_prompt(typed),
        }
    }

    fn command(&mut self, key: Key) -> Result<(), PlayError> {
        let now = Instant::now();
        match key {
            Key::Pause => self.clock.pause(!self.clock.is_paused(), now),
            Key::Step if self.clock.is_paused() => return self.step(),
            Key::Step => {}
            Key::Faster => self.clock.change_speed(true, now),
            Key::Slower => self.clock.change_speed(false, now),
            Key::SkipIdle => {
                let next = self.next.as_ref().map(|event| self.target(event));
                self.clock.toggle_skip(next, now);
            }
            Key::Status => {
                self.status = Some(!self.wants_status());
                // A drawn screen has one row more or less.
                self.refresh();
            }
            Key::Help => self.open(View::Help),
            Key::Quit => self.ended = Some(Outcome::Played),
            Key::Interrupt => self.ended = Some(Outcome::Interrupted),
            Key::Suspend => return suspend(),
            // What is live can't be left.
            _ if self.plan.follow => self.notice = Some("a live session can't be left".to_owned()),
            Key::StepBack => return self.step_back(),
            Key::Forward => return self.seek(self.bounded(self.now() + JUMP)),
            Key::Back => return self.seek(self.now().saturating_sub(JUMP)),
            Key::Tenth(tenth) => return self.jump_to_tenth(tenth),
            Key::NextMarker => return self.next_marker(),
            Key::PreviousMarker => return self.previous_marker(),
            _ if !self.source.is_file => self.notice = Some("a stream can't be searched".to_owned()),
            Key::List => return self.open_list(),
            Key::Search => self.open(View::Prompt(String::new())),
            Key::NextMatch => return self.next_match(true),
            Key::PreviousMatch => return self.next_match(false),
        }
        Ok(())
    }

    /// Shows something else than the session, which is paused meanwhile.
    fn open(&mut self, view: View) {
        self.resumes = !self.clock.is_paused();
        self.clock.pause(true, Instant::now());
        self.view = view;
        self.refresh();
    }

    /// Shows the session again.
    fn close(&mut self) {
        self.view = View::Session;
        self.clock.pause(!self.resumes, Instant::now());
        self.refresh();
    }

    fn open_list(&mut self) -> Result<(), PlayError> {
        if self.commands.is_none() && self.commands_task.is_none() {
            let plan = self.plan.clone();
            let task = Task::start(&self.wake, move |wanted| contents::commands(&plan, wanted));
            self.commands_task = Some(task.map_err(PlayError::Terminal)?);
        }
        let (entries, unfinished) = self.entries();
        self.open(View::List(List::new(entries, self.now(), unfinished)));
        Ok(())
    }

    /// The markers and commands that are known, and whether there may be more.
    fn entries(&self) -> (Vec<Entry>, bool) {
        let mut entries = match &self.overview {
            Some(overview) => overview.markers.clone(),
            None => self
                .markers
                .iter()
                .map(|(time, text)| Entry { time: *time, kind: EntryKind::Marker, text: text.clone() })
                .collect(),
        };
        entries.extend(self.commands.iter().flatten().cloned());
        (entries, self.overview.is_none() || self.commands.is_none())
    }

    /// Shows in the list what was found meanwhile.
    fn update_list(&mut self) {
        let (entries, unfinished) = self.entries();
        if let View::List(list) = &mut self.view {
            list.set(entries, unfinished);
            self.refresh();
        }
    }

    fn press_in_list(&mut self, typed: Typed) -> Result<(), PlayError> {
        let View::List(list) = &mut self.view else { return Ok(()) };
        match typed {
            Typed::Up | Typed::Char('k') => list.go(-1),
            Typed::Down | Typed::Char('j') => list.go(1),
            Typed::PageUp => list.go(-PAGE),
            Typed::PageDown => list.go(PAGE),
            Typed::Home | Typed::Char('g') => list.go(isize::MIN),
            Typed::End | Typed::Char('G') => list.go(isize::MAX),
            Typed::Enter => {
                let time = list.selected().map(|entry| entry.time);
                self.close();
                return time.map_or(Ok(()), |time| self.seek(self.bounded(time)));
            }
            Typed::Escape | Typed::Char('q' | 'Q' | 'm') => self.close(),
            _ => return Ok(()),
        }
        self.refresh();
        Ok(())
    }

    fn press_in_prompt(&mut self, typed: Typed) -> Result<(), PlayError> {
        let View::Prompt(text) = &mut self.view else { return Ok(()) };
        match typed {
            Typed::Char(c) if !c.is_control() => text.push(c),
            Typed::Backspace if text.pop().is_some() => {}
            Typed::Enter if !text.is_empty() => {
                let text = std::mem::take(text);
                return self.search_for(text);
            }
            Typed::Backspace | Typed::Enter | Typed::Escape | Typed::Interrupt => self.close(),
            _ => return Ok(()),
        }
        self.refresh();
        Ok(())
    }

    fn search_for(&mut self, pattern: String) -> Result<(), PlayError> {
        let Ok(regex) = Regex::new(&pattern) else {
            self.close();
            self.notice = Some("not a valid pattern".to_owned());
            return Ok(());
        };
        let plan = self.plan.clone();
        let task = Task::start(&self.wake, move |wanted| contents::matches(&plan, regex, wanted));
        let task = Some(task.map_err(PlayError::Terminal)?);
        self.search = Some(Search { pattern, task, times: Vec::new() });
        // It stays paused, so that what is found can be read.
        self.view = View::Session;
        self.notice = Some("searching...".to_owned());
        self.refresh();
        Ok(())
    }

    /// Takes what tasks have found.
    pub(super) fn take_results(&mut self) -> Result<(), PlayError> {
        self.wake.clear();
        if let Some(found) = self.overview_task.as_ref().and_then(Task::take) {
            self.overview_task = None;
            self.overview = Some(found);
            self.update_list();
            if let Some(tenth) = self.tenth.take() {
                self.jump_to_tenth(tenth)?;
            }
        }
        if let Some(found) = self.commands_task.as_ref().and_then(Task::take) {
            self.commands_task = None;
            self.commands = Some(found);
            self.update_list();
        }
        let search = self.search.as_mut();
        if let Some(search) = search
            && let Some(found) = search.task.as_ref().and_then(Task::take)
        {
            search.task = None;
            search.times = found;
            // What is on the screen now counts, too.
            let here = self.now();
            let first =
                self.search.as_ref().and_then(|search| search.times.iter().position(|&time| time >= here));
            self.show_match(first.unwrap_or(0))?;
        }
        Ok(())
    }

    /// Goes to the match after, or before, this moment; from the last one to the first, and the other way round.
    fn next_match(&mut self, forward: bool) -> Result<(), PlayError> {
        let here = self.now();
        let Some(search) = &self.search else {
            self.notice = Some("/ begins a search".to_owned());
            return Ok(());
        };
        if search.task.is_some() {
            self.notice = Some("searching...".to_owned());
            return Ok(());
        }
        let last = search.times.len().saturating_sub(1);
        let index = if forward {
            search.times.iter().position(|&time| time > here).unwrap_or(0)
        } else {
            search.times.iter().rposition(|&time| time < here).unwrap_or(last)
        };
        self.show_match(index)
    }

    /// Goes to a match and pauses.
    fn show_match(&mut self, index: usize) -> Result<(), PlayError> {
        let Some(search) = &self.search else { return Ok(()) };
        let pattern = crate::escape::controls(&search.pattern);
        let Some(&time) = search.times.get(index) else {
            self.notice = Some(format!("not found: {pattern}"));
            return Ok(());
        };
        let count = search.times.len();
        self.clock.pause(true, Instant::now());
        self.seek(self.bounded(time))?;
        self.notice = Some(format!("match {} of {count}: {pattern}", index + 1));
        Ok(())
    }
}

/// Stops the job that this process belongs to, as Ctrl-Z does it at a terminal that is not raw. The signal comes to this
/// process, too, which puts the terminal back first.
pub(super) fn suspend() -> Result<(), PlayError> {
    kill(Pid::from_raw(0), Signal::SIGTSTP).map_err(|error| PlayError::Terminal(error.into()))
}
