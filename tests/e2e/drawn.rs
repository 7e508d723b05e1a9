//! What `recmode play` draws itself (a seek, the start of `--follow`, `--fit`), on terminals that are not recmode's own
//! emulator: pyte and GNU screen.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use recmode::cast;
use recmode::recording::reader::{Code, Item, Reader};
use recmode::screen::{Options, Screen};

use crate::harness::{Lab, Outer, SOON, Skip, Verdict, find, needs_tools, recmode, show, tests, until};

tests![
    a_seek_draws_what_pyte_shows_the_same,
    colours_are_those_that_the_terminal_has,
    a_screen_that_is_cut_is_drawn_the_same_by_pyte,
    the_start_of_a_followed_session_is_drawn_the_same_by_pyte,
    a_seek_draws_what_gnu_screen_shows_the_same,
    a_seek_leaves_no_character_set_of_another_time_behind,
    the_prompt_is_below_the_session_after_a_seek_into_a_full_screen_program,
];

/// Repeated characters, wide ones, colours of all kinds, line drawing through G0 and G1, margins, the alternate screen.
/// The cursor is never in the last row when a part ends.
const EVENTS: [&str; 8] = [
    "$ ls\r\n================================================================================\r\n",
    "\x1b[1;31mbold red\x1b[m \x1b[38;5;208morange\x1b[m \x1b[48;2;0;95;135mteal\x1b[m \x1b[7minverse\x1b[m    |\r\n",
    "\x1b(0lqqqqqqk\x1b(B \x1b)0\x0emqqqj\x0f \u{6f22}\u{5b57} caf\u{e9}\r\n",
    "x\x1b[20bY\r\n\x1b[44m          \x1b[m<- blanks on blue\r\n",
    "\x1b[?1049h\x1b[H\x1b[2J\x1b[5;10r\x1b[5;1Hscrolled\n\n\n\n\n\nagain\x1b[12;5H\x1b[4mfull screen\x1b[m",
    "\x1b[20;70H\x1b[42mgreen\x1b[K\x1b[m\x1b[3;3H",
    "\x1b[r\x1b[?1049l$ back\r\n",
    "the end\r\n",
];

/// Seconds before each event: longer than any test.
const APART: u32 = 1000;

/// Writes the events.
fn recording(lab: &Lab, (cols, rows): (u16, u16)) -> PathBuf {
    let mut text = format!("{{\"version\":3,\"term\":{{\"cols\":{cols},\"rows\":{rows}}}}}\n");
    for event in EVENTS {
        let _ = writeln!(text, "{}", serde_json::json!([APART, "o", event]));
    }
    let _ = writeln!(text, "[{APART}, \"o\", \"never\"]");
    lab.write("drawn.cast", text)
}

/// The rows that recmode's own screen has after this many events, without trailing blanks.
fn rows_after(file: &Path, events: u32) -> Vec<String> {
    let reader = Reader::new(cast::open(file).expect("opened")).expect("a header");
    let mut screen = Screen::of(reader.header(), Options::default()).expect("a size");
    for item in reader {
        if let Item::Event(event) = item.expect("an item")
            && event.code == Code::Output
            && event.time <= u64::from(events * APART) * 1_000_000
        {
            screen.output(event.time, &event.data);
        }
    }
    rows_of(&screen)
}

fn rows_of(screen: &Screen) -> Vec<String> {
    screen.terminal().screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect()
}

/// The moment after this many events, for `--from`.
fn after(events: u32) -> String {
    format!("{}", events * APART + APART / 2)
}

fn needs_pyte() -> Verdict {
    needs_tools(&["python3"])?;
    let found = Command::new("/usr/bin/python3").args(["-c", "import pyte"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if found { Ok(()) } else { Err(Skip("needs pyte (Debian: python3-pyte)".to_owned())) }
}

/// A screen of pyte's, as lines: the rows, then `ROW COL FOREGROUND BACKGROUND` of each cell that has a colour.
const PYTE: &str = "
import pyte, sys
cols, rows = int(sys.argv[1]), int(sys.argv[2])
screen = pyte.Screen(cols, rows)
pyte.ByteStream(screen).feed(open(sys.argv[3], 'rb').read())
print(*(row.rstrip() for row in screen.display), sep='\\n')
for y in range(rows):
    for x in range(cols):
        cell = screen.buffer[y][x]
        if (cell.fg, cell.bg) != ('default', 'default'):
            print(y, x, cell.fg, cell.bg)
";

struct Shown {
    rows: Vec<String>,
    cells: Vec<String>,
}

fn pyte(lab: &Lab, (cols, rows): (u16, u16), bytes: &[u8]) -> Shown {
    let file = lab.write("shown", bytes);
    let output = Command::new("/usr/bin/python3")
        .args(["-c", PYTE, &cols.to_string(), &rows.to_string()])
        .arg(file)
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut lines = text.lines().map(str::to_owned);
    Shown { rows: lines.by_ref().take(rows.into()).collect(), cells: lines.collect() }
}

/// Begins to play at a time, and gives what had come when the screen stood there.
fn seek(lab: &Lab, size: (u16, u16), file: &Path, args: &[&str], last: &str) -> Vec<u8> {
    let command: Vec<&str> = [recmode(), "play"]
        .into_iter()
        .chain(args.iter().copied())
        .chain([file.to_str().expect("plain")])
        .collect();
    let mut outer = Outer::spawn(lab, size, &command);
    outer.wait_for(last);
    // What is drawn comes in one piece, but for what a full terminal keeps.
    outer.send(b"q");
    let seen = outer.end().seen;
    let end = find(&seen, last).expect("waited for") + last.len();
    let after = &seen[end..];
    let reset = [&b"\x1b[?1049l"[..], b"\x1b[?7h\x1b7", b"\x1b7\x1b[r\x1b8"];
    let until = reset.iter().filter_map(|reset| find(after, reset)).min().unwrap_or(after.len());
    seen[..end + until].to_vec()
}

fn a_seek_draws_what_pyte_shows_the_same() -> Verdict {
    needs_pyte()?;
    let lab = Lab::new();
    let size = (80, 24);
    let file = recording(&lab, size);
    for events in 2..=7 {
        let expected = rows_after(&file, events);
        let last = expected.iter().rev().find(|row| !row.is_empty()).expect("text");
        let last = last.rsplit(' ').next().expect("a word");
        let seen = seek(&lab, size, &file, &["--from", &after(events)], last);
        assert_eq!(pyte(&lab, size, &seen).rows, expected, "after {events} events: {}", show(&seen));
        let drawn = String::from_utf8_lossy(&seen);
        assert!(!drawn.contains(":5:") && !drawn.contains(":2:"), "no colons: {drawn:?}");
    }
    Ok(())
}

fn colours_are_those_that_the_terminal_has() -> Verdict {
    needs_pyte()?;
    let size = (80, 24);
    for (term, colorterm, orange, teal) in [
        ("linux", "", "brown", "cyan"),
        ("vt220", "", "brown", "cyan"),
        ("screen-256color", "", "ff8700", "005f87"),
        ("xterm-256color", "truecolor", "ff8700", "005f87"),
    ] {
        let lab = Lab::new().env("TERM", term).env("COLORTERM", colorterm);
        let file = recording(&lab, size);
        let seen = seek(&lab, size, &file, &["--from", &after(4)], "blanks on blue");
        let shown = pyte(&lab, size, &seen);
        let has = |cell: &str| shown.cells.iter().any(|found| found == cell);
        assert!(has("2 0 red default"), "{term}: {:?}", shown.cells);
        let at = |column: usize| shown.cells.iter().find(|cell| cell.starts_with(&format!("2 {column} ")));
        assert_eq!(at(9).map(String::as_str), Some(&*format!("2 9 {orange} default")), "{term}");
        assert_eq!(at(16).map(String::as_str), Some(&*format!("2 16 default {teal}")), "{term}");
        assert!((0..10).all(|column| has(&format!("5 {column} default blue"))), "{term}: {:?}", shown.cells);
    }
    Ok(())
}

fn a_screen_that_is_cut_is_drawn_the_same_by_pyte() -> Verdict {
    needs_pyte()?;
    let lab = Lab::new();
    let file = recording(&lab, (80, 24));
    let expected: Vec<String> = rows_after(&file, 6)
        .into_iter()
        .take(16)
        .map(|row| row.chars().take(40).collect::<String>().trim_end().to_owned())
        .collect();
    let seen = seek(&lab, (40, 16), &file, &["--fit", "--from", &after(6)], "full screen");
    assert_eq!(pyte(&lab, (40, 16), &seen).rows, expected, "{}", show(&seen));
    // A smaller recording gets edges.
    let seen = seek(&lab, (100, 30), &file, &["--fit", "--from", &after(8)], "the end");
    let shown = pyte(&lab, (100, 30), &seen).rows;
    let inside: Vec<String> =
        shown[..24].iter().map(|row| row.trim_end_matches('\u{2502}').trim_end().to_owned()).collect();
    assert_eq!(inside, rows_after(&file, 8), "{}", show(&seen));
    assert_eq!(shown[24], format!("{}\u{2518}", "\u{2500}".repeat(80)));
    Ok(())
}

fn the_start_of_a_followed_session_is_drawn_the_same_by_pyte() -> Verdict {
    needs_pyte()?;
    let lab = Lab::new();
    let script = "printf '%s' '----------------------------------------'; \
        printf '\\033[38;5;208morange\\033[m\\n'; printf 'ready\\n'; read x";
    let mut session = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    session.wait_for("ready");
    let seen = seek(&lab, (80, 24), &lab.cast(), &["-f"], "ready");
    let shown = pyte(&lab, (80, 24), &seen);
    assert_eq!(shown.rows[..2], [format!("{}orange", "-".repeat(40)), "ready".to_owned()], "{}", show(&seen));
    assert!(shown.cells.contains(&"0 40 ff8700 default".to_owned()), "{:?}", shown.cells);
    session.send(b"\n");
    assert_eq!(session.end().status, 0);
    Ok(())
}

fn a_seek_draws_what_gnu_screen_shows_the_same() -> Verdict {
    needs_tools(&["screen"])?;
    for events in [4, 6, 7] {
        let lab = Lab::new();
        let sockets = lab.path("sockets");
        std::fs::create_dir(&sockets).expect("a directory");
        std::fs::set_permissions(&sockets, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .expect("chmod");
        let lab = lab.env("SCREENDIR", sockets.to_str().expect("a plain path"));
        let file = recording(&lab, (80, 24));
        let expected = rows_after(&file, events);
        let from = after(events);
        let mut outer = lab.outer(&[
            "screen",
            "-U",
            "-c",
            "/dev/null",
            "-S",
            "t",
            recmode(),
            "play",
            "--from",
            &from,
            file.to_str().expect("a plain path"),
        ]);
        // What screen has understood is what it shows on a terminal of its own.
        until(SOON, "screen shows what was drawn", || {
            let mut shown = Screen::new(80, 24, Options::default()).expect("a size");
            shown.output(0, &String::from_utf8_lossy(&outer.seen()));
            rows_of(&shown) == expected
        });
        let quit = lab.run(&["screen", "-S", "t", "-X", "quit"], b"");
        assert_eq!(quit.status, 0, "{}", quit.stderr());
        outer.end();
    }
    Ok(())
}

fn a_seek_leaves_no_character_set_of_another_time_behind() -> Verdict {
    let lab = Lab::new();
    let lines =
        "[0.5,\"o\",\"start\\r\\n\"]\n[2.0,\"o\",\"\\u001b)0\\u000elqk\"]\n[100000.0,\"o\",\"never\"]\n";
    let file =
        lab.write("sets.cast", format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n{lines}"));
    let mut outer = lab.outer(&[recmode(), "play", "--speed", "10", file.to_str().expect("a plain path")]);
    outer.wait_for("lqk");
    outer.send(b"\x1b[D");
    // Back at the start: letters are letters before any is drawn.
    outer.wait_for("\x1b(B\x1b)B\x0f");
    outer.send(b"q");
    let end = outer.end();
    assert_eq!((end.status, end.restored), (0, true));
    Ok(())
}

fn the_prompt_is_below_the_session_after_a_seek_into_a_full_screen_program() -> Verdict {
    let lab = Lab::new();
    let file = recording(&lab, (80, 24));
    let mut outer =
        lab.outer(&[recmode(), "play", "--from", &after(5), file.to_str().expect("a plain path")]);
    outer.wait_for("full screen");
    outer.send(b"q");
    let mut shown = Screen::new(80, 24, Options::default()).expect("a size");
    shown.output(0, &String::from_utf8_lossy(&outer.end().seen));
    let cursor = shown.terminal().cursor();
    assert_eq!(rows_of(&shown)[..6], rows_after(&file, 4)[..6]);
    assert!(cursor.row >= 6 && cursor.col == 0, "{cursor:?}");
    Ok(())
}
