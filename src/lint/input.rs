//! What the rules look at.

use crate::config::Requirement;
use crate::policy::Dialect;
use crate::roles::Survey;

/// What a run is about.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// All that was read.
    pub survey: &'a Survey,
    /// Whose reading of the roles counts.
    pub dialect: Dialect,
    /// Whether somebody chose that, and it is not only the default.
    pub is_dialect_chosen: bool,
    /// Whether all that the configuration is about was read, and not some files of it alone.
    pub is_whole: bool,
    /// What the configuration requires of the roles.
    pub require: &'a [Requirement],
}
