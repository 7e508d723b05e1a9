//! Code Quality reports.

use std::collections::HashSet;
use std::fs;

use super::{findings, hostile, json, plain, text};

#[test]
fn plain_roles() {
    insta::assert_snapshot!(text(plain().path(), "gitlab"));
}

#[test]
fn hostile_roles() {
    insta::assert_snapshot!(text(hostile().path(), "gitlab"));
}

#[test]
fn no_two_findings_have_one_fingerprint() {
    for folder in [plain(), hostile()] {
        let issues = json(folder.path(), "gitlab");
        let issues = issues.as_array().expect("an array");
        let fingerprints: HashSet<_> = issues.iter().map(|issue| issue["fingerprint"].as_str()).collect();
        assert_eq!(fingerprints.len(), issues.len());
        assert_eq!(issues.len(), findings(folder.path()).len());
    }
}

#[test]
fn a_fingerprint_survives_lines_that_move() {
    let folder = plain();
    let fingerprints = || -> Vec<String> {
        let issues = json(folder.path(), "gitlab");
        let issues = issues.as_array().expect("an array").iter();
        issues.map(|issue| issue["fingerprint"].to_string()).collect()
    };
    let before = fingerprints();
    let file = folder.path().join("roles/twice.yaml");
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(&file, format!("# What stood here before\n\n{text}")).expect("written");
    assert_eq!(fingerprints(), before);
}
