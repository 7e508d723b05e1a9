//! A session of several files is one session to every subcommand, whichever of its files is named.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::{arg, has, owner, run};

pub(crate) const START: i64 = 1_795_305_600; // 2026-11-22 00:00 UTC

/// What a session prints in each of its files, and how long after its start a file begins.
struct Part {
    millis: i32,
    lines: &'static str,
}

const FIRST: Part = Part { millis: 0, lines: "[0.5,\"o\",\"one\\r\\n\"]\n[0.5,\"r\",\"100x30\"]\n" };
const SECOND: Part = Part {
    millis: 1000,
    lines: "[0.0,\"m\",\"Gap: the recording failed (vanished)\"]\n[2.0,\"o\",\"two\\r\\n\"]\n",
};
const THIRD: Part = Part { millis: 3000, lines: "[1.5,\"o\",\"three\\r\\n\"]\n" };
const END: &str = "[0.0,\"x\",\"3\"]\n#recmode {\"end\":{\"reason\":\"exit\",\"status\":3,\"bytes\":17,\"seconds\":4.5,\"gaps\":0,\"lost\":0}}\n";

/// The text of a file of session `id`; `before` is the one that it continues, with its number.
fn text(id: &str, number: u64, part: &Part, before: Option<(u64, &str)>) -> String {
    let mut recmode = serde_json::json!({
        "version": "0.1.0", "session": id, "mode": "best_effort", "kind": "ssh", "roles": [],
        "user": owner(), "host": "node1",
    });
    let mut timestamp = START;
    let mut size = (80, 24);
    if number > 1 {
        size = (90, 25);
        recmode["segment"] = number.into();
        recmode["first"] = "rec.cast".into();
        timestamp += i64::from(part.millis / 1000);
    }
    if let Some((number, text)) = before {
        recmode["continues"] = serde_json::json!({
            "segment": number, "file": if number == 1 { "rec.cast".to_owned() } else { format!("rec.{number}.cast") },
            "bytes": text.len(), "blake3": blake3::hash(text.as_bytes()).to_hex().as_str(),
            "time": f64::from(part.millis) / 1000.0, "output": 5,
        });
    }
    let header = serde_json::json!({
        "version": 3, "term": {"cols": size.0, "rows": size.1}, "timestamp": timestamp, "command": "sh",
        "recmode": recmode,
    });
    format!("{header}\n{}", part.lines)
}

/// The three files of a session.
pub(crate) fn three() -> [String; 3] {
    let first = text("s", 1, &FIRST, None);
    let second = text("s", 2, &SECOND, Some((1, &first)));
    let third = text("s", 3, &THIRD, Some((2, &second))) + END;
    [first, second, third]
}

fn names(dir: &TempDir) -> [PathBuf; 3] {
    ["rec.cast", "rec.2.cast", "rec.3.cast"].map(|name| dir.path().join(name))
}

pub(crate) fn write(dir: &TempDir, texts: &[String]) -> [PathBuf; 3] {
    let files = names(dir);
    for (file, text) in files.iter().zip(texts) {
        fs::write(file, text).expect("written");
    }
    files
}

pub(crate) fn json(args: &[&str]) -> Value {
    let (out, err, _) = run(args);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?}: {error}: {out}{err}"))
}

#[test]
fn whichever_file_is_named_all_of_the_session_is_read_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = write(&dir, &three());
    for file in &files {
        let file = arg(file);
        let (out, err, status) = run(&["cat", file]);
        assert_eq!((out.as_str(), err.as_str(), status), ("one\ntwo\nthree\n", "", Some(0)), "{file}");
        assert_eq!(run(&["cat", "--raw", file]).0, "one\r\ntwo\r\nthree\r\n");
        let (out, err, status) = run(&["search", "^t", file]);
        assert_eq!((out.lines().count(), err.as_str(), status), (2, "", Some(0)), "{out}");
        let (out, _, _) = run(&["play", "--speed", "100", file]);
        assert!(out.contains("one\r\n") && out.contains("two\r\n") && out.contains("three\r\n"), "{out:?}");
        let info = json(&["info", "--format", "json", file]);
        assert_eq!(
            (&info["duration"], &info["exit"], &info["output_bytes"]),
            (&4.5.into(), &"3".into(), &17.into())
        );
        assert_eq!(info["segments"].as_array().map(Vec::len), Some(3), "{info}");
        assert_eq!((&info["file"], &info["missing"]), (&arg(&files[0]).into(), &Value::Null));
        let list = json(&["ls", "--format", "json", file]);
        let list = list["recordings"].as_array().expect("a list");
        assert_eq!(list.len(), 1);
        assert_eq!((&list[0]["duration"], &list[0]["state"]), (&4.5.into(), &"complete".into()));
        assert_eq!((&list[0]["file"], &list[0]["size"]), (&info["file"], &info["size"]));
    }
    let (out, err, status) = run(&["ls", arg(dir.path())]);
    assert_eq!((out.lines().count(), err.as_str(), status), (2, "", Some(0)), "{out}");
    assert!(out.ends_with("/rec.cast (+ 2 more of its session)\n"), "{out}");
    assert_eq!(run(&["search", "^t", arg(dir.path())]).0.lines().count(), 2);
}

#[test]
fn an_export_is_one_recording_with_the_times_of_the_session() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = write(&dir, &three());
    for (format, expected) in [
        (
            "asciicast-v3",
            "[0.500000, \"o\", \"one\\r\\n\"]\n[0.500000, \"r\", \"100x30\"]\n[0.000000, \"r\", \"90x25\"]\n\
             [0.000000, \"m\", \"Gap: the recording failed (vanished)\"]\n[2.000000, \"o\", \"two\\r\\n\"]\n\
             [1.500000, \"o\", \"three\\r\\n\"]\n[0.000000, \"x\", \"3\"]\n",
        ),
        (
            "asciicast-v2",
            "[0.500000, \"o\", \"one\\r\\n\"]\n[1.000000, \"r\", \"100x30\"]\n[1.000000, \"r\", \"90x25\"]\n\
             [1.000000, \"m\", \"Gap: the recording failed (vanished)\"]\n[3.000000, \"o\", \"two\\r\\n\"]\n\
             [4.500000, \"o\", \"three\\r\\n\"]\n[4.500000, \"x\", \"3\"]\n",
        ),
    ] {
        let (out, err, status) = run(&["export", "--to", format, arg(&files[1])]);
        assert_eq!((err.as_str(), status), ("", Some(0)));
        let events: String = out
            .lines()
            .skip(1)
            .filter(|line| line.starts_with('[') && !line.contains("\"R\""))
            .map(|line| line.to_owned() + "\n")
            .collect();
        assert_eq!(events, expected, "{format}");
    }
}

#[test]
fn a_recorder_that_was_killed_leaves_a_pause_and_older_recorders_no_position() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut texts = three();
    // Ten seconds later; whole seconds are all that an older header has.
    for (with_position, duration) in [(true, 14.5), (false, 14.0)] {
        let late = Part { millis: 10_500, lines: SECOND.lines };
        let mut second = text("s", 2, &late, Some((1, &texts[0])));
        if !with_position {
            second = text("s", 2, &late, None);
        }
        let end = END.replace("4.5", &duration.to_string()).replace("\"seconds\":14", "\"was\":14");
        texts[1] = second + "[2.0,\"o\",\"\"]\n" + &end;
        let files = write(&dir, &texts[..2]);
        let info = json(&["info", "--format", "json", arg(&files[0])]);
        assert_eq!(info["duration"], duration, "{with_position}");
    }
}

#[test]
fn what_is_missing_is_named_and_fails_a_verification() {
    for gone in [0, 1] {
        let dir = tempfile::tempdir().expect("a directory");
        let files = write(&dir, &three());
        fs::remove_file(&files[gone]).expect("removed");
        let missing = format!("segment {} of the session, {}, is missing", gone + 1, files[gone].display());
        let (left, kept) = if gone == 0 { (&files[1], "two\nthree\n") } else { (&files[0], "one\nthree\n") };
        for file in [left, &files[2]] {
            let file = arg(file);
            let (out, err, status) = run(&["cat", file]);
            assert_eq!((out.as_str(), status), (kept, Some(0)));
            assert_eq!(err, format!("recmode: {missing}\n"));
            let info = json(&["info", "--format", "json", file]);
            assert_eq!((&info["missing"][0], &info["state"]), (&missing.as_str().into(), &"gap".into()));
            assert_eq!(info["duration"], 4.5, "the session's, all the same");
            assert_eq!(info["start"], "2026-11-22T00:00:00Z");
            let text = format!("Gap: segment {} of the session is missing", gone + 1);
            assert_eq!(info["markers"][0]["text"], text);
            let list = json(&["ls", "--format", "json", file]);
            assert_eq!(list["recordings"][0]["missing"][0], missing);
            assert_eq!(list["recordings"][0]["duration"], 4.5);
            assert_eq!(list["recordings"][0]["start"], "2026-11-22T00:00:00Z");
            let (_, err, status) = run(&["search", "three", file]);
            assert_eq!((err.contains(&missing), status), (true, Some(0)));
            let (out, _, status) = run(&["verify", file]);
            assert!(out.contains(&format!(": incomplete; {missing}\n")), "{out}");
            assert_eq!(status, Some(1));
        }
        let (out, _, status) = run(&["verify", arg(dir.path())]);
        assert!(out.contains(&missing) && status == Some(1), "{out}");
        let (out, _, _) = run(&["ls", arg(dir.path())]);
        assert!(out.lines().count() == 2 && out.contains(&missing), "{out}");
    }
}

#[test]
fn what_follows_the_place_where_the_next_file_goes_on_is_ignored() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut texts = three();
    // A hung disk that came back, a recovery, and a torn line.
    for surplus in
        ["[9.0,\"o\",\"surplus\"]\n", "[0.0,\"x\",\"1\"]\n", END, "[9.0,\"o\",\"sur", "garbage\nmore\n"]
    {
        texts[1].push_str(surplus);
        let files = write(&dir, &texts);
        let (out, err, status) = run(&["cat", arg(&files[0])]);
        assert_eq!((out.as_str(), err.as_str(), status), ("one\ntwo\nthree\n", "", Some(0)), "{surplus}");
        texts[1].truncate(texts[1].len() - surplus.len());
    }
    // Without a position its own end record, at least, is not the session's.
    texts[1] = text("s", 2, &SECOND, None);
    texts[2] = text("s", 3, &THIRD, None) + END;
    texts[1].push_str(&END.replace("\"3\"", "\"9\""));
    let files = write(&dir, &texts);
    let info = json(&["info", "--format", "json", arg(&files[0])]);
    assert_eq!((&info["exit"], &info["duration"], &info["events"]), (&"3".into(), &4.5.into(), &7.into()));
}

#[test]
fn a_file_that_holds_less_or_is_damaged_is_named_with_its_own_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut texts = three();
    let whole = texts[0].clone();
    texts[0].truncate(whole.len() - 10);
    let files = write(&dir, &texts);
    let (out, err, status) = run(&["cat", arg(&files[2])]);
    assert_eq!((out.as_str(), status), ("one\ntwo\nthree\n", Some(0)));
    let held =
        format!("{}: cut off: {} of {} bytes are left", files[0].display(), whole.len() - 10, whole.len());
    assert_eq!(err, format!("recmode: {held}\n"));
    let (out, _, status) = run(&["verify", arg(&files[2])]);
    assert!(out.contains("rec.cast: not as it was when segment 2 went on\n") && status == Some(1), "{out}");
    texts[0] = whole.replace("[0.5,\"o\"", "[0.5,\"o\"\"");
    let files = write(&dir, &texts);
    let (out, err, status) = run(&["cat", arg(&files[2])]);
    assert_eq!((out.as_str(), status), ("two\nthree\n", Some(2)));
    assert!(
        err.contains("/rec.cast: line 2, column ") && err.ends_with("the session goes on in segment 2\n"),
        "{err}"
    );
    texts = three();
    texts[2] = texts[2].replace("[1.5", "garbage\n[1.5");
    let files = write(&dir, &texts);
    for command in ["cat", "info", "play"] {
        let (_, err, status) = run(&[command, arg(&files[0])]);
        assert!(err.contains("/rec.3.cast: line 2, column 1: ") && status == Some(2), "{command}: {err}");
    }
    let (_, err, status) = run(&["search", "one", arg(dir.path())]);
    assert!(err.contains("/rec.3.cast: line 2, column 1: ") && status == Some(2), "{err}");
}

#[test]
fn a_file_is_joined_only_if_its_session_type_and_number_agree() {
    let dir = tempfile::tempdir().expect("a directory");
    let texts = three();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let target = elsewhere.path().join("rec.2.cast");
    fs::write(&target, &texts[1]).expect("written");
    for (kind, why) in [
        ("link", "a symbolic link, which is not followed"),
        ("directory", "not a regular file"),
        ("other", "it is not a recording of this session"),
        ("number", "its header has another segment number or version"),
        ("nothing", "it is not a recording of this session"),
    ] {
        let files = write(&dir, &texts);
        fs::remove_file(&files[1]).expect("removed");
        match kind {
            "link" => symlink(&target, &files[1]).expect("a link"),
            "directory" => fs::create_dir(&files[1]).expect("a directory"),
            "other" => fs::write(&files[1], text("t", 2, &SECOND, None)).expect("written"),
            "number" => fs::write(&files[1], text("s", 7, &SECOND, None)).expect("written"),
            _ => fs::write(&files[1], "nothing\n").expect("written"),
        }
        let (out, err, status) = run(&["cat", arg(&files[0])]);
        assert_eq!((out.as_str(), status), ("one\nthree\n", Some(0)), "{kind}");
        let name = files[1].display();
        let lines = format!(
            "recmode: segment 2 of the session, {name}, is missing\n\
             recmode: {name}: not read as a part of the session: {why}\n"
        );
        assert_eq!(err, lines, "{kind}");
        assert_eq!(run(&["verify", arg(&files[0])]).2, Some(1), "{kind}");
        let _ = fs::remove_file(&files[1]).or_else(|_| fs::remove_dir(&files[1]));
    }
}

#[test]
fn a_file_of_another_owner_is_not_joined() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: needs root");
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "not skipped: needs root");
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let files = write(&dir, &three());
    std::os::unix::fs::chown(&files[2], Some(12345), None).expect("chown");
    let (out, err, status) = run(&["cat", arg(&files[0])]);
    assert_eq!((out.as_str(), status), ("one\ntwo\n", Some(0)));
    assert!(
        err.contains("rec.3.cast: not read as a part of the session: it belongs to another user\n"),
        "{err}"
    );
    // The header's word, and whose file it is.
    let (out, _, _) = run(&["ls", arg(&files[2])]);
    assert!(out.contains(&format!("{} (owner 12345)", owner())), "{out}");
    let (out, _, _) = run(&["search", "three", arg(&files[2])]);
    assert!(out.contains(&format!("/rec.3.cast:{} (owner 12345):", owner())), "{out}");
    let list = json(&["ls", "--format", "json", arg(&files[2])]);
    assert_eq!(list["recordings"][0]["owner"], "12345");
}

#[test]
fn several_files_that_claim_one_number_are_not_joined_but_named() {
    if !has("gzip") {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let files = write(&dir, &three());
    let gzip = |file: &Path| {
        let packed = std::process::Command::new("gzip").args(["--keep", arg(file)]).status();
        assert!(packed.is_ok_and(|status| status.success()), "gzip");
    };
    gzip(&files[1]);
    let (out, err, status) = run(&["cat", arg(&files[0])]);
    assert_eq!((out.as_str(), status), ("one\nthree\n", Some(0)));
    assert!(err.contains("several files claim to be segment 2 of the session, and none is read: "), "{err}");
    assert!(err.contains("rec.2.cast, ") && err.contains("rec.2.cast.gz\n"), "{err}");
    let (out, _, status) = run(&["cat", arg(&files[1])]);
    assert_eq!((out.as_str(), status), ("two\n", Some(0)), "named, it is read by itself");
    // Packed, they are the session's all the same.
    fs::remove_file(&files[1]).expect("removed");
    assert_eq!(run(&["cat", arg(&files[0])]).0, "one\ntwo\nthree\n");
    assert_eq!(run(&["cat", arg(&files[1].with_extension("cast.gz"))]).0, "one\ntwo\nthree\n");
    // A copy of a recording that is one file is no other segment of it.
    let dir = tempfile::tempdir().expect("a directory");
    let files = write(&dir, &[text("s", 1, &FIRST, None) + END]);
    gzip(&files[0]);
    assert_eq!(run(&["cat", arg(&files[0])]), ("one\n".to_owned(), String::new(), Some(0)));
}

#[test]
fn a_file_that_nothing_continues_is_a_leftover() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut texts = three();
    texts[2] = text("s", 3, &THIRD, Some((1, &texts[0]))) + END;
    let files = write(&dir, &texts);
    let leftover =
        format!("{}: a leftover of the session: no later segment continues it", files[1].display());
    let (out, err, status) = run(&["cat", arg(&files[0])]);
    assert_eq!((out.as_str(), err, status), ("one\nthree\n", format!("recmode: {leftover}\n"), Some(0)));
    let (out, err, _) = run(&["cat", arg(&files[1])]);
    assert_eq!(
        (out.as_str(), err),
        (
            "two\n",
            format!(
                "recmode: {leftover}\nrecmode: {}: the recording has no end record: the session is still running, or it is cut off\n",
                files[1].display()
            )
        )
    );
}

#[test]
fn a_hint_in_a_header_leads_to_a_renamed_file_beside_it_and_nowhere_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let [first, second, _] = three();
    let files = names(&dir);
    fs::write(&files[0], &first).expect("written");
    let renamed = dir.path().join("part.cast");
    fs::write(&renamed, second.clone() + END).expect("written");
    assert_eq!(run(&["cat", arg(&renamed)]).0, "one\ntwo\n");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let below = elsewhere.path().join("below");
    fs::create_dir(&below).expect("a directory");
    for hint in [
        arg(&files[0]).to_owned(),
        format!("../{}/rec.cast", dir.path().file_name().unwrap().to_string_lossy()),
    ] {
        let lone = below.join("lone.cast");
        fs::write(&lone, second.replace("\"first\":\"rec.cast\"", &format!("\"first\":\"{hint}\"")) + END)
            .expect("written");
        assert_eq!(run(&["cat", arg(&lone)]).0, "two\n", "{hint}");
    }
}
