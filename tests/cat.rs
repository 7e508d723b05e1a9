//! `recmode cat` on recordings of several tools, whole, cut off and hostile.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(name)
}

fn recmode() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recmode"));
    command.env_clear();
    command
}

fn cat(args: &[&str], file: &Path) -> Output {
    recmode().arg("cat").args(args).arg(file).output().expect("recmode runs")
}

fn text(output: &Output) -> (&str, &str, Option<i32>) {
    let utf8 = |bytes| str::from_utf8(bytes).expect("UTF-8");
    (utf8(&output.stdout), utf8(&output.stderr), output.status.code())
}

#[test]
fn the_text_of_another_tools_recording_is_printed_without_control_sequences() {
    let output = cat(&[], &fixture("asciinema-v2.cast"));
    assert_eq!(text(&output), ("$ ls\nroles  policy.yaml\ncafé 漢 end\n", "", Some(0)));
}

#[test]
fn a_session_is_told_as_it_was_seen_full_screen_programs_included() {
    let output = cat(&[], &fixture("full-screen.cast"));
    let expected = "$ less notes\nsecond page\nline 9\n(END)\n$ echo password\npassword\n\
                    a line that is longer than the terminal is wide, much longer\n$ exit\n";
    assert_eq!(text(&output), (expected, "", Some(0)));
    let output = cat(&["--timestamps"], &fixture("full-screen.cast"));
    let expected = "0:00:01.500  $ less notes\n\
                    0:00:03.600  second page\n\
                    0:00:03.600  line 9\n\
                    0:00:03.600  (END)\n\
                    0:01:05.700  $ echo password\n\
                    0:01:05.700  password\n\
                    0:01:06.700  a line that is longer than the terminal is wide, much longer\n\
                    1:01:06.700  $ exit\n";
    assert_eq!(text(&output), (expected, "", Some(0)));
}

#[test]
fn a_terminal_that_is_too_large_is_an_error_unless_nothing_is_rendered() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("a.cast");
    let lines = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n[0,\"o\",\"hi\\r\\n\"]\n[0,\"r\",\"80x60000\"]\n";
    fs::write(&file, lines).expect("a file");
    let output = cat(&[], &file);
    let (stdout, stderr, status) = text(&output);
    assert_eq!((stdout, status), ("hi\n", Some(2)));
    assert!(
        stderr.ends_with("a.cast: line 3: a terminal of 80x60000 is larger than 1000x1000\n"),
        "{stderr}"
    );
    assert_eq!(text(&cat(&["--raw"], &file)), ("hi\r\n", "", Some(0)));
}

#[test]
fn raw_prints_the_bytes_of_all_output_events() {
    let output = cat(&["--raw"], &fixture("asciinema-v2.cast"));
    let expected =
        "\x1b[?2004h$ ls\r\n\x1b[?2004l\r\x1b[0m\x1b[01;34mroles\x1b[0m  policy.yaml\r\ncafé 漢\tend\r\n";
    assert_eq!(text(&output), (expected, "", Some(0)));
}

#[test]
fn raw_rebuilds_bytes_that_are_no_utf8() {
    for name in ["raw-v3.cast", "raw-v2.cast"] {
        let output = cat(&["--raw"], &fixture(name));
        assert_eq!(output.stdout, b"plain\r\ncaf\xe9 \xff\xfe\r\n\xc3\xa9\r\n", "{name}");
        assert_eq!((output.stderr, output.status.code()), (Vec::new(), Some(0)), "{name}");
        let output = cat(&[], &fixture(name));
        assert_eq!(text(&output), ("plain\ncaf\u{fffd} \u{fffd}\u{fffd}\né\n", "", Some(0)), "{name}");
    }
}

#[test]
fn a_recording_that_is_cut_off_is_printed_as_far_as_it_goes() {
    let output = cat(&[], &fixture("cut-off.cast"));
    let (stdout, stderr, status) = text(&output);
    assert_eq!((stdout, status), ("plain\ncaf\u{fffd} \u{fffd}\u{fffd}\n", Some(0)));
    assert!(stderr.ends_with("cut-off.cast: the recording is cut off in line 6\n"), "{stderr}");
}

#[test]
fn a_recording_of_recmodes_without_its_end_is_said_to_lack_it() {
    let output = cat(&[], &fixture("no-end.cast"));
    let (stdout, stderr, status) = text(&output);
    assert_eq!((stdout, status), ("plain\ncaf\u{fffd} \u{fffd}\u{fffd}\né\n", Some(0)));
    assert!(stderr.contains("no end record"), "{stderr}");
}

#[test]
fn hostile_output_can_not_drive_the_terminal() {
    let output = cat(&[], &fixture("hostile.cast"));
    // The screen is cleared by what one of the lines holds.
    assert_eq!(text(&output), ("one two\n\nthree\n", "", Some(0)));
}

#[test]
fn garbage_in_the_middle_is_one_error_that_names_file_line_and_cause() {
    let output = cat(&[], &fixture("garbage.cast"));
    let (stdout, stderr, status) = text(&output);
    assert_eq!((stdout, status), ("before\n", Some(2)));
    assert!(stderr.starts_with("recmode: ") && stderr.lines().count() == 1, "{stderr}");
    assert!(stderr.contains("garbage.cast: line 3, column 9: EOF while parsing a value"), "{stderr}");
}

#[test]
fn what_can_not_be_read_is_an_error_with_its_cause() {
    let missing = cat(&[], Path::new("/nonexistent/a.cast"));
    assert_eq!(
        text(&missing),
        ("", "recmode: /nonexistent/a.cast: No such file or directory (os error 2)\n", Some(2))
    );
    let directory = cat(&[], Path::new("/"));
    assert_eq!(
        text(&directory),
        ("", "recmode: /: line 1: cannot be read: Is a directory (os error 21)\n", Some(2))
    );
    let device = cat(&[], Path::new("/dev/null"));
    assert_eq!(text(&device), ("", "recmode: /dev/null: a device, no recording\n", Some(2)));
}

#[test]
fn control_characters_of_a_file_name_do_not_reach_the_terminal() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("\u{1b}]0;owned\u{7}.cast");
    fs::write(&file, "no recording\n").expect("a file");
    let output = cat(&[], &file);
    let (_, stderr, status) = text(&output);
    assert_eq!(status, Some(2));
    assert!(stderr.contains("\\u{1b}]0;owned\\u{7}.cast: line 1: "), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "{stderr}");
}

#[test]
fn compressed_recordings_are_read_by_what_they_hold() {
    use std::io::Write as _;
    let directory = tempfile::tempdir().expect("a directory");
    let text = fs::read(fixture("raw-v3.cast")).expect("a fixture");
    let file = directory.path().join("no-telling-name");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&text).expect("compressed");
    let gzip = gzip.finish().expect("compressed");
    let zstd = ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest);
    for packed in [gzip, zstd] {
        fs::write(&file, &packed).expect("a file");
        let output = cat(&["--raw"], &file);
        assert_eq!(output.stdout, b"plain\r\ncaf\xe9 \xff\xfe\r\n\xc3\xa9\r\n");
        assert_eq!((output.stderr, output.status.code()), (Vec::new(), Some(0)));
        fs::write(&file, &packed[..packed.len() - 6]).expect("a file");
        let output = cat(&["--raw"], &file);
        assert!(String::from_utf8_lossy(&output.stderr).contains("is cut off"), "{output:?}");
    }
}

#[test]
fn version_1_is_read_too() {
    let output = cat(&["--raw"], &fixture("asciinema-v1.cast"));
    let expected = "\x1b[1;31mHello \x1b[32mWorld!\x1b[0m\nI am \rThis is on the next line.\n";
    assert_eq!(text(&output), (expected, "", Some(0)));
}

#[test]
fn a_dash_is_standard_input() {
    let input = fs::File::open(fixture("raw-v3.cast")).expect("a fixture");
    let output = recmode().args(["cat", "--raw", "-"]).stdin(input).output().expect("recmode runs");
    assert_eq!(output.stdout, b"plain\r\ncaf\xe9 \xff\xfe\r\n\xc3\xa9\r\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut child = recmode()
        .args(["cat", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("recmode runs");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("a pipe");
    let _ = input.write_all(b"{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n");
    let line = format!("[0.0,\"o\",\"{}\"]\n", "a".repeat(1000));
    // Ends with an error as soon as recmode has ended.
    while input.write_all(line.as_bytes()).is_ok() {}
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("stderr");
    assert_eq!((stderr.as_str(), child.wait().expect("its status").code()), ("", Some(0)));
}

#[test]
fn a_full_disk_under_standard_output_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let output =
        recmode().arg("cat").arg(fixture("raw-v3.cast")).stdout(full).output().expect("recmode runs");
    let (_, stderr, status) = text(&output);
    assert_eq!(
        (stderr, status),
        ("recmode: standard output: No space left on device (os error 28)\n", Some(2))
    );
}
