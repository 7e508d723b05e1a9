//! What was typed, as lines: up to each Enter, with what was erased left out. Pure.

use vte::{Params, Parser, Perform};

/// A line is cut into pieces of so many bytes.
const MAX_LINE: usize = 1 << 20;

/// Makes lines of keys.
#[derive(Default)]
pub(super) struct Typed {
    parser: Parser<1024>,
    line: Line,
}

#[derive(Default)]
struct Line {
    text: String,
    time: u64,
    ready: Vec<(u64, String)>,
}

impl Typed {
    pub(super) fn feed(&mut self, time: u64, keys: &str) {
        self.line.time = time;
        self.parser.advance(&mut self.line, keys.as_bytes());
    }

    pub(super) fn finish(&mut self) {
        if !self.line.text.is_empty() {
            self.line.complete();
        }
    }

    pub(super) fn take(&mut self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.line.ready)
    }
}

impl Line {
    fn complete(&mut self) {
        self.ready.push((self.time, std::mem::take(&mut self.text)));
    }
}

impl Perform for Line {
    fn print(&mut self, c: char) {
        if c == '\x7f' {
            self.text.pop();
            return;
        }
        self.text.push(c);
        if self.text.len() > MAX_LINE {
            self.complete();
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' | b'\n' => self.complete(),
            8 => drop(self.text.pop()),
            b'\t' => self.text.push('\t'),
            // Ctrl-C and Ctrl-U: the line was seen by whoever typed it, and it was typed.
            3 | 21 if !self.text.is_empty() => self.complete(),
            // Ctrl-W takes a word.
            23 => {
                let kept = self.text.trim_end().rfind(' ').map_or(0, |space| space + 1);
                self.text.truncate(kept);
            }
            _ => {}
        }
    }

    // Cursor keys and the like change no text that is known here.
    fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, _: char) {}
}
