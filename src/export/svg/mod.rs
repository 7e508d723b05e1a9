//! An animation that needs nothing else, no script either. What a row of the screen shows in turn lies side by side,
//! and CSS moves it past a window: a row that does not change costs nothing. Rows that are equal are drawn once. The
//! number of elements is bounded, as browsers need longer for each: what needs more has fewer frames a second.

mod picture;
mod row;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use avt::Line;

use self::row::{Drawn, draw_plain, draw_row};
use super::{ExportError, Warning, markup};
use crate::recording::reader::{Code, Item, Reader};
use crate::screen::{Ending, Options, RenderError, Screen, parse_size};

/// The most frames; a longer recording has fewer a second.
const MAX_FRAMES: usize = 2000;

/// Frames are at least this far apart, in microseconds.
const MIN_INTERVAL: u64 = 40_000;

/// The most bytes of rows; what needs more has fewer frames a second too.
const MAX_BYTES: usize = 64 << 20;

/// The most elements that a browser has to lay out.
const MAX_ELEMENTS: usize = 12_000;

/// The most cells that are looked at, for each interval that was tried: a fixed part, and more for each byte of output.
/// What needs more has fewer frames a second too. A cell that is drawn takes as long as several that are compared.
const FREE_CELLS: usize = 1 << 25;
const CELLS_PER_BYTE: usize = 64;
const COST_OF_DRAWING: usize = 16;

/// How long the last frame stays.
const LAST: u64 = 3_000_000;

/// Whether a picture is light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the viewer prefers.
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

struct Frame {
    time: u64,
    rows: Vec<usize>,
    cursor: Option<(usize, usize)>,
}

/// The rows that there are, each once.
#[derive(Default)]
struct Rows {
    numbers: HashMap<Arc<str>, usize>,
    drawn: Vec<Drawn>,
    /// Bytes of them all.
    bytes: usize,
}

pub(super) fn write(
    mut reader: Reader<impl BufRead>,
    name: &str,
    idle_limit: Duration,
    theme: Theme,
    out: &mut impl Write,
    warnings: &mut Vec<Warning>,
) -> Result<Ending, ExportError> {
    let header = reader.header().clone();
    let too_large = |line| move |size| RenderError::TooLarge { line, size };
    let mut left_out = None;
    let mut screen = Screen::of(&header, Options::default()).map_err(too_large(1))?;
    let limit = u64::try_from(idle_limit.as_micros()).unwrap_or(u64::MAX);
    let mut ending = if header.recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    let mut film = Film::new(theme);
    let (mut last, mut time) = (0, 0_u64);
    // When the frame began that is not taken yet.
    let mut begun: Option<u64> = None;
    let (mut cols, mut lines) = screen.terminal().size();
    for item in &mut reader {
        match item? {
            // What is empty draws nothing.
            Item::Event(event) if event.data.is_empty() => {}
            Item::Event(event) if matches!(event.code, Code::Output | Code::ErrorOutput | Code::Resize) => {
                time += event.time.saturating_sub(last).min(limit);
                last = event.time;
                // What is shown for less than a frame is not shown.
                if let Some(begun) = begun.take_if(|begun| time >= begun.saturating_add(film.interval)) {
                    film.take(&screen, begun);
                }
                begun.get_or_insert(time);
                film.output += event.data.len();
                if let Some((cols, rows)) = parse_size(&event.data).filter(|_| event.code == Code::Resize) {
                    screen.resize(event.time, cols, rows).map_err(too_large(event.line))?;
                } else if event.code != Code::Resize {
                    screen.output(event.time, &event.data);
                }
                drop(screen.take());
                if left_out.is_none() && screen.left_out() {
                    left_out = Some(event.line);
                }
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
    let notes = film.notes();
    out.write_all(picture::draw(&title, (cols, lines), &film, time + LAST, &notes).as_bytes())?;
    warnings.extend(notes.into_iter().map(|text| Warning { line: None, text }));
    warnings.extend(left_out.map(Warning::left_out));
    Ok(ending)
}

/// The frames so far.
struct Film {
    theme: Theme,
    frames: Vec<Frame>,
    rows: Rows,
    /// They are at least this far apart, in microseconds.
    interval: u64,
    /// How many elements they need.
    elements: usize,
    /// Whether rows were drawn without their colours.
    plain: bool,
    /// The rows of the last frame.
    shown: Vec<Line>,
    /// Cells that were looked at, those that may be beside what the output pays for, and bytes of output.
    looked_at: usize,
    free: usize,
    output: usize,
}

impl Film {
    fn new(theme: Theme) -> Self {
        Self {
            theme,
            frames: Vec::new(),
            rows: Rows::default(),
            interval: MIN_INTERVAL,
            elements: 0,
            plain: false,
            shown: Vec::new(),
            looked_at: 0,
            free: FREE_CELLS,
            output: 0,
        }
    }

    /// Adds what the screen shows.
    fn take(&mut self, screen: &Screen, time: u64) {
        let terminal = screen.terminal();
        // So that two frames are always within the bound.
        let most = (MAX_ELEMENTS / 2 / terminal.size().1).saturating_sub(1).max(1);
        let (cols, lines) = terminal.size();
        self.looked_at += cols * lines;
        let before = self.frames.last().map_or(&[][..], |frame| &frame.rows);
        let mut numbers = Vec::with_capacity(lines);
        for (index, line) in terminal.screen().visible_lines().enumerate() {
            if let (Some(shown), Some(&number)) = (self.shown.get(index), before.get(index))
                && shown == line
            {
                numbers.push(number);
                continue;
            }
            self.looked_at += COST_OF_DRAWING * cols;
            let mut drawn = draw_row(line, self.theme);
            if drawn.elements > most {
                drawn = draw_plain(line);
                self.plain = true;
            }
            numbers.push(self.rows.number(drawn));
            match self.shown.get_mut(index) {
                Some(shown) => shown.clone_from(line),
                None => self.shown.push(line.clone()),
            }
        }
        self.shown.truncate(lines);
        let frame = Frame { time, rows: numbers, cursor: terminal.cursor().position() };
        let is_new =
            self.frames.last().is_none_or(|last| (&last.rows, last.cursor) != (&frame.rows, frame.cursor));
        if is_new {
            self.elements += self.rows.cost(self.frames.last(), &frame);
            self.frames.push(frame);
        }
        if self.looked_at > self.free + CELLS_PER_BYTE * self.output {
            // So that a picture whose end nobody knows has frames up to it.
            self.free = self.looked_at + FREE_CELLS;
            self.space_out();
        }
        while self.frames.len() > MAX_FRAMES
            || ((self.rows.bytes > MAX_BYTES || self.elements > MAX_ELEMENTS) && self.frames.len() > 2)
        {
            self.space_out();
        }
    }

    /// Keeps half as many frames a second.
    fn space_out(&mut self) {
        self.interval = self.interval.saturating_mul(2);
        self.thin();
        self.forget_unused();
        let before = std::iter::once(None).chain(self.frames.iter().map(Some));
        self.elements = before.zip(&self.frames).map(|(before, frame)| self.rows.cost(before, frame)).sum();
    }

    /// What the picture lacks, in sentences.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.interval > MIN_INTERVAL {
            let seconds = crate::recording::seconds(self.interval);
            notes.push(format!("the picture shows a frame every {seconds} s at most, to stay small"));
        }
        if self.plain {
            notes.push("the picture lacks the colours of rows with very many, to stay small".to_owned());
        }
        notes
    }

    /// Keeps the last frame of each interval.
    fn thin(&mut self) {
        let mut kept: Vec<Frame> = Vec::with_capacity(self.frames.len());
        for frame in self.frames.drain(..) {
            match kept.last_mut() {
                Some(before) if frame.time < before.time.saturating_add(self.interval) => {
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
            *number = kept.number(drawn[*number].clone());
        }
        self.rows = kept;
    }
}

impl Rows {
    fn number(&mut self, drawn: Drawn) -> usize {
        let next = self.drawn.len();
        *self.numbers.entry(Arc::clone(&drawn.text)).or_insert_with(|| {
            self.bytes += drawn.text.len();
            self.drawn.push(drawn);
            next
        })
    }

    /// How many elements a frame adds to the one before it.
    fn cost(&self, before: Option<&Frame>, frame: &Frame) -> usize {
        let changed = |&(row, number): &(usize, &usize)| {
            before.and_then(|before| before.rows.get(row)).is_none_or(|before| before != number)
        };
        let changed = frame.rows.iter().enumerate().filter(changed);
        changed
            .map(|(_, &number)| self.drawn[number].elements)
            .filter(|&elements| elements > 0)
            .map(|n| n + 1)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::row::GROUNDS;
    use super::*;

    fn picture(cast: &str, theme: Theme) -> (String, Vec<String>) {
        let (mut out, mut warnings) = (Vec::new(), Vec::new());
        let reader = Reader::new(cast.as_bytes()).expect("a header");
        write(reader, "a<b", Duration::from_secs(2), theme, &mut out, &mut warnings).expect("written");
        let warnings = warnings.into_iter().map(|warning| warning.text).collect();
        (String::from_utf8(out).expect("UTF-8"), warnings)
    }

    /// The elements that a browser makes of it: those of a row as often as it is used.
    fn elements(picture: &str) -> usize {
        let (head, body) = picture.split_once("</defs>").expect("definitions");
        let count = |text: &str| text.matches("<text").count() + text.matches("<path").count();
        let rows: HashMap<&str, usize> = head
            .lines()
            .filter_map(|line| line.strip_prefix("<g id=\"")?.split_once('"'))
            .map(|(id, row)| (id, count(row)))
            .collect();
        body.split("href=\"#").skip(1).map(|text| 1 + rows[text.split('"').next().expect("an id")]).sum()
    }

    /// A session that changes much of a screen of this size at each of its steps.
    fn busy(cols: usize, rows: usize, steps: usize, colours: usize) -> String {
        let mut cast = format!("{{\"version\":3,\"term\":{{\"cols\":{cols},\"rows\":{rows}}}}}\n");
        for step in 0..steps {
            let mut data = "\\u001b[H".to_owned();
            for cell in 0..cols * (rows - 1) {
                let colour = 16 + (cell * 7 + step) % colours;
                let _ = write!(data, "\\u001b[48;5;{colour}m{}", (step + cell) % 10);
            }
            let _ = writeln!(cast, "[0.1,\"o\",\"{data}\"]");
        }
        cast
    }

    #[test]
    fn elements_are_bounded_and_what_that_costs_is_noted() {
        let (small, warnings) = picture(&busy(20, 4, 3, 5), Theme::Auto);
        assert_eq!((elements(&small), warnings.len()), (3 * 3 * (1 + 2 * 5), 0));
        let (film, warnings) = picture(&busy(40, 12, 150, 12), Theme::Auto);
        assert!((MAX_ELEMENTS / 4..=MAX_ELEMENTS).contains(&elements(&film)), "{}", elements(&film));
        assert_eq!(warnings, ["the picture shows a frame every 0.32 s at most, to stay small"]);
        assert!(film.contains("Note: the picture shows a frame every 0.32 s"), "{warnings:?}");
        let (film, warnings) = picture(&busy(300, 60, 3, 200), Theme::Auto);
        assert!(elements(&film) <= MAX_ELEMENTS, "{}", elements(&film));
        assert!(warnings.iter().any(|note| note.contains("lacks the colours")), "{warnings:?}");
    }

    #[test]
    fn work_is_bounded_whatever_the_size_of_the_screen() {
        let step = "[0.1,\"o\",\"x\"]\n";
        let small = format!("{{\"version\":3,\"term\":{{\"cols\":100,\"rows\":100}}}}\n{}", step.repeat(100));
        assert_eq!(picture(&small, Theme::Auto).1, Vec::<String>::new());
        let large = small.replacen("\"cols\":100,\"rows\":100", "\"cols\":1000,\"rows\":1000", 1);
        let (_, warnings) = picture(&large, Theme::Auto);
        assert!(
            warnings.iter().any(|note| note.starts_with("the picture shows a frame every")),
            "{warnings:?}"
        );
    }

    #[test]
    fn a_row_that_stays_the_same_is_there_once_and_wide_characters_keep_their_columns() {
        let cast = "{\"version\":3,\"term\":{\"cols\":20,\"rows\":3}}\n\
                    [0.1,\"o\",\"a\u{6f22}b\u{6f22} \\u001b[31mred\\u001b[0m c\\r\\n\"]\n\
                    [1.0,\"o\",\"1\"]\n[1.0,\"o\",\"2\"]\n";
        let (film, warnings) = picture(cast, Theme::Auto);
        assert!(warnings.is_empty());
        assert!(
            film.contains("<text y=\"13.5\" x=\"0.0\" textLength=\"100.8\">a  b       c</text>"),
            "{film}"
        );
        assert!(film.contains("<text y=\"13.5\" x=\"8.4 33.6\">\u{6f22}\u{6f22}</text>"), "{film}");
        assert!(film.contains("x=\"58.8\" textLength=\"25.2\" class=\"c1\" fill=\"#b3261e\">red<"), "{film}");
        // The first row never changes; the second shows nothing, 1 and 12.
        assert_eq!((film.matches("<use ").count(), film.matches("@keyframes r").count()), (3, 1), "{film}");
    }

    #[test]
    fn a_picture_is_light_or_dark_or_as_the_viewer_prefers() {
        let cast = "{\"version\":3,\"term\":{\"cols\":20,\"rows\":3}}\n\
                    [0.1,\"o\",\"\\u001b[38;5;231mwhite\\u001b[0;7minverse\\u001b[0;31mred\"]\n";
        let (auto, _) = picture(cast, Theme::Auto);
        assert!(
            auto.contains("@media (prefers-color-scheme:dark)") && auto.contains("light-dark("),
            "{auto}"
        );
        for (theme, ground) in [(Theme::Light, GROUNDS[0]), (Theme::Dark, GROUNDS[1])] {
            let (fixed, _) = picture(cast, theme);
            assert!(fixed.contains(&format!("rx=\"6\" fill=\"{ground}\"")), "{fixed}");
            assert!(
                !fixed.contains("prefers-color") && !fixed.contains("var(") && !fixed.contains("light-dark(")
            );
        }
    }
}
