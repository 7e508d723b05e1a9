//! The answer of `resolve` as a tree. `recmode.resolve/1` is stable: keys are added, never changed
//! or taken away, without a new number.

use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::policy::{Decision, RoleSet, SessionKind};

/// The answer for a set of roles.
#[derive(Debug, Clone, Serialize)]
pub struct Resolution {
    schema: &'static str,
    /// The names of the roles, sorted.
    pub roles: Vec<Arc<str>>,
    /// The user who holds them, if a user was asked for.
    pub user: Option<String>,
    /// A decision for each kind that was asked for, in the kinds' order.
    #[serde(serialize_with = "by_kind")]
    pub kinds: Vec<Decision>,
}

impl Resolution {
    /// Resolves each of `kinds` for these roles.
    #[must_use]
    pub fn new(roles: &RoleSet, user: Option<&str>, kinds: &[SessionKind]) -> Self {
        Self {
            schema: "recmode.resolve/1",
            roles: roles.names(),
            user: user.map(str::to_owned),
            kinds: kinds.iter().map(|&kind| roles.resolve(kind)).collect(),
        }
    }

    /// As JSON, with a line break at its end.
    ///
    /// # Errors
    ///
    /// Never for the values that this type can hold.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The same tree as YAML, with a line break at its end.
    ///
    /// # Errors
    ///
    /// Never for the values that this type can hold.
    pub fn yaml(&self) -> Result<String, serde_yaml::ser::Error> {
        let mut text = serde_yaml::to_string(self)?;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }
}

fn by_kind<S: Serializer>(decisions: &[Decision], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(decisions.len()))?;
    for decision in decisions {
        map.serialize_entry(decision.kind.name(), decision)?;
    }
    map.end()
}
