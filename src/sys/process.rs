//! Processes and signals where std and nix have no safe way.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, raise, sigaction, sigprocmask,
};
use nix::unistd::{ForkResult, Pid};

/// Which of the two processes goes on after [`fork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forked {
    /// The caller, with the new process's id.
    Parent(Pid),
    /// The new process.
    Child,
}

/// fork(2), for a process that has a single thread.
///
/// # Errors
/// EAGAIN or ENOMEM; EBUSY when the process has more than one thread, since a lock that another
/// thread holds would never be released in the child.
pub fn fork() -> io::Result<Forked> {
    // A thread that was joined may still be seen for a moment.
    let many = || std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() > 1);
    if (0..1000).all(|_| many() && nix::sched::sched_yield().is_ok()) {
        return Err(Errno::EBUSY.into());
    }
    // SAFETY: one thread, checked above, so that the child may do all that the parent may.
    Ok(match unsafe { nix::unistd::fork()? } {
        ForkResult::Parent { child } => Forked::Parent(child),
        ForkResult::Child => Forked::Child,
    })
}

/// Ends the process without running destructors or exit handlers (those are the parent's).
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(status) }
}

fn set_disposition(signal: Signal, handler: SigHandler) -> io::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: only SIG_IGN and SIG_DFL come here, no handler that could run at a wrong time.
    unsafe { sigaction(signal, &action)? };
    Ok(())
}

/// Ignores a signal from now on.
///
/// # Errors
/// EINVAL for SIGKILL and SIGSTOP.
pub fn ignore_signal(signal: Signal) -> io::Result<()> {
    set_disposition(signal, SigHandler::SigIgn)
}

/// Gives a signal its default action again.
///
/// # Errors
/// EINVAL for SIGKILL and SIGSTOP.
pub fn reset_signal(signal: Signal) -> io::Result<()> {
    set_disposition(signal, SigHandler::SigDfl)
}

/// Stops this process by `signal` as if it had never been blocked, and returns when it is continued.
///
/// # Errors
/// Those of sigprocmask(2).
pub fn stop_self(signal: Signal) -> io::Result<()> {
    let mut only = SigSet::empty();
    only.add(signal);
    raise(signal)?;
    // The stop happens inside this call.
    sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&only), None)?;
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&only), None)?;
    Ok(())
}

/// Points descriptors 0, 1 and 2 at /dev/null.
///
/// # Errors
/// Those of open(2) and dup2(2).
pub fn null_standard_streams() -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for fd in 0..=2 {
        // SAFETY: replaces a descriptor number that no owner in this process closes.
        Errno::result(unsafe { libc::dup2(null.as_raw_fd(), fd) })?;
    }
    Ok(())
}

/// Closes every descriptor from 3 up but those in `keep`. Only for a process that has just been
/// forked: whoever else thinks to own a descriptor must not use it again.
pub fn close_other_descriptors(keep: &[RawFd]) {
    let mut keep: Vec<u32> = keep.iter().filter_map(|&fd| u32::try_from(fd).ok()).collect();
    keep.sort_unstable();
    let mut first = 3;
    for fd in keep.into_iter().chain([u32::MAX]) {
        if first < fd {
            // SAFETY: the caller gave these descriptors up.
            unsafe { libc::syscall(libc::SYS_close_range, first, fd.saturating_sub(1), 0) };
        }
        first = fd.saturating_add(1).max(first);
    }
}

/// Makes `command` start as the leader of a new session whose controlling terminal is its standard
/// output, with `mask` and default dispositions of the signals in `reset`.
pub fn run_in_new_session(command: &mut Command, mask: SigSet, reset: Vec<Signal>) {
    let prepare = move || {
        nix::unistd::setsid()?;
        // SAFETY: an ioctl without a pointer argument.
        Errno::result(unsafe { libc::ioctl(1, libc::TIOCSCTTY, 0) })?;
        for &signal in &reset {
            reset_signal(signal)?;
        }
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&mask), None)?;
        Ok(())
    };
    // SAFETY: the closure makes async-signal-safe system calls only and allocates nothing.
    unsafe { command.pre_exec(prepare) };
}
