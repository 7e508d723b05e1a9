//! A recording in other formats, one file each. Writes to what it is given; opens nothing.

mod asciicast;
mod html;
mod palette;
mod svg;
mod typescript;

use std::io::{self, BufRead, Write};
use std::time::Duration;

use crate::escape;
use crate::recording::Format;
use crate::recording::reader::{ReadError, Reader};
use crate::screen::{Ending, LEFT_OUT, Lines, Options, RenderError};

pub use html::{FileFacts, Page};
pub use svg::Theme;
pub use typescript::{Sink, typescript};

/// What a recording is exported to as one stream; beside it are the typescript,
/// which is two, and the page, which shows what its file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// asciicast, with every byte and every microsecond.
    Asciicast(Format),
    /// The text that was seen.
    Text,
    /// An animation.
    Svg {
        /// Pauses are made this short.
        idle_limit: Duration,
        /// Its colours.
        theme: Theme,
    },
}

/// What stopped the export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The recording can't be read or rendered.
    #[error(transparent)]
    Read(#[from] RenderError),
    /// The output can't be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl From<ReadError> for ExportError {
    fn from(error: ReadError) -> Self {
        Self::Read(error.into())
    }
}

/// Writes a recording in another format; `name` is what it is called. Returns how it ended, and adds to
/// `warnings` what the output lacks.
///
/// # Errors
///
/// When the recording can't be read, or the output can't be written.
pub fn export(
    reader: Reader<impl BufRead>,
    target: Target,
    name: &str,
    out: &mut impl Write,
    warnings: &mut Vec<Warning>,
) -> Result<Ending, ExportError> {
    match target {
        Target::Asciicast(format) => asciicast::write(reader, format, out, warnings),
        Target::Text => text(reader, out, warnings),
        Target::Svg { idle_limit, theme } => svg::write(reader, name, idle_limit, theme, out, warnings),
    }
}

fn text(
    reader: Reader<impl BufRead>,
    out: &mut impl Write,
    warnings: &mut Vec<Warning>,
) -> Result<Ending, ExportError> {
    let mut lines = Lines::new(reader, Options::default())?;
    for line in lines.by_ref() {
        writeln!(out, "{}", escape::controls(&line?.text))?;
    }
    warnings.extend(lines.left_out().map(Warning::left_out));
    Ok(lines.ending())
}

/// What an output lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line of the recording, from 1, where it is about one.
    pub line: Option<u64>,
    /// What it is, safe to print.
    pub text: String,
}

impl Warning {
    fn left_out(line: u64) -> Self {
        Self { line: Some(line), text: LEFT_OUT.to_owned() }
    }
}

/// A text inside of XML or HTML, or of an attribute in quotes. What would confuse a reader is spelt out,
/// and characters that XML forbids are among that.
fn markup(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escape::controls(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Not in any XML document.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
