//! Signals, as something to read: none interrupts anything.

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

use crate::sys;

/// The signals that end a process unless it does something about them, in good order here. Real-time
/// signals do, too.
const ENDING: [i32; 20] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGIO,
    libc::SIGPWR,
    libc::SIGXCPU,
    libc::SIGSTKFLT,
    libc::SIGTRAP,
    // Sent by others. A fault of ours ends the process at once, whatever is blocked.
    libc::SIGABRT,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGSYS,
    libc::SIGSEGV,
    libc::SIGBUS,
];

/// What was signalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signalled {
    /// A child changed state.
    Child,
    /// The terminal changed its size.
    Resized,
    /// recmode is to stop, by this signal.
    Stop(Signal),
    /// recmode was continued.
    Continued,
    /// recmode is to end, by the signal of this number.
    End(i32),
}

/// Takes the place of the signals' default actions while it lives.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
    before: SigSet,
}

impl Signals {
    /// Blocks the signals that are read here. Those that were ignored are left out and stay ignored, as
    /// nohup and shells without job control want it: a blocked signal would be read all the same.
    ///
    /// # Errors
    /// Those of signalfd(2).
    pub fn take() -> std::io::Result<Self> {
        let ending = ENDING.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()).chain([libc::SIGTSTP]);
        let heeded = ending.filter(|&signal| !sys::is_ignored(signal));
        let set = sys::signal_set(heeded.chain([libc::SIGCHLD, libc::SIGWINCH, libc::SIGCONT]));
        let mut before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), Some(&mut before))?;
        // A caller that ignores SIGCHLD would take the command's exit status from us, and a limit
        // on file sizes must fail writes, not kill.
        sys::reset_signal(Signal::SIGCHLD)?;
        sys::ignore_signal(Signal::SIGXFSZ)?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { fd, before })
    }

    /// The signal mask from before.
    #[must_use]
    pub fn mask_before(&self) -> SigSet {
        self.before
    }

    /// The next signal, if one came.
    #[must_use]
    pub fn next(&self) -> Option<Signalled> {
        let number = i32::try_from(self.fd.read_signal().ok()??.ssi_signo).ok()?;
        Some(match Signal::try_from(number) {
            Ok(Signal::SIGCHLD) => Signalled::Child,
            Ok(Signal::SIGWINCH) => Signalled::Resized,
            Ok(signal @ Signal::SIGTSTP) => Signalled::Stop(signal),
            Ok(Signal::SIGCONT) => Signalled::Continued,
            _ => Signalled::End(number),
        })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
