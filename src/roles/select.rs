//! Which of the roles that were read a question is about. A name that is asked for and was not
//! read is an error: leaving it out could loosen or tighten the answer.

use std::sync::Arc;

use crate::policy::{Place, RoleSet};

use super::Roles;

/// At most so many near names are listed.
const MAX_NEAREST: usize = 3;

/// Why a selection is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// A role that was asked for was not read.
    #[error("no role named {name:?} was read{}", listed(.nearest))]
    UnknownRole {
        /// The role.
        name: String,
        /// Names that are near, nearest first.
        nearest: Vec<Arc<str>>,
    },
    /// A user that was asked for was not read.
    #[error("no user named {name:?} was read{}", listed(.nearest))]
    UnknownUser {
        /// The user.
        name: String,
        /// Names that are near, nearest first.
        nearest: Vec<Arc<str>>,
    },
    /// A user holds a role that was not read.
    #[error("{at}: user {user:?} holds the role {role:?}, which was not read{}", listed(.nearest))]
    UserRoleNotRead {
        /// The user.
        user: Arc<str>,
        /// The role.
        role: Arc<str>,
        /// Where the user's document names the role.
        at: Place,
        /// Names that are near, nearest first.
        nearest: Vec<Arc<str>>,
    },
}

fn listed(nearest: &[Arc<str>]) -> String {
    let names: Vec<_> = nearest.iter().map(|name| format!("{name:?}")).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; the nearest: {}", names.join(", ")),
    }
}

impl Roles {
    /// The roles of these names, or of this user, or (without either) all that were read. With
    /// both, their union.
    ///
    /// # Errors
    ///
    /// Each name that was not read; never empty.
    pub fn select(&self, names: &[String], user: Option<&str>) -> Result<RoleSet, Vec<SelectError>> {
        if names.is_empty() && user.is_none() {
            return Ok(self.roles().iter().cloned().collect());
        }
        let mut errors = Vec::new();
        let mut selected = Vec::new();
        for name in names {
            match self.role(name) {
                Some(role) => selected.push(Arc::clone(role)),
                None => errors.push(SelectError::UnknownRole {
                    name: name.clone(),
                    nearest: nearest(name, self.roles().iter().map(|role| &role.name)),
                }),
            }
        }
        if let Some(name) = user {
            let Some(user) = self.user(name) else {
                let nearest = nearest(name, self.users().iter().map(|user| &user.name));
                errors.push(SelectError::UnknownUser { name: name.to_owned(), nearest });
                return Err(errors);
            };
            for (name, at) in &user.roles {
                match self.role(name) {
                    Some(role) => selected.push(Arc::clone(role)),
                    None => errors.push(SelectError::UserRoleNotRead {
                        user: Arc::clone(&user.name),
                        role: Arc::clone(name),
                        at: at.clone(),
                        nearest: nearest(name, self.roles().iter().map(|role| &role.name)),
                    }),
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        selected.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        selected.dedup_by(|a, b| a.name == b.name);
        Ok(selected.into_iter().collect())
    }
}

/// The names that `name` may be a slip of, nearest first; all names if there are but few.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a Arc<str>>) -> Vec<Arc<str>> {
    let lower = name.to_lowercase();
    let mut near: Vec<_> =
        names.map(|other| (1.0 - strsim::jaro_winkler(&lower, &other.to_lowercase()), other)).collect();
    near.sort_by(|(a, a_name), (b, b_name)| a.total_cmp(b).then_with(|| a_name.cmp(b_name)));
    near.truncate(MAX_NEAREST);
    near.into_iter().map(|(_, name)| Arc::clone(name)).collect()
}
