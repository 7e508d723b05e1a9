//! `recmode recover` over directories whose owners change them meanwhile.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
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
    assert!(printed.contains("/a/first.cast: recovered; "), "{printed}");
    assert!(err.ends_with("/b/second.cast: its directory has been replaced\n"), "{err}");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn links_that_come_and_go_never_lead_outside() {
    let dir = tempfile::tempdir().expect("a directory");
    let outside = tempfile::tempdir().expect("a directory");
    let (below, link) = (dir.path().join("tree/b"), dir.path().join("link"));
    let names: Vec<String> = (0..20).map(|n| format!("{n}.cast")).collect();
    let outside_file = |name: &String| outside.path().join(name);
    let text = open_recording(&outside_file(&names[0]));
    for name in &names {
        drop(open_recording(&outside_file(name)));
    }
    symlink(outside.path(), &link).expect("a link");
    fs::create_dir_all(&below).expect("mkdir");
    // The directory, whatever its name is at the moment.
    let held = File::open(&below).expect("the directory");
    let inside = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // The two change places at once: the name is always there.
                renameat2(AT_FDCWD, &below, AT_FDCWD, &link, RenameFlags::RENAME_EXCHANGE)
                    .expect("exchanged");
            }
        });
        for _ in 0..20 {
            for name in &names {
                let _ = fs::remove_file(inside.join(format!("{name}.torn")));
                fs::write(inside.join(name), &text).expect("written");
            }
            let _ = run(&["recover", arg(&dir.path().join("tree"))]);
        }
        done.store(true, Ordering::Relaxed);
    });
    for name in &names {
        assert_eq!(fs::read_to_string(outside_file(name)).expect("read"), text);
    }
    assert_eq!(fs::read_dir(outside.path()).expect("read").count(), names.len());
}

#[test]
fn a_link_where_the_torn_end_is_to_be_kept_is_not_followed() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("x.cast");
    let target = dir.path().join("target");
    let text = open_recording(&file);
    symlink(&target, dir.path().join("x.cast.torn")).expect("a link");
    let (out, err, status) = run(&["recover", arg(dir.path())]);
    assert_eq!((out.as_str(), status), ("", Some(2)));
    assert!(err.contains("x.cast: its torn tail can't be kept in "), "{err}");
    assert_eq!((target.exists(), fs::read_to_string(&file).expect("read")), (false, text));
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
    assert!(out.contains("/z.cast: recovered; "), "{out}");
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let (_, err, status) = run(&["recover", arg(&pipe)]);
    assert!(err.ends_with("pipe.cast: not a regular file\n") && status == Some(2), "{err}");
}
