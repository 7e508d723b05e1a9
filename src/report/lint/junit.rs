//! Findings as a JUnit report: a suite a file, a test case a finding, for systems that know tests only.
//!
//! A finding that makes the run fail is a failed test; any other passes and has its text as output. A
//! file without findings is one test that passes. The configuration is a suite with a test case for each
//! requirement and expectation, also for those that hold; their findings stand there. Times are left out,
//! so that equal runs have equal reports.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::View;
use crate::escape;
use crate::lint::{Check, Finding, Report};
use crate::roles::Site;

/// The whole document.
pub(super) fn write(report: &Report, view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut files: BTreeMap<String, Vec<&Finding>> =
        report.files.iter().map(|file| ((view.path)(file), Vec::new())).collect();
    let is_of_check =
        |finding: &Finding| report.checks.iter().any(|check| finding.checks.contains(&check.name));
    for finding in report.findings.iter().filter(|finding| !is_of_check(finding)) {
        files.entry((view.path)(&finding.at.file)).or_default().push(finding);
    }
    let mut document = quick_junit::Report::new("recmode lint");
    if let Some(first) = report.checks.first() {
        let path = text(&(view.path)(&first.at.file));
        let mut suite = TestSuite::new(path.as_str());
        suite.add_test_cases(report.checks.iter().map(|check| checked(&path, check, &report.findings, view)));
        document.add_test_suite(suite);
    }
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

/// The test case of a requirement or expectation.
fn checked(path: &str, check: &Check, findings: &[Finding], view: &View<'_>) -> TestCase {
    let own = findings.iter().filter(|finding| finding.checks.contains(&check.name));
    judged(path, &text(&check.name), &own.collect::<Vec<_>>(), &check.at, view)
}

fn case(path: &str, name: &str, finding: &Finding, view: &View<'_>) -> TestCase {
    judged(path, name, &[finding], &finding.at, view)
}

/// A test case about these findings, which fails by the worst of them.
fn judged(path: &str, name: &str, findings: &[&Finding], at: &Site, view: &View<'_>) -> TestCase {
    let details = findings.iter().map(|finding| details(finding, view)).collect::<Vec<_>>().join("\n\n");
    let worst = findings.iter().max_by_key(|finding| finding.severity);
    let mut case = if let Some(worst) = worst.filter(|worst| worst.severity >= view.least) {
        let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
        failure.set_type(worst.severity.name());
        failure.set_message(text(&worst.message));
        failure.set_description(details);
        TestCase::new(name, failure)
    } else {
        let mut case = TestCase::new(name, TestCaseStatus::success());
        if !details.is_empty() {
            case.set_system_out(details);
        }
        case
    };
    case.set_classname(path);
    case.extra.insert("file".into(), path.into());
    if let Some(mark) = &at.mark {
        case.extra.insert("line".into(), mark.line.to_string().into());
    }
    case
}

/// The place, the message, the notes and the help, one a line.
fn details(finding: &Finding, view: &View<'_>) -> String {
    let place = |site: &Site| {
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
