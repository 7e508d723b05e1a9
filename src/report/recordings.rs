//! The list of recordings. As a tree `recmode.recordings/1` is stable: keys are added, never changed or
//! taken away, without a new number.

use std::fmt::Write as _;

use csv::{Terminator, WriterBuilder};
use indicatif::HumanBytes;
use jiff::tz::TimeZone;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::columns::{columns, shortened};
use super::file_name::FileName;
use super::info::SegmentLine;
use super::matrix::csv_text::safe;
use super::{duration, local_time, marked_user, utc};
use crate::catalog::{Entry, Length};
use crate::escape;
use crate::recording::seconds;

/// The widest user, with the owner of the file; the widest owner in there; and the widest of other words.
const MAX_USER: usize = 24;
const MAX_OWNER: usize = 8;
const MAX_WORD: usize = 12;

/// The list as a tree.
#[derive(Debug, Serialize)]
pub struct Recordings<'a> {
    schema: &'static str,
    recordings: Vec<Line<'a>>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    file: FileName,
    user: Option<&'a str>,
    /// The name of the file's owner: the user is the recording's own word.
    owner: &'a str,
    host: Option<&'a str>,
    kind: Option<&'a str>,
    mode: Option<&'a str>,
    session: Option<&'a str>,
    /// RFC 3339, UTC.
    start: Option<String>,
    /// Seconds.
    duration: Option<f64>,
    /// Whether the duration is known from the file's last change only.
    duration_is_estimate: bool,
    /// Bytes.
    size: u64,
    state: &'static str,
    command: Option<&'a str>,
    segment: Option<u64>,
    first: Option<&'a str>,
    /// The files of a session of several, in order, and what is missing of them or not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    segments: Vec<SegmentLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
}

impl<'a> Line<'a> {
    fn new(entry: &'a Entry) -> Self {
        let session = &entry.session;
        Self {
            file: FileName::new(&entry.path),
            user: session.user.as_deref(),
            owner: &entry.owner,
            host: session.host.as_deref(),
            kind: session.kind.as_deref(),
            mode: session.mode.as_deref(),
            session: session.session.as_deref(),
            start: entry.start.and_then(utc),
            duration: entry.length.map(|length| seconds(length.micros())),
            duration_is_estimate: matches!(entry.length, Some(Length::About(_))),
            size: entry.size,
            state: entry.state.name(),
            command: entry.command.as_deref(),
            segment: session.segment,
            first: session.first.as_deref(),
            segments: entry.segments.iter().flat_map(|all| &all.files).map(SegmentLine::new).collect(),
            missing: entry.segments.iter().flat_map(|all| &all.faults).map(ToString::to_string).collect(),
        }
    }
}

impl<'a> Recordings<'a> {
    /// The tree of these recordings, in this order.
    #[must_use]
    pub fn new(entries: &'a [Entry]) -> Self {
        Self { schema: "recmode.recordings/1", recordings: entries.iter().map(Line::new).collect() }
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

/// The list for people.
#[must_use]
pub fn recordings_table(entries: &[Entry], zone: &TimeZone, color: bool) -> String {
    let text = |text: &Option<String>| {
        text.as_deref().map_or_else(|| "-".to_owned(), |text| shortened(&escape::controls(text), MAX_WORD))
    };
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            [
                entry.start.map_or_else(|| "-".to_owned(), |start| local_time(start, zone)),
                user(entry),
                text(&entry.session.kind),
                text(&entry.session.mode),
                match entry.length {
                    Some(Length::Told(micros)) => duration(micros),
                    Some(Length::About(micros)) => format!("~{}", duration(micros)),
                    None => "-".to_owned(),
                },
                HumanBytes(entry.size).to_string(),
                entry.state.in_words().to_owned(),
                file(entry),
            ]
        })
        .collect();
    columns(["START", "USER", "KIND", "MODE", "DURATION", "SIZE", "STATE", "FILE"], &rows, color)
}

/// The user, with the file's owner where that is another one, in a width that leaves the other rows in line.
fn user(entry: &Entry) -> String {
    let Some(user) = entry.session.user.as_deref() else { return "-".to_owned() };
    let owner = escape::controls(&entry.owner);
    if user == entry.owner {
        return shortened(&owner, MAX_USER);
    }
    let owner = shortened(&owner, MAX_OWNER);
    let room = MAX_USER.saturating_sub(marked_user("", Some(&owner)).width());
    marked_user(&shortened(&escape::controls(user), room), Some(&owner))
}

/// The file, with the session's others, and what is wrong with them.
fn file(entry: &Entry) -> String {
    let mut text = escape::path(&entry.path);
    let Some(segments) = &entry.segments else { return text };
    let more = segments.files.len() - 1;
    if more > 0 {
        let _ = write!(text, " (+ {more} more of its session)");
    }
    for fault in &segments.faults {
        let _ = write!(text, " ({fault})");
    }
    text
}

/// The list as CSV (RFC 4180, LF), with a heading; no cell is a formula to a spreadsheet.
///
/// # Errors
///
/// Never for the values that entries can hold.
pub fn recordings_csv(entries: &[Entry]) -> Result<String, csv::Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record([
        "start", "user", "host", "kind", "mode", "duration", "size", "state", "command", "session", "file",
        "owner", "segments", "missing",
    ])?;
    for entry in entries {
        let line = Line::new(entry);
        let text = |text: Option<&str>| text.map(safe).unwrap_or_default();
        writer.write_record([
            line.start.unwrap_or_default(),
            text(line.user),
            text(line.host),
            text(line.kind),
            text(line.mode),
            line.duration.map(|seconds| seconds.to_string()).unwrap_or_default(),
            line.size.to_string(),
            line.state.to_owned(),
            text(line.command),
            text(line.session),
            safe(&line.file.file),
            safe(line.owner),
            line.segments.len().max(1).to_string(),
            safe(&line.missing.join("; ")),
        ])?;
    }
    // What was written is UTF-8, and a vector takes it without an error.
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
