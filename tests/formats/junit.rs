//! JUnit reports.

use quick_junit::{Report, TestCaseStatus};

use super::{findings, hostile, lint, plain, text};

#[test]
fn plain_roles() {
    insta::assert_snapshot!(text(plain().path(), "junit"));
}

#[test]
fn hostile_roles() {
    insta::assert_snapshot!(text(hostile().path(), "junit"));
}

#[test]
fn each_finding_is_a_test_of_its_own() {
    for folder in [plain(), hostile()] {
        let text = text(folder.path(), "junit");
        // U+FFFE and U+FFFF are no characters of XML; the others that are not, are control characters.
        assert!(!text.contains(['\u{fffe}', '\u{ffff}']) && !text.contains("&#"));
        let report = Report::deserialize_from_str(&text).expect("a report");
        let findings = findings(folder.path());
        let failures = findings.iter().filter(|finding| finding["severity"] != "info").count();
        assert_eq!(report.failures, failures);
        for suite in &report.test_suites {
            let names: std::collections::HashSet<_> =
                suite.test_cases.iter().map(|case| case.name.as_str()).collect();
            assert_eq!(names.len(), suite.test_cases.len());
        }
        let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
        assert_eq!(cases.filter(|case| case.name.as_str() != "no findings").count(), findings.len());
    }
}

#[test]
fn a_test_fails_where_the_run_does() {
    let folder = plain();
    let output = lint(folder.path(), &["--format", "junit", "--fail-on", "error"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let report = Report::deserialize_from_str(&text).expect("a report");
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    for case in cases {
        if let TestCaseStatus::NonSuccess { ty, .. } = &case.status {
            assert_eq!(ty.as_ref().map(quick_junit::XmlString::as_str), Some("error"));
        }
    }
    assert!(report.failures > 0);
}
