//! What the player itself draws, in sequences that terminals since the VT102 know: no repetition (REP), no columns
//! (CHA), no colons, no more colours than the terminal has. Pure.

use std::fmt::Write as _;

use vte::{Params, Parser, Perform};

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    /// The eight of ECMA-48 and their bright forms.
    Sixteen,
    /// xterm's palette of 256.
    Palette,
    /// Red, green and blue of 8 bits each.
    Direct,
}

impl Colors {
    /// From the values of the environment variables TERM and COLORTERM. An unknown terminal has sixteen.
    #[must_use]
    pub fn of_terminal(term: &str, colorterm: &str) -> Self {
        if matches!(colorterm, "truecolor" | "24bit") || term.ends_with("-direct") {
            Self::Direct
        } else if term.contains("256color") || term == "xterm-kitty" {
            Self::Palette
        } else {
            Self::Sixteen
        }
    }
}

/// Rewrites what was drawn for a terminal that shows these colours.
pub(super) fn plain(drawn: &str, colors: Colors) -> String {
    let mut plain = Plain { out: String::with_capacity(drawn.len()), last: ' ', colors };
    Parser::<1024>::new().advance(&mut plain, drawn.as_bytes());
    plain.out
}

struct Plain {
    out: String,
    /// The character that a repetition repeats.
    last: char,
    colors: Colors,
}

impl Plain {
    fn sequence(&mut self, intermediates: &[u8], params: &Params, last: char) {
        self.out.push_str("\x1b[");
        self.out.extend(intermediates.iter().copied().map(char::from));
        for (index, param) in params.iter().enumerate() {
            let _ = write!(self.out, "{}{}", if index > 0 { ";" } else { "" }, param[0]);
        }
        self.out.push(last);
    }

    /// One attribute a sequence: a terminal that doesn't know one ignores that one.
    fn attributes(&mut self, params: &Params) {
        let mut codes = params.iter();
        while let Some(param) = codes.next() {
            let base = match param[0] {
                38 => 30,
                48 => 40,
                // Kinds and colours of underlining.
                58 => continue,
                4 if param.get(1) == Some(&0) => {
                    self.out.push_str("\x1b[24m");
                    continue;
                }
                code => {
                    let _ = write!(self.out, "\x1b[{code}m");
                    continue;
                }
            };
            let mut parts: Vec<u16> = param[1..].to_vec();
            if parts.is_empty() {
                let wanted = |kind: u16| if kind == 2 { 3 } else { 1 };
                let Some(kind) = codes.next().map(|param| param[0]) else { return };
                parts.push(kind);
                parts.extend(codes.by_ref().take(wanted(kind)).map(|param| param[0]));
            }
            let color = match parts[..] {
                [5, index] => u8::try_from(index).ok().map(Color::Indexed),
                // Between them may be a colour space.
                [2, r, g, b] | [2, _, r, g, b, ..] => {
                    let part = |part: u16| u8::try_from(part).unwrap_or(u8::MAX);
                    Some(Color::Direct([part(r), part(g), part(b)]))
                }
                _ => None,
            };
            if let Some(color) = color {
                self.color(base, color);
            }
        }
    }

    fn color(&mut self, base: u16, color: Color) {
        let color = match (color, self.colors) {
            (Color::Direct(rgb), Colors::Palette) => Color::Indexed(nearest(rgb, 16..=255)),
            (Color::Direct(rgb), Colors::Sixteen) => Color::Indexed(nearest(rgb, 0..=15)),
            (Color::Indexed(index @ 16..), Colors::Sixteen) => Color::Indexed(nearest(rgb_of(index), 0..=15)),
            (color, _) => color,
        };
        let _ = match color {
            Color::Indexed(index @ 0..8) => write!(self.out, "\x1b[{}m", base + u16::from(index)),
            Color::Indexed(index @ 8..16) => write!(self.out, "\x1b[{}m", base + 52 + u16::from(index)),
            Color::Indexed(index) => write!(self.out, "\x1b[{};5;{index}m", base + 8),
            Color::Direct([r, g, b]) => write!(self.out, "\x1b[{};2;{r};{g};{b}m", base + 8),
        };
    }
}

impl Perform for Plain {
    fn print(&mut self, c: char) {
        self.last = c;
        self.out.push(c);
    }

    fn execute(&mut self, byte: u8) {
        self.out.push(char::from(byte));
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        self.out.push('\x1b');
        self.out.extend(intermediates.iter().copied().chain([byte]).map(char::from));
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        let count = params.iter().next().map_or(1, |param| param[0].max(1));
        match (intermediates, action) {
            ([], 'b') => self.out.extend(std::iter::repeat_n(self.last, count.into())),
            ([], 'm') => self.attributes(params),
            ([], 's') => self.out.push_str("\x1b7"),
            ([], 'u') => self.out.push_str("\x1b8"),
            ([], 'G' | '`') => {
                self.out.push('\r');
                if count > 1 {
                    let _ = write!(self.out, "\x1b[{}C", count - 1);
                }
            }
            _ => self.sequence(intermediates, params, action),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Color {
    Indexed(u8),
    Direct([u8; 3]),
}

/// xterm's first sixteen colours.
const SIXTEEN: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// A colour of xterm's palette.
fn rgb_of(index: u8) -> [u8; 3] {
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match index {
        0..16 => SIXTEEN[usize::from(index)],
        16..232 => [level((index - 16) / 36), level((index - 16) / 6 % 6), level((index - 16) % 6)],
        232.. => [8 + 10 * (index - 232); 3],
    }
}

/// Which of these colours of xterm's palette is nearest.
fn nearest(wanted: [u8; 3], among: std::ops::RangeInclusive<u8>) -> u8 {
    let distance = |index: &u8| -> u32 {
        rgb_of(*index).iter().zip(wanted).map(|(&one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
    };
    among.min_by_key(distance).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_terminal_knows_is_left() {
        for (drawn, expected) in [
            ("-\x1b[4b|", "-----|"),
            ("\x1b[5Gx\x1b[Gy", "\r\x1b[4Cx\ry"),
            ("\x1b[s\x1b[3;4Ha\x1b[u", "\x1b7\x1b[3;4Ha\x1b8"),
            ("\x1b[0;1;38:5:9mred", "\x1b[0m\x1b[1m\x1b[91mred"),
            ("\x1b[4:3;58:2::1:2:3mcurly\x1b[4:0m", "\x1b[4mcurly\x1b[24m"),
            ("\x1b[m\x1b[?25l\x1b(0\x0e", "\x1b[0m\x1b[?25l\x1b(0\x0e"),
        ] {
            assert_eq!(plain(drawn, Colors::Direct), expected, "{drawn:?}");
        }
    }

    #[test]
    fn colours_are_those_that_the_terminal_has() {
        let orange = "\x1b[38:2::255:135:0m";
        assert_eq!(plain(orange, Colors::Direct), "\x1b[38;2;255;135;0m");
        assert_eq!(plain(orange, Colors::Palette), "\x1b[38;5;208m");
        assert_eq!(plain("\x1b[48;5;196;1m", Colors::Sixteen), "\x1b[101m\x1b[1m");
        assert_eq!(plain("\x1b[48;2;250;250;250;1m", Colors::Sixteen), "\x1b[107m\x1b[1m");
        for (term, colorterm, colors) in [
            ("linux", "", Colors::Sixteen),
            ("vt220", "", Colors::Sixteen),
            ("screen-256color", "", Colors::Palette),
            ("xterm-256color", "truecolor", Colors::Direct),
            ("xterm-direct", "", Colors::Direct),
        ] {
            assert_eq!(Colors::of_terminal(term, colorterm), colors, "{term}");
        }
    }
}
