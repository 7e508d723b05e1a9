//! What the tests of the program from outside have in common. Each takes what it needs.
#![allow(dead_code, reason = "no test takes all of it")]

pub(crate) mod git;

use std::fs;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The program with nothing of the caller's environment that changes what it does.
pub(crate) fn recmode() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recmode"));
    clean(&mut command);
    command
}

/// Takes from a command's environment what changes what recmode does.
pub(crate) fn clean(command: &mut Command) {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RECMODE_MODE", "RECMODE_ROLES", "RECMODE_DIR"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Exit code, standard output and standard error, for a snapshot.
pub(crate) fn all(output: &Output) -> String {
    let code = output.status.code().map_or("ended by a signal".to_owned(), |code| format!("exit {code}"));
    format!("{code}\n--- stdout\n{}--- stderr\n{}", stdout(output), stderr(output))
}

/// A folder with these files, which is a repository of git's with nothing tracked.
pub(crate) fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for below in [".git/objects", ".git/refs"] {
        fs::create_dir_all(folder.path().join(below)).expect("a folder");
    }
    fs::write(folder.path().join(".git/HEAD"), "ref: refs/heads/main\n").expect("a file");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}
