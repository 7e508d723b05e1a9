//! The matrix for people: the weakest cell of each row is marked with `!`, and said with its cause
//! in the last column; what an answer leaves out stands below.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::escape;
use crate::holders::Row;
use crate::policy::{SessionKind, Standing};
use crate::report::style::{BOLD, GREEN, RED, YELLOW, paint};

/// A name is cut at so many characters, so that no one name breaks the table.
const MAX_NAME: usize = 60;

pub(super) fn table(rows: &[Row], kinds: &[SessionKind], with_requests: bool, color: bool) -> String {
    let names: Vec<_> = rows.iter().map(|row| name(&row.holder.name)).collect();
    let name_width = names.iter().map(|name| name.width()).max().unwrap_or(0).max("NAME".len());
    let kind_width =
        rows.iter().map(|row| row.holder.kind.name().len()).max().unwrap_or(0).max("HOLDER".len());
    let with_sets = super::has_sets(rows);
    let sets: Vec<_> = rows.iter().map(|row| name(&row.holder.set.to_string())).collect();
    let set_width = sets.iter().map(|set| set.width()).max().unwrap_or(0).max("SET".len());
    let mut out = String::new();
    let mut heading = format!("{:kind_width$}  {:name_width$}", "HOLDER", "NAME");
    if with_sets {
        let _ = write!(heading, "  {:set_width$}", "SET");
    }
    for kind in kinds {
        let _ = write!(heading, "  {:13}", kind.name().to_uppercase());
    }
    let _ = writeln!(out, "{}", paint(color, BOLD, &(heading + "  WEAKEST")));
    for ((row, name), set) in rows.iter().zip(&names).zip(&sets) {
        let pad = " ".repeat(name_width - name.width());
        let _ = write!(out, "{:kind_width$}  {name}{pad}", row.holder.kind.name());
        if with_sets {
            let _ = write!(out, "  {set}{}", " ".repeat(set_width - set.width()));
        }
        let weakest = row.weakest();
        for cell in &row.cells {
            let is_weakest = weakest.is_some_and(|weakest| std::ptr::eq(weakest, cell));
            let mark = if is_weakest { "!" } else { "" };
            let style = match cell.answer.standing() {
                Standing::Unrecorded => RED,
                Standing::BestEffort => YELLOW,
                Standing::NoMode => "",
                Standing::Strict => GREEN,
            };
            let word = format!("{:13}", format!("{}{mark}", super::word(row, &cell.answer)));
            let _ = write!(out, "  {}", paint(color && !style.is_empty(), style, &word));
        }
        let weakest = match weakest {
            Some(cell) => super::weakest(row, cell),
            None if row.is_idle() && row.holder.without_document => "no role is known".to_owned(),
            None if row.is_idle() => "holds no role".to_owned(),
            None => "-".to_owned(),
        };
        let _ = writeln!(out, "  {weakest}");
    }
    let notes = notes(rows, with_requests);
    if !notes.is_empty() {
        let _ = write!(out, "\nNot counted above:\n{notes}");
    }
    out
}

/// What the answers leave out, a line each.
fn notes(rows: &[Row], with_requests: bool) -> String {
    let mut out = String::new();
    for row in rows {
        let set = if row.holder.set.is_default() { String::new() } else { format!(" [{}]", row.holder.set) };
        let who = format!("{} {}{}", row.holder.kind.name(), name(&row.holder.name), name(&set));
        if row.holder.without_document {
            let _ = writeln!(out, "- {who}: no user document was read, only access lists");
        }
        for unknown in row.unknown(with_requests) {
            let _ = writeln!(out, "- {who}: {}", escape::controls(&unknown.to_string()));
        }
    }
    out
}

/// A holder's name, safe to print and not too long.
fn name(name: &str) -> String {
    let safe = escape::controls(name);
    match safe.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe,
    }
}
