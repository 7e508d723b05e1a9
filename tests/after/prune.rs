//! `recmode prune`.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::{arg, end, recording, run};

const DAY: u64 = 86_400;

/// A recording that was written to last so many days ago.
fn old(dir: &Path, name: &str, days: u64) {
    write(dir, name, days, &recording("alice", "strict", 1_795_305_600, &end(0, 1.0, 0)));
}

fn write(dir: &Path, name: &str, days: u64, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("a directory")).expect("mkdir");
    fs::write(&path, text).expect("a file");
    let when = SystemTime::now() - Duration::from_secs(days * DAY);
    let file = File::options().write(true).open(&path).expect("the file");
    file.set_times(FileTimes::new().set_modified(when)).expect("utimes");
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_too_old_is_shown_and_removed_when_told_to() {
    let dir = tempfile::tempdir().expect("a directory");
    old(dir.path(), "a.cast", 100);
    old(dir.path(), "b.cast", 10);
    write(dir.path(), "a.cast.sig", 100, "a signature");
    write(dir.path(), "a.cast.torn", 100, "what recover kept");
    write(dir.path(), "notes.txt", 100, "no recording\n");
    old(dir.path(), "bob/c.cast", 91);
    let limit = ["prune", "--older-than", "90d", arg(dir.path())];
    let (out, err, status) = run(&limit);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].contains("  too old  ") && lines[0].ends_with("/a.cast"), "{out}");
    assert!(lines[1].ends_with("/bob/c.cast"), "{out}");
    assert!(
        lines[2].starts_with("2 files, ") && lines[2].ends_with(" would be removed (--yes does it); 1 kept"),
        "{out}"
    );
    assert_eq!(names(dir.path()), ["a.cast", "a.cast.sig", "a.cast.torn", "b.cast", "bob", "notes.txt"]);
    let (out, err, status) = run(&[&limit[..], &["--yes"]].concat());
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert!(out.ends_with(" removed; 1 kept\n"), "{out}");
    assert_eq!(names(dir.path()), ["b.cast", "bob", "notes.txt"]);
    assert!(names(&dir.path().join("bob")).is_empty());
}

#[test]
fn what_belongs_to_a_packed_recording_goes_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["a.cast", "b.cast", "b.cast.gz"] {
        old(dir.path(), name, if name == "b.cast" { 1 } else { 100 });
        write(dir.path(), &format!("{name}.sig"), 100, "a signature");
    }
    // gzip keeps the date, and takes the file's place.
    fs::rename(dir.path().join("a.cast"), dir.path().join("a.cast.gz")).expect("renamed");
    let (_, err, status) = run(&["prune", "--older-than", "90d", "--yes", arg(dir.path())]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert_eq!(names(dir.path()), ["b.cast", "b.cast.sig"]);
}

#[test]
fn the_oldest_go_while_there_is_too_much_or_too_little_free() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, days) in [("a.cast", 3), ("b.cast", 1), ("c.cast", 2)] {
        old(dir.path(), name, days);
    }
    let size = 512 * fs::metadata(dir.path().join("a.cast")).expect("a file").blocks();
    let most = (2 * size).to_string();
    let (out, _, _) = run(&["prune", "--max-total", &most, "--format", "json", arg(dir.path())]);
    let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&tree["schema"], &tree["removed"]), (&"recmode.prune/1".into(), &false.into()));
    assert_eq!((&tree["kept"], &tree["bytes"]), (&2.into(), &size.into()));
    assert!(tree["recordings"][0]["file"].as_str().expect("a file").ends_with("/a.cast"));
    assert_eq!(tree["recordings"][0]["reason"], "total");
    let own = nix::unistd::geteuid().as_raw();
    assert_eq!(
        (&tree["recordings"][0]["uid"], &tree["recordings"][0]["allocated"]),
        (&own.into(), &size.into())
    );
    let (out, _, status) = run(&["prune", "--max-total", "0", "--yes", arg(dir.path())]);
    assert_eq!((out.lines().count(), status), (4, Some(0)), "{out}");
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_limit_that_can_not_be_met_removes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    old(dir.path(), "a.cast", 100);
    old(dir.path(), "b.cast", 3);
    // No disk is free to 100 parts of a hundred.
    for limits in [&["--keep-free", "100%"][..], &["--older-than", "90d", "--keep-free", "100%"]] {
        for yes in [&[][..], &["--yes"]] {
            let (out, err, status) = run(&[&["prune"], limits, yes, &[arg(dir.path())]].concat());
            assert_eq!((out.as_str(), status), ("", Some(1)));
            assert!(
                err.contains(": --keep-free can't be met: ") && err.ends_with("; nothing is removed\n"),
                "{err}"
            );
            assert_eq!(names(dir.path()), ["a.cast", "b.cast"]);
        }
    }
    let (out, _, status) = run(&["prune", "--keep-free", "100%", "--format", "json", arg(dir.path())]);
    let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&tree["refused"]["limit"], &tree["removed"]), (&"free".into(), &false.into()));
    assert_eq!((&tree["recordings"], status), (&serde_json::json!([]), Some(1)));
}

#[test]
fn what_is_new_stays_whatever_the_limits() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, days) in [("a.cast", 8), ("b.cast", 6), ("c.cast", 0)] {
        old(dir.path(), name, days);
    }
    let prune =
        |limit: [&str; 2]| run(&["prune", "--min-age", "7d", limit[0], limit[1], "--yes", arg(dir.path())]);
    let (_, err, status) = prune(["--max-total", "0"]);
    assert_eq!(status, Some(1), "{err}");
    assert_eq!(names(dir.path()), ["a.cast", "b.cast", "c.cast"]);
    assert_eq!(prune(["--older-than", "1d"]).2, Some(0));
    assert_eq!(names(dir.path()), ["b.cast", "c.cast"]);
    let (_, err, status) = run(&["prune", "--min-age=-1d", "--max-total", "0", arg(dir.path())]);
    assert!(err.contains("expected an age") && status == Some(2), "{err}");
}

#[test]
fn a_moment_to_come_is_not_believed() {
    let dir = tempfile::tempdir().expect("a directory");
    old(dir.path(), "a.cast", 2);
    old(dir.path(), "future.cast", 0);
    let file = File::options().write(true).open(dir.path().join("future.cast")).expect("the file");
    let when = SystemTime::now() + Duration::from_secs(80 * 365 * DAY);
    file.set_times(FileTimes::new().set_modified(when)).expect("utimes");
    drop(file);
    let size = 512 * fs::metadata(dir.path().join("a.cast")).expect("a file").blocks();
    // It was set just now: it is the newer one, and goes as any other.
    let limit = |most: u64| run(&["prune", "--max-total", &most.to_string(), "--yes", arg(dir.path())]);
    assert_eq!(limit(size).2, Some(0));
    assert_eq!(names(dir.path()), ["future.cast"]);
    assert_eq!(limit(0).2, Some(0));
    assert!(names(dir.path()).is_empty());
}

#[test]
fn each_removal_is_logged_and_what_can_not_be_logged_is_not_begun() {
    let dir = tempfile::tempdir().expect("a directory");
    let logs = tempfile::tempdir().expect("a directory");
    old(dir.path(), "a.cast", 100);
    old(dir.path(), "b.cast", 1);
    let log = logs.path().join("log");
    let prune = |log: &Path, yes: &[&str]| {
        run(&[&["prune", "--older-than", "90d", "--log", arg(log)][..], yes, &[arg(dir.path())]].concat())
    };
    assert_eq!(prune(&log, &[]).2, Some(0));
    assert!(!log.exists(), "nothing was removed");
    let (_, err, status) = prune(&logs.path().join("nowhere/log"), &["--yes"]);
    assert!(err.contains("nowhere/log") && status == Some(2), "{err}");
    assert_eq!(names(dir.path()), ["a.cast", "b.cast"]);
    assert_eq!(prune(&log, &["--yes"]).2, Some(0));
    let text = fs::read_to_string(&log).expect("a log");
    let event: serde_json::Value = serde_json::from_str(&text).expect("a line of JSON");
    assert_eq!((&event["event"], &event["reason"]), (&"pruned".into(), &"age".into()));
    assert_eq!(
        (&event["session"], &event["uid"]),
        (&"5d3c0a9e".into(), &nix::unistd::geteuid().as_raw().into())
    );
    assert!(event["recording"].as_str().expect("a path").ends_with("/a.cast"), "{text}");
    assert!(
        event["time"].is_string() && event["owner"].is_string() && event["modified"].is_string(),
        "{text}"
    );
    assert!(event["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{text}");
}

#[test]
fn all_files_of_a_session_go_or_none() {
    let dir = tempfile::tempdir().expect("a directory");
    old(dir.path(), "a.cast", 100);
    let second = |name: &str, session: &str| {
        let text = recording("alice", "best_effort", 1, &end(0, 1.0, 0))
            .replace("\"version\":\"0.1.0\"", "\"version\":\"0.1.0\",\"segment\":2,\"first\":\"a.cast\"")
            .replace("5d3c0a9e", session);
        write(dir.path(), name, 50, &text);
    };
    second("a.2.cast", "5d3c0a9e");
    // One that claims to go on from another session's file neither holds nor takes it.
    second("claim.cast", "other");
    let held = File::open(dir.path().join("a.2.cast")).expect("a file");
    held.try_lock().expect("locked");
    let prune = |age| run(&["prune", "--older-than", age, "--yes", arg(dir.path())]);
    assert!(prune("70d").0.ends_with(" removed; 3 kept\n"));
    assert!(prune("30d").0.ends_with("1 file, 4.00 KiB, removed; 2 kept\n"));
    assert_eq!(names(dir.path()), ["a.2.cast", "a.cast"]);
    drop(held);
    assert!(prune("30d").0.ends_with(" removed; 0 kept\n"));
}

#[test]
fn what_is_being_written_and_what_it_began_with_stay() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "live.cast", 100, &recording("alice", "strict", 1, "[0.5,\"o\",\"hi\"]\n"));
    // One whose end is written, but whose recorder is not gone yet.
    old(dir.path(), "ending.cast", 100);
    old(dir.path(), "a.cast", 100);
    let second = recording("alice", "best_effort", 1, "")
        .replace("\"version\":\"0.1.0\"", "\"version\":\"0.1.0\",\"segment\":2,\"first\":\"a.cast\"");
    write(dir.path(), "a.2.cast", 1, &second);
    old(dir.path(), "gone.cast", 100);
    let recorders =
        ["live.cast", "ending.cast"].map(|name| File::open(dir.path().join(name)).expect("a file"));
    for recorder in &recorders {
        recorder.try_lock().expect("locked");
    }
    let (out, err, status) = run(&["prune", "--older-than", "30d", "--yes", arg(dir.path())]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert!(out.ends_with(" removed; 4 kept\n"), "{out}");
    assert_eq!(names(dir.path()), ["a.2.cast", "a.cast", "ending.cast", "live.cast"]);
}

#[test]
fn what_another_tool_still_writes_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    let foreign = "{\"version\":2,\"width\":80,\"height\":24}\n[0.1,\"o\",\"x\"]\n";
    write(dir.path(), "foreign.cast", 100, foreign);
    let file = dir.path().join("foreign.cast");
    let recorder = File::options().append(true).open(&file).expect("a file");
    let prune = || run(&["prune", "--older-than", "1d", "--yes", arg(dir.path())]);
    assert!(run(&["ls", "--state", "live", arg(dir.path())]).0.contains("foreign.cast"));
    assert_eq!(prune().0, "0 files, 0 B, removed; 1 kept\n");
    drop(recorder);
    assert!(run(&["ls", "--state", "complete", arg(dir.path())]).0.contains("foreign.cast"));
    assert!(prune().0.ends_with(" removed; 0 kept\n"));
    assert!(!file.exists());
}

#[test]
fn links_are_neither_followed_nor_removed() {
    let dir = tempfile::tempdir().expect("a directory");
    let elsewhere = tempfile::tempdir().expect("a directory");
    old(elsewhere.path(), "a.cast", 100);
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("folder")).expect("a link");
    std::os::unix::fs::symlink(elsewhere.path().join("a.cast"), dir.path().join("a.cast")).expect("a link");
    let (out, err, status) = run(&["prune", "--older-than", "1d", "--yes", arg(dir.path())]);
    // It is called a recording, and was not looked at.
    assert!(err.ends_with("/a.cast: a symbolic link, which is not followed\n"), "{err}");
    assert_eq!((out.as_str(), status), ("0 files, 0 B, removed; 0 kept\n", Some(2)));
    assert_eq!(names(elsewhere.path()), ["a.cast"]);
    assert_eq!(names(dir.path()), ["a.cast", "folder"]);
}

#[test]
fn a_limit_is_needed_and_has_to_be_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_, err, status) = run(&["prune", arg(dir.path())]);
    assert!(err.contains("--older-than") && status == Some(2), "{err}");
    for wrong in [["--older-than", "soon"], ["--max-total", "much"], ["--keep-free", "200%"]] {
        let (_, err, status) = run(&["prune", wrong[0], wrong[1], arg(dir.path())]);
        assert!(err.contains("expected") && status == Some(2), "{err}");
    }
    assert_eq!(run(&["prune", "--older-than", "1d", "/nowhere"]).2, Some(2));
}

#[test]
fn what_can_not_be_logged_ends_the_removing() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["a.cast", "b.cast", "c.cast"] {
        let text = recording("alice", "strict", 1_700_000_000, &end(0, 0.0, 0)).replace("5d3c0a9e", name);
        fs::write(dir.path().join(name), text).expect("written");
    }
    let (_, err, status) =
        run(&["prune", "--max-total", "1K", "--yes", "--log", "/dev/full", arg(dir.path())]);
    assert!(err.contains("could not be logged, so nothing more is removed") && status == Some(2), "{err}");
    assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 2, "{err}");
}
