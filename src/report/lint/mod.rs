//! The findings of a run in the formats that people and tools read: a file and a function `write`
//! for each. Prints what it is given in the order it is given and decides nothing.

mod diff;
mod human;
mod json;

use std::io;

pub use diff::diff;

use crate::cli::LintFormat;
use crate::lint::Report;

/// Writes the report in this format; `color` and `quiet` are the human format's.
///
/// # Errors
///
/// When `out` can't be written.
pub fn write(
    report: &Report,
    format: LintFormat,
    color: bool,
    quiet: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        LintFormat::Human => human::write(report, color, quiet, out),
        LintFormat::Json => json::write(report, out),
    }
}
