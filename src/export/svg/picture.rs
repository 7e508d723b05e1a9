//! The document: a style sheet that moves each row, the rows that there are, and what each row shows in turn. Pure.

use std::fmt::Write as _;

use super::row::{CURSORS, GROUNDS, HEIGHT, TEXTS, WIDTH, fill, x, y};
use super::{Film, Theme, markup};
use crate::export::palette::{DARK, LIGHT};

/// The space around the screen.
const PADDING: f64 = 12.0;

/// The picture of all frames. `size` is that of the largest screen, in columns and rows; `length` is in microseconds.
pub(super) fn draw(
    title: &str,
    (cols, lines): (usize, usize),
    film: &Film,
    length: u64,
    notes: &[String],
) -> String {
    let Film { theme, frames, rows, .. } = film;
    let (width, height) = (x(cols) + 2.0 * PADDING, y(lines) + 2.0 * PADDING);
    let title = markup(title);
    let seconds = crate::recording::seconds(length);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\" aria-labelledby=\"t\">\n<title id=\"t\">{title}</title>\n<style>\n\
         svg{{font:14px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}}text{{white-space:pre}}\n"
    );
    if *theme == Theme::Auto {
        out.push_str(&variables());
    }
    // From the first frame on, so that there is something to see from the start.
    let start = frames[0].time;
    let time = Time { start, span: length - start };
    let mut body = String::new();
    for row in 0..lines {
        // What the row shows, and from when on.
        let mut shown: Vec<(u64, Option<usize>)> = Vec::new();
        for frame in frames {
            let number = frame.rows.get(row).copied().filter(|&number| rows.drawn[number].elements > 0);
            if shown.last().is_none_or(|&(_, last)| last != number) {
                shown.push((frame.time, number));
            }
        }
        let moved = shown.len() > 1;
        if moved {
            time.animate(
                &mut out,
                &format!("r{row}"),
                (0..).zip(&shown).map(|(index, &(from, _))| (from, x((cols + 1) * index), 0.0)),
            );
            let _ = write!(body, "<g id=\"r{row}\">");
        }
        for (index, number) in (0..).zip(&shown).filter_map(|(index, &(_, number))| Some((index, number?))) {
            let _ = write!(
                body,
                "<use href=\"#d{number}\" x=\"{:.1}\" y=\"{:.1}\"/>",
                x((cols + 1) * index),
                y(row)
            );
        }
        body.push_str(if moved { "</g>\n" } else { "\n" });
    }
    let mut cursors: Vec<(u64, Option<(usize, usize)>)> = Vec::new();
    for frame in frames {
        if cursors.last().is_none_or(|&(_, last)| last != frame.cursor) {
            cursors.push((frame.time, frame.cursor));
        }
    }
    // One that is not seen is outside of the window.
    let places = cursors.iter().map(|&(from, cursor)| {
        let (column, row) = cursor.map_or((cols + 1, 0), |(column, row)| (column.min(cols - 1), row));
        (from, -x(column), -y(row))
    });
    time.animate(&mut out, "cursor", places);
    let notes = notes.iter().fold(String::new(), |all, note| all + " Note: " + &markup(note) + ".");
    let _ = write!(
        out,
        "@media (prefers-reduced-motion:reduce){{g,rect{{animation:none!important}}}}\n\
         </style>\n<desc>A terminal session of {seconds:.1} seconds.{notes}</desc>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\"{}/>\n<defs>\n",
        fill(GROUNDS.map(|ground| ground.to_string()), Some("cb"), *theme)
    );
    for (number, row) in rows.drawn.iter().enumerate().filter(|(_, row)| row.elements > 0) {
        let _ = writeln!(out, "<g id=\"d{number}\">{}</g>", row.text);
    }
    let _ = write!(
        out,
        "</defs>\n<svg x=\"{PADDING}\" y=\"{PADDING}\" width=\"{:.1}\" height=\"{:.1}\">\n\
         <rect id=\"cursor\" width=\"{WIDTH}\" height=\"{HEIGHT}\"{}/>\n<g{}>\n",
        x(cols),
        y(lines),
        fill(CURSORS.map(|cursor| cursor.to_string()), Some("cc"), *theme),
        fill(TEXTS.map(|text| text.to_string()), Some("cf"), *theme)
    );
    out + &body + "</g>\n</svg>\n</svg>\n"
}

/// When the animation begins, and how long it is, in microseconds.
struct Time {
    start: u64,
    span: u64,
}

impl Time {
    /// The rules that move an element left and up, by these pixels from each of these times on. Where the reader
    /// wants no motion it is where it is in the end.
    fn animate(&self, out: &mut String, id: &str, places: impl Iterator<Item = (u64, f64, f64)>) {
        let span = crate::recording::seconds(self.span);
        let mut keys = String::new();
        let mut last = String::new();
        for (from, left, up) in places {
            let at = crate::recording::seconds(from - self.start) / span * 100.0;
            last = format!("translate({:.1}px,{:.1}px)", -left, -up);
            let _ = write!(keys, "{at:.5}%{{transform:{last}}}");
        }
        let _ = writeln!(
            out,
            "@keyframes {id}{{{keys}100%{{transform:{last}}}}}\n#{id}{{transform:{last};animation:{id} {span:.3}s step-end infinite}}"
        );
    }
}

/// The definitions of the theme's colours.
fn variables() -> String {
    let mut css = "svg{color-scheme:light dark".to_owned();
    let both = [(TEXTS[0], GROUNDS[0], CURSORS[0], LIGHT), (TEXTS[1], GROUNDS[1], CURSORS[1], DARK)];
    for (scheme, (text, ground, cursor, sixteen)) in both.into_iter().enumerate() {
        if scheme == 1 {
            css.push_str("}\n@media (prefers-color-scheme:dark){svg{");
        }
        let _ = write!(css, ";--cf:{text};--cb:{ground};--cc:{cursor}");
        for (index, colour) in sixteen.iter().enumerate() {
            let _ = write!(css, ";--c{index}:{colour}");
        }
    }
    css.push_str("}}\n");
    let numbers = (0..16).map(|index| index.to_string());
    for name in ["f", "b", "c"].map(str::to_owned).into_iter().chain(numbers) {
        let _ = write!(css, ".c{name}{{fill:var(--c{name})}}");
    }
    css + "\n"
}
