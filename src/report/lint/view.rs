//! What a format is told beside the findings: how they are wanted, and where a file is for others.

use crate::lint::Severity;

/// How the findings of a run are to be printed.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Whether the human format is coloured.
    pub color: bool,
    /// Whether the human format leaves out its summary.
    pub quiet: bool,
    /// The severity from which on a finding makes the run fail; formats that count failures count
    /// the same ones.
    pub least: Severity,
    /// Makes of a file's name its path from the root of the repository, which is how CI systems know
    /// it; the absolute path of a file that is not below it.
    pub path: &'a dyn Fn(&str) -> String,
}
