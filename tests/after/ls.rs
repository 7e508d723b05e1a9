//! `recmode ls`: what is listed, in which state and order, and what is passed over.

use std::fs::{self, File};

use tempfile::TempDir;

use crate::{arg, end, marked, recording, run};

/// A directory with a recording in each state, and with what is none.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    // Each is a session of its own.
    let sessions = std::cell::Cell::new(0);
    let recording = |user: &str, mode: &str, timestamp: i64, lines: &str| {
        sessions.set(sessions.get() + 1);
        recording(user, mode, timestamp, lines).replace("5d3c0a9e", &format!("5d3c0a9{}", sessions.get()))
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
    // Not the file's owner.
    let bob = marked("bob");
    let width = bob.len();
    let expected = format!(
        "START                 {:width$}  KIND  MODE         DURATION  SIZE   STATE  FILE\n\
         2026-11-21 00:00:00Z  {bob}  ssh   best_effort  0:01:00   {} B  gap    {}\n",
        "USER",
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
    assert!(err.starts_with("recmode: --since: \"soon\" is not a date or time"), "{err}");
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

#[test]
fn times_carry_their_zone_which_is_local_or_utc() {
    let dir = directory();
    let file = dir.path().join("gap.cast");
    let in_zone = |args: &[&str]| {
        let output = crate::support::recmode().env("TZ", "America/St_Johns").args(args).output();
        crate::outcome(&output.expect("recmode runs")).0
    };
    for command in ["ls", "info"] {
        let local = in_zone(&[command, arg(&file)]);
        assert!(local.contains("2026-11-20 20:30:00-03:30"), "{local}");
        let utc = in_zone(&[command, "--utc", arg(&file)]);
        assert!(utc.contains("2026-11-21 00:00:00Z"), "{utc}");
    }
    let old = ["prune", "--older-than", "1d", "--utc", arg(dir.path())];
    File::options()
        .write(true)
        .open(&file)
        .and_then(|file| file.set_modified(std::time::UNIX_EPOCH))
        .expect("dated");
    assert!(in_zone(&old).starts_with("1970-01-01 00:00:00Z  "), "{}", in_zone(&old));
}

#[test]
fn one_long_name_widens_no_other_row() {
    let dir = directory();
    let before = run(&["ls", arg(dir.path())]).0;
    let long = recording(&"user\u{fe0f}名前".repeat(40), "strict", 1, &end(0, 1.0, 0));
    let long = long.replace("\"kind\":\"ssh\"", &format!("\"kind\":\"{}\"", "k".repeat(200)));
    fs::write(dir.path().join("long.cast"), long).expect("a file");
    let (out, _, status) = run(&["ls", arg(dir.path())]);
    assert_eq!(status, Some(0));
    for line in out.lines().filter(|line| !line.contains("long.cast")) {
        let row = line.rsplit_once("  ").expect("columns").0;
        assert!(row.len() <= "2026-11-21 00:00:00Z".len() + 24 + 12 + 60, "{line}");
    }
    let row = out.lines().find(|line| line.contains("long.cast")).expect("a row");
    assert!(row.contains("… (owner ") && row.contains("kkk…  strict "), "{row}");
    assert!(before.lines().count() + 1 == out.lines().count());
}

#[test]
fn a_length_that_only_the_files_times_tell_is_shown_where_they_can_be_relied_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    let now = jiff::Timestamp::now().as_second();
    let begun = now - 60;
    // Longer than what is read whole, and without an end.
    let lines = "[0.0,\"o\",\"text of the session\\r\\n\"]\n".repeat(40_000);
    let length = |file: &std::path::Path| {
        let (out, err, status) = run(&["ls", "--format", "json", arg(file)]);
        assert_eq!((err.as_str(), status), ("", Some(0)));
        let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let entry = &tree["recordings"][0];
        assert_eq!(entry["duration"].is_f64(), entry["duration_is_estimate"] == true, "{entry}");
        entry["duration"].as_f64()
    };
    fs::write(&file, recording("alice", "strict", begun, &lines)).expect("a file");
    let recorder = File::open(&file).expect("a file");
    recorder.try_lock().expect("the recorder's lock");
    let live = length(&file).expect("it is being written");
    assert!((60.0..70.0).contains(&live), "{live}");
    drop(recorder);
    // As one that was copied, or checked out: it was made a minute after its start.
    assert_eq!(length(&file), None);
    let (out, _, _) = run(&["ls", arg(&file)]);
    assert!(out.contains("  strict  -         "), "{out}");
    // Made when it began, and cut off at once.
    fs::write(dir.path().join("b.cast"), recording("alice", "strict", now, &lines)).expect("a file");
    let times = fs::metadata(dir.path().join("b.cast")).expect("a file");
    if times.created().is_ok() {
        assert!(length(&dir.path().join("b.cast")).is_some_and(|length| length < 10.0));
    }
    let touched = File::options().write(true).open(dir.path().join("b.cast")).expect("a file");
    touched
        .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(9_000_000_000))
        .expect("dated");
    assert_eq!(length(&dir.path().join("b.cast")), None);
}
