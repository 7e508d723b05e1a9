//! Colours of a terminal as CSS.

use avt::Color;

/// A colour: one of the terminal's sixteen, or a fixed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    /// The sixteen that a theme defines.
    Theme(u8),
    /// Red, green, blue.
    Fixed(u8, u8, u8),
}

/// The colour of a cell's.
pub(super) fn paint(color: Color, bold: bool) -> Paint {
    match color {
        // Bold text in one of the eight colours is bright on most terminals.
        Color::Indexed(index @ 0..8) if bold => Paint::Theme(index + 8),
        Color::Indexed(index @ 0..16) => Paint::Theme(index),
        Color::Indexed(index @ 16..232) => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            Paint::Fixed(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            Paint::Fixed(grey, grey, grey)
        }
        Color::RGB(rgb) => Paint::Fixed(rgb.r, rgb.g, rgb.b),
    }
}

/// The sixteen on a dark ground.
pub(super) const DARK: [&str; 16] = [
    "#45475a", "#f28b82", "#a5d6a7", "#f5d76e", "#8ab4f8", "#d7aefb", "#80deea", "#d0d0d0", "#80868b",
    "#ff8a80", "#b9f6ca", "#ffe57f", "#a8c7fa", "#e1bee7", "#a7ffeb", "#ffffff",
];

/// The sixteen on a light ground.
pub(super) const LIGHT: [&str; 16] = [
    "#202124", "#b3261e", "#1b6e2d", "#7a5900", "#174ea6", "#7b1fa2", "#00626b", "#5f6368", "#3c4043",
    "#c5221f", "#137333", "#8a5300", "#1a56c4", "#8e24aa", "#00707a", "#44474a",
];
