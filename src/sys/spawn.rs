//! Starting a command in a control group of its own, which std can't.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::process::{Forked, exit_now, fork, has_one_thread};

/// Since Linux 5.7; in libc only for some targets.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// struct clone_args of clone3(2).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Starts `command` as [`Command::spawn`] would, in the control group of this directory from its
/// first moment on; outside of it where the kernel won't. Standard streams that are to be piped
/// must be pipes already. For a process that has a single thread.
///
/// # Errors
/// Those of pipe(2) and fork(2), and why the command could not be executed.
pub fn spawn_into(command: &mut Command, cgroup: Option<BorrowedFd<'_>>) -> io::Result<Pid> {
    let (mut told, mut tell) = io::pipe()?;
    let forked = match cgroup.and_then(fork_into) {
        Some(forked) => forked,
        None => fork()?,
    };
    let pid = match forked {
        Forked::Child => {
            let error = command.exec();
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            let _ = tell.write_all(&errno.to_ne_bytes());
            exit_now(127)
        }
        Forked::Parent(pid) => pid,
    };
    drop(tell);
    let mut errno = [0; 4];
    // Its end is closed when the command is executed.
    if told.read_exact(&mut errno).is_ok() {
        let _ = waitpid(pid, None);
        return Err(io::Error::from_raw_os_error(i32::from_ne_bytes(errno)));
    }
    Ok(pid)
}

/// fork(2) into a control group; nothing where that can't be.
fn fork_into(cgroup: BorrowedFd<'_>) -> Option<Forked> {
    if !has_one_thread() {
        return None;
    }
    let args = CloneArgs {
        flags: CLONE_INTO_CGROUP,
        exit_signal: u64::try_from(libc::SIGCHLD).ok()?,
        cgroup: u64::try_from(cgroup.as_raw_fd()).ok()?,
        ..CloneArgs::default()
    };
    // SAFETY: without a stack and CLONE_VM it is fork(2), of a process that has a single thread; the
    // child only executes a command or exits, so that what libc caches of its thread is not used.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) };
    match Errno::result(pid) {
        Ok(0) => Some(Forked::Child),
        Ok(pid) => Some(Forked::Parent(Pid::from_raw(i32::try_from(pid).ok()?))),
        Err(_) => None,
    }
}
