//! A screen drawn on a terminal of another size: cut where it does not fit. Pure.

use std::fmt::Write as _;

use avt::{Color, Terminal};

use crate::screen::Style;

/// What draws the upper left of the screen, as much as `cols` and `rows` hold.
pub(super) fn fitted(terminal: &Terminal, cols: usize, rows: usize) -> String {
    let mut out = "\x1b[?2026h\x1b[?7l\x1b[m".to_owned();
    let lines = terminal.screen().visible_lines();
    // Where the screen is taller, its lower end is what is worked in.
    let cursor = terminal.cursor();
    let above = if cursor.row >= rows { cursor.row + 1 - rows } else { 0 };
    let mut drawn = 0;
    for (row, line) in lines.skip(above).take(rows).enumerate() {
        let _ = write!(out, "\x1b[{};1H", row + 1);
        let mut last = Style::default();
        let mut column = 0;
        for cell in line.cells() {
            let width = usize::from(cell.width());
            if width == 0 {
                continue;
            }
            if column + width > cols {
                break;
            }
            if *cell.pen() != last {
                last = *cell.pen();
                style(&mut out, &last);
            }
            out.push(cell.char());
            column += width;
        }
        out.push_str("\x1b[m");
        if column < cols {
            out.push_str("\x1b[K");
        }
        drawn = row + 1;
    }
    if drawn < rows {
        out.push_str("\x1b[m\x1b[J");
    }
    let _ = write!(out, "\x1b[{};{}H", cursor.row - above + 1, cursor.col.min(cols.saturating_sub(1)) + 1);
    out.push_str(if cursor.visible { "\x1b[?25h" } else { "\x1b[?25l" });
    out + "\x1b[?2026l"
}

fn style(out: &mut String, style: &Style) {
    out.push_str("\x1b[0");
    for (wanted, code) in [
        (style.is_bold(), 1),
        (style.is_faint(), 2),
        (style.is_italic(), 3),
        (style.is_underline(), 4),
        (style.is_blink(), 5),
        (style.is_inverse(), 7),
        (style.is_strikethrough(), 9),
    ] {
        if wanted {
            let _ = write!(out, ";{code}");
        }
    }
    for (color, base) in [(style.foreground(), 38), (style.background(), 48)] {
        let _ = match color {
            Some(Color::Indexed(index)) => write!(out, ";{base};5;{index}"),
            Some(Color::RGB(rgb)) => write!(out, ";{base};2;{};{};{}", rgb.r, rgb.g, rgb.b),
            None => Ok(()),
        };
    }
    out.push('m');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_and_the_cursors_row_is_seen() {
        let mut recorded = Terminal::new(20, 6).expect("a size");
        recorded.feed("0123456789abcdef\r\n\x1b[31mred\x1b[m\r\nthree\r\nfour\r\nfive");
        let mut shown = Terminal::new(8, 3).expect("a size");
        shown.feed(fitted(&recorded, 8, 3));
        let text: Vec<String> =
            shown.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect();
        assert_eq!(text, ["three", "four", "five"]);
        recorded.feed("\x1b[H");
        shown.feed(fitted(&recorded, 8, 3));
        let text: Vec<String> =
            shown.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect();
        assert_eq!(text, ["01234567", "red", "three"]);
        assert_eq!(
            shown.screen().line(1).expect("a row").cells()[0].pen().foreground(),
            Some(Color::Indexed(1))
        );
    }
}
