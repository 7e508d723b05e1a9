//! Colours of a terminal as those of a page or a picture: so that text is legible on whatever it stands. Pure.

use std::fmt;
use std::sync::LazyLock;

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

/// The paints of text of a style. Text on a colour of its own is legible on it.
pub(super) fn paints(style: &Style) -> (Ink, Behind) {
    resolve(style, |wanted, behind| {
        let shown = wanted.map_or_else(|| better(behind), |wanted| legible(wanted, behind));
        if style.is_faint() { faint(shown, behind) } else { shown }
    })
}

/// The paints of block elements, which are pictures more than text: both colours are kept where both are known.
pub(super) fn picture(style: &Style) -> (Ink, Behind) {
    resolve(style, |wanted, behind| wanted.unwrap_or_else(|| better(behind)))
}

/// The paints of a style, with `on` giving the colour that is shown on another one.
fn resolve(style: &Style, on: impl Fn(Option<Rgb>, Rgb) -> Rgb) -> (Ink, Behind) {
    let bold = style.is_bold();
    let (fore, back) = (style.foreground(), style.background());
    if style.is_inverse() {
        return match (fore, back) {
            (None, None) => (Ink::Ground, Behind::Text),
            (None, Some(back)) => (Ink::Fixed(fixed(back, false)), Behind::Text),
            (Some(fore), back) => {
                let behind = fixed(fore, bold);
                (Ink::Fixed(on(back.map(|back| fixed(back, false)), behind)), Behind::Fixed(behind))
            }
        };
    }
    match (fore, back) {
        (None, None) => (Ink::Text, Behind::Ground),
        (Some(Color::Indexed(index @ 0..16)), None) => (Ink::Theme(brightened(index, bold)), Behind::Ground),
        (Some(fore), None) => (Ink::Fixed(fixed(fore, bold)), Behind::Ground),
        (fore, Some(back)) => {
            let behind = fixed(back, false);
            (Ink::Fixed(on(fore.map(|fore| fixed(fore, bold)), behind)), Behind::Fixed(behind))
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
const LEAST: f64 = 4.5;

/// Black or white, whichever is seen better on this one. One of them always has a contrast of 4.58 or more.
fn better(behind: Rgb) -> Rgb {
    let ends @ [white, black] = [Rgb(255, 255, 255), Rgb(0, 0, 0)];
    let [on_white, on_black] = ends.map(|end| contrast(end, behind));
    if on_white >= on_black { white } else { black }
}

/// The colour, or a lighter or darker one of its hue that is seen on this one.
pub(super) fn legible(wanted: Rgb, behind: Rgb) -> Rgb {
    let end = better(behind);
    (0..=16).map(|part| mix(wanted, end, part)).find(|&mixed| contrast(mixed, behind) >= LEAST).unwrap_or(end)
}

/// The colour of faint text: nearer to what is behind it, as far as that is seen.
pub(super) fn faint(wanted: Rgb, behind: Rgb) -> Rgb {
    legible(mix(wanted, behind, 4), behind)
}

/// The first colour with `part` sixteenths of the other.
fn mix(of: Rgb, to: Rgb, part: u16) -> Rgb {
    let level = |of: u8, to: u8| {
        u8::try_from((u16::from(of) * (16 - part) + u16::from(to) * part) / 16).unwrap_or(to)
    };
    Rgb(level(of.0, to.0), level(of.1, to.1), level(of.2, to.2))
}

pub(super) fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(Rgb(r, g, b): Rgb) -> f64 {
    static LINEAR: LazyLock<[f64; 256]> = LazyLock::new(|| {
        std::array::from_fn(|level| {
            let level = f64::from(u8::try_from(level).unwrap_or(u8::MAX)) / 255.0;
            if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
        })
    });
    let [r, g, b] = [r, g, b].map(|level| LINEAR[usize::from(level)]);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The sixteen on a dark ground.
pub(super) const DARK: [Rgb; 16] = [
    Rgb(0x7f, 0x84, 0x8e),
    Rgb(0xf2, 0x8b, 0x82),
    Rgb(0xa5, 0xd6, 0xa7),
    Rgb(0xf5, 0xd7, 0x6e),
    Rgb(0x8a, 0xb4, 0xf8),
    Rgb(0xd7, 0xae, 0xfb),
    Rgb(0x80, 0xde, 0xea),
    Rgb(0xd0, 0xd0, 0xd0),
    Rgb(0x80, 0x86, 0x8b),
    Rgb(0xff, 0x8a, 0x80),
    Rgb(0xb9, 0xf6, 0xca),
    Rgb(0xff, 0xe5, 0x7f),
    Rgb(0xa8, 0xc7, 0xfa),
    Rgb(0xe1, 0xbe, 0xe7),
    Rgb(0xa7, 0xff, 0xeb),
    Rgb(0xff, 0xff, 0xff),
];

/// The sixteen on a light ground.
pub(super) const LIGHT: [Rgb; 16] = [
    Rgb(0x20, 0x21, 0x24),
    Rgb(0xb3, 0x26, 0x1e),
    Rgb(0x1b, 0x6e, 0x2d),
    Rgb(0x7a, 0x59, 0x00),
    Rgb(0x17, 0x4e, 0xa6),
    Rgb(0x7b, 0x1f, 0xa2),
    Rgb(0x00, 0x62, 0x6b),
    Rgb(0x5f, 0x63, 0x68),
    Rgb(0x3c, 0x40, 0x43),
    Rgb(0xc5, 0x22, 0x1f),
    Rgb(0x13, 0x73, 0x33),
    Rgb(0x8a, 0x53, 0x00),
    Rgb(0x1a, 0x56, 0xc4),
    Rgb(0x8e, 0x24, 0xaa),
    Rgb(0x00, 0x70, 0x7a),
    Rgb(0x44, 0x47, 0x4a),
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

    proptest! {
        #[test]
        fn every_colour_is_legible_on_every_ground(wanted: (u8, u8, u8), behind: (u8, u8, u8)) {
            let (wanted, behind) = (Rgb(wanted.0, wanted.1, wanted.2), Rgb(behind.0, behind.1, behind.2));
            let seen = legible(wanted, behind);
            prop_assert!(contrast(seen, behind) >= 4.5 && contrast(faint(wanted, behind), behind) >= 4.5);
            prop_assert!(contrast(wanted, behind) < LEAST || seen == wanted);
        }
    }
}
