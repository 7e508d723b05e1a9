//! The table of commands and markers.

use std::fmt;

use super::{markup, seconds};
use crate::report::offset;
use crate::screen::TextLine;

/// So many commands and markers are listed.
const MAX_LISTED: usize = 10_000;

/// So many characters of a command or marker stand in the table.
const MAX_CELL: usize = 1000;

/// A row of the table.
#[derive(Debug)]
struct Row {
    time: u64,
    what: &'static str,
    text: String,
    /// The number of the line that it links to.
    line: usize,
}

/// The rows so far.
#[derive(Debug, Default)]
pub(super) struct Commands {
    rows: Vec<Row>,
    /// Markers that wait for the first line after them.
    markers: Vec<(u64, String)>,
}

impl Commands {
    /// A marker of the recording.
    pub(super) fn marker(&mut self, time: u64, text: &str) {
        if self.markers.len() < MAX_LISTED {
            self.markers.push((time, shortened(text)));
        }
    }

    /// The next line of the transcript, which has this number.
    pub(super) fn line(&mut self, line: &TextLine, number: usize) {
        let after = self.markers.partition_point(|(time, _)| *time <= line.time);
        self.place_markers(after, number);
        if line.command {
            self.push(Row { time: line.time, what: "command", text: shortened(&line.text), line: number });
        }
    }

    /// There are no more lines after the one with this number.
    pub(super) fn finish(&mut self, last: usize) {
        self.place_markers(self.markers.len(), last);
        self.rows.sort_by_key(|row| row.time);
    }

    /// Time in microseconds, kind and text of each row, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, &str, &str)> {
        self.rows.iter().map(|row| (row.time, row.what, row.text.as_str()))
    }

    fn place_markers(&mut self, count: usize, line: usize) {
        let markers: Vec<_> = self.markers.drain(..count).collect();
        for (time, text) in markers {
            self.push(Row { time, what: "marker", text, line });
        }
    }

    fn push(&mut self, row: Row) {
        if self.rows.len() < MAX_LISTED {
            self.rows.push(row);
        }
    }
}

impl fmt::Display for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return Ok(());
        }
        f.write_str(
            "<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">Commands and markers</h2>\n<table>\n\
             <thead><tr><th scope=\"col\">Time</th><th scope=\"col\">What</th><th scope=\"col\">Text</th></tr></thead>\n<tbody>\n",
        )?;
        for (number, Row { time, what, text, line }) in (1..).zip(&self.rows) {
            writeln!(
                f,
                "<tr id=\"C{number}\" data-t=\"{}\"><td><a href=\"#L{line}\">{}</a></td><td>{what}</td><td><code>{}</code></td></tr>",
                seconds(*time),
                offset(*time),
                markup(text)
            )?;
        }
        f.write_str("</tbody>\n</table>\n</nav>\n")
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
