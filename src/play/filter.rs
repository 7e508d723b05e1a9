//! What of a recorded program's output may reach the terminal of the person who plays it. Pure.
//!
//! Only what is known to draw passes: text, cursor movement, erasing, colours, scrolling, the
//! alternate screen. What would make a terminal answer (as if its user had typed), write to the
//! clipboard, a file or a printer, or stay changed afterwards (title, colours, key codes, tab
//! stops, its own history) does not, and neither does what is not known. Controls in their 8-bit
//! form, such as U+009B, are taken for what they mean.

use std::fmt::Write as _;

use vte::{Params, Parser, Perform};

/// Private modes that draw: the screen's look, wrapping, the cursor, the alternate screen, frames
/// that are shown at once.
const MODES: [u16; 9] = [5, 6, 7, 25, 47, 1047, 1048, 1049, 2026];

/// Lets through what draws.
#[derive(Default)]
pub struct Filter {
    parser: Parser<1024>,
    passed: Passed,
    normal: String,
}

#[derive(Default)]
struct Passed(String);

impl Filter {
    /// What may be shown of a piece of output. Sequences may be cut between two pieces.
    pub fn pass(&mut self, output: &str) -> &str {
        self.passed.0.clear();
        self.normal.clear();
        for c in output.chars() {
            match u8::try_from(u32::from(c)) {
                // ESC and the character that the 8-bit form stands for.
                Ok(code @ 0x80..0xa0) => self.normal.extend(['\x1b', char::from(code - 0x40)]),
                _ => self.normal.push(c),
            }
        }
        self.parser.advance(&mut self.passed, self.normal.as_bytes());
        &self.passed.0
    }
}

impl Passed {
    /// A control sequence with its parameters.
    fn control(&mut self, prefix: &str, params: &Params, last: char) {
        self.0.push_str("\x1b[");
        self.0.push_str(prefix);
        for (index, param) in params.iter().enumerate() {
            if index > 0 {
                self.0.push(';');
            }
            for (index, part) in param.iter().enumerate() {
                if index > 0 {
                    self.0.push(':');
                }
                let _ = write!(self.0, "{part}");
            }
        }
        self.0.push(last);
    }
}

impl Perform for Passed {
    fn print(&mut self, c: char) {
        if !c.is_control() {
            self.0.push(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        // Backspace, tab, line feeds, carriage return, and the two character sets. Not ENQ, which is
        // answered.
        if matches!(byte, 8..=15) {
            self.0.push(char::from(byte));
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        if ignore {
            return;
        }
        match (intermediates, byte) {
            // Save and restore the cursor; index, next line, reverse index.
            ([], b'7' | b'8' | b'D' | b'E' | b'M') => {
                self.0.push('\x1b');
                self.0.push(char::from(byte));
            }
            // A full reset would reset what is the user's own; this is what is seen of it.
            ([], b'c') => self.0.push_str(
                "\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[?6l\x1b[4l\x1b(B\x1b)B\x0f\x1b[0r\x1b[0m\x1b[0H\x1b[2J",
            ),
            // The screen full of E.
            ([b'#'], b'8') => self.0.push_str("\x1b#8"),
            // Letters and line drawing.
            ([set @ (b'(' | b')')], b'0' | b'A' | b'B') => {
                self.0.extend(['\x1b', char::from(*set), char::from(byte)]);
            }
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if ignore {
            return;
        }
        // Some terminals take a colon for a semicolon. Only colours have one to mean.
        if action != 'm' && params.iter().any(|param| param.len() > 1) {
            return;
        }
        match (intermediates, action) {
            // Erasing the screen, but not the history that is the user's. Some terminals heed each number.
            ([] | [b'?'], 'J') if params.iter().flatten().all(|&what| what != 3) => {
                self.control(if intermediates.is_empty() { "" } else { "?" }, params, action);
            }
            ([b'?'], 'K') => self.control("?", params, action),
            // With more parameters it is mouse tracking.
            ([], 'T') if params.len() <= 1 => self.control("", params, action),
            (
                [],
                'A'..='I'
                | 'K'
                | 'L'
                | 'M'
                | 'P'
                | 'S'
                | 'X'
                | 'Z'
                | '@'
                | '`'
                | 'a'
                | 'b'
                | 'd'
                | 'e'
                | 'f'
                | 'm'
                | 'r'
                | 's'
                | 'u',
            ) => self.control("", params, action),
            // Insert mode.
            ([], 'h' | 'l') if params.iter().eq([[4].as_slice()]) => self.control("", params, action),
            // A soft reset is no less a reset; this is what is seen of it.
            ([b'!'], 'p') => {
                self.0.push_str("\x1b[?25h\x1b[?7h\x1b[?6l\x1b[4l\x1b7\x1b[0r\x1b8\x1b(B\x1b)B\x0f\x1b[0m");
            }
            ([b'?'], 'h' | 'l') => {
                for mode in
                    params.iter().filter_map(|param| param.first()).filter(|mode| MODES.contains(mode))
                {
                    let _ = write!(self.0, "\x1b[?{mode}{action}");
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passed(pieces: &[&str]) -> String {
        let mut filter = Filter::default();
        pieces.iter().map(|piece| filter.pass(piece).to_owned()).collect()
    }

    #[test]
    fn what_draws_passes() {
        for drawing in [
            "text é 漢 \r\n\t\x08",
            "\x1b[1;31;48:2:1:2:3m",
            "\x1b[2J\x1b[10;20H\x1b[0K\x1b[3A",
            "\x1b[?1049h",
            "\x1b[?25l",
            "\x1b(0lqk\x1b(B",
            "\x1b[2;10r\x1bM\x1b7\x1b8",
            "\x1b[4h\x1b[4l",
            "\x0elqk\x0f",
        ] {
            assert_eq!(passed(&[drawing]), drawing);
        }
        assert_eq!(passed(&["\x1b[?1049;2004;25h"]), "\x1b[?1049h\x1b[?25h");
        assert_eq!(passed(&["a\x1b[3", "1mb"]), "a\x1b[31mb");
        assert_eq!(passed(&["\x1b#8"]), "\x1b#8");
        let mut soft = avt::Terminal::new(20, 5).expect("a size");
        soft.feed(passed(&["\x1b[2;3r\x1b[?6h\x1b[1;1Ha\x1b[!p\x1b[5;1Hb"]));
        let rows: Vec<String> =
            soft.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect();
        assert_eq!(rows, ["", "a", "", "", "b"], "margins and origin are reset");
        assert_eq!(passed(&["\u{9b}31mred\u{85}"]), "\x1b[31mred\x1bE");
    }

    #[test]
    fn what_is_answered_written_elsewhere_or_lasting_does_not() {
        for attack in [
            "\x05", // ENQ
            "\x07",
            "\x1b[6n", // where is the cursor
            "\x1b[?6n",
            "\x1b[5n",
            "\x1b[c", // what are you
            "\x1b[>c",
            "\x1b[=c",
            "\x1bZ",
            "\x1b[21t", // what is your title
            "\x1b[8;100;200t",
            "\x1b[x",
            "\x1b[>q",
            "\x1b[?u",
            "\x1b[>1u",
            "\x1b[>4;2m",
            "\x1b[?4m",
            "\x1b[?2026$p",
            "\x1b[1;1;1;1;1;1*y",
            "\x1b[5i", // print
            "\x1b[?5i",
            "\x1b[3J",
            "\x1b[0;3J", // Konsole heeds each number
            "\x1b[?2;3J",
            "\x1b[0:3J", // and others take a colon for a semicolon
            "\x1b[4:20h",
            "\x1b[1:2:3:4:5T",
            "\x1b[?25:1000h",
            "\x1b[3g",
            "\x1bH",
            "\x1b[1;2;3;4;5T",
            "\x1b[1 q",
            "\x1b[20h",
            "\x1b=",
            "\x1b>",
            "\x1b[?1h",
            "\x1b[?1000;1006h",
            "\x1b[?2004h",
            "\x1b[?1004h",
            "\x1b]0;title\x07",
            "\x1b]52;c;cm0gLXJmIC8=\x07",
            "\x1b]4;1;?\x1b\\",
            "\x1b]10;?\x07",
            "\x1b]8;;file:///etc/passwd\x1b\\",
            "\x1b]1337;File=name=x:AAAA\x07",
            "\x1b]777;notify;a;b\x07",
            "\x1bP$qm\x1b\\",
            "\x1bP+q544e\x1b\\",
            "\x1bP1;1|17/41\x1b\\", // keys
            "\x1b_Gi=1;AAAA\x1b\\",
            "\x1b^x\x1b\\",
            "\x1bXx\x1b\\",
            "\u{9b}6n",
            "\u{9d}52;c;AAAA\u{9c}",
            "\u{9d}0;x\x07",
            "\u{90}$qm\u{9c}",
            "\u{9a}",
            "\u{7f}",
            "\u{0}",
        ] {
            assert_eq!(passed(&["a", attack, "b"]), "ab", "{attack:?}");
            let pieces: Vec<String> = attack.chars().map(String::from).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            assert_eq!(passed(&pieces), "", "{attack:?} in pieces");
        }
    }

    #[test]
    fn a_sequence_that_never_ends_shows_nothing_and_costs_no_memory() {
        let endless = "x".repeat(1 << 20);
        assert_eq!(
            passed(&["a\x1b]0;", &endless, "\x1b[6", "n", &endless[..3]]),
            "a\x1b[6nxxx".replace("\x1b[6n", "")
        );
    }

    proptest! {
        #[test]
        fn nothing_but_what_passes_comes_out_however_it_is_cut(
            text in "[a\\x00-\\x1f\\[\\]?>=$;:0-9A-Za-z\\u{80}-\\u{9f}\\\\ ]{0,60}",
            cut in 0_usize..60,
        ) {
            let cut = text.floor_char_boundary(cut.min(text.len()));
            let whole = passed(&[&text]);
            prop_assert_eq!(&whole, &passed(&[&text[..cut], &text[cut..]]));
            prop_assert_eq!(&whole, &passed(&[&whole]), "it passes again as it is");
            let control = whole.contains(['\x05', '\x07', '\x7f', '\u{9b}']);
            prop_assert!(!control);
        }
    }
}
