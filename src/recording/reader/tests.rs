use proptest::prelude::*;

use super::*;

const V2: &str = "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1,\"env\":{\"TERM\":\"xterm\",\"SHELL\":null}}\n";
const V3: &str = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24,\"type\":\"xterm\"},\"recmode\":{\"mode\":\"strict\"}}\n";

fn read(header: &str, rest: &str) -> Vec<Result<Item, ReadError>> {
    Reader::new(format!("{header}{rest}").as_bytes()).expect("a header").collect()
}

fn items(header: &str, rest: &str) -> Vec<Item> {
    read(header, rest).into_iter().map(|item| item.expect("an item")).collect()
}

fn events(header: &str, rest: &str) -> Vec<Event> {
    let event = |item| match item {
        Item::Event(event) => event,
        other => panic!("not an event: {other:?}"),
    };
    items(header, rest).into_iter().map(event).collect()
}

fn header_error(text: &str) -> String {
    Reader::new(text.as_bytes()).err().expect("no header").to_string()
}

#[test]
fn headers_of_both_versions_say_the_same() {
    let v2 = Reader::new(V2.as_bytes()).expect("v2").header().clone();
    let v3 = Reader::new(V3.as_bytes()).expect("v3").header().clone();
    assert_eq!((v2.version, v2.cols, v2.rows, v2.term_type.as_deref()), (Version::V2, 80, 24, Some("xterm")));
    assert_eq!((v3.version, v3.cols, v3.rows, v3.term_type.as_deref()), (Version::V3, 80, 24, Some("xterm")));
    assert_eq!((v2.timestamp, v2.recmode), (Some(1), None));
    assert_eq!(v3.recmode, Some(serde_json::json!({"mode": "strict"})));
}

#[test]
fn what_is_no_recording_is_refused_with_its_cause() {
    assert_eq!(header_error(""), "the file is empty, not a recording");
    assert_eq!(header_error("hello\n"), "line 1: this is no asciicast header");
    assert_eq!(
        header_error("{\"version\":4,\"width\":80}\n"),
        "line 1: asciicast version 4, but only 1, 2 and 3 can be read"
    );
    assert!(header_error("{\"version\":2,\"width\":80}\n").starts_with("line 1, column "));
    let endless = format!("{{\"version\":2,\"title\":\"{}\"}}\n", "a".repeat(MAX_HEADER));
    assert_eq!(header_error(&endless), "line 1: longer than 16777216 bytes");
    let long = format!("{{\"version\":2,\"width\":80,\"height\":24,\"x\":\"{}\"}}\n", "a".repeat(5 << 20));
    assert_eq!(events(&long, "[1,\"o\",\"a\"]\n").len(), 1, "a header of 5 MiB");
}

#[test]
fn v2_times_are_absolute_and_v3_times_add_up() {
    let lines = "[0.5,\"o\",\"a\"]\n[1.25,\"r\",\"100x50\"]\n[1.25,\"x\",\"0\"]\n";
    let times = |header| events(header, lines).iter().map(|event| event.time).collect::<Vec<_>>();
    assert_eq!(times(V2), [500_000, 1_250_000, 1_250_000]);
    assert_eq!(times(V3), [500_000, 1_750_000, 3_000_000]);
}

#[test]
fn intervals_add_up_without_drift() {
    // Sums of 0.1 in binary floating point would be off by now, roundings to microseconds too.
    let tenths = "[0.1,\"o\",\"\"]\n".repeat(100_000);
    assert_eq!(events(V3, &tenths).last().expect("events").time, 10_000_000_000);
    let fine = "[0.0000004,\"o\",\"\"]\n".repeat(100_000);
    assert_eq!(events(V3, &fine).last().expect("events").time, 40_000);
}

#[test]
fn the_time_of_an_unknown_event_counts() {
    let found = events(V3, "[1,\"zz\",{\"a\":[1]}]\n[1,\"R\",5]\n[1,\"o\",\"a\"]\n");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].time, found[0].line), (3_000_000, 4));
}

#[test]
fn a_raw_record_gives_the_exact_bytes_of_the_event_on_the_next_line() {
    let v3 =
        "#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"/2E=\"}}\n[0,\"o\",\"\u{fffd}a\"]\n[0,\"o\",\"b\"]\n";
    let v2 = "[0,\"R\",\"{\\\"raw\\\":{\\\"code\\\":\\\"o\\\",\\\"base64\\\":\\\"/2E=\\\"}}\"]\n[0,\"o\",\"\u{fffd}a\"]\n";
    let found = events(V3, v3);
    assert_eq!((found[0].data.as_str(), found[0].exact_bytes()), ("\u{fffd}a", &b"\xffa"[..]));
    assert_eq!(found[1].exact_bytes(), b"b");
    assert_eq!(events(V2, v2)[0].exact_bytes(), b"\xffa");
}

#[test]
fn a_raw_record_belongs_to_no_other_event() {
    let raw = "#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"/2E=\"}}\n";
    for between in ["# a comment\n", "[0,\"i\",\"k\"]\n", "[0,\"z\",0]\n", "#recmode {\"new\":1}\n"] {
        let found = events(V3, &format!("{raw}{between}[0,\"o\",\"b\"]\n"));
        assert!(found.iter().all(|event| event.exact_bytes() == event.data.as_bytes()), "{between}");
    }
    let found = events(V3, &format!("{raw}\n[0,\"o\",\"b\"]\n"));
    assert_eq!(found[0].exact_bytes(), b"\xffa", "a blank line is nothing");
}

#[test]
fn gap_and_end_records_are_items() {
    let gap = "{\"gap\":{\"bytes\":10,\"seconds\":1.5,\"lost\":3,\"error\":\"ENOSPC\"}}";
    let end = "{\"end\":{\"reason\":\"exit\",\"status\":0,\"bytes\":10}}";
    let expected = [
        Item::Gap(Gap { bytes: 10, seconds: 1.5, lost: 3, lost_input: 0, error: "ENOSPC".to_owned() }),
        Item::End(End {
            reason: "exit".to_owned(),
            status: Some(0),
            bytes: Some(10),
            seconds: None,
            gaps: None,
            lost: None,
        }),
    ];
    assert_eq!(items(V3, &format!("#recmode {gap}\n#recmode {end}\n")), expected);
    let v2 = |json: &str| format!("[0,\"R\",{}]\n", serde_json::to_string(json).expect("JSON"));
    assert_eq!(items(V2, &format!("{}{}", v2(gap), v2(end))), expected);
}

#[test]
fn comments_and_what_is_not_known_are_skipped() {
    let lines = "# hello\n#recmode\n#recmode is a tool\n#recmode {\"check\":1}\n\r\n[0,\"q\",\"\"]\n";
    assert_eq!(items(V3, lines), []);
    assert_eq!(items(V2, "[0,\"R\",\"refresh\"]\n[0,\"R\",\"{\\\"new\\\":1}\"]\n"), []);
}

#[test]
fn a_torn_tail_is_an_item_and_never_an_error() {
    let whole = "[0,\"o\",\"a\"]\n";
    for tail in [
        "[0,\"o\",\"b",
        "[",
        "[0.",
        "[0,\"o\",\"b\"",
        "\0\0\0\0",
        "[0,\"o\",\"b\"]\0\0",
        "#",
        "#recmo",
        "#recmode ",
        "#recmode {\"end\":",
        "#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"/2E=\"}}",
        "#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"/2E=\"}}\n",
    ] {
        let found = items(V3, &format!("{whole}{tail}"));
        assert_eq!(found.len(), 2, "{tail:?}");
        assert_eq!(found[1], Item::TornTail { line: 3 }, "{tail:?}");
    }
    // Zeros of any number: the last blocks of a file, taken by a power failure.
    let zeros = format!("{whole}[0,\"o\"{}", "\0".repeat(MAX_LINE + 100));
    assert_eq!(items(V3, &zeros).last(), Some(&Item::TornTail { line: 3 }));
    assert!(read(V3, &format!("{zeros}x")).last().expect("an item").is_err());
}

#[test]
fn a_last_line_without_its_newline_is_whole_if_it_can_be_read() {
    for line in ["[0,\"o\",\"a\"]", "[0,\"o\",\"a\"] ", "[0,\"o\",\"a\"]\r", "[0,\"o\",\"a\"]\n  "] {
        assert_eq!(events(V3, line).len(), 1, "{line:?}");
    }
    assert!(matches!(items(V3, "#recmode {\"end\":{\"reason\":\"exit\"}}")[..], [Item::End(_)]));
    assert_eq!(items(V3, "# a comment"), []);
    // In another tool's recording, this isn't a record of ours.
    assert_eq!(items("{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n", "#rec"), []);
}

#[test]
fn a_whole_line_that_is_wrong_is_an_error_also_as_the_last() {
    for (last, message) in [
        ("[0,\"o\"]\n", "line 3, column 7: invalid length 2, expected a tuple of size 3"),
        ("[0,\"o\"]", "line 3, column 7: invalid length 2, expected a tuple of size 3"),
        ("[0,\"o\",\"b\n", "line 3, column 9: EOF while parsing a string"),
        ("\0\0\n", "line 3, column 1: expected value"),
        ("garbage\n", "line 3, column 1: expected value"),
        ("#recmode {\"gap\":{}}\n", "line 3: in a record of recmode's: missing field `bytes`"),
        ("#recmode {\"gap\":{}}", "line 3: in a record of recmode's: missing field `bytes`"),
    ] {
        let found = read(V3, &format!("[0,\"o\",\"a\"]\n{last}"));
        assert_eq!(found.len(), 2, "{last:?}");
        assert_eq!(found[1].as_ref().expect_err(last).to_string(), message, "{last:?}");
    }
}

#[test]
fn garbage_in_the_middle_is_an_error_with_its_line() {
    for (garbage, message) in [
        ("garbage", "line 2, column 1: expected value"),
        ("[-1,\"o\",\"\"]", "line 2: the event's time is no number of seconds from 0 to 2^64 nanoseconds"),
        ("[0,\"o\",7]", "line 2: the event's data is not a string, or not a valid one"),
        ("[0,\"o\",\"\\ud800\"]", "line 2: the event's data is not a string, or not a valid one"),
        ("#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"?\"}}", "line 2: a raw record's base64 is invalid"),
        (
            "#recmode {\"raw\":{\"code\":\"m\",\"base64\":\"\"}}",
            "line 2: a raw record's code is none of o, e and i",
        ),
        ("#recmode {\"gap\":{\"bytes\":0}}", "line 2: in a record of recmode's: missing field `seconds`"),
    ] {
        let found = read(V3, &format!("{garbage}\n[0,\"o\",\"a\"]\n"));
        assert_eq!(found.len(), 1, "{garbage}: an error is the end");
        assert_eq!(found[0].as_ref().expect_err(garbage).to_string(), message);
    }
}

#[test]
fn times_that_add_up_to_too_much_are_an_error() {
    let found = read(V3, "[18446744073,\"o\",\"\"]\n[1,\"o\",\"\"]\n[0,\"o\",\"\"]\n");
    assert_eq!(found.len(), 2);
    assert!(found[1].is_err());
}

#[test]
fn an_endless_line_is_an_error() {
    let endless = "a".repeat(MAX_LINE + 1);
    let found = read(V3, &format!("{endless}\n[0,\"o\",\"a\"]\n"));
    assert!(matches!(found[..], [Err(ReadError::TooLong { line: 2, limit: MAX_LINE })]));
    assert!(matches!(read(V3, &endless)[..], [Err(ReadError::TooLong { line: 2, .. })]));
    let fits = format!("[0,\"o\",\"{}\"]\n", "a".repeat(MAX_LINE - 10));
    assert_eq!(events(V3, &fits).len(), 1);
}

#[test]
fn messages_hold_no_control_characters_and_stay_short() {
    let hostile = format!("{{\"version\":2,\"width\":\"\\u001b[31m{}\",\"height\":1}}\n", "a".repeat(1000));
    let message = header_error(&hostile);
    assert!(!message.contains('\u{1b}') && message.len() < 300, "{message}");
}

/// Lines that get past the first checks more often than arbitrary bytes do.
fn near_lines() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(V2.as_bytes().to_vec()),
        Just(V3.as_bytes().to_vec()),
        Just(b"[1.5,\"o\",\"a\"]\n".to_vec()),
        Just(b"#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"/2E=\"}}\n".to_vec()),
        Just(b"[0,\"R\",\"{}\"]\n".to_vec()),
        prop::sample::select(vec![
            "[",
            "]",
            "{",
            "\"",
            ",",
            "#recmode ",
            "\n",
            "1e999",
            "-",
            "\\u",
            "\u{fffd}"
        ])
        .prop_map(|token| token.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn no_input_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(reader) = Reader::new(&bytes[..]) {
            reader.for_each(drop);
        }
    }

    #[test]
    fn no_lines_make_the_reader_panic(header in prop_oneof![Just(V2), Just(V3)], bytes in near_lines()) {
        let input = [header.as_bytes(), &bytes].concat();
        Reader::new(&input[..]).expect("a header").for_each(drop);
    }

    #[test]
    fn whatever_is_cut_off_is_no_error(cut in 0_usize..200) {
        let whole = "[0,\"o\",\"a\"]\n#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"/2E=\"}}\n[0,\"o\",\"\u{fffd}a\"]\n[-0.0e-1,\"x\",\"\\u0030\\ud83d\\ude00\"]\n[1,\"z\",{\"a\":[true,null,-1.5e+2]}]\n";
        let cut = &whole.as_bytes()[..cut.min(whole.len())];
        let input = [V3.as_bytes(), cut].concat();
        let items: Vec<_> = Reader::new(&input[..]).expect("a header").collect();
        prop_assert!(items.iter().all(Result::is_ok));
    }
}

const V1: &str = r#"{
  "version": 1, "width": 80, "height": 24, "duration": 1.5, "command": "/bin/zsh", "new": [1, {"a": 2}],
  "env": {"TERM": "xterm", "SHELL": null},
  "stdout": [
    [0.25, "one\r\n"],
    [1.000001, "two \u00e9"]
  ]
}
"#;

#[test]
fn version_1_is_read_in_one_line_or_many() {
    let one_line = V1.replace('\n', " ");
    for text in [V1, one_line.as_str(), one_line.trim_end()] {
        let reader = Reader::new(text.as_bytes()).expect("a header");
        let header = reader.header().clone();
        assert_eq!((header.version, header.cols, header.rows), (Version::V1, 80, 24));
        assert_eq!(
            (header.command.as_deref(), header.term_type.as_deref()),
            (Some("/bin/zsh"), Some("xterm"))
        );
        let events: Vec<_> = reader.map(|item| item.expect("an item")).collect();
        let [Item::Event(one), Item::Event(two)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((one.time, one.data.as_str()), (250_000, "one\r\n"));
        assert_eq!((two.time, two.data.as_str()), (1_250_001, "two é"));
    }
}

#[test]
fn a_long_version_1_and_one_that_is_cut_anywhere_are_read_as_far_as_they_go() {
    let events = format!("[0.1,\"{}\"],", "text".repeat(80)).repeat(60_000);
    let whole = format!("{{\"version\":1,\"width\":80,\"height\":24,\"stdout\":[{events}[0,\"\"]]}}");
    assert!(whole.len() > MAX_HEADER);
    assert_eq!(items(&whole, "").len(), 60_001);
    let cut = &whole[..whole.len() - 9];
    assert_eq!(items(cut, "").last(), Some(&Item::TornTail { line: 1 }));
    let sized = V1.find("24").expect("a height") + 3;
    for cut in sized..V1.trim_end().len() {
        let Ok(reader) = Reader::new(V1.as_bytes()[..cut].as_ref()) else { panic!("cut at {cut}") };
        let items: Vec<_> = reader.map(|item| item.expect("an item")).collect();
        assert!(matches!(items.last(), Some(Item::TornTail { .. })), "cut at {cut}");
    }
    assert!(matches!(
        Reader::new(V1.replace("one", "\\q").as_bytes()).err(),
        Some(ReadError::Invalid { line: 5, .. })
    ));
    assert_eq!(
        header_error("{\"version\":1,\"stdout\":[]}"),
        "line 1: a recording of asciicast v1 without width and height"
    );
}

#[test]
fn a_header_may_have_any_number_of_columns() {
    for header in [
        "{\"version\":3,\"term\":{\"cols\":70000,\"rows\":24}}\n",
        "{\"version\":2,\"width\":70000,\"height\":24}\n",
        "{\"version\":1,\"width\":70000,\"height\":24,\"duration\":0,\"stdout\":[]}",
    ] {
        let reader = Reader::new(header.as_bytes()).expect(header);
        assert_eq!((reader.header().cols, reader.header().rows), (u16::MAX, 24), "{header}");
        let note = reader.oversize().get().expect("a note").to_string();
        assert_eq!(note, "line 1: a terminal of 65535x24 or more is rendered as 1000x24");
    }
}
