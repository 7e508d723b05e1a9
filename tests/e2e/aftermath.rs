//! What is told of a session beside its recording, and what a crash leaves behind: the operator's
//! log, and `recover`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::faulty::{CHATTER, with_disk};
use crate::harness::{
    Call, Cast, Fault, FaultyDisk, Lab, MESSAGE_B, SOON, Verdict, find, kill, recmode, recording_side, show,
    tests, until,
};

tests![
    an_idle_strict_session_ends_when_its_file_is_tampered_with,
    a_log_file_tells_start_failure_and_end,
    every_entry_of_the_log_tells_whose_session_it_is_and_what_is_lost,
    nothing_is_synced_when_nothing_was_written,
    the_directory_is_synced_once,
    a_new_recording_is_soon_on_the_disk_and_its_end_takes_one_sync_more,
    a_recording_whose_first_sync_fails_is_none_when_every_write_is_synced,
    strict_shows_only_what_is_on_the_disk_when_every_write_is_synced,
    a_log_that_cannot_be_written_disturbs_nobody,
    a_failure_that_comes_again_is_told_again_in_the_log_file,
    each_failure_is_told_once_in_the_log_file_though_it_lasts_to_the_end,
    a_killed_terminal_side_is_told_in_the_log_file,
    the_log_file_tells_of_a_recorder_that_hangs_or_was_killed,
    the_log_file_tells_every_role_that_decided,
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

fn a_failure_that_comes_again_is_told_again_in_the_log_file() -> Verdict {
    let lab = Lab::new();
    let script = "echo ready; while :; do echo tick; sleep 0.1; done";
    let args = ["-q", "--mode", "best_effort", "--log", "log.jsonl", "--", "sh", "-c", script];
    let mut outer = lab.outer(&lab.record(&args));
    outer.wait_for("ready\r\n");
    let log = lab.path("log.jsonl");
    let told = || {
        let names = events(&log).into_iter().map(|event| event["event"].as_str().unwrap().to_owned());
        names.filter(|name| name == "failure" || name == "recovery").collect::<Vec<_>>()
    };
    for (times, file) in (1..).zip(["rec.cast", "rec.2.cast"]) {
        fs::remove_file(lab.path(file)).unwrap();
        until(SOON, "a recovery in the log", || told().len() == 2 * times);
    }
    outer.send("\x03");
    assert_eq!(outer.end().status, 130);
    assert_eq!(told(), ["failure", "recovery", "failure", "recovery"]);
    Ok(())
}

fn each_failure_is_told_once_in_the_log_file_though_it_lasts_to_the_end() -> Verdict {
    let (lab, disk) = with_disk(4096, 160)?;
    let args = ["--mode", "best_effort", "--log", "log.jsonl", "--", "sh", "-c", CHATTER];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    outer.send("40000\r");
    outer.wait_for("done 40000\r\n");
    let log = lab.path("log.jsonl");
    let causes = || {
        let failures = events(&log).into_iter().filter(|event| event["event"] == "failure");
        failures.map(|event| event["error"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    until(SOON, "the failure in the log", || causes() == ["ENOSPC"]);
    fs::rename(disk.here("rec.cast"), disk.here("aside.cast")).unwrap();
    until(SOON, "the other one", || causes() == ["ENOSPC", "vanished"]);
    outer.send("\x04");
    let end = outer.end();
    assert_eq!((end.status, causes()), (3, vec!["ENOSPC".to_owned(), "vanished".to_owned()]));
    assert!(find(&end.seen, "/rec.cast: the recording was moved, removed or changed").is_some());
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

fn the_log_file_tells_of_a_recorder_that_hangs_or_was_killed() -> Verdict {
    for fault in ["stalled", "recorder_gone"] {
        let lab = Lab::new();
        let disk = FaultyDisk::new(&lab)?;
        let script = "echo ready; read x; echo more; sleep 60";
        let args = [
            "-q",
            "--mode",
            "strict",
            "--stall-timeout",
            "1s",
            "--log",
            "log.jsonl",
            "--",
            "sh",
            "-c",
            script,
        ];
        let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
        outer.wait_for("ready\r\n");
        if fault == "stalled" {
            disk.break_now(Call::Write, Fault::Hang);
            outer.send("\r");
        } else {
            kill(recording_side(outer.pid()), Signal::SIGKILL);
        }
        assert_eq!(outer.end().status, 124, "{fault}");
        // While the disk hangs still.
        let log = lab.path("log.jsonl");
        until(SOON, "the end in the log", || events(&log).len() == 4);
        let events = events(&log);
        let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(names, ["start", "failure", "terminated", "end"], "{fault}");
        assert_eq!(events[1]["error"], fault);
        assert_eq!(events[3]["reason"], "strict");
    }
    Ok(())
}

fn the_log_file_tells_every_role_that_decided() -> Verdict {
    let lab = Lab::new();
    let role = |n: usize| {
        format!(
            "kind: role\nversion: v7\nmetadata: {{name: role-{n}}}\nspec: {{options: {{record_session: {{default: strict}}}}}}\n---\n"
        )
    };
    let roles = lab.write("roles.yaml", (0..400).map(role).collect::<String>());
    let args = ["-q", "--roles", roles.to_str().unwrap(), "--log", "log.jsonl", "--", "true"];
    assert_eq!(lab.run(&lab.record(&args), b"").status, 0);
    let log = lab.path("log.jsonl");
    until(SOON, "both events", || events(&log).len() == 2);
    for event in events(&log) {
        assert_eq!(event["because"].as_array().map(Vec::len), Some(400));
    }
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
    assert_eq!(
        recover().stdout(),
        "./rec.cast: recovered; 17 bytes of a torn end are kept in ./rec.cast.torn\n"
    );
    assert_eq!(fs::read_to_string(lab.path("rec.cast.torn")).unwrap(), "[0.25, \"o\", \"torn");
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

fn every_entry_of_the_log_tells_whose_session_it_is_and_what_is_lost() -> Verdict {
    let role = "kind: role\nversion: v7\nmetadata: {name: ops}\nspec: {options: {record_session: {default: best_effort}}}\n";
    let lab = Lab::new();
    let disk = FaultyDisk::new(&lab)?;
    let roles = lab.write("roles.yaml", role);
    let script = "stty -echo; echo ready; while read -r n; do seq 1 \"$n\"; echo \"done $n\"; done; exit 3";
    let args = [
        "-q",
        "--roles",
        roles.to_str().unwrap(),
        "--log",
        "log.jsonl",
        "--buffer",
        "1MiB",
        "--",
        "sh",
        "-c",
        script,
    ];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    let say = |outer: &mut crate::harness::Outer, number: u64| {
        outer.send(format!("{number}\r"));
        outer.wait_for_within(SOON * 3, format!("done {number}\r\n"));
    };
    let log = lab.path("log.jsonl");
    let told =
        |name: &str| events(&log).into_iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    // A failure that is longer than the buffer, and its end.
    disk.break_now(Call::Write, Fault::Errno(libc::ENOSPC));
    say(&mut outer, 400_000);
    until(SOON, "the failure in the log", || !told("failure").is_empty());
    disk.heal();
    until(SOON, "the recovery in the log", || !told("recovery").is_empty());
    // A disk that is too slow for the buffer, without failing.
    disk.break_now(Call::Write, Fault::Delay(Duration::from_millis(300)));
    say(&mut outer, 400_001);
    disk.heal();
    until(SOON, "the gap in the log", || !told("gap").is_empty());
    // A failure that lasts.
    disk.break_now(Call::Write, Fault::Errno(libc::EIO));
    say(&mut outer, 2);
    until(SOON, "another failure in the log", || told("failure").len() > 1);
    outer.send("\x04");
    assert_eq!(outer.end().status, 3);
    until(SOON, "the end in the log", || !told("end").is_empty());
    for event in events(&log) {
        assert_eq!(event["mode"], "best_effort", "{event}");
        assert_eq!(event["user"], "root", "{event}");
        assert_eq!(event["session"].as_str().map(str::len), Some(36), "{event}");
        assert_eq!(event["recording"], disk.path("rec.cast").to_str().unwrap(), "{event}");
        assert_eq!(
            (&event["because"][0]["role"], &event["because"][0]["option"]),
            (&"ops".into(), &"default".into())
        );
        assert!(event["time"].is_string(), "{event}");
    }
    let failures = told("failure");
    assert_eq!((&failures[0]["error"], &failures[1]["error"]), (&"ENOSPC".into(), &"EIO".into()));
    for event in [&told("recovery")[0], &told("end")[0]] {
        assert!(event["lost"].as_u64() > Some(0) && event["seconds"].as_f64() > Some(0.0), "{event}");
    }
    let gap = &told("gap")[0];
    assert!(gap["lost"].as_u64() > Some(0) && gap["error"] == "buffer_full", "{gap}");
    Ok(())
}

fn nothing_is_synced_when_nothing_was_written() -> Verdict {
    let lab = Lab::new();
    let disk = FaultyDisk::new(&lab)?;
    let script = "echo ready; read x; echo more; sleep 60";
    let args = ["-q", "--mode", "strict", "--sync", "interval:50ms", "--", "sh", "-c", script];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    until(SOON, "a sync", || disk.syncs() > 0);
    let synced = disk.syncs();
    // Time for ten more.
    std::thread::sleep(Duration::from_millis(500));
    assert!(disk.syncs() <= synced + 1, "{} syncs of an idle session", disk.syncs());
    disk.break_now(Call::Sync, Fault::Errno(libc::EIO));
    outer.send("\r");
    assert_eq!(outer.end().status, 124);
    Ok(())
}

fn the_directory_is_synced_once() -> Verdict {
    for (sync, files) in [("interval:20ms", 3..), ("always", 3..), ("interval:1h", 2..)] {
        let lab = Lab::new();
        let disk = FaultyDisk::new(&lab)?;
        let script = "for n in 1 2 3; do echo $n; sleep 0.1; done";
        let args = ["-q", "--mode", "strict", "--sync", sync, "--", "sh", "-c", script];
        let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &args), b"");
        assert_eq!(run.status, 0, "{sync}");
        assert_eq!(disk.directory_syncs(), 1, "{sync}");
        assert!(files.contains(&disk.syncs()), "{sync}: {} syncs of the file", disk.syncs());
    }
    Ok(())
}

fn a_new_recording_is_soon_on_the_disk_and_its_end_takes_one_sync_more() -> Verdict {
    for sync in ["interval:1h", "always"] {
        let lab = Lab::new();
        let disk = FaultyDisk::new(&lab)?;
        let args = ["-q", "--mode", "strict", "--sync", sync, "--", "sh", "-c", "sleep 1; exit 3"];
        let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
        until(SOON, "a sync of the file and one of its directory", || disk.directory_syncs() == 1);
        assert_eq!(disk.syncs(), 1, "{sync}");
        assert_eq!(outer.end().status, 3, "{sync}");
        assert_eq!((disk.syncs(), disk.directory_syncs()), (2, 1), "{sync}");
    }
    Ok(())
}

fn a_recording_whose_first_sync_fails_is_none_when_every_write_is_synced() -> Verdict {
    for (mode, status) in [("strict", 125), ("best_effort", 3)] {
        let lab = Lab::new();
        let disk = FaultyDisk::new(&lab)?;
        disk.break_now(Call::Sync, Fault::Errno(libc::EIO));
        let args = ["-q", "--mode", mode, "--sync", "always", "--", "sh", "-c", "echo ran; exit 3"];
        let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &args), b"");
        assert_eq!(run.status, status, "{}", run.stderr());
        assert_eq!(find(&run.stdout, "ran").is_some(), mode == "best_effort");
        assert!(!disk.path("rec.cast").exists(), "{mode}");
    }
    Ok(())
}

fn strict_shows_only_what_is_on_the_disk_when_every_write_is_synced() -> Verdict {
    let lab = Lab::new();
    let disk = FaultyDisk::new(&lab)?;
    let script = "stty -echo; echo ready; read x; echo durable; exit 3";
    let args = ["-q", "--mode", "strict", "--sync", "always", "--", "sh", "-c", script];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    disk.break_now(Call::Sync, Fault::Hang);
    outer.send("\r");
    let written = || disk.holds("rec.cast", "durable");
    until(SOON, "the line in the file", written);
    // It is written, and its sync hangs.
    std::thread::sleep(Duration::from_millis(500));
    assert!(find(&outer.seen(), "durable").is_none(), "{}", show(&outer.seen()));
    disk.heal();
    outer.wait_for("durable\r\n");
    assert_eq!(outer.end().status, 3);
    Ok(())
}
