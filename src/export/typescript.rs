//! The two files of script(1): what was printed, and for scriptreplay(1) when.

use std::io::{BufRead, Write};

use super::ExportError;
use crate::recording::reader::{Code, Item, Reader};
use crate::report::utc;
use crate::screen::Ending;

/// Where the two files go.
pub struct Sink<W> {
    /// What was printed.
    pub script: W,
    /// A line for each piece of it: seconds since the one before, and bytes.
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
    let start = header.timestamp.and_then(utc).unwrap_or_else(|| "an unknown day".to_owned());
    // scriptreplay passes over the first line.
    writeln!(
        sink.script,
        "Script started on {start} [COLUMNS=\"{}\" LINES=\"{}\"]",
        header.cols, header.rows
    )?;
    let mut last = 0;
    for item in reader {
        match item? {
            Item::Event(event) if event.code == Code::Output => {
                let bytes = event.exact_bytes();
                if bytes.is_empty() {
                    continue;
                }
                let interval = event.time.saturating_sub(last);
                last = event.time.max(last);
                sink.script.write_all(bytes)?;
                writeln!(
                    sink.timing,
                    "{}.{:06} {}",
                    interval / 1_000_000,
                    interval % 1_000_000,
                    bytes.len()
                )?;
            }
            Item::Event(_) | Item::Gap(_) | Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
            Item::End(_) => ending = Ending::Complete,
            Item::TornTail { line } => ending = Ending::Torn { line },
        }
    }
    Ok(ending)
}
