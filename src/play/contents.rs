//! What a recording holds beyond what was played of it: its length, markers, commands, and where a pattern is seen. Each
//! reads the recording from its start, up to a fault if there is one, and runs beside the player.

use std::io::{self, BufRead, Read};

use regex::Regex;

use super::Plan;
use super::task::Wanted;
use crate::cast::Input;
use crate::recording::reader::{Code, Item, Reader, session_length};
use crate::screen::{Lines, Mark, Options};
use crate::search::{self, Query};

/// The most markers, commands or matches that are kept.
pub(super) const MOST: usize = 10_000;

/// Longer texts are cut here, in characters.
const LONGEST: usize = 400;

/// Where to jump to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Microseconds since the start.
    pub(super) time: u64,
    pub(super) kind: EntryKind,
    /// As it stands in the recording: escape it before printing.
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    Marker,
    Command,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Overview {
    /// How long the session was, in microseconds.
    pub(super) length: u64,
    pub(super) markers: Vec<Entry>,
}

/// A recording that ends where nobody wants more of it.
struct WhileWanted {
    input: Input,
    wanted: Wanted,
}

impl BufRead for WhileWanted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.wanted.is_wanted() { self.input.fill_buf() } else { Ok(&[]) }
    }

    fn consume(&mut self, amount: usize) {
        self.input.consume(amount);
    }
}

impl Read for WhileWanted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.wanted.is_wanted() { self.input.read(buffer) } else { Ok(0) }
    }
}

fn reader(plan: &Plan, wanted: &Wanted) -> Option<Reader<WhileWanted>> {
    Reader::new(WhileWanted { input: plan.open().ok()?, wanted: wanted.clone() }).ok()
}

fn entry(time: u64, kind: EntryKind, text: &str) -> Entry {
    Entry { time, kind, text: text.chars().take(LONGEST).collect() }
}

/// The length and the markers, without rendering.
pub(super) fn overview(plan: &Plan, wanted: &Wanted) -> Overview {
    let mut overview = Overview::default();
    let mut end = None;
    for item in reader(plan, wanted).into_iter().flatten().map_while(Result::ok) {
        match item {
            Item::Event(event) => {
                overview.length = event.time;
                if event.code == Code::Marker && overview.markers.len() < MOST {
                    overview.markers.push(entry(event.time, EntryKind::Marker, &event.data));
                }
            }
            Item::End(record) => end = Some(record),
            _ => {}
        }
    }
    overview.length = session_length(Some(overview.length), end.as_ref()).unwrap_or_default();
    overview
}

/// The lines in which a command was entered, where the shell marked them.
pub(super) fn commands(plan: &Plan, wanted: &Wanted) -> Vec<Entry> {
    let lines = reader(plan, wanted).and_then(|reader| Lines::new(reader, Options::default()).ok());
    lines
        .into_iter()
        .flatten()
        .map_while(Result::ok)
        .filter(|line| matches!(line.mark, Some(Mark::Command(_))) && !line.text.is_empty())
        .map(|line| entry(line.time, EntryKind::Command, &line.text))
        .take(MOST)
        .collect()
}

/// When lines were seen that match, in microseconds, in order.
pub(super) fn matches(plan: &Plan, pattern: Regex, wanted: &Wanted) -> Vec<u64> {
    let mut times = Vec::new();
    let Some(reader) = reader(plan, wanted) else { return times };
    let query = Query { pattern, before: 0, after: 0, input: false, max: None };
    // What was found before a fault counts.
    let _ = search::find(reader, &query, &mut |found| {
        times.push(found.time);
        times.len() < MOST
    });
    times.sort_unstable();
    times.dedup();
    times
}
