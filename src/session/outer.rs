//! The user's terminal, or the streams that stand in for it: raw mode, size, bytes in and out.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::Winsize;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::socket::{MsgFlags, send};
use nix::sys::stat::{Mode, SFlag, fstat, makedev};
use nix::sys::termios::{LocalFlags, SetArg, Termios, cfmakeraw, tcgetattr, tcgetsid, tcsetattr};
use nix::unistd::{Pid, getpgrp, getpid, getuid, isatty, tcgetpgrp, ttyname};

use crate::sys;

/// What one call writes to a descriptor that can't be made non-blocking: a pipe that polls as
/// writable takes this much without blocking.
const SAFE_WRITE: usize = 4096;

/// Writes without waiting to a descriptor whose flags are not ours.
pub(super) fn write_polled(fd: BorrowedFd<'_>, bytes: &[u8]) -> nix::Result<usize> {
    let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
    if poll(&mut fds, PollTimeout::ZERO)? == 0 {
        return Err(Errno::EAGAIN);
    }
    nix::unistd::write(fd, &bytes[..bytes.len().min(SAFE_WRITE)])
}

/// What was done to the user's terminal.
#[derive(Debug, Clone, PartialEq)]
enum Raw {
    /// Nothing.
    No,
    /// It was set to raw mode.
    Set {
        /// From these settings, which are put back.
        before: Box<Termios>,
        /// To these.
        set: Box<Termios>,
    },
    /// It was in raw mode already: another recorder's, which puts it back.
    Found,
}

/// These settings in raw mode.
fn raw_of(settings: &Termios) -> Termios {
    let mut raw = settings.clone();
    cfmakeraw(&mut raw);
    raw
}

/// The terminal to put back, for the hook that runs when the program panics.
static RAW: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);
/// The terminal that is to be opened by others again, likewise.
static EXCLUSIVE: Mutex<Option<OwnedFd>> = Mutex::new(None);

/// How a descriptor is written without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// Opened by us with O_NONBLOCK.
    NonBlocking,
    /// Shared with others, so that its flags are not ours: poll, then little at a time.
    Polled,
    Socket,
    /// A file takes every write.
    File,
}

/// A descriptor that bytes go out by, without waiting.
#[derive(Debug)]
pub struct Sink {
    fd: OwnedFd,
    writing: Writing,
}

impl Sink {
    /// A descriptor whose flags are ours: it does not wait.
    pub fn own(fd: OwnedFd) -> Self {
        Self { fd, writing: Writing::NonBlocking }
    }

    /// A descriptor that others have, too. A pipe is opened afresh where that is allowed, so that
    /// O_NONBLOCK stays ours.
    fn shared(fd: OwnedFd) -> Self {
        let kind = fstat(&fd)
            .map_or(SFlag::empty(), |stat| SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()));
        let writing = match kind {
            SFlag::S_IFIFO => {
                let own = format!("/proc/self/fd/{}", fd.as_raw_fd());
                let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
                match open(own.as_str(), flags, Mode::empty()) {
                    Ok(fresh) => return Self::own(fresh),
                    Err(_) => Writing::Polled,
                }
            }
            SFlag::S_IFSOCK => Writing::Socket,
            SFlag::S_IFREG => Writing::File,
            _ => Writing::Polled,
        };
        Self { fd, writing }
    }

    /// Writes without waiting; returns how much was taken.
    ///
    /// # Errors
    /// Those of write(2); EAGAIN where the reader is slow.
    pub fn write(&self, bytes: &[u8]) -> nix::Result<usize> {
        match self.writing {
            Writing::NonBlocking | Writing::File => nix::unistd::write(&self.fd, bytes),
            Writing::Socket => {
                send(self.fd.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)
            }
            Writing::Polled => write_polled(self.fd.as_fd(), bytes),
        }
    }

    /// Whether the kernel may move bytes here without ever waiting for the reader.
    #[must_use]
    pub fn takes_splices(&self) -> bool {
        // A socket waits unless its own flags say no; what is polled takes but a little safely.
        matches!(self.writing, Writing::NonBlocking | Writing::File)
    }
}

impl AsFd for Sink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The user's streams in a session without a terminal.
#[derive(Debug)]
pub struct Streams {
    /// What the command is to read.
    pub stdin: OwnedFd,
    /// Where its output goes.
    pub stdout: Sink,
    /// Where its errors go.
    pub stderr: Sink,
}

impl Streams {
    /// Takes standard input and output from this process, so that whoever is at their other ends
    /// sees them close when the command closes its own; standard error is shared, for messages.
    ///
    /// # Errors
    /// Those of duplicating a descriptor.
    pub fn take() -> io::Result<Self> {
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let own = Self {
            stdin: stdin.as_fd().try_clone_to_owned()?,
            stdout: Sink::shared(stdout.as_fd().try_clone_to_owned()?),
            stderr: Sink::shared(stderr.as_fd().try_clone_to_owned()?),
        };
        sys::null_streams(0..=1)?;
        Ok(own)
    }
}

/// Where the session's input comes from and its output goes.
#[derive(Debug)]
pub struct Outer {
    /// The terminal that keys are typed on: standard input, or, where that is a stream, the terminal
    /// that shows the output, as a pager inside reads its keys from there.
    keyboard: Option<OwnedFd>,
    /// Standard input, where it is no terminal.
    stream: Option<OwnedFd>,
    output: Sink,
    output_is_terminal: bool,
    /// The user's settings at the start, where there is a terminal.
    settings: Option<Termios>,
    raw: Raw,
    /// Whether this process leads its group.
    leads: bool,
    /// The terminal's name, where it has one that leads to it here.
    name: Option<PathBuf>,
    /// Nobody else can open the terminal.
    exclusive: bool,
}

impl Outer {
    /// Looks at the standard streams. A terminal is opened afresh, so that O_NONBLOCK stays ours.
    ///
    /// # Errors
    /// Those of duplicating a descriptor.
    pub fn open() -> io::Result<Self> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let input_is_terminal = isatty(&stdin).unwrap_or(false);
        let output_is_terminal = isatty(&stdout).unwrap_or(false);
        let fresh = |fd: BorrowedFd<'_>| {
            let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            let own = format!("/proc/self/fd/{}", fd.as_raw_fd());
            // The second, as a terminal need not control us.
            let mut opened =
                ["/dev/tty", &own].into_iter().filter_map(|path| open(path, flags, Mode::empty()).ok());
            opened.find(|tty| sys::is_terminal_same(tty, fd))
        };
        let (mut keyboard, mut stream) = (None, None);
        if input_is_terminal {
            keyboard = Some(match fresh(stdin.as_fd()) {
                Some(tty) => tty,
                None => stdin.as_fd().try_clone_to_owned()?,
            });
        } else {
            stream = Some(stdin.as_fd().try_clone_to_owned()?);
            // Who is given nothing to read reads no terminal either: a job of a script's or of make's in the background.
            if output_is_terminal && !is_null(stdin.as_fd()) {
                keyboard = fresh(stdout.as_fd());
            }
        }
        let own = if output_is_terminal { fresh(stdout.as_fd()) } else { None };
        let output = match own {
            Some(tty) => Sink::own(tty),
            None => Sink::shared(stdout.as_fd().try_clone_to_owned()?),
        };
        let terminal = keyboard.as_ref().or_else(|| output_is_terminal.then_some(&output.fd));
        let settings = terminal.and_then(|terminal| tcgetattr(terminal).ok());
        let leads = getpgrp() == Pid::this();
        // By the descriptors that we were given: one that was opened as /dev/tty has that name.
        let given = [input_is_terminal.then(|| stdin.as_fd()), output_is_terminal.then(|| stdout.as_fd())];
        let name = given.into_iter().flatten().find_map(|terminal| ttyname(terminal).ok());
        let (raw, exclusive) = (Raw::No, false);
        Ok(Self { keyboard, stream, output, output_is_terminal, settings, raw, leads, name, exclusive })
    }

    /// Lets nobody but root open the terminal until this is dropped, where the terminal is this process's own: it leads the
    /// terminal's session, and its user owns the device. Under `su -` it is another user's, who is not to lose it.
    pub fn exclude_others(&mut self) {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let is_ours = |terminal: &BorrowedFd<'_>| {
            tcgetsid(terminal).is_ok_and(|leader| leader == getpid())
                && fstat(terminal).is_ok_and(|stat| stat.st_uid == getuid().as_raw())
        };
        let terminal = [stdin.as_fd(), stdout.as_fd()].into_iter().find(is_ours);
        if let (Some(terminal), Ok(mut hook)) = (terminal, EXCLUSIVE.lock())
            && let Ok(terminal) = terminal.try_clone_to_owned()
            && sys::set_exclusive(&terminal, true).is_ok()
        {
            *hook = Some(terminal);
            self.exclusive = true;
        }
    }

    /// Neither input nor output: those of a session without a terminal go their own way.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn none() -> io::Result<Self> {
        let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
        let output = Sink { fd: null.into(), writing: Writing::File };
        let (keyboard, stream, settings, name) = (None, None, None, None);
        let (output_is_terminal, raw, leads, exclusive) = (false, Raw::No, false, false);
        Ok(Self { keyboard, stream, output, output_is_terminal, settings, raw, leads, name, exclusive })
    }

    /// The name of the user's terminal, where it has one that leads to it here.
    #[must_use]
    pub fn name(&self) -> Option<&Path> {
        self.name.as_deref()
    }

    /// Whether standard input is a stream: no terminal.
    #[must_use]
    pub fn input_is_stream(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether output goes to a terminal.
    #[must_use]
    pub fn output_is_terminal(&self) -> bool {
        self.output_is_terminal
    }

    /// Whether the terminal is in raw mode.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.raw != Raw::No
    }

    /// The settings for the session's terminal: the user's, where there is a terminal, and it is not in raw mode for
    /// another recorder.
    #[must_use]
    pub fn settings(&self) -> Option<Termios> {
        let mut settings = self.settings.clone().filter(|settings| *settings != raw_of(settings))?;
        if self.keyboard.is_some() && (!self.output_is_terminal || !self.is_own()) {
            // The user's terminal is not raw then and shows what is typed; the session's would show
            // it once more, or put it into the data stream.
            settings.local_flags.remove(LocalFlags::ECHO);
        }
        Some(settings)
    }

    /// The terminal's size, where there is a terminal that knows it.
    #[must_use]
    pub fn window_size(&self) -> Option<Winsize> {
        [self.output_is_terminal.then_some(&self.output.fd), self.keyboard.as_ref()]
            .into_iter()
            .flatten()
            .find_map(|terminal| sys::window_size(terminal).ok())
            .filter(|size| size.ws_col > 0 && size.ws_row > 0)
    }

    /// Whether this process may read the terminal and change its settings without being stopped.
    #[must_use]
    pub fn in_foreground(&self) -> bool {
        // A terminal that doesn't control us has no foreground for us.
        let group = self.keyboard.as_ref().map(tcgetpgrp);
        group.is_none_or(|group| group.map_or(true, |group| group == getpgrp()))
    }

    /// Whether the keys come from the terminal that controls this process.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.keyboard.as_ref().is_some_and(|keyboard| tcgetpgrp(keyboard).is_ok())
    }

    /// Whether others may change the terminal, or who is in its foreground, without this process being told: another
    /// recorder, or a script that ends before its job does. Where this process leads its group, a shell tells it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        match self.raw {
            Raw::No => false,
            Raw::Set { .. } => !self.leads,
            Raw::Found => true,
        }
    }

    /// Enters raw mode where output goes to a terminal and keys come from one that controls this process, which is in
    /// its foreground. What is in raw mode already is left so, and not put back at the end.
    pub fn enter_raw(&mut self) {
        let Some(keyboard) = self.keyboard.as_ref().filter(|_| self.output_is_terminal) else { return };
        if matches!(self.raw, Raw::Set { .. }) || !self.is_own() || !self.in_foreground() {
            return;
        }
        let Ok(before) = tcgetattr(keyboard) else { return };
        let raw = raw_of(&before);
        if raw == before {
            self.raw = Raw::Found;
            return;
        }
        if set_terminal(keyboard.as_fd(), &raw).is_ok() {
            if let (Ok(mut hook), Ok(fd)) = (RAW.lock(), keyboard.try_clone()) {
                *hook = Some((fd, before.clone()));
            }
            // What the terminal has made of it.
            let set = Box::new(tcgetattr(keyboard).unwrap_or(raw));
            self.raw = Raw::Set { before: Box::new(before), set };
        }
    }

    /// Enters raw mode again after a stop, in which others may have used the terminal.
    pub fn enter_raw_again(&mut self) {
        if let (Raw::Set { before, .. }, Some(keyboard)) = (&self.raw, &self.keyboard) {
            let _ = set_terminal(keyboard.as_fd(), &raw_of(before));
        } else {
            self.enter_raw();
        }
    }

    /// Leaves raw mode. In the background the terminal is someone else's, and is left alone unless it still is as
    /// this process has set it.
    pub fn leave_raw(&mut self) {
        let Raw::Set { before, set } = std::mem::replace(&mut self.raw, Raw::No) else { return };
        if let Ok(mut hook) = RAW.lock() {
            *hook = None;
        }
        let Some(keyboard) = &self.keyboard else { return };
        if self.in_foreground() || tcgetattr(keyboard).is_ok_and(|current| current == *set) {
            let _ = set_terminal(keyboard.as_fd(), &before);
        }
    }

    /// The terminal that keys are typed on, if there is one.
    #[must_use]
    pub fn keyboard(&self) -> Option<BorrowedFd<'_>> {
        self.keyboard.as_ref().map(AsFd::as_fd)
    }

    /// Standard input, where it is a stream.
    #[must_use]
    pub fn stream(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(AsFd::as_fd)
    }

    /// Writes output without waiting; returns how much was taken.
    ///
    /// # Errors
    /// Those of write(2); EAGAIN where the reader is slow.
    pub fn write(&self, bytes: &[u8]) -> nix::Result<usize> {
        self.output.write(bytes)
    }

    /// What to poll before writing more output.
    #[must_use]
    pub fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        self.leave_raw();
        if self.exclusive
            && let Ok(mut hook) = EXCLUSIVE.lock()
            && let Some(terminal) = hook.take()
        {
            let _ = sys::set_exclusive(terminal, false);
        }
    }
}

/// Puts the terminal back when the program panics: the process aborts after the hook, so that
/// nothing else would.
pub fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(mut raw) = RAW.try_lock()
            && let Some((fd, saved)) = raw.take()
        {
            let _ = set_terminal(fd.as_fd(), &saved);
        }
        if let Ok(mut exclusive) = EXCLUSIVE.try_lock()
            && let Some(terminal) = exclusive.take()
        {
            let _ = sys::set_exclusive(terminal, false);
        }
        before(info);
    }));
}

/// Whether a descriptor is /dev/null.
fn is_null(fd: BorrowedFd<'_>) -> bool {
    fstat(fd).is_ok_and(|stat| {
        let kind = SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits());
        kind == SFlag::S_IFCHR && stat.st_rdev == makedev(1, 3)
    })
}

/// Sets a terminal without being stopped by SIGTTOU.
fn set_terminal(fd: BorrowedFd<'_>, settings: &Termios) -> nix::Result<()> {
    let mut only = SigSet::empty();
    only.add(Signal::SIGTTOU);
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&only), Some(&mut before))?;
    let result = loop {
        match tcsetattr(fd, SetArg::TCSANOW, settings) {
            Err(Errno::EINTR) => {}
            result => break result,
        }
    };
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    result
}

/// Makes a descriptor close on exec and not wait.
pub(super) fn own_flags(fd: BorrowedFd<'_>) -> nix::Result<()> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    let flags = OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}
