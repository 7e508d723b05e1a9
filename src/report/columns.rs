//! Columns of text, as wide as they need to be. Texts are escaped by the caller.

use unicode_width::UnicodeWidthStr as _;

use super::style::{BOLD, paint};

/// Rows under a heading; the last column is as long as it is.
pub(super) fn columns<const N: usize>(heading: [&str; N], rows: &[[String; N]], color: bool) -> String {
    let mut widths = heading.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for (index, (cell, width)) in cells.into_iter().zip(widths).enumerate() {
            line.push_str(cell);
            if index + 1 < N {
                line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
        }
        line
    };
    let mut out = paint(color, BOLD, &line(heading)) + "\n";
    for row in rows {
        out.push_str(&line(row.each_ref().map(String::as_str)));
        out.push('\n');
    }
    out
}
