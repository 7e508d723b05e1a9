//! The user's terminal: a real PTY, its reader, and the command on it.

use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::Signal;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use super::lab::{end_all, wait};
use super::process::{self, Pid};
use super::{Lab, SOON, find, show};

/// A terminal with a command that leads its session.
pub(crate) struct Outer {
    master: Option<OwnedFd>,
    slave: Option<OwnedFd>,
    child: Child,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    cursor: usize,
    status: Option<i32>,
    initial: Termios,
}

#[derive(Default)]
struct Shared {
    seen: SeenLock,
    changed: Condvar,
    paused: AtomicBool,
    quit: AtomicBool,
}

/// A lock that a failed assertion leaves usable.
#[derive(Default)]
struct SeenLock(Mutex<Seen>);

impl SeenLock {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    closed: bool,
}

/// What there was to see once the command had ended.
pub(crate) struct End {
    pub(crate) status: i32,
    pub(crate) seen: Vec<u8>,
    /// Whether the terminal's modes are what they were.
    pub(crate) restored: bool,
}

impl Outer {
    /// Runs a command as the leader of a session on a new terminal.
    pub(crate) fn spawn<S: AsRef<str>>(lab: &Lab, size: (u16, u16), argv: &[S]) -> Self {
        Self::spawn_with(lab, size, |_| {}, argv)
    }

    /// The same, with the terminal's modes changed first.
    pub(crate) fn spawn_with<S: AsRef<str>>(
        lab: &Lab,
        (cols, rows): (u16, u16),
        change: impl FnOnce(&mut Termios),
        argv: &[S],
    ) -> Self {
        let size = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).expect("openpty");
        for fd in [&pty.master, &pty.slave] {
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("fcntl");
        }
        fcntl(&pty.master, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK)).expect("fcntl");
        let mut initial = tcgetattr(&pty.slave).expect("tcgetattr");
        change(&mut initial);
        tcsetattr(&pty.slave, SetArg::TCSANOW, &initial).expect("tcsetattr");
        let initial = tcgetattr(&pty.slave).expect("tcgetattr");

        let end = || Stdio::from(pty.slave.try_clone().expect("dup"));
        let mut command = lab.command(true, argv);
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("setsid of util-linux");
        drop(command);

        let shared = Arc::new(Shared::default());
        let reader = {
            let (master, shared) = (pty.master.try_clone().expect("dup"), Arc::clone(&shared));
            thread::spawn(move || collect(&master, &shared))
        };
        Self {
            master: Some(pty.master),
            slave: Some(pty.slave),
            child,
            shared,
            reader: Some(reader),
            cursor: 0,
            status: None,
            initial,
        }
    }

    /// The process that was started (and became what it executed).
    pub(crate) fn pid(&self) -> Pid {
        self.child.id().cast_signed()
    }

    fn master(&self) -> &OwnedFd {
        self.master.as_ref().expect("not hung up")
    }

    /// Types.
    #[track_caller]
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) {
        let mut rest = bytes.as_ref();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !rest.is_empty() {
            assert!(Instant::now() < deadline, "the terminal took no input, {} bytes left", rest.len());
            ready(self.master(), PollFlags::POLLOUT);
            match nix::unistd::write(self.master(), &rest[..rest.len().min(4096)]) {
                Ok(n) => rest = &rest[n..],
                Err(Errno::EAGAIN) => thread::sleep(Duration::from_millis(1)),
                Err(error) => panic!("writing to the terminal: {error}"),
            }
        }
    }

    /// Types what the terminal takes at once: a session may have stopped reading.
    pub(crate) fn try_send(&self, bytes: impl AsRef<[u8]>) -> bool {
        nix::unistd::write(self.master(), bytes.as_ref()).is_ok()
    }

    /// Waits until `pattern` is shown after what was waited for before.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, pattern: impl AsRef<[u8]>) {
        self.wait_for_within(SOON, pattern);
    }

    #[track_caller]
    pub(crate) fn wait_for_within(&mut self, limit: Duration, pattern: impl AsRef<[u8]>) {
        let pattern = pattern.as_ref();
        let mut deadline = Instant::now() + limit;
        let mut ended = false;
        let mut from = self.cursor;
        let mut seen = self.shared.seen.lock();
        loop {
            if let Some(at) = find(&seen.bytes[from..], pattern) {
                self.cursor = from + at + pattern.len();
                return;
            }
            from = from.max((seen.bytes.len() + 1).saturating_sub(pattern.len()));
            if !ended && self.child.try_wait().expect("wait").is_some() {
                // What it wrote last may still be on its way.
                ended = true;
                deadline = deadline.min(Instant::now() + Duration::from_millis(500));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !seen.closed,
                "{:?} not shown {}; seen {}",
                String::from_utf8_lossy(pattern),
                if ended { "before the end".to_owned() } else { format!("within {limit:?}") },
                show(&seen.bytes)
            );
            seen =
                self.shared.changed.wait_timeout(seen, left.min(Duration::from_millis(100))).expect("lock").0;
        }
    }

    /// Waits until `pattern` is shown, or the command has ended without.
    #[track_caller]
    pub(crate) fn shows_or_ends(&mut self, limit: Duration, pattern: &str) -> bool {
        super::until(limit, "what is to be shown, or the end", || {
            find(&self.seen(), pattern).is_some() || self.child.try_wait().expect("wait").is_some()
        });
        find(&self.seen(), pattern).is_some()
    }

    /// Waits until so many bytes were shown.
    #[track_caller]
    pub(crate) fn wait_for_bytes(&self, n: usize) {
        super::until(Duration::from_secs(20), "enough output", || self.seen_len() >= n);
    }

    /// All that was shown so far.
    pub(crate) fn seen(&self) -> Vec<u8> {
        self.shared.seen.lock().bytes.clone()
    }

    pub(crate) fn seen_len(&self) -> usize {
        self.shared.seen.lock().bytes.len()
    }

    /// Stops or starts reading: a user's terminal that is slow.
    pub(crate) fn pause(&self, paused: bool) {
        self.shared.paused.store(paused, Ordering::SeqCst);
    }

    pub(crate) fn modes(&self) -> Termios {
        tcgetattr(self.master()).expect("tcgetattr")
    }

    /// Whether the terminal's modes are what they were at the start.
    pub(crate) fn is_restored(&self) -> bool {
        self.modes() == self.initial
    }

    pub(crate) fn is_raw(&self) -> bool {
        let cooked = LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        !self.modes().local_flags.intersects(cooked)
    }

    #[track_caller]
    pub(crate) fn wait_raw(&self) {
        super::until(SOON, "raw mode", || self.is_raw());
    }

    #[track_caller]
    pub(crate) fn wait_restored(&self) {
        super::until(SOON, "the initial modes", || self.is_restored());
    }

    /// Resizes the window; the kernel tells the foreground process group.
    pub(crate) fn resize(&self, (cols, rows): (u16, u16)) {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(self.master().as_fd(), size).expect("tcsetwinsize");
    }

    pub(crate) fn kill(&self, signal: Signal) {
        process::kill(self.pid(), signal);
    }

    /// Closes the terminal, as a window that is closed does.
    pub(crate) fn hang_up(&mut self) {
        self.stop_reader();
        self.slave = None;
        self.master = None;
    }

    /// Waits for the command to end.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self, limit: Duration) -> i32 {
        if self.status.is_none() {
            let seen = Arc::clone(&self.shared);
            let child = &mut self.child;
            let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait(child, limit)))
                .unwrap_or_else(|_| {
                    let seen = seen.seen.lock();
                    panic!("no end within {limit:?}; seen {}", show(&seen.bytes))
                });
            self.status = Some(status);
        }
        self.status.expect("set above")
    }

    /// Waits for the command to end and for all that it showed.
    #[track_caller]
    pub(crate) fn end(&mut self) -> End {
        self.end_within(Duration::from_secs(20))
    }

    #[track_caller]
    pub(crate) fn end_within(&mut self, limit: Duration) -> End {
        let status = self.wait_exit(limit);
        let restored = self.is_restored();
        // Without a slave end, reading ends after the last byte.
        self.slave = None;
        super::until(SOON, "the end of the terminal's output", || self.shared.seen.lock().closed);
        End { status, seen: self.seen(), restored }
    }

    fn stop_reader(&mut self) {
        self.shared.quit.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        if self.status.is_none() {
            end_all(&mut self.child);
        }
        self.stop_reader();
    }
}

/// Waits a little for the descriptor to be ready.
fn ready(fd: &OwnedFd, events: PollFlags) -> PollFlags {
    let mut fds = [PollFd::new(fd.as_fd(), events)];
    match poll(&mut fds, 20u8) {
        Ok(1..) => fds[0].revents().unwrap_or(PollFlags::empty()),
        _ => PollFlags::empty(),
    }
}

fn collect(master: &OwnedFd, shared: &Shared) {
    let mut buffer = vec![0; 65536];
    while !shared.quit.load(Ordering::SeqCst) {
        if shared.paused.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
            continue;
        }
        if ready(master, PollFlags::POLLIN).is_empty() {
            continue;
        }
        match nix::unistd::read(master, &mut buffer) {
            Ok(n @ 1..) => shared.seen.lock().bytes.extend_from_slice(&buffer[..n]),
            Err(Errno::EAGAIN | Errno::EINTR) => continue,
            // EIO: the last slave end was closed.
            Ok(_) | Err(_) => break,
        }
        shared.changed.notify_all();
    }
    shared.seen.lock().closed = true;
    shared.changed.notify_all();
}
