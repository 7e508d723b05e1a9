//! REP, which repeats a character: a few bytes of a recording for 65535 of text. As on real terminals, a
//! count ends where the screen would be full. Pure.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Follows control sequences as far as that needs.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    inside: Inside,
}

/// What the output is inside of.
#[derive(Debug, Default, Clone, Copy)]
enum Inside {
    #[default]
    Nothing,
    Escape,
    /// A control sequence: its first number, whether that is over, and whether it can be REP at all.
    Control {
        number: u32,
        over: bool,
        plain: bool,
    },
}

const CONTROL: Inside = Inside::Control { number: 0, over: false, plain: true };

impl Repeats {
    /// The output with counts of at most `most`. Sequences may be cut between two pieces.
    pub(super) fn limited<'a>(&mut self, text: &'a str, most: usize) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let mut out = String::new();
        let (mut at, mut kept) = (0, 0);
        while at < bytes.len() {
            self.inside = match (self.inside, bytes[at]) {
                (Inside::Nothing, _) => {
                    // ESC, or the second byte of U+009B.
                    let Some(next) = memchr::memchr2(0x1b, 0x9b, &bytes[at..]) else { break };
                    at += next;
                    match bytes[at] {
                        0x1b => Inside::Escape,
                        _ if at > 0 && bytes[at - 1] == 0xc2 => CONTROL,
                        _ => Inside::Nothing,
                    }
                }
                (_, 0x1b) => Inside::Escape,
                (_, 0x18 | 0x1a) => Inside::Nothing,
                (Inside::Escape, b'[') => CONTROL,
                // Other controls are heeded where they stand, and the sequence goes on.
                (same, 0..0x20 | 0x7f) => same,
                (Inside::Control { number, over: false, plain }, digit @ b'0'..=b'9') => {
                    let number = number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
                    Inside::Control { number, over: false, plain }
                }
                (Inside::Control { number, plain, .. }, b'0'..=b';') => {
                    Inside::Control { number, over: true, plain }
                }
                (Inside::Control { number, over, .. }, 0x20..0x40) => {
                    Inside::Control { number, over, plain: false }
                }
                (Inside::Control { number, plain: true, .. }, b'b') if number as usize > most => {
                    // CAN ends the sequence that was begun, perhaps in an earlier piece.
                    out.push_str(&text[kept..at]);
                    let _ = write!(out, "\x18\x1b[{most}b");
                    kept = at + 1;
                    Inside::Nothing
                }
                (Inside::Escape | Inside::Control { .. }, _) => Inside::Nothing,
            };
            at += 1;
        }
        if kept == 0 {
            return text.into();
        }
        out.push_str(&text[kept..]);
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limited(pieces: &[&str]) -> String {
        let mut repeats = Repeats::default();
        pieces.iter().map(|piece| repeats.limited(piece, 100).into_owned()).collect()
    }

    fn shown(text: &str) -> Vec<String> {
        let mut terminal = avt::Terminal::new(20, 5).expect("a size");
        terminal.feed(text);
        terminal.screen().visible_lines().map(avt::Line::text).collect()
    }

    #[test]
    fn a_count_ends_where_the_screen_is_full() {
        for (text, expected) in [
            ("x\x1b[65535by", "x\x1b[65535\x18\x1b[100by"),
            ("x\u{9b}65535b", "x\u{9b}65535\x18\x1b[100b"),
            ("x\x1b[65535;1b\x1b[101b", "x\x1b[65535;1\x18\x1b[100b\x1b[101\x18\x1b[100b"),
            ("x\x1b[6\n5535b", "x\x1b[6\n5535\x18\x1b[100b"),
            ("x\x1b[99999999999b", "x\x1b[99999999999\x18\x1b[100b"),
        ] {
            assert_eq!(limited(&[text]), expected);
            let pieces: Vec<String> = text.chars().map(String::from).collect();
            assert_eq!(limited(&pieces.iter().map(String::as_str).collect::<Vec<_>>()), expected);
        }
        for text in [
            "é\u{9b}100b",
            "x\x1b[5b65535b",
            "\x1b[?65535b",
            "\x1b[65535 b",
            "\x1b]65535b",
            "\x1b[1;65535b",
            "ț\u{69b}65535b",
        ] {
            assert_eq!(limited(&[text]), text);
        }
        let full = shown(&limited(&["x\x1b[65535b"]));
        assert!(full[..4].iter().all(|line| line == &"x".repeat(20)), "{full:?}");
    }

    proptest! {
        #[test]
        fn small_counts_change_nothing(text in "[ab\\x1b\\[;0-2?\\x18\\n\u{9b}é ]{0,40}", cut in 0_usize..40) {
            let cut = text.floor_char_boundary(cut.min(text.len()));
            let pieces = limited(&[&text[..cut], &text[cut..]]);
            prop_assert_eq!(limited(&[&text]), pieces.as_str());
            if !pieces.contains("\x18\x1b[100b") {
                prop_assert_eq!(pieces, text);
            }
        }
    }
}
