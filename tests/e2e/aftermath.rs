//! What is told of a session beside its recording, and what a crash leaves behind: the operator's
//! log, and `recover`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::{
    Cast, Lab, MESSAGE_B, SOON, Verdict, kill, recmode, recording_side, show, tests, until,
};

tests![
    an_idle_strict_session_ends_when_its_file_is_tampered_with,
    a_log_file_tells_start_failure_and_end,
    a_log_that_cannot_be_written_disturbs_nobody,
    a_killed_terminal_side_is_told_in_the_log_file,
    a_recording_left_by_a_crash_is_recovered_and_a_live_one_is_not_touched,
    a_sync_after_every_write_changes_nothing_that_is_seen,
];

/// The events of a log of JSON lines.
fn events(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn an_idle_strict_session_ends_when_its_file_is_tampered_with() -> Verdict {
    type Change = (&'static str, fn(&Path));
    let changes: [Change; 4] = [
        ("removed", |dir| fs::remove_file(dir.join("d/rec.cast")).unwrap()),
        ("cut", |dir| fs::write(dir.join("d/rec.cast"), "").unwrap()),
        ("replaced", |dir| {
            fs::write(dir.join("other"), "").unwrap();
            fs::rename(dir.join("other"), dir.join("d/rec.cast")).unwrap();
        }),
        ("moved with its directory", |dir| fs::rename(dir.join("d"), dir.join("e")).unwrap()),
    ];
    for (what, change) in changes {
        let lab = Lab::new();
        let args = ["-q", "--mode", "strict", "--", "sh", "-c", "echo ready; sleep 60"];
        let mut outer = lab.outer(&lab.record_to(&lab.path("d/rec.cast"), &args));
        outer.wait_for("ready\r\n");
        change(lab.dir());
        let end = outer.end_within(Duration::from_secs(6));
        assert_eq!(end.status, 124, "{what}");
        assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{what}: {}", show(&end.seen));
    }
    Ok(())
}

fn a_log_file_tells_start_failure_and_end() -> Verdict {
    let lab = Lab::new();
    let args = ["-q", "--mode", "strict", "--log", "log.jsonl", "--", "sh", "-c", "echo ready; sleep 60"];
    let mut outer = lab.outer(&lab.record(&args));
    outer.wait_for("ready\r\n");
    fs::remove_file(lab.cast()).unwrap();
    assert_eq!(outer.end().status, 124);
    let log = lab.path("log.jsonl");
    until(SOON, "the end in the log", || events(&log).len() == 4);
    let events = events(&log);
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["start", "failure", "terminated", "end"]);
    assert_eq!(events[1]["error"], "vanished");
    assert_eq!((&events[3]["reason"], &events[3]["status"]), (&"strict".into(), &124.into()));
    for event in &events {
        assert_eq!(event["mode"], "strict");
        assert_eq!(event["recording"], lab.cast().to_str().unwrap());
        assert_eq!(event["session"], events[0]["session"]);
    }
    Ok(())
}

fn a_log_that_cannot_be_written_disturbs_nobody() -> Verdict {
    let lab = Lab::new();
    for log in ["/dev/full", "no/such/directory/log"] {
        for mode in ["strict", "best_effort"] {
            let file = lab.path(&format!("{mode}{}.cast", log.len()));
            let args = ["-q", "--mode", mode, "--log", log, "--", "echo", "fine"];
            let run = lab.run(&lab.record_to(&file, &args), b"");
            assert_eq!((run.status, run.stdout(), run.stderr()), (0, "fine\r\n".to_owned(), String::new()));
        }
    }
    Ok(())
}

fn a_killed_terminal_side_is_told_in_the_log_file() -> Verdict {
    let lab = Lab::new();
    let args = ["-q", "--log", "log.jsonl", "--", "sh", "-c", "echo ready; sleep 60"];
    let mut outer = lab.outer(&lab.record(&args));
    outer.wait_for("ready\r\n");
    outer.kill(Signal::SIGKILL);
    let log = lab.path("log.jsonl");
    until(SOON, "the end in the log", || events(&log).iter().any(|event| event["event"] == "end"));
    assert_eq!(events(&log).last().unwrap()["reason"], "terminal_side_died");
    Ok(())
}

fn a_recording_left_by_a_crash_is_recovered_and_a_live_one_is_not_touched() -> Verdict {
    let lab = Lab::new();
    let args = ["-q", "--", "sh", "-c", "echo ready; read x; echo more; sleep 60"];
    let mut outer = lab.outer(&lab.record(&args));
    outer.wait_for("ready\r\n");
    until(SOON, "the line in the file", || Cast::read(&lab.cast()).output().ends_with(b"ready\r\n"));
    let recover = || lab.run(&[recmode(), "recover", "."], b"");
    assert_eq!(recover().stdout(), "./rec.cast: still being recorded\n");
    kill(recording_side(outer.pid()), Signal::SIGKILL);
    // A write that the crash cut.
    until(SOON, "the lock to be gone", || fs::File::open(lab.cast()).unwrap().try_lock().is_ok());
    let mut text = fs::read_to_string(lab.cast()).unwrap();
    text.push_str("[0.25, \"o\", \"torn");
    fs::write(lab.cast(), &text).unwrap();
    assert_eq!(recover().stdout(), "./rec.cast: recovered; 17 bytes of a torn line were cut off\n");
    let cast = Cast::read(&lab.cast());
    assert_eq!(cast.output(), b"ready\r\n");
    assert!(!cast.events("m").is_empty());
    let recovered = fs::read_to_string(lab.cast()).unwrap();
    assert!(
        recovered.contains("{\"end\":{\"reason\":\"recovered\",\"status\":null,\"bytes\":7,"),
        "{recovered}"
    );
    assert_eq!(recover().stdout(), "./rec.cast: complete\n");
    outer.kill(Signal::SIGTERM);
    assert_eq!(outer.end().status, 143);
    Ok(())
}

fn a_sync_after_every_write_changes_nothing_that_is_seen() -> Verdict {
    let lab = Lab::new();
    for (mode, sync) in
        [("strict", "always"), ("best_effort", "always"), ("strict", "none"), ("strict", "interval:1ms")]
    {
        let file = lab.path(&format!("{mode}-{}.cast", sync.replace(':', "-")));
        let args = ["-q", "--mode", mode, "--sync", sync, "--", "seq", "1", "2000"];
        let run = lab.run(&lab.record_to(&file, &args), b"");
        assert_eq!(run.status, 0, "{mode} {sync}");
        let cast = Cast::read(&file);
        cast.assert_closed(0);
        assert_eq!(cast.output(), run.stdout, "{mode} {sync}");
        assert!(run.stdout.ends_with(b"\r\n2000\r\n"));
    }
    Ok(())
}
