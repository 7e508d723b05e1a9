//! The findings of a run in the formats that people and tools read: a file and a function `write`
//! for each. Prints what it is given in the order it is given and decides nothing.

mod diff;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod sarif;
mod view;

use std::io;

pub use diff::diff;
pub use view::View;

use crate::cli::LintFormat;
use crate::lint::Report;

/// Writes the report in this format, and says what of it is left out, if anything is.
///
/// # Errors
///
/// When `out` can't be written.
pub fn write(
    report: &Report,
    format: LintFormat,
    view: &View<'_>,
    out: &mut dyn io::Write,
) -> io::Result<Vec<String>> {
    match format {
        LintFormat::Human => human::write(report, view.color, view.quiet, out),
        LintFormat::Json => json::write(report, out),
        LintFormat::Sarif => return sarif::write(report, view, out),
        LintFormat::Github => github::write(report, view, out),
        LintFormat::Gitlab => gitlab::write(report, view, out),
        LintFormat::Junit => junit::write(report, view, out),
    }?;
    Ok(Vec::new())
}
