//! File names that are not UTF-8, in JSON and for people.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::{arg, end, outcome, recording, support};

#[test]
fn a_name_that_is_no_utf8_survives_json() {
    let dir = tempfile::tempdir().expect("a directory");
    let (odd, plain) = (dir.path().join(OsStr::from_bytes(b"caf\xe9.cast")), dir.path().join("plain.cast"));
    for file in [&odd, &plain] {
        let lines = format!("[0.5,\"o\",\"hello\\r\\n\"]\n{}", end(0, 0.5, 0));
        fs::write(file, recording("alice", "strict", 1, &lines)).expect("a file");
    }
    let base64 = BASE64_STANDARD.encode(odd.as_os_str().as_bytes());
    let d = arg(dir.path());
    let printed = |args: &[&str], file: Option<&OsStr>| {
        let mut command = support::recmode();
        outcome(&command.args(args).args(file).output().expect("recmode runs")).0
    };
    let odd_name = Some(odd.as_os_str());
    for (args, file) in [
        (&["ls", "--format", "json", d][..], None),
        (&["verify", "--format", "json", d], None),
        (&["search", "--format", "json", "hello", d], None),
        (&["prune", "--format", "json", "--max-total", "1", d], None),
        (&["info", "--format", "json"], odd_name),
        (&["verify", "--format", "json"], odd_name),
    ] {
        let text = printed(args, file).replace("\": ", "\":");
        assert!(text.contains(&format!("\"file_base64\":\"{base64}\"")), "{args:?}: {text}");
        assert!(text.contains("caf\u{fffd}.cast\""), "{args:?}: {text}");
        assert_eq!(text.matches("file_base64").count(), 1, "only where it is needed: {args:?}: {text}");
    }
    for (args, file) in [
        (&["ls", d][..], None),
        (&["verify", d], None),
        (&["search", "hello", d], None),
        (&["prune", "--max-total", "1", d], None),
        (&["info"], odd_name),
    ] {
        let text = printed(args, file);
        assert!(text.contains("caf\\xe9.cast"), "{args:?}: {text}");
    }
}
