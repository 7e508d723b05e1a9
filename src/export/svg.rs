//! An animation that needs nothing else, no script either: frames side by side, moved past a window
//! by CSS. A row that is the same in many frames is there once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use avt::Line;

use super::palette::{Behind, DARK, Ink, Rgb, legible, paints};
use super::{ExportError, markup};
use crate::recording::reader::{Code, Item, Reader};
use crate::screen::{Ending, Options, RenderError, Screen, Style, parse_size};

/// So many frames at most; a longer recording has fewer a second.
const MAX_FRAMES: usize = 2000;

/// Frames are at least this far apart, in microseconds.
const MIN_INTERVAL: u64 = 40_000;

/// So many bytes of rows at most, with two frames; what needs more has fewer a second too.
const MAX_BYTES: usize = 64 << 20;

/// How long the last frame stays.
const LAST: u64 = 3_000_000;

/// A character's cell.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const PADDING: f64 = 12.0;
const FOREGROUND: Rgb = Rgb(0xe0, 0xe0, 0xe0);
const BACKGROUND: Rgb = Rgb(0x16, 0x18, 0x1c);

struct Frame {
    time: u64,
    rows: Vec<usize>,
    cursor: Option<(usize, usize)>,
}

/// The rows that there are, each once.
#[derive(Default)]
struct Rows {
    numbers: HashMap<Arc<str>, usize>,
    drawn: Vec<Arc<str>>,
    /// Bytes of them all.
    bytes: usize,
}

pub(super) fn write(
    mut reader: Reader<impl BufRead>,
    name: &str,
    idle_limit: Duration,
    out: &mut impl Write,
) -> Result<Ending, ExportError> {
    let header = reader.header().clone();
    let too_large = |line| move |size| RenderError::TooLarge { line, size };
    let mut screen = Screen::of(&header, Options::default()).map_err(too_large(1))?;
    let limit = u64::try_from(idle_limit.as_micros()).unwrap_or(u64::MAX);
    let mut ending = if header.recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    let mut film = Film { frames: Vec::new(), rows: Rows::default(), interval: MIN_INTERVAL };
    let (mut last, mut time) = (0, 0_u64);
    // When the frame began that is not taken yet.
    let mut begun: Option<u64> = None;
    let (mut cols, mut lines) = screen.terminal().size();
    for item in &mut reader {
        match item? {
            Item::Event(event) if matches!(event.code, Code::Output | Code::ErrorOutput | Code::Resize) => {
                time += event.time.saturating_sub(last).min(limit);
                last = event.time;
                // What is shown for less than a frame is not shown.
                if let Some(begun) = begun.take_if(|begun| time >= *begun + film.interval) {
                    film.take(&screen, begun);
                }
                begun.get_or_insert(time);
                if let Some((cols, rows)) = parse_size(&event.data).filter(|_| event.code == Code::Resize) {
                    screen.resize(event.time, cols, rows).map_err(too_large(event.line))?;
                } else if event.code != Code::Resize {
                    screen.output(event.time, &event.data);
                }
                drop(screen.take());
                let size = screen.terminal().size();
                (cols, lines) = (cols.max(size.0), lines.max(size.1));
            }
            Item::Event(_) | Item::Gap(_) | Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
            Item::End(_) => ending = Ending::Complete,
            Item::TornTail { line } => ending = Ending::Torn { line },
        }
    }
    film.take(&screen, begun.unwrap_or(if film.frames.is_empty() { 0 } else { time }));
    film.forget_unused();
    let title = header.title.filter(|title| !title.is_empty()).unwrap_or_else(|| format!("Session {name}"));
    out.write_all(draw(&title, cols, lines, &film.frames, &film.rows, time + LAST).as_bytes())?;
    Ok(ending)
}

/// The frames so far.
struct Film {
    frames: Vec<Frame>,
    rows: Rows,
    /// They are at least this far apart, in microseconds.
    interval: u64,
}

impl Film {
    /// Adds what the screen shows.
    fn take(&mut self, screen: &Screen, time: u64) {
        let terminal = screen.terminal();
        let rows = &mut self.rows;
        let drawn =
            terminal.screen().visible_lines().map(|line| rows.number(draw_row(line).into())).collect();
        self.frames.push(Frame { time, rows: drawn, cursor: terminal.cursor().position() });
        while self.frames.len() > MAX_FRAMES || (self.rows.bytes > MAX_BYTES && self.frames.len() > 2) {
            self.interval *= 2;
            self.thin();
            self.forget_unused();
        }
    }

    /// Keeps the last frame of each interval.
    fn thin(&mut self) {
        let mut kept: Vec<Frame> = Vec::with_capacity(self.frames.len());
        for frame in self.frames.drain(..) {
            match kept.last_mut() {
                Some(before) if frame.time < before.time + self.interval => {
                    *before = Frame { time: before.time, ..frame };
                }
                _ => kept.push(frame),
            }
        }
        self.frames = kept;
    }

    /// Drops the rows that no frame shows any more.
    fn forget_unused(&mut self) {
        let mut kept = Rows::default();
        let drawn = std::mem::take(&mut self.rows.drawn);
        self.rows = Rows::default();
        for number in self.frames.iter_mut().flat_map(|frame| &mut frame.rows) {
            *number = kept.number(Arc::clone(&drawn[*number]));
        }
        self.rows = kept;
    }
}

impl Rows {
    fn number(&mut self, drawn: Arc<str>) -> usize {
        let next = self.drawn.len();
        *self.numbers.entry(drawn).or_insert_with_key(|drawn| {
            self.bytes += drawn.len();
            self.drawn.push(Arc::clone(drawn));
            next
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "columns are few")]
fn x(column: usize) -> f64 {
    column as f64 * WIDTH
}

#[expect(clippy::cast_precision_loss, reason = "rows are few")]
fn y(row: usize) -> f64 {
    row as f64 * HEIGHT
}

/// A row of cells: rectangles, and above them runs of text.
fn draw_row(line: &Line) -> String {
    let (mut ground, mut text) = (String::new(), String::new());
    let cells = line.cells();
    let mut at = 0;
    while at < cells.len() {
        let style = *cells[at].pen();
        let wide = cells[at].width() == 2;
        let mut end = at + usize::from(cells[at].width().max(1));
        let mut run = String::from(cells[at].char());
        // A wide character stands alone, so that the others keep their columns.
        while !wide && end < cells.len() && *cells[end].pen() == style && cells[end].width() == 1 {
            run.push(cells[end].char());
            end += 1;
        }
        let (fore, back) = colours(&style);
        if let Some(back) = back {
            let _ = write!(
                ground,
                "<rect x=\"{:.1}\" width=\"{:.1}\" height=\"{HEIGHT}\" fill=\"{back}\"/>",
                x(at),
                x(end - at)
            );
        }
        let trimmed = run.trim_end();
        let leading = trimmed.len() - trimmed.trim_start().len();
        if leading < trimmed.len() {
            // The spaces in front are ASCII, a column each.
            let (from, shown) = (at + leading, &trimmed[leading..]);
            let columns = if wide { 2 } else { shown.chars().count() };
            let fill = fore.map(|fore| format!(" fill=\"{fore}\"")).unwrap_or_default();
            let _ = write!(
                text,
                "<text x=\"{:.1}\" y=\"13.5\" textLength=\"{:.1}\"{fill}{}>{}</text>",
                x(from),
                x(columns),
                attributes(&style),
                markup(shown)
            );
        }
        at = end;
    }
    ground + &text
}

/// Fore- and background, where they are not the defaults.
fn colours(style: &Style) -> (Option<String>, Option<String>) {
    let (ink, behind) = paints(style);
    let back = match behind {
        Behind::Ground => None,
        Behind::Text => Some(FOREGROUND),
        Behind::Fixed(colour) => Some(colour),
    };
    let fore = match ink {
        Ink::Text => None,
        Ink::Ground => Some(BACKGROUND.to_string()),
        Ink::Theme(index) => Some(DARK[usize::from(index) % DARK.len()].to_string()),
        Ink::Fixed(colour) => Some(legible(colour, back.unwrap_or(BACKGROUND)).to_string()),
    };
    (fore, back.map(|back| back.to_string()))
}

fn attributes(style: &Style) -> String {
    let mut out = String::new();
    if style.is_bold() {
        out.push_str(" font-weight=\"bold\"");
    }
    if style.is_faint() {
        out.push_str(" opacity=\"0.7\"");
    }
    if style.is_italic() {
        out.push_str(" font-style=\"italic\"");
    }
    match (style.is_underline(), style.is_strikethrough()) {
        (true, true) => out.push_str(" text-decoration=\"underline line-through\""),
        (true, false) => out.push_str(" text-decoration=\"underline\""),
        (false, true) => out.push_str(" text-decoration=\"line-through\""),
        (false, false) => {}
    }
    out
}

fn draw(title: &str, cols: usize, lines: usize, frames: &[Frame], rows: &Rows, length: u64) -> String {
    let (width, height) = (x(cols) + 2.0 * PADDING, y(lines) + 2.0 * PADDING);
    let title = markup(title);
    let seconds = crate::recording::seconds(length);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\" aria-labelledby=\"t\">\n<title id=\"t\">{title}</title>\n<style>\n\
         svg{{font:14px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}}text{{white-space:pre}}\n"
    );
    if frames.len() > 1 {
        out.push_str("@keyframes p{\n");
        // From the first frame on, so that there is something to see from the start.
        let start = frames[0].time;
        let span = crate::recording::seconds(length - start);
        for (index, frame) in frames.iter().enumerate() {
            let at = crate::recording::seconds(frame.time - start) / span * 100.0;
            let _ = writeln!(out, "{at:.5}%{{transform:translateX(-{:.1}px)}}", x(cols * index));
        }
        let last = x(cols * (frames.len() - 1));
        let _ = write!(
            out,
            "100%{{transform:translateX(-{last:.1}px)}}\n}}\n.f{{animation:p {span:.3}s step-end infinite}}\n\
             @media (prefers-reduced-motion:reduce){{.f{{animation:none;transform:translateX(-{last:.1}px)}}}}\n"
        );
    }
    let _ = write!(
        out,
        "</style>\n<desc>A terminal session of {seconds:.1} seconds.</desc>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n<defs>\n"
    );
    for (number, row) in rows.drawn.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
        let _ = writeln!(out, "<g id=\"r{number}\">{row}</g>");
    }
    let _ = write!(
        out,
        "</defs>\n<svg x=\"{PADDING}\" y=\"{PADDING}\" width=\"{:.1}\" height=\"{:.1}\">\n<g class=\"f\" fill=\"{FOREGROUND}\">\n",
        x(cols),
        y(lines)
    );
    for (index, frame) in frames.iter().enumerate() {
        // A frame covers what sticks out of the one before it.
        let _ = writeln!(out, "<svg x=\"{:.1}\" width=\"{:.1}\">", x(cols * index), x(cols));
        if let Some((column, row)) = frame.cursor {
            let _ = writeln!(
                out,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#5f6368\"/>",
                x(column),
                y(row)
            );
        }
        for (row, &number) in frame.rows.iter().enumerate().filter(|(_, row)| !rows.drawn[**row].is_empty()) {
            let _ = writeln!(out, "<use href=\"#r{number}\" y=\"{:.1}\"/>", y(row));
        }
        out.push_str("</svg>\n");
    }
    out + "</g>\n</svg>\n</svg>\n"
}
