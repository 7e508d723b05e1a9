//! `recmode recover` on torn ends: what is kept, and that it agrees with `verify`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::{arg, recording, run, support};

const WHOLE: &str = "[0.5, \"o\", \"hello\\r\\n\"]\n";

fn torn(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.torn", file.display()))
}

fn state(file: &Path) -> String {
    let (out, ..) = run(&["verify", "--format", "json", arg(file)]);
    let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    tree["files"][0]["state"].as_str().expect("a state").to_owned()
}

#[test]
fn a_torn_end_is_kept_beside_the_recording() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    let text = recording("alice", "strict", 1, &format!("{WHOLE}[0.25, \"o\", \"to\\u00"));
    fs::write(&file, &text).expect("a file");
    let (out, err, status) = run(&["recover", arg(&file)]);
    let kept = torn(&file);
    let expected =
        format!("{}: recovered; 19 bytes of a torn end are kept in {}\n", file.display(), kept.display());
    assert_eq!((out, err.as_str(), status), (expected, "", Some(0)));
    assert_eq!(fs::read_to_string(&kept).expect("the torn end"), "[0.25, \"o\", \"to\\u00");
    assert_eq!(fs::metadata(&kept).expect("its mode").permissions().mode() & 0o777, 0o600);
    // Together they have every byte that was there.
    let recovered = fs::read_to_string(&file).expect("a recording");
    assert!(recovered.starts_with(text.strip_suffix("[0.25, \"o\", \"to\\u00").expect("its end")));
}

#[test]
fn nothing_is_lost_where_the_torn_end_can_not_be_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    let elsewhere = dir.path().join("elsewhere");
    let text = recording("alice", "strict", 1, &format!("{WHOLE}[0.25, \"o\", \"to"));
    for hindrance in ["a file", "a link", "a link to nothing"] {
        fs::write(&file, &text).expect("a file");
        match hindrance {
            "a file" => fs::write(torn(&file), "an earlier one").expect("a file"),
            "a link" => {
                fs::write(&elsewhere, "mine").expect("a file");
                symlink(&elsewhere, torn(&file)).expect("a link");
            }
            _ => {
                fs::remove_file(&elsewhere).expect("removed");
                symlink(&elsewhere, torn(&file)).expect("a link");
            }
        }
        let (out, err, status) = run(&["recover", arg(&file)]);
        assert_eq!((out.as_str(), status), ("", Some(2)), "{hindrance}");
        assert!(
            err.contains("a.cast: its torn tail can't be kept in ")
                && err.contains("a.cast.torn: File exists"),
            "{err}"
        );
        assert_eq!(fs::read_to_string(&file).expect("a recording"), text, "{hindrance}");
        assert!(fs::read_to_string(&elsewhere).map_or(true, |text| text == "mine"), "{hindrance}");
        fs::remove_file(torn(&file)).expect("removed");
    }
    assert_eq!(run(&["recover", arg(&file)]).2, Some(0));
}

#[test]
fn a_last_line_that_only_lacks_its_newline_is_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    fs::write(&file, recording("alice", "strict", 1, WHOLE.trim_end())).expect("a file");
    let (out, ..) = run(&["recover", arg(&file)]);
    assert_eq!(out, format!("{}: recovered\n", file.display()));
    assert!(!torn(&file).exists());
    assert_eq!(run(&["cat", arg(&file)]), ("hello\n".to_owned(), String::new(), Some(0)));
}

#[test]
fn a_recording_without_its_last_check_is_cut_off_for_verify_and_recover() {
    let dir = tempfile::tempdir().expect("a directory");
    for format in ["asciicast-v3", "asciicast-v2"] {
        let whole = dir.path().join(format);
        let output = support::recmode()
            .args(["record", "--mode", "strict", "-q", "--format", format, "-o", arg(&whole)])
            .args(["--", "sh", "-c", "echo hello; exit 7"])
            .stdin(Stdio::null())
            .output();
        assert_eq!(output.expect("recmode runs").status.code(), Some(7));
        let text = fs::read_to_string(&whole).expect("a recording");
        assert_eq!(run(&["recover", arg(&whole)]).0, format!("{}: complete\n", whole.display()));
        let without = text.trim_end().rfind('\n').expect("a last line") + 1;
        for cut in [without, without + 12, text.len() - 2] {
            let file = dir.path().join("a.cast");
            fs::write(&file, &text[..cut]).expect("a file");
            assert_eq!(state(&file), "cut_off", "{format}, cut at {cut}");
            let (out, err, status) = run(&["recover", arg(&file)]);
            assert!(
                out.contains("a.cast: recovered; ") && err.is_empty(),
                "{format}, cut at {cut}: {out}{err}"
            );
            assert_eq!(status, Some(0));
            assert_eq!(state(&file), "recovered", "{format}, cut at {cut}");
            assert_eq!(run(&["recover", arg(&file)]).0, format!("{}: complete\n", file.display()));
            let (info, ..) = run(&["info", arg(&file)]);
            assert!(info.contains("closed by recover, exit status 7\n"), "{info}");
            fs::remove_file(torn(&file)).expect("the end record, and what there was of a check");
        }
        // What follows the end and is no check was not left by a crash.
        let file = dir.path().join("changed.cast");
        fs::write(&file, text[..without].to_owned() + "[0.1, \"o\", \"").expect("a file");
        assert_eq!(run(&["recover", arg(&file)]).0, format!("{}: complete\n", file.display()));
    }
}

#[test]
fn a_recording_that_only_lacks_its_last_newline_is_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    for format in ["asciicast-v3", "asciicast-v2"] {
        let file = dir.path().join(format);
        let output = support::recmode()
            .args(["record", "--mode", "strict", "-q", "--format", format, "-o", arg(&file)])
            .args(["--", "echo", "hello"])
            .stdin(Stdio::null())
            .output();
        assert!(output.expect("recmode runs").status.success());
        let text = fs::read_to_string(&file).expect("a recording");
        let lacking = text.strip_suffix('\n').expect("a last line");
        fs::write(&file, lacking).expect("a file");
        let (out, err, status) = run(&["verify", arg(&file)]);
        assert_eq!((out, err.as_str(), status), (format!("{}: intact\n", file.display()), "", Some(0)));
        assert_eq!(run(&["recover", arg(&file)]).0, format!("{}: complete\n", file.display()));
        assert_eq!(fs::read_to_string(&file).expect("a recording"), lacking);
        assert!(!torn(&file).exists());
    }
}
