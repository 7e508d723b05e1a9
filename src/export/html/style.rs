//! The page's style sheet: a static one, and before it the colours of the two schemes.

use std::fmt::Write as _;

use crate::export::palette::{self, Behind, DARK, Ink, LIGHT, Rgb, faint, legible};
use crate::screen::Style;

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

/// Block elements, of which pictures and QR codes are made.
pub(super) fn is_block(c: char) -> bool {
    matches!(c, '\u{2580}'..='\u{259f}' | '\u{1fb00}'..='\u{1fbaf}')
}

/// The classes of the sheet and the inline style that characters of a style have; `picture` is whether they are block
/// elements.
pub(super) fn look(style: &Style, picture: bool) -> (String, String) {
    let mut classes: Vec<String> = Vec::new();
    let mut css = String::new();
    let is_faint = style.is_faint() && !picture;
    for (wanted, class) in [
        (style.is_bold(), "d"),
        (is_faint, "n"),
        (style.is_italic(), "i"),
        (style.is_underline(), "u"),
        (style.is_strikethrough(), "k"),
    ] {
        if wanted {
            classes.push(class.to_owned());
        }
    }
    let (ink, behind) = if picture { palette::picture(style) } else { palette::paints(style) };
    match behind {
        Behind::Ground => {}
        Behind::Text => classes.push("fb".to_owned()),
        Behind::Fixed(colour) => {
            let _ = write!(css, "background:{colour};");
        }
    }
    // By scheme.
    let grounds = if behind == Behind::Text { TEXTS } else { GROUNDS };
    let by_scheme = |colours: [Rgb; 2]| {
        let show = |colour, ground| if is_faint { faint(colour, ground) } else { legible(colour, ground) };
        let [light, dark] = [0, 1].map(|scheme| show(colours[scheme], grounds[scheme]));
        let scheme = if light == dark { String::new() } else { format!("color:light-dark({light},{dark});") };
        format!("color:{light};{scheme}")
    };
    match (ink, behind) {
        (Ink::Text, _) => {}
        (Ink::Ground, _) if is_faint => css.push_str(&by_scheme(GROUNDS)),
        (Ink::Ground, _) => classes.push("ff".to_owned()),
        (Ink::Theme(index), _) => classes.push(format!("f{index}")),
        (Ink::Fixed(colour), Behind::Fixed(_)) => {
            let _ = write!(css, "color:{colour};");
        }
        (Ink::Fixed(colour), _) => css.push_str(&by_scheme([colour; 2])),
    }
    (classes.join(" "), css)
}
