//! Finds a pattern in what was seen in a session, or in what was typed. Pure but for the reader.
//!
//! What was seen is rendered by [`crate::screen`]. As that is slow, [`plain`] tells first of the
//! many recordings that can't hold a match that they don't.

mod plain;
mod typed;

use std::collections::VecDeque;
use std::io::BufRead;

use regex::Regex;

pub use self::plain::may_match;
use self::typed::Typed;
use crate::recording::reader::{Code, Item, Reader};
use crate::screen::{Ending, Lines, Options, Place, RenderError};

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

/// Gives the lines that match, with those beside them, to `found`, one by one; it ends when that is false.
///
/// # Errors
///
/// When the recording can't be read; what was found before was given.
pub fn find(
    reader: Reader<impl BufRead>,
    query: &Query,
    found: &mut dyn FnMut(Found) -> bool,
) -> Result<Ending, RenderError> {
    let recent = VecDeque::new();
    let mut finder = Finder { query, found, recent, due: 0, skipped: false, enough: false };
    if query.input {
        return typed(reader, &mut finder);
    }
    let mut lines = Lines::new(reader, Options { styles: false, replaced: true })?;
    for line in lines.by_ref() {
        let line = line?;
        let matches = query.pattern.is_match(&line.text);
        if line.place != Place::Replaced {
            finder.line(line.time, line.place, line.text, matches);
        } else if matches && !query.pattern.is_match(&line.successor) {
            // A line is told in the last state in which it matched.
            finder.aside(line.time, line.text);
        }
        if finder.enough {
            break;
        }
    }
    Ok(lines.ending())
}

fn typed(reader: Reader<impl BufRead>, finder: &mut Finder<'_>) -> Result<Ending, RenderError> {
    let mut typed = Typed::default();
    let mut ending = if reader.header().recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    let mut tell = |lines: Vec<(u64, String)>| {
        for (time, text) in lines {
            let matches = finder.query.pattern.is_match(&text);
            finder.line(time, Place::Normal, text, matches);
        }
    };
    for item in reader {
        match item? {
            Item::Event(event) if event.code == Code::Input => {
                typed.feed(event.time, &event.data);
                tell(typed.take());
            }
            Item::Event(_) | Item::Gap(_) | Item::Streams(_) => {}
            Item::End(_) => ending = Ending::Complete,
            Item::TornTail { line } => ending = Ending::Torn { line },
        }
    }
    typed.finish();
    tell(typed.take());
    Ok(ending)
}

struct Finder<'a> {
    query: &'a Query,
    found: &'a mut dyn FnMut(Found) -> bool,
    recent: VecDeque<(u64, Place, String)>,
    /// So many lines after the last match are still to be told.
    due: usize,
    skipped: bool,
    /// Nobody wants more.
    enough: bool,
}

impl Finder<'_> {
    fn line(&mut self, time: u64, place: Place, text: String, matches: bool) {
        if matches {
            for (time, place, text) in std::mem::take(&mut self.recent) {
                self.push(time, place, text, false);
            }
            self.push(time, place, text, true);
            self.due = self.query.after;
        } else if self.due > 0 {
            self.due -= 1;
            self.push(time, place, text, false);
        } else {
            self.recent.push_back((time, place, text));
            if self.recent.len() > self.query.before {
                self.recent.pop_front();
                self.skipped = true;
            }
        }
    }

    /// A match that is no line of the transcript: it has nothing beside it.
    fn aside(&mut self, time: u64, text: String) {
        self.push(time, Place::Replaced, text, true);
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
