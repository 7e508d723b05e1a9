//! Signals, as something to read: none interrupts anything.

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

use crate::sys;

/// The signals that end recmode, in good order.
const ENDING: [Signal; 14] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGXCPU,
    Signal::SIGSTKFLT,
    Signal::SIGTRAP,
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
    /// recmode is to end.
    End(Signal),
}

/// Takes the place of the signals' default actions while it lives.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
    before: SigSet,
}

impl Signals {
    /// Blocks the signals that are read here. Those that were ignored stay ignored, as nohup wants it.
    ///
    /// # Errors
    /// Those of signalfd(2).
    pub fn take() -> std::io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in
            ENDING.into_iter().chain([Signal::SIGCHLD, Signal::SIGWINCH, Signal::SIGTSTP, Signal::SIGCONT])
        {
            set.add(signal);
        }
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
    pub fn next(&self) -> Option<Signalled> {
        loop {
            let info = self.fd.read_signal().ok()??;
            let Some(signal) = i32::try_from(info.ssi_signo).ok().and_then(|n| Signal::try_from(n).ok())
            else {
                continue;
            };
            return Some(match signal {
                Signal::SIGCHLD => Signalled::Child,
                Signal::SIGWINCH => Signalled::Resized,
                Signal::SIGTSTP => Signalled::Stop(signal),
                Signal::SIGCONT => Signalled::Continued,
                signal => Signalled::End(signal),
            });
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
