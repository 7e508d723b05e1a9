//! The recording's first line, but for what differs between the versions of the format.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::policy::{Mode, SessionKind};

/// What a recording says of itself.
#[derive(Debug, Clone)]
pub struct Header {
    /// The session's terminal.
    pub term: Term,
    /// When the session began, seconds since the epoch.
    pub timestamp: i64,
    /// The command line, joined by spaces.
    pub command: String,
    /// The title, if one was given.
    pub title: Option<String>,
    /// SHELL and TERM as the command gets them.
    pub env: BTreeMap<&'static str, String>,
    /// What only recmode knows.
    pub session: Session,
}

/// The terminal when the session began.
#[derive(Debug, Clone, Serialize)]
pub struct Term {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Its type, as in TERM.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The header's `recmode` object.
#[derive(Debug, Clone, Serialize)]
pub struct Session {
    /// recmode's version.
    pub version: &'static str,
    /// The session's id, as in RECMODE_SESSION.
    pub session: String,
    /// The mode that was enforced.
    pub mode: Mode,
    /// The kind that the mode was resolved for.
    pub kind: SessionKind,
    /// The names of the roles that it was resolved from; none where it was given.
    pub roles: Vec<String>,
    /// What decided the mode.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Decider>,
    /// The user, by the real user id.
    pub user: String,
    /// The host's name.
    pub host: String,
    /// For a session without a terminal: how much of its streams is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streams: Option<StreamCapture>,
    /// The hash that checks the file as it goes on.
    pub chain: &'static str,
    /// For a file that goes on where another could not: its number, from 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// For such a file: the name of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
}

/// A role's option that decided the mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decider {
    /// The role's name.
    pub role: String,
    /// The key under `record_session`.
    pub option: String,
}

/// How much of the streams of a session without a terminal is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamCapture {
    /// How many bytes went through each.
    Counts,
    /// The bytes, too.
    Content,
}
