//! The two files of script(1): what was printed, and for scriptreplay(1) when.

use std::io::{self, BufRead, Write};

use super::ExportError;
use crate::recording::reader::{Code, Item, Reader};
use crate::report::utc;
use crate::screen::Ending;

/// Where the two files go.
pub struct Sink<W> {
    /// What was printed, between a first and a last line as script(1) writes them.
    pub script: W,
    /// A line for each piece of it: seconds since the one before, and bytes. The last piece is the line that
    /// script(1) ends with, at the end of the session: scriptreplay(1) fails at pieces without bytes.
    pub timing: W,
}

/// Writes a typescript and its timing.
///
/// # Errors
///
/// When the recording can't be read, or the output can't be written.
pub fn typescript<W: Write>(reader: Reader<impl BufRead>, sink: &mut Sink<W>) -> Result<Ending, ExportError> {
    let header = reader.header();
    let mut ending = if header.recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    let timestamp = header.timestamp;
    let day = |seconds: u64| {
        let at = timestamp.and_then(|start| start.checked_add_unsigned(seconds));
        at.and_then(utc).unwrap_or_else(|| "an unknown day".to_owned())
    };
    // scriptreplay passes over the first line.
    writeln!(
        sink.script,
        "Script started on {} [COLUMNS=\"{}\" LINES=\"{}\"]",
        day(0),
        header.cols,
        header.rows
    )?;
    // The time of the last piece that was written, and the latest of all events.
    let (mut last, mut latest) = (0, 0);
    let mut exit = None;
    for item in reader {
        match item? {
            Item::Event(event) => {
                latest = event.time.max(latest);
                if event.code == Code::Exit {
                    exit = event.data.parse::<i32>().ok();
                }
                let bytes = event.exact_bytes();
                if event.code != Code::Output || bytes.is_empty() {
                    continue;
                }
                sink.script.write_all(bytes)?;
                piece(&mut sink.timing, latest - last, bytes.len())?;
                last = latest;
            }
            Item::Gap(_) | Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
            Item::End(_) => ending = Ending::Complete,
            Item::TornTail { line } => ending = Ending::Torn { line },
        }
    }
    let status = exit.map(|status| format!(" [COMMAND_EXIT_CODE=\"{status}\"]")).unwrap_or_default();
    let done = format!("\nScript done on {}{status}\n", day(latest / 1_000_000));
    sink.script.write_all(done.as_bytes())?;
    piece(&mut sink.timing, latest - last, done.len())?;
    Ok(ending)
}

/// A line of the timing: an interval, in microseconds, and a number of bytes.
fn piece(timing: &mut impl Write, interval: u64, bytes: usize) -> io::Result<()> {
    writeln!(timing, "{}.{:06} {bytes}", interval / 1_000_000, interval % 1_000_000)
}
