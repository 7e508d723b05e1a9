//! What a recording holds beyond what was played of it: its length, markers, commands, and where a pattern is seen. Each
//! reads the recording from its start, up to a fault if there is one, and runs beside the player.

use std::path::Path;

use regex::Regex;

use super::source;
use super::task::Wanted;
use crate::recording::reader::{Code, Item};
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
    /// The time of the last event, in microseconds.
    pub(super) length: u64,
    pub(super) markers: Vec<Entry>,
}

fn entry(time: u64, kind: EntryKind, text: &str) -> Entry {
    Entry { time, kind, text: text.chars().take(LONGEST).collect() }
}

/// The length and the markers, without rendering.
pub(super) fn overview(path: &Path, wanted: &Wanted) -> Overview {
    let mut overview = Overview::default();
    let Ok(reader) = source::reader(path) else { return overview };
    for item in reader.map_while(Result::ok).take_while(|_| wanted.is_wanted()) {
        let Item::Event(event) = item else { continue };
        overview.length = overview.length.max(event.time);
        if event.code == Code::Marker && overview.markers.len() < MOST {
            overview.markers.push(entry(event.time, EntryKind::Marker, &event.data));
        }
    }
    overview
}

/// The lines in which a command was entered, where the shell marked them.
pub(super) fn commands(path: &Path, wanted: &Wanted) -> Vec<Entry> {
    let lines = source::reader(path).ok().and_then(|reader| Lines::new(reader, Options::default()).ok());
    lines
        .into_iter()
        .flatten()
        .map_while(Result::ok)
        .take_while(|_| wanted.is_wanted())
        .filter(|line| matches!(line.mark, Some(Mark::Command(_))) && !line.text.is_empty())
        .map(|line| entry(line.time, EntryKind::Command, &line.text))
        .take(MOST)
        .collect()
}

/// When lines were seen that match, in microseconds, in order.
pub(super) fn matches(path: &Path, pattern: Regex, wanted: &Wanted) -> Vec<u64> {
    let mut times = Vec::new();
    let Ok(reader) = source::reader(path) else { return times };
    let query = Query { pattern, before: 0, after: 0, input: false };
    // What was found before a fault counts.
    let _ = search::find(reader, &query, &mut |found| {
        times.push(found.time);
        times.len() < MOST && wanted.is_wanted()
    });
    times.sort_unstable();
    times.dedup();
    times
}
