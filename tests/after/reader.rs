//! What every subcommand makes of an unusual recording: one answer, whoever is asked.

use std::fs;
use std::path::Path;

use crate::{arg, end, fixture, recording, run};

/// The subcommands that read a recording to its end and report how it ends.
fn readers(file: &Path) -> Vec<Vec<&str>> {
    let file = arg(file);
    let mut readers = vec![
        vec!["cat", file],
        vec!["cat", "--raw", file],
        vec!["info", file],
        vec!["ls", file],
        vec!["search", "hello", file],
        vec!["play", "--speed", "1000", file],
    ];
    readers.extend(
        ["asciicast-v2", "asciicast-v3", "txt", "html", "svg"].map(|to| vec!["export", "--to", to, file]),
    );
    readers
}

#[test]
fn a_last_line_without_its_newline_is_no_cut() {
    let file = fixture("no-newline.cast");
    for args in readers(&file) {
        let (out, err, status) = run(&args);
        assert_eq!((err.as_str(), status), ("", Some(0)), "{args:?}");
        assert!(!out.contains("cut off"), "{args:?}: {out}");
    }
    assert!(run(&["info", arg(&file)]).0.contains("State       complete\n"));
    assert!(run(&["ls", "--format", "csv", arg(&file)]).0.contains(",complete,"));
    assert!(!run(&["verify", arg(&file)]).0.contains("cut off"));
}

#[test]
fn a_whole_line_that_is_wrong_is_damage_also_as_the_last() {
    let file = fixture("wrong-end.cast");
    for args in readers(&file) {
        let (out, err, status) = run(&args);
        assert_eq!(status, Some(2), "{args:?}: {err}");
        assert!(err.contains("wrong-end.cast: line 4, column 10: invalid length 2"), "{args:?}: {err}");
        assert!(!err.contains("cut off") && !out.contains("cut off"), "{args:?}: {out}{err}");
    }
    assert_eq!(run(&["cat", arg(&file)]).0, "hello\nagain\n", "what comes before it is printed");
    assert!(run(&["ls", "--format", "csv", arg(&file)]).0.contains(",damaged,"));
}

#[test]
fn a_damaged_end_of_a_long_recording_is_listed_with_its_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("long.cast");
    let lines = "[0.25,\"o\",\"text of the session\\r\\n\"]\n".repeat(100_000);
    fs::write(&file, recording("alice", "strict", 1_790_000_000, &format!("{lines}[1,\"o\"]\n")))
        .expect("a file");
    let (out, err, status) = run(&["ls", arg(&file)]);
    assert!(out.contains("damaged") && err.contains("long.cast: line 100002, column 7: "), "{out}{err}");
    assert_eq!(status, Some(2));
}

#[test]
fn times_of_version_2_that_are_out_of_order_give_one_duration() {
    let small = fixture("out-of-order-v2.cast");
    // Longer than what `ls` reads of an end.
    let dir = tempfile::tempdir().expect("a directory");
    let long = dir.path().join("long.cast");
    let text = fs::read_to_string(&small).expect("a fixture");
    fs::write(&long, text.clone() + &"[2.0, \"o\", \"some more text\\r\\n\"]\n".repeat(60_000))
        .expect("a file");
    for file in [&small, &long] {
        let (out, ..) = run(&["info", "--format", "json", arg(file)]);
        assert!(out.contains("\"duration\": 7.25,"), "{out}");
        let (out, ..) = run(&["ls", "--format", "json", arg(file)]);
        assert!(
            out.contains("\"duration\": 7.25,") && out.contains("\"duration_is_estimate\": false"),
            "{out}"
        );
        assert!(run(&["export", "--to", "html", arg(file)]).0.contains("0:00:07"));
        // Exported, it is in order, and as long.
        for to in ["asciicast-v2", "asciicast-v3"] {
            let exported = dir.path().join("exported.cast");
            let (_, err, status) = run(&["export", "--to", to, "-o", arg(&exported), arg(file)]);
            assert_eq!((err.as_str(), status), ("", Some(0)));
            let (out, ..) = run(&["info", "--format", "json", arg(&exported)]);
            assert!(out.contains("\"duration\": 7.25,"), "{to}: {out}");
        }
    }
    let (out, ..) = run(&["cat", "--timestamps", arg(&small)]);
    assert_eq!(out, "0:00:00.500  one\n0:00:07.250  two\n0:00:07.250  three\n0:00:07.250  four\n");
    let typescript = dir.path().join("typescript");
    run(&["export", "--to", "typescript", "-o", arg(&typescript), arg(&small)]);
    let timing = fs::read_to_string(dir.path().join("typescript.timing")).expect("a timing");
    assert_eq!(timing, "0.500000 5\n6.750000 5\n0.000000 7\n0.000000 6\n");
}

#[test]
fn the_duration_of_a_recording_is_what_its_end_record_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    let lines = format!("[0.5,\"o\",\"hi\\r\\n\"]\n{}", end(0, 9.5, 0));
    fs::write(&file, recording("alice", "strict", 1_790_000_000, &lines)).expect("a file");
    for command in ["info", "ls"] {
        let (out, ..) = run(&[command, "--format", "json", arg(&file)]);
        assert!(out.contains("\"duration\": 9.5,"), "{command}: {out}");
    }
}
