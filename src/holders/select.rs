//! Which of the roles that were read a question is about. A name that is asked for and was not
//! read is an error: leaving it out could loosen or tighten the answer.

use std::sync::Arc;

use crate::policy::{OptionName, Place, RoleSet, UnknownReason};

use super::{UnknownWhat, users};
use crate::roles::{Loaded, Roles, SetKey};
use crate::spelling;

/// How many sets are listed at most.
const MAX_SETS: usize = 10;

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
    /// The question is about one set of roles, and several were read.
    #[error("{} separate sets of roles were read, which nobody holds together: {}", .0.len(), named(.0))]
    Several(Vec<SetKey>),
    /// No set has all the roles that were asked for.
    #[error("what was asked for is in separate sets of roles, which nobody holds together: {}", named(.0))]
    Apart(Vec<SetKey>),
    /// A set that was asked for was not read.
    #[error("no set of roles named {name:?} was read; there are: {}", named(.sets))]
    UnknownSet {
        /// The name.
        name: String,
        /// The sets that were read.
        sets: Vec<SetKey>,
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
    /// A user is given a role by a name that only an evaluation would tell.
    #[error("{at}: user {user:?} is given the roles of {role:?}, which can't be known")]
    UserRoleUnknown {
        /// The user.
        user: Arc<str>,
        /// The template or expression.
        role: Arc<str>,
        /// Where it is.
        at: Place,
    },
    /// A user's mode depends on a setting that can't be known.
    #[error("{at}: the mode of user {user:?} is unknown, since {option} in role {role:?} {reason}")]
    UserModeUnknown {
        /// The user.
        user: Arc<str>,
        /// The role.
        role: Arc<str>,
        /// The key under `record_session`.
        option: OptionName,
        /// Where what makes it unknown is written.
        at: Place,
        /// Why it is unknown.
        reason: UnknownReason,
    },
    /// A user is on an access list that was not read, so what it holds by that is not known.
    #[error("{at}: user {user:?} is on the access list {list:?}, which was not read")]
    UserListNotRead {
        /// The user.
        user: Arc<str>,
        /// The access list.
        list: Arc<str>,
        /// Where the membership names the list.
        at: Place,
    },
}

fn listed(nearest: &[Arc<str>]) -> String {
    let names: Vec<_> = nearest.iter().map(|name| format!("{name:?}")).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; the nearest: {}", names.join(", ")),
    }
}

fn named(sets: &[SetKey]) -> String {
    let mut names: Vec<_> = sets.iter().take(MAX_SETS).map(ToString::to_string).collect();
    if sets.len() > MAX_SETS {
        names.push(format!("and {} more", sets.len() - MAX_SETS));
    }
    names.join(", ")
}

fn keys(sets: &[&Roles]) -> Vec<SetKey> {
    sets.iter().map(|set| set.key().clone()).collect()
}

fn knows_user(set: &Roles, name: &str) -> bool {
    users(set).iter().any(|user| user.name.as_ref() == name)
}

impl Loaded {
    /// The sets of this name, or of which it is a part of the name; all without a name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn named(&self, name: Option<&str>) -> Result<Vec<&Roles>, SelectError> {
        let Some(name) = name else { return Ok(self.sets().iter().collect()) };
        if let Some(set) = self.sets().iter().find(|set| set.key().to_string() == name) {
            return Ok(vec![set]);
        }
        let sets: Vec<_> = self.sets().iter().filter(|set| set.key().has_part(name)).collect();
        if sets.is_empty() {
            let sets = self.sets().iter().map(|set| set.key().clone()).collect();
            return Err(SelectError::UnknownSet { name: name.to_owned(), sets });
        }
        Ok(sets)
    }

    /// The set that a question is about: the one of this name, which has the roles of these names and
    /// this user.
    ///
    /// # Errors
    ///
    /// If there is no such set, or more than one; never empty.
    pub fn choose(
        &self,
        set: Option<&str>,
        names: &[String],
        user: Option<&str>,
    ) -> Result<&Roles, Vec<SelectError>> {
        let sets = self.named(set).map_err(|error| vec![error])?;
        if let [one] = sets[..] {
            return Ok(one);
        }
        let has_all = |set: &&Roles| {
            let is_asked = !names.is_empty() || user.is_some();
            names.iter().all(|name| set.role(name).is_some())
                && user.is_none_or(|user| knows_user(set, user))
                && (is_asked || !set.roles().is_empty())
        };
        let fitting: Vec<_> = sets.iter().copied().filter(has_all).collect();
        match fitting[..] {
            [one] => return Ok(one),
            [] => {}
            _ => return Err(vec![SelectError::Several(keys(&fitting))]),
        }
        let mut errors = Vec::new();
        let mut nearest = Nearest::new();
        for name in names.iter().filter(|name| !sets.iter().any(|set| set.role(name).is_some())) {
            let all = sets.iter().flat_map(|set| set.roles()).map(|role| &role.name);
            errors.push(SelectError::UnknownRole { name: name.clone(), nearest: nearest.of(name, all) });
        }
        if let Some(name) = user.filter(|user| !sets.iter().any(|set| knows_user(set, user))) {
            let all: Vec<_> = sets.iter().flat_map(|set| users(set)).map(|user| user.name).collect();
            errors.push(SelectError::UnknownUser {
                name: name.to_owned(),
                nearest: nearest.of(name, all.iter()),
            });
        }
        if errors.is_empty() {
            let has_any = |set: &&Roles| {
                names.iter().any(|name| set.role(name).is_some())
                    || user.is_some_and(|user| knows_user(set, user))
            };
            errors.push(SelectError::Apart(keys(&sets.into_iter().filter(has_any).collect::<Vec<_>>())));
        }
        Err(errors)
    }

    /// The roles of one set, as [`Roles::select`] does, of the set that has what is asked for.
    ///
    /// # Errors
    ///
    /// As [`Self::choose`] and [`Roles::select`].
    pub fn select(&self, names: &[String], user: Option<&str>) -> Result<RoleSet, Vec<SelectError>> {
        self.choose(None, names, user)?.select(names, user)
    }
}

impl Roles {
    /// The roles of these names, or of this user by its own document and the access lists, or (without either) all that were read. With
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
        let mut nearest = Nearest::new();
        let mut selected = Vec::new();
        for name in names {
            match self.role(name) {
                Some(role) => selected.push(Arc::clone(role)),
                None => errors.push(SelectError::UnknownRole {
                    name: name.clone(),
                    nearest: nearest.of(name, self.roles().iter().map(|role| &role.name)),
                }),
            }
        }
        if let Some(name) = user {
            let users = users(self);
            let Some(user) = users.iter().find(|user| user.name.as_ref() == name) else {
                let nearest = nearest.of(name, users.iter().map(|user| &user.name));
                errors.push(SelectError::UnknownUser { name: name.to_owned(), nearest });
                return Err(errors);
            };
            selected.extend(user.held.iter().map(|(role, _)| Arc::clone(role)));
            errors.extend(user.unknown.iter().map(|unknown| match unknown.what {
                UnknownWhat::Role => SelectError::UserRoleNotRead {
                    user: Arc::clone(&user.name),
                    role: Arc::clone(&unknown.name),
                    at: unknown.at.clone(),
                    nearest: nearest.of(&unknown.name, self.roles().iter().map(|role| &role.name)),
                },
                UnknownWhat::Template | UnknownWhat::Pattern => SelectError::UserRoleUnknown {
                    user: Arc::clone(&user.name),
                    role: Arc::clone(&unknown.name),
                    at: unknown.at.clone(),
                },
                UnknownWhat::AccessList => SelectError::UserListNotRead {
                    user: Arc::clone(&user.name),
                    list: Arc::clone(&unknown.name),
                    at: unknown.at.clone(),
                },
            }));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        selected.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        selected.dedup_by(|a, b| a.name == b.name);
        Ok(selected.into_iter().collect())
    }
}

/// The names that one may be a slip of. So that it takes no longer the more names there are that were
/// not read, the first of them alone are compared, and none where there are too many to compare with.
struct Nearest {
    questions_left: usize,
}

impl Nearest {
    const MAX_QUESTIONS: usize = 20;
    const MAX_NAMES: usize = 20_000;

    fn new() -> Self {
        Self { questions_left: Self::MAX_QUESTIONS }
    }

    /// Nearest first; all names if there are but few.
    fn of<'a>(&mut self, name: &str, names: impl Iterator<Item = &'a Arc<str>>) -> Vec<Arc<str>> {
        let Some(left) = self.questions_left.checked_sub(1) else { return Vec::new() };
        self.questions_left = left;
        let names: Vec<_> = names.take(Self::MAX_NAMES + 1).collect();
        if names.len() > Self::MAX_NAMES {
            return Vec::new();
        }
        let mut near: Vec<_> =
            names.into_iter().map(|other| (1.0 - spelling::likeness(name, other), other)).collect();
        near.sort_by(|(a, a_name), (b, b_name)| a.total_cmp(b).then_with(|| a_name.cmp(b_name)));
        near.dedup_by(|(_, later), (_, first)| later == first);
        near.truncate(MAX_NEAREST);
        near.into_iter().map(|(_, name)| Arc::clone(name)).collect()
    }
}
