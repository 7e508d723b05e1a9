//! The top of the page: its title, the verdicts and the facts of the session.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::verdict::{Verdict, verdicts};
use super::{FileFacts, Page, markup, player, style};
use crate::cast::Segments;
use crate::report::{About, facts, signature, utc};
use crate::verify::{Hashes, SessionVerdict};

/// The most gaps, markers and files that are listed.
const MAX_SHOWN: usize = 1000;

/// The document up to its title; with a player, its script may run.
pub(super) fn open(title: &str, player: bool) -> String {
    let script = if player { format!("; script-src {}", player::source()) } else { String::new() };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'{script}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#transcript\">To the transcript</a>\n<main>\n<h1>{title}</h1>\n",
        style::sheet(),
        if player { player::SHEET } else { "" }
    )
}

/// What is right or wrong with the recording, in words.
pub(super) fn verdict(page: &Page, file: &FileFacts<'_>) -> String {
    let mut out = "<div id=\"verdict\">\n".to_owned();
    for Verdict { level, text } in verdicts(&page.summary, file) {
        let _ = writeln!(out, "<p class=\"{}\">{}</p>", level.class(), markup(&text));
    }
    if let Some(line) = page.left_out {
        let _ = writeln!(
            out,
            "<p class=\"warn\">From line {line} of the file on the screen changes more than can be rendered: parts of it are left out</p>"
        );
    }
    out + "</div>\n"
}

/// The list of facts: those of `recmode info`, and those of the file as it was verified.
pub(super) fn list(page: &Page, file: &FileFacts<'_>) -> String {
    let FileFacts { name, owner, segments, files, hashes, verified } = *file;
    let summary = &page.summary;
    let state = file.state(summary);
    let size = hashes.iter().map(|hashes| hashes.bytes).sum::<u64>();
    let about = About { file: name, size: Some(size), state, owner, segments };
    let Some(checked) = SessionVerdict::worst(files) else { return String::new() };
    let mut rows = facts(&about, summary, checked, &TimeZone::UTC, MAX_SHOWN);
    for row in &mut rows {
        // A page is read elsewhere.
        if let ("Start", Some(start)) = (row.0, summary.header.timestamp.and_then(utc)) {
            row.1 = start;
        }
    }
    let unsigned = || "not verified: no signers were given".to_owned();
    rows.extend(of_each("Signature", segments, files, |(_, checked)| {
        checked.signed.as_ref().map_or_else(unsigned, signature)
    }));
    rows.extend(of_each("BLAKE3", segments, hashes, |hashes| of_what(hashes, &hashes.blake3)));
    rows.extend(of_each("SHA-256", segments, hashes, |hashes| of_what(hashes, &hashes.sha256)));
    rows.extend(of_each("Bytes", segments, hashes, |hashes| hashes.bytes.to_string()));
    rows.push(("Verified", format!("{verified}, by recmode {}", env!("CARGO_PKG_VERSION"))));
    let mut out = "<dl>\n".to_owned();
    for (name, text) in rows {
        if !name.is_empty() {
            let _ = write!(out, "<dt>{name}</dt>");
        }
        let _ = writeln!(out, "<dd>{}</dd>", markup(&text));
    }
    out + "</dl>\n"
}

/// A fact of each file; with the number of the segment, where there may be several.
fn of_each<'a, T>(
    name: &'static str,
    segments: Option<&'a Segments>,
    files: &'a [T],
    fact: impl Fn(&T) -> String + 'a,
) -> impl Iterator<Item = (&'static str, String)> + 'a {
    files.iter().enumerate().map(move |(n, file)| {
        let number = segments.and_then(|segments| segments.files.get(n)).map(|segment| segment.number);
        let fact = fact(file);
        let fact = number.map_or_else(|| fact.clone(), |number| format!("{number}  {fact}"));
        (if n == 0 { name } else { "" }, fact)
    })
}

fn of_what(hashes: &Hashes, hash: &str) -> String {
    format!("{hash}{}", if hashes.partial { " (only up to a hole in the file)" } else { "" })
}
