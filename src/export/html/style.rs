//! The page's style sheet: a static one, and before it the colours of the two schemes.

use std::fmt::Write as _;

use crate::export::palette::{DARK, LIGHT, Rgb, faint};

/// The grounds of the light and of the dark page, and their colours of text.
pub(super) const GROUNDS: [Rgb; 2] = [Rgb(0xff, 0xff, 0xff), Rgb(0x16, 0x18, 0x1c)];
pub(super) const TEXTS: [Rgb; 2] = [Rgb(0x20, 0x21, 0x24), Rgb(0xe0, 0xe0, 0xe0)];

/// Colours of the page itself, in both schemes.
const COLOURS: [(&str, &str, &str); 9] = [
    ("dim", "#5f6368", "#a0a5ab"),
    ("line", "#dadce0", "#3c4043"),
    ("link", "#174ea6", "#a8c7fa"),
    ("good", "#0d5025", "#a5d6a7"),
    ("good-bg", "#e6f4ea", "#16301f"),
    ("warn", "#6b4400", "#ffe57f"),
    ("warn-bg", "#fef3d6", "#3a2f08"),
    ("bad", "#8c1d18", "#ffb4ab"),
    ("bad-bg", "#fce8e6", "#4a1512"),
];

/// The sheet.
pub(super) fn sheet() -> String {
    let [light, dark] = [0, 1].map(variables);
    let mut sheet = format!(
        ":root {{ color-scheme: light dark; {light}}}\n\
         @media screen and (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n"
    );
    sheet.push_str(include_str!("style.css"));
    for index in 0..LIGHT.len() {
        let _ = writeln!(
            sheet,
            ".f{index} {{ color: var(--c{index}) }} .n.f{index} {{ color: var(--n{index}) }}"
        );
    }
    sheet
}

/// The definitions of the light scheme (0) or the dark one (1).
fn variables(scheme: usize) -> String {
    let mut css = format!("--fg: {}; --bg: {}; ", TEXTS[scheme], GROUNDS[scheme]);
    for (name, light, dark) in COLOURS {
        let _ = write!(css, "--{name}: {}; ", [light, dark][scheme]);
    }
    for (index, colour) in [LIGHT, DARK][scheme].iter().enumerate() {
        let _ = write!(css, "--c{index}: {colour}; --n{index}: {}; ", faint(*colour, GROUNDS[scheme]));
    }
    css
}
