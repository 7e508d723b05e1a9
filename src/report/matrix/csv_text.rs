//! The matrix as CSV. A text that a spreadsheet would take for a formula gets an apostrophe in
//! front, as OWASP advises; control characters are spelt out.

use csv::{Terminator, WriterBuilder};

use crate::escape;
use crate::holders::Row;
use crate::policy::SessionKind;

pub(super) fn csv(rows: &[Row], kinds: &[SessionKind], with_requests: bool) -> Result<String, csv::Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    let mut heading = vec!["holder", "name"];
    heading.extend(kinds.iter().map(|kind| kind.name()));
    heading.extend(["weakest", "cause", "roles", "not_counted", "at"]);
    let with_sets = super::has_sets(rows);
    heading.extend(with_sets.then_some("set"));
    writer.write_record(&heading)?;
    for row in rows {
        let holder = &row.holder;
        let mut record = vec![holder.kind.name().to_owned(), safe(&holder.name)];
        record.extend(row.cells.iter().map(|cell| super::word(row, &cell.answer).to_owned()));
        let weakest = row.weakest();
        record.push(weakest.map_or_else(String::new, |cell| cell.answer.kind.name().to_owned()));
        record.push(weakest.map_or_else(String::new, |cell| safe(&super::cause(row, cell))));
        let roles: Vec<_> = holder.held.iter().map(|(role, _)| role.name.as_ref()).collect();
        record.push(safe(&roles.join(" ")));
        let mut notes: Vec<_> = row.unknown(with_requests).map(ToString::to_string).collect();
        if holder.without_document {
            notes.push("no user document was read".to_owned());
        }
        record.push(safe(&notes.join("; ")));
        record.push(safe(&holder.at.to_string()));
        record.extend(with_sets.then(|| safe(&holder.set.to_string())));
        writer.write_record(&record)?;
    }
    // What was written is UTF-8, and a vector takes it without an error.
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text that is text to a spreadsheet as well.
pub(in crate::report) fn safe(text: &str) -> String {
    let text = escape::controls(text);
    let is_formula =
        text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if is_formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn what_a_spreadsheet_would_compute_stays_text() {
        assert_eq!(safe("=1+1"), "'=1+1");
        assert_eq!(safe(" @SUM(A1)"), "' @SUM(A1)");
        assert_eq!(safe("alice@example.com"), "alice@example.com");
        assert_eq!(safe("a\tb\r"), "a\\tb\\r");
    }
}
