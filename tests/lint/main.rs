//! `recmode lint` from the outside, and the laws of the linter.

#![expect(clippy::format_collect, reason = "texts are short and read best so")]

mod bounds;
mod cli;
mod config;
mod constants;
mod dialects;
mod files;
mod fix;
mod limits;
mod manifests;
mod nested;
mod output;
mod properties;
mod rules;
mod schema;
mod sets;
mod signs;
#[path = "../support/mod.rs"]
mod support;
mod suppress;
mod terraform;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use support::{all, repository, stderr, stdout};

/// The program in this folder, with nothing of the caller's environment that changes what it prints.
fn recmode(folder: &Path) -> Command {
    let mut command = support::recmode();
    command.current_dir(folder);
    command
}

fn lint(folder: &Path, args: &[&str]) -> Output {
    recmode(folder).arg("lint").args(args).output().expect("recmode runs")
}

/// With this text on standard input.
fn lint_stdin(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = recmode(folder)
        .arg("lint")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("recmode runs");
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("recmode ends")
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a file")
}

/// The findings as `rule:line`, in their order.
fn found(output: &Output) -> Vec<String> {
    let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = tree["findings"].as_array().expect("findings").clone();
    findings
        .iter()
        .map(|one| format!("{}:{}", one["rule"].as_str().expect("a rule"), one["at"]["line"]))
        .collect()
}

/// A role of this name that says this.
fn role(name: &str, options: &[&str]) -> String {
    let options: String = options.iter().map(|option| format!("      {option}\n")).collect();
    format!(
        "kind: role\nversion: v7\nmetadata:\n  name: {name}\nspec:\n  options:\n    record_session:\n{options}"
    )
}
