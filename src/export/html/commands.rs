//! The table of commands and markers.

use std::fmt;

use super::{markup, seconds};
use crate::report::{duration, offset};
use crate::screen::{Mark, Place, Run, TextLine};

/// The most commands and markers that are listed.
const MAX_LISTED: usize = 10_000;

/// The most characters of a command or marker in the table.
const MAX_CELL: usize = 1000;

/// A row of the table.
#[derive(Debug)]
struct Row {
    time: u64,
    what: What,
    text: String,
    /// The number of the line that it links to.
    line: usize,
}

#[derive(Debug)]
enum What {
    /// The command with this index, and how many lines it printed.
    Command {
        index: usize,
        lines: usize,
    },
    Marker,
}

impl What {
    fn name(&self) -> &'static str {
        match self {
            Self::Command { .. } => "command",
            Self::Marker => "marker",
        }
    }
}

/// The rows so far.
#[derive(Debug, Default)]
pub(super) struct Commands {
    rows: Vec<Row>,
    /// The commands of the session.
    runs: Vec<Run>,
    /// Markers that wait for the first line after them.
    markers: Vec<(u64, String)>,
    /// The row of the command whose lines come.
    counting: Option<usize>,
}

impl Commands {
    /// A marker of the recording.
    pub(super) fn marker(&mut self, time: u64, text: &str) {
        if self.markers.len() < MAX_LISTED {
            self.markers.push((time, shortened(text)));
        }
    }

    /// The next line of the transcript, which has this number; `runs` are the commands so far.
    pub(super) fn line(&mut self, line: &TextLine, number: usize, runs: &[Run]) {
        let after = self.markers.partition_point(|(time, _)| *time <= line.time);
        self.place_markers(after, number);
        match line.mark {
            Some(Mark::Command(index)) => {
                let time = runs.get(index).map_or(line.time, |run| run.start);
                let what = What::Command { index, lines: 0 };
                self.counting = self.push(Row { time, what, text: shortened(&line.text), line: number });
            }
            Some(Mark::Continued) => self.continued(&line.text),
            Some(Mark::Prompt | Mark::Input) => self.counting = None,
            None if line.place == Place::Normal => self.count(line.time, runs),
            None => {}
        }
    }

    /// A further line of the command before it.
    fn continued(&mut self, text: &str) {
        if let Some(row) = self.counting.and_then(|row| self.rows.get_mut(row)) {
            row.text = shortened(&format!("{}\n{text}", row.text));
        }
    }

    /// A line that was printed at `time` belongs to the command before it, unless that was over.
    fn count(&mut self, time: u64, runs: &[Run]) {
        let row = self.counting.and_then(|row| self.rows.get_mut(row));
        if let Some(Row { what: What::Command { index, lines }, .. }) = row {
            if runs.get(*index).and_then(|run| run.end).is_none_or(|end| time <= end) {
                *lines += 1;
            } else {
                self.counting = None;
            }
        }
    }

    /// There are no more lines after the one with this number.
    pub(super) fn finish(&mut self, last: usize, runs: &[Run]) {
        self.place_markers(self.markers.len(), last);
        self.rows.sort_by_key(|row| (row.time, matches!(row.what, What::Marker)));
        runs.clone_into(&mut self.runs);
    }

    /// Time in microseconds, kind and text of each row, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, &str, &str)> {
        self.rows.iter().map(|row| (row.time, row.what.name(), row.text.as_str()))
    }

    fn place_markers(&mut self, count: usize, line: usize) {
        let markers: Vec<_> = self.markers.drain(..count).collect();
        for (time, text) in markers {
            self.push(Row { time, what: What::Marker, text, line });
        }
    }

    /// Gives the place of the row, unless there are too many.
    fn push(&mut self, row: Row) -> Option<usize> {
        if self.rows.len() >= MAX_LISTED {
            return None;
        }
        self.rows.push(row);
        Some(self.rows.len() - 1)
    }

    /// Duration, lines and exit status of a row, as cells.
    fn cells(&self, what: &What) -> String {
        let What::Command { index, lines } = what else {
            return "<td></td><td></td><td></td>".to_owned();
        };
        let run = self.runs.get(*index);
        let took = run.and_then(|run| Some(took(run.end?.saturating_sub(run.start))));
        let status = run.and_then(|run| run.status).map(|status| status.to_string());
        let [took, status] = [took, status].map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
        format!("<td class=\"r\">{took}</td><td class=\"r\">{lines}</td><td class=\"r\">{status}</td>")
    }
}

/// How long a command took, in seconds where that is not too many.
fn took(micros: u64) -> String {
    if micros < 60_000_000 {
        format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10)
    } else {
        duration(micros)
    }
}

impl fmt::Display for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return Ok(());
        }
        f.write_str(
            "<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">Commands and markers</h2>\n<div class=\"w\">\n<table>\n<thead><tr>",
        )?;
        for (class, column) in
            [("", "Start"), ("r", "Duration"), ("r", "Lines"), ("r", "Status"), ("", "Command or marker")]
        {
            let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            write!(f, "<th scope=\"col\"{class}>{column}</th>")?;
        }
        f.write_str("</tr></thead>\n<tbody>\n")?;
        for (number, Row { time, what, text, line }) in (1..).zip(&self.rows) {
            let cells = self.cells(what);
            let (marker, shown) = match what {
                What::Marker => ("Marker: ", markup(text)),
                // The lines in which it was typed.
                What::Command { .. } => ("", text.split('\n').map(markup).collect::<Vec<_>>().join("\n")),
            };
            writeln!(
                f,
                "<tr id=\"C{number}\" data-t=\"{}\"><td><a href=\"#L{line}\">{}</a></td>{cells}<td>{marker}<code>{}</code></td></tr>",
                seconds(*time),
                offset(*time),
                shown
            )?;
        }
        f.write_str("</tbody>\n</table>\n</div>\n</nav>\n")
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
