//! `recmode search`.

use std::fs;

use tempfile::TempDir;

use crate::{arg, end, fixture, marked, recording, run};

fn directory() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let lines = "[0.5,\"o\",\"$ cat note\\r\\n\"]\n[1.0,\"i\",\"sudo x\\u007fls\\r\"]\n\
                 [1.0,\"o\",\"one\\r\\nthe se\\u001b[1mcr\\u001b[0met\\r\\nthree\\r\\n$ exit\\r\\n\"]\n";
    let text = recording("alice", "strict", 0, &format!("{lines}{}", end(0, 2.5, 0)));
    fs::write(dir.path().join("b.cast"), &text).expect("a file");
    fs::create_dir(dir.path().join("sub")).expect("a directory");
    fs::copy(fixture("full-screen.cast"), dir.path().join("sub/a.cast")).expect("a copy");
    fs::write(dir.path().join("notes.txt"), "the secret\n").expect("a file");
    fs::write(dir.path().join("notes.json"), "{\"the\":\"secret\"}\n").expect("a file");
    dir
}

#[test]
fn matches_are_printed_with_file_user_time_and_line() {
    let dir = directory();
    let d = arg(dir.path());
    let alice = marked("alice");
    let (out, err, status) = run(&["search", "SECRET", "-i", d]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert_eq!(out, format!("{d}/b.cast:{alice}:0:00:02.500:the secret\n"));
    let (out, _, _) = run(&["search", "secret", "-C", "1", d]);
    let expected = format!(
        "{d}/b.cast-{alice}-0:00:02.500-one\n{d}/b.cast:{alice}:0:00:02.500:the secret\n{d}/b.cast-{alice}-0:00:02.500-three\n"
    );
    assert_eq!(out, expected);
    let (out, _, _) = run(&["search", "-F", "(END)", d]);
    assert_eq!(out, format!("{d}/sub/a.cast:-:0:00:03.600:(END)\n"));
}

#[test]
fn a_page_that_was_seen_for_a_while_only_is_found() {
    let dir = directory();
    let (out, _, status) = run(&["search", "--json", "first page", arg(dir.path())]);
    assert_eq!(status, Some(0));
    let line: serde_json::Value = serde_json::from_str(&out).expect("one line of JSON");
    assert_eq!((&line["type"], &line["place"]), (&"match".into(), &"replaced".into()));
    assert_eq!((&line["time"], &line["text"]), (&1.6.into(), &"first page".into()));
}

#[test]
fn what_was_typed_is_searched_if_wanted() {
    let dir = directory();
    let d = arg(dir.path());
    let (out, _, status) = run(&["search", "--input", "sudo", d]);
    assert_eq!((out, status), (format!("{d}/b.cast:{}:0:00:01.500:sudo ls\n", marked("alice")), Some(0)));
    assert_eq!(run(&["search", "sudo", d]).2, Some(1));
}

#[test]
fn nothing_and_trouble_have_their_statuses() {
    let dir = directory();
    let d = arg(dir.path());
    assert_eq!(run(&["search", "no such thing", d]), (String::new(), String::new(), Some(1)));
    let (_, err, status) = run(&["search", "(", d]);
    assert_eq!(status, Some(2));
    assert!(err.contains("unclosed group"), "{err}");
    let (_, err, status) = run(&["search", "x", &format!("{d}/notes.txt")]);
    assert_eq!(status, Some(2), "named, and no recording");
    assert!(err.ends_with("notes.txt: line 1: this is no asciicast header\n"), "{err}");
    // The others are searched all the same.
    fs::copy(fixture("garbage.cast"), dir.path().join("a.cast")).expect("a copy");
    let (out, err, status) = run(&["search", "before|secret", d]);
    assert_eq!((out.lines().count(), status), (2, Some(2)), "{out}");
    assert!(err.contains("a.cast: line 3, column 9: "), "{err}");
}

#[test]
fn what_was_found_is_escaped() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = recording("a\\u001b[31m", "strict", 0, "[0,\"o\",\"evil \\u202e txt\\r\\n\"]\n");
    fs::write(dir.path().join("x.cast"), text).expect("a file");
    for format in ["human", "json"] {
        let (out, _, status) = run(&["search", "--format", format, "evil", arg(dir.path())]);
        assert_eq!(status, Some(0));
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{out:?}");
    }
}

#[test]
fn a_pipe_is_searched_and_what_is_read_but_once_is_read_once() {
    let dir = directory();
    let script = "\"$0\" search SECRET -i <(cat \"$1\")";
    let file = dir.path().join("b.cast");
    let (out, err, status) = crate::outcome(
        &std::process::Command::new("bash")
            .args(["-c", script, env!("CARGO_BIN_EXE_recmode"), arg(&file)])
            .output()
            .expect("bash"),
    );
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert!(out.starts_with("/dev/fd/") && out.ends_with(":alice:0:00:02.500:the secret\n"), "{out}");
}

#[test]
fn what_a_session_without_a_terminal_printed_was_seen_on_both_streams() {
    let dir = tempfile::tempdir().expect("a directory");
    let lines = "[0.1,\"o\",\"first\\nsecond\\n\"]\n[0.1,\"e\",\"cat: x: Permission denied\\n\"]\n";
    let text = recording("alice", "strict", 0, &format!("{lines}{}", end(0, 1.0, 0)))
        .replace("\"version\":\"0.1.0\"", "\"version\":\"0.1.0\",\"streams\":\"content\"");
    let file = dir.path().join("a.cast");
    fs::write(&file, text).expect("a file");
    let (out, _, _) = run(&["search", "^Perm|denied$|^second$", arg(&file)]);
    assert_eq!(out.lines().count(), 2, "{out}");
    assert_eq!(run(&["cat", arg(&file)]).0, "first\nsecond\ncat: x: Permission denied\n");
    assert_eq!(
        run(&["play", "--speed", "10000", arg(&file)]).0,
        "first\nsecond\ncat: x: Permission denied\n"
    );
    assert_eq!(run(&["cat", "--raw", arg(&file)]).0, "first\nsecond\n", "standard output, bit for bit");
    assert!(
        run(&["export", "--to", "html", arg(&file)]).0.contains("<span>cat: x: Permission denied</span>")
    );
}

#[test]
fn much_that_is_found_comes_in_the_order_of_the_files_and_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let line = format!("[0.1,\"o\",\"{}\\r\\n\"]\n", "match ".repeat(100));
    for name in ["a", "b", "c", "d"] {
        let text = recording("alice", "strict", 0, &line.repeat(if name == "c" { 1 } else { 20_000 }));
        fs::write(dir.path().join(format!("{name}.cast")), text).expect("a file");
    }
    let (out, _, status) = run(&["search", "match", arg(dir.path())]);
    assert_eq!((out.matches("match").count(), status), (6_000_100, Some(0)));
    let names: Vec<&str> = out.lines().filter_map(|line| line.split(".cast:").next()).collect();
    assert!(names.is_sorted(), "in the files' order");
}

#[test]
fn several_paths_and_patterns_are_searched() {
    let dir = directory();
    let d = arg(dir.path());
    let (b, a) = (format!("{d}/b.cast"), format!("{d}/sub"));
    let files = |arguments: &[&str]| {
        let (out, err, status) = run(&[&["search", "-l"], arguments].concat());
        (out.lines().map(str::to_owned).collect::<Vec<_>>(), err, status)
    };
    let own = |files: &[&str]| files.iter().map(|file| format!("{d}/{file}")).collect::<Vec<_>>();
    let fine = |names: &[&str]| (own(names), String::new(), Some(0));
    assert_eq!(files(&["secret|END", &a, &b]), fine(&["sub/a.cast", "b.cast"]), "in the order of the paths");
    // With -e the first argument is a path.
    assert_eq!(files(&["-e", "secret", "-e", "END", &b, &a]), fine(&["b.cast", "sub/a.cast"]));
    assert_eq!(files(&["-e", "secret", &b, &a]), fine(&["b.cast"]));
    assert_eq!(files(&["-F", "-e", "(END)", "-e", "a|b", &b, &a]), fine(&["sub/a.cast"]));
    // A pattern that is wrong is wrong by itself.
    let (_, err, status) = run(&["search", "-e", "(", "-e", ")", &b]);
    assert_eq!((err.contains("unclosed group"), status), (true, Some(2)), "{err}");
    // The others are searched where a path can't be read.
    let missing = format!("{d}/missing.cast");
    let (names, err, status) = files(&["secret", &missing, &b]);
    assert_eq!((names, status), (own(&["b.cast"]), Some(2)));
    assert_eq!(err, format!("recmode: {missing}: No such file or directory (os error 2)\n"));
    assert_eq!(run(&["search"]).2, Some(2), "no pattern");
}

#[test]
fn counts_names_and_the_first_matches_are_printed_as_grep_does() {
    let dir = directory();
    let d = arg(dir.path());
    let printed = |arguments: &[&str]| {
        let (out, err, status) = run(&[&["search"], arguments, &[d]].concat());
        assert_eq!(err, "");
        (out.replace(&format!("{d}/"), ""), status)
    };
    let lines = printed(&["o|secret"]).0;
    let count = |file: &str| lines.lines().filter(|line| line.starts_with(file)).count();
    let expected = format!("b.cast:3\nsub/a.cast:{}\n", count("sub/a.cast:"));
    assert_eq!((printed(&["-c", "o|secret"]), count("b.cast:")), ((expected, Some(0)), 3));
    assert_eq!(printed(&["-c", "-C", "3", "secret"]), ("b.cast:1\nsub/a.cast:0\n".to_owned(), Some(0)));
    assert_eq!(printed(&["-c", "nothing like it"]), ("b.cast:0\nsub/a.cast:0\n".to_owned(), Some(1)));
    assert_eq!(printed(&["-c", "-m", "1", "o|secret"]), ("b.cast:1\nsub/a.cast:1\n".to_owned(), Some(0)));
    assert_eq!(printed(&["-l", "secret"]), ("b.cast\n".to_owned(), Some(0)));
    assert_eq!(printed(&["-l", "nothing like it"]), (String::new(), Some(1)));
    assert_eq!(printed(&["-m", "0", "secret"]), (String::new(), Some(1)));
    let (out, _) = printed(&["-m", "1", "-A", "1", "one|secret"]);
    let texts: Vec<_> = out.lines().map(|line| line.rsplit([':', '-']).next().expect("a text")).collect();
    assert_eq!(texts, ["one", "the secret"]);
    let (out, _) = printed(&["--json", "-c", "secret"]);
    let counts: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&counts[0]["type"], &counts[0]["count"]), (&"count".into(), &1.into()));
    assert_eq!((&counts[0]["user"], &counts[1]["count"]), (&"alice".into(), &0.into()));
    let (out, _) = printed(&["--json", "-l", "secret"]);
    let name: serde_json::Value = serde_json::from_str(&out).expect("one line of JSON");
    assert_eq!((&name["type"], &name["file"]), (&"file".into(), &"b.cast".into()));
    assert!(name.get("count").is_none());
    assert_eq!(run(&["search", "-c", "-l", "x", d]).2, Some(2));
}

#[test]
fn dates_carry_a_zone() {
    let dir = directory();
    let d = arg(dir.path());
    let text = recording("alice", "strict", 1_790_000_000, "[2.5,\"o\",\"the secret\\r\\n\"]\n");
    fs::write(dir.path().join("b.cast"), text).expect("a file");
    let date = |zone: &str, arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_recmode"))
            .args([&["search", "secret", d], arguments].concat())
            .env("TZ", zone)
            .output()
            .expect("recmode");
        crate::outcome(&output).0
    };
    assert!(date("Asia/Tokyo", &["--date"]).contains(":2026-09-21 23:13:22+09:00:the secret"));
    assert!(date("Asia/Tokyo", &["--utc"]).contains(":2026-09-21 14:13:22Z:the secret"));
    let line: serde_json::Value = serde_json::from_str(&date("Asia/Tokyo", &["--json"])).expect("JSON");
    assert_eq!(line["at"], "2026-09-21T14:13:22Z");
}

#[test]
fn a_recording_that_draws_too_much_is_searched_and_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("altscreen.cast");
    let header = "{\"version\":3,\"term\":{\"cols\":1000,\"rows\":1000},\"timestamp\":1790000000}\n";
    let switches = "\\u001b[?1049h\\u001b[?1049l".repeat(250);
    let event = format!("[0,\"o\",\"{switches}\"]\n");
    fs::write(&file, format!("{header}{}[0,\"o\",\"needle\\r\\n\"]\n", event.repeat(20))).expect("a file");
    let said = format!(
        "recmode: {}: line 2: the screen changes more than can be rendered; parts of it are left out from here on\n",
        file.display()
    );
    let (out, err, status) = run(&["search", "needle", arg(&file)]);
    assert_eq!((out.lines().count(), err.as_str(), status), (1, said.as_str(), Some(2)), "{out}");
    assert_eq!(run(&["cat", arg(&file)]), ("needle\n".to_owned(), said, Some(0)));
}
