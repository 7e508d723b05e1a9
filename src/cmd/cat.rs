//! `recmode cat`: what a session printed, as a person saw it or bit for bit.

use std::io::{self, BufRead, BufWriter, Write};

use anyhow::Context as _;

use super::session::Recording;
use crate::cli::CatArgs;
use crate::escape;
use crate::recording::reader::{Code, Item, Reader};
use crate::report::offset;
use crate::screen::{Ending, Lines, Options, RenderError};

/// Prints the session to standard output. A recording that was cut off is no error: a line on
/// standard error says so.
///
/// # Errors
///
/// When the recording can't be read or is none, or standard output can't be written.
pub fn run(args: &CatArgs) -> anyhow::Result<u8> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut oversize = None;
    let printed = super::progress::over_bytes_to_stdout(|progress| -> anyhow::Result<_> {
        let (recording, input) =
            Recording::open(&args.file, progress).with_context(|| escape::path(&args.file))?;
        let reader = Reader::new(input).map_err(|error| recording.locate(error))?;
        oversize = (!args.raw).then(|| reader.oversize());
        let printed = if args.raw {
            raw(reader, &mut out).map(|ending| (ending, None))
        } else {
            text(reader, args.timestamps, &mut out)
        };
        let printed = printed.and_then(|printed| {
            out.flush().map_err(Failure::Write)?;
            Ok(printed)
        });
        Ok((recording, printed))
    })?;
    let (recording, printed) = printed;
    if let Some(oversize) = oversize {
        recording.say_oversize(&oversize);
    }
    match printed {
        Ok((ending, left_out)) => {
            recording.say_left_out(left_out);
            recording.say_ending(ending);
        }
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(Failure::Write(error)) => return Err(error).context("standard output"),
        Err(Failure::Read(error)) => {
            // What came before the bad line stays printed.
            let _ = out.flush();
            return Err(recording.locate(error));
        }
    }
    Ok(recording.code())
}

/// What stopped the printing.
enum Failure {
    Read(RenderError),
    Write(io::Error),
}

/// Gives how the recording ends, and the line from which on something is left out.
fn text(
    reader: Reader<impl BufRead>,
    timestamps: bool,
    out: &mut impl Write,
) -> Result<(Ending, Option<u64>), Failure> {
    let mut lines = Lines::new(reader, Options::default()).map_err(Failure::Read)?;
    for line in lines.by_ref() {
        let line = line.map_err(Failure::Read)?;
        let written = if timestamps {
            writeln!(out, "{}  {}", offset(line.time), escape::controls(&line.text))
        } else {
            writeln!(out, "{}", escape::controls(&line.text))
        };
        written.map_err(Failure::Write)?;
    }
    Ok((lines.ending(), lines.left_out()))
}

fn raw(reader: Reader<impl BufRead>, out: &mut impl Write) -> Result<Ending, Failure> {
    let mut ending = if reader.header().recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    for item in reader {
        match item.map_err(|error| Failure::Read(error.into()))? {
            Item::Event(event) if event.code == Code::Output => {
                out.write_all(event.exact_bytes()).map_err(Failure::Write)?;
            }
            Item::End(_) => ending = Ending::Complete,
            Item::TornTail { line } => ending = Ending::Torn { line },
            Item::Event(_) | Item::Gap(_) | Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
        }
    }
    Ok(ending)
}
