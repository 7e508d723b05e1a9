//! Findings as a JUnit report: a suite a file, a test case a finding, for systems that know tests only.
//!
//! A finding that makes the run fail is a failed test; any other passes and has its text as output. A
//! file without findings is one test that passes. Times are left out, so that equal runs have equal reports.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::View;
use crate::escape;
use crate::lint::{Finding, Report};

/// The whole document.
pub(super) fn write(report: &Report, view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut files: BTreeMap<String, Vec<&Finding>> =
        report.files.iter().map(|file| ((view.path)(file), Vec::new())).collect();
    for finding in &report.findings {
        files.entry((view.path)(&finding.at.file)).or_default().push(finding);
    }
    let mut document = quick_junit::Report::new("recmode lint");
    for (path, findings) in &files {
        document.add_test_suite(suite(&text(path), findings, view));
    }
    // It ends in a line break.
    document.serialize(out).map_err(io::Error::other)
}

fn suite(path: &str, findings: &[&Finding], view: &View<'_>) -> TestSuite {
    let mut suite = TestSuite::new(path);
    if findings.is_empty() {
        let mut case = TestCase::new("no findings", TestCaseStatus::success());
        case.set_classname(path);
        suite.add_test_case(case);
    }
    let mut names: HashMap<String, usize> = HashMap::new();
    for finding in findings {
        // Without the line, so that it stays the same test when lines move. Some systems keep only
        // one test of a name.
        let mut name = format!("{}: {}", finding.rule, text(&finding.message));
        let count = names.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            let _ = write!(name, " ({count})");
        }
        suite.add_test_case(case(path, &name, finding, view));
    }
    suite
}

fn case(path: &str, name: &str, finding: &Finding, view: &View<'_>) -> TestCase {
    let details = details(finding, view);
    let mut case = if finding.severity >= view.least {
        let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
        failure.set_type(finding.severity.name());
        failure.set_message(text(&finding.message));
        failure.set_description(details);
        TestCase::new(name, failure)
    } else {
        let mut case = TestCase::new(name, TestCaseStatus::success());
        case.set_system_out(details);
        case
    };
    case.set_classname(path);
    case.extra.insert("file".into(), path.into());
    if let Some(mark) = &finding.at.mark {
        case.extra.insert("line".into(), mark.line.to_string().into());
    }
    case
}

/// The place, the message, the notes and the help, one a line.
fn details(finding: &Finding, view: &View<'_>) -> String {
    let place = |site: &crate::roles::Site| {
        let position = site.mark.as_ref().map(|mark| format!(":{}:{}", mark.line, mark.column));
        format!("{}{}", (view.path)(&site.file), position.unwrap_or_default())
    };
    let mut lines = vec![format!("{}: {}: {}", place(&finding.at), finding.severity, finding.message)];
    for related in &finding.related {
        lines.push(format!("{}: note: {}", place(&related.at), related.label));
    }
    lines.extend(finding.omissions().map(|text| format!("note: {text}")));
    lines.extend(finding.help.as_ref().map(|help| format!("help: {help}")));
    lines.iter().map(|line| text(line)).collect::<Vec<_>>().join("\n")
}

/// The text without what XML 1.0 can't hold, not even as a reference: all control characters, U+FFFE
/// and U+FFFF. They are spelt out, where quick-junit would drop them.
fn text(text: &str) -> String {
    escape::controls(text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}
