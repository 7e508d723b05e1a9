//! What `--fix` would change, as a unified diff that `patch` and `git apply` take. On a terminal it
//! is coloured.

use std::fmt::Write as _;

use similar::TextDiff;

use crate::escape;
use crate::lint::Repair;
use crate::report::style::{BOLD, GREEN, RED, paint};

/// The diffs of all files.
#[must_use]
pub fn diff(repairs: &[Repair], color: bool) -> String {
    let mut out = String::new();
    for repair in repairs {
        let name = escape::controls(&repair.file);
        let (old, new) = (format!("a/{name}"), format!("b/{name}"));
        let text =
            TextDiff::from_lines(&repair.before, &repair.after).unified_diff().header(&old, &new).to_string();
        for line in text.split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            let style = match line.as_bytes() {
                [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => BOLD,
                [b'-', ..] => RED,
                [b'+', ..] => GREEN,
                _ => "",
            };
            // A carriage return is part of the line, and a patch without it would not fit.
            let (body, cr) = line.strip_suffix('\r').map_or((line, ""), |line| (line, "\r"));
            let body = body.split('\t').map(escape::controls).collect::<Vec<_>>().join("\t");
            let _ = write!(out, "{}{cr}{end}", paint(color && !style.is_empty(), style, &body));
        }
    }
    out
}
