//! What files hold, for those who judge how it is written: the linter. Where [`load`](super::load)
//! answers with roles or errors, this keeps both, and the places of everything.

use std::sync::Arc;

use super::found::{Skipped, User};
use super::problem::{Mark, Problem, Site};
use crate::policy::Role;

/// All that was read.
#[derive(Debug, Default)]
pub struct Survey {
    /// The files and streams, in the order they were read.
    pub files: Vec<SurveyedFile>,
    /// The roles in the order of the input; names may repeat.
    pub roles: Vec<WrittenRole>,
    /// The users, likewise.
    pub users: Vec<User>,
    /// Documents of other kinds.
    pub skipped: Vec<Skipped>,
    /// Errors and warnings of the reading, in the order of the input.
    pub problems: Vec<Problem>,
}

/// A file that was looked at.
#[derive(Debug)]
pub struct SurveyedFile {
    /// Its name as it was given or found.
    pub file: Arc<str>,
    /// Whether it was given by name.
    pub named: bool,
    /// Its text; none if it could not be read.
    pub text: Option<String>,
    /// Comments that speak to this program, in their order.
    pub comments: Vec<Comment>,
}

/// A comment that speaks to this program: `# recmode: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// What is said behind `recmode:`, trimmed.
    pub text: Box<str>,
    /// The whole comment.
    pub mark: Mark,
    /// Whether nothing else is on its line.
    pub alone: bool,
}

/// A role, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRole {
    /// What it says.
    pub role: Arc<Role>,
    /// Its name.
    pub name: Mark,
    /// Its `version`, and where.
    pub version: Option<(Box<str>, Mark)>,
    /// The key `record_session`, if it is where it belongs.
    pub record_session: Option<Mark>,
    /// The keys of `record_session` that it knows and that have a right value.
    pub options: Vec<WrittenOption>,
}

/// A key of `record_session`, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenOption {
    /// Which one.
    pub option: crate::policy::OptionName,
    /// Where the key is.
    pub key: Mark,
    /// Where the value is.
    pub value: Mark,
}

impl WrittenRole {
    /// The place of its name.
    #[must_use]
    pub fn site(&self) -> Site {
        self.site_of(&self.name)
    }

    /// A place in the role's file.
    #[must_use]
    pub fn site_of(&self, mark: &Mark) -> Site {
        Site { file: Arc::clone(&self.role.at.file), mark: Some(mark.clone()) }
    }

    /// How an option is written.
    #[must_use]
    pub fn option(&self, option: crate::policy::OptionName) -> Option<&WrittenOption> {
        self.options.iter().find(|written| written.option == option)
    }
}
