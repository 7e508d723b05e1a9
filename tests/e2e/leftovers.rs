//! What a start that fails leaves behind, which is nothing, and what is said of it; and locks and input that must not get
//! lost.

use std::fs;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::faulty::injecting;
use crate::harness::{
    Call, Cast, Fault, FaultyDisk, Lab, MESSAGE_C, Run, SOON, Verdict, alive, message_a, needs_root,
    needs_tools, recmode, recording_side, show, tests, until,
};

tests![
    a_start_without_a_terminal_or_descriptors_leaves_nothing,
    a_start_that_is_interrupted_while_the_disk_hangs_leaves_nothing,
    a_signature_that_is_there_already_refuses_the_start,
    a_relative_directory_in_a_deleted_one_is_a_failure_of_the_recording,
    a_slash_at_the_end_changes_nothing,
    a_pipe_in_place_of_a_file_is_named_as_one,
    a_lock_that_another_program_holds_for_a_moment_is_not_lost,
    a_huge_paste_without_echo_is_recorded_or_told_as_lost,
];

/// The files of a test's directory, but for those of the harness.
fn files(lab: &Lab) -> Vec<String> {
    let entries = fs::read_dir(lab.dir()).expect("the directory").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn a_start_without_a_terminal_or_descriptors_leaves_nothing() -> Verdict {
    needs_root()?;
    needs_tools(&["unshare", "mount", "prlimit"])?;
    let no_terminal = "mount --bind /dev/null /dev/ptmx; exec \"$@\"";
    let wrapper = ["unshare", "--mount", "sh", "-c", no_terminal, "sh"].map(str::to_owned);
    let lab = Lab::new().wrap(&wrapper);
    for (mode, round) in (0..30).flat_map(|round| [("strict", round), ("best_effort", round)]) {
        let run = lab.run(&lab.record_to(&lab.path("new/rec.cast"), &["--mode", mode, "--", "true"]), b"");
        assert_eq!(run.status, 125, "{}", run.stderr());
        assert_eq!(files(&lab), Vec::<String>::new(), "{mode}, round {round}");
    }
    // Too few for a terminal, for the pipe by which the command tells that it runs, ...
    for (limit, mode) in (5..20).flat_map(|limit| [(limit, "strict"), (limit, "best_effort")]) {
        for round in 0..3 {
            let lab = Lab::new().wrap(&["prlimit".to_owned(), format!("--nofile={limit}")]);
            let run = lab.run(&lab.record(&["-q", "--mode", mode, "--", "true"]), b"");
            if run.status == 125 {
                assert_eq!(files(&lab), Vec::<String>::new(), "{limit} descriptors, {mode}, round {round}");
            }
        }
    }
    Ok(())
}

fn a_start_that_is_interrupted_while_the_disk_hangs_leaves_nothing() -> Verdict {
    let lab = Lab::new();
    let disk = FaultyDisk::new(&lab)?;
    for (signal, call) in
        [(Signal::SIGINT, Call::Create), (Signal::SIGTERM, Call::Write), (Signal::SIGHUP, Call::Create)]
    {
        disk.break_now(call, Fault::Hang);
        let args = lab.record_to(&disk.path("rec.cast"), &["-q", "--mode", "strict", "--", "touch", "ran"]);
        let mut outer = lab.outer(&args);
        let side = recording_side(outer.pid());
        // It is stuck in the kernel, as on a frozen disk.
        let sleeps = |pid: i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.contains(") S ") || stat.contains(") D ")
        };
        until(SOON, "a start that hangs", || sleeps(side) && sleeps(outer.pid()));
        outer.kill(signal);
        assert_eq!(outer.end_within(Duration::from_secs(5)).status, 128 + signal as i32);
        disk.heal();
        until(SOON, "the recording side's end", || !alive(side));
        assert!(!disk.path("rec.cast").exists(), "{signal}: a recording of no session");
        assert!(!lab.exists("ran"));
    }
    Ok(())
}

fn a_signature_that_is_there_already_refuses_the_start() -> Verdict {
    let lab = Lab::new();
    lab.write("rec.cast.sig", "old");
    for mode in ["strict", "best_effort"] {
        let run = lab.run(&lab.record(&["--mode", mode, "--", "touch", "ran"]), b"");
        assert_eq!(run.status, 125);
        assert!(run.stderr().contains("rec.cast.sig: the file exists"), "{}", run.stderr());
        assert_eq!(files(&lab), ["rec.cast.sig"]);
    }
    Ok(())
}

fn a_relative_directory_in_a_deleted_one_is_a_failure_of_the_recording() -> Verdict {
    for place in ["--dir d", "-o d/x.cast", "-o x.cast"] {
        let lab = Lab::new();
        let run = |mode: &str| -> Run {
            let script = format!(
                "mkdir gone; cd gone; rmdir ../gone
                 exec \"$RECMODE\" record -q --log relative.log --mode {mode} {place} -- echo ran"
            );
            lab.run(&["sh", "-c", &script], b"")
        };
        let strict = run("strict");
        assert_eq!((strict.status, strict.stdout()), (125, String::new()), "{place}: {}", strict.stderr());
        assert_eq!(strict.stderr(), message_a("ssh").replace('\r', ""), "{place}");
        let best_effort = run("best_effort");
        assert_eq!((best_effort.status, best_effort.stdout()), (0, "ran\r\n".to_owned()), "{place}");
        assert_eq!(best_effort.stderr(), format!("{MESSAGE_C}\r\n").replace('\r', ""), "{place}");
    }
    Ok(())
}

fn a_slash_at_the_end_changes_nothing() -> Verdict {
    let lab = Lab::new();
    fs::create_dir(lab.path("there")).unwrap();
    let said = ["there", "there/", "there//"].map(|place| {
        let run = lab.run(&[recmode(), "record", "-q", "-o", place, "--", "true"], b"");
        (run.status, run.stderr())
    });
    assert_eq!(said[0].0, 125);
    assert!(said[0].1.contains("the file exists"), "{}", said[0].1);
    assert_eq!((&said[1], &said[2]), (&said[0], &said[0]));
    let run = lab.run(&[recmode(), "record", "-q", "--mode", "strict", "-o", "new/", "--", "true"], b"");
    assert_eq!((run.status, run.stderr()), (0, String::new()));
    Cast::read(&lab.path("new")).assert_closed(0);
    Ok(())
}

fn a_pipe_in_place_of_a_file_is_named_as_one() -> Verdict {
    needs_tools(&["bash"])?;
    let lab = Lab::new();
    for place in [">(cat > got)", "/dev/stdout", "/proc/self/fd/2"] {
        let run = lab.run(&["bash", "-c", &format!("\"$RECMODE\" record -o {place} -- touch ran")], b"");
        assert_eq!(run.status, 125, "{place}");
        assert!(run.stderr().contains("a recording is a new file"), "{place}: {}", run.stderr());
        assert!(!lab.exists("ran"));
    }
    Ok(())
}

fn a_lock_that_another_program_holds_for_a_moment_is_not_lost() -> Verdict {
    // The recorder takes its time to the lock, and another is faster.
    let lab = injecting("flock", "delay_enter=200000")?;
    let mut outer =
        lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "sh", "-c", "echo ready; read x"]));
    until(SOON, "the file", || lab.cast().exists());
    let other = fs::File::open(lab.cast()).unwrap();
    other.lock_shared().unwrap();
    thread::sleep(Duration::from_millis(300));
    drop(other);
    outer.wait_for("ready\r\n");
    let run = lab.run(&[recmode(), "recover", "."], b"");
    assert_eq!(run.stdout(), "./rec.cast: still being recorded\n");
    outer.send("\r");
    assert_eq!(outer.end().status, 0);
    Cast::read(&lab.cast()).assert_closed(0);
    Ok(())
}

fn a_huge_paste_without_echo_is_recorded_or_told_as_lost() -> Verdict {
    const PASTE: usize = 12 << 20;
    for mode in ["strict", "best_effort"] {
        let lab = Lab::new();
        let script = format!("stty raw -echo; echo ready; head -c {PASTE} > /dev/null; exit 3");
        let args = ["-q", "--mode", mode, "--capture-input", "--buffer", "1MiB", "--", "sh", "-c", &script];
        let mut outer = lab.outer(&lab.record(&args));
        outer.wait_for("ready");
        outer.wait_raw();
        outer.send(vec![b'x'; PASTE]);
        let end = outer.end();
        let cast = Cast::read(&lab.cast());
        if mode == "strict" && end.status == 124 {
            continue;
        }
        assert_eq!(end.status, 3, "{mode}: {}", show(&end.seen));
        cast.assert_closed(3);
        let typed: usize = cast.events("i").iter().map(|event| event.len()).sum();
        let gaps = cast.records("gap").into_iter();
        let lost: u64 = gaps.map(|gap| gap["lost_input"].as_u64().unwrap_or(0)).sum();
        assert_eq!(typed as u64 + lost, PASTE as u64, "{mode}: {lost} told as lost");
    }
    Ok(())
}
