//! The page's style sheet. Static but for the colours of the themes.

use std::fmt::Write as _;

use crate::export::palette::{Behind, DARK, Ink, LIGHT, Rgb, legible, paints};
use crate::screen::Style;

/// The grounds of the light and of the dark page, and their colours of text.
pub(super) const GROUNDS: [Rgb; 2] = [Rgb(0xff, 0xff, 0xff), Rgb(0x16, 0x18, 0x1c)];
pub(super) const TEXTS: [Rgb; 2] = [Rgb(0x20, 0x21, 0x24), Rgb(0xe0, 0xe0, 0xe0)];

/// The sheet.
pub(super) fn sheet() -> String {
    let mut colours = [String::new(), String::new()];
    for (theme, colours) in [LIGHT, DARK].iter().zip(&mut colours) {
        for (index, colour) in theme.iter().enumerate() {
            let _ = write!(colours, "--c{index}:{colour};");
        }
    }
    let mut classes = String::new();
    for index in 0..16 {
        let _ = write!(classes, ".f{index}{{color:var(--c{index})}}");
    }
    let [light, dark] = colours;
    format!(
        ":root{{color-scheme:light dark;--fg:#202124;--bg:#fff;--dim:#5f6368;--line:#dadce0;--hit:#fff3c4;--link:#174ea6;{light}}}\n\
         @media (prefers-color-scheme:dark){{:root{{--fg:#e0e0e0;--bg:#16181c;--dim:#a0a5ab;--line:#3c4043;--hit:#4a3f00;--link:#a8c7fa;{dark}}}}}\n\
         body{{margin:0 auto;max-width:120ch;padding:1rem;background:var(--bg);color:var(--fg);font:1rem/1.5 system-ui,sans-serif}}\n\
         a{{color:var(--link)}}h1{{font-size:1.4rem}}h2{{font-size:1.1rem;border-bottom:1px solid var(--line)}}\n\
         dl{{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}}dt{{color:var(--dim)}}dd{{margin:0;overflow-wrap:anywhere}}\n\
         table{{border-collapse:collapse}}caption{{text-align:left;color:var(--dim)}}th,td{{text-align:left;padding:.1rem 1rem .1rem 0;vertical-align:top}}td:last-child{{overflow-wrap:anywhere}}td:not(:last-child){{white-space:nowrap}}code,.t{{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.875rem}}\n\
         .t{{line-height:1.35;overflow-x:auto}}.l{{display:flex;white-space:pre}}.l:target{{background:var(--hit)}}\n\
         .l>a{{flex:none;width:12ch;color:var(--dim);text-decoration:none;user-select:none;-webkit-user-select:none}}.l>a:focus,.l>a:hover{{text-decoration:underline}}\n\
         .l>span{{min-height:1.35em}}.s{{border-left:3px solid var(--line);padding-left:.5ch}}.e{{color:var(--dim);margin:.3rem 0 0 12ch;font-style:italic}}\n\
         .d{{font-weight:bold}}.n{{opacity:.75}}.i{{font-style:italic}}.u{{text-decoration:underline}}.k{{text-decoration:line-through}}.u.k{{text-decoration:underline line-through}}\n\
         .ff{{color:var(--bg)}}.fb{{background:var(--fg)}}{classes}\n\
         .skip{{position:absolute;left:-999em}}.skip:focus{{position:static}}\n"
    )
}

/// The classes of the sheet and the inline style that characters of a style have.
pub(super) fn look(style: &Style) -> (String, String) {
    let mut classes: Vec<String> = Vec::new();
    let mut css = String::new();
    for (wanted, class) in [
        (style.is_bold(), "d"),
        (style.is_faint(), "n"),
        (style.is_italic(), "i"),
        (style.is_underline(), "u"),
        (style.is_strikethrough(), "k"),
    ] {
        if wanted {
            classes.push(class.to_owned());
        }
    }
    let (ink, behind) = paints(style);
    match behind {
        Behind::Ground => {}
        Behind::Text => classes.push("fb".to_owned()),
        Behind::Fixed(colour) => {
            let _ = write!(css, "background:{colour};");
        }
    }
    match (ink, behind) {
        (Ink::Text, _) => {}
        (Ink::Ground, _) => classes.push("ff".to_owned()),
        (Ink::Theme(index), _) => classes.push(format!("f{index}")),
        (Ink::Fixed(colour), Behind::Fixed(_)) => {
            let _ = write!(css, "color:{colour};");
        }
        (Ink::Fixed(colour), behind) => {
            let grounds = if behind == Behind::Text { TEXTS } else { GROUNDS };
            let [light, dark] = grounds.map(|ground| legible(colour, ground));
            let _ = write!(css, "color:{light};");
            if light != dark {
                let _ = write!(css, "color:light-dark({light},{dark});");
            }
        }
    }
    (classes.join(" "), css)
}
