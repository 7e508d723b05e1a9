//! The player's clock, status line and keys on a real terminal.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::{
    End, Lab, Outer, SOON, Verdict, children, find, kill, needs_tools, recmode, show, tests, until, waits,
};

tests![
    a_dense_recording_takes_its_own_time,
    the_idle_limit_of_the_header_counts_unless_one_is_given,
    a_pause_shows_the_status_and_going_on_takes_it_away,
    a_spare_row_has_the_status_and_a_key_toggles_it,
    without_a_spare_row_a_key_shows_the_status_while_it_plays,
    a_key_toggles_the_status_on_a_pause_of_a_cut_screen,
    help_is_shown_and_left,
    tenths_of_the_recording_are_jumped_to,
    steps_go_back,
    markers_and_commands_are_chosen_from_a_list,
    what_was_rendered_is_searched,
    idle_time_is_skipped_by_a_key,
    the_end_stays_while_it_is_looked_at,
    ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back,
    a_resize_while_the_terminal_is_blocked_is_not_lost,
    a_stop_is_heeded_while_the_terminal_is_blocked,
    a_signal_ends_it_while_the_terminal_is_blocked,
    nothing_of_the_players_own_goes_into_a_file,
    an_end_before_the_beginning_is_an_error,
    a_beginning_at_the_end_is_no_error,
    a_stream_that_begins_after_its_end_is_an_error,
    a_seek_stops_at_the_marker_where_playing_ends,
    a_marker_after_the_end_is_not_gone_to,
    a_compressed_recording_is_followed,
    a_finished_recording_is_followed_into_a_pipe,
    a_stream_is_followed_as_it_comes,
];

/// Long enough that no test waits for it.
const FOREVER: &str = "100000.0";

/// A recording of a terminal of 80 columns and 24 rows.
fn cast(lab: &Lab, lines: &str) -> PathBuf {
    lab.write("a.cast", format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n{lines}"))
}

fn play(file: &Path, args: &[&str]) -> Vec<String> {
    let file = file.to_str().expect("a plain path");
    [recmode(), "play"].iter().chain(args).chain([&file]).map(|arg| (*arg).to_owned()).collect()
}

/// The rows of a terminal that was shown this.
fn rows((cols, rows): (usize, usize), seen: &[u8]) -> Vec<String> {
    let mut terminal = avt::Terminal::new(cols, rows).expect("a size");
    terminal.feed(String::from_utf8_lossy(seen).into_owned());
    terminal.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect()
}

/// A terminal that plays, of which the rows are looked at.
struct Watched {
    outer: Outer,
    size: (u16, u16),
}

impl Watched {
    fn play(lab: &Lab, size: (u16, u16), file: &Path, args: &[&str]) -> Self {
        let outer = Outer::spawn(lab, size, &play(file, args));
        outer.wait_raw();
        Self { outer, size }
    }

    fn rows(&self) -> Vec<String> {
        rows((self.size.0.into(), self.size.1.into()), &self.outer.seen())
    }

    #[track_caller]
    fn wait(&self, what: &str, is_it: impl Fn(&[String]) -> bool) {
        let begin = Instant::now();
        loop {
            let rows = self.rows();
            if is_it(&rows) {
                return;
            }
            assert!(begin.elapsed() < SOON, "{what}: not in {rows:#?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a row begins with a text.
    #[track_caller]
    fn row(&self, row: usize, text: &str) {
        self.wait(&format!("{text:?} in row {row}"), |rows| rows[row].starts_with(text));
    }

    /// Waits until a row holds a text and nothing else.
    #[track_caller]
    fn whole_row(&self, row: usize, text: &str) {
        self.wait(&format!("only {text:?} in row {row}"), |rows| rows[row] == text);
    }

    fn send(&self, keys: &str) {
        self.outer.send(keys);
    }

    /// Ends it with `q`; the rows that are left, too.
    #[track_caller]
    fn quit(&mut self) -> (End, Vec<String>) {
        self.send("q");
        let end = self.outer.end();
        assert_eq!((end.status, end.restored), (0, true), "{}", show(&end.seen));
        (end, self.rows())
    }
}

fn a_dense_recording_takes_its_own_time() -> Verdict {
    let lab = Lab::new();
    // 5,000 events in a second: with a wait of a millisecond for each it takes over 5 s.
    let events: Vec<String> = (0..5000)
        .map(|n| format!("[0.0002,\"o\",\"{}\"]\n", if n % 80 == 0 { "\\r\\n" } else { "." }))
        .collect();
    let file = cast(&lab, &events.concat());
    for (size, args) in [((80, 24), &[][..]), ((80, 30), &[]), ((80, 24), &["--idle-limit", "1s"])] {
        let begin = Instant::now();
        let end = Outer::spawn(&lab, size, &play(&file, args)).end();
        let took = begin.elapsed();
        assert_eq!((end.status, end.restored), (0, true));
        assert!(took >= Duration::from_millis(950) && took < Duration::from_secs(3), "{took:?} at {size:?}");
    }
    Ok(())
}

fn the_idle_limit_of_the_header_counts_unless_one_is_given() -> Verdict {
    let lab = Lab::new();
    let events = format!("[0.1,\"o\",\"one \"]\n[{FOREVER},\"o\",\"two\"]\n");
    let with_limit = |limit: &str| {
        let header =
            r#"{"version":2,"width":80,"height":24,"idle_time_limit":LIMIT}"#.replace("LIMIT", limit);
        lab.write("idle.cast", format!("{header}\n{events}"))
    };
    assert_eq!(lab.run(&play(&with_limit("0.2"), &[]), b"").stdout(), "one two");
    assert_eq!(lab.run(&play(&with_limit("90000.5"), &["--idle-limit", "0.1"]), b"").stdout(), "one two");
    // The header's would let it end.
    let mut player = Watched::play(&lab, (80, 24), &with_limit("0.2"), &["--idle-limit", "50000s"]);
    player.row(0, "one");
    player.send(" ");
    player.row(23, "paused  0:00:0");
    let (end, _) = player.quit();
    assert!(find(&end.seen, "two").is_none());
    Ok(())
}

/// The rows of a session that has filled its terminal of 24 rows.
fn full_screen_of_lines(lab: &Lab) -> PathBuf {
    let lines: Vec<String> =
        (1..=24).map(|n| format!("line {n}{}", if n < 24 { "\\r\\n" } else { "" })).collect();
    let lines = lines.concat();
    cast(
        lab,
        &format!("[0.0,\"o\",\"{lines}\"]\n[{FOREVER},\"m\",\"dep\\u001bloy\"]\n[1.0,\"o\",\"never\"]\n"),
    )
}

fn a_pause_shows_the_status_and_going_on_takes_it_away() -> Verdict {
    let lab = Lab::new();
    let file = full_screen_of_lines(&lab);
    let mut player = Watched::play(&lab, (80, 24), &file, &["--speed", "1.5"]);
    player.whole_row(23, "line 24");
    player.send(" ");
    player.row(23, "paused  0:00:0");
    player.wait("the length, the speed", |rows| rows[23].contains(" of 27:46:41 | 1.5x | ? for help"));
    player.whole_row(22, "line 24");
    player.send(" ");
    player.whole_row(23, "line 24");
    player.whole_row(0, "line 1");
    player.send(" -");
    player.wait("the speed", |rows| rows[23].contains("| 1x |"));
    let (_, rows) = player.quit();
    assert!(!rows.iter().any(|row| row.contains("paused")), "{rows:#?}");
    assert_eq!(
        rows.iter().filter(|row| *row == "line 24").count(),
        1,
        "what is left is left once: {rows:#?}"
    );
    Ok(())
}

fn a_spare_row_has_the_status_and_a_key_toggles_it() -> Verdict {
    let lab = Lab::new();
    let file = full_screen_of_lines(&lab);
    let mut player = Watched::play(&lab, (80, 30), &file, &[]);
    player.row(29, "playing 0:00:0");
    player.whole_row(23, "line 24");
    player.send("s");
    player.whole_row(29, "");
    player.whole_row(23, "line 24");
    player.send(" s");
    player.row(29, "paused ");
    player.send("]");
    player.wait("the marker", |rows| rows[29].ends_with("| marker dep\\u{1b}loy"));
    let (_, rows) = player.quit();
    assert!(
        rows.iter().any(|row| row == "line 24") && !rows.iter().any(|row| row.contains("marker")),
        "{rows:#?}"
    );
    Ok(())
}

fn without_a_spare_row_a_key_shows_the_status_while_it_plays() -> Verdict {
    let lab = Lab::new();
    let mut player = Watched::play(&lab, (80, 24), &full_screen_of_lines(&lab), &[]);
    player.whole_row(23, "line 24");
    player.send("s");
    player.row(23, "playing");
    player.whole_row(22, "line 24");
    player.send("s");
    player.whole_row(23, "line 24");
    // Not on a pause either, once it was turned off.
    player.send(" ");
    player.send("?");
    player.row(0, " Keys");
    player.send("x");
    player.whole_row(23, "line 24");
    player.quit();
    Ok(())
}

fn a_key_toggles_the_status_on_a_pause_of_a_cut_screen() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, &format!("[0.0,\"o\",\"one\\r\\n\"]\n[{FOREVER},\"o\",\"never\"]\n"));
    let mut player = Watched::play(&lab, (60, 20), &file, &[]);
    player.whole_row(0, "one");
    player.send(" ");
    player.row(19, "paused");
    player.send("s");
    player.whole_row(19, "");
    player.send("s");
    player.row(19, "paused");
    player.quit();
    Ok(())
}

fn help_is_shown_and_left() -> Verdict {
    let lab = Lab::new();
    let mut player = Watched::play(&lab, (80, 24), &full_screen_of_lines(&lab), &[]);
    player.whole_row(23, "line 24");
    player.send("?");
    player.row(0, " Keys");
    player.row(1, " space        Pause");
    // A lone escape is a key.
    player.send("\x1b");
    player.whole_row(0, "line 1");
    player.whole_row(23, "line 24");
    player.send("?");
    player.row(0, " Keys");
    player.send("\x03");
    let end = player.outer.end();
    assert_eq!((end.status, end.restored), (130, true));
    Ok(())
}

/// Ten events, ten seconds apart.
fn ten(lab: &Lab) -> PathBuf {
    let events: Vec<String> = (1..=10).map(|n| format!("[10.0,\"o\",\"{n} \"]\n")).collect();
    cast(lab, &events.concat())
}

fn tenths_of_the_recording_are_jumped_to() -> Verdict {
    let lab = Lab::new();
    let mut player = Watched::play(&lab, (80, 24), &ten(&lab), &[]);
    player.send(" 5");
    player.whole_row(0, "1 2 3 4 5");
    player.row(23, "paused  0:00:50 of 0:01:40");
    player.send("9");
    player.whole_row(0, "1 2 3 4 5 6 7 8 9");
    player.send("0");
    player.row(23, "paused  0:00:00");
    player.whole_row(0, "");
    let (end, _) = player.quit();
    assert!(find(&end.seen, "9 10").is_none(), "{}", show(&end.seen));
    Ok(())
}

fn steps_go_back() -> Verdict {
    let lab = Lab::new();
    let mut player = Watched::play(&lab, (80, 24), &ten(&lab), &[]);
    player.send(" ...");
    player.whole_row(0, "1 2 3");
    player.send(",");
    player.whole_row(0, "1 2");
    player.row(23, "paused  0:00:20");
    player.send(",,,");
    player.whole_row(0, "");
    player.send(".");
    player.whole_row(0, "1");
    player.quit();
    Ok(())
}

fn markers_and_commands_are_chosen_from_a_list() -> Verdict {
    let lab = Lab::new();
    let lines = "[1.0,\"o\",\"$ ls\"]\n[1.0,\"o\",\"\\u001b[?2004l\\r\\nfiles\\r\\n\"]\n[10.0,\"m\",\"deploy\"]\n\
                 [10.0,\"o\",\"\\u001b[?2004h$ make\"]\n[1.0,\"o\",\"\\u001b[?2004l\\r\\nmade\\r\\n\"]\n";
    let file = cast(&lab, &format!("{lines}[{FOREVER},\"o\",\"never\"]\n"));
    let mut player = Watched::play(&lab, (80, 24), &file, &[]);
    player.send("m");
    player.row(0, " 1 of 3.");
    player.row(1, " 0:00:01  command  $ ls");
    player.row(2, " 0:00:12  marker   deploy");
    player.row(3, " 0:00:22  command  $ make");
    player.send("j\x1b[B\r");
    player.whole_row(2, "$ make");
    player.send(" ");
    player.wait("the time", |rows| {
        rows[23].starts_with("paused  0:00:2") && rows[23].contains("marker deploy")
    });
    player.send("m");
    player.row(0, " 3 of 3.");
    player.send("kk\r");
    player.whole_row(0, "$ ls");
    player.row(23, "paused  0:00:01");
    // It is left without a jump.
    player.send("mG");
    player.row(0, " 3 of 3.");
    player.send("q");
    player.row(23, "paused  0:00:01");
    player.quit();
    Ok(())
}

fn what_was_rendered_is_searched() -> Verdict {
    let lab = Lab::new();
    // The word is typed with a correction, and split by colours.
    let lines = "[1.0,\"o\",\"nee\"]\n[1.0,\"o\",\"d\\u001b[31mlx\"]\n[1.0,\"o\",\"\\b \\be one\\u001b[m\\r\\n\"]\n\
                 [10.0,\"o\",\"hay\\r\\n\"]\n[10.0,\"o\",\"needle two\\r\\n\"]\n";
    let file = cast(&lab, &format!("{lines}[{FOREVER},\"o\",\"never\"]\n"));
    let mut player = Watched::play(&lab, (80, 24), &file, &[]);
    player.send("/need+x");
    player.row(23, "/need+x");
    player.send("\x7fle\r");
    player.whole_row(0, "needle one");
    player.row(23, "paused  0:00:03 of");
    player.wait("the number", |rows| rows[23].ends_with("match 1 of 2: need+le"));
    player.send("n");
    player.whole_row(2, "needle two");
    player.row(23, "paused  0:00:23");
    player.send("N");
    player.row(23, "paused  0:00:03");
    player.send("N");
    player.wait("the last one", |rows| rows[23].contains("match 2 of 2"));
    player.send("/nothing like it\r");
    player.wait("no match", |rows| rows[23].ends_with("not found: nothing like it"));
    player.send("/(\r");
    player.wait("no pattern", |rows| rows[23].ends_with("not a valid pattern"));
    player.send("/abc\x1b");
    player.row(23, "paused  0:00:23");
    player.quit();
    Ok(())
}

fn idle_time_is_skipped_by_a_key() -> Verdict {
    let lab = Lab::new();
    let file =
        cast(&lab, &format!("[0.0,\"o\",\"one \"]\n[3600.0,\"o\",\"two \"]\n[{FOREVER},\"o\",\"never\"]\n"));
    let mut player = Watched::play(&lab, (80, 24), &file, &[]);
    player.row(0, "one");
    player.send("i");
    player.row(0, "one two");
    player.send("i ");
    player.row(23, "paused  1:00:0");
    player.wait("what was skipped", |rows| rows[23].contains("idle skipped 0:59:5"));
    player.quit();
    Ok(())
}

fn the_end_stays_while_it_is_looked_at() -> Verdict {
    let lab = Lab::new();
    let mut player = Watched::play(&lab, (80, 24), &ten(&lab), &[]);
    player.send(" 9");
    player.row(23, "paused  0:01:30");
    player.send(".");
    player.row(23, "end     0:01:40 of 0:01:40");
    player.send(",");
    player.row(23, "paused  0:01:30");
    player.send(". ");
    let end = player.outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    Ok(())
}

fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() -> Verdict {
    needs_tools(&["bash"])?;
    let lab = Lab::new().env("PS1", "prompt> ");
    let file =
        cast(&lab, &format!("[0.0,\"o\",\"\\u001b[?25l\\u001b[2;5rone\"]\n[{FOREVER},\"o\",\"never\"]\n"));
    for size in [(80, 24), (80, 30)] {
        let mut outer = Outer::spawn(&lab, size, &["bash", "--norc", "--noprofile", "-i"]);
        outer.wait_for("prompt> ");
        outer.send(format!("{} play {}\r", recmode(), file.display()));
        outer.wait_raw();
        outer.wait_for("one");
        outer.send("\x1a");
        outer.wait_for("Stopped");
        let seen = outer.seen();
        let after = &seen[find(&seen, "one").expect("shown")..];
        for reset in ["\x1b[?25h", "\x1b[r"] {
            assert!(find(after, reset).is_some(), "{reset:?} in {}", show(after));
        }
        outer.send("echo al''ive\r");
        outer.wait_for("alive");
        outer.send("fg\r");
        outer.wait_raw();
        outer.wait_for("one");
        outer.send("q");
        outer.wait_for("prompt> ");
        outer.send("echo status=$?; exit\r");
        outer.wait_for("status=0");
        assert!(outer.end().restored);
    }
    Ok(())
}

/// A recording of one event whose screen takes far more bytes than a terminal that nobody reads takes.
fn colourful(lab: &Lab) -> PathBuf {
    let mut screen = String::new();
    for row in 0..60 {
        for col in 0..120 {
            let _ = write!(screen, "\\u001b[38;2;{row};{col};{}mx", (row * col) % 256);
        }
        screen.push_str(if row < 59 { "\\r\\n" } else { "\\u001b[HEND" });
    }
    let header = "{\"version\":3,\"term\":{\"cols\":120,\"rows\":60}}";
    lab.write("colours.cast", format!("{header}\n[0.0,\"o\",\"{screen}\"]\n[{FOREVER},\"o\",\"never\"]\n"))
}

/// Waits until a process has nothing to do but wait, for a while.
#[track_caller]
fn wait_until_blocked(pid: i32) {
    let begin = Instant::now();
    let mut since = Instant::now();
    while since.elapsed() < Duration::from_millis(300) {
        assert!(begin.elapsed() < SOON, "{pid} is not blocked");
        if !waits(pid) {
            since = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn a_resize_while_the_terminal_is_blocked_is_not_lost() -> Verdict {
    let lab = Lab::new().env("COLORTERM", "truecolor");
    let file = colourful(&lab);
    let mut outer = Outer::spawn(&lab, (110, 55), &play(&file, &[]));
    outer.pause(true);
    outer.wait_raw();
    wait_until_blocked(outer.pid());
    outer.resize((20, 5));
    wait_until_blocked(outer.pid());
    outer.pause(false);
    let complete = |seen: &[u8]| memchr::memmem::find_iter(seen, b"\x1b[55;1H").count() >= 2;
    until(SOON, "the screen in its old size", || complete(&outer.seen()));
    until(SOON, "the screen in its new size", || {
        let seen = outer.seen();
        let last = memchr::memmem::rfind(&seen, b"\x1b[55;1H");
        last.is_some_and(|last| find(&seen[last..], "\x1b[5;1H").is_some())
    });
    outer.send("q");
    let end = outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    Ok(())
}

fn a_stop_is_heeded_while_the_terminal_is_blocked() -> Verdict {
    needs_tools(&["bash"])?;
    let lab = Lab::new().env("COLORTERM", "truecolor").env("PS1", "prompt> ");
    let file = colourful(&lab);
    let mut outer = Outer::spawn(&lab, (110, 55), &["bash", "--norc", "--noprofile", "-i"]);
    outer.wait_for("prompt> ");
    outer.send(format!("{} play {}\r", recmode(), file.display()));
    outer.wait_raw();
    outer.pause(true);
    let pid = *children(outer.pid()).first().expect("the player");
    wait_until_blocked(pid);
    kill(pid, Signal::SIGTSTP);
    until(SOON, "the stop", || {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") T "))
    });
    outer.pause(false);
    outer.wait_for("Stopped");
    outer.send("fg\r");
    outer.wait_raw();
    outer.wait_for("END");
    outer.send("q");
    outer.wait_for("prompt> ");
    outer.send("exit\r");
    assert!(outer.end().restored);
    Ok(())
}

fn a_signal_ends_it_while_the_terminal_is_blocked() -> Verdict {
    let lab = Lab::new().env("COLORTERM", "truecolor");
    let file = colourful(&lab);
    let mut outer = Outer::spawn(&lab, (110, 55), &play(&file, &[]));
    outer.pause(true);
    outer.wait_raw();
    wait_until_blocked(outer.pid());
    outer.kill(Signal::SIGTERM);
    let status = outer.wait_exit(SOON);
    outer.pause(false);
    let end = outer.end();
    assert_eq!((status, end.restored), (143, true));
    Ok(())
}

fn nothing_of_the_players_own_goes_into_a_file() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, "[0.0,\"o\",\"one \"]\n[1.2,\"o\",\"two\"]\n");
    let script = format!("{} play {} >out", recmode(), file.display());
    let mut outer = Outer::spawn(&lab, (80, 50), &["sh", "-c", &script]);
    outer.send(" s?");
    assert_eq!(outer.end().status, 0);
    assert_eq!(fs::read(lab.path("out")).expect("the output"), b"one two");
    Ok(())
}

fn an_end_before_the_beginning_is_an_error() -> Verdict {
    let lab = Lab::new();
    let lines = "[1.0,\"o\",\"one \"]\n[1.0,\"m\",\"first\"]\n[1.0,\"o\",\"two \"]\n[1.0,\"m\",\"second\"]\n[1.0,\"o\",\"three\"]\n";
    let file = cast(&lab, lines);
    for (from, to) in [("3s", "2s"), ("second", "first"), ("2.5", "first"), ("second", "3s")] {
        let run = lab.run(&play(&file, &["--from", from, "--to", to]), b"");
        assert_eq!((run.status, run.stdout()), (2, String::new()), "{from} to {to}");
        assert!(run.stderr().ends_with("a.cast: --from is after --to\n"), "{}", run.stderr());
    }
    let run = lab.run(&play(&file, &["--speed", "100", "--from", "first", "--to", "second"]), b"");
    assert_eq!((run.status, run.stdout()), (0, "two ".to_owned()));
    Ok(())
}

fn a_beginning_at_the_end_is_no_error() -> Verdict {
    let lab = Lab::new();
    let lines = "[1.0,\"o\",\"one \"]\n[1.0,\"m\",\"a\"]\n[0.0,\"m\",\"b\"]\n[1.0,\"o\",\"two \"]\n";
    let file = cast(&lab, lines);
    for (from, to) in [("a", "a"), ("b", "a"), ("a", "b"), ("2", "a"), ("2", "2"), ("b", "2")] {
        let run = lab.run(&play(&file, &["--from", from, "--to", to]), b"");
        assert_eq!((run.status, run.stdout()), (0, String::new()), "{from} to {to}: {}", run.stderr());
        let text = fs::read(&file).expect("a recording");
        let run = lab.run(&play(Path::new("-"), &["--from", from, "--to", to]), &text);
        assert_eq!((run.status, run.stdout()), (0, String::new()), "{from} to {to}: {}", run.stderr());
    }
    let end = lab.outer(&play(&file, &["--from", "a", "--to", "a"])).end();
    assert_eq!((end.status, end.restored), (0, true));
    assert!(find(&end.seen, "one").is_some() && find(&end.seen, "two").is_none(), "{}", show(&end.seen));
    Ok(())
}

fn a_stream_that_begins_after_its_end_is_an_error() -> Verdict {
    let lab = Lab::new();
    let lines = "[1.0,\"o\",\"one \"]\n[1.0,\"m\",\"first\"]\n[1.0,\"m\",\"second\"]\n[0.1,\"o\",\"two\"]\n";
    let text = fs::read(cast(&lab, lines)).expect("a recording");
    for from in ["second", "2.5"] {
        let run = lab.run(&play(Path::new("-"), &["--from", from, "--to", "first"]), &text);
        assert_eq!(run.status, 2, "{}", run.stderr());
        assert!(run.stderr().ends_with(": --from is after --to\n"), "{}", run.stderr());
    }
    let run = lab.run(&play(Path::new("-"), &["--from", "second", "--to", "third"]), &text);
    assert!(run.stderr().ends_with(": there is no marker \"third\"\n"), "{}", run.stderr());
    Ok(())
}

fn a_seek_stops_at_the_marker_where_playing_ends() -> Verdict {
    let lab = Lab::new();
    let lines = "[1.0,\"o\",\"one \"]\n[19.0,\"m\",\"early\"]\n[20.0,\"o\",\"two \"]\n[2.0,\"m\",\"done\"]\n\
                 [8.0,\"o\",\"three \"]\n[50.0,\"m\",\"late\"]\n[1.0,\"o\",\"four\"]\n";
    let file = cast(&lab, lines);
    let found = "/four\r";
    for keys in ["9", "]]", "]]]]", "9\x1b[C", "m\x1b[F\r", found] {
        let mut player = Watched::play(&lab, (80, 24), &file, &["--to", "done"]);
        player.row(0, "");
        player.send(" ");
        player.wait("the length", |rows| rows[23].contains(" of 0:01:41"));
        if let Some(rest) = keys.strip_prefix('m') {
            player.send("m");
            player.wait("all markers", |rows| rows[3].contains("late"));
            player.send(rest);
        } else {
            player.send(keys);
        }
        player.whole_row(0, "one two");
        player.row(23, "paused  0:00:42");
        if keys == found {
            player.send("n");
        }
        // Playing is over there.
        player.send(" ");
        let end = player.outer.end();
        assert_eq!((end.status, end.restored), (0, true), "{keys:?}: {}", show(&end.seen));
        assert!(find(&end.seen, "three").is_none() && find(&end.seen, "no marker").is_none());
    }
    Ok(())
}

fn a_marker_after_the_end_is_not_gone_to() -> Verdict {
    let lab = Lab::new();
    let lines = "[0.1,\"o\",\"one \"]\n[0.3,\"m\",\"early\"]\n[0.4,\"m\",\"late\"]\n[0.1,\"o\",\"two\"]\n";
    let mut player = Watched::play(&lab, (80, 24), &cast(&lab, lines), &["--to", "0.6", "--speed", "0.1"]);
    player.send(" ]");
    player.wait("the first", |rows| rows[23].contains("marker early"));
    player.send("]");
    player.wait("no other", |rows| rows[23].contains("no marker after this"));
    player.send(" ");
    let end = player.outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    assert!(find(&end.seen, "two").is_none() && find(&end.seen, "late").is_none(), "{}", show(&end.seen));
    Ok(())
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("compressed");
    encoder.finish().expect("compressed")
}

fn a_compressed_recording_is_followed() -> Verdict {
    let lab = Lab::new();
    let text = fs::read(cast(&lab, "[1.0,\"o\",\"one \"]\n[5.0,\"o\",\"two\"]\n")).expect("the recording");
    let file = lab.write("a.cast.gz", gzip(&text));
    for size in [(80, 24), (80, 30)] {
        let end = Outer::spawn(&lab, size, &play(&file, &["--follow"])).end();
        assert_eq!((end.status, end.restored), (0, true), "{}", show(&end.seen));
        assert!(rows((80, 30), &end.seen).iter().any(|row| row == "one two"), "{}", show(&end.seen));
    }
    assert_eq!(lab.run(&play(&file, &["--follow"]), b"").stdout(), "one two");
    // One of recmode's that is being written; who compresses it holds no lock.
    let text = String::from_utf8(text).expect("UTF-8").replacen('{', "{\"recmode\":{},", 1).into_bytes();
    let (head, tail) = text.split_at(text.len() - 16);
    let mut writer = fs::File::create(lab.path("live.cast.gz")).expect("a file");
    writer.write_all(&gzip(head)).expect("written");
    let mut player = Watched::play(&lab, (80, 30), &lab.path("live.cast.gz"), &["--follow"]);
    player.whole_row(0, "one");
    player.row(29, "live    0:00:01 | 1x");
    writer.write_all(&gzip(tail)).expect("written");
    player.whole_row(0, "one two");
    player.row(29, "live    0:00:06");
    drop(writer);
    let end = player.outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    assert!(player.rows().iter().any(|row| row == "one two"), "{:#?}", player.rows());
    Ok(())
}

fn a_finished_recording_is_followed_into_a_pipe() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, "[1.0,\"o\",\"one \"]\n[5000.0,\"o\",\"two\"]\n");
    let run = lab.run(&play(&file, &["--follow"]), b"");
    assert_eq!((run.status, run.stdout(), run.stderr()), (0, "one two".to_owned(), String::new()));
    Ok(())
}

fn a_stream_is_followed_as_it_comes() -> Verdict {
    let lab = Lab::new();
    let file = cast(&lab, "[1000.0,\"o\",\"one \"]\n");
    let script = format!(
        "{{ cat {}; read go <&3; echo '[5000.0,\"o\",\"two\"]'; }} 3</dev/tty | {} play --follow - >out & \
         until grep -q one out; do sleep 0.05; done; echo shown; wait",
        file.display(),
        recmode()
    );
    let mut outer = lab.outer(&["bash", "-c", &script]);
    outer.wait_for("shown");
    outer.send("\r");
    let end = outer.end();
    assert_eq!(end.status, 0, "{}", show(&end.seen));
    assert_eq!(fs::read(lab.path("out")).expect("the output"), b"one two");
    Ok(())
}
