//! The formats of `recmode lint` that other programs read: valid, complete, and safe whatever a file
//! and its name hold. They are read back here by those programs' rules.

mod action;
mod github;
mod gitlab;
mod junit;
mod sarif;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use support::repository;

const FORMATS: [&str; 6] = ["human", "json", "sarif", "github", "gitlab", "junit"];

/// Names that a format could stumble over.
const HOSTILE_NAMES: [&str; 7] = [
    "plain.yaml",
    "a%0A::error file=b,line=1::c.yaml",
    "new\nline\r.yaml",
    "quotes\"'<&>]]>.yaml",
    "\u{202e}lmay.yaml",
    "esc\u{1b}[31m\u{9b}\u{7f}.yaml",
    "é 漢#?[x](y)\u{fffe}.yaml",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(fixture(name)).expect("a fixture")
}

/// Roles as people write them.
fn plain() -> TempDir {
    let names = ["debug.yaml", "good.yaml", "prod.yaml", "twice.yaml"];
    let texts = names.map(|name| read(&format!("formats/plain/roles/{name}")));
    let paths = names.map(|name| format!("roles/{name}"));
    let files: Vec<_> = paths.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    repository(&files)
}

/// A hostile text under hostile names.
fn hostile() -> TempDir {
    let text = read("formats/hostile.yaml");
    repository(&HOSTILE_NAMES.map(|name| (name, text.as_str())))
}

fn lint(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recmode"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.current_dir(folder).stdin(Stdio::null());
    command.arg("lint").args(args).output().expect("recmode runs")
}

fn text(folder: &Path, format: &str) -> String {
    String::from_utf8(lint(folder, &["--format", format]).stdout).expect("UTF-8")
}

fn json(folder: &Path, format: &str) -> Value {
    serde_json::from_str(&text(folder, format)).expect("JSON")
}

/// The findings of the format that the others are compared with.
fn findings(folder: &Path) -> Vec<Value> {
    json(folder, "json")["findings"].as_array().expect("findings").clone()
}

#[test]
fn the_exit_code_does_not_depend_on_the_format() {
    let plain = plain();
    for format in FORMATS {
        for (args, code) in [
            (&["roles"][..], 1),
            (&["roles/good.yaml"], 0),
            (&["roles", "--exit-zero"], 0),
            (&["roles/none.yaml"], 2),
        ] {
            let output = lint(plain.path(), &[&["--format", format], args].concat());
            assert_eq!(output.status.code(), Some(code), "{format} {args:?}");
        }
    }
}

#[test]
fn nothing_that_drives_a_terminal_is_in_any_format() {
    let folder = hostile();
    for format in FORMATS {
        let text = text(folder.path(), format);
        let bad = |c: char| {
            c.is_control() && c != '\n' || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.is_empty() && !text.contains(bad), "{format}: {text:?}");
    }
}

#[test]
fn paths_are_from_the_root_of_the_repository_wherever_recmode_runs() {
    let folder = plain();
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    for format in ["sarif", "github", "gitlab", "junit"] {
        let at_root = lint(folder.path(), &["--format", format]).stdout;
        let absolute = folder.path().join("roles");
        let absolute = absolute.to_str().expect("UTF-8");
        for path in ["../roles", ".././sub/../roles", absolute] {
            let below = lint(&folder.path().join("sub"), &["--format", format, path]).stdout;
            assert_eq!(String::from_utf8_lossy(&below), String::from_utf8_lossy(&at_root), "{format} {path}");
        }
    }
}

#[test]
fn without_findings_each_format_is_whole() {
    let folder = repository(&[("good.yaml", &read("formats/plain/roles/good.yaml"))]);
    assert_eq!(text(folder.path(), "github"), "");
    assert_eq!(text(folder.path(), "gitlab"), "[]\n");
    insta::assert_snapshot!(text(folder.path(), "junit"));
    assert_eq!(json(folder.path(), "sarif")["runs"][0]["results"], Value::Array(Vec::new()));
}
