//! Reading roles: files, folders and streams to [`policy`](crate::policy) values with their places.
//! Decides nothing, prints nothing.
//!
//! [`load`] takes Teleport's YAML and JSON and the resources of its Kubernetes operator, one or
//! many in a file, and finds everything that is wrong with them in one run. What can't be read or
//! understood is an error and never left out: a role that is missing from a set can loosen the
//! set's mode as well as tighten it.
//!
//! A role is one wherever it is applied from: in the items of a list, the values of a Helm chart, the tasks
//! of a playbook, the strings of a ConfigMap and the inline patches of kustomize. What shows signs of a role
//! and is not read as one is a warning ([`ProblemKind::UnreadRole`]); templates (`.tpl`, `.gotmpl`, `.j2`,
//! `.jsonnet`, `.hcl`) are searched for signs only.
//!
//! In a folder, files named `.yaml`, `.yml`, `.json`, `.tf` or `.tofu` are read, links followed, hidden files and
//! folders left out (a mounted ConfigMap keeps copies there). A file is read once, however many
//! paths lead to it. [`load_listed`] and [`survey`](survey()) also leave out what git ignores and does not track,
//! and follow no link out of what is searched; [`load`] never runs a program.
//!
//! ```no_run
//! use recmode::policy::SessionKind;
//! use recmode::{report, roles};
//!
//! let mode = match roles::load(&["roles/".into()]) {
//!     Err(error) => Err(report::load_error(&error, false)),
//!     Ok(loaded) => {
//!         eprint!("{}", report::problems(loaded.warnings(), false));
//!         let set = loaded.select(&[], Some("alice"));
//!         set.map_err(|errors| report::select_errors(&errors, false))
//!             .map(|set| set.resolve(SessionKind::Ssh).mode)
//!     }
//! };
//! ```
//!
//! # Bounds
//!
//! So that no input can exhaust memory or time, a file or stream may have up to
//! [`limits::MAX_FILE_BYTES`], a document in it [`limits::MAX_DOCUMENT_BYTES`], a key or value
//! [`limits::MAX_SCALAR_BYTES`]; a document may nest [`limits::MAX_DEPTH`] levels, a resource may
//! have [`limits::MAX_NODES`] keys and values, and aliases may stand for
//! [`limits::MAX_EXPANDED_NODES`] in a document; what Terraform's expressions come to is known up to
//! [`limits::MAX_EVALUATED_BYTES`] in a file; a folder may nest
//! [`limits::MAX_FOLDER_DEPTH`] levels. Beyond these there is an error. Of one file
//! [`limits::MAX_PROBLEMS_PER_FILE`] errors and as many warnings are kept and the others counted.

mod comments;
mod embed;
mod found;
mod grants;
mod keys;
pub mod limits;
mod load;
mod memory;
mod modules;
mod parallel;
mod parse;
mod patch;
mod problem;
mod record_session;
mod resource;
mod scoped;
mod sets;
mod signs;
mod source;
mod split;
mod survey;
mod tree;
mod unread;
mod walk;
mod written;

use std::collections::HashMap;
use std::sync::Arc;

use crate::policy::Role;

pub use found::{Skipped, User};
pub use grants::{
    AccessList, Bot, Connector, ConnectorKind, Grants, ListMember, Mapping, Member, Mention, NameAt, Requests,
};
pub use load::{LoadError, load, load_compared, load_listed};
pub use memory::{Readable, load_readable, load_texts};
pub use parallel::Progress;
pub(crate) use problem::desktop_note;
pub use problem::{Excerpt, Mark, Problem, ProblemKind, Severity, Site};
pub use sets::{Loader, SetKey};
pub use signs::{may_hold_signs, shows_a_role};
pub use source::{is_stdin, is_stream, is_terraform};
pub(crate) use split::documents;
pub use survey::{SearchOptions, Survey, SurveyedFile, survey, survey_text, survey_text_in};
pub use walk::{Clusters, Exclude, Whereabouts, is_role_file_name};
pub use written::{Block, Comment, Layout, WrittenOption, WrittenRole};

/// What was read: one or more sets of roles that nobody holds together.
#[derive(Debug)]
pub struct Loaded {
    /// Sorted by key; never empty.
    sets: Vec<Roles>,
    warnings: Vec<Problem>,
    skipped: Vec<Skipped>,
}

impl Loaded {
    /// The sets, sorted; never empty, though a set may be.
    #[must_use]
    pub fn sets(&self) -> &[Roles] {
        &self.sets
    }

    /// Adds those roles and users of `moved` that `other` has and this has not, in the same set: they are not
    /// gone, but elsewhere.
    pub fn complete(&mut self, moved: Self, other: &Self) {
        for moved in moved.sets {
            let Some(other) = other.sets.iter().find(|set| set.key == moved.key) else { continue };
            if let Some(set) = self.sets.iter_mut().find(|set| set.key == moved.key) {
                set.complete(moved, other);
            } else {
                let mut set = Roles::new(moved.key.clone(), Vec::new(), Vec::new(), Grants::default());
                set.complete(moved, other);
                self.sets.push(set);
            }
        }
        self.sets.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// Whether there is a role in any set.
    #[must_use]
    pub fn has_roles(&self) -> bool {
        self.sets.iter().any(|set| !set.all.is_empty())
    }

    /// The first of what looks like a role and was not read that `other` has not; each is known by its reason and
    /// its line.
    #[must_use]
    pub fn unread_beside(&self, other: &Self) -> Option<&Problem> {
        let shown = |problem: &Problem| {
            let line = problem.site.mark.as_ref().map(|mark| mark.excerpt.text.clone());
            (problem.kind.to_string(), line)
        };
        let mut known: HashMap<_, usize> = HashMap::new();
        for problem in other.warnings.iter().filter(|problem| problem.kind.is_unread_role()) {
            *known.entry(shown(problem)).or_default() += 1;
        }
        let is_new = |problem: &&Problem| match known.get_mut(&shown(problem)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        };
        self.warnings.iter().filter(|problem| problem.kind.is_unread_role()).find(is_new)
    }

    /// What was written but has no effect, in the order of the input.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The documents that are neither roles nor users, in the order of the input.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

/// One set of roles, and who holds them.
#[derive(Debug)]
pub struct Roles {
    key: SetKey,
    /// Sorted by name; no name is there twice.
    all: Vec<Arc<Role>>,
    /// Sorted by name; no name is there twice.
    users: Vec<User>,
    grants: Grants,
}

impl Roles {
    /// Of several roles or users of one name, the first is in the set.
    fn new(key: SetKey, mut roles: Vec<Arc<Role>>, mut users: Vec<User>, grants: Grants) -> Self {
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        roles.dedup_by(|later, first| later.name == first.name);
        users.sort_by(|a, b| a.name.cmp(&b.name));
        users.dedup_by(|later, first| later.name == first.name);
        Self { key, all: roles, users, grants }
    }

    fn complete(&mut self, moved: Self, other: &Self) {
        let roles = moved.all.into_iter();
        let roles: Vec<_> = roles
            .filter(|role| other.role(&role.name).is_some() && self.role(&role.name).is_none())
            .collect();
        let users = moved.users.into_iter();
        let users: Vec<_> = users
            .filter(|user| other.user(&user.name).is_some() && self.user(&user.name).is_none())
            .collect();
        self.all.extend(roles);
        self.users.extend(users);
        self.all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        self.users.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }

    /// Which set it is.
    #[must_use]
    pub fn key(&self) -> &SetKey {
        &self.key
    }

    /// The roles, sorted by name.
    #[must_use]
    pub fn roles(&self) -> &[Arc<Role>] {
        &self.all
    }

    /// The users, sorted by name.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// What gives roles to someone besides users' own documents, in the order of the input.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// The role of this name.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&Arc<Role>> {
        let found = self.all.binary_search_by(|role| role.name.as_ref().cmp(name));
        found.ok().map(|at| &self.all[at])
    }

    /// The user of this name.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        let found = self.users.binary_search_by(|user| user.name.as_ref().cmp(name));
        found.ok().map(|at| &self.users[at])
    }
}
