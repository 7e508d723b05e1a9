//! Whether a recording may hold a match: told without a terminal emulator, where it can be. Pure.
//!
//! A session at a prompt prints lines, and edits the one that the cursor is in. Such lines are
//! followed here exactly. At the first sequence that does more (moves the cursor to another row,
//! scrolls, opens the alternate screen), at a line that is edited after it was wrapped, and at
//! whatever is doubtful, the answer is "it may". It must never be "no" where the rendered text
//! matches; a property test compares the two.

use std::io::BufRead;

use regex::Regex;

use crate::recording::reader::{Code, Item, Reader};

/// A sequence that is longer than this is doubtful.
const MAX_CARRY: usize = 4096;

/// A line that is longer than this is doubtful: it is kept as characters.
const MAX_LINE: usize = 64 << 10;

/// Whether anything that was seen may match.
#[must_use]
pub fn may_match(reader: Reader<impl BufRead>, pattern: &Regex) -> bool {
    let width = usize::from(reader.header().cols);
    // A session without a terminal is not one at a prompt.
    if crate::screen::is_cooked(reader.header()) {
        return true;
    }
    if !(2..=crate::screen::MAX_SIZE).contains(&width) || reader.header().rows == 0 {
        return true;
    }
    let mut plain =
        Plain { pattern, width, row: Vec::new(), column: 0, text: String::new(), carry: String::new() };
    for item in reader {
        match item {
            Ok(Item::Event(event)) if event.code == Code::Output => {
                if !plain.feed(&event.data) || plain.row_matches() {
                    return true;
                }
            }
            Ok(Item::Event(event)) if matches!(event.code, Code::Resize | Code::ErrorOutput) => return true,
            // What is wrong with it is told by whoever reads it in earnest.
            Err(_) => return true,
            Ok(_) => {}
        }
    }
    false
}

struct Plain<'a> {
    pattern: &'a Regex,
    width: usize,
    /// The row of the cursor, and where that is.
    row: Vec<char>,
    column: usize,
    /// Room for the row as text.
    text: String,
    /// A sequence whose end has not come yet.
    carry: String,
}

/// What a sequence does.
enum Sequence {
    /// Nothing to the text; so many bytes are behind us.
    Nothing(usize),
    /// Something to the row.
    Edit(usize, Edit),
    /// The screen is left behind, and the cursor goes to its first cell.
    Clear(usize),
    /// Its end is still to come.
    Unfinished,
    Doubtful,
}

enum Edit {
    Left(usize),
    Right(usize),
    EraseToEnd,
    Delete(usize),
    Insert(usize),
}

impl Plain<'_> {
    /// Follows an event's output; false where it is doubtful.
    fn feed(&mut self, output: &str) -> bool {
        if self.carry.is_empty() {
            return self.follow(output);
        }
        let mut joined = std::mem::take(&mut self.carry);
        joined.push_str(output);
        joined.len() <= MAX_CARRY + output.len() && self.follow(&joined)
    }

    fn follow(&mut self, mut rest: &str) -> bool {
        while let Some(&first) = rest.as_bytes().first() {
            let used = match first {
                b'\n' => {
                    if self.row_matches() {
                        return false;
                    }
                    // The cursor keeps its column.
                    let column = if self.column > self.width { return false } else { self.column };
                    self.row.clear();
                    self.column = column.min(self.width - 1);
                    1
                }
                b'\r' => {
                    if self.row.len() > self.width {
                        // Only the last of its rows would be edited, if any is.
                        if !matches!(rest.as_bytes().get(1), Some(b'\n')) {
                            return false;
                        }
                        self.column = 0;
                    }
                    self.column = 0;
                    1
                }
                8 => {
                    if !self.edit(&Edit::Left(1)) {
                        return false;
                    }
                    1
                }
                b'\t' => {
                    if self.column >= self.width {
                        return false;
                    }
                    self.column = (self.column / 8 * 8 + 8).min(self.width - 1);
                    1
                }
                // The line feeds of old, shift out, and what ends sequences.
                0x0b | 0x0c | 0x0e | 0x18 | 0x1a => return false,
                0x1b => match sequence(rest) {
                    Sequence::Nothing(used) => used,
                    Sequence::Edit(used, edit) => {
                        if !self.edit(&edit) {
                            return false;
                        }
                        used
                    }
                    Sequence::Clear(used) => {
                        if self.row_matches() {
                            return false;
                        }
                        self.row.clear();
                        self.column = 0;
                        used
                    }
                    Sequence::Unfinished => {
                        self.carry.push_str(rest);
                        return self.carry.len() <= MAX_CARRY;
                    }
                    Sequence::Doubtful => return false,
                },
                0..0x20 | 0x7f => 1,
                0x20..0x7f => {
                    let run = rest.bytes().take_while(|byte| (0x20..0x7f).contains(byte)).count();
                    if !self.print(rest[..run].chars()) {
                        return false;
                    }
                    run
                }
                0x80.. => {
                    let Some(c) = rest.chars().next() else { return true };
                    // Controls, and what is wide or combines where a line may be wrapped.
                    if c < '\u{a0}' || self.column + 2 > self.width {
                        return false;
                    }
                    let cells = if unicode_width::UnicodeWidthChar::width(c) == Some(2) { 2 } else { 1 };
                    if cells == 2 && (self.column < self.row.len() || self.column + 4 > self.width) {
                        return false;
                    }
                    if !self.print(std::iter::once(c)) {
                        return false;
                    }
                    if cells == 2 {
                        // Its second cell holds no character.
                        self.row.push('\0');
                        self.column += 1;
                    }
                    c.len_utf8()
                }
            };
            rest = &rest[used..];
        }
        true
    }

    fn print(&mut self, text: impl Iterator<Item = char>) -> bool {
        for c in text {
            if self.column < self.row.len() {
                // Over half of a wide character, or in a row that was wrapped.
                if self.row.contains(&'\0') || self.row.len() > self.width {
                    return false;
                }
                self.row[self.column] = c;
            } else {
                if self.column > self.row.len() {
                    self.row.resize(self.column, ' ');
                }
                self.row.push(c);
            }
            self.column += 1;
        }
        // A wide character in a row that is wrapped, or too much to keep.
        self.row.len() <= MAX_LINE && (self.row.len() <= self.width || !self.row.contains(&'\0'))
    }

    /// False where the row is wrapped, or about to be: then other rows are in play.
    fn edit(&mut self, edit: &Edit) -> bool {
        if self.column >= self.width || self.row.len() >= self.width || self.row.contains(&'\0') {
            return false;
        }
        let at = self.column.min(self.row.len());
        match *edit {
            Edit::Left(n) => self.column = self.column.saturating_sub(n),
            Edit::Right(n) => self.column = (self.column + n).min(self.width - 1),
            Edit::EraseToEnd => self.row.truncate(at),
            Edit::Delete(n) => drop(self.row.drain(at..(at + n).min(self.row.len()))),
            Edit::Insert(n) if at < self.row.len() => {
                let n = n.min(self.width - at);
                self.row.splice(at..at, std::iter::repeat_n(' ', n));
                self.row.truncate(self.width);
            }
            Edit::Insert(_) => {}
        }
        true
    }

    fn row_matches(&mut self) -> bool {
        self.text.clear();
        self.text.extend(self.row.iter().filter(|&&c| c != '\0'));
        self.pattern.is_match(self.text.trim_end())
    }
}

/// The sequence that the text begins with.
fn sequence(text: &str) -> Sequence {
    const CLEARS: [&str; 3] = ["\x1b[H\x1b[2J\x1b[3J", "\x1b[3J\x1b[H\x1b[2J", "\x1b[H\x1b[2J"];
    if let Some(clear) = CLEARS.iter().find(|clear| text.starts_with(*clear)) {
        return Sequence::Clear(clear.len());
    }
    if CLEARS.iter().any(|clear| clear.starts_with(text)) {
        return Sequence::Unfinished;
    }
    let bytes = text.as_bytes();
    match bytes.get(1) {
        None => Sequence::Unfinished,
        Some(b'[') => control(bytes),
        // Titles, links and the like; anything but text inside is doubtful.
        Some(b']') => {
            let inside = bytes[2..].iter().position(|&byte| byte < 0x20 || byte == 0x7f);
            let end = inside.map(|at| at + 2);
            match end {
                _ if !bytes[..end.unwrap_or(bytes.len())].is_ascii() => Sequence::Doubtful,
                None => Sequence::Unfinished,
                Some(at) if bytes[at] == 7 => Sequence::Nothing(at + 1),
                Some(at) if bytes[at] == 0x1b => match bytes.get(at + 1) {
                    None => Sequence::Unfinished,
                    Some(b'\\') => Sequence::Nothing(at + 2),
                    Some(_) => Sequence::Doubtful,
                },
                Some(_) => Sequence::Doubtful,
            }
        }
        Some(b'(') => match bytes.get(2) {
            None => Sequence::Unfinished,
            Some(b'B') => Sequence::Nothing(3),
            Some(_) => Sequence::Doubtful,
        },
        Some(b'=' | b'>') => Sequence::Nothing(2),
        Some(_) => Sequence::Doubtful,
    }
}

/// A control sequence.
fn control(bytes: &[u8]) -> Sequence {
    let parameters = bytes[2..].iter().take_while(|byte| (0x30..0x40).contains(*byte)).count();
    let (inside, after) = bytes[2..].split_at(parameters);
    let Some(&last) = after.first() else { return Sequence::Unfinished };
    let used = 3 + parameters;
    if inside.len() > 64 {
        return Sequence::Doubtful;
    }
    match (inside, last) {
        (_, b'm') if inside.first() != Some(&b'?') => Sequence::Nothing(used),
        // Cursor keys, the cursor's look, bracketed paste, focus: of no account to the text.
        (b"?1" | b"?12" | b"?25" | b"?1004" | b"?2004" | b"?12;25", b'h' | b'l') => Sequence::Nothing(used),
        (b"" | b"0", b'K') => Sequence::Edit(used, Edit::EraseToEnd),
        (_, b'C' | b'D' | b'P' | b'@') => {
            let number = match inside {
                b"" | b"0" => Some(1),
                digits => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u16>().ok()),
            };
            let Some(n) = number.map(usize::from) else { return Sequence::Doubtful };
            let edit = match last {
                b'C' => Edit::Right(n),
                b'D' => Edit::Left(n),
                b'P' => Edit::Delete(n),
                _ => Edit::Insert(n),
            };
            Sequence::Edit(used, edit)
        }
        _ => Sequence::Doubtful,
    }
}
