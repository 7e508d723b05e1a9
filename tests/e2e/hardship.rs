//! What callers and surroundings do that is unusual and must not matter.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::faulty::limited;
use crate::harness::{
    self, Call, Cast, Fault, FaultyDisk, Lab, MESSAGE_B, MESSAGE_C, SOON, Verdict, cpu_ticks, named_pid,
    needs_root, needs_tools, recmode, recording_side, tests, until,
};

tests![
    a_command_killed_by_a_real_time_signal_has_its_status,
    a_signal_ends_a_session_whose_output_nobody_reads,
    a_path_that_is_no_text_is_as_good_as_any,
    an_ignored_hang_up_stays_ignored,
    input_that_cannot_be_read_ends_the_commands_input,
    a_large_piped_input_is_recorded_whole,
    strict_ends_what_is_the_sessions_and_nothing_else,
    a_warning_is_shown_when_the_alternate_screen_is_left_though_the_disk_is_back,
    a_missing_interpreter_is_no_missing_command,
    output_that_fails_is_named,
    time_in_which_recmode_was_stopped_is_no_stall,
    any_limit_on_descriptors_gives_a_session_or_a_refusal_with_a_reason,
    a_session_goes_on_below_a_limit_that_was_set_later,
    a_limit_on_processes_that_leaves_no_thread_is_no_failure_of_the_recording,
    a_filter_that_refuses_clone3_refuses_no_session,
    a_terminal_that_takes_nothing_does_not_hold_what_a_hung_disk_has_ended,
];

fn a_command_killed_by_a_real_time_signal_has_its_status() -> Verdict {
    let lab = Lab::new();
    let run = lab.run(&lab.record(&["-q", "--", "sh", "-c", "kill -35 $$"]), b"");
    assert_eq!(run.status, 128 + 35);
    Cast::read(&lab.cast()).assert_closed(128 + 35);
    Ok(())
}

fn a_signal_ends_a_session_whose_output_nobody_reads() -> Verdict {
    for mode in ["strict", "best_effort"] {
        let lab = Lab::new();
        let mut command = lab.command(false, &lab.record(&["-q", "--mode", mode, "--", "yes"]));
        // The pipe's other end is held, and never read.
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let _unread = child.stdout.take().unwrap();
        until(SOON, "a full pipe", || lab.cast().metadata().is_ok_and(|file| file.len() > 100_000));
        let begun = Instant::now();
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
        until(SOON, "the end", || child.try_wait().unwrap().is_some());
        assert_eq!(child.wait().unwrap().code(), Some(143), "{mode}");
        assert!(begun.elapsed() < Duration::from_secs(6), "{mode}");
        Cast::read(&lab.cast()).assert_closed(143);
    }
    Ok(())
}

fn a_path_that_is_no_text_is_as_good_as_any() -> Verdict {
    let lab = Lab::new();
    let output = lab
        .command(false, &[recmode(), "record", "--mode", "strict", "-o"])
        .arg(OsStr::from_bytes(b"b\xff.cast"))
        .args(["--", "echo", "hi"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, b"hi\r\n");
    Cast::read(&lab.dir().join(OsStr::from_bytes(b"b\xff.cast"))).assert_closed(0);
    Ok(())
}

fn an_ignored_hang_up_stays_ignored() -> Verdict {
    let lab = Lab::new();
    let script = "trap '' HUP INT; exec \"$@\"";
    let record = lab.record(&["-q", "--", "sh", "-c", "echo $PPID > pid; sleep 0.5; echo done"]);
    let argv: Vec<String> = ["sh", "-c", script, "sh"].into_iter().map(str::to_owned).chain(record).collect();
    let mut child = lab.command(false, &argv).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let pid = named_pid(&lab.path("pid"));
    for signal in [Signal::SIGHUP, Signal::SIGINT] {
        kill(Pid::from_raw(pid), signal).unwrap();
    }
    until(SOON, "the end", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(Cast::read(&lab.cast()).output(), b"done\r\n");
    Ok(())
}

fn input_that_cannot_be_read_ends_the_commands_input() -> Verdict {
    let lab = Lab::new();
    let record = lab.record(&["-q", "--", "cat"]);
    let argv: Vec<String> =
        ["sh", "-c", "exec \"$@\" < /", "sh"].into_iter().map(str::to_owned).chain(record).collect();
    assert_eq!(lab.run(&argv, b"").status, 0);
    Ok(())
}

fn a_large_piped_input_is_recorded_whole() -> Verdict {
    let lab = Lab::new();
    let input = vec![b'x'; 24 << 20];
    for mode in ["strict", "best_effort"] {
        let file = lab.path(&format!("{mode}.cast"));
        let args = ["-q", "--mode", mode, "--capture-input", "--", "wc", "-c"];
        let run = lab.run(&lab.record_to(&file, &args), &input);
        assert_eq!(run.stdout().trim(), input.len().to_string());
        let cast = Cast::read(&file);
        cast.assert_closed(0);
        let recorded: usize = cast.events("i").iter().map(|event| event.len()).sum();
        assert_eq!(recorded, input.len(), "{mode}");
    }
    Ok(())
}

fn strict_ends_what_is_the_sessions_and_nothing_else() -> Verdict {
    let lab = limited(Lab::new(), 60_000);
    let record =
        lab.record(&["-q", "--mode", "strict", "--", "sh", "-c", "sleep 60 & seq 1 20000; sleep 60"]);
    let script = "sh -c 'echo $$ > other; exec sleep 60' & exec \"$@\"";
    let inner: Vec<String> =
        ["sh", "-c", script, "sh"].into_iter().map(str::to_owned).chain(record).collect();
    let mut outer = lab.outer(&inner);
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()));
    let other = Pid::from_raw(named_pid(&lab.path("other")));
    kill(other, None).expect("a child from before is alive");
    kill(other, Signal::SIGKILL).unwrap();
    Ok(())
}

fn a_warning_is_shown_when_the_alternate_screen_is_left_though_the_disk_is_back() -> Verdict {
    let lab = Lab::new();
    let script = "printf '\\033[?1049h'; echo in; read x; printf '\\033[?1049l'; echo out; sleep 0.2";
    let mut outer = lab.outer(&lab.record(&["-q", "--mode", "best_effort", "--", "sh", "-c", script]));
    outer.wait_for("in\r\n");
    std::fs::remove_file(lab.cast()).unwrap();
    until(SOON, "the recording to go on", || lab.path("rec.2.cast").exists());
    assert!(!String::from_utf8_lossy(&outer.seen()).contains("Warning"));
    outer.send("\r");
    outer.wait_for("\x1b[?1049l");
    outer.wait_for(MESSAGE_C);
    assert_eq!(outer.end().status, 0);
    Ok(())
}

fn a_missing_interpreter_is_no_missing_command() -> Verdict {
    let lab = Lab::new();
    lab.write("script", "#!/no/such/interpreter\n");
    Command::new("chmod").arg("+x").arg(lab.path("script")).status().unwrap();
    let run = lab.run(&lab.record(&["-q", "--", "./script"]), b"");
    assert_eq!(run.status, 126);
    assert!(run.stderr().contains("bad interpreter"), "{}", run.stderr());
    Ok(())
}

fn output_that_fails_is_named() -> Verdict {
    let lab = Lab::new();
    let record = lab.record(&["-q", "--", "echo", "hi"]);
    let argv: Vec<String> =
        ["sh", "-c", "exec \"$@\" > /dev/full", "sh"].into_iter().map(str::to_owned).chain(record).collect();
    let run = lab.run(&argv, b"");
    assert_eq!(run.status, 125);
    assert!(run.stderr().contains("standard output: No space left on device"), "{}", run.stderr());
    assert_eq!(Cast::read(&lab.cast()).output(), b"hi\r\n");
    Ok(())
}

fn any_limit_on_descriptors_gives_a_session_or_a_refusal_with_a_reason() -> Verdict {
    needs_tools(&["prlimit"])?;
    for mode in ["strict", "best_effort"] {
        let mut recorded = 0;
        // With fewer no program finds its libraries.
        for limit in 4..26 {
            let lab = Lab::new().wrap(&["prlimit".to_owned(), format!("--nofile={limit}")]);
            let args = ["-q", "--mode", mode, "--", "sh", "-c", "echo hi; : > ran"];
            let run = lab.run(&lab.record(&args), b"");
            let (ran, said) = (lab.exists("ran"), run.stderr());
            let cast = Cast::try_read(&lab.cast()).filter(Cast::is_closed);
            let holds = cast.is_some_and(|cast| cast.output() == b"hi\r\n");
            let told = format!("{mode}, {limit} descriptors: status {}, {said:?}", run.status);
            recorded += u32::from(holds);
            match run.status {
                0 => {
                    assert_eq!(run.stdout(), "hi\r\n", "{told}");
                    let warned =
                        mode == "best_effort" && said == format!("{}\n", MESSAGE_C.replace('\r', ""));
                    assert!(holds && said.is_empty() || warned, "{told}, recorded: {holds}");
                }
                125 => {
                    let left = lab.cast().exists();
                    assert!(!ran && !said.is_empty() && !left, "{told}, ran: {ran}, a file: {left}");
                }
                _ => panic!("{told}"),
            }
        }
        assert!(recorded > 0, "{mode}: no limit was enough");
    }
    Ok(())
}

fn time_in_which_recmode_was_stopped_is_no_stall() -> Verdict {
    let lab = Lab::new();
    let script = "echo ready; i=0; while [ -z \"$x\" ]; do echo tick; read -t 0.05 x; done; exit 3";
    let args = ["-q", "--mode", "strict", "--stall-timeout", "1s", "--", "bash", "-c", script];
    let mut outer = lab.outer(&lab.record(&args));
    outer.wait_for("ready\r\ntick\r\n");
    let (pump, recorder) = (outer.pid(), recording_side(outer.pid()));
    for stopped in [&[recorder][..], &[pump], &[recorder, pump], &[pump, recorder]] {
        for &pid in stopped {
            harness::kill(pid, Signal::SIGSTOP);
        }
        // More than the timeout, with output that waits to be recorded.
        std::thread::sleep(Duration::from_millis(2500));
        for &pid in stopped {
            harness::kill(pid, Signal::SIGCONT);
        }
        outer.wait_for("tick\r\ntick\r\n");
    }
    outer.send("x\r");
    let end = outer.end();
    assert_eq!(end.status, 3, "{}", String::from_utf8_lossy(&end.seen));
    Cast::read(&lab.cast()).assert_closed(3);
    Ok(())
}

/// poll(2) takes no more descriptors than may be open.
fn a_session_goes_on_below_a_limit_that_was_set_later() -> Verdict {
    needs_tools(&["prlimit"])?;
    for mode in ["strict", "best_effort"] {
        let lab = Lab::new();
        let mut outer =
            lab.outer(&lab.record(&["-q", "--mode", mode, "--", "sh", "-c", "echo ready; exec sh"]));
        outer.wait_for("ready\r\n");
        let sides = [outer.pid(), recording_side(outer.pid())];
        for side in sides {
            let limit = Command::new("prlimit").args(["--nofile=3:3", "--pid", &side.to_string()]).status();
            assert!(limit.is_ok_and(|status| status.success()), "prlimit");
        }
        outer.send("echo still $((40 + 2))\r");
        outer.wait_for("still 42\r\n");
        let used = || sides.iter().map(|&side| cpu_ticks(side)).sum::<u64>();
        let before = used();
        // Not to wait for anything: this is the time that is measured.
        std::thread::sleep(Duration::from_secs(1));
        assert!(used() - before <= 20, "{mode}: {} ticks of CPU in an idle second", used() - before);
        outer.send("exit 5\r");
        assert_eq!(outer.end().status, 5, "{mode}");
        Cast::read(&lab.cast()).assert_closed(5);
    }
    Ok(())
}

fn a_limit_on_processes_that_leaves_no_thread_is_no_failure_of_the_recording() -> Verdict {
    needs_root()?;
    needs_tools(&["setpriv", "prlimit"])?;
    for (n, mode) in ["strict", "best_effort"].into_iter().enumerate() {
        let lab = Lab::new();
        let program = lab.copy_of_recmode();
        fs::set_permissions(lab.dir(), Permissions::from_mode(0o777)).unwrap();
        // Nobody else has this user id. Two processes: no thread for the syncs, and no command either.
        let uid = (54_000_000 + std::process::id() * 2 + u32::try_from(n).unwrap()).to_string();
        let become_user =
            ["setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups", "prlimit", "--nproc=2"];
        let record =
            [program.to_str().unwrap(), "record", "-v", "--mode", mode, "-o", "r.cast", "--", "true"];
        let run = lab.run(&[&become_user[..], &record[..]].concat(), b"");
        assert_eq!(run.status, 125, "{mode}: {}", run.stderr());
        assert_eq!(
            run.stderr(),
            format!(
                "recmode: true: Resource temporarily unavailable (os error 11)\nrecmode: recorded to {}\n",
                lab.path("r.cast").display()
            ),
            "{mode}"
        );
        let cast = Cast::read(&lab.path("r.cast"));
        cast.assert_closed(125);
        assert_eq!(cast.records("end")[0]["reason"], "not_started");
        assert!(!lab.exists("r.2.cast"));
    }
    Ok(())
}

/// Executes a command where clone3(2) is refused, as it is by filters of system calls that are older. Its first arguments are
/// the numbers of prctl(2) and clone3(2).
const REFUSE_CLONE3: &str = r#"
    my ($prctl, $clone3) = map { 0 + $_ } splice @ARGV, 0, 2;
    my @filter = ([0x20, 0, 0, 0], [0x15, 0, 1, $clone3], [0x06, 0, 0, 0x50026], [0x06, 0, 0, 0x7fff0000]);
    my $filter = join "", map { pack "SCCL", @$_ } @filter;
    my ($no_new_privileges, $seccomp, $by_filter) = (38, 22, 2);
    syscall($prctl, $no_new_privileges, 1, 0, 0, 0) == 0 or die "no new privileges: $!";
    syscall($prctl, $seccomp, $by_filter, pack "S x!8 P", scalar @filter, $filter) == 0 or die "a filter: $!";
    exec @ARGV or die "$ARGV[0]: $!";
"#;

fn a_filter_that_refuses_clone3_refuses_no_session() -> Verdict {
    needs_tools(&["perl"])?;
    let numbers = [libc::SYS_prctl, libc::SYS_clone3].map(|number| number.to_string());
    let prefix = ["perl", "-e", REFUSE_CLONE3, &numbers[0], &numbers[1]].map(str::to_owned);
    for mode in ["strict", "best_effort"] {
        for (script, status, said) in
            [("echo $RECMODE_SESSION | wc -c; exit 3", 3, "37"), ("exec nowhere", 127, "nowhere")]
        {
            let lab = Lab::new();
            let session = lab.record(&["-q", "--mode", mode, "--", "sh", "-c", script]);
            let end = lab.outer(&[&prefix[..], &session[..]].concat()).end();
            let seen = String::from_utf8_lossy(&end.seen).into_owned();
            assert_eq!(end.status, status, "{mode}: {seen}");
            assert!(seen.contains(said), "{mode}: {seen}");
            assert!(end.restored, "{mode}");
            Cast::read(&lab.cast()).assert_closed(status);
        }
        let lab = Lab::new();
        let missing = lab.record(&["-q", "--mode", mode, "--", "no-such-command-here"]);
        let end = lab.outer(&[&prefix[..], &missing[..]].concat()).end();
        assert_eq!(end.status, 127, "{mode}: {}", String::from_utf8_lossy(&end.seen));
    }
    Ok(())
}

fn a_terminal_that_takes_nothing_does_not_hold_what_a_hung_disk_has_ended() -> Verdict {
    const STALL: Duration = Duration::from_secs(1);
    let lab = Lab::new();
    let disk = FaultyDisk::new(&lab)?;
    let script = "stty -echo; echo ready; read x; seq 20000; read x; echo more; sleep 60";
    let args = ["--mode", "strict", "--stall-timeout", "1s", "--", "sh", "-c", script];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    outer.pause(true);
    // More than the terminal takes, but all of it is read and recorded.
    outer.send("\r");
    until(SOON, "the last line in the file", || disk.holds("rec.cast", "20000\\r\\n"));
    disk.break_now(Call::Write, Fault::Hang);
    outer.send("\r");
    // With what it says at the end, to a terminal that takes nothing of that either.
    assert_eq!(outer.wait_exit(STALL + Duration::from_secs(4)), 124);
    outer.pause(false);
    let seen = outer.end().seen;
    assert!(harness::find(&seen, "more").is_none());
    Ok(())
}
