//! `recmode export`, and what other programs make of it.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::browser::browse;
use crate::{arg, fixture, has, run};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

#[test]
fn text_is_that_of_cat() {
    let file = fixture("full-screen.cast");
    let (out, err, status) = run(&["export", "--to", "txt", arg(&file)]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert_eq!(out, run(&["cat", arg(&file)]).0);
}

#[test]
fn exact_bytes_survive_the_other_version_and_the_way_back() {
    let dir = folder();
    for name in ["raw-v3.cast", "raw-v2.cast", "asciinema-v1.cast", "asciinema-v2.cast"] {
        let (v2, v3) = (dir.path().join("2.cast"), dir.path().join("3.cast"));
        let (_, _, status) = run(&["export", "--to", "asciicast-v2", arg(&fixture(name)), "-o", arg(&v2)]);
        assert_eq!(status, Some(0));
        let (_, _, status) = run(&["export", "--to", "asciicast-v3", arg(&v2), "-o", arg(&v3)]);
        assert_eq!(status, Some(0));
        let raw = |file: &Path| {
            let output = crate::support::recmode().args(["cat", "--raw"]).arg(file).output();
            output.expect("recmode runs").stdout
        };
        assert_eq!(raw(&v3), raw(&fixture(name)), "{name}");
    }
}

const DONE: &str = "\nScript done on 2026-11-21T20:45:00Z [COMMAND_EXIT_CODE=\"0\"]\n";

#[test]
fn a_typescript_is_played_by_scriptreplay() {
    if !has("scriptreplay") {
        return;
    }
    let dir = folder();
    let out = dir.path().join("session");
    let file = fixture("raw-v3.cast");
    assert_eq!(run(&["export", "--to", "typescript", arg(&file), "-o", arg(&out)]).2, Some(0));
    let timing = fs::read_to_string(dir.path().join("session.timing")).expect("the timing");
    // The last piece is script's own last line, so that the wait for the exit is kept.
    assert_eq!(timing, format!("0.010000 7\n0.200000 9\n0.300000 4\n0.100000 {}\n", DONE.len()));
    let played = Command::new("scriptreplay")
        .args(["--divisor", "1000"])
        .arg("-t")
        .arg(dir.path().join("session.timing"))
        .arg(&out)
        .output()
        .expect("scriptreplay runs");
    assert!(played.status.success(), "{played:?}");
    let expected = [b"plain\r\ncaf\xe9 \xff\xfe\r\n\xc3\xa9\r\n", DONE.as_bytes()].concat();
    assert!(played.stdout.starts_with(&expected), "{played:?}");
    let (_, err, status) = run(&["export", "--to", "typescript", arg(&file)]);
    assert_eq!(status, Some(2));
    assert!(err.starts_with("recmode: a typescript is two files"), "{err}");
}

#[test]
fn asciinema_3_reads_what_is_exported_of_a_file_that_it_refuses() {
    let Some(program) = asciinema_3() else { return };
    let dir = folder();
    let (refused, exported, read) =
        (dir.path().join("refused.cast"), dir.path().join("exported.cast"), dir.path().join("read.txt"));
    let converts = |from: &Path| {
        let _ = fs::remove_file(&read);
        let mut command = Command::new(&program);
        command.args(["convert", "--output-format", "txt", arg(from), arg(&read)]);
        command.output().expect("asciinema runs").status.success()
    };
    for (what, header, event) in [
        ("theme", "\"theme\":{}", ""),
        ("theme", "\"theme\":{\"fg\":\"#fff\",\"bg\":\"black\",\"palette\":\"\"}", ""),
        ("timestamp", "\"timestamp\":-1", ""),
        ("idle_time_limit", "\"idle_time_limit\":\"2s\"", ""),
        ("resize", "\"title\":\"t\"", "[1.0,\"r\",\"-1x0\"]\n"),
        ("resize", "\"title\":\"t\"", "[1.0,\"r\",\"100\"]\n"),
    ] {
        let text = format!(
            "{{\"version\":2,\"width\":80,\"height\":24,{header}}}\n[0.5,\"o\",\"one\\r\\n\"]\n{event}[2.0,\"o\",\"two\\r\\n\"]\n"
        );
        fs::write(&refused, text).expect("a file");
        assert!(!converts(&refused), "asciinema takes it: {header} {event}");
        for format in ["asciicast-v2", "asciicast-v3"] {
            let _ = fs::remove_file(&exported);
            let (_, err, status) = run(&["export", "--to", format, arg(&refused), "-o", arg(&exported)]);
            assert_eq!(status, Some(0), "{err}");
            assert!(err.contains(&format!(": dropped the invalid {what} ")), "{err}");
            assert!(converts(&exported), "{format}: {header} {event}");
            assert_eq!(fs::read_to_string(&read).expect("a text").trim_end(), "one\ntwo");
        }
    }
}

/// asciinema 3, named by `RECMODE_TEST_ASCIINEMA3` or on the path. Where it is missing, that is reported, and is a
/// failure under `RECMODE_TEST_NO_SKIP`.
fn asciinema_3() -> Option<String> {
    let named = std::env::var("RECMODE_TEST_ASCIINEMA3").ok();
    let found = named.into_iter().chain(["asciinema".to_owned()]).find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.stdout.starts_with(b"asciinema 3."))
    });
    if found.is_none() {
        eprintln!("skipped: needs asciinema 3");
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "not skipped: needs asciinema 3");
    }
    found
}

#[test]
fn an_export_that_fails_or_is_interrupted_leaves_what_was_there() {
    let dir = folder();
    let out = dir.path().join("page.html");
    fs::write(&out, "before").expect("a file");
    let files = || fs::read_dir(dir.path()).expect("a directory").count();
    let (_, err, status) = run(&["export", "--to", "html", arg(&fixture("garbage.cast")), "-o", arg(&out)]);
    assert_eq!((status, files()), (Some(2), 1));
    assert!(err.contains("garbage.cast: line 3, column 9: "), "{err}");
    // Waits for more of its input when the signal comes.
    let mut child = crate::support::recmode()
        .args(["export", "--to", "asciicast-v2", "-", "-o", arg(&out)])
        .stdin(Stdio::piped())
        .spawn()
        .expect("recmode runs");
    let mut input = child.stdin.take().expect("a pipe");
    // More than a pipe holds: when it is taken, the export has begun.
    let text = fs::read(fixture("raw-v3.cast")).expect("a fixture");
    let text = [text.as_slice(), &b"[0.0,\"o\",\"more\"]\n".repeat(100_000)].concat();
    std::io::Write::write_all(&mut input, &text).expect("taken");
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("a signal");
    assert!(!child.wait().expect("its end").success());
    assert_eq!((files(), fs::read_to_string(&out).expect("a file").as_str()), (1, "before"));
}

#[test]
fn where_a_file_needs_a_name_from_the_start_an_interrupted_export_leaves_none() {
    if !has("strace") {
        return;
    }
    let dir = folder();
    // A file system without nameless files: of two calls for each file, the nameless one's is the first.
    let strace = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=openat:error=EOPNOTSUPP:when=1+2", "-P"];
    let mut child = Command::new("strace")
        .args(strace)
        .args([arg(dir.path()), env!("CARGO_BIN_EXE_recmode"), "export", "--to", "typescript", "-", "-o"])
        .arg(dir.path().join("session"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("strace runs");
    let mut input = child.stdin.take().expect("a pipe");
    let text = fs::read(fixture("raw-v3.cast")).expect("a fixture");
    let text = [text.as_slice(), &b"[0.0,\"o\",\"more\"]\n".repeat(100_000)].concat();
    std::io::Write::write_all(&mut input, &text).expect("taken");
    let files = || fs::read_dir(dir.path()).expect("a directory").count();
    assert_eq!(files(), 2, "both are being written under other names");
    let children =
        fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).expect("its children");
    let pid = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("recmode");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGINT)
        .expect("a signal");
    assert!(!child.wait().expect("its end").success());
    assert_eq!(files(), 0);
    drop(input);
}

#[test]
fn an_animation_is_shown_by_a_browser() {
    let page = browsed("svg");
    assert!(page.is_empty() || (page.contains(">pass</text>") && page.contains("second page")), "{page}");
}

/// Exports, and has the result shown: it must not be blank. Gives what the browser made of it, or
/// nothing where there is none.
fn browsed(format: &str) -> String {
    if !has("chromium") {
        return String::new();
    }
    let dir = folder();
    let out = dir.path().join(format!("session.{format}"));
    let (_, err, status) =
        run(&["export", "--to", format, arg(&fixture("full-screen.cast")), "-o", arg(&out)]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let picture = dir.path().join("shot.png");
    browse(&out, &[&format!("--screenshot={}", picture.display())]);
    assert!(colours(&picture) > 20, "the picture is blank");
    browse(&out, &["--dump-dom"])
}

/// How many different runs of four bytes there are in a picture, once unpacked.
fn colours(picture: &Path) -> usize {
    let png = fs::read(picture).expect("a picture");
    let mut packed = Vec::new();
    let mut rest = &png[8..];
    while let Some((head, after)) = rest.split_at_checked(8) {
        let length = u32::from_be_bytes(head[..4].try_into().expect("four bytes")) as usize;
        if &head[4..] == b"IDAT" {
            packed.extend_from_slice(&after[..length]);
        }
        rest = &after[length + 4..];
    }
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("a picture");
    bytes.chunks_exact(4).collect::<std::collections::HashSet<_>>().len()
}
