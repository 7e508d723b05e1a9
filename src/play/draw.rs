//! A recording's screen as the player draws it: whole, or cut where the terminal is smaller. Pure.

use std::fmt::Write as _;

use avt::{Cell, Color, Line, ScreenKind, Terminal};

use super::filter::Filter;
use super::plain::{Colors, plain};
use crate::screen::Style;

/// Undoes what would change how a drawn screen looks: margins, modes, character sets, attributes.
pub(super) const RESET: &str = "\x1b[?6l\x1b[4l\x1b[r\x1b(B\x1b)B\x0f\x1b[m";

/// Whether a terminal of this size would show something else if it got the same output. Where the screen
/// is larger, it would. Where it is smaller, that is so once a line was wrapped at its edge, and for
/// full-screen programs, which scroll at its lower edge.
pub(super) fn differs(terminal: &Terminal, (cols, rows): (usize, usize)) -> bool {
    let (wide, high) = terminal.size();
    let full_screen = terminal.active_screen_kind() == ScreenKind::Alternate;
    let wrapped = || terminal.screen().visible_lines().any(Line::is_wrapped);
    wide > cols || high > rows || (full_screen && (wide, high) != (cols, rows)) || (wide < cols && wrapped())
}

/// Draws the whole screen on a terminal that has room for it, and leaves that in the state in which the recording's is:
/// what the session prints next may follow, through `filter`.
pub(super) fn whole(terminal: &Terminal, filter: &mut Filter, colors: Colors) -> String {
    let mut state = terminal.dump();
    if terminal.active_screen_kind() == ScreenKind::Alternate {
        // Entered as it is left afterwards, so that the cursor comes back too. Where a terminal has no alternate
        // screen, the other one's text would show through.
        state = state.replacen(ALTERNATE, "\x1b[?1049h\x1b[2J", 1);
    }
    *filter = Filter::default();
    let state = plain(filter.pass(&state), colors);
    format!("\x1b[?1049l\x1b[?5l\x1b[?7h\x1b[?25h{RESET}\x1b[H\x1b[2J{state}")
}

/// How [`Terminal::dump`] goes to the alternate screen.
const ALTERNATE: &str = "\x1b[?1047h";

/// Drawn by us, but of characters that the recording chose.
fn safe(drawn: &str, colors: Colors) -> String {
    plain(Filter::default().pass(drawn), colors)
}

/// What is left to see on the screen at the end, for the lines below a prompt; nothing of a full-screen
/// program's.
pub(super) fn left(terminal: &Terminal, cols: usize, colors: Colors) -> String {
    let mut out = String::new();
    if terminal.active_screen_kind() == ScreenKind::Alternate {
        return out;
    }
    let lines: Vec<&Line> = terminal.screen().visible_lines().collect();
    let used = lines.iter().rposition(|line| !line.text().trim_end().is_empty()).map_or(0, |last| last + 1);
    for line in &lines[..used] {
        row(&mut out, line, cols);
        out.push_str("\r\n");
    }
    safe(&out, colors)
}

/// What draws the upper left of the screen, as much as `cols` and `rows` hold, and the edges of one that
/// is smaller.
pub(super) fn fitted(terminal: &Terminal, cols: usize, rows: usize, colors: Colors) -> String {
    let (wide, _) = terminal.size();
    let mut out = format!("\x1b[?2026h\x1b[?7l{RESET}");
    let lines = terminal.screen().visible_lines();
    // Where the screen is taller, its lower end is what is worked in.
    let cursor = terminal.cursor();
    let above = if cursor.row >= rows { cursor.row + 1 - rows } else { 0 };
    let mut drawn = 0;
    for (number, line) in lines.skip(above).take(rows).enumerate() {
        let _ = write!(out, "\x1b[{};1H", number + 1);
        let column = row(&mut out, line, cols);
        if column < cols {
            out.push_str("\x1b[K");
        }
        if wide < cols {
            let _ = write!(out, "\x1b[{};{}H\x1b[2m\u{2502}\x1b[m", number + 1, wide + 1);
        }
        drawn = number + 1;
    }
    if drawn < rows {
        let _ = write!(out, "\x1b[{};1H\x1b[J", drawn + 1);
        let corner = if wide < cols { "\u{2518}" } else { "" };
        let _ = write!(out, "\x1b[2m{}{corner}\x1b[m", "\u{2500}".repeat(wide.min(cols)));
    }
    let _ = write!(out, "\x1b[{};{}H", cursor.row - above + 1, cursor.col.min(cols.saturating_sub(1)) + 1);
    out.push_str(if cursor.visible { "\x1b[?25h" } else { "\x1b[?25l" });
    out.push_str("\x1b[?2026l");
    safe(&out, colors)
}

/// Draws a row up to a column; says how many columns it took.
fn row(out: &mut String, line: &Line, cols: usize) -> usize {
    let mut last = Style::default();
    let mut column = 0;
    let blank = |cell: &Cell| cell.char() == ' ' && *cell.pen() == Style::default();
    let used = line.cells().iter().rposition(|cell| !blank(cell)).map_or(0, |last| last + 1);
    for cell in &line.cells()[..used] {
        let width = usize::from(cell.width());
        if width == 0 {
            continue;
        }
        if column + width > cols {
            break;
        }
        if *cell.pen() != last {
            last = *cell.pen();
            style(out, &last);
        }
        out.push(cell.char());
        column += width;
    }
    out.push_str("\x1b[m");
    column
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
    fn a_larger_terminal_shows_the_same_until_edges_matter() {
        let mut recorded = Terminal::new(20, 6).expect("a size");
        recorded.feed("one\r\ntwo");
        assert!(!differs(&recorded, (20, 6)) && !differs(&recorded, (30, 10)));
        assert!(differs(&recorded, (19, 6)) && differs(&recorded, (20, 5)));
        recorded.feed("01234567890123456789");
        assert!(differs(&recorded, (30, 10)) && !differs(&recorded, (20, 10)));
        let mut recorded = Terminal::new(20, 6).expect("a size");
        recorded.feed("\x1b[?1049h");
        assert!(differs(&recorded, (20, 10)) && !differs(&recorded, (20, 6)));
    }

    #[test]
    fn a_smaller_screen_is_drawn_with_its_edges() {
        let mut recorded = Terminal::new(4, 2).expect("a size");
        recorded.feed("ab\r\ncd");
        let mut shown = Terminal::new(8, 4).expect("a size");
        shown.feed("\x1b[2;3r\x1b[?6h\x1b[4h########");
        shown.feed(fitted(&recorded, 8, 4, Colors::Palette));
        let text: Vec<String> =
            shown.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect();
        assert_eq!(text, ["ab  \u{2502}", "cd  \u{2502}", "\u{2500}\u{2500}\u{2500}\u{2500}\u{2518}", ""]);
        assert_eq!(left(&recorded, 8, Colors::Palette), "ab\x1b[0m\r\ncd\x1b[0m\r\n");
        recorded.feed("\x1b[?1049hpage");
        assert_eq!(left(&recorded, 8, Colors::Palette), "");
    }

    #[test]
    fn what_does_not_fit_is_cut_and_the_cursors_row_is_seen() {
        let mut recorded = Terminal::new(20, 6).expect("a size");
        recorded.feed("0123456789abcdef\r\n\x1b[31mred\x1b[m\r\nthree\r\nfour\r\nfive");
        let mut shown = Terminal::new(8, 3).expect("a size");
        shown.feed(fitted(&recorded, 8, 3, Colors::Palette));
        let text: Vec<String> =
            shown.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect();
        assert_eq!(text, ["three", "four", "five"]);
        recorded.feed("\x1b[H");
        shown.feed(fitted(&recorded, 8, 3, Colors::Palette));
        let text: Vec<String> =
            shown.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect();
        assert_eq!(text, ["01234567", "red", "three"]);
        assert_eq!(
            shown.screen().line(1).expect("a row").cells()[0].pen().foreground(),
            Some(Color::Indexed(1))
        );
    }
}
