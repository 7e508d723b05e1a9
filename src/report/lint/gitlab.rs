//! Findings as a Code Quality report, which GitLab shows in merge requests.
//!
//! GitLab compares the reports of two commits by fingerprint, and drops all but one of those that
//! have the same.

use std::io;

use serde::Serialize;

use super::View;
use crate::escape;
use crate::lint::{Finding, Report, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

/// An array, with a line break at its end.
pub(super) fn write(report: &Report, view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let issues: Vec<_> = report.findings.iter().map(|finding| one(finding, view)).collect();
    let text = serde_json::to_string_pretty(&issues)?;
    writeln!(out, "{}", escape::json(&text))
}

fn one<'a>(finding: &'a Finding, view: &View<'_>) -> Issue<'a> {
    let more = finding.omissions().map(|text| format!(" ({text})")).unwrap_or_default();
    let help = finding.help.as_ref().map(|help| format!(" (help: {help})")).unwrap_or_default();
    // A finding about a whole file needs a line here.
    let (begin, end) = finding.at.mark.as_ref().map_or((1, 1), |mark| (mark.line, mark.end.0));
    Issue {
        description: escape::controls(&format!("{}{more}{help}", finding.message)),
        check_name: finding.rule,
        fingerprint: &finding.fingerprint,
        severity: match finding.severity {
            Severity::Error => "critical",
            Severity::Warning => "major",
            Severity::Info => "info",
        },
        location: Location { path: (view.path)(&finding.at.file), lines: Lines { begin, end } },
    }
}
