//! The frames that the player shows: what the screen was at each moment, rendered when the page is made.
//!
//! Frames are kept in reels, each compressed on its own, so that a browser unpacks only what it shows. Every frame
//! lists all of its rows; a row is in its reel once. Bounded in memory and work by the constants here. Pure.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::io::Write as _;

use avt::Line;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::export::html::style::{is_block, look};
use crate::screen::{Screen, Style};

/// What happens within this many microseconds after a frame begins is shown with it.
pub(super) const INTERVAL: u64 = 1_000_000 / 60;

/// The most bytes of all reels in the page.
const MAX_PACKED: usize = 16 << 20;

/// The most bytes of all reels before they are compressed: a fixed part, and more for each byte of output.
const FREE_BYTES: usize = 16 << 20;
const BYTES_PER_BYTE: usize = 16;

/// The most cells that are compared with those of the frame before: a fixed part, and more for each byte of output.
const FREE_CELLS: usize = 1 << 28;
const CELLS_PER_BYTE: usize = 128;

/// The number of styles that are looked up fast.
const MAX_RECENT: usize = 64;

/// A reel ends after this many bytes.
const REEL: usize = 256 << 10;

/// Frames as the player reads them, and where they end if not with the recording.
#[derive(Debug, Default)]
pub(in crate::export::html) struct Film {
    reels: Vec<Reel>,
    open: Reel,
    /// The rows of the open reel, by their text.
    numbers: HashMap<String, usize>,
    /// The rows of the last frame, with their numbers in the open reel.
    shown: Vec<(Line, usize)>,
    /// The last frame without its time.
    last: String,
    /// When the frame began that is not taken yet, in microseconds.
    begun: Option<u64>,
    /// The time of the last event.
    time: u64,
    looks: Looks,
    /// Bytes of all reels, compressed and not; cells that were compared; and bytes of output so far.
    packed: usize,
    bytes: usize,
    cells: usize,
    output: usize,
    /// The largest screen, in columns and rows.
    size: (usize, usize),
    /// When the frames end because one of the bounds is met.
    cut: Option<u64>,
}

/// Frames that are compressed together.
#[derive(Debug, Default)]
struct Reel {
    from: u64,
    /// Its rows and its frames, as JSON without the brackets around them.
    rows: String,
    frames: String,
    packed: String,
}

/// The looks of characters: classes and inline style.
#[derive(Debug, Default)]
struct Looks {
    numbers: HashMap<(String, String), usize>,
    list: Vec<(String, String)>,
    /// Styles that were looked up lately, whether for block elements, and their numbers.
    recent: VecDeque<(Style, bool, usize)>,
}

impl Film {
    /// An event of this many bytes that may change the screen comes at `time`, in microseconds; `screen` is as it was
    /// before it.
    pub(in crate::export::html) fn before(&mut self, time: u64, bytes: usize, screen: &Screen) {
        self.time = self.time.max(time);
        // The first frame is that of an empty screen.
        let begun = *self.begun.get_or_insert(0);
        if self.time >= begun + INTERVAL {
            self.take(begun, screen);
            self.begun = Some(self.time);
        }
        self.output += bytes;
    }

    /// There are no more events; `screen` is as it is in the end.
    pub(in crate::export::html) fn finish(&mut self, screen: &Screen) {
        let begun = self.begun.unwrap_or(0);
        self.take(begun, screen);
        self.close();
        self.shown = Vec::new();
    }

    /// When the frames end because of a bound, in microseconds.
    pub(super) fn cut(&self) -> Option<u64> {
        self.cut
    }

    /// The compressed reels, and when each begins, in microseconds.
    pub(super) fn reels(&self) -> impl Iterator<Item = (u64, &str)> {
        self.reels.iter().map(|reel| (reel.from, reel.packed.as_str()))
    }

    /// Classes and inline styles, by number.
    pub(super) fn looks(&self) -> &[(String, String)] {
        &self.looks.list
    }

    /// The largest screen, in columns and rows.
    pub(super) fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Adds what the screen shows.
    fn take(&mut self, time: u64, screen: &Screen) {
        if self.cut.is_some() {
            return;
        }
        let terminal = screen.terminal();
        let (cols, rows) = terminal.size();
        self.cells += cols * rows;
        if self.cells > FREE_CELLS + CELLS_PER_BYTE * self.output
            || self.bytes > FREE_BYTES + BYTES_PER_BYTE * self.output
            || self.packed > MAX_PACKED
        {
            self.cut = Some(time);
            return;
        }
        if self.open.rows.len() + self.open.frames.len() > REEL {
            self.close();
        }
        if self.open.frames.is_empty() {
            self.open.from = time;
            self.open.rows.push_str("[]");
            self.numbers.insert("[]".to_owned(), 0);
        }
        self.size = (self.size.0.max(cols), self.size.1.max(rows));
        let cursor = terminal.cursor().position();
        // Where the next character would wrap, the cursor is shown in the last column.
        let cursor =
            cursor.map_or_else(|| "-1".to_owned(), |(col, row)| (row * cols + col.min(cols - 1)).to_string());
        let mut frame = format!("{cols},{cursor}");
        self.shown.truncate(rows);
        for (index, line) in terminal.screen().visible_lines().enumerate() {
            let number = match self.shown.get(index) {
                Some((known, number)) if known == line => *number,
                _ => {
                    let number = self.number(line);
                    match self.shown.get_mut(index) {
                        Some(shown) => *shown = (line.clone(), number),
                        None => self.shown.push((line.clone(), number)),
                    }
                    number
                }
            };
            let _ = write!(frame, ",{number}");
        }
        if frame != self.last || self.open.frames.is_empty() {
            let comma = if self.open.frames.is_empty() { "" } else { "," };
            let _ = write!(self.open.frames, "{comma}[{time},{frame}]");
            self.bytes += frame.len() + 16;
            self.last = frame;
        }
    }

    /// The number of a row in the open reel.
    fn number(&mut self, line: &Line) -> usize {
        let row = self.looks.row(line);
        let next = self.numbers.len();
        *self.numbers.entry(row).or_insert_with_key(|row| {
            self.bytes += row.len();
            self.open.rows.push(',');
            self.open.rows.push_str(row);
            next
        })
    }

    /// Compresses the open reel and begins another.
    fn close(&mut self) {
        let mut reel = std::mem::take(&mut self.open);
        self.numbers.clear();
        // Numbers hold within a reel.
        self.shown.clear();
        if reel.frames.is_empty() {
            return;
        }
        reel.packed = pack(&format!("{{\"rows\":[{}],\"frames\":[{}]}}", reel.rows, reel.frames));
        (reel.rows, reel.frames) = (String::new(), String::new());
        self.packed += reel.packed.len();
        self.reels.push(reel);
    }
}

impl Looks {
    /// A row as a JSON array of numbers and texts in turn: the number is twice that of the look, and one more where
    /// each character of the text is two cells wide. Blanks at the end that nobody sees are left out.
    fn row(&mut self, line: &Line) -> String {
        let cells = line.cells();
        let is_seen = |cell: &avt::Cell| cell.char() != ' ' || !cell.pen().is_default();
        let used = cells.iter().rposition(is_seen).map_or(0, |last| last + 1);
        let mut row = "[".to_owned();
        let mut run = String::new();
        let mut kind = None;
        for cell in cells[..used].iter().filter(|cell| cell.width() > 0) {
            let number = 2 * self.number(cell.pen(), is_block(cell.char())) + usize::from(cell.width() == 2);
            if let Some(kind) = kind.filter(|&kind| kind != number) {
                push_run(&mut row, kind, &run);
                run.clear();
            }
            kind = Some(number);
            run.push(cell.char());
        }
        if let Some(kind) = kind {
            push_run(&mut row, kind, &run);
        }
        row + "]"
    }

    fn number(&mut self, style: &Style, picture: bool) -> usize {
        let known = |known: &&(Style, bool, usize)| known.0 == *style && known.1 == picture;
        if let Some((_, _, number)) = self.recent.iter().find(known) {
            return *number;
        }
        let next = self.list.len();
        let number = *self.numbers.entry(look(style, picture)).or_insert_with_key(|look| {
            self.list.push(look.clone());
            next
        });
        self.recent.truncate(MAX_RECENT - 1);
        self.recent.push_front((*style, picture, number));
        number
    }
}

fn push_run(row: &mut String, kind: usize, text: &str) {
    if row.len() > 1 {
        row.push(',');
    }
    let _ = write!(row, "{kind},{}", serde_json::Value::from(text));
}

/// A text as the page holds it: zlib in base64, which no text of a recording can break out of.
pub(super) fn pack(text: &str) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let bytes = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default();
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::screen::Options;

    fn film(cols: usize, rows: usize, events: &[(u64, &str)]) -> Film {
        let mut screen = Screen::new(cols, rows, Options::default()).expect("a size");
        let mut film = Film::default();
        for (time, text) in events {
            film.before(*time, text.len(), &screen);
            screen.output(*time, text);
            drop(screen.take());
        }
        film.finish(&screen);
        film
    }

    fn reels(film: &Film) -> Vec<Value> {
        let unpack = |packed: &str| {
            let bytes = BASE64_STANDARD.decode(packed).expect("base64");
            let mut text = String::new();
            flate2::read::ZlibDecoder::new(&bytes[..]).read_to_string(&mut text).expect("zlib");
            serde_json::from_str(&text).expect("JSON")
        };
        film.reels().map(|(_, packed)| unpack(packed)).collect()
    }

    /// The texts of the rows of a frame.
    fn texts(reel: &Value, frame: &Value) -> Vec<String> {
        let text = |number: &Value| {
            let number = number.as_u64().and_then(|number| usize::try_from(number).ok()).expect("a number");
            let row = reel["rows"][number].as_array().expect("a row");
            row.iter().filter_map(Value::as_str).collect()
        };
        frame.as_array().expect("a frame")[3..].iter().map(text).collect()
    }

    #[test]
    fn a_frame_is_what_was_shown_from_its_time_on() {
        let film = film(
            6,
            2,
            &[
                (0, "a"),
                (10_000, "b"),
                (1_000_000, "\x1b[31mc\u{6f22}x\x1b[?25l"),
                (1_000_001, ""),
                (2_000_000, ""),
            ],
        );
        let reels = reels(&film);
        let frames = reels[0]["frames"].as_array().expect("frames");
        let rows = &reels[0]["rows"];
        assert_eq!(frames.len(), 2, "{frames:?}");
        assert_eq!(frames[0].to_string(), "[0,6,2,1,0]");
        assert_eq!(frames[1].to_string(), "[1000000,6,-1,2,0]");
        assert_eq!(rows.to_string(), r#"[[],[0,"ab"],[0,"ab",2,"c",3,"漢",2,"x"]]"#);
        assert_eq!(film.looks()[1].0, "f1");
        assert_eq!((film.cut(), film.size()), (None, (6, 2)));
    }

    #[test]
    fn reels_begin_anew_and_end_at_a_bound() {
        let events: Vec<(u64, String)> =
            (0..6000_u64).map(|n| (n * INTERVAL * 2, format!("\x1b[H{n:0100}{:0200}", n * 7))).collect();
        let events: Vec<(u64, &str)> = events.iter().map(|(time, text)| (*time, text.as_str())).collect();
        let film = film(100, 30, &events);
        let reels = reels(&film);
        assert!(reels.len() > 2);
        for (reel, (from, _)) in reels.iter().zip(film.reels()) {
            let frames = reel["frames"].as_array().expect("frames");
            assert_eq!(frames[0][0], from);
            for frame in frames {
                let n = frame[0].as_u64().expect("a time") / INTERVAL / 2;
                assert_eq!(texts(reel, frame)[0], format!("{n:0100}"));
            }
        }
        let mut film = Film { cells: FREE_CELLS - 3000, ..Film::default() };
        let screen = Screen::new(100, 30, Options::default()).expect("a size");
        film.before(INTERVAL, 0, &screen);
        film.before(INTERVAL * 2, 0, &screen);
        film.before(INTERVAL * 3, 0, &screen);
        film.finish(&screen);
        assert_eq!((film.cut(), film.reels().count()), (Some(INTERVAL), 1));
    }

    proptest! {
        /// At each moment the film shows every event up to it, and none that comes an interval later.
        #[test]
        fn no_event_is_late_and_none_is_early(steps in prop::collection::vec((0_u64..40_000, "[a-c\\n\u{6f22}]{1,3}"), 1..40)) {
            let mut events = Vec::new();
            let mut time = 0;
            for (step, text) in steps {
                time += step;
                events.push((time, text));
            }
            let borrowed: Vec<(u64, &str)> = events.iter().map(|(time, text)| (*time, text.as_str())).collect();
            let reels = reels(&film(8, 4, &borrowed));
            let frames = reels[0]["frames"].as_array().expect("frames");
            for (moment, _) in &borrowed {
                let at = frames.iter().rposition(|frame| frame[0].as_u64() <= Some(*moment)).expect("a frame");
                let shown = texts(&reels[0], &frames[at]);
                let possible = |count: usize| {
                    let mut screen = Screen::new(8, 4, Options::default()).expect("a size");
                    borrowed[..count].iter().for_each(|(time, text)| screen.output(*time, text));
                    let rows: Vec<String> = screen.terminal().screen().visible_lines()
                        .map(|line| line.cells().iter().filter(|cell| cell.width() > 0).map(avt::Cell::char).collect::<String>().trim_end().to_owned())
                        .collect();
                    rows
                };
                let due = borrowed.iter().filter(|(time, _)| time <= moment).count();
                let early = borrowed.iter().filter(|(time, _)| *time < moment + INTERVAL).count();
                let trimmed: Vec<String> = shown.iter().map(|row| row.trim_end().to_owned()).collect();
                prop_assert!((due..=early).any(|count| possible(count) == trimmed), "{moment}: {trimmed:?}");
            }
        }
    }
}
