//! A source line under its number, and marks under the span. What comes from the file is made safe.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::style::{BLUE, paint};
use crate::escape;
use crate::roles::Mark;

/// Adds the line, and under the span the mark's style and character. `margin`: the width of the
/// numbers' column.
pub(super) fn line(out: &mut String, mark: &Mark, margin: usize, (style, sign): (&str, char), color: bool) {
    let excerpt = &mark.excerpt;
    let (start, end) = (excerpt.span.0 as usize, excerpt.span.1 as usize);
    let (Some(before), Some(span), Some(after)) =
        (excerpt.text.get(..start), excerpt.text.get(start..end), excerpt.text.get(end..))
    else {
        return;
    };
    let (before, span, after) = (line_text(before), line_text(span), line_text(after));
    let number = format!("{:>margin$}", mark.line);
    let blank = " ".repeat(number.len());
    let (left, right) = (if excerpt.cut_before { "…" } else { "" }, if excerpt.cut_after { "…" } else { "" });
    let indent = " ".repeat(width(&before) + width(left));
    let carets = sign.to_string().repeat(width(span.trim_end()).max(1));
    let bar = paint(color, BLUE, "|");
    let text = format!("{left}{before}{span}{}{right}", after.trim_end());
    let _ = writeln!(out, "{} {bar} {text}", paint(color, BLUE, &number));
    let _ = writeln!(out, "{blank} {bar} {indent}{}", paint(color, style, &carets));
}

/// Tabs as blanks and everything unsafe spelt out, so that what is printed has a known width.
fn line_text(text: &str) -> String {
    escape::controls(&text.replace('\t', "    "))
}

fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}
