//! The matrix of `resolve --all`. As a tree `recmode.matrix/1` is stable: keys are added, never
//! changed or taken away, without a new number.

pub(super) mod csv_text;
mod text;

use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::escape;
use crate::holders::{Cell, HolderKind, Row, Unknown};
use crate::policy::{Answer, Dialect, Place, SessionKind};
use crate::roles::SetKey;

/// The answers for all users and groups.
#[derive(Debug, Serialize)]
pub struct Matrix<'a> {
    schema: &'static str,
    dialect: &'static str,
    with_requests: bool,
    kinds: &'a [SessionKind],
    #[serde(rename = "rows", serialize_with = "rows")]
    lines: (&'a [Row], bool),
}

impl<'a> Matrix<'a> {
    /// The matrix of these rows, whose cells are for `kinds`.
    #[must_use]
    pub fn new(rows: &'a [Row], kinds: &'a [SessionKind], dialect: Dialect, with_requests: bool) -> Self {
        Self {
            schema: "recmode.matrix/1",
            dialect: dialect.name(),
            with_requests,
            kinds,
            lines: (rows, with_requests),
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

    /// The same tree as YAML.
    ///
    /// # Errors
    ///
    /// Never for the values that this type can hold.
    pub fn yaml(&self) -> Result<String, serde_yaml::ser::Error> {
        serde_yaml::to_string(self).map(|text| format!("{}\n", text.trim_end_matches('\n')))
    }

    /// As a table for people.
    #[must_use]
    pub fn table(&self, color: bool) -> String {
        text::table(self.lines.0, self.kinds, self.with_requests, color)
    }

    /// As CSV (RFC 4180, LF), with a heading.
    ///
    /// # Errors
    ///
    /// Never for the values that this type can hold.
    pub fn csv(&self) -> Result<String, csv::Error> {
        csv_text::csv(self.lines.0, self.kinds, self.with_requests)
    }
}

#[derive(Serialize)]
struct Line<'a> {
    kind: HolderKind,
    name: &'a str,
    /// The separate set that its roles are in.
    #[serde(skip_serializing_if = "SetKey::is_default")]
    set: &'a SetKey,
    at: &'a Place,
    /// Whether a `kind: user` document was read; null for a group.
    document: Option<bool>,
    roles: Vec<HeldRole<'a>>,
    requestable: Vec<&'a str>,
    unknown: Vec<&'a Unknown>,
    weakest: Option<SessionKind>,
    #[serde(serialize_with = "by_kind")]
    kinds: &'a [Cell],
}

#[derive(Serialize)]
struct HeldRole<'a> {
    role: &'a str,
    /// Where the holder is given it.
    at: &'a Place,
}

#[derive(Serialize)]
struct CellLine<'a> {
    #[serde(flatten)]
    answer: &'a Answer,
    /// The role that has to be requested for it.
    requested: Option<&'a Arc<str>>,
}

fn rows<S: Serializer>((rows, with_requests): &(&[Row], bool), serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(|row| {
        let holder = &row.holder;
        let requestable = if *with_requests { holder.requestable.as_slice() } else { &[] };
        Line {
            kind: holder.kind,
            name: &holder.name,
            set: &holder.set,
            at: &holder.at,
            document: (holder.kind == HolderKind::User).then_some(!holder.without_document),
            roles: holder.held.iter().map(|(role, at)| HeldRole { role: &role.name, at }).collect(),
            requestable: requestable.iter().map(|role| role.name.as_ref()).collect(),
            unknown: row.unknown(*with_requests).collect(),
            weakest: row.weakest().map(|cell| cell.answer.kind),
            kinds: &row.cells,
        }
    }))
}

fn by_kind<S: Serializer>(cells: &[Cell], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(cells.len()))?;
    for Cell { answer, requested } in cells {
        let requested = requested.as_ref().map(|role| &role.name);
        map.serialize_entry(answer.kind.name(), &CellLine { answer, requested })?;
    }
    map.end()
}

/// Whether any row is of a set with a name, so that rows have to tell theirs.
fn has_sets(rows: &[Row]) -> bool {
    rows.iter().any(|row| !row.holder.set.is_default())
}

/// A cell in a word or two.
fn word(row: &Row, answer: &Answer) -> &'static str {
    if row.is_idle() {
        "-"
    } else if row.holder.held.is_empty() {
        // The answer of the empty set; nothing that the holder holds was read.
        "unknown"
    } else {
        super::table::word(answer)
    }
}

/// The weakest cell's kind and its cause, which names the kind first where it is the kind's own option.
fn weakest(row: &Row, cell: &Cell) -> String {
    let (kind, cause) = (cell.answer.kind.name(), cause(row, cell));
    if cause.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':')) {
        return cause;
    }
    format!("{kind}: {cause}")
}

/// Why the weakest cell is as it is, in a line; names are quoted and places escaped.
fn cause(row: &Row, cell: &Cell) -> String {
    if row.holder.held.is_empty() {
        return "none of its roles was read".to_owned();
    }
    let text = super::table::weakness(&cell.answer).join("; ");
    match &cell.requested {
        Some(role) => format!("{text}, if the role {:?} is requested", role.name),
        None => text,
    }
}
