//! The transcript: lines in colours, each with its time, an anchor and its links.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

use super::style::{is_block, look};
use super::verdict::{Level, end, end_level};
use super::{markup, seconds};
use crate::catalog::Summary;
use crate::recording::reader::Gap;
use crate::report::{gap_text, offset};
use crate::screen::{Place, Style, TextLine};

/// The most bytes of a transcript, more than a browser would show; the page has a note where it ends.
const MAX_PAGE: usize = 256 << 20;

/// The number of lines that are laid out together when they come into view.
const CHUNK: usize = 200;

/// The most gaps that wait for the line after them.
const MAX_WAITING: usize = 10_000;

/// The lines so far, as they stand in the page.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    body: String,
    lines: usize,
    left_out: usize,
    /// Gaps that wait for the first line after them: their times and notes.
    gaps: Vec<(u64, String)>,
}

impl Transcript {
    /// Adds a line; gives its number, unless the page is full.
    pub(super) fn push(&mut self, line: &TextLine) -> Option<usize> {
        if self.body.len() >= MAX_PAGE {
            self.left_out += 1;
            return None;
        }
        if self.lines.is_multiple_of(CHUNK) {
            self.body.push_str(if self.lines == 0 {
                "<div class=\"c\">\n"
            } else {
                "</div>\n<div class=\"c\">\n"
            });
        }
        // What came at the time of the last event before a gap stands before it.
        let before = self.gaps.partition_point(|(time, _)| *time < line.time);
        for (_, note) in self.gaps.drain(..before) {
            self.body.push_str(&note);
        }
        self.lines += 1;
        write_line(&mut self.body, line, self.lines);
        Some(self.lines)
    }

    /// Adds a gap after what was shown until `time`.
    pub(super) fn gap(&mut self, time: u64, gap: &Gap) {
        if self.gaps.len() < MAX_WAITING {
            self.gaps.push((time, note(Level::Warn, time, &format!("Gap: {}", gap_text(gap)))));
        }
    }

    /// There are no more lines.
    pub(super) fn finish(&mut self) {
        if self.lines > 0 {
            self.body.push_str("</div>\n");
        }
        for (_, note) in self.gaps.drain(..) {
            self.body.push_str(&note);
        }
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Writes the section, with a note of the session's end.
    pub(super) fn write(&self, summary: &Summary, live: bool, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "<section aria-labelledby=\"transcript\">\n<h2 id=\"transcript\">Transcript</h2>\n\
             <input type=\"checkbox\" id=\"wrap\" checked> <label for=\"wrap\">Wrap long lines</label>\n<div class=\"t\">"
        )?;
        out.write_all(self.body.as_bytes())?;
        if self.left_out > 0 {
            let text = format!("The page ends here; the recording has {} more lines.", self.left_out);
            writeln!(out, "<div class=\"warn\">{text}</div>")?;
        }
        let level = end_level(summary, live);
        let text = format!("End: {}", end(summary, live));
        match level {
            Level::Good => writeln!(out, "<div class=\"e\">{}</div>", markup(&text))?,
            level => out.write_all(note(level, summary.length, &text).as_bytes())?,
        }
        writeln!(out, "</div>\n</section>")
    }
}

/// Something that happened between the lines.
fn note(level: Level, time: u64, text: &str) -> String {
    format!(
        "<div class=\"{}\" data-t=\"{}\">{} {}</div>\n",
        level.class(),
        seconds(time),
        offset(time),
        markup(text)
    )
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
        while at < end {
            let picture = line.text[at..end].starts_with(is_block);
            let to = line.text[at..end].find(|c| is_block(c) != picture).map_or(end, |length| at + length);
            let (open, close) = span(style, picture);
            body.push_str(&open);
            write_text(body, &line.text, at..to, &addresses);
            body.push_str(close);
            at = to;
        }
    }
    body.push_str("</span></div>\n");
}

/// Writes a part of a line, with its links.
fn write_text(body: &mut String, text: &str, part: Range<usize>, addresses: &[Range<usize>]) {
    let mut at = part.start;
    while at < part.end {
        let inside = addresses.iter().find(|address| address.contains(&at));
        let next = addresses.iter().map(|address| address.start).find(|&start| start > at);
        let to = inside.map_or_else(|| next.unwrap_or(part.end), |address| address.end).min(part.end);
        let shown = markup(&text[at..to]);
        match inside {
            Some(address) => {
                let target = markup(&text[address.clone()]);
                let _ = write!(body, "<a href=\"{target}\" rel=\"noopener noreferrer nofollow\">{shown}</a>");
            }
            None => body.push_str(&shown),
        }
        at = to;
    }
}

/// What is taken for a link: http and https only.
fn link() -> &'static Regex {
    static LINK: OnceLock<Regex> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "a constant that a test compiles")]
    LINK.get_or_init(|| {
        Regex::new(r"https?://[A-Za-z0-9][!#-;=?-Z_a-z~]*[A-Za-z0-9/_~=-]").expect("a pattern")
    })
}

/// The tags around a run of characters; `picture` is whether those are block elements.
pub(super) fn span(style: &Style, picture: bool) -> (String, &'static str) {
    if style.is_default() {
        return (String::new(), "");
    }
    let (classes, css) = look(style, picture);
    let style = if css.is_empty() { String::new() } else { format!(" style=\"{css}\"") };
    let class = if classes.is_empty() { String::new() } else { format!(" class=\"{classes}\"") };
    (format!("<span{class}{style}>"), "</span>")
}
