//! `recmode recover` over directories whose owners change them meanwhile.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{AT_FDCWD, FcntlArg, OFlag, RenameFlags, fcntl, renameat2};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::support::recmode;
use crate::{arg, recording, run};

/// A recording that a crash left open.
fn open_recording(path: &Path) -> String {
    let text = recording("alice", "strict", 1_795_305_600, "[0.5,\"o\",\"hi\"]\n[0.1,\"o\",\"to");
    fs::create_dir_all(path.parent().expect("a directory")).expect("mkdir");
    fs::write(path, &text).expect("written");
    text
}

/// A pipe that is full, so that the first line that is printed to it waits.
struct FullPipe {
    reader: File,
    filled: usize,
}

fn start_with_full_pipe(args: &[&str]) -> (Child, FullPipe) {
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096)).expect("a small pipe");
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("does not wait");
    let mut fill = File::from(writer.try_clone().expect("dup"));
    let mut filled = 0;
    while let Ok(n) = fill.write(&[b'\n'; 512]) {
        filled += n;
    }
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).expect("waits");
    let child = recmode().args(args).stdout(writer).stderr(Stdio::piped()).spawn().expect("recmode runs");
    (child, FullPipe { reader: reader.into(), filled })
}

impl FullPipe {
    /// Lets the program go on; what it printed.
    fn drain(mut self) -> String {
        let mut text = vec![0; self.filled];
        self.reader.read_exact(&mut text).expect("read");
        let mut printed = String::new();
        self.reader.read_to_string(&mut printed).expect("read");
        printed
    }
}

/// Waits until a file that was open for writing is closed.
fn closed_after(path: &Path, act: impl FnOnce() -> (Child, FullPipe)) -> (Child, FullPipe) {
    let watch = Inotify::init(InitFlags::IN_CLOEXEC).expect("inotify");
    watch.add_watch(path, AddWatchFlags::IN_CLOSE_WRITE).expect("a watch");
    let started = act();
    watch.read_events().expect("it is closed");
    started
}

#[test]
fn a_directory_that_becomes_a_link_meanwhile_leads_nowhere() {
    let dir = tempfile::tempdir().expect("a directory");
    let outside = tempfile::tempdir().expect("a directory");
    let (below, first) = (dir.path().join("b"), dir.path().join("a/first.cast"));
    open_recording(&first);
    open_recording(&below.join("second.cast"));
    let text = open_recording(&outside.path().join("second.cast"));
    // It waits when it prints the first line, and has listed everything by then.
    let (mut child, pipe) = closed_after(&first, || start_with_full_pipe(&["recover", arg(dir.path())]));
    fs::rename(&below, dir.path().join("was")).expect("renamed");
    symlink(outside.path(), &below).expect("a link");
    let printed = pipe.drain();
    let mut err = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut err).expect("read");
    let status = child.wait().expect("its end");
    assert_eq!(fs::read_to_string(outside.path().join("second.cast")).expect("read"), text);
    assert!(printed.ends_with("/a/first.cast.torn\n"), "{printed}");
    assert!(err.ends_with("/b/second.cast: its directory has been replaced\n"), "{err}");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn links_that_come_and_go_never_lead_outside() {
    let dir = tempfile::tempdir().expect("a directory");
    let outside = tempfile::tempdir().expect("a directory");
    let (below, link) = (dir.path().join("tree/b"), dir.path().join("link"));
    let text = open_recording(&outside.path().join("x.cast"));
    symlink(outside.path(), &link).expect("a link");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            fs::create_dir_all(&below).expect("mkdir");
            while !done.load(Ordering::Relaxed) {
                // The two change places at once: the name is always there.
                renameat2(AT_FDCWD, &below, AT_FDCWD, &link, RenameFlags::RENAME_EXCHANGE)
                    .expect("exchanged");
            }
        });
        for _ in 0..50 {
            // One of the two is the directory.
            for place in [&below, &link] {
                let _ = fs::write(place.join("y.cast"), &text);
            }
            let _ = run(&["recover", arg(&dir.path().join("tree"))]);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_to_string(outside.path().join("x.cast")).expect("read"), text);
}

#[test]
fn a_file_with_another_name_is_recovered_only_where_it_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let outside = tempfile::tempdir().expect("a directory");
    let (file, other): (PathBuf, PathBuf) = (dir.path().join("x.cast"), outside.path().join("y.cast"));
    let text = open_recording(&other);
    fs::hard_link(&other, &file).expect("a link");
    let (out, err, status) = run(&["recover", arg(dir.path())]);
    assert_eq!((out.as_str(), status), ("", Some(2)));
    assert!(
        err.ends_with("x.cast: it has 2 names (hard links): not recovered unless it is named itself\n"),
        "{err}"
    );
    assert_eq!(fs::read_to_string(&other).expect("read"), text);
    assert_eq!(run(&["recover", arg(&file)]).2, Some(0));
    assert_ne!(fs::read_to_string(&other).expect("read"), text);
}

#[test]
fn special_files_are_not_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipe = dir.path().join("pipe.cast");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket.cast")).expect("a socket");
    open_recording(&dir.path().join("z.cast"));
    let (out, err, status) = run(&["recover", arg(dir.path())]);
    assert!(out.ends_with("/z.cast.torn\n"), "{out}");
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let (_, err, status) = run(&["recover", arg(&pipe)]);
    assert!(err.ends_with("pipe.cast: not a regular file\n") && status == Some(2), "{err}");
}
