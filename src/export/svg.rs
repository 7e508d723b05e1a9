//! An animation that needs nothing else, no script either: frames side by side, moved past a window
//! by CSS. A row that is the same in many frames is there once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::time::Duration;

use avt::Line;

use super::palette::{DARK, Paint, paint};
use super::{ExportError, markup};
use crate::recording::reader::{Code, Item, Reader};
use crate::screen::{Ending, Options, RenderError, Screen, Style, parse_size};

/// So many frames at most; a longer recording has fewer a second.
const MAX_FRAMES: usize = 2000;

/// Frames are at least this far apart, in microseconds.
const MIN_INTERVAL: u64 = 40_000;

/// How long the last frame stays.
const LAST: u64 = 3_000_000;

/// A character's cell.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const PADDING: f64 = 12.0;
const FOREGROUND: &str = "#e0e0e0";
const BACKGROUND: &str = "#16181c";

#[derive(Clone)]
struct Frame {
    time: u64,
    rows: Vec<usize>,
    cursor: Option<(usize, usize)>,
}

/// The rows that there are, each once.
#[derive(Default)]
struct Rows {
    numbers: HashMap<String, usize>,
    drawn: Vec<String>,
}

pub(super) fn write(
    mut reader: Reader<impl BufRead>,
    name: &str,
    idle_limit: Duration,
    out: &mut impl Write,
) -> Result<Ending, ExportError> {
    let header = reader.header().clone();
    let too_large = |line| move |size| RenderError::TooLarge { line, size };
    let mut screen = Screen::new(usize::from(header.cols), usize::from(header.rows), Options::default())
        .map_err(too_large(1))?;
    let limit = u64::try_from(idle_limit.as_micros()).unwrap_or(u64::MAX);
    let mut ending = if header.recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    let mut rows = Rows::default();
    let mut frames: Vec<Frame> = Vec::new();
    let mut interval = MIN_INTERVAL;
    let (mut last, mut time) = (0, 0_u64);
    let (mut cols, mut lines) = screen.terminal().size();
    for item in &mut reader {
        match item? {
            Item::Event(event) if matches!(event.code, Code::Output | Code::Resize) => {
                time += event.time.saturating_sub(last).min(limit);
                last = event.time;
                if event.code == Code::Output {
                    screen.output(event.time, &event.data);
                } else if let Some((cols, rows)) = parse_size(&event.data) {
                    screen.resize(event.time, cols, rows).map_err(too_large(event.line))?;
                }
                drop(screen.take());
                let size = screen.terminal().size();
                (cols, lines) = (cols.max(size.0), lines.max(size.1));
                let frame = look(&screen, time, &mut rows);
                match frames.last_mut() {
                    // What is shown for less than a frame is not shown.
                    Some(before) if time < before.time + interval => {
                        *before = Frame { time: before.time, ..frame };
                    }
                    _ => frames.push(frame),
                }
                if frames.len() > MAX_FRAMES {
                    interval *= 2;
                    thin(&mut frames, interval);
                }
            }
            Item::Event(_) | Item::Gap(_) | Item::Streams(_) => {}
            Item::End(_) => ending = Ending::Complete,
            Item::TornTail { line } => ending = Ending::Torn { line },
        }
    }
    if frames.is_empty() {
        frames.push(look(&screen, 0, &mut rows));
    }
    let title = header.title.filter(|title| !title.is_empty()).unwrap_or_else(|| format!("Session {name}"));
    out.write_all(draw(&title, cols, lines, &frames, &rows, time + LAST).as_bytes())?;
    Ok(ending)
}

/// Keeps the last frame of each interval.
fn thin(frames: &mut Vec<Frame>, interval: u64) {
    let mut kept: Vec<Frame> = Vec::with_capacity(frames.len());
    for frame in frames.drain(..) {
        match kept.last_mut() {
            Some(before) if frame.time < before.time + interval => {
                *before = Frame { time: before.time, ..frame };
            }
            _ => kept.push(frame),
        }
    }
    *frames = kept;
}

fn look(screen: &Screen, time: u64, rows: &mut Rows) -> Frame {
    let terminal = screen.terminal();
    let drawn = terminal.screen().visible_lines().map(|line| rows.number(draw_row(line))).collect();
    Frame { time, rows: drawn, cursor: terminal.cursor().position() }
}

impl Rows {
    fn number(&mut self, drawn: String) -> usize {
        let next = self.drawn.len();
        *self.numbers.entry(drawn).or_insert_with_key(|drawn| {
            self.drawn.push(drawn.clone());
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
    let css = |paint: Paint| match paint {
        Paint::Theme(index) => DARK[usize::from(index) % DARK.len()].to_owned(),
        Paint::Fixed(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    };
    let fore = style.foreground().map(|color| css(paint(color, style.is_bold())));
    let back = style.background().map(|color| css(paint(color, false)));
    if style.is_inverse() {
        let back = back.unwrap_or_else(|| BACKGROUND.to_owned());
        return (Some(back), Some(fore.unwrap_or_else(|| FOREGROUND.to_owned())));
    }
    (fore, back)
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
