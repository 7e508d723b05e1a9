//! What a recording may come from: a pipe, a compressed file, a file with holes.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::Command;

use crate::{arg, fixture, has, recording, run};

/// The subcommands that read a recording which is named.
fn readers(file: &str) -> Vec<Vec<&str>> {
    let mut readers = vec![
        vec!["cat", file],
        vec!["info", file],
        vec!["play", file],
        vec!["verify", file],
        vec!["search", "x", file],
    ];
    readers.extend(["asciicast-v3", "txt", "html", "svg"].map(|to| vec!["export", "--to", to, file]));
    readers
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(text).expect("compressed");
    gzip.finish().expect("compressed")
}

#[test]
fn a_named_pipe_is_refused_and_never_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipe = dir.path().join("pipe.cast");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    for args in readers(arg(&pipe)) {
        let (out, err, status) = run(&args);
        assert_eq!((out.as_str(), status), ("", Some(2)), "{args:?}");
        assert!(err.contains("pipe.cast: ") && err.contains("pipe"), "{args:?}: {err}");
    }
    for args in [["ls", arg(dir.path())], ["verify", arg(dir.path())]] {
        let (_, err, status) = run(&args);
        assert!(err.contains("pipe.cast: no file") && status == Some(2), "{args:?}: {err}");
    }
}

#[test]
fn a_pipe_of_the_shell_is_read() {
    if !has("bash") {
        return;
    }
    let plain = fixture("no-newline.cast");
    for args in ["cat", "info", "play --speed 1000", "export --to txt"] {
        let script = format!("exec \"$1\" {args} <(cat \"$2\")");
        let output = Command::new("bash")
            .args(["-c", &script, "bash", env!("CARGO_BIN_EXE_recmode"), arg(&plain)])
            .output()
            .expect("bash runs");
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("hello") || text.contains("complete"), "{args}: {text}");
    }
}

#[test]
fn padding_behind_gzip_is_nothing_and_garbage_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast.gz");
    let text = fs::read(fixture("raw-v3.cast")).expect("a fixture");
    let whole = run(&["cat", arg(&fixture("raw-v3.cast"))]).0;
    fs::write(&file, [packed(&text), vec![0; 10_000]].concat()).expect("a file");
    assert_eq!(run(&["cat", arg(&file)]), (whole.clone(), String::new(), Some(0)));
    let (out, _, status) = run(&["ls", "--format", "csv", arg(&file)]);
    assert!(out.contains(",complete,") && status == Some(0), "{out}");
    fs::write(&file, [packed(&text), b"\0\0more".to_vec()].concat()).expect("a file");
    let (out, err, status) = run(&["cat", arg(&file)]);
    assert_eq!((out, status), (whole, Some(2)));
    assert!(err.contains("garbage follows the gzip data") && !err.contains("cut off"), "{err}");
}

#[test]
fn what_decompresses_to_far_more_than_anybody_saw_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast.gz");
    let line = format!("[0.0,\"o\",\"{}\"]\n", "y".repeat(1 << 20));
    let text = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n".to_owned() + &line.repeat(72);
    fs::write(&file, packed(text.as_bytes())).expect("a file");
    let (_, err, status) = run(&["info", arg(&file)]);
    assert!(err.contains(" bytes decompress to more than 64 MiB and 50 times that"), "{err}");
    assert!(err.contains("decompress it first") && status == Some(2), "{err}");
}

/// Reads in a moment what would take hours.
#[test]
fn a_hole_is_not_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    let write = |text: &[u8], hole: u64, rest: &str| {
        let mut out = File::create(&file).expect("a file");
        out.write_all(text).expect("written");
        out.set_len(text.len() as u64 + hole).is_ok()
            && out.seek(SeekFrom::End(0)).is_ok()
            && out.write_all(rest.as_bytes()).is_ok()
    };
    let text = recording("alice", "strict", 1, "[0.5, \"o\", \"x\\r\\n\"]\n[0.1, \"o\", \"to");
    let large = 15 << 40;
    assert!(write(text.as_bytes(), large, ""), "a sparse file of 15 TB");
    let (out, err, _) = run(&["cat", arg(&file)]);
    assert!(out == "x\n" && err.contains("cut off in line 3"), "{out}{err}");
    for args in readers(arg(&file)).into_iter().filter(|args| args[0] != "verify") {
        assert!(run(&args).2.is_some(), "{args:?} ends");
    }
    assert!(run(&["ls", "--format", "csv", arg(&file)]).0.contains(",cut-off,"));
    let (out, ..) = run(&["recover", arg(&file)]);
    assert!(out.contains("; 14 bytes of a torn end are kept in "), "{out}");
    assert!(fs::metadata(&file).expect("a file").len() < 4096);
    assert!(write(text.as_bytes(), large, "\n"));
    let (out, err, status) = run(&["cat", arg(&file)]);
    assert!(out == "x\n" && status == Some(2), "{out}");
    assert!(err.contains("a.cast: line 3: cannot be read: from byte "), "{err}");
    assert!(err.contains(" bytes were never written (a hole in the file)"), "{err}");
    assert!(write(&packed(text.as_bytes()), large, ""));
    assert_eq!(run(&["cat", arg(&file)]).0, "x\n", "padding of a compressed one");
}

#[test]
fn a_device_is_no_recording() {
    let (_, err, status) = run(&["cat", "/dev/zero"]);
    assert_eq!((err.as_str(), status), ("recmode: /dev/zero: a device, no recording\n", Some(2)));
}
