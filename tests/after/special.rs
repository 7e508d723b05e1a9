//! What is no ordinary file in a user's directory: it holds nobody who looks at the recordings there.

use std::fs::{self, File};
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::{arg, end, fixture, is_root, recording, run};

#[test]
fn special_files_and_holes_hold_nobody() {
    let dir = tempfile::tempdir().expect("a directory");
    let below = dir.path().join("below");
    fs::create_dir(&below).expect("mkdir");
    let at = |name: &str| below.join(name);
    fs::write(at("good.cast"), recording("alice", "strict", 1, &end(0, 1.0, 0))).expect("written");
    nix::unistd::mkfifo(&at("pipe.cast"), Mode::S_IRWXU).expect("a pipe");
    let _socket = UnixListener::bind(at("socket.cast")).expect("a socket");
    // 4 TiB of nothing, by a name that is no recording's and by one that is.
    for name in ["hole", "hole.cast"] {
        File::create(at(name)).and_then(|file| file.set_len(4 << 40)).expect("a sparse file");
    }
    let mut odd = vec!["hole.cast", "pipe.cast", "socket.cast"];
    if nix::unistd::geteuid().is_root() {
        mknod(&at("zero.cast"), SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 5)).expect("a device");
        odd.push("zero.cast");
    } else {
        let _ = is_root();
    }
    let d = arg(&below);
    for args in
        [&["ls", d][..], &["search", "alice", d], &["verify", d], &["prune", "--older-than", "90d", d]]
    {
        let (_, err, status) = run(args);
        let mut named: Vec<&str> = err.lines().filter_map(|line| line.split(": ").nth(1)).collect();
        named.sort_unstable();
        let named: Vec<_> = named.iter().filter_map(|path| Path::new(path).file_name()?.to_str()).collect();
        assert_eq!((named, status), (odd.clone(), Some(2)), "{args:?}: {err}");
    }
    let (out, err, status) = run(&["recover", d]);
    assert_eq!((out, err.as_str(), status), (format!("{d}/good.cast: complete\n"), "", Some(0)));
}

#[test]
fn a_device_or_pipe_that_is_named_is_refused_and_never_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let (link, pipe) = (dir.path().join("zero.cast"), dir.path().join("pipe.cast"));
    std::os::unix::fs::symlink("/dev/zero", &link).expect("a link");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let signed = fixture("raw-v3.cast");
    for (args, why) in [
        (vec!["ls", arg(&link)], "zero.cast: a device"),
        (vec!["ls", "/dev/zero"], "/dev/zero: a device"),
        (vec!["ls", arg(&pipe)], "pipe.cast: a named pipe"),
        (vec!["verify", "--allowed-signers", arg(&pipe), arg(&signed)], "pipe.cast: a named pipe"),
    ] {
        let (_, err, status) = run(&args);
        assert!(err.contains(why) && status == Some(2), "{args:?}: {err}");
    }
}
