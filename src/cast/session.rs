//! What recmode's own object in the header says, as far as it can be read: it may be of a later
//! version, or of someone else.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::recording::Continues;

/// The header's `recmode` object. Texts are as they stand there: escape them before printing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Session {
    /// The session's id.
    pub session: Option<String>,
    /// The mode that was enforced.
    pub mode: Option<String>,
    /// The kind of session.
    pub kind: Option<String>,
    /// The roles that the mode was resolved from.
    pub roles: Vec<String>,
    /// What decided the mode.
    pub because: Vec<Decider>,
    /// The user.
    pub user: Option<String>,
    /// The host.
    pub host: Option<String>,
    /// The version of recmode.
    pub version: Option<String>,
    /// For a file that goes on where another could not: its number, from 2.
    pub segment: Option<u64>,
    /// For such a file: the name of the first.
    pub first: Option<String>,
    /// For such a file: the one before it, and where in the session this one begins. Older recorders did not write it.
    pub continues: Option<Continues>,
}

/// A role's option that decided the mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decider {
    /// The role's name.
    pub role: String,
    /// The key under `record_session`.
    pub option: String,
}

impl Session {
    /// Reads the object; what is missing or of another type stays empty.
    #[must_use]
    pub fn new(object: &Value) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let list = |key: &str| object.get(key).and_then(Value::as_array).into_iter().flatten();
        Self {
            session: text("session"),
            mode: text("mode"),
            kind: text("kind"),
            roles: list("roles").filter_map(Value::as_str).map(str::to_owned).collect(),
            because: list("because").filter_map(|entry| Decider::deserialize(entry).ok()).collect(),
            user: text("user"),
            host: text("host"),
            version: text("version"),
            segment: object.get("segment").and_then(Value::as_u64),
            first: text("first"),
            continues: object.get("continues").and_then(|continues| Continues::deserialize(continues).ok()),
        }
    }
}
