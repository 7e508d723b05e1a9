//! `recmode play` on a real terminal: what gets through, keys, and the terminal afterwards.

use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::harness::{
    Lab, Outer, SOON, Verdict, count, find, recmode, show, strip_escapes, tests, until, waits,
};

tests![
    a_recording_is_played_and_ends_by_itself,
    ctrl_c_in_a_full_screen_program_leaves_a_sane_terminal,
    a_signal_leaves_a_sane_terminal,
    what_could_drive_the_terminal_is_not_let_through,
    keys_pause_step_jump_and_quit,
    a_part_is_played_from_and_to_times_and_markers,
    the_end_is_at_its_time_also_where_nothing_happens,
    a_marker_that_never_comes_is_said,
    what_can_not_be_read_again_is_played_on,
    ctrl_c_is_heard_while_a_place_is_looked_for,
    a_screen_that_does_not_fit_is_drawn_cut,
    a_larger_terminal_shows_a_full_screen_program_as_it_was,
    what_was_drawn_is_left_on_the_screen,
    what_another_tool_has_finished_is_not_waited_for,
    a_live_session_is_followed_to_its_end,
    without_a_terminal_the_output_is_passed_on,
];

/// Long enough that no test waits for it.
const FOREVER: &str = "100000.0";

fn cast(lab: &Lab, lines: &str) -> PathBuf {
    lab.write("a.cast", format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n{lines}"))
}

fn play(file: &std::path::Path, args: &[&str]) -> Vec<String> {
    let file = file.to_str().expect("a plain path");
    [recmode(), "play"].iter().chain(args).chain([&file]).map(|arg| (*arg).to_owned()).collect()
}

/// The rows of a terminal of 80 columns and 24 rows that was shown this.
fn rows(seen: &[u8]) -> Vec<String> {
    rows_of((80, 24), seen)
}

fn rows_of((cols, rows): (usize, usize), seen: &[u8]) -> Vec<String> {
    let mut terminal = avt::Terminal::new(cols, rows).expect("a size");
    terminal.feed(String::from_utf8_lossy(seen).into_owned());
    terminal.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect()
}

/// Waits until a row of a terminal of 80 columns and 24 rows begins with this.
#[track_caller]
fn wait_for_row(outer: &Outer, row: usize, text: &str) {
    until(SOON, text, || rows(&outer.seen())[row].starts_with(text));
}

fn a_recording_is_played_and_ends_by_itself() -> Verdict {
    let lab = Lab::new();
    let file =
        cast(&lab, &format!("[0.1,\"o\",\"one\\r\\n\"]\n[{FOREVER},\"o\",\"\\u001b[31mtwo\\u001b[0m\"]\n"));
    let end = lab.outer(&play(&file, &["--idle-limit", "100ms"])).end();
    assert_eq!(end.status, 0, "{}", show(&end.seen));
    assert!(end.restored);
    assert!(find(&end.seen, "one\r\n\x1b[31mtwo\x1b[0m").is_some(), "{}", show(&end.seen));
    assert!(end.seen.ends_with(b"\r\n"), "the prompt has a line of its own: {}", show(&end.seen));
    let end = lab.outer(&play(&file, &["--speed", "10000", "--idle-limit", "1s"])).end();
    assert_eq!(end.status, 0);
    Ok(())
}

/// A full-screen program that stays, with modes set that would trouble a shell.
const EDITOR: &str =
    "[0.0,\"o\",\"\\u001b[?1049h\\u001b[?25l\\u001b[?7l\\u001b[2;5r\\u001b(0\\u001b[7mpage\"]\n";

fn ctrl_c_in_a_full_screen_program_leaves_a_sane_terminal() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, &format!("{EDITOR}[{FOREVER},\"o\",\"never\"]\n"));
    let mut outer = lab.outer(&play(&file, &[]));
    outer.wait_raw();
    outer.wait_for("page");
    outer.send(b"\x03");
    let end = outer.end();
    assert_eq!(end.status, 130);
    assert!(end.restored);
    let after = &end.seen[find(&end.seen, "page").expect("shown")..];
    for reset in ["\x1b[?1049l", "\x1b[?25h", "\x1b[?7h", "\x1b[r", "\x1b(B", "\x1b[m"] {
        assert!(find(after, reset).is_some(), "{reset:?} in {}", show(after));
    }
    Ok(())
}

fn a_signal_leaves_a_sane_terminal() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, &format!("{EDITOR}[{FOREVER},\"o\",\"never\"]\n"));
    let mut outer = lab.outer(&play(&file, &[]));
    outer.wait_for("page");
    outer.kill(Signal::SIGTERM);
    let end = outer.end();
    assert_eq!((end.status, end.restored), (143, true));
    assert!(find(&end.seen, "\x1b[?1049l").is_some());
    Ok(())
}

fn what_could_drive_the_terminal_is_not_let_through() -> Verdict {
    let lab = Lab::new();
    let file = cast(
        &lab,
        "[0.0,\"o\",\"a\\u001b]0;owned\\u0007\\u001b[6n\\u001b]52;c;AAAA\\u0007b\\u009b5n\\u001b[?1000hc\\u001b[\"]\n[0.0,\"o\",\"cd\\r\\n\"]\n",
    );
    let end = lab.outer(&play(&file, &[])).end();
    assert_eq!(end.status, 0);
    assert!(find(&end.seen, "abcd\r\n").is_some(), "{}", show(&end.seen));
    assert!(find(&end.seen, "owned").is_none() && find(&end.seen, "\x1b]").is_none());
    let end = lab.outer(&play(&file, &["--unsafe-raw"])).end();
    assert!(find(&end.seen, "\x1b]0;owned\x07\x1b[6n").is_some(), "{}", show(&end.seen));
    Ok(())
}

fn keys_pause_step_jump_and_quit() -> Verdict {
    let lab = Lab::new();
    let lines = format!(
        "[0.0,\"o\",\"start \"]\n[{FOREVER},\"m\",\"first\"]\n[0.0,\"o\",\"one \"]\n\
         [{FOREVER},\"o\",\"two \"]\n[3.0,\"o\",\"three \"]\n[{FOREVER},\"m\",\"second\"]\n[0.0,\"o\",\"four \"]\n\
         [{FOREVER},\"o\",\"never\"]\n"
    );
    let file = cast(&lab, &lines);
    let mut outer = lab.outer(&play(&file, &[]));
    outer.wait_raw();
    outer.wait_for("start ");
    // To the first marker: what follows it comes by itself.
    outer.send(b"]");
    outer.wait_for("one ");
    // While it is paused the screen is drawn.
    outer.send(b" ");
    wait_for_row(&outer, 23, "paused");
    outer.send(b"..");
    wait_for_row(&outer, 0, "start one two three");
    // On with it, and to the second marker.
    outer.send(b" ]");
    outer.wait_for("four ");
    // Back to the first marker, five seconds back and five on: the screen as it was then.
    outer.send(b"[");
    outer.wait_for("Jstart one ");
    outer.send(b"\x1b[D");
    outer.wait_for("Jstart  ");
    outer.send(b"\x1b[C");
    outer.wait_for("Jstart one ");
    outer.send(b"q");
    let end = outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    assert_eq!(count(&end.seen, "never"), 0);
    Ok(())
}

fn a_part_is_played_from_and_to_times_and_markers() -> Verdict {
    let lab = Lab::new();
    let lines = "[1.0,\"o\",\"one\\r\\n\"]\n[5.0,\"o\",\"two\\r\\n\"]\n[0.0,\"m\",\"deploy\"]\n\
                 [0.1,\"o\",\"three\\r\\n\"]\n[0.1,\"m\",\"done\"]\n[1000.0,\"o\",\"four\\r\\n\"]\n";
    let file = cast(&lab, lines);
    let text = |args: &[&str]| {
        let run = lab.run(&play(&file, args), b"");
        (run.status, run.stdout(), run.stderr())
    };
    assert_eq!(text(&["--from", "deploy", "--to", "done"]).1, "three\r\n");
    assert_eq!(text(&["--from", "0:00:05.9", "--to", "6s"]).1, "two\r\n");
    let (status, _, err) = text(&["--from", "nowhere\u{1b}"]);
    assert_eq!(status, 2);
    assert!(err.ends_with("a.cast: there is no marker \"nowhere\\u{1b}\"\n"), "{err}");
    // On a terminal the screen is shown as it was there.
    let end = lab.outer(&play(&file, &["--from", "deploy", "--to", "done"])).end();
    let seen = String::from_utf8_lossy(&strip_escapes(&end.seen)).into_owned();
    assert!(seen.contains("one") && seen.contains("two") && seen.contains("three"), "{seen:?}");
    assert!(end.restored && !seen.contains("four"));
    Ok(())
}

fn the_end_is_at_its_time_also_where_nothing_happens() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, &format!("[0.1,\"o\",\"one\"]\n[{FOREVER},\"o\",\"never\"]\n"));
    let end = lab.outer(&play(&file, &["--to", "0.3"])).end();
    assert_eq!((end.status, end.restored), (0, true));
    assert!(find(&end.seen, "one").is_some() && find(&end.seen, "never").is_none());
    Ok(())
}

fn a_marker_that_never_comes_is_said() -> Verdict {
    let lab = Lab::new();
    let lines = "[0.0,\"o\",\"a\"]\n[0.0,\"m\",\"one\"]\n[0.0,\"o\",\"b\"]\n";
    let file = cast(&lab, &format!("{lines}[{FOREVER},\"o\",\"c\"]\n"));
    let run = lab.run(&play(&file, &["--idle-limit", "0.1", "--to", "two"]), b"");
    assert_eq!((run.status, run.stdout()), (2, "abc".to_owned()));
    assert!(run.stderr().ends_with("a.cast: there is no marker \"two\"\n"), "{}", run.stderr());
    // The key for the next one has nowhere to go, and is no end.
    let mut outer = lab.outer(&play(&file, &[]));
    outer.wait_for("ab");
    outer.send(b"]");
    outer.wait_for("Jab");
    outer.send(b" .");
    wait_for_row(&outer, 0, "abc");
    outer.send(b" ");
    let end = outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    Ok(())
}

fn what_can_not_be_read_again_is_played_on() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, "[0.0,\"o\",\"one \"]\n[0.5,\"o\",\"two \"]\n[0.5,\"o\",\"three\"]\n");
    let script = format!("{} play <(cat {})", recmode(), file.display());
    let mut outer = lab.outer(&["bash", "-c", &script]);
    outer.wait_raw();
    outer.wait_for("one ");
    outer.send(b"\x1b[D[");
    let end = outer.end();
    assert_eq!((end.status, end.restored), (0, true), "{}", show(&end.seen));
    assert!(find(&end.seen, "three").is_some());
    Ok(())
}

fn ctrl_c_is_heard_while_a_place_is_looked_for() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, "[0.0,\"o\",\"one \"]\n");
    let script = format!(
        "exec {} play --from 5s - < <(cat {}; touch written; exec sleep 30 </dev/null 2>&0)",
        recmode(),
        file.display()
    );
    let mut outer = lab.outer(&["bash", "-c", &script]);
    outer.wait_raw();
    let input = fs::File::open(format!("/proc/{}/fd/0", outer.pid())).expect("its input");
    until(SOON, "all that there is being read", || {
        let mut fds = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        // Read, and done with.
        lab.exists("written") && poll(&mut fds, PollTimeout::ZERO) == Ok(0) && waits(outer.pid())
    });
    outer.send(b"\x03");
    outer.wait_for("one ");
    let end = outer.end_within(Duration::from_secs(20));
    assert_eq!((end.status, end.restored), (130, true));
    Ok(())
}

fn a_larger_terminal_shows_a_full_screen_program_as_it_was() -> Verdict {
    let lab = Lab::new();
    let file = lab.write(
        "small.cast",
        format!(
            "{{\"version\":3,\"term\":{{\"cols\":20,\"rows\":3}}}}\n\
             [0.0,\"o\",\"prompt \"]\n[0.0,\"o\",\"\\u001b[?1049h\\u001b[Hfirst\\u001b[3;1Hlast\\r\\nnew\"]\n\
             [{FOREVER},\"o\",\"never\"]\n"
        ),
    );
    let mut outer = lab.outer(&play(&file, &[]));
    // It scrolls at its own lower edge, and that is drawn.
    outer.wait_for("new");
    outer.wait_for("\u{2518}");
    let seen = outer.seen();
    let drawn = &seen[find(&seen, "\x1b[?2026h").expect("drawn")..];
    assert!(find(drawn, "first").is_none() && find(drawn, "\x1b[2;1Hlast").is_some(), "{}", show(drawn));
    outer.send(b"q");
    let end = outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    Ok(())
}

fn what_was_drawn_is_left_on_the_screen() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, "[0.0,\"o\",\"one\\r\\n\\u001b[31mtwo\"]\n");
    let end = Outer::spawn(&lab, (20, 5), &play(&file, &[])).end();
    assert_eq!((end.status, end.restored), (0, true));
    let after = &end.seen[find(&end.seen, "\x1b[?1049l").expect("left")..];
    assert!(strip_escapes(after).ends_with(b"one\r\ntwo\r\n"), "{}", show(after));
    Ok(())
}

fn what_another_tool_has_finished_is_not_waited_for() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, "[0.0,\"o\",\"one\"]\n");
    let end = lab.outer(&play(&file, &["--follow"])).end_within(Duration::from_secs(20));
    assert_eq!((end.status, end.restored), (0, true));
    assert!(find(&end.seen, "one").is_some());
    Ok(())
}

fn a_screen_that_does_not_fit_is_drawn_cut() -> Verdict {
    let lab = Lab::new();
    let wide = "x".repeat(30);
    let file = cast(&lab, &format!("[0.0,\"o\",\"{wide}END\\r\\nnext\"]\n[{FOREVER},\"o\",\"never\"]\n"));
    let mut outer = Outer::spawn(&lab, (20, 5), &play(&file, &[]));
    outer.wait_for("next");
    let narrow = outer.seen();
    assert!(find(&narrow, "\x1b[?1049h").is_some() && find(&narrow, "END").is_none(), "{}", show(&narrow));
    // A larger window shows more.
    outer.resize((40, 5));
    outer.wait_for("END");
    outer.send(b"q");
    let end = outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    assert!(find(&end.seen, "\x1b[?1049l").is_some());
    Ok(())
}

fn a_live_session_is_followed_to_its_end() -> Verdict {
    let lab = Lab::new();
    let mut session = lab.outer(&lab.record(&[
        "-q",
        "--",
        "sh",
        "-c",
        "echo early; read a; echo later; read b; echo last",
    ]));
    session.wait_for("early\r\n");
    crate::harness::until(crate::harness::SOON, "the recording", || {
        std::fs::read_to_string(lab.cast()).is_ok_and(|text| text.contains("early"))
    });
    let mut player = lab.outer(&play(&lab.cast(), &["--follow"]));
    player.wait_for("early");
    session.send(b"\r");
    player.wait_for("later");
    session.send(b"\r");
    player.wait_for("last");
    assert_eq!(session.end().status, 0);
    let end = player.end_within(Duration::from_secs(20));
    assert_eq!((end.status, end.restored), (0, true), "{}", show(&end.seen));
    Ok(())
}

fn without_a_terminal_the_output_is_passed_on() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, "[0.0,\"o\",\"a\\u001b]0;x\\u0007b\\r\\n\"]\n[0.0,\"o\",\"c\"]\n");
    let run = lab.run(&play(&file, &[]), b"");
    assert_eq!((run.status, run.stdout(), run.stderr()), (0, "ab\r\nc".to_owned(), String::new()));
    let run = lab.run(&[recmode(), "play", "-"], &std::fs::read(&file).unwrap());
    assert_eq!((run.status, run.stdout()), (0, "ab\r\nc".to_owned()));
    Ok(())
}
