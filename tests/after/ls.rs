//! `recmode ls`: what is listed, in which state and order, and what is passed over.

use std::fs::{self, File};

use tempfile::TempDir;

use crate::{arg, end, recording, run};

/// A directory with a recording in each state, and with what is none.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    let day = 86_400;
    let base = 1_795_305_600; // 2026-11-22 00:00 UTC
    // Longer than what is read of its end.
    let lines = "[0.25,\"o\",\"text of the session\\r\\n\"]\n".repeat(100_000);
    let long = recording("alice", "strict", base, &format!("{lines}{}", end(0, 25_000.0, 0)));
    write("alice/complete.cast", long.as_bytes());
    write("gap.cast", recording("bob", "best_effort", base - day, &end(0, 60.0, 2)).as_bytes());
    let strict = end(124, 1.5, 0).replace("exit\"", "strict\"");
    write("strict.cast", recording("bob", "strict", base - 2 * day, &strict).as_bytes());
    write("cut.cast", recording("alice", "strict", base - 3 * day, "[0.5,\"o\",\"a\"]\n[1.0,\"o").as_bytes());
    write("live.cast", recording("alice", "strict", base - 4 * day, "[0.5,\"o\",\"a\"]\n").as_bytes());
    write("other.json", b"{\"version\":2,\"width\":80,\"height\":24}\n[1.5,\"o\",\"x\"]\n");
    write("notes.txt", b"{ no recording\n");
    write("empty.json", b"");
    write("config.json", b"{\"version\":3,\"name\":\"x\"}\n");
    std::os::unix::fs::symlink("gap.cast", dir.path().join("link.cast")).expect("a link");
    dir
}

#[test]
fn recordings_are_listed_newest_first_with_their_states_and_the_rest_is_passed_over() {
    let dir = directory();
    let live = File::open(dir.path().join("live.cast")).expect("a recording");
    live.try_lock().expect("the recorder's lock");
    let (out, err, status) = run(&["ls", "--format", "csv", arg(dir.path())]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split(',').collect()).collect();
    let told: Vec<_> = lines[1..]
        .iter()
        .map(|cells| (cells[1], cells[5], cells[7], cells[10].rsplit('/').next().unwrap_or_default()))
        .collect();
    let live_for = told[4].1;
    assert_eq!(
        told,
        [
            ("alice", "25000", "complete", "complete.cast"),
            ("bob", "60", "gap", "gap.cast"),
            ("bob", "1.5", "strict", "strict.cast"),
            ("alice", "0.5", "cut-off", "cut.cast"),
            ("alice", live_for, "live", "live.cast"),
            ("", "1.5", "complete", "other.json"),
        ]
    );
    // Looking has not taken the lock, nor let it go.
    let other = File::open(dir.path().join("live.cast")).expect("a recording");
    assert!(other.try_lock_shared().is_err());
    drop(live);
    assert!(run(&["ls", "--state", "live", arg(dir.path())]).0.lines().count() == 1);
}

#[test]
fn what_is_called_a_recording_and_can_not_be_read_is_reported_and_one_that_begins_is_not() {
    let dir = directory();
    let d = arg(dir.path());
    let other = recording("zoe", "strict", 1, &end(0, 1.0, 0));
    let long = other.replacen("zoe", &"z".repeat(17 << 20), 1);
    let begun = dir.path().join("begun.cast");
    let recorder = File::create(&begun).expect("a file");
    recorder.try_lock().expect("the recorder's lock");
    for (name, text, why) in [
        ("a.cast", &b"nothing of the sort\n"[..], "line 1: this is no asciicast header"),
        ("a.cast.gz", b"\x1f\x8bnothing", "line 1"),
        ("a.cast.zst", b"", "the file is empty"),
        ("b.cast", long.as_bytes(), "line 1: longer than 16777216 bytes"),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, text).expect("a file");
        for command in
            [&["ls", d][..], &["search", "zoe", d], &["prune", "--max-total", "1G", d], &["verify", d]]
        {
            let (out, err, status) = run(command);
            assert!(err.contains(&format!("/{name}: ")), "{command:?}: {err}");
            // A verification does not read a header as those do that want to know it.
            assert!(command[0] == "verify" || err.contains(why), "{command:?}: {err}");
            assert!(!err.contains("begun.cast") && !err.contains("notes.txt"), "{command:?}: {err}");
            assert_eq!(status, Some(2), "{command:?}: {out}");
        }
        fs::remove_file(file).expect("removed");
    }
    assert_eq!(run(&["ls", d]).2, Some(0));
    let elsewhere = tempfile::tempdir().expect("a directory");
    fs::write(elsewhere.path().join("c.cast"), &other).expect("a file");
    let odd = dir.path().join("odd.cast");
    for (kind, why) in [
        ("outside", "a symbolic link, which is not followed"),
        ("nowhere", "a symbolic link, which is not followed"),
        ("socket", "no file"),
    ] {
        match kind {
            "outside" => std::os::unix::fs::symlink(elsewhere.path().join("c.cast"), &odd).expect("a link"),
            "nowhere" => std::os::unix::fs::symlink("nowhere.cast", &odd).expect("a link"),
            _ => drop(std::os::unix::net::UnixListener::bind(&odd).expect("a socket")),
        }
        for command in
            [&["ls", d][..], &["search", "zoe", d], &["prune", "--max-total", "1G", d], &["verify", d]]
        {
            let (out, err, status) = run(command);
            assert!(err.contains(&format!("/odd.cast: {why}")), "{kind}: {command:?}: {err}");
            assert_eq!(status, Some(2), "{kind}: {command:?}: {out}");
        }
        fs::remove_file(&odd).expect("removed");
    }
    let (_, err, status) = run(&["ls", &format!("{d}/notes.txt")]);
    assert!(err.contains("notes.txt: can't be read as a recording") && status == Some(2), "named: {err}");
}

#[test]
fn the_table_is_for_people() {
    let dir = directory();
    let file = dir.path().join("gap.cast");
    let (out, _, _) = run(&["ls", arg(&file)]);
    let expected = format!(
        "START                USER  KIND  MODE         DURATION  SIZE   STATE  FILE\n\
         2026-11-21 00:00:00  bob   ssh   best_effort  0:01:00   {} B  gap    {}\n",
        fs::metadata(&file).expect("a file").len(),
        file.display()
    );
    assert_eq!(out, expected);
}

#[test]
fn filters_are_all_met_and_the_order_is_chosen() {
    let dir = directory();
    let names = |args: &[&str]| {
        let mut all = vec!["ls", "--format", "json"];
        all.extend(args);
        all.push(arg(dir.path()));
        let (out, err, status) = run(&all);
        assert_eq!((err.as_str(), status), ("", Some(0)), "{args:?}");
        let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(tree["schema"], "recmode.recordings/1");
        let list = tree["recordings"].as_array().expect("a list").clone();
        list.iter()
            .map(|entry| entry["file"].as_str().expect("a name").rsplit('/').next().unwrap_or("").to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(&["--user", "bob"]), "gap.cast strict.cast");
    assert_eq!(names(&["--user", "bob", "--mode", "strict"]), "strict.cast");
    assert_eq!(names(&["--kind", "k8s"]), "");
    assert_eq!(names(&["--state", "gap", "--state", "strict"]), "gap.cast strict.cast");
    assert_eq!(names(&["--since", "2026-11-21", "--until", "2026-11-22"]), "gap.cast");
    assert_eq!(names(&["--since", "1 hour ago"]), "");
    assert_eq!(
        names(&["--sort", "duration", "--user", "bob", "--user", "alice", "--until", "2026-11-19"]),
        "live.cast",
        "the end of the day before"
    );
    assert_eq!(
        names(&["--sort", "size", "--mode", "strict"]),
        "complete.cast strict.cast cut.cast live.cast"
    );
    assert_eq!(names(&["--sort", "name", "--reverse", "--user", "bob"]), "strict.cast gap.cast");
}

#[test]
fn trouble_has_its_status() {
    let (out, err, status) = run(&["ls", "/nonexistent"]);
    assert_eq!((out.as_str(), status), ("", Some(2)));
    assert_eq!(err, "recmode: /nonexistent: No such file or directory (os error 2)\n");
    let (_, err, status) = run(&["ls", "--since", "soon", "/"]);
    assert_eq!(status, Some(2));
    assert!(err.starts_with("recmode: --since: \"soon\" is no date or time"), "{err}");
}

#[test]
fn a_link_that_is_named_is_followed_and_numbers_beyond_reason_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = recording(
        "alice",
        "strict",
        i64::MAX,
        "#recmode {\"end\":{\"reason\":\"exit\",\"seconds\":1e300}}\n",
    );
    fs::write(dir.path().join("a.cast"), text).expect("a file");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("a.cast", &link).expect("a link");
    for format in ["table", "json", "csv"] {
        let (out, err, status) = run(&["ls", "--format", format, arg(&link)]);
        assert_eq!((err.as_str(), status), ("", Some(0)));
        assert!(out.contains("alice") && out.contains("/link"), "{out}");
    }
}

#[test]
fn nobody_has_recorded_anything_yet() {
    let home = tempfile::tempdir().expect("a directory");
    let output = crate::support::recmode()
        .env("RECMODE_DIR", home.path().join("none"))
        .arg("ls")
        .output()
        .expect("recmode runs");
    let (out, err, status) = crate::outcome(&output);
    assert_eq!((out.lines().count(), status), (1, Some(0)));
    assert!(err.ends_with("/none: there are no recordings\n"), "{err}");
}

#[test]
fn what_a_recording_says_of_itself_is_escaped() {
    let dir = tempfile::tempdir().expect("a directory");
    let hostile = recording("=cmd()\\u001b]0;x\\u0007", "strict", 0, "");
    fs::write(dir.path().join("a\u{1b}[2J.cast"), hostile).expect("a file");
    for format in ["table", "json", "csv"] {
        let (out, _, status) = run(&["ls", "--format", format, arg(dir.path())]);
        assert_eq!(status, Some(0));
        assert!(!out.contains(['\u{1b}', '\u{7}']), "{format}: {out:?}");
        assert!(format != "csv" || out.contains(",'=cmd()"), "{out}");
    }
}
