//! `recmode info`.

use std::fs;

use crate::{arg, end, fixture, marked, recording, run};

#[test]
fn a_recording_is_told_for_people() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    let lines = "[0.5,\"o\",\"hi\\r\\n\"]\n[1.0,\"m\",\"Gap: the recording failed (ENOSPC)\"]\n\
                 #recmode {\"gap\":{\"bytes\":9,\"seconds\":1.25,\"lost\":3,\"error\":\"ENOSPC\"}}\n[61.0,\"r\",\"100x30\"]\n";
    let text = recording("alice", "strict", 1_795_305_600, &format!("{lines}{}", end(3, 62.5, 1)));
    fs::write(&file, &text).expect("a file");
    let (out, err, status) = run(&["info", arg(&file)]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let expected = "Format      asciicast-v3
State       gap
Session     5d3c0a9e
User        ALICE
Host        node1
Start       2026-11-22 00:00:00Z
Duration    0:01:03
Command     bash
Kind        ssh
Mode        strict, by default in role \"ops\"
Roles       ops
Terminal    80x24, xterm, resized once
Ended       the command ended, exit status 3
Recorded    4 bytes of output, 0 bytes of input, 4 events
Integrity   without checks
Gaps        1, 3 bytes of output are lost
            0:00:01.500  ENOSPC for 1.2 s: 9 bytes came, 3 are lost
Markers     1
            0:00:01.500  Gap: the recording failed (ENOSPC)
";
    let rest: String = out.lines().skip(2).map(|line| line.to_owned() + "\n").collect();
    assert_eq!(rest, expected.replace("ALICE", &marked("alice")));
    assert!(out.starts_with(&format!("File        {}\nSize        {} B\n", file.display(), text.len())));
}

#[test]
fn a_recording_is_told_as_a_tree() {
    let file = fixture("raw-v2.cast");
    let (out, _, status) = run(&["info", "--format", "json", arg(&file)]);
    let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(status, Some(0));
    for (key, value) in [
        ("schema", "recmode.info/1"),
        ("format", "asciicast-v2"),
        ("state", "gap"),
        ("user", "alice"),
        ("exit", "0"),
        ("ended", "exit"),
        ("start", "2026-11-21T20:45:00Z"),
    ] {
        assert_eq!(tree[key], value, "{key}");
    }
    assert_eq!((&tree["duration"], &tree["lost_bytes"]), (&0.61.into(), &12.into()));
    assert_eq!(tree["gaps"][0]["error"], "ENOSPC");
}

#[test]
fn recordings_of_others_and_cut_ones_are_told_as_far_as_they_go() {
    for (name, line) in [
        ("asciinema-v1.cast", "Format      asciicast-v1"),
        ("asciinema-v2.cast", "State       complete"),
        ("cut-off.cast", "Ended       cut off in line 6"),
        ("no-end.cast", "Ended       no end record"),
        ("hostile.cast", "Title       \\u{1b}]0;owned\\u{7}"),
    ] {
        let (out, _, status) = run(&["info", arg(&fixture(name))]);
        assert_eq!(status, Some(0), "{name}");
        assert!(out.lines().any(|found| found == line), "{name}: {out}");
    }
    let (out, err, status) = run(&["info", arg(&fixture("garbage.cast"))]);
    assert_eq!((out.as_str(), status), ("", Some(2)));
    assert!(err.contains("garbage.cast: line 3, column 9: "), "{err}");
}

#[test]
fn a_live_session_is_still_being_recorded_in_info_and_on_the_page() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("live.cast");
    fs::write(&file, recording("alice", "strict", 1_795_305_600, "[0.5,\"o\",\"a\"]\n")).expect("a file");
    let recorder = fs::File::open(&file).expect("a recording");
    recorder.try_lock().expect("the recorder's lock");
    let (out, err, _) = run(&["info", arg(&file)]);
    assert!(out.contains("\nEnded       the session is still being recorded\n"), "{out}{err}");
    let (page, _, _) = run(&["export", "--to", "html", arg(&file)]);
    assert!(page.contains("End: the session was still being recorded"), "{page}");
    assert!(page.contains("<dt>Ended</dt><dd>the session is still being recorded</dd>"), "{page}");
}
