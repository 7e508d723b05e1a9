//! Which recordings are listed, and in which order. Pure.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::{Entry, State};

/// What a recording must be to be listed; an empty list asks for nothing.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// One of these users'.
    pub users: Vec<String>,
    /// Of one of these kinds.
    pub kinds: Vec<String>,
    /// Under one of these modes.
    pub modes: Vec<String>,
    /// In one of these states.
    pub states: Vec<State>,
    /// Begun at this moment or later.
    pub since: Option<Timestamp>,
    /// Begun before this moment.
    pub until: Option<Timestamp>,
}

impl Selection {
    /// Whether the recording is wanted. One that does not say what is asked for is not.
    #[must_use]
    pub fn wants(&self, entry: &Entry) -> bool {
        let one_of = |wanted: &[String], value: &Option<String>| {
            wanted.is_empty() || value.as_ref().is_some_and(|value| wanted.contains(value))
        };
        let session = &entry.session;
        one_of(&self.users, &session.user)
            && one_of(&self.kinds, &session.kind)
            && one_of(&self.modes, &session.mode)
            && (self.states.is_empty() || self.states.contains(&entry.state))
            && self.since.is_none_or(|since| entry.start.is_some_and(|start| start >= since.as_second()))
            && self.until.is_none_or(|until| entry.start.is_some_and(|start| start < until.as_second()))
    }
}

/// What recordings are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// Newest first.
    Start,
    /// Longest first.
    Duration,
    /// Largest first.
    Size,
    /// By name.
    User,
    /// By name.
    Kind,
    /// By name.
    Mode,
    /// By state.
    State,
    /// By the file's name.
    Name,
}

/// Sorts; what is equal is sorted newest first, then by name.
pub fn sort(entries: &mut [Entry], by: SortBy, reverse: bool) {
    entries.sort_by(|a, b| (Reverse(a.start), &a.path).cmp(&(Reverse(b.start), &b.path)));
    let micros = |entry: &Entry| Reverse(entry.length.map(super::Length::micros));
    match by {
        SortBy::Start => {}
        SortBy::Duration => entries.sort_by_key(micros),
        SortBy::Size => entries.sort_by_key(|entry| Reverse(entry.size)),
        SortBy::User => entries.sort_by(|a, b| a.session.user.cmp(&b.session.user)),
        SortBy::Kind => entries.sort_by(|a, b| a.session.kind.cmp(&b.session.kind)),
        SortBy::Mode => entries.sort_by(|a, b| a.session.mode.cmp(&b.session.mode)),
        SortBy::State => entries.sort_by_key(|entry| entry.state),
        SortBy::Name => entries.sort_by(|a, b| a.path.cmp(&b.path)),
    }
    if reverse {
        entries.reverse();
    }
}
