//! A row of the screen as elements of a picture, and the colours of those. Pure.

use std::fmt::Write as _;
use std::sync::Arc;

use avt::Line;

use super::{Theme, markup};
use crate::export::palette::{Behind, DARK, Ink, LIGHT, Rgb, legible, paints};
use crate::screen::Style;

/// How many styles before it in a row a style may join.
const MAX_LAYERS: usize = 64;

/// A character's cell.
pub(super) const WIDTH: f64 = 8.4;
pub(super) const HEIGHT: f64 = 18.0;

/// The colours of text, of the ground and of the cursor, light and dark.
pub(super) const TEXTS: [Rgb; 2] = [Rgb(0x20, 0x21, 0x24), Rgb(0xe0, 0xe0, 0xe0)];
pub(super) const GROUNDS: [Rgb; 2] = [Rgb(0xff, 0xff, 0xff), Rgb(0x16, 0x18, 0x1c)];
pub(super) const CURSORS: [Rgb; 2] = [Rgb(0x9a, 0xa0, 0xa6), Rgb(0x5f, 0x63, 0x68)];

/// A row as it is drawn.
#[derive(Clone)]
pub(super) struct Drawn {
    pub(super) text: Arc<str>,
    /// How many elements it has.
    pub(super) elements: usize,
}

#[expect(clippy::cast_precision_loss, reason = "columns are few")]
pub(super) fn x(column: usize) -> f64 {
    column as f64 * WIDTH
}

#[expect(clippy::cast_precision_loss, reason = "rows are few")]
pub(super) fn y(row: usize) -> f64 {
    row as f64 * HEIGHT
}

/// What looks alike in a row.
struct Layer {
    style: Style,
    /// Whether its characters are two columns wide.
    wide: bool,
    /// Its columns: from the first one to the one after the last one.
    from: usize,
    end: usize,
    /// Its characters, with blanks between them, or without and then the column of each.
    text: String,
    columns: Vec<usize>,
    /// The outlines of its ground.
    ground: String,
}

/// A row of cells: grounds, and above them text, as one element for each style.
pub(super) fn draw_row(line: &Line, theme: Theme) -> Drawn {
    let mut layers: Vec<Layer> = Vec::new();
    let cells = line.cells();
    let mut at = 0;
    while at < cells.len() {
        let (style, width) = (*cells[at].pen(), usize::from(cells[at].width().max(1)));
        let wide = width == 2;
        let mut end = at + width;
        let mut run = String::from(cells[at].char());
        // A wide character has a place of its own, so that the others keep their columns.
        while !wide && end < cells.len() && *cells[end].pen() == style && cells[end].width() == 1 {
            run.push(cells[end].char());
            end += 1;
        }
        // Blanks of lines through or under text are seen.
        let decorated = style.is_underline() || style.is_strikethrough();
        let known = layers
            .iter_mut()
            .rev()
            .take(MAX_LAYERS)
            .find(|layer| layer.style == style && layer.wide == wide && !decorated);
        match known {
            Some(layer) => layer.push(at, end, &run),
            None => layers.push(Layer::new(style, wide, at, end, &run)),
        }
        at = end;
    }
    let (mut ground, mut text) = (String::new(), String::new());
    let mut elements = 0;
    for layer in layers {
        let (fore, back) = colours(&layer.style, theme);
        if let Some(back) = back {
            elements += 1;
            let _ = write!(ground, "<path d=\"{}\"{back}/>", layer.ground);
        }
        if let Some(place) = layer.place() {
            elements += 1;
            let shown = markup(layer.text.trim());
            let _ = write!(text, "<text y=\"13.5\"{place}{fore}{}>{shown}</text>", attributes(&layer.style));
        }
    }
    Drawn { text: (ground + &text).into(), elements }
}

impl Layer {
    fn new(style: Style, wide: bool, from: usize, end: usize, run: &str) -> Self {
        let (text, columns, ground) = (String::new(), Vec::new(), String::new());
        let mut layer = Self { style, wide, from, end: from, text, columns, ground };
        layer.push(from, end, run);
        layer
    }

    /// Adds a run at its right.
    fn push(&mut self, from: usize, end: usize, run: &str) {
        if self.wide {
            self.columns.push(from);
        } else {
            self.text.extend(std::iter::repeat_n(' ', from - self.end));
        }
        self.text.push_str(run);
        self.end = end;
        let width = x(end - from);
        let _ = write!(self.ground, "M{:.1} 0h{width:.1}v{HEIGHT}h-{width:.1}z", x(from));
    }

    /// The attributes of the place of its text, without the blanks around it; nothing if there are only blanks.
    fn place(&self) -> Option<String> {
        let trimmed = self.text.trim();
        if trimmed.is_empty() {
            return None;
        }
        if self.wide {
            let columns: Vec<String> =
                self.columns.iter().map(|&column| format!("{:.1}", x(column))).collect();
            return Some(format!(" x=\"{}\"", columns.join(" ")));
        }
        let leading = self.text.chars().count() - self.text.trim_start().chars().count();
        let (from, columns) = (self.from + leading, trimmed.chars().count());
        Some(format!(" x=\"{:.1}\" textLength=\"{:.1}\"", x(from), x(columns)))
    }
}

/// A row as one text.
pub(super) fn draw_plain(line: &Line) -> Drawn {
    let cells = line.cells();
    let used = cells.iter().rposition(|cell| cell.char() != ' ').map_or(0, |last| last + 1);
    if used == 0 {
        return Drawn { text: "".into(), elements: 0 };
    }
    let text: String = cells[..used].iter().filter(|cell| cell.width() > 0).map(avt::Cell::char).collect();
    let text = format!("<text y=\"13.5\" textLength=\"{:.1}\">{}</text>", x(used), markup(&text));
    Drawn { text: text.into(), elements: 1 }
}

/// The attributes for one colour, which has this class where it is the theme's, on a light and on a dark ground.
pub(super) fn fill([light, dark]: [String; 2], class: Option<&str>, theme: Theme) -> String {
    match (theme, class) {
        (Theme::Light, _) => format!(" fill=\"{light}\""),
        (Theme::Dark, _) => format!(" fill=\"{dark}\""),
        // Viewers that don't know variables or light-dark() show the light one.
        (Theme::Auto, Some(class)) => format!(" class=\"{class}\" fill=\"{light}\""),
        (Theme::Auto, None) if light == dark => format!(" fill=\"{light}\""),
        (Theme::Auto, None) => format!(" fill=\"{light}\" style=\"fill:light-dark({light},{dark})\""),
    }
}

/// Attributes of the text, empty for the default, and of the ground where it isn't the default.
fn colours(style: &Style, theme: Theme) -> (String, Option<String>) {
    let (ink, behind) = paints(style);
    let both = |colour: Rgb| [colour.to_string(), colour.to_string()];
    let (back, grounds) = match behind {
        Behind::Ground => (None, GROUNDS),
        Behind::Text => (Some(fill(TEXTS.map(|text| text.to_string()), Some("cf"), theme)), TEXTS),
        Behind::Fixed(colour) => (Some(fill(both(colour), None, theme)), [colour, colour]),
    };
    let fore = match ink {
        Ink::Text => String::new(),
        Ink::Ground => fill(GROUNDS.map(|ground| ground.to_string()), Some("cb"), theme),
        Ink::Theme(index) => {
            let both = [LIGHT, DARK].map(|theme| theme[usize::from(index) % theme.len()].to_string());
            fill(both, Some(&format!("c{index}")), theme)
        }
        Ink::Fixed(colour) => fill(grounds.map(|ground| legible(colour, ground).to_string()), None, theme),
    };
    (fore, back)
}

fn attributes(style: &Style) -> String {
    let mut out = String::new();
    if style.is_bold() {
        out.push_str(" font-weight=\"bold\"");
    }
    if style.is_faint() {
        out.push_str(" opacity=\"0.7\"");
    }
    if style.is_italic() {
        out.push_str(" font-style=\"italic\"");
    }
    match (style.is_underline(), style.is_strikethrough()) {
        (true, true) => out.push_str(" text-decoration=\"underline line-through\""),
        (true, false) => out.push_str(" text-decoration=\"underline\""),
        (false, true) => out.push_str(" text-decoration=\"line-through\""),
        (false, false) => {}
    }
    out
}
