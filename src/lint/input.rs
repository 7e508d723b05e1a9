//! What the rules look at.

use crate::config::{Expectation, Requirement};
use crate::policy::Dialect;
use crate::roles::Survey;

/// What a run is about.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// All that was read.
    pub survey: &'a Survey,
    /// Which semantics apply to the roles.
    pub dialect: Dialect,
    /// Whether the dialect was chosen and is not only the default.
    pub is_dialect_chosen: bool,
    /// Whether all that the configuration is about was read, and not some files of it alone.
    pub is_whole: bool,
    /// What the configuration requires of the roles.
    pub require: &'a [Requirement],
    /// What the configuration expects of single users, groups and sets of roles.
    pub expect: &'a [Expectation],
}

impl<'a> Input<'a> {
    /// All of a tree by RFD 68, without a configuration.
    #[must_use]
    pub fn new(survey: &'a Survey) -> Self {
        Self {
            survey,
            dialect: Dialect::Rfd68,
            is_dialect_chosen: false,
            is_whole: true,
            require: &[],
            expect: &[],
        }
    }
}
