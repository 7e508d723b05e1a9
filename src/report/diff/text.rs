//! The changes for people.

use std::fmt::Write as _;

use crate::diff::{Diff, PartyChanges, What};
use crate::escape;
use crate::report::style::{BLUE, BOLD, DIM, GREEN, RED, paint};

/// A heading a party, a line a change with its causes below it, and a summary.
#[must_use]
pub fn diff_text(diff: &Diff, (old, new): (&str, &str), color: bool) -> String {
    let (old, new) = (escape::controls(old), escape::controls(new));
    if diff.is_empty() {
        return format!("No change in session recording from {old} to {new}.\n");
    }
    let mut out = String::new();
    for party in &diff.parties {
        one_party(&mut out, party, color);
    }
    let summary = super::summary(diff);
    let summary = if summary.is_empty() { "no change that is known".to_owned() } else { summary };
    let _ = writeln!(out, "From {old} to {new}: {summary}.");
    out
}

fn one_party(out: &mut String, party: &PartyChanges, color: bool) {
    let place = escape::controls(&party.at.to_string());
    let in_set = super::in_set(party, |name| format!("{name:?}"));
    let heading = format!("{} {:?}{in_set}", party.kind.name(), party.name);
    let _ = write!(out, "{} ({place})", paint(color, BOLD, &heading));
    if let Some(what) = super::one_sided(party) {
        let _ = writeln!(out, "\n  {}: {}", paint(color, style(what), what.name()), super::answers(party));
    } else {
        out.push('\n');
        let width = party.changes.iter().map(|change| change.what.name().len()).max().unwrap_or(0).max(13);
        for change in &party.changes {
            let (from, to) = super::from_to(change);
            let what = paint(color, style(change.what), &format!("{:width$}", change.what.name()));
            let _ = writeln!(out, "  {:7}  {what}  {from} -> {to}", change.kind);
            for cause in super::causes(change, |name| format!("{name:?}"), escape::controls) {
                let _ = writeln!(out, "           {cause}");
            }
        }
    }
    for (unknown, since) in [(&party.unknown_since, "now"), (&party.unknown_before, "before")] {
        for unknown in unknown {
            let text = format!("not counted, {since}: {}", escape::controls(&unknown.to_string()));
            let _ = writeln!(out, "  {}", paint(color, DIM, &text));
        }
    }
    out.push('\n');
}

fn style(what: What) -> &'static str {
    match what {
        What::Loosened | What::RecordingOff | What::MayLoosen | What::MayTurnOff => RED,
        What::Tightened | What::RecordingOn | What::MayTighten | What::MayTurnOn => GREEN,
        What::New | What::Gone => BLUE,
    }
}
