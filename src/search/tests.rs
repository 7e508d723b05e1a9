use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn cast(cols: usize, events: &[impl AsRef<str>]) -> String {
    sized(cols, 5, events)
}

/// The events come a second apart.
fn sized(cols: usize, rows: usize, events: &[impl AsRef<str>]) -> String {
    let mut text = format!("{{\"version\":3,\"term\":{{\"cols\":{cols},\"rows\":{rows}}}}}\n");
    for event in events {
        let (code, data) = match event.as_ref().strip_prefix("INPUT ") {
            Some(typed) => ("i", typed),
            None => ("o", event.as_ref()),
        };
        let data = serde_json::to_string(data).expect("JSON");
        writeln!(text, "[1.0,\"{code}\",{data}]").expect("written");
    }
    text
}

fn query(pattern: &str) -> Query {
    Query { pattern: Regex::new(pattern).expect("a pattern"), before: 0, after: 0, input: false, max: None }
}

fn found(cast: &str, query: &Query) -> Vec<Found> {
    let mut found = Vec::new();
    let mut take = |line| {
        found.push(line);
        true
    };
    find(Reader::new(cast.as_bytes()).expect("a header"), query, &mut take).expect("readable");
    found
}

fn told(cast: &str, query: &Query) -> Vec<(u64, String)> {
    found(cast, query).into_iter().map(|line| (line.time / 1_000_000, line.text)).collect()
}

/// What is found without a terminal emulator, and how far that went.
fn quickly(cast: &str, query: &Query) -> (Vec<Found>, Followed) {
    let mut found = Vec::new();
    let mut take = |line| {
        found.push(line);
        true
    };
    let reader = Reader::new(cast.as_bytes()).expect("a header");
    let followed = follow(reader, query, &mut take).expect("readable");
    (found, followed)
}

/// Whether the quick way was right, and went to the end.
fn is_followed(cast: &str, query: &Query) -> bool {
    let (quick, followed) = quickly(cast, query);
    let whole = found(cast, query);
    match followed {
        Followed::Whole => assert_eq!(quick, whole),
        Followed::Part(told) => assert_eq!((told, &quick[..]), (quick.len(), &whole[..quick.len()])),
    }
    followed == Followed::Whole
}

#[test]
fn words_split_by_escapes_backspaces_and_the_screens_edge_are_found() {
    for events in [
        &["pass\x1b[31mword"][..],
        &["pass", "word"],
        &["pasx\x08s", "word"],
        &["0123456789012345pass", "word"],
        &["word\r\x1b[4@pass"],
        &["\x1b[1;5Hword\x1b[1;1Hpass"],
        &["\x1b[?1049h\x1b[Hpass", "word", "\x1b[2J", "\x1b[?1049l"],
        &["password", "\r\x1b[K", "gone\r\n"],
    ] {
        let cast = cast(20, events);
        assert_eq!(told(&cast, &query("password")).len(), 1, "{events:?}");
        is_followed(&cast, &query("password"));
    }
    let cast = cast(20, &["pass\r\nword\x1b]0;password\x07"]);
    assert_eq!(told(&cast, &query("password")), []);
    assert!(is_followed(&cast, &query("password")));
}

#[test]
fn what_changes_again_and_again_is_told_once() {
    let cast = cast(20, &["load 1%", "\rload 20%", "\rload 99%", "\r\x1b[Kdone\r\n"]);
    assert_eq!(told(&cast, &query("load")), [(3, "load 99%".to_owned())]);
}

#[test]
fn lines_beside_a_match_are_told_and_groups_are_set_apart() {
    let cast = cast(20, &["1\r\n2\r\n3 x\r\n4\r\n5\r\n6\r\n7\r\n8 x\r\n9 x\r\n10\r\n11"]);
    let query = Query { before: 1, after: 1, ..query("x") };
    let lines: Vec<_> =
        found(&cast, &query).into_iter().map(|line| (line.after_others, line.matches, line.text)).collect();
    let expected = [
        (true, false, "2"),
        (false, true, "3 x"),
        (false, false, "4"),
        (true, false, "7"),
        (false, true, "8 x"),
        (false, true, "9 x"),
        (false, false, "10"),
    ];
    assert_eq!(lines, expected.map(|(others, matches, text)| (others, matches, text.to_owned())));
}

#[test]
fn it_ends_after_as_many_matches_as_are_wanted_and_the_lines_after_the_last() {
    let cast = cast(20, &["1 x\r\n2 x\r\n3 x\r\n4\r\n5\r\n6 x"]) + "nonsense\n";
    for (max, after, expected) in
        [(0, 1, ""), (1, 0, "1 x:"), (2, 0, "1 x:2 x:"), (2, 1, "1 x:2 x:3 x-"), (1, 2, "1 x:2 x-3 x-")]
    {
        let query = Query { after, max: Some(max), ..query("x") };
        for quick in [true, false] {
            let mut found = String::new();
            let mut take = |line: Found| {
                found.push_str(&line.text);
                found.push(if line.matches { ':' } else { '-' });
                true
            };
            let reader = Reader::new(cast.as_bytes()).expect("a header");
            // What was scrolled off in the first event is enough: the second line is not read.
            let _ = if quick {
                follow(reader, &query, &mut take).map(drop)
            } else {
                find(reader, &query, &mut take).map(drop)
            };
            assert_eq!(found, expected, "{max} {after} {quick}");
        }
    }
}

#[test]
fn what_was_typed_is_found_as_it_was_entered() {
    let cast = cast(20, &["INPUT sudx", "INPUT \x7fo\x1b[A r", "INPUT m\r", "INPUT exit\r", "sudo rm"]);
    let query = Query { input: true, ..query("sudo|exit") };
    assert_eq!(told(&cast, &query), [(3, "sudo rm".to_owned()), (4, "exit".to_owned())]);
}

#[test]
fn sessions_at_a_prompt_need_no_terminal_emulator() {
    let bash = [
        "\x1b]0;u@h: ~\x07\x1b[?2004h\x1b[01;32mu@h\x1b[00m:\x1b[01;34m~\x1b[00m$ ",
        "l",
        "s",
        "\x08\x1b[K",
        "s",
        " ",
        "\x08\x08\x1b[1@x\x08",
        "\x1b[C\x1b[P",
        "\r\n\x1b[?2004l\r",
        "\x1b[0m\x1b[01;34mdir\x1b[0m  naïve\t日本\r\n",
        "\x1b[01;31m\x1b[Kpass\x1b[m\x1b[Kword over the edge\r\n",
        "\r10%\x1b[K",
        "\r20%\x1b[K",
        "\r\x1b[2Kdone\r\n",
        "1\r\n2\r\n3\r\n",
        "\x1b[H\x1b[2J\x1b[3J",
        "$ exit\r\n",
    ];
    let zsh = [
        "\x1b[1m\x1b[7m%\x1b[27m\x1b[1m\x1b[0m                   \r \r",
        "\r\x1b[0m\x1b[27m\x1b[24m\x1b[Jh% \x1b[K\x1b[?2004h",
        "e",
        "\x08ex",
        "it",
        "\x1b[?2004l\r\r\n",
    ];
    for events in [&bash[..], &zsh] {
        let cast = cast(20, events);
        for pattern in ["", "password", "^10%$", "e", "ls"] {
            assert!(
                is_followed(&cast, &Query { before: 1, after: 2, ..query(pattern) }),
                "{pattern} in {cast}"
            );
        }
    }
    for event in ["\x1b[A", "\x1b[2;2H", "\x1b[?1049h", "\x1bM", "\x1b7", "\x1b[4h", "a\u{85}b", "\x1b[3b"] {
        assert!(!is_followed(&cast(20, &["a\r\n", event, "b\r\n"]), &query("a")), "{event:?}");
    }
}

#[test]
fn what_is_doubtful_is_left_to_the_terminal_emulator() {
    let everything = query("");
    for events in [
        // A row that matched, and one that is wrapped inside the word in the middle of a wide character.
        &["pass x", "\r\x1b[K漢漢漢漢漢漢漢漢漢漢pass"][..],
        // Cells that were given another look, and the old one again behind them.
        &["abc", "\x1b[41m\x1b[K\x1b[5C\x1b[m\x1b[K"],
        // Looks that are said alike and are not alike.
        &["\x1b[38;5;1mabc\x1b[m", "\r\x1b[38;5m\x1b[1mabc"],
        &["\x1b[1;31mabc\x1b[m", "\r\x1b[;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;1;31mabc"],
        &["\x1b[0;<mabc\x1b[m", "\r\x1b[31m\x1b[0;<mabc"],
    ] {
        for pattern in ["", "pass"] {
            assert!(!is_followed(&cast(20, events), &query(pattern)), "{events:?}");
        }
    }
    // Times that go back.
    let v2 = "{\"version\":2,\"width\":20,\"height\":5}\n\
              [10.0,\"o\",\"0123456789012345password\"]\n[5.0,\"o\",\" more\"]\n";
    assert!(!is_followed(v2, &everything));
    // A line that is longer than what is kept of one.
    let long = "漢".repeat(30_000);
    assert!(!is_followed(&cast(20, &[&long, "x\r\n"]), &everything));
}

/// Beyond the budget for drawing something is left out: it is for the terminal emulator to decide what.
#[test]
fn more_than_what_is_drawn_is_left_to_the_terminal_emulator() {
    let clears: Vec<String> = (0..150).map(|n| format!("{n}\x1b[H\x1b[2J")).collect();
    assert!(!is_followed(&sized(1000, 200, &clears), &query("")));
    assert!(is_followed(&sized(80, 24, &clears), &query("")));
}

#[test]
fn what_was_seen_before_an_error_is_told() {
    let cast = cast(20, &["1\r\n2\r\n3\r\n4\r\n5\r\n6", "7\r\n"]) + "nonsense\n[1.0,\"o\",\"8\"]\n";
    for quick in [true, false] {
        let mut texts = Vec::new();
        let mut take = |line: Found| {
            texts.push(line.text);
            true
        };
        let reader = Reader::new(cast.as_bytes()).expect("a header");
        let failed = if quick {
            follow(reader, &query("[0-9]"), &mut take).is_err()
        } else {
            find(reader, &query("[0-9]"), &mut take).is_err()
        };
        assert_eq!((failed, texts.join(" ")), (true, "1 2 3 4 5 67".to_owned()), "quick: {quick}");
    }
}

#[test]
fn nothing_more_is_read_when_nobody_wants_more() {
    // The first line scrolls off in the event in which the rest becomes doubtful.
    let cast = cast(20, &["1\r\n2\r\n3\r\n4\r\n5\r\n\x1b[A", "6"]) + "nonsense\n";
    let mut found = 0;
    let reader = Reader::new(cast.as_bytes()).expect("a header");
    let followed = follow(reader, &query(""), &mut |_| {
        found += 1;
        false
    });
    assert_eq!((followed.expect("not read"), found), (Followed::Whole, 1));
}

/// Output of the sort that is followed without a terminal emulator, and some that is not.
fn output() -> impl Strategy<Value = String> {
    let own = |pieces: &'static [&'static str]| prop::sample::select(pieces).prop_map(str::to_owned);
    let piece = prop_oneof![
        16 => "[abc]{1,12}",
        8 => own(&["\r\n", "\r\n", "\r\n", "漢漢漢漢漢漢漢漢漢漢a"]),
        4 => own(&[
            "\r", "\r", "\n", "\x08", "\x08 \x08", "\t", "\x07", "\x7f", "é", "漢", " ", "   ", "\u{a0}", "e\u{301}",
        ]),
        4 => own(&["\x1b[31m", "\x1b[m", "\x1b[00m", "\x1b[0;1m", "\x1b[39m", "\x1b[27m", "\x1b[7m", "\x1b[;1;0m", "\x1b[>4;1m", "\x1b[41m", "\x1b[38;5;1m", "\x1b[38;5m", "\x1b[1m",
            "\x1b[38:5:1m", "\x1b[1;41m", "\x1b[7m\x1b[K", "\x1b[m\x1b[K"]),
        6 => own(&[
            "\x1b[K", "\x1b[0K", "\x1b[2K", "\x1b[J", "\x1b[C", "\x1b[3D", "\x1b[30C", "\x1b[5G", "\x1b[G", "\x1b[P",
            "\x1b[9P", "\x1b[2@",
        ]),
        2 => own(&["\x1b[H\x1b[2J", "\x1b[H\x1b[2J\x1b[3J", "\x1b[3J\x1b[H\x1b[2J", "\r\x1b[K"]),
        2 => own(&[
            "\x1b[?2004h", "\x1b[?2004l", "\x1b]0;abc\x07", "\x1b]0;é\x1b\\", "\x1b(B", "\x1b[2 q", "\x1b[6n", "\x1b[>c",
            "\x1b[22;0;0t", "\x1b[?u", "\x1b[=1u", "\x1b[?25l",
        ]),
        1 => own(&["\x1b[A", "\x1b[2;3H", "\x1b[?1049h", "\x1bM", "\x1b[1K", "\x1b[3b"]),
    ];
    prop::collection::vec(piece, 1..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_quick_way_finds_the_same(
        output in output(),
        cuts in prop::collection::vec(0_usize..300, 0..8),
        pattern in prop_oneof![
            Just(String::new()), "[abc]{1,4}", "\\^[abc]{1,3}", "[abc]{1,2}\\$", "[abc] {1,3}[abc]", "é[abc]", "漢[abc]",
        ],
        (before, after) in (0_usize..2, 0_usize..2),
        (cols, rows) in (prop::sample::select(&[2_usize, 9, 20, 20, 20]), 1_usize..6),
    ) {
        let mut cuts: Vec<usize> =
            cuts.into_iter().map(|cut| output.floor_char_boundary(cut.min(output.len()))).collect();
        cuts.extend([0, output.len()]);
        cuts.sort_unstable();
        let events: Vec<&str> = cuts.windows(2).map(|cut| &output[cut[0]..cut[1]]).collect();
        is_followed(&sized(cols, rows, &events), &Query { before, after, ..query(&pattern) });
    }
}
