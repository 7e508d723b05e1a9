//! The changes as a tree. `recmode.diff/1` is stable: keys are added, never changed or taken away,
//! without a new number.

use serde::Serialize;

use crate::diff::{Cause, Diff, PartyChanges, PartyKind, What};
use crate::escape;
use crate::holders::Unknown;
use crate::policy::{Answer, Dialect, Place, SessionKind};
use crate::roles::SetKey;

/// The changes of all parties, for JSON.
#[derive(Debug, Serialize)]
pub struct DiffTree<'a> {
    schema: &'static str,
    old: &'a str,
    new: &'a str,
    dialect: &'static str,
    with_requests: bool,
    changes: Vec<Line<'a>>,
    unknown: Vec<UnknownLine<'a>>,
    summary: Summary,
}

#[derive(Debug, Serialize)]
struct Subject<'a> {
    kind: PartyKind,
    name: &'a str,
    /// The separate set of roles that it is in.
    #[serde(skip_serializing_if = "SetKey::is_default")]
    set: &'a SetKey,
    at: &'a Place,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    subject: Subject<'a>,
    session_kind: SessionKind,
    change: What,
    before: Option<&'a Answer>,
    after: Option<&'a Answer>,
    causes: &'a [Cause],
}

/// What a party is given since, or was given before, that the answers leave out.
#[derive(Debug, Serialize)]
struct UnknownLine<'a> {
    subject: Subject<'a>,
    since: &'a [Unknown],
    before: &'a [Unknown],
}

#[derive(Debug, Serialize)]
struct Summary {
    recording_off: usize,
    loosened: usize,
    may_turn_off: usize,
    may_loosen: usize,
    tightened: usize,
    recording_on: usize,
    may_tighten: usize,
    may_turn_on: usize,
    new: usize,
    gone: usize,
}

impl<'a> DiffTree<'a> {
    /// The tree of this diff; `names` are those of its sides.
    #[must_use]
    pub fn new(diff: &'a Diff, names: (&'a str, &'a str), dialect: Dialect, with_requests: bool) -> Self {
        let subject = |party: &'a PartyChanges| {
            let PartyChanges { set, kind, name, at, .. } = party;
            Subject { kind: *kind, name, set, at }
        };
        let lines = diff.parties.iter().flat_map(|party| {
            party.changes.iter().map(move |change| Line {
                subject: subject(party),
                session_kind: change.kind,
                change: change.what,
                before: change.before.as_ref(),
                after: change.after.as_ref(),
                causes: &change.causes,
            })
        });
        let unknown = diff.parties.iter().map(|party| UnknownLine {
            subject: subject(party),
            since: &party.unknown_since,
            before: &party.unknown_before,
        });
        Self {
            schema: "recmode.diff/1",
            old: names.0,
            new: names.1,
            dialect: dialect.name(),
            with_requests,
            changes: lines.collect(),
            unknown: unknown.filter(|line| !line.since.is_empty() || !line.before.is_empty()).collect(),
            summary: Summary {
                recording_off: diff.count(What::RecordingOff),
                loosened: diff.count(What::Loosened),
                may_turn_off: diff.count(What::MayTurnOff),
                may_loosen: diff.count(What::MayLoosen),
                tightened: diff.count(What::Tightened),
                recording_on: diff.count(What::RecordingOn),
                may_tighten: diff.count(What::MayTighten),
                may_turn_on: diff.count(What::MayTurnOn),
                new: diff.count(What::New),
                gone: diff.count(What::Gone),
            },
        }
    }

    /// As JSON, with a line break at its end.
    ///
    /// # Errors
    ///
    /// Never for the values that this type can hold.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        Ok(escape::json(&serde_json::to_string_pretty(self)?) + "\n")
    }
}
