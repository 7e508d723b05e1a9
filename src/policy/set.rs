//! A set of roles that one identity holds together.

use std::sync::Arc;

use super::Role;

/// Roles that one identity holds together. Order and repetition mean nothing.
#[derive(Debug, Clone, Default)]
pub struct RoleSet {
    roles: Vec<Arc<Role>>,
}

impl RoleSet {
    /// The roles, in the order they came in.
    #[must_use]
    pub fn roles(&self) -> &[Arc<Role>] {
        &self.roles
    }

    /// The roles' names, sorted, each once.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.roles.iter().map(|role| Arc::clone(&role.name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl FromIterator<Arc<Role>> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Arc<Role>>>(roles: I) -> Self {
        Self { roles: roles.into_iter().collect() }
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().map(Arc::new).collect()
    }
}
