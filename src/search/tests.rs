use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn cast(cols: usize, events: &[impl AsRef<str>]) -> String {
    let mut text = format!("{{\"version\":3,\"term\":{{\"cols\":{cols},\"rows\":5}}}}\n");
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
    Query { pattern: Regex::new(pattern).expect("a pattern"), before: 0, after: 0, input: false }
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

fn may(cast: &str, pattern: &str) -> bool {
    may_match(Reader::new(cast.as_bytes()).expect("a header"), &Regex::new(pattern).expect("a pattern"))
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
        assert!(may(&cast, "password"), "{events:?}");
    }
    let cast = cast(20, &["pass\r\nword\x1b]0;password\x07"]);
    assert_eq!(told(&cast, &query("password")), []);
    assert!(!may(&cast, "password"));
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
fn what_was_typed_is_found_as_it_was_entered() {
    let cast = cast(20, &["INPUT sudx", "INPUT \x7fo\x1b[A r", "INPUT m\r", "INPUT exit\r", "sudo rm"]);
    let query = Query { input: true, ..query("sudo|exit") };
    assert_eq!(told(&cast, &query), [(3, "sudo rm".to_owned()), (4, "exit".to_owned())]);
}

/// Output of the sort that the quick answer knows, and some that it does not.
fn output() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[abc]{1,12}",
        4 => Just("\r\n".to_owned()),
        2 => prop_oneof![
            Just("\r"), Just("\n"), Just("\x08"), Just("\x08 \x08"), Just("\t"), Just("\x07"), Just("\x7f"),
            Just("é"), Just("漢"), Just(" "),
        ].prop_map(str::to_owned),
        3 => prop_oneof![
            Just("\x1b[K"), Just("\x1b[31m"), Just("\x1b[m"), Just("\x1b[C"), Just("\x1b[3D"), Just("\x1b[P"),
            Just("\x1b[2@"), Just("\x1b[H\x1b[2J"), Just("\x1b[?2004h"), Just("\x1b]0;abc\x07"),
            Just("\x1b(B"), Just("\x1b[0K"), Just("\x1b[30C"), Just("\x1b[9P"),
        ].prop_map(str::to_owned),
        1 => prop_oneof![Just("\x1b[A"), Just("\x1b[2;3H"), Just("\x1b[?1049h"), Just("\x1bM")]
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_quick_answer_is_never_wrong(
        output in output(),
        cuts in prop::collection::vec(0_usize..300, 0..4),
        pattern in prop_oneof!["[abc]{1,4}", "\\^[abc]{1,3}", "[abc]{1,2}\\$", "[abc] {1,3}[abc]", "é[abc]", "漢[abc]"],
    ) {
        let mut cuts: Vec<usize> =
            cuts.into_iter().map(|cut| output.floor_char_boundary(cut.min(output.len()))).collect();
        cuts.extend([0, output.len()]);
        cuts.sort_unstable();
        let events: Vec<&str> = cuts.windows(2).map(|cut| &output[cut[0]..cut[1]]).collect();
        let cast = cast(20, &events);
        let matches = found(&cast, &query(&pattern));
        prop_assert!(matches.is_empty() || may(&cast, &pattern), "{:?} in {:?}", matches, events);
    }
}
