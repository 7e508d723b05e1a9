//! What a rule is: its name, its documentation and its check.

use super::{Finding, Input, Severity};

/// A rule of the linter.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The id in kebab-case; never used for anything else again.
    pub id: &'static str,
    /// The severity, where the configuration and the command line say nothing.
    pub severity: Severity,
    /// What it finds, in a line.
    pub summary: &'static str,
    /// Its page, in Markdown: the text of `docs/rules/ID.md`.
    pub docs: &'static str,
    /// Adds what it finds to the findings. Severity, order and fingerprints are set later.
    pub check: fn(&Input<'_>, &mut Vec<Finding>),
}
