//! Findings as JSON. `recmode.lint/1` is stable: keys are added, never changed or taken away, without
//! a new number. A finding about a whole file has null for lines and columns. `related_omitted` is how many
//! further places are not shown, `omitted_here` how many findings of the rule at the same place; where none
//! are, the key is missing.

use std::io;

use serde::Serialize;

use crate::escape;
use crate::lint::{Finding, Report, Severity, Summary};
use crate::roles::Site;

/// The schema's name; `--baseline` looks for it.
pub const SCHEMA: &str = "recmode.lint/1";

#[derive(Serialize)]
struct Tree<'a> {
    schema: &'static str,
    findings: Vec<One<'a>>,
    summary: &'a Summary,
}

#[derive(Serialize)]
struct One<'a> {
    rule: &'a str,
    severity: Severity,
    message: &'a str,
    help: Option<&'a str>,
    at: At<'a>,
    related: Vec<Note<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related_omitted: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted_here: Option<usize>,
    role: Option<&'a str>,
    option: Option<&'a str>,
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct At<'a> {
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
}

#[derive(Serialize)]
struct Note<'a> {
    message: &'a str,
    at: At<'a>,
}

/// The whole tree, with a line break at its end.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = report.findings.iter().map(one).collect();
    let tree = Tree { schema: SCHEMA, findings, summary: &report.summary };
    let text = serde_json::to_string_pretty(&tree)?;
    writeln!(out, "{}", escape::json(&text))
}

fn one(finding: &Finding) -> One<'_> {
    let notes = finding.related.iter().map(|note| Note { message: &note.label, at: at(&note.at) });
    One {
        rule: finding.rule,
        severity: finding.severity,
        message: &finding.message,
        help: finding.help.as_deref(),
        at: at(&finding.at),
        related: notes.collect(),
        related_omitted: Some(finding.related_omitted).filter(|&number| number > 0),
        omitted_here: Some(finding.omitted_here).filter(|&number| number > 0),
        role: finding.role.as_deref(),
        option: finding.option.as_deref(),
        fingerprint: &finding.fingerprint,
    }
}

fn at(site: &Site) -> At<'_> {
    let mark = site.mark.as_ref();
    At {
        file: &site.file,
        line: mark.map(|mark| mark.line),
        column: mark.map(|mark| mark.column),
        end_line: mark.map(|mark| mark.end.0),
        end_column: mark.map(|mark| mark.end.1),
    }
}
