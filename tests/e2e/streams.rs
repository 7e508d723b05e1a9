//! Pipes, files and bytes: what goes in and comes out is exact, with and without a terminal.

use std::fs;
use std::time::Duration;

use crate::harness::{Cast, Lab, SOON, Verdict, needs_tools, recmode, show, tests, until};

tests![
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
    cat_without_raw_prints_the_text_without_controls,
];

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

fn cat_without_raw_prints_the_text_without_controls() -> Verdict {
    let lab = Lab::new();
    let script = r"printf 'plain \033[1;31mred\033[0m \033]0;title\007text\a\n'";
    lab.outer(&lab.record(&["-q", "--", "sh", "-c", script])).end();
    let printed = lab.run(&[recmode(), "cat", lab.cast().to_str().unwrap()], b"");
    assert_eq!(printed.status, 0, "{}", printed.stderr());
    assert_eq!(printed.stdout().replace('\r', ""), "plain red text\n");
    Ok(())
}
