//! The top of the page: its title and the facts of the session.

use std::fmt::Write as _;

use super::{Page, markup, player, style};
use crate::cast::Session;
use crate::report::{duration, utc};
use crate::screen::Ending;

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

/// The list of facts.
pub(super) fn facts(page: &Page) -> String {
    let Page { header, length, exit, gaps, ending, .. } = page;

    let session = header.recmode.as_ref().map(Session::new).unwrap_or_default();
    let text = |text: Option<&str>| text.map(markup);
    let ended = match ending {
        Ending::Complete => None,
        Ending::Torn { line } => Some(format!("cut off in line {line}")),
        Ending::NoEnd => Some("no end record: the session still ran, or it is cut off".to_owned()),
    };
    let mut out = "<dl>\n".to_owned();
    for (name, value) in [
        ("User", text(session.user.as_deref())),
        ("Host", text(session.host.as_deref())),
        ("Started", header.timestamp.and_then(utc)),
        ("Duration", Some(duration(*length))),
        ("Command", text(header.command.as_deref())),
        ("Kind", text(session.kind.as_deref())),
        ("Mode", text(session.mode.as_deref())),
        ("Exit status", text(exit.as_deref())),
        ("Gaps", (*gaps > 0).then(|| gaps.to_string())),
        ("End", ended),
    ] {
        if let Some(value) = value {
            let _ = writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
        }
    }
    out + "</dl>\n"
}
