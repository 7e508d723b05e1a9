//! The terminal wrapper: what a user or a program on the terminal can tell from a session without recmode.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::termios::{InputFlags, SpecialCharacterIndices};

use crate::harness::{
    Cast, Lab, Outer, SOON, Verdict, alive, count, find, has_pending, kill, named_pid, needs_tools,
    recording_side, show, tests, until, working_in,
};

tests![
    the_inner_terminal_starts_with_the_users_modes,
    the_inner_terminal_starts_with_the_users_size,
    the_terminal_is_raw_during_the_session_and_restored_after,
    sigterm_ends_the_session_in_good_order,
    sighup_ends_the_session_in_good_order,
    sigint_ends_the_session_in_good_order,
    two_sigterms_end_a_session_whose_command_ignores_them,
    fatal_signals_leave_the_terminal_sane,
    a_session_cut_short_resets_the_modes_its_programs_had_set,
    a_command_that_is_not_found_is_status_127,
    a_command_that_can_not_be_executed_is_status_126,
    the_status_is_the_commands_own,
    the_status_of_a_killed_command_is_128_plus_the_signal,
    a_resize_reaches_the_command_and_the_recording,
    ctrl_c_reaches_the_command,
    a_recorded_shell_edits_lines,
    ctrl_z_and_fg_work_in_a_recorded_shell,
    exec_in_a_recorded_shell_goes_on_in_the_session,
    a_stopped_recmode_gives_the_terminal_back_until_it_goes_on,
    what_was_shown_is_recorded_while_recmode_is_stopped,
    what_is_shown_is_in_the_file_soon_though_nothing_else_happens,
    a_background_job_does_not_keep_the_session_from_ending,
    vim_edits_a_file_and_leaves_the_screen,
    less_pages_and_leaves_the_screen,
    recmode_in_the_background_leaves_the_terminals_modes_alone,
    recmode_brought_to_the_foreground_takes_the_terminal,
    a_command_that_stops_itself_gives_the_terminal_back_until_it_goes_on,
    a_recorder_in_a_scripts_background_never_makes_the_terminal_raw,
    several_recorders_on_one_terminal_leave_it_as_it_was,
    a_recorder_that_outlives_its_script_gives_the_terminal_back,
    a_terminal_that_is_not_recmodes_own_is_never_made_raw,
    a_terminal_that_hangs_up_ends_the_session_in_good_order,
    a_hang_up_reaches_what_the_shell_is_about_to_run,
    a_hang_up_leaves_what_the_shell_has_let_go,
    a_killed_terminal_side_still_gets_a_closed_recording,
];

fn the_inner_terminal_starts_with_the_users_modes() -> Verdict {
    let lab = Lab::new();
    let script = r#"stty -g; "$RECMODE" record -q -o "$CAST" -- stty -g"#;
    let unusual = |modes: &mut nix::sys::termios::Termios| {
        modes.input_flags.remove(InputFlags::IXON);
        modes.input_flags.insert(InputFlags::IUTF8);
        modes.control_chars[SpecialCharacterIndices::VERASE as usize] = 8;
        modes.control_chars[SpecialCharacterIndices::VINTR as usize] = 7;
    };
    let end = Outer::spawn_with(&lab, (80, 24), unusual, &["sh", "-c", script]).end();
    let text = String::from_utf8_lossy(&end.seen).into_owned();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], lines[1], "modes outside and inside");
    assert_eq!(end.status, 0);
    Ok(())
}

fn the_inner_terminal_starts_with_the_users_size() -> Verdict {
    let lab = Lab::new();
    let mut outer = Outer::spawn(&lab, (97, 31), &lab.record(&["-q", "--", "stty", "size"]));
    assert_eq!(outer.end().seen, b"31 97\r\n");
    let cast = Cast::read(&lab.cast());
    assert_eq!(cast.header["term"]["cols"], 97);
    assert_eq!(cast.header["term"]["rows"], 31);
    Ok(())
}

fn the_terminal_is_raw_during_the_session_and_restored_after() -> Verdict {
    let lab = Lab::new();
    let mut outer =
        lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo ready; read line; echo got $line"]));
    outer.wait_for("ready\r\n");
    assert!(outer.is_raw(), "raw once the session runs");
    outer.send("hello\r");
    outer.wait_for("hello\r\ngot hello\r\n");
    let end = outer.end();
    assert_eq!(end.status, 0);
    assert!(end.restored, "the terminal's modes after the session");
    assert_eq!(end.seen, Cast::read(&lab.cast()).output());
    Ok(())
}

fn ends_in_good_order(signal: Signal) {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo $$ > pid; echo ready; sleep 60"]));
    outer.wait_for("ready\r\n");
    let command = named_pid(&lab.path("pid"));
    outer.kill(signal);
    let end = outer.end();
    assert_eq!(end.status, 128 + signal as i32);
    assert!(end.restored, "the terminal's modes after {signal}");
    until(SOON, "the end of the recording", || Cast::read(&lab.cast()).is_closed());
    let cast = Cast::read(&lab.cast());
    cast.assert_closed(128 + signal as i32);
    let reason = if signal == Signal::SIGHUP { "hangup" } else { "signal" };
    assert_eq!(cast.records("end")[0]["reason"], reason);
    until(SOON, "the end of the command", || !alive(command));
}

fn sigterm_ends_the_session_in_good_order() -> Verdict {
    ends_in_good_order(Signal::SIGTERM);
    Ok(())
}

fn sighup_ends_the_session_in_good_order() -> Verdict {
    ends_in_good_order(Signal::SIGHUP);
    Ok(())
}

fn sigint_ends_the_session_in_good_order() -> Verdict {
    ends_in_good_order(Signal::SIGINT);
    Ok(())
}

fn fatal_signals_leave_the_terminal_sane() -> Verdict {
    let faults = [Signal::SIGILL, Signal::SIGFPE, Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGSYS];
    for signal in faults.into_iter().chain([Signal::SIGABRT]) {
        ends_in_good_order(signal);
    }
    Ok(())
}

fn two_sigterms_end_a_session_whose_command_ignores_them() -> Verdict {
    let lab = Lab::new();
    let script = "trap '' HUP TERM INT; echo ready; for i in $(seq 60); do sleep 1; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    outer.kill(Signal::SIGTERM);
    // Not before the first one was taken: the kernel makes one of two.
    until(SOON, "the first one to be taken", || !has_pending(outer.pid(), Signal::SIGTERM));
    outer.kill(Signal::SIGTERM);
    let end = outer.end();
    assert_eq!(end.status, 143);
    assert!(end.restored);
    Ok(())
}

fn a_session_cut_short_resets_the_modes_its_programs_had_set() -> Verdict {
    // By a signal to recmode, by one to the command, and by a hang-up that the terminal outlives.
    for (cut, status) in [("recmode", 143), ("command", 137), ("hang-up", 129)] {
        let lab = Lab::new();
        let script = r"printf '\033[?1049h\033[?25l\033[?2004h\033[?1000h\033[?1006h\033[31m'
            printf '\033[>4;2m\033[>1u\033[?1004h\033[?2026h\033[?69h\033[5;20s\033[20h\033)0'
            echo $$ > pid; printf '\033]8;;https://example.com/\033\\ready'; exec sleep 60";
        let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
        outer.wait_for("ready");
        match cut {
            "recmode" => outer.kill(Signal::SIGTERM),
            "command" => kill(named_pid(&lab.path("pid")), Signal::SIGKILL),
            _ => outer.kill(Signal::SIGHUP),
        }
        let end = outer.end();
        assert_eq!(end.status, status, "{cut}");
        let after = &end.seen[find(&end.seen, "ready").unwrap()..];
        for reset in [
            "\x1b[?1049l",
            "\x1b[?25h",
            "\x1b[?2004l",
            "\x1b[?1000l",
            "\x1b[>4m",
            "\x1b[<1u",
            "\x1b[?1004l",
            "\x1b[?2026l",
            "\x1b[?69l",
            "\x1b[2;4;20l",
            "\x1b)B",
            "\x1b]8;;\x1b\\",
            "\x1b[m",
        ] {
            assert!(find(after, reset).is_some(), "{cut}: {reset:?} not in {}", show(after));
        }
    }
    Ok(())
}

fn a_command_that_is_not_found_is_status_127() -> Verdict {
    let lab = Lab::new();
    let end = lab.outer(&lab.record(&["--", "no-such-command-here"])).end();
    assert_eq!(end.status, 127);
    assert!(end.restored);
    assert!(find(&end.seen, "no-such-command-here").is_some(), "{}", show(&end.seen));
    if lab.exists("rec.cast") {
        Cast::read(&lab.cast()).assert_closed(127);
    }
    Ok(())
}

fn a_command_that_can_not_be_executed_is_status_126() -> Verdict {
    let lab = Lab::new();
    let file = lab.write("plain", "echo hi\n");
    for command in [file.to_str().unwrap(), lab.dir().to_str().unwrap()] {
        let cast = lab.path(&format!("{}.cast", command.len()));
        let end = lab.outer(&lab.record_to(&cast, &["--", command])).end();
        assert_eq!(end.status, 126, "{command}: {}", show(&end.seen));
        assert!(end.restored);
        if cast.exists() {
            Cast::read(&cast).assert_closed(126);
        }
    }
    Ok(())
}

fn the_status_is_the_commands_own() -> Verdict {
    for status in [0, 1, 42, 124, 255] {
        let lab = Lab::new();
        let script = format!("exit {status}");
        let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", &script])).end();
        assert_eq!(end.status, status);
        assert!(end.restored);
        Cast::read(&lab.cast()).assert_closed(status);
    }
    Ok(())
}

fn the_status_of_a_killed_command_is_128_plus_the_signal() -> Verdict {
    for signal in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGUSR1] {
        let lab = Lab::new();
        let script = format!("kill -{} $$", signal as i32);
        let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", &script])).end();
        assert_eq!(end.status, 128 + signal as i32);
        Cast::read(&lab.cast()).assert_closed(128 + signal as i32);
    }
    Ok(())
}

fn a_resize_reaches_the_command_and_the_recording() -> Verdict {
    let lab = Lab::new();
    let script = "trap 'stty size; exit 0' WINCH; echo ready; for i in $(seq 600); do sleep 0.1; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    outer.resize((133, 47));
    outer.wait_for("47 133\r\n");
    assert_eq!(outer.end().status, 0);
    assert_eq!(Cast::read(&lab.cast()).events("r"), ["133x47"]);
    Ok(())
}

fn ctrl_c_reaches_the_command() -> Verdict {
    let lab = Lab::new();
    let script = "trap 'echo interrupted; exit 7' INT; echo ready; for i in $(seq 600); do sleep 0.1; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    outer.send("\x03");
    outer.wait_for("interrupted");
    let end = outer.end();
    assert_eq!(end.status, 7);
    assert!(end.restored);
    Ok(())
}

/// An interactive bash that leaves line editing to the terminal, so that it never changes its modes
/// between two keys.
const PLAIN_BASH: [&str; 7] = ["-q", "--", "bash", "--norc", "--noprofile", "--noediting", "-i"];

fn a_recorded_shell_edits_lines() -> Verdict {
    needs_tools(&["bash"])?;
    let lab = Lab::new().env("PS1", "prompt> ");
    let mut outer = lab.outer(&lab.record(&["-q", "--", "bash", "--norc", "--noprofile", "-i"]));
    outer.wait_for("prompt> ");
    // Backspace, and to the beginning of the line.
    outer.send("cho hex\x7fllo\x01e");
    outer.wait_for("llo");
    outer.send("\r");
    outer.wait_for("hello\r\n");
    outer.wait_for("prompt> ");
    outer.send("exit 6\r");
    assert_eq!(outer.end().status, 6);
    Ok(())
}

fn ctrl_z_and_fg_work_in_a_recorded_shell() -> Verdict {
    needs_tools(&["bash"])?;
    let lab = Lab::new().env("PS1", "prompt> ");
    let mut outer = lab.outer(&lab.record(&PLAIN_BASH));
    outer.wait_for("prompt> ");
    outer.send("cat\r");
    outer.wait_for("cat\r\n");
    outer.send("hello\r");
    outer.wait_for("hello\r\nhello\r\n");
    outer.send("\x1a");
    outer.wait_for("Stopped");
    outer.wait_for("prompt> ");
    outer.send("fg\r");
    outer.wait_for("cat\r\n");
    outer.send("again\r");
    outer.wait_for("again\r\nagain\r\n");
    outer.send("\x04");
    outer.wait_for("prompt> ");
    outer.send("exit 5\r");
    let end = outer.end();
    assert_eq!(end.status, 5);
    assert!(end.restored);
    assert!(find(&end.seen, "no job control").is_none(), "{}", show(&end.seen));
    assert_eq!(end.seen, Cast::read(&lab.cast()).output());
    Ok(())
}

fn exec_in_a_recorded_shell_goes_on_in_the_session() -> Verdict {
    needs_tools(&["bash"])?;
    let lab = Lab::new().env("PS1", "prompt> ");
    let mut outer = lab.outer(&lab.record(&PLAIN_BASH));
    outer.wait_for("prompt> ");
    outer.send("exec sh -c 'read x; echo got-$x; exit 9'\r");
    outer.wait_for("exit 9'\r\n");
    outer.send("this\r");
    outer.wait_for("got-this");
    assert_eq!(outer.end().status, 9);
    Ok(())
}

fn a_stopped_recmode_gives_the_terminal_back_until_it_goes_on() -> Verdict {
    let lab = Lab::new().env("PS1", "outer> ");
    // dash neither edits lines nor touches the modes itself.
    let mut outer = lab.outer(&["sh", "-i"]);
    outer.wait_for("outer> ");
    let inner = "echo $PPID > pid; echo rea''dy; read x; stty size; echo got-$x; exit 4";
    outer.send(format!("\"$RECMODE\" record -q -o \"$CAST\" -- sh -c \"{}\"\r", inner.replace('$', "\\$")));
    outer.wait_for("ready\r\n");
    outer.wait_raw();
    let recmode = named_pid(&lab.path("pid"));
    kill(recmode, Signal::SIGTSTP);
    outer.wait_for("Stopped");
    outer.wait_for("outer> ");
    outer.wait_restored();
    outer.resize((90, 30));
    outer.send("fg\r");
    outer.wait_raw();
    outer.send("more\r");
    outer.wait_for("30 90\r\n");
    outer.wait_for("got-more\r\n");
    outer.wait_for("outer> ");
    outer.wait_restored();
    outer.send("exit $?\r");
    assert_eq!(outer.end().status, 4);
    Ok(())
}

fn has_mark(lab: &Lab) -> bool {
    fs::read_to_string(lab.cast()).is_ok_and(|text| text.contains("shown-mark"))
}

/// Under best effort what was shown is on its way to the recording for a moment, and recmode may be stopped in it.
fn what_was_shown_is_recorded_while_recmode_is_stopped() -> Verdict {
    needs_tools(&["bash"])?;
    let mut shown = 0;
    // One of them ends in that moment, as a rule.
    for turns in (0..3000).step_by(200).chain([20_000]) {
        let lab = Lab::new().env("PS1", "outer> ");
        let mut outer = lab.outer(&["sh", "-i"]);
        outer.wait_for("outer> ");
        let inner = format!(
            "sleep 0.1; m=mark; echo shown-\\$m; for ((i = 0; i < {turns}; i++)); do :; done; kill -TSTP \\$PPID; exit 4"
        );
        let record = "\"$RECMODE\" record -q --mode best_effort --sync none -o \"$CAST\" -- bash -c";
        outer.send(format!("{record} \"{inner}\"\r"));
        outer.wait_for("Stopped");
        outer.wait_for("outer> ");
        if find(&outer.seen(), "shown-mark").is_some() {
            shown += 1;
            until(Duration::from_secs(3), "what was shown in the file", || has_mark(&lab));
        }
        outer.send("fg\r");
        outer.wait_for("outer> ");
        outer.send("exit $?\r");
        assert_eq!(outer.end().status, 4);
    }
    assert!(shown > 0, "recmode was always stopped before it showed anything");
    Ok(())
}

fn what_is_shown_is_in_the_file_soon_though_nothing_else_happens() -> Verdict {
    for mode in ["strict", "best_effort"] {
        let lab = Lab::new();
        let script = "m=mark; sleep 0.2; echo shown-$m; read x";
        let mut outer =
            lab.outer(&lab.record(&["-q", "--mode", mode, "--sync", "none", "--", "sh", "-c", script]));
        outer.wait_for("shown-mark");
        until(Duration::from_secs(3), "what was shown in the file", || has_mark(&lab));
        outer.send("\r");
        assert_eq!(outer.end().status, 0, "{mode}");
    }
    Ok(())
}

fn a_background_job_does_not_keep_the_session_from_ending() -> Verdict {
    let lab = Lab::new();
    let script =
        "setsid sh -c 'echo $$ > pid; exec sleep 30' & until [ -s pid ]; do sleep 0.01; done; echo done";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("done\r\n");
    let start = Instant::now();
    let end = outer.end();
    assert!(start.elapsed() < Duration::from_secs(5), "the end took {:?}", start.elapsed());
    assert_eq!(end.status, 0);
    assert!(end.restored);
    Cast::read(&lab.cast()).assert_closed(0);
    let job = named_pid(&lab.path("pid"));
    if alive(job) {
        kill(job, Signal::SIGKILL);
    }
    Ok(())
}

fn vim_edits_a_file_and_leaves_the_screen() -> Verdict {
    let vim = if needs_tools(&["vim"]).is_ok() { "vim" } else { "vim.tiny" };
    needs_tools(&[vim])?;
    let lab = Lab::new().env("VIM_HERE", vim);
    let script =
        r#""$RECMODE" record -q -o "$CAST" -- "$VIM_HERE" -u NONE -i NONE -N -n text; echo after-vim"#;
    let mut outer = lab.outer_sh(script);
    outer.wait_for("\x1b[?1049h");
    outer.wait_for("~");
    outer.send("ihello vim\x1b");
    outer.wait_for("hello vim");
    outer.send(":wq\r");
    outer.wait_for("\x1b[?1049l");
    outer.wait_for("after-vim\r\n");
    assert!(outer.end().restored);
    assert_eq!(fs::read_to_string(lab.path("text")).unwrap(), "hello vim\n");
    Ok(())
}

fn less_pages_and_leaves_the_screen() -> Verdict {
    needs_tools(&["less"])?;
    let lab = Lab::new();
    let script = r#""$RECMODE" record -q -o "$CAST" -- sh -c 'seq 1 5000 | less'; echo after-less"#;
    let mut outer = lab.outer_sh(script);
    outer.wait_for("\x1b[?1049h");
    outer.wait_for("23");
    outer.send("G");
    outer.wait_for("5000");
    outer.send("q");
    outer.wait_for("\x1b[?1049l");
    outer.wait_for("after-less\r\n");
    assert!(outer.end().restored);
    Ok(())
}

fn recmode_in_the_background_leaves_the_terminals_modes_alone() -> Verdict {
    let lab = Lab::new().env("PS1", "outer> ");
    let mut outer = lab.outer(&["sh", "-i"]);
    outer.wait_for("outer> ");
    outer.send(
        "\"$RECMODE\" record -q -o \"$CAST\" -- sh -c 'echo in''ner; sleep 1; echo status-of-tty >> log' &\r",
    );
    outer.wait_for("outer> ");
    outer.wait_for("inner");
    until(SOON, "the end of the session", || {
        assert!(outer.is_restored(), "the modes changed");
        Cast::try_read(&lab.cast()).is_some_and(|cast| cast.is_closed())
    });
    outer.send("wait; echo \"st=$?\"; exit\r");
    outer.wait_for("st=0");
    outer.end();
    Ok(())
}

fn recmode_brought_to_the_foreground_takes_the_terminal() -> Verdict {
    let lab = Lab::new().env("PS1", "outer> ");
    let mut outer = lab.outer(&["sh", "-i"]);
    outer.wait_for("outer> ");
    outer
        .send("\"$RECMODE\" record -q -o \"$CAST\" -- sh -c 'echo in''ner; read x; echo got-$x; exit 3' &\r");
    outer.wait_for("inner");
    outer.send("fg\r");
    outer.wait_raw();
    outer.send("this\r");
    outer.wait_for("got-this\r\n");
    outer.wait_for("outer> ");
    outer.wait_restored();
    outer.send("exit $?\r");
    assert_eq!(outer.end().status, 3);
    Ok(())
}

fn a_terminal_that_hangs_up_ends_the_session_in_good_order() -> Verdict {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo $$ > pid; echo ready; sleep 60"]));
    outer.wait_for("ready\r\n");
    let command = named_pid(&lab.path("pid"));
    outer.hang_up();
    let status = outer.wait_exit(SOON);
    assert_eq!(status, 129);
    until(SOON, "the end of the recording", || Cast::read(&lab.cast()).is_closed());
    let cast = Cast::read(&lab.cast());
    cast.assert_closed(129);
    assert_eq!(cast.records("end")[0]["reason"], "hangup");
    until(SOON, "the end of the command", || !alive(command));
    Ok(())
}

fn a_hang_up_reaches_what_the_shell_is_about_to_run() -> Verdict {
    // A child of the shell's whose handler takes the signal, and that becomes another program then.
    let lab = Lab::new();
    let script = "(trap 'exec sleep 1000' HUP; sh -c 'echo $PPID' > pid; echo ready; while :; do sleep 0.1; done) & wait";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    outer.kill(Signal::SIGHUP);
    assert_eq!(outer.end().status, 129);
    let child = named_pid(&lab.path("pid"));
    assert!(!alive(child), "it lives on");
    Cast::read(&lab.cast()).assert_closed(129);

    // bash has such children for a moment before each program.
    for n in 0..15 {
        let lab = Lab::new().env("PS1", "$ ");
        let mut outer = lab.outer(&lab.record(&["-q", "--", "bash", "--norc", "--noprofile"]));
        outer.wait_for("$ ");
        outer.send("echo rea''dy; sleep 1000\r");
        outer.wait_for("ready\r\n");
        outer.hang_up();
        outer.wait_exit(SOON);
        until(SOON, &format!("the session's end, round {n}"), || working_in(lab.dir()).is_empty());
        let cast = Cast::read(&lab.cast());
        cast.assert_closed(129);
        assert_eq!(cast.records("end")[0]["reason"], "hangup");
    }
    Ok(())
}

fn a_hang_up_leaves_what_the_shell_has_let_go() -> Verdict {
    let lab = Lab::new().env("PS1", "$ ");
    let mut outer = lab.outer(&lab.record(&["-q", "--", "bash", "--norc", "--noprofile"]));
    outer.wait_for("$ ");
    outer.send("sleep 1000 & disown; nohup sleep 1000 & echo rea''dy\r");
    outer.wait_for("ready\r\n");
    outer.wait_for("$ ");
    let running = |name: &str| {
        let pids = working_in(lab.dir()).into_iter();
        let named = |&pid: &i32| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
        };
        pids.filter(named).collect::<Vec<_>>()
    };
    until(SOON, "both jobs", || running("sleep").len() == 2);
    let jobs = running("sleep");
    let begun = Instant::now();
    outer.hang_up();
    outer.wait_exit(SOON);
    assert!(begun.elapsed() < Duration::from_millis(1500), "it waited for them: {:?}", begun.elapsed());
    assert_eq!(running("sleep"), jobs, "the jobs live on");
    for job in jobs {
        kill(job, Signal::SIGKILL);
    }
    Cast::read(&lab.cast()).assert_closed(129);
    Ok(())
}

fn a_killed_terminal_side_still_gets_a_closed_recording() -> Verdict {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo ready; sleep 60"]));
    outer.wait_for("ready\r\n");
    let side = recording_side(outer.pid());
    outer.kill(Signal::SIGKILL);
    assert_eq!(outer.end().status, 137);
    until(SOON, "the end of the recording", || Cast::read(&lab.cast()).is_closed());
    let cast = Cast::read(&lab.cast());
    cast.assert_closed(137);
    assert_eq!(cast.output(), b"ready\r\n");
    until(SOON, "the end of the recording side", || !alive(side));
    Ok(())
}

fn a_command_that_stops_itself_gives_the_terminal_back_until_it_goes_on() -> Verdict {
    for how in ["kill -STOP $$", "kill -STOP 0", "(kill -STOP $$)"] {
        let lab = Lab::new().env("PS1", "outer> ").env("HOW", how);
        let mut outer = lab.outer(&["sh", "-i"]);
        outer.wait_for("outer> ");
        lab.write("script", format!("echo rea''dy; {how}; echo back; read x; echo got-$x; exit 4\n"));
        outer.send("\"$RECMODE\" record -q --mode strict -o \"$CAST\" -- sh script\r");
        outer.wait_for("ready\r\n");
        outer.wait_for("Stopped");
        outer.wait_for("outer> ");
        outer.wait_restored();
        outer.send("fg\r");
        outer.wait_for("back\r\n");
        outer.wait_raw();
        outer.send("this\r");
        outer.wait_for("got-this\r\n");
        outer.wait_for("outer> ");
        outer.wait_restored();
        outer.send("exit $?\r");
        assert_eq!(outer.end().status, 4, "{how}");
        Cast::read(&lab.cast()).assert_closed(4);
    }
    Ok(())
}

fn a_recorder_in_a_scripts_background_never_makes_the_terminal_raw() -> Verdict {
    let lab = Lab::new().env("PS1", "outer> ");
    lab.write("script", "\"$RECMODE\" record -q -o \"$CAST\" -- sh -c 'echo in''ner; sleep 1' & sleep 0.5\n");
    let mut outer = lab.outer(&["sh", "-i"]);
    outer.wait_for("outer> ");
    outer.send("sh script\r");
    until(SOON, "the end of the session", || {
        assert!(!outer.is_raw(), "raw in the background of a script");
        Cast::try_read(&lab.cast()).is_some_and(|cast| cast.is_closed())
    });
    outer.wait_restored();
    outer.send("exit 3\r");
    assert_eq!(outer.end().status, 3);
    Ok(())
}

fn several_recorders_on_one_terminal_leave_it_as_it_was() -> Verdict {
    needs_tools(&["xargs"])?;
    // Each with the terminal as its input; with pipes, as make's jobs have; with none. One ends before the other.
    let two = |from: &str| {
        format!(
            "{from} \"$RECMODE\" record -q -o a.cast -- sh -c 'echo a; sleep 1' FROM & sleep 0.4
             {from} \"$RECMODE\" record -q -o b.cast -- sh -c 'echo b; sleep 1' FROM & wait"
        )
    };
    let scripts = [
        two("").replace("FROM", "< /dev/tty"),
        two(": |").replace("FROM", ""),
        two("").replace("FROM", ""),
        "seq 4 | xargs -P2 -I% \"$RECMODE\" record -q -o %.cast -- sh -c 'echo %; sleep 0.%'".to_owned(),
    ];
    for script in scripts {
        let lab = Lab::new();
        let mut outer = lab.outer_sh(&format!("{script}; echo all-done; read x"));
        outer.wait_for("all-done");
        assert!(outer.is_restored(), "{script}");
        outer.send("\n");
        assert_eq!(outer.end().status, 0, "{script}");
    }
    // What is inside starts with settings of its own, not with another recorder's raw ones.
    let lab = Lab::new();
    let script = "\"$RECMODE\" record -q -o a.cast -- sleep 1 < /dev/tty & sleep 0.4
        \"$RECMODE\" record -q -o b.cast -- stty -a < /dev/tty; wait";
    let end = lab.outer_sh(script).end();
    let text = String::from_utf8_lossy(&end.seen).into_owned();
    assert!(end.restored && !text.contains("-opost") && !text.contains("-icanon"), "{text}");
    assert!(text.contains("opost"), "{text}");
    Ok(())
}

fn a_recorder_that_outlives_its_script_gives_the_terminal_back() -> Verdict {
    let lab = Lab::new().env("PS1", "outer> ");
    lab.write(
        "script",
        "\"$RECMODE\" record -q -o \"$CAST\" -- sh -c 'echo in''ner; sleep 60' < /dev/tty & sleep 0.5\n",
    );
    let mut outer = lab.outer(&["sh", "-i"]);
    outer.wait_for("outer> ");
    outer.send("sh script\r");
    outer.wait_for("inner");
    outer.wait_for("outer> ");
    outer.wait_restored();
    // What is typed is the shell's, and no hang-up for the session.
    outer.send("echo ty''ped\r");
    outer.wait_for("typed\r\n");
    outer.wait_restored();
    let cast = Cast::read(&lab.cast());
    assert!(cast.events("m").is_empty() && !cast.is_closed());
    for pid in working_in(lab.dir()).into_iter().filter(|&pid| pid != outer.pid()) {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        if name.trim() == "sleep" {
            kill(pid, Signal::SIGKILL);
        }
    }
    until(SOON, "the end of the session", || Cast::read(&lab.cast()).is_closed());
    outer.wait_restored();
    outer.send("exit 3\r");
    assert_eq!(outer.end().status, 3);
    Ok(())
}

fn a_terminal_that_is_not_recmodes_own_is_never_made_raw() -> Verdict {
    let lab = Lab::new();
    let script =
        "setsid -w \"$RECMODE\" record -q -o \"$CAST\" -- sh -c 'echo ready; read x; echo got-$x; exit 5'";
    let mut outer = lab.outer_sh(script);
    outer.wait_for("ready");
    assert!(outer.is_restored(), "raw");
    outer.send("line\n");
    outer.wait_for("got-line");
    let end = outer.end();
    assert_eq!(end.status, 5);
    assert_eq!(count(&end.seen, "line"), 2, "shown once more: {}", show(&end.seen));
    assert!(end.restored);
    Ok(())
}
