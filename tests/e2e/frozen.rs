//! A disk that hangs: an ext4 that is frozen under the recording. All that is asserted holds while it still is.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::{
    Cast, Disk, Lab, MESSAGE_B, MESSAGE_C, SOON, Verdict, alive, assert_shown_is_recorded, count, find,
    message_a, named_pid, recording_side, resident_kib, show, tests, until,
};

tests![
    best_effort_resumes_on_a_disk_that_hung_past_the_timeout,
    strict_refuses_the_start_on_a_hung_disk_within_the_timeout,
    strict_ends_the_session_on_a_hung_disk_within_the_timeout,
    best_effort_starts_on_a_hung_disk_after_a_second,
    best_effort_echoes_and_ends_on_a_hung_disk,
    best_effort_keeps_no_pipe_open_on_a_hung_disk,
    a_substitution_in_a_shell_returns_while_the_disk_is_still_frozen,
    best_effort_output_flows_on_a_hung_disk_in_bounded_memory,
    best_effort_ends_by_a_signal_on_a_hung_disk,
    strict_command_that_ends_on_a_hung_disk_is_a_failed_close,
    strict_shows_nothing_unrecorded_when_the_disk_hangs_under_heavy_output,
];

/// The stall timeout.
const STALL: Duration = Duration::from_secs(10);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1500);

fn strict_refuses_the_start_on_a_hung_disk_within_the_timeout() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    disk.freeze();
    let start = Instant::now();
    let args = ["-q", "--mode", "strict", "--", "touch", "ran"];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    let end = outer.end_within(STALL + Duration::from_secs(1) + SLACK);
    let took = start.elapsed();
    assert_eq!(String::from_utf8_lossy(&end.seen), message_a("ssh"));
    assert_eq!(end.status, 125);
    assert!(end.restored);
    assert!(took > STALL / 2, "refused after {took:?} already");
    disk.thaw();
    assert!(!lab.exists("ran"), "the command ran");
    until(SOON, "no empty file", || disk.here("rec.cast").metadata().map_or(true, |meta| meta.len() > 0));
    Ok(())
}

fn best_effort_starts_on_a_hung_disk_after_a_second() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    disk.freeze();
    let mut outer = lab
        .outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", "echo hi; read x; exit 5"]));
    outer.wait_for_within(Duration::from_secs(1) + SLACK, format!("{MESSAGE_C}\r\nhi\r\n"));
    outer.send("\r");
    let end = outer.end_within(Duration::from_secs(2) + SLACK);
    assert_eq!(end.status, 5);
    assert!(end.restored);
    assert_eq!(count(&end.seen, "node error"), 1, "{}", show(&end.seen));
    disk.thaw();
    Ok(())
}

fn best_effort_echoes_and_ends_on_a_hung_disk() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    let file = disk.here("rec.cast");
    let script = "echo ready; cat > /dev/null; exit 3";
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    disk.freeze();
    for round in 0..40 {
        let key = format!("<{round}>");
        outer.send(&key);
        outer.wait_for_within(Duration::from_millis(700), &key);
    }
    outer.send("\r\x04");
    let end = outer.end_within(Duration::from_secs(2) + SLACK);
    assert_eq!(end.status, 3);
    assert!(end.restored);
    assert_eq!(count(&end.seen, "node error"), 1, "the recording could not be ended: {}", show(&end.seen));
    disk.thaw();
    until(SOON, "the end of the recording, with the disk back", || Cast::read(&file).is_closed());
    Ok(())
}

fn strict_ends_the_session_on_a_hung_disk_within_the_timeout() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    let file = disk.here("rec.cast");
    let script = "nohup sh -c 'echo $$ > pid; exec sleep 60' > /dev/null 2>&1 &
        echo ready; i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.02; done";
    let args = ["-q", "--mode", "strict", "--", "sh", "-c", script];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("tick 9\r\n");
    let job = named_pid(&lab.path("pid"));
    disk.freeze();
    let end = outer.end_within(Duration::from_secs(15));
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    assert!(end.restored);
    assert!(!alive(job), "a process of the session is alive after its end");
    disk.thaw();
    until(SOON, "the end of the recording, with the disk back", || Cast::read(&file).is_closed());
    assert_shown_is_recorded(&end.seen, &Cast::read(&file).output());
    Ok(())
}

fn best_effort_keeps_no_pipe_open_on_a_hung_disk() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    disk.freeze();
    let start = Instant::now();
    // Its reader waits for the end of both streams.
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "echo", "hi"]), b"");
    let took = start.elapsed();
    assert_eq!((run.status, run.stdout().as_str()), (0, "hi\r\n"), "{}", run.stderr());
    assert!(took < Duration::from_secs(3) + SLACK, "the end of the output took {took:?}");
    disk.thaw();
    Ok(())
}

fn best_effort_output_flows_on_a_hung_disk_in_bounded_memory() -> Verdict {
    const LINES: u64 = 800_000;
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    let file = disk.here("rec.cast");
    let script = format!(
        "stty -echo; echo ready; while read x; do yes 0123456789abcdef | head -n {LINES}; echo flowed; done; exit 3"
    );
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", &script]));
    outer.wait_for("ready\r\n");
    let sides = [outer.pid(), recording_side(outer.pid())];
    let mut flow = || {
        let start = Instant::now();
        outer.send("\r");
        outer.wait_for_within(Duration::from_secs(20), "flowed\r\n");
        start.elapsed()
    };
    let before = flow();
    disk.freeze();
    let hung = flow();
    assert!(hung < before * 3 + Duration::from_millis(500), "{before:?}, but {hung:?} on a hung disk");
    for side in sides {
        let resident = resident_kib(side);
        assert!(resident < 64 << 10, "{resident} KiB resident");
    }
    disk.thaw();
    until(SOON, "a gap record", || Cast::try_read(&file).is_some_and(|cast| !cast.records("gap").is_empty()));
    outer.send("\x04");
    let end = outer.end();
    assert_eq!(end.status, 3);
    let cast = Cast::read(&file);
    cast.assert_closed(3);
    assert!(cast.lost() > 0, "14 MB were held in memory");
    let total = 7 + 2 * (18 * LINES + 8);
    assert_eq!(cast.output().len() as u64 + cast.lost(), total, "recorded and lost");
    Ok(())
}

fn best_effort_ends_by_a_signal_on_a_hung_disk() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    let file = disk.here("rec.cast");
    let script = "echo ready; while :; do echo tick; sleep 0.1; done";
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\ntick\r\n");
    disk.freeze();
    outer.wait_for("tick\r\ntick\r\n");
    outer.kill(Signal::SIGTERM);
    let end = outer.end_within(Duration::from_secs(3) + SLACK);
    assert_eq!(end.status, 143);
    assert!(end.restored);
    disk.thaw();
    until(SOON, "the end of the recording, with the disk back", || Cast::read(&file).is_closed());
    Cast::read(&file).assert_closed(143);
    Ok(())
}

fn strict_command_that_ends_on_a_hung_disk_is_a_failed_close() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    let file = disk.here("rec.cast");
    let args = ["-q", "--mode", "strict", "--", "sh", "-c", "echo ready; read x; exit 0"];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    disk.freeze();
    outer.send("\r");
    let end = outer.end_within(Duration::from_secs(15));
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    assert!(end.restored);
    disk.thaw();
    until(SOON, "the end of the recording, with the disk back", || Cast::read(&file).is_closed());
    assert_shown_is_recorded(&end.seen, &Cast::read(&file).output());
    Ok(())
}

fn strict_shows_nothing_unrecorded_when_the_disk_hangs_under_heavy_output() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    let file = disk.here("rec.cast");
    let args = ["-q", "--mode", "strict", "--", "seq", "1", "100000000"];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for_bytes(100_000);
    disk.freeze();
    let end = outer.end_within(Duration::from_secs(15));
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    disk.thaw();
    until(SOON, "the end of the recording, with the disk back", || Cast::read(&file).is_closed());
    assert_shown_is_recorded(&end.seen, &Cast::read(&file).output());
    Ok(())
}

fn best_effort_resumes_on_a_disk_that_hung_past_the_timeout() -> Verdict {
    let lab = Lab::new();
    let disk = Disk::ext4(&lab)?;
    let file = disk.here("rec.cast");
    let script = "echo ready; while read x; do echo got $x; done; exit 3";
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    disk.freeze();
    outer.send("one\r");
    outer.wait_for("got one\r\n");
    outer.wait_for_within(STALL + Duration::from_secs(1) + SLACK, MESSAGE_C);
    outer.send("two\r");
    outer.wait_for("got two\r\n");
    disk.thaw();
    until(Duration::from_secs(7), "a gap record", || {
        Cast::try_read(&file).is_some_and(|cast| !cast.records("gap").is_empty())
    });
    outer.send("three\r");
    outer.wait_for("got three\r\n");
    outer.send("\x04");
    let end = outer.end();
    assert_eq!(end.status, 3);
    assert_eq!(count(&end.seen, "node error"), 1);
    let cast = Cast::read(&file);
    cast.assert_closed(3);
    assert!(find(&cast.output(), "got three\r\n").is_some(), "{}", show(&cast.output()));
    Ok(())
}

fn a_substitution_in_a_shell_returns_while_the_disk_is_still_frozen() -> Verdict {
    for (mode, status) in [("strict", 124), ("best_effort", 7)] {
        let lab = Lab::new();
        let disk = Disk::ext4(&lab)?;
        let file = disk.path("rec.cast");
        // It returns when nobody holds the pipe any more, and the process that it waits for has ended.
        let script = "out=$(\"$RECMODE\" record -q --stall-timeout 2s --mode \"$1\" -o \"$2\" -- sh -c \
            'echo hi; : > started; until [ -e frozen ]; do sleep 0.02; done; i=0; while [ $i -lt 30 ]; do i=$((i+1)); \
            echo tick; sleep 0.1; done; exit 7' < /dev/null 2> /dev/null); echo \"status $? of $out\"";
        let file = file.to_str().unwrap();
        let run = thread::scope(|scope| {
            let run = scope.spawn(|| lab.run(&["sh", "-c", script, "sh", mode, file], b""));
            until(SOON, "a session", || lab.exists("started"));
            disk.freeze();
            lab.write("frozen", "");
            run.join().expect("an end")
        });
        let said = run.stdout();
        assert!(said.starts_with(&format!("status {status} of hi\r\n")), "{mode}: {said:?}");
        assert_eq!(said.contains("tick"), mode == "best_effort", "{mode}: {said:?}");
        disk.thaw();
    }
    Ok(())
}
