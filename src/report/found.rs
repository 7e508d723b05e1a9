//! What a search has found: as grep prints it, or as lines of JSON.

use std::fmt::Write as _;
use std::path::Path;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::file_name::FileName;
use super::style::{BLUE, DIM, RED, paint};
use super::{local_time, offset, utc};
use crate::escape;
use crate::recording::seconds;
use crate::screen::Place;
use crate::search::Found;

/// A line of JSON; `type` is `match` or `context`.
#[derive(Serialize)]
struct Line<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    file: &'a FileName,
    user: Option<&'a str>,
    /// The name of the file's owner: the user is the recording's own word.
    owner: Option<&'a str>,
    /// Seconds since the start.
    time: f64,
    /// The same as a time in UTC, RFC 3339, to the second.
    at: Option<String>,
    /// `line`, `full_screen`, or `replaced`: seen for a while only.
    place: &'static str,
    text: &'a str,
}

/// How times are printed.
#[derive(Debug, Clone, Copy)]
pub enum Clock<'a> {
    /// Since the start of the session.
    Offset,
    /// As the date and the time of day; `-` for a recording without a start.
    Date {
        /// When the session started, in seconds since the epoch.
        start: Option<i64>,
        /// The zone to print in.
        zone: &'a TimeZone,
    },
}

impl Clock<'_> {
    fn show(self, time: u64) -> String {
        match self {
            Self::Offset => offset(time),
            Self::Date { start, zone } => {
                start.map_or_else(|| "-".to_owned(), |start| local_time(moment(start, time), zone))
            }
        }
    }
}

/// Seconds since the epoch of a time since the start, in microseconds.
fn moment(start: i64, time: u64) -> i64 {
    start.saturating_add_unsigned(time / 1_000_000)
}

/// Lines `FILE:USER:TIME:TEXT`, with `-` between where a line only stands beside a match, and `--`
/// where lines are left out. `first` is whether nothing of the file was told before.
#[must_use]
pub fn found_text(
    file: &str,
    user: Option<&str>,
    found: &[Found],
    first: bool,
    context: bool,
    clock: Clock<'_>,
    color: bool,
) -> String {
    let mut out = String::new();
    let (file, user) = (escape::controls(file), user.map_or_else(|| "-".to_owned(), escape::controls));
    for (index, line) in found.iter().enumerate() {
        if context && line.after_others && (index > 0 || !first) {
            let _ = writeln!(out, "{}", paint(color, DIM, "--"));
        }
        let mark = if line.matches { ':' } else { '-' };
        let _ = writeln!(
            out,
            "{}{mark}{user}{mark}{}{mark}{}",
            paint(color, BLUE, &file),
            clock.show(line.time),
            paint(color && line.matches, RED, &escape::controls(&line.text))
        );
    }
    out
}

/// A JSON object a line; `start` is when the session started, in seconds since the epoch.
///
/// # Errors
///
/// Never for the values that these types can hold.
pub fn found_json(
    file: &Path,
    user: Option<&str>,
    owner: Option<&str>,
    start: Option<i64>,
    found: &[Found],
) -> Result<String, serde_json::Error> {
    let mut out = String::new();
    let file = &FileName::new(file);
    for line in found {
        let object = Line {
            r#type: if line.matches { "match" } else { "context" },
            file,
            user,
            owner,
            time: seconds(line.time),
            at: start.and_then(|start| utc(moment(start, line.time))),
            place: match line.place {
                Place::Normal => "line",
                Place::FullScreen { .. } => "full_screen",
                Place::Replaced => "replaced",
            },
            text: &line.text,
        };
        out.push_str(&escape::json(&serde_json::to_string(&object)?));
        out.push('\n');
    }
    Ok(out)
}

/// How many lines match in a recording: `FILE:COUNT`, or an object of the type `count`.
///
/// # Errors
///
/// Never for the values that these types can hold.
pub fn count_json(
    file: &Path,
    user: Option<&str>,
    owner: Option<&str>,
    count: usize,
) -> Result<String, serde_json::Error> {
    summary(&Summary { r#type: "count", file: FileName::new(file), user, owner, count: Some(count) })
}

/// The same as `FILE:COUNT`.
#[must_use]
pub fn count_text(file: &str, count: usize, color: bool) -> String {
    format!("{}:{count}\n", paint(color, BLUE, &escape::controls(file)))
}

/// The name of a recording with a match, as an object of the type `file`.
///
/// # Errors
///
/// Never for the values that these types can hold.
pub fn file_json(file: &Path, user: Option<&str>, owner: Option<&str>) -> Result<String, serde_json::Error> {
    summary(&Summary { r#type: "file", file: FileName::new(file), user, owner, count: None })
}

/// The same as a line.
#[must_use]
pub fn file_text(file: &str, color: bool) -> String {
    format!("{}\n", paint(color, BLUE, &escape::controls(file)))
}

/// A line of JSON about a recording as a whole.
#[derive(Serialize)]
struct Summary<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    file: FileName,
    user: Option<&'a str>,
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
}

fn summary(summary: &Summary<'_>) -> Result<String, serde_json::Error> {
    Ok(escape::json(&serde_json::to_string(summary)?) + "\n")
}
