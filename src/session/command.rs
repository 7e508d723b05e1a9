//! The recorded command: its terminal, its start, and what becomes of it.

mod ending;
mod passed_on;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::termios::{LocalFlags, SpecialCharacterIndices, Termios, tcgetattr};
use nix::unistd::{Pid, getsid, pipe2, ttyname};

use super::cgroup::Cgroup;
use super::hang_up::HangUp;
use super::input_mask::Echo;
use super::outer::{Sink, own_flags};
use super::processes::Process;
use crate::exit;
use crate::sys::{self, Belongs, Change, Spawn};

pub(super) use ending::{PATIENCE, Remains};
use passed_on::PassedOn;

/// What pipes to a command hold, if the system lets them.
const PIPE: i32 = 1024 * 1024;

/// Ignored by Rust's runtime, and by us: not so in what is executed.
const RESET: &[Signal] = &[Signal::SIGPIPE, Signal::SIGXFSZ];

/// What to execute.
#[derive(Debug)]
pub struct Program<'a> {
    /// The program and its arguments.
    pub words: &'a [OsString],
    /// The name that it is called by, where that is another.
    pub argv0: Option<&'a OsStr>,
    /// Its environment.
    pub env: &'a [(&'a OsStr, &'a OsStr)],
}

impl Program<'_> {
    fn start(
        &self,
        streams: [BorrowedFd<'_>; 3],
        belongs: Belongs,
        mask: SigSet,
        cgroup: Option<&Cgroup>,
    ) -> io::Result<Pid> {
        let cgroup = cgroup.map(AsFd::as_fd);
        let Self { words, argv0, env } = *self;
        let spawn = Spawn { words, argv0, env, streams, belongs, mask, reset: RESET, cgroup };
        spawn.start().map_err(|error| {
            // execve(2) says so of a script whose interpreter is missing, too.
            let script = error.kind() == io::ErrorKind::NotFound
                && self.words.first().is_some_and(|program| Path::new(program).is_file());
            if script { io::Error::other("bad interpreter: No such file or directory") } else { error }
        })
    }
}

/// Our ends of the pipes to a command without a terminal.
#[derive(Debug)]
pub struct Pipes {
    /// To its standard input.
    pub stdin: Sink,
    /// From its standard output.
    pub stdout: OwnedFd,
    /// From its standard error.
    pub stderr: OwnedFd,
}

/// Both sides of the session's terminal, before the command is started on it.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
    slave: OwnedFd,
}

impl Pty {
    /// A terminal with these settings and size.
    ///
    /// # Errors
    /// Those of openpty(3).
    pub fn open(size: Winsize, settings: Option<&Termios>) -> io::Result<Self> {
        let pty = openpty(&size, settings)?;
        own_flags(pty.master.as_fd())?;
        fcntl(&pty.slave, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        Ok(Self { master: pty.master, slave: pty.slave })
    }

    /// The terminal's name, where it has one that leads to it here.
    #[must_use]
    pub fn name(&self) -> Option<PathBuf> {
        ttyname(&self.slave).ok()
    }
}

/// The command, running.
#[derive(Debug)]
pub struct Running {
    pid: Pid,
    /// The session that it was started in.
    session: Pid,
    /// Children of this process that are not the session's.
    spared: Vec<i32>,
    /// The master side; gone once the session has ended.
    pub master: Option<OwnedFd>,
    /// Our own slave side: while it is open the master never reports a hang-up that the session
    /// could take back by opening its terminal again, so that the command's end alone ends it.
    slave: Option<OwnedFd>,
    /// The pipe to the command's input, where that is no terminal.
    pub stdin: Option<OwnedFd>,
    status: Option<u8>,
    /// The signal that ended it, if one did.
    ended_by: Option<i32>,
    /// It was stopped, and nobody has taken note of that.
    stopped: bool,
    passed_on: Option<PassedOn>,
    hang_up: Option<HangUp>,
    /// Where the session's processes are.
    cgroup: Option<Cgroup>,
}

impl Running {
    /// Starts the command on the terminal, as the leader of a session of its own. With `piped` its
    /// standard input is a pipe.
    ///
    /// # Errors
    /// Why it could not be executed.
    pub fn start(
        pty: Pty,
        program: &Program<'_>,
        piped: bool,
        mask: SigSet,
        spared: Vec<i32>,
        cgroup: Option<Cgroup>,
    ) -> io::Result<Self> {
        let (theirs, stdin) = if piped {
            let (theirs, ours) = pipe2(OFlag::O_CLOEXEC)?;
            own_flags(ours.as_fd())?;
            (Some(theirs), Some(ours))
        } else {
            (None, None)
        };
        let terminal = pty.slave.as_fd();
        let input = theirs.as_ref().map_or(terminal, AsFd::as_fd);
        let streams = [input, terminal, terminal];
        let pid = program.start(streams, Belongs::ToItsTerminal, mask, cgroup.as_ref())?;
        let (master, slave) = (Some(pty.master), Some(pty.slave));
        Ok(Self { master, slave, stdin, ..Self::of(pid, pid, spared, cgroup) })
    }

    /// Starts the command without a terminal, in this session, its standard streams being pipes. As there is
    /// no terminal that hangs up when recmode dies, the kernel does.
    ///
    /// # Errors
    /// Why it could not be executed.
    pub fn start_piped(
        program: &Program<'_>,
        mask: SigSet,
        spared: Vec<i32>,
        cgroup: Option<Cgroup>,
    ) -> io::Result<(Self, Pipes)> {
        let [(stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr)] =
            [pipe2(OFlag::O_CLOEXEC)?, pipe2(OFlag::O_CLOEXEC)?, pipe2(OFlag::O_CLOEXEC)?];
        for fd in [&to_stdin, &from_stdout, &from_stderr] {
            own_flags(fd.as_fd())?;
            // Without it all works, only slower.
            let _ = fcntl(fd, FcntlArg::F_SETPIPE_SZ(PIPE));
        }
        let streams = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
        let pid = program.start(streams, Belongs::ToUs, mask, cgroup.as_ref())?;
        let pipes = Pipes { stdin: Sink::own(to_stdin), stdout: from_stdout, stderr: from_stderr };
        Ok((Self::of(pid, getsid(None)?, spared, cgroup), pipes))
    }

    fn of(pid: Pid, session: Pid, spared: Vec<i32>, cgroup: Option<Cgroup>) -> Self {
        let (master, slave, stdin) = (None, None, None);
        let (status, ended_by, stopped, passed_on, hang_up) = (None, None, false, None, None);
        Self {
            pid,
            session,
            spared,
            master,
            slave,
            stdin,
            status,
            ended_by,
            stopped,
            passed_on,
            hang_up,
            cgroup,
        }
    }

    /// Leaves a child of this process alone that is not the session's.
    pub fn spare(&mut self, pid: Pid) {
        self.spared.push(pid.as_raw());
    }

    /// The exit status, once the command has ended: its own, or 128+N.
    #[must_use]
    pub fn status(&self) -> Option<u8> {
        self.status
    }

    /// The signal that ended the command, if one did.
    #[must_use]
    pub fn ended_by(&self) -> Option<i32> {
        self.ended_by
    }

    /// Collects every child that has ended: the command, and orphans of the session. Whether there was any.
    pub fn reap(&mut self) -> bool {
        let mut any = false;
        while let Some((pid, change)) = sys::next_child_change() {
            if change == Change::Stopped {
                self.stopped |= pid == self.pid;
                continue;
            }
            any = true;
            // From now on its number may be another's.
            self.spared.retain(|&spared| spared != pid.as_raw());
            if pid == self.pid && self.status.is_none() {
                (self.status, self.ended_by) = match change {
                    Change::Signalled(signal) => (Some(exit::signal_status(signal)), Some(signal)),
                    Change::Exited(code) => (Some(u8::try_from(code & 0xff).unwrap_or(0)), None),
                    Change::Stopped => (None, None),
                };
            }
        }
        any
    }

    /// Whether the command was stopped by a signal since this was asked last.
    pub fn take_stop(&mut self) -> bool {
        std::mem::take(&mut self.stopped)
    }

    /// Whether the command is stopped still, as far as the system tells.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.status.is_none() && Process::read(self.pid.as_raw()).is_none_or(|process| process.is_stopped())
    }

    /// Tells the session that its terminal went away, as sshd and a closed terminal window do.
    pub fn hang_up(&mut self) {
        if self.status.is_some() {
            return;
        }
        let terminal = self.master.as_ref().map(AsFd::as_fd);
        self.hang_up = Some(HangUp::begin(self.pid, terminal, &self.members()));
    }

    /// Goes on with a hang-up. Whether it is not over: the command has not ended, or others have not heard.
    pub fn hangs_up(&mut self) -> bool {
        let Some(mut hang_up) = self.hang_up.take() else { return false };
        let goes_on = self.status.is_none() || !hang_up.is_due() || hang_up.go_on(&self.members());
        self.hang_up = goes_on.then_some(hang_up);
        goes_on
    }

    /// Whether the command has ended by a hang-up that others have not heard of, as far as is known.
    #[must_use]
    pub fn is_hanging_up(&self) -> bool {
        self.status.is_some() && self.hang_up.is_some()
    }

    /// Whether the session's terminal echoes, and whether it collects lines.
    #[must_use]
    pub fn echo(&self) -> Option<Echo> {
        let settings = tcgetattr(self.master.as_ref()?).ok()?;
        let flags = settings.local_flags;
        Some(match (flags.contains(LocalFlags::ECHO), flags.contains(LocalFlags::ICANON)) {
            (true, _) => Echo::On,
            (false, true) => Echo::OffForLines,
            (false, false) => Echo::OffForKeys,
        })
    }

    /// The character that ends input on the session's terminal.
    #[must_use]
    pub fn end_of_file_character(&self) -> Option<u8> {
        let settings = tcgetattr(self.master.as_ref()?).ok()?;
        settings.control_chars.get(SpecialCharacterIndices::VEOF as usize).copied()
    }

    /// Gives up what is not read nor written any more once the session's output is over: its terminal, which hangs up for
    /// who lives on, and the control group, unless somebody does.
    pub fn tidy_up(&mut self) {
        self.give_up_terminal();
        self.cgroup.take_if(|cgroup| cgroup.remove());
    }

    /// Closes the session's terminal: the kernel hangs up on all that have it.
    pub fn give_up_terminal(&mut self) {
        self.master = None;
        self.slave = None;
        self.stdin = None;
    }
}
