//! What the configuration requires of the roles; the proof is not made here.

use super::Pattern;
use crate::policy::{Mode, SessionKind};
use crate::roles::Site;

/// A requirement: whoever is meant by it is to have at least this mode.
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
    /// The least mode.
    pub mode: Mode,
    /// Roles that it leaves out.
    pub except_roles: Vec<Pattern>,
    /// Where it is written.
    pub at: Site,
}
