//! The table of DESIGN §3 on really full disks: each moment, both modes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{
    Cast, Disk, End, Lab, MESSAGE_B, MESSAGE_C, Outer, SOON, Skip, Verdict, alive, assert_shown_is_recorded,
    count, find, is_root, kill, message_a, named_pid, needs_root, needs_tools, recmode, recording_side, show,
    strip_escapes, tests, until,
};

tests![
    strict_on_a_full_disk_refuses_the_start,
    strict_without_inodes_refuses_the_start,
    strict_names_the_kind_when_it_refuses_the_start,
    strict_refusal_goes_to_stderr_without_a_terminal_even_when_quiet,
    strict_under_a_file_size_limit_refuses_the_start,
    strict_where_it_may_not_write_refuses_the_start,
    strict_on_a_read_only_disk_refuses_the_start,
    strict_below_a_file_refuses_the_start,
    best_effort_on_a_full_disk_starts_and_records_once_there_is_room,
    best_effort_on_a_full_disk_that_stays_full_leaves_no_empty_file,
    best_effort_warning_goes_to_stderr_without_a_terminal_even_when_quiet,
    quiet_leaves_nothing_but_the_message,
    messages_go_to_the_terminal_when_only_stderr_goes_elsewhere,
    best_effort_under_a_file_size_limit_starts,
    best_effort_where_it_may_not_write_starts,
    best_effort_on_a_read_only_disk_starts,
    strict_ends_the_session_when_the_disk_fills,
    strict_end_goes_to_stderr_without_a_terminal,
    strict_ends_the_session_at_the_file_size_limit,
    strict_termination_leaves_a_usable_terminal,
    strict_shows_nothing_that_is_not_recorded_on_a_full_disk,
    best_effort_goes_on_when_the_disk_fills_and_resumes_in_the_same_file,
    best_effort_warns_once_a_minute_at_most,
    best_effort_goes_on_at_the_file_size_limit,
    best_effort_warning_waits_for_the_alternate_screen_to_be_left,
    best_effort_goes_on_without_a_terminal,
    the_cause_is_said_after_the_session_when_asked_for,
    an_input_output_error_at_the_end_is_a_strict_failure,
    an_input_output_error_at_the_end_is_a_best_effort_warning,
    a_quota_at_the_start_is_a_recording_failure,
    an_input_output_error_mid_session_is_a_recording_failure,
    strict_ends_the_session_when_the_file_vanishes,
    strict_end_in_the_middle_of_a_line_gets_lines_of_its_own,
    a_warning_in_the_middle_of_a_line_gets_a_line_of_its_own,
    strict_ends_the_session_when_the_file_is_cut,
    strict_ends_the_session_when_another_writes_to_the_file,
    best_effort_goes_on_in_a_new_file_when_the_file_vanishes,
    strict_ends_the_session_when_the_recording_side_is_killed,
    best_effort_goes_on_when_the_recording_side_is_killed,
];

/// A line of 18 bytes on the terminal, so many times.
const CHATTER: &str = r#"stty -echo; echo ready; while read -r n; do yes 0123456789abcdef | head -n "$n"; echo "done $n"; done; exit 3"#;

/// How many bytes [`CHATTER`] prints when it is told these numbers.
fn chatter_bytes(numbers: &[u64]) -> u64 {
    7 + numbers.iter().map(|n| 18 * n + 7 + n.to_string().len() as u64).sum::<u64>()
}

/// What was said, less recmode's notes of its own after the session (which one test is about).
fn without_notes(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.split_inclusive('\n').filter(|line| !line.starts_with("recmode: ")).collect()
}

/// A laboratory with a disk, to be dropped in the order in which a pattern drops them: the disk first.
fn on_tmpfs(options: &str) -> Result<(Lab, Disk), Skip> {
    let lab = Lab::new();
    let disk = Disk::tmpfs(&lab, options)?;
    Ok((lab.wrap(disk.wrapper()), disk))
}

/// The same, with a disk of this size that has so much room left.
fn with_disk(kib: u64, leaving: u64) -> Result<(Lab, Disk), Skip> {
    let (lab, disk) = on_tmpfs(&format!("size={kib}k,mode=755"))?;
    disk.fill_leaving(leaving);
    Ok((lab, disk))
}

fn limited(lab: Lab, bytes: u64) -> Lab {
    lab.wrap(&["prlimit".to_owned(), format!("--fsize={bytes}")])
}

#[track_caller]
fn assert_start_refused(lab: &Lab, end: &End, kind: &str, file: &Path) {
    assert_eq!(String::from_utf8_lossy(&end.seen), message_a(kind));
    assert_eq!(end.status, 125);
    assert!(end.restored, "the terminal's modes");
    assert!(!lab.exists("ran"), "the command ran");
    assert!(!file.exists(), "a file was left");
}

const TOUCH: [&str; 6] = ["-q", "--mode", "strict", "--", "touch", "ran"];

fn strict_on_a_full_disk_refuses_the_start() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &disk.here("rec.cast"));
    Ok(())
}

fn strict_without_inodes_refuses_the_start() -> Verdict {
    let (lab, disk) = on_tmpfs("size=256k,nr_inodes=1,mode=755")?;
    let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &disk.here("rec.cast"));
    Ok(())
}

fn strict_names_the_kind_when_it_refuses_the_start() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    for kind in ["ssh", "k8s", "desktop", "db", "app"] {
        let args = ["--kind", kind, "--mode", "strict", "--", "touch", "ran"];
        let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args)).end();
        assert_start_refused(&lab, &end, kind, &disk.here("rec.cast"));
    }
    Ok(())
}

fn strict_refusal_goes_to_stderr_without_a_terminal_even_when_quiet() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &TOUCH), b"");
    assert_eq!((run.status, run.stdout().as_str()), (125, ""));
    assert_eq!(run.stderr(), message_a("ssh").replace('\r', ""));
    assert!(!lab.exists("ran") && !disk.here("rec.cast").exists());
    Ok(())
}

fn strict_under_a_file_size_limit_refuses_the_start() -> Verdict {
    needs_tools(&["prlimit"])?;
    for limit in [0, 100] {
        let lab = limited(Lab::new(), limit);
        let end = lab.outer(&lab.record(&TOUCH)).end();
        assert_start_refused(&lab, &end, "ssh", &lab.cast());
    }
    Ok(())
}

/// The laboratory of a user who may not write below `closed`, and the program to run there.
fn without_rights() -> Result<(Lab, String), Skip> {
    let lab = Lab::new();
    fs::create_dir(lab.path("closed")).unwrap();
    fs::set_permissions(lab.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    if !is_root() {
        return Ok((lab, recmode().to_owned()));
    }
    needs_tools(&["setpriv"])?;
    let copy = lab.path("recmode");
    fs::copy(recmode(), &copy).unwrap();
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    let lab = lab.wrap(&nobody.split(' ').map(str::to_owned).collect::<Vec<_>>());
    Ok((lab, copy.to_str().unwrap().to_owned()))
}

fn strict_where_it_may_not_write_refuses_the_start() -> Verdict {
    let (lab, recmode) = without_rights()?;
    for place in [["-o", "closed/rec.cast"], ["-o", "closed/new/rec.cast"], ["--dir", "closed/new"]] {
        let argv = [&[recmode.as_str(), "record"], &place[..], &TOUCH].concat();
        let end = lab.outer(&argv).end();
        assert_start_refused(&lab, &end, "ssh", &lab.path("closed/rec.cast"));
    }
    Ok(())
}

fn strict_on_a_read_only_disk_refuses_the_start() -> Verdict {
    let (lab, disk) = on_tmpfs("size=256k,ro")?;
    let end = lab.outer(&lab.record_to(&disk.path("new/rec.cast"), &TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &disk.here("new"));
    Ok(())
}

fn strict_below_a_file_refuses_the_start() -> Verdict {
    let lab = Lab::new();
    lab.write("file", "");
    let end = lab.outer(&lab.record_to(&lab.path("file/rec.cast"), &TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &lab.cast());
    Ok(())
}

fn best_effort_on_a_full_disk_starts_and_records_once_there_is_room() -> Verdict {
    let (lab, disk) = with_disk(1024, 0)?;
    let file = disk.here("rec.cast");
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", CHATTER]));
    outer.wait_for("ready\r\n");
    outer.send("10\r");
    outer.wait_for("done 10\r\n");
    disk.free();
    until(Duration::from_secs(7), "a recording, with the disk back for 5 s", || {
        Cast::try_read(&file).is_some_and(|cast| !cast.records("gap").is_empty() || !cast.lines.is_empty())
    });
    outer.send("20\r");
    outer.wait_for("done 20\r\n");
    outer.send("\x04");
    let end = outer.end();
    assert_eq!(end.status, 3);
    assert!(end.restored);
    let begin = format!("{MESSAGE_C}\r\nready\r\n");
    assert!(end.seen.starts_with(begin.as_bytes()), "{}", show(&end.seen));
    assert_eq!(count(&end.seen, "node error"), 1);
    let cast = Cast::read(&file);
    cast.assert_closed(3);
    assert!(find(&cast.output(), "done 20\r\n").is_some(), "{}", show(&cast.output()));
    assert_gaps(&cast, chatter_bytes(&[10, 20]), "ENOSPC");
    Ok(())
}

fn best_effort_on_a_full_disk_that_stays_full_leaves_no_empty_file() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let args = ["-q", "--", "sh", "-c", "echo hi; exit 5"];
    let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args)).end();
    assert_eq!(end.status, 5);
    assert_eq!(without_notes(&end.seen), format!("{MESSAGE_C}\r\nhi\r\n"));
    assert!(!disk.here("rec.cast").exists());
    Ok(())
}

fn best_effort_warning_goes_to_stderr_without_a_terminal_even_when_quiet() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "echo", "hi"]), b"");
    assert_eq!((run.status, run.stdout().as_str()), (0, "hi\r\n"));
    assert_eq!(without_notes(&run.stderr), format!("{MESSAGE_C}\r\n").replace('\r', ""));
    Ok(())
}

fn quiet_leaves_nothing_but_the_message() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "echo", "hi"]), b"");
    assert_eq!(run.stderr(), format!("{MESSAGE_C}\r\n").replace('\r', ""));
    Ok(())
}

fn messages_go_to_the_terminal_when_only_stderr_goes_elsewhere() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let file = disk.path("rec.cast");
    let script = r#""$RECMODE" record -q --mode "$0" -o "$1" -- echo hi 2> err; echo $?"#;
    for (mode, seen) in [
        ("strict", format!("{}125\r\n", message_a("ssh"))),
        ("best_effort", format!("{MESSAGE_C}\r\nhi\r\n0\r\n")),
    ] {
        let end = lab.outer(&["sh", "-c", script, mode, file.to_str().unwrap()]).end();
        assert_eq!(String::from_utf8_lossy(&end.seen), seen);
        assert!(!fs::read_to_string(lab.path("err")).unwrap().contains("node error"));
    }
    Ok(())
}

/// Asserts that a best effort session that could not be recorded ran all the same.
#[track_caller]
fn assert_started_with_warning(end: &End) {
    assert_eq!(without_notes(&end.seen), format!("{MESSAGE_C}\r\nhi\r\n"));
    assert_eq!(end.status, 5);
    assert!(end.restored, "the terminal's modes");
}

const HI: [&str; 6] = ["-q", "--", "sh", "-c", "echo hi; exit 5", "sh"];

fn best_effort_under_a_file_size_limit_starts() -> Verdict {
    needs_tools(&["prlimit"])?;
    let lab = limited(Lab::new(), 0);
    assert_started_with_warning(&lab.outer(&lab.record(&HI)).end());
    assert!(!lab.cast().exists(), "an empty file was left");
    Ok(())
}

fn best_effort_where_it_may_not_write_starts() -> Verdict {
    let (lab, recmode) = without_rights()?;
    let argv = [&[recmode.as_str(), "record", "-o", "closed/rec.cast"], &HI[..]].concat();
    assert_started_with_warning(&lab.outer(&argv).end());
    Ok(())
}

fn best_effort_on_a_read_only_disk_starts() -> Verdict {
    let (lab, disk) = on_tmpfs("size=256k,ro")?;
    assert_started_with_warning(&lab.outer(&lab.record_to(&disk.path("rec.cast"), &HI)).end());
    Ok(())
}

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
    let script = r"printf '\033[?1049h\033[?25l\033[?2004h\033[?1000h\033[31m'; yes 0123456789abcdef";
    let args = ["-q", "--mode", "strict", "--", "sh", "-c", script];
    let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args)).end();
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

/// Asserts that what is lost and what is recorded is all there was.
#[track_caller]
fn assert_gaps(cast: &Cast, total: u64, error: &str) {
    let gaps = cast.records("gap");
    assert!(!gaps.is_empty(), "a gap record");
    for gap in &gaps {
        assert_eq!(gap["error"], error, "{gap}");
        assert!(gap["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{gap}");
        assert!(gap["lost"].as_u64() <= gap["bytes"].as_u64() && gap["bytes"].is_u64(), "{gap}");
    }
    assert!(!cast.events("m").is_empty(), "a marker at the gap");
    let recorded = cast.output().len() as u64;
    assert_eq!(recorded + cast.lost(), total, "recorded {recorded}, and lost {}: {gaps:?}", cast.lost());
    assert!(find(&cast.output(), "node error").is_none(), "messages are not output");
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
    let end = lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "echo", "hi"])).end();
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    assert!(end.restored);
    Ok(())
}

fn an_input_output_error_at_the_end_is_a_best_effort_warning() -> Verdict {
    let lab = failing_close()?;
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo hi; exit 6"])).end();
    assert_eq!(end.status, 6, "{}", show(&end.seen));
    assert_eq!(String::from_utf8_lossy(&end.seen), format!("hi\r\n{MESSAGE_C}"));
    assert!(end.restored);
    Ok(())
}

const WRITES: &str = "write,writev,pwrite64,pwritev,pwritev2";

/// A laboratory in which these system calls on the recording fail.
fn injecting(calls: &str, how: &str) -> Result<Lab, Skip> {
    needs_root()?;
    needs_tools(&["strace"])?;
    let lab = Lab::new();
    let cast = lab.cast().to_str().unwrap().to_owned();
    let inject = format!("inject={calls}:{how}");
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", &cast, "-e", &inject];
    Ok(lab.wrap(&strace.map(str::to_owned)))
}

fn a_quota_at_the_start_is_a_recording_failure() -> Verdict {
    let lab = injecting(WRITES, "error=EDQUOT")?;
    let end = lab.outer(&lab.record(&TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &lab.cast());
    assert_started_with_warning(&lab.outer(&lab.record(&HI)).end());
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

/// A session that prints a line now and then, and the file it is recorded to.
fn ticking(lab: &Lab, mode: &str) -> Outer {
    let script = "echo ready; i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo tick $i; sleep 0.1; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--mode", mode, "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    outer.wait_for("tick 2\r\n");
    outer
}

fn strict_ends_the_session_when_the_file_vanishes() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "strict");
    fs::remove_file(lab.cast()).unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    Ok(())
}

/// A session that never ends its line.
fn dribbling(lab: &Lab, mode: &str) -> Outer {
    let script = "printf partial; i=0; while [ $i -lt 300 ]; do i=$((i+1)); sleep 0.1; printf .; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--mode", mode, "--", "sh", "-c", script]));
    outer.wait_for("partial.");
    outer
}

fn strict_end_in_the_middle_of_a_line_gets_lines_of_its_own() -> Verdict {
    let lab = Lab::new();
    let mut outer = dribbling(&lab, "strict");
    fs::remove_file(lab.cast()).unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124);
    let plain = strip_escapes(&end.seen);
    let last = format!(".\r\n{MESSAGE_B}");
    assert!(plain.ends_with(last.as_bytes()), "the line ended, and an empty one: {}", show(&plain));
    Ok(())
}

fn a_warning_in_the_middle_of_a_line_gets_a_line_of_its_own() -> Verdict {
    let lab = Lab::new();
    let mut outer = dribbling(&lab, "best_effort");
    fs::remove_file(lab.cast()).unwrap();
    outer.wait_for(format!("\r\n{MESSAGE_C}"));
    outer.wait_for(".");
    outer.send("\x03");
    assert_eq!(outer.end().status, 130);
    Ok(())
}

fn strict_ends_the_session_when_the_file_is_cut() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "strict");
    OpenOptions::new().write(true).open(lab.cast()).unwrap().set_len(20).unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    Ok(())
}

fn strict_ends_the_session_when_another_writes_to_the_file() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "strict");
    OpenOptions::new().append(true).open(lab.cast()).unwrap().write_all(b"[1, \"o\", \"forged\"]\n").unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    Ok(())
}

fn best_effort_goes_on_in_a_new_file_when_the_file_vanishes() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "best_effort");
    fs::remove_file(lab.cast()).unwrap();
    outer.wait_for(MESSAGE_C);
    let new = || {
        let names = fs::read_dir(lab.dir()).unwrap().flatten().map(|entry| entry.path());
        names.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "cast"))
    };
    until(SOON, "a new recording", || {
        new().and_then(|file| Cast::try_read(&file)).is_some_and(|cast| !cast.events("o").is_empty())
    });
    outer.send("\x03");
    assert_eq!(outer.end().status, 130);
    let cast = Cast::read(&new().unwrap());
    cast.assert_closed(130);
    assert!(!cast.events("m").is_empty(), "a word of what is not in it");
    Ok(())
}

fn strict_ends_the_session_when_the_recording_side_is_killed() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "strict");
    kill(recording_side(outer.pid()), Signal::SIGKILL);
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.restored);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    assert_shown_is_recorded(&end.seen, &Cast::read(&lab.cast()).output());
    Ok(())
}

fn best_effort_goes_on_when_the_recording_side_is_killed() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "best_effort");
    kill(recording_side(outer.pid()), Signal::SIGKILL);
    outer.wait_for(MESSAGE_C);
    outer.wait_for("tick ");
    outer.send("\x03");
    let end = outer.end();
    assert_eq!(end.status, 130);
    assert!(end.restored);
    Ok(())
}
