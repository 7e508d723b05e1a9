//! The terminal wrapper: what a user or a program on the terminal can tell from a session without recmode.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::termios::{InputFlags, SpecialCharacterIndices};

use crate::harness::{
    Cast, Lab, Outer, SOON, Verdict, alive, count, cpu_ticks, find, is_root, kill, named_pid, needs_tools,
    recmode, recording_side, resident_kib, show, tests, until,
};

tests![
    the_inner_terminal_starts_with_the_users_modes,
    the_inner_terminal_starts_with_the_users_size,
    the_terminal_is_raw_during_the_session_and_restored_after,
    sigterm_ends_the_session_in_good_order,
    sighup_ends_the_session_in_good_order,
    sigint_ends_the_session_in_good_order,
    sigterm_ends_a_session_whose_command_ignores_it,
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
    a_pipe_on_stdin_is_passed_byte_for_byte_and_closed,
    a_long_line_from_a_pipe_is_passed_whole,
    an_empty_stdin_ends_at_once,
    a_command_that_leaves_its_input_unread_ends_the_session,
    output_into_a_pipe_is_what_is_recorded_and_the_terminal_stays_cooked,
    output_into_a_file_is_what_is_recorded,
    the_readers_early_end_does_not_hang_the_session,
    everything_works_without_any_terminal,
    closed_standard_streams_do_no_harm,
    keys_reach_a_pager_whose_input_is_a_pipe,
    utf8_split_across_writes_is_kept_whole,
    an_incomplete_character_is_shown_and_recorded_without_waiting_for_the_rest,
    bytes_that_are_no_utf8_are_rebuilt_exactly,
    bytes_that_are_no_utf8_are_rebuilt_exactly_from_v2,
    a_bracketed_paste_of_a_mebibyte_arrives_whole,
    a_background_job_does_not_keep_the_session_from_ending,
    vim_edits_a_file_and_leaves_the_screen,
    less_pages_and_leaves_the_screen,
    a_nested_record_says_so_and_goes_on,
    no_nested_refuses_inside_a_session,
    the_session_id_is_in_the_environment_and_the_header,
    the_environment_is_the_users_own,
    the_command_inherits_no_descriptor,
    the_command_starts_with_the_signals_of_the_caller,
    recmode_in_the_background_leaves_the_terminals_modes_alone,
    recmode_brought_to_the_foreground_takes_the_terminal,
    a_terminal_that_hangs_up_ends_the_session_in_good_order,
    a_killed_terminal_side_still_gets_a_closed_recording,
    a_slow_terminal_does_not_grow_the_memory_and_gets_everything,
    an_idle_session_uses_no_cpu,
    recmode_can_not_be_traced_by_its_user,
    cat_without_raw_prints_the_text_without_controls,
    the_times_of_events_are_those_of_the_output,
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
    Cast::read(&lab.cast()).assert_closed(128 + signal as i32);
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

fn sigterm_ends_a_session_whose_command_ignores_it() -> Verdict {
    let lab = Lab::new();
    let script = "trap '' HUP TERM INT; echo ready; for i in $(seq 60); do sleep 1; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    outer.kill(Signal::SIGTERM);
    let end = outer.end();
    assert_eq!(end.status, 143);
    assert!(end.restored);
    Ok(())
}

fn a_session_cut_short_resets_the_modes_its_programs_had_set() -> Verdict {
    let lab = Lab::new();
    let script = r"printf '\033[?1049h\033[?25l\033[?2004h\033[?1000h\033[?1006h\033[31mready'; sleep 60";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready");
    outer.kill(Signal::SIGTERM);
    let end = outer.end();
    let after = &end.seen[find(&end.seen, "ready").unwrap()..];
    for reset in ["\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "\x1b[?1000l"] {
        assert!(find(after, reset).is_some(), "{reset:?} not in {}", show(after));
    }
    assert!(find(after, "\x1b[m").or(find(after, "\x1b[0m")).is_some(), "colours are reset: {}", show(after));
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

/// Bytes of every kind, the same each time.
fn noise(n: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..n).map(|_| next()).collect()
}

fn a_pipe_on_stdin_is_passed_byte_for_byte_and_closed() -> Verdict {
    let lab = Lab::new();
    lab.write("noise", noise(1 << 20));
    let script = r#"cat noise | "$RECMODE" record -q -o "$CAST" -- sh -c 'cat > copy; echo end'"#;
    let end = lab.outer_sh(script).end();
    assert_eq!(end.status, 0, "{}", show(&end.seen));
    assert_eq!(String::from_utf8_lossy(&end.seen).replace('\r', ""), "end\n");
    assert!(fs::read(lab.path("copy")).unwrap() == noise(1 << 20), "the copy differs");
    Ok(())
}

fn a_long_line_from_a_pipe_is_passed_whole() -> Verdict {
    let lab = Lab::new();
    let mut line = vec![b'a'; 100_000];
    line.extend(b"\x03\x04\x1a\x11\x13\x7f\x15\r\n\0last");
    let run = lab.run(&lab.record(&["-q", "--", "sh", "-c", "cat > copy"]), &line);
    assert_eq!(run.status, 0, "{}", run.stderr());
    assert!(fs::read(lab.path("copy")).unwrap() == line, "the copy differs");
    Ok(())
}

fn an_empty_stdin_ends_at_once() -> Verdict {
    let lab = Lab::new();
    let end =
        lab.outer_sh(r#"exec "$RECMODE" record -q -o "$CAST" -- sh -c 'cat; echo end' < /dev/null"#).end();
    assert_eq!((end.status, String::from_utf8_lossy(&end.seen).replace('\r', "").as_str()), (0, "end\n"));
    assert!(end.restored);
    Ok(())
}

fn a_command_that_leaves_its_input_unread_ends_the_session() -> Verdict {
    let lab = Lab::new();
    let run = lab.run(&lab.record(&["-q", "--", "sh", "-c", "exec <&-; echo end; exit 3"]), &noise(1 << 20));
    assert_eq!((run.status, run.stdout.as_slice()), (3, b"end\r\n".as_slice()), "{}", run.stderr());
    Ok(())
}

fn output_into_a_pipe_is_what_is_recorded_and_the_terminal_stays_cooked() -> Verdict {
    let lab = Lab::new();
    let script = r#""$RECMODE" record -q -o "$CAST" -- sh -c 'echo one; echo two >&2; echo started > go; read x; echo three' | cat > out; echo end"#;
    let mut outer = lab.outer_sh(script);
    until(SOON, "the command's start", || lab.exists("go"));
    assert!(outer.is_restored(), "no raw mode when stdout is a pipe");
    outer.send("\r");
    outer.wait_for("end\r\n");
    assert!(outer.end().restored);
    let out = fs::read(lab.path("out")).unwrap();
    assert_eq!(out, Cast::read(&lab.cast()).output());
    let text = String::from_utf8(out).unwrap().replace('\r', "");
    assert!(text.starts_with("one\ntwo\n") && text.ends_with("three\n"), "{text:?}");
    Ok(())
}

fn output_into_a_file_is_what_is_recorded() -> Verdict {
    let lab = Lab::new();
    let script = r#""$RECMODE" record -q -o "$CAST" -- seq 1 20000 > out"#;
    let end = lab.outer_sh(script).end();
    assert_eq!(end.status, 0);
    assert!(end.seen.is_empty(), "nothing on the terminal: {}", show(&end.seen));
    let out = fs::read(lab.path("out")).unwrap();
    assert!(out == Cast::read(&lab.cast()).output(), "output and recording differ");
    assert!(out.ends_with(b"20000\r\n") || out.ends_with(b"20000\n"), "{}", show(&out));
    Ok(())
}

fn the_readers_early_end_does_not_hang_the_session() -> Verdict {
    let lab = Lab::new();
    let script = r#""$RECMODE" record -q -o "$CAST" -- seq 1 300000 | head -n 2; echo end"#;
    let mut outer = lab.outer_sh(script);
    outer.wait_for("1\r");
    outer.wait_for("end\r\n");
    outer.end();
    until(SOON, "the end of the recording", || Cast::read(&lab.cast()).is_closed());
    Ok(())
}

fn everything_works_without_any_terminal() -> Verdict {
    let lab = Lab::new();
    let script =
        "cat; tty < /dev/tty > /dev/null && echo has a terminal; stty size < /dev/tty; echo err >&2; exit 6";
    let run = lab.run(&lab.record(&["-q", "--", "sh", "-c", script]), b"input\n");
    assert_eq!(run.status, 6, "{}", run.stderr());
    assert_eq!(run.stdout().replace('\r', ""), "input\nhas a terminal\n24 80\nerr\n");
    assert_eq!(run.stderr(), "");
    let cast = Cast::read(&lab.cast());
    cast.assert_closed(6);
    assert_eq!(cast.output(), run.stdout);
    Ok(())
}

fn closed_standard_streams_do_no_harm() -> Verdict {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let lab = Lab::new();
        let script = format!(r#"exec "$RECMODE" record -q -o "$CAST" -- sh -c 'echo hi; exit 4' {closed}"#);
        let run = lab.run(&["sh", "-c", &script], b"");
        assert_eq!(run.status, 4, "{closed}: {}", run.stderr());
        let cast = Cast::read(&lab.cast());
        cast.assert_closed(4);
        assert_eq!(cast.output(), b"hi\r\n", "{closed}");
    }
    Ok(())
}

fn keys_reach_a_pager_whose_input_is_a_pipe() -> Verdict {
    needs_tools(&["less"])?;
    let lab = Lab::new();
    let script = r#"seq 1 5000 | "$RECMODE" record -q -o "$CAST" -- less; echo after-less"#;
    let mut outer = lab.outer_sh(script);
    outer.wait_for("23");
    outer.send("G");
    outer.wait_for("5000");
    outer.send("q");
    outer.wait_for("after-less");
    assert!(outer.end().restored);
    Ok(())
}

fn utf8_split_across_writes_is_kept_whole() -> Verdict {
    let lab = Lab::new();
    let script = r"i=0; while [ $i -lt 300 ]; do printf '\342'; printf '\202'; printf '\254'; printf '\360\237'; printf '\230\200'; i=$((i+1)); done";
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script])).end();
    let expected = "€😀".repeat(300);
    assert!(end.seen == expected.as_bytes(), "shown: {}", show(&end.seen));
    let cast = Cast::read(&lab.cast());
    assert!(cast.output() == expected.as_bytes(), "recorded: {}", show(&cast.output()));
    // The shell may be held up for longer than a character is held together, but not often.
    let broken = cast.records("raw").len();
    assert!(broken < 30, "{broken} characters were not held together");
    Ok(())
}

fn an_incomplete_character_is_shown_and_recorded_without_waiting_for_the_rest() -> Verdict {
    let lab = Lab::new();
    let script = r"printf 'A\303'; read x; printf '\251'";
    let mut outer = lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "sh", "-c", script]));
    outer.wait_for(b"A\xc3");
    until(SOON, "the incomplete character in the file", || {
        Cast::try_read(&lab.cast()).is_some_and(|cast| cast.output() == b"A\xc3")
    });
    outer.send("\r");
    let end = outer.end();
    assert_eq!(Cast::read(&lab.cast()).output(), end.seen);
    Ok(())
}

fn rebuilds_exactly(format: &str) {
    let lab = Lab::new();
    let script = "stty raw -echo; head -c 200000 /dev/urandom | tee original";
    let end = lab.outer(&lab.record(&["-q", "--format", format, "--", "sh", "-c", script])).end();
    let original = fs::read(lab.path("original")).unwrap();
    assert!(end.seen == original, "shown and printed differ");
    let cast = Cast::read(&lab.cast());
    cast.assert_closed(0);
    assert!(cast.output() == original, "recorded and printed differ");
    let printed = lab.run(&[recmode(), "cat", "--raw", lab.cast().to_str().unwrap()], b"");
    assert_eq!(printed.status, 0, "{}", printed.stderr());
    assert!(printed.stdout == original, "`cat --raw` and printed differ");
}

fn bytes_that_are_no_utf8_are_rebuilt_exactly() -> Verdict {
    rebuilds_exactly("asciicast-v3");
    Ok(())
}

fn bytes_that_are_no_utf8_are_rebuilt_exactly_from_v2() -> Verdict {
    rebuilds_exactly("asciicast-v2");
    Ok(())
}

fn a_bracketed_paste_of_a_mebibyte_arrives_whole() -> Verdict {
    let lab = Lab::new();
    let mut paste = b"\x1b[200~".to_vec();
    for n in 0.. {
        if paste.len() >= 1 << 20 {
            break;
        }
        paste.extend(format!("line {n} of the paste, ünïcode\r").bytes());
    }
    paste.extend(b"\x1b[201~");
    let script = format!("stty raw -echo; echo ready; head -c {} > pasted; echo end", paste.len());
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", &script]));
    outer.wait_for("ready");
    outer.send(&paste);
    outer.wait_for_within(Duration::from_secs(20), "end");
    assert_eq!(outer.end().status, 0);
    assert!(fs::read(lab.path("pasted")).unwrap() == paste, "the paste arrived changed");
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

fn a_nested_record_says_so_and_goes_on() -> Verdict {
    let lab = Lab::new();
    let script = r#""$RECMODE" record -q -o nested.cast -- echo inner-output"#;
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script])).end();
    assert_eq!(end.status, 0);
    let text = String::from_utf8_lossy(&end.seen).into_owned();
    assert!(text.contains("inner-output\r\n"), "{text}");
    assert!(
        text.len() > "inner-output\r\n".len() && text.contains("session"),
        "no word of the session it is in: {text}"
    );
    Cast::read(&lab.path("nested.cast")).assert_closed(0);
    Ok(())
}

fn no_nested_refuses_inside_a_session() -> Verdict {
    let lab = Lab::new();
    let script = r#""$RECMODE" record --no-nested -o nested.cast -- touch ran"#;
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script])).end();
    assert_eq!(end.status, 125, "{}", show(&end.seen));
    assert!(!end.seen.is_empty(), "the reason is said");
    assert!(!lab.exists("ran") && !lab.exists("nested.cast"));
    Ok(())
}

fn the_session_id_is_in_the_environment_and_the_header() -> Verdict {
    let lab = Lab::new();
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo $RECMODE_SESSION"])).end();
    let id = String::from_utf8(end.seen).unwrap();
    assert!(!id.trim().is_empty());
    assert_eq!(*Cast::read(&lab.cast()).ours("session"), id.trim());
    Ok(())
}

fn the_environment_is_the_users_own() -> Verdict {
    let lab = Lab::new().env("MINE", "a b");
    let own = lab.run(&["env"], b"").stdout();
    let run = lab.run(&lab.record(&["-q", "--", "env"]), b"").stdout().replace('\r', "");
    let sorted = |text: &str| {
        let mut lines: Vec<_> =
            text.lines().filter(|line| !line.starts_with("RECMODE_SESSION=")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&own), sorted(&run));
    Ok(())
}

fn the_command_inherits_no_descriptor() -> Verdict {
    let lab = Lab::new();
    let own = lab.run(&["ls", "/proc/self/fd"], b"").stdout();
    let recorded =
        lab.run(&lab.record(&["-q", "--", "ls", "/proc/self/fd"]), b"").stdout().replace("\r\n", "\n");
    let spaced = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(spaced(&recorded), spaced(&own), "without a terminal");
    let end = lab.outer(&lab.record_to(&lab.path("b.cast"), &["-q", "--", "ls", "/proc/self/fd"])).end();
    assert_eq!(spaced(&String::from_utf8_lossy(&end.seen)), spaced(&own), "on a terminal");
    Ok(())
}

fn the_command_starts_with_the_signals_of_the_caller() -> Verdict {
    let lab = Lab::new();
    let wanted = ["grep", "-E", "^Sig(Blk|Ign|Cgt|Pnd)", "/proc/self/status"];
    let own = lab.run(&wanted, b"").stdout();
    assert_eq!(own.lines().count(), 4);
    let args: Vec<_> = ["-q", "--"].into_iter().chain(wanted).collect();
    let run = lab.run(&lab.record(&args), b"").stdout().replace('\r', "");
    assert_eq!(run, own, "without a terminal");
    let end = lab.outer(&lab.record_to(&lab.path("b.cast"), &args)).end();
    assert_eq!(String::from_utf8_lossy(&end.seen).replace('\r', ""), own, "on a terminal");
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
    Cast::read(&lab.cast()).assert_closed(129);
    until(SOON, "the end of the command", || !alive(command));
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

fn a_slow_terminal_does_not_grow_the_memory_and_gets_everything() -> Verdict {
    let lab = Lab::new();
    let script = "echo ready; read x; yes 0123456789abcdef | head -n 1500000 | tee /dev/null; echo done-now";
    let mut outer = lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    let sides = [outer.pid(), recording_side(outer.pid())];
    outer.pause(true);
    outer.send("\r");
    let size = || fs::metadata(lab.cast()).map_or(0, |meta| meta.len());
    // Until nothing moves any more.
    let (mut last, mut since) = (size(), Instant::now());
    until(SOON, "a session that waits for its terminal", || {
        let now = size();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_millis(700)
    });
    for side in sides {
        let resident = resident_kib(side);
        assert!(resident < 64 << 10, "{resident} KiB resident");
    }
    outer.pause(false);
    outer.wait_for_within(Duration::from_secs(40), "done-now");
    let end = outer.end();
    assert_eq!(end.status, 0);
    assert!(end.seen == Cast::read(&lab.cast()).output(), "shown and recorded differ");
    Ok(())
}

fn an_idle_session_uses_no_cpu() -> Verdict {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo ready; read x"]));
    outer.wait_for("ready\r\n");
    let sides = [outer.pid(), recording_side(outer.pid())];
    let used = || sides.iter().map(|&pid| cpu_ticks(pid)).sum::<u64>();
    let before = used();
    // Not to wait for anything: this is the time that is measured.
    std::thread::sleep(Duration::from_secs(1));
    assert!(used() - before <= 3, "{} ticks of CPU in an idle second", used() - before);
    outer.send("\r");
    outer.end();
    Ok(())
}

fn recmode_can_not_be_traced_by_its_user() -> Verdict {
    let mut lab = Lab::new();
    if is_root() {
        needs_tools(&["setpriv"])?;
        let copy = lab.path("recmode");
        fs::copy(recmode(), &copy).unwrap();
        fs::set_permissions(lab.dir(), fs::Permissions::from_mode(0o777)).unwrap();
        let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        lab = lab.wrap(&nobody.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let copy = copy.to_str().unwrap().to_owned();
        let mut outer =
            lab.outer(&[&copy, "record", "-q", "-o", "n.cast", "--", "sh", "-c", "echo ready; read x"]);
        check_untraceable(&mut outer);
    } else {
        let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo ready; read x"]));
        check_untraceable(&mut outer);
    }
    Ok(())
}

fn check_untraceable(outer: &mut Outer) {
    outer.wait_for("ready\r\n");
    let sides = [outer.pid(), recording_side(outer.pid())];
    for pid in sides {
        // The files of a process that may not be dumped belong to root.
        let owner = fs::metadata(format!("/proc/{pid}/environ")).unwrap().uid();
        assert_eq!(owner, 0, "the owner of /proc/{pid}");
    }
    outer.send("\r");
    assert_eq!(outer.end().status, 0);
}

fn cat_without_raw_prints_the_text_without_controls() -> Verdict {
    let lab = Lab::new();
    let script = r"printf 'plain \033[1;31mred\033[0m \033]0;title\007text\a\n'";
    lab.outer(&lab.record(&["-q", "--", "sh", "-c", script])).end();
    let printed = lab.run(&[recmode(), "cat", lab.cast().to_str().unwrap()], b"");
    assert_eq!(printed.status, 0, "{}", printed.stderr());
    assert_eq!(printed.stdout().replace('\r', ""), "plain red text\n");
    Ok(())
}

fn the_times_of_events_are_those_of_the_output() -> Verdict {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo one; read x; echo two"]));
    outer.wait_for("one\r\n");
    let start = Instant::now();
    // The pause that the recording must show.
    std::thread::sleep(Duration::from_millis(600));
    outer.send("\r");
    outer.wait_for("two\r\n");
    let paused = start.elapsed().as_secs_f64();
    outer.end();
    let cast = Cast::read(&lab.cast());
    assert_eq!(count(&cast.output(), "two"), 1);
    let times = cast.times();
    let (first, last) = (times[0], *times.last().unwrap());
    assert!(last - first > 0.59 && last - first < paused + 2.0, "{first} to {last}, paused for {paused}");
    Ok(())
}
