//! `recmode resolve` from the outside: answers, errors, and what it does with hostile input.

#![expect(clippy::format_collect, clippy::format_push_string, reason = "texts are short and read best so")]

mod all;
mod answers;
mod dialects;
mod errors;
mod hostile;
mod sets;
#[path = "../support/mod.rs"]
mod support;
mod unknown;

use std::io::Write as _;
use std::process::{Output, Stdio};

use support::{all, clean, recmode, stderr, stdout};

fn resolve(args: &[&str]) -> Output {
    recmode().arg("resolve").args(args).output().expect("recmode runs")
}

/// With this text on standard input, which is a pipe.
fn resolve_stdin(args: &[&str], input: &[u8]) -> Output {
    let mut child = recmode()
        .arg("resolve")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("recmode runs");
    // It may have ended before it read everything.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("recmode ends")
}

/// The entries of a fixture folder, sorted.
fn fixtures(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![format!("tests/fixtures/{folder}")];
    while let Some(path) = pending.pop() {
        for entry in std::fs::read_dir(&path).expect("the fixtures") {
            let entry = entry.expect("an entry");
            let path = format!("{path}/{}", entry.file_name().to_str().expect("UTF-8"));
            if entry.file_type().expect("a type").is_dir() { pending.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
