//! The outcome of a run: the findings that count, and how many there were.

use std::sync::Arc;

use serde::Serialize;

use super::{Finding, Severity};
use crate::roles::Site;

/// What a run found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Sorted by path, line and rule.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub summary: Summary,
    /// The files that were read, sorted; names as in the findings.
    pub files: Vec<Arc<str>>,
    /// The requirements and expectations that were judged.
    pub checks: Vec<Check>,
}

/// A requirement or expectation of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, as in [`Finding::checks`].
    pub name: Arc<str>,
    /// Where it is written.
    pub at: Site,
}

/// Numbers of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Files that were read.
    pub files: usize,
    /// Roles in them.
    pub roles: usize,
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
    /// Findings of severity info.
    pub infos: usize,
    /// Findings that a comment or the configuration suppressed.
    pub suppressed: usize,
    /// Roles that are not read and were left out with a reason, so that the proof goes on without them.
    pub unread_ignored: usize,
    /// Findings that the baseline holds.
    pub baseline: usize,
    /// Findings that `--fix` has repaired.
    pub fixed: usize,
}

impl Report {
    /// Counts the findings into the summary.
    pub fn count(&mut self) {
        let of = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        self.summary.errors = of(Severity::Error);
        self.summary.warnings = of(Severity::Warning);
        self.summary.infos = of(Severity::Info);
        self.summary.files = self.files.len();
    }

    /// The worst severity among the findings.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}
