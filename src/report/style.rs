//! The colours. Text is the same with and without them.

pub(super) const BOLD: &str = "\x1b[1m";
pub(super) const RED: &str = "\x1b[1;31m";
pub(super) const GREEN: &str = "\x1b[32m";
pub(super) const YELLOW: &str = "\x1b[33m";
pub(super) const BLUE: &str = "\x1b[1;34m";
pub(super) const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// The text in a style, if colour is wanted.
pub(super) fn paint(color: bool, style: &str, text: &str) -> String {
    if color { format!("{style}{text}{RESET}") } else { text.to_owned() }
}
