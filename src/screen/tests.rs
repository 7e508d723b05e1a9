use proptest::prelude::*;

use super::*;

/// The lines of these events on a terminal of 20x5, with their times.
fn seen(events: &[&str], options: Options) -> Vec<TextLine> {
    let mut screen = Screen::new(20, 5, options).expect("a size");
    let mut lines = Vec::new();
    for (time, event) in (1..).zip(events) {
        match event.strip_prefix("RESIZE ").and_then(parse_size) {
            Some((cols, rows)) => screen.resize(time, cols, rows).expect("a size"),
            None => screen.output(time, event),
        }
        lines.extend(screen.take());
    }
    lines.extend(screen.finish());
    lines
}

fn texts(events: &[&str]) -> Vec<String> {
    seen(events, Options::default()).into_iter().map(|line| line.text).collect()
}

fn timed(events: &[&str]) -> Vec<(u64, String)> {
    seen(events, Options::default()).into_iter().map(|line| (line.time, line.text)).collect()
}

#[test]
fn escapes_backspaces_and_rewrites_leave_what_was_seen() {
    assert_eq!(
        texts(&["s\x1b[1mec\x1b[0mx\x08ret\r\n", "10%\r20%\r\x1b[Kdone\r\n\r\nend  "]),
        ["secret", "done", "", "end"]
    );
}

#[test]
fn wrapped_lines_are_one_and_lines_that_scroll_off_stay() {
    let long = "0123456789".repeat(5);
    let many = "0\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n";
    let expected: Vec<String> = [long.clone()].into_iter().chain((0..9).map(|n| n.to_string())).collect();
    assert_eq!(texts(&[&long, "\r\n", many]), expected);
}

#[test]
fn a_line_has_the_time_of_its_last_change_wherever_it_moves() {
    let lines = timed(&["$ ", "ls\r\n", "a\r\nb\r\n", "c\r\nd\r\n", "e\r\nf\r\n", "RESIZE 30x4", "$ "]);
    let expected = [(2, "$ ls"), (3, "a"), (3, "b"), (4, "c"), (4, "d"), (5, "e"), (5, "f"), (7, "$")];
    let expected: Vec<_> = expected.map(|(time, text)| (time, text.to_owned())).into();
    assert_eq!(lines, expected);
}

#[test]
fn a_full_screen_program_is_told_with_its_last_screen_where_it_was_left() {
    let lines = seen(
        &["$ vim\r\n", "\x1b[?1049h\x1b[Hone\r\ntwo", "\x1b[2J\x1b[Hthree", "\x1b[?1049l", "$ \r\nend"],
        Options::default(),
    );
    let lines: Vec<_> = lines.iter().map(|line| (line.time, line.place, line.text.as_str())).collect();
    assert_eq!(
        lines,
        [
            (1, Place::Normal, "$ vim"),
            (3, Place::FullScreen { first: true }, "three"),
            (5, Place::Normal, "$"),
            (5, Place::Normal, "end")
        ]
    );
    assert_eq!(
        texts(&["\x1b[?1049h\x1b[Hfile", "\x1b[H\x1b[2Jbye\r\n\x1b[?1049l"]),
        ["file"],
        "not what it became while it was left"
    );
    assert_eq!(texts(&["$ less\r\n\x1b[?47h\x1b[Hpage"]), ["$ less", "page"], "also one that is never left");
    assert_eq!(texts(&["a\r\n\x1b[?1049h\x1b[Hpage\x1b[?1049l"]), ["a", "page"], "and as the last");
}

#[test]
fn what_is_cleared_was_seen() {
    for clear in ["\x1b[H\x1b[2J", "\x1b[H\x1b[J", "\x1bc"] {
        assert_eq!(texts(&["one\r\ntwo", clear, "three"]), ["one", "two", "three"], "{clear:?}");
    }
}

#[test]
fn what_was_overwritten_is_told_if_wanted_but_not_what_moved_or_grew() {
    let replaced = |events: &[&str]| {
        let lines = seen(events, Options { replaced: true, ..Options::default() });
        let lines = lines.into_iter().filter(|line| line.place == Place::Replaced);
        lines.map(|line| (line.time, line.text, line.successor)).collect::<Vec<_>>()
    };
    assert_eq!(replaced(&["pass", "word", "\r\n", "a\r\nb\r\nc\r\nd\r\ne\r\n"]), []);
    assert_eq!(replaced(&["secret", "\r\x1b[Kgone"]), [(1, "secret".to_owned(), "gone".to_owned())]);
    let pages = replaced(&["\x1b[?1049h\x1b[Hone\r\ntwo", "\x1b[Htwo\r\n\x1b[Kthree"]);
    assert_eq!(pages, [(1, "one".to_owned(), "two".to_owned())]);
}

#[test]
fn styles_cover_the_text() {
    let lines = seen(&["a\x1b[31mb漢\x1b[0m c   "], Options { styles: true, ..Options::default() });
    let runs: Vec<_> = lines[0].styles.iter().map(|(bytes, style)| (*bytes, style.foreground())).collect();
    assert_eq!(runs, [(1, None), (4, Some(avt::Color::Indexed(1))), (2, None)]);
}

#[test]
fn blanks_at_the_end_stay_where_they_are_seen_and_styles_are_wanted() {
    let code = [
        "\x1b[47m  \x1b[40m  \x1b[0m  \r\n",
        "\x1b[7m    \x1b[m\r\n",
        "\x1b[4m \x1b[m",
        "\r\n\x1b[46m   \x1b[m",
    ];
    let shown = |styles| {
        let lines = seen(&code, Options { styles, ..Options::default() });
        lines.into_iter().map(|line| line.text.len()).collect::<Vec<_>>()
    };
    assert_eq!(shown(true), [4, 4, 1, 3]);
    assert!(shown(false).is_empty());
    let screen = ["\x1b[?1049h\x1b[46m   \r\n\x1b[m", "\x1b[?1049l"];
    assert_eq!(seen(&screen, Options { styles: true, ..Options::default() }).len(), 1);
    let filled = seen(&["\x1b[44mx\x1b[K\x1b[m\r\n"], Options { styles: true, ..Options::default() });
    assert_eq!(filled[0].text.len(), filled[0].styles.iter().map(|(bytes, _)| bytes).sum::<usize>());
    assert!(filled[0].text.len() > 1, "the rest of the row has the colour too");
}

#[test]
fn commands_are_known_by_what_shells_do_when_one_is_entered() {
    let bash = ["\x1b[?2004h$ ", "ls", "\r\n\x1b[?2004l\rfile\r\n", "\x1b[?2004h$ "];
    let zsh = ["% \x1b[?2004h", "ls", "\x1b[?2004l\r\r\nfile\r\n", "% \x1b[?2004h"];
    for events in [bash, zsh] {
        let lines = seen(&events, Options::default());
        let commands: Vec<_> = lines
            .iter()
            .filter(|line| matches!(line.mark, Some(Mark::Command(_))))
            .map(|line| &line.text[2..])
            .collect();
        assert_eq!(commands, ["ls"]);
    }
}

#[test]
fn sizes_are_bounded() {
    assert!(Screen::new(1000, 1000, Options::default()).is_ok());
    let error = Screen::new(1001, 10, Options::default()).err().expect("too large");
    assert_eq!(error.to_string(), "a terminal of 1001x10 is larger than 1000x1000");
    assert_eq!(Screen::new(0, 0, Options::default()).expect("a size").terminal().size(), (80, 24));
}

#[test]
fn a_blank_line_that_scrolled_off_is_told_however_the_events_are_cut() {
    let expected = ["", "1", "2", "3", "4", "5"];
    let lines = "\r\n1\r\n2\r\n3\r\n4";
    assert_eq!(texts(&[lines, "\r\n", "5\x1b[H", "\x1b[J"]), expected);
    assert_eq!(texts(&[lines, "\r\n5\x1b[H\x1b[J"]), expected);
    // The last line before the screen is cleared.
    assert_eq!(texts(&["\r\n\r\n\r\n\r\n\r\n", "\x1b[H\x1b[J", "x"]), ["", "x"]);
    assert_eq!(texts(&["\r\n\r\n\r\n\r\n\r\n\x1b[H\x1b[J", "x"]), ["", "x"]);
}

proptest! {
    #[test]
    fn text_without_controls_comes_out_as_it_went_in_however_it_is_cut(
        lines in prop::collection::vec("[a-z0-9]{0,50}", 1..30),
        cuts in prop::collection::vec(0_usize..2000, 0..10),
    ) {
        let text = lines.join("\r\n");
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let parts: Vec<&str> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        let mut expected = lines;
        while expected.last().is_some_and(String::is_empty) {
            expected.pop();
        }
        prop_assert_eq!(texts(&parts), expected);
    }

    #[test]
    fn nothing_breaks_it(
        events in prop::collection::vec(
            prop_oneof![
                "[a-z \r\n\x1b\\[?;0-9hlJHmKLMST]{0,30}",
                Just("\x1b[?1049h".to_owned()), Just("\x1b[?1049l".to_owned()), Just("\x1bc".to_owned()),
                Just("\x1b[2J".to_owned()), "RESIZE [1-9]{1,2}x[1-9]",
            ],
            0..40,
        ),
    ) {
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let lines = seen(&events, Options { styles: true, replaced: true });
        for line in lines {
            prop_assert!(line.time <= events.len() as u64);
            let styled: usize = line.styles.iter().map(|(bytes, _)| bytes).sum();
            prop_assert!(line.place == Place::Replaced || styled == line.text.len());
        }
    }
}

/// A blank line is one from when the session gets to it, not from when its row was first on the screen.
#[test]
fn a_blank_lines_time_is_when_it_became_what_is_shown() {
    let expect = |events: &[&str], expected: &[(u64, &str)]| {
        let expected: Vec<_> = expected.iter().map(|(time, text)| (*time, (*text).to_owned())).collect();
        assert_eq!(timed(events), expected, "{events:?}");
    };
    // In the middle of the screen, as at its lower edge.
    expect(&["a", "\r\n", "\r\n", "\r\n", "b"], &[(1, "a"), (2, ""), (3, ""), (5, "b")]);
    // Scrolled off.
    expect(
        &["a", "\r\n", "\r\n", "b\r\nc\r\nd\r\ne\r\nf"],
        &[(1, "a"), (2, ""), (4, "b"), (4, "c"), (4, "d"), (4, "e"), (4, "f")],
    );
    // Before text that is put further down.
    expect(&["a", "b", "\x1b[4;1Hc", "\x1b[Hx"], &[(4, "xb"), (3, ""), (3, ""), (3, "c")]);
    // After the screen was cleared.
    expect(&["a\r\n\r\n\r\n", "\x1b[H\x1b[2J", "\r\n", "b"], &[(1, "a"), (2, ""), (4, "b")]);
    // A line whose text went.
    expect(&["a\r\nb", "\r\x1b[K", "\r\nc"], &[(1, "a"), (2, ""), (3, "c")]);
    // When the window changes: each keeps its own.
    expect(
        &["a\r\n", "\r\nb", "\r\n", "\r\n", "RESIZE 30x8", "c"],
        &[(1, "a"), (1, ""), (2, "b"), (3, ""), (6, "c")],
    );
}

/// What a session of a usual size can do at its worst is drawn, however long it goes on.
#[test]
fn usual_sessions_are_drawn_whole() {
    for (cols, rows, event) in [
        (80, 24, "\x1b[H\x1b[2J\x1b[3J"),
        (80, 24, "$ \x1b[J"),
        (80, 24, "\x1b[?1049h\x1b[22;0;0t\x1b[Hsome text of a page\x1b[?1049l\x1b[23;0;0t"),
        (200, 50, "\x1b[1;49r\x1b[49;1H\n\x1b[m\x1b[50;1H42,1\x1b[K\x1b[49;1Hlet text = text.trim();\x1b[r"),
    ] {
        let mut screen = Screen::new(cols, rows, Options::default()).expect("a size");
        for time in 0..5000 {
            screen.output(time, event);
            screen.take();
        }
        assert!(!screen.left_out(), "{event:?}");
    }
}

/// Beyond the budget text is still seen; what would change many rows changes the cursor's.
#[test]
fn a_screen_that_changes_more_than_is_drawn_keeps_its_text() {
    for change in ["\x1b[?1049h\x1b[?1049l", "\x1bc", "x\x1b[65535S"] {
        let mut screen = Screen::new(1000, 1000, Options::default()).expect("a size");
        let mut lines = Vec::new();
        // In one event: how often the rows are compared does not matter here.
        screen.output(1, &change.repeat(40));
        assert!(screen.left_out(), "{change:?}");
        lines.extend(screen.take());
        screen.output(2, "\rneedle\x1b[K");
        lines.extend(screen.take());
        lines.extend(screen.finish());
        assert!(lines.iter().any(|line| line.text.contains("needle")), "{change:?}");
    }
}

#[test]
fn a_size_that_is_too_much_comes_later() {
    let mut screen = Screen::new(1000, 1000, Options::default()).expect("a size");
    for n in 0..20 {
        screen.resize(1, 1000 - n % 2, 1000).expect("a size");
    }
    assert!(screen.left_out());
    let before = screen.terminal().size();
    screen.resize(30, 80, 24).expect("a size");
    assert_eq!(screen.terminal().size(), before, "not yet");
    screen.output(31, &"text\r\n".repeat(5000));
    screen.output(32, "more");
    assert_eq!(screen.terminal().size(), (80, 24));
}
