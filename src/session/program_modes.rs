//! Which terminal modes the session's programs have set, seen in what they print. Pure.
//!
//! Only what must be undone when a session is cut short is followed, and where a line of our own
//! may be put in. Output is searched for a few introducers, not parsed: this runs on every byte.

mod table;

use memchr::{memrchr, memrchr2};

use crate::recording::incomplete_tail;
use crate::sys::{WIDE, rare_escapes};

/// The longest sequence that may be cut between two reads and still be understood.
const LONGEST: usize = 64;

/// What the end of the output is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Ground,
    Escape,
    Csi,
    /// A string: up to ST, or BEL for OSC.
    String,
}

/// The keyboard of one screen, by kitty's protocol: each has its own.
#[derive(Debug, Default, Clone, Copy)]
struct Keyboard {
    /// Levels that were pushed.
    levels: u32,
    /// Flags were set without a level of their own.
    set: bool,
}

/// The modes that programs have set and not reset.
#[derive(Debug)]
pub struct ProgramModes {
    changed: Vec<u16>,
    keypad: bool,
    /// Of the normal and of the alternate screen.
    keyboards: [Keyboard; 2],
    /// Key modifier options (XTMODKEYS) that were set, and key formats (XTFMTKEYS).
    modifiers: Vec<u8>,
    formats: Vec<u8>,
    /// Character sets but the first that are not ASCII, in the table's order.
    sets: [bool; table::SETS.len()],
    /// Another one than the first is in use, while there was no escape sequence.
    shifted: bool,
    link: bool,
    update: bool,
    progress: bool,
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
            keyboards: [Keyboard::default(); 2],
            modifiers: Vec::new(),
            formats: Vec::new(),
            sets: [false; table::SETS.len()],
            shifted: false,
            link: false,
            update: false,
            progress: false,
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
        table::ALTERNATE.iter().any(|mode| self.changed.contains(mode))
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
        for (set, undone) in [
            (self.link, table::NO_LINK),
            (self.update, table::END_UPDATE),
            (self.progress, table::NO_PROGRESS),
        ] {
            reset.push_str(if set { undone } else { "" });
        }
        let keyboard = |reset: &mut String, Keyboard { levels, set }: Keyboard| {
            if levels > 0 {
                let _ = write!(reset, "\x1b[<{levels}u");
            }
            reset.push_str(if set { table::NO_KEYBOARD_FLAGS } else { "" });
        };
        // The alternate screen's while it is there.
        if self.alternate_screen() {
            keyboard(&mut reset, self.keyboards[1]);
        }
        if self.changed.contains(&table::MARGINS) {
            reset.push_str(table::NO_MARGINS);
        }
        for mode in &self.changed {
            let on = table::PRIVATE.iter().any(|&(known, at_prompt)| known == *mode && at_prompt);
            let _ = write!(reset, "\x1b[?{mode}{}", if on { 'h' } else { 'l' });
        }
        keyboard(&mut reset, self.keyboards[0]);
        if self.keypad {
            reset.push_str(table::NUMERIC_KEYPAD);
        }
        for (numbers, last) in [(&self.modifiers, 'm'), (&self.formats, 'f')] {
            for number in numbers {
                let _ = write!(reset, "\x1b[>{number}{last}");
            }
        }
        for (set, _) in table::SETS.iter().zip(self.sets).filter(|(_, other)| *other) {
            reset.extend(['\x1b', char::from(*set), 'B']);
        }
        if self.escapes {
            reset.push_str(table::ALWAYS);
        } else if self.shifted {
            reset.push_str(table::SHIFT_IN);
        }
        reset
    }

    fn scan(&mut self, bytes: &[u8]) {
        if !self.escapes
            && let Some(at) = memrchr2(0x0e, 0x0f, bytes)
        {
            self.shifted = bytes[at] == 0x0e;
        }
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
            [b'[', marker @ (b'<' | b'=' | b'>'), rest @ ..] => self.keyboard(*marker, rest),
            [b']', b'8', b';', rest @ ..] => self.link = begins_link(rest),
            [b']', b'9', b';', b'4', b';', state, ..] => self.progress = *state != b'0',
            [b'P', b'=', begins @ (b'1' | b'2'), b's', ..] => self.update = *begins == b'1',
            [b'=', ..] => self.keypad = true,
            [b'>', ..] => self.keypad = false,
            // A full reset. What is inside of it is looked at as it comes.
            [b'c', ..] => {
                let (joined, carry) = (std::mem::take(&mut self.joined), std::mem::take(&mut self.carry));
                *self = Self {
                    escapes: true,
                    at_line_start: self.at_line_start,
                    joined,
                    carry,
                    ..Self::default()
                };
            }
            [introducer, set, ..] => {
                if let Some(at) = table::SETS.iter().position(|known| known == introducer) {
                    self.sets[at] = *set != b'B';
                }
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
            let Some(&(mode, at_prompt)) = table::PRIVATE.iter().find(|(mode, _)| Some(*mode) == number)
            else {
                continue;
            };
            self.changed.retain(|&changed| changed != mode);
            if set != at_prompt {
                self.changed.push(mode);
            }
        }
    }

    /// What keys send. By kitty's protocol `CSI > flags u` pushes a level, `CSI < n u` pops n, and `CSI = flags ; mode u` sets
    /// flags; by xterm's `CSI > option ; value m` sets how modifiers are told, `CSI > option n` that they are not, and
    /// `CSI > option ; value f` their format. `rest` follows the marker.
    fn keyboard(&mut self, marker: u8, rest: &[u8]) {
        let Some(end) = rest.iter().take(LONGEST).position(|byte| !matches!(byte, b'0'..=b'9' | b';')) else {
            return;
        };
        let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u32>().ok();
        let mut numbers = rest[..end].split(|&byte| byte == b';').map(number);
        let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
        let keyboard =
            &mut self.keyboards[usize::from(table::ALTERNATE.iter().any(|mode| self.changed.contains(mode)))];
        match (marker, rest[end]) {
            (b'>', b'u') => keyboard.levels = keyboard.levels.saturating_add(1),
            (b'<', b'u') => keyboard.levels = keyboard.levels.saturating_sub(first.unwrap_or(1)),
            (b'=', b'u') => keyboard.set = first.is_some_and(|flags| flags > 0),
            (b'>', last @ (b'm' | b'n' | b'f')) => {
                let Some(option) = first.and_then(|option| u8::try_from(option).ok()) else { return };
                let options = if last == b'f' { &mut self.formats } else { &mut self.modifiers };
                options.retain(|&known| known != option);
                if last == b'n' || second.is_some_and(|value| value > 0) {
                    options.push(option);
                }
            }
            _ => {}
        }
    }
}

/// Whether a hyperlink begins, and none ends; `rest` follows `OSC 8 ;`, and may be cut: a link that is ended once more is no
/// harm.
fn begins_link(rest: &[u8]) -> bool {
    let parameters = rest.iter().take(LONGEST).position(|&byte| byte == b';');
    !parameters.is_some_and(|end| matches!(rest.get(end + 1), Some(0x07 | 0x1b)))
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
    fn what_sessions_were_seen_to_leave_on_is_undone_once() {
        for (set, undone, by_itself) in [
            ("\x1b[>4;2m", "\x1b[>4m", "\x1b[>4;0m"),
            ("\x1b[>4;1m", "\x1b[>4m", "\x1b[>4m"),
            ("\x1b[>4n", "\x1b[>4m", "\x1b[>4m"),
            ("\x1b[>4;1f", "\x1b[>4f", "\x1b[>4f"),
            ("\x1b[>1u\x1b[>5u", "\x1b[<2u", "\x1b[<2u"),
            ("\x1b[=5;1u", "\x1b[=0u", "\x1b[=0;1u"),
            ("\x1b[?69h\x1b[5;20s", "\x1b7\x1b[s\x1b8\x1b[?69l", "\x1b[?69l"),
            ("\x1b]8;;https://example.com/\x1b\\text", "\x1b]8;;\x1b\\", "\x1b]8;;\x07"),
            ("\x1b]8;id=1;https://example.com/\x07text", "\x1b]8;;\x1b\\", "\x1b]8;;\x1b\\"),
            ("\x1b)0", "\x1b)B", "\x1b)B"),
            ("\x1b*0", "\x1b*B", "\x1b*B"),
            ("\x1b[?1004h", "\x1b[?1004l", "\x1b[?1004l"),
            ("\x1b[?2026h", "\x1b[?2026l", "\x1b[?2026l"),
            ("\x1bP=1s\x1b\\", "\x1bP=2s\x1b\\", "\x1bP=2s\x1b\\"),
            ("\x1b]9;4;1;50\x1b\\", "\x1b]9;4;0\x1b\\", "\x1b]9;4;0\x07"),
        ] {
            let reset = after(&[set]).reset_sequence();
            assert_eq!(reset.matches(undone).count(), 1, "{set:?}: {reset:?}");
            for cut in 0..=set.len() {
                assert_eq!(
                    after(&[&set[..cut], &set[cut..]]).reset_sequence(),
                    reset,
                    "{set:?} cut at {cut}"
                );
            }
            let reset = after(&[set, by_itself]).reset_sequence();
            assert!(!reset.contains(undone), "{set:?}, then {by_itself:?}: {reset:?}");
            assert!(!after(&[set, "\x1bc"]).reset_sequence().contains(undone), "{set:?}, then a full reset");
        }
        // Nothing follows these: they are always undone.
        let reset = after(&["\x1b[2h\x1b[20h\x1b[12l"]).reset_sequence();
        assert!(reset.contains("\x1b[2;4;20l") && reset.contains("\x1b[12h"), "{reset:?}");
        assert_eq!(after(&["text \x0e lines"]).reset_sequence(), "\x0f");
        assert_eq!(after(&["text \x0e lines \x0f"]).reset_sequence(), "");
    }

    #[test]
    fn each_screens_keyboard_is_put_back_on_that_screen() {
        let reset = after(&["\x1b[>1u\x1b[?1049h\x1b[>3u\x1b[>5u"]).reset_sequence();
        let at = |part: &str| reset.find(part).unwrap_or_else(|| panic!("{part:?} in {reset:?}"));
        assert!(at("\x1b[<2u") < at("\x1b[?1049l") && at("\x1b[?1049l") < at("\x1b[<1u"), "{reset:?}");
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
