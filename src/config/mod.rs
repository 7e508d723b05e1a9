//! The configuration `.recmode.yaml`: how it is found, read and what is in it. Unknown keys and
//! values are errors with their place; nothing here is applied.

mod clusters;
mod find;
mod pattern;
pub(crate) mod places;
mod read;
mod requirement;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lint::Severity;
use crate::policy::Dialect;
use crate::roles::Site;

pub use clusters::ClusterFolder;
pub use find::{Found, find, repository};
pub use pattern::Pattern;
pub use read::{ConfigError, parse, read, second};
pub use requirement::{Expectation, Requirement, Subject};

/// What the configuration says.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file's name; empty without one.
    pub file: Arc<str>,
    /// Whose reading of the roles counts.
    pub dialect: Option<Dialect>,
    /// Severities of rules by their ids; `None` turns a rule off.
    pub rules: BTreeMap<String, Option<Severity>>,
    /// Paths to look at where none are given, relative to the configuration's root.
    pub paths: Vec<String>,
    /// Files and folders to leave out of the search, relative to the configuration's root.
    pub exclude: Vec<Pattern>,
    /// The severity from which on a finding makes the run fail.
    pub fail_on: Option<Severity>,
    /// Findings to leave out.
    pub ignore: Vec<Ignore>,
    /// The folders that are clusters.
    pub clusters: Vec<ClusterFolder>,
    /// What is required of the roles.
    pub require: Vec<Requirement>,
    /// What single users, groups and sets of roles are expected to come to.
    pub expect: Vec<Expectation>,
}

/// Findings to leave out: those that match all that is said.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// The ids of the rules; never empty.
    pub rules: Vec<String>,
    /// Files, relative to the configuration's root.
    pub path: Option<Pattern>,
    /// Names of roles.
    pub role: Option<Pattern>,
    /// Why; findings of severity error are left out only with a reason.
    pub reason: Option<String>,
    /// Where it is written.
    pub at: Site,
}
