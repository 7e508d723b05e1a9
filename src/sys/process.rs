//! Processes and signals where std and nix have no safe way.

use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, kill, raise, sigaction, sigprocmask,
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
    if !has_one_thread() {
        return Err(Errno::EBUSY.into());
    }
    // SAFETY: one thread, checked above, so that the child may do all that the parent may.
    Ok(match unsafe { nix::unistd::fork()? } {
        ForkResult::Parent { child } => Forked::Parent(child),
        ForkResult::Child => Forked::Child,
    })
}

/// Where there are more processors than this, the kernel finds an idle one by itself.
const FEW_PROCESSORS: usize = 4;

/// Lets a child that was just forked begin on another processor, if it may use one. Where there are few, the kernel
/// often leaves it on its parent's until that sleeps, although another is idle. What it may use later is what it may
/// use now.
pub fn begin_elsewhere(child: Pid) {
    // A filter of system calls might end the process for asking.
    if is_filtered() {
        return;
    }
    let (Ok(all), Ok(here)) = (sched_getaffinity(child), sched_getcpu()) else { return };
    let processors = (0..CpuSet::count()).filter(|&cpu| all.is_set(cpu) == Ok(true)).count();
    let mut others = all;
    if (2..=FEW_PROCESSORS).contains(&processors)
        && others.unset(here).is_ok()
        && sched_setaffinity(child, &others).is_ok()
    {
        let _ = sched_setaffinity(child, &all);
    }
}

/// Whether system calls of this process are filtered (seccomp).
fn is_filtered() -> bool {
    // SAFETY: asks only. In the strictest mode it would end the process, which could have done nothing before.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP) != 0 }
}

/// Whether this process has a single thread.
pub(super) fn has_one_thread() -> bool {
    // A directory has two links, and proc(5)'s one of threads one more for each: cheaper than to list it.
    let many = || match std::fs::metadata("/proc/self/task").map(|tasks| tasks.nlink()) {
        Ok(links @ 3..) => links > 3,
        Ok(_) => std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() > 1),
        Err(_) => false,
    };
    // A thread that was joined may still be seen for a moment.
    !(0..1000).all(|_| many() && nix::sched::sched_yield().is_ok())
}

/// Ends the process without running destructors or exit handlers: a child's are its parent's.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(status) }
}

fn set_disposition(signal: Signal, handler: SigHandler) -> nix::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: only SIG_IGN and SIG_DFL come here, no handler that could run at a wrong time.
    unsafe { sigaction(signal, &action)? };
    Ok(())
}

/// Ignores a signal from now on.
///
/// # Errors
/// EINVAL for SIGKILL and SIGSTOP.
pub fn ignore_signal(signal: Signal) -> nix::Result<()> {
    set_disposition(signal, SigHandler::SigIgn)
}

/// Gives a signal its default action again.
///
/// # Errors
/// EINVAL for SIGKILL and SIGSTOP.
pub fn reset_signal(signal: Signal) -> nix::Result<()> {
    set_disposition(signal, SigHandler::SigDfl)
}

/// Whether a signal (by number) is ignored.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: an all-zero sigaction is a valid one to be overwritten.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asks only; the kernel writes one sigaction behind the pointer.
    let known = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) } == 0;
    known && action.sa_sigaction == libc::SIG_IGN
}

/// A set of signals by number: nix's own knows no real-time signals.
#[must_use]
pub fn signal_set(signals: impl IntoIterator<Item = i32>) -> SigSet {
    // SAFETY: an all-zero set is empty on Linux, and sigemptyset makes sure of it.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is a valid set to write to; an unknown number is refused.
    unsafe { libc::sigemptyset(&raw mut set) };
    for signal in signals {
        // SAFETY: as above.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    // SAFETY: made by sigemptyset and sigaddset.
    unsafe { SigSet::from_sigset_t_unchecked(set) }
}

/// What happened to a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It exited with this status.
    Exited(i32),
    /// This signal, real-time ones too, ended it.
    Signalled(i32),
    /// A signal stopped it.
    Stopped,
}

/// The next child that has ended, which is collected, or that was stopped.
#[must_use]
pub fn next_child_change() -> Option<(Pid, Change)> {
    loop {
        let mut status = 0;
        // SAFETY: the kernel writes one int behind the pointer.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::WUNTRACED) };
        let change = match pid {
            -1 if Errno::last() == Errno::EINTR => continue,
            -1 | 0 => return None,
            _ if libc::WIFEXITED(status) => Change::Exited(libc::WEXITSTATUS(status)),
            _ if libc::WIFSIGNALED(status) => Change::Signalled(libc::WTERMSIG(status)),
            _ if libc::WIFSTOPPED(status) => Change::Stopped,
            _ => continue,
        };
        return Some((Pid::from_raw(pid), change));
    }
}

/// Stops this process's whole group, as a shell with job control expects of a job. Returns when this process is
/// continued.
///
/// # Errors
/// Those of kill(2).
pub fn stop_group() -> io::Result<()> {
    Ok(kill(Pid::from_raw(0), Signal::SIGSTOP)?)
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

/// Points these of the descriptors 0, 1 and 2 at /dev/null.
///
/// # Errors
/// Those of open(2) and dup2(2).
pub fn null_streams(which: RangeInclusive<RawFd>) -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for fd in which.filter(|fd| (0..=2).contains(fd)) {
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
        let last = fd.saturating_sub(1);
        if first <= last {
            // SAFETY: the caller gave these descriptors up.
            let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
            if closed != 0 {
                // A kernel before 5.9, or a filter of system calls.
                for fd in first..=last.min(65_536) {
                    // SAFETY: as above.
                    unsafe { libc::close(fd.cast_signed()) };
                }
            }
        }
        first = fd.saturating_add(1).max(first);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_that_begins_elsewhere_may_use_its_processors_afterwards() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("a child");
        let pid = Pid::from_raw(child.id().cast_signed());
        let all = sched_getaffinity(pid).expect("its processors");
        begin_elsewhere(pid);
        let after = sched_getaffinity(pid);
        let mut one = CpuSet::new();
        one.set((0..CpuSet::count()).find(|&cpu| all.is_set(cpu) == Ok(true)).expect("one")).expect("set");
        let confined = sched_setaffinity(pid, &one).and_then(|()| {
            begin_elsewhere(pid);
            sched_getaffinity(pid)
        });
        child.kill().expect("ended");
        child.wait().expect("gone");
        assert_eq!(after, Ok(all));
        assert_eq!(confined, Ok(one));
    }
}
