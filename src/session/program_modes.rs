//! Which terminal modes the session's programs have set, seen in what they print. Pure.
//!
//! Only what must be undone when a session is cut short is followed, and where a line of our own
//! may be put in. Output is searched for a few introducers, not parsed: this runs on every byte.

use memchr::memrchr;

use crate::recording::incomplete_tail;
use crate::sys::{WIDE, rare_escapes};

/// The longest sequence that may be cut between two reads and still be understood.
const LONGEST: usize = 64;

/// Private modes (DECSET numbers) that are undone, with the value they have at a prompt.
const MODES: [(u16, bool); 22] = [
    (1, false),    // cursor keys send application sequences
    (5, false),    // reverse video
    (6, false),    // origin
    (7, true),     // autowrap
    (9, false),    // mouse, X10
    (25, true),    // visible cursor
    (47, false),   // alternate screen
    (1000, false), // mouse, clicks
    (1001, false), // mouse, highlights
    (1002, false), // mouse, drags
    (1003, false), // mouse, all motion
    (1004, false), // focus events
    (1005, false), // mouse, UTF-8 coordinates
    (1006, false), // mouse, SGR coordinates
    (1015, false), // mouse, urxvt coordinates
    (1016, false), // mouse, pixels
    (1047, false), // alternate screen
    (1049, false), // alternate screen with saved cursor
    (2004, false), // bracketed paste
    (2026, false), // synchronized output
    (2031, false), // colour scheme reports
    (2048, false), // resize reports
];
const ALTERNATE: [u16; 3] = [47, 1047, 1049];

/// What the end of the output is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Ground,
    Escape,
    Csi,
    /// A string: up to ST, or BEL for OSC.
    String,
}

/// The modes that programs have set and not reset.
#[derive(Debug)]
pub struct ProgramModes {
    changed: Vec<u16>,
    keypad: bool,
    keyboard_levels: u32,
    escapes: bool,
    tail: Tail,
    broken_character: bool,
    at_line_start: bool,
    carry: Vec<u8>,
    /// What was carried, with what came after it.
    joined: Vec<u8>,
}

impl Default for ProgramModes {
    fn default() -> Self {
        Self {
            changed: Vec::new(),
            keypad: false,
            keyboard_levels: 0,
            escapes: false,
            tail: Tail::Ground,
            broken_character: false,
            at_line_start: true,
            carry: Vec::new(),
            joined: Vec::new(),
        }
    }
}

impl ProgramModes {
    /// Follows output as it is shown.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Some(&last) = bytes.last() else { return };
        if self.carry.is_empty() {
            self.scan(bytes);
        } else {
            let mut joined = std::mem::take(&mut self.joined);
            joined.clear();
            joined.append(&mut self.carry);
            joined.extend_from_slice(bytes);
            self.scan(&joined);
            self.joined = joined;
        }
        self.at_line_start = last == b'\n';
        self.broken_character = incomplete_tail(bytes) > 0;
    }

    /// Whether a program holds the alternate screen.
    #[must_use]
    pub fn alternate_screen(&self) -> bool {
        ALTERNATE.iter().any(|mode| self.changed.contains(mode))
    }

    /// Whether a line of our own can stand here without breaking a sequence or a character.
    #[must_use]
    pub fn between_sequences(&self) -> bool {
        self.tail == Tail::Ground && !self.broken_character
    }

    /// Whether the last thing shown was a line's end, or nothing was.
    #[must_use]
    pub fn at_line_start(&self) -> bool {
        self.at_line_start
    }

    /// Notes that a line of our own was shown.
    pub fn line_was_ended(&mut self) {
        self.at_line_start = true;
    }

    /// What puts the terminal back as a prompt expects it; empty when nothing has to be.
    #[must_use]
    pub fn reset_sequence(&self) -> String {
        use std::fmt::Write as _;
        let mut reset = String::new();
        match self.tail {
            // CAN ends whatever was begun.
            Tail::Escape | Tail::Csi => reset.push('\x18'),
            Tail::String => reset.push_str("\x1b\\"),
            Tail::Ground => {}
        }
        for mode in &self.changed {
            let on = MODES.iter().any(|&(known, at_prompt)| known == *mode && at_prompt);
            let _ = write!(reset, "\x1b[?{mode}{}", if on { 'h' } else { 'l' });
        }
        if self.keypad {
            reset.push_str("\x1b>");
        }
        if self.keyboard_levels > 0 {
            let _ = write!(reset, "\x1b[<{}u", self.keyboard_levels);
        }
        if self.escapes {
            // Margins, character set, insert mode and attributes; the cursor is saved around the
            // margins, which move it.
            reset.push_str("\x1b7\x1b[r\x1b8\x0f\x1b(B\x1b[4l\x1b[m");
        }
        reset
    }

    fn scan(&mut self, bytes: &[u8]) {
        let Some(last) = memrchr(0x1b, bytes) else {
            self.tail = tail_after(self.tail, bytes);
            return;
        };
        self.escapes = true;
        for start in (0..bytes.len()).step_by(WIDE) {
            let rest = &bytes[start..];
            let mut found = if let Some(block) = rest.first_chunk() {
                rare_escapes(block)
            } else {
                let mut block = [0; WIDE + 2];
                block[..rest.len()].copy_from_slice(rest);
                rare_escapes(&block)
            };
            while found != 0 {
                self.escape(&bytes[start + found.trailing_zeros() as usize + 1..]);
                found &= found - 1;
            }
        }
        self.tail = tail_after(Tail::Escape, &bytes[last + 1..]);
        if self.tail != Tail::Ground && bytes.len() - last <= LONGEST {
            self.carry.extend_from_slice(&bytes[last..]);
        }
    }

    /// `rest` follows an ESC.
    fn escape(&mut self, rest: &[u8]) {
        match rest {
            [b'[', b'?', rest @ ..] => self.private_mode(rest),
            [b'[', b'>', rest @ ..] => self.keyboard_protocol(rest, true),
            [b'[', b'<', rest @ ..] => self.keyboard_protocol(rest, false),
            [b'=', ..] => self.keypad = true,
            [b'>', ..] => self.keypad = false,
            [b'c', ..] => {
                self.changed.clear();
                (self.keypad, self.keyboard_levels) = (false, 0);
            }
            _ => {}
        }
    }

    /// `rest` follows `CSI ?`: numbers, then `h` or `l`.
    fn private_mode(&mut self, rest: &[u8]) {
        let Some(end) = rest.iter().take(LONGEST).position(|byte| !matches!(byte, b'0'..=b'9' | b';')) else {
            return;
        };
        let set = match rest[end] {
            b'h' => true,
            b'l' => false,
            _ => return,
        };
        for number in rest[..end].split(|&byte| byte == b';') {
            let number = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
            let Some(&(mode, at_prompt)) = MODES.iter().find(|(mode, _)| Some(*mode) == number) else {
                continue;
            };
            self.changed.retain(|&changed| changed != mode);
            if set != at_prompt {
                self.changed.push(mode);
            }
        }
    }

    /// The kitty keyboard protocol: `CSI > flags u` pushes a level, `CSI < n u` pops n. `rest` follows the marker.
    fn keyboard_protocol(&mut self, rest: &[u8], push: bool) {
        let digits = rest.iter().take(LONGEST).take_while(|byte| byte.is_ascii_digit()).count();
        if rest.get(digits) != Some(&b'u') {
            return;
        }
        let number = std::str::from_utf8(&rest[..digits]).ok().and_then(|text| text.parse().ok());
        self.keyboard_levels = if push {
            self.keyboard_levels.saturating_add(1)
        } else {
            self.keyboard_levels.saturating_sub(number.unwrap_or(1))
        };
    }
}

/// What the output is inside of after `bytes`, which hold no ESC.
fn tail_after(mut tail: Tail, bytes: &[u8]) -> Tail {
    for &byte in bytes {
        tail = match (tail, byte) {
            (Tail::Ground, _) | (_, 0x18 | 0x1a) | (Tail::Csi, 0x40..=0x7e) | (Tail::String, 0x07) => {
                return Tail::Ground;
            }
            (Tail::Escape, b'[') => Tail::Csi,
            (Tail::Escape, b']' | b'P' | b'X' | b'^' | b'_') => Tail::String,
            (Tail::Escape, 0x30..=0x7e) => return Tail::Ground,
            (same, _) => same,
        };
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(chunks: &[&str]) -> ProgramModes {
        let mut modes = ProgramModes::default();
        for chunk in chunks {
            modes.feed(chunk.as_bytes());
        }
        modes
    }

    #[test]
    fn plain_text_needs_no_reset() {
        let modes = after(&["hello ü\n", "and more"]);
        assert_eq!(modes.reset_sequence(), "");
        assert!(modes.between_sequences() && !modes.at_line_start() && !modes.alternate_screen());
    }

    #[test]
    fn a_full_screen_program_is_undone_and_one_that_left_is_not() {
        let enter = "\x1b[?1049h\x1b[?1;2004h\x1b=\x1b[?25l\x1b[?1002;1006h\x1b[>1u";
        let modes = after(&[enter]);
        assert!(modes.alternate_screen());
        let reset = modes.reset_sequence();
        for part in [
            "\x1b[?1049l",
            "\x1b[?1l",
            "\x1b[?2004l",
            "\x1b>",
            "\x1b[?25h",
            "\x1b[?1002l",
            "\x1b[<1u",
            "\x1b[m",
        ] {
            assert!(reset.contains(part), "{part:?} in {reset:?}");
        }
        let modes = after(&[enter, "\x1b[<u\x1b[?1002;1006l\x1b[?25h\x1b>\x1b[?1;2004l\x1b[?1049l"]);
        assert!(!modes.alternate_screen());
        assert!(!modes.reset_sequence().contains('?') && !modes.reset_sequence().contains('u'));
    }

    #[test]
    fn a_sequence_cut_anywhere_is_understood() {
        let text = "abc\x1b[?1049hdef";
        for cut in 0..=text.len() {
            let modes = after(&[&text[..cut], &text[cut..]]);
            assert!(modes.alternate_screen(), "cut at {cut}");
            assert!(modes.between_sequences(), "cut at {cut}");
        }
        let bytewise: Vec<String> = text.chars().map(String::from).collect();
        assert!(after(&bytewise.iter().map(String::as_str).collect::<Vec<_>>()).alternate_screen());
    }

    #[test]
    fn a_sequence_is_found_wherever_it_stands() {
        for at in 0..200 {
            for more in [0, 1, 100] {
                let text = format!("{}\x1b[31m\x1b[?1049h{}", "x".repeat(at), "y".repeat(more));
                let modes = after(&[&text]);
                assert!(modes.alternate_screen(), "at {at}, {more} bytes behind it");
            }
        }
    }

    #[test]
    fn a_line_of_ours_waits_for_the_end_of_a_sequence() {
        for open in ["\x1b", "\x1b[", "\x1b[12;", "\x1b]0;title", "\x1bPq", "\x1b("] {
            assert!(!after(&[open]).between_sequences(), "{open:?}");
        }
        for closed in [
            "\x1b[m",
            "\x1b]0;title\x07",
            "\x1b]0;title\x1b\\",
            "\x1bPq\x1b\\",
            "\x1b(B",
            "\x1bM",
            "\x1b[3\x18",
        ] {
            assert!(after(&[closed]).between_sequences(), "{closed:?}");
        }
        assert!(!after(&["\u{20ac}"]).reset_sequence().contains('\x18'));
        let mut modes = ProgramModes::default();
        modes.feed(&"\u{20ac}".as_bytes()[..2]);
        assert!(!modes.between_sequences());
    }

    #[test]
    fn a_full_reset_forgets_what_was_set() {
        assert!(!after(&["\x1b[?1049h\x1bc"]).alternate_screen());
        assert!(after(&["\x1bc\x1b[?1049h"]).alternate_screen());
    }
}
