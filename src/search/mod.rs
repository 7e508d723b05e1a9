//! Finds a pattern in what was seen in a session, or in what was typed. Pure but for the reader.
//!
//! What was seen is rendered by [`crate::screen`]. As that is slow, [`plain`] does it for the many sessions that stay
//! at a prompt.

mod plain;
mod typed;

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::BufRead;

use regex::Regex;

use self::plain::{Plain, Shown};
use self::typed::Typed;
use crate::recording::reader::{Code, Item, Reader};
use crate::screen::{Lines, Options, Place, RenderError};

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Query {
    /// The pattern, for one line.
    pub pattern: Regex,
    /// So many lines before each match are told too.
    pub before: usize,
    /// So many lines after each match are told too.
    pub after: usize,
    /// Whether to look in what was typed, instead of in what was seen.
    pub input: bool,
    /// After how many matches to stop; the lines after the last one are reported too.
    pub max: Option<usize>,
}

/// A line that matches, or one beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// When it last changed, in microseconds since the start.
    pub time: u64,
    /// Where it was.
    pub place: Place,
    /// Its text; escape it before printing.
    pub text: String,
    /// Whether it matches.
    pub matches: bool,
    /// Whether lines were left out before it.
    pub after_others: bool,
}

/// How far a session was followed without a terminal emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// To its end, or until nobody wanted more.
    Whole,
    /// Not so far, and so many lines were told: they are those that [`find`] begins with.
    Part(usize),
}

/// As [`find`], for a session at a prompt; several times as fast.
///
/// # Errors
///
/// When the recording can't be read; what was found before was given.
pub fn follow(
    reader: Reader<impl BufRead>,
    query: &Query,
    found: &mut dyn FnMut(Found) -> bool,
) -> Result<Followed, RenderError> {
    let told = Cell::new(0);
    let mut count = |line| {
        told.set(told.get() + 1);
        found(line)
    };
    let mut finder = Finder::new(query, &mut count);
    let Some(mut plain) = (!query.input).then(|| Plain::new(reader.header(), &query.pattern)).flatten()
    else {
        return Ok(Followed::Part(0));
    };
    let mut failed = None;
    for item in reader {
        match item {
            Ok(Item::Event(event)) if event.code == Code::Output => {
                let followed = plain.output(event.time, &event.data, &mut |shown| finder.shown(&shown));
                if finder.enough {
                    return Ok(Followed::Whole);
                }
                if followed.is_err() {
                    return Ok(Followed::Part(told.get()));
                }
            }
            Ok(Item::Event(event)) if matches!(event.code, Code::Resize | Code::ErrorOutput) => {
                return Ok(Followed::Part(told.get()));
            }
            Ok(_) => {}
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    // What was seen before an error is still told.
    plain.finish(&mut |shown| finder.shown(&shown));
    match failed {
        Some(error) if !finder.enough => Err(error.into()),
        _ => Ok(Followed::Whole),
    }
}

/// Gives the lines that match, with those beside them, to `found`, one by one; it ends when that is false. The answer is the
/// line of the file, from 1, from which on something was left out: see [`Lines::left_out`].
///
/// # Errors
///
/// When the recording can't be read; what was found before was given.
pub fn find(
    reader: Reader<impl BufRead>,
    query: &Query,
    found: &mut dyn FnMut(Found) -> bool,
) -> Result<Option<u64>, RenderError> {
    let mut finder = Finder::new(query, found);
    if query.input {
        return typed(reader, &mut finder).map(|()| None);
    }
    let mut lines = Lines::new(reader, Options { styles: false, replaced: true })?;
    for line in lines.by_ref() {
        let line = line?;
        if line.place != Place::Replaced {
            finder.line(line.time, line.place, &line.text);
        } else if query.pattern.is_match(&line.text) && !query.pattern.is_match(&line.successor) {
            // A line is told in the last state in which it matched.
            finder.aside(line.time, &line.text);
        }
        if finder.enough {
            break;
        }
    }
    Ok(lines.left_out())
}

fn typed(reader: Reader<impl BufRead>, finder: &mut Finder<'_>) -> Result<(), RenderError> {
    let mut typed = Typed::default();
    let mut tell = |lines: Vec<(u64, String)>| {
        for (time, text) in lines {
            finder.line(time, Place::Normal, &text);
        }
        finder.enough
    };
    for item in reader {
        if let Item::Event(event) = item?
            && event.code == Code::Input
        {
            typed.feed(event.time, &event.data);
            if tell(typed.take()) {
                return Ok(());
            }
        }
    }
    typed.finish();
    tell(typed.take());
    Ok(())
}

struct Finder<'a> {
    query: &'a Query,
    found: &'a mut dyn FnMut(Found) -> bool,
    recent: VecDeque<(u64, Place, String)>,
    /// So many lines after the last match are still to be told.
    due: usize,
    /// How many matches there were.
    matches: usize,
    skipped: bool,
    /// Nobody wants more.
    enough: bool,
}

impl<'a> Finder<'a> {
    fn new(query: &'a Query, found: &'a mut dyn FnMut(Found) -> bool) -> Self {
        Self {
            query,
            found,
            recent: VecDeque::new(),
            due: 0,
            matches: 0,
            skipped: false,
            enough: query.max == Some(0),
        }
    }

    fn shown(&mut self, shown: &Shown<'_>) {
        match *shown {
            Shown::Line { time, text } => self.line(time, Place::Normal, text),
            Shown::Replaced { time, text } => self.aside(time, text),
        }
    }

    fn line(&mut self, time: u64, place: Place, text: &str) {
        if self.is_last() {
            // Only those after the last match are left, whether they match or not.
            self.push(time, place, text.to_owned(), false);
            self.due = self.due.saturating_sub(1);
            self.enough |= self.due == 0;
        } else if self.query.pattern.is_match(text) {
            for (time, place, text) in std::mem::take(&mut self.recent) {
                self.push(time, place, text, false);
            }
            self.push(time, place, text.to_owned(), true);
            self.due = self.query.after;
            self.count();
        } else if self.due > 0 {
            self.due -= 1;
            self.push(time, place, text.to_owned(), false);
        } else if self.query.before == 0 {
            self.skipped = true;
        } else {
            self.recent.push_back((time, place, text.to_owned()));
            if self.recent.len() > self.query.before {
                self.recent.pop_front();
                self.skipped = true;
            }
        }
    }

    /// A match that is no line of the transcript: it has nothing beside it.
    fn aside(&mut self, time: u64, text: &str) {
        if !self.is_last() {
            self.push(time, Place::Replaced, text.to_owned(), true);
            self.count();
        }
    }

    fn count(&mut self) {
        self.matches += 1;
        self.enough |= self.is_last() && self.due == 0;
    }

    /// Whether the last match was found.
    fn is_last(&self) -> bool {
        self.query.max == Some(self.matches)
    }

    fn push(&mut self, time: u64, place: Place, text: String, matches: bool) {
        let after_others = std::mem::take(&mut self.skipped);
        if !self.enough {
            self.enough = !(self.found)(Found { time, place, text, matches, after_others });
        }
    }
}

#[cfg(test)]
mod tests;
