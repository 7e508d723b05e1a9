//! The transcript: lines in colours, each with its time, an anchor and its links.

use std::fmt::{self, Write as _};
use std::sync::OnceLock;

use regex::Regex;

use super::style::look;
use super::{markup, seconds};
use crate::report::offset;
use crate::screen::{Place, Style, TextLine};

/// The transcript ends after so many bytes of the page, which no browser would show: it says so there.
const MAX_PAGE: usize = 256 << 20;

/// The lines so far, as they stand in the page.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    body: String,
    lines: usize,
    left_out: usize,
}

impl Transcript {
    /// Adds a line; gives its number, unless the page is full.
    pub(super) fn push(&mut self, line: &TextLine) -> Option<usize> {
        if self.body.len() >= MAX_PAGE {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        write_line(&mut self.body, line, self.lines);
        Some(self.lines)
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<section aria-labelledby=\"transcript\">\n<h2 id=\"transcript\">Transcript</h2>\n<div class=\"t\">\n{}",
            self.body
        )?;
        if self.left_out > 0 {
            let left_out = self.left_out;
            writeln!(
                f,
                "<div class=\"e\">The page ends here; the recording has {left_out} more lines.</div>"
            )?;
        }
        f.write_str("</div>\n</section>\n")
    }
}

fn write_line(body: &mut String, line: &TextLine, number: usize) {
    let screen = match line.place {
        Place::FullScreen { first: true } => {
            body.push_str("<div class=\"e\">a full-screen program's last screen:</div>\n");
            " class=\"s\""
        }
        Place::FullScreen { first: false } => " class=\"s\"",
        Place::Normal | Place::Replaced => "",
    };
    let _ = write!(
        body,
        "<div class=\"l\" id=\"L{number}\" data-t=\"{}\"><a href=\"#L{number}\">{}</a><span{screen}>",
        seconds(line.time),
        offset(line.time)
    );
    let addresses: Vec<_> = link().find_iter(&line.text).map(|found| found.range()).collect();
    let mut at = 0;
    for (bytes, style) in &line.styles {
        let end = at + bytes;
        let (open, close) = span(style);
        body.push_str(&open);
        while at < end {
            let inside = addresses.iter().find(|address| address.contains(&at));
            let next = addresses.iter().map(|address| address.start).find(|&start| start > at);
            let to = inside.map_or_else(|| next.unwrap_or(end), |address| address.end).min(end);
            let text = markup(&line.text[at..to]);
            match inside {
                Some(address) => {
                    let target = markup(&line.text[address.clone()]);
                    let _ =
                        write!(body, "<a href=\"{target}\" rel=\"noopener noreferrer nofollow\">{text}</a>");
                }
                None => body.push_str(&text),
            }
            at = to;
        }
        body.push_str(close);
    }
    body.push_str("</span></div>\n");
}

/// What is taken for a link: http and https only.
fn link() -> &'static Regex {
    static LINK: OnceLock<Regex> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "a constant that a test compiles")]
    LINK.get_or_init(|| {
        Regex::new(r"https?://[A-Za-z0-9][!#-;=?-Z_a-z~]*[A-Za-z0-9/_~=-]").expect("a pattern")
    })
}

/// The tags around a run of characters.
fn span(style: &Style) -> (String, &'static str) {
    if style.is_default() {
        return (String::new(), "");
    }
    let (classes, css) = look(style);
    let style = if css.is_empty() { String::new() } else { format!(" style=\"{css}\"") };
    (format!("<span class=\"{classes}\"{style}>"), "</span>")
}
