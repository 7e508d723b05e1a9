//! Columns of text, as wide as they need to be. Texts are escaped by the caller.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::style::{BOLD, paint};

/// Rows under a heading; the last column is as long as it is.
pub(super) fn columns<const N: usize>(heading: [&str; N], rows: &[[String; N]], color: bool) -> String {
    let mut widths = heading.map(str::len);
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    let push = |out: &mut String, cells: [&str; N]| {
        for (index, (cell, column)) in cells.into_iter().zip(widths).enumerate() {
            out.push_str(cell);
            if index + 1 < N {
                out.extend(std::iter::repeat_n(' ', column - width(cell) + 2));
            }
        }
    };
    let mut first = String::new();
    push(&mut first, heading);
    let mut out = paint(color, BOLD, &first) + "\n";
    for row in rows {
        push(&mut out, row.each_ref().map(String::as_str));
        out.push('\n');
    }
    out
}

/// A text of at most `most` columns; one that is cut ends in `…`.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let fits = |c: &char| match room.checked_sub(c.width().unwrap_or(0)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The width of a text; that of most is their length.
fn width(text: &str) -> usize {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) { text.len() } else { text.width() }
}
