//! What `--fix` would change, as a unified diff that `patch` and `git apply` take. On a terminal it
//! is coloured.

use std::fmt::Write as _;

use similar::TextDiff;

use crate::escape;
use crate::lint::Repair;
use crate::report::style::{BOLD, GREEN, RED, paint};

/// The diffs of all files; `path` makes the path of a file's name.
#[must_use]
pub fn diff(repairs: &[Repair], color: bool, path: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    for repair in repairs {
        let name = path(&repair.file);
        let (old, new) = (quoted("a/", &name), quoted("b/", &name));
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

/// A file's name as git writes it: in quotes, with the escapes of C, if it holds what would end it or
/// drive a terminal.
fn quoted(prefix: &str, name: &str) -> String {
    let name = name.trim_start_matches('/');
    if escape::controls(name) == name && !name.contains(['"', '\\']) {
        // What follows a tab is no part of the name, so a blank in it does not end it.
        return format!("{prefix}{name}{}", if name.contains(' ') { "\t" } else { "" });
    }
    let mut out = format!("\"{prefix}");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out + "\""
}
