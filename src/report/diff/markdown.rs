//! The changes as Markdown (GitHub's and GitLab's) for a comment on a pull request: what is weaker
//! first, the rest folded away. Every text of a file stands in a code span that it can't leave, so it
//! makes no link, mention, image or cell.

use std::fmt::Write as _;

use crate::diff::{Change, Diff, PartyChanges};
use crate::escape;

/// Comments on GitHub have up to 65,536 characters; a byte is at most that.
const MAX_BYTES: usize = 60_000;

/// So many characters of a name or place are shown.
const MAX_TEXT: usize = 200;

const HEADING: &str =
    "| who | kind | change | from | to | because |\n| --- | --- | --- | --- | --- | --- |\n";

/// The changes as one comment. It begins with a mark by which a later run can find it.
#[must_use]
pub fn diff_markdown(diff: &Diff, (old, new): (&str, &str)) -> String {
    let mut out = "<!-- recmode diff -->\n### Session recording\n\n".to_owned();
    let sides = format!("from {} to {}", code(old), code(new));
    if diff.is_empty() {
        let _ = writeln!(out, "No change {sides}.");
        return out;
    }
    let summary = super::summary(diff);
    let summary = if summary.is_empty() { "no change that is known".to_owned() } else { summary };
    let _ = writeln!(out, "**{summary}** {sides}\n");
    let (weaker, others): (Vec<_>, Vec<_>) = rows(diff).into_iter().partition(|(weaker, _)| *weaker);
    let mut left_out = table(&mut out, &weaker, MAX_BYTES);
    if !others.is_empty() {
        let _ = writeln!(out, "<details><summary>Other changes: {}</summary>\n", others.len());
        left_out += table(&mut out, &others, MAX_BYTES);
        out.push_str("</details>\n\n");
    }
    if left_out > 0 {
        let _ = writeln!(out, "{left_out} more are left out here; `recmode diff` shows them all.\n");
    }
    notes(&mut out, diff);
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

/// The rows, and whether each is about something weaker.
fn rows(diff: &Diff) -> Vec<(bool, String)> {
    let mut rows = Vec::new();
    for party in &diff.parties {
        if let Some(what) = super::one_sided(party) {
            let answers = super::answers(party);
            let (from, to) =
                if what == crate::diff::What::New { ("", answers.as_str()) } else { (answers.as_str(), "") };
            let because = code(&party.at.to_string());
            rows.push((
                false,
                format!("| {} | all | {} | {from} | {to} | {because} |\n", who(party), what.name()),
            ));
            continue;
        }
        for change in &party.changes {
            rows.push((change.what.is_weaker(), row(party, change)));
        }
    }
    rows
}

fn row(party: &PartyChanges, change: &Change) -> String {
    let (from, to) = super::from_to(change);
    let causes = super::causes(change, code, code).join("<br>");
    let what = if change.what.is_weaker() {
        format!("**{}**", change.what.name())
    } else {
        change.what.name().to_owned()
    };
    format!("| {} | {} | {what} | {from} | {to} | {causes} |\n", who(party), change.kind)
}

/// Writes as many rows as fit, and says how many did not.
fn table(out: &mut String, rows: &[(bool, String)], max: usize) -> usize {
    if rows.is_empty() {
        return 0;
    }
    out.push_str(HEADING);
    let mut written = 0;
    for (_, row) in rows {
        if out.len() + row.len() > max {
            break;
        }
        out.push_str(row);
        written += 1;
    }
    out.push('\n');
    rows.len() - written
}

/// What the answers leave out, as far as it fits.
fn notes(out: &mut String, diff: &Diff) {
    let mut left_out = 0;
    for party in &diff.parties {
        for (unknown, when) in [(&party.unknown_since, "now"), (&party.unknown_before, "before")] {
            for unknown in unknown {
                let text = code(&unknown.to_string());
                let note = format!("- Not counted {when} for {}: {text}\n", who(party));
                if out.len() + note.len() > MAX_BYTES { left_out += 1 } else { out.push_str(&note) }
            }
        }
    }
    if left_out > 0 {
        let _ = writeln!(out, "- and {left_out} more that are not counted");
    }
}

fn who(party: &PartyChanges) -> String {
    format!("{} {}{}", party.kind.name(), code(&party.name), super::in_set(party, code))
}

/// A text of a file in a code span. Backticks would end it and pipes would end the cell, so both
/// are spelt out, as control characters are.
fn code(text: &str) -> String {
    let safe = escape::controls(text).replace('`', "\\u{60}").replace('|', "\\u{7c}");
    let cut = match safe.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe,
    };
    // An empty span would be two plain backticks, and one of blanks is trimmed.
    if cut.trim().is_empty() { "` `".to_owned() } else { format!("`{cut}`") }
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn no_text_leaves_its_code_span() {
        assert_eq!(code("a`@team|\n<img>"), "`a\\u{60}@team\\u{7c}\\n<img>`");
        assert_eq!(code(""), "` `");
    }
}
