//! `recmode lint` from the outside, and the laws of the linter.

#![expect(clippy::format_collect, reason = "texts are short and read best so")]

mod cli;
mod config;
mod fix;
mod output;
mod properties;
mod rules;
mod schema;
mod suppress;
mod terraform;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The program in this folder, with nothing of the caller's environment that changes what it prints.
fn recmode(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recmode"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.current_dir(folder).stdin(Stdio::null());
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

/// A folder with these files, which is a repository of git's as far as anyone can see.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join(".git")).expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a file")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Exit code, standard output and standard error, for a snapshot.
fn all(output: &Output) -> String {
    let code = output.status.code().map_or("ended by a signal".to_owned(), |code| format!("exit {code}"));
    format!("{code}\n--- stdout\n{}--- stderr\n{}", stdout(output), stderr(output))
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
