//! The manual and the completions that are committed are those that the program makes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

fn recmode(args: &[&str]) -> Vec<u8> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_recmode")).env_clear().args(args).output().expect("recmode runs");
    assert_eq!((output.stderr.as_slice(), output.status.code()), (&b""[..], Some(0)), "{args:?}");
    output.stdout
}

/// Names and texts of a directory's files.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("an entry");
        let text = fs::read_to_string(entry.path()).expect("a text");
        (entry.file_name().into_string().expect("a name"), text)
    };
    entries.map(read).collect()
}

fn compare(directory: &str, made: &BTreeMap<String, String>, how: &str) {
    let committed = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory));
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(made), "{directory}/ has other files than are made: run `{how}`");
    for (name, text) in made {
        assert!(committed[name] == *text, "{directory}/{name} is out of date: run `{how}`");
    }
}

#[test]
fn the_manual_is_up_to_date() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("new/man");
    recmode(&["man", "--out", out.to_str().expect("UTF-8")]);
    let made = files(&out);
    assert_eq!(made["recmode.1"].as_bytes(), recmode(&["man"]), "without --out it is recmode(1)");
    compare("man", &made, "cargo run -- man --out man");
}

#[test]
fn the_completions_are_up_to_date() {
    let shells = [("bash", "recmode.bash"), ("fish", "recmode.fish"), ("zsh", "_recmode")];
    let made = shells.map(|(shell, file)| {
        (file.to_owned(), String::from_utf8(recmode(&["completions", shell])).expect("UTF-8"))
    });
    let how = "for s in bash:recmode.bash fish:recmode.fish zsh:_recmode; do \
               cargo run -- completions ${s%%:*} > completions/${s#*:}; done";
    compare("completions", &BTreeMap::from(made), how);
}

#[test]
fn a_page_that_can_not_be_written_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_recmode"))
        .args(["man", "--out", "/dev/null/man"])
        .output()
        .expect("recmode runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("recmode: /dev/null/man: "));
}
