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
//! In a folder, files named `.yaml`, `.yml`, `.json` or `.tf` are read, links followed, hidden files and
//! folders left out (a mounted ConfigMap keeps copies there). A file is read once, however many
//! paths lead to it.
//!
//! ```no_run
//! use recmode::policy::SessionKind;
//! use recmode::{report, roles};
//!
//! let mode = match roles::load(&["roles/".into()]) {
//!     Err(error) => Err(report::load_error(&error, false)),
//!     Ok(roles) => {
//!         eprint!("{}", report::problems(roles.warnings(), false));
//!         let set = roles.select(&[], Some("alice"));
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
//! [`limits::MAX_EXPANDED_NODES`] in a document; a folder may nest
//! [`limits::MAX_FOLDER_DEPTH`] levels. Beyond these there is an error. Of one file
//! [`limits::MAX_PROBLEMS_PER_FILE`] errors and as many warnings are kept and the others counted.

mod embed;
mod found;
mod grants;
mod keys;
pub mod limits;
mod load;
mod memory;
mod parallel;
mod parse;
mod patch;
mod problem;
mod record_session;
mod resource;
mod signs;
mod source;
mod split;
mod survey;
mod tree;
mod walk;

use std::sync::Arc;

use crate::policy::Role;

pub use found::{Skipped, User};
pub use grants::{
    AccessList, Connector, ConnectorKind, Grants, ListMember, Mapping, Member, Mention, NameAt, Requests,
};
pub use load::{LoadError, load, load_wanted, load_with_progress};
pub use memory::load_texts;
pub use parallel::Progress;
pub use problem::{Excerpt, Mark, Problem, ProblemKind, Severity, Site};
pub use signs::{may_hold_signs, shows_a_role};
pub use source::{is_stream, is_terraform};
pub(crate) use split::documents;
pub use survey::{
    Block, Comment, Layout, Survey, SurveyedFile, WrittenOption, WrittenRole, survey, survey_text,
};
pub use walk::is_role_file_name;

/// What was read.
#[derive(Debug)]
pub struct Roles {
    /// Sorted by name; no name is there twice.
    all: Vec<Arc<Role>>,
    /// Sorted by name; no name is there twice.
    users: Vec<User>,
    grants: Grants,
    warnings: Vec<Problem>,
    skipped: Vec<Skipped>,
}

impl Roles {
    fn new(
        mut roles: Vec<Arc<Role>>,
        mut users: Vec<User>,
        grants: Grants,
        warnings: Vec<Problem>,
        skipped: Vec<Skipped>,
    ) -> Self {
        roles.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        users.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self { all: roles, users, grants, warnings, skipped }
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
