//! What the player itself shows: the status line, help and lists, in the sequences that every terminal knows (CUP, EL,
//! and SGR 0 and 7). Pure.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::Clock;
use super::contents::{Entry, EntryKind};
use super::keys::KEYS;
use crate::escape;

/// What the status line reports.
#[derive(Debug, Clone)]
pub(super) struct Status<'a> {
    /// In a word: playing, paused, live, end.
    pub(super) state: &'a str,
    /// Microseconds since the start.
    pub(super) time: u64,
    /// The recording's length in microseconds, where it is known.
    pub(super) length: Option<u64>,
    pub(super) clock: &'a Clock,
    /// The last marker that was passed.
    pub(super) marker: Option<&'a str>,
    /// What is to be known about the last key.
    pub(super) notice: Option<&'a str>,
}

impl Status<'_> {
    /// The line's text, without a control character.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{:<7} {}", self.state, clock_time(self.time));
        if let Some(length) = self.length {
            let _ = write!(text, " of {}", clock_time(length.max(self.time)));
        }
        let speed = format!("{:.2}", self.clock.speed().times());
        let _ = write!(text, " | {}x", speed.trim_end_matches('0').trim_end_matches('.'));
        if self.clock.skips() || !self.clock.skipped().is_zero() {
            let skipped = u64::try_from(self.clock.skipped().as_micros()).unwrap_or(u64::MAX);
            let _ = write!(text, " | idle skipped {}", clock_time(skipped));
            text.push_str(if self.clock.skips() { "" } else { " (off)" });
        }
        match (self.notice, self.marker) {
            (Some(notice), _) => text.extend([" | ", notice]),
            (None, Some(marker)) => text.extend([" | marker ", &escape::controls(marker)]),
            (None, None) => text.push_str(" | ? for help"),
        }
        text
    }
}

/// Microseconds as `H:MM:SS`, rounded down as clocks are.
fn clock_time(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A row of the screen, from 1, with a text from its first column on and nothing after that. The last column stays free.
pub(super) fn row(row: usize, text: &str, inverse: bool, cols: usize) -> String {
    let text = fitted(text, cols.saturating_sub(1), inverse);
    let style = if inverse { "\x1b[0;7m" } else { "\x1b[0m" };
    format!("\x1b[{row};1H{style}{text}\x1b[0m\x1b[K")
}

/// Moves the cursor, from 1.
pub(super) fn cursor(row: usize, col: usize) -> String {
    format!("\x1b[{row};{col}H")
}

/// So much of a text as `cols` hold, and blanks up to there where `padded`.
fn fitted(text: &str, cols: usize, padded: bool) -> String {
    let mut used = 0;
    let mut out = String::new();
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if used + width > cols {
            break;
        }
        used += width;
        out.push(c);
    }
    if padded {
        out.extend(std::iter::repeat_n(' ', cols - used));
    }
    out
}

/// All rows of a screen: a title, and lines below it.
fn page(title: &str, lines: &[(String, bool)], cols: usize, rows: usize) -> String {
    let mut out = row(1, title, true, cols);
    for number in 2..=rows {
        let (text, inverse) = lines.get(number - 2).map_or(("", false), |(text, inverse)| (text, *inverse));
        out += &row(number, text, inverse, cols);
    }
    out + &cursor(rows, 1)
}

/// The help.
pub(super) fn help(cols: usize, rows: usize) -> String {
    let lines: Vec<(String, bool)> =
        KEYS.iter().map(|(key, meaning)| (format!(" {key:<12} {meaning}"), false)).collect();
    page(" Keys. Any key goes back.", &lines, cols, rows)
}

/// A list to choose from.
#[derive(Debug, Default)]
pub(super) struct List {
    entries: Vec<Entry>,
    /// Where the recording is, in microseconds.
    time: u64,
    selected: usize,
    /// Whether another entry was selected than that of the time.
    moved: bool,
    /// More is being looked for.
    unfinished: bool,
}

impl List {
    /// A list; the last entry before `time` is selected.
    pub(super) fn new(entries: Vec<Entry>, time: u64, unfinished: bool) -> Self {
        let mut list = Self { time, ..Self::default() };
        list.set(entries, unfinished);
        list
    }

    /// Replaces the entries; one that was selected by a key stays selected.
    pub(super) fn set(&mut self, entries: Vec<Entry>, unfinished: bool) {
        let selected = self.entries.get(self.selected).cloned();
        (self.entries, self.unfinished) = (entries, unfinished);
        self.entries.sort_by_key(|entry| entry.time);
        self.selected = match selected.filter(|_| self.moved) {
            Some(selected) => self.entries.iter().position(|entry| *entry == selected),
            None => self.entries.iter().rposition(|entry| entry.time <= self.time),
        }
        .unwrap_or(0);
    }

    pub(super) fn selected(&self) -> Option<&Entry> {
        self.entries.get(self.selected)
    }

    /// Selects another entry, this many further on.
    pub(super) fn go(&mut self, by: isize) {
        self.moved = true;
        self.selected = self.selected.saturating_add_signed(by).min(self.entries.len().saturating_sub(1));
    }

    /// What draws the list.
    pub(super) fn draw(&self, cols: usize, rows: usize) -> String {
        let title = match (self.entries.len(), self.unfinished) {
            (_, true) => " Looking for more... Enter jumps, q goes back.".to_owned(),
            (0, false) => {
                " There are no markers, and no commands that the shell has marked. q goes back.".to_owned()
            }
            (count, false) => format!(" {} of {count}. Enter jumps, q goes back.", self.selected + 1),
        };
        let height = rows.saturating_sub(1).max(1);
        let first = (self.selected + 1).saturating_sub(height);
        let lines: Vec<(String, bool)> = self
            .entries
            .iter()
            .enumerate()
            .skip(first)
            .take(height)
            .map(|(index, entry)| {
                let kind = match entry.kind {
                    EntryKind::Marker => "marker ",
                    EntryKind::Command => "command",
                };
                let text = escape::controls(&entry.text);
                (format!(" {}  {kind}  {text}", clock_time(entry.time)), index == self.selected)
            })
            .collect();
        page(&title, &lines, cols, rows)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::play::Speed;

    fn entry(time: u64, kind: EntryKind, text: &str) -> Entry {
        Entry { time, kind, text: text.to_owned() }
    }

    fn shown(drawn: &str, cols: usize, rows: usize) -> Vec<String> {
        let mut terminal = avt::Terminal::new(cols, rows).expect("a size");
        terminal.feed("\x1b[31m");
        for _ in 0..rows {
            terminal.feed("########\r\n");
        }
        terminal.feed(drawn);
        terminal.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect()
    }

    #[test]
    fn the_status_has_state_time_speed_idle_time_and_marker() {
        let now = Instant::now();
        let mut clock =
            Clock::new(Speed::new(1.5).expect("a speed"), Some(Duration::from_secs(2)), Duration::ZERO, now);
        clock.shown(Duration::from_secs(42));
        let mut status = Status {
            state: "playing",
            time: 83_999_999,
            length: Some(3_600_000_000),
            clock: &clock,
            marker: Some("de\u{1b}ploy"),
            notice: None,
        };
        assert_eq!(
            status.text(),
            "playing 0:01:23 of 1:00:00 | 1.5x | idle skipped 0:00:40 | marker de\\u{1b}ploy"
        );
        status.notice = Some("no match");
        assert!(status.text().ends_with(" | no match"));
        let clock = Clock::new(Speed::REAL, None, Duration::ZERO, now);
        let status =
            Status { state: "live", length: None, clock: &clock, marker: None, notice: None, ..status };
        assert_eq!(status.text(), "live    0:01:23 | 1x | ? for help");
    }

    #[test]
    fn a_row_is_cut_by_its_width_and_leaves_the_last_column() {
        assert_eq!(row(3, "漢字漢", false, 6), "\x1b[3;1H\x1b[0m漢字\x1b[0m\x1b[K");
        assert_eq!(row(1, "ab", true, 5), "\x1b[1;1H\x1b[0;7mab  \x1b[0m\x1b[K");
        assert_eq!(shown(&row(2, "ab", true, 8), 8, 3), ["########", "ab", ""]);
    }

    #[test]
    fn a_list_shows_the_selected_entry_and_keeps_it_when_more_comes() {
        let markers =
            vec![entry(9_000_000, EntryKind::Marker, "late"), entry(1_000_000, EntryKind::Marker, "early")];
        let mut list = List::new(markers.clone(), 2_000_000, true);
        assert_eq!(list.selected().map(|entry| entry.text.as_str()), Some("early"));
        list.go(0);
        let commands =
            [entry(0, EntryKind::Command, "$ ls\u{9b}"), entry(5_000_000, EntryKind::Command, "$ make")];
        list.set([&markers[..], &commands].concat(), false);
        assert_eq!(list.selected().map(|entry| entry.text.as_str()), Some("early"));
        let rows = shown(&list.draw(60, 4), 60, 4);
        assert_eq!(rows[1..3], [" 0:00:00  command  $ ls\\u{9b}", " 0:00:01  marker   early"]);
        list.go(100);
        let rows = shown(&list.draw(60, 4), 60, 4);
        assert_eq!(
            rows,
            [
                " 4 of 4. Enter jumps, q goes back.",
                " 0:00:01  marker   early",
                " 0:00:05  command  $ make",
                " 0:00:09  marker   late"
            ]
        );
        list.go(-100);
        assert_eq!(list.selected().map(|entry| entry.time), Some(0));
        assert!(List::default().selected().is_none());
    }

    #[test]
    fn the_help_fits_on_the_usual_terminal() {
        let rows = shown(&help(80, 24), 80, 24);
        assert!(rows[1].contains("Pause") && rows[KEYS.len()].contains("Quit"), "{rows:?}");
        assert!(KEYS.iter().all(|(_, meaning)| 14 + meaning.len() < 80));
    }
}
