//! Colours of a terminal as those of a page or a picture: so that text is legible on whatever it stands. Pure.

use std::fmt;

use avt::Color;

use crate::screen::Style;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// What text is painted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// The page's own colour of text.
    Text,
    /// The page's own ground.
    Ground,
    /// One of the sixteen that a theme defines for its ground.
    Theme(u8),
    /// This one.
    Fixed(Rgb),
}

/// What is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// The page's own ground.
    Ground,
    /// The page's own colour of text.
    Text,
    /// This one.
    Fixed(Rgb),
}

/// The paints of a style. What stands on a colour of its own is legible on it.
pub(super) fn paints(style: &Style) -> (Ink, Behind) {
    let bold = style.is_bold();
    let (fore, back) = (style.foreground(), style.background());
    if style.is_inverse() {
        return match (fore, back) {
            (None, None) => (Ink::Ground, Behind::Text),
            (None, Some(back)) => (Ink::Fixed(fixed(back, false)), Behind::Text),
            (Some(fore), back) => {
                let behind = fixed(fore, bold);
                (Ink::Fixed(readable(back.map(|back| fixed(back, false)), behind)), Behind::Fixed(behind))
            }
        };
    }
    match (fore, back) {
        (None, None) => (Ink::Text, Behind::Ground),
        (Some(Color::Indexed(index @ 0..16)), None) => (Ink::Theme(brightened(index, bold)), Behind::Ground),
        (Some(fore), None) => (Ink::Fixed(fixed(fore, bold)), Behind::Ground),
        (fore, Some(back)) => {
            let behind = fixed(back, false);
            (Ink::Fixed(readable(fore.map(|fore| fixed(fore, bold)), behind)), Behind::Fixed(behind))
        }
    }
}

/// Bold text in one of the eight colours is bright on most terminals.
fn brightened(index: u8, bold: bool) -> u8 {
    if bold && index < 8 { index + 8 } else { index }
}

fn fixed(color: Color, bold: bool) -> Rgb {
    match color {
        Color::Indexed(index @ 0..16) => SIXTEEN[usize::from(brightened(index, bold))],
        Color::Indexed(index @ 16..232) => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            Rgb(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            Rgb(grey, grey, grey)
        }
        Color::RGB(rgb) => Rgb(rgb.r, rgb.g, rgb.b),
    }
}

/// The least contrast, as WCAG counts it, that text is left with.
const LEAST: f64 = 3.0;

/// The colour, or black or white where that would not be seen on this one.
fn readable(wanted: Option<Rgb>, behind: Rgb) -> Rgb {
    const ENDS: [Rgb; 2] = [Rgb(255, 255, 255), Rgb(0, 0, 0)];
    let [white, black] = ENDS.map(|end| contrast(end, behind));
    let better = if white >= black { ENDS[0] } else { ENDS[1] };
    wanted.filter(|&wanted| contrast(wanted, behind) >= LEAST).unwrap_or(better)
}

/// The colour, or a lighter or darker one of its hue that is seen on this one.
pub(super) fn legible(wanted: Rgb, behind: Rgb) -> Rgb {
    let end = readable(None, behind);
    let mix = |of: u8, to: u8, part: u16| {
        u8::try_from((u16::from(of) * (16 - part) + u16::from(to) * part) / 16).unwrap_or(to)
    };
    (0..=16)
        .map(|part| Rgb(mix(wanted.0, end.0, part), mix(wanted.1, end.1, part), mix(wanted.2, end.2, part)))
        .find(|&mixed| contrast(mixed, behind) >= LEAST)
        .unwrap_or(end)
}

fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(Rgb(r, g, b): Rgb) -> f64 {
    let linear = |level: u8| {
        let level = f64::from(level) / 255.0;
        if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// The sixteen on a dark ground.
pub(super) const DARK: [&str; 16] = [
    "#7f848e", "#f28b82", "#a5d6a7", "#f5d76e", "#8ab4f8", "#d7aefb", "#80deea", "#d0d0d0", "#80868b",
    "#ff8a80", "#b9f6ca", "#ffe57f", "#a8c7fa", "#e1bee7", "#a7ffeb", "#ffffff",
];

/// The sixteen on a light ground.
pub(super) const LIGHT: [&str; 16] = [
    "#202124", "#b3261e", "#1b6e2d", "#7a5900", "#174ea6", "#7b1fa2", "#00626b", "#5f6368", "#3c4043",
    "#c5221f", "#137333", "#8a5300", "#1a56c4", "#8e24aa", "#00707a", "#44474a",
];

/// The sixteen as grounds, and on those.
const SIXTEEN: [Rgb; 16] = [
    Rgb(0, 0, 0),
    Rgb(179, 38, 30),
    Rgb(27, 110, 45),
    Rgb(138, 109, 0),
    Rgb(26, 79, 181),
    Rgb(142, 36, 170),
    Rgb(0, 114, 125),
    Rgb(200, 200, 200),
    Rgb(95, 99, 104),
    Rgb(239, 83, 80),
    Rgb(76, 175, 80),
    Rgb(255, 213, 79),
    Rgb(100, 160, 255),
    Rgb(214, 140, 255),
    Rgb(77, 208, 225),
    Rgb(255, 255, 255),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn style_of(sgr: &str) -> Style {
        let mut terminal = avt::Terminal::new(4, 1).expect("a size");
        terminal.feed(format!("\x1b[{sgr}mx"));
        *terminal.screen().line(0).expect("a row").cells()[0].pen()
    }

    #[test]
    fn text_on_a_colour_is_seen() {
        for fore in 0..16_u8 {
            for back in 0..16_u8 {
                for more in ["", ";1", ";7", ";1;7"] {
                    let (ink, behind) = paints(&style_of(&format!("38;5;{fore};48;5;{back}{more}")));
                    let (Ink::Fixed(ink), Behind::Fixed(behind)) = (ink, behind) else {
                        panic!("{ink:?} {behind:?}")
                    };
                    assert!(contrast(ink, behind) >= LEAST, "{fore} on {back}{more}: {ink} on {behind}");
                }
            }
        }
        assert_eq!(paints(&style_of("1;33;44")), (Ink::Fixed(SIXTEEN[11]), Behind::Fixed(SIXTEEN[4])));
        assert_eq!(paints(&style_of("44")), (Ink::Fixed(Rgb(255, 255, 255)), Behind::Fixed(SIXTEEN[4])));
        assert_eq!(paints(&style_of("7")), (Ink::Ground, Behind::Text));
        assert_eq!(paints(&style_of("31")), (Ink::Theme(1), Behind::Ground));
    }

    #[test]
    fn the_sixteen_are_seen_on_their_ground() {
        let parse = |hex: &str| {
            let level = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
            Rgb(level(1), level(3), level(5))
        };
        for (theme, ground) in [(DARK, Rgb(0x16, 0x18, 0x1c)), (LIGHT, Rgb(255, 255, 255))] {
            for colour in theme {
                assert!(contrast(parse(colour), ground) >= 4.5, "{colour} on {ground}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_colour_is_legible_on_every_ground(wanted: (u8, u8, u8), behind: (u8, u8, u8)) {
            let (wanted, behind) = (Rgb(wanted.0, wanted.1, wanted.2), Rgb(behind.0, behind.1, behind.2));
            let seen = legible(wanted, behind);
            prop_assert!(contrast(seen, behind) >= LEAST);
            prop_assert!(contrast(wanted, behind) < LEAST || seen == wanted);
        }
    }
}
