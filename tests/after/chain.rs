//! Where `recmode verify` sees the first change of a recording: never in a range that begins after it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;

use proptest::prelude::*;
use recmode::verify::{Followed, follow};

use crate::{arg, run, support};

/// A recording with some checks in it, in either format.
fn recorded(events: bool) -> &'static str {
    static TEXTS: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
    TEXTS[usize::from(events)].get_or_init(|| {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("a.cast");
        let format = if events { "asciicast-v2" } else { "asciicast-v3" };
        let script = "i=0; while [ $i -lt 40 ]; do seq $i 700; i=$((i+1)); done; printf 'a\\377b\\n'";
        let output = support::recmode()
            .args(["record", "--mode", "strict", "-q", "--format", format, "-o", arg(&file)])
            .args(["--", "sh", "-c", script])
            .stdin(Stdio::null())
            .output()
            .expect("recmode runs");
        assert!(output.status.success(), "{}", support::all(&output));
        let text = fs::read_to_string(&file).expect("a recording");
        let (followed, _) = follow(text.as_bytes(), |_| {}).expect("read");
        assert_eq!(followed, Followed::Intact { gaps: 0 });
        assert!(text.matches("check").count() >= 3, "{} bytes with too few checks", text.len());
        text
    })
}

/// Fails unless what is found of a text contains its first change, which is at this byte (from 0).
fn contains(changed: &[u8], at: usize) -> Result<(), TestCaseError> {
    let line = changed[..at.min(changed.len())].split(|&byte| byte == b'\n').count() as u64;
    let (followed, _) = follow(changed, |_| {}).expect("read");
    match followed {
        // The line before may have lost its newline, or got another.
        Followed::Changed { from, to } => {
            prop_assert!(from <= line && line <= to + 1, "changed in line {line}: {from} to {to}");
        }
        Followed::CutOff { after, .. } | Followed::Recovered { after, .. } => {
            prop_assert!(after <= at as u64, "changed at byte {at}: intact up to {after}");
        }
        Followed::NoRecording => prop_assert!(changed.is_empty(), "no recording"),
        // Only the last newline lacks: every byte of its lines is there.
        Followed::Intact { .. } if [changed, b"\n"].concat() == recorded(false).as_bytes() => {}
        Followed::Intact { .. } if [changed, b"\n"].concat() == recorded(true).as_bytes() => {}
        Followed::Intact { .. } | Followed::NoChain => prop_assert!(false, "{followed:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_byte_that_is_changed_put_in_or_taken_out_is_in_the_range(
        events in any::<bool>(), place in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3,
    ) {
        let mut text = recorded(events).as_bytes().to_vec();
        let at = place.index(text.len());
        match how {
            0 => text[at] ^= byte.max(1),
            1 => text.insert(at, byte),
            _ => _ = text.remove(at),
        }
        if text != recorded(events).as_bytes() {
            let first = text.iter().zip(recorded(events).as_bytes()).position(|(new, old)| new != old);
            contains(&text, first.unwrap_or(text.len()))?;
        }
    }

    #[test]
    fn a_line_that_is_put_in_taken_out_or_repeated_is_in_the_range(
        events in any::<bool>(), place in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), how in 0..4,
    ) {
        let old = recorded(events);
        let mut lines: Vec<&str> = old.split_inclusive('\n').collect();
        let (at, other) = (place.index(lines.len()), other.index(lines.len()));
        match how {
            0 => _ = lines.remove(at),
            1 => lines.insert(at, lines[other]),
            2 => lines.swap(at, other),
            _ => lines.truncate(at.max(1)),
        }
        let text = lines.concat();
        if text != old {
            let first = text.bytes().zip(old.bytes()).position(|(new, old)| new != old);
            contains(text.as_bytes(), first.unwrap_or(text.len().min(old.len())))?;
        }
    }
}

#[test]
fn each_byte_of_the_records_is_covered() {
    for events in [false, true] {
        let text = recorded(events).as_bytes();
        let mut start = 0;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            if line.starts_with(b"{")
                || line.starts_with(b"#")
                || line.windows(4).any(|part| part == b"\"R\"")
            {
                for at in start..start + line.len() {
                    for byte in [b'\n', b'x'] {
                        let mut changed = text.to_vec();
                        changed[at] = byte;
                        if changed != text {
                            contains(&changed, at).expect("found");
                        }
                    }
                }
            }
            start += line.len();
        }
    }
}

/// What `verify` prints of a text, without the name.
fn verified(dir: &Path, text: &str) -> String {
    let file = dir.join("changed.cast");
    fs::write(&file, text).expect("written");
    let (out, err, status) = run(&["verify", arg(&file)]);
    assert_eq!((err.as_str(), status), ("", Some(1)), "{out}");
    out.split_once(": ").expect("a line").1.to_owned()
}

#[test]
fn what_changes_all_lines_is_a_change_from_line_1() {
    let dir = tempfile::tempdir().expect("a directory");
    for events in [false, true] {
        let text = recorded(events);
        let (version, other) =
            if events { ("\"version\":2", "\"version\":3") } else { ("\"version\":3", "\"version\":2") };
        let crlf = text.replace('\n', "\r\n");
        let torn = &crlf[..crlf.len() * 2 / 3];
        for changed in [
            crlf.clone(),
            torn[..=torn.rfind('\n').expect("a line")].to_owned(),
            text.replace('\n', "\r"),
            text.replace("\"chain\"", "\"chair\""),
            text.replacen(version, other, 1),
            text.replacen(version, "\"version\":9", 1),
            text.replace("{\"check\":", "{ \"check\":").replace("{\\\"check\\\":", "{ \\\"check\\\":"),
            text.split_once('\n').expect("a header").1.to_owned(),
        ] {
            let found = verified(dir.path(), &changed);
            assert!(
                found.starts_with("changed at line 1") || found.contains(" byte 0;"),
                "{found}{}",
                &changed[..200]
            );
        }
        assert!(verified(dir.path(), &crlf).starts_with("changed at line 1, or up to line "));
    }
}

#[test]
fn lines_that_were_not_verified_are_not_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = recorded(false);
    let changed = text.replacen("\\r\\n", "\\r\\r\\n", 1);
    verified(dir.path(), &changed);
    let file = dir.path().join("changed.cast");
    let tree = |command: &str, file: &Path| -> serde_json::Value {
        serde_json::from_str(&run(&[command, "--format", "json", arg(file)]).0).expect("JSON")
    };
    let verified = &tree("verify", &file)["files"][0];
    assert_eq!((&verified["bytes"], verified.get("gaps")), (&serde_json::Value::Null, None), "{verified}");
    let info = tree("info", &file);
    for count in
        ["duration", "events", "output_bytes", "input_bytes", "lost_bytes", "gap_count", "marker_count"]
    {
        assert!(info[count].is_null(), "{count}: {info}");
    }
    let (out, _, _) = run(&["info", arg(&file)]);
    assert!(
        out.contains("Duration    not verified\n") && out.contains("Recorded    not verified\n"),
        "{out}"
    );
    fs::write(&file, text).expect("written");
    assert_eq!(tree("verify", &file)["files"][0]["bytes"], text.len());
    assert!(tree("info", &file)["duration"].is_number());
}

#[test]
fn a_whole_line_behind_the_last_check_that_can_not_be_read_is_a_change() {
    let dir = tempfile::tempdir().expect("a directory");
    for events in [false, true] {
        let text = recorded(events);
        let end = text.trim_end().rfind('\n').expect("the end record") + 1;
        // Without the end record, its check, and what is behind the check before them.
        let (_, last) = text[..end].match_indices("check").map(|(at, _)| (at, at)).last().expect("a check");
        let checked = last + text[last..].find('\n').expect("its end") + 1;
        let line = text[..checked].matches('\n').count() + 1;
        let whole = "[0.5, \"o\", \"hello\"]\n";
        for (tail, expected) in [
            ("no JSON\n", format!("changed at line {line}\n")),
            ("{\"a\": 1}\n[0.5, \"o\", \"", format!("changed at line {line}\n")),
        ] {
            assert_eq!(verified(dir.path(), &format!("{}{tail}", &text[..checked])), expected);
        }
        let behind = format!("{}{whole}[0.5, \"o\"\n", &text[..checked]);
        let expected =
            format!("changed at line {line}, or up to line {}: no check is between them\n", line + 1);
        assert_eq!(verified(dir.path(), &behind), expected);
        for torn in ["", "[0.5, \"o\", \"hel", "[0.5, \0\0\0\0"] {
            let found = verified(dir.path(), &format!("{}{whole}{torn}", &text[..checked]));
            assert!(found.starts_with(&format!("cut off after byte {checked};")), "{torn}: {found}");
        }
    }
}
