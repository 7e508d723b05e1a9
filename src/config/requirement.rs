//! What the configuration requires and expects of the roles; nothing is proved here.

use super::Pattern;
use crate::policy::{Bound, Mode, SessionKind};
use crate::roles::Site;

/// A requirement: whoever is meant by it has a mode within a bound.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// What it is called.
    pub name: Option<String>,
    /// Whoever holds a role that one of these matches. Either this or `users` is not empty.
    pub roles: Vec<Pattern>,
    /// The users and groups that one of these matches.
    pub users: Vec<Pattern>,
    /// The kinds it is about; all five if the configuration names none.
    pub kinds: Vec<SessionKind>,
    /// The bound.
    pub bound: Bound,
    /// Roles that it leaves out.
    pub except_roles: Vec<Pattern>,
    /// Where it is written.
    pub at: Site,
}

/// An expectation: the exact modes that somebody comes to.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Whose modes these are.
    pub subject: Subject,
    /// The expected modes; never empty.
    pub modes: Vec<(SessionKind, Mode)>,
    /// Where it is written.
    pub at: Site,
}

/// Whom an expectation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A user.
    User(String),
    /// A group: an access list, a team, the value of an attribute or claim.
    Group(String),
    /// Whoever holds exactly these roles; never empty.
    Roles(Vec<String>),
}
