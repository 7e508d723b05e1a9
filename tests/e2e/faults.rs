//! DESIGN §3's other rows, on really full disks: mid-session and at the end, in both modes.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::faulty::{
    CHATTER, WRITES, assert_gaps, chatter_bytes, injecting, limited, with_disk, without_notes,
};
use crate::harness::{
    Call, Cast, End, Fault, FaultyDisk, Lab, MESSAGE_B, MESSAGE_C, SOON, Skip, Verdict, alive,
    assert_shown_is_recorded, count, find, named_pid, needs_tools, show, tests, until,
};

tests![
    strict_ends_the_session_when_the_disk_fills,
    strict_end_goes_to_stderr_without_a_terminal,
    strict_ends_the_session_at_the_file_size_limit,
    strict_termination_leaves_a_usable_terminal,
    strict_shows_nothing_that_is_not_recorded_on_a_full_disk,
    best_effort_goes_on_when_the_disk_fills_and_resumes_in_the_same_file,
    best_effort_goes_on_in_a_new_file_when_the_old_one_was_taken_while_the_disk_was_full,
    best_effort_warns_once_a_minute_at_most,
    best_effort_goes_on_at_the_file_size_limit,
    best_effort_warning_waits_for_the_alternate_screen_to_be_left,
    best_effort_goes_on_without_a_terminal,
    the_cause_is_said_after_the_session_when_asked_for,
    an_input_output_error_at_the_end_is_a_strict_failure,
    an_input_output_error_at_the_end_is_a_best_effort_warning,
    an_error_of_the_last_sync_is_a_failure_in_both_modes,
    an_error_of_the_first_sync_is_noticed_at_once_in_both_modes,
    an_error_of_the_only_sync_is_a_failure_in_both_modes,
    an_input_output_error_mid_session_is_a_recording_failure,
];

/// A line of 18 bytes on the terminal, so many times.
/// Asserts that a strict session was ended as it must be, with `file` as the recording.
#[track_caller]
fn assert_terminated(end: &End, file: &Path) {
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    assert!(end.restored, "the terminal's modes");
    assert_eq!(count(&end.seen, "node error"), 1, "one message");
    let cast = Cast::read(file);
    cast.assert_closed(124);
    assert!(!cast.events("m").is_empty(), "a marker where the session was ended");
    assert!(find(&cast.output(), "node error").is_none(), "messages are not output");
    assert_shown_is_recorded(&end.seen, &cast.output());
}

fn strict_ends_the_session_when_the_disk_fills() -> Verdict {
    let (lab, disk) = with_disk(1024, 200)?;
    let script = "nohup sh -c 'echo $$ > pid1; exec sleep 60' > /dev/null 2>&1 &
        setsid sh -c 'echo $$ > pid2; exec sleep 60' &
        (setsid sh -c 'trap \"\" HUP TERM; (echo $$ > pid3; exec sleep 60) &' &) ;
        setsid sh -c 'exec > /dev/null 2>&1 < /dev/null; trap \"\" HUP TERM INT; echo $$ > pid4; sleep 60; true' &
        until [ -s pid1 -a -s pid2 -a -s pid3 -a -s pid4 ]; do sleep 0.01; done
        echo ready; read x; yes 0123456789abcdef";
    let args = ["-q", "--mode", "strict", "--", "sh", "-c", script];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    let jobs = ["pid1", "pid2", "pid4"].map(|name| named_pid(&lab.path(name)));
    outer.send("\r");
    let end = outer.end();
    for job in jobs {
        assert!(!alive(job), "a process of the session is alive after its end");
    }
    assert_terminated(&end, &disk.here("rec.cast"));
    Ok(())
}

fn strict_end_goes_to_stderr_without_a_terminal() -> Verdict {
    let (lab, disk) = with_disk(1024, 200)?;
    let args = ["-q", "--mode", "strict", "--", "yes", "0123456789abcdef"];
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &args), b"");
    assert_eq!(run.status, 124);
    assert_eq!(run.stderr(), MESSAGE_B.replace('\r', ""));
    let cast = Cast::read(&disk.here("rec.cast"));
    cast.assert_closed(124);
    assert!(cast.output().starts_with(&run.stdout), "output that is not recorded");
    assert!(!run.stdout.is_empty());
    Ok(())
}

fn strict_ends_the_session_at_the_file_size_limit() -> Verdict {
    needs_tools(&["prlimit"])?;
    let lab = limited(Lab::new(), 100_000);
    let end = lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "yes", "0123456789abcdef"])).end();
    assert_terminated(&end, &lab.cast());
    let size = fs::metadata(lab.cast()).unwrap().len();
    assert!(size <= 100_000, "{size} bytes");
    Ok(())
}

fn strict_termination_leaves_a_usable_terminal() -> Verdict {
    let (lab, disk) = with_disk(512, 100)?;
    let modes = r"\033[?1049h\033[?25l\033[?2004h\033[?1000h\033[31m";
    let script = format!("printf '{modes}ready\\n'; read go; yes 0123456789abcdef");
    let args = ["-q", "--mode", "strict", "--", "sh", "-c", &script];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    // What was never shown needs no reset: the disk may be full before all of it is.
    outer.wait_for("ready\r\n");
    outer.send("\r");
    let end = outer.end();
    assert_terminated(&end, &disk.here("rec.cast"));
    let message = find(&end.seen, MESSAGE_B).unwrap();
    for reset in ["\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "\x1b[?1000l"] {
        let at = find(&end.seen, reset);
        assert!(at.is_some_and(|at| at < message), "{reset:?} before the message: {}", show(&end.seen));
    }
    Ok(())
}

fn strict_shows_nothing_that_is_not_recorded_on_a_full_disk() -> Verdict {
    // Each time the disk ends at another place of the stream, with bytes that need raw records too.
    for leaving in [24, 28, 36, 60] {
        let (lab, disk) = with_disk(256, leaving)?;
        let args = ["-q", "--mode", "strict", "--", "sh", "-c", "stty raw -echo; cat /dev/urandom"];
        let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args)).end();
        assert_eq!(end.status, 124, "{leaving} KiB left: {}", show(&end.seen));
        let cast = Cast::read(&disk.here("rec.cast"));
        cast.assert_closed(124);
        let at = find(&end.seen, MESSAGE_B).expect("message B");
        let (shown, recorded) = (&end.seen[..at], cast.output());
        let same = shown.iter().zip(&recorded).take_while(|(a, b)| a == b).count();
        // Random bytes can't be told from recmode's resets but by their length.
        assert!(
            shown.len() - same < 200,
            "{} of {} bytes shown but not recorded",
            shown.len() - same,
            shown.len()
        );
    }
    Ok(())
}

fn best_effort_goes_on_when_the_disk_fills_and_resumes_in_the_same_file() -> Verdict {
    let (lab, disk) = with_disk(4096, 160)?;
    let file = disk.here("rec.cast");
    let args = ["-q", "--mode", "best_effort", "--", "sh", "-c", CHATTER];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    outer.send("1000\r");
    outer.wait_for("done 1000\r\n");
    outer.send("40000\r");
    outer.wait_for("done 40000\r\n");
    until(SOON, "the warning", || count(&outer.seen(), MESSAGE_C) == 1);
    outer.send("10\r");
    outer.wait_for("done 10\r\n");
    let torn = Cast::read(&file).torn;
    assert!(torn.is_empty(), "a torn line stays: {}", show(&torn));
    disk.free();
    until(Duration::from_secs(7), "a gap record, with the disk back for 5 s", || {
        Cast::try_read(&file).is_some_and(|cast| !cast.records("gap").is_empty())
    });
    outer.send("20\r");
    outer.wait_for("done 20\r\n");
    outer.send("\x04");
    let end = outer.end();
    assert_eq!(end.status, 3);
    assert!(end.restored);
    assert_eq!(count(&end.seen, "node error"), 1, "the warning, once");
    let on_its_own = format!("\r\n{MESSAGE_C}");
    assert!(find(&end.seen, on_its_own).is_some(), "on a line of its own");
    let cast = Cast::read(&file);
    cast.assert_closed(3);
    assert!(cast.output().ends_with(b"done 20\r\n"));
    assert_gaps(&cast, chatter_bytes(&[1000, 40000, 10, 20]), "ENOSPC");
    Ok(())
}

fn best_effort_goes_on_in_a_new_file_when_the_old_one_was_taken_while_the_disk_was_full() -> Verdict {
    for removed in [false, true] {
        let (lab, disk) = with_disk(4096, 160)?;
        let (file, aside) = (disk.here("rec.cast"), disk.here("aside.cast"));
        let args = ["--mode", "best_effort", "--", "sh", "-c", CHATTER];
        let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
        outer.wait_for("ready\r\n");
        outer.send("40000\r");
        outer.wait_for("done 40000\r\n");
        until(SOON, "the warning", || count(&outer.seen(), MESSAGE_C) == 1);
        if removed {
            fs::remove_file(&file).unwrap();
        } else {
            fs::rename(&file, &aside).unwrap();
        }
        let taken = fs::read(&aside).ok();
        disk.free();
        let second = disk.here("rec.2.cast");
        until(Duration::from_secs(7), "a second file with the gap", || {
            Cast::try_read(&second).is_some_and(|cast| !cast.records("gap").is_empty())
        });
        outer.send("20\r");
        outer.wait_for("done 20\r\n");
        outer.send("\x04");
        let end = outer.end();
        assert_eq!(end.status, 3);
        let cast = Cast::read(&second);
        cast.assert_closed(3);
        assert!(cast.output().ends_with(b"done 20\r\n"));
        let seen = show(&end.seen);
        assert!(seen.contains("/rec.cast: the recording was moved, removed or changed"), "{seen}");
        assert!(!file.exists() && fs::read(&aside).ok() == taken, "what was taken is written to");
    }
    Ok(())
}

fn best_effort_warns_once_a_minute_at_most() -> Verdict {
    let (lab, disk) = with_disk(4096, 100)?;
    let file = disk.here("rec.cast");
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", CHATTER]));
    outer.wait_for("ready\r\n");
    for round in ["1", "2"] {
        outer.send("20000\r");
        outer.wait_for("done 20000\r\n");
        outer.send(format!("{round}\r"));
        outer.wait_for(format!("done {round}\r\n"));
        until(SOON, "the warning", || count(&outer.seen(), "node error") >= 1);
        disk.free();
        until(SOON, "the recording to go on", || {
            let there =
                |cast: Cast| find(&cast.output(), format!("done {round}\r\n")).is_some() || cast.lost() > 0;
            Cast::try_read(&file).is_some_and(there)
        });
        disk.fill_leaving(40);
    }
    disk.free();
    outer.send("\x04");
    let end = outer.end();
    assert_eq!(end.status, 3);
    assert_eq!(count(&end.seen, "node error"), 1, "{}", show(&end.seen));
    let cast = Cast::read(&file);
    cast.assert_closed(3);
    assert_gaps(&cast, chatter_bytes(&[20000, 1, 20000, 2]), "ENOSPC");
    Ok(())
}

fn best_effort_goes_on_at_the_file_size_limit() -> Verdict {
    needs_tools(&["prlimit"])?;
    let lab = limited(Lab::new(), 100_000);
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", CHATTER]));
    outer.wait_for("ready\r\n");
    outer.send("20000\r");
    outer.wait_for("done 20000\r\n");
    until(SOON, "the warning", || count(&outer.seen(), MESSAGE_C) == 1);
    outer.send("10\r");
    outer.wait_for("done 10\r\n");
    outer.send("\x04");
    let end = outer.end();
    assert_eq!(end.status, 3);
    assert_eq!(count(&end.seen, "node error"), 1);
    let cast = Cast::read(&lab.cast());
    cast.assert_closed(3);
    assert_gaps(&cast, chatter_bytes(&[20000, 10]), "EFBIG");
    assert!(fs::metadata(lab.cast()).unwrap().len() <= 100_000);
    Ok(())
}

fn best_effort_warning_waits_for_the_alternate_screen_to_be_left() -> Verdict {
    let (lab, disk) = with_disk(512, 100)?;
    let script = r"printf '\033[?1049h'; yes 0123456789abcdef | head -n 20000; echo filled; read x; printf '\033[?1049l'; echo left; read x";
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", script]));
    outer.wait_for("filled\r\n");
    // The failure is known by now, and must not be spoken of for as long as the program has the screen.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(count(&outer.seen(), "node error"), 0);
    outer.send("\r");
    outer.wait_for("\x1b[?1049l");
    outer.wait_for(MESSAGE_C);
    outer.send("\r");
    assert_eq!(outer.end().status, 0);
    Ok(())
}

fn best_effort_goes_on_without_a_terminal() -> Verdict {
    let (lab, disk) = with_disk(1024, 200)?;
    let script = "yes 0123456789abcdef | head -n 30000; exit 3";
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", script]), b"");
    assert_eq!(run.status, 3);
    assert_eq!(run.stdout.len(), 18 * 30000, "the data stream is the command's alone");
    assert_eq!(without_notes(&run.stderr).trim_start(), MESSAGE_C.replace('\r', ""));
    let cast = Cast::read(&disk.here("rec.cast"));
    cast.assert_closed(3);
    assert_gaps(&cast, 18 * 30000, "ENOSPC");
    Ok(())
}

fn the_cause_is_said_after_the_session_when_asked_for() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    for mode in ["strict", "best_effort"] {
        let run =
            lab.run(&lab.record_to(&disk.path("rec.cast"), &["-v", "--mode", mode, "--", "echo", "hi"]), b"");
        let stderr = run.stderr();
        assert!(
            stderr.contains("No space left on device") || stderr.contains("ENOSPC"),
            "{mode}: {stderr:?}"
        );
        let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &["--mode", mode, "--", "echo", "hi"]), b"");
        let stderr = run.stderr();
        assert!(
            !stderr.contains("No space left on device") && !stderr.contains("ENOSPC"),
            "{mode}: {stderr:?}"
        );
    }
    Ok(())
}

/// A laboratory in which syncing and closing the recording fails.
fn failing_close() -> Result<Lab, Skip> {
    let lab = injecting("close,fsync,fdatasync,sync_file_range", "error=EIO")?;
    let works = lab.run(&["sh", "-c", r#": > "$CAST"; sync "$CAST"; rm "$CAST""#], b"");
    crate::harness::needs(works.stderr().contains("Input/output error"), "a strace that can inject errors")?;
    Ok(lab)
}

fn an_input_output_error_at_the_end_is_a_strict_failure() -> Verdict {
    let lab = failing_close()?;
    let end = lab.outer(&lab.record(&["-q", "--mode", "strict", "--sync", "none", "--", "echo", "hi"])).end();
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    assert!(end.restored);
    Ok(())
}

fn an_input_output_error_at_the_end_is_a_best_effort_warning() -> Verdict {
    let lab = failing_close()?;
    let end = lab.outer(&lab.record(&["-q", "--sync", "none", "--", "sh", "-c", "echo hi; exit 6"])).end();
    assert_eq!(end.status, 6, "{}", show(&end.seen));
    assert_eq!(String::from_utf8_lossy(&end.seen), format!("hi\r\n{MESSAGE_C}"));
    assert!(end.restored);
    Ok(())
}

fn an_error_of_the_last_sync_is_a_failure_in_both_modes() -> Verdict {
    for (mode, status, message) in [("strict", 124, MESSAGE_B), ("best_effort", 6, MESSAGE_C)] {
        let lab = Lab::new();
        let disk = FaultyDisk::new(&lab)?;
        let script = "stty -echo; read x; echo hi; read x; exit 6";
        let args = ["-q", "--mode", mode, "--sync", "interval:1h", "--", "sh", "-c", script];
        let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
        until(SOON, "the first sync", || disk.directory_syncs() == 1);
        disk.break_now(Call::Sync, Fault::Errno(libc::EIO));
        outer.send("\r");
        // Shown before the sync, as strict shows nothing more once it has failed.
        outer.wait_for("hi\r\n");
        outer.send("\r");
        let end = outer.end();
        assert_eq!(end.status, status, "{}", show(&end.seen));
        let seen = String::from_utf8_lossy(&end.seen);
        assert!(seen.contains("hi\r\n") && seen.ends_with(message), "{seen:?}");
    }
    Ok(())
}

fn an_error_of_the_only_sync_is_a_failure_in_both_modes() -> Verdict {
    for (mode, status, message) in [("strict", 124, MESSAGE_B), ("best_effort", 6, MESSAGE_C)] {
        // Over before there is another sync than that of the end, and not.
        for script in ["exit 6", "sleep 0.1; exit 6"] {
            let lab = Lab::new();
            let disk = FaultyDisk::new(&lab)?;
            disk.break_now(Call::Sync, Fault::Errno(libc::EIO));
            let args = ["-q", "--mode", mode, "--", "sh", "-c", script];
            let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args)).end();
            assert_eq!(end.status, status, "{script}: {}", show(&end.seen));
            assert!(end.seen.ends_with(message.as_bytes()), "{script}: {}", show(&end.seen));
            // Also what the recording says of it, the last one where there are two.
            let [first, second] = ["rec.cast", "rec.2.cast"].map(|name| disk.path(name));
            assert!(mode == "best_effort" || !second.exists(), "{script}: strict goes on");
            Cast::read(if second.exists() { &second } else { &first }).assert_closed(status);
        }
    }
    Ok(())
}

fn an_error_of_the_first_sync_is_noticed_at_once_in_both_modes() -> Verdict {
    for (mode, status, message) in [("strict", 124, MESSAGE_B), ("best_effort", 6, MESSAGE_C)] {
        let lab = Lab::new();
        let disk = FaultyDisk::new(&lab)?;
        disk.break_now(Call::Sync, Fault::Errno(libc::EIO));
        let args = ["-q", "--mode", mode, "--sync", "interval:1h", "--", "sh", "-c", "read x; exit 6"];
        let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
        outer.wait_for(message);
        if mode == "best_effort" {
            until(SOON, "a second file", || disk.path("rec.2.cast").exists());
            // Time for two more, which would fail as soon as they are there.
            thread::sleep(Duration::from_millis(2500));
            assert!(!disk.path("rec.3.cast").exists(), "a file for each try");
        }
        outer.send("\r");
        assert_eq!(outer.end().status, status, "{mode}");
    }
    Ok(())
}

fn an_input_output_error_mid_session_is_a_recording_failure() -> Verdict {
    let lab = injecting(WRITES, "error=EIO:when=4+")?;
    let script = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo tick $i; sleep 0.05; done; exit 3";
    let end = lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "sh", "-c", script])).end();
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    assert_shown_is_recorded(&end.seen, &Cast::read(&lab.cast()).output());
    fs::remove_file(lab.cast()).unwrap();
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script])).end();
    assert_eq!(end.status, 3, "{}", show(&end.seen));
    assert_eq!(count(&end.seen, MESSAGE_C), 1, "{}", show(&end.seen));
    assert!(find(&end.seen, "tick 40\r\n").is_some());
    Ok(())
}
