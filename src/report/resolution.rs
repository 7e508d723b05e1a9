//! The answer of `resolve` as a tree. `recmode.resolve/1` is stable: keys are added, never changed
//! or taken away, without a new number.

use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::escape;
use crate::policy::{Answer, Dialect, RoleSet, SessionKind};
use crate::roles::SetKey;

/// The answer for a set of roles.
#[derive(Debug, Clone, Serialize)]
pub struct Resolution {
    schema: &'static str,
    /// Whose rules hold; there only if they are not those of RFD 68. In Teleport's dialect a mode may
    /// be null: roles give this kind none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<&'static str>,
    /// The names of the roles, sorted.
    pub roles: Vec<Arc<str>>,
    /// The user who holds them, if a user was asked for.
    pub user: Option<String>,
    /// The separate set that the roles are in; there only if it has a name.
    #[serde(skip_serializing_if = "SetKey::is_default")]
    pub set: SetKey,
    /// An answer for each kind that was asked for, in the kinds' order.
    #[serde(serialize_with = "by_kind")]
    pub kinds: Vec<Answer>,
}

impl Resolution {
    /// Resolves each of `kinds` for these roles.
    #[must_use]
    pub fn new(roles: &RoleSet, user: Option<&str>, kinds: &[SessionKind], dialect: Dialect) -> Self {
        Self {
            schema: "recmode.resolve/1",
            dialect: (dialect != Dialect::default()).then(|| dialect.name()),
            roles: roles.names(),
            user: user.map(str::to_owned),
            set: SetKey::default(),
            kinds: kinds.iter().map(|&kind| roles.answer(kind, dialect)).collect(),
        }
    }

    /// The same for roles of this set.
    #[must_use]
    pub fn of_set(mut self, set: &SetKey) -> Self {
        self.set = set.clone();
        self
    }

    /// As JSON, with a line break at its end.
    ///
    /// # Errors
    ///
    /// Never for the values that this type can hold.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        Ok(escape::json(&serde_json::to_string_pretty(self)?) + "\n")
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

fn by_kind<S: Serializer>(answers: &[Answer], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(answers.len()))?;
    for answer in answers {
        map.serialize_entry(answer.kind.name(), answer)?;
    }
    map.end()
}
