//! What a search has found: as grep prints it, or as lines of JSON.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::file_name::FileName;
use super::offset;
use super::style::{BLUE, DIM, RED, paint};
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
    /// `line`, `full_screen`, or `replaced`: seen for a while only.
    place: &'static str,
    text: &'a str,
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
            offset(line.time),
            paint(color && line.matches, RED, &escape::controls(&line.text))
        );
    }
    out
}

/// A JSON object a line.
///
/// # Errors
///
/// Never for the values that these types can hold.
pub fn found_json(
    file: &Path,
    user: Option<&str>,
    owner: Option<&str>,
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
