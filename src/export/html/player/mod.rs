//! The player of a page: what `screen` renders at each moment, played by a small script in the page. Pure.
//!
//! The script is the only one that the page's policy lets run, and it loads nothing. Without it the player stays
//! hidden, and the page is the same as without the player.

mod film;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

pub(super) use self::film::Film;
use self::film::pack;
use crate::recording::reader::Header;
use crate::report::duration;

const SCRIPT: &str = include_str!("player.js");

/// The player's part of the style sheet.
pub(super) const SHEET: &str = include_str!("player.css");

/// Pauses are made this long, in microseconds, where the reader wants them short and the recording names no limit.
const IDLE: u64 = 2_000_000;

/// The most characters of a mark's text.
const MAX_MARK: usize = 200;

/// A place on the time bar.
pub(super) struct Mark<'a> {
    /// Microseconds.
    pub(super) time: u64,
    /// `command`, `marker` or `gap`.
    pub(super) what: &'a str,
    pub(super) text: &'a str,
}

/// The source for the page's `script-src`, which lets the player run and nothing else.
pub(super) fn source() -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(SCRIPT)))
}

/// The section that the script fills and shows.
pub(super) fn section(film: &Film, header: &Header) -> String {
    let note = film.cut().map(|time| {
        format!(
            "<p class=\"e\">The player ends at {}: the session has more than a page holds. The transcript has all of it.</p>\n",
            duration(time)
        )
    });
    let limited = if idle_limit(header).is_some() { " checked" } else { "" };
    let mut speeds = String::new();
    for speed in ["0.25", "0.5", "1", "1.5", "2", "4", "8", "16", "32"] {
        let selected = if speed == "1" { " selected" } else { "" };
        let _ = write!(speeds, "<option value=\"{speed}\"{selected}>{speed}×</option>");
    }
    format!(
        "<section id=\"player\" aria-label=\"Player\" hidden>\n\
         <div id=\"p-view\" tabindex=\"0\" role=\"group\" aria-label=\"Screen; press ? for keys\"><span id=\"p-probe\"></span>\
         <div id=\"p-screen\"><span id=\"p-cursor\" hidden></span></div></div>\n\
         <div class=\"p-bar\"><button type=\"button\" id=\"p-toggle\">Play</button>\n\
         <div class=\"p-line\"><input type=\"range\" id=\"p-seek\" min=\"0\" max=\"1\" step=\"any\" value=\"0\" aria-label=\"Position\">\
         <div id=\"p-marks\" aria-hidden=\"true\"></div></div>\n\
         <a id=\"p-clock\" href=\"#t=0\" title=\"Link to this moment\"></a>\n\
         <label>Speed <select id=\"p-speed\">{speeds}</select></label>\n\
         <label><input type=\"checkbox\" id=\"p-skip\"{limited}> Skip pauses</label></div>\n{}\
         <details id=\"p-keys\"><summary>Keys</summary>\n<dl>\
         <dt>space</dt><dd>play or pause</dd><dt>← →</dt><dd>5 seconds back or on</dd>\
         <dt>, .</dt><dd>a frame back or on</dd><dt>0–9</dt><dd>to that tenth</dd>\
         <dt>[ ]</dt><dd>to the marker before or after</dd><dt>+ -</dt><dd>faster or slower</dd>\
         <dt>i</dt><dd>skip pauses</dd><dt>m</dt><dd>to the list of commands and markers</dd>\
         <dt>?</dt><dd>these keys</dd></dl></details>\n</section>\n",
        note.unwrap_or_default()
    )
}

/// The frames, and the script that shows them. `length` is that of the session, in microseconds; marks are in order.
pub(super) fn data<'a>(
    film: &Film,
    header: &Header,
    length: u64,
    marks: impl Iterator<Item = Mark<'a>>,
) -> String {
    let marks: Vec<_> = marks
        .map(|Mark { time, what, text }| json!([time, what, text.chars().take(MAX_MARK).collect::<String>()]))
        .collect();
    let (cols, rows) = film.size();
    let index = json!({
        "length": length,
        "end": film.cut().unwrap_or(length),
        "idle": idle_limit(header).unwrap_or(IDLE),
        "from": film.reels().map(|(from, _)| from).collect::<Vec<_>>(),
        "looks": film.looks(),
        "marks": marks,
        "size": [cols, rows],
    });
    let mut out = String::new();
    for packed in
        std::iter::once(pack(&index.to_string()).as_str()).chain(film.reels().map(|(_, packed)| packed))
    {
        let _ = writeln!(out, "<script type=\"text/plain\" class=\"film\">{packed}</script>");
    }
    let _ = writeln!(out, "<script>{SCRIPT}</script>");
    out
}

/// The limit of pauses that the recording asks for, in microseconds.
fn idle_limit(header: &Header) -> Option<u64> {
    let seconds = header.other.get("idle_time_limit")?.as_f64()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    (seconds > 0.0 && seconds < 1e9).then_some((seconds * 1e6) as u64)
}
